//! The one door to Polars for reading: scans of a table's files, only the columns needed, cells
//! with their place.

mod part;
mod raw;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use hashbrown::HashMap;
use leadscore_core::Writing;
use polars::prelude::{DataFrame, DataType, NamedFrom, Series};

use crate::arrow_types::{self, Unreadable};
use crate::config::{Config, FileConfig, Location, nearest};
use crate::data_profile::{SeenColumn, SeenTable};
use crate::doubt::{Doubt, Subject};
use crate::error::TablesError;
use crate::memory::half_of_memory;
use crate::sentinels::Extremes;
use crate::source;
use crate::spill::SpilledFile;
use crate::values::{NumberFormat, TimeFormat, Window};

use part::Part;
pub(crate) use part::{Batch, engine_error};
use raw::Cells;
pub(crate) use raw::{NEVER, RawTable};

/// What times can be meant, and how much text can be held, in all tables of a config.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes that a text file may have in memory.
    pub(crate) largest_text: u64,
    /// As the config has it.
    pub(crate) window: Window,
    /// As it is where the config says nothing: what whole numbers are told by.
    pub(crate) usual: Window,
}

/// As many bytes as a limit of memory has at least.
pub const LEAST_MEMORY: u64 = 400_000_000;

impl Bounds {
    pub(crate) fn new(config: &Config, now: Option<leadscore_core::Timestamp>) -> Self {
        Self {
            largest_text: config
                .data
                .largest_text
                .map_or_else(half_of_memory, |bytes| bytes.0),
            window: config.data.window(now),
            usual: Window::usual(now),
        }
    }

    pub(crate) fn usual(now: Option<leadscore_core::Timestamp>) -> Self {
        Self {
            largest_text: half_of_memory(),
            window: Window::usual(now),
            usual: Window::usual(now),
        }
    }

    /// The same where no more memory than this may be used; what the program needs for itself can
    /// always be had.
    pub(crate) fn within(self, memory: Option<u64>) -> Self {
        let memory = memory.map(|memory| memory.max(LEAST_MEMORY));
        Self {
            largest_text: memory.map_or(self.largest_text, |memory| memory.min(self.largest_text)),
            ..self
        }
    }
}

/// The files of one table, checked and ready to be read.
pub(crate) struct Table<'a> {
    /// What the config calls it: `[leads]`.
    pub(crate) name: String,
    pub(crate) file: FileConfig<'a>,
    pub(crate) bounds: Bounds,
    parts: Vec<Part>,
    columns: Vec<String>,
    /// Columns of types that nobody reads.
    unreadable: Unreadable,
    /// What the user should know about how the files were read.
    pub(crate) notes: Vec<String>,
    /// How columns are written, once it was told; every batch follows it, and every part.
    written: Arc<Written>,
    /// Where the rows of a part of the leads wait on disk, in place of the files.
    spilled: Option<SpilledFile>,
}

/// What was told of columns as a whole.
#[derive(Default)]
struct Written {
    times: Mutex<HashMap<String, TimeFormat>>,
    /// Whether every time of a column is a midnight, so that it holds days.
    days: Mutex<HashMap<String, bool>>,
    numbers: Mutex<HashMap<String, NumberFormat>>,
    extremes: Mutex<BTreeMap<String, Extremes>>,
    /// Missing cells of columns that were read as a whole.
    missing: Mutex<BTreeMap<String, usize>>,
    /// How often each value of a column of results stands there.
    levels: Mutex<BTreeMap<String, BTreeMap<String, u64>>>,
    /// Whether a column that was read has any cell with a value.
    filled: Mutex<BTreeMap<String, bool>>,
}

impl<'a> Table<'a> {
    pub(crate) fn open(
        name: &str,
        folder: &Path,
        file: FileConfig<'a>,
        bounds: Bounds,
    ) -> Result<Self, TablesError> {
        let mut table = Self {
            name: name.to_owned(),
            file,
            bounds,
            parts: Vec::new(),
            columns: Vec::new(),
            unreadable: Unreadable::new(),
            notes: Vec::new(),
            written: Arc::default(),
            spilled: None,
        };
        let patterns = match table.file.location {
            Location::One(one) => std::slice::from_ref(one),
            Location::Many(many) => many,
            Location::Frame(frame) => {
                table.parts.push(Part::of_frame(frame, name));
                table.columns = frame.columns();
                table.unreadable = frame.unreadable.as_ref().clone();
                table.check_named_columns()?;
                return Ok(table);
            }
        };
        for path in source::find(name, folder, patterns)? {
            let (part, columns, unreadable) = Part::open(
                source::open(path, &table.file, bounds.largest_text)?,
                &mut table.notes,
            )?;
            if table.parts.is_empty() {
                table.columns = columns;
            } else if let Some(column) = table
                .columns
                .iter()
                .find(|column| !columns.contains(column))
            {
                return Err(missing_column(name, &part.path, column, &columns));
            }
            table.unreadable.extend(unreadable);
            table.parts.push(part);
        }
        table.check_named_columns()?;
        Ok(table)
    }

    /// Fails where a setting of the table names a column that it lacks.
    fn check_named_columns(&self) -> Result<(), TablesError> {
        self.file
            .named_columns()
            .try_for_each(|(key, column)| self.require(key, column))
    }

    /// The same table, reduced to the rows that wait in a spill file.
    pub(crate) fn of_spilled(&self, spilled: SpilledFile) -> Table<'a> {
        Table {
            name: self.name.clone(),
            file: self.file.clone(),
            bounds: self.bounds,
            parts: self.parts.clone(),
            columns: spilled.columns(),
            unreadable: Unreadable::new(),
            notes: self.notes.clone(),
            written: Arc::clone(&self.written),
            spilled: Some(spilled),
        }
    }

    /// Rows, as far as files tell without being read.
    pub(crate) fn n_rows_told(&self) -> usize {
        self.parts.iter().map(Part::n_rows_told).sum()
    }

    /// Runs of rows of about this length, in order.
    pub(crate) fn batches(&self, rows_per_batch: usize) -> Result<Vec<Batch>, TablesError> {
        let mut batches = Vec::new();
        let mut first_row = 0;
        for (number, part) in self.parts.iter().enumerate() {
            let mut offset = 0;
            for n_rows in part.runs(rows_per_batch)? {
                batches.push(Batch {
                    part: number,
                    offset,
                    n_rows,
                    first_row,
                });
                offset += n_rows;
                first_row += n_rows;
            }
        }
        Ok(batches)
    }

    /// Reads these columns of one batch.
    pub(crate) fn read_batch(
        &'a self,
        columns: &[&str],
        batch: Batch,
    ) -> Result<RawTable<'a>, TablesError> {
        let wanted = distinct(columns);
        let frame = self.parts[batch.part].read(&wanted, Some((batch.offset, batch.n_rows)))?;
        self.raw(vec![frame], &wanted, Some(batch))
    }

    /// Whether its rows are those of one part of the leads, which may be none.
    pub(crate) fn is_spilled(&self) -> bool {
        self.spilled.is_some()
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Why a column cannot be read, where its type is one that nobody reads.
    pub(crate) fn unreadable(&self, column: &str) -> Option<Doubt> {
        self.unreadable
            .get(column)
            .map(|kind| self.type_doubt(column, kind))
    }

    /// The type of a column that cannot be read.
    pub(crate) fn type_of_unreadable(&self, column: &str) -> String {
        self.unreadable.get(column).cloned().unwrap_or_default()
    }

    fn type_doubt(&self, column: &str, kind: &str) -> Doubt {
        let doubt = Doubt::new(
            Subject::Types,
            &self.name,
            format!("it holds {kind}, which are not read"),
        )
        .of_column(column);
        let doubt = doubt.at(Some(self.path().display().to_string()));
        if self.name == "[leads]" || self.name.starts_with("[lookups.") {
            return doubt.settled_by(
                format!("exclude = [{}]", crate::doubt::quoted(column)),
                "nothing is learned from it",
            );
        }
        doubt.advise("write it as texts, numbers or times, one to a cell, or name another column")
    }

    /// Fails, naming the key of the config, unless the column is there.
    pub(crate) fn require(&self, key: &str, column: &str) -> Result<(), TablesError> {
        // What was spilled was checked before.
        if self.spilled.is_some() || self.columns.iter().any(|known| known == column) {
            return Ok(());
        }
        Err(missing_column(
            &format!("{} `{key}`", self.name),
            &self.parts[0].path,
            column,
            &self.columns,
        ))
    }

    /// What was seen of it so far.
    pub(crate) fn seen(&self, n_rows: usize) -> SeenTable {
        let missing = self
            .written
            .missing
            .lock()
            .map(|known| known.clone())
            .unwrap_or_default();
        let levels = self
            .written
            .levels
            .lock()
            .map(|known| known.clone())
            .unwrap_or_default();
        let column = |name: &String| SeenColumn {
            name: name.clone(),
            n_missing: missing.get(name).copied(),
            unreadable: self.unreadable.get(name).cloned(),
            writing: self.writing(name),
            levels: levels.get(name).cloned(),
        };
        SeenTable {
            n_rows,
            columns: self.columns.iter().map(column).collect(),
        }
    }

    /// Columns that were read and have no value in any row.
    pub(crate) fn empty_columns(&self) -> Vec<String> {
        let known = self
            .written
            .filled
            .lock()
            .map(|known| known.clone())
            .unwrap_or_default();
        known
            .into_iter()
            .filter(|(_, is_filled)| !is_filled)
            .map(|(column, _)| column)
            .collect()
    }

    /// How the numbers of a column are written, where that is not as programs write them.
    fn writing(&self, column: &str) -> Option<Writing> {
        let format = self
            .written
            .numbers
            .lock()
            .ok()
            .and_then(|known| known.get(column).copied());
        format.and_then(|format| format.writing())
    }

    /// The outermost numbers of each column that was read as numbers.
    pub(crate) fn extremes(&self) -> BTreeMap<String, Extremes> {
        self.written
            .extremes
            .lock()
            .map(|known| known.clone())
            .unwrap_or_default()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.parts[0].path
    }

    /// Whether the order of its rows is that in which somebody wrote them: those of one file.
    pub(crate) fn has_file_order(&self) -> bool {
        self.parts.len() == 1 && !matches!(self.file.location, Location::Frame(_))
    }

    /// Reads these columns of all files.
    pub(crate) fn read(&'a self, columns: &[&str]) -> Result<RawTable<'a>, TablesError> {
        let wanted = distinct(columns);
        if let Some(spilled) = &self.spilled {
            let rows = spilled.read(&wanted)?;
            let n_rows = rows.n_rows();
            return Ok(RawTable {
                table: self,
                cells: Cells::Spilled(rows),
                rows: None,
                n_rows,
            });
        }
        let frames = self
            .parts
            .iter()
            .map(|part| part.read(&wanted, None))
            .collect::<Result<Vec<_>, _>>()?;
        self.raw(frames, &wanted, None)
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
        let (frames, rows) = match self
            .file
            .several
            .filter(|(column, _)| wanted.contains(column))
        {
            Some((column, separator)) => {
                let (frames, rows) = self.one_id_a_row(&frames, column, separator)?;
                (frames, Some(rows))
            }
            None => (frames, None),
        };
        let n_rows = frames.iter().map(DataFrame::height).sum();
        Ok(RawTable {
            table: self,
            cells: Cells::Frames { frames, batch },
            rows,
            n_rows,
        })
    }

    /// Bytes as texts; fails where a column holds what no cell of a plain table does.
    fn plain(&self, mut frame: DataFrame) -> Result<DataFrame, TablesError> {
        let is_plain = |kind: &DataType| {
            kind.is_primitive_numeric()
                || kind.is_categorical()
                || kind.is_enum()
                || matches!(
                    kind,
                    DataType::String
                        | DataType::Boolean
                        | DataType::Null
                        | DataType::Decimal(..)
                        | DataType::Date
                        | DataType::Datetime(..)
                        | DataType::Time
                )
        };
        let several = self.file.several.map(|(column, _)| column);
        let mut doubts = Vec::new();
        let mut texts = Vec::new();
        for column in frame.columns() {
            let (name, kind) = (column.name().as_str(), column.dtype());
            let is_uuid = self.parts.iter().any(|part| part.uuids.contains(name));
            match kind {
                DataType::Binary | DataType::BinaryOffset => {
                    match arrow_types::texts_of_bytes(column.as_materialized_series(), is_uuid) {
                        Some(series) => texts.push(series),
                        None => doubts.push(self.type_doubt(name, &arrow_types::held_name(kind))),
                    }
                }
                DataType::List(_) if several == Some(name) => {}
                kind if is_plain(kind) => {}
                kind => doubts.push(self.type_doubt(name, &arrow_types::held_name(kind))),
            }
        }
        if !doubts.is_empty() {
            return Err(TablesError::Doubts(doubts));
        }
        for series in texts {
            frame
                .with_column(series.into())
                .map_err(|error| engine_error(self.path(), error))?;
        }
        Ok(frame)
    }

    /// The rows anew, so that each names one id; beside them, for each the row that it was.
    fn one_id_a_row(
        &self,
        frames: &[DataFrame],
        column: &str,
        separator: &str,
    ) -> Result<(Vec<DataFrame>, Vec<u32>), TablesError> {
        let fail = |error| engine_error(self.path(), error);
        let (mut split, mut rows, mut first_row) =
            (Vec::with_capacity(frames.len()), Vec::new(), 0_u32);
        for frame in frames {
            let series = frame.column(column).map_err(fail)?.as_materialized_series();
            let cells = cells_of_ids(series, separator).map_err(fail)?;
            let mut taken: Vec<u32> = Vec::with_capacity(cells.len());
            let mut ids: Vec<Option<String>> = Vec::with_capacity(cells.len());
            for (row, cell) in (0_u32..).zip(cells) {
                if cell.is_empty() {
                    taken.push(row);
                    ids.push(None);
                }
                for id in cell {
                    taken.push(row);
                    ids.push(Some(id));
                }
            }
            rows.extend(taken.iter().map(|row| first_row + row));
            first_row += frame.height() as u32;
            let index = polars::prelude::IdxCa::from_vec("rows".into(), taken);
            let mut frame = frame.take(&index).map_err(fail)?;
            frame
                .with_column(Series::new(column.into(), ids).into())
                .map_err(fail)?;
            split.push(frame);
        }
        Ok((split, rows))
    }

    /// File and line (or row) of a row of the table, for messages.
    pub(crate) fn place(&self, row: usize) -> String {
        let mut row = row;
        for part in &self.parts {
            let Ok(n_rows) = part.n_rows() else { break };
            if row < n_rows {
                if let Some((delimiter, _)) = part.csv
                    && let Some(line) = source::line_of_row(
                        &part.path,
                        &self.file,
                        delimiter,
                        row,
                        self.bounds.largest_text,
                    )
                {
                    return format!("{}, line {line}", part.path.display());
                }
                return format!("{}, row {}", part.path.display(), row + 1);
            }
            row -= n_rows;
        }
        self.path().display().to_string()
    }
}

/// The ids of each cell, each once.
fn cells_of_ids(series: &Series, separator: &str) -> polars::error::PolarsResult<Vec<Vec<String>>> {
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

fn distinct<'c>(columns: &[&'c str]) -> Vec<&'c str> {
    let mut wanted: Vec<&str> = Vec::new();
    for column in columns {
        if !wanted.contains(column) {
            wanted.push(column);
        }
    }
    wanted
}

fn missing_column(key: &str, path: &Path, column: &str, columns: &[String]) -> TablesError {
    TablesError::Column {
        table: key.to_owned(),
        path: PathBuf::from(path),
        column: column.to_owned(),
        nearest: nearest(column, columns.iter().map(String::as_str)).map(str::to_owned),
        columns: columns.to_vec(),
    }
}
