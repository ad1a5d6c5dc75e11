//! Parquet files before the engine sees them: what pages say of their cells must fit what the
//! footer says, since the engine makes room for it before it looks.
//!
//! Headers of pages are read by their format (Apache Thrift's compact protocol, `PageHeader` of
//! parquet.thrift), and nothing else of a page.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use crate::arrow_file::MOST_PACKED;
use crate::memory::half_of_memory;

/// What the footer says of the cells of one column in one row group.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    /// Where its pages are.
    pub(crate) range: std::ops::Range<u64>,
    pub(crate) n_values: i64,
    /// Rows of the group; `None` where a row may have several values.
    pub(crate) n_rows: Option<usize>,
}

/// Bytes that are read at once: headers have some thirty, and statistics within may have more.
const AT_ONCE: usize = 512;
/// No header has more.
const LARGEST_HEADER: usize = 1 << 20;
/// Structs within each other in a header: three, by the format.
const DEEPEST: usize = 8;

/// What is damaged in these columns.
pub(crate) fn damage(
    file: &File,
    chunks: impl Iterator<Item = Chunk>,
) -> std::io::Result<Option<&'static str>> {
    let length = file.metadata()?.len();
    let memory = half_of_memory();
    for chunk in chunks {
        if chunk.range.start > chunk.range.end || chunk.range.end > length {
            return Ok(Some("a column lies beyond its end"));
        }
        if chunk.n_values < 0
            || chunk
                .n_rows
                .is_some_and(|n_rows| u64::try_from(chunk.n_values) != Ok(n_rows as u64))
        {
            return Ok(Some("a column has another number of cells than its rows"));
        }
        let (mut at, mut n_values, mut n_bytes) = (chunk.range.start, 0_i64, 0_u64);
        // Beyond the last value there may be padding.
        while at < chunk.range.end && (n_values < chunk.n_values || chunk.n_values == 0) {
            let Some((page, size)) = header_at(file, at, chunk.range.end)? else {
                return Ok(Some("the header of a page cannot be understood"));
            };
            let (Ok(packed), Ok(unpacked)) =
                (u64::try_from(page.packed), u64::try_from(page.unpacked))
            else {
                return Ok(Some("a page has fewer bytes than none"));
            };
            at = at.saturating_add(size).saturating_add(packed);
            n_bytes = n_bytes.saturating_add(unpacked);
            if at > chunk.range.end {
                return Ok(Some("a page lies beyond its column"));
            }
            if n_bytes > memory || unpacked > packed.saturating_mul(MOST_PACKED) {
                return Ok(Some(
                    "a column unpacks to more than there can be in it, or than half of the memory",
                ));
            }
            if page.n_values < 0
                || page.n_entries < 0
                || u64::try_from(page.n_entries).is_ok_and(|n| n > unpacked.saturating_mul(8))
            {
                return Ok(Some("a dictionary has more entries than bytes"));
            }
            n_values = n_values.saturating_add(page.n_values);
        }
        if n_values != chunk.n_values {
            return Ok(Some(
                "the pages of a column have another number of cells than it has",
            ));
        }
    }
    Ok(None)
}

/// What a header says.
#[derive(Debug, Default, Clone, Copy)]
struct Page {
    unpacked: i64,
    packed: i64,
    /// Cells of a page of data.
    n_values: i64,
    /// Entries of a dictionary.
    n_entries: i64,
}

/// The header at a place, and its bytes.
fn header_at(mut file: &File, at: u64, end: u64) -> std::io::Result<Option<(Page, u64)>> {
    let mut size = AT_ONCE;
    loop {
        let mut bytes = vec![0; usize::try_from(end - at).unwrap_or(usize::MAX).min(size)];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut bytes)?;
        let mut reader = Reader {
            bytes: &bytes,
            at: 0,
        };
        match read_header(&mut reader) {
            Some(page) => return Ok(Some((page, reader.at as u64))),
            None if size >= LARGEST_HEADER || bytes.len() < size => return Ok(None),
            None => size *= 16,
        }
    }
}

fn read_header(reader: &mut Reader<'_>) -> Option<Page> {
    let mut page = Page::default();
    let mut id = 0;
    while let Some((field, kind)) = reader.field(&mut id)? {
        match (field, kind) {
            (2, INT) => page.unpacked = reader.zigzag()?,
            (3, INT) => page.packed = reader.zigzag()?,
            (5 | 8, STRUCT) => page.n_values = reader.first_number()?,
            (7, STRUCT) => page.n_entries = reader.first_number()?,
            _ => reader.skip(kind, 0)?,
        }
    }
    Some(page)
}

const INT: u8 = 5;
const STRUCT: u8 = 12;

/// Thrift's compact protocol, as far as headers need it; `None` where bytes end or make no sense.
struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        let number = self.varint()?;
        Some((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    /// The number and the type of the next field; none at the end of a struct.
    fn field(&mut self, last: &mut i64) -> Option<Option<(i64, u8)>> {
        let head = self.byte()?;
        if head == 0 {
            return Some(None);
        }
        *last = if head >> 4 == 0 {
            self.zigzag()?
        } else {
            last.checked_add(i64::from(head >> 4))?
        };
        Some(Some((*last, head & 0x0f)))
    }

    /// Field 1 of a struct, which all of it is read for.
    fn first_number(&mut self) -> Option<i64> {
        let (mut id, mut found) = (0, None);
        while let Some((field, kind)) = self.field(&mut id)? {
            if (field, kind) == (1, INT) {
                found = Some(self.zigzag()?);
            } else {
                self.skip(kind, 1)?;
            }
        }
        found
    }

    fn pass(&mut self, n: u64) -> Option<()> {
        self.at = self
            .at
            .checked_add(usize::try_from(n).ok()?)
            .filter(|at| *at <= self.bytes.len())?;
        Some(())
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match kind {
            // The truth of a field is in its type.
            1 | 2 => Some(()),
            3 => self.pass(1),
            4..=6 => self.zigzag().map(drop),
            7 => self.pass(8),
            8 => {
                let length = self.varint()?;
                self.pass(length)
            }
            9 | 10 => {
                let head = self.byte()?;
                let n = if head >> 4 == 15 {
                    self.varint()?
                } else {
                    u64::from(head >> 4)
                };
                // Truths in a list have a byte each.
                (0..n).try_for_each(|_| {
                    if matches!(head & 0x0f, 1 | 2) {
                        self.pass(1)
                    } else {
                        self.skip(head & 0x0f, depth + 1)
                    }
                })
            }
            STRUCT => {
                let mut id = 0;
                while let Some((_, kind)) = self.field(&mut id)? {
                    self.skip(kind, depth + 1)?;
                }
                Some(())
            }
            _ => None,
        }
    }
}
