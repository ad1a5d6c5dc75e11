//! The one door to Polars for reading: lazy scans of a table's files, only the columns needed, cells with their place.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use hashbrown::HashMap;
use leadscore_core::{Precision, Stamp, Timestamp};
use polars::prelude::{
    DataFrame, DataType, IntoLazy, LazyCsvReader, LazyFileListReader, LazyFrame, LazyJsonLineReader, PlRefPath, ScanArgsParquet, ScanSources, SerReader,
    Series, TimeUnit, col,
};

use crate::config::{FileConfig, Location, nearest};
use crate::error::TablesError;
use crate::frame::Frame;
use crate::kinds::TimeKind;
use crate::source::{self, Source};
use crate::spill::{SpilledFile, SpilledRows};
use crate::values::{self, Nulls, TimeFormat, UnknownFormat};

/// The files of one table, checked and ready to be read.
pub(crate) struct Table<'a> {
    /// What the config calls it: `[leads]`.
    pub(crate) name: String,
    pub(crate) file: FileConfig<'a>,
    parts: Vec<Part>,
    columns: Vec<String>,
    /// What the user should know about how the files were read.
    pub(crate) notes: Vec<String>,
    /// Formats of time columns, recognised at their first value; every batch follows them.
    formats: Mutex<HashMap<String, TimeFormat>>,
    /// Where the rows of a part of the leads wait on disk, in place of the files.
    spilled: Option<SpilledFile>,
}

#[derive(Clone)]
struct Part {
    path: PathBuf,
    lazy: LazyFrame,
    /// Delimiter and rows of a CSV file; `None` for typed formats.
    csv: Option<(u8, usize)>,
}

/// Rows of one file of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch {
    part: usize,
    /// Of the file.
    offset: usize,
    pub(crate) n_rows: usize,
    /// Rows of the table before it.
    first_row: usize,
}

/// Some columns of a table, in memory.
pub(crate) struct RawTable<'a> {
    table: &'a Table<'a>,
    cells: Cells,
    nulls: Nulls,
    pub(crate) n_rows: usize,
}

/// The time of a cell that has none.
pub(crate) const NEVER: Timestamp = Timestamp::MIN;

enum Cells {
    /// As the engine read them: one frame a file, or one batch of a file.
    Frames { frames: Vec<DataFrame>, batch: Option<Batch> },
    /// Typed already.
    Spilled(SpilledRows),
}

impl<'a> Table<'a> {
    pub(crate) fn open(name: &str, folder: &Path, file: FileConfig<'a>) -> Result<Self, TablesError> {
        let mut parts: Vec<Part> = Vec::new();
        let mut columns: Vec<String> = Vec::new();
        let mut notes = Vec::new();
        let patterns = match file.location {
            Location::One(one) => std::slice::from_ref(one),
            Location::Many(many) => many,
            Location::Frame(frame) => {
                let part = Part { path: PathBuf::from(frame.called(name)), lazy: frame.data.as_ref().clone().lazy(), csv: None };
                let columns = frame.columns();
                return Ok(Self { name: name.to_owned(), file, parts: vec![part], columns, notes, formats: Mutex::default(), spilled: None });
            }
        };
        for path in source::find(name, folder, patterns)? {
            let source = source::open(path, &file)?;
            let path = source.path().to_owned();
            let (part, part_columns) = scan(source, &mut notes)?;
            if parts.is_empty() {
                columns = part_columns;
            } else if let Some(column) = columns.iter().find(|column| !part_columns.contains(column)) {
                return Err(missing_column(name, &path, column, &part_columns));
            }
            parts.push(part);
        }
        Ok(Self { name: name.to_owned(), file, parts, columns, notes, formats: Mutex::default(), spilled: None })
    }

    /// The same table, reduced to the rows that wait in a spill file.
    pub(crate) fn of_spilled(&self, spilled: SpilledFile) -> Table<'a> {
        Table {
            name: self.name.clone(),
            file: self.file.clone(),
            parts: self.parts.clone(),
            columns: spilled.columns(),
            notes: self.notes.clone(),
            formats: Mutex::default(),
            spilled: Some(spilled),
        }
    }

    /// Runs of rows of about this length, in order.
    pub(crate) fn batches(&self, rows_per_batch: usize) -> Result<Vec<Batch>, TablesError> {
        let mut batches = Vec::new();
        let mut first_row = 0;
        for (number, part) in self.parts.iter().enumerate() {
            let mut offset = 0;
            for n_rows in part.runs(rows_per_batch)? {
                batches.push(Batch { part: number, offset, n_rows, first_row });
                offset += n_rows;
                first_row += n_rows;
            }
        }
        Ok(batches)
    }

    /// Reads these columns of one batch.
    pub(crate) fn read_batch(&'a self, columns: &[&str], batch: Batch) -> Result<RawTable<'a>, TablesError> {
        let part = &self.parts[batch.part];
        let lazy = part.lazy.clone().select(distinct(columns).into_iter().map(col).collect::<Vec<_>>()).slice(batch.offset as i64, batch.n_rows as u32);
        let frame = lazy.collect().map_err(|error| engine_error(&part.path, error))?;
        self.check_plain(&frame)?;
        let n_rows = frame.height();
        Ok(RawTable { table: self, cells: Cells::Frames { frames: vec![frame], batch: Some(batch) }, nulls: Nulls::new(self.file.null_values), n_rows })
    }

    /// Fails where a column holds what no cell of a plain table does.
    fn check_plain(&self, frame: &DataFrame) -> Result<(), TablesError> {
        let is_plain = |kind: &DataType| {
            kind.is_primitive_numeric()
                || kind.is_categorical()
                || kind.is_enum()
                || matches!(
                    kind,
                    DataType::String | DataType::Boolean | DataType::Null | DataType::Decimal(..) | DataType::Date | DataType::Datetime(..) | DataType::Time
                )
        };
        match frame.columns().iter().find(|column| !is_plain(column.dtype())) {
            None => Ok(()),
            Some(column) => Err(TablesError::Content {
                table: self.name.clone(),
                found: format!("column `{}` holds {} values", column.name(), column.dtype()),
                help: "only plain cells are read: flatten it, or leave the column out with `exclude`".to_owned(),
            }),
        }
    }

    /// Whether its rows are those of one part of the leads, which may be none.
    pub(crate) fn is_spilled(&self) -> bool {
        self.spilled.is_some()
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Fails, naming the key of the config, unless the column is there.
    pub(crate) fn require(&self, key: &str, column: &str) -> Result<(), TablesError> {
        // What was spilled was checked before.
        if self.spilled.is_some() || self.columns.iter().any(|known| known == column) {
            return Ok(());
        }
        Err(missing_column(&format!("{} `{key}`", self.name), &self.parts[0].path, column, &self.columns))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.parts[0].path
    }

    /// Reads these columns of all files.
    pub(crate) fn read(&'a self, columns: &[&str]) -> Result<RawTable<'a>, TablesError> {
        let wanted = distinct(columns);
        if let Some(spilled) = &self.spilled {
            let rows = spilled.read(&wanted)?;
            let n_rows = rows.n_rows();
            return Ok(RawTable { table: self, cells: Cells::Spilled(rows), nulls: Nulls::new(Some(&[])), n_rows });
        }
        let mut frames = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let frame = part
                .lazy
                .clone()
                .select(wanted.iter().map(|&name| col(name)).collect::<Vec<_>>())
                .collect()
                .map_err(|error| engine_error(&part.path, error))?;
            if let Some((_, expected)) = part.csv
                && frame.height() != expected
            {
                return Err(TablesError::Format {
                    path: part.path.clone(),
                    found: format!("{} rows were read where the file has {expected}", frame.height()),
                    help: "look for blank lines or stray quotes, or export it as Parquet".to_owned(),
                });
            }
            self.check_plain(&frame)?;
            frames.push(frame);
        }
        let n_rows = frames.iter().map(DataFrame::height).sum();
        Ok(RawTable { table: self, cells: Cells::Frames { frames, batch: None }, nulls: Nulls::new(self.file.null_values), n_rows })
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

impl Batch {
    pub(crate) fn first_row(&self) -> usize {
        self.first_row
    }
}

impl Part {
    /// Runs of about this many rows; those of Parquet begin and end with its row groups, so that none is decoded twice.
    fn runs(&self, rows_per_batch: usize) -> Result<Vec<usize>, TablesError> {
        let groups = match self.row_groups() {
            Some(groups) => groups,
            None => vec![self.n_rows()?],
        };
        let mut runs: Vec<usize> = Vec::new();
        for group in groups.into_iter().filter(|&rows| rows > 0) {
            match runs.last_mut() {
                Some(last) if *last + group <= rows_per_batch => *last += group,
                _ if group <= 2 * rows_per_batch => runs.push(group),
                _ => runs.extend((0..group).step_by(rows_per_batch).map(|begin| rows_per_batch.min(group - begin))),
            }
        }
        Ok(runs)
    }

    /// Rows of each row group of a Parquet file.
    fn row_groups(&self) -> Option<Vec<usize>> {
        let name = self.path.to_string_lossy().to_lowercase();
        if !(name.ends_with(".parquet") || name.ends_with(".pq")) {
            return None;
        }
        let file = std::fs::File::open(&self.path).ok()?;
        let metadata = polars::prelude::ParquetReader::new(file).get_metadata().ok()?.clone();
        Some(metadata.row_groups.iter().map(|group| group.num_rows()).collect())
    }

    fn n_rows(&self) -> Result<usize, TablesError> {
        if let Some((_, n_rows)) = self.csv {
            return Ok(n_rows);
        }
        let error = |error| engine_error(&self.path, error);
        let frame = self.lazy.clone().select([polars::prelude::len().alias("n")]).collect().map_err(error)?;
        let counted = frame.column("n").and_then(|column| column.cast(&DataType::UInt64)).map_err(error)?;
        Ok(counted.u64().map_err(error)?.get(0).unwrap_or(0) as usize)
    }
}

fn missing_column(key: &str, path: &Path, column: &str, columns: &[String]) -> TablesError {
    TablesError::Column {
        table: key.to_owned(),
        path: path.to_owned(),
        column: column.to_owned(),
        nearest: nearest(column, columns.iter().map(String::as_str)).map(str::to_owned),
        columns: columns.to_vec(),
    }
}

fn engine_error(path: &Path, error: polars::error::PolarsError) -> TablesError {
    let name = path.to_string_lossy();
    let format = if name.ends_with("json") || name.ends_with("jsonl") {
        "newline-delimited JSON"
    } else if name.contains(".csv") || name.contains(".tsv") || name.contains(".txt") {
        "CSV"
    } else if name.ends_with("parquet") || name.ends_with("pq") {
        "Parquet"
    } else if name.starts_with(Frame::CALLED) {
        "a frame"
    } else {
        "Arrow IPC"
    };
    TablesError::Engine { action: "read", path: path.to_owned(), format, source: Box::new(error) }
}

fn scan(source: Source, notes: &mut Vec<String>) -> Result<(Part, Vec<String>), TablesError> {
    let path = source.path().to_owned();
    let fail = |error| engine_error(&path, error);
    let (mut lazy, csv, header) = match source {
        Source::Csv { text, delimiter, header, n_rows, note, .. } => {
            notes.extend(note.map(|note| format!("{}: {note}", path.display())));
            // Every cell comes as text: types are decided over whole columns, and no cell is lost to a guess.
            let lazy = LazyCsvReader::new_with_sources(ScanSources::Buffers(vec![text.into()].into()))
                .with_separator(delimiter)
                .with_infer_schema_length(Some(0))
                .finish()
                .map_err(fail)?;
            (lazy, Some((delimiter, n_rows)), Some(header))
        }
        Source::Ndjson { text, .. } => {
            let lazy =
                LazyJsonLineReader::new_with_sources(ScanSources::Buffers(vec![text.into()].into())).with_infer_schema_length(None).finish().map_err(fail)?;
            (lazy, None, None)
        }
        Source::Parquet { .. } => {
            let reference = PlRefPath::try_from_path(&path).map_err(fail)?;
            (LazyFrame::scan_parquet(reference, ScanArgsParquet { glob: false, ..Default::default() }).map_err(fail)?, None, None)
        }
        Source::Arrow { .. } => {
            let reference = PlRefPath::try_from_path(&path).map_err(fail)?;
            (
                LazyFrame::scan_ipc(
                    reference,
                    polars::prelude::IpcScanOptions::default(),
                    polars::prelude::UnifiedScanArgs { glob: false, ..Default::default() },
                )
                .map_err(fail)?,
                None,
                None,
            )
        }
    };
    let schema = lazy.collect_schema().map_err(fail)?;
    let mut columns: Vec<String> = schema.iter_names().map(ToString::to_string).collect();
    if let Some(header) = header {
        // Names without the blanks around them, as the header check knows them.
        if columns.len() == header.len() && columns != header {
            lazy = lazy.rename(columns.iter(), header.iter(), true);
            columns = header;
        }
    }
    Ok((Part { path: path.clone(), lazy, csv }, columns))
}

impl RawTable<'_> {
    /// File and line (or row) of a row, for messages.
    pub(crate) fn place(&self, row: usize) -> String {
        let row = match &self.cells {
            Cells::Frames { batch, .. } => batch.map_or(0, |batch| batch.first_row) + row,
            Cells::Spilled(rows) => match rows.row_in_table(row) {
                Some(row) => row,
                None => return self.table.path().display().to_string(),
            },
        };
        let mut row = row;
        for part in &self.table.parts {
            let Ok(n_rows) = part.n_rows() else { break };
            if row < n_rows {
                if let Some((delimiter, _)) = part.csv
                    && let Ok(Source::Csv { text, .. }) = source::open(part.path.clone(), &self.table.file)
                {
                    return format!("{}, line {}", part.path.display(), source::line_of_row(&text, delimiter, row));
                }
                return format!("{}, row {}", part.path.display(), row + 1);
            }
            row -= n_rows;
        }
        self.table.path().display().to_string()
    }

    pub(crate) fn cell_error(&self, row: usize, column: &str, found: String, help: &str) -> TablesError {
        TablesError::Cell { place: self.place(row), column: column.to_owned(), found, help: help.to_owned() }
    }

    /// The name that the config gives the table.
    pub(crate) fn table_name(&self) -> &str {
        &self.table.name
    }

    /// Whether the config leaves it to us which cells mean missing.
    pub(crate) fn has_default_nulls(&self) -> bool {
        self.table.file.null_values.is_none()
    }

    pub(crate) fn decimal_comma(&self) -> bool {
        self.table.file.decimal_comma
    }

    /// The column as the engine read it; nothing for rows that were spilled.
    fn series(&self, column: &str) -> impl Iterator<Item = &Series> {
        let frames = match &self.cells {
            Cells::Frames { frames, .. } => frames.as_slice(),
            Cells::Spilled(_) => &[],
        };
        frames.iter().map(move |frame| frame.column(column).expect("the column was asked for in read").as_materialized_series())
    }

    fn engine_error(&self, error: polars::error::PolarsError) -> TablesError {
        engine_error(self.table.path(), error)
    }

    /// Whether the column has a type of its own, so that no text need be parsed.
    pub(crate) fn is_text(&self, column: &str) -> bool {
        self.series(column).any(|series| matches!(series.dtype(), DataType::String | DataType::Categorical(..) | DataType::Enum(..)))
    }

    pub(crate) fn is_boolean(&self, column: &str) -> bool {
        self.series(column).all(|series| matches!(series.dtype(), DataType::Boolean))
    }

    pub(crate) fn is_time(&self, column: &str) -> bool {
        if let Cells::Spilled(rows) = &self.cells {
            return rows.is_time(column);
        }
        self.series(column).all(|series| matches!(series.dtype(), DataType::Date | DataType::Datetime(..)))
    }

    /// Whether the file is CSV, whose texts may be numbers.
    pub(crate) fn is_untyped(&self) -> bool {
        self.table.parts.iter().any(|part| part.csv.is_some())
    }

    /// Calls `visit` with every cell as text, missing cells as `None`, blanks around it taken off.
    pub(crate) fn for_each_text(&self, column: &str, mut visit: impl FnMut(usize, Option<&str>) -> Result<(), TablesError>) -> Result<(), TablesError> {
        if let Cells::Spilled(rows) = &self.cells {
            return rows.for_each_text(column, visit);
        }
        let mut row = 0;
        for series in self.series(column) {
            if series.dtype().is_float() {
                // Whole numbers that a missing cell once turned to floats read as whole numbers again.
                let floats = series.cast(&DataType::Float64).map_err(|error| self.engine_error(error))?;
                for value in floats.f64().map_err(|error| self.engine_error(error))?.iter() {
                    let text = value.filter(|value| !value.is_nan()).map(|value| value.to_string());
                    visit(row, text.as_deref())?;
                    row += 1;
                }
                continue;
            }
            let texts = series.cast(&DataType::String).map_err(|error| self.engine_error(error))?;
            for value in texts.str().map_err(|error| self.engine_error(error))?.iter() {
                visit(row, value.and_then(|text| self.nulls.clean(text)))?;
                row += 1;
            }
        }
        Ok(())
    }

    /// The cells of a text column without a copy, where the engine holds them as texts.
    pub(crate) fn borrowed_texts(&self, column: &str) -> Option<Vec<Option<&str>>> {
        let Cells::Frames { frames, .. } = &self.cells else { return None };
        let mut cells = Vec::with_capacity(self.n_rows);
        for frame in frames {
            let texts = frame.column(column).ok()?.as_materialized_series().str().ok()?;
            cells.extend(texts.iter().map(|cell| cell.and_then(|text| self.nulls.clean(text))));
        }
        Some(cells)
    }

    /// Counts cells that say missing in words, such as `NA`.
    pub(crate) fn count_worded_nulls(&self, column: &str) -> Result<usize, TablesError> {
        let mut count = 0;
        for series in self.series(column) {
            if let Ok(texts) = series.str() {
                count += texts.iter().flatten().filter(|text| !text.trim().is_empty() && self.nulls.clean(text).is_none()).count();
            }
        }
        Ok(count)
    }

    /// The column as numbers, NaN where missing.
    pub(crate) fn numbers(&self, column: &str) -> Result<Vec<f64>, TablesError> {
        let mut values = Vec::with_capacity(self.n_rows);
        if let Cells::Spilled(rows) = &self.cells {
            if let Some(numbers) = rows.numbers(column) {
                return Ok(numbers);
            }
            // A column that plays two parts waits as text.
            self.for_each_text(column, |row, text| {
                values.push(self.number(row, column, text)?);
                Ok(())
            })?;
            return Ok(values);
        }
        for series in self.series(column) {
            if series.dtype().is_primitive_numeric() || matches!(series.dtype(), DataType::Boolean | DataType::Decimal(..) | DataType::Null) {
                let floats = series.cast(&DataType::Float64).map_err(|error| self.engine_error(error))?;
                values.extend(floats.f64().map_err(|error| self.engine_error(error))?.iter().map(|value| value.unwrap_or(f64::NAN)));
                continue;
            }
            let texts = series.cast(&DataType::String).map_err(|error| self.engine_error(error))?;
            for value in texts.str().map_err(|error| self.engine_error(error))?.iter() {
                values.push(self.number(values.len(), column, value.and_then(|text| self.nulls.clean(text)))?);
            }
        }
        if let Some(row) = values.iter().position(|value| value.is_infinite()) {
            return Err(self.cell_error(
                row,
                column,
                "the number is infinite".to_owned(),
                "expected a finite number; list it under `null_values` if it means missing",
            ));
        }
        Ok(values)
    }

    fn number(&self, row: usize, column: &str, text: Option<&str>) -> Result<f64, TablesError> {
        let Some(text) = text else { return Ok(f64::NAN) };
        values::parse_number(text, self.table.file.decimal_comma).ok_or_else(|| {
            let help = if text.contains(',') && !self.table.file.decimal_comma {
                "expected a number; if numbers are written 1.234,5 set `decimal_comma = true`"
            } else {
                "expected a number; list it under `null_values` if it means missing"
            };
            self.cell_error(row, column, format!("`{text}` is not a number"), help)
        })
    }

    /// The column as categories; levels sorted by name.
    pub(crate) fn spilled_codes(&self, column: &str) -> Option<(Vec<u32>, Vec<String>)> {
        match &self.cells {
            Cells::Spilled(rows) => rows.codes(column),
            Cells::Frames { .. } => None,
        }
    }

    /// From when each time of the column counts as known, [`NEVER`] where missing.
    pub(crate) fn known_times(&self, column: &str) -> Result<Vec<Timestamp>, TablesError> {
        if let Cells::Spilled(rows) = &self.cells {
            return Ok(rows.known_times(column));
        }
        if let Cells::Frames { frames, .. } = &self.cells
            && let [frame] = frames.as_slice()
            && let Ok(series) = frame.column(column)
            && matches!(series.dtype(), DataType::Datetime(TimeUnit::Microseconds, None))
            && self.table.file.time_zone.is_none()
        {
            // What warehouses mostly write needs no conversion.
            let whole = series.as_materialized_series().cast(&DataType::Int64).map_err(|error| self.engine_error(error))?;
            let whole = whole.i64().map_err(|error| self.engine_error(error))?;
            return Ok(whole.iter().map(|value| value.map_or(NEVER, Timestamp::from_micros)).collect());
        }
        Ok(self.times(column)?.into_iter().map(|time| time.map_or(NEVER, |stamp| stamp.known)).collect())
    }

    /// The column as times, `None` where missing.
    pub(crate) fn times(&self, column: &str) -> Result<Vec<Option<Stamp>>, TablesError> {
        if let Cells::Spilled(rows) = &self.cells {
            return Ok(rows.times(column));
        }
        let zone = self.table.file.time_zone;
        let known_format = self.table.formats.lock().ok().and_then(|formats| formats.get(column).cloned());
        let mut format = known_format.or_else(|| self.table.file.time_format.map(TimeFormat::declared));
        let mut times: Vec<Option<Stamp>> = Vec::with_capacity(self.n_rows);
        for series in self.series(column) {
            match series.dtype() {
                DataType::Date => {
                    let days = series.cast(&DataType::Int32).map_err(|error| self.engine_error(error))?;
                    let days = days.i32().map_err(|error| self.engine_error(error))?;
                    times.extend(
                        days.iter().map(|day| day.map(|day| values::stamp(Timestamp::from_micros(i64::from(day) * 86_400_000_000), Precision::Day, zone))),
                    );
                }
                DataType::Datetime(unit, zoned) => {
                    let (unit, zone) = (*unit, if zoned.is_some() { None } else { zone });
                    let whole = series.cast(&DataType::Int64).map_err(|error| self.engine_error(error))?;
                    let micros = |value: i64| match unit {
                        TimeUnit::Nanoseconds => value.div_euclid(1_000),
                        TimeUnit::Microseconds => value,
                        TimeUnit::Milliseconds => value * 1_000,
                    };
                    let whole = whole.i64().map_err(|error| self.engine_error(error))?;
                    times.extend(whole.iter().map(|value| value.map(|value| values::stamp(Timestamp::from_micros(micros(value)), Precision::Instant, zone))));
                }
                kind if kind.is_integer() && !matches!(format, Some(TimeFormat::Strftime { .. })) => {
                    let whole = series.cast(&DataType::Int64).map_err(|error| self.engine_error(error))?;
                    for value in whole.i64().map_err(|error| self.engine_error(error))?.iter() {
                        let Some(value) = value else {
                            times.push(None);
                            continue;
                        };
                        if format.is_none() {
                            format = Some(TimeFormat::recognise_epoch(value).map_err(|unknown| self.unknown_format(times.len(), column, unknown))?);
                        }
                        let known = format.as_ref().expect("set above");
                        let time = known
                            .parse_epoch(value)
                            .ok_or_else(|| self.cell_error(times.len(), column, format!("`{value}` is not a time"), &known.expected()))?;
                        times.push(Some(time));
                    }
                }
                _ => {
                    let texts = series.cast(&DataType::String).map_err(|error| self.engine_error(error))?;
                    for value in texts.str().map_err(|error| self.engine_error(error))?.iter() {
                        let Some(text) = value.and_then(|text| self.nulls.clean(text)) else {
                            times.push(None);
                            continue;
                        };
                        if format.is_none() {
                            format = Some(TimeFormat::recognise(text).map_err(|unknown| self.unknown_format(times.len(), column, unknown))?);
                        }
                        let known = format.as_ref().expect("set above");
                        let time = known
                            .parse(text, zone)
                            .ok_or_else(|| self.cell_error(times.len(), column, format!("`{text}` is not a time"), &known.expected()))?;
                        times.push(Some(time));
                    }
                }
            }
        }
        if let (Some(format), Ok(mut formats)) = (format, self.table.formats.lock()) {
            formats.insert(column.to_owned(), format);
        }
        Ok(times)
    }

    /// What a time column holds, by these rows: dates only where every one of them is a date.
    pub(crate) fn time_kind(&self, column: &str) -> Result<TimeKind, TablesError> {
        let times = self.times(column)?;
        let format = self.table.formats.lock().ok().and_then(|formats| formats.get(column).cloned());
        let all_dates = times.iter().any(Option::is_some) && times.iter().flatten().all(|stamp| stamp.start != stamp.known);
        Ok(match format {
            Some(TimeFormat::EpochSeconds) => TimeKind::EpochSeconds,
            Some(TimeFormat::EpochMillis) => TimeKind::EpochMillis,
            _ if all_dates => TimeKind::Date,
            _ => TimeKind::Instant,
        })
    }

    fn unknown_format(&self, row: usize, column: &str, unknown: UnknownFormat) -> TablesError {
        self.cell_error(row, column, unknown.found, &unknown.help)
    }
}
