//! One file of a table: its columns and types, and the rows of some columns as the engine reads
//! them.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polars_arrow::array::Array;
use polars_arrow::datatypes::Field;
use polars_arrow::io::ipc::read::{
    FileMetadata as ArrowMetadata, FileReader, get_row_count, get_row_count_from_blocks,
    read_file_metadata,
};
use polars_core::error::PolarsResult;
use polars_core::prelude::{Column, DataFrame};
use polars_io::prelude::{FileMetadata, FileMetadataRef, ParquetReader, SerReader};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::nested::{Names, Nested, roots, take_out};
use super::text::Text;
use leadscore_core::{agree, counted};

use crate::arrow_types::{self, Unreadable};
use crate::error::TablesError;
use crate::frame::{Frame, RowNames};
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
    /// Columns that are fields of objects.
    pub(super) nested: Nested,
    /// Names of objects, whose fields are columns.
    pub(super) objects: BTreeSet<String>,
    /// By what a file that is read bit by bit is known; `None` for what is in memory.
    pub(super) version: Option<Version>,
    /// What its rows are called in messages, where they have names.
    pub(super) row_names: Option<RowNames>,
}

/// Some rows, by offset and number.
type Slice = (usize, usize);

/// Where the rows are.
#[derive(Clone)]
pub(super) enum Rows {
    Frame(Arc<DataFrame>),
    Text(Arc<Text>),
    /// A file some of whose columns may be of types that the engine cannot hold: it must not see
    /// them.
    Parquet {
        metadata: FileMetadataRef,
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
    /// Where in the file these rows are, if they are objects on lines.
    pub(super) fn places_of_objects(&self, rows: &BTreeSet<usize>) -> Vec<String> {
        match &self.rows {
            Rows::Text(text) => text.places_of_objects(rows),
            Rows::Frame(_) | Rows::Parquet { .. } | Rows::Arrow => Vec::new(),
        }
    }

    /// A frame with its columns, and those that nobody reads, which are the last.
    pub(super) fn of_frame(frame: &Frame, table: &str) -> (Self, Vec<String>, Unreadable) {
        let mut names = Names::default();
        for column in frame.data.columns() {
            names.add(column.name(), column.dtype());
        }
        names.unreadable.extend(
            frame
                .unreadable
                .iter()
                .map(|(name, kind)| (name.clone(), kind.clone())),
        );
        names.columns.extend(frame.unreadable.keys().cloned());
        let part = Self {
            path: PathBuf::from(frame.called(table)),
            rows: Rows::Frame(Arc::clone(&frame.data)),
            csv: None,
            uuids: BTreeSet::new(),
            days: BTreeSet::new(),
            nested: names.nested,
            objects: names.objects,
            version: None,
            row_names: frame.row_names.clone(),
        };
        (part, names.columns, names.unreadable)
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
        slice: Option<Slice>,
    ) -> Result<DataFrame, TablesError> {
        if columns
            .iter()
            .any(|column| self.nested.contains_key(*column))
        {
            let objects = roots(columns, &self.nested);
            let frame = self.on_same_file(|| self.read_rows(&objects, slice))?;
            return take_out(&frame, columns, &self.nested)
                .map_err(|error| engine_error(&self.path, error));
        }
        self.on_same_file(|| self.read_rows(columns, slice))
    }

    fn read_rows(&self, columns: &[&str], slice: Option<Slice>) -> Result<DataFrame, TablesError> {
        let fail = |error| engine_error(&self.path, error);
        if columns.is_empty() {
            return Ok(DataFrame::empty());
        }
        let frame = match &self.rows {
            Rows::Frame(frame) => {
                let frame = frame.select(columns.iter().copied()).map_err(fail)?;
                match slice {
                    Some((offset, n_rows)) => frame.slice(offset as i64, n_rows),
                    None => frame,
                }
            }
            Rows::Text(text) => {
                let (offset, n_rows) = slice.unwrap_or((0, text.n_rows()));
                let rows = offset..(offset + n_rows).min(text.n_rows());
                text.read(columns, rows).map_err(fail)?
            }
            Rows::Parquet { metadata, special } => {
                self.read_parquet(columns, metadata, special, slice)?
            }
            Rows::Arrow => self.read_arrow(columns, slice)?,
        };
        if let (None, Some((_, expected))) = (slice, self.csv)
            && frame.height() != expected
        {
            return Err(TablesError::Format {
                path: self.path.clone(),
                found: format!(
                    "{} {} read where the file has {expected}",
                    counted(frame.height(), "row"),
                    agree(frame.height(), "was", "were")
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
        metadata: &FileMetadataRef,
        special: &BTreeSet<String>,
        slice: Option<Slice>,
    ) -> Result<DataFrame, TablesError> {
        let fail = |error| engine_error(&self.path, error);
        let (metadata, slice) = match slice {
            None => (Arc::clone(metadata), None),
            Some(slice) => {
                let (metadata, slice) = groups_of(metadata, slice);
                (metadata, Some(slice))
            }
        };
        let read = |names: Vec<String>, is_bare: bool| -> Result<Vec<Column>, TablesError> {
            if names.is_empty() {
                return Ok(Vec::new());
            }
            let mut reader = ParquetReader::new(open_file(&self.path)?);
            reader.set_metadata(if is_bare {
                Arc::new(without_notes(&metadata))
            } else {
                Arc::clone(&metadata)
            });
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
        in_order(columns, &found).map_err(fail)
    }

    fn read_arrow(&self, columns: &[&str], slice: Option<Slice>) -> Result<DataFrame, TablesError> {
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
        let (blocks, slice) = match slice {
            None => (0..metadata.blocks.len(), None),
            Some(slice) => {
                let (blocks, slice) = blocks_of(&mut file, &metadata, slice).map_err(fail)?;
                (blocks, Some(slice))
            }
        };
        let share = blocks.len().div_ceil(rayon::current_num_threads()).max(1);
        let begins: Vec<usize> = blocks.clone().step_by(share).collect();
        let read = |&begin: &usize| -> Result<Vec<Vec<Box<dyn Array>>>, TablesError> {
            let file = open_file(&self.path)?;
            let mut reader =
                FileReader::new(file, metadata.clone(), Some(projection.clone()), None);
            reader.set_current_block(begin);
            let batches = reader.take(share.min(blocks.end - begin));
            batches
                .map(|batch| Ok(batch.map_err(fail)?.into_arrays()))
                .collect()
        };
        let batches: Vec<_> = begins.par_iter().map(read).collect();
        let mut arrays: Vec<Vec<Box<dyn Array>>> = vec![Vec::new(); fields.len()];
        for batches in batches {
            for batch in batches? {
                arrays
                    .iter_mut()
                    .zip(batch)
                    .for_each(|(column, array)| column.push(array));
            }
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
        let frame = in_order(columns, &found).map_err(fail)?;
        Ok(match slice {
            Some((offset, n_rows)) => frame.slice(offset as i64, n_rows),
            None => frame,
        })
    }

    /// Runs of about this many rows; those of Parquet begin and end with its row groups, so that
    /// none is decoded twice.
    pub(super) fn runs(&self, rows_per_batch: usize) -> Result<Vec<usize>, TablesError> {
        let groups = match self.row_groups() {
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
        match &self.rows {
            Rows::Parquet { metadata, .. } => {
                let groups = metadata.row_groups.iter();
                Some(groups.map(|group| group.num_rows()).collect())
            }
            Rows::Frame(_) | Rows::Text(_) | Rows::Arrow => None,
        }
    }

    /// Rows, where the file tells them without being read; else none.
    pub(super) fn n_rows_told(&self) -> usize {
        match self.csv {
            Some((_, n_rows)) => n_rows,
            None => self.row_groups().map_or(0, |groups| groups.iter().sum()),
        }
    }

    pub(super) fn n_rows(&self) -> Result<usize, TablesError> {
        if let Some((_, n_rows)) = self.csv {
            return Ok(n_rows);
        }
        self.on_same_file(|| self.count_rows())
    }

    fn count_rows(&self) -> Result<usize, TablesError> {
        match &self.rows {
            Rows::Frame(frame) => Ok(frame.height()),
            Rows::Text(text) => Ok(text.n_rows()),
            Rows::Parquet { metadata, .. } => Ok(metadata.num_rows),
            Rows::Arrow => {
                let mut file = open_file(&self.path)?;
                let n_rows = get_row_count(&mut file);
                Ok(n_rows.map_err(|error| engine_error(&self.path, error))? as usize)
            }
        }
    }
}

/// The row groups that have rows of a slice, and the slice within them: others are not decoded.
fn groups_of(metadata: &FileMetadata, (offset, n_rows): Slice) -> (FileMetadataRef, Slice) {
    let mut groups = 0..0;
    let (mut begin, mut skipped) = (0, 0);
    for (at, group) in metadata.row_groups.iter().enumerate() {
        if begin >= offset + n_rows {
            break;
        }
        begin += group.num_rows();
        groups.end = at + 1;
        if begin <= offset {
            skipped = begin;
            groups.start = at + 1;
        }
    }
    let wanted = Arc::new(some_groups(metadata, groups, true));
    (wanted, (offset - skipped, n_rows))
}

/// The record batches that have rows of a slice, and the slice within them.
fn blocks_of(
    file: &mut std::fs::File,
    metadata: &ArrowMetadata,
    (offset, n_rows): Slice,
) -> PolarsResult<(Range<usize>, Slice)> {
    let mut blocks = 0..0;
    let (mut begin, mut skipped) = (0, 0);
    for (at, block) in metadata.blocks.iter().enumerate() {
        if begin >= offset + n_rows {
            break;
        }
        let n_of_block = get_row_count_from_blocks(file, std::slice::from_ref(block))?;
        begin += n_of_block as usize;
        blocks.end = at + 1;
        if begin <= offset {
            skipped = begin;
            blocks.start = at + 1;
        }
    }
    Ok((blocks, (offset - skipped, n_rows)))
}

/// A Parquet file's metadata without the types that its writer noted down beside its own.
pub(super) fn without_notes(metadata: &FileMetadata) -> FileMetadata {
    some_groups(metadata, 0..metadata.row_groups.len(), false)
}

/// The metadata of a file that has some of the row groups alone: each is large where columns are
/// many.
fn some_groups(metadata: &FileMetadata, groups: Range<usize>, has_notes: bool) -> FileMetadata {
    let row_groups = metadata.row_groups[groups].to_vec();
    FileMetadata {
        version: metadata.version,
        num_rows: row_groups.iter().map(|group| group.num_rows()).sum(),
        max_row_group_height: metadata.max_row_group_height,
        created_by: metadata.created_by.clone(),
        row_groups,
        key_value_metadata: metadata.key_value_metadata.clone().filter(|_| has_notes),
        schema_descr: metadata.schema_descr.clone(),
        column_orders: metadata.column_orders.clone(),
        footer_buf: metadata.footer_buf.clone(),
    }
}

/// Columns in the order in which they were asked for.
fn in_order(names: &[&str], found: &[Column]) -> PolarsResult<DataFrame> {
    let n_rows = found.first().map_or(0, Column::len);
    let in_order = names.iter().filter_map(|&name| {
        found
            .iter()
            .find(|column| column.name().as_str() == name)
            .cloned()
    });
    DataFrame::new(n_rows, in_order.collect())
}

pub(super) fn open_file(path: &Path) -> Result<std::fs::File, TablesError> {
    std::fs::File::open(path).map_err(|source| TablesError::Io {
        action: "open",
        path: path.to_owned(),
        source,
    })
}

pub(crate) fn engine_error(path: &Path, error: polars_core::error::PolarsError) -> TablesError {
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
