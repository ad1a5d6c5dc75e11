//! The penalty: a quadratic form over the coefficients, block by block, and what has corners:
//! lasso, and directions.

use std::ops::Range;

use ndarray::Array2;

use crate::hessian::Hessian;

/// `½ βᵀ P β + ∑ λⱼ |βⱼ|` beside the summed log-loss, with `P` positive semi-definite and zero
/// outside of its blocks; and coefficients that may only rise or fall.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Penalty {
    ridges: Vec<(Range<usize>, f64)>,
    blocks: Vec<(usize, Array2<f64>)>,
    pub(crate) lassos: Vec<(Range<usize>, f64)>,
    pub(crate) directions: Vec<(Range<usize>, Direction)>,
}

/// Which way coefficients may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Each at least the one before; a single one at least 0.
    Increasing,
    /// Each at most the one before; a single one at most 0.
    Decreasing,
}

impl Penalty {
    /// No penalty at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds `½ strength ∑ β²` over these coefficients.
    #[must_use]
    pub fn ridge(mut self, coefficients: Range<usize>, strength: f64) -> Self {
        if strength > 0.0 && !coefficients.is_empty() {
            self.ridges.push((coefficients, strength));
        }
        self
    }

    /// Adds `strength ∑ |β|` over these coefficients: the weakest become 0. With a ridge beside it,
    /// an elastic net.
    #[must_use]
    pub fn lasso(mut self, coefficients: Range<usize>, strength: f64) -> Self {
        if strength > 0.0 && !coefficients.is_empty() {
            self.lassos.push((coefficients, strength));
        }
        self
    }

    /// Lets these coefficients, such as those of bins in their order, go one way only; a single
    /// one, such as a slope, has its sign.
    #[must_use]
    pub fn directed(mut self, coefficients: Range<usize>, direction: Direction) -> Self {
        if !coefficients.is_empty() {
            self.directions.push((coefficients, direction));
        }
        self
    }

    /// Whether there is a lasso or a direction.
    pub(crate) fn has_corners(&self) -> bool {
        !self.lassos.is_empty() || !self.directions.is_empty()
    }

    /// Adds `½ βᵀ M β` over the coefficients from `first` on; `matrix` is symmetric and positive
    /// semi-definite.
    #[must_use]
    pub fn quadratic(mut self, first: usize, matrix: Array2<f64>) -> Self {
        self.blocks.push((first, matrix));
        self
    }

    /// Both penalties together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.ridges.extend(other.ridges);
        self.blocks.extend(other.blocks);
        self.lassos.extend(other.lassos);
        self.directions.extend(other.directions);
        self
    }

    /// The same penalty, this many times as strong.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            ridges: self
                .ridges
                .iter()
                .map(|(range, strength)| (range.clone(), strength * factor))
                .collect(),
            blocks: self
                .blocks
                .iter()
                .map(|(first, matrix)| (*first, matrix * factor))
                .collect(),
            lassos: self
                .lassos
                .iter()
                .map(|(range, strength)| (range.clone(), strength * factor))
                .collect(),
            directions: self.directions.clone(),
        }
    }

    /// `½ βᵀ P β + ∑ λⱼ |βⱼ|`.
    pub fn value(&self, coefficients: &[f64]) -> f64 {
        let mut gradient = vec![0.0; coefficients.len()];
        self.add_gradient(coefficients, &mut gradient);
        let lasso: f64 = self
            .lassos
            .iter()
            .map(|(range, strength)| {
                strength
                    * coefficients[range.clone()]
                        .iter()
                        .map(|value| value.abs())
                        .sum::<f64>()
            })
            .sum();
        0.5 * coefficients
            .iter()
            .zip(&gradient)
            .map(|(coefficient, slope)| coefficient * slope)
            .sum::<f64>()
            + lasso
    }

    /// `tr[P A]` for a symmetric matrix `A`: with the inverse of `H + P`, the parameters that the
    /// penalty takes away.
    pub fn trace_of_product(&self, matrix: &Array2<f64>) -> f64 {
        let ridges: f64 = self
            .ridges
            .iter()
            .map(|(range, strength)| {
                strength * range.clone().map(|idx| matrix[[idx, idx]]).sum::<f64>()
            })
            .sum();
        let blocks = self.blocks.iter().flat_map(|(first, block)| {
            block
                .indexed_iter()
                .map(move |((i, j), value)| value * matrix[[first + i, first + j]])
        });
        ridges + blocks.sum::<f64>()
    }

    /// `P` as a matrix, `(n_coefficients, n_coefficients)`.
    pub fn matrix(&self, n_coefficients: usize) -> Array2<f64> {
        let mut matrix = Array2::zeros((n_coefficients, n_coefficients));
        for (range, strength) in &self.ridges {
            range.clone().for_each(|idx| matrix[[idx, idx]] += strength);
        }
        for (first, block) in &self.blocks {
            block
                .indexed_iter()
                .for_each(|((i, j), value)| matrix[[first + i, first + j]] += value);
        }
        matrix
    }

    /// `P`'s rows and columns of these coefficients.
    pub fn block(&self, coefficients: &[usize]) -> Array2<f64> {
        let place =
            |coefficient: usize| coefficients.iter().position(|&known| known == coefficient);
        let mut matrix = Array2::zeros((coefficients.len(), coefficients.len()));
        for (range, strength) in &self.ridges {
            range
                .clone()
                .filter_map(place)
                .for_each(|idx| matrix[[idx, idx]] += strength);
        }
        for (first, block) in &self.blocks {
            let places: Vec<Option<usize>> =
                (0..block.nrows()).map(|idx| place(first + idx)).collect();
            for ((i, j), value) in block.indexed_iter() {
                if let (Some(i), Some(j)) = (places[i], places[j]) {
                    matrix[[i, j]] += value;
                }
            }
        }
        matrix
    }

    /// Adds `P β`.
    pub(crate) fn add_gradient(&self, coefficients: &[f64], gradient: &mut [f64]) {
        for (range, strength) in &self.ridges {
            for idx in range.clone() {
                gradient[idx] += strength * coefficients[idx];
            }
        }
        for (first, matrix) in &self.blocks {
            let block = &coefficients[*first..first + matrix.nrows()];
            for (row, weights) in matrix.rows().into_iter().enumerate() {
                gradient[first + row] += weights
                    .iter()
                    .zip(block)
                    .map(|(weight, coefficient)| weight * coefficient)
                    .sum::<f64>();
            }
        }
    }

    /// Whether coefficients from `first` on are penalised each for itself.
    pub(crate) fn is_diagonal_from(&self, first: usize) -> bool {
        self.blocks
            .iter()
            .all(|(start, matrix)| start + matrix.nrows() <= first)
    }

    /// The diagonal of `P`, with the lasso's strength added: 0 where nothing holds a coefficient.
    pub(crate) fn diagonal(&self, n_coefficients: usize) -> Vec<f64> {
        let mut diagonal = vec![0.0; n_coefficients];
        for (range, strength) in self.ridges.iter().chain(&self.lassos) {
            diagonal[range.clone()]
                .iter_mut()
                .for_each(|value| *value += strength);
        }
        for (first, matrix) in &self.blocks {
            diagonal[*first..]
                .iter_mut()
                .zip(matrix.diag())
                .for_each(|(value, own)| *value += own);
        }
        diagonal
    }

    /// Adds `P` to a Hessian.
    pub(crate) fn add_hessian(&self, hessian: &mut Hessian) {
        let n_core = hessian.core.nrows();
        for (range, strength) in &self.ridges {
            for idx in range.clone() {
                match &mut hessian.wide {
                    Some(wide) if idx >= n_core => wide.diagonal[idx - n_core] += strength,
                    _ => hessian.core[[idx, idx]] += strength,
                }
            }
        }
        for (first, matrix) in &self.blocks {
            for (idx, row) in matrix.rows().into_iter().enumerate() {
                for (sum, value) in hessian
                    .core
                    .row_mut(first + idx)
                    .iter_mut()
                    .skip(*first)
                    .zip(row)
                {
                    *sum += value;
                }
            }
        }
    }
}
