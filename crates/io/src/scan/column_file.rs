//! A Parquet file by itself, of which some columns are read: one that `score`, or an engine, has
//! written.

use std::path::{Path, PathBuf};

use leadscore_config::{FileConfig, Location};

use super::part::Part;
use crate::arrow_types::Unreadable;
use crate::bounds::Bounds;
use crate::error::TablesError;
use crate::frame::Frame;
use crate::source;

/// A file that was opened and checked; columns are read when they are asked for.
pub struct ColumnFile {
    part: Part,
    columns: Vec<String>,
    /// Columns of types that nobody reads.
    unreadable: Unreadable,
}

impl ColumnFile {
    /// Opens a file and looks at its columns.
    ///
    /// # Errors
    ///
    /// [`TablesError`] where there is no such file, or it is damaged.
    pub fn open(path: &Path) -> Result<Self, TablesError> {
        let location = Location::One(String::new());
        let plain = FileConfig::plain(&location);
        let largest = Bounds::usual(None).largest_text;
        let opened = source::open(path.to_owned(), &plain, largest)?;
        let (part, columns, unreadable) = Part::open(opened, &mut Vec::new())?;
        Ok(Self {
            part,
            columns,
            unreadable,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &PathBuf {
        &self.part.path
    }

    /// Names of the columns, in the order of the file.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether the file has a column.
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|own| own == column)
    }

    /// Reads some columns, all of which the file has.
    ///
    /// # Errors
    ///
    /// [`TablesError`] where the file is damaged, or was changed meanwhile.
    pub fn read(&self, columns: &[&str]) -> Result<Frame, TablesError> {
        self.frame(columns, None)
    }

    /// Reads one row of some columns.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn read_row(&self, columns: &[&str], row: usize) -> Result<Frame, TablesError> {
        self.frame(columns, Some((row, 1)))
    }

    fn frame(&self, columns: &[&str], slice: Option<(usize, usize)>) -> Result<Frame, TablesError> {
        let unread = columns
            .iter()
            .find_map(|column| Some((column, self.unreadable.get(*column)?)));
        if let Some((column, kind)) = unread {
            return Err(TablesError::Format {
                path: self.path().clone(),
                found: format!("column `{column}` holds {kind}"),
                help: "name a file that `score` has written".to_owned(),
            });
        }
        Ok(Frame::of(self.part.read(columns, slice)?))
    }
}
