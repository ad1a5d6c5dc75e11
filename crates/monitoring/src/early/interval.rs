//! Wins over expected wins, with an interval that holds at all looks together.

use serde::{Deserialize, Serialize};

use super::bins::{Bins, Normal};

/// The 97.5 % quantile of the standard normal distribution.
pub(crate) const Z: f64 = 1.959_963_984_540_054;
/// Its 99.5 % quantile.
const Z_LEVEL: f64 = 2.575_829_303_548_901;
/// Chance that the interval of the shift misses it at any look; 1 % more is for the level's error.
const MISS: f64 = 0.04;
/// Standard deviation of the shifts that the interval is sharpest for, in log-odds.
const SPREAD: f64 = 0.25;
/// Points of the mixture.
const N_POINTS: i32 = 121;

/// Wins over expected wins since monitoring began.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LevelSince {
    /// Wins.
    pub observed: f64,
    /// Expected wins.
    pub expected: f64,
    /// `observed / expected`.
    pub ratio: f64,
    /// Lower end of a 95 % interval that holds at all looks together (a confidence sequence), with
    /// the error of the weekly chance.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl LevelSince {
    /// Of all weeks together.
    ///
    /// ```text
    /// {η : ∑ w(η′) exp((ℓ(η′) − ℓ(η)) / φ) < 1 / 0.04}  ± 2.58 se
    /// ```
    ///
    /// where `ℓ` is the log-likelihood of a shift `η` of all log-odds, `w` a normal mixture with a
    /// standard deviation of 0.25, and `se` the level's error. By Ville's inequality the set misses
    /// a constant shift at any look with a chance of 4 % at most. Where the shift is not constant it
    /// holds for no week in particular.
    ///
    /// # References
    ///
    /// Robbins (1970), Annals of Mathematical Statistics 41(5).
    pub(crate) fn new(bins: &Bins, observed: f64, dispersion: f64, level: Normal) -> Self {
        let log_likelihood = |shift: f64| bins.log_likelihood(observed, shift) / dispersion;
        let points: Vec<(f64, f64)> = (0..N_POINTS)
            .map(|point| {
                let z = 8.0 * f64::from(point) / f64::from(N_POINTS - 1) - 4.0;
                ((-z * z / 2.0).exp(), SPREAD * z)
            })
            .collect();
        let total: f64 = points.iter().map(|point| point.0).sum();
        let logs: Vec<f64> = points
            .iter()
            .map(|(weight, shift)| (weight / total).ln() + log_likelihood(*shift))
            .collect();
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mixture = largest
            + logs
                .iter()
                .map(|log| (log - largest).exp())
                .sum::<f64>()
                .ln();
        let is_in = |shift: f64| mixture - log_likelihood(shift) < (1.0 / MISS).ln();
        let center = bins
            .shift_of(observed, dispersion, None)
            .mean
            .clamp(-4.0, 4.0);
        let margin = Z_LEVEL * level.variance.max(0.0).sqrt();
        let end = |direction: f64| {
            let (mut inside, mut outside) = (center, center + 8.0 * direction);
            if is_in(outside) {
                return outside;
            }
            for _ in 0..50 {
                let middle = f64::midpoint(inside, outside);
                if is_in(middle) {
                    inside = middle;
                } else {
                    outside = middle;
                }
            }
            inside
        };
        let expected = bins.expected();
        Self {
            observed,
            expected,
            ratio: if expected > 0.0 {
                observed / expected
            } else {
                1.0
            },
            low: if observed > 0.0 {
                bins.ratio(end(-1.0) - margin)
            } else {
                0.0
            },
            high: bins.ratio(end(1.0) + margin),
        }
    }
}

/// A ratio of wins with a pointwise 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ratio {
    pub(crate) ratio: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Ratio {
    /// Of wins over expected wins whose level has this variance; without a win, as if there were
    /// half a one.
    pub(crate) fn new(observed: f64, expected: f64, dispersion: f64, level_variance: f64) -> Self {
        if expected <= 0.0 {
            return Self {
                ratio: 1.0,
                low: 0.0,
                high: f64::MAX,
            };
        }
        let width = Z * (dispersion / observed.max(0.5) + level_variance).sqrt();
        let from = observed.max(0.5) / expected;
        Self {
            ratio: observed / expected,
            low: if observed > 0.0 {
                from * (-width).exp()
            } else {
                0.0
            },
            high: from * width.exp(),
        }
    }
}
