//! What is compared: scores of the same rows, and who can be called when.

use crate::clusters::Clusters;
use crate::evaluation::Deals;

/// Scores of the same rows; the first is the one that the others are compared with. One entry a row
/// in every slice.
#[derive(Debug, Clone, Copy)]
pub struct ComparisonInput<'a> {
    /// Whether each row was won in its window.
    pub labels: &'a [bool],
    /// What is resampled as one: the lead of each row, or its account.
    pub clusters: &'a Clusters,
    /// The lead of each row, which becomes one customer; all of its rows are of one cluster.
    pub leads: &'a Clusters,
    /// The scores.
    pub scores: &'a [ScoreInput<'a>],
    /// Who can be called when.
    pub calls: Calls<'a>,
    /// Names of the tiers, best first.
    pub tier_names: &'a [&'a str],
    /// What wins were worth and how long they took, where it is known.
    pub deals: Deals<'a>,
}

/// One score.
#[derive(Debug, Clone, Copy)]
pub struct ScoreInput<'a> {
    /// Its name.
    pub name: &'a str,
    /// What rows are ranked by; finite.
    pub values: &'a [f64],
    /// What the score says as a probability: a model's own, or points after calibration on other
    /// rows.
    pub probabilities: &'a [f64],
    /// Quartile of each row by this score, 0 for the best.
    pub tiers: &'a [usize],
}

/// Who can be called when.
#[derive(Debug, Clone, Copy)]
pub struct Calls<'a> {
    /// The period of each row, from 0.
    pub period_of_row: &'a [u32],
    /// How many rows of each period are called, best first.
    pub of_period: &'a [f64],
    /// Months that all periods cover; `None` where rows have no dates.
    pub months: Option<f64>,
}
