//! The terms of a score: each is a look-up from one feature to log-odds.

use serde::{Deserialize, Serialize};

/// One addend of the log-odds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Term {
    /// A weight on one standardised number.
    Linear(LinearTerm),
    /// A weight for each level of a category.
    Levels(LevelsTerm),
}

/// `weight · (x − mean) / scale`, or `missing` where `x` is missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearTerm {
    /// The column of the feature matrix.
    pub feature_idx: usize,
    /// Mean over the training rows that have a value.
    pub mean: f64,
    /// Standard deviation over them, above 0.
    pub scale: f64,
    /// Log-odds for one standard deviation.
    pub weight: f64,
    /// Log-odds where the value is missing.
    pub missing: f64,
    /// Mean log-odds of this term over the training rows: what the average lead gets.
    pub average: f64,
}

/// A look-up by level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelsTerm {
    /// The column of the feature matrix.
    pub feature_idx: usize,
    /// The levels with a weight of their own, sorted by name, and their log-odds.
    pub levels: Vec<(String, f64)>,
    /// Log-odds of the levels that were seen too seldom for a weight of their own.
    pub rare: f64,
    /// Those levels, sorted.
    pub rare_levels: Vec<String>,
    /// Log-odds where the value is missing.
    pub missing: f64,
    /// Log-odds of a level that training never saw.
    pub unseen: f64,
    /// Mean log-odds of this term over the training rows.
    pub average: f64,
}

impl Term {
    /// The column of the feature matrix that it reads.
    pub fn feature_idx(&self) -> usize {
        match self {
            Self::Linear(term) => term.feature_idx,
            Self::Levels(term) => term.feature_idx,
        }
    }

    /// What the average lead gets from it, in log-odds.
    pub fn average(&self) -> f64 {
        match self {
            Self::Linear(term) => term.average,
            Self::Levels(term) => term.average,
        }
    }

    /// How far it moves scores: largest minus smallest log-odds over ±2 standard deviations or over its levels.
    pub fn range(&self) -> f64 {
        match self {
            Self::Linear(term) => 4.0 * term.weight.abs(),
            Self::Levels(term) => {
                let weights = term.levels.iter().map(|(_, weight)| *weight).chain([term.missing, term.rare]);
                let (low, high) = weights.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), weight| (low.min(weight), high.max(weight)));
                high - low
            }
        }
    }

    /// Every number that it holds; all must be finite.
    pub(crate) fn is_finite(&self) -> bool {
        match self {
            Self::Linear(term) => [term.mean, term.scale, term.weight, term.missing, term.average].iter().all(|value| value.is_finite()) && term.scale > 0.0,
            Self::Levels(term) => {
                [term.rare, term.missing, term.unseen, term.average].iter().chain(term.levels.iter().map(|(_, weight)| weight)).all(|value| value.is_finite())
            }
        }
    }
}

impl LinearTerm {
    /// Log-odds of a value, NaN for missing.
    pub fn log_odds(&self, value: f64) -> f64 {
        if value.is_nan() { self.missing } else { self.weight * ((value - self.mean) / self.scale) }
    }
}

impl LevelsTerm {
    /// Log-odds of a level, `None` for missing.
    pub fn log_odds(&self, level: Option<&str>) -> f64 {
        let Some(level) = level else { return self.missing };
        match self.levels.binary_search_by(|(known, _)| known.as_str().cmp(level)) {
            Ok(position) => self.levels[position].1,
            Err(_) if self.rare_levels.binary_search_by(|known| known.as_str().cmp(level)).is_ok() => self.rare,
            Err(_) => self.unseen,
        }
    }
}
