//! The contributions of a concept at one time, and how much their clusters know.

use leadscore_metrics::Clusters;

/// The contributions of a concept at one time.
pub(super) struct Side {
    /// Finite ones, in ascending order.
    pub(super) sorted: Vec<f64>,
    /// The same in the order of rows, with their clusters.
    values: Vec<f64>,
    clusters: Clusters,
    pub(super) mean: f64,
    /// The standard error of the mean.
    pub(super) error: f64,
    /// `(∑ s²)² / ∑ s⁴` of the sums by cluster; the number of clusters where all is constant.
    pub(super) n_effective_clusters: f64,
    /// Share of rows without a number.
    pub(super) missing: f64,
}

impl Side {
    pub(super) fn of(values: &[f64], clusters: &Clusters) -> Self {
        let rows: Vec<usize> = (0..values.len())
            .filter(|&row| values[row].is_finite())
            .collect();
        let missing = (values.len() - rows.len()) as f64 / values.len().max(1) as f64;
        let (values, clusters) = if rows.len() == values.len() {
            (values.to_vec(), clusters.clone())
        } else {
            (
                rows.iter().map(|&row| values[row]).collect(),
                clusters.pick(&rows),
            )
        };
        let mut sorted = values.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let n = values.len() as f64;
        // In ascending order, so that the order of rows changes no bit.
        let mean = sorted.iter().sum::<f64>() / n;
        let sums = sums_by_cluster(&clusters, values.iter().map(|value| value - mean));
        let second: f64 = sums.iter().map(|sum| sum * sum).sum();
        let fourth: f64 = sums.iter().map(|sum| sum.powi(4)).sum();
        let largest = sorted
            .iter()
            .fold(0.0, |most: f64, value| most.max(value.abs()));
        let n_clusters = clusters.len() as f64;
        let is_constant = second <= 1e-24 * n * largest * largest;
        Self {
            error: if is_constant {
                0.0
            } else if n_clusters < 2.0 {
                f64::INFINITY
            } else {
                (second * n_clusters / (n_clusters - 1.0)).sqrt() / n
            },
            n_effective_clusters: if is_constant || fourth <= 0.0 {
                n_clusters
            } else {
                second * second / fourth
            },
            sorted,
            values,
            clusters,
            mean,
            missing,
        }
    }

    /// Clusters that have a number.
    pub(super) fn n_clusters(&self) -> usize {
        self.clusters.len()
    }

    /// How many of as many independent rows say as much about shares of bins: rows divided by the
    /// mean design effect of the bins.
    pub(super) fn effective(&self, bin_of: impl Fn(f64) -> usize, n_bins: usize) -> f64 {
        let n = self.values.len() as f64;
        if self.values.is_empty() {
            return 0.0;
        }
        let bins: Vec<usize> = self.values.iter().map(|value| bin_of(*value)).collect();
        let mut counts = vec![0.0; n_bins];
        bins.iter().for_each(|&bin| counts[bin] += 1.0);
        // Counts of each cluster in each bin, of which most are 0.
        let mut order: Vec<(u32, usize)> =
            self.clusters.of_row().iter().copied().zip(bins).collect();
        order.sort_unstable();
        let mut squares = vec![0.0; n_bins];
        // ∑ over clusters of (count in bin − share · size)², opened up.
        let mut size_squares = 0.0;
        let mut cross = vec![0.0; n_bins];
        for cluster in order.chunk_by(|a, b| a.0 == b.0) {
            let size = cluster.len() as f64;
            size_squares += size * size;
            for bin in cluster.chunk_by(|a, b| a.1 == b.1) {
                let count = bin.len() as f64;
                squares[bin[0].1] += count * count;
                cross[bin[0].1] += count * size;
            }
        }
        let (mut sum, mut weight) = (0.0, 0.0);
        for bin in 0..n_bins {
            let share = counts[bin] / n;
            let variance = squares[bin] - 2.0 * share * cross[bin] + share * share * size_squares;
            if share > 0.0 && share < 1.0 {
                // Rao and Scott's first-order correction.
                sum += variance / (n * share);
                weight += 1.0 - share;
            }
        }
        let design = if weight > 0.0 {
            (sum / weight).max(1.0)
        } else {
            n / self.clusters.len() as f64
        };
        n / design
    }
}

/// Sums by cluster, in the order of clusters.
fn sums_by_cluster(clusters: &Clusters, values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sums = vec![0.0; clusters.len()];
    for (value, &cluster) in values.zip(clusters.of_row()) {
        sums[cluster as usize] += value;
    }
    sums
}
