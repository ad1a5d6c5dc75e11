//! What chance does to all checks together.

use super::input::{RowWeights, VerdictInput};
use super::normal::{deviance_root, normal_of_t};
use super::parts::{MEAN, Part, Parts};

/// The covariance of the checks' sums.
pub(super) struct CheckCovariance {
    /// `(n_checks, n_checks)`, row by row.
    pub(super) total: Vec<f64>,
    /// What clusters show of each variance.
    empirical: Vec<f64>,
    /// As many clusters as would leave each variance as uncertain as it is.
    freedom: Vec<f64>,
}

impl CheckCovariance {
    /// The covariance that clusters show, raised to what rows would have whose probabilities are
    /// true, and that of the model itself.
    pub(super) fn of(parts: &Parts, input: &VerdictInput<'_>) -> Self {
        let mut moments = ClusterMoments::of(parts, input);
        let n_checks = parts.all.len();
        let n_clusters = input.clusters.len() as f64;
        // What a sum over few clusters misses of the variance.
        let correction = if n_clusters > 1.0 {
            n_clusters / (n_clusters - 1.0)
        } else {
            1.0
        };
        for value in &mut moments.products {
            *value *= correction;
        }
        let empirical: Vec<f64> = (0..n_checks)
            .map(|check| moments.products[check * n_checks + check])
            .collect();
        let freedom = moments.freedom(&empirical, correction);
        let floor = moments.floor(&empirical);
        let mut total = moments.products;
        raise(&mut total, &empirical, &floor);
        let weights: &RowWeights<'_> = &|row, add| parts.weights_of(row, input, add);
        if let Some(own) = input
            .uncertainty
            .and_then(|uncertainty| uncertainty(n_checks, weights))
        {
            total
                .iter_mut()
                .zip(own)
                .for_each(|(value, own)| *value += own);
        }
        Self {
            total,
            empirical,
            freedom,
        }
    }

    /// What clusters show of the variance of the mean's sum.
    pub(super) fn of_mean(&self) -> f64 {
        self.empirical[MEAN]
    }

    /// Standard errors between what was observed and predicted, on the scale of the normal
    /// distribution.
    pub(super) fn z(&self, idx: usize, part: &Part) -> Option<f64> {
        let variance = self.total[idx * self.freedom.len() + idx];
        if part.n_rows == 0 || variance <= 1e-12 {
            return None;
        }
        let plain = part.sum / variance.sqrt();
        let found = if part.is_rate() {
            deviance_root(
                part.n_wins as f64,
                part.expected,
                part.n_rows as f64,
                variance,
            )
            .unwrap_or(plain)
        } else {
            plain
        };
        // Only what clusters show is as uncertain as there are few of them.
        let freedom = self.freedom[idx] * (variance / self.empirical[idx].max(1e-300)).powi(2);
        Some(if freedom.is_finite() {
            normal_of_t(found, freedom.max(1.0))
        } else {
            found
        })
    }
}

/// Raises variances to at least their floor; correlations stay.
fn raise(total: &mut [f64], empirical: &[f64], floor: &[f64]) {
    let n_checks = floor.len();
    let stretch: Vec<f64> = (0..n_checks)
        .map(|check| {
            if empirical[check] > 0.0 {
                (floor[check] / empirical[check]).sqrt().max(1.0)
            } else {
                1.0
            }
        })
        .collect();
    for first in 0..n_checks {
        for second in 0..n_checks {
            total[first * n_checks + second] *= stretch[first] * stretch[second];
        }
        let own = &mut total[first * n_checks + first];
        *own = own.max(floor[first]);
    }
}

/// Sums over clusters, which the covariance is made of.
struct ClusterMoments {
    /// Products of the sums of two checks: `(n_checks, n_checks)`, row by row.
    products: Vec<f64>,
    /// Fourth powers of the sums of each check.
    fourth: Vec<f64>,
    /// The variance of each check if rows of a cluster had nothing to do with each other.
    apart: Vec<f64>,
    /// And if they were one.
    as_one: Vec<f64>,
}

impl ClusterMoments {
    /// Sums over clusters, whose rows are taken in order.
    fn of(parts: &Parts, input: &VerdictInput<'_>) -> Self {
        let n_checks = parts.all.len();
        let cluster_of = |row: u32| input.clusters.of_row()[row as usize];
        let mut order: Vec<u32> = (0..).take(input.labels.len()).collect();
        order.sort_by_key(|&row| cluster_of(row));
        let mut moments = Self {
            products: vec![0.0; n_checks * n_checks],
            fourth: vec![0.0; n_checks],
            apart: vec![0.0; n_checks],
            as_one: vec![0.0; n_checks],
        };
        let mut sums = SumsOfCluster {
            rests: vec![0.0; n_checks],
            spreads: vec![0.0; n_checks],
            touched: Vec::new(),
        };
        for rows in order.chunk_by(|&a, &b| cluster_of(a) == cluster_of(b)) {
            for &row in rows {
                moments.add_row(row as usize, parts, input, &mut sums);
            }
            moments.add_cluster(&mut sums);
        }
        moments
    }

    /// Adds a row to the sums of its cluster, and to the variance of rows by themselves.
    fn add_row(
        &mut self,
        row: usize,
        parts: &Parts,
        input: &VerdictInput<'_>,
        sums: &mut SumsOfCluster,
    ) {
        let p = input.probabilities[row];
        let rest = f64::from(u8::from(input.labels[row])) - p;
        parts.weights_of(row, input, &mut |check, weight| {
            if sums.rests[check] == 0.0 && !sums.touched.contains(&check) {
                sums.touched.push(check);
            }
            sums.rests[check] += weight * rest;
            sums.spreads[check] += weight * (p * (1.0 - p)).sqrt();
            self.apart[check] += weight * weight * p * (1.0 - p);
        });
    }

    /// Adds the sums of a cluster, and empties them for the next one.
    fn add_cluster(&mut self, sums: &mut SumsOfCluster) {
        let n_checks = self.fourth.len();
        for &first in &sums.touched {
            for &second in &sums.touched {
                self.products[first * n_checks + second] += sums.rests[first] * sums.rests[second];
            }
            self.fourth[first] += sums.rests[first].powi(4);
            self.as_one[first] += sums.spreads[first] * sums.spreads[first];
        }
        for check in sums.touched.drain(..) {
            (sums.rests[check], sums.spreads[check]) = (0.0, 0.0);
        }
    }

    /// As many clusters as would leave each variance as uncertain as it is.
    fn freedom(&self, empirical: &[f64], correction: f64) -> Vec<f64> {
        empirical
            .iter()
            .zip(&self.fourth)
            .map(|(variance, &fourth)| {
                if fourth > 0.0 {
                    (variance / correction).powi(2) / fourth
                } else {
                    f64::INFINITY
                }
            })
            .collect()
    }

    /// The variance of each check if its probabilities are true, and rows within clusters are as
    /// alike as all rows together say: few of them would say it badly.
    fn floor(&self, empirical: &[f64]) -> Vec<f64> {
        let (apart, as_one) = (&self.apart, &self.as_one);
        let alike = if as_one[MEAN] > apart[MEAN] {
            ((empirical[MEAN] - apart[MEAN]) / (as_one[MEAN] - apart[MEAN])).clamp(0.0, 1.0)
        } else {
            0.0
        };
        apart
            .iter()
            .zip(as_one)
            .map(|(apart, as_one)| apart + alike * (as_one - apart).max(0.0))
            .collect()
    }
}

/// Sums over the rows of one cluster.
struct SumsOfCluster {
    /// `Σ wᵢ (yᵢ − pᵢ)` of each check.
    rests: Vec<f64>,
    /// `Σ wᵢ √(pᵢ (1 − pᵢ))` of each check.
    spreads: Vec<f64>,
    /// The checks that a row of the cluster is in.
    touched: Vec<usize>,
}
