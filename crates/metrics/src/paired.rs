//! Two losses on the same rows, and whether one is lower by more than chance.

use serde::{Deserialize, Serialize};

/// A mean difference on the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedDifference {
    /// The first mean less the second.
    pub mean: f64,
    /// Its standard error, rows of one cluster taken together.
    pub error: f64,
}

/// The mean of `a − b`, rows of one cluster taken as one in its error.
///
/// ```text
/// error = √ ∑ᶜ (∑ᵢ∈ᶜ (aᵢ − bᵢ − d))² / n
/// ```
///
/// where `d` is the mean difference and `n` the number of rows; 0 rows give NaN.
///
/// # Panics
///
/// Where the slices differ in length.
///
/// # Examples
///
/// ```
/// let difference = leadscore_metrics::paired_difference(&[0.3, 0.1], &[0.2, 0.2], &[1, 2]);
/// assert!(difference.mean.abs() < 1e-12 && (difference.error - 0.1 / 2.0_f64.sqrt()).abs() < 1e-12);
/// ```
pub fn paired_difference(a: &[f64], b: &[f64], clusters: &[u64]) -> PairedDifference {
    assert!(
        a.len() == b.len() && b.len() == clusters.len(),
        "as many losses on either side as clusters"
    );
    let n = a.len() as f64;
    let mean = a.iter().zip(b).map(|(a, b)| a - b).sum::<f64>() / n;
    let rest: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b - mean).collect();
    PairedDifference {
        mean,
        error: cluster_sums(clusters, &rest)
            .into_iter()
            .map(|sum| sum * sum)
            .sum::<f64>()
            .sqrt()
            / n,
    }
}

/// The sum of the values of each cluster, clusters in order.
pub(crate) fn cluster_sums(clusters: &[u64], values: &[f64]) -> Vec<f64> {
    let mut rows: Vec<(u64, f64)> = clusters
        .iter()
        .copied()
        .zip(values.iter().copied())
        .collect();
    rows.sort_unstable_by(|x, y| x.0.cmp(&y.0).then(x.1.total_cmp(&y.1)));
    rows.chunk_by(|x, y| x.0 == y.0)
        .map(|rows| rows.iter().map(|row| row.1).sum())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_cluster_count_as_one() {
        let a = [0.3, 0.3, 0.1, 0.1];
        let b = [0.2, 0.2, 0.2, 0.2];
        let apart = paired_difference(&a, &b, &[1, 2, 3, 4]);
        let together = paired_difference(&a, &b, &[1, 1, 2, 2]);
        assert_eq!(apart.mean, together.mean);
        assert!((together.error / apart.error - 2.0_f64.sqrt()).abs() < 1e-12);
    }
}
