//! What the rows of a table cost in memory while they are worked on.

use crate::error::TablesError;
use crate::memory::half_of_memory;
use crate::scan::Table;
use leadscore_config::Bytes;

/// Bytes that a row costs while its part is worked on: measured on ten million leads and a hundred
/// million events.
const BYTES_PER_EVENT: u64 = 200;
const BYTES_PER_LEAD: u64 = 900;

/// Bytes that so many rows of a table cost.
pub(crate) fn bytes_of_rows(name: &str, n_rows: usize) -> u64 {
    (n_rows as u64).saturating_mul(if name == "[leads]" {
        BYTES_PER_LEAD
    } else {
        BYTES_PER_EVENT
    })
}

/// Fails where a table has more rows than memory could hold: a few bytes of Parquet can stand for
/// billions of them.
pub(crate) fn check_fits(name: &str, table: &Table<'_>) -> Result<(), TablesError> {
    let n_rows = table.n_rows_told();
    let (needed, memory) = (
        bytes_of_rows(name, n_rows),
        half_of_memory().saturating_mul(2),
    );
    if needed <= memory {
        return Ok(());
    }
    Err(TablesError::Content {
        table: name.to_owned(),
        found: format!("it has {n_rows} rows, which take some {} at once, and there are {}", Bytes(needed), Bytes(memory)),
        help: "`features` and `score` work part by part; for the others export later rows alone, or use a machine with more memory".to_owned(),
    })
}
