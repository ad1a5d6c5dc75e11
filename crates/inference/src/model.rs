//! The fitted model: what scores are the sum of.

use leadscore_core::{DataProfile, FeatureMatrix, FeatureSpec};
use serde::{Deserialize, Serialize};

use crate::age_baseline::AgeBaseline;
use crate::axis::Axis;
use crate::calibration::CalibrationCurve;
use crate::card::Card;
use crate::covariance::Covariance;
use crate::scope::Scope;
use crate::term::Term;

/// A fitted model: log-odds = intercept + Σ terms, along a curve where there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// What a person wants to know about it.
    pub card: Card,
    /// The features that it reads, in order.
    pub specs: Vec<FeatureSpec>,
    /// Log-odds of a lead whose every term is zero.
    pub intercept: f64,
    /// The addends.
    pub terms: Vec<Term>,
    /// Probabilities that part the training snapshots into quartiles, highest first; for frozen
    /// tiers.
    pub tier_edges: [f64; 3],
    /// For each term, what stood in each of its cells at training; empty in models of format 1.
    pub counts: Vec<Vec<CellCount>>,
    /// How the weights vary together, for intervals; `None` where it was not computed.
    pub covariance: Option<Covariance>,
    /// From the sum of look-ups to log-odds; `None` where the sum is the log-odds.
    pub calibration: Option<CalibrationCurve>,
    /// What the tables looked like that it was learned from; `None` where nobody looked, and in
    /// models of formats 1 and 2.
    #[serde(skip)]
    pub data: Option<DataProfile>,
    /// What it was trained within; `None` in models of formats 1 and 2.
    #[serde(skip)]
    pub scope: Option<Scope>,
    /// What each term gives on average to leads of the same age; `None` where leads have no age,
    /// and in models of formats 1 to 4.
    #[serde(skip)]
    pub age_baseline: Option<AgeBaseline>,
    /// Effective degrees of freedom of each term; empty where they are not known, and in models of
    /// formats 1 to 4.
    #[serde(skip)]
    pub degrees: Vec<f64>,
}

/// Training snapshots in one cell of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CellCount {
    /// Snapshots.
    pub n_rows: u64,
    /// Those won.
    pub n_wins: u64,
}

impl Model {
    /// Log-odds of the average lead: the baseline that reasons start from.
    pub fn baseline(&self) -> f64 {
        self.calibrated(self.average_sum())
    }

    /// The columns of the feature matrix that some term reads.
    pub fn features_read(&self) -> Vec<usize> {
        (0..self.specs.len())
            .filter(|&idx| self.terms.iter().any(|term| term.reads(idx)))
            .collect()
    }

    /// This text, lengthened until no feature's name begins with it: for names that stand beside
    /// those of features.
    #[cfg(any(feature = "onnx", feature = "pmml"))]
    pub(crate) fn free_prefix(&self, prefix: &str) -> String {
        let mut free = prefix.to_owned();
        while self.specs.iter().any(|spec| spec.name.starts_with(&free)) {
            free.push_str(prefix);
        }
        free
    }

    fn average_sum(&self) -> f64 {
        self.intercept + self.terms.iter().map(Term::average).sum::<f64>()
    }

    /// Log-odds where look-ups sum to this.
    pub(crate) fn calibrated(&self, sum: f64) -> f64 {
        self.calibration.as_ref().map_or(sum, |curve| curve.at(sum))
    }

    /// What contributions to the sum are multiplied with, so that with the baseline they add up to
    /// the log-odds: the mean slope of the curve between the average lead and this one.
    pub(crate) fn stretch(&self, sum: f64) -> f64 {
        let Some(curve) = &self.calibration else {
            return 1.0;
        };
        let average = self.average_sum();
        if (sum - average).abs() < 1e-9 {
            curve.slope(sum)
        } else {
            (curve.at(sum) - curve.at(average)) / (sum - average)
        }
    }

    /// What a term reads, in words.
    pub fn describe_term(&self, term: &Term) -> String {
        let first = self.specs[term.feature_idx()].describe();
        term.second_feature_idx().map_or(first.clone(), |second| {
            format!("{first}, with {}", self.specs[second].describe())
        })
    }

    /// Log-odds of a row if one of its numbers were another.
    pub fn log_odds_if(
        &self,
        matrix: &FeatureMatrix,
        row: usize,
        feature_idx: usize,
        value: f64,
    ) -> f64 {
        self.calibrated(self.sum_with(matrix, row, Some((feature_idx, value))))
    }

    /// What the look-ups of a row sum to, perhaps with another value in place of one number.
    pub(crate) fn sum_with(
        &self,
        matrix: &FeatureMatrix,
        row: usize,
        instead: Option<(usize, f64)>,
    ) -> f64 {
        self.intercept
            + self
                .terms
                .iter()
                .map(|term| term.log_odds_with(matrix, row, instead))
                .sum::<f64>()
    }

    /// Whole numbers above this one at which something changes for the score: the next of each bin,
    /// or one more at a time, up to ten, where the number weighs in a straight line or its bins are
    /// tilted; in rising order.
    pub fn steps_above(&self, feature_idx: usize, value: f64) -> Vec<f64> {
        let mut steps: Vec<f64> = Vec::new();
        let mut add_edges = |idx: usize, edges: &[f64]| {
            if idx == feature_idx {
                steps.extend(
                    edges
                        .iter()
                        .filter(|edge| **edge >= value)
                        .map(|edge| edge.floor() + 1.0),
                );
            }
        };
        let mut is_linear = false;
        for term in &self.terms {
            match term {
                Term::Bins(term) => {
                    add_edges(term.feature_idx, &term.edges);
                    is_linear |= term.feature_idx == feature_idx && term.tilt != 0.0;
                }
                Term::Pair(pair) => {
                    for axis in [&pair.first, &pair.second] {
                        if let Axis::Bins { feature_idx, edges } = axis {
                            add_edges(*feature_idx, edges);
                        }
                    }
                }
                Term::Linear(term) => is_linear |= term.feature_idx == feature_idx,
                Term::Levels(_) => {}
            }
        }
        if is_linear {
            steps.extend((1..=10).map(|more| value + f64::from(more)));
        }
        steps.sort_unstable_by(f64::total_cmp);
        steps.dedup();
        steps
    }
}
