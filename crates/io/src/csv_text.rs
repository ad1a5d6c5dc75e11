//! CSV before any engine sees it: its header, its delimiter, and rows that are all as wide.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use hashbrown::HashSet;
use leadscore_config::FileConfig;
use leadscore_core::{agree, counted};

use crate::csv_quotes::{QuoteFault, has_quotes_in_texts, has_rows_in_it, shape_of};
use crate::csv_rows::{CsvRows, RowFault};
use crate::error::TablesError;
use crate::text_bytes::{LARGEST_ROW, MOST_COLUMNS, decode, read_bytes, too_many_columns};

/// A CSV text with a header, every row as wide as it.
pub(crate) struct CsvText {
    pub(crate) text: Vec<u8>,
    pub(crate) delimiter: u8,
    pub(crate) header: Vec<String>,
    pub(crate) n_rows: usize,
    /// What the user should know about how it was read.
    pub(crate) note: Option<String>,
}

/// Reads a CSV file and checks every row of it.
pub(crate) fn check_csv(
    path: &Path,
    file: &FileConfig<'_>,
    largest: u64,
) -> Result<CsvText, TablesError> {
    let (text, note) = decode(path, read_bytes(path, largest)?, file.encoding)?;
    check_bytes(path, &text)?;
    let (begin, named) = header_begin(&text, file.skip_rows);
    let delimiter = file
        .delimiter
        .or(named)
        .unwrap_or_else(|| recognise_delimiter(line_from(&text, begin)));
    let mut check = CsvCheck::new(path, &text, begin, delimiter);
    let header_row = check.read_header()?;
    let kept = check.read_rows(header_row)?;
    let header = check.header;
    // The engine would take blank lines for rows, and lines above the header for the header.
    let is_whole = matches!(&kept.pieces[..], [Piece::Run(run)] if *run == (0..text.len()));
    let text = if is_whole {
        text
    } else {
        kept.pieces
            .into_iter()
            .flat_map(|piece| match piece {
                Piece::Run(run) => ended_line(&text[run]),
                Piece::Quoted(row) => row,
            })
            .collect()
    };
    let n_left_out = kept.n_left_out;
    let left_out = (n_left_out > 0).then(|| {
        let are = agree(n_left_out, "is", "are");
        format!(
            "{} of empty cells {are} left out",
            counted(n_left_out, "row")
        )
    });
    let note = match (note, left_out) {
        (Some(note), Some(left_out)) => Some(format!("{note}; {left_out}")),
        (note, left_out) => note.or(left_out),
    };
    Ok(CsvText {
        text,
        delimiter,
        header,
        n_rows: kept.n_rows,
        note,
    })
}

/// Fails where a text has line ends or bytes that no CSV has.
fn check_bytes(path: &Path, text: &[u8]) -> Result<(), TablesError> {
    if memchr::memchr(b'\r', text).is_some() && memchr::memchr(b'\n', text).is_none() {
        return Err(TablesError::Format {
            path: path.to_owned(),
            found: "its lines end in a carriage return alone, as old Mac files do".to_owned(),
            help: "save it with ordinary line ends (LF or CRLF)".to_owned(),
        });
    }
    match memchr::memchr(0, text) {
        None => Ok(()),
        Some(at) => Err(TablesError::Row {
            path: path.to_owned(),
            line: line_at(text, at),
            found: "there is a zero byte, which no text has".to_owned(),
            help: "export the file again; it may be damaged".to_owned(),
        }),
    }
}

/// A CSV text while its rows are checked.
struct CsvCheck<'t> {
    path: &'t Path,
    text: &'t [u8],
    /// Where the header begins.
    begin: usize,
    delimiter: u8,
    rows: CsvRows<'t>,
    header: Vec<String>,
    header_line: u64,
}

/// Rows as they are, or one that is written anew.
enum Piece {
    /// Bytes of rows that follow each other without a gap.
    Run(Range<usize>),
    /// A row that has quotes as part of its texts, with every such text in quotes: the engine parts
    /// rows by counting quotes.
    Quoted(Vec<u8>),
}

/// The rows of a CSV text that are rows of the table, the header first.
struct KeptRows {
    pieces: Vec<Piece>,
    n_rows: usize,
    /// Rows with fields and nothing in them.
    n_left_out: usize,
}

impl<'t> CsvCheck<'t> {
    fn new(path: &'t Path, text: &'t [u8], begin: usize, delimiter: u8) -> Self {
        Self {
            path,
            text,
            begin,
            delimiter,
            rows: CsvRows::new(text, begin, delimiter),
            header: Vec::new(),
            header_line: 0,
        }
    }

    /// An error about a line.
    fn error(&self, line: u64, found: impl Into<String>, help: &str) -> TablesError {
        TablesError::Row {
            path: self.path.to_owned(),
            line,
            found: found.into(),
            help: help.to_owned(),
        }
    }

    /// The error of lines above the header that are no rows of the table.
    fn title_error(&self, n_lines: usize) -> TablesError {
        TablesError::Format {
            path: self.path.to_owned(),
            found: format!(
                "line {} has fewer fields than the lines below: the header may be line {}",
                self.header_line,
                n_lines + 1
            ),
            help: format!("if so, set `skip_rows = {n_lines}` for this table"),
        }
    }

    /// The error of quotes that no reader can be sure of, in a row that begins here.
    fn quote_error(&self, row: usize, fault: QuoteFault) -> TablesError {
        let line = |at| line_at(self.text, row + at);
        match fault {
            QuoteFault::NeverClosed(at) => self.error(
                line(at),
                "a quote is opened and never closed",
                "close it, or write a quote inside a field twice",
            ),
            // A field of several lines that goes on is mostly a quote that was never closed.
            QuoteFault::GoesOn { open, at } if line(open) < line(at) => self.error(
                line(open),
                format!(
                    "a quote is opened, and the next one, on line {}, does not end its field",
                    line(at)
                ),
                "close it, or write a quote inside a field twice",
            ),
            QuoteFault::GoesOn { at, .. } => self.error(
                line(at),
                "a field goes on after its closing quote",
                "write a quote inside a quoted field twice, and put the whole field in quotes",
            ),
            QuoteFault::AfterBlanks(at) => self.error(
                line(at),
                "there is a blank before the opening quote of a field",
                "begin the field with its quote",
            ),
        }
    }

    fn next_row(&mut self) -> Result<Option<Range<usize>>, TablesError> {
        self.rows.next_row().map_err(|fault| match fault {
            RowFault::Unsplit(at) => self.error(
                line_at(self.text, at),
                "the row cannot be split into fields",
                "check its quotes",
            ),
            RowFault::LoneReturn(at) => self.error(
                line_at(self.text, at),
                "a carriage return alone ends a row, as in old Mac files",
                "save it with ordinary line ends (LF or CRLF)",
            ),
        })
    }

    /// Reads the names of the columns; fails where they are none.
    fn read_header(&mut self) -> Result<Range<usize>, TablesError> {
        let row = self.next_row()?.unwrap_or(self.begin..self.begin);
        self.header = self
            .rows
            .record
            .iter()
            .map(|field| String::from_utf8_lossy(field).trim().to_owned())
            .collect();
        self.header_line = line_at(self.text, row.start);
        if self.header.len() > MOST_COLUMNS {
            return Err(self.error(
                self.header_line,
                format!("there are {} columns", self.header.len()),
                too_many_columns(),
            ));
        }
        if self.header.len() == 1
            && let Some(n_lines) = title_lines(self.text, self.begin)
        {
            return Err(self.title_error(n_lines));
        }
        let mut known = HashSet::with_capacity(self.header.len());
        if let Some(name) = self.header.iter().find(|name| !known.insert(name.as_str())) {
            let two = if name.is_empty() {
                "two columns have no name".to_owned()
            } else {
                format!("two columns are called `{name}`")
            };
            return Err(self.error(self.header_line, two, "give each column a name of its own"));
        }
        Ok(row)
    }

    /// Reads every row; fails at the first that is not as wide as the header.
    fn read_rows(&mut self, header_row: Range<usize>) -> Result<KeptRows, TablesError> {
        let has_quotes = memchr::memchr(b'"', &self.text[self.begin..]).is_some();
        let mut last_row = header_row.clone();
        // The last row of one line.
        let mut plain_row = 0..0;
        let mut kept = KeptRows {
            pieces: Vec::new(),
            n_rows: 0,
            n_left_out: 0,
        };
        self.keep(&mut kept.pieces, header_row, has_quotes)?;
        while let Some(row) = self.next_row()? {
            let found = self.rows.record.len();
            if self.rows.is_blank() {
                kept.n_left_out += usize::from(found > 1);
                continue;
            }
            if found != self.header.len() || row.len() > LARGEST_ROW {
                return Err(self.row_error(&row));
            }
            if has_quotes {
                if memchr::memchr(b'\n', self.text[row.clone()].trim_ascii_end()).is_some() {
                    self.check_swallowed(&row, plain_row.clone())?;
                } else {
                    plain_row = row.clone();
                }
            }
            kept.n_rows += 1;
            last_row = row.clone();
            self.keep(&mut kept.pieces, row, has_quotes)?;
        }
        if kept.n_rows > 0 && looks_like_a_total(&self.text[last_row.clone()], self.delimiter) {
            return Err(self.error(
                line_at(self.text, last_row.start),
                "the last row looks like the total of a report, and not like a row of the table",
                "take it out of the file",
            ));
        }
        Ok(kept)
    }

    /// Fails where a quoted field of the row that was just read has whole rows in it, by the shapes
    /// of the fields of a row before, which may be empty.
    fn check_swallowed(&self, row: &Range<usize>, before: Range<usize>) -> Result<(), TablesError> {
        let mut rows = CsvRows::new(&self.text[before], 0, self.delimiter);
        if !matches!(rows.next_row(), Ok(Some(_))) {
            return Ok(());
        }
        let shapes: Vec<Vec<u8>> = rows.record.iter().map(shape_of).collect();
        for (column, field) in self.rows.record.iter().enumerate() {
            if !has_rows_in_it(field, column, self.delimiter, &shapes) {
                continue;
            }
            let n_lines = memchr::memchr_iter(b'\n', field).count();
            let first = line_at(self.text, row.start);
            return Err(self.error(
                first,
                format!(
                    "a quote is opened and closed {} later, and what is between looks like rows of the table",
                    counted(n_lines, "line")
                ),
                "close it where its field ends, or write a quote inside a field twice",
            ));
        }
        Ok(())
    }

    /// Keeps the row that was just read.
    fn keep(
        &self,
        pieces: &mut Vec<Piece>,
        row: Range<usize>,
        has_quotes: bool,
    ) -> Result<(), TablesError> {
        let is_quoted = has_quotes
            && has_quotes_in_texts(&self.text[row.clone()], self.delimiter)
                .map_err(|fault| self.quote_error(row.start, fault))?;
        if is_quoted {
            pieces.push(Piece::Quoted(self.rows.quoted(self.delimiter)));
            return Ok(());
        }
        match pieces.last_mut() {
            Some(Piece::Run(run)) if run.end == row.start => run.end = row.end,
            _ => pieces.push(Piece::Run(row)),
        }
        Ok(())
    }

    /// Why the row that was just read is none of the table.
    fn row_error(&self, row: &Range<usize>) -> TablesError {
        if let Err(fault) = has_quotes_in_texts(&self.text[row.clone()], self.delimiter) {
            return self.quote_error(row.start, fault);
        }
        let line = line_at(self.text, row.start);
        if row.len() > LARGEST_ROW {
            return self.error(
                line,
                format!("the row has {} bytes", row.len()),
                "look for a quote that is never closed",
            );
        }
        if let Some(n_lines) = title_lines(self.text, self.begin) {
            return self.title_error(n_lines);
        }
        let record = &self.rows.record;
        let found = record.len();
        let is_one_field = found == 1
            && record
                .get(0)
                .is_some_and(|field| field.contains(&self.delimiter));
        let has_lines = record.iter().any(|field| field.contains(&b'\n'));
        let help = if is_one_field {
            "the whole row is inside one pair of quotes: remove them, or export it again"
        } else if has_lines {
            "a quoted field of it goes on over several lines: look for a quote that is not closed where its field ends"
        } else {
            "each row needs one field for each column: look for a stray delimiter, line break or quote"
        };
        self.error(
            line,
            format!(
                "{} where the header has {}",
                counted(found, "field"),
                self.header.len()
            ),
            help,
        )
    }
}

/// A run of lines that ends as a line does.
fn ended_line(run: &[u8]) -> Vec<u8> {
    let mut line = run.to_vec();
    if line.last() != Some(&b'\n') {
        line.push(b'\n');
    }
    line
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

/// The line on which each of these data rows (from 0) begins, as far as the text can be read; it is
/// read once.
pub(crate) fn lines_of_rows(
    path: &Path,
    file: &FileConfig<'_>,
    delimiter: u8,
    wanted: &BTreeSet<usize>,
    largest: u64,
) -> Vec<u64> {
    let mut lines = Vec::new();
    let text = read_bytes(path, largest).and_then(|bytes| decode(path, bytes, file.encoding));
    let Ok((text, ..)) = text else {
        return lines;
    };
    let mut rows = CsvRows::new(&text, header_begin(&text, file.skip_rows).0, delimiter);
    if rows.next_row().is_err() {
        return lines;
    }
    let (mut wanted, mut row) = (wanted.iter().peekable(), 0);
    let (mut line, mut counted) = (1, 0);
    while wanted.peek().is_some()
        && let Ok(Some(found)) = rows.next_row()
    {
        if rows.is_blank() {
            continue;
        }
        if wanted.next_if_eq(&&row).is_some() {
            line += memchr::memchr_iter(b'\n', &text[counted..found.start]).count() as u64;
            counted = found.start;
            lines.push(line);
        }
        row += 1;
    }
    lines
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
