//! The feature matrix of snapshots: for each row only facts known strictly before it, each counted by its definition.

use leadscore_core::{AttributeTable, CreatedPart, FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec, MatrixError, Snapshot, Span, Statistic, Timestamp};
use leadscore_tables::{Activities, Attribute, Column, HistoryChange, MISSING, Tables};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

/// Why a matrix cannot be made of these tables.
#[derive(Debug, thiserror::Error)]
pub enum FeaturesError {
    /// A feature needs a table or column that is not there.
    #[error("feature `{feature}` needs {needed}, which this data lacks: add it to the config or its file, or train a model without it")]
    Missing {
        /// The feature.
        feature: String,
        /// What it needs.
        needed: String,
    },
    /// A feature needs numbers and finds categories, or the other way round.
    #[error("feature `{feature}` was a {expected} when the model was trained, and is not one here: look at the column's values")]
    Kind {
        /// The feature.
        feature: String,
        /// What it was.
        expected: &'static str,
    },
    /// The columns do not make a matrix.
    #[error(transparent)]
    Matrix(#[from] MatrixError),
}

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

type FilledColumn = (Vec<String>, Vec<f64>);

/// Computes these features at these snapshots.
///
/// # Shapes
///
/// The matrix is `(snapshots.len(), specs.len())`, rows and columns in the order given.
///
/// # Errors
///
/// [`FeaturesError::Missing`] where a feature needs what the tables lack, [`FeaturesError::Kind`] where a column has
/// another type than the feature, [`FeaturesError::Matrix`] where a value is infinite.
pub fn compute(tables: &Tables, specs: &[FeatureSpec], snapshots: &[Snapshot]) -> Result<FeatureMatrix, FeaturesError> {
    let mut columns: Vec<Option<FilledColumn>> = vec![None; specs.len()];
    for (idx, spec) in specs.iter().enumerate() {
        columns[idx] = match &spec.source {
            FeatureSource::Attribute { table, column } => Some(attribute_column(tables, spec, table, column, snapshots)?),
            FeatureSource::Created(part) => Some(created_column(tables, *part, snapshots)),
            FeatureSource::AgeDays => Some((Vec::new(), snapshots.iter().map(|snapshot| age_days(tables, *snapshot)).collect())),
            FeatureSource::Activity { .. } => None,
        };
    }
    let mut names: Vec<&str> = specs.iter().filter_map(activity_table).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let wanted: Vec<usize> = (0..specs.len()).filter(|&idx| activity_table(&specs[idx]) == Some(name)).collect();
        let activities = tables.activities.iter().find(|activities| activities.name == name);
        let activities =
            activities.ok_or_else(|| FeaturesError::Missing { feature: specs[wanted[0]].name.clone(), needed: format!("the table [activities.{name}]") })?;
        let sweep = Sweep::new(activities, specs, &wanted)?;
        for (idx, values) in wanted.iter().zip(sweep.run(snapshots)) {
            columns[*idx] = Some((Vec::new(), values));
        }
    }
    let columns = specs.iter().zip(columns).map(|(spec, column)| {
        let (levels, values) = column.expect("every kind of source was filled");
        (spec.clone(), levels, values)
    });
    Ok(FeatureMatrix::new(snapshots.to_vec(), columns.collect())?)
}

fn activity_table(spec: &FeatureSpec) -> Option<&str> {
    match &spec.source {
        FeatureSource::Activity { table, .. } => Some(table),
        _ => None,
    }
}

fn age_days(tables: &Tables, snapshot: Snapshot) -> f64 {
    tables.leads.created[snapshot.lead as usize].map_or(f64::NAN, |created| snapshot.at.days_since(created.start))
}

fn created_column(tables: &Tables, part: CreatedPart, snapshots: &[Snapshot]) -> FilledColumn {
    let value = |snapshot: &Snapshot| {
        tables.leads.created[snapshot.lead as usize].map_or(f64::NAN, |created| {
            f64::from(match part {
                CreatedPart::Weekday => created.start.weekday(),
                CreatedPart::DayOfMonth => created.start.day_of_month(),
                CreatedPart::Hour => created.start.hour(),
                CreatedPart::Month => created.start.month() - 1,
            })
        })
    };
    let levels: &[&str] = match part {
        CreatedPart::Weekday => &WEEKDAYS,
        CreatedPart::Month => &MONTHS,
        CreatedPart::DayOfMonth | CreatedPart::Hour => &[],
    };
    (levels.iter().map(|&level| level.to_owned()).collect(), snapshots.iter().map(value).collect())
}

fn attribute_column(tables: &Tables, spec: &FeatureSpec, table: &AttributeTable, column: &str, snapshots: &[Snapshot]) -> Result<FilledColumn, FeaturesError> {
    let find = |attributes: &'_ [Attribute]| attributes.iter().position(|attribute| attribute.name == column);
    let missing = |needed: String| FeaturesError::Missing { feature: spec.name.clone(), needed };
    let (values, rows): (&Column, Vec<Option<usize>>) = match table {
        AttributeTable::Leads => match tables.history.attributes.iter().find(|change| change.attribute == column) {
            Some(change) => (&change.values, snapshots.iter().map(|snapshot| change_before(change, *snapshot)).collect()),
            None => {
                let idx = find(&tables.leads.attributes).ok_or_else(|| missing(format!("the column `{column}` of the leads")))?;
                (&tables.leads.attributes[idx].column, snapshots.iter().map(|snapshot| Some(snapshot.lead as usize)).collect())
            }
        },
        AttributeTable::Lookup(name) => {
            let lookup = tables.lookups.iter().find(|lookup| lookup.name == *name).ok_or_else(|| missing(format!("the table [lookups.{name}]")))?;
            let idx = find(&lookup.attributes).ok_or_else(|| missing(format!("the column `{column}` of [lookups.{name}]")))?;
            let row = |snapshot: &Snapshot| Some(lookup.row_of_lead[snapshot.lead as usize]).filter(|&row| row != MISSING).map(|row| row as usize);
            (&lookup.attributes[idx].column, snapshots.iter().map(row).collect())
        }
    };
    match (values, spec.kind) {
        (Column::Number(values), FeatureKind::Number) => Ok((Vec::new(), rows.iter().map(|row| row.map_or(f64::NAN, |row| values[row])).collect())),
        (Column::Category { codes, levels }, FeatureKind::Category) => Ok(compact_levels(levels, rows.iter().map(|row| row.map_or(MISSING, |row| codes[row])))),
        (Column::Number(values), FeatureKind::Category) if values.iter().all(|value| value.is_nan()) => Ok((Vec::new(), vec![f64::NAN; rows.len()])),
        (Column::Category { levels, .. }, FeatureKind::Number) if levels.is_empty() => Ok((Vec::new(), vec![f64::NAN; rows.len()])),
        (_, FeatureKind::Number) => Err(FeaturesError::Kind { feature: spec.name.clone(), expected: "number" }),
        (_, FeatureKind::Category) => Err(FeaturesError::Kind { feature: spec.name.clone(), expected: "category" }),
    }
}

/// The levels that these rows hold and no others: a lead that is not among them leaves no trace.
fn compact_levels(levels: &[String], codes: impl Iterator<Item = u32> + Clone) -> FilledColumn {
    let mut used = vec![false; levels.len()];
    for code in codes.clone().filter(|&code| code != MISSING) {
        used[code as usize] = true;
    }
    let mut number = vec![f64::NAN; levels.len()];
    let mut kept = Vec::new();
    for (code, level) in levels.iter().enumerate().filter(|(code, _)| used[*code]) {
        number[code] = kept.len() as f64;
        kept.push(level.clone());
    }
    (kept, codes.map(|code| if code == MISSING { f64::NAN } else { number[code as usize] }).collect())
}

/// The latest change of the lead's attribute that was known before the snapshot.
fn change_before(change: &HistoryChange, snapshot: Snapshot) -> Option<usize> {
    let range = change.offsets[snapshot.lead as usize]..change.offsets[snapshot.lead as usize + 1];
    let before = change.known[range.clone()].partition_point(|&known| known < snapshot.at);
    (before > 0).then(|| range.start + before - 1)
}

/// What is gathered over the events of one table: a slot for each kind and window, shared by the features that read it.
struct Sweep<'a> {
    activities: &'a Activities,
    windows: Vec<Option<Span>>,
    /// For each kind column, the kind number of each level; kind 0 is all events.
    kind_of_code: Vec<Vec<Option<usize>>>,
    n_kinds: usize,
    value_columns: Vec<usize>,
    outputs: Vec<Output>,
}

/// One feature: which slot, which value column, which statistic.
struct Output {
    kind: usize,
    window: usize,
    value: usize,
    statistic: Gather,
}

enum Gather {
    Count,
    Sum,
    Mean,
    Recency,
}

/// Running totals of one row.
#[derive(Clone)]
struct Totals {
    /// By kind and window.
    counts: Vec<f64>,
    /// By kind, window and value column: sum and number of values.
    sums: Vec<(f64, f64)>,
    /// By kind.
    latest: Vec<Option<Timestamp>>,
}

impl<'a> Sweep<'a> {
    fn new(activities: &'a Activities, specs: &[FeatureSpec], wanted: &[usize]) -> Result<Self, FeaturesError> {
        let mut windows: Vec<Option<Span>> = Vec::new();
        let mut value_columns = Vec::new();
        let mut kind_of_code: Vec<Vec<Option<usize>>> = activities.kinds.iter().map(|(_, _, levels)| vec![None; levels.len()]).collect();
        let mut kinds: Vec<Option<&(String, String)>> = vec![None];
        let mut outputs = Vec::new();
        for &idx in wanted {
            let spec = &specs[idx];
            let FeatureSource::Activity { kind, window, statistic, .. } = &spec.source else { unreachable!("only activity features are wanted") };
            let missing = |column: &str| FeaturesError::Missing {
                feature: spec.name.clone(),
                needed: format!("the column `{column}` of [activities.{}]", activities.name),
            };
            let kind_number = match kinds.iter().position(|known| *known == kind.as_ref()) {
                Some(number) => number,
                None => {
                    let (column, value) = kind.as_ref().expect("all events are kind 0");
                    let position = activities.kinds.iter().position(|(name, _, _)| name == column).ok_or_else(|| missing(column))?;
                    // A kind that this data never shows keeps a number, and counts nothing.
                    if let Ok(code) = activities.kinds[position].2.binary_search(value) {
                        kind_of_code[position][code] = Some(kinds.len());
                    }
                    kinds.push(kind.as_ref());
                    kinds.len() - 1
                }
            };
            let window_number = position_or_push(&mut windows, *window);
            let mut value_number = |column: &String| -> Result<usize, FeaturesError> {
                let position = activities.values.iter().position(|values| values.name == *column).ok_or_else(|| missing(column))?;
                Ok(position_or_push(&mut value_columns, position))
            };
            let (statistic, value) = match statistic {
                Statistic::Count => (Gather::Count, 0),
                Statistic::RecencyDays => (Gather::Recency, 0),
                Statistic::Sum(column) => (Gather::Sum, value_number(column)?),
                Statistic::Mean(column) => (Gather::Mean, value_number(column)?),
            };
            outputs.push(Output { kind: kind_number, window: window_number, value, statistic });
        }
        Ok(Self { activities, windows, kind_of_code, n_kinds: kinds.len(), value_columns, outputs })
    }

    /// One column for each output.
    fn run(&self, snapshots: &[Snapshot]) -> Vec<Vec<f64>> {
        let width = self.outputs.len();
        let mut rows = vec![0.0; snapshots.len() * width];
        if width > 0 {
            let blank = Totals {
                counts: vec![0.0; self.n_kinds * self.windows.len()],
                sums: vec![(0.0, 0.0); self.n_kinds * self.windows.len() * self.value_columns.len()],
                latest: vec![None; self.n_kinds],
            };
            rows.par_chunks_mut(width).zip(snapshots.par_iter()).for_each_init(|| blank.clone(), |totals, (row, snapshot)| self.fill(*snapshot, totals, row));
        }
        (0..width).map(|output| rows.iter().skip(output).step_by(width).copied().collect()).collect()
    }

    fn fill(&self, snapshot: Snapshot, totals: &mut Totals, row: &mut [f64]) {
        totals.counts.fill(0.0);
        totals.sums.fill((0.0, 0.0));
        totals.latest.fill(None);
        for event in self.activities.events_of(snapshot.lead as usize) {
            let at = self.activities.at[event];
            // The rule of time: it happened and was known strictly before the snapshot.
            if at >= snapshot.at {
                break;
            }
            if self.activities.known[event] >= snapshot.at {
                continue;
            }
            self.add(event, 0, snapshot.at, totals);
            for ((_, codes, _), numbers) in self.activities.kinds.iter().zip(&self.kind_of_code) {
                if codes[event] != MISSING
                    && let Some(kind) = numbers[codes[event] as usize]
                {
                    self.add(event, kind, snapshot.at, totals);
                }
            }
        }
        for (cell, output) in row.iter_mut().zip(&self.outputs) {
            let slot = output.kind * self.windows.len() + output.window;
            let value_slot = slot * self.value_columns.len() + output.value;
            *cell = match output.statistic {
                Gather::Count => totals.counts[slot],
                Gather::Sum => totals.sums[value_slot].0,
                Gather::Mean if totals.sums[value_slot].1 == 0.0 => f64::NAN,
                Gather::Mean => totals.sums[value_slot].0 / totals.sums[value_slot].1,
                Gather::Recency => totals.latest[output.kind].map_or(f64::NAN, |latest| snapshot.at.days_since(latest)),
            };
        }
    }

    fn add(&self, event: usize, kind: usize, snapshot_at: Timestamp, totals: &mut Totals) {
        let at = self.activities.at[event];
        totals.latest[kind] = Some(at);
        for (number, window) in self.windows.iter().enumerate() {
            if window.is_some_and(|window| at < snapshot_at - window) {
                continue;
            }
            let slot = kind * self.windows.len() + number;
            totals.counts[slot] += 1.0;
            for (position, &column) in self.value_columns.iter().enumerate() {
                let value = self.activities.values[column].values[event];
                if !value.is_nan() {
                    let sum = &mut totals.sums[slot * self.value_columns.len() + position];
                    *sum = (sum.0 + value, sum.1 + 1.0);
                }
            }
        }
    }
}

fn position_or_push<T: PartialEq>(list: &mut Vec<T>, value: T) -> usize {
    list.iter().position(|known| *known == value).unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    })
}
