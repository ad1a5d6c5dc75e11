//! One file of a table: its columns and types, and the rows of some columns as the engine reads
//! them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polars::prelude::{
    Column, DataFrame, DataType, IntoLazy, LazyCsvReader, LazyFileListReader, LazyFrame,
    LazyJsonLineReader, ParquetReader, PlRefPath, ScanArgsParquet, ScanSources, SerReader, col,
};
use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowSchema, Field};
use polars_arrow::io::ipc::read::{FileReader, read_file_metadata};

use crate::arrow_file;
use crate::arrow_types::{self, Reading, Unreadable};
use crate::error::TablesError;
use crate::frame::Frame;
use crate::panics::caught;
use crate::parquet_file::{self, Chunk};
use crate::source::{MOST_COLUMNS, Source, Version, changed, too_many_columns};

#[derive(Clone)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    rows: Rows,
    /// Delimiter and rows of a CSV file; `None` for typed formats.
    pub(super) csv: Option<(u8, usize)>,
    /// Columns of bytes that are UUIDs.
    pub(super) uuids: BTreeSet<String>,
    /// Columns of days in milliseconds.
    days: BTreeSet<String>,
    /// By what a file that is read bit by bit is known; `None` for what is in memory.
    version: Option<Version>,
}

/// Who reads the rows.
#[derive(Clone)]
enum Rows {
    Lazy(Box<LazyFrame>),
    /// A file with types that the engine cannot hold: it must not see them.
    Parquet {
        special: BTreeSet<String>,
    },
    Arrow,
}

/// Rows of one file of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch {
    pub(super) part: usize,
    /// Of the file.
    pub(super) offset: usize,
    pub(crate) n_rows: usize,
    /// Rows of the table before it.
    pub(super) first_row: usize,
}

impl Batch {
    pub(crate) fn first_row(&self) -> usize {
        self.first_row
    }
}

impl Part {
    pub(super) fn of_frame(frame: &Frame, table: &str) -> Self {
        Self {
            path: PathBuf::from(frame.called(table)),
            rows: Rows::Lazy(Box::new(frame.data.as_ref().clone().lazy())),
            csv: None,
            uuids: BTreeSet::new(),
            days: BTreeSet::new(),
            version: None,
        }
    }

    /// A file with its columns, and those that nobody reads.
    pub(super) fn open(
        source: Source,
        notes: &mut Vec<String>,
    ) -> Result<(Self, Vec<String>, Unreadable), TablesError> {
        let path = source.path().to_owned();
        let (part, columns, unreadable) = caught(&path, || Self::look_into(source, notes))?;
        if columns.len() > MOST_COLUMNS {
            return Err(TablesError::Format {
                path,
                found: format!("there are {} columns", columns.len()),
                help: too_many_columns().to_owned(),
            });
        }
        Ok((part, columns, unreadable))
    }

    fn look_into(
        source: Source,
        notes: &mut Vec<String>,
    ) -> Result<(Self, Vec<String>, Unreadable), TablesError> {
        let path = source.path().to_owned();
        let fail = |error| engine_error(&path, error);
        let version = match source {
            Source::Csv { .. } | Source::Ndjson { .. } => None,
            Source::Parquet { .. } | Source::Arrow { .. } => Version::at(&path),
        };
        let mut part = Self {
            path: path.clone(),
            rows: Rows::Arrow,
            csv: None,
            uuids: BTreeSet::new(),
            days: BTreeSet::new(),
            version,
        };
        let mut lazy = match source {
            Source::Csv {
                text,
                delimiter,
                header,
                n_rows,
                note,
                ..
            } => {
                notes.extend(note.map(|note| format!("{}: {note}", path.display())));
                part.csv = Some((delimiter, n_rows));
                // Every cell comes as text: types are decided over whole columns, and no cell is
                // lost to a guess.
                let mut lazy =
                    LazyCsvReader::new_with_sources(ScanSources::Buffers(vec![text.into()].into()))
                        .with_separator(delimiter)
                        .with_infer_schema_length(Some(0))
                        .finish()
                        .map_err(fail)?;
                let columns = names(&mut lazy).map_err(fail)?;
                // Names without the blanks around them, as the header check knows them.
                if columns.len() == header.len() && columns != header {
                    lazy = lazy.rename(columns.iter(), header.iter(), true);
                }
                lazy
            }
            Source::Ndjson { text, .. } => {
                LazyJsonLineReader::new_with_sources(ScanSources::Buffers(vec![text.into()].into()))
                    .with_infer_schema_length(None)
                    .finish()
                    .map_err(fail)?
            }
            Source::Parquet { .. } => {
                let mut reader = ParquetReader::new(open_file(&path)?);
                let metadata = Arc::clone(reader.get_metadata().map_err(fail)?);
                let chunks = metadata.row_groups.iter().flat_map(|group| {
                    group.parquet_columns().iter().map(|column| Chunk {
                        range: column.byte_range(),
                        n_values: column.num_values(),
                        n_rows: (column.descriptor().descriptor.max_rep_level == 0)
                            .then(|| group.num_rows()),
                    })
                });
                let io_error = |source| TablesError::Io {
                    action: "read",
                    path: path.clone(),
                    source,
                };
                if let Some(found) =
                    parquet_file::damage(&open_file(&path)?, chunks).map_err(io_error)?
                {
                    return Err(damaged(path, found));
                }
                let said = metadata
                    .key_value_metadata
                    .iter()
                    .flatten()
                    .find(|said| said.key == "ARROW:schema")
                    .and_then(|said| said.value.as_deref());
                if said.is_some_and(arrow_types::is_unknown_in_parquet) {
                    let bare = bare_schema(&path).map_err(fail)?;
                    let readings = part.readings(&bare);
                    let special = readings
                        .columns
                        .iter()
                        .filter(|column| !readings.unreadable.contains_key(*column))
                        .cloned()
                        .collect();
                    part.rows = Rows::Parquet { special };
                    return Ok((part, readings.columns, readings.unreadable));
                }
                let schema = reader.schema().map_err(fail)?;
                for column in metadata.schema_descr.columns() {
                    // The logical type has no name that could be matched from here.
                    if format!("{:?}", column.descriptor.primitive_type.logical_type)
                        == "Some(Uuid)"
                    {
                        part.uuids
                            .insert(column.descriptor.primitive_type.field_info.name.to_string());
                    }
                }
                let mut readings = part.readings(&schema);
                if readings.special.is_empty() && readings.unreadable.is_empty() {
                    let reference = PlRefPath::try_from_path(&path).map_err(fail)?;
                    LazyFrame::scan_parquet(
                        reference,
                        ScanArgsParquet {
                            glob: false,
                            ..Default::default()
                        },
                    )
                    .map_err(fail)?
                } else {
                    // Without the Arrow types that the writer had in mind, a file has types of its
                    // own.
                    let bare = bare_schema(&path).map_err(fail)?;
                    let is_held = |name: &String| {
                        bare.get(name.as_str()).is_some_and(|field| {
                            arrow_types::reading(&field.dtype) == Reading::Plain
                        })
                    };
                    let (special, lost): (BTreeSet<String>, BTreeSet<String>) =
                        readings.special.into_iter().partition(is_held);
                    for name in lost {
                        let kind = schema
                            .get(name.as_str())
                            .map_or_else(String::new, |field| arrow_types::type_name(&field.dtype));
                        readings.unreadable.insert(name, kind);
                    }
                    part.rows = Rows::Parquet { special };
                    return Ok((part, readings.columns, readings.unreadable));
                }
            }
            Source::Arrow { .. } => {
                let io_error = |source| TablesError::Io {
                    action: "read",
                    path: path.clone(),
                    source,
                };
                if let Some(found) = arrow_file::damage(&path).map_err(io_error)? {
                    return Err(damaged(path, found));
                }
                if let Some((column, kind)) =
                    arrow_types::unknown_in_file(&path).map_err(io_error)?
                {
                    let found = format!(
                        "column `{column}` holds {kind}, beside which no column can be read"
                    );
                    return Err(TablesError::Format {
                        path,
                        found,
                        help: "write the file without it, or as Parquet".to_owned(),
                    });
                }
                let schema = read_file_metadata(&mut open_file(&path)?)
                    .map_err(fail)?
                    .schema;
                let readings = part.readings(&schema);
                if !(readings.special.is_empty() && readings.unreadable.is_empty()) {
                    return Ok((part, readings.columns, readings.unreadable));
                }
                let reference = PlRefPath::try_from_path(&path).map_err(fail)?;
                LazyFrame::scan_ipc(
                    reference,
                    polars::prelude::IpcScanOptions::default(),
                    polars::prelude::UnifiedScanArgs {
                        glob: false,
                        ..Default::default()
                    },
                )
                .map_err(fail)?
            }
        };
        let columns = names(&mut lazy).map_err(fail)?;
        part.rows = Rows::Lazy(Box::new(lazy));
        Ok((part, columns, Unreadable::new()))
    }

    /// Sorts columns by how their cells come to be ours.
    fn readings(&mut self, schema: &ArrowSchema) -> Readings {
        let mut readings = Readings {
            columns: Vec::new(),
            special: BTreeSet::new(),
            unreadable: Unreadable::new(),
        };
        for field in schema.iter_values() {
            let name = field.name.to_string();
            match arrow_types::reading(&field.dtype) {
                Reading::Plain => {}
                Reading::Days => drop(self.days.insert(name.clone())),
                Reading::Uuid => {
                    self.uuids.insert(name.clone());
                    readings.special.insert(name.clone());
                }
                Reading::Storage | Reading::UnknownZone => {
                    _ = readings.special.insert(name.clone());
                }
                Reading::Nothing => drop(
                    readings
                        .unreadable
                        .insert(name.clone(), arrow_types::type_name(&field.dtype)),
                ),
            }
            readings.columns.push(name);
        }
        readings
    }

    /// Does what looks into the file, which must be the same before and after.
    fn on_same_file<T>(
        &self,
        work: impl FnOnce() -> Result<T, TablesError>,
    ) -> Result<T, TablesError> {
        let is_same = || self.version.is_none() || Version::at(&self.path) == self.version;
        if !is_same() {
            return Err(changed(&self.path));
        }
        let outcome = caught(&self.path, work);
        if is_same() {
            outcome
        } else {
            Err(changed(&self.path))
        }
    }

    /// These columns of the rows, or of some of them by offset and number.
    pub(super) fn read(
        &self,
        columns: &[&str],
        slice: Option<(usize, usize)>,
    ) -> Result<DataFrame, TablesError> {
        self.on_same_file(|| self.read_rows(columns, slice))
    }

    fn read_rows(
        &self,
        columns: &[&str],
        slice: Option<(usize, usize)>,
    ) -> Result<DataFrame, TablesError> {
        let fail = |error| engine_error(&self.path, error);
        let frame = match &self.rows {
            Rows::Lazy(lazy) => {
                let lazy = lazy
                    .clone()
                    .select(columns.iter().map(|&name| col(name)).collect::<Vec<_>>());
                let lazy = match slice {
                    Some((offset, n_rows)) => lazy.slice(offset as i64, n_rows as u32),
                    None => lazy,
                };
                lazy.collect().map_err(fail)?
            }
            Rows::Parquet { special } => self.read_parquet(columns, special, slice)?,
            Rows::Arrow => self.read_arrow(columns, slice)?,
        };
        if let (None, Some((_, expected))) = (slice, self.csv)
            && frame.height() != expected
            && !columns.is_empty()
        {
            return Err(TablesError::Format {
                path: self.path.clone(),
                found: format!(
                    "{} rows were read where the file has {expected}",
                    frame.height()
                ),
                help: "look for blank lines or stray quotes, or export it as Parquet".to_owned(),
            });
        }
        if !columns.iter().any(|column| self.days.contains(*column)) {
            return Ok(frame);
        }
        let dates = frame.columns().iter().map(|column| {
            if self.days.contains(column.name().as_str()) {
                arrow_types::to_dates(column.as_materialized_series())
            } else {
                Ok(column.clone())
            }
        });
        DataFrame::new(
            frame.height(),
            dates.collect::<Result<Vec<_>, _>>().map_err(fail)?,
        )
        .map_err(fail)
    }

    fn read_parquet(
        &self,
        columns: &[&str],
        special: &BTreeSet<String>,
        slice: Option<(usize, usize)>,
    ) -> Result<DataFrame, TablesError> {
        let fail = |error| engine_error(&self.path, error);
        let read = |names: Vec<String>, is_bare: bool| -> Result<Vec<Column>, TablesError> {
            if names.is_empty() {
                return Ok(Vec::new());
            }
            let mut reader = ParquetReader::new(open_file(&self.path)?);
            if is_bare {
                let mut metadata = reader.get_metadata().map_err(fail)?.as_ref().clone();
                metadata.key_value_metadata = None;
                reader = ParquetReader::new(open_file(&self.path)?);
                reader.set_metadata(std::sync::Arc::new(metadata));
            }
            Ok(reader
                .with_columns(Some(names))
                .with_slice(slice)
                .finish()
                .map_err(fail)?
                .columns()
                .to_vec())
        };
        let (bare, plain): (Vec<String>, Vec<String>) = columns
            .iter()
            .map(|&column| column.to_owned())
            .partition(|column| special.contains(column));
        let mut found = read(plain, false)?;
        found.extend(read(bare, true)?);
        let n_rows = found.first().map_or(0, Column::len);
        let in_order = columns.iter().filter_map(|&name| {
            found
                .iter()
                .find(|column| column.name().as_str() == name)
                .cloned()
        });
        DataFrame::new(n_rows, in_order.collect()).map_err(fail)
    }

    fn read_arrow(
        &self,
        columns: &[&str],
        slice: Option<(usize, usize)>,
    ) -> Result<DataFrame, TablesError> {
        let fail = |error| engine_error(&self.path, error);
        let mut file = open_file(&self.path)?;
        let metadata = read_file_metadata(&mut file).map_err(fail)?;
        let mut projection: Vec<usize> = columns
            .iter()
            .filter_map(|&name| metadata.schema.index_of(name))
            .collect();
        projection.sort_unstable();
        let fields: Vec<Field> = projection
            .iter()
            .filter_map(|&at| metadata.schema.get_at_index(at))
            .map(|(_, field)| field.clone())
            .collect();
        let mut arrays: Vec<Vec<Box<dyn Array>>> = vec![Vec::new(); fields.len()];
        for batch in FileReader::new(file, metadata, Some(projection), None) {
            arrays
                .iter_mut()
                .zip(batch.map_err(fail)?.into_arrays())
                .for_each(|(column, array)| column.push(array));
        }
        let mut found = Vec::with_capacity(fields.len());
        for (field, arrays) in fields.iter().zip(arrays) {
            found.extend(
                arrow_types::series_of(field, arrays)
                    .transpose()
                    .map_err(fail)?
                    .map(Column::from),
            );
        }
        let n_rows = found.first().map_or(0, Column::len);
        let in_order = columns.iter().filter_map(|&name| {
            found
                .iter()
                .find(|column| column.name().as_str() == name)
                .cloned()
        });
        let frame = DataFrame::new(n_rows, in_order.collect()).map_err(fail)?;
        Ok(slice.map_or_else(
            || frame.clone(),
            |(offset, n_rows)| frame.slice(offset as i64, n_rows),
        ))
    }

    /// Runs of about this many rows; those of Parquet begin and end with its row groups, so that
    /// none is decoded twice.
    pub(super) fn runs(&self, rows_per_batch: usize) -> Result<Vec<usize>, TablesError> {
        let groups = self.on_same_file(|| Ok(self.row_groups()))?;
        let groups = match groups {
            Some(groups) => groups,
            None => vec![self.n_rows()?],
        };
        let mut runs: Vec<usize> = Vec::new();
        for group in groups.into_iter().filter(|&rows| rows > 0) {
            match runs.last_mut() {
                Some(last) if *last + group <= rows_per_batch => *last += group,
                _ if group <= 2 * rows_per_batch => runs.push(group),
                _ => runs.extend(
                    (0..group)
                        .step_by(rows_per_batch)
                        .map(|begin| rows_per_batch.min(group - begin)),
                ),
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
        let metadata = ParquetReader::new(file).get_metadata().ok()?.clone();
        Some(
            metadata
                .row_groups
                .iter()
                .map(|group| group.num_rows())
                .collect(),
        )
    }

    /// Rows, where the file tells them without being read; else none.
    pub(super) fn n_rows_told(&self) -> usize {
        match self.csv {
            Some((_, n_rows)) => n_rows,
            None => caught(&self.path, || Ok(self.row_groups()))
                .ok()
                .flatten()
                .map_or(0, |groups| groups.iter().sum()),
        }
    }

    pub(super) fn n_rows(&self) -> Result<usize, TablesError> {
        if let Some((_, n_rows)) = self.csv {
            return Ok(n_rows);
        }
        self.on_same_file(|| self.count_rows())
    }

    fn count_rows(&self) -> Result<usize, TablesError> {
        let fail = |error| engine_error(&self.path, error);
        let Rows::Lazy(lazy) = &self.rows else {
            return match self.row_groups() {
                Some(groups) => Ok(groups.iter().sum()),
                None => {
                    let mut file = open_file(&self.path)?;
                    Ok(
                        polars_arrow::io::ipc::read::get_row_count(&mut file).map_err(fail)?
                            as usize,
                    )
                }
            };
        };
        let frame = lazy
            .clone()
            .select([polars::prelude::len().alias("n")])
            .collect()
            .map_err(fail)?;
        let counted = frame
            .column("n")
            .and_then(|column| column.cast(&DataType::UInt64))
            .map_err(fail)?;
        Ok(counted.u64().map_err(fail)?.get(0).unwrap_or(0) as usize)
    }
}

struct Readings {
    columns: Vec<String>,
    special: BTreeSet<String>,
    unreadable: Unreadable,
}

fn names(lazy: &mut LazyFrame) -> polars::error::PolarsResult<Vec<String>> {
    Ok(lazy
        .collect_schema()?
        .iter_names()
        .map(ToString::to_string)
        .collect())
}

fn damaged(path: PathBuf, found: &str) -> TablesError {
    TablesError::Format {
        path,
        found: found.to_owned(),
        help: "the file may be damaged or cut off: export it again".to_owned(),
    }
}

fn open_file(path: &Path) -> Result<std::fs::File, TablesError> {
    std::fs::File::open(path).map_err(|source| TablesError::Io {
        action: "open",
        path: path.to_owned(),
        source,
    })
}

/// The types of a Parquet file without those that its writer noted down beside them.
fn bare_schema(
    path: &Path,
) -> polars::error::PolarsResult<polars_arrow::datatypes::ArrowSchemaRef> {
    let mut metadata = ParquetReader::new(std::fs::File::open(path)?)
        .get_metadata()?
        .as_ref()
        .clone();
    metadata.key_value_metadata = None;
    let mut reader = ParquetReader::new(std::fs::File::open(path)?);
    reader.set_metadata(std::sync::Arc::new(metadata));
    reader.schema()
}

pub(crate) fn engine_error(path: &Path, error: polars::error::PolarsError) -> TablesError {
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
    TablesError::Engine {
        action: "read",
        path: path.to_owned(),
        format,
        source: Box::new(error),
    }
}
