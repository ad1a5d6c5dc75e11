//! How much more wins vary than independent leads would: batches of a rep, accounts with many
//! leads.

use serde::{Deserialize, Serialize};

use super::bins::WeekSums;

/// Clusters below which their sums say nothing of how wins vary.
pub(crate) const MIN_CLUSTERS: usize = 20;

/// Variance of wins over that of independent leads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dispersion {
    /// The best guess, 1 or more.
    pub(crate) value: f64,
    /// What clusters show, 1 or more.
    pub(crate) of_clusters: f64,
    /// What weeks show.
    pub(crate) of_weeks: f64,
    /// How far that is believed, 0 to 1.
    pub(crate) belief: f64,
    /// Degrees of freedom of the weeks.
    pub(crate) degrees: f64,
}

impl Dispersion {
    /// Dispersion of weekly sums and of the sums of clusters.
    ///
    /// ```text
    /// C = max(1, ∑ᶜ rᶜ² / ∑ V),   P = ∑ₜ (Oₜ − Eₜ)² / Vₜ / (T − k)
    /// φ = C + b max(0, P − C),    b = z² / (1 + z²),   z = max(0, P / C − 1) / √(2 / (T − k))
    /// ```
    ///
    /// where `rᶜ` is what the rows of a cluster have won beyond expectation in all weeks together.
    /// A year has few weeks: `P` is off by a fifth, and half of as much as that is believed, all of it where it is large.
    /// Fewer than 20 clusters are left out: the fit makes their sum 0.
    pub(crate) fn new(weeks: &[WeekSums], n_terms: f64, clusters: ClusterSums) -> Self {
        let degrees = (weeks.len() as f64 - n_terms).max(1.0);
        let pearson: f64 = weeks
            .iter()
            .map(|sums| {
                let residual = sums.observed - sums.bins.expected();
                residual * residual / sums.bins.variance().max(1e-9)
            })
            .sum();
        let of_clusters = if clusters.n_clusters >= MIN_CLUSTERS {
            clusters.squares / weeks.iter().map(|sums| sums.bins.variance()).sum::<f64>()
        } else {
            1.0
        };
        Self::from_parts(of_clusters.max(1.0), pearson / degrees, degrees)
    }

    /// Puts the two together.
    pub(crate) fn from_parts(of_clusters: f64, of_weeks: f64, degrees: f64) -> Self {
        let beyond = (of_weeks / of_clusters - 1.0).max(0.0);
        let z_squared = beyond * beyond * degrees / 2.0;
        let belief = z_squared / (1.0 + z_squared);
        Self {
            value: of_clusters * (1.0 + belief * beyond),
            of_clusters,
            of_weeks,
            belief,
            degrees,
        }
    }
}

/// What clusters have won beyond expectation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClusterSums {
    pub(crate) n_clusters: usize,
    /// `∑ᶜ rᶜ²`.
    pub(crate) squares: f64,
}

impl ClusterSums {
    /// Sums of `won − chance` by cluster.
    pub(crate) fn new(cluster: &[u64], chances: &[f64], won: &[bool]) -> Self {
        let mut rows: Vec<(u64, f64)> = cluster
            .iter()
            .zip(chances.iter().zip(won))
            .map(|(cluster, (chance, won))| (*cluster, f64::from(u8::from(*won)) - chance))
            .collect();
        rows.sort_unstable_by_key(|row| row.0);
        let mut sums = Self {
            n_clusters: 0,
            squares: 0.0,
        };
        for group in rows.chunk_by(|a, b| a.0 == b.0) {
            sums.n_clusters += 1;
            sums.squares += group.iter().map(|row| row.1).sum::<f64>().powi(2);
        }
        sums
    }
}
