//! Typed rows on disk: what a part of the leads needs of one table, while the other parts are
//! worked on.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use leadscore_core::{Stamp, Timestamp};
use leadscore_dataset::MISSING;
use leadscore_dataset::NEVER;

use crate::error::TablesError;
use crate::scratch::create_private;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Text,
    /// One of few texts, each with a number.
    Category,
    Number,
    Time,
}

/// The columns of a spilled table, and the levels of its categories.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) columns: Vec<(String, Role)>,
    /// For each category column, the texts by number; empty for the others.
    pub(crate) levels: Vec<Vec<String>>,
    /// Whether each row knows where it stood in the table.
    pub(crate) has_rows: bool,
}

/// Rows of one table for one part of the leads.
#[derive(Debug, Clone)]
pub(crate) struct SpilledFile {
    pub(crate) path: PathBuf,
    pub(crate) schema: Arc<Schema>,
}

/// Cells of one column, in memory.
#[derive(Debug, Clone)]
enum Cells {
    Text {
        blob: String,
        ends: Vec<u32>,
        missing: Vec<bool>,
    },
    Category(Vec<u32>),
    Number(Vec<f64>),
    /// Starts, and from when each is known where that is not its start.
    Time {
        starts: Vec<i64>,
        known: Option<Vec<i64>>,
    },
}

/// Rows that were read back.
#[derive(Debug)]
pub(crate) struct SpilledRows {
    schema: Arc<Schema>,
    rows: Vec<u64>,
    columns: Vec<Option<Cells>>,
    n_rows: usize,
}

/// Cells of one column on their way to disk.
pub(crate) enum Outgoing<'a> {
    Text(Vec<Option<&'a str>>),
    Category(Vec<u32>),
    Number(Vec<f64>),
    Time(Vec<Option<Stamp>>),
}

/// Widths in bytes: narrow where every cell of a block fits, since what is written has to be read
/// again.
const NARROW: u8 = 0;
const WIDE: u8 = 1;
/// Times with a moment of which they are known that is not their start: mere dates.
const WIDE_DATES: u8 = 2;
/// The narrow form of a missing cell, a text of as many bytes or a level of this number: neither is
/// then narrow.
const NARROW_MISSING: u8 = u8::MAX;
const WIDE_MISSING: u32 = u32::MAX;
const NO_TIME: i64 = i64::MIN;
/// Bytes of a narrow time: microseconds since the block's first, up to eight years.
const NARROW_TIME: usize = 6;
const NARROW_NO_TIME: u64 = (1 << (8 * NARROW_TIME)) - 1;

/// Appends these rows of a batch to `out`, as one block; `places` are the rows of the table that
/// they are.
pub(crate) fn encode(
    places: Option<&[u64]>,
    columns: &[Outgoing<'_>],
    rows: &[u32],
    out: &mut Vec<u8>,
) {
    let begin = out.len();
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&(rows.len() as u32).to_le_bytes());
    if let Some(places) = places {
        rows.iter()
            .for_each(|&row| out.extend_from_slice(&places[row as usize].to_le_bytes()));
    }
    for column in columns {
        match column {
            Outgoing::Text(cells) => {
                let cells = gather(cells, rows);
                encode_small(
                    &cells
                        .iter()
                        .map(|cell| cell.map_or(WIDE_MISSING, |text| text.len() as u32))
                        .collect::<Vec<_>>(),
                    out,
                );
                cells
                    .iter()
                    .flatten()
                    .for_each(|text| out.extend_from_slice(text.as_bytes()));
            }
            Outgoing::Category(codes) => encode_small(&gather(codes, rows), out),
            Outgoing::Number(values) => encode_numbers(&gather(values, rows), out),
            Outgoing::Time(times) => encode_times(&gather(times, rows), out),
        }
    }
    let length = (out.len() - begin - 8) as u64;
    out[begin..begin + 8].copy_from_slice(&length.to_le_bytes());
}

/// The cells of these rows, side by side: they are looked at more than once.
fn gather<T: Copy>(cells: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().map(|&row| cells[row as usize]).collect()
}

fn encode_small(values: &[u32], out: &mut Vec<u8>) {
    if values
        .iter()
        .all(|&value| value < u32::from(NARROW_MISSING) || value == WIDE_MISSING)
    {
        out.push(NARROW);
        out.extend(
            values
                .iter()
                .map(|&value| u8::try_from(value).unwrap_or(NARROW_MISSING)),
        );
    } else {
        out.push(WIDE);
        values
            .iter()
            .for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "only where it loses nothing"
)]
fn encode_numbers(values: &[f64], out: &mut Vec<u8>) {
    if values
        .iter()
        .all(|value| value.is_nan() || f64::from(*value as f32).to_bits() == value.to_bits())
    {
        out.push(NARROW);
        values
            .iter()
            .for_each(|value| out.extend_from_slice(&(*value as f32).to_le_bytes()));
    } else {
        out.push(WIDE);
        values
            .iter()
            .for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
    }
}

fn encode_times(times: &[Option<Stamp>], out: &mut Vec<u8>) {
    let has_dates = times
        .iter()
        .flatten()
        .any(|stamp| stamp.start != stamp.known);
    let first = times
        .iter()
        .flatten()
        .map(|stamp| stamp.start.micros())
        .min()
        .unwrap_or(0);
    let last = times
        .iter()
        .flatten()
        .map(|stamp| stamp.start.micros())
        .max()
        .unwrap_or(0);
    if !has_dates && ((last - first) as u64) < NARROW_NO_TIME {
        out.push(NARROW);
        out.extend_from_slice(&first.to_le_bytes());
        for time in times {
            let since = time.map_or(NARROW_NO_TIME, |stamp| {
                (stamp.start.micros() - first) as u64
            });
            out.extend_from_slice(&since.to_le_bytes()[..NARROW_TIME]);
        }
        return;
    }
    out.push(if has_dates { WIDE_DATES } else { WIDE });
    let mut write = |part: fn(Stamp) -> Timestamp| {
        times.iter().for_each(|time| {
            out.extend_from_slice(
                &time
                    .map_or(NO_TIME, |stamp| part(stamp).micros())
                    .to_le_bytes(),
            );
        });
    };
    write(|stamp| stamp.start);
    if has_dates {
        write(|stamp| stamp.known);
    }
}

/// Appends blocks to a spill file.
pub(crate) fn append(path: &Path, blocks: &[u8]) -> Result<(), TablesError> {
    let error = |source| TablesError::Io {
        action: "write the spill file",
        path: path.to_owned(),
        source,
    };
    let mut file = create_private(path).map_err(error)?;
    file.write_all(blocks).map_err(error)
}

/// Bytes that are taken off the front as they are understood.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn words<const WIDTH: usize>(
        &mut self,
        n: usize,
    ) -> Option<impl Iterator<Item = [u8; WIDTH]> + 'a> {
        Some(self.take(n * WIDTH)?.as_chunks().0.iter().copied())
    }

    /// What [`encode_small`] wrote.
    fn small(&mut self, n: usize, kept: &mut Vec<u32>) -> Option<()> {
        match self.byte()? {
            NARROW => kept.extend(self.take(n)?.iter().map(|&value| {
                if value == NARROW_MISSING {
                    WIDE_MISSING
                } else {
                    u32::from(value)
                }
            })),
            _ => kept.extend(self.words(n)?.map(u32::from_le_bytes)),
        }
        Some(())
    }
}

impl SpilledFile {
    pub(crate) fn columns(&self) -> Vec<String> {
        self.schema
            .columns
            .iter()
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Reads these columns back; a file that was never written has no rows.
    pub(crate) fn read(&self, wanted: &[&str]) -> Result<SpilledRows, TablesError> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(source) => {
                return Err(TablesError::Io {
                    action: "read the spill file",
                    path: self.path.clone(),
                    source,
                });
            }
        };
        self.decode(&bytes, wanted)
            .ok_or_else(|| TablesError::Format {
                path: self.path.clone(),
                found: "the spill file is not as it was written".to_owned(),
                help: "something changed it while this ran: run it again".to_owned(),
            })
    }

    fn decode(&self, bytes: &[u8], wanted: &[&str]) -> Option<SpilledRows> {
        let is_wanted = |name: &str| wanted.contains(&name);
        let columns = self
            .schema
            .columns
            .iter()
            .map(|(name, role)| is_wanted(name).then(|| Cells::new(*role)))
            .collect();
        let mut rows = SpilledRows {
            schema: Arc::clone(&self.schema),
            rows: Vec::new(),
            columns,
            n_rows: 0,
        };
        let mut reader = Reader(bytes);
        while !reader.0.is_empty() {
            let length = u64::from_le_bytes(reader.take(8)?.try_into().ok()?);
            let mut block = Reader(reader.take(usize::try_from(length).ok()?)?);
            let n_rows = u32::from_le_bytes(block.words(1)?.next()?) as usize;
            if self.schema.has_rows {
                rows.rows
                    .extend(block.words(n_rows)?.map(u64::from_le_bytes));
            }
            for ((_, role), cells) in self.schema.columns.iter().zip(&mut rows.columns) {
                decode_column(*role, n_rows, cells.as_mut(), &mut block)?;
            }
            rows.n_rows += n_rows;
        }
        Some(rows)
    }
}

/// Moves over one column of a block, and keeps it where it is wanted.
fn decode_column(
    role: Role,
    n_rows: usize,
    cells: Option<&mut Cells>,
    block: &mut Reader<'_>,
) -> Option<()> {
    let mut unwanted = Cells::new(role);
    match cells.unwrap_or(&mut unwanted) {
        Cells::Text {
            blob,
            ends,
            missing,
        } => {
            let mut lengths = Vec::with_capacity(n_rows);
            block.small(n_rows, &mut lengths)?;
            let total = lengths
                .iter()
                .filter(|&&length| length != WIDE_MISSING)
                .map(|&length| length as usize)
                .sum();
            let mut end = blob.len() as u32;
            blob.push_str(std::str::from_utf8(block.take(total)?).ok()?);
            for length in lengths {
                missing.push(length == WIDE_MISSING);
                end += if length == WIDE_MISSING { 0 } else { length };
                ends.push(end);
            }
        }
        Cells::Category(kept) => block.small(n_rows, kept)?,
        Cells::Number(kept) => match block.byte()? {
            NARROW => kept.extend(
                block
                    .words(n_rows)?
                    .map(|bytes| f64::from(f32::from_le_bytes(bytes))),
            ),
            _ => kept.extend(block.words(n_rows)?.map(f64::from_le_bytes)),
        },
        Cells::Time { starts, known } => {
            let n_before = starts.len();
            match block.byte()? {
                NARROW => {
                    let first = i64::from_le_bytes(block.words(1)?.next()?);
                    starts.extend(block.words::<NARROW_TIME>(n_rows)?.map(|bytes| {
                        let mut since = [0; 8];
                        since[..NARROW_TIME].copy_from_slice(&bytes);
                        let since = u64::from_le_bytes(since);
                        if since == NARROW_NO_TIME {
                            NO_TIME
                        } else {
                            first + since as i64
                        }
                    }));
                }
                WIDE_DATES => {
                    starts.extend(block.words(n_rows)?.map(i64::from_le_bytes));
                    let known = known.get_or_insert_with(|| starts[..n_before].to_vec());
                    known.extend(block.words(n_rows)?.map(i64::from_le_bytes));
                }
                _ => starts.extend(block.words(n_rows)?.map(i64::from_le_bytes)),
            }
            if let Some(known) = known {
                known.extend_from_slice(&starts[known.len()..]);
            }
        }
    }
    Some(())
}

impl Cells {
    fn new(role: Role) -> Self {
        match role {
            Role::Text => Self::Text {
                blob: String::new(),
                ends: Vec::new(),
                missing: Vec::new(),
            },
            Role::Category => Self::Category(Vec::new()),
            Role::Number => Self::Number(Vec::new()),
            Role::Time => Self::Time {
                starts: Vec::new(),
                known: None,
            },
        }
    }
}

impl SpilledRows {
    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Whether each row knows where it stood in the table.
    pub(crate) fn knows_rows(&self) -> bool {
        self.schema.has_rows
    }

    pub(crate) fn row_in_table(&self, row: usize) -> Option<usize> {
        self.rows.get(row).map(|&row| row as usize)
    }

    fn column(&self, name: &str) -> (&Cells, &[String]) {
        let position = self
            .schema
            .columns
            .iter()
            .position(|(known, _)| known == name)
            .expect("the column was spilled");
        (
            self.columns[position]
                .as_ref()
                .expect("the column was asked for in read"),
            &self.schema.levels[position],
        )
    }

    pub(crate) fn is_time(&self, name: &str) -> bool {
        matches!(self.column(name).0, Cells::Time { .. })
    }

    pub(crate) fn for_each_text(
        &self,
        name: &str,
        mut visit: impl FnMut(usize, Option<&str>) -> Result<(), TablesError>,
    ) -> Result<(), TablesError> {
        match self.column(name) {
            (
                Cells::Text {
                    blob,
                    ends,
                    missing,
                },
                _,
            ) => {
                let mut start = 0;
                for (row, (&end, &missing)) in ends.iter().zip(missing).enumerate() {
                    visit(row, (!missing).then(|| &blob[start..end as usize]))?;
                    start = end as usize;
                }
            }
            (Cells::Category(codes), levels) => {
                for (row, &code) in codes.iter().enumerate() {
                    visit(
                        row,
                        (code != MISSING).then(|| levels[code as usize].as_str()),
                    )?;
                }
            }
            (Cells::Number(values), _) => {
                for (row, value) in values.iter().enumerate() {
                    visit(row, (!value.is_nan()).then(|| value.to_string()).as_deref())?;
                }
            }
            (Cells::Time { .. }, _) => unreachable!("times are not read as texts"),
        }
        Ok(())
    }

    pub(crate) fn numbers(&self, name: &str) -> Option<Vec<f64>> {
        match self.column(name).0 {
            Cells::Number(values) => Some(values.clone()),
            Cells::Text { .. } | Cells::Category(_) | Cells::Time { .. } => None,
        }
    }

    pub(crate) fn times(&self, name: &str) -> Vec<Option<Stamp>> {
        let Cells::Time { starts, known } = self.column(name).0 else {
            unreachable!("the column was spilled as times")
        };
        let known = known.as_ref().unwrap_or(starts).iter();
        let stamp = |(&start, &known)| {
            (start != NO_TIME).then(|| Stamp {
                start: Timestamp::from_micros(start),
                known: Timestamp::from_micros(known),
            })
        };
        starts.iter().zip(known).map(stamp).collect()
    }

    /// From when each time counts as known, [`NEVER`] where missing.
    pub(crate) fn known_times(&self, name: &str) -> Vec<Timestamp> {
        let Cells::Time { starts, known } = self.column(name).0 else {
            unreachable!("the column was spilled as times")
        };
        known
            .as_ref()
            .unwrap_or(starts)
            .iter()
            .map(|&known| {
                if known == NO_TIME {
                    NEVER
                } else {
                    Timestamp::from_micros(known)
                }
            })
            .collect()
    }

    /// Codes by the order of the levels' names, and those levels.
    pub(crate) fn codes(&self, name: &str) -> Option<(Vec<u32>, Vec<String>)> {
        let (Cells::Category(codes), levels) = self.column(name) else {
            return None;
        };
        let mut order: Vec<u32> = (0..levels.len() as u32).collect();
        order.sort_unstable_by_key(|&level| &levels[level as usize]);
        let mut number = vec![0; levels.len()];
        for (position, &level) in order.iter().enumerate() {
            number[level as usize] = position as u32;
        }
        let sorted = order
            .iter()
            .map(|&level| levels[level as usize].clone())
            .collect();
        Some((
            codes
                .iter()
                .map(|&code| {
                    if code == MISSING {
                        MISSING
                    } else {
                        number[code as usize]
                    }
                })
                .collect(),
            sorted,
        ))
    }
}

#[cfg(test)]
mod tests {
    use leadscore_core::Precision;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let schema = Schema {
            columns: vec![
                ("id".to_owned(), Role::Text),
                ("kind".to_owned(), Role::Category),
                ("value".to_owned(), Role::Number),
                ("at".to_owned(), Role::Time),
            ],
            levels: vec![vec![], vec!["z".to_owned(), "a".to_owned()], vec![], vec![]],
            has_rows: true,
        };
        let file = SpilledFile {
            path: folder.path().join("0"),
            schema: Arc::new(schema),
        };
        let stamp = |micros, precision| Some(Stamp::new(Timestamp::from_micros(micros), precision));
        let columns = [
            Outgoing::Text(vec![Some("ä"), None, Some("")]),
            Outgoing::Category(vec![1, MISSING, 0]),
            Outgoing::Number(vec![0.5, f64::NAN, -1.0]),
            Outgoing::Time(vec![
                stamp(7, Precision::Day),
                None,
                stamp(9, Precision::Instant),
            ]),
        ];
        for rows in [&[2, 0][..], &[1]] {
            let mut out = Vec::new();
            encode(Some(&[10, 11, 12]), &columns, rows, &mut out);
            append(&file.path, &out).expect("room on the disk");
        }
        let rows = file
            .read(&["id", "kind", "value", "at"])
            .expect("as it was written");
        assert_eq!(
            (0..3).map(|row| rows.row_in_table(row)).collect::<Vec<_>>(),
            [Some(12), Some(10), Some(11)]
        );
        let mut texts = Vec::new();
        rows.for_each_text("id", |_, text| {
            texts.push(text.map(str::to_owned));
            Ok(())
        })
        .expect("no cell fails");
        assert_eq!(texts, [Some(String::new()), Some("ä".to_owned()), None]);
        assert_eq!(
            rows.codes("kind"),
            Some((vec![1, 0, MISSING], vec!["a".to_owned(), "z".to_owned()]))
        );
        assert_eq!(
            rows.times("at"),
            [stamp(9, Precision::Instant), stamp(7, Precision::Day), None]
        );
        assert_eq!(
            rows.numbers("value").map(|values| values[..2].to_vec()),
            Some(vec![-1.0, 0.5])
        );
        // What is too wide for the narrow forms comes back all the same.
        let long = "x".repeat(300);
        let columns = [
            Outgoing::Text(vec![Some(&long), None]),
            Outgoing::Category(vec![1, 0]),
            Outgoing::Number(vec![0.1, f64::NAN]),
            Outgoing::Time(vec![
                stamp(0, Precision::Instant),
                stamp(1 << 50, Precision::Instant),
            ]),
        ];
        let mut out = Vec::new();
        encode(Some(&[0, 1]), &columns, &[0, 1], &mut out);
        append(&file.path, &out).expect("room on the disk");
        let rows = file
            .read(&["id", "value", "at"])
            .expect("as it was written");
        assert_eq!(rows.numbers("value").map(|values| values[3]), Some(0.1));
        assert_eq!(
            rows.times("at")[3..],
            [
                stamp(0, Precision::Instant),
                stamp(1 << 50, Precision::Instant)
            ]
        );
        // A file that was cut off is an error, not fewer rows.
        let bytes = std::fs::read(&file.path).expect("there");
        std::fs::write(&file.path, &bytes[..bytes.len() - 1]).expect("room on the disk");
        assert!(file.read(&["id"]).is_err());
    }
}
