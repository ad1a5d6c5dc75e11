//! Files before any engine sees them: which there are, their format, and everything that an engine
//! would misread in silence.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use hashbrown::HashSet;

use crate::config::FileConfig;
use crate::error::TablesError;
use crate::memory::Bytes;

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
    if path.is_dir() {
        return Err(TablesError::Format {
            path,
            found: "this is a folder".to_owned(),
            help: "name a file, or a glob such as folder/*.parquet".to_owned(),
        });
    }
    if path.metadata().is_ok_and(|meta| !meta.is_file()) {
        let help =
            "write what comes out of it to a file first: a table is read more than once".to_owned();
        return Err(TablesError::Format {
            path,
            found: "this is a pipe or a device".to_owned(),
            help,
        });
    }
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let stem = name.strip_suffix(".gz").unwrap_or(&name);
    let ending = stem
        .rsplit_once('.')
        .map_or("", |(_, ending)| ending)
        .to_owned();
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
            let text = decode(&path, read_bytes(&path, largest)?, file.encoding)?.0;
            if text.trim_ascii_start().first() == Some(&b'[') {
                let help = "write one object a line: `jq -c '.[]'` does that".to_owned();
                return Err(TablesError::Format {
                    path,
                    found: "it is one JSON array".to_owned(),
                    help,
                });
            }
            check_lines(&path, &text)?;
            Ok(Source::Ndjson { path, text })
        }
        "csv" | "tsv" | "txt" => check_csv(path, file, largest),
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

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> TablesError {
    let path = path.to_owned();
    move |source| TablesError::Io {
        action,
        path,
        source,
    }
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
        format!("it does not begin as a {format} file does")
    };
    Err(TablesError::Format {
        path: path.to_owned(),
        found,
        help: "check that the export is complete and that the ending says what the file is"
            .to_owned(),
    })
}

fn read_bytes(path: &Path, largest: u64) -> Result<Vec<u8>, TablesError> {
    let too_large = |what: &str| {
        TablesError::Format {
        path: path.to_owned(),
        found: format!("{what} more than {}, and a text is held in memory as a whole", Bytes(largest)),
        help: "write it as Parquet, split it into several files, or raise `[data] largest_text` (and --memory)".to_owned(),
    }
    };
    let mut file = File::open(path).map_err(io_error("open", path))?;
    let before = Version::of(&file);
    if before.length > largest {
        return Err(too_large("it has"));
    }
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(usize::try_from(before.length).unwrap_or(usize::MAX))
        .map_err(|_| too_large("it has"))?;
    file.by_ref()
        .take(largest + 1)
        .read_to_end(&mut bytes)
        .map_err(io_error("read", path))?;
    if Version::of(&file) != before || bytes.len() as u64 != before.length {
        return Err(changed(path));
    }
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice())
        .take(largest + 1)
        .read_to_end(&mut text)
        .map_err(io_error("decompress", path))?;
    if text.len() as u64 > largest {
        return Err(too_large("it unpacks to"));
    }
    Ok(text)
}

/// By what a file that somebody writes to is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    length: u64,
    modified: Option<std::time::SystemTime>,
}

impl Version {
    pub(crate) fn of(file: &File) -> Self {
        let metadata = file.metadata();
        Self {
            length: metadata.as_ref().map_or(0, std::fs::Metadata::len),
            modified: metadata.and_then(|meta| meta.modified()).ok(),
        }
    }

    /// The version of the file at a path, if there is one.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        Some(Self::of(&File::open(path).ok()?))
    }
}

/// The error of a file that somebody wrote to meanwhile.
pub(crate) fn changed(path: &Path) -> TablesError {
    TablesError::Format {
        path: path.to_owned(),
        found: "it changed while it was read".to_owned(),
        help: "run again once it is whole; write new exports beside the old ones and rename them, so that no reader sees half a file".to_owned(),
    }
}

/// Largest row of a text, in bytes: the text of a whole book is a million.
const LARGEST_ROW: usize = 64_000_000;
/// Most columns of a table.
pub(crate) const MOST_COLUMNS: usize = 20_000;
/// Objects and lists within each other: what reads them calls itself for each.
const DEEPEST: usize = 64;

/// Fails at a line of JSON that no reader should be given.
fn check_lines(path: &Path, text: &[u8]) -> Result<(), TablesError> {
    let mut keys: HashSet<&[u8]> = HashSet::new();
    for (line, number) in text.split(|&byte| byte == b'\n').zip(1_u64..) {
        let fail = |found: String, help: &str| TablesError::Row {
            path: path.to_owned(),
            line: number,
            found,
            help: help.to_owned(),
        };
        if line.len() > LARGEST_ROW {
            return Err(fail(
                format!("the line has {} bytes", line.len()),
                "write one object a line: is this one array, or one text?",
            ));
        }
        if add_keys(line, &mut keys) > DEEPEST {
            return Err(fail(
                format!("objects are nested more than {DEEPEST} deep"),
                "a row of a table is one flat object: take the values that you need out of it",
            ));
        }
        if keys.len() > MOST_KEYS {
            return Err(fail(
                format!("the objects up to here have more than {MOST_KEYS} different keys"),
                "a key is a column: write what varies from row to row as a value",
            ));
        }
    }
    Ok(())
}

/// Most keys of the objects of an NDJSON file together.
const MOST_KEYS: usize = 5_000;

/// Adds the keys of an object on a line, as they are written; and how many objects and lists are
/// open at most, outside of texts.
fn add_keys<'t>(line: &'t [u8], keys: &mut HashSet<&'t [u8]>) -> usize {
    let (mut depth, mut deepest, mut begin, mut is_escaped, mut last) =
        (0_usize, 0, None, false, None);
    for (at, byte) in line.iter().enumerate() {
        match (byte, begin) {
            _ if is_escaped => is_escaped = false,
            (b'\\', Some(_)) => is_escaped = true,
            (b'"', Some(start)) => {
                last = Some(&line[start..at]);
                begin = None;
            }
            (b'"', None) => begin = Some(at + 1),
            (_, Some(_)) => {}
            (b':', None) if depth == 1 => {
                if let Some(key) = last.take().filter(|key| !keys.contains(key)) {
                    keys.insert(key);
                }
            }
            (b'{' | b'[', None) => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (b'}' | b']', None) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// What to do about [`MOST_COLUMNS`].
pub(crate) fn too_many_columns() -> &'static str {
    "a table has at most 20,000: name those that are needed in the export, or turn columns into rows"
}

/// Turns a text file to UTF-8 without a byte order mark; the second value says what was recognised
/// and not declared.
fn decode(
    path: &Path,
    bytes: Vec<u8>,
    declared: Option<&str>,
) -> Result<(Vec<u8>, Option<String>), TablesError> {
    let format_error = |found: &str, help: &str| TablesError::Format {
        path: path.to_owned(),
        found: found.to_owned(),
        help: help.to_owned(),
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(format_error(
            "the file is empty",
            "check the export; a table needs a header and rows",
        ));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(format_error(
            "this is an Excel workbook (or a zip archive), whatever its name says",
            "open it and save the sheet as CSV",
        ));
    }
    if bytes.starts_with(b"PAR1") {
        return Err(format_error(
            "this is a Parquet file, whatever its name says",
            "rename it to end in .parquet",
        ));
    }
    if let Some(label) = declared {
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).ok_or_else(|| {
            format_error(
                &format!("`{label}` is not an encoding"),
                "use a name such as \"utf-8\", \"latin1\" or \"utf-16le\"",
            )
        })?;
        let (text, used, malformed) = encoding.decode(&bytes);
        if malformed {
            return Err(format_error(
                &format!("it is not valid {}", used.name()),
                "correct `encoding`",
            ));
        }
        return Ok((text.into_owned().into_bytes(), None));
    }
    if let Some((encoding, mark_length)) = encoding_rs::Encoding::for_bom(&bytes) {
        if encoding == encoding_rs::UTF_8 {
            return Ok(decode_unmarked(bytes[mark_length..].to_vec()));
        }
        let (text, _, malformed) = encoding.decode(&bytes);
        if malformed {
            return Err(format_error(
                &format!("it begins as {} and then breaks it", encoding.name()),
                "export it again as UTF-8",
            ));
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
    let Err(error) = std::str::from_utf8(&bytes) else {
        return (bytes, None);
    };
    let line = 1 + memchr::memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count();
    let (text, _, _) = encoding_rs::WINDOWS_1252.decode(&bytes);
    let note = format!(
        "line {line} is not UTF-8; read as Windows-1252 (Latin-1); set `encoding` if it is something else"
    );
    (text.into_owned().into_bytes(), Some(note))
}

fn check_csv(path: PathBuf, file: &FileConfig<'_>, largest: u64) -> Result<Source, TablesError> {
    let (text, note) = decode(&path, read_bytes(&path, largest)?, file.encoding)?;
    let row_error = |line: u64, found: String, help: &str| TablesError::Row {
        path: path.clone(),
        line,
        found,
        help: help.to_owned(),
    };
    if memchr::memchr(b'\r', &text).is_some() && memchr::memchr(b'\n', &text).is_none() {
        return Err(TablesError::Format {
            path,
            found: "its lines end in a carriage return alone, as old Mac files do".to_owned(),
            help: "save it with ordinary line ends (LF or CRLF)".to_owned(),
        });
    }
    if let Some(at) = memchr::memchr(0, &text) {
        return Err(row_error(
            line_at(&text, at),
            "there is a zero byte, which no text has".to_owned(),
            "export the file again; it may be damaged",
        ));
    }
    let (begin, named) = header_begin(&text, file.skip_rows);
    let first_line = line_from(&text, begin);
    let delimiter = file
        .delimiter
        .or(named)
        .unwrap_or_else(|| recognise_delimiter(first_line));
    let mut rows = CsvRows::new(&text, begin, delimiter);
    let split_error = |line| {
        row_error(
            line,
            "the row cannot be split into fields".to_owned(),
            "check its quotes",
        )
    };
    let header_row = rows
        .next_row()
        .map_err(split_error)?
        .unwrap_or(begin..begin);
    let header: Vec<String> = rows
        .record
        .iter()
        .map(|field| String::from_utf8_lossy(field).trim().to_owned())
        .collect();
    let header_line = line_at(&text, header_row.start);
    if header.len() > MOST_COLUMNS {
        return Err(row_error(
            header_line,
            format!("there are {} columns", header.len()),
            too_many_columns(),
        ));
    }
    let title_error = |n_lines: usize| TablesError::Format {
        path: path.clone(),
        found: format!(
            "line {header_line} has fewer fields than the lines below: the header may be line {}",
            n_lines + 1
        ),
        help: format!("if so, set `skip_rows = {n_lines}` for this table"),
    };
    if header.len() == 1
        && let Some(n_lines) = title_lines(&text, begin)
    {
        return Err(title_error(n_lines));
    }
    let mut known = HashSet::with_capacity(header.len());
    if let Some(name) = header.iter().find(|name| !known.insert(name.as_str())) {
        let two = if name.is_empty() {
            "two columns have no name".to_owned()
        } else {
            format!("two columns are called `{name}`")
        };
        return Err(row_error(
            header_line,
            two,
            "give each column a name of its own",
        ));
    }
    drop(known);
    // A quote that is never closed swallows rows up to the next one, or to the end.
    let open_quote = |line| {
        row_error(
            line,
            "a quote is opened and never closed".to_owned(),
            "close it, or write a quote inside a field twice",
        )
    };
    let odd_quotes = memchr::memchr_iter(b'"', &text[begin..]).count() % 2 == 1;
    let mut n_rows = 0;
    let mut last_row = header_row.clone();
    let mut kept = vec![header_row];
    let mut n_left_out = 0_usize;
    while let Some(row) = rows.next_row().map_err(split_error)? {
        let found = rows.record.len();
        if row.len() > LARGEST_ROW {
            return Err(row_error(
                line_at(&text, row.start),
                format!("the row has {} bytes", row.len()),
                "look for a quote that is never closed",
            ));
        }
        if rows.is_blank() {
            n_left_out += usize::from(found > 1);
            continue;
        }
        if found != header.len() {
            let line = line_at(&text, row.start);
            if odd_quotes {
                return Err(open_quote(line));
            }
            if let Some(n_lines) = title_lines(&text, begin) {
                return Err(title_error(n_lines));
            }
            let help = if found == 1
                && rows
                    .record
                    .get(0)
                    .is_some_and(|field| field.contains(&delimiter))
            {
                "the whole row stands inside one pair of quotes: take those away, or export it again"
            } else {
                "each row needs one field for each column: look for a stray delimiter, line break or quote"
            };
            return Err(row_error(
                line,
                format!(
                    "{found} field{} where the header has {}",
                    if found == 1 { "" } else { "s" },
                    header.len()
                ),
                help,
            ));
        }
        n_rows += 1;
        last_row = row.clone();
        match kept.last_mut() {
            Some(run) if run.end == row.start => run.end = row.end,
            _ => kept.push(row),
        }
    }
    if odd_quotes {
        return Err(open_quote(line_at(&text, last_row.start)));
    }
    if n_rows > 0 && looks_like_a_total(&text[last_row.clone()], delimiter) {
        let found = "the last row looks like the total of a report, which is no row of the table";
        return Err(row_error(
            line_at(&text, last_row.start),
            found.to_owned(),
            "take it out of the file",
        ));
    }
    // The engine would take blank lines for rows, and lines above the header for the header.
    let is_whole = kept.len() == 1 && kept[0] == (0..text.len());
    let text = if is_whole {
        text
    } else {
        kept.into_iter()
            .flat_map(|run| ended_line(&text[run]))
            .collect()
    };
    let left_out =
        (n_left_out > 0).then(|| format!("{n_left_out} rows of empty cells are left out"));
    let note = match (note, left_out) {
        (Some(note), Some(left_out)) => Some(format!("{note}; {left_out}")),
        (note, left_out) => note.or(left_out),
    };
    Ok(Source::Csv {
        path,
        text,
        delimiter,
        header,
        n_rows,
        note,
    })
}

/// A run of lines that ends as a line does.
fn ended_line(run: &[u8]) -> Vec<u8> {
    let mut line = run.to_vec();
    if line.last() != Some(&b'\n') {
        line.push(b'\n');
    }
    line
}

/// The rows of a CSV text, each with its bytes; lines that hold nothing are passed over.
struct CsvRows<'t> {
    text: &'t [u8],
    reader: csv::Reader<&'t [u8]>,
    begin: usize,
    record: csv::ByteRecord,
}

impl<'t> CsvRows<'t> {
    fn new(text: &'t [u8], begin: usize, delimiter: u8) -> Self {
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(&text[begin..]);
        Self {
            text,
            reader,
            begin,
            record: csv::ByteRecord::new(),
        }
    }

    /// Reads one row more; the error is the line of a row that cannot be split.
    fn next_row(&mut self) -> Result<Option<std::ops::Range<usize>>, u64> {
        let is_there = self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|error| {
                let at = error.position().map_or(0, csv::Position::byte) as usize;
                line_at(self.text, self.begin + at)
            })?;
        if !is_there {
            return Ok(None);
        }
        let mut start = self.begin + self.record.position().map_or(0, csv::Position::byte) as usize;
        while matches!(self.text.get(start), Some(b'\r' | b'\n')) {
            start += 1;
        }
        let mut end = self.begin + self.reader.position().byte() as usize;
        if self.text.get(end) == Some(&b'\n') && end > 0 && self.text[end - 1] == b'\r' {
            end += 1;
        }
        Ok(Some(start..end))
    }

    /// Whether the row holds nothing: blanks, delimiters, or the mark that old programs end a file
    /// with.
    fn is_blank(&self) -> bool {
        self.record.iter().all(|field| {
            field
                .iter()
                .all(|byte| byte.is_ascii_whitespace() || *byte == 0x1a)
        })
    }
}

/// The line of a place in a text, from 1.
fn line_at(text: &[u8], at: usize) -> u64 {
    1 + memchr::memchr_iter(b'\n', &text[..at.min(text.len())]).count() as u64
}

fn line_from(text: &[u8], begin: usize) -> &[u8] {
    let rest = &text[begin.min(text.len())..];
    &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]
}

/// Where the header begins, and the delimiter that a line `sep=;` above it names, as spreadsheets
/// write it.
fn header_begin(text: &[u8], skip_rows: usize) -> (usize, Option<u8>) {
    let mut begin = 0;
    for _ in 0..skip_rows {
        if begin >= text.len() {
            break;
        }
        begin = text[begin..]
            .iter()
            .position(|&byte| byte == b'\n')
            .map_or(text.len(), |at| begin + at + 1);
    }
    let line = line_from(text, begin);
    let trimmed = line
        .trim_ascii()
        .strip_prefix(b"\"")
        .and_then(|line| line.strip_suffix(b"\""))
        .unwrap_or(line.trim_ascii_end());
    match trimmed {
        [s, e, p, b'=', delimiter] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => {
            ((begin + line.len() + 1).min(text.len()), Some(*delimiter))
        }
        _ if line.eq_ignore_ascii_case(b"sep=\t\r") || line.eq_ignore_ascii_case(b"sep=\t") => {
            ((begin + line.len() + 1).min(text.len()), Some(b'\t'))
        }
        _ => (begin, None),
    }
}

/// Lines above the one that has as many fields as those below it; `None` where that is the first.
fn title_lines(text: &[u8], begin: usize) -> Option<usize> {
    let lines: Vec<&[u8]> = text[begin..]
        .split(|&byte| byte == b'\n')
        .take(40)
        .collect();
    [b',', b';', b'\t', b'|'].into_iter().find_map(|delimiter| {
        let fields: Vec<usize> = lines
            .iter()
            .map(|line| 1 + fields_parted(line, delimiter))
            .collect();
        let last = fields.iter().rev().find(|&&n| n > 1)?;
        let first = fields.iter().position(|n| n == last)?;
        let is_table = fields[first..].iter().filter(|n| *n == last).count() * 10
            >= 8 * fields[first..].iter().filter(|&&n| n > 1).count();
        let n_before = memchr::memchr_iter(b'\n', &text[..begin]).count();
        (first > 0 && *last > 1 && is_table && fields[..first].iter().all(|n| n < last))
            .then_some(n_before + first)
    })
}

/// Delimiters outside of quotes.
fn fields_parted(line: &[u8], delimiter: u8) -> usize {
    let mut quoted = false;
    line.iter()
        .filter(|&&byte| {
            quoted ^= byte == b'"';
            byte == delimiter && !quoted
        })
        .count()
}

/// Whether a row is the sum below a report: its first word says so, and most of its cells are
/// empty.
fn looks_like_a_total(row: &[u8], delimiter: u8) -> bool {
    const WORDS: [&str; 12] = [
        "total",
        "grand total",
        "subtotal",
        "sum",
        "summe",
        "gesamt",
        "gesamtsumme",
        "totale",
        "totaal",
        "suma",
        "razem",
        "итого",
    ];
    let text = String::from_utf8_lossy(row);
    let cells: Vec<&str> = text
        .trim_end()
        .split(char::from(delimiter))
        .map(|cell| cell.trim().trim_matches('"'))
        .collect();
    let n_empty = cells.iter().filter(|cell| cell.is_empty()).count();
    let first = cells
        .iter()
        .find(|cell| !cell.is_empty())
        .map(|cell| cell.to_lowercase())
        .unwrap_or_default();
    let word = first.trim_end_matches([':', '.']);
    cells.len() > 2 && 2 * n_empty >= cells.len() && WORDS.contains(&word)
}

/// The line on which a data row (from 0) begins.
pub(crate) fn line_of_row(
    path: &Path,
    file: &FileConfig<'_>,
    delimiter: u8,
    row: usize,
    largest: u64,
) -> Option<u64> {
    let text = decode(path, read_bytes(path, largest).ok()?, file.encoding)
        .ok()?
        .0;
    let mut rows = CsvRows::new(&text, header_begin(&text, file.skip_rows).0, delimiter);
    rows.next_row().ok()?;
    let mut n_before = 0;
    while let Ok(Some(found)) = rows.next_row() {
        if rows.is_blank() {
            continue;
        }
        if n_before == row {
            return Some(line_at(&text, found.start));
        }
        n_before += 1;
    }
    None
}

/// The candidate that occurs most often in the header outside quotes; a comma if none does.
fn recognise_delimiter(header: &[u8]) -> u8 {
    let mut best = (fields_parted(header, b','), b',');
    for candidate in [b';', b'\t', b'|'] {
        let found = fields_parted(header, candidate);
        if found > best.0 {
            best = (found, candidate);
        }
    }
    best.1
}
