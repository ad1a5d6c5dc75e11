//! The look-ahead test: whatever a snapshot must not see is altered in the user's own tables, and its
//! features must not change.

use std::sync::Arc;

use leadscore_core::{FeatureMatrix, Snapshot, Span, Stamp, Timestamp};
use leadscore_dataset::{
    Activities, Attribute, Column, EventRows, HistoryChange, LeadOutcome, LogRow, LookupRows,
    MISSING, NEVER, Standing, Tables,
};
use serde::Serialize;

use crate::error::FeaturesError;

/// What the look-ahead test found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct LookAheadFindings {
    /// Snapshots whose features were compared.
    pub n_snapshots: usize,
    /// Facts at or after their snapshot that were altered, moved, deleted or added.
    pub n_altered: usize,
    /// Features that changed: empty where nothing sees the future.
    pub leaks: Vec<LookAheadLeak>,
}

/// A feature that sees the future.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LookAheadLeak {
    /// The feature.
    pub feature: String,
    /// Snapshots at which it changed.
    pub n_snapshots: usize,
    /// Id of the first lead at which it changed.
    pub lead: String,
}

/// Moments at which everything later is altered, where tables are shared between leads.
const N_CUTS: usize = 5;
/// Snapshots that each of them looks at: the latest before it.
const MAX_SNAPSHOTS: usize = 20_000;

/// Alters what lies at or after snapshots and computes their features again.
///
/// Where leads share nothing that has dates, each lead is cut at one of its own snapshots; else all
/// are cut at the same moments, five times. `compute` is the whole road from tables to features,
/// with the choice of features.
///
/// # Errors
///
/// Whatever `compute` fails with.
pub fn look_ahead_test(
    tables: &Tables,
    snapshots: &[Snapshot],
    compute: impl Fn(&Tables, &[Snapshot]) -> Result<FeatureMatrix, FeaturesError>,
) -> Result<LookAheadFindings, FeaturesError> {
    let mut findings = LookAheadFindings::default();
    for (tested, cuts) in rounds(tables, snapshots) {
        let clean = compute(tables, &tested)?;
        let (altered_tables, n_altered) = alter_future(tables, &cuts);
        let altered = compute(&altered_tables, &tested)?;
        findings.n_snapshots += tested.len();
        findings.n_altered += n_altered;
        compare(tables, &clean, &altered, &mut findings.leaks);
    }
    Ok(findings)
}

/// The snapshots of each round, and from when the facts about each lead are altered.
fn rounds(tables: &Tables, snapshots: &[Snapshot]) -> Vec<(Vec<Snapshot>, Vec<Timestamp>)> {
    let n_leads = tables.leads.ids.len();
    let is_shared = tables.leads.accounts.is_some()
        || tables
            .activities
            .iter()
            .any(|activities| activities.entity_of_lead.is_some())
        || tables
            .lookups
            .iter()
            .any(|lookup| lookup.rows.versions.is_some());
    let mut sorted = snapshots.to_vec();
    sorted.sort_unstable_by_key(|snapshot| (snapshot.at, snapshot.lead));
    if is_shared {
        let mut moments: Vec<Timestamp> = (1..=N_CUTS)
            .filter_map(|part| sorted.get((part * sorted.len() / N_CUTS).saturating_sub(1)))
            .map(|last| last.at)
            .collect();
        moments.dedup();
        return moments
            .into_iter()
            .map(|cut| {
                let end = sorted.partition_point(|snapshot| snapshot.at <= cut);
                (
                    sorted[end.saturating_sub(MAX_SNAPSHOTS)..end].to_vec(),
                    vec![cut; n_leads],
                )
            })
            .collect();
    }
    // One snapshot a lead, the first of one, a later one of another.
    let mut by_lead = sorted;
    by_lead.sort_unstable_by_key(|snapshot| (snapshot.lead, snapshot.at));
    let mut tested: Vec<Snapshot> = by_lead
        .chunk_by(|a, b| a.lead == b.lead)
        .map(|of_lead| of_lead[coin(of_lead[0].lead as usize, of_lead.len())])
        .take(N_CUTS * MAX_SNAPSHOTS)
        .collect();
    // Leads that are not tested are not altered: there is nothing to compare them with.
    let mut cuts = vec![Timestamp::MAX; n_leads];
    for snapshot in &tested {
        cuts[snapshot.lead as usize] = snapshot.at;
    }
    tested.sort_unstable_by_key(|snapshot| (snapshot.at, snapshot.lead));
    vec![(tested, cuts)]
}

fn compare(
    tables: &Tables,
    clean: &FeatureMatrix,
    altered: &FeatureMatrix,
    leaks: &mut Vec<LookAheadLeak>,
) {
    let id = |row: usize| tables.leads.ids[clean.keys()[row].lead as usize].clone();
    let mut add = |feature: &str, rows: Vec<usize>| {
        let Some(&first) = rows.first() else { return };
        match leaks.iter_mut().find(|leak| leak.feature == feature) {
            Some(leak) => leak.n_snapshots += rows.len(),
            None => leaks.push(LookAheadLeak {
                feature: feature.to_owned(),
                n_snapshots: rows.len(),
                lead: id(first),
            }),
        }
    };
    for (idx, spec) in clean.specs().iter().enumerate() {
        let Some(other) = altered.specs().iter().position(|other| other == spec) else {
            add(&spec.name, (0..clean.n_rows()).collect());
            continue;
        };
        let is_equal = |row: usize| match clean.is_category(idx) {
            true => clean.level(row, idx) == altered.level(row, other),
            false => {
                clean.values()[[row, idx]].to_bits() == altered.values()[[row, other]].to_bits()
            }
        };
        add(
            &spec.name,
            (0..clean.n_rows()).filter(|&row| !is_equal(row)).collect(),
        );
    }
    for spec in altered
        .specs()
        .iter()
        .filter(|spec| !clean.specs().contains(spec))
    {
        add(&spec.name, (0..clean.n_rows()).collect());
    }
}

/// A copy of the tables in which everything known at or after each lead's cut is altered, and the
/// number of facts that were.
///
/// Events, outcomes, histories and dated lookups change their values, move to the cut itself,
/// vanish, or are joined by new ones; leads that are created later change all their attributes.
pub fn alter_future(tables: &Tables, cut_of_lead: &[Timestamp]) -> (Tables, usize) {
    let mut altered_tables = tables.clone();
    let mut n_altered = 0;
    for activities in Arc::make_mut(&mut altered_tables.activities) {
        let mut cuts = vec![Timestamp::MIN; activities.n_entities()];
        for (lead, &cut) in cut_of_lead.iter().enumerate() {
            if let Some(entity) = activities.entity_of(lead as u32) {
                cuts[entity] = cuts[entity].max(cut);
            }
        }
        *activities = alter_events(activities, &cuts, &mut n_altered);
    }
    for change in &mut Arc::make_mut(&mut altered_tables.history).attributes {
        let cut_of = |lead: usize| cut_of_lead[lead];
        n_altered += alter_dated(
            &change.offsets,
            &mut change.known,
            &mut [&mut change.values],
            cut_of,
        );
    }
    let latest = cut_of_lead
        .iter()
        .copied()
        .filter(|&cut| cut < Timestamp::MAX)
        .max()
        .unwrap_or(Timestamp::MAX);
    for lookup in Arc::make_mut(&mut altered_tables.lookups) {
        let LookupRows {
            versions,
            attributes,
        } = Arc::make_mut(&mut lookup.rows);
        if let Some(versions) = versions {
            let mut columns: Vec<&mut Column> = attributes
                .iter_mut()
                .map(|attribute| &mut attribute.column)
                .collect();
            n_altered += alter_dated(&versions.offsets, &mut versions.known, &mut columns, |_| {
                latest
            });
        }
    }
    if let Some(courses) = &mut altered_tables.courses {
        *courses = Arc::new(courses.map(|lead, rows| {
            let altered = alter_course(rows, lead as usize, cut_of_lead[lead as usize]);
            n_altered += usize::from(altered != rows);
            altered
        }));
    }
    let leads = Arc::make_mut(&mut altered_tables.leads);
    for (lead, (outcome, &cut)) in altered_tables
        .outcomes
        .iter_mut()
        .zip(cut_of_lead)
        .enumerate()
    {
        n_altered += usize::from(alter_outcome(outcome, lead, cut));
        if let Some(created) = &mut leads.created[lead]
            && created.known >= cut
            && created.start > cut
        {
            *created = Stamp {
                start: cut + Span::from_days(1),
                known: cut + Span::from_days(1),
            };
            n_altered += 1;
            alter_attributes(&mut leads.attributes, &tables.history.attributes, lead);
        }
    }
    (altered_tables, n_altered)
}

/// A number below `sides`, the same in every run.
fn coin(number: usize, sides: usize) -> usize {
    ((number as u64)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(23)
        % sides as u64) as usize
}

const POISON: f64 = 1e6;
/// A level that sorts after every other.
const ALTERED_LEVEL: &str = "\u{10FFFF}poison";

fn alter_events(activities: &Activities, cuts: &[Timestamp], n_altered: &mut usize) -> Activities {
    let mut rows = activities.to_rows();
    let new_codes: Vec<u32> = rows
        .kinds
        .iter()
        .map(|kind| kind.levels.len() as u32)
        .collect();
    for kind in &mut rows.kinds {
        kind.levels.push(ALTERED_LEVEL.to_owned());
    }
    for event in 0..rows.at.len() {
        let cut = cuts[rows.owners[event] as usize];
        if rows.visible_at(event) < cut {
            continue;
        }
        *n_altered += 1;
        if coin(event, 3) == 0 {
            rows.owners[event] = MISSING;
            continue;
        }
        for kind in &mut rows.kinds {
            let code = &mut kind.codes[event];
            *code = if *code == MISSING {
                0
            } else {
                (*code + 1) % kind.levels.len() as u32
            };
        }
        for column in &mut rows.values {
            let value = &mut column.values[event];
            *value = if value.is_nan() {
                POISON
            } else {
                -3.0 * value.min(1e14) - POISON
            };
        }
        // It happens at the snapshot itself, or is recorded then: neither is before it.
        rows.at[event] = rows.at[event].min(cut);
        if let Some(visible) = &mut rows.visible {
            visible[event] = cut;
        }
    }
    for (entity, &cut) in cuts
        .iter()
        .enumerate()
        .filter(|(_, cut)| **cut > Timestamp::MIN && **cut < Timestamp::MAX)
    {
        push_event(&mut rows, entity as u32, cut, &new_codes);
        *n_altered += 1;
    }
    Activities::new(
        &activities.name,
        activities.entity_of_lead.clone(),
        activities.n_entities(),
        rows,
    )
}

fn push_event(rows: &mut EventRows, owner: u32, at: Timestamp, codes: &[u32]) {
    rows.owners.push(owner);
    rows.at.push(at);
    if let Some(visible) = &mut rows.visible {
        visible.push(at);
    }
    for (kind, &code) in rows.kinds.iter_mut().zip(codes) {
        kind.codes.push(code);
    }
    for column in &mut rows.values {
        column.values.push(POISON);
    }
}

/// Alters dated rows from the cut of their owner on; returns how many.
fn alter_dated(
    offsets: &[usize],
    known: &mut [Timestamp],
    columns: &mut [&mut Column],
    cut_of: impl Fn(usize) -> Timestamp,
) -> usize {
    let mut n_altered = 0;
    for owner in 0..offsets.len() - 1 {
        let cut = cut_of(owner);
        for row in (offsets[owner]..offsets[owner + 1])
            .filter(|&row| known[row] >= cut)
            .collect::<Vec<_>>()
        {
            known[row] = cut;
            n_altered += 1;
            for column in columns.iter_mut() {
                alter_cell(column, row);
            }
        }
    }
    n_altered
}

fn alter_cell(column: &mut Column, row: usize) {
    match column {
        Column::Number(values) => {
            values[row] = if values[row].is_nan() {
                POISON
            } else {
                -3.0 * values[row] - POISON
            }
        }
        Column::Category { codes, levels } => {
            if levels.last().is_none_or(|level| level != ALTERED_LEVEL) {
                levels.push(ALTERED_LEVEL.to_owned());
            }
            codes[row] = levels.len() as u32 - 1;
        }
        Column::Dates(dates) => {
            dates[row] = if dates[row] == NEVER {
                Timestamp::from_micros(0)
            } else {
                dates[row] + Span::from_days(1)
            }
        }
    }
}

fn alter_attributes(attributes: &mut [Attribute], histories: &[HistoryChange], lead: usize) {
    for attribute in attributes.iter_mut().filter(|attribute| {
        !histories
            .iter()
            .any(|change| change.attribute == attribute.name)
    }) {
        alter_cell(&mut attribute.column, lead);
    }
}

/// Another course from a cut on: what is known later is something else.
fn alter_course(rows: &[LogRow], lead: usize, cut: Timestamp) -> Vec<LogRow> {
    let known = rows.iter().filter(|row| row.seen < cut);
    let mut altered: Vec<LogRow> = known.copied().collect();
    if coin(lead, 2) == 0 && cut < Timestamp::MAX {
        let is_open = altered
            .last()
            .is_none_or(|row| row.standing == Standing::Open);
        altered.push(LogRow {
            at: cut,
            seen: cut,
            standing: if is_open {
                Standing::Lost
            } else {
                Standing::Open
            },
        });
    }
    altered
}

/// Turns what becomes of a lead from its cut on into something else; false where it closed before.
fn alter_outcome(outcome: &mut LeadOutcome, lead: usize, cut: Timestamp) -> bool {
    let before = *outcome;
    // What was entered later was not known then, whenever it happened.
    if outcome.won_seen().is_some_and(|won| won >= cut) {
        (outcome.won, outcome.won_seen) = (None, None);
    }
    if outcome.closed_seen().is_none_or(|closed| closed >= cut) && cut < Timestamp::MAX {
        (outcome.closed, outcome.closed_seen) = (None, None);
        match coin(lead, 3) {
            0 => {}
            1 => outcome.closed = Some(cut),
            _ => {
                outcome.closed = Some(cut);
                outcome.won = before.won.is_none().then_some(cut);
            }
        }
    }
    *outcome != before
}
