//! What is fitted on: rows of numbers and codes of levels, in memory or on disk.

use std::ops::{Deref, Range};
use std::path::Path;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSlice;

use crate::column::Column;
use crate::disk::DiskParts;
use crate::error::SolverError;
use crate::layout::{Layout, PART_ROWS, PART_TILES, Part, Precision, TILE_ROWS};

/// Rows of numbers and codes, ready to be passed over many times.
///
/// # Shapes
///
/// Coefficients stand in this order: the intercept, one for each number, then one for each level of
/// each encoded column; the encoded column with most levels stands last if it has more than 1,024.
#[derive(Debug, Clone)]
pub struct Design {
    pub(crate) layout: Layout,
    parts: Store,
}

#[derive(Debug, Clone)]
enum Store {
    Memory(Vec<Part>),
    Disk(DiskParts),
}

/// A part that is at hand, or was read for this look at it.
pub(crate) enum PartRef<'a> {
    Held(&'a Part),
    Read(Box<Part>),
}

impl Deref for PartRef<'_> {
    type Target = Part;

    fn deref(&self) -> &Part {
        match self {
            Self::Held(part) => part,
            Self::Read(part) => part,
        }
    }
}

impl Design {
    /// Lays out the columns of `n_rows` rows, tiles in parallel.
    ///
    /// # Errors
    ///
    /// [`SolverError::NoRows`], [`SolverError::NotFinite`] for a number that is NaN or infinite,
    /// [`SolverError::Code`] for a code that is not below its column's number of levels.
    pub fn new(
        n_rows: usize,
        columns: &[Column<'_>],
        precision: Precision,
    ) -> Result<Self, SolverError> {
        if n_rows == 0 {
            return Err(SolverError::NoRows);
        }
        let layout = Layout::new(n_rows, columns, precision);
        let parts = (0..n_rows.div_ceil(PART_ROWS))
            .into_par_iter()
            .map(|part| layout.fill_part(columns, part))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            layout,
            parts: Store::Memory(parts),
        })
    }

    /// The same for more rows than memory holds: tiles go to a file in `folder` that has no name
    /// there, so that it is gone with the design however that ends, and every pass reads them
    /// again. Fits have the same bits as in memory.
    ///
    /// # Errors
    ///
    /// Those of [`Design::new`], and [`SolverError::Disk`].
    pub fn on_disk(
        n_rows: usize,
        columns: &[Column<'_>],
        precision: Precision,
        folder: &Path,
    ) -> Result<Self, SolverError> {
        if n_rows == 0 {
            return Err(SolverError::NoRows);
        }
        let layout = Layout::new(n_rows, columns, precision);
        let parts = DiskParts::write(n_rows.div_ceil(PART_ROWS), folder, |part| {
            layout.fill_part(columns, part)
        })?;
        Ok(Self {
            layout,
            parts: Store::Disk(parts),
        })
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.layout.n_rows
    }

    /// Number of coefficients, the intercept among them.
    pub fn n_coefficients(&self) -> usize {
        self.layout.n_coefficients
    }

    /// Number of numeric columns; their coefficients are `1..=n_numbers`.
    pub fn n_numbers(&self) -> usize {
        self.layout.n_numbers
    }

    /// The coefficients of an encoded column, counted from 0 among the encoded ones.
    pub fn levels_of(&self, encoded_idx: usize) -> Range<usize> {
        let encoded = &self.layout.encoded[encoded_idx];
        encoded.first..encoded.first + encoded.n_levels
    }

    /// Bytes of all tiles.
    pub fn n_bytes(&self) -> usize {
        match &self.parts {
            Store::Memory(parts) => parts.iter().map(Part::n_bytes).sum(),
            Store::Disk(parts) => parts.n_bytes(),
        }
    }

    /// Whether rows are read again for every pass.
    pub(crate) fn is_on_disk(&self) -> bool {
        matches!(self.parts, Store::Disk(_))
    }

    pub(crate) fn n_parts(&self) -> usize {
        self.layout.n_rows.div_ceil(PART_ROWS)
    }

    pub(crate) fn part(&self, idx: usize) -> Result<PartRef<'_>, SolverError> {
        match &self.parts {
            Store::Memory(parts) => Ok(PartRef::Held(&parts[idx])),
            Store::Disk(parts) => {
                let first_row = idx * PART_ROWS;
                let mut part = self
                    .layout
                    .empty_part(first_row, PART_ROWS.min(self.layout.n_rows - first_row));
                parts.read(idx, &mut part)?;
                Ok(PartRef::Read(Box::new(part)))
            }
        }
    }

    /// Every `stride`-th tile, and the rows that it holds.
    pub(crate) fn sample(&self, stride: usize) -> Result<(Self, Vec<Range<usize>>), SolverError> {
        let layout = &self.layout;
        let n_tiles = layout.n_rows.div_ceil(TILE_ROWS);
        // A last tile that is not full would stand in the middle of a part.
        let tiles: Vec<usize> = (0..n_tiles)
            .step_by(stride)
            .filter(|tile| (tile + 1) * TILE_ROWS <= layout.n_rows)
            .collect();
        let rows: Vec<Range<usize>> = tiles
            .iter()
            .map(|tile| tile * TILE_ROWS..(tile + 1) * TILE_ROWS)
            .collect();
        let parts = tiles
            .par_chunks(PART_TILES)
            .enumerate()
            .map(|(idx, tiles)| {
                let mut part = layout.empty_part(idx * PART_ROWS, tiles.len() * TILE_ROWS);
                for (to, tile) in tiles.iter().enumerate() {
                    part.copy_tile(
                        to,
                        &*self.part(tile / PART_TILES)?,
                        tile % PART_TILES,
                        layout,
                    );
                }
                Ok(part)
            })
            .collect::<Result<_, SolverError>>()?;
        Ok((
            Self {
                layout: Layout {
                    n_rows: tiles.len() * TILE_ROWS,
                    ..layout.clone()
                },
                parts: Store::Memory(parts),
            },
            rows,
        ))
    }
}
