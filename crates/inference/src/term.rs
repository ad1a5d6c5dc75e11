//! The terms of a score: each is a look-up from one feature to log-odds.

use leadscore_core::FeatureMatrix;
use serde::{Deserialize, Serialize};

use crate::axis::{Axis, bin_names, bin_of, readable};

/// The largest weight of a cell, either way: e to this power is no number any more, and no
/// likelihood moves beyond a dozen.
pub(crate) const LARGEST_LOG_ODDS: f64 = 1e4;

/// One addend of the log-odds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Term {
    /// A weight on one standardised number.
    Linear(LinearTerm),
    /// A weight for each level of a category.
    Levels(LevelsTerm),
    /// A weight for each bin of a number.
    Bins(BinsTerm),
    /// A weight for each cell of a table over two binned features, beside their own terms.
    Pair(PairTerm),
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
    /// Smallest and largest training value: beyond them, the line goes on level.
    /// [`LinearTerm::UNBOUNDED`] where nobody knows.
    pub range: (f64, f64),
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

/// A curve over one number, in steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BinsTerm {
    /// The column of the feature matrix.
    pub feature_idx: usize,
    /// Upper ends of all bins but the last, rising: bin `k` holds `edges[k − 1] < x ≤ edges[k]`.
    pub edges: Vec<f64>,
    /// Log-odds of each bin at its center; one more than edges.
    pub weights: Vec<f64>,
    /// The mean of each bin's training values.
    pub centers: Vec<f64>,
    /// Slope within every bin, in log-odds for each unit.
    pub tilt: f64,
    /// Smallest and largest training value: beyond them, the curve goes on level.
    pub range: (f64, f64),
    /// Log-odds where the value is missing.
    pub missing: f64,
    /// Mean log-odds of this term over the training rows.
    pub average: f64,
}

/// A table over two features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairTerm {
    /// The rows of the table.
    pub first: Axis,
    /// Its columns.
    pub second: Axis,
    /// Log-odds of each cell, row by row.
    pub weights: Vec<f64>,
    /// Mean log-odds of this term over the training rows.
    pub average: f64,
}

/// Where a value falls in a term, and how often that cell's weight counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Place {
    /// This cell, times this number: 1 but for standardised numbers.
    Cell(usize, f64),
    /// Nothing that training saw: what the average lead gets.
    Unseen,
}

impl Term {
    /// The column of the feature matrix that it reads; the first of two.
    pub fn feature_idx(&self) -> usize {
        match self {
            Self::Linear(term) => term.feature_idx,
            Self::Levels(term) => term.feature_idx,
            Self::Bins(term) => term.feature_idx,
            Self::Pair(term) => term.first.feature_idx(),
        }
    }

    /// The second column that it reads, where it reads two.
    pub fn second_feature_idx(&self) -> Option<usize> {
        match self {
            Self::Pair(term) => Some(term.second.feature_idx()),
            Self::Linear(_) | Self::Levels(_) | Self::Bins(_) => None,
        }
    }

    /// Whether it reads this column of the feature matrix.
    pub(crate) fn reads(&self, feature_idx: usize) -> bool {
        self.feature_idx() == feature_idx || self.second_feature_idx() == Some(feature_idx)
    }

    /// Its weights, cell by cell.
    ///
    /// Linear: the slope, then missing. Bins: bin by bin, then missing. Levels: level by level,
    /// then rare, then missing. A table: row by row.
    pub fn cells(&self) -> Vec<f64> {
        match self {
            Self::Linear(term) => vec![term.weight, term.missing],
            Self::Levels(term) => term
                .levels
                .iter()
                .map(|(_, weight)| *weight)
                .chain([term.rare, term.missing])
                .collect(),
            Self::Bins(term) => term.weights.iter().copied().chain([term.missing]).collect(),
            Self::Pair(term) => term.weights.clone(),
        }
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        match self {
            Self::Linear(_) => 2,
            Self::Levels(term) => term.levels.len() + 2,
            Self::Bins(term) => term.weights.len() + 1,
            Self::Pair(term) => term.weights.len(),
        }
    }

    /// The same term with every weight times `slope`.
    pub(crate) fn scaled(mut self, slope: f64) -> Self {
        let scale =
            |weights: &mut [&mut f64]| weights.iter_mut().for_each(|weight| **weight *= slope);
        match &mut self {
            Self::Linear(term) => {
                scale(&mut [&mut term.weight, &mut term.missing, &mut term.average]);
            }
            Self::Levels(term) => {
                term.levels
                    .iter_mut()
                    .for_each(|(_, weight)| *weight *= slope);
                scale(&mut [
                    &mut term.rare,
                    &mut term.missing,
                    &mut term.unseen,
                    &mut term.average,
                ]);
            }
            Self::Bins(term) => {
                term.weights.iter_mut().for_each(|weight| *weight *= slope);
                scale(&mut [&mut term.tilt, &mut term.missing, &mut term.average]);
            }
            Self::Pair(term) => {
                term.weights.iter_mut().for_each(|weight| *weight *= slope);
                scale(&mut [&mut term.average]);
            }
        }
        self
    }

    /// What the average lead gets from it, in log-odds.
    pub fn average(&self) -> f64 {
        *self.average_ref()
    }

    pub(crate) fn average_ref(&self) -> &f64 {
        match self {
            Self::Linear(term) => &term.average,
            Self::Levels(term) => &term.average,
            Self::Bins(term) => &term.average,
            Self::Pair(term) => &term.average,
        }
    }

    /// How far it moves scores: largest minus smallest log-odds over ±2 standard deviations or over
    /// its cells.
    pub fn range(&self) -> f64 {
        match self {
            Self::Linear(term) => 4.0 * term.weight.abs(),
            Self::Levels(_) | Self::Bins(_) | Self::Pair(_) => {
                let (low, high) = self
                    .cells()
                    .into_iter()
                    .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), weight| {
                        (low.min(weight), high.max(weight))
                    });
                high - low
            }
        }
    }

    /// Whether every number that it holds is one that training can give: finite, and a weight of no
    /// more than [`LARGEST_LOG_ODDS`].
    pub(crate) fn is_sound(&self) -> bool {
        let slope_over_range = match self {
            Self::Bins(term) => term.tilt * (term.range.1 - term.range.0),
            Self::Linear(_) | Self::Levels(_) | Self::Pair(_) => 0.0,
        };
        let unseen = if let Self::Levels(term) = self {
            term.unseen
        } else {
            0.0
        };
        let is_small = |value: f64| value.abs() <= LARGEST_LOG_ODDS;
        self.is_finite()
            && is_small(unseen)
            && self.cells().into_iter().all(is_small)
            && is_small(self.average())
            && is_small(slope_over_range)
    }

    fn is_finite(&self) -> bool {
        match self {
            Self::Linear(term) => {
                [
                    term.mean,
                    term.scale,
                    term.weight,
                    term.missing,
                    term.average,
                    term.range.0,
                    term.range.1,
                ]
                .iter()
                .all(|value| value.is_finite())
                    && term.scale > 0.0
            }
            Self::Levels(term) => [term.rare, term.missing, term.unseen, term.average]
                .iter()
                .chain(term.levels.iter().map(|(_, weight)| weight))
                .all(|value| value.is_finite()),
            Self::Bins(term) => {
                let numbers = [
                    term.missing,
                    term.average,
                    term.tilt,
                    term.range.0,
                    term.range.1,
                ];
                numbers
                    .iter()
                    .chain(&term.weights)
                    .chain(&term.edges)
                    .chain(&term.centers)
                    .all(|value| value.is_finite())
            }
            Self::Pair(term) => {
                term.weights
                    .iter()
                    .chain([&term.average])
                    .all(|value| value.is_finite())
                    && term.first.is_finite()
                    && term.second.is_finite()
            }
        }
    }
}

impl Term {
    /// Where a row of a matrix falls; `instead` gives one number of it another value.
    pub(crate) fn place(
        &self,
        matrix: &FeatureMatrix,
        row: usize,
        instead: Option<(usize, f64)>,
    ) -> Place {
        let number = |feature_idx: usize| number_of(matrix, row, feature_idx, instead);
        match self {
            Self::Linear(term) => match number(term.feature_idx) {
                value if value.is_nan() => Place::Cell(1, 1.0),
                value => Place::Cell(0, term.standardized(value)),
            },
            Self::Levels(term) => term.place(matrix.level(row, term.feature_idx)),
            Self::Bins(term) => match number(term.feature_idx) {
                value if value.is_nan() => Place::Cell(term.weights.len(), 1.0),
                value => Place::Cell(bin_of(&term.edges, value), 1.0),
            },
            Self::Pair(term) => {
                let side = |axis: &Axis| match axis {
                    Axis::Bins { feature_idx, .. } => axis.cell_of_number(number(*feature_idx)),
                    Axis::Levels { feature_idx, .. } => {
                        axis.cell_of_level(matrix.level(row, *feature_idx))
                    }
                };
                Place::Cell(term.cell(side(&term.first), side(&term.second)), 1.0)
            }
        }
    }

    /// The variance of the log-odds of a row whose value training never saw; 0 for all others.
    pub(crate) fn variance_beyond(&self, matrix: &FeatureMatrix, row: usize) -> f64 {
        let squared = |slope: f64, feature_idx: usize, range: (f64, f64)| {
            let value = number_of(matrix, row, feature_idx, None);
            if value.is_nan() {
                0.0
            } else {
                (slope * (value - value.clamp(range.0, range.1))).powi(2)
            }
        };
        match self {
            Self::Linear(term) => squared(term.weight / term.scale, term.feature_idx, term.range),
            Self::Bins(term) => squared(term.tilt, term.feature_idx, term.range),
            Self::Levels(term) => match term.place(matrix.level(row, term.feature_idx)) {
                Place::Cell(..) => 0.0,
                Place::Unseen => {
                    let squares = term
                        .levels
                        .iter()
                        .map(|(_, weight)| (weight - term.unseen).powi(2));
                    squares.sum::<f64>() / term.levels.len().max(1) as f64
                }
            },
            Self::Pair(_) => 0.0,
        }
    }

    /// Log-odds of a row of a matrix.
    pub fn log_odds(&self, matrix: &FeatureMatrix, row: usize) -> f64 {
        self.log_odds_with(matrix, row, None)
    }

    /// The same, with another value in place of one number.
    pub(crate) fn log_odds_with(
        &self,
        matrix: &FeatureMatrix,
        row: usize,
        instead: Option<(usize, f64)>,
    ) -> f64 {
        let number = |feature_idx: usize| number_of(matrix, row, feature_idx, instead);
        match self {
            Self::Linear(term) => term.log_odds(number(term.feature_idx)),
            Self::Levels(term) => term.log_odds(matrix.level(row, term.feature_idx)),
            Self::Bins(term) => term.log_odds(number(term.feature_idx)),
            Self::Pair(term) => match self.place(matrix, row, instead) {
                Place::Cell(cell, _) => term.weights[cell],
                Place::Unseen => term.average,
            },
        }
    }

    /// What each cell stands for, in words, in the order of [`Term::cells`].
    pub fn cell_names(&self) -> Vec<String> {
        match self {
            Self::Linear(term) => vec![
                format!("for each {}", readable(term.scale)),
                "missing".to_owned(),
            ],
            Self::Levels(term) => term
                .levels
                .iter()
                .map(|(name, _)| name.clone())
                .chain(["rare levels".to_owned(), "missing".to_owned()])
                .collect(),
            Self::Bins(term) => bin_names(&term.edges),
            Self::Pair(term) => {
                let (rows, columns) = (term.first.cell_names(), term.second.cell_names());
                rows.iter()
                    .flat_map(|row| {
                        columns
                            .iter()
                            .map(move |column| format!("{row}, with {column}"))
                    })
                    .collect()
            }
        }
    }
}

fn number_of(
    matrix: &FeatureMatrix,
    row: usize,
    feature_idx: usize,
    instead: Option<(usize, f64)>,
) -> f64 {
    match instead {
        Some((changed, value)) if changed == feature_idx => value,
        _ => matrix.values()[[row, feature_idx]],
    }
}

impl BinsTerm {
    /// Log-odds of a value, NaN for missing.
    pub fn log_odds(&self, value: f64) -> f64 {
        if value.is_nan() {
            return self.missing;
        }
        let value = value.clamp(self.range.0, self.range.1);
        let bin = bin_of(&self.edges, value);
        self.weights[bin] + self.tilt * (value - self.centers[bin])
    }

    /// The upper end of each bin but the last, as a reader wants it.
    pub fn edge_names(&self) -> Vec<String> {
        self.edges.iter().map(|edge| readable(*edge)).collect()
    }
}

impl PairTerm {
    /// The cell at these positions of its sides.
    pub fn cell(&self, first: usize, second: usize) -> usize {
        first * self.second.n_cells() + second
    }
}

impl LinearTerm {
    /// The range of a line whose ends nobody knows.
    pub const UNBOUNDED: (f64, f64) = (f64::MIN, f64::MAX);

    /// Log-odds of a value, NaN for missing.
    pub fn log_odds(&self, value: f64) -> f64 {
        if value.is_nan() {
            self.missing
        } else {
            self.weight * self.standardized(value)
        }
    }

    /// Whether the line ends anywhere.
    pub fn is_bounded(&self) -> bool {
        self.range != Self::UNBOUNDED
    }

    /// Where the line goes on level: the ends of its range, and a billion standard deviations from
    /// the mean, where no weight tells a likelihood from 0 or 100 %, so that every value has
    /// log-odds that are a number.
    pub fn ends(&self) -> (f64, f64) {
        const FARTHEST: f64 = 1e9;
        let far = (FARTHEST * self.scale).min(f64::MAX);
        let (low, high) = (
            (self.mean - far).max(f64::MIN),
            (self.mean + far).min(f64::MAX),
        );
        (self.range.0.max(low), self.range.1.min(high))
    }

    /// A value, moved between the ends, in standard deviations from the mean.
    fn standardized(&self, value: f64) -> f64 {
        let (low, high) = self.ends();
        // Not `clamp`, which fails where a line ends before it begins: one whose range is far from
        // its mean.
        (value.max(low).min(high) - self.mean) / self.scale
    }
}

impl LevelsTerm {
    /// Log-odds of a level, `None` for missing.
    pub fn log_odds(&self, level: Option<&str>) -> f64 {
        match self.place(level) {
            Place::Cell(cell, _) if cell < self.levels.len() => self.levels[cell].1,
            Place::Cell(cell, _) if cell == self.levels.len() => self.rare,
            Place::Cell(..) => self.missing,
            Place::Unseen => self.unseen,
        }
    }

    fn place(&self, level: Option<&str>) -> Place {
        let Some(level) = level else {
            return Place::Cell(self.levels.len() + 1, 1.0);
        };
        match self
            .levels
            .binary_search_by(|(known, _)| known.as_str().cmp(level))
        {
            Ok(position) => Place::Cell(position, 1.0),
            Err(_)
                if self
                    .rare_levels
                    .binary_search_by(|known| known.as_str().cmp(level))
                    .is_ok() =>
            {
                Place::Cell(self.levels.len(), 1.0)
            }
            Err(_) => Place::Unseen,
        }
    }
}
