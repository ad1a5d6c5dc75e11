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
    score_with_reasons(model, matrix, 0..matrix.n_rows(), 0).map(|(scored, _)| scored)
}

/// Scores a range of rows, and finds the `n` strongest contributions of each; of equal ones, the first term's.
///
/// The range is for many rows: block by block, results need not all be held at once.
///
/// # Errors
///
/// Those of [`score`].
pub fn score_with_reasons(model: &Model, matrix: &FeatureMatrix, range: Range<usize>, n: usize) -> Result<(Scored, TopContributions), ScoreError> {
    for column in 0..model.specs.len().max(matrix.n_features()) {
        let (found, expected) = (matrix.specs().get(column), model.specs.get(column));
        if found != expected {
            let name = |spec: Option<&leadscore_core::FeatureSpec>| spec.map_or("nothing".to_owned(), |spec| format!("`{}`", spec.name));
            return Err(ScoreError::Columns { column, found: name(found), expected: name(expected) });
        }
    }
    let n = n.min(model.terms.len());
    let n_rows = range.len();
    let mut log_odds = vec![model.intercept; n_rows];
    let mut top = TopContributions { n, terms: Vec::with_capacity(n * n_rows), log_odds: Vec::with_capacity(n * n_rows) };
    // For few rows it is not worth while to look up every level of every category.
    let ready: Vec<Ready<'_>> = if n_rows < TILE_ROWS { Vec::new() } else { model.terms.iter().map(|term| Ready::new(term, matrix)).collect() };
    let mut strongest = Strongest::new(n);
    let mut addends = [0.0; TILE_ROWS];
    for (tile, sums) in log_odds.chunks_mut(TILE_ROWS).enumerate() {
        let first = range.start + tile * TILE_ROWS;
        let rows = first..first + sums.len();
        strongest.clear();
        for (position, term) in model.terms.iter().enumerate() {
            match ready.get(position) {
                Some(ready) => ready.fill(rows.clone(), &mut addends[..sums.len()]),
                None => addends.iter_mut().zip(rows.clone()).for_each(|(addend, row)| *addend = term.log_odds(matrix, row)),
            }
            sums.iter_mut().zip(&addends).for_each(|(sum, addend)| *sum += *addend);
            strongest.offer(position, term.average(), &addends, sums.len());
        }
        strongest.write(sums.len(), &mut top);
        if model.calibration.is_some() {
            let first = top.log_odds.len() - n * sums.len();
            for (row, sum) in sums.iter_mut().enumerate() {
                let stretch = model.stretch(*sum);
                top.log_odds[first + row * n..first + (row + 1) * n].iter_mut().for_each(|contribution| *contribution *= stretch);
                *sum = model.calibrated(*sum);
            }
        }
    }
    let probabilities = log_odds.iter().map(|&log_odds| log_odds_to_probability(log_odds)).collect();
    Ok((Scored { log_odds, probabilities, baseline: model.baseline() }, top))
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

impl Term {
    /// Log-odds of every row of a matrix.
    pub(crate) fn log_odds_of_rows(&self, matrix: &FeatureMatrix) -> impl Iterator<Item = f64> {
        let mut addends = vec![0.0; matrix.n_rows()];
        Ready::new(self, matrix).fill(0..matrix.n_rows(), &mut addends);
        addends.into_iter()
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
    /// Positions of terms and their contributions in log-odds, strongest first, of a row counted from the start of the range.
    pub fn of_row(&self, row: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = row * self.n..(row + 1) * self.n;
        self.terms[range.clone()].iter().map(|term| *term as usize).zip(self.log_odds[range].iter().copied())
    }
}

/// Rows that are compared at once.
const LANES: usize = 8;
type Lanes = [f64; LANES];

/// One rank of the strongest after some contributions of the term at this place. Strictly stronger, so that of equal ones
/// the first term stays.
#[inline(always)]
fn compare(above: Lanes, above_terms: Lanes, mut strengths: Lanes, mut terms: Lanes, contributions: Lanes, place: f64) -> (Lanes, Lanes) {
    for row in 0..LANES {
        let strength = contributions[row].abs();
        let handed = if strength > above[row] { above[row] } else { strength };
        let handed_term = if strength > above[row] { above_terms[row] } else { place.copysign(contributions[row]) };
        let is_stronger = strength > strengths[row];
        strengths[row] = if is_stronger { handed } else { strengths[row] };
        terms[row] = if is_stronger { handed_term } else { terms[row] };
    }
    (strengths, terms)
}

/// The strongest contributions of each row of a tile so far; ranks one after the other, so that all rows of one rank are
/// compared at once and nothing is decided by a branch.
struct Strongest {
    /// Absolute contributions, falling from rank to rank; the first rank is infinite and stands for nothing, -1 for a free place.
    strengths: Vec<[f64; TILE_ROWS]>,
    /// The term's position from 1, below zero where it speaks against a win.
    signed_terms: Vec<[f64; TILE_ROWS]>,
}

impl Strongest {
    fn new(n: usize) -> Self {
        let mut strengths = vec![[-1.0; TILE_ROWS]; n + 1];
        strengths[0].fill(f64::INFINITY);
        Self { strengths, signed_terms: vec![[0.0; TILE_ROWS]; n + 1] }
    }

    fn clear(&mut self) {
        self.strengths.iter_mut().skip(1).for_each(|rank| rank.fill(-1.0));
    }

    /// Offers a term's log-odds for the first `n_rows` rows.
    fn offer(&mut self, position: usize, average: f64, addends: &[f64; TILE_ROWS], n_rows: usize) {
        let place = position as f64 + 1.0;
        // From the last rank on, so that the rank above still holds what it may hand down.
        for rank in (1..self.strengths.len()).rev() {
            let (above, from) = self.strengths.split_at_mut(rank);
            let (above_terms, terms) = self.signed_terms.split_at_mut(rank);
            let above = above[rank - 1].as_chunks().0.iter().zip(above_terms[rank - 1].as_chunks().0);
            let kept = from[0].as_chunks_mut().0.iter_mut().zip(terms[0].as_chunks_mut().0);
            for (((above, above_terms), (strengths, terms)), addends) in above.zip(kept).zip(addends.as_chunks().0).take(n_rows.div_ceil(LANES)) {
                (*strengths, *terms) = compare(*above, *above_terms, *strengths, *terms, addends.map(|addend| addend - average), place);
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positions of terms")]
    fn write(&self, n_rows: usize, top: &mut TopContributions) {
        for row in 0..n_rows {
            for (strengths, terms) in self.strengths.iter().zip(&self.signed_terms).skip(1) {
                top.terms.push(terms[row].abs() as u32 - 1);
                top.log_odds.push(strengths[row].copysign(terms[row]));
            }
        }
    }
}

impl Model {
    /// All reasons of one row, strongest first; with the baseline they add up to its log-odds.
    pub fn reasons(&self, matrix: &FeatureMatrix, row: usize) -> Vec<Reason> {
        let stretch = self.stretch(self.sum_with(matrix, row, None));
        let mut contributions: Vec<(usize, f64)> = (0..self.terms.len()).map(|idx| (idx, stretch * self.contribution(idx, matrix, row))).collect();
        contributions.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        contributions.into_iter().map(|(idx, log_odds)| self.reason(idx, log_odds, matrix, row)).collect()
    }

    /// The strongest reasons of a row in words, as [`score_with_reasons`] found them; `row` is that of the matrix.
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
