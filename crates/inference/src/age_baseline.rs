//! What each term gives on average to leads of the same age: what reasons other than age are measured against.

use leadscore_core::{FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec};
use serde::{Deserialize, Serialize};

use crate::term::{LARGEST_LOG_ODDS, Term, bin_of};

/// Mean log-odds of each term by the lead's age at the snapshot, over the training snapshots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgeBaseline {
    /// The column of the feature matrix with the age.
    pub feature_idx: usize,
    /// Upper ends of all age bins but the last, rising: bin `k` holds `edges[k − 1] < age ≤ edges[k]`.
    pub edges: Vec<f64>,
    /// For each term its mean in each bin, and after them its mean where the age is missing.
    pub means: Vec<Vec<f64>>,
}

/// Bins of age at most.
const MAX_BINS: usize = 16;
/// Rows that a bin needs.
const MIN_ROWS: usize = 50;

impl AgeBaseline {
    /// Of the rows that a model was fitted on; `None` where they have no age.
    pub fn of(specs: &[FeatureSpec], terms: &[Term], matrix: &FeatureMatrix) -> Option<Self> {
        let is = |source: FeatureSource| specs.iter().position(|spec| spec.source == source);
        let feature_idx = is(FeatureSource::AgeDays).or_else(|| is(FeatureSource::AgeWeekdays))?;
        let ages = matrix.column(feature_idx);
        let mut known: Vec<f64> = ages.iter().copied().filter(|age| !age.is_nan()).collect();
        let n_bins = MAX_BINS.min(known.len() / MIN_ROWS);
        if n_bins < 2 {
            return None;
        }
        known.sort_unstable_by(f64::total_cmp);
        let mut edges: Vec<f64> = (1..n_bins).map(|bin| known[bin * known.len() / n_bins]).collect();
        edges.dedup();
        edges.retain(|edge| *edge < known[known.len() - 1]);
        let bins: Vec<usize> = ages.iter().map(|&age| bin_at(&edges, age)).collect();
        let mut n_rows = vec![0_usize; edges.len() + 2];
        bins.iter().for_each(|&bin| n_rows[bin] += 1);
        let means = terms
            .iter()
            .map(|term| {
                let mut sums = vec![0.0; n_rows.len()];
                term.log_odds_of_rows(matrix).zip(&bins).for_each(|(log_odds, &bin)| sums[bin] += log_odds);
                // Where no training lead was, the average lead is all that is known.
                sums.iter().zip(&n_rows).map(|(sum, &n)| if n == 0 { term.average() } else { sum / n as f64 }).collect()
            })
            .collect();
        Some(Self { feature_idx, edges, means })
    }

    /// The bin of an age, NaN for missing.
    pub fn bin(&self, age: f64) -> usize {
        bin_at(&self.edges, age)
    }

    /// Number of bins, that of missing ages among them.
    pub fn n_bins(&self) -> usize {
        self.edges.len() + 2
    }

    /// Whether it reads a number that is there, and has a mean for each term and bin.
    pub(crate) fn fits(&self, specs: &[FeatureSpec], n_terms: usize) -> bool {
        let reads_number = specs.get(self.feature_idx).is_some_and(|spec| spec.kind == FeatureKind::Number);
        let edges_rise = self.edges.is_sorted_by(|a, b| a < b) && self.edges.iter().all(|edge| edge.is_finite());
        let has_means = self.means.len() == n_terms && self.means.iter().all(|means| means.len() == self.n_bins());
        reads_number && edges_rise && has_means && self.means.iter().flatten().all(|mean| mean.abs() <= LARGEST_LOG_ODDS)
    }
}

fn bin_at(edges: &[f64], age: f64) -> usize {
    if age.is_nan() { edges.len() + 1 } else { bin_of(edges, age) }
}
