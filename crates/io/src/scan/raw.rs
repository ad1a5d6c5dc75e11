//! Some columns of a table in memory, read from its files or from what was spilled: cells with
//! their place, as texts.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use leadscore_config::{EVENT_TIME, FileConfig};
use leadscore_core::Timestamp;
use leadscore_values::Nulls;
use polars_core::prelude::{DataFrame, DataType, Series};

use super::ids::{Ids, RowsRead};
use super::left_out::without_deleted;
use super::part::{Batch, engine_error};
use super::table::Table;
use super::unpivot::unpivot;
use super::written::Dropped;
use crate::bounds::Bounds;
use crate::error::TablesError;
use crate::id_maps::SINCE;
use crate::spill::SpilledRows;

/// Some columns of a table, in memory.
pub(crate) struct RawTable<'a> {
    pub(super) table: &'a Table<'a>,
    pub(super) cells: Cells,
    /// Where cells have several ids, or rows are left out, the row that each was; else rows are those
    /// of the files.
    pub(super) rows: Option<Vec<u32>>,
    pub(crate) n_rows: usize,
    /// Rows of the files that are not left out: one may be many.
    pub(crate) n_rows_of_files: usize,
}

pub(super) enum Cells {
    /// As the engine read them: one frame a file, or one batch of a file.
    Frames {
        frames: Vec<DataFrame>,
        batch: Option<Batch>,
    },
    /// Typed already.
    Spilled(SpilledRows),
}

impl<'a> Table<'a> {
    /// Reads these columns of all files.
    pub(crate) fn read(&'a self, columns: &[&str]) -> Result<RawTable<'a>, TablesError> {
        let mut wanted = distinct(columns);
        if let Some(spilled) = &self.spilled {
            let rows = spilled.read(&wanted)?;
            let n_rows = rows.n_rows();
            return Ok(RawTable {
                table: self,
                cells: Cells::Spilled(rows),
                rows: None,
                n_rows,
                n_rows_of_files: n_rows,
            });
        }
        let of_files = self.columns_of_files(&mut wanted);
        let frames = self
            .parts
            .iter()
            .map(|part| part.read(&of_files, None))
            .collect::<Result<Vec<_>, _>>()?;
        self.raw(frames, &wanted, None)
    }

    /// Reads these columns of one batch.
    pub(crate) fn read_batch(
        &'a self,
        columns: &[&str],
        batch: Batch,
    ) -> Result<RawTable<'a>, TablesError> {
        let mut wanted = distinct(columns);
        let of_files = self.columns_of_files(&mut wanted);
        let frame = self.parts[batch.part].read(&of_files, Some((batch.offset, batch.n_rows)))?;
        self.raw(vec![frame], &wanted, Some(batch))
    }

    /// Cells as the engine read them, each column of a type that we read, and one id a row.
    fn raw(
        &'a self,
        frames: Vec<DataFrame>,
        wanted: &[&str],
        batch: Option<Batch>,
    ) -> Result<RawTable<'a>, TablesError> {
        let frames = frames
            .into_iter()
            .map(|frame| self.plain(frame))
            .collect::<Result<Vec<_>, _>>()?;
        let each_id = |frame: &DataFrame, column: &str, visit: &mut dyn FnMut(Option<&str>)| {
            self.each_id(frame, column, visit)
        };
        let n_rows_of_files: usize = frames.iter().map(DataFrame::height).sum();
        let mut rows = RowsRead::new(frames);
        let mut dropped = Dropped::default();
        if let Some(column) = self.file.deleted {
            let (kept, unread) =
                without_deleted(&rows.frames, column, self.path(), &each_id, &mut dropped)?;
            if let Some((row, text)) = unread {
                let first = batch.map_or(0, |batch| batch.first_row());
                return Err(self.no_truth_value(column, first + row, &text));
            }
            rows.replace(kept);
        }
        if let Some((key, columns)) = self.file.events {
            let nulls = self.file.nulls(EVENT_TIME);
            let events = unpivot(&rows.frames, key, columns, &Nulls::new(nulls))
                .map_err(|error| engine_error(self.path(), error))?;
            rows.replace(events);
        }
        self.one_lead_a_row(&mut rows, wanted, batch, &mut dropped)?;
        // Of columns of times each row is several events, and none of these is a row of the files.
        let n_rows_of_files = match self.file.events {
            Some(_) => n_rows_of_files - dropped.n_deleted,
            None => n_rows_of_files - dropped.n_rows(),
        };
        if dropped != Dropped::default() {
            self.written
                .keep_dropped(batch.map(|batch| (batch.part, batch.offset)), dropped);
        }
        let RowsRead { frames, rows } = rows;
        let n_rows = frames.iter().map(DataFrame::height).sum();
        Ok(RawTable {
            table: self,
            cells: Cells::Frames { frames, batch },
            rows,
            n_rows,
            n_rows_of_files,
        })
    }

    /// The columns of the files that are read for the wanted ones, which lose what no file has.
    fn columns_of_files<'w>(&'w self, wanted: &mut Vec<&'w str>) -> Vec<&'w str> {
        wanted.retain(|column| *column != SINCE);
        match self.file.events {
            Some((key, columns)) => {
                let mut of_files = vec![key];
                of_files.extend(columns.iter().map(String::as_str));
                of_files.extend(self.file.deleted.filter(|own| !of_files.contains(own)));
                of_files
            }
            None => {
                let mut of_files = wanted.clone();
                for column in self.deciding_columns() {
                    if !of_files.contains(&column) {
                        of_files.push(column);
                    }
                }
                of_files
            }
        }
    }

    /// Makes the rows one of each lead that is there, where they are not.
    fn one_lead_a_row(
        &self,
        rows: &mut RowsRead,
        wanted: &[&str],
        batch: Option<Batch>,
        dropped: &mut Dropped,
    ) -> Result<(), TablesError> {
        let each_id = |frame: &DataFrame, column: &str, visit: &mut dyn FnMut(Option<&str>)| {
            self.each_id(frame, column, visit)
        };
        if let Some(gone) = &self.gone {
            let kept = gone.without(&rows.frames, self.path(), &each_id, dropped)?;
            rows.replace(kept);
        }
        let is_asked = |ids: &Ids<'_>| ids.deleted.is_some() || wanted.contains(&ids.column);
        let Some(ids) = self.ids().filter(is_asked) else {
            return Ok(());
        };
        let offset = batch.map_or(0, |batch| batch.first_row());
        let (rewritten, mut unlinked, n_of_deleted) =
            ids.one_a_row(&rows.frames, offset, self.path(), &each_id)?;
        if let (Some((first, _)), Some(known)) = (&mut unlinked.first, &rows.rows) {
            *first = offset + known[*first - offset] as usize;
        }
        dropped.n_of_deleted += n_of_deleted;
        self.written.add_unlinked(unlinked);
        rows.replace(rewritten);
        Ok(())
    }

    /// Columns that say which rows are left out; they are read whatever is asked for, so that what
    /// is told by some columns is told by the same rows.
    fn deciding_columns(&self) -> impl Iterator<Item = &str> {
        let of_gone = self.gone.as_ref().map(|gone| gone.column.as_str());
        let of_ids = self.ids().filter(|ids| ids.deleted.is_some());
        self.file
            .deleted
            .into_iter()
            .chain(of_gone)
            .chain(of_ids.map(|ids| ids.column))
    }

    /// The column whose cells stand for several leads each, if there is one.
    fn ids(&self) -> Option<Ids<'_>> {
        let separated = self.file.several;
        match &self.association {
            Some(association) => Some(Ids {
                column: &association.column,
                separator: separated.map(|(_, separator)| separator),
                link: association.link.as_deref(),
                merges: association.merges.as_deref(),
                deleted: association.deleted.as_deref(),
            }),
            None => separated.map(|(column, separator)| Ids {
                column,
                separator: Some(separator),
                link: None,
                merges: None,
                deleted: None,
            }),
        }
    }

    /// Visits the id of each cell, as other tables have it.
    fn each_id(
        &self,
        frame: &DataFrame,
        column: &str,
        visit: &mut dyn FnMut(Option<&str>),
    ) -> Result<(), TablesError> {
        let raw = RawTable {
            table: self,
            cells: Cells::Frames {
                frames: vec![frame.clone()],
                batch: None,
            },
            rows: None,
            n_rows: frame.height(),
            n_rows_of_files: frame.height(),
        };
        raw.for_each_text(column, |_, text| {
            visit(text);
            Ok(())
        })
    }
}

impl RawTable<'_> {
    /// The share that a row has of the row that it was: one of several leads has a part.
    pub(crate) fn shares(&self) -> impl Fn(usize) -> f64 {
        let mut n_leads: HashMap<u32, u32> = HashMap::new();
        for &row in self.rows.iter().flatten() {
            *n_leads.entry(row).or_default() += 1;
        }
        let rows = self.rows.clone();
        move |row| {
            rows.as_ref()
                .map_or(1.0, |rows| 1.0 / f64::from(n_leads[&rows[row]]))
        }
    }

    /// From when each row belongs to its lead, where links say so.
    pub(crate) fn since(&self) -> Option<Vec<Timestamp>> {
        self.table.since_column()?;
        Some(match &self.cells {
            Cells::Spilled(rows) => rows.known_times(SINCE),
            Cells::Frames { .. } => self
                .series(SINCE)
                .filter_map(|series| series.i64().ok())
                .flat_map(|since| since.iter().flatten().map(Timestamp::from_micros))
                .collect(),
        })
    }

    /// The row of the table that a row is.
    pub(crate) fn row_in_table(&self, row: usize) -> usize {
        let row = self.rows.as_ref().map_or(row, |rows| rows[row] as usize);
        match &self.cells {
            Cells::Frames { batch, .. } => batch.map_or(0, |batch| batch.first_row()) + row,
            Cells::Spilled(rows) => rows.row_in_table(row).unwrap_or(row),
        }
    }

    /// File and line (or row) of a row, for messages.
    pub(crate) fn place(&self, row: usize) -> String {
        self.places(&[row]).remove(0)
    }

    /// The same of several rows; each file is looked through once.
    pub(crate) fn places(&self, rows: &[usize]) -> Vec<String> {
        match &self.cells {
            Cells::Spilled(spilled) if !spilled.knows_rows() => {
                vec![self.table.path().display().to_string(); rows.len()]
            }
            Cells::Frames { .. } | Cells::Spilled(_) => {
                let rows: Vec<usize> = rows.iter().map(|&row| self.row_in_table(row)).collect();
                self.table.places(&rows)
            }
        }
    }

    pub(crate) fn cell_error(
        &self,
        row: usize,
        column: &str,
        found: String,
        help: &str,
    ) -> TablesError {
        TablesError::Cell {
            place: self.place(row),
            column: column.to_owned(),
            found,
            help: help.to_owned(),
        }
    }

    /// The name that the config gives the table.
    pub(crate) fn table_name(&self) -> &str {
        &self.table.name
    }

    /// How the table is to be read.
    pub(crate) fn file(&self) -> &FileConfig<'_> {
        &self.table.file
    }

    pub(crate) fn bounds(&self) -> Bounds {
        self.table.bounds
    }

    /// Whether the config leaves it to us which cells of a column mean missing.
    pub(crate) fn has_default_nulls(&self, column: &str) -> bool {
        self.table
            .file
            .null_values
            .is_none_or(|values| values.of(column).is_none())
    }

    /// The column as the engine read it; nothing for rows that were spilled.
    pub(super) fn series(&self, column: &str) -> impl Iterator<Item = &Series> {
        let frames = match &self.cells {
            Cells::Frames { frames, .. } => frames.as_slice(),
            Cells::Spilled(_) => &[],
        };
        frames.iter().map(move |frame| {
            frame
                .column(column)
                .expect("the column was asked for in read")
                .as_materialized_series()
        })
    }

    /// Whether the engine read a column as numbers that may be fractions.
    pub(crate) fn holds_fractions(&self, column: &str) -> bool {
        self.series(column).any(|series| {
            series.dtype().is_float()
                || matches!(series.dtype(), DataType::Decimal(_, scale) if *scale > 0)
        })
    }

    pub(super) fn engine_error(&self, error: polars_core::error::PolarsError) -> TablesError {
        engine_error(self.table.path(), error)
    }

    pub(super) fn nulls(&self, column: &str) -> Nulls<'_> {
        Nulls::new(self.table.file.nulls(column))
    }

    /// Markers of missing cells that the config lists, for columns whose cells are no texts.
    pub(super) fn listed_nulls(&self, column: &str) -> Vec<&str> {
        if self.table.file.null_values.is_some() {
            self.table.file.nulls(column)
        } else {
            Vec::new()
        }
    }

    /// Whether the column holds texts, which may be numbers or times.
    pub(crate) fn is_text(&self, column: &str) -> bool {
        self.series(column).any(|series| {
            matches!(
                series.dtype(),
                DataType::String | DataType::Categorical(..) | DataType::Enum(..)
            )
        })
    }

    pub(crate) fn is_boolean(&self, column: &str) -> bool {
        self.series(column)
            .all(|series| matches!(series.dtype(), DataType::Boolean))
    }

    pub(crate) fn is_time(&self, column: &str) -> bool {
        if let Cells::Spilled(rows) = &self.cells {
            return rows.is_time(column);
        }
        self.series(column)
            .all(|series| matches!(series.dtype(), DataType::Date | DataType::Datetime(..)))
    }

    /// Whether the column holds times of day, without a day.
    pub(crate) fn is_time_of_day(&self, column: &str) -> bool {
        self.series(column)
            .any(|series| matches!(series.dtype(), DataType::Time))
    }

    /// Calls `visit` with every cell as text, missing cells as `None`, blanks around it taken off.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "types of a library: those not named are read the same way, or not at all"
    )]
    pub(crate) fn for_each_text(
        &self,
        column: &str,
        mut visit: impl FnMut(usize, Option<&str>) -> Result<(), TablesError>,
    ) -> Result<(), TablesError> {
        if let Cells::Spilled(rows) = &self.cells {
            return rows.for_each_text(column, visit);
        }
        let nulls = self.nulls(column);
        let mut row = 0;
        for series in self.series(column) {
            match series.dtype() {
                // Whole numbers that a missing cell, or a type with decimals, once turned to
                // fractions read as whole numbers again.
                kind if kind.is_float() => {
                    let floats = series
                        .cast(&DataType::Float64)
                        .map_err(|error| self.engine_error(error))?;
                    for value in floats
                        .f64()
                        .map_err(|error| self.engine_error(error))?
                        .iter()
                    {
                        let text = value
                            .filter(|value| !value.is_nan())
                            .map(|value| value.to_string());
                        visit(row, text.as_deref().and_then(|text| nulls.clean(text)))?;
                        row += 1;
                    }
                    continue;
                }
                DataType::Decimal(_, scale) if *scale > 0 => {
                    let texts = series
                        .cast(&DataType::String)
                        .map_err(|error| self.engine_error(error))?;
                    for value in texts
                        .str()
                        .map_err(|error| self.engine_error(error))?
                        .iter()
                    {
                        let short = value.map(|text| {
                            if text.contains('.') {
                                text.trim_end_matches('0').trim_end_matches('.')
                            } else {
                                text
                            }
                        });
                        visit(row, short.and_then(|text| nulls.clean(text)))?;
                        row += 1;
                    }
                    continue;
                }
                _ => {}
            }
            let texts = series
                .cast(&DataType::String)
                .map_err(|error| self.engine_error(error))?;
            for value in texts
                .str()
                .map_err(|error| self.engine_error(error))?
                .iter()
            {
                visit(row, value.and_then(|text| nulls.clean(text)))?;
                row += 1;
            }
        }
        Ok(())
    }

    /// The cells of a text column without a copy, where the engine holds them as texts.
    pub(crate) fn borrowed_texts(&self, column: &str) -> Option<Vec<Option<&str>>> {
        let Cells::Frames { frames, .. } = &self.cells else {
            return None;
        };
        let nulls = self.nulls(column);
        let mut cells = Vec::with_capacity(self.n_rows);
        for frame in frames {
            let texts = frame
                .column(column)
                .ok()?
                .as_materialized_series()
                .str()
                .ok()?;
            cells.extend(
                texts
                    .iter()
                    .map(|cell| cell.and_then(|text| nulls.clean(text))),
            );
        }
        Some(cells)
    }

    /// Counts cells that say missing in words, such as `NA`.
    pub(crate) fn count_worded_nulls(&self, column: &str) -> Result<usize, TablesError> {
        let nulls = self.nulls(column);
        let mut count = 0;
        for series in self.series(column) {
            if let Ok(texts) = series.str() {
                count += texts
                    .iter()
                    .flatten()
                    .filter(|text| !text.trim().is_empty() && nulls.clean(text).is_none())
                    .count();
            }
        }
        Ok(count)
    }

    /// Whether a row is of the same row of the files as the one before it.
    pub(crate) fn is_repeated(&self, row: usize) -> bool {
        let rows = self.rows.as_ref();
        row > 0 && rows.is_some_and(|rows| rows[row] == rows[row - 1])
    }

    /// Keeps how many cells of a column are missing.
    pub(crate) fn count_missing(&self, column: &str, n_missing: usize) {
        let Cells::Frames { batch, .. } = &self.cells else {
            return;
        };
        let written = &self.table.written;
        if batch.is_none() {
            written.keep_missing(column, n_missing);
        }
        written.keep_filled(column, self.n_rows == 0 || n_missing < self.n_rows);
    }

    /// Keeps how often each value of a column of results stands there.
    pub(crate) fn count_levels(&self, column: &str, levels: BTreeMap<String, u64>) {
        if let Cells::Frames { batch: None, .. } = &self.cells {
            self.table.written.keep_levels(column, levels);
        }
    }

    /// The column as categories; levels sorted by name.
    pub(crate) fn spilled_codes(&self, column: &str) -> Option<(Vec<u32>, Vec<String>)> {
        match &self.cells {
            Cells::Spilled(rows) => rows.codes(column),
            Cells::Frames { .. } => None,
        }
    }

    /// The place of a row of the table.
    pub(crate) fn place_of(&self, row: usize) -> String {
        self.table.place(row)
    }

    /// Whether these rows are those of one part of the leads.
    pub(crate) fn is_part(&self) -> bool {
        matches!(self.cells, Cells::Spilled(_))
    }

    /// The same in all rows of the table, of which these may be a batch.
    pub(crate) fn count_texts_of_all(
        &self,
        column: &str,
    ) -> Result<HashMap<String, (usize, usize)>, TablesError> {
        match self.cells {
            Cells::Frames { batch: Some(_), .. } => self.table.read(&[column])?.count_texts(column),
            Cells::Frames { .. } | Cells::Spilled(_) => self.count_texts(column),
        }
    }

    /// How many times each text stands in a column, with the first row.
    pub(crate) fn count_texts(
        &self,
        column: &str,
    ) -> Result<HashMap<String, (usize, usize)>, TablesError> {
        let mut counts: HashMap<String, (usize, usize)> = HashMap::new();
        self.for_each_text(column, |row, text| {
            if let Some(text) = text {
                match counts.get_mut(text) {
                    Some((count, _)) => *count += 1,
                    None => drop(counts.insert(text.to_owned(), (1, self.row_in_table(row)))),
                }
            }
            Ok(())
        })?;
        Ok(counts)
    }
}

fn distinct<'c>(columns: &[&'c str]) -> Vec<&'c str> {
    let mut wanted: Vec<&str> = Vec::new();
    for column in columns {
        if !wanted.contains(column) {
            wanted.push(column);
        }
    }
    wanted
}
