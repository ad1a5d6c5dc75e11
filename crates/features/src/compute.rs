//! The feature matrix of snapshots: for each row only facts known strictly before it, each counted
//! by its definition.

use leadscore_core::{
    Aggregate, AggregateKind, AttributeTable, CalendarPart, FeatureKind, FeatureMatrix,
    FeatureSource, FeatureSpec, MONTHS, PeerState, Snapshot, Timestamp, WEEKDAYS,
};
use leadscore_dataset::{
    Activities, Column, Courses, HistoryChange, KindColumn, MISSING, NEVER, Standing, Tables,
};
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use crate::attribute_rows::{FEW_ROWS, attribute_rows, history_of};
use crate::error::FeaturesError;
use crate::layout::{Layout, swept_table};
use crate::sweep::{Accounts, Tile, sweep_own, sweep_peers};
use crate::tokens::fill_tokens;

/// Computes these features at these snapshots.
///
/// The matrix is the same to the bit for any number of threads and any order of the tables' rows.
///
/// # Shapes
///
/// The matrix is `(snapshots.len(), specs.len())`, rows and columns in the order given.
///
/// # Errors
///
/// [`FeaturesError::Missing`] where a feature needs what the tables lack, [`FeaturesError::Kind`]
/// where a column has another type than the feature, [`FeaturesError::Matrix`] where a value is
/// infinite.
pub fn compute(
    tables: &Tables,
    specs: &[FeatureSpec],
    snapshots: &[Snapshot],
) -> Result<FeatureMatrix, FeaturesError> {
    let n_rows = snapshots.len();
    let mut buffer = vec![f64::NAN; n_rows * specs.len()];
    let mut levels: Vec<Vec<String>> = vec![Vec::new(); specs.len()];
    // A matrix of no rows still has its columns checked.
    let mut columns: Vec<&mut [f64]> = if n_rows == 0 {
        specs.iter().map(|_| &mut [][..]).collect()
    } else {
        buffer.chunks_mut(n_rows).collect()
    };
    let accounts = tables.leads.accounts.as_deref().map(Accounts::new);
    for ((spec, column), levels) in specs.iter().zip(&mut columns).zip(&mut levels) {
        *levels = fill_column(tables, spec, accounts.as_ref(), snapshots, column)?;
    }
    fill_tokens(tables, specs, snapshots, &mut columns)?;
    let mut sweeps: Vec<(&str, bool)> = specs.iter().filter_map(swept_table).collect();
    sweeps.sort_unstable();
    sweeps.dedup();
    for sweep in sweeps {
        let wanted: Vec<usize> = (0..specs.len())
            .filter(|&idx| swept_table(&specs[idx]) == Some(sweep))
            .collect();
        let wanted_specs: Vec<&FeatureSpec> = wanted.iter().map(|&idx| &specs[idx]).collect();
        let missing = |needed: String| FeaturesError::Missing {
            feature: wanted_specs[0].name.clone(),
            needed,
        };
        let (name, of_peers) = sweep;
        let activities = tables
            .activities
            .iter()
            .find(|activities| activities.name == name)
            .ok_or_else(|| missing(format!("the table [activities.{name}]")))?;
        let layout = Layout::new(activities, &wanted_specs)?;
        let tiles = if of_peers {
            let accounts = accounts
                .as_ref()
                .ok_or_else(|| missing("`account` of [leads]".to_owned()))?;
            let known = |lead: u32| tables.leads.known_since(lead);
            sweep_peers(activities, &layout, snapshots, accounts, known)
        } else {
            let created = |lead: u32| tables.leads.created[lead as usize].map(|stamp| stamp.start);
            sweep_own(activities, &layout, snapshots, created)
        };
        scatter(&tiles, &wanted, &mut columns);
        for &idx in &wanted {
            if let Some(kind) = kind_of_category(activities, &specs[idx]) {
                levels[idx] = compact_levels(&kind.levels, columns[idx]);
            }
        }
    }
    drop(columns);
    let named = specs.iter().cloned().zip(levels).collect();
    Ok(FeatureMatrix::from_buffer(
        snapshots.to_vec(),
        named,
        buffer,
    )?)
}

/// The kind column whose levels a feature has, where it is a category.
fn kind_of_category<'a>(activities: &'a Activities, spec: &FeatureSpec) -> Option<&'a KindColumn> {
    let read = spec.source.events()?;
    let formula = read.formula();
    let [
        Aggregate {
            kind: AggregateKind::LatestKind(column),
            ..
        },
    ] = &formula.aggregates()[..]
    else {
        return None;
    };
    let mut kinds = activities.rows.kinds.iter();
    kinds.find(|kind| kind.name == *column)
}

/// Copies tiles to the columns that their features have in the matrix.
fn scatter(tiles: &[Tile], wanted: &[usize], columns: &mut [&mut [f64]]) {
    let mut targets: Vec<(usize, &mut [f64])> = Vec::with_capacity(wanted.len());
    for (idx, column) in columns.iter_mut().enumerate() {
        if let Ok(number) = wanted.binary_search(&idx) {
            targets.push((number, column));
        }
    }
    let copy = |(number, column): (usize, &mut [f64])| {
        for tile in tiles {
            let n_rows = tile.rows.len();
            for (&row, &value) in tile
                .rows
                .iter()
                .zip(&tile.values[number * n_rows..(number + 1) * n_rows])
            {
                column[row as usize] = value;
            }
        }
    };
    match tiles {
        // Few rows are sooner copied than handed to other threads.
        [] | [_] => targets.into_iter().for_each(copy),
        _ => targets.into_par_iter().for_each(copy),
    }
}

/// A value of each snapshot by the courses of a log, or the same for all where no lead has closed;
/// `None` where outcomes are no log.
fn course_value<'t>(
    tables: &'t Tables,
    without: f64,
    value: impl Fn(&Courses, Snapshot) -> f64 + Sync + 't,
) -> Option<impl Fn(Snapshot) -> f64 + Sync + 't> {
    let courses = tables.courses.as_deref();
    let is_told = courses.is_some()
        || tables
            .outcomes
            .iter()
            .all(|outcome| outcome.closed.is_none());
    is_told.then_some(move |snapshot| courses.map_or(without, |courses| value(courses, snapshot)))
}

/// Days since each snapshot's lead was reopened.
fn days_since_reopened(tables: &Tables) -> Option<impl Fn(Snapshot) -> f64 + Sync + '_> {
    course_value(tables, f64::NAN, |courses, Snapshot { lead, at }| {
        let since = courses.reopened(lead, at);
        since.map_or(f64::NAN, |since| at.days_since(since))
    })
}

/// What features of reopened leads need.
const LOG: &str = "`log = true` in [outcomes]";

/// Fills a column that stands for itself, and returns its levels; leaves columns of events and of
/// tokens alone.
fn fill_column(
    tables: &Tables,
    spec: &FeatureSpec,
    accounts: Option<&Accounts<'_>>,
    snapshots: &[Snapshot],
    column: &mut [f64],
) -> Result<Vec<String>, FeaturesError> {
    let missing = |needed: String| FeaturesError::Missing {
        feature: spec.name.clone(),
        needed,
    };
    let fill = |column: &mut [f64], value: &(dyn Fn(Snapshot) -> f64 + Sync)| {
        fill_cells(column, snapshots, value);
    };
    let created =
        |snapshot: Snapshot| tables.leads.created[snapshot.lead as usize].map(|stamp| stamp.start);
    match &spec.source {
        // Several at once, elsewhere.
        FeatureSource::Activity { .. }
        | FeatureSource::Peers { .. }
        | FeatureSource::Token { .. }
        | FeatureSource::TokenCount { .. } => {}
        FeatureSource::Attribute {
            table,
            column: name,
        } => return attribute_column(tables, spec, table, name, snapshots, column),
        FeatureSource::DaysUntil {
            table,
            column: name,
        } => days_until(tables, spec, table, name, snapshots, column)?,
        FeatureSource::Created(part) => {
            fill(column, &|snapshot| {
                created(snapshot).map_or(f64::NAN, |created| calendar_value(*part, created))
            });
            return Ok(calendar_levels(*part));
        }
        FeatureSource::Snapshot(part) => {
            fill(column, &|snapshot| calendar_value(*part, snapshot.at));
            return Ok(calendar_levels(*part));
        }
        FeatureSource::AgeDays => fill(column, &|snapshot| {
            created(snapshot).map_or(f64::NAN, |created| snapshot.at.days_since(created))
        }),
        FeatureSource::AgeWeekdays => fill(column, &|snapshot| {
            created(snapshot).map_or(f64::NAN, |created| snapshot.at.weekdays_since(created))
        }),
        FeatureSource::AttributeAge { column: name }
        | FeatureSource::AttributeChanges { column: name } => {
            let change = history_of(tables, name)
                .ok_or_else(|| missing(format!("a history of `{name}`")))?;
            let is_age = matches!(spec.source, FeatureSource::AttributeAge { .. });
            fill(column, &|snapshot| match is_age {
                true => value_age(change, snapshot).unwrap_or(f64::NAN),
                false => n_entries(change, snapshot) as f64,
            });
        }
        FeatureSource::TimesClosed => {
            let n_closed = course_value(tables, 0.0, |courses, Snapshot { lead, at }| {
                courses.n_closed(lead, at) as f64
            });
            fill(column, &n_closed.ok_or_else(|| missing(LOG.to_owned()))?);
        }
        FeatureSource::ReopenedDays => {
            let days = days_since_reopened(tables);
            fill(column, &days.ok_or_else(|| missing(LOG.to_owned()))?);
        }
        FeatureSource::PeerLeads(state) => {
            let accounts = accounts.ok_or_else(|| missing("`account` of [leads]".to_owned()))?;
            peer_leads(tables, accounts, *state, snapshots, column);
        }
    }
    Ok(Vec::new())
}

/// Fills a column cell by cell; that of many snapshots by several threads.
fn fill_cells(
    column: &mut [f64],
    snapshots: &[Snapshot],
    value: &(dyn Fn(Snapshot) -> f64 + Sync),
) {
    if snapshots.len() <= FEW_ROWS {
        for (cell, &snapshot) in column.iter_mut().zip(snapshots) {
            *cell = value(snapshot);
        }
        return;
    }
    column
        .par_chunks_mut(FEW_ROWS)
        .zip(snapshots.par_chunks(FEW_ROWS))
        .for_each(|(cells, snapshots)| {
            for (cell, &snapshot) in cells.iter_mut().zip(snapshots) {
                *cell = value(snapshot);
            }
        });
}

fn calendar_value(part: CalendarPart, at: Timestamp) -> f64 {
    f64::from(match part {
        CalendarPart::Weekday => at.weekday(),
        CalendarPart::DayOfMonth => at.day_of_month(),
        CalendarPart::Hour => at.hour(),
        CalendarPart::Month => at.month() - 1,
    })
}

fn calendar_levels(part: CalendarPart) -> Vec<String> {
    let levels: &[&str] = match part {
        CalendarPart::Weekday => &WEEKDAYS,
        CalendarPart::Month => &MONTHS,
        CalendarPart::DayOfMonth | CalendarPart::Hour => &[],
    };
    levels.iter().map(|&level| level.to_owned()).collect()
}

/// How many entries of an attribute a snapshot sees.
fn n_entries(change: &HistoryChange, snapshot: Snapshot) -> usize {
    let first = change.offsets[snapshot.lead as usize];
    change.row_at(snapshot).map_or(0, |row| row + 1 - first)
}

/// Days since the value that holds at the snapshot was taken: entries that repeat it do not count.
fn value_age(change: &HistoryChange, snapshot: Snapshot) -> Option<f64> {
    let last = change.row_at(snapshot)?;
    let first = change.offsets[snapshot.lead as usize];
    let same = |a: usize, b: usize| match &change.values {
        Column::Number(values) => {
            values[a] == values[b] || values[a].is_nan() && values[b].is_nan()
        }
        Column::Category { codes, .. } => codes[a] == codes[b],
        Column::Dates(dates) => dates[a] == dates[b],
    };
    let since = (first..last)
        .rev()
        .take_while(|&row| same(row, last))
        .last()
        .unwrap_or(last);
    Some(snapshot.at.days_since(change.known[since]))
}

type MomentsOfLead<'a> = dyn Fn(u32) -> Vec<Timestamp> + Sync + 'a;

/// When a lead began to stand so and when it ceased to, as others could see it: what became of a lead
/// nobody knew before the lead.
fn moments_of(tables: &Tables, lead: u32, state: PeerState) -> (Vec<Timestamp>, Vec<Timestamp>) {
    let created = tables.leads.known_since(lead);
    let as_known = |seen: Timestamp| created.map_or(seen, |created| seen.max(created));
    let Some(courses) = &tables.courses else {
        let outcome = &tables.outcomes[lead as usize];
        let closed = outcome.closed_seen().map(as_known);
        let won = outcome.won_seen().map(as_known);
        let (more, less) = match state {
            // A lead that lacks its creation was never at risk, so its closing counts for nothing
            // open.
            PeerState::Open => (created, closed.filter(|_| created.is_some())),
            PeerState::Won => (won, None),
            PeerState::Lost => (closed, won),
        };
        return (more.into_iter().collect(), less.into_iter().collect());
    };
    let wanted = match state {
        PeerState::Open => Standing::Open,
        PeerState::Won => Standing::Won,
        PeerState::Lost => Standing::Lost,
    };
    let (mut more, mut less) = (Vec::new(), Vec::new());
    let mut before = Standing::Open;
    if state == PeerState::Open {
        more.extend(created);
    }
    if created.is_none() && state == PeerState::Open {
        return (more, less);
    }
    for (seen, standing) in courses.seen(lead) {
        if standing == wanted {
            more.push(as_known(seen));
        }
        if before == wanted {
            less.push(as_known(seen));
        }
        before = standing;
    }
    (more, less)
}

/// How many other leads of the account stood so before the snapshot.
fn peer_leads(
    tables: &Tables,
    accounts: &Accounts<'_>,
    state: PeerState,
    snapshots: &[Snapshot],
    column: &mut [f64],
) {
    // For each account, the moments at which one more of its leads stood so, and one less, in order.
    let times = |of_lead: &MomentsOfLead<'_>| -> Vec<Vec<Timestamp>> {
        (0..accounts.n_accounts())
            .into_par_iter()
            .map(|account| {
                let mut times: Vec<Timestamp> = accounts
                    .leads_of(account)
                    .iter()
                    .flat_map(|&lead| of_lead(lead))
                    .collect();
                times.sort_unstable();
                times
            })
            .collect()
    };
    let more = |lead: u32| moments_of(tables, lead, state).0;
    let less = |lead: u32| moments_of(tables, lead, state).1;
    let (more_times, less_times) = (times(&more), times(&less));
    for (cell, snapshot) in column.iter_mut().zip(snapshots) {
        let Some(account) = accounts.account_of(snapshot.lead) else {
            continue;
        };
        let before = |times: &[Timestamp], own: Vec<Timestamp>| {
            let own = own.iter().filter(|own| **own < snapshot.at).count();
            times.partition_point(|&time| time < snapshot.at) as i64 - own as i64
        };
        let count = before(&more_times[account], more(snapshot.lead))
            - before(&less_times[account], less(snapshot.lead));
        // A lead without a creation has closings and was never open.
        *cell = count.max(0) as f64;
    }
}

/// The values of the attribute that a feature reads, and the row of each snapshot among them.
fn rows_of<'t>(
    tables: &'t Tables,
    spec: &FeatureSpec,
    (table, column): (&AttributeTable, &str),
    snapshots: &[Snapshot],
) -> Result<(&'t Column, Vec<Option<usize>>), FeaturesError> {
    attribute_rows(tables, table, column, snapshots).map_err(|needed| FeaturesError::Missing {
        feature: spec.name.clone(),
        needed,
    })
}

/// Fills in the days from each snapshot to the date that an attribute held, as it was known then.
fn days_until(
    tables: &Tables,
    spec: &FeatureSpec,
    table: &AttributeTable,
    column: &str,
    snapshots: &[Snapshot],
    cells: &mut [f64],
) -> Result<(), FeaturesError> {
    let (values, rows) = rows_of(tables, spec, (table, column), snapshots)?;
    let dates = match values {
        Column::Dates(dates) => dates,
        // Cells are missing from the start.
        Column::Number(values) if values.iter().all(|value| value.is_nan()) => return Ok(()),
        Column::Category { levels, .. } if levels.is_empty() => return Ok(()),
        Column::Number(_) | Column::Category { .. } => {
            return Err(FeaturesError::Kind {
                feature: spec.name.clone(),
                expected: "date",
            });
        }
    };
    for ((cell, row), snapshot) in cells.iter_mut().zip(rows).zip(snapshots) {
        let date = row.map(|row| dates[row]).filter(|date| *date != NEVER);
        *cell = date.map_or(f64::NAN, |date| date.days_since(snapshot.at));
    }
    Ok(())
}

/// Fills in an attribute as it was known at each snapshot, and returns its levels.
fn attribute_column(
    tables: &Tables,
    spec: &FeatureSpec,
    table: &AttributeTable,
    column: &str,
    snapshots: &[Snapshot],
    cells: &mut [f64],
) -> Result<Vec<String>, FeaturesError> {
    let (values, rows) = rows_of(tables, spec, (table, column), snapshots)?;
    match (values, spec.kind) {
        (Column::Number(values), FeatureKind::Number) => {
            for (cell, row) in cells.iter_mut().zip(rows) {
                *cell = row.map_or(f64::NAN, |row| values[row]);
            }
            Ok(Vec::new())
        }
        (Column::Category { codes, levels }, FeatureKind::Category) => {
            for (cell, row) in cells.iter_mut().zip(rows) {
                *cell = row
                    .map(|row| codes[row])
                    .filter(|&code| code != MISSING)
                    .map_or(f64::NAN, f64::from);
            }
            Ok(compact_levels(levels, cells))
        }
        // Cells are missing from the start.
        (Column::Number(values), FeatureKind::Category)
            if values.iter().all(|value| value.is_nan()) =>
        {
            Ok(Vec::new())
        }
        (Column::Category { levels, .. }, FeatureKind::Number) if levels.is_empty() => {
            Ok(Vec::new())
        }
        (Column::Category { .. } | Column::Dates(_), FeatureKind::Number) => {
            Err(FeaturesError::Kind {
                feature: spec.name.clone(),
                expected: "number",
            })
        }
        (Column::Number(_) | Column::Dates(_), FeatureKind::Category) => Err(FeaturesError::Kind {
            feature: spec.name.clone(),
            expected: "category",
        }),
    }
}

/// Renumbers codes to the levels that these cells hold and no others: a lead that is not among them
/// leaves no trace.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cells hold codes that were u32"
)]
fn compact_levels(levels: &[String], cells: &mut [f64]) -> Vec<String> {
    let mut used = vec![false; levels.len()];
    for cell in cells.iter().filter(|cell| !cell.is_nan()) {
        used[*cell as usize] = true;
    }
    let mut number = vec![f64::NAN; levels.len()];
    let mut kept = Vec::new();
    for (code, level) in levels.iter().enumerate().filter(|(code, _)| used[*code]) {
        number[code] = kept.len() as f64;
        kept.push(level.clone());
    }
    for cell in cells.iter_mut().filter(|cell| !cell.is_nan()) {
        *cell = number[*cell as usize];
    }
    kept
}
