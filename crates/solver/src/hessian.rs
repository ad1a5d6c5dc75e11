//! Second derivatives of a summed log-loss: part by part those of a lane, and over all rows those of a
//! wide column.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ShapeBuilder};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::design::Design;
use crate::error::SolverError;
use crate::layout::{Encoded, Layout, PART_ROWS, Part, TILE_ROWS, TileCodes};
use crate::tile::{Stored, add_all, product_sum, sum};

/// Second derivatives of a summed log-loss.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hessian {
    /// Of all coefficients but those of a wide column; symmetric.
    pub(crate) core: Array2<f64>,
    pub(crate) wide: Option<WideHessian>,
}

/// Second derivatives of the levels of a wide column: no row has two of them, so that among
/// themselves they are a diagonal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WideHessian {
    pub(crate) diagonal: Vec<f64>,
    /// `(n_levels, n_core)`.
    pub(crate) cross: Array2<f64>,
}

/// Calls `visit` with the part, tile, place in the tile, level and number of every row, in order.
fn for_each_row(
    design: &Design,
    encoded: &Encoded,
    mut visit: impl FnMut(&Part, usize, usize, usize, usize),
) -> Result<(), SolverError> {
    for idx in 0..design.n_parts() {
        let part = &*design.part(idx)?;
        for row in 0..part.n_rows {
            let (tile, within) = (row / TILE_ROWS, row % TILE_ROWS);
            visit(
                part,
                tile,
                within,
                part.codes(tile, encoded, &design.layout).get(within),
                part.first_row + row,
            );
        }
    }
    Ok(())
}

/// Each other column with the wide one is summed over all rows in order, columns in parallel.
pub(crate) fn wide_hessian(
    design: &Design,
    wide: usize,
    curvatures: &[f64],
) -> Result<WideHessian, SolverError> {
    let layout = &design.layout;
    let encoded = &layout.encoded[wide];
    let mut diagonal = vec![0.0; encoded.n_levels];
    for_each_row(design, encoded, |_, _, _, level, row| {
        diagonal[level] += curvatures[row];
    })?;
    let p = 1 + layout.n_numbers;
    // The first block holds intercept and numbers, the others an encoded column each.
    let blocks: Vec<(usize, usize, Option<&Encoded>)> = std::iter::once((0, p, None))
        .chain(
            layout
                .core_encoded()
                .map(|other| (other.first, other.n_levels, Some(other))),
        )
        .collect();
    let sums: Vec<Vec<f64>> = blocks
        .par_iter()
        .map(|&(_, width, other)| {
            let mut sums = vec![0.0; encoded.n_levels * width];
            for_each_row(design, encoded, |part, tile, within, level, row| {
                let curvature = curvatures[row];
                let own = &mut sums[level * width..(level + 1) * width];
                let Some(other) = other else {
                    own[0] += curvature;
                    for (number, sum) in own[1..].iter_mut().enumerate() {
                        *sum += curvature
                            * part.number((tile * layout.n_numbers + number) * TILE_ROWS + within);
                    }
                    return;
                };
                own[part.codes(tile, other, layout).get(within)] += curvature;
            })?;
            Ok(sums)
        })
        .collect::<Result<_, SolverError>>()?;
    let mut cross = Array2::zeros((encoded.n_levels, layout.n_core()));
    for ((first, width, _), sums) in blocks.iter().zip(&sums) {
        for (mut row, sums) in cross.rows_mut().into_iter().zip(sums.chunks_exact(*width)) {
            row.iter_mut()
                .skip(*first)
                .zip(sums)
                .for_each(|(to, from)| *to = *from);
        }
    }
    Ok(WideHessian { diagonal, cross })
}

/// Rows that one matrix product sums over before it is added up in f64.
const PRODUCT_ROWS: usize = 4 * TILE_ROWS;
/// The Hessian of a lane in the making.
pub(crate) struct LaneHessian {
    /// Lower triangle, `(n_core, n_core)`, rows contiguous.
    pub(crate) matrix: Vec<f64>,
    /// Weights of the second derivative of all rows so far, where a wide column will need them.
    pub(crate) all_curvatures: Vec<f64>,
    /// Weights of the second derivative of each row of a part.
    pub(crate) curvature: Vec<f64>,
    /// Codes of a part, column by column.
    codes: Vec<u16>,
    /// A small table for two encoded columns.
    table: Vec<f64>,
}

/// Tables of two encoded columns up to this size are summed apart, so that they stay in the nearest
/// cache.
const MAX_TABLE: usize = 1 << 14;

impl LaneHessian {
    /// Zeros, for rows laid out so.
    pub(crate) fn new(layout: &Layout) -> Self {
        Self {
            matrix: vec![0.0; layout.n_core() * layout.n_core()],
            all_curvatures: Vec::new(),
            curvature: vec![0.0; PART_ROWS],
            codes: vec![0; PART_ROWS * layout.encoded.len()],
            table: vec![0.0; MAX_TABLE],
        }
    }

    /// Adds the rows of a part, whose curvatures stand here already.
    #[inline(always)]
    pub(crate) fn add_part<N: Stored>(&mut self, part: &Part, numbers: &[N], layout: &Layout) {
        if layout.wide.is_some() {
            self.all_curvatures
                .extend_from_slice(&self.curvature[..part.n_rows]);
        }
        self.add_numbers(part, numbers, layout);
        self.add_numbers_by_codes(part, numbers, layout);
        self.add_codes(part, layout);
    }

    /// The whole matrix, of its lower triangle.
    pub(crate) fn finish(self, layout: &Layout) -> Hessian {
        let n = layout.n_core();
        let mut core = Array2::from_shape_vec((n, n), self.matrix).expect("a square");
        for row in 0..n {
            for column in 0..row {
                core[[column, row]] = core[[row, column]];
            }
        }
        Hessian { core, wide: None }
    }

    /// Intercept and numbers among themselves: a product of the rows, each times the root of its
    /// curvature.
    ///
    /// The intercept is a sum of the levels of every encoded column, whose sums are in f64; so its
    /// own are, too.
    #[inline(always)]
    fn add_numbers<N: Stored>(&mut self, part: &Part, numbers: &[N], layout: &Layout) {
        let p = layout.n_numbers;
        let q = layout.n_core();
        let mut scaled = vec![N::zero(); PRODUCT_ROWS * p];
        let mut product = Array2::<N>::zeros((p, p));
        let mut tile = 0;
        while tile < part.n_tiles() {
            let tiles = (part.n_tiles() - tile).min(PRODUCT_ROWS / TILE_ROWS);
            let n_rows = tiles * TILE_ROWS;
            for offset in 0..tiles {
                let mut curvature = [0.0; TILE_ROWS];
                curvature.copy_from_slice(
                    &self.curvature[(tile + offset) * TILE_ROWS..(tile + offset + 1) * TILE_ROWS],
                );
                self.matrix[0] += sum(&curvature);
                let root = curvature.map(f64::sqrt);
                let columns =
                    &numbers[(tile + offset) * p * TILE_ROWS..(tile + offset + 1) * p * TILE_ROWS];
                for (column, values) in columns.chunks_exact(TILE_ROWS).enumerate() {
                    let place = column * n_rows + offset * TILE_ROWS;
                    for ((to, root), value) in scaled[place..place + TILE_ROWS]
                        .iter_mut()
                        .zip(&root)
                        .zip(values)
                    {
                        *to = N::store(root * (*value).into());
                    }
                    self.matrix[(column + 1) * q] += product_sum(values, &curvature);
                }
            }
            if p > 0 {
                let rows = ArrayView2::from_shape((n_rows, p).f(), &scaled[..n_rows * p])
                    .expect("a column a number");
                general_mat_mul(N::one(), &rows.t(), &rows, N::zero(), &mut product);
                for (row, sums) in product.rows().into_iter().enumerate() {
                    let at = (row + 1) * q + 1;
                    for (to, from) in self.matrix[at..at + row + 1].iter_mut().zip(sums) {
                        *to += (*from).into();
                    }
                }
            }
            tile += tiles;
        }
    }

    /// Each level with intercept and numbers: rows times their curvature, added up by code.
    #[inline(always)]
    fn add_numbers_by_codes<N: Stored>(&mut self, part: &Part, numbers: &[N], layout: &Layout) {
        if layout.core_encoded().next().is_none() {
            return;
        }
        let p = 1 + layout.n_numbers;
        let q = layout.n_core();
        let mut rows = vec![0.0; TILE_ROWS * p];
        for tile in 0..part.n_tiles() {
            let curvature = &self.curvature[tile * TILE_ROWS..(tile + 1) * TILE_ROWS];
            for (row, curvature) in rows.chunks_exact_mut(p).zip(curvature) {
                row[0] = *curvature;
            }
            let columns = &numbers[tile * layout.n_numbers * TILE_ROWS..];
            for (column, values) in columns
                .chunks_exact(TILE_ROWS)
                .take(layout.n_numbers)
                .enumerate()
            {
                for ((row, curvature), value) in rows.chunks_exact_mut(p).zip(curvature).zip(values)
                {
                    row[column + 1] = curvature * (*value).into();
                }
            }
            for encoded in layout.core_encoded() {
                let codes = part.codes(tile, encoded, layout);
                for (row, values) in rows.chunks_exact(p).enumerate() {
                    let at = (encoded.first + codes.get(row)) * q;
                    for (to, value) in self.matrix[at..at + p].iter_mut().zip(values) {
                        *to += value;
                    }
                }
            }
        }
    }

    /// Levels with levels: a weighted table for every two encoded columns.
    #[inline(always)]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a Hessian over more than 65,536 levels would not fit in memory"
    )]
    fn add_codes(&mut self, part: &Part, layout: &Layout) {
        let q = layout.n_core();
        let n_rows = part.n_rows;
        for (idx, encoded) in layout.core_encoded().enumerate() {
            for tile in 0..part.n_tiles() {
                let codes = part.codes(tile, encoded, layout);
                let to = &mut self.codes
                    [idx * PART_ROWS + tile * TILE_ROWS..idx * PART_ROWS + (tile + 1) * TILE_ROWS];
                match codes {
                    TileCodes::Byte(codes) => to
                        .iter_mut()
                        .zip(codes)
                        .for_each(|(to, code)| *to = u16::from(*code)),
                    TileCodes::Two(codes) => to.copy_from_slice(codes),
                    TileCodes::Four(codes) => to
                        .iter_mut()
                        .zip(codes)
                        .for_each(|(to, code)| *to = *code as u16),
                }
            }
        }
        let curvature = &self.curvature[..n_rows];
        for (idx, encoded) in layout.core_encoded().enumerate() {
            let codes = &self.codes[idx * PART_ROWS..idx * PART_ROWS + n_rows];
            for (code, curvature) in codes.iter().zip(curvature) {
                let at = encoded.first + *code as usize;
                self.matrix[at * q + at] += curvature;
            }
            for (other_idx, other) in layout.core_encoded().take(idx).enumerate() {
                let other_codes =
                    &self.codes[other_idx * PART_ROWS..other_idx * PART_ROWS + n_rows];
                let size = encoded.n_levels * other.n_levels;
                if size > MAX_TABLE {
                    for ((code, other_code), curvature) in
                        codes.iter().zip(other_codes).zip(curvature)
                    {
                        self.matrix[(encoded.first + *code as usize) * q
                            + other.first
                            + *other_code as usize] += curvature;
                    }
                    continue;
                }
                let table = &mut self.table[..size];
                table.fill(0.0);
                let width = other.n_levels;
                for ((code, other_code), curvature) in codes.iter().zip(other_codes).zip(curvature)
                {
                    table[*code as usize * width + *other_code as usize] += curvature;
                }
                for (level, sums) in table.chunks_exact(width).enumerate() {
                    let at = (encoded.first + level) * q + other.first;
                    add_all(&mut self.matrix[at..at + width], sums);
                }
            }
        }
    }
}
