//! Scores: the sum of look-ups for each row of a feature matrix, and its reasons.

use leadscore_core::{FeatureMatrix, log_odds_to_probability};

use crate::model::Model;
use crate::term::{Axis, Term, readable};

/// A matrix that the model cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// The matrix has other columns than the model.
    #[error("the matrix has {found} in column {column}, where the model reads {expected}")]
    Columns {
        /// The column, from 0.
        column: usize,
        /// Its feature.
        found: String,
        /// The model's feature.
        expected: String,
    },
}

/// Scores of every row of a matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Log-odds of each row: the baseline plus all of its reasons.
    pub log_odds: Vec<f64>,
    /// Probability of each row, 0 to 1.
    pub probabilities: Vec<f64>,
    /// Log-odds of the average lead.
    pub baseline: f64,
}

/// One feature's contribution, in log-odds, against the average lead.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The column of the matrix.
    pub feature_idx: usize,
    /// Contribution in log-odds: above 0 speaks for a win.
    pub log_odds: f64,
    /// The feature and its value in words.
    pub text: String,
}

/// Scores every row.
///
/// # Errors
///
/// [`ScoreError::Columns`] where the matrix does not hold the model's features in the model's order.
pub fn score(model: &Model, matrix: &FeatureMatrix) -> Result<Scored, ScoreError> {
    for column in 0..model.specs.len().max(matrix.n_features()) {
        let (found, expected) = (matrix.specs().get(column), model.specs.get(column));
        if found != expected {
            let name = |spec: Option<&leadscore_core::FeatureSpec>| spec.map_or("nothing".to_owned(), |spec| format!("`{}`", spec.name));
            return Err(ScoreError::Columns { column, found: name(found), expected: name(expected) });
        }
    }
    let mut log_odds = vec![model.intercept; matrix.n_rows()];
    for term in &model.terms {
        match term {
            Term::Linear(linear) => {
                for (sum, &value) in log_odds.iter_mut().zip(matrix.column(linear.feature_idx)) {
                    *sum += linear.log_odds(value);
                }
            }
            Term::Levels(levels) => {
                let table: Vec<f64> = matrix.levels(levels.feature_idx).iter().map(|level| levels.log_odds(Some(level))).collect();
                for (sum, &code) in log_odds.iter_mut().zip(matrix.column(levels.feature_idx)) {
                    *sum += if code.is_nan() { levels.missing } else { table[level_index(code)] };
                }
            }
            Term::Bins(bins) => {
                for (sum, &value) in log_odds.iter_mut().zip(matrix.column(bins.feature_idx)) {
                    *sum += bins.log_odds(value);
                }
            }
            Term::Pair(pair) => {
                let (first, second) = (cells_of(&pair.first, matrix), cells_of(&pair.second, matrix));
                for ((sum, first), second) in log_odds.iter_mut().zip(first).zip(second) {
                    *sum += pair.weights[pair.cell(first, second)];
                }
            }
        }
    }
    let probabilities = log_odds.iter().map(|&log_odds| log_odds_to_probability(log_odds)).collect();
    Ok(Scored { log_odds, probabilities, baseline: model.baseline() })
}

/// The cell of every row along one side of a table.
fn cells_of<'a>(axis: &'a Axis, matrix: &'a FeatureMatrix) -> Box<dyn Iterator<Item = usize> + 'a> {
    let column = matrix.column(axis.feature_idx()).into_iter();
    match axis {
        Axis::Bins { .. } => Box::new(column.map(|&value| axis.cell_of_number(value))),
        Axis::Levels { feature_idx, .. } => {
            let table: Vec<usize> = matrix.levels(*feature_idx).iter().map(|level| axis.cell_of_level(Some(level))).collect();
            let missing = axis.cell_of_level(None);
            Box::new(column.map(move |&code| if code.is_nan() { missing } else { table[level_index(code)] }))
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a category holds an index that was a usize")]
fn level_index(code: f64) -> usize {
    code as usize
}

impl Model {
    /// All reasons of one row, strongest first; with the baseline they add up to its log-odds.
    pub fn reasons(&self, matrix: &FeatureMatrix, row: usize) -> Vec<Reason> {
        let mut contributions: Vec<(usize, f64)> = (0..self.terms.len()).map(|idx| (idx, self.contribution(idx, matrix, row))).collect();
        contributions.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        contributions.into_iter().map(|(idx, log_odds)| self.reason(idx, log_odds, matrix, row)).collect()
    }

    /// The `n` strongest reasons of one row, in words.
    pub fn top_reasons(&self, matrix: &FeatureMatrix, row: usize, n: usize) -> Vec<Reason> {
        let mut top: Vec<(usize, f64)> = Vec::with_capacity(n + 1);
        for idx in 0..self.terms.len() {
            let log_odds = self.contribution(idx, matrix, row);
            let position = top.partition_point(|(_, kept)| kept.abs() >= log_odds.abs());
            if position < n {
                top.insert(position, (idx, log_odds));
                top.truncate(n);
            }
        }
        top.into_iter().map(|(idx, log_odds)| self.reason(idx, log_odds, matrix, row)).collect()
    }

    fn contribution(&self, term_idx: usize, matrix: &FeatureMatrix, row: usize) -> f64 {
        let term = &self.terms[term_idx];
        term.log_odds(matrix, row) - term.average()
    }

    fn reason(&self, term_idx: usize, log_odds: f64, matrix: &FeatureMatrix, row: usize) -> Reason {
        let term = &self.terms[term_idx];
        let text = match term.second_feature_idx() {
            Some(second) => format!("{}, with {}", self.value_text(term.feature_idx(), matrix, row), self.value_text(second, matrix, row)),
            None => self.value_text(term.feature_idx(), matrix, row),
        };
        Reason { feature_idx: term.feature_idx(), log_odds, text }
    }

    /// A feature and its value in words.
    fn value_text(&self, feature_idx: usize, matrix: &FeatureMatrix, row: usize) -> String {
        let value = if matrix.is_category(feature_idx) {
            matrix.level(row, feature_idx).unwrap_or("missing").to_owned()
        } else {
            let value = matrix.values()[[row, feature_idx]];
            if value.is_nan() { "none".to_owned() } else { readable(value) }
        };
        format!("{}: {value}", self.specs[feature_idx].describe())
    }
}
