//! One arm: rows with what was predicted and what came, and their sums.

use leadscore_metrics::{Clusters, Interval};
use serde::{Deserialize, Serialize};

use super::UpliftError;

/// The leads of one arm, whose windows have ended.
#[derive(Debug, Clone, Copy)]
pub struct Arm<'a> {
    /// What was predicted of each row.
    pub probabilities: &'a [f64],
    /// Whether each was won in its window.
    pub labels: &'a [bool],
    /// The cluster of each: rows of one cluster are not independent.
    pub clusters: &'a [u64],
}

/// What came in one arm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ArmFigures {
    /// Its rows.
    pub n_rows: usize,
    /// Its clusters.
    pub n_clusters: usize,
    /// The sum of its probabilities.
    pub expected: f64,
    /// Its wins.
    pub observed: usize,
    /// Observed over expected: 1 where predictions hold; NaN where nothing was expected.
    pub ratio: f64,
    /// Its 95 % interval, by cluster.
    pub interval: Interval,
}

impl Arm<'_> {
    pub(super) fn check(&self, arm: &'static str) -> Result<(), UpliftError> {
        let n_rows = self.probabilities.len();
        for (what, found) in [
            ("labels", self.labels.len()),
            ("clusters", self.clusters.len()),
        ] {
            if found != n_rows {
                return Err(UpliftError::Length {
                    arm,
                    what,
                    found,
                    n_rows,
                });
            }
        }
        match self
            .probabilities
            .iter()
            .position(|p| !(0.0..=1.0).contains(p))
        {
            None => Ok(()),
            Some(row) => Err(UpliftError::Probability {
                arm,
                row,
                found: self.probabilities[row],
            }),
        }
    }
}

/// What is summed over an arm.
pub(super) struct Sums {
    n_rows: usize,
    pub(super) expected: f64,
    pub(super) observed: f64,
    /// The sum of squared probabilities.
    expected_squares: f64,
    keys: Vec<u64>,
    /// For each cluster, wins less what its probabilities expect at the ratio of the arm.
    rest: Vec<f64>,
}

impl Sums {
    pub(super) fn of(arm: &Arm<'_>) -> Self {
        let clusters = Clusters::new(arm.clusters);
        let expected: f64 = arm.probabilities.iter().sum();
        let n_wins = arm.labels.iter().filter(|label| **label).count();
        let observed = n_wins as f64;
        let ratio = if expected > 0.0 {
            observed / expected
        } else {
            0.0
        };
        let mut rest = vec![0.0; clusters.len()];
        for ((&label, &p), &cluster) in arm
            .labels
            .iter()
            .zip(arm.probabilities)
            .zip(clusters.of_row())
        {
            rest[cluster as usize] += f64::from(u8::from(label)) - ratio * p;
        }
        Self {
            n_rows: arm.labels.len(),
            expected,
            observed,
            expected_squares: arm.probabilities.iter().map(|p| p * p).sum(),
            keys: clusters.keys().to_vec(),
            rest,
        }
    }

    pub(super) fn ratio(&self) -> f64 {
        self.observed / self.expected
    }

    /// Variance of wins over their mean, for independent rows that are won `ratio` times as often
    /// as predicted; at least 0.1, where some would be won more than surely.
    pub(super) fn dispersion(&self, ratio: f64) -> f64 {
        if self.expected > 0.0 && ratio.is_finite() {
            (1.0 - ratio * self.expected_squares / self.expected).max(0.1)
        } else {
            1.0
        }
    }

    /// The sum of each cluster, by key.
    pub(super) fn sums(&self) -> impl Iterator<Item = (u64, f64)> {
        self.keys.iter().copied().zip(self.rest.iter().copied())
    }

    pub(super) fn squares(&self) -> f64 {
        self.rest.iter().map(|sum| sum * sum).sum()
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of rows"
    )]
    pub(super) fn figures(&self, interval: Interval) -> ArmFigures {
        ArmFigures {
            n_rows: self.n_rows,
            n_clusters: self.keys.len(),
            expected: self.expected,
            observed: self.observed as usize,
            ratio: self.ratio(),
            interval,
        }
    }
}
