//! Intervals on rates.

use serde::{Deserialize, Serialize};

/// A range from `low` to `high`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// 95 % interval for a rate of `successes` out of `n`: 0 to 1 where `n` is 0.
///
/// ```text
/// (p̂ + z²/2n ± z √(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n)
/// ```
///
/// where `p̂` is the observed rate and `z` the 97.5 % quantile of the normal distribution.
///
/// # Examples
///
/// ```
/// let interval = leadscore_metrics::wilson_interval(10, 100);
/// assert!((interval.low - 0.05523).abs() < 1e-5 && (interval.high - 0.17437).abs() < 1e-5);
/// ```
///
/// # References
///
/// Wilson (1927), Journal of the American Statistical Association 22.
pub fn wilson_interval(successes: usize, n: usize) -> Interval {
    if n == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let n = n as f64;
    let rate = successes as f64 / n;
    let center = rate + Z * Z / (2.0 * n);
    let half = Z * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    Interval { low: ((center - half) / scale).max(0.0), high: ((center + half) / scale).min(1.0) }
}
