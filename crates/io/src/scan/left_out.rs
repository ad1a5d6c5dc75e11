//! Rows that are left out as they are read: of leads that were merged away or deleted, and rows that
//! say of themselves that they were deleted.

use std::path::Path;
use std::sync::Arc;

use polars_core::prelude::DataFrame;

use super::ids::{EachId, Rewritten, with_rows};
use super::part::engine_error;
use super::written::Dropped;
use crate::error::TablesError;
use crate::id_maps::{DeletedIds, MergeMap};
use crate::result_words::{Says, says};

/// The column of ids whose rows are left out where the lead is no more, and which leads these are.
#[derive(Clone)]
pub(super) struct Gone {
    pub(super) column: String,
    pub(super) merges: Option<Arc<MergeMap>>,
    pub(super) deleted: Option<Arc<DeletedIds>>,
}

/// What is done with a row.
enum Fate {
    Kept,
    Merged,
    Deleted,
}

impl Gone {
    fn fate(&self, id: Option<&str>) -> Fate {
        let Some(id) = id else { return Fate::Kept };
        // What was merged away is deleted only where the lead that it lives on as is.
        if self
            .merges
            .as_ref()
            .is_some_and(|merges| merges.survivor(id).is_some())
        {
            return Fate::Merged;
        }
        match &self.deleted {
            Some(deleted) if deleted.has(id) => Fate::Deleted,
            Some(_) | None => Fate::Kept,
        }
    }

    /// The rows but those of leads that are no more.
    pub(super) fn without(
        &self,
        frames: &[DataFrame],
        path: &Path,
        each_id: &EachId<'_>,
        dropped: &mut Dropped,
    ) -> Result<Rewritten, TablesError> {
        kept_rows(frames, path, |frame, taken| {
            let mut row = 0_u32;
            each_id(frame, &self.column, &mut |id| {
                match self.fate(id) {
                    Fate::Kept => taken.push(row),
                    Fate::Merged => dropped.n_merged += 1,
                    Fate::Deleted => dropped.n_of_deleted += 1,
                }
                row += 1;
            })
        })
    }
}

/// The rows but those that a column says were deleted; beside them the first cell that is no truth
/// value, with the row of all frames that it stands in.
pub(super) fn without_deleted(
    frames: &[DataFrame],
    column: &str,
    path: &Path,
    each_id: &EachId<'_>,
    dropped: &mut Dropped,
) -> Result<(Rewritten, Option<(usize, String)>), TablesError> {
    let mut unread: Option<(usize, String)> = None;
    let mut n_before = 0;
    let rewritten = kept_rows(frames, path, |frame, taken| {
        let mut row = 0_u32;
        each_id(frame, column, &mut |text| {
            match is_deleted(text) {
                Some(false) => taken.push(row),
                Some(true) => dropped.n_deleted += 1,
                None => {
                    let place = n_before + row as usize;
                    unread.get_or_insert_with(|| (place, text.unwrap_or_default().to_owned()));
                }
            }
            row += 1;
        })?;
        n_before += frame.height();
        Ok(())
    })?;
    Ok((rewritten, unread))
}

/// Whether a cell says that its row was deleted; nothing says no. `None` where it is no truth value.
pub(crate) fn is_deleted(text: Option<&str>) -> Option<bool> {
    let Some(text) = text else { return Some(false) };
    match says(text) {
        Says::Yes => Some(true),
        Says::No => Some(false),
        Says::Won | Says::Lost | Says::Open | Says::Nothing => None,
    }
}

/// The rows that `keep` adds of each frame, each with the row that it was.
fn kept_rows(
    frames: &[DataFrame],
    path: &Path,
    mut keep: impl FnMut(&DataFrame, &mut Vec<u32>) -> Result<(), TablesError>,
) -> Result<Rewritten, TablesError> {
    let mut rewritten = Rewritten {
        frames: Vec::with_capacity(frames.len()),
        rows: Vec::new(),
    };
    let mut first_row = 0;
    for frame in frames {
        let mut taken: Vec<u32> = Vec::with_capacity(frame.height());
        keep(frame, &mut taken)?;
        rewritten
            .rows
            .extend(taken.iter().map(|row| first_row + row));
        first_row += frame.height() as u32;
        let frame =
            with_rows(frame, taken, Vec::new()).map_err(|error| engine_error(path, error))?;
        rewritten.frames.push(frame);
    }
    Ok(rewritten)
}
