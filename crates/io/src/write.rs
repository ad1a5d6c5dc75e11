//! Tables to files, batch by batch, in the format that the ending names.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use leadscore_core::Timestamp;
use polars_core::error::PolarsResult;
use polars_core::prelude::{
    Column as PolarsColumn, DataFrame, IntoColumn, NamedFrom, Series, TimeUnit,
};
use polars_io::parquet::write::BatchedWriter;
use polars_io::prelude::{KeyValueMetadata, ParquetCompression, ParquetWriter, StatisticsOptions};

use crate::error::TablesError;
use crate::out_file::{FinishedFile, OutFile, publish};

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

    pub(crate) fn to_data_frame(&self) -> polars_core::prelude::PolarsResult<DataFrame> {
        DataFrame::new(
            self.n_rows(),
            self.columns
                .iter()
                .map(|(name, column)| to_series(name, column))
                .collect(),
        )
    }
}

/// Writes a table batch by batch, in the format that the ending names: csv, ndjson (or jsonl),
/// parquet.
pub struct TableWriter {
    path: PathBuf,
    inner: Inner,
}

enum Inner {
    Csv {
        writer: Box<csv::Writer<OutFile>>,
        has_header: bool,
    },
    Ndjson(OutFile),
    Parquet {
        file: SharedFile,
        writer: Option<Box<BatchedWriter<SharedFile>>>,
    },
}

/// A file that the Parquet writer and we both hold: it does not give its writer back.
#[derive(Clone)]
struct SharedFile(Arc<Mutex<OutFile>>);

impl Write for SharedFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .map_err(|_| std::io::Error::other("a writer panicked"))?
            .write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.0
            .lock()
            .map_err(|_| std::io::Error::other("a writer panicked"))?
            .flush()
    }
}

/// Fails early where a table could not be written, before the work whose result it would hold.
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
    publish(vec![close_table(path, table)?])
}

/// The same without its name yet: for [`publish`] together with other files.
///
/// # Errors
///
/// As [`write_table`].
pub fn close_table(path: &Path, table: &OutTable) -> Result<FinishedFile, TablesError> {
    let mut writer = TableWriter::create(path)?;
    writer.write(table)?;
    writer.close()
}

/// A table of texts as CSV for whoever opens it in a spreadsheet: a byte order mark tells Excel
/// that letters beyond ASCII are UTF-8.
///
/// # Errors
///
/// As [`write_table`].
pub fn close_csv_for_people(path: &Path, table: &OutTable) -> Result<FinishedFile, TablesError> {
    let is_ascii = |column: &OutColumn| match column {
        OutColumn::Text(values) => values.iter().flatten().all(|text| text.is_ascii()),
        OutColumn::Number(_)
        | OutColumn::Integer(_)
        | OutColumn::Time(_)
        | OutColumn::Boolean(_) => true,
    };
    let mut file = OutFile::create(path)?;
    if !table
        .columns
        .iter()
        .all(|(name, column)| name.is_ascii() && is_ascii(column))
    {
        file.write_all("\u{feff}".as_bytes())
            .map_err(|source| TablesError::Io {
                action: "write",
                path: path.to_owned(),
                source,
            })?;
    }
    let inner = Inner::Csv {
        writer: Box::new(csv::Writer::from_writer(file)),
        has_header: false,
    };
    let mut writer = TableWriter {
        path: path.to_owned(),
        inner,
    };
    writer.write(table)?;
    writer.close()
}

/// Names with commas between them; one that has a comma or a quotation mark stands in quotation
/// marks, as in CSV.
///
/// # Errors
///
/// What is wrong, in words.
///
/// # Examples
///
/// ```
/// assert_eq!(leadscore_io::split_names("First Name, Company,\"Owner, \"\"main\"\"\"")?, ["First Name", "Company", "Owner, \"main\""]);
/// # Ok::<(), String>(())
/// ```
pub fn split_names(text: &str) -> Result<Vec<String>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut names: Vec<String> = Vec::new();
    for record in reader.records() {
        let record = record
            .map_err(|_| format!("`{text}` is not a list of names: separate them by commas"))?;
        names.extend(record.iter().map(str::to_owned));
    }
    if names.iter().all(String::is_empty) {
        return Err(
            "no name is there: write such as \"First Name,Company\", or leave it out".to_owned(),
        );
    }
    match names
        .iter()
        .enumerate()
        .find(|(position, name)| name.is_empty() || names[..*position].contains(name))
    {
        Some((_, name)) if name.is_empty() => Err(format!(
            "`{text}` has an empty name: write names with commas between them"
        )),
        Some((_, name)) => Err(format!("`{name}` is named twice")),
        None => Ok(names),
    }
}

impl TableWriter {
    /// Opens a file; nothing appears under its name before [`TableWriter::finish`].
    ///
    /// # Errors
    ///
    /// [`TablesError::Format`] for an ending that is not written, [`TablesError::Io`] where the
    /// folder cannot be written.
    pub fn create(path: &Path) -> Result<Self, TablesError> {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().to_lowercase())
            .unwrap_or_default();
        let inner = match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
            "ndjson" | "jsonl" => Inner::Ndjson(OutFile::create(path)?),
            "parquet" | "pq" => Inner::Parquet {
                file: SharedFile(Arc::new(Mutex::new(OutFile::create(path)?))),
                writer: None,
            },
            "csv" => Inner::Csv {
                writer: Box::new(csv::Writer::from_writer(OutFile::create(path)?)),
                has_header: false,
            },
            // A device has no ending, and plain text is what one reads from it.
            "" if path.metadata().is_ok_and(|meta| !meta.is_file()) => Inner::Csv {
                writer: Box::new(csv::Writer::from_writer(OutFile::create(path)?)),
                has_header: false,
            },
            ending => {
                return Err(TablesError::Format {
                    path: path.to_owned(),
                    found: format!("tables are not written as `.{ending}`"),
                    help: "let the name end in .csv, .ndjson or .parquet".to_owned(),
                });
            }
        };
        Ok(Self {
            path: path.to_owned(),
            inner,
        })
    }

    /// Adds a batch, whose columns are those of the first batch.
    ///
    /// In CSV, a text or a column's name that a spreadsheet would run as a formula gets a quotation
    /// mark in front.
    ///
    /// # Errors
    ///
    /// [`TablesError::Io`] or [`TablesError::Engine`] where the disk is full or fails;
    /// [`TablesError::Format`] where two columns have one name.
    pub fn write(&mut self, table: &OutTable) -> Result<(), TablesError> {
        let mut seen = BTreeSet::new();
        if let Some((twice, _)) = table.columns.iter().find(|(name, _)| !seen.insert(name)) {
            return Err(TablesError::Format {
                path: self.path.clone(),
                found: format!("two columns would be called `{twice}`"),
                help: "rename the column of your tables, or the score, that has the name of another column here".to_owned(),
            });
        }
        match &mut self.inner {
            Inner::Csv { writer, has_header } => {
                write_csv(table, writer, has_header).map_err(|source| TablesError::Io {
                    action: "write",
                    path: self.path.clone(),
                    source,
                })
            }
            Inner::Ndjson(file) => write_ndjson(table, file).map_err(|source| TablesError::Io {
                action: "write",
                path: self.path.clone(),
                source,
            }),
            Inner::Parquet { file, writer } => {
                write_parquet(table, file, writer).map_err(|error| TablesError::Engine {
                    action: "write",
                    path: self.path.clone(),
                    format: "Parquet",
                    source: Box::new(error),
                })
            }
        }
    }

    /// Gives the file its name.
    ///
    /// # Errors
    ///
    /// [`TablesError::Io`] or [`TablesError::Engine`]; the target is then as it was before.
    pub fn finish(self) -> Result<(), TablesError> {
        publish(vec![self.close()?])
    }

    /// Writes everything to disk; the file has no name yet.
    ///
    /// # Errors
    ///
    /// As [`TableWriter::finish`].
    pub fn close(self) -> Result<FinishedFile, TablesError> {
        let path = self.path;
        match self.inner {
            Inner::Csv { writer, .. } => {
                let file = writer.into_inner().map_err(|failure| TablesError::Io {
                    action: "write",
                    path,
                    source: std::io::Error::other(failure.error().to_string()),
                })?;
                file.close()
            }
            Inner::Ndjson(file) => file.close(),
            Inner::Parquet { file, writer, .. } => {
                if let Some(writer) = writer {
                    writer.finish().map_err(|error| TablesError::Engine {
                        action: "write",
                        path,
                        format: "Parquet",
                        source: Box::new(error),
                    })?;
                }
                let file = Arc::into_inner(file.0).expect("the Parquet writer was dropped");
                file.into_inner().expect("no writer panicked").close()
            }
        }
    }
}

/// Adds rows to a CSV, below a header that is written with the first.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "types of a library: those not named are read the same way, or not at all"
)]
fn write_csv(
    table: &OutTable,
    writer: &mut csv::Writer<OutFile>,
    has_header: &mut bool,
) -> std::io::Result<()> {
    let csv_error = |error: csv::Error| match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        _ => std::io::Error::other("a row has another width than the header"),
    };
    if !*has_header {
        writer
            .write_record(
                table
                    .columns
                    .iter()
                    .map(|(name, _)| neutralise(name).into_owned()),
            )
            .map_err(csv_error)?;
        *has_header = true;
    }
    for row in 0..table.n_rows() {
        for (_, column) in &table.columns {
            writer
                .write_field(csv_cell(column, row))
                .map_err(csv_error)?;
        }
        writer.write_record(None::<&[u8]>).map_err(csv_error)?;
    }
    Ok(())
}

/// Adds rows to NDJSON.
fn write_ndjson(table: &OutTable, file: &mut OutFile) -> std::io::Result<()> {
    for row in 0..table.n_rows() {
        let object: serde_json::Map<String, serde_json::Value> = table
            .columns
            .iter()
            .map(|(name, column)| (name.clone(), json_cell(column, row)))
            .collect();
        serde_json::to_writer(&mut *file, &object)?;
        file.write_all(b"\n")?;
    }
    Ok(())
}

/// Adds rows to Parquet, whose columns are those of the first batch.
fn write_parquet(
    table: &OutTable,
    file: &SharedFile,
    writer: &mut Option<Box<BatchedWriter<SharedFile>>>,
) -> PolarsResult<()> {
    let frame = table.to_data_frame()?;
    if writer.is_none() {
        let options = ParquetWriter::new(file.clone())
            .with_compression(ParquetCompression::Snappy)
            .with_statistics(StatisticsOptions::empty())
            .with_key_value_metadata(Some(KeyValueMetadata::from_static(table.metadata.clone())));
        *writer = Some(Box::new(options.batched(frame.schema())?));
    }
    writer.as_mut().expect("set above").write_batch(&frame)
}

fn csv_cell(column: &OutColumn, row: usize) -> String {
    match column {
        OutColumn::Text(values) => values[row]
            .as_deref()
            .map(neutralise)
            .unwrap_or_default()
            .into_owned(),
        OutColumn::Number(values) if values[row].is_nan() => String::new(),
        OutColumn::Number(values) => values[row].to_string(),
        OutColumn::Integer(values) => values[row]
            .map(|value| value.to_string())
            .unwrap_or_default(),
        OutColumn::Time(values) => values[row].map(|at| at.to_string()).unwrap_or_default(),
        OutColumn::Boolean(values) => values[row].to_string(),
    }
}

/// A text that no spreadsheet runs as a formula.
pub(crate) fn neutralise(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA) && text.parse::<f64>().is_err() {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// What begins a formula in some spreadsheet; the wide forms do where texts are written in Chinese,
/// Japanese or Korean.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

fn json_cell(column: &OutColumn, row: usize) -> serde_json::Value {
    match column {
        OutColumn::Text(values) => values[row].clone().into(),
        OutColumn::Number(values) => serde_json::Number::from_f64(values[row])
            .map_or(serde_json::Value::Null, serde_json::Value::Number),
        OutColumn::Integer(values) => values[row].into(),
        OutColumn::Time(values) => values[row].map(|at| at.to_string()).into(),
        OutColumn::Boolean(values) => values[row].into(),
    }
}

fn to_series(name: &str, column: &OutColumn) -> PolarsColumn {
    let name = name.into();
    match column {
        OutColumn::Text(values) => Series::new(name, values).into_column(),
        OutColumn::Number(values) if values.iter().any(|value| value.is_nan()) => Series::new(
            name,
            values
                .iter()
                .map(|value| (!value.is_nan()).then_some(*value))
                .collect::<Vec<_>>(),
        )
        .into_column(),
        OutColumn::Number(values) => Series::new(name, values).into_column(),
        OutColumn::Integer(values) => Series::new(name, values).into_column(),
        OutColumn::Time(values) => {
            let micros: Vec<Option<i64>> =
                values.iter().map(|at| at.map(Timestamp::micros)).collect();
            let whole = Series::new(name, micros);
            whole
                .i64()
                .expect("made of i64")
                .clone()
                .into_datetime(TimeUnit::Microseconds, None)
                .into_column()
        }
        OutColumn::Boolean(values) => Series::new(name, values).into_column(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_appears_before_the_end() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("scores.csv");
        let mut writer = TableWriter::create(&path).expect("writable");
        let mut table = OutTable::default();
        table.push(
            "id",
            OutColumn::Text(vec![Some("=1+1".to_owned()), Some("-5".to_owned()), None]),
        );
        table.push("p", OutColumn::Number(vec![0.5, f64::NAN, 1.0]));
        writer.write(&table).expect("room on the disk");
        assert!(!path.exists());
        drop(writer);
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("readable").count(),
            0
        );
        write_table(&path, &table).expect("room on the disk");
        assert_eq!(
            std::fs::read_to_string(&path).expect("there"),
            "id,p\n'=1+1,0.5\n-5,\n,1\n"
        );
    }

    #[test]
    fn a_byte_order_mark_is_there_where_letters_need_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let written = |name: &str, text: &str| {
            let path = folder.path().join("list.csv");
            let mut table = OutTable::default();
            table.push(name, OutColumn::Text(vec![Some(text.to_owned()), None]));
            publish(vec![
                close_csv_for_people(&path, &table).expect("room on the disk"),
            ])
            .expect("a name");
            std::fs::read_to_string(&path).expect("there")
        };
        assert_eq!(written("name", "=Ann"), "name\n'=Ann\n\"\"\n");
        assert_eq!(written("name", "Zoë"), "\u{feff}name\nZoë\n\"\"\n");
        assert_eq!(written("größe", "1"), "\u{feff}größe\n1\n\"\"\n");
    }

    #[track_caller]
    fn check_guarded(text: &str, expected: &str) {
        assert_eq!(neutralise(text), expected);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("t.csv");
        let mut table = OutTable::default();
        table.push(text, OutColumn::Text(vec![Some(text.to_owned())]));
        write_table(&path, &table).expect("room on the disk");
        let mut reader = csv::Reader::from_path(&path).expect("there");
        assert_eq!(
            reader.headers().expect("a header"),
            vec![expected],
            "the name"
        );
        assert_eq!(
            reader.records().next().expect("a row").expect("a record"),
            vec![expected],
            "the cell"
        );
    }

    #[test]
    fn neither_cells_nor_names_of_columns_are_formulas() {
        check_guarded("=1+1", "'=1+1");
        check_guarded("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0");
        check_guarded("-2+3", "'-2+3");
        check_guarded("@SUM(1)", "'@SUM(1)");
        check_guarded("\t=1", "'\t=1");
        check_guarded("\r=1", "'\r=1");
        check_guarded("\n=1", "'\n=1");
        check_guarded("＝1+1", "'＝1+1");
        check_guarded("＋1", "'＋1");
        check_guarded("－1", "'－1");
        check_guarded("＠SUM(1)", "'＠SUM(1)");
        check_guarded("-5", "-5");
        check_guarded("+1e3", "+1e3");
        check_guarded("source=web", "source=web");
        check_guarded("'=1", "'=1");
    }
}
