//! How much rows say that count unlike: as many as so many of weight 1.

/// As many rows of weight 1 as say as much as these, `(Σ w)² / Σ w²` (Kish 1965, Survey sampling,
/// section 8.2).
pub(crate) fn effective_size(weights: impl Iterator<Item = f64> + Clone) -> f64 {
    // Squares of small weights would be 0.
    let most = weights.clone().fold(0.0, f64::max);
    let (sum, squares) = weights
        .map(|weight| weight / most)
        .fold((0.0, 0.0), |(sum, squares), weight| {
            (sum + weight, squares + weight * weight)
        });
    if squares > 0.0 {
        sum * sum / squares
    } else {
        0.0
    }
}

/// What brings the sum of weights to their effective size, so that a likelihood says as much as its
/// rows do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    most: f64,
    factor: f64,
}

impl Scale {
    /// Weights stay as they are.
    pub(crate) const ONE: Self = Self {
        most: 1.0,
        factor: 1.0,
    };

    /// Of all weights.
    pub(crate) fn of_all(weights: impl Iterator<Item = f64> + Clone) -> Self {
        let most = weights.clone().fold(0.0, f64::max);
        let sum: f64 = weights.clone().map(|weight| weight / most).sum();
        Self {
            most,
            factor: effective_size(weights) / sum,
        }
    }

    /// One weight by it.
    pub(crate) fn of(self, weight: f64) -> f64 {
        weight / self.most * self.factor
    }
}
