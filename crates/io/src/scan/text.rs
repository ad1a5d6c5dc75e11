//! A text in memory, cut into runs of whole rows that are read side by side.

use std::collections::BTreeSet;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memrchr};
use polars_core::error::PolarsResult;
use polars_core::prelude::{
    DataFrame, DataType, Field, IntoColumn, NamedFrom, PolarsError, Schema, Series,
};
use polars_io::csv::read::_csv_read_internal::{CountLines, read_chunk};
use polars_io::csv::read::{CsvParseOptions, SplitLines};
use polars_io::ndjson::core::parse_ndjson;
use polars_io::ndjson::count_rows;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::ndjson_text::{Element, ValueType, lines_of_objects, written_values};
use crate::text_bytes::runs_of_lines;

/// Bytes of a run: what stays in the cache of a processor.
const RUN_BYTES: usize = 512 * 1024;

/// A checked text with the places of its rows.
pub(super) struct Text {
    bytes: Vec<u8>,
    /// Names and types of all columns.
    schema: Schema,
    runs: Vec<Run>,
    /// How fields are parted; `None` for objects on lines.
    csv: Option<CsvParseOptions>,
    /// Columns of objects whose values are texts as they are written.
    written: BTreeSet<String>,
    /// Where the elements of lists were that are rows; `None` where the lines of the file are.
    elements: Option<Vec<Element>>,
}

/// Whole rows, one after the other.
struct Run {
    bytes: Range<usize>,
    rows: Range<usize>,
}

impl Text {
    /// A checked CSV text, every cell of which is a text: types are decided over whole columns, and
    /// no cell is lost to a guess.
    pub(super) fn of_csv(bytes: Vec<u8>, delimiter: u8, header: &[String]) -> Self {
        let options = CsvParseOptions {
            separator: delimiter,
            ..CsvParseOptions::default()
        };
        let (quote, end_of_line) = (options.quote_char, options.eol_char);
        let header_row = SplitLines::new(&bytes, quote, end_of_line, None).next();
        let mut begin = header_row.map_or(0, |row| (row.len() + 1).min(bytes.len()));
        let lines = CountLines::new(quote, end_of_line, None);
        let mut runs = Vec::new();
        let mut wanted = RUN_BYTES;
        while begin < bytes.len() {
            let end = bytes.len().min(begin + wanted);
            let (n_rows, n_bytes) = rows_of(&bytes[begin..end], end == bytes.len(), &lines);
            if n_bytes == 0 {
                wanted *= 2;
                continue;
            }
            add_run(&mut runs, begin..begin + n_bytes, n_rows);
            begin += n_bytes;
            wanted = RUN_BYTES;
        }
        let texts = |name: &String| Field::new(name.as_str().into(), DataType::String);
        Self {
            schema: header.iter().map(texts).collect(),
            bytes,
            runs,
            csv: Some(options),
            written: BTreeSet::new(),
            elements: None,
        }
    }

    /// Objects on lines, which were checked, with what their values are read as.
    pub(super) fn of_ndjson(bytes: Vec<u8>, columns: &[(String, ValueType)]) -> Self {
        let field = |(name, kind): &(String, ValueType)| {
            let kind = match kind {
                ValueType::Boolean => DataType::Boolean,
                ValueType::Integer => DataType::Int64,
                ValueType::Float => DataType::Float64,
                ValueType::Text | ValueType::Written => DataType::String,
                ValueType::Integers => DataType::List(Box::new(DataType::Int64)),
                ValueType::Texts => DataType::List(Box::new(DataType::String)),
            };
            Field::new(name.as_str().into(), kind)
        };
        let schema = columns.iter().map(field).collect();
        let written = columns
            .iter()
            .filter(|(_, kind)| *kind == ValueType::Written)
            .map(|(name, _)| name.clone())
            .collect();
        let mut runs = Vec::new();
        for run in runs_of_lines(&bytes, RUN_BYTES) {
            let n_rows = count_rows(&bytes[run.clone()]);
            add_run(&mut runs, run, n_rows);
        }
        Self {
            bytes,
            schema,
            runs,
            csv: None,
            written,
            elements: None,
        }
    }

    /// The same text, whose rows were elements of lists.
    pub(super) fn of_elements(self, elements: Option<Vec<Element>>) -> Self {
        Self { elements, ..self }
    }

    /// Where in the file these rows are, if they are objects.
    pub(super) fn places_of_objects(&self, rows: &BTreeSet<usize>) -> Vec<String> {
        match (&self.csv, &self.elements) {
            (Some(_), _) => Vec::new(),
            (None, None) => lines_of_objects(&self.bytes, rows)
                .iter()
                .map(|line| format!("line {line}"))
                .collect(),
            (None, Some(elements)) => rows
                .iter()
                .filter_map(|&row| elements.get(row))
                .map(|Element { line, number }| format!("line {line}, element {number}"))
                .collect(),
        }
    }

    /// The names of the columns.
    pub(super) fn columns(&self) -> Vec<String> {
        self.schema.iter_names().map(ToString::to_string).collect()
    }

    pub(super) fn n_rows(&self) -> usize {
        self.runs.last().map_or(0, |run| run.rows.end)
    }

    /// These columns of some rows.
    pub(super) fn read(&self, columns: &[&str], rows: Range<usize>) -> PolarsResult<DataFrame> {
        let mut found: Vec<usize> = columns
            .iter()
            .map(|column| self.schema.try_index_of(column))
            .collect::<PolarsResult<_>>()?;
        found.sort_unstable();
        let wanted: Schema = found
            .iter()
            .filter_map(|&at| self.schema.get_at_index(at))
            .map(|(name, kind)| Field::new(name.clone(), kind.clone()))
            .collect();
        let runs: Vec<PolarsResult<DataFrame>> = self
            .runs_of(&rows)
            .par_iter()
            .map(|run| {
                let begin = rows.start.saturating_sub(run.rows.start);
                let end = rows.end.min(run.rows.end) - run.rows.start;
                let frame = self.read_run(run, &found, &wanted)?;
                Ok(frame.slice(begin as i64, end - begin))
            })
            .collect();
        let mut frame: Option<DataFrame> = None;
        for run in runs {
            let run = run?;
            match &mut frame {
                Some(frame) => _ = frame.vstack_mut_owned(run)?,
                None => frame = Some(run),
            }
        }
        frame
            .unwrap_or_else(|| DataFrame::empty_with_schema(&wanted))
            .select(columns.iter().copied())
    }

    /// The runs that have any of these rows.
    fn runs_of(&self, rows: &Range<usize>) -> &[Run] {
        let begin = self.runs.partition_point(|run| run.rows.end <= rows.start);
        let end = self.runs.partition_point(|run| run.rows.start < rows.end);
        &self.runs[begin..end.max(begin)]
    }

    fn read_run(&self, run: &Run, found: &[usize], wanted: &Schema) -> PolarsResult<DataFrame> {
        let n_rows = run.rows.len();
        if found.is_empty() {
            return Ok(DataFrame::empty_with_height(n_rows));
        }
        let bytes = &self.bytes[run.bytes.clone()];
        let frame = match &self.csv {
            None => self.read_objects(bytes, n_rows, wanted)?,
            Some(options) => {
                // The engine takes the bytes of texts as they are.
                if std::str::from_utf8(bytes).is_err() {
                    return Err(PolarsError::ComputeError("invalid utf-8 sequence".into()));
                }
                let (schema, end) = (&self.schema, bytes.len());
                read_chunk(
                    bytes,
                    options,
                    schema,
                    false,
                    found,
                    0,
                    n_rows,
                    None,
                    usize::MAX,
                    end,
                    Some(0),
                )?
            }
        };
        if frame.height() == n_rows {
            return Ok(frame);
        }
        let found = format!(
            "CSV malformed: expected {n_rows} rows, actual {} rows, in the part of the file that begins at row {}",
            frame.height(),
            run.rows.start
        );
        Err(PolarsError::ComputeError(found.into()))
    }
}

impl Text {
    /// Columns of objects on lines.
    fn read_objects(
        &self,
        bytes: &[u8],
        n_rows: usize,
        wanted: &Schema,
    ) -> PolarsResult<DataFrame> {
        let (written, typed): (Vec<_>, Vec<_>) = wanted
            .iter()
            .partition(|(name, _)| self.written.contains(name.as_str()));
        let typed: Schema = typed
            .into_iter()
            .map(|(name, kind)| Field::new(name.clone(), kind.clone()))
            .collect();
        let mut frame = if typed.is_empty() {
            DataFrame::empty_with_height(n_rows)
        } else {
            parse_ndjson(bytes, Some(n_rows), &typed, false)?
        };
        let names: Vec<&str> = written.iter().map(|(name, _)| name.as_str()).collect();
        for (name, values) in names.iter().zip(written_values(bytes, &names)) {
            frame.with_column(Series::new((*name).into(), values).into_column())?;
        }
        Ok(frame)
    }
}

/// How many rows begin and end within these bytes, which begin with a row, and how many bytes they
/// are. At the end of the text the last row needs no end.
fn rows_of(bytes: &[u8], is_end: bool, lines: &CountLines) -> (usize, usize) {
    // Without quotes every end of a line is one of a row, and is found at memory speed.
    if memchr(b'"', bytes).is_some() {
        return lines.count_rows(bytes, is_end);
    }
    let n_lines = memchr_iter(b'\n', bytes).count();
    let n_bytes = memrchr(b'\n', bytes).map_or(0, |last| last + 1);
    if is_end {
        let has_open_row = n_bytes < bytes.len();
        (n_lines + usize::from(has_open_row), bytes.len())
    } else {
        (n_lines, n_bytes)
    }
}

fn add_run(runs: &mut Vec<Run>, bytes: Range<usize>, n_rows: usize) {
    let before = runs.last().map_or(0, |run| run.rows.end);
    runs.push(Run {
        bytes,
        rows: before..before + n_rows,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
        let series = frame.column(column).expect("a column");
        let texts = series.cast(&DataType::String).expect("texts");
        let texts = texts.str().expect("texts");
        texts.iter().map(|cell| cell.map(str::to_owned)).collect()
    }

    /// Rows in any order of columns are those of the whole, wherever runs begin and end.
    #[track_caller]
    fn check_rows(text: &Text, first: &[Option<String>], last: &[Option<String>]) {
        let n_rows = first.len();
        assert_eq!((text.n_rows(), last.len()), (n_rows, n_rows));
        assert!(text.runs.len() > 2, "{} runs", text.runs.len());
        let border = text.runs[0].rows.end;
        for rows in [
            0..n_rows,
            0..1,
            border - 1..border + 1,
            border..border + 1,
            n_rows - 1..n_rows,
            7..n_rows - 7,
        ] {
            let frame = text.read(&["last", "first"], rows.clone()).expect("rows");
            assert_eq!(frame.height(), rows.len(), "{rows:?}");
            assert!(cells(&frame, "first") == first[rows.clone()], "{rows:?}");
            assert!(cells(&frame, "last") == last[rows.clone()], "{rows:?}");
        }
    }

    #[test]
    fn runs_of_csv_end_with_rows_and_not_within_quotes() {
        let n_rows = 20_000;
        let quoted = |row: usize| format!("{row}\n\"{}\n", "x\n".repeat(row % 90));
        let first: Vec<_> = (0..n_rows).map(|row| Some(quoted(row))).collect();
        let last: Vec<_> = (0..n_rows)
            .map(|row| (row % 3 > 0).then(|| format!("ü{row}")))
            .collect();
        let header = ["first", "middle", "last"].map(str::to_owned);
        let mut text = "first;middle; last \n".to_owned();
        for (first, last) in first.iter().flatten().zip(&last) {
            let last = last.as_deref().unwrap_or_default();
            text += &format!("\"{}\";;{last}\n", first.replace('"', "\"\""));
        }
        let text_read = Text::of_csv(text.clone().into_bytes(), b';', &header);
        check_rows(&text_read, &first, &last);
        // The last row needs no end.
        let text_read = Text::of_csv(text.trim_end().as_bytes().to_vec(), b';', &header);
        check_rows(&text_read, &first, &last);
    }

    #[test]
    fn runs_of_csv_without_quotes_are_those_that_quotes_would_have() {
        let lines = CountLines::new(Some(b'"'), b'\n', None);
        for text in ["", "a", "a\n", "a\r\nb", "\n\n", "a,b\nc,d\ne", "a\nb\n"] {
            for is_end in [false, true] {
                let bytes = text.as_bytes();
                let expected = lines.count_rows(bytes, is_end);
                assert_eq!(
                    rows_of(bytes, is_end, &lines),
                    expected,
                    "{text:?} {is_end}"
                );
            }
        }
    }

    #[test]
    fn a_row_may_be_longer_than_a_run() {
        let long = "y".repeat(3 * RUN_BYTES);
        let text = Text::of_csv(
            format!("first,last\n{long},1\n2,{long}").into_bytes(),
            b',',
            &["first", "last"].map(str::to_owned),
        );
        let frame = text.read(&["first"], 0..2).expect("rows");
        assert_eq!(cells(&frame, "first"), [Some(long), Some("2".to_owned())]);
    }

    #[test]
    fn a_header_alone_has_columns_and_no_rows() {
        let header = ["first", "last"].map(str::to_owned);
        for text in ["first,last", "first,last\n"] {
            let text = Text::of_csv(text.as_bytes().to_vec(), b',', &header);
            assert_eq!((text.columns(), text.n_rows()), (header.to_vec(), 0));
            let frame = text.read(&["last"], 0..0).expect("no rows");
            assert_eq!((frame.height(), frame.width()), (0, 1));
        }
    }

    #[test]
    fn runs_of_ndjson_end_with_lines_and_blank_ones_are_no_rows() {
        let n_rows = 40_000;
        let first: Vec<_> = (0..n_rows).map(|row| Some(row.to_string())).collect();
        let last: Vec<_> = (0..n_rows)
            .map(|row| (row % 3 > 0).then(|| format!("a\n{row}")))
            .collect();
        let mut text = String::new();
        for (row, last) in last.iter().enumerate() {
            let last = last.as_ref().map(|last| last.replace('\n', "\\n"));
            text += &match last {
                Some(last) => format!("{{\"first\": {row}, \"last\": \"{last}\"}}\n \r\n"),
                None => format!("{{\"other\": [1], \"first\": {row}}}\n"),
            };
        }
        let columns = [
            ("first", ValueType::Integer),
            ("last", ValueType::Text),
            ("other", ValueType::Texts),
        ]
        .map(|(name, kind)| (name.to_owned(), kind));
        let text = Text::of_ndjson(text.into_bytes(), &columns);
        let mut columns = text.columns();
        columns.sort();
        assert_eq!(columns, ["first", "last", "other"]);
        check_rows(&text, &first, &last);
    }
}
