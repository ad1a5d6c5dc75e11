//! What the weights of a model do not know: errors of log-odds, of cells and of sums over leads.

use leadscore_core::{FeatureMatrix, log_odds_to_probability};

use crate::model::Model;
use crate::term::Place;

impl Model {
    /// The covariance of `n_sums` weighted sums of probabilities over rows, `Σ wₖᵢ pᵢ`, `(n_sums,
    /// n_sums)` row by row, by what the weights do not know; `None` without a covariance.
    ///
    /// `weights` calls its second argument with each sum that a row is in and its weight there;
    /// `rows` are rows of the matrix.
    ///
    /// ```text
    /// G Σ Gᵀ,   Gₖ = Σᵢ wₖᵢ pᵢ (1 − pᵢ) xᵢ
    /// ```
    #[expect(
        clippy::type_complexity,
        reason = "a row's weights, as metrics asks for them"
    )]
    pub fn covariance_of_sums(
        &self,
        matrix: &FeatureMatrix,
        rows: &[usize],
        n_sums: usize,
        weights: &dyn Fn(usize, &mut dyn FnMut(usize, f64)),
    ) -> Option<Vec<f64>> {
        let covariance = self.covariance.as_ref()?;
        let n = covariance.n;
        let mut gradients = vec![0.0; n_sums * n];
        // How far each replicate of the curve moves each sum.
        let n_replicates = self
            .calibration
            .as_ref()
            .map_or(0, |curve| curve.replicates.len());
        let mut moved = vec![0.0; n_sums * n_replicates];
        for (position, &row) in rows.iter().enumerate() {
            let sum = self.sum_with(matrix, row, None);
            let (log_odds, slope) = self
                .calibration
                .as_ref()
                .map_or((sum, 1.0), |curve| (curve.at(sum), curve.slope(sum)));
            let p = log_odds_to_probability(log_odds);
            let entries = self.entries_of(matrix, row);
            let of_curve: Vec<f64> = self
                .calibration
                .iter()
                .flat_map(|curve| curve.deviations(sum))
                .collect();
            weights(position, &mut |sum, weight| {
                let spread = weight * p * (1.0 - p);
                entries.iter().for_each(|(entry, times)| {
                    gradients[sum * n + entry] += spread * slope * times;
                });
                of_curve
                    .iter()
                    .zip(&mut moved[sum * of_curve.len()..])
                    .for_each(|(deviation, to)| *to += spread * deviation);
            });
        }
        let times_covariance: Vec<f64> = (0..n_sums)
            .flat_map(|sum| {
                let own = &gradients[sum * n..(sum + 1) * n];
                (0..n)
                    .map(move |column| {
                        own.iter()
                            .enumerate()
                            .map(|(entry, value)| value * covariance.get(entry, column))
                            .sum::<f64>()
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        let of_pair = |a: usize, b: usize| -> f64 {
            let of_weights: f64 = (0..n)
                .map(|entry| times_covariance[a * n + entry] * gradients[b * n + entry])
                .sum();
            let of_curve: f64 = (0..n_replicates)
                .map(|replicate| {
                    moved[a * n_replicates + replicate] * moved[b * n_replicates + replicate]
                })
                .sum();
            of_weights + of_curve / n_replicates.max(1) as f64
        };
        Some(
            (0..n_sums)
                .flat_map(|a| (0..n_sums).map(move |b| (a, b)))
                .map(|(a, b)| of_pair(a, b))
                .collect(),
        )
    }

    /// The standard error of a row's log-odds; `None` without a covariance.
    ///
    /// It is that of the penalised estimate: what shrinkage takes away is not in it. Where a value
    /// lies beyond those of training, the difference between going on level and going on along the
    /// slope counts as one standard error; a level that training never saw may be any of those that
    /// it did.
    pub fn log_odds_error(&self, matrix: &FeatureMatrix, row: usize) -> Option<f64> {
        let covariance = self.covariance.as_ref()?;
        let entries = self.entries_of(matrix, row);
        let variance: f64 = entries
            .iter()
            .map(|(a, x)| {
                entries
                    .iter()
                    .map(|(b, y)| x * y * covariance.get(*a, *b))
                    .sum::<f64>()
            })
            .sum();
        let beyond: f64 = self
            .terms
            .iter()
            .map(|term| term.variance_beyond(matrix, row))
            .sum();
        let (slope, of_curve) = self.calibration.as_ref().map_or((1.0, 0.0), |curve| {
            let sum = self.sum_with(matrix, row, None);
            (curve.slope(sum), curve.variance(sum))
        });
        Some((slope * slope * (variance.max(0.0) + beyond) + of_curve).sqrt())
    }

    /// The standard error of each cell's weight, for each term; `None` without a covariance.
    pub fn cell_errors(&self) -> Option<Vec<Vec<f64>>> {
        let covariance = self.covariance.as_ref()?;
        let mut next = 0;
        let mut error = || {
            next += 1;
            covariance.get(next, next).max(0.0).sqrt()
        };
        Some(
            self.terms
                .iter()
                .map(|term| (0..term.n_cells()).map(|_| error()).collect())
                .collect(),
        )
    }

    /// What a row's log-odds are the sum of: entries of the covariance, each with how often it
    /// counts.
    fn entries_of(&self, matrix: &FeatureMatrix, row: usize) -> Vec<(usize, f64)> {
        let mut entries = vec![(0, 1.0)];
        let mut first = 1;
        for term in &self.terms {
            if let Place::Cell(cell, times) = term.place(matrix, row, None) {
                entries.push((first + cell, times));
            }
            first += term.n_cells();
        }
        entries
    }
}
