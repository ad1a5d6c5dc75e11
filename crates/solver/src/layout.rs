//! How rows are laid out: column by column within tiles of 256 rows, and which coefficient belongs to
//! which column.

use crate::column::Column;
use crate::error::SolverError;

/// Rows of a tile: its numbers and codes fit the processor's nearest cache.
pub(crate) const TILE_ROWS: usize = 256;
/// Tiles of a part: what one step of the Hessian looks at, and what is read from disk at once.
pub(crate) const PART_TILES: usize = 16;
/// A category with more levels than this is eliminated from every Hessian before it is factored,
/// one such category a design.
const WIDE_LEVELS: usize = 1024;
/// Rows of a part.
pub(crate) const PART_ROWS: usize = TILE_ROWS * PART_TILES;

/// How numbers are kept. Sums are always in f64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Four bytes: half the memory, and about twice the speed; numbers are rounded to 7 digits.
    F32,
    /// Eight bytes: nothing is rounded.
    F64,
}

/// Which coefficient belongs to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) n_rows: usize,
    pub(crate) n_numbers: usize,
    pub(crate) encoded: Vec<Encoded>,
    pub(crate) n_coefficients: usize,
    /// The encoded column that is eliminated from Hessians, whose coefficients are the last ones.
    pub(crate) wide: Option<usize>,
    pub(crate) precision: Precision,
    /// Columns of each width of code.
    pub(crate) n_codes: [usize; 3],
}

/// An encoded column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encoded {
    pub(crate) n_levels: usize,
    /// Coefficient of its level 0.
    pub(crate) first: usize,
    width: Width,
    /// Its place among the columns of its width.
    position: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Byte,
    Two,
    Four,
}

/// Up to [`PART_TILES`] tiles; in a tile, columns one after the other. Rows past the end are zero.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) first_row: usize,
    pub(crate) n_rows: usize,
    pub(crate) numbers: Numbers,
    pub(crate) bytes: Vec<u8>,
    pub(crate) twos: Vec<u16>,
    pub(crate) fours: Vec<u32>,
}

#[derive(Debug, Clone)]
pub(crate) enum Numbers {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// The codes of one column in one tile.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TileCodes<'a> {
    Byte(&'a [u8]),
    Two(&'a [u16]),
    Four(&'a [u32]),
}

impl Layout {
    pub(crate) fn new(n_rows: usize, columns: &[Column<'_>], precision: Precision) -> Self {
        let n_numbers = columns
            .iter()
            .filter(|column| matches!(column, Column::Number(_)))
            .count();
        let levels: Vec<usize> = columns
            .iter()
            .filter_map(|column| {
                if let Column::Codes { n_levels, .. } = column {
                    Some(*n_levels)
                } else {
                    None
                }
            })
            .collect();
        let wide = (0..levels.len())
            .rev()
            .max_by_key(|&idx| levels[idx])
            .filter(|&idx| levels[idx] > WIDE_LEVELS);
        let mut layout = Self {
            n_rows,
            n_numbers,
            encoded: Vec::new(),
            n_coefficients: 1 + n_numbers,
            wide,
            precision,
            n_codes: [0; 3],
        };
        for &n_levels in &levels {
            let width = match n_levels {
                0..=0x100 => Width::Byte,
                0x101..=0x1_0000 => Width::Two,
                _ => Width::Four,
            };
            let position = &mut layout.n_codes[width as usize];
            layout.encoded.push(Encoded {
                n_levels,
                first: 0,
                width,
                position: *position,
            });
            *position += 1;
        }
        for idx in (0..levels.len())
            .filter(|idx| Some(*idx) != wide)
            .chain(wide)
        {
            layout.encoded[idx].first = layout.n_coefficients;
            layout.n_coefficients += levels[idx];
        }
        layout
    }

    /// Coefficients that a Hessian is kept of.
    pub(crate) fn n_core(&self) -> usize {
        self.wide
            .map_or(self.n_coefficients, |wide| self.encoded[wide].first)
    }

    /// The encoded columns that a Hessian is kept of.
    pub(crate) fn core_encoded(&self) -> impl Iterator<Item = &Encoded> {
        self.encoded
            .iter()
            .enumerate()
            .filter(|(idx, _)| Some(*idx) != self.wide)
            .map(|(_, encoded)| encoded)
    }

    pub(crate) fn empty_part(&self, first_row: usize, n_rows: usize) -> Part {
        let cells = n_rows.div_ceil(TILE_ROWS) * TILE_ROWS;
        let numbers = match self.precision {
            Precision::F32 => Numbers::F32(vec![0.0; cells * self.n_numbers]),
            Precision::F64 => Numbers::F64(vec![0.0; cells * self.n_numbers]),
        };
        let [bytes, twos, fours] = self.n_codes;
        Part {
            first_row,
            n_rows,
            numbers,
            bytes: vec![0; cells * bytes],
            twos: vec![0; cells * twos],
            fours: vec![0; cells * fours],
        }
    }

    pub(crate) fn fill_part(
        &self,
        columns: &[Column<'_>],
        idx: usize,
    ) -> Result<Part, SolverError> {
        let first_row = idx * PART_ROWS;
        let mut part = self.empty_part(first_row, PART_ROWS.min(self.n_rows - first_row));
        let (mut values, mut codes) = ([0.0; TILE_ROWS], [0; TILE_ROWS]);
        for tile in 0..part.n_tiles() {
            let rows =
                first_row + tile * TILE_ROWS..self.n_rows.min(first_row + (tile + 1) * TILE_ROWS);
            let (mut number_idx, mut encoded_idx) = (0, 0);
            for (column_idx, column) in columns.iter().enumerate() {
                match column {
                    Column::Number(fill) => {
                        let values = &mut values[..rows.len()];
                        fill(rows.clone(), values);
                        // Without a way out of the loop, several are looked at in one step.
                        if !values
                            .iter()
                            .fold(true, |all, value| all & value.is_finite())
                            && let Some(at) = values.iter().position(|value| !value.is_finite())
                        {
                            return Err(SolverError::NotFinite {
                                what: format!("column {column_idx}"),
                                row: rows.start + at,
                                found: values[at],
                            });
                        }
                        part.put_numbers(tile * self.n_numbers + number_idx, values);
                        number_idx += 1;
                    }
                    Column::Codes { n_levels, fill } => {
                        let codes = &mut codes[..rows.len()];
                        fill(rows.clone(), codes);
                        if !codes
                            .iter()
                            .fold(true, |all, code| all & ((*code as usize) < *n_levels))
                            && let Some(at) =
                                codes.iter().position(|code| *code as usize >= *n_levels)
                        {
                            return Err(SolverError::Code {
                                column: column_idx,
                                row: rows.start + at,
                                found: codes[at],
                                n_levels: *n_levels,
                            });
                        }
                        let Encoded {
                            width, position, ..
                        } = self.encoded[encoded_idx];
                        part.put_codes(
                            width,
                            tile * self.n_codes[width as usize] + position,
                            codes,
                        );
                        encoded_idx += 1;
                    }
                }
            }
        }
        Ok(part)
    }
}

impl Part {
    pub(crate) fn n_tiles(&self) -> usize {
        self.n_rows.div_ceil(TILE_ROWS)
    }

    /// One number by its place.
    pub(crate) fn number(&self, at: usize) -> f64 {
        match &self.numbers {
            Numbers::F32(numbers) => f64::from(numbers[at]),
            Numbers::F64(numbers) => numbers[at],
        }
    }

    pub(crate) fn n_bytes(&self) -> usize {
        let numbers = match &self.numbers {
            Numbers::F32(values) => 4 * values.len(),
            Numbers::F64(values) => 8 * values.len(),
        };
        numbers + self.bytes.len() + 2 * self.twos.len() + 4 * self.fours.len()
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the caller asked for four bytes"
    )]
    fn put_numbers(&mut self, column: usize, values: &[f64]) {
        let at = column * TILE_ROWS..column * TILE_ROWS + values.len();
        match &mut self.numbers {
            Numbers::F32(numbers) => numbers[at]
                .iter_mut()
                .zip(values)
                .for_each(|(to, from)| *to = *from as f32),
            Numbers::F64(numbers) => numbers[at].copy_from_slice(values),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "codes are below the number of levels, which chose the width"
    )]
    fn put_codes(&mut self, width: Width, column: usize, codes: &[u32]) {
        let at = column * TILE_ROWS..column * TILE_ROWS + codes.len();
        match width {
            Width::Byte => self.bytes[at]
                .iter_mut()
                .zip(codes)
                .for_each(|(to, from)| *to = *from as u8),
            Width::Two => self.twos[at]
                .iter_mut()
                .zip(codes)
                .for_each(|(to, from)| *to = *from as u16),
            Width::Four => self.fours[at].copy_from_slice(codes),
        }
    }

    pub(crate) fn copy_tile(&mut self, to: usize, source: &Self, from: usize, layout: &Layout) {
        fn copy<V: Copy>(
            to: &mut [V],
            to_tile: usize,
            from: &[V],
            from_tile: usize,
            n_columns: usize,
        ) {
            let length = n_columns * TILE_ROWS;
            to[to_tile * length..(to_tile + 1) * length]
                .copy_from_slice(&from[from_tile * length..(from_tile + 1) * length]);
        }
        match (&mut self.numbers, &source.numbers) {
            (Numbers::F32(ours), Numbers::F32(theirs)) => {
                copy(ours, to, theirs, from, layout.n_numbers);
            }
            (Numbers::F64(ours), Numbers::F64(theirs)) => {
                copy(ours, to, theirs, from, layout.n_numbers);
            }
            _ => unreachable!("parts of one design have one precision"),
        }
        let [bytes, twos, fours] = layout.n_codes;
        copy(&mut self.bytes, to, &source.bytes, from, bytes);
        copy(&mut self.twos, to, &source.twos, from, twos);
        copy(&mut self.fours, to, &source.fours, from, fours);
    }

    #[inline(always)]
    pub(crate) fn codes(&self, tile: usize, encoded: &Encoded, layout: &Layout) -> TileCodes<'_> {
        let column = tile * layout.n_codes[encoded.width as usize] + encoded.position;
        let at = column * TILE_ROWS..(column + 1) * TILE_ROWS;
        match encoded.width {
            Width::Byte => TileCodes::Byte(&self.bytes[at]),
            Width::Two => TileCodes::Two(&self.twos[at]),
            Width::Four => TileCodes::Four(&self.fours[at]),
        }
    }
}

impl TileCodes<'_> {
    #[inline(always)]
    pub(crate) fn get(&self, row: usize) -> usize {
        match self {
            Self::Byte(codes) => codes[row] as usize,
            Self::Two(codes) => codes[row] as usize,
            Self::Four(codes) => codes[row] as usize,
        }
    }
}
