//! What is found while tables are read: notes, and doubts, with which nothing may be computed.

use std::collections::BTreeMap;

use leadscore_config::Doubt;
use leadscore_dataset::Note;
use leadscore_dataset::SeenTable;

use crate::error::TablesError;

/// What was found while tables were read: notes, and doubts, with which nothing may be computed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remarks {
    pub(crate) notes: Vec<Note>,
    pub(crate) doubts: Vec<Doubt>,
    /// What was seen of each table.
    pub(crate) seen: BTreeMap<String, SeenTable>,
}

impl Remarks {
    /// The value, or where there are doubts what stands in for it while further ones are looked
    /// for.
    ///
    /// # Errors
    ///
    /// Every error that is no doubt.
    pub(crate) fn take<T>(
        &mut self,
        result: Result<T, TablesError>,
        otherwise: impl FnOnce() -> T,
    ) -> Result<T, TablesError> {
        match result {
            Ok(value) => Ok(value),
            Err(TablesError::Doubts(doubts)) => {
                for doubt in doubts {
                    self.doubt(doubt);
                }
                Ok(otherwise())
            }
            Err(error) => Err(error),
        }
    }

    /// Adds what was found after it.
    pub(crate) fn append(&mut self, after: Self) {
        self.notes.extend(after.notes);
        for doubt in after.doubts {
            self.doubt(doubt);
        }
        self.seen.extend(after.seen);
    }

    pub(crate) fn doubt(&mut self, doubt: Doubt) {
        if !self.doubts.contains(&doubt) {
            self.doubts.push(doubt);
        }
    }

    pub(crate) fn note(&mut self, note: Note) {
        self.notes.push(note);
    }

    /// A note about some rows, where there are any.
    pub(crate) fn count(&mut self, table: &str, count: usize, text: impl Into<String>) {
        self.notes.extend(Note::counted(table, count, text));
    }
}
