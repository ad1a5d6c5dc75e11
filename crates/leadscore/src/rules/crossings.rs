//! When thresholds and stages were reached, day by day since a lead was created.

use leadscore_core::{Snapshot, Timestamp};
use leadscore_io::{OutColumn, OutTable};
use leadscore_rules::{Crossing, Grade};

use super::bench::Bench;
use super::columns::column_name;

/// When each threshold was first reached and since when it holds, and the highest stage ever
/// reached.
pub(super) fn add_crossings(
    bench: &Bench<'_>,
    snapshots: &[Snapshot],
    table: &mut OutTable,
) -> crate::Result<()> {
    let _stage = bench.data.stage("looking at every day of every lead", 1)?;
    let leads: Vec<u32> = snapshots.iter().map(|key| key.lead).collect();
    for scheme in &bench.schemes {
        let file = scheme.rules.file();
        let (thresholds, stages) = (file.thresholds(), file.stages());
        let all: Vec<Grade> = thresholds.iter().chain(&stages).cloned().collect();
        let found = scheme
            .rules
            .crossings(bench.tables, &leads, bench.as_of, &all)?;
        for (idx, threshold) in thresholds.iter().enumerate() {
            let column = |pick: fn(&Crossing) -> Option<Timestamp>| {
                OutColumn::Time(
                    found
                        .iter()
                        .map(|crossings| pick(&crossings[idx]))
                        .collect(),
                )
            };
            table.push(
                &column_name(bench, scheme, &format!("{}_first", threshold.name)),
                column(|crossing| crossing.first),
            );
            table.push(
                &column_name(bench, scheme, &format!("{}_since", threshold.name)),
                column(|crossing| crossing.since),
            );
        }
        if !stages.is_empty() {
            let highest = |crossings: &[Crossing]| {
                (0..stages.len()).find(|&stage| crossings[thresholds.len() + stage].first.is_some())
            };
            let of_leads: Vec<Option<usize>> =
                found.iter().map(|crossings| highest(crossings)).collect();
            table.push(
                &column_name(bench, scheme, "stage"),
                OutColumn::Text(
                    of_leads
                        .iter()
                        .map(|stage| stage.map(|stage| stages[stage].name.clone()))
                        .collect(),
                ),
            );
            let since = |(crossings, stage): (&Vec<Crossing>, &Option<usize>)| {
                stage.and_then(|stage| crossings[thresholds.len() + stage].first)
            };
            table.push(
                &column_name(bench, scheme, "stage_since"),
                OutColumn::Time(found.iter().zip(&of_leads).map(since).collect()),
            );
        }
    }
    Ok(())
}
