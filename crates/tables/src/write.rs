//! Tables to files, whole or not at all: a temporary file beside the target, synced, then renamed over it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use leadscore_core::Timestamp;
use polars::prelude::{Column as PolarsColumn, DataFrame, IntoColumn, NamedFrom, ParquetCompression, ParquetWriter, Series, StatisticsOptions, TimeUnit};

use crate::error::TablesError;

/// A column to be written, missing cells as `None` or NaN.
#[derive(Debug, Clone, PartialEq)]
pub enum OutColumn {
    /// Texts.
    Text(Vec<Option<String>>),
    /// Numbers, NaN where missing.
    Number(Vec<f64>),
    /// Whole numbers.
    Integer(Vec<Option<i64>>),
    /// Moments in UTC.
    Time(Vec<Option<Timestamp>>),
    /// Yes or no.
    Boolean(Vec<bool>),
}

impl OutColumn {
    fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Number(values) => values.len(),
            Self::Integer(values) => values.len(),
            Self::Time(values) => values.len(),
            Self::Boolean(values) => values.len(),
        }
    }
}

/// Named columns of one length, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OutTable {
    /// Name and values of each column.
    pub columns: Vec<(String, OutColumn)>,
    /// Key and value pairs for formats that can hold them (Parquet).
    pub metadata: Vec<(String, String)>,
}

impl OutTable {
    /// Adds a column at the end.
    pub fn push(&mut self, name: &str, column: OutColumn) {
        self.columns.push((name.to_owned(), column));
    }

    fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    pub(crate) fn to_data_frame(&self) -> polars::prelude::PolarsResult<DataFrame> {
        DataFrame::new(self.n_rows(), self.columns.iter().map(|(name, column)| to_series(name, column)).collect())
    }
}

/// Files and folders that are being written: removed when the program is interrupted.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Removes every file that is still being written; for the handler of Ctrl-C.
pub fn remove_unfinished() {
    if let Ok(mut paths) = UNFINISHED.lock() {
        for path in std::mem::take(&mut *paths) {
            // Nothing more can be done about a file that cannot be removed.
            let _ = if path.is_dir() { remove_folder(&path) } else { std::fs::remove_file(path) };
        }
    }
}

/// A file that appears under its name only when it is finished; dropped before, it leaves nothing behind.
#[derive(Debug)]
pub struct OutFile {
    target: PathBuf,
    temporary: Option<tempfile::TempPath>,
    writer: Option<BufWriter<File>>,
}

impl OutFile {
    /// Opens a temporary file in the folder of `target`; a target that is a device or a pipe is written directly.
    ///
    /// # Errors
    ///
    /// [`TablesError::Io`] where the folder does not exist or cannot be written.
    pub fn create(target: &Path) -> Result<Self, TablesError> {
        let error = |action| move |source| TablesError::Io { action, path: target.to_owned(), source };
        if target.is_dir() {
            return Err(TablesError::Format { path: target.to_owned(), found: "this is a folder".to_owned(), help: "name a file in it".to_owned() });
        }
        if target.metadata().is_ok_and(|meta| !meta.is_file()) {
            let file = File::options().write(true).open(target).map_err(error("write"))?;
            return Ok(Self { target: target.to_owned(), temporary: None, writer: Some(BufWriter::new(file)) });
        }
        let folder = folder_of(target);
        if !folder.is_dir() {
            return Err(TablesError::Format {
                path: target.to_owned(),
                found: format!("there is no folder {}", folder.display()),
                help: "make it first, or write elsewhere".to_owned(),
            });
        }
        remove_abandoned(folder);
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY.0).suffix(TEMPORARY.1);
        #[cfg(unix)]
        {
            // As any new file of this user, not private as temporary files are by default.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let (file, path) = builder.tempfile_in(folder).map_err(error("create"))?.into_parts();
        // Held while it is written, so that others see that somebody does. Where a file system has no locks, nothing is cleaned.
        let _ = file.try_lock();
        watch(&path);
        Ok(Self { target: target.to_owned(), temporary: Some(path), writer: Some(BufWriter::with_capacity(1 << 20, file)) })
    }

    /// Writes everything to disk and gives the file its name.
    ///
    /// # Errors
    ///
    /// [`TablesError::Io`]; the target is then as it was before.
    pub fn finish(mut self) -> Result<(), TablesError> {
        let target = self.target.clone();
        let error = |action| {
            let path = target.clone();
            move |source| TablesError::Io { action, path, source }
        };
        let writer = self.writer.take().expect("taken only here");
        let file = writer.into_inner().map_err(|failure| error("write")(failure.into_error()))?;
        if let Some(temporary) = self.temporary.take() {
            file.sync_all().map_err(error("write"))?;
            let path = temporary.to_path_buf();
            let renamed = temporary.persist(&self.target).map_err(|failure| error("rename the finished file over")(failure.error));
            forget(&path);
            renamed?;
        }
        Ok(())
    }
}

/// The folder that a file stands in, or would.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// How the names of unfinished files begin and end.
const TEMPORARY: (&str, &str) = (".leadscore-", ".tmp");
/// A file younger than this may be about to be locked by whoever made it.
const SETTLED: std::time::Duration = std::time::Duration::from_secs(60);

/// Removes unfinished files that a killed run left in a folder.
fn remove_abandoned(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !(name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1)) {
            continue;
        }
        let is_settled = entry.metadata().and_then(|meta| meta.modified()).is_ok_and(|at| at.elapsed().is_ok_and(|age| age > SETTLED));
        if is_settled && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Removes a folder that other threads may still write to: under another name, where they do not find it.
pub(crate) fn remove_folder(path: &Path) -> std::io::Result<()> {
    let mut gone = path.as_os_str().to_owned();
    gone.push(GONE);
    std::fs::rename(path, &gone)?;
    std::fs::remove_dir_all(gone)
}

/// The ending of a folder that is being removed.
pub(crate) const GONE: &str = ".gone";

/// A file or folder to be removed when the program is interrupted.
pub(crate) fn watch(path: &Path) {
    if let Ok(mut unfinished) = UNFINISHED.lock() {
        unfinished.insert(path.to_path_buf());
    }
}

pub(crate) fn forget(path: &Path) {
    if let Ok(mut unfinished) = UNFINISHED.lock() {
        unfinished.remove(path);
    }
}

impl Drop for OutFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            forget(temporary);
        }
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.writer.as_mut().expect("open until finished").write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.writer.as_mut().expect("open until finished").flush()
    }
}

/// Writes a table batch by batch, in the format that the ending names: csv, ndjson (or jsonl), parquet.
pub struct TableWriter {
    path: PathBuf,
    inner: Inner,
}

enum Inner {
    Csv { writer: Box<csv::Writer<OutFile>>, has_header: bool },
    Ndjson(OutFile),
    Parquet { file: SharedFile, metadata: Vec<(String, String)>, writer: Option<Box<polars::io::parquet::write::BatchedWriter<SharedFile>>> },
}

/// A file that the Parquet writer and we both hold: it does not give its writer back.
#[derive(Clone)]
struct SharedFile(Arc<Mutex<OutFile>>);

impl Write for SharedFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().map_err(|_| std::io::Error::other("a writer panicked"))?.write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.0.lock().map_err(|_| std::io::Error::other("a writer panicked"))?.flush()
    }
}

/// Fails early where a file could not be written, before the work whose result it would hold.
///
/// # Errors
///
/// As [`OutFile::create`].
pub fn check_target(path: &Path) -> Result<(), TablesError> {
    OutFile::create(path).map(drop)
}

/// The same for a table, whose ending says its format.
///
/// # Errors
///
/// As [`TableWriter::create`].
pub fn check_table_target(path: &Path) -> Result<(), TablesError> {
    TableWriter::create(path).map(drop)
}

/// Writes one table as one file.
///
/// # Errors
///
/// As [`TableWriter::create`], [`TableWriter::write`] and [`TableWriter::finish`].
pub fn write_table(path: &Path, table: &OutTable) -> Result<(), TablesError> {
    let mut writer = TableWriter::create(path)?;
    writer.write(table)?;
    writer.finish()
}

impl TableWriter {
    /// Opens a file; nothing appears under its name before [`TableWriter::finish`].
    ///
    /// # Errors
    ///
    /// [`TablesError::Format`] for an ending that is not written, [`TablesError::Io`] where the folder cannot be written.
    pub fn create(path: &Path) -> Result<Self, TablesError> {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let inner = match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
            "ndjson" | "jsonl" => Inner::Ndjson(OutFile::create(path)?),
            "parquet" | "pq" => Inner::Parquet { file: SharedFile(Arc::new(Mutex::new(OutFile::create(path)?))), metadata: Vec::new(), writer: None },
            "csv" => Inner::Csv { writer: Box::new(csv::Writer::from_writer(OutFile::create(path)?)), has_header: false },
            // A device has no ending, and plain text is what one reads from it.
            "" if path.metadata().is_ok_and(|meta| !meta.is_file()) => {
                Inner::Csv { writer: Box::new(csv::Writer::from_writer(OutFile::create(path)?)), has_header: false }
            }
            ending => {
                return Err(TablesError::Format {
                    path: path.to_owned(),
                    found: format!("tables are not written as `.{ending}`"),
                    help: "let the name end in .csv, .ndjson or .parquet".to_owned(),
                });
            }
        };
        Ok(Self { path: path.to_owned(), inner })
    }

    /// Adds a batch, whose columns are those of the first batch.
    ///
    /// In CSV, a text that a spreadsheet would run as a formula gets a quotation mark in front.
    ///
    /// # Errors
    ///
    /// [`TablesError::Io`] or [`TablesError::Engine`] where the disk is full or fails; [`TablesError::Format`] where two columns have one
    /// name.
    pub fn write(&mut self, table: &OutTable) -> Result<(), TablesError> {
        let mut seen = BTreeSet::new();
        if let Some((twice, _)) = table.columns.iter().find(|(name, _)| !seen.insert(name)) {
            return Err(TablesError::Format {
                path: self.path.clone(),
                found: format!("two columns would be called `{twice}`"),
                help: "rename the column of your tables, or the score, that has the name of another column here".to_owned(),
            });
        }
        let path = self.path.clone();
        let io_error = |source: std::io::Error| TablesError::Io { action: "write", path: path.clone(), source };
        match &mut self.inner {
            Inner::Csv { writer, has_header } => {
                let csv_error = |error: csv::Error| match error.into_kind() {
                    csv::ErrorKind::Io(source) => io_error(source),
                    _ => io_error(std::io::Error::other("a row has another width than the header")),
                };
                if !*has_header {
                    writer.write_record(table.columns.iter().map(|(name, _)| name)).map_err(csv_error)?;
                    *has_header = true;
                }
                for row in 0..table.n_rows() {
                    for (_, column) in &table.columns {
                        writer.write_field(csv_cell(column, row)).map_err(csv_error)?;
                    }
                    writer.write_record(None::<&[u8]>).map_err(csv_error)?;
                }
            }
            Inner::Ndjson(file) => {
                for row in 0..table.n_rows() {
                    let object: serde_json::Map<String, serde_json::Value> =
                        table.columns.iter().map(|(name, column)| (name.clone(), json_cell(column, row))).collect();
                    serde_json::to_writer(&mut *file, &object).map_err(|error| io_error(error.into()))?;
                    file.write_all(b"\n").map_err(io_error)?;
                }
            }
            Inner::Parquet { file, metadata, writer } => {
                let engine_error =
                    |error: polars::error::PolarsError| TablesError::Engine { action: "write", path: path.clone(), format: "Parquet", source: Box::new(error) };
                metadata.clone_from(&table.metadata);
                let frame = table.to_data_frame().map_err(engine_error)?;
                if writer.is_none() {
                    let options = ParquetWriter::new(file.clone())
                        .with_compression(ParquetCompression::Snappy)
                        .with_statistics(StatisticsOptions::empty())
                        .with_key_value_metadata(Some(polars::prelude::KeyValueMetadata::from_static(metadata.clone())));
                    *writer = Some(Box::new(options.batched(frame.schema()).map_err(engine_error)?));
                }
                writer.as_mut().expect("set above").write_batch(&frame).map_err(engine_error)?;
            }
        }
        Ok(())
    }

    /// Gives the file its name.
    ///
    /// # Errors
    ///
    /// [`TablesError::Io`] or [`TablesError::Engine`]; the target is then as it was before.
    pub fn finish(self) -> Result<(), TablesError> {
        let path = self.path;
        match self.inner {
            Inner::Csv { writer, .. } => {
                let file = writer.into_inner().map_err(|failure| TablesError::Io {
                    action: "write",
                    path,
                    source: std::io::Error::other(failure.error().to_string()),
                })?;
                file.finish()
            }
            Inner::Ndjson(file) => file.finish(),
            Inner::Parquet { file, writer, .. } => {
                if let Some(writer) = writer {
                    writer.finish().map_err(|error| TablesError::Engine { action: "write", path, format: "Parquet", source: Box::new(error) })?;
                }
                let file = Arc::into_inner(file.0).expect("the Parquet writer was dropped");
                file.into_inner().expect("no writer panicked").finish()
            }
        }
    }
}

fn csv_cell(column: &OutColumn, row: usize) -> String {
    match column {
        OutColumn::Text(values) => values[row].as_deref().map(neutralise).unwrap_or_default(),
        OutColumn::Number(values) if values[row].is_nan() => String::new(),
        OutColumn::Number(values) => values[row].to_string(),
        OutColumn::Integer(values) => values[row].map(|value| value.to_string()).unwrap_or_default(),
        OutColumn::Time(values) => values[row].map(|at| at.to_string()).unwrap_or_default(),
        OutColumn::Boolean(values) => values[row].to_string(),
    }
}

/// A text that no spreadsheet runs as a formula.
fn neutralise(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err() { format!("'{text}") } else { text.to_owned() }
}

fn json_cell(column: &OutColumn, row: usize) -> serde_json::Value {
    match column {
        OutColumn::Text(values) => values[row].clone().into(),
        OutColumn::Number(values) => serde_json::Number::from_f64(values[row]).map_or(serde_json::Value::Null, serde_json::Value::Number),
        OutColumn::Integer(values) => values[row].into(),
        OutColumn::Time(values) => values[row].map(|at| at.to_string()).into(),
        OutColumn::Boolean(values) => values[row].into(),
    }
}

fn to_series(name: &str, column: &OutColumn) -> PolarsColumn {
    let name = name.into();
    match column {
        OutColumn::Text(values) => Series::new(name, values).into_column(),
        OutColumn::Number(values) if values.iter().any(|value| value.is_nan()) => {
            Series::new(name, values.iter().map(|value| (!value.is_nan()).then_some(*value)).collect::<Vec<_>>()).into_column()
        }
        OutColumn::Number(values) => Series::new(name, values).into_column(),
        OutColumn::Integer(values) => Series::new(name, values).into_column(),
        OutColumn::Time(values) => {
            let micros: Vec<Option<i64>> = values.iter().map(|at| at.map(Timestamp::micros)).collect();
            let whole = Series::new(name, micros);
            whole.i64().expect("made of i64").clone().into_datetime(TimeUnit::Microseconds, None).into_column()
        }
        OutColumn::Boolean(values) => Series::new(name, values).into_column(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_is_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let long_ago = std::time::SystemTime::now() - 2 * SETTLED;
        let left = |name: &str, time: std::time::SystemTime| {
            let file = File::create(folder.path().join(name)).expect("room");
            file.set_modified(time).expect("a file's owner may");
            file
        };
        left(".leadscore-dead.tmp", long_ago);
        left(".leadscore-young.tmp", std::time::SystemTime::now());
        left("scores.tmp", long_ago);
        let used = left(".leadscore-used.tmp", long_ago);
        used.lock().expect("free");
        drop(OutFile::create(&folder.path().join("scores.csv")).expect("writable"));
        let mut names: Vec<String> =
            std::fs::read_dir(folder.path()).expect("readable").flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        assert_eq!(names, [".leadscore-used.tmp", ".leadscore-young.tmp", "scores.tmp"]);
    }

    #[test]
    fn nothing_appears_before_the_end() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("scores.csv");
        let mut writer = TableWriter::create(&path).expect("writable");
        let mut table = OutTable::default();
        table.push("id", OutColumn::Text(vec![Some("=1+1".to_owned()), Some("-5".to_owned()), None]));
        table.push("p", OutColumn::Number(vec![0.5, f64::NAN, 1.0]));
        writer.write(&table).expect("room on the disk");
        assert!(!path.exists());
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 0);
        write_table(&path, &table).expect("room on the disk");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "id,p\n'=1+1,0.5\n-5,\n,1\n");
    }
}
