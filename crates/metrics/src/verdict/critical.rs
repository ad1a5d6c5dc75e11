//! How far off one of several checks may be by chance.

use crate::bootstrap::quantile;
use crate::random::{normal_pair, split_mix};

/// The chance that some check fails although all probabilities are right.
pub(super) const LEVEL: f64 = 0.05;
const N_DRAWS: usize = 8_000;

/// What the largest of normal variables with this covariance, each divided by its standard error,
/// exceeds with a chance of 5 %.
pub(super) fn critical_value(covariance: &[f64]) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the side of a square"
    )]
    let n_checks = (covariance.len() as f64).sqrt().round() as usize;
    let factor = correlation_factor(covariance, n_checks);
    let mut draws: Vec<f64> = (0..N_DRAWS as u64)
        .map(|draw| {
            let normal: Vec<f64> = (0..n_checks.div_ceil(2) as u64)
                .flat_map(|pair| normal_pair(split_mix(split_mix(draw) ^ pair)))
                .collect();
            (0..n_checks)
                .map(|row| {
                    (0..=row)
                        .map(|column| factor[row * n_checks + column] * normal[column])
                        .sum::<f64>()
                        .abs()
                })
                .fold(0.0, f64::max)
        })
        .collect();
    draws.sort_unstable_by(f64::total_cmp);
    quantile(&draws, 1.0 - LEVEL)
}

/// Cholesky's factor of the correlations, `(n_checks, n_checks)`, row by row: what others say
/// already adds nothing of its own.
fn correlation_factor(covariance: &[f64], n_checks: usize) -> Vec<f64> {
    let scale: Vec<f64> = (0..n_checks)
        .map(|check| covariance[check * n_checks + check].max(0.0).sqrt())
        .collect();
    let correlation = |first: usize, second: usize| {
        if scale[first] > 0.0 && scale[second] > 0.0 {
            covariance[first * n_checks + second] / (scale[first] * scale[second])
        } else {
            0.0
        }
    };
    let mut factor = vec![0.0; n_checks * n_checks];
    for row in 0..n_checks {
        for column in 0..=row {
            let known: f64 = (0..column)
                .map(|before| factor[row * n_checks + before] * factor[column * n_checks + before])
                .sum();
            let rest = if row == column {
                f64::from(u8::from(scale[row] > 0.0)) - known
            } else {
                correlation(row, column) - known
            };
            factor[row * n_checks + column] = if row == column {
                rest.max(0.0).sqrt()
            } else if factor[column * n_checks + column] > 1e-6 {
                rest / factor[column * n_checks + column]
            } else {
                0.0
            };
        }
    }
    factor
}
