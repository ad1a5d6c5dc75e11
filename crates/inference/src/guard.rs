//! Later leads compared with those of training: what is unlike them.

use std::collections::{BTreeMap, HashMap, HashSet};

use leadscore_core::{FeatureMatrix, FeatureSource, FeatureSpec};
use serde::Serialize;

use crate::model::Model;
use crate::scope::{FeatureScope, Spread};
use crate::term::Term;

/// What is unlike training about a set of leads.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Guarded {
    /// For each row, what is unlike training about it.
    pub of_row: Vec<Option<String>>,
    /// Rows with values that training never saw.
    pub n_outside: usize,
    /// The same feature by feature, the most frequent first.
    pub findings: Vec<GuardFinding>,
}

/// What is unlike training about one feature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GuardFinding {
    /// The feature in words.
    pub feature: String,
    /// Rows that it concerns.
    pub n_rows: usize,
    /// What it is.
    pub text: String,
    /// Whether these rows count as outside of training; else it is a remark about all of them.
    pub is_outside: bool,
}

/// Medians that are apart by such a factor are of other units.
const MOVED: f64 = 4.0;
/// Features that grow are named from this share of rows on.
const SOME: f64 = 0.2;
/// The share of rows from which on a new level is no seldom one.
const MANY_OF_LEVEL: f64 = 0.02;
/// Rows of which so many are expected to have a value, of which none has it by chance once in a
/// million.
const SURELY_SEEN: f64 = 15.0;
/// Rows that a median, and a share, need.
const ENOUGH: usize = 30;

impl Model {
    /// Compares the rows of a matrix with what training saw, in every feature that the model reads;
    /// `None` where the model does not know that.
    pub fn guard(&self, matrix: &FeatureMatrix) -> Option<Guarded> {
        let scope = self.scope.as_ref()?;
        let mut read: Vec<usize> = self
            .terms
            .iter()
            .flat_map(|term| std::iter::once(term.feature_idx()).chain(term.second_feature_idx()))
            .collect();
        read.sort_unstable();
        read.dedup();
        let mut guard = Guard::new(self, matrix);
        for column in read {
            if let (Some(seen), Some(spec)) = (scope.features.get(column), self.specs.get(column)) {
                guard.compare(column, seen, spec);
            }
        }
        self.gone_levels(matrix, &mut guard.findings);
        self.gone_tokens(matrix, &mut guard.findings);
        Some(guard.finish())
    }

    /// Levels of attributes that many training snapshots had and no row has.
    fn gone_levels(&self, matrix: &FeatureMatrix, findings: &mut Vec<GuardFinding>) {
        let n_rows = matrix.n_rows();
        for (term, counts) in self.terms.iter().zip(&self.counts) {
            let Term::Levels(levels) = term else { continue };
            let Some(spec) = self
                .specs
                .get(levels.feature_idx)
                .filter(|spec| matches!(spec.source, FeatureSource::Attribute { .. }))
            else {
                continue;
            };
            let n_all: u64 = counts.iter().map(|count| count.n_rows).sum();
            let present: HashSet<&str> = (0..n_rows)
                .filter_map(|row| matrix.level(row, levels.feature_idx))
                .collect();
            // Where there is no level at all, that was said.
            if n_rows < ENOUGH || present.is_empty() {
                continue;
            }
            for ((level, _), count) in levels.levels.iter().zip(counts) {
                let share = count.n_rows as f64 / n_all.max(1) as f64;
                if share * n_rows as f64 >= SURELY_SEEN && !present.contains(level.as_str()) {
                    let text = format!(
                        "`{}` is `{level}` for no lead, and was for {:.0} % of the training snapshots",
                        spec.name,
                        100.0 * share
                    );
                    findings.push(GuardFinding {
                        feature: spec.name.clone(),
                        n_rows,
                        text,
                        is_outside: false,
                    });
                }
            }
        }
    }

    /// Sets, and titles, whose values have gone: another separator leaves hardly any of them.
    fn gone_tokens(&self, matrix: &FeatureMatrix, findings: &mut Vec<GuardFinding>) {
        let n_rows = matrix.n_rows();
        // For each column, how many values a row had at training, and has here.
        let mut columns: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for term in &self.terms {
            let Term::Linear(linear) = term else { continue };
            let Some(spec) = self
                .specs
                .get(linear.feature_idx)
                .filter(|spec| matches!(spec.source, FeatureSource::Token { .. }))
            else {
                continue;
            };
            let (then, now) = columns.entry(spec.concept().to_string()).or_default();
            // The mean of zeros and ones is the share of ones.
            *then += linear.mean;
            *now += matrix.column(linear.feature_idx).sum() / n_rows.max(1) as f64;
        }
        for (column, (then, now)) in columns {
            if n_rows >= ENOUGH && then * n_rows as f64 >= SURELY_SEEN && MOVED * now < then {
                let text = format!(
                    "`{column}` has {now:.2} known values a lead, and had {then:.2} at training: another separator, or other names of values"
                );
                findings.push(GuardFinding {
                    feature: column,
                    n_rows,
                    text,
                    is_outside: false,
                });
            }
        }
    }

    /// Rows whose level training never saw.
    fn levels_outside(
        &self,
        matrix: &FeatureMatrix,
        column: usize,
        seen: &FeatureScope,
    ) -> (Vec<usize>, String) {
        let term = self.terms.iter().find_map(|term| match term {
            Term::Levels(levels) => Some(levels).filter(|levels| levels.feature_idx == column),
            Term::Linear(_) | Term::Bins(_) | Term::Pair(_) => None,
        });
        let Some(term) = term else {
            return (Vec::new(), String::new());
        };
        let known: HashSet<&str> = term
            .levels
            .iter()
            .map(|(level, _)| level.as_str())
            .chain(term.rare_levels.iter().map(String::as_str))
            .collect();
        let is_new = |row: &usize| {
            matrix
                .level(*row, column)
                .is_some_and(|level| !known.contains(level))
        };
        let mut rows: Vec<usize> = (0..matrix.n_rows()).filter(is_new).collect();
        // Where many levels stood once, or come and go, new ones are what is expected.
        if (rows.len() as f64) < (3.0 * seen.novel).min(1.0) * matrix.n_rows() as f64
            || seen.novel > 0.05
        {
            return (Vec::new(), String::new());
        }
        if !term.rare_levels.is_empty() {
            // A seldom level counts as the other seldom ones do; only one that many rows have is
            // another name, or another source.
            let mut counts: HashMap<&str, usize> = HashMap::new();
            rows.iter()
                .filter_map(|&row| matrix.level(row, column))
                .for_each(|level| *counts.entry(level).or_default() += 1);
            let many = (MANY_OF_LEVEL * matrix.n_rows() as f64).max(5.0);
            rows.retain(|&row| {
                matrix
                    .level(row, column)
                    .is_some_and(|level| counts[level] as f64 >= many)
            });
        }
        let mut names: Vec<&str> = rows
            .iter()
            .filter_map(|&row| matrix.level(row, column))
            .collect();
        names.sort_unstable();
        names.dedup();
        let listed = names
            .iter()
            .take(3)
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let more = if names.len() > 3 {
            format!(" and {} more", names.len() - 3)
        } else {
            String::new()
        };
        (rows, format!("is {listed}{more}, which training never saw"))
    }
}

/// A comparison under way, feature by feature.
struct Guard<'a> {
    model: &'a Model,
    matrix: &'a FeatureMatrix,
    of_row: Vec<Option<String>>,
    findings: Vec<GuardFinding>,
    /// Of each event table, the features that are empty now, and the share of training snapshots
    /// for which they were not.
    silent: BTreeMap<&'a str, Vec<(&'a str, f64)>>,
}

impl<'a> Guard<'a> {
    /// Nothing is compared yet.
    fn new(model: &'a Model, matrix: &'a FeatureMatrix) -> Self {
        Self {
            model,
            matrix,
            of_row: vec![None; matrix.n_rows()],
            findings: Vec::new(),
            silent: BTreeMap::new(),
        }
    }

    /// Compares one feature with what it was at training.
    fn compare(&mut self, column: usize, seen: &FeatureScope, spec: &'a FeatureSpec) {
        let (matrix, n_rows) = (self.matrix, self.matrix.n_rows());
        // Days to a date fall by one every day, whatever they were at training.
        let moves = matches!(spec.source, FeatureSource::DaysUntil { .. });
        let is_attribute = spec.source.is_attribute() && !moves;
        let (rows, what) = match &seen.spread {
            Some(spread) => numbers_outside(&matrix.column(column).to_vec(), spread, is_attribute),
            None => self.model.levels_outside(matrix, column, seen),
        };
        if n_rows >= ENOUGH && seen.filled * n_rows as f64 >= SURELY_SEEN && is_gone(matrix, column)
        {
            self.empty(seen, spec);
        } else if !is_attribute {
            // What counts and waits goes on growing, or falls silent, as leads grow older than
            // those of training.
            if rows.len() as f64 > SOME * n_rows as f64 {
                self.find(
                    &spec.name,
                    rows.len(),
                    format!("`{}` {what}", spec.name),
                    false,
                );
            }
        } else if !rows.is_empty() {
            self.find(
                &spec.name,
                rows.len(),
                format!("`{}` {what}", spec.name),
                true,
            );
            for row in rows {
                let text = format!("{}: {}", spec.name, shown(matrix, row, column));
                match &mut self.of_row[row] {
                    Some(known) => *known = format!("{known}; {text}"),
                    none => *none = Some(text),
                }
            }
        }
    }

    /// A feature that no row has, and that training had; those of an event table are named together.
    fn empty(&mut self, seen: &FeatureScope, spec: &'a FeatureSpec) {
        match spec.source.events() {
            Some(read) => self
                .silent
                .entry(read.table)
                .or_default()
                .push((spec.name.as_str(), seen.filled)),
            None => {
                let text = format!(
                    "`{}` is empty or 0 for every lead, and was not for {:.0} % of the training snapshots",
                    spec.name,
                    100.0 * seen.filled
                );
                self.find(&spec.name, self.matrix.n_rows(), text, false);
            }
        }
    }

    /// Notes what was found about a feature.
    fn find(&mut self, feature: &str, n_rows: usize, text: String, is_outside: bool) {
        self.findings.push(GuardFinding {
            feature: feature.to_owned(),
            n_rows,
            text,
            is_outside,
        });
    }

    /// Event tables whose features are empty, each by the feature that was filled most.
    fn silent_tables(&mut self) {
        for (table, features) in std::mem::take(&mut self.silent) {
            let (name, filled) = features.iter().fold(("", 0.0), |most, &(name, filled)| {
                if filled > most.1 {
                    (name, filled)
                } else {
                    most
                }
            });
            let others = if features.len() > 1 {
                format!(
                    ", and {} more of [activities.{table}], are",
                    features.len() - 1
                )
            } else {
                " is".to_owned()
            };
            let text = format!(
                "`{name}`{others} empty or 0 for every lead, and `{name}` was not for {:.0} % of the training snapshots: has a kind of event stopped?",
                100.0 * filled
            );
            self.find(name, self.matrix.n_rows(), text, false);
        }
    }

    /// Everything that was found, the most frequent first.
    fn finish(mut self) -> Guarded {
        self.silent_tables();
        self.findings.sort_by(|a, b| {
            b.n_rows
                .cmp(&a.n_rows)
                .then_with(|| a.feature.cmp(&b.feature))
        });
        Guarded {
            n_outside: self.of_row.iter().filter(|text| text.is_some()).count(),
            of_row: self.of_row,
            findings: self.findings,
        }
    }
}

/// Rows whose number training never saw: outside of its range, or of another unit.
fn numbers_outside(values: &[f64], spread: &Spread, has_unit: bool) -> (Vec<usize>, String) {
    if has_unit && let Some(what) = another_unit(values, spread) {
        return (
            (0..values.len())
                .filter(|&row| !values[row].is_nan())
                .collect(),
            what,
        );
    }
    let rows: Vec<usize> = values
        .iter()
        .enumerate()
        .filter(|(_, value)| spread.is_outside(**value))
        .map(|(row, _)| row)
        .collect();
    (
        rows,
        format!(
            "lies outside {} to {}, which is all that training saw",
            short(spread.low),
            short(spread.high)
        ),
    )
}

/// What speaks for another unit than that of training: the median, or how far numbers lie from it,
/// is another by the factor [`MOVED`], and what it was at training is beyond the middle half of
/// what it is now. Of numbers that span many decades, or of few different ones, the median moves by
/// such a factor by chance, but hardly past a quartile.
fn another_unit(values: &[f64], seen: &Spread) -> Option<String> {
    let known: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| !value.is_nan())
        .collect();
    if values.len() < ENOUGH {
        return None;
    }
    let own = Spread::of(known.iter().copied())?;
    let is_apart = |own: f64, seen: f64| {
        seen != 0.0 && (own / seen >= MOVED || own / seen > 0.0 && own / seen <= 1.0 / MOVED)
    };
    // Of what is mostly 0 no median tells the unit, nor of what lies on both sides of 0.
    let has_sign =
        seen.low >= 0.0 || seen.high <= 0.0 || seen.median.abs() > 0.25 * (seen.high - seen.low);
    if has_sign && is_apart(own.median, seen.median) && is_beyond_middle(seen.median, &known) {
        return Some(format!(
            "has a median of {}, and of {} at training: another unit?",
            short(own.median),
            short(seen.median)
        ));
    }
    // From the median of training, since that of these numbers may be far from it by chance.
    let deviations: Vec<f64> = known
        .iter()
        .map(|value| (value - seen.median).abs())
        .collect();
    if is_apart(own.deviation, seen.deviation) && is_beyond_middle(seen.deviation, &deviations) {
        return Some(format!(
            "lies {} from its median in the middle, and {} at training: another unit?",
            short(own.deviation),
            short(seen.deviation)
        ));
    }
    None
}

/// Whether a value is above, or below, more than three quarters of the numbers; of few of them more
/// than chance ever does to their median, four standard errors.
fn is_beyond_middle(value: f64, numbers: &[f64]) -> bool {
    let n_above = numbers.iter().filter(|number| **number > value).count();
    let n_below = numbers.iter().filter(|number| **number < value).count();
    let n = numbers.len() as f64;
    n_above.max(n_below) as f64 > (0.5 + f64::max(0.25, 2.0 / n.sqrt())) * n
}

fn is_gone(matrix: &FeatureMatrix, column: usize) -> bool {
    (0..matrix.n_rows()).all(|row| {
        if matrix.is_category(column) {
            matrix.level(row, column).is_none()
        } else {
            matrix.column(column)[row].is_nan() || matrix.column(column)[row] == 0.0
        }
    })
}

fn shown(matrix: &FeatureMatrix, row: usize, column: usize) -> String {
    matrix
        .level(row, column)
        .map_or_else(|| short(matrix.column(column)[row]), str::to_owned)
}

fn short(value: f64) -> String {
    let rounded = if value.abs() >= 100.0 {
        value.round()
    } else {
        (value * 100.0).round() / 100.0
    };
    rounded.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Evenly scattered numbers between 0 and 1, others for another seed.
    fn scattered(n: usize, seed: u64) -> impl Iterator<Item = f64> {
        (0..n as u64).map(move |idx| {
            (((idx + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
                ^ seed.wrapping_mul(0xD1B5_4A32_D192_ED03))
            .wrapping_mul(0xBF58_476D_1CE4_E5B9)
                >> 11) as f64
                / (1_u64 << 53) as f64
        })
    }

    fn found(seen: impl Iterator<Item = f64>, own: impl Iterator<Item = f64>) -> Option<String> {
        another_unit(
            &own.collect::<Vec<_>>(),
            &Spread::of(seen).expect("numbers"),
        )
    }

    #[test]
    fn numbers_over_many_decades_are_of_the_same_unit_however_their_median_moves() {
        for n_decades in [3.0, 6.0, 18.0, 100.0] {
            let over_decades =
                |n, seed| scattered(n, seed).map(move |part| 10_f64.powf(n_decades * (part - 0.5)));
            for seed in 1..300 {
                for n in [30, 40, 100] {
                    assert_eq!(
                        found(over_decades(2_000, 0), over_decades(n, seed)),
                        None,
                        "{n_decades} decades, {n} numbers, seed {seed}"
                    );
                }
                let signed = |n, seed| {
                    over_decades(n, seed)
                        .enumerate()
                        .map(|(row, value)| if row % 2 == 0 { value } else { -value })
                };
                assert_eq!(
                    found(signed(2_000, 0), signed(100, seed)),
                    None,
                    "{n_decades} decades on both sides of 0, seed {seed}"
                );
            }
        }
        // Two prices, of which either may be the more frequent one.
        let prices =
            |n: usize, n_low: usize| (0..n).map(move |row| if row < n_low { 1.0 } else { 50.0 });
        assert_eq!(found(prices(1_000, 510), prices(1_000, 490)), None);
    }

    #[test]
    fn another_unit_is_told_by_the_median_or_by_the_distance_from_it() {
        for factor in [0.001, 0.01, 0.1, 10.0, 100.0, 1e9] {
            let amounts = |seed| scattered(300, seed).map(|part| 10_f64.powf(2.0 * part));
            assert!(
                found(amounts(0), amounts(1).map(|value| factor * value))
                    .is_some_and(|what| what.starts_with("has a median")),
                "{factor}"
            );
            let degrees = |seed| scattered(300, seed).map(|part| part - 0.5);
            assert!(
                found(degrees(0), degrees(1).map(|value| factor * value))
                    .is_some_and(|what| what.starts_with("lies")),
                "{factor}"
            );
        }
    }
}
