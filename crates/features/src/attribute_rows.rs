//! The row of an attribute's column that each snapshot sees: by its history, by a lookup, or as it is
//! today.

use leadscore_core::{AttributeTable, Snapshot};
use leadscore_dataset::{Attribute, Column, HistoryChange, Tables};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

/// So many rows are sooner computed here than handed to another thread.
pub(crate) const FEW_ROWS: usize = 1 << 13;

/// The values of an attribute, and the row among them that each snapshot sees; the error is what
/// the tables lack.
pub(crate) fn attribute_rows<'a>(
    tables: &'a Tables,
    table: &AttributeTable,
    column: &str,
    snapshots: &[Snapshot],
) -> Result<(&'a Column, Vec<Option<usize>>), String> {
    let find = |attributes: &'_ [Attribute]| {
        attributes
            .iter()
            .position(|attribute| attribute.name == column)
    };
    match table {
        AttributeTable::Leads => match history_of(tables, column) {
            Some(change) => Ok((
                &change.values,
                each(snapshots, |snapshot| change.value_at(snapshot)),
            )),
            None => {
                let idx = find(&tables.leads.attributes)
                    .ok_or_else(|| format!("the column `{column}` of the leads"))?;
                Ok((
                    &tables.leads.attributes[idx].column,
                    snapshots
                        .iter()
                        .map(|snapshot| Some(snapshot.lead as usize))
                        .collect(),
                ))
            }
        },
        AttributeTable::Lookup(name) => {
            let lookup = tables
                .lookups
                .iter()
                .find(|lookup| lookup.name == *name)
                .ok_or_else(|| format!("the table [lookups.{name}]"))?;
            let idx = find(&lookup.rows.attributes)
                .ok_or_else(|| format!("the column `{column}` of [lookups.{name}]"))?;
            Ok((
                &lookup.rows.attributes[idx].column,
                each(snapshots, |snapshot| lookup.row_at(snapshot)),
            ))
        }
    }
}

/// The row of each snapshot; of many snapshots by several threads.
fn each(
    snapshots: &[Snapshot],
    row: impl Fn(Snapshot) -> Option<usize> + Sync,
) -> Vec<Option<usize>> {
    if snapshots.len() <= FEW_ROWS {
        snapshots.iter().map(|&snapshot| row(snapshot)).collect()
    } else {
        snapshots
            .par_iter()
            .map(|&snapshot| row(snapshot))
            .collect()
    }
}

/// The history of an attribute, where it has one.
pub(crate) fn history_of<'a>(tables: &'a Tables, column: &str) -> Option<&'a HistoryChange> {
    tables
        .history
        .attributes
        .iter()
        .find(|change| change.attribute == column)
}
