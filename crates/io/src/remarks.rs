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

    /// A note about some rows, where there are any: `one` goes on from 1, `many` from more.
    pub(crate) fn count(
        &mut self,
        table: &str,
        count: usize,
        one: impl Into<String>,
        many: impl Into<String>,
    ) {
        self.notes.extend(Note::counted(table, count, one, many));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use leadscore_config::Subject;

    fn doubt(found: &str) -> Doubt {
        Doubt::new(Subject::Keys, "[leads]", found)
    }

    #[test]
    fn a_doubt_is_kept_once_and_reading_goes_on() {
        let mut remarks = Remarks::default();
        let doubts = TablesError::Doubts(vec![doubt("a"), doubt("b"), doubt("a")]);
        assert_eq!(remarks.take(Err(doubts), || 7).ok(), Some(7));
        assert_eq!(remarks.take(Ok(5), || 7).ok(), Some(5));
        let mut after = Remarks::default();
        after.doubt(doubt("b"));
        after.doubt(doubt("c"));
        after.note(Note::new("[leads]", "a note"));
        remarks.append(after);
        assert_eq!(remarks.doubts, [doubt("a"), doubt("b"), doubt("c")]);
        assert_eq!(remarks.notes.len(), 1);
    }

    #[test]
    fn what_is_no_doubt_is_an_error() {
        let mut remarks = Remarks::default();
        let error = TablesError::Format {
            path: "a.csv".into(),
            found: "nothing".to_owned(),
            help: "write something".to_owned(),
        };
        assert!(remarks.take(Err(error), || 7).is_err());
        assert!(remarks.doubts.is_empty());
    }

    #[test]
    fn rows_are_counted_where_there_are_any() {
        let mut remarks = Remarks::default();
        remarks.count("[leads]", 0, "row has no id", "rows have no id");
        assert!(remarks.notes.is_empty());
        remarks.count("[leads]", 3, "row has no id", "rows have no id");
        assert_eq!(remarks.notes[0].to_string(), "[leads] 3 rows have no id");
    }
}
