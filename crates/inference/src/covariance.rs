//! How the weights of a model vary together.

use serde::{Deserialize, Serialize};

/// The covariance of intercept and weights: cells of all terms, one after the other, after the
/// intercept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Covariance {
    /// Its size: 1 and the cells of all terms.
    pub n: usize,
    /// Lower triangle, row by row.
    pub lower: Vec<f32>,
}

impl Covariance {
    /// The covariance of two entries.
    pub fn get(&self, a: usize, b: usize) -> f64 {
        let (row, column) = if a >= b { (a, b) } else { (b, a) };
        f64::from(self.lower[row * (row + 1) / 2 + column])
    }

    /// The same, this many times as large.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an interval needs no more digits"
    )]
    pub fn scaled(mut self, factor: f64) -> Self {
        self.lower
            .iter_mut()
            .for_each(|value| *value = (f64::from(*value) * factor) as f32);
        self
    }
}
