//! Rows anew, so that each names one lead: cells that hold several ids, and ids that reach their
//! leads through other tables.

use std::path::Path;

use leadscore_core::Timestamp;
use polars_core::error::PolarsResult;
use polars_core::prelude::{
    DataFrame, DataType, IdxCa, IntoSeries, NamedFrom, Series, StringChunkedBuilder,
};

use super::part::engine_error;
use super::written::Unlinked;
use crate::error::TablesError;
use crate::id_maps::{DeletedIds, LinkMap, MergeMap, SINCE};

/// A column whose cells stand for several leads each.
pub(super) struct Ids<'t> {
    pub(super) column: &'t str,
    /// What stands between several ids.
    pub(super) separator: Option<&'t str>,
    /// The leads of each id; `None` where ids are of leads.
    pub(super) link: Option<&'t LinkMap>,
    /// Under which id merged leads live on.
    pub(super) merges: Option<&'t MergeMap>,
    /// Leads that are no more.
    pub(super) deleted: Option<&'t DeletedIds>,
}

/// Frames with other rows than they had.
pub(super) struct Rewritten {
    pub(super) frames: Vec<DataFrame>,
    /// For each row the row that it was.
    pub(super) rows: Vec<u32>,
}

/// Frames while rows are taken out and made several.
pub(super) struct RowsRead {
    pub(super) frames: Vec<DataFrame>,
    /// For each row the row of the files that it was, once these differ.
    pub(super) rows: Option<Vec<u32>>,
}

impl RowsRead {
    pub(super) fn new(frames: Vec<DataFrame>) -> Self {
        Self { frames, rows: None }
    }

    /// Puts rows in place of those that they were made of.
    pub(super) fn replace(&mut self, Rewritten { frames, mut rows }: Rewritten) {
        if let Some(known) = &self.rows {
            rows.iter_mut().for_each(|row| *row = known[*row as usize]);
        }
        (self.frames, self.rows) = (frames, Some(rows));
    }
}

/// Visits the texts of the cells of a frame's column, as other tables have them.
pub(super) type EachId<'s> =
    dyn Fn(&DataFrame, &str, &mut dyn FnMut(Option<&str>)) -> Result<(), TablesError> + 's;

/// The rows of one frame anew.
struct NewRows {
    /// The row that each was.
    taken: Vec<u32>,
    leads: StringChunkedBuilder,
    since: Vec<i64>,
}

impl Ids<'_> {
    /// The rows anew, so that each names one lead; `offset` is the row of the table that the first
    /// one is.
    pub(super) fn one_a_row(
        &self,
        frames: &[DataFrame],
        offset: usize,
        path: &Path,
        each_id: &EachId<'_>,
    ) -> Result<(Rewritten, Unlinked, usize), TablesError> {
        let fail = |error| engine_error(path, error);
        let mut unlinked = Unlinked::default();
        let mut n_of_deleted = 0;
        let mut rewritten = Rewritten {
            frames: Vec::with_capacity(frames.len()),
            rows: Vec::new(),
        };
        let mut first_row = 0_u32;
        for frame in frames {
            let n_rows = frame.height();
            let mut rows = NewRows {
                taken: Vec::with_capacity(n_rows),
                leads: StringChunkedBuilder::new(self.column.into(), n_rows),
                since: Vec::with_capacity(n_rows),
            };
            let mut row = 0_u32;
            let place = |row: u32| offset + (first_row + row) as usize;
            match self.separator {
                Some(separator) => {
                    let series = frame.column(self.column).map_err(fail)?;
                    let cells = cells_of_ids(series.as_materialized_series(), separator);
                    for cell in cells.map_err(fail)? {
                        let ids = cell.iter().map(String::as_str);
                        n_of_deleted +=
                            usize::from(!self.add(row, ids, place(row), &mut rows, &mut unlinked));
                        row += 1;
                    }
                }
                None => each_id(frame, self.column, &mut |id| {
                    n_of_deleted += usize::from(!self.add(
                        row,
                        id.into_iter(),
                        place(row),
                        &mut rows,
                        &mut unlinked,
                    ));
                    row += 1;
                })?,
            }
            rewritten
                .rows
                .extend(rows.taken.iter().map(|row| first_row + row));
            first_row += n_rows as u32;
            let mut columns = vec![rows.leads.finish().into_series()];
            if self.link.is_some() || self.merges.is_some() {
                columns.push(Series::new(SINCE.into(), rows.since));
            }
            let frame = with_rows(frame, rows.taken, columns).map_err(fail)?;
            rewritten.frames.push(frame);
        }
        Ok((rewritten, unlinked, n_of_deleted))
    }

    /// Adds a row for each lead that the ids of a cell stand for, each once, and from when; one that
    /// names nobody where there is none. Leads that were deleted get none; whether that left
    /// anybody.
    fn add<'i>(
        &'i self,
        row: u32,
        ids: impl Iterator<Item = &'i str>,
        place: usize,
        rows: &mut NewRows,
        unlinked: &mut Unlinked,
    ) -> bool {
        // Two that were merged, or two links, are one lead, from the earlier time on.
        let mut leads: SmallLeads<'i> = SmallLeads::default();
        for id in ids {
            let Some(link) = self.link else {
                leads.push(self.survivor(id, Timestamp::MIN));
                continue;
            };
            unlinked.n_rows += 1;
            match link.leads_of(id) {
                Some(linked) => linked
                    .iter()
                    .for_each(|linked| leads.push(self.survivor(&linked.lead, linked.since))),
                None if link.own_ids => leads.push(self.survivor(id, Timestamp::MIN)),
                None => {
                    unlinked.n_unlinked += 1;
                    unlinked.first.get_or_insert_with(|| (place, id.to_owned()));
                }
            }
        }
        if let Some(deleted) = self.deleted
            && leads.first.is_some()
            && !leads.keep(|lead| !deleted.has(lead))
        {
            return false;
        }
        let first = leads.first.map(|(lead, at)| (Some(lead), at));
        let more = leads.more.iter().map(|&(lead, at)| (Some(lead), at));
        for (lead, at) in std::iter::once(first.unwrap_or((None, Timestamp::MIN))).chain(more) {
            rows.taken.push(row);
            rows.leads.append_option(lead);
            rows.since.push(at.micros());
        }
        true
    }

    /// The lead that a lead lives on as, and from when it stands for it.
    fn survivor<'i>(&'i self, lead: &'i str, since: Timestamp) -> (&'i str, Timestamp) {
        match self.merges.and_then(|merges| merges.survivor(lead)) {
            Some((survivor, at)) => (survivor, at.max(since)),
            None => (lead, since),
        }
    }
}

/// The leads of one row: mostly one.
#[derive(Default)]
struct SmallLeads<'i> {
    first: Option<(&'i str, Timestamp)>,
    more: Vec<(&'i str, Timestamp)>,
}

impl<'i> SmallLeads<'i> {
    /// Adds a lead, or its earlier time.
    fn push(&mut self, (lead, since): (&'i str, Timestamp)) {
        let known = self.first.iter_mut().chain(&mut self.more);
        if let Some((_, earlier)) = known.into_iter().find(|(known, _)| *known == lead) {
            *earlier = since.min(*earlier);
        } else if self.first.is_none() {
            self.first = Some((lead, since));
        } else {
            self.more.push((lead, since));
        }
    }

    /// Keeps some of the leads; whether any is left.
    fn keep(&mut self, is_kept: impl Fn(&str) -> bool) -> bool {
        self.more.retain(|(lead, _)| is_kept(lead));
        if self.first.is_some_and(|(lead, _)| !is_kept(lead)) {
            self.first = (!self.more.is_empty()).then(|| self.more.remove(0));
        }
        self.first.is_some()
    }
}

/// A frame with these rows of it, and these columns in place of its own.
pub(super) fn with_rows(
    frame: &DataFrame,
    rows: Vec<u32>,
    columns: Vec<Series>,
) -> PolarsResult<DataFrame> {
    let mut frame = frame.take(&IdxCa::from_vec("rows".into(), rows))?;
    for column in columns {
        frame.with_column(column.into())?;
    }
    Ok(frame)
}

/// The ids of each cell, each once.
fn cells_of_ids(series: &Series, separator: &str) -> PolarsResult<Vec<Vec<String>>> {
    let mut cells: Vec<Vec<String>> = Vec::with_capacity(series.len());
    let mut push = |parts: &mut dyn Iterator<Item = String>| {
        let mut ids: Vec<String> = Vec::new();
        parts.for_each(|id| {
            if !id.is_empty() && !ids.contains(&id) {
                ids.push(id);
            }
        });
        cells.push(ids);
    };
    if let Ok(lists) = series.list() {
        for row in 0..lists.len() {
            let texts = lists
                .get_as_series(row)
                .map(|list| list.cast(&DataType::String))
                .transpose()?;
            let texts = texts.as_ref().map(Series::str).transpose()?;
            push(
                &mut texts
                    .into_iter()
                    .flat_map(|texts| texts.iter())
                    .flatten()
                    .map(|id| id.trim().to_owned()),
            );
        }
        return Ok(cells);
    }
    let texts = series.cast(&DataType::String)?;
    for cell in texts.str()?.iter() {
        push(
            &mut cell
                .into_iter()
                .flat_map(|cell| cell.split(separator))
                .map(|id| id.trim().to_owned()),
        );
    }
    Ok(cells)
}
