//! Intervals on rates.

use crate::paired::cluster_sums;
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
pub(crate) const Z: f64 = 1.959_963_984_540_054;

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
        return Interval {
            low: 0.0,
            high: 1.0,
        };
    }
    wilson(successes as f64 / n as f64, n as f64)
}

fn wilson(rate: f64, n: f64) -> Interval {
    let center = rate + Z * Z / (2.0 * n);
    let half = Z * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    Interval {
        low: ((center - half) / scale).max(0.0),
        high: ((center + half) / scale).min(1.0),
    }
}

/// 95 % interval for the rate of labels that are true, where rows of one cluster, such as snapshots
/// of a lead, may be alike.
///
/// Wilson's interval for as many independent rows as would give the rate the variance that it has
/// between clusters, at most as many as there are rows; where all labels are the same, for as many
/// as there are clusters. 0 to 1 without rows.
///
/// # Panics
///
/// Where the slices differ in length.
///
/// # Examples
///
/// ```
/// use leadscore_metrics::{clustered_rate_interval, wilson_interval};
///
/// let labels = [true, false, false, false, true, false, false, false];
/// assert_eq!(clustered_rate_interval(&labels, &[1, 2, 3, 4, 5, 6, 7, 8]), wilson_interval(2, 8));
/// // Four leads, each looked at twice with one outcome, know what four rows know.
/// let twice = [true, true, false, false, false, false, false, false];
/// let four = clustered_rate_interval(&twice, &[1, 1, 2, 2, 3, 3, 4, 4]);
/// assert!(four.high > wilson_interval(2, 8).high);
/// ```
///
/// # References
///
/// Korn and Graubard (1998), Survey Methodology 24(2), with Wilson's interval in place of the exact
/// one.
pub fn clustered_rate_interval(labels: &[bool], clusters: &[u64]) -> Interval {
    assert_eq!(labels.len(), clusters.len(), "one cluster a row");
    if labels.is_empty() {
        return Interval {
            low: 0.0,
            high: 1.0,
        };
    }
    let n = labels.len() as f64;
    let rate = labels.iter().filter(|label| **label).count() as f64 / n;
    let rest: Vec<f64> = labels
        .iter()
        .map(|&label| f64::from(u8::from(label)) - rate)
        .collect();
    let sums = cluster_sums(clusters, &rest);
    let n_clusters = sums.len() as f64;
    let variance = sums.iter().map(|sum| sum * sum).sum::<f64>() / (n * n);
    let effective = if variance > 0.0 {
        rate * (1.0 - rate) / variance
    } else {
        n_clusters
    };
    wilson(rate, effective.min(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: Interval, low: f64, high: f64) {
        // As many digits as are given.
        assert!(
            (found.low - low).abs() < 5e-5 && (found.high - high).abs() < 5e-5,
            "{found:?}"
        );
    }

    #[test]
    fn wilson_as_published() {
        // Newcombe (1998), Statistics in Medicine 17, table I, method 3.
        check(wilson_interval(81, 263), 0.2553, 0.3662);
        check(wilson_interval(15, 148), 0.0624, 0.1605);
        check(wilson_interval(0, 20), 0.0, 0.1611);
        check(wilson_interval(1, 29), 0.0061, 0.1718);
        check(wilson_interval(20, 20), 0.8389, 1.0);
        check(wilson_interval(0, 0), 0.0, 1.0);
    }

    #[test]
    fn rows_of_one_cluster_count_once() {
        let labels = [true, false, false, true, false, false];
        let alone = clustered_rate_interval(&labels, &[1, 2, 3, 4, 5, 6]);
        check(alone, wilson_interval(2, 6).low, wilson_interval(2, 6).high);
        // Each row twice, of the same cluster: no more is known.
        let twice: Vec<bool> = labels.iter().flat_map(|label| [*label; 2]).collect();
        let clusters: Vec<u64> = (0..12).map(|row| row / 2).collect();
        check(
            clustered_rate_interval(&twice, &clusters),
            alone.low,
            alone.high,
        );
        // Where all are won, clusters are counted.
        let won = clustered_rate_interval(&[true; 6], &[1, 1, 1, 2, 2, 2]);
        check(won, wilson_interval(2, 2).low, 1.0);
        check(clustered_rate_interval(&[], &[]), 0.0, 1.0);
    }
}
