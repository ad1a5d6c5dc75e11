//! Tables that say which ids belong together, or are no more: their columns, their times, and what is
//! said of all of them.

use leadscore_core::Timestamp;
use leadscore_dataset::Note;

use crate::error::TablesError;
use crate::remarks::Remarks;
use crate::scan::{RawTable, Table};

/// The columns that the keys name.
///
/// # Errors
///
/// One is not there, or of a type that nobody reads.
pub(crate) fn read_named<'t>(
    table: &'t Table<'t>,
    named: &[(&str, Option<&String>)],
) -> Result<RawTable<'t>, TablesError> {
    let mut columns: Vec<&str> = Vec::new();
    for (key, column) in named {
        if let Some(column) = column {
            table.require_readable(key, column)?;
            columns.push(column);
        }
    }
    table.read(&columns)
}

/// When each row was known to hold, where a column says so.
pub(crate) fn times_of(
    raw: &RawTable<'_>,
    column: Option<&String>,
    remarks: &mut Remarks,
) -> Result<Option<Vec<Timestamp>>, TablesError> {
    let read = |column: &String| {
        remarks.take(raw.known_times(column), || vec![Timestamp::MAX; raw.n_rows])
    };
    column.map(read).transpose()
}

/// Says how the table was read, and keeps what was seen of it.
pub(crate) fn say_how_read(table: &Table<'_>, raw: &RawTable<'_>, remarks: &mut Remarks) {
    let notes = table.notes.iter();
    remarks
        .notes
        .extend(notes.map(|text| Note::new(&table.name, text)));
    remarks
        .seen
        .insert(table.name.clone(), table.seen(raw.n_rows));
}
