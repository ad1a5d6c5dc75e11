//! The rows of a CSV text, one after the other, with their bytes.

use std::ops::Range;

/// The rows of a CSV text, each with its bytes; lines that hold nothing are passed over.
pub(crate) struct CsvRows<'t> {
    text: &'t [u8],
    reader: csv::Reader<&'t [u8]>,
    begin: usize,
    /// The fields of the row that was just read.
    pub(crate) record: csv::ByteRecord,
}

/// A row that is none, with the place in the text.
pub(crate) enum RowFault {
    Unsplit(usize),
    LoneReturn(usize),
}

impl<'t> CsvRows<'t> {
    pub(crate) fn new(text: &'t [u8], begin: usize, delimiter: u8) -> Self {
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

    /// Reads one row more.
    pub(crate) fn next_row(&mut self) -> Result<Option<Range<usize>>, RowFault> {
        let is_there = self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|error| {
                let at = error.position().map_or(0, csv::Position::byte) as usize;
                RowFault::Unsplit(self.begin + at)
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
        // The engine knows no such ends of rows.
        if end > start && self.text[end - 1] == b'\r' {
            return Err(RowFault::LoneReturn(end - 1));
        }
        Ok(Some(start..end))
    }

    /// The row with every field that needs it in quotes.
    pub(crate) fn quoted(&self, delimiter: u8) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .from_writer(Vec::new());
        writer
            .write_byte_record(&self.record)
            .expect("memory takes all that is written");
        writer
            .into_inner()
            .expect("memory takes all that is written")
    }

    /// Whether the row holds nothing: blanks, delimiters, or the mark that old programs end a file
    /// with.
    pub(crate) fn is_blank(&self) -> bool {
        self.record.iter().all(|field| {
            field
                .iter()
                .all(|byte| byte.is_ascii_whitespace() || *byte == 0x1a)
        })
    }
}
