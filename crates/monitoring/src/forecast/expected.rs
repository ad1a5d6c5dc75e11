//! The law of a number of wins, and the AUC that probabilities expect of themselves.

use leadscore_metrics::Interval;

use crate::chance::t_quantile_above;

/// How much wider a number of wins spreads than by chance alone.
pub(super) struct Spread {
    /// The variance by cluster as a multiple of that of independent leads; 1 or more.
    pub(super) dispersion: f64,
    /// The relative error that all leads of a vintage share.
    pub(super) shared: f64,
    /// Degrees of freedom of the shared error.
    pub(super) freedom: f64,
}

/// The 95 % prediction interval of the number of wins: quantiles of its law by Cornish and Fisher,
/// to whole wins outwards.
pub(super) fn count_interval(probabilities: &[f64], spread: &Spread) -> Interval {
    let expected: f64 = probabilities.iter().sum();
    let own: f64 = probabilities.iter().map(|p| p * (1.0 - p)).sum();
    let third: f64 = probabilities
        .iter()
        .map(|p| p * (1.0 - p) * (1.0 - 2.0 * p))
        .sum();
    let by_chance = spread.dispersion * own;
    let by_vintage = (spread.shared * expected).powi(2);
    let variance = by_chance + by_vintage;
    if variance <= 0.0 {
        return Interval {
            low: expected.round(),
            high: expected.round(),
        };
    }
    // Clusters of k leads have k² the variance of skewness and √k the skewness of as many alone.
    let skewness = third * spread.dispersion.powi(2) / variance.powf(1.5);
    let freedom = if by_vintage > 0.0 {
        variance.powi(2) / (by_vintage.powi(2) / spread.freedom)
    } else {
        f64::INFINITY
    };
    let t = t_quantile_above(0.025, freedom);
    let quantile = |t: f64| expected + variance.sqrt() * (t + skewness * (t * t - 1.0) / 6.0);
    // A whole number is at least k from half a win below k on.
    Interval {
        low: (quantile(-t) + 0.5).floor().clamp(0.0, expected.round()),
        high: (quantile(t) - 0.5)
            .ceil()
            .clamp(expected.round(), probabilities.len() as f64),
    }
}

/// The AUC that probabilities have if each of them is true; `None` where none can be won, or none
/// lost.
pub(super) fn expected_auc(probabilities: &[f64]) -> Option<f64> {
    let mut sorted = probabilities.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (mut lost_below, mut ordered, mut tied) = (0.0, 0.0, 0.0);
    for group in sorted.chunk_by(|a, b| a == b) {
        let (n, p) = (group.len() as f64, group[0]);
        ordered += n * p * lost_below;
        // Pairs of two leads, each of which is the won one once.
        tied += n * (n - 1.0) * p * (1.0 - p);
        lost_below += n * (1.0 - p);
    }
    let won: f64 = sorted.iter().sum();
    let with_itself: f64 = sorted.iter().map(|p| p * (1.0 - p)).sum();
    let pairs = won * lost_below - with_itself;
    (pairs > 1e-12).then(|| ((ordered + 0.5 * tied) / pairs).min(1.0))
}
