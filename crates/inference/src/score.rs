//! Scores: the sum of look-ups for each row of a feature matrix, and its reasons.

use std::ops::Range;

use leadscore_core::{FeatureMatrix, log_odds_to_probability};

use crate::model::Model;
use crate::term::{Axis, BinsTerm, LinearTerm, PairTerm, Term, readable};

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
    let mut addends = [0.0_f64; TILE_ROWS];
    if log_odds.len() < TILE_ROWS {
        // For few rows it is not worth while to look up every level of every category.
        for term in &model.terms {
            log_odds.iter_mut().enumerate().for_each(|(row, sum)| *sum += term.log_odds(matrix, row));
        }
        return Ok(finish(model, log_odds));
    }
    for ready in model.terms.iter().map(|term| Ready::new(term, matrix)) {
        for (tile, sums) in log_odds.chunks_mut(TILE_ROWS).enumerate() {
            let first = tile * TILE_ROWS;
            let addends = &mut addends[..sums.len()];
            ready.fill(first..first + addends.len(), addends);
            sums.iter_mut().zip(addends).for_each(|(sum, addend)| *sum += *addend);
        }
    }
    Ok(finish(model, log_odds))
}

fn finish(model: &Model, log_odds: Vec<f64>) -> Scored {
    let probabilities = log_odds.iter().map(|&log_odds| log_odds_to_probability(log_odds)).collect();
    Scored { log_odds, probabilities, baseline: model.baseline() }
}

/// Rows that are worked on at once, so that their sums stay in the nearest cache.
const TILE_ROWS: usize = 256;

/// A term with its columns and, for categories, the weight of each level of this matrix.
enum Ready<'a> {
    Linear(&'a LinearTerm, &'a [f64]),
    Bins(&'a BinsTerm, &'a [f64]),
    /// The codes, the weight of each, and that of missing.
    Levels(&'a [f64], Vec<f64>, f64),
    Pair(&'a PairTerm, ReadyAxis<'a>, ReadyAxis<'a>),
}

/// One side of a table with its column and, for a category, the cell of each level of this matrix.
struct ReadyAxis<'a> {
    axis: &'a Axis,
    values: &'a [f64],
    cells: Vec<usize>,
}

fn column(matrix: &FeatureMatrix, feature_idx: usize) -> &[f64] {
    matrix.column(feature_idx).to_slice().expect("columns of a matrix are contiguous")
}

impl<'a> Ready<'a> {
    fn new(term: &'a Term, matrix: &'a FeatureMatrix) -> Self {
        match term {
            Term::Linear(term) => Self::Linear(term, column(matrix, term.feature_idx)),
            Term::Bins(term) => Self::Bins(term, column(matrix, term.feature_idx)),
            Term::Levels(term) => {
                let table = matrix.levels(term.feature_idx).iter().map(|level| term.log_odds(Some(level))).collect();
                Self::Levels(column(matrix, term.feature_idx), table, term.missing)
            }
            Term::Pair(term) => Self::Pair(term, ReadyAxis::new(&term.first, matrix), ReadyAxis::new(&term.second, matrix)),
        }
    }

    /// Log-odds of these rows.
    fn fill(&self, rows: Range<usize>, out: &mut [f64]) {
        match self {
            Self::Linear(term, values) => out.iter_mut().zip(&values[rows]).for_each(|(to, &value)| *to = term.log_odds(value)),
            Self::Bins(term, values) => out.iter_mut().zip(&values[rows]).for_each(|(to, &value)| *to = term.log_odds(value)),
            Self::Levels(codes, table, missing) => {
                out.iter_mut().zip(&codes[rows]).for_each(|(to, &code)| *to = if code.is_nan() { *missing } else { table[level_index(code)] });
            }
            Self::Pair(term, first, second) => {
                for (to, row) in out.iter_mut().zip(rows) {
                    *to = term.weights[term.cell(first.cell(row), second.cell(row))];
                }
            }
        }
    }
}

impl<'a> ReadyAxis<'a> {
    fn new(axis: &'a Axis, matrix: &'a FeatureMatrix) -> Self {
        let cells = matrix.levels(axis.feature_idx()).iter().map(|level| axis.cell_of_level(Some(level))).collect();
        Self { axis, values: column(matrix, axis.feature_idx()), cells }
    }

    fn cell(&self, row: usize) -> usize {
        let value = self.values[row];
        match self.axis {
            Axis::Bins { .. } => self.axis.cell_of_number(value),
            Axis::Levels { .. } if value.is_nan() => self.axis.cell_of_level(None),
            Axis::Levels { .. } => self.cells[level_index(value)],
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a category holds an index that was a usize")]
fn level_index(code: f64) -> usize {
    code as usize
}

/// The strongest contributions of a range of rows, without words.
#[derive(Debug, Clone, PartialEq)]
pub struct TopContributions {
    n: usize,
    /// `n` a row, strongest first.
    terms: Vec<u32>,
    log_odds: Vec<f64>,
}

impl TopContributions {
    /// Positions of terms and their contributions in log-odds, for a row counted from the start of the range.
    pub fn of_row(&self, row: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = row * self.n..(row + 1) * self.n;
        self.terms[range.clone()].iter().map(|term| *term as usize).zip(self.log_odds[range].iter().copied())
    }
}

/// The `n` strongest contributions of each of these rows, of equal ones the first term's.
///
/// The matrix must have the columns of the model, as [`score`] checks.
pub fn top_contributions(model: &Model, matrix: &FeatureMatrix, rows: Range<usize>, n: usize) -> TopContributions {
    let n = n.min(model.terms.len());
    let mut top = TopContributions { n, terms: vec![u32::MAX; n * rows.len()], log_odds: vec![0.0; n * rows.len()] };
    if n == 0 {
        return top;
    }
    if rows.len() < TILE_ROWS {
        // For few rows it is not worth while to look up every level of every category.
        for (row, (terms, kept)) in rows.zip(top.terms.chunks_exact_mut(n).zip(top.log_odds.chunks_exact_mut(n))) {
            for (position, term) in (0_u32..).zip(&model.terms) {
                offer(terms, kept, position, term.log_odds(matrix, row) - term.average());
            }
        }
        return top;
    }
    // The terms that move scores most come first: then most of the others are weaker than what is kept.
    let mut order: Vec<(u32, &Term)> = (0_u32..).zip(&model.terms).collect();
    order.sort_by(|a, b| b.1.range().total_cmp(&a.1.range()));
    let ready: Vec<(u32, Ready<'_>, f64)> = order.into_iter().map(|(position, term)| (position, Ready::new(term, matrix), term.average())).collect();
    let mut addends = [0.0; TILE_ROWS];
    let tiles = top.terms.chunks_mut(n * TILE_ROWS).zip(top.log_odds.chunks_mut(n * TILE_ROWS));
    for (first, (terms, kept)) in rows.clone().step_by(TILE_ROWS).zip(tiles) {
        let tile = first..rows.end.min(first + TILE_ROWS);
        let addends = &mut addends[..tile.len()];
        // The weakest that is kept of each row: most contributions are weaker, and cost one comparison.
        let mut thresholds = [-1.0; TILE_ROWS];
        for (position, ready, average) in &ready {
            ready.fill(tile.clone(), addends);
            let places = terms.chunks_exact_mut(n).zip(kept.chunks_exact_mut(n));
            for ((addend, threshold), (terms, kept)) in addends.iter().zip(&mut thresholds).zip(places) {
                let contribution = addend - average;
                if contribution.abs() >= *threshold {
                    *threshold = offer(terms, kept, *position, contribution);
                }
            }
        }
    }
    top
}

/// Puts a contribution among those that are kept of a row, if it is strong enough; returns the weakest of them, or -1 while
/// there is a free place. Of equal ones the first term is the stronger.
#[inline]
fn offer(terms: &mut [u32], kept: &mut [f64], term: u32, contribution: f64) -> f64 {
    let beats = |other: f64, known: u32| {
        let (strength, other) = (contribution.abs(), other.abs());
        strength > other || (strength == other && term < known) || known == u32::MAX
    };
    let last = terms.len() - 1;
    if beats(kept[last], terms[last]) {
        let mut rank = last;
        while rank > 0 && beats(kept[rank - 1], terms[rank - 1]) {
            (kept[rank], terms[rank]) = (kept[rank - 1], terms[rank - 1]);
            rank -= 1;
        }
        (kept[rank], terms[rank]) = (contribution, term);
    }
    if terms[last] == u32::MAX { -1.0 } else { kept[last].abs() }
}

impl Model {
    /// All reasons of one row, strongest first; with the baseline they add up to its log-odds.
    pub fn reasons(&self, matrix: &FeatureMatrix, row: usize) -> Vec<Reason> {
        let mut contributions: Vec<(usize, f64)> = (0..self.terms.len()).map(|idx| (idx, self.contribution(idx, matrix, row))).collect();
        contributions.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        contributions.into_iter().map(|(idx, log_odds)| self.reason(idx, log_odds, matrix, row)).collect()
    }

    /// The strongest reasons of a row in words, as [`top_contributions`] found them; `row` is that of the matrix.
    pub fn reasons_of<'a>(&'a self, matrix: &'a FeatureMatrix, row: usize, found: impl Iterator<Item = (usize, f64)> + 'a) -> Vec<Reason> {
        found.map(|(term_idx, log_odds)| self.reason(term_idx, log_odds, matrix, row)).collect()
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
