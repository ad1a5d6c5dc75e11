//! Files before any engine sees them: which there are, their format, and everything that an engine
//! would misread in silence.

use std::io::Read;
use std::path::{Path, PathBuf};

use leadscore_config::FileConfig;

use crate::csv_text::{CsvText, check_csv};
use crate::error::TablesError;
use crate::ndjson_text::{NdjsonText, check_ndjson};
use crate::text_bytes::io_error;

/// One file of a table, checked.
pub(crate) enum Source {
    /// UTF-8 text with a header, every row as wide as it, in memory.
    Csv {
        path: PathBuf,
        text: Vec<u8>,
        delimiter: u8,
        header: Vec<String>,
        n_rows: usize,
        /// Said to the user where the encoding was recognised and not declared.
        note: Option<String>,
    },
    /// One JSON object a line, in memory.
    Ndjson { path: PathBuf, text: NdjsonText },
    /// Read by the engine from its path.
    Parquet { path: PathBuf },
    /// Read by the engine from its path.
    Arrow { path: PathBuf },
}

impl Source {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Csv { path, .. }
            | Self::Ndjson { path, .. }
            | Self::Parquet { path }
            | Self::Arrow { path } => path,
        }
    }
}

/// Finds the files of a table, in the order of the config, globs sorted by name.
pub(crate) fn find(
    table: &str,
    folder: &Path,
    patterns: &[String],
) -> Result<Vec<PathBuf>, TablesError> {
    let mut paths = Vec::new();
    for pattern in patterns {
        let full = folder.join(pattern);
        let missing = || TablesError::Missing {
            table: table.to_owned(),
            path: full.clone(),
        };
        if full.exists() {
            paths.push(full);
            continue;
        }
        let matches = glob::glob(&full.to_string_lossy()).map_err(|_| missing())?;
        let before = paths.len();
        paths.extend(matches.filter_map(Result::ok).filter(|path| path.is_file()));
        if paths.len() == before {
            return Err(missing());
        }
    }
    if paths.is_empty() {
        return Err(TablesError::Content {
            table: table.to_owned(),
            found: "`path` is an empty list".to_owned(),
            help: "name at least one file".to_owned(),
        });
    }
    Ok(paths)
}

/// Opens a file and checks what can be checked without knowing its columns.
///
/// A text has at most `largest` bytes, packed or not.
pub(crate) fn open(
    path: PathBuf,
    file: &FileConfig<'_>,
    largest: u64,
) -> Result<Source, TablesError> {
    check_is_file(&path)?;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let stem = name.strip_suffix(".gz").unwrap_or(&name);
    let ending = stem
        .rsplit_once('.')
        .map_or("", |(_, ending)| ending)
        .to_owned();
    if !matches!(ending.as_str(), "ndjson" | "jsonl")
        && let Some(list) = file.explode
    {
        return Err(TablesError::Format {
            path,
            found: format!(
                "`explode = \"{list}\"` makes rows of a list in NDJSON, and this is none"
            ),
            help: "write a row for each element of the list, or export NDJSON".to_owned(),
        });
    }
    match ending.as_str() {
        "parquet" | "pq" => {
            check_magic(&path, b"PAR1", "a Parquet")?;
            Ok(Source::Parquet { path })
        }
        "arrow" | "ipc" | "feather" => {
            check_magic(&path, b"ARROW1", "an Arrow IPC")?;
            Ok(Source::Arrow { path })
        }
        "ndjson" | "jsonl" => {
            let text = check_ndjson(&path, file, largest)?;
            Ok(Source::Ndjson { path, text })
        }
        "csv" | "tsv" | "txt" => {
            let CsvText {
                text,
                delimiter,
                header,
                n_rows,
                note,
            } = check_csv(&path, file, largest)?;
            Ok(Source::Csv {
                path,
                text,
                delimiter,
                header,
                n_rows,
                note,
            })
        }
        "xlsx" | "xls" => Err(TablesError::Format {
            path,
            found: "this is an Excel workbook".to_owned(),
            help: "save the sheet as CSV and name that file".to_owned(),
        }),
        _ => Err(TablesError::Format {
            path,
            found: format!("files ending in `.{ending}` are not read"),
            help: "use csv, csv.gz, tsv, ndjson, parquet or arrow".to_owned(),
        }),
    }
}

/// Fails where a path is none of a file that can be read more than once.
fn check_is_file(path: &Path) -> Result<(), TablesError> {
    if path.is_dir() {
        return Err(TablesError::Format {
            path: path.to_owned(),
            found: "this is a folder".to_owned(),
            help: "name a file, or a glob such as folder/*.parquet".to_owned(),
        });
    }
    if path.metadata().is_ok_and(|meta| !meta.is_file()) {
        let help =
            "write what comes out of it to a file first: a table is read more than once".to_owned();
        return Err(TablesError::Format {
            path: path.to_owned(),
            found: "this is a pipe or a device".to_owned(),
            help,
        });
    }
    Ok(())
}

fn check_magic(path: &Path, magic: &[u8], format: &str) -> Result<(), TablesError> {
    let mut start = vec![0; magic.len()];
    let mut handle = std::fs::File::open(path).map_err(io_error("open", path))?;
    let found = handle.read_exact(&mut start).is_ok() && start == magic;
    if found {
        return Ok(());
    }
    let length = handle.metadata().map_or(0, |meta| meta.len());
    let found = if length == 0 {
        "the file is empty".to_owned()
    } else {
        format!("it does not begin as {format} file does")
    };
    Err(TablesError::Format {
        path: path.to_owned(),
        found,
        help: "check that the export is complete and that the ending says what the file is"
            .to_owned(),
    })
}
