//! One file of a table: its columns and types, and the rows of some columns as the engine reads
//! them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use polars::prelude::{
    Column, DataFrame, DataType, IntoLazy, LazyFrame, ParquetReader, SerReader, col,
};
use polars_arrow::array::Array;
use polars_arrow::datatypes::Field;
use polars_arrow::io::ipc::read::{FileReader, read_file_metadata};

use crate::arrow_types;
use crate::error::TablesError;
use crate::frame::Frame;
use crate::panics::caught;
use crate::text_bytes::{Version, changed};

/// One file of a table, or a frame.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) rows: Rows,
    /// Delimiter and rows of a CSV file; `None` for typed formats.
    pub(super) csv: Option<(u8, usize)>,
    /// Columns of bytes that are UUIDs.
    pub(super) uuids: BTreeSet<String>,
    /// Columns of days in milliseconds.
    pub(super) days: BTreeSet<String>,
    /// By what a file that is read bit by bit is known; `None` for what is in memory.
    pub(super) version: Option<Version>,
}

/// Who reads the rows.
#[derive(Clone)]
pub(super) enum Rows {
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

pub(super) fn open_file(path: &Path) -> Result<std::fs::File, TablesError> {
    std::fs::File::open(path).map_err(|source| TablesError::Io {
        action: "open",
        path: path.to_owned(),
        source,
    })
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
