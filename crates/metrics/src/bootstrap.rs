//! Bootstrap by cluster: how much a metric would move with other leads.

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use crate::clusters::Clusters;
use crate::random::split_mix;

/// A metric with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The metric on the rows themselves.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// How the bootstrap is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootstrapOptions {
    /// Number of replicates, 2,000 by default. More make the ends of the intervals steadier.
    pub n_replicates: usize,
    /// Seed, 7 by default: the same seed gives the same intervals.
    pub seed: u64,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        Self {
            n_replicates: 2_000,
            seed: 7,
        }
    }
}

/// Clusters are drawn one by one up to this many; more are first put into as many groups by their
/// keys.
///
/// A group of independent clusters is as independent, so intervals stay right; the standard error
/// that they rest on is then itself known to 1 / √(2 · 4,096), about a hundredth.
const MAX_GROUPS: usize = 4_096;

/// Replicates that are summed at once.
const LANES: usize = 8;

/// What metrics are computed from, as sums over rows that are kept apart by cluster: a replicate of
/// the bootstrap is a weighted sum of clusters, whatever the number of rows.
#[derive(Debug, Clone)]
pub struct ClusterSums {
    n_columns: usize,
    /// Key of each group of clusters.
    keys: Vec<u64>,
    /// Where the entries of each group begin, and the end.
    starts: Vec<usize>,
    entries: Vec<(u32, f64)>,
}

impl ClusterSums {
    /// Sums `n_columns` numbers over the rows of each cluster.
    ///
    /// `of_row` says, by calling its second argument with a column and a value, what a row adds;
    /// `of_cluster` what a cluster adds as a whole.
    pub fn new(
        clusters: &Clusters,
        n_columns: usize,
        of_row: impl Fn(usize, &mut dyn FnMut(usize, f64)),
        of_cluster: impl Fn(usize, &mut dyn FnMut(usize, f64)),
    ) -> Self {
        let is_grouped = clusters.len() > MAX_GROUPS;
        let group_of = |cluster: usize| {
            if is_grouped {
                split_mix(clusters.keys()[cluster]) as usize % MAX_GROUPS
            } else {
                cluster
            }
        };
        let n_groups = clusters.len().min(MAX_GROUPS);
        let rows = by_group(
            n_groups,
            clusters
                .of_row()
                .iter()
                .map(|&cluster| group_of(cluster as usize)),
        );
        let members = by_group(n_groups, (0..clusters.len()).map(group_of));
        let mut sums = Self {
            n_columns,
            keys: Vec::with_capacity(n_groups),
            starts: vec![0],
            entries: Vec::new(),
        };
        let (mut totals, mut is_touched, mut touched) =
            (vec![0.0; n_columns], vec![false; n_columns], Vec::new());
        for group in 0..n_groups {
            let mut add = |column: usize, value: f64| {
                if !is_touched[column] {
                    is_touched[column] = true;
                    touched.push(column as u32);
                }
                totals[column] += value;
            };
            rows.of(group)
                .iter()
                .for_each(|&row| of_row(row as usize, &mut add));
            members
                .of(group)
                .iter()
                .for_each(|&cluster| of_cluster(cluster as usize, &mut add));
            touched.sort_unstable();
            for column in touched.drain(..) {
                sums.entries
                    .push((column, std::mem::take(&mut totals[column as usize])));
                is_touched[column as usize] = false;
            }
            sums.starts.push(sums.entries.len());
            sums.keys.push(if is_grouped {
                group as u64
            } else {
                clusters.keys()[group]
            });
        }
        sums
    }

    /// The sums over all rows: `(n_columns,)`.
    pub fn totals(&self) -> Vec<f64> {
        let mut totals = vec![0.0; self.n_columns];
        for &(column, value) in &self.entries {
            totals[column as usize] += value;
        }
        totals
    }

    /// 95 % percentile intervals of metrics that are functions of the sums, resampling clusters
    /// with Poisson(1) weights.
    ///
    /// `metrics` gets sums, `(n_columns,)`, and returns one number a metric; a replicate in which a
    /// metric is `None` or not finite is left out of that metric's interval. The result has one
    /// [`Estimate`] for each number that `metrics` returns on the sums of all rows, and `None`
    /// where that is `None`.
    ///
    /// # References
    ///
    /// Field and Welsh (2007), Journal of the Royal Statistical Society B 69(3), on clusters;
    /// Poisson weights as in Chamandy et al. (2012), "Estimating uncertainty for massive data
    /// streams".
    pub fn intervals(
        &self,
        options: BootstrapOptions,
        metrics: impl Fn(&[f64]) -> Vec<Option<f64>> + Sync,
    ) -> Vec<Option<Estimate>> {
        let values = metrics(&self.totals());
        let replicates: Vec<Vec<Option<f64>>> = (0..options.n_replicates.div_ceil(LANES))
            .into_par_iter()
            .flat_map_iter(|block| {
                let first = block * LANES;
                let sums = self.replicates(options.seed, first);
                let metrics = &metrics;
                (first..options.n_replicates.min(first + LANES)).map(move |replicate| {
                    let of_one: Vec<f64> =
                        sums.iter().map(|lanes| lanes[replicate - first]).collect();
                    metrics(&of_one)
                })
            })
            .collect();
        values
            .into_iter()
            .enumerate()
            .map(|(idx, value)| {
                let value = value?;
                let mut found: Vec<f64> = replicates
                    .iter()
                    .filter_map(|metrics| metrics[idx].filter(|value| value.is_finite()))
                    .collect();
                found.sort_unstable_by(f64::total_cmp);
                if found.is_empty() {
                    return Some(Estimate {
                        value,
                        low: value,
                        high: value,
                    });
                }
                Some(Estimate {
                    value,
                    low: quantile(&found, 0.025),
                    high: quantile(&found, 0.975),
                })
            })
            .collect()
    }

    /// The sums of some replicates from this one on.
    fn replicates(&self, seed: u64, first: usize) -> Vec<[f64; LANES]> {
        let mut sums = vec![[0.0; LANES]; self.n_columns];
        for (group, &key) in self.keys.iter().enumerate() {
            // Weights hang on the cluster's own key, so the order of rows changes nothing.
            let weights: [f64; LANES] = std::array::from_fn(|lane| {
                poisson_one(split_mix(
                    split_mix(seed ^ split_mix((first + lane) as u64)) ^ key,
                ))
            });
            for &(column, value) in &self.entries[self.starts[group]..self.starts[group + 1]] {
                let sum = &mut sums[column as usize];
                for lane in 0..LANES {
                    sum[lane] += weights[lane] * value;
                }
            }
        }
        sums
    }
}

/// The rows of one replicate of a bootstrap by cluster: each as often as its cluster was drawn,
/// with Poisson(1) weights.
///
/// For what is no function of sums over rows; else [`ClusterSums`] is faster.
pub fn resampled_rows(clusters: &Clusters, seed: u64, replicate: u64) -> Vec<usize> {
    let of_replicate = split_mix(seed ^ split_mix(replicate));
    let times: Vec<f64> = clusters
        .keys()
        .iter()
        .map(|key| poisson_one(split_mix(of_replicate ^ key)))
        .collect();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 20"
    )]
    let of_row =
        |row: usize| std::iter::repeat_n(row, times[clusters.of_row()[row] as usize] as usize);
    (0..clusters.of_row().len()).flat_map(of_row).collect()
}

/// Positions by the group that they belong to.
struct ByGroup {
    starts: Vec<usize>,
    positions: Vec<u32>,
}

impl ByGroup {
    fn of(&self, group: usize) -> &[u32] {
        &self.positions[self.starts[group]..self.starts[group + 1]]
    }
}

/// A counting sort: positions of each group, in order.
fn by_group(n_groups: usize, groups: impl Iterator<Item = usize> + Clone) -> ByGroup {
    let mut starts = vec![0; n_groups + 1];
    let mut n = 0;
    for group in groups.clone() {
        starts[group + 1] += 1;
        n += 1;
    }
    for group in 0..n_groups {
        starts[group + 1] += starts[group];
    }
    let mut next = starts.clone();
    let mut positions = vec![0; n];
    for (position, group) in (0..).zip(groups) {
        positions[next[group]] = position;
        next[group] += 1;
    }
    ByGroup { starts, positions }
}

/// Linear interpolation between order statistics (Hyndman and Fan's type 7).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position within a vector"
)]
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - position.floor()) * (sorted[above] - sorted[below])
}

/// A Poisson(1) count by inversion of its distribution function.
fn poisson_one(bits: u64) -> f64 {
    let uniform = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    let mut probability = (-1.0_f64).exp();
    let mut cumulative = probability;
    let mut count = 0.0;
    while uniform >= cumulative && count < 20.0 {
        count += 1.0;
        probability /= count;
        cumulative += probability;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_mean_and_variance_one() {
        let n = 100_000;
        let draws: Vec<f64> = (0..n).map(|i| poisson_one(split_mix(i))).collect();
        let mean = draws.iter().sum::<f64>() / n as f64;
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / n as f64;
        // Standard errors are 0.003 and 0.006 at this n.
        assert!(
            (mean - 1.0).abs() < 0.015 && (variance - 1.0).abs() < 0.03,
            "{mean} {variance}"
        );
    }

    /// The interval of the mean of 0, 1, 0, 1, …, rows of one cluster being equal.
    #[track_caller]
    fn check_mean(n_clusters: u64, rows_each: usize) {
        let keys: Vec<u64> = (0..n_clusters)
            .flat_map(|cluster| vec![cluster; rows_each])
            .collect();
        let clusters = Clusters::new(&keys);
        let of_row = |row: usize, add: &mut dyn FnMut(usize, f64)| {
            add(0, (keys[row] % 2) as f64);
            add(1, 1.0);
        };
        let sums = ClusterSums::new(&clusters, 2, of_row, |_, _| ());
        let estimate = sums.intervals(BootstrapOptions::default(), |sums| {
            vec![(sums[1] > 0.0).then(|| sums[0] / sums[1])]
        })[0]
            .expect("defined");
        let half = 1.96 * (0.25 / n_clusters as f64).sqrt();
        assert_eq!(estimate.value, 0.5);
        // With 2,000 replicates the ends of the interval move by some five per cent, three of which
        // are allowed here.
        assert!(
            ((estimate.high - estimate.low) / 2.0 / half - 1.0).abs() < 0.15,
            "{n_clusters} {estimate:?}"
        );
    }

    #[test]
    fn the_interval_of_a_mean_is_that_of_theory() {
        check_mean(2_000, 1);
        check_mean(500, 4);
        // More clusters than are drawn one by one.
        check_mean(40_000, 2);
    }
}
