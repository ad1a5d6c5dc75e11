//! What a model was trained within: its rule of snapshots and the values of every feature.

use std::collections::HashSet;

use leadscore_core::FeatureMatrix;
use serde::{Deserialize, Serialize};

/// What training looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    /// How often leads were looked at, such as "month" or "30d"; `None` for snapshots by age and
    /// flat exports.
    pub every: Option<String>,
    /// After how long without an event leads were not looked at, such as "365d"; `None` where all
    /// open ones were.
    pub silent: Option<String>,
    /// The share of the leads not won that the tables hold.
    pub negative_sampling_rate: f64,
    /// What chance is counted by: "leads" or "accounts".
    pub clusters: String,
    /// Ages of the leads at their snapshots, in days; `None` where they have no dates.
    pub ages: Option<Spread>,
    /// What each feature was, in the order of the model's.
    pub features: Vec<FeatureScope>,
    /// Some of the leads, to know them again; none in models of format 3.
    pub leads: LeadSample,
    /// Attributes that were suspected to know the outcome.
    pub judged: Vec<JudgedAttribute>,
}

/// Leads by their hashes: all whose hash is at most a limit, so that among any other leads the same
/// ones can be looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LeadSample {
    /// The largest hash that is in it, had a lead such a one.
    pub limit: u64,
    /// Hashes of the leads, rising.
    pub hashes: Vec<u64>,
}

impl LeadSample {
    /// Leads in a sample at most.
    const MOST: usize = 4096;

    /// Of these leads, by [`leadscore_core::stable_hash`].
    pub fn of(keys: &[u64]) -> Self {
        let mut hashes = keys.to_vec();
        hashes.sort_unstable();
        hashes.dedup();
        if hashes.len() <= Self::MOST {
            return Self {
                limit: u64::MAX,
                hashes,
            };
        }
        hashes.truncate(Self::MOST);
        Self {
            limit: hashes[Self::MOST - 1],
            hashes,
        }
    }

    /// Whether nothing is known of the leads.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Whether it is all of the leads.
    pub fn is_whole(&self) -> bool {
        self.limit == u64::MAX
    }

    /// Whether a lead was among them; always `false` for a lead whose hash is beyond the limit.
    pub fn holds(&self, key: u64) -> bool {
        key <= self.limit && self.hashes.binary_search(&key).is_ok()
    }
}

/// What training found about an attribute that it suspected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgedAttribute {
    /// The feature's name.
    pub feature: String,
    /// Proven to be written at the close; else only suspicious.
    pub is_proven: bool,
    /// Whether the model reads it all the same.
    pub is_used: bool,
    /// What speaks against it.
    pub evidence: String,
    /// What the held-out snapshots say of a model without it, and of the one with it; `None` where
    /// that was not fitted.
    pub without: Option<WithAndWithout>,
}

/// Figures on the same held-out snapshots of two fits, one of which was denied a column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WithAndWithout {
    /// Log-loss of the fit that reads all columns.
    pub log_loss_with: f64,
    /// Log-loss of the other.
    pub log_loss_without: f64,
    /// AUC of the fit that reads all columns.
    pub roc_auc_with: f64,
    /// AUC of the other.
    pub roc_auc_without: f64,
}

/// Where numbers lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The smallest.
    pub low: f64,
    /// Half are below.
    pub median: f64,
    /// Half are nearer to the median: what a number of another unit changes, wherever its zero is.
    /// 0 in models of format 3.
    pub deviation: f64,
    /// The largest.
    pub high: f64,
}

impl Spread {
    /// Of numbers, those that are NaN aside; `None` where no other is there. The median is that of
    /// at most some 50,000 of them.
    pub fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let known: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
        let (low, high) = known
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
                (low.min(value), high.max(value))
            });
        let mut some: Vec<f64> = known
            .iter()
            .copied()
            .step_by(known.len().div_ceil(50_000).max(1))
            .collect();
        let middle = some.len() / 2;
        (!some.is_empty()).then(|| {
            let median = *some.select_nth_unstable_by(middle, f64::total_cmp).1;
            some.iter_mut()
                .for_each(|value| *value = (*value - median).abs());
            Self {
                low,
                median,
                deviation: *some.select_nth_unstable_by(middle, f64::total_cmp).1,
                high,
            }
        })
    }

    /// Whether a number lies outside by more than a tenth of the width.
    pub(crate) fn is_outside(&self, value: f64) -> bool {
        let room = 0.1 * (self.high - self.low);
        value > self.high + room || value < self.low - room || self.low >= 0.0 && value < 0.0
    }
}

/// What one feature was at training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FeatureScope {
    /// Its numbers; `None` for a category, and where every value was missing.
    pub spread: Option<Spread>,
    /// The share of snapshots with a value, of numbers with one that is not 0.
    pub filled: f64,
    /// Of a category, the share of snapshots whose level no other snapshot had, or of the latest
    /// fifth whose level no earlier one had: so many of later ones have a new level anyhow.
    pub novel: f64,
}

impl FeatureScope {
    /// Of each column of a matrix.
    pub fn of_columns(matrix: &FeatureMatrix) -> Vec<Self> {
        let n_rows = matrix.n_rows();
        let share = |count: usize| {
            if n_rows == 0 {
                0.0
            } else {
                count as f64 / n_rows as f64
            }
        };
        let of_column = |column: usize| {
            if matrix.is_category(column) {
                let mut counts = std::collections::HashMap::new();
                (0..n_rows)
                    .filter_map(|row| matrix.level(row, column))
                    .for_each(|level| *counts.entry(level).or_insert(0_usize) += 1);
                let alone = counts.values().filter(|count| **count == 1).count();
                return Self {
                    spread: None,
                    filled: share(counts.values().sum()),
                    novel: share(alone).max(novel_of_latest(matrix, column)),
                };
            }
            let filled = (0..n_rows)
                .filter(|&row| {
                    !matrix.column(column)[row].is_nan() && matrix.column(column)[row] != 0.0
                })
                .count();
            Self {
                spread: Spread::of((0..n_rows).map(|row| matrix.column(column)[row])),
                filled: share(filled),
                novel: 0.0,
            }
        };
        (0..matrix.n_features()).map(of_column).collect()
    }
}

/// Of the latest fifth of the rows, which are in order of time, the share whose level no earlier
/// row had: levels such as campaigns come and go, and later rows will have new ones, too.
fn novel_of_latest(matrix: &FeatureMatrix, column: usize) -> f64 {
    let n_rows = matrix.n_rows();
    let cut = n_rows - n_rows / 5;
    let known: HashSet<&str> = (0..cut)
        .filter_map(|row| matrix.level(row, column))
        .collect();
    let n_new = (cut..n_rows)
        .filter(|&row| {
            matrix
                .level(row, column)
                .is_some_and(|level| !known.contains(level))
        })
        .count();
    n_new as f64 / (n_rows - cut).max(1) as f64
}
