//! Files before any engine sees them: which there are, their format, and everything that an engine would misread in silence.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::config::FileConfig;
use crate::error::TablesError;

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
    Ndjson { path: PathBuf, text: Vec<u8> },
    /// Read by the engine from its path.
    Parquet { path: PathBuf },
    /// Read by the engine from its path.
    Arrow { path: PathBuf },
}

impl Source {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Csv { path, .. } | Self::Ndjson { path, .. } | Self::Parquet { path } | Self::Arrow { path } => path,
        }
    }
}

/// Finds the files of a table, in the order of the config, globs sorted by name.
pub(crate) fn find(table: &str, folder: &Path, patterns: &[String]) -> Result<Vec<PathBuf>, TablesError> {
    let mut paths = Vec::new();
    for pattern in patterns {
        let full = folder.join(pattern);
        let missing = || TablesError::Missing { table: table.to_owned(), path: full.clone() };
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
        return Err(TablesError::Content { table: table.to_owned(), found: "`path` is an empty list".to_owned(), help: "name at least one file".to_owned() });
    }
    Ok(paths)
}

/// Opens a file and checks what can be checked without knowing its columns.
pub(crate) fn open(path: PathBuf, file: &FileConfig<'_>) -> Result<Source, TablesError> {
    if path.is_dir() {
        return Err(TablesError::Format { path, found: "this is a folder".to_owned(), help: "name a file, or a glob such as folder/*.parquet".to_owned() });
    }
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let stem = name.strip_suffix(".gz").unwrap_or(&name);
    let ending = stem.rsplit_once('.').map_or("", |(_, ending)| ending).to_owned();
    match ending.as_str() {
        "parquet" | "pq" => {
            check_magic(&path, b"PAR1", "Parquet")?;
            Ok(Source::Parquet { path })
        }
        "arrow" | "ipc" | "feather" => {
            check_magic(&path, b"ARROW1", "Arrow IPC")?;
            Ok(Source::Arrow { path })
        }
        "ndjson" | "jsonl" => {
            let text = decode(&path, read_bytes(&path)?, file.encoding)?.0;
            Ok(Source::Ndjson { path, text })
        }
        "csv" | "tsv" | "txt" => check_csv(path, file),
        "xlsx" | "xls" => {
            Err(TablesError::Format { path, found: "this is an Excel workbook".to_owned(), help: "save the sheet as CSV and name that file".to_owned() })
        }
        _ => Err(TablesError::Format {
            path,
            found: format!("files ending in `.{ending}` are not read"),
            help: "use csv, csv.gz, tsv, ndjson, parquet or arrow".to_owned(),
        }),
    }
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> TablesError {
    let path = path.to_owned();
    move |source| TablesError::Io { action, path, source }
}

fn check_magic(path: &Path, magic: &[u8], format: &str) -> Result<(), TablesError> {
    let mut start = vec![0; magic.len()];
    let mut handle = std::fs::File::open(path).map_err(io_error("open", path))?;
    let found = handle.read_exact(&mut start).is_ok() && start == magic;
    if found {
        return Ok(());
    }
    let length = handle.metadata().map_or(0, |meta| meta.len());
    let found = if length == 0 { "the file is empty".to_owned() } else { format!("it does not begin as a {format} file does") };
    Err(TablesError::Format { path: path.to_owned(), found, help: "check that the export is complete and that the ending says what the file is".to_owned() })
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, TablesError> {
    let bytes = std::fs::read(path).map_err(io_error("read", path))?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut text).map_err(io_error("decompress", path))?;
    Ok(text)
}

/// Turns a text file to UTF-8 without a byte order mark; the second value says what was recognised and not declared.
fn decode(path: &Path, bytes: Vec<u8>, declared: Option<&str>) -> Result<(Vec<u8>, Option<String>), TablesError> {
    let format_error = |found: &str, help: &str| TablesError::Format { path: path.to_owned(), found: found.to_owned(), help: help.to_owned() };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(format_error("the file is empty", "check the export; a table needs a header and rows"));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(format_error("this is an Excel workbook (or a zip archive), whatever its name says", "open it and save the sheet as CSV"));
    }
    if bytes.starts_with(b"PAR1") {
        return Err(format_error("this is a Parquet file, whatever its name says", "rename it to end in .parquet"));
    }
    if let Some(label) = declared {
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes())
            .ok_or_else(|| format_error(&format!("`{label}` is not an encoding"), "use a name such as \"utf-8\", \"latin1\" or \"utf-16le\""))?;
        let (text, used, malformed) = encoding.decode(&bytes);
        if malformed {
            return Err(format_error(&format!("it is not valid {}", used.name()), "correct `encoding`"));
        }
        return Ok((text.into_owned().into_bytes(), None));
    }
    if let Some((encoding, mark_length)) = encoding_rs::Encoding::for_bom(&bytes) {
        if encoding == encoding_rs::UTF_8 {
            return Ok(decode_unmarked(bytes[mark_length..].to_vec()));
        }
        let (text, _, malformed) = encoding.decode(&bytes);
        if malformed {
            return Err(format_error(&format!("it begins as {} and then breaks it", encoding.name()), "export it again as UTF-8"));
        }
        return Ok((text.into_owned().into_bytes(), None));
    }
    if memchr::memchr(0, &bytes[..bytes.len().min(4096)]).is_some() {
        return Err(format_error(
            "it holds zero bytes, as UTF-16 without a byte order mark or a binary file does",
            "export it as UTF-8, or set `encoding = \"utf-16le\"`",
        ));
    }
    Ok(decode_unmarked(bytes))
}

/// UTF-8 as it is; anything else as Windows-1252, with a note.
fn decode_unmarked(bytes: Vec<u8>) -> (Vec<u8>, Option<String>) {
    let Err(error) = std::str::from_utf8(&bytes) else { return (bytes, None) };
    let line = 1 + memchr::memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count();
    let (text, _, _) = encoding_rs::WINDOWS_1252.decode(&bytes);
    let note = format!("line {line} is not UTF-8; read as Windows-1252 (Latin-1); set `encoding` if it is something else");
    (text.into_owned().into_bytes(), Some(note))
}

fn check_csv(path: PathBuf, file: &FileConfig<'_>) -> Result<Source, TablesError> {
    let (text, note) = decode(&path, read_bytes(&path)?, file.encoding)?;
    if memchr::memchr(b'\r', &text).is_some() && memchr::memchr(b'\n', &text).is_none() {
        return Err(TablesError::Format {
            path,
            found: "its lines end in a carriage return alone, as old Mac files do".to_owned(),
            help: "save it with ordinary line ends (LF or CRLF)".to_owned(),
        });
    }
    let first_line = &text[..memchr::memchr(b'\n', &text).unwrap_or(text.len())];
    let delimiter = file.delimiter.unwrap_or_else(|| recognise_delimiter(first_line));
    let mut reader = csv_reader(&text, delimiter);
    let mut record = csv::ByteRecord::new();
    let row_error = |line: u64, found: String, help: &str| TablesError::Row { path: path.clone(), line, found, help: help.to_owned() };
    let next = |reader: &mut csv::Reader<&[u8]>, record: &mut csv::ByteRecord| -> Result<bool, TablesError> {
        reader
            .read_byte_record(record)
            .map_err(|error| row_error(error.position().map_or(0, csv::Position::line), "the row cannot be split into fields".to_owned(), "check its quotes"))
    };
    next(&mut reader, &mut record)?;
    let header: Vec<String> = record.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect();
    for (idx, name) in header.iter().enumerate() {
        if header[..idx].contains(name) {
            return Err(row_error(1, format!("two columns are called `{name}`"), "give each column a name of its own"));
        }
    }
    // A quote that is never closed swallows rows up to the next one, or to the end.
    let open_quote = |line| row_error(line, "a quote is opened and never closed".to_owned(), "close it, or write a quote inside a field twice");
    let odd_quotes = memchr::memchr_iter(b'"', &text).count() % 2 == 1;
    let mut n_rows = 0;
    let mut last_line = 1;
    while next(&mut reader, &mut record)? {
        last_line = record.position().map_or(0, csv::Position::line);
        let found = record.len();
        if found != header.len() && odd_quotes {
            return Err(open_quote(last_line));
        }
        if found != header.len() {
            let help = if found == 1 && record.get(0).is_some_and(|field| field.contains(&delimiter)) {
                "the whole row stands inside one pair of quotes: take those away, or export it again"
            } else {
                "each row needs one field for each column: look for a stray delimiter, line break or quote"
            };
            return Err(row_error(last_line, format!("{found} field{} where the header has {}", if found == 1 { "" } else { "s" }, header.len()), help));
        }
        n_rows += 1;
    }
    if odd_quotes {
        return Err(open_quote(last_line));
    }
    Ok(Source::Csv { path, text, delimiter, header, n_rows, note })
}

fn csv_reader(text: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text)
}

/// The line on which a data row (from 0) begins.
pub(crate) fn line_of_row(text: &[u8], delimiter: u8, row: usize) -> u64 {
    let mut reader = csv_reader(text, delimiter);
    let mut record = csv::ByteRecord::new();
    for _ in 0..=row + 1 {
        if !matches!(reader.read_byte_record(&mut record), Ok(true)) {
            break;
        }
    }
    record.position().map_or(0, csv::Position::line)
}

/// The candidate that occurs most often in the header outside quotes; a comma if none does.
fn recognise_delimiter(header: &[u8]) -> u8 {
    let count = |candidate: u8| {
        let mut quoted = false;
        header
            .iter()
            .filter(|&&byte| {
                quoted ^= byte == b'"';
                byte == candidate && !quoted
            })
            .count()
    };
    let mut best = (count(b','), b',');
    for candidate in [b';', b'\t', b'|'] {
        let found = count(candidate);
        if found > best.0 {
            best = (found, candidate);
        }
    }
    best.1
}
