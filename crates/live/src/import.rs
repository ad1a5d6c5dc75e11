//! The rows of a config's tables in a new store.

use leadscore::{Data, ImportedRows};
use leadscore_core::Timestamp;
use leadscore_store::Store;

use crate::error::LiveError;

/// What was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Rows that the store has now.
    pub n_rows: usize,
    /// Rows that were left out, because they name no lead or have no time, by table.
    pub left_out: Vec<(String, usize)>,
}

/// Events that are appended together.
const BATCH: usize = 20_000;

/// Imports the rows of a config's tables, `now` being what the clock of the store says.
///
/// # Errors
///
/// The store has events already, the tables cannot be read, or the store cannot be written.
pub fn import(data: &Data, store: &Store, now: Timestamp) -> Result<Imported, LiveError> {
    let n_events = store.n_events();
    if n_events > 0 {
        return Err(LiveError::NotEmpty { n_events });
    }
    let ImportedRows { events, left_out } = data.import_rows(now)?;
    let n_rows = events.len();
    let mut events = events.into_iter().peekable();
    while events.peek().is_some() {
        store.append(events.by_ref().take(BATCH).collect())?;
    }
    store.settle()?;
    Ok(Imported {
        n_rows,
        left_out: left_out.into_iter().collect(),
    })
}
