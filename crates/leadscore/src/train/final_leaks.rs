//! Attributes that are written at the close, found by where each lead ended.

use std::path::Path;

use leadscore_core::{
    AttributeTable, FeatureMatrix, FeatureSource, FeatureSpec, Snapshot, Timestamp,
};
use leadscore_dataset::{LoadOptions, Tables};
use leadscore_training::{
    DatedClosing, FinalInput, FinalState, LeakFinding, LeakVerdict, find_final_leaks,
    written_at_close,
};

use crate::config::Config;
use crate::data::{Data, Inputs, cluster_keys};

/// Leads that attributes are judged by, about; leads are in order of their ids.
const MOST_JUDGED: usize = 100_000;

/// Attributes that are proven to be written at the close, by where each lead ended.
pub(crate) fn final_leaks(
    data: &Data,
    tables: &Tables,
    specs: &[FeatureSpec],
) -> crate::Result<Vec<LeakFinding>> {
    let attributes: Vec<FeatureSpec> = specs
        .iter()
        .filter(|spec| spec.source.is_attribute())
        .cloned()
        .collect();
    if data.config.is_flat() || attributes.is_empty() {
        return Ok(Vec::new());
    }
    let end = tables.observation_end.next_midnight();
    let was_created = |lead: u32| {
        tables
            .leads
            .known_since(lead)
            .is_some_and(|known| known < end)
    };
    // Some tell as much as all.
    let every = (tables.outcomes.len() / MOST_JUDGED).max(1);
    let leads: Vec<u32> = (0..tables.outcomes.len() as u32)
        .step_by(every)
        .filter(|&lead| was_created(lead))
        .collect();
    let snapshots: Vec<Snapshot> = leads
        .iter()
        .map(|&lead| Snapshot { lead, at: end })
        .collect();
    let matrix = leadscore_features::compute(tables, &attributes, &snapshots)?;
    let state = |&lead: &u32| match &tables.outcomes[lead as usize] {
        outcome if outcome.won.is_some() => FinalState::Won,
        outcome if outcome.closed.is_some() => FinalState::Lost,
        _ => FinalState::Open,
    };
    let states: Vec<FinalState> = leads.iter().map(state).collect();
    let created: Vec<f64> = leads
        .iter()
        .map(|&lead| {
            tables.leads.created[lead as usize].map_or(f64::NAN, |created| {
                created.start.days_since(Timestamp::from_micros(0))
            })
        })
        .collect();
    let with_history = tables.history.names();
    let clusters = cluster_keys(tables, &snapshots);
    let mut found = find_final_leaks(
        FinalInput {
            matrix: &matrix,
            states: &states,
            created: &created,
            clusters: &clusters,
            are_accounts: tables.leads.accounts.is_some(),
        },
        &with_history,
    );
    for (idx, spec) in attributes.iter().enumerate() {
        let is_found = found.iter().any(|finding| finding.feature == spec.name);
        if !is_found
            && !spec
                .source
                .column()
                .is_some_and(|(_, column)| with_history.contains(&column.to_owned()))
        {
            found.extend(of_dates(tables, &leads, &matrix, idx));
        }
    }
    Ok(found)
}

/// The finding about a date that is written at the close, by the days between both.
fn of_dates(
    tables: &Tables,
    leads: &[u32],
    matrix: &FeatureMatrix,
    idx: usize,
) -> Option<LeakFinding> {
    let spec = &matrix.specs()[idx];
    let FeatureSource::DaysUntil { .. } = &spec.source else {
        return None;
    };
    let zero = Timestamp::from_micros(0);
    // Won, and all others: closings with the date, leads, and those that have it.
    let mut closings: [Vec<DatedClosing>; 2] = Default::default();
    let (mut n_leads, mut n_filled) = ([0_usize; 2], [0_usize; 2]);
    for (row, &lead) in leads.iter().enumerate() {
        let days = matrix.values()[[row, idx]];
        let outcome = &tables.outcomes[lead as usize];
        let group = usize::from(outcome.won.is_none());
        n_leads[group] += 1;
        n_filled[group] += usize::from(!days.is_nan());
        let created = tables.leads.created[lead as usize];
        let closed = outcome.won.or(outcome.closed);
        if let (Some(closed), Some(created), false) = (closed, created, days.is_nan()) {
            closings[group].push(DatedClosing {
                date: matrix.keys()[row].at.days_since(zero) + days,
                closed: closed.days_since(zero),
                created: created.start.days_since(zero),
            });
        }
    }
    let [won, lost] = &closings;
    let found = [written_at_close(won, "won"), written_at_close(lost, "lost")];
    let (verdict, evidence) = found
        .into_iter()
        .flatten()
        .max_by_key(|(verdict, _)| *verdict == LeakVerdict::Proven)?;
    let share = |group: usize| n_filled[group] as f64 / n_leads[group].max(1) as f64;
    Some(LeakFinding {
        feature: spec.name.clone(),
        verdict,
        auc: 0.5,
        filled_won: share(0),
        filled_lost: share(1),
        evidence,
    })
}

/// Columns of the leads that are proven to be written at the close, with what speaks for it, by the
/// text of a config that may be unfinished: then there are none.
pub fn columns_written_at_close(config: String, path: &Path) -> Vec<(String, String)> {
    let look = || -> crate::Result<Vec<(String, String)>> {
        let data = Data::open(&Config::parse(config, path)?, Inputs::default())?;
        let tables = data.load(&LoadOptions::default())?;
        let (labelled, _) =
            leadscore_features::labelled_snapshots(&tables, &data.config.snapshots, None)?;
        let specs = data.plan(&leadscore_features::survey(&tables, &labelled.snapshots))?;
        let column_of = |finding: LeakFinding| {
            let spec = specs.iter().find(|spec| spec.name == finding.feature)?;
            let Some((AttributeTable::Leads, column, _)) = spec.source.cell(spec.kind) else {
                return None;
            };
            Some((
                column.to_owned(),
                format!("written at the close: {}", finding.evidence),
            ))
        };
        Ok(final_leaks(&data, &tables, &specs)?
            .into_iter()
            .filter(|finding| finding.verdict == LeakVerdict::Proven)
            .filter_map(column_of)
            .collect())
    };
    look().unwrap_or_default()
}
