//! Rows anew, so that each names one lead: cells that hold several ids, and ids that reach their
//! leads through other tables.

use leadscore_core::Timestamp;
use polars_core::error::PolarsResult;
use polars_core::prelude::{DataFrame, DataType, IdxCa, NamedFrom, Series};

use super::part::engine_error;
use super::written::Unlinked;
use crate::error::TablesError;
use crate::id_maps::{LinkMap, Linked, MergeMap, SINCE};

/// A column whose cells stand for several leads each.
pub(super) struct Ids<'t> {
    pub(super) column: &'t str,
    /// What stands between several ids.
    pub(super) separator: Option<&'t str>,
    /// The leads of each id; `None` where ids are of leads.
    pub(super) link: Option<&'t LinkMap>,
    /// Under which id merged leads live on.
    pub(super) merges: Option<&'t MergeMap>,
}

/// Frames with other rows than they had.
pub(super) struct Rewritten {
    pub(super) frames: Vec<DataFrame>,
    /// For each row the row that it was.
    pub(super) rows: Vec<u32>,
}

/// The texts of the cells of a frame's column, as other tables have them.
pub(super) type SingleIds<'s> =
    dyn Fn(&DataFrame, &str) -> Result<Vec<Option<String>>, TablesError> + 's;

/// A row's leads while they are looked for.
type Leads = Vec<(Option<String>, Timestamp)>;

impl Ids<'_> {
    /// The rows anew, so that each names one lead; `offset` is the row of the table that the first
    /// one is.
    pub(super) fn one_a_row(
        &self,
        frames: &[DataFrame],
        offset: usize,
        path: &std::path::Path,
        single_ids: &SingleIds<'_>,
    ) -> Result<(Rewritten, Unlinked), TablesError> {
        let fail = |error| engine_error(path, error);
        let mut unlinked = Unlinked::default();
        let mut rewritten = Rewritten {
            frames: Vec::with_capacity(frames.len()),
            rows: Vec::new(),
        };
        let mut first_row = 0_u32;
        for frame in frames {
            let cells = match self.separator {
                Some(separator) => {
                    let series = frame.column(self.column).map_err(fail)?;
                    cells_of_ids(series.as_materialized_series(), separator).map_err(fail)?
                }
                None => {
                    let ids = single_ids(frame, self.column)?.into_iter();
                    ids.map(|id| id.into_iter().collect()).collect()
                }
            };
            let mut taken: Vec<u32> = Vec::with_capacity(cells.len());
            let mut named: Vec<Option<String>> = Vec::with_capacity(cells.len());
            let mut since: Vec<i64> = Vec::with_capacity(cells.len());
            for (row, cell) in (0_u32..).zip(cells) {
                let place = offset + (first_row + row) as usize;
                for (lead, at) in self.leads_of(cell, place, &mut unlinked) {
                    taken.push(row);
                    named.push(lead);
                    since.push(at.micros());
                }
            }
            rewritten
                .rows
                .extend(taken.iter().map(|row| first_row + row));
            first_row += frame.height() as u32;
            let mut columns = vec![Series::new(self.column.into(), named)];
            if self.link.is_some() || self.merges.is_some() {
                columns.push(Series::new(SINCE.into(), since));
            }
            let frame = with_rows(frame, taken, columns).map_err(fail)?;
            rewritten.frames.push(frame);
        }
        Ok((rewritten, unlinked))
    }

    /// The leads that the ids of a cell stand for, each once, and from when; one that is missing
    /// where there is none.
    fn leads_of(&self, cell: Vec<String>, place: usize, unlinked: &mut Unlinked) -> Leads {
        let mut leads: Vec<(String, Timestamp)> = Vec::with_capacity(cell.len());
        for id in cell {
            let Some(link) = self.link else {
                leads.push((id, Timestamp::MIN));
                continue;
            };
            unlinked.n_rows += 1;
            let Some(linked) = link.leads_of(&id) else {
                unlinked.n_unlinked += 1;
                unlinked.first.get_or_insert((place, id));
                continue;
            };
            let linked = linked.iter();
            leads.extend(linked.map(|Linked { lead, since }| (lead.clone(), *since)));
        }
        for (lead, since) in &mut leads {
            let survivor = self.merges.and_then(|merges| merges.survivor(lead));
            if let Some((survivor, at)) = survivor {
                (*lead, *since) = (survivor.to_owned(), at.max(*since));
            }
        }
        // Two that were merged, or two links, are one lead, from the earlier time on.
        let mut distinct = Leads::with_capacity(leads.len().max(1));
        for (lead, since) in leads {
            let known = distinct
                .iter_mut()
                .find(|(known, _)| known.as_deref() == Some(&lead));
            match known {
                Some((_, earlier)) => *earlier = since.min(*earlier),
                None => distinct.push((Some(lead), since)),
            }
        }
        if distinct.is_empty() {
            distinct.push((None, Timestamp::MIN));
        }
        distinct
    }
}

/// The rows but those whose id was merged into another, and how many these are.
pub(super) fn without_merged(
    frames: &[DataFrame],
    column: &str,
    merges: &MergeMap,
    path: &std::path::Path,
    single_ids: &SingleIds<'_>,
) -> Result<(Rewritten, usize), TablesError> {
    let mut rewritten = Rewritten {
        frames: Vec::with_capacity(frames.len()),
        rows: Vec::new(),
    };
    let (mut first_row, mut n_merged) = (0, 0);
    for frame in frames {
        let ids = single_ids(frame, column)?;
        let is_merged =
            |id: &Option<String>| id.as_ref().is_some_and(|id| merges.survivor(id).is_some());
        let kept = (0_u32..).zip(&ids).filter(|(_, id)| !is_merged(id));
        let taken: Vec<u32> = kept.map(|(row, _)| row).collect();
        n_merged += ids.len() - taken.len();
        rewritten
            .rows
            .extend(taken.iter().map(|row| first_row + row));
        first_row += frame.height() as u32;
        let frame =
            with_rows(frame, taken, Vec::new()).map_err(|error| engine_error(path, error))?;
        rewritten.frames.push(frame);
    }
    Ok((rewritten, n_merged))
}

/// A frame with these rows of it, and these columns in place of its own.
fn with_rows(frame: &DataFrame, rows: Vec<u32>, columns: Vec<Series>) -> PolarsResult<DataFrame> {
    let mut frame = frame.take(&IdxCa::from_vec("rows".into(), rows))?;
    for column in columns {
        frame.with_column(column.into())?;
    }
    Ok(frame)
}

/// Lists as the cells of a set.
pub(super) fn joined_lists(lists: &Series, separator: &str) -> PolarsResult<Series> {
    let mut cells: Vec<Option<String>> = Vec::with_capacity(lists.len());
    let lists_of = lists.list()?;
    for row in 0..lists_of.len() {
        let Some(list) = lists_of.get_as_series(row) else {
            cells.push(None);
            continue;
        };
        let texts = list.cast(&DataType::String)?;
        let values: Vec<&str> = texts.str()?.iter().flatten().collect();
        cells.push(Some(values.join(separator)));
    }
    Ok(Series::new(lists.name().clone(), cells))
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
