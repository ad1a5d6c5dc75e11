//! Scores: the sum of look-ups for each row of a feature matrix, and its reasons.

use std::ops::Range;

use leadscore_core::{FeatureMatrix, log_odds_to_probability};

use crate::age_baseline::AgePlace;
use crate::axis::Axis;
use crate::model::Model;
use crate::reasons::Concepts;
use crate::term::{BinsTerm, LinearTerm, PairTerm, Term};

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

/// Scores every row.
///
/// # Errors
///
/// [`ScoreError::Columns`] where the matrix does not hold the model's features in the model's
/// order.
pub fn score(model: &Model, matrix: &FeatureMatrix) -> Result<Scored, ScoreError> {
    score_with_reasons(model, &model.concepts(), matrix, 0..matrix.n_rows(), 0)
        .map(|(scored, _)| scored)
}

/// Scores a range of rows, and finds the `n` concepts that contribute most to each; of equal ones,
/// the first.
///
/// `concepts` are the model's own. The range is for many rows: block by block, results need not all
/// be held at once.
///
/// # Errors
///
/// Those of [`score`].
pub fn score_with_reasons(
    model: &Model,
    concepts: &Concepts,
    matrix: &FeatureMatrix,
    range: Range<usize>,
    n: usize,
) -> Result<(Scored, TopContributions), ScoreError> {
    for column in 0..model.specs.len().max(matrix.n_features()) {
        let (found, expected) = (matrix.specs().get(column), model.specs.get(column));
        if found != expected {
            let name = |spec: Option<&leadscore_core::FeatureSpec>| {
                spec.map_or("nothing".to_owned(), |spec| format!("`{}`", spec.name))
            };
            return Err(ScoreError::Columns {
                column,
                found: name(found),
                expected: name(expected),
            });
        }
    }
    let n = n.min(concepts.as_slice().len());
    let n_rows = range.len();
    let mut log_odds = vec![model.intercept; n_rows];
    let mut top = TopContributions {
        n,
        concepts: Vec::with_capacity(n * n_rows),
        log_odds: Vec::with_capacity(n * n_rows),
    };
    // For few rows it is not worth while to look up every level of every category.
    let ready: Vec<Ready<'_>> = if n_rows < TILE_ROWS {
        Vec::new()
    } else {
        model
            .terms
            .iter()
            .map(|term| Ready::new(term, matrix))
            .collect()
    };
    let mut tile = Tile::new(n);
    for (number, sums) in log_odds.chunks_mut(TILE_ROWS).enumerate() {
        let first = range.start + number * TILE_ROWS;
        tile.add(
            model,
            matrix,
            concepts,
            &ready,
            first..first + sums.len(),
            sums,
        );
        tile.strongest.write(sums.len(), &mut top);
        if model.calibration.is_some() {
            let first = top.log_odds.len() - n * sums.len();
            for (row, sum) in sums.iter_mut().enumerate() {
                let stretch = model.stretch(*sum);
                top.log_odds[first + row * n..first + (row + 1) * n]
                    .iter_mut()
                    .for_each(|contribution| *contribution *= stretch);
                *sum = model.calibrated(*sum);
            }
        }
    }
    let probabilities = log_odds
        .iter()
        .map(|&log_odds| log_odds_to_probability(log_odds))
        .collect();
    Ok((
        Scored {
            log_odds,
            probabilities,
            baseline: model.baseline(),
        },
        top,
    ))
}

/// What is worked on for some rows at once.
struct Tile {
    addends: [f64; TILE_ROWS],
    /// A concept's sum.
    concept: [f64; TILE_ROWS],
    ages: [AgePlace; TILE_ROWS],
    strongest: Strongest,
}

impl Tile {
    fn new(n: usize) -> Self {
        Self {
            addends: [0.0; TILE_ROWS],
            concept: [0.0; TILE_ROWS],
            ages: [AgePlace::default(); TILE_ROWS],
            strongest: Strongest::new(n),
        }
    }

    /// Adds all terms to the sums of rows, concept by concept, and finds the strongest concepts.
    fn add(
        &mut self,
        model: &Model,
        matrix: &FeatureMatrix,
        concepts: &Concepts,
        ready: &[Ready<'_>],
        rows: Range<usize>,
        sums: &mut [f64],
    ) {
        let n = sums.len();
        let has_reasons = self.strongest.n() > 0;
        self.strongest.clear();
        if has_reasons && model.age_baseline.is_some() {
            self.ages
                .iter_mut()
                .zip(rows.clone())
                .for_each(|(age, row)| *age = model.age_place(matrix, row));
        }
        for concept in 0..concepts.as_slice().len() {
            if concepts.terms(concept).is_empty() {
                self.concept = [0.0; TILE_ROWS];
            }
            for (number, &position) in concepts.terms(concept).iter().enumerate() {
                // A concept's first term needs no sum.
                let addends = if number == 0 {
                    &mut self.concept
                } else {
                    &mut self.addends
                };
                match ready.get(position) {
                    Some(ready) => ready.fill(rows.clone(), &mut addends[..n]),
                    None => addends
                        .iter_mut()
                        .zip(rows.clone())
                        .for_each(|(addend, row)| {
                            *addend = model.terms[position].log_odds(matrix, row);
                        }),
                }
                sums.iter_mut()
                    .zip(&*addends)
                    .for_each(|(sum, addend)| *sum += *addend);
                if number > 0 && has_reasons {
                    self.concept
                        .iter_mut()
                        .zip(&self.addends)
                        .for_each(|(sum, addend)| *sum += *addend);
                }
            }
            match concepts.expected(concept) {
                _ if !has_reasons => {}
                [expected] => self.strongest.offer(concept, *expected, &self.concept, n),
                expected => {
                    self.concept
                        .iter_mut()
                        .zip(&self.ages)
                        .for_each(|(sum, age)| *sum -= age.of(expected));
                    self.strongest.offer(concept, 0.0, &self.concept, n);
                }
            }
        }
    }
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
    matrix
        .column(feature_idx)
        .to_slice()
        .expect("columns of a matrix are contiguous")
}

impl<'a> Ready<'a> {
    fn new(term: &'a Term, matrix: &'a FeatureMatrix) -> Self {
        match term {
            Term::Linear(term) => Self::Linear(term, column(matrix, term.feature_idx)),
            Term::Bins(term) => Self::Bins(term, column(matrix, term.feature_idx)),
            Term::Levels(term) => {
                let table = matrix
                    .levels(term.feature_idx)
                    .iter()
                    .map(|level| term.log_odds(Some(level)))
                    .collect();
                Self::Levels(column(matrix, term.feature_idx), table, term.missing)
            }
            Term::Pair(term) => Self::Pair(
                term,
                ReadyAxis::new(&term.first, matrix),
                ReadyAxis::new(&term.second, matrix),
            ),
        }
    }

    /// Log-odds of these rows.
    fn fill(&self, rows: Range<usize>, out: &mut [f64]) {
        match self {
            Self::Linear(term, values) => out
                .iter_mut()
                .zip(&values[rows])
                .for_each(|(to, &value)| *to = term.log_odds(value)),
            Self::Bins(term, values) => out
                .iter_mut()
                .zip(&values[rows])
                .for_each(|(to, &value)| *to = term.log_odds(value)),
            Self::Levels(codes, table, missing) => {
                out.iter_mut().zip(&codes[rows]).for_each(|(to, &code)| {
                    *to = if code.is_nan() {
                        *missing
                    } else {
                        table[level_index(code)]
                    }
                });
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
    /// Log-odds of some rows of a matrix.
    pub(crate) fn log_odds_of_rows(&self, matrix: &FeatureMatrix, rows: Range<usize>) -> Vec<f64> {
        let mut addends = vec![0.0; rows.len()];
        Ready::new(self, matrix).fill(rows, &mut addends);
        addends
    }
}

impl<'a> ReadyAxis<'a> {
    fn new(axis: &'a Axis, matrix: &'a FeatureMatrix) -> Self {
        let cells = matrix
            .levels(axis.feature_idx())
            .iter()
            .map(|level| axis.cell_of_level(Some(level)))
            .collect();
        Self {
            axis,
            values: column(matrix, axis.feature_idx()),
            cells,
        }
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

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a category holds an index that was a usize"
)]
fn level_index(code: f64) -> usize {
    code as usize
}

/// The strongest contributions of a range of rows, without words.
#[derive(Debug, Clone, PartialEq)]
pub struct TopContributions {
    n: usize,
    /// `n` a row, strongest first.
    concepts: Vec<u32>,
    log_odds: Vec<f64>,
}

impl TopContributions {
    /// Positions of concepts and their contributions in log-odds, strongest first, of a row counted
    /// from the start of the range.
    pub fn of_row(&self, row: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = row * self.n..(row + 1) * self.n;
        self.concepts[range.clone()]
            .iter()
            .map(|concept| *concept as usize)
            .zip(self.log_odds[range].iter().copied())
    }
}

/// Rows that are compared at once.
const LANES: usize = 8;
type Lanes = [f64; LANES];

/// One rank of the strongest after some contributions of the concept at this place. Strictly
/// stronger, so that of equal ones the first concept stays.
#[inline(always)]
fn compare(
    above: Lanes,
    above_places: Lanes,
    mut strengths: Lanes,
    mut places: Lanes,
    contributions: Lanes,
    place: f64,
) -> (Lanes, Lanes) {
    for row in 0..LANES {
        let strength = contributions[row].abs();
        let handed = if strength > above[row] {
            above[row]
        } else {
            strength
        };
        let handed_place = if strength > above[row] {
            above_places[row]
        } else {
            place.copysign(contributions[row])
        };
        let is_stronger = strength > strengths[row];
        strengths[row] = if is_stronger { handed } else { strengths[row] };
        places[row] = if is_stronger {
            handed_place
        } else {
            places[row]
        };
    }
    (strengths, places)
}

/// The strongest contributions of each row of a tile so far; ranks one after the other, so that all
/// rows of one rank are compared at once and nothing is decided by a branch.
struct Strongest {
    /// Absolute contributions, falling from rank to rank; the first rank is infinite and stands for
    /// nothing, -1 for a free place.
    strengths: Vec<[f64; TILE_ROWS]>,
    /// The concept's position from 1, below zero where it speaks against a win.
    signed_places: Vec<[f64; TILE_ROWS]>,
}

impl Strongest {
    fn new(n: usize) -> Self {
        let mut strengths = vec![[-1.0; TILE_ROWS]; n + 1];
        strengths[0].fill(f64::INFINITY);
        Self {
            strengths,
            signed_places: vec![[0.0; TILE_ROWS]; n + 1],
        }
    }

    /// How many are kept of each row.
    fn n(&self) -> usize {
        self.strengths.len() - 1
    }

    fn clear(&mut self) {
        self.strengths
            .iter_mut()
            .skip(1)
            .for_each(|rank| rank.fill(-1.0));
    }

    /// Offers a concept's log-odds, less what they are measured against, for the first `n_rows`
    /// rows.
    fn offer(
        &mut self,
        position: usize,
        expected: f64,
        log_odds: &[f64; TILE_ROWS],
        n_rows: usize,
    ) {
        let place = position as f64 + 1.0;
        // From the last rank on, so that the rank above still holds what it may hand down.
        for rank in (1..self.strengths.len()).rev() {
            let (above, from) = self.strengths.split_at_mut(rank);
            let (above_places, places) = self.signed_places.split_at_mut(rank);
            let above = above[rank - 1]
                .as_chunks()
                .0
                .iter()
                .zip(above_places[rank - 1].as_chunks().0);
            let kept = from[0]
                .as_chunks_mut()
                .0
                .iter_mut()
                .zip(places[0].as_chunks_mut().0);
            for (((above, above_places), (strengths, places)), log_odds) in above
                .zip(kept)
                .zip(log_odds.as_chunks().0)
                .take(n_rows.div_ceil(LANES))
            {
                (*strengths, *places) = compare(
                    *above,
                    *above_places,
                    *strengths,
                    *places,
                    log_odds.map(|log_odds| log_odds - expected),
                    place,
                );
            }
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positions of concepts"
    )]
    fn write(&self, n_rows: usize, top: &mut TopContributions) {
        for row in 0..n_rows {
            for (strengths, places) in self.strengths.iter().zip(&self.signed_places).skip(1) {
                top.concepts.push(places[row].abs() as u32 - 1);
                top.log_odds.push(strengths[row].copysign(places[row]));
            }
        }
    }
}
