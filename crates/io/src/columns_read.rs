//! Columns of a table as they are to be kept elsewhere: times with their precision, numbers as
//! numbers, and everything else as the texts that cells are.

use std::path::Path;

use leadscore_config::{Config, TableId};
use leadscore_core::{Stamp, Timestamp};

use crate::bounds::Bounds;
use crate::error::TablesError;
use crate::scan::Table;

/// What cells of a column are read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAs {
    /// Times.
    Times,
    /// Numbers.
    Numbers,
    /// Texts.
    Texts,
}

/// The cells of a column, a row each.
#[derive(Debug, Clone, PartialEq)]
pub enum ReadColumn {
    /// Times, with how precise they are.
    Times(Vec<Option<Stamp>>),
    /// Numbers, NaN where missing.
    Numbers(Vec<f64>),
    /// Texts.
    Texts(Vec<Option<String>>),
}

/// Reads every column of a table of a config, as `read_as` says of each; columns of types that
/// nobody reads are left out.
///
/// # Errors
///
/// As [`load`](crate::load).
///
/// # Panics
///
/// Where the config has no such table.
pub fn read_columns(
    config: &Config,
    folder: &Path,
    id: &TableId,
    now: Option<Timestamp>,
    read_as: impl Fn(&str) -> ReadAs,
) -> Result<Vec<(String, ReadColumn)>, TablesError> {
    let file = config.table(id).expect("a table of the config").file;
    let table = Table::open(&id.heading(), folder, file, Bounds::new(config, now))?;
    let columns: Vec<&str> = table
        .columns()
        .iter()
        .map(String::as_str)
        .filter(|column| table.unreadable(column).is_none())
        .collect();
    let raw = table.read(&columns)?;
    let read = |column: &&str| {
        let cells = match read_as(column) {
            ReadAs::Times => ReadColumn::Times(raw.times(column)?),
            ReadAs::Numbers => ReadColumn::Numbers(raw.numbers(column)?),
            ReadAs::Texts => {
                let mut texts = Vec::with_capacity(raw.n_rows);
                raw.for_each_text(column, |_, text| {
                    texts.push(text.map(str::to_owned));
                    Ok(())
                })?;
                ReadColumn::Texts(texts)
            }
        };
        Ok(((*column).to_owned(), cells))
    };
    columns.iter().map(read).collect()
}
