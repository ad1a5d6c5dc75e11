//! The Cholesky factor of a Hessian: solutions, inverse, condition.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use crate::error::SolverError;
use crate::hessian::{Hessian, WideHessian};

/// Columns that are worked on at once, so that most of the work is products of matrices.
const BLOCK: usize = 64;
/// A pivot of the matrix scaled to a diagonal of ones that is smaller than this has drowned in
/// rounding.
const SMALLEST_PIVOT: f64 = 1e-13;

/// `L` with `S L Lᵀ S` the matrix, where the diagonal matrix `S` makes the diagonal of `L Lᵀ` one.
///
/// A wide column is eliminated before: with `A` the others' block, `D` the diagonal of its levels
/// and `C` the levels with the others, `L` is that of the Schur complement `A − Cᵀ D⁻¹ C`.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    lower: Array2<f64>,
    /// Square roots of the matrix's diagonal.
    scale: Vec<f64>,
    wide: Option<WideHessian>,
    /// What the matrix that was factored is to be multiplied with.
    multiplier: f64,
}

impl Factor {
    /// Factors a Hessian with its penalty.
    ///
    /// # Errors
    ///
    /// [`SolverError::Undetermined`] with the first coefficient that is, up to rounding, a sum of
    /// those before.
    pub(crate) fn of(hessian: Hessian) -> Result<Self, SolverError> {
        let Hessian { mut core, wide } = hessian;
        let Some(wide) = wide else {
            return Self::new(core);
        };
        if let Some(level) = wide
            .diagonal
            .iter()
            .position(|value| !(value.is_finite() && *value > 0.0))
        {
            return Err(SolverError::Undetermined {
                coefficient: core.nrows() + level,
            });
        }
        let mut scaled = wide.cross.clone();
        for (mut row, diagonal) in scaled.rows_mut().into_iter().zip(&wide.diagonal) {
            let root = diagonal.sqrt();
            row.mapv_inplace(|value| value / root);
        }
        general_mat_mul(-1.0, &scaled.t(), &scaled, 1.0, &mut core);
        Ok(Self {
            wide: Some(wide),
            ..Self::new(core)?
        })
    }

    /// Factors a symmetric positive definite matrix.
    ///
    /// # Errors
    ///
    /// [`SolverError::Undetermined`] with the first row that is, up to rounding, a sum of those
    /// before.
    pub fn new(mut matrix: Array2<f64>) -> Result<Self, SolverError> {
        let n = matrix.nrows();
        let scale: Vec<f64> = matrix.diag().iter().map(|value| value.sqrt()).collect();
        if let Some(coefficient) = scale
            .iter()
            .position(|value| !(value.is_finite() && *value > 0.0))
        {
            return Err(SolverError::Undetermined { coefficient });
        }
        divide_by(&mut matrix, &scale);
        for start in (0..n).step_by(BLOCK) {
            let end = (start + BLOCK).min(n);
            factor_block(&mut matrix, start, end)?;
            let (head, tail) = matrix.view_mut().split_at(Axis(0), end);
            let diagonal = part(head.view(), start..end, start..end);
            let n_below = tail.nrows();
            let mut below = part_mut(tail, 0..n_below, start..n);
            let diagonal = diagonal.as_standard_layout();
            let weights: Vec<&[f64]> = diagonal
                .rows()
                .into_iter()
                .map(|row| row.to_slice().expect("rows are contiguous"))
                .collect();
            for mut row in below.rows_mut() {
                let row = row.as_slice_mut().expect("rows are contiguous");
                for (column, weights) in weights.iter().enumerate() {
                    row[column] =
                        (row[column] - dot(&weights[..column], &row[..column])) / weights[column];
                }
            }
            let panel = part(below.view(), 0..n_below, 0..end - start).to_owned();
            // Strip by strip, so that little above the diagonal is computed, and strips in
            // parallel.
            let width = end - start;
            let mut trailing = part_mut(below.view_mut(), 0..n_below, width..n - start);
            let strips: Vec<ArrayViewMut2<'_, f64>> =
                trailing.axis_chunks_iter_mut(Axis(1), 4 * BLOCK).collect();
            strips.into_par_iter().enumerate().for_each(|(idx, strip)| {
                let first = idx * 4 * BLOCK;
                let last = first + strip.ncols();
                let mut strip = part_mut(strip, first..n_below, 0..last - first);
                general_mat_mul(
                    -1.0,
                    &part(panel.view(), first..n_below, 0..width),
                    &part(panel.view(), first..last, 0..width).t(),
                    1.0,
                    &mut strip,
                );
            });
        }
        for row in 0..n {
            part_mut(matrix.view_mut(), row..row + 1, row + 1..n).fill(0.0);
        }
        Ok(Self {
            lower: matrix,
            scale,
            wide: None,
            multiplier: 1.0,
        })
    }

    /// The factor of the matrix times `factor`.
    pub(crate) fn scaled(mut self, factor: f64) -> Self {
        self.multiplier *= factor;
        self
    }

    /// `x` with `H x = right`.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let n_core = self.scale.len();
        let mut x = match &self.wide {
            None => self.solve_core(right),
            Some(WideHessian { diagonal, cross }) => {
                let (core, levels) = right.split_at(n_core);
                let inner: Vec<f64> = levels
                    .iter()
                    .zip(diagonal)
                    .map(|(value, diagonal)| value / diagonal)
                    .collect();
                let mut reduced = core.to_vec();
                for (row, value) in cross.rows().into_iter().zip(&inner) {
                    reduced
                        .iter_mut()
                        .zip(row)
                        .for_each(|(sum, weight)| *sum -= weight * value);
                }
                let mut x = self.solve_core(&reduced);
                let levels: Vec<f64> = cross
                    .rows()
                    .into_iter()
                    .zip(diagonal)
                    .zip(&inner)
                    .map(|((row, diagonal), value)| {
                        value - dot(row.to_slice().expect("rows are contiguous"), &x) / diagonal
                    })
                    .collect();
                x.extend(levels);
                x
            }
        };
        x.iter_mut().for_each(|value| *value /= self.multiplier);
        x
    }

    fn solve_core(&self, right: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> = right
            .iter()
            .zip(&self.scale)
            .map(|(value, scale)| value / scale)
            .collect();
        for (row, weights) in self.lower.rows().into_iter().enumerate() {
            let weights = weights.to_slice().expect("rows are contiguous");
            let known = dot(&weights[..row], &x[..row]);
            x[row] = (x[row] - known) / weights[row];
        }
        for (row, weights) in self.lower.rows().into_iter().enumerate().rev() {
            let weights = weights.to_slice().expect("rows are contiguous");
            let (before, rest) = x.split_at_mut(row);
            rest[0] /= weights[row];
            for (value, weight) in before.iter_mut().zip(weights) {
                *value -= weight * rest[0];
            }
        }
        x.iter_mut()
            .zip(&self.scale)
            .for_each(|(value, scale)| *value /= scale);
        x
    }

    /// The inverse of the matrix; with a wide column, of the inverse the part of all other
    /// coefficients.
    pub fn inverse(&self) -> Array2<f64> {
        let inverse_lower = self.inverse_lower();
        let mut inverse = inverse_lower.t().dot(&inverse_lower);
        divide_by(&mut inverse, &self.scale);
        inverse / self.multiplier
    }

    /// What blocks of the inverse are made of, where not all of it is needed; of a matrix without a
    /// wide column.
    pub fn inverse_root(&self) -> InverseRoot {
        let mut root = self.inverse_lower();
        let outer = self.multiplier.sqrt();
        for mut row in root.rows_mut() {
            row.iter_mut()
                .zip(&self.scale)
                .for_each(|(value, scale)| *value /= scale * outer);
        }
        InverseRoot { root }
    }

    fn inverse_lower(&self) -> Array2<f64> {
        let n = self.lower.nrows();
        let mut inverse_lower = Array2::<f64>::zeros((n, n));
        for start in (0..n).step_by(BLOCK) {
            let end = (start + BLOCK).min(n);
            let (known, rest) = inverse_lower.view_mut().split_at(Axis(0), start);
            let mut block = part_mut(rest, 0..end - start, 0..end);
            if start > 0 {
                let mut left = part_mut(block.view_mut(), 0..end - start, 0..start);
                general_mat_mul(
                    -1.0,
                    &part(self.lower.view(), start..end, 0..start),
                    &part(known.view(), 0..start, 0..start),
                    0.0,
                    &mut left,
                );
            }
            for row in 0..end - start {
                block[[row, start + row]] = 1.0;
                for column in 0..row {
                    let weight = self.lower[[start + row, start + column]];
                    let (above, mut current) = block.view_mut().split_at(Axis(0), row);
                    current.row_mut(0).scaled_add(-weight, &above.row(column));
                }
                let pivot = self.lower[[start + row, start + row]];
                block.row_mut(row).mapv_inplace(|value| value / pivot);
            }
        }
        inverse_lower
    }

    /// Largest over smallest eigenvalue of the matrix scaled to a diagonal of ones, to about a
    /// tenth: how nearly columns say the same thing. With a wide column, that of the Schur
    /// complement. 1 is best; at `10¹²` a coefficient has four digits left.
    pub fn condition(&self) -> f64 {
        let unit = Self {
            lower: self.lower.clone(),
            scale: vec![1.0; self.scale.len()],
            wide: None,
            multiplier: 1.0,
        };
        largest_eigenvalue(self.scale.len(), |x| unit.product(x))
            * largest_eigenvalue(self.scale.len(), |x| unit.solve(x))
    }

    /// `L Lᵀ x`.
    fn product(&self, x: &[f64]) -> Vec<f64> {
        let mut inner = vec![0.0; x.len()];
        for (row, weights) in self.lower.rows().into_iter().enumerate() {
            for (sum, weight) in inner[..=row].iter_mut().zip(weights) {
                *sum += weight * x[row];
            }
        }
        self.lower
            .rows()
            .into_iter()
            .enumerate()
            .map(|(row, weights)| {
                dot(
                    &weights.to_slice().expect("rows are contiguous")[..=row],
                    &inner[..=row],
                )
            })
            .collect()
    }
}

/// `R` with `Rᵀ R` the inverse of a matrix; lower triangular.
#[derive(Debug, Clone, PartialEq)]
pub struct InverseRoot {
    root: Array2<f64>,
}

impl InverseRoot {
    /// The inverse's rows and columns of these coefficients.
    pub fn block(&self, coefficients: &[usize]) -> Array2<f64> {
        let first = coefficients.iter().copied().min().unwrap_or(0);
        // Rows above the first of them hold nothing in these columns.
        let rows = part(
            self.root.view(),
            first..self.root.nrows(),
            0..self.root.ncols(),
        );
        let columns = rows.select(Axis(1), coefficients);
        columns.t().dot(&columns)
    }

    /// `Aᵀ M⁻¹ A` for the matrix `M` whose inverse this is and an `A` with as many rows.
    ///
    /// # Panics
    ///
    /// Where the rows are not as many.
    pub fn between(&self, right: &Array2<f64>) -> Array2<f64> {
        let inner = self.root.dot(right);
        inner.t().dot(&inner)
    }
}

/// Divides each entry by the scales of its row and its column.
fn divide_by(matrix: &mut Array2<f64>, scale: &[f64]) {
    for (mut row, own) in matrix.rows_mut().into_iter().zip(scale) {
        for (value, other) in row.iter_mut().zip(scale) {
            *value /= own * other;
        }
    }
}

fn part(
    mut matrix: ArrayView2<'_, f64>,
    rows: Range<usize>,
    columns: Range<usize>,
) -> ArrayView2<'_, f64> {
    matrix.slice_axis_inplace(Axis(0), rows.into());
    matrix.slice_axis_inplace(Axis(1), columns.into());
    matrix
}

fn part_mut(
    mut matrix: ArrayViewMut2<'_, f64>,
    rows: Range<usize>,
    columns: Range<usize>,
) -> ArrayViewMut2<'_, f64> {
    matrix.slice_axis_inplace(Axis(0), rows.into());
    matrix.slice_axis_inplace(Axis(1), columns.into());
    matrix
}

/// By power iteration, from a start that no eigenvector is at right angles to in practice; to a few
/// per cent.
fn largest_eigenvalue(n: usize, apply: impl Fn(&[f64]) -> Vec<f64>) -> f64 {
    let mut x: Vec<f64> = (0..n)
        .map(|idx| 1.0 + 0.5 * ((idx * 7 + 3) as f64).sin())
        .collect();
    let mut length = 0.0;
    for _ in 0..12 {
        let norm = dot(&x, &x).sqrt();
        x.iter_mut().for_each(|value| *value /= norm);
        x = apply(&x);
        length = dot(&x, &x).sqrt();
    }
    length
}

fn factor_block(matrix: &mut Array2<f64>, start: usize, end: usize) -> Result<(), SolverError> {
    for row in start..end {
        for column in start..=row {
            let known: f64 = (start..column)
                .map(|idx| matrix[[row, idx]] * matrix[[column, idx]])
                .sum();
            let rest = matrix[[row, column]] - known;
            if row != column {
                matrix[[row, column]] = rest / matrix[[column, column]];
            } else if rest > SMALLEST_PIVOT {
                matrix[[row, row]] = rest.sqrt();
            } else {
                return Err(SolverError::Undetermined { coefficient: row });
            }
        }
    }
    Ok(())
}

/// Adds so much of one vector to another.
pub(crate) fn add(to: &mut [f64], factor: f64, from: &[f64]) {
    to.iter_mut()
        .zip(from)
        .for_each(|(to, from)| *to += factor * from);
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a_blocks, b_blocks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a_blocks
        .remainder()
        .iter()
        .zip(b_blocks.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in a_blocks.zip(b_blocks) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A positive definite matrix that no pattern makes easy.
    fn matrix(n: usize) -> Array2<f64> {
        let rows = Array2::from_shape_fn((n + 5, n), |(row, column)| {
            ((row * 31 + column * 17 + row * column) as f64 * 0.37).sin()
        });
        rows.t().dot(&rows) + Array2::<f64>::eye(n) * 0.1
    }

    #[test]
    fn solves_and_inverts_at_every_size_of_block() {
        for n in [1, 2, 63, 64, 65, 130, 300] {
            let matrix = matrix(n);
            let factor = Factor::new(matrix.clone()).expect("positive definite");
            let right: Vec<f64> = (0..n).map(|idx| (idx as f64).cos()).collect();
            let found = matrix.dot(&ndarray::Array1::from(factor.solve(&right)));
            assert!(
                found
                    .iter()
                    .zip(&right)
                    .all(|(found, expected)| (found - expected).abs() < 1e-9),
                "{n}"
            );
            let identity = matrix.dot(&factor.inverse());
            assert!(
                identity
                    .indexed_iter()
                    .all(|((i, j), value)| (value - f64::from(u8::from(i == j))).abs() < 1e-9),
                "{n}"
            );
            let (inverse, root) = (factor.inverse(), factor.inverse_root());
            let some: Vec<usize> = (0..n).step_by(3).collect();
            let block = root.block(&some);
            assert!(
                block
                    .indexed_iter()
                    .all(|((i, j), value)| (value - inverse[[some[i], some[j]]]).abs() < 1e-9),
                "{n}"
            );
            let right =
                Array2::from_shape_fn((n, 2), |(row, column)| (row as f64 - column as f64).sin());
            let (between, expected) = (root.between(&right), right.t().dot(&inverse).dot(&right));
            assert!(
                between
                    .iter()
                    .zip(&expected)
                    .all(|(found, expected)| (found - expected).abs() < 1e-7),
                "{n}"
            );
        }
    }

    #[test]
    fn names_the_column_that_is_a_sum_of_others() {
        let mut rows = Array2::from_shape_fn((200, 4), |(row, column)| {
            ((row * 31 + column * 17 + row * column) as f64 * 0.37).sin()
        });
        let sum = &rows.column(0) + &rows.column(1);
        rows.column_mut(2).assign(&sum);
        assert!(matches!(
            Factor::new(rows.t().dot(&rows)),
            Err(SolverError::Undetermined { coefficient: 2 })
        ));
    }

    #[test]
    fn condition_is_the_ratio_of_eigenvalues() {
        // Two columns with a correlation of 0.9: eigenvalues 1.9 and 0.1, whatever their scales.
        let matrix = ndarray::array![[4.0, 0.9 * 2.0 * 5.0], [0.9 * 2.0 * 5.0, 25.0]];
        let condition = Factor::new(matrix).expect("positive definite").condition();
        assert!((condition / 19.0 - 1.0).abs() < 0.01, "{condition}");
    }
}
