//! Points of the past: every snapshot at which a lead was open.

use leadscore_core::Snapshot;
use leadscore_dataset::LoadOptions;
use leadscore_features::labelled_snapshots;
use leadscore_io::{OutColumn, OutTable};

use super::bench::Bench;
use super::columns::check_columns;
use super::points_table::points_table;
use super::read::ReadRules;
use crate::data::{Data, describe_counts};

/// Every snapshot at which a lead was open, with its points as of then; the label where its window
/// has ended.
///
/// # Errors
///
/// As [`rules_table`](crate::rules_table).
pub fn rules_history(data: &Data, files: &[ReadRules]) -> crate::Result<OutTable> {
    check_columns(data, files)?;
    let tables = data.load(&LoadOptions::default())?;
    let bench = Bench::new(data, &tables, files)?;
    let (labelled, counts) = labelled_snapshots(
        bench.tables,
        &bench.data.config.snapshots,
        Some(bench.as_of),
    )?;
    data.remark(&describe_counts(&counts, data));
    let n_mature = labelled.snapshots.len();
    let snapshots: Vec<Snapshot> = labelled
        .snapshots
        .iter()
        .chain(&labelled.immature)
        .copied()
        .collect();
    let scores = bench.score(&snapshots)?;
    let mut table = points_table(&bench, &snapshots, &scores);
    let label = |row: usize| labelled.labels.get(row).map(|label| i64::from(*label));
    table.push(
        "label",
        OutColumn::Integer((0..snapshots.len()).map(label).collect()),
    );
    table.push(
        "mature",
        OutColumn::Boolean((0..snapshots.len()).map(|row| row < n_mature).collect()),
    );
    Ok(table)
}
