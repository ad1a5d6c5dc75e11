//! From the feature matrix to what the solver sees, and from its coefficients back to terms;
//! learned from training rows only.

use std::ops::Range;

use leadscore_core::FeatureMatrix;
use leadscore_inference::{
    Axis, BinsTerm, CellCount, LevelsTerm, LinearTerm, PairTerm, Reading, ReadingRule, Term, bin_of,
};
use leadscore_solver::{Column, Design, Direction, Penalty, Precision, SolverError};
use ndarray::{Array2, ShapeBuilder};
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::smoothing::{Estimate, Piece, TIGHTEST};

/// How features are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodingOptions {
    /// Whether numbers become curves in bins; default yes. Else they are standardised and weigh in
    /// a straight line.
    pub curves: bool,
    /// Rows that a level needs for a weight of its own, default 20; the others share one. More
    /// rows, steadier weights.
    pub min_level_rows: usize,
    /// Most levels of one category with a weight of their own, default 200: the most frequent ones.
    pub max_levels: usize,
    /// Most bins of a curve, default 24. More bins, finer curves; the penalty ties neighbours.
    pub max_bins: usize,
    /// Most cells along a side of a table over two features, default 8, and one for what has no
    /// value.
    pub max_side: usize,
}

impl Default for CodingOptions {
    fn default() -> Self {
        Self {
            curves: true,
            min_level_rows: 20,
            max_levels: 200,
            max_bins: 24,
            max_side: 8,
        }
    }
}

/// How strongly weights are held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strengths {
    /// Pulls slopes and levels to 0, by `½ ridge w²`.
    pub ridge: f64,
    /// Pulls curves to the lines beneath them: of steps between neighbouring bins, by `¼ steps (wₖ
    /// − w₍ₖ₋₁₎)²`.
    pub steps: f64,
    /// Pulls curves to straight lines over their bins: `½ smooth (w₍ₖ₋₁₎ − 2wₖ + w₍ₖ₊₁₎)²`.
    pub smooth: f64,
    /// Pulls tables to 0, and their neighbouring cells to one another.
    pub pair: f64,
    /// Share of the ridge on slopes and levels that is a lasso, 0 to 1: an elastic net, which
    /// leaves the weakest at 0.
    pub l1_ratio: f64,
}

impl Strengths {
    /// A ridge on slopes and levels.
    pub fn ridge(ridge: f64) -> Self {
        Self {
            ridge,
            steps: 0.0,
            smooth: 0.0,
            pair: 0.0,
            l1_ratio: 0.0,
        }
    }
}

/// Where the strengths of a fit come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Smoothing {
    /// These, the same for all terms of a kind: as folds chose them.
    Given(Strengths),
    /// One a term, estimated from the rows themselves by restricted maximum likelihood.
    Reml {
        /// What all of them are multiplied with: above 1 where later rows are unlike earlier ones.
        stiffer: f64,
    },
}

impl Smoothing {
    /// What estimated strengths are multiplied with.
    pub(crate) fn stiffer(self) -> f64 {
        match self {
            Self::Given(_) => 1.0,
            Self::Reml { stiffer } => stiffer,
        }
    }

    /// The ridge that all terms share; 0 where each has a strength of its own.
    pub(crate) fn ridge(self) -> f64 {
        match self {
            Self::Given(strengths) => strengths.ridge,
            Self::Reml { .. } => 0.0,
        }
    }
}

/// What is known of features before any row is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beforehand {
    /// Names of features to leave out.
    pub skip: Vec<String>,
    /// Numbers, by their columns, whose curve or slope goes one way only. They have a curve of
    /// their own, and no table.
    pub directions: Vec<(usize, Direction)>,
}

impl Beforehand {
    fn direction(&self, feature_idx: usize) -> Option<Direction> {
        self.directions
            .iter()
            .find(|(idx, _)| *idx == feature_idx)
            .map(|(_, direction)| *direction)
    }
}

/// A feature that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// Name of the feature.
    pub feature: String,
    /// Why.
    pub reason: DropReason,
}

/// Why a feature is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DropReason {
    /// It would tell the outcome.
    #[error("it knows the outcome")]
    KnowsOutcome,
    /// There is nothing to learn from.
    #[error("every value is missing")]
    Missing,
    /// It does not vary.
    #[error("it is constant")]
    Constant,
    /// All of its levels are rare.
    #[error("no value occurs {min_rows} times")]
    Rare {
        /// Rows that a level needs.
        min_rows: usize,
    },
    /// It is in the model and weighs nothing.
    #[error("the lasso left it no weight")]
    Weightless,
    /// Its variance was estimated as zero.
    #[error("beside the others it says nothing")]
    Flat,
}

/// What was learned from the training rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Coding {
    blocks: Vec<Block>,
    dropped: Vec<Dropped>,
    /// Features that say nothing alone, and may say something with another one.
    flat: Vec<usize>,
}

/// How one feature, or two, become coefficients.
#[derive(Debug, Clone, PartialEq)]
enum Block {
    /// A slope on the standardised number, and a weight for missing where training has missing
    /// values.
    Number {
        feature_idx: usize,
        mean: f64,
        scale: f64,
        range: (f64, f64),
        has_missing: bool,
        direction: Option<Direction>,
    },
    /// The slope of the line beneath the curve that follows: a curve is a line and the steps that
    /// data asks for beside it.
    Line {
        feature_idx: usize,
        mean: f64,
        scale: f64,
        range: (f64, f64),
        direction: Option<Direction>,
    },
    /// A weight for each bin, then one for missing.
    Bins {
        feature_idx: usize,
        edges: Vec<f64>,
        means: Vec<f64>,
        low: f64,
        high: f64,
        direction: Option<Direction>,
    },
    /// A weight for each level, then one for rare ones, one for missing, and one for levels never
    /// seen, which stays 0.
    Levels {
        feature_idx: usize,
        levels: Vec<String>,
        rare_levels: Vec<String>,
        has_missing: bool,
    },
    /// A weight for each cell.
    Pair { first: Axis, second: Axis },
}

/// Numbers up to this many are kept in eight bytes each.
const MAX_F64_CELLS: usize = 20_000_000;

/// Values that quantiles are taken of at most.
const MAX_SORTED: usize = 200_000;

/// Share of the rows whose one value has a bin of its own.
const SPIKE: f64 = 0.02;

/// Tiny, beside any data: what a curve's level would be without it is a matter of the intercept.
const ANCHOR: f64 = 1e-2;

impl Coding {
    /// Nothing but the intercept.
    pub(crate) fn empty() -> Self {
        Self {
            blocks: Vec::new(),
            dropped: Vec::new(),
            flat: Vec::new(),
        }
    }

    /// Learns means, scales, bins and levels from these rows of a matrix.
    ///
    /// Constant and all-missing features are left out, and those to skip.
    pub fn fit(
        matrix: &FeatureMatrix,
        rows: &[usize],
        known: &Beforehand,
        options: CodingOptions,
    ) -> Self {
        let blocks: Vec<Result<Vec<Block>, DropReason>> = (0..matrix.n_features())
            .into_par_iter()
            .map(|feature_idx| {
                if known.skip.contains(&matrix.specs()[feature_idx].name) {
                    Err(DropReason::KnowsOutcome)
                } else if matrix.is_category(feature_idx) {
                    fit_levels(matrix, rows, feature_idx, options).map(|block| vec![block])
                } else if options.curves {
                    fit_curve(
                        matrix,
                        rows,
                        feature_idx,
                        options.max_bins,
                        known.direction(feature_idx),
                    )
                } else {
                    fit_number(matrix, rows, feature_idx, known.direction(feature_idx))
                        .map(|block| vec![block])
                }
            })
            .collect();
        let mut coding = Self::empty();
        for (feature_idx, blocks) in blocks.into_iter().enumerate() {
            match blocks {
                Ok(blocks) => coding.blocks.extend(blocks),
                Err(reason) => coding.dropped.push(Dropped {
                    feature: matrix.specs()[feature_idx].name.clone(),
                    reason,
                }),
            }
        }
        coding
    }

    /// The same with tables over two features each.
    #[must_use]
    pub(crate) fn with_pairs(mut self, pairs: impl IntoIterator<Item = (Axis, Axis)>) -> Self {
        self.blocks.extend(
            pairs
                .into_iter()
                .map(|(first, second)| Block::Pair { first, second }),
        );
        self
    }

    /// Features that were left out.
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }

    /// Features that a lasso left at 0.
    pub(crate) fn weightless(&self, matrix: &FeatureMatrix, coefficients: &[f64]) -> Vec<Dropped> {
        let is_weightless = |cells: &[Combination]| {
            cells
                .iter()
                .flatten()
                .all(|&(idx, _)| coefficients[idx] == 0.0)
        };
        let names = self
            .blocks
            .iter()
            .zip(self.coefficients_of_cells())
            .filter(|(_, cells)| is_weightless(cells));
        names
            .filter_map(|(block, _)| block.feature_idx())
            .map(|idx| Dropped {
                feature: matrix.specs()[idx].name.clone(),
                reason: DropReason::Weightless,
            })
            .collect()
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Whether a curve or slope may go one way only.
    pub(crate) fn has_directions(&self) -> bool {
        self.blocks.iter().any(|block| block.direction().is_some())
    }

    /// Number of tables over two features.
    pub(crate) fn n_pairs(&self) -> usize {
        self.blocks
            .iter()
            .filter(|block| matches!(block, Block::Pair { .. }))
            .count()
    }

    /// Features that may have a table: those in use and those that say nothing alone, less those
    /// whose direction a table could turn.
    pub(crate) fn features_for_tables(&self) -> Vec<usize> {
        let used = self
            .blocks
            .iter()
            .filter(|block| block.direction().is_none())
            .filter_map(Block::feature_idx);
        let mut features: Vec<usize> = used.chain(self.flat.iter().copied()).collect();
        features.sort_unstable();
        features
    }

    /// Those features by how far their weights lie apart, farthest first.
    pub(crate) fn strongest_features_for_tables(&self, coefficients: &[f64]) -> Vec<usize> {
        let mut ranges: Vec<(f64, usize)> = self
            .blocks
            .iter()
            .zip(self.coefficients_of_cells())
            .filter(|(block, _)| block.direction().is_none())
            .filter_map(|(block, cells)| {
                let weights = cells
                    .iter()
                    .filter(|cell| !cell.is_empty())
                    .map(|cell| weight_of(cell, coefficients));
                let (low, high) = weights
                    .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), weight| {
                        (low.min(weight), high.max(weight))
                    });
                Some((high - low, block.feature_idx()?))
            })
            .collect();
        ranges.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        ranges
            .into_iter()
            .map(|(_, feature_idx)| feature_idx)
            .collect()
    }

    /// Number of weights that data can tell something about, the intercept not among them.
    pub fn n_parameters(&self) -> usize {
        self.blocks
            .iter()
            .map(|block| match block {
                Block::Number { has_missing, .. } => 1 + usize::from(*has_missing),
                Block::Line { .. } => 1,
                Block::Bins { edges, .. } => edges.len() + 1,
                Block::Levels {
                    levels,
                    rare_levels,
                    has_missing,
                    ..
                } => {
                    levels.len() + usize::from(!rare_levels.is_empty()) + usize::from(*has_missing)
                }
                Block::Pair { first, second } => first.n_cells() * second.n_cells(),
            })
            .sum()
    }

    /// The solver's design of these rows.
    ///
    /// # Errors
    ///
    /// [`SolverError::NoRows`].
    pub fn design(&self, matrix: &FeatureMatrix, rows: &[usize]) -> Result<Design, SolverError> {
        let columns: Vec<Column<'_>> = self
            .blocks
            .iter()
            .flat_map(|block| block.columns(matrix, rows))
            .collect();
        Design::new(rows.len(), &columns, self.precision(rows.len()))
    }

    /// Seven digits are plenty where there are so many rows; the memory is not.
    fn precision(&self, n_rows: usize) -> Precision {
        let n_cells = n_rows * self.blocks.iter().map(Block::n_numbers).sum::<usize>();
        if n_cells > MAX_F64_CELLS {
            Precision::F32
        } else {
            Precision::F64
        }
    }

    /// As [`Self::design`], of rows of one matrix and those of another one behind them.
    pub(crate) fn design_of(
        &self,
        first: (&FeatureMatrix, &[usize]),
        second: (&FeatureMatrix, &[usize]),
    ) -> Result<Design, SolverError> {
        let columns = |(matrix, rows)| {
            self.blocks
                .iter()
                .flat_map(move |block| block.columns(matrix, rows))
        };
        let n_first = first.1.len();
        let joined = columns(first)
            .zip(columns(second))
            .map(|(first, second)| first.then(n_first, second))
            .collect::<Result<Vec<_>, _>>()?;
        Design::new(
            n_first + second.1.len(),
            &joined,
            self.precision(n_first + second.1.len()),
        )
    }

    /// Coefficient of each block's first cell, and those of the slopes of numbers.
    ///
    /// In the design the slopes come first, then the levels of all coded columns.
    fn places(&self) -> (Vec<usize>, usize) {
        let n_numbers: usize = self.blocks.iter().map(Block::n_numbers).sum();
        let (mut number, mut coded) = (1, 1 + n_numbers);
        let places = self
            .blocks
            .iter()
            .map(|block| {
                let next = if block.n_numbers() > 0 {
                    &mut number
                } else {
                    &mut coded
                };
                let place = *next;
                *next += block.n_coefficients();
                place
            })
            .collect();
        (places, coded)
    }

    /// What each coefficient of the design reads of a row: the same rows by other means.
    ///
    /// A line ends where the values end that it was learned from, as the term does.
    pub(crate) fn readings(&self) -> Vec<Reading> {
        let (places, _) = self.places();
        let mut readings = Vec::with_capacity(self.blocks.len());
        for (block, first) in self.blocks.iter().zip(places) {
            let rule = match block {
                Block::Number {
                    feature_idx,
                    mean,
                    scale,
                    range,
                    ..
                }
                | Block::Line {
                    feature_idx,
                    mean,
                    scale,
                    range,
                    ..
                } => ReadingRule::Number {
                    feature_idx: *feature_idx,
                    mean: *mean,
                    scale: *scale,
                    range: *range,
                },
                Block::Bins {
                    feature_idx, edges, ..
                } => ReadingRule::Cells(Axis::Bins {
                    feature_idx: *feature_idx,
                    edges: edges.clone(),
                }),
                Block::Levels {
                    feature_idx,
                    levels,
                    rare_levels,
                    ..
                } => ReadingRule::Levels {
                    feature_idx: *feature_idx,
                    levels: levels.clone(),
                    has_rare: !rare_levels.is_empty(),
                },
                Block::Pair { first, second } => ReadingRule::Table {
                    first: first.clone(),
                    second: second.clone(),
                },
            };
            readings.push(Reading { first, rule });
            if let Block::Number {
                feature_idx,
                has_missing: true,
                ..
            } = block
            {
                readings.push(Reading {
                    first: first + 1,
                    rule: ReadingRule::Missing {
                        feature_idx: *feature_idx,
                    },
                });
            }
        }
        readings
    }

    /// What stands in each cell of each term, by how many rows read each coefficient.
    pub(crate) fn counts_of(&self, by_coefficient: &[CellCount]) -> Vec<Vec<CellCount>> {
        let (places, _) = self.places();
        let blocks = self
            .blocks
            .iter()
            .zip(places)
            .filter(|(block, _)| !block.is_line());
        blocks
            .map(|(block, first)| match block {
                Block::Number { has_missing, .. } => {
                    let all = by_coefficient[0];
                    let missing = if *has_missing {
                        by_coefficient[first + 1]
                    } else {
                        CellCount::default()
                    };
                    vec![
                        CellCount {
                            n_rows: all.n_rows - missing.n_rows,
                            n_wins: all.n_wins - missing.n_wins,
                        },
                        missing,
                    ]
                }
                _ => by_coefficient[first..first + block.n_cells()].to_vec(),
            })
            .collect()
    }

    /// The penalty over the coefficients of the design.
    pub fn penalty(&self, strengths: Strengths) -> Penalty {
        self.penalty_with(strengths, ANCHOR)
    }

    /// The part of the penalty that says where coefficients may lie: all of it but what only holds
    /// the level of a curve.
    pub(crate) fn prior(&self, strengths: Strengths) -> Penalty {
        self.penalty_with(strengths, 0.0)
    }

    /// The penalty in pieces that each have a strength of their own, and what stands beside them
    /// whatever these are: what holds the level of curves, and directions.
    ///
    /// A curve has three: its line, its steps, and what a missing value weighs.
    pub(crate) fn pieces(&self) -> (Vec<Piece>, Penalty) {
        let (places, _) = self.places();
        let mut pieces = Vec::new();
        let mut fixed = Penalty::none();
        for (block, first) in self.blocks.iter().zip(places) {
            let own = first..first + block.n_coefficients();
            match block {
                Block::Number { has_missing, .. } => {
                    pieces.push(Piece::ridge(first..first + 1));
                    fixed = directed(fixed, first..first + 1, block.direction());
                    if *has_missing {
                        pieces.push(Piece::ridge(first + 1..first + 2));
                    }
                }
                Block::Line { direction, .. } => {
                    pieces.push(Piece::ridge(own.clone()));
                    fixed = directed(fixed, own, *direction);
                }
                Block::Bins {
                    edges, direction, ..
                } => {
                    let n_bins = edges.len() + 1;
                    let bins = first..first + n_bins;
                    if n_bins > 1 {
                        let penalty = Penalty::none().quadratic(first, differences(n_bins, 1));
                        pieces.push(Piece {
                            coefficients: bins.clone().collect(),
                            penalty,
                            rank: edges.len() as f64,
                            is_late: true,
                        });
                        fixed = directed(fixed, bins.clone(), *direction);
                    }
                    fixed = fixed.ridge(bins, ANCHOR);
                    pieces.push(Piece::ridge(first + n_bins..first + n_bins + 1));
                }
                // The level never seen has no row, and stays at 0 by the least of ridges.
                Block::Levels { .. } => {
                    let n = block.n_coefficients() - 1;
                    pieces.push(Piece::ridge(first..first + n));
                    fixed = fixed.ridge(first + n..first + n + 1, 1.0);
                }
                Block::Pair {
                    first: rows,
                    second: columns,
                } => {
                    let penalty = Penalty::none()
                        .quadratic(first, differences_of_table(rows, columns))
                        .ridge(own.clone(), 1.0);
                    pieces.push(Piece {
                        rank: own.len() as f64,
                        coefficients: own.collect(),
                        penalty,
                        is_late: true,
                    });
                }
            }
        }
        (pieces, fixed)
    }

    /// Only what is in: the terms that say something, and the strengths of their pieces;
    /// `strengths` are infinite for the others.
    ///
    /// A curve without its steps is a straight line. What cannot be taken out of a term that stays
    /// is held as tightly as can be.
    pub(crate) fn keeping(
        self,
        strengths: &[f64],
        coefficients: &[f64],
        matrix: &FeatureMatrix,
    ) -> (Self, Estimate) {
        let (places, _) = self.places();
        let mut kept = Self {
            blocks: Vec::new(),
            dropped: self.dropped,
            flat: self.flat,
        };
        let mut found: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
        let mut strengths = strengths.iter().copied();
        let mut line = None;
        for (block, first) in self.blocks.into_iter().zip(places) {
            let own = &coefficients[first..first + block.n_coefficients()];
            let mut held: Vec<f64> = strengths.by_ref().take(block.n_pieces()).collect();
            match block {
                Block::Line { .. } => line = Some((block, held, own)),
                Block::Bins { feature_idx, .. } => {
                    let missing = held[held.len() - 1];
                    let is_straight = held.len() < 2 || held[0].is_infinite();
                    match line.take() {
                        Some((
                            Block::Line {
                                mean,
                                scale,
                                range,
                                direction,
                                ..
                            },
                            slope,
                            at,
                        )) if is_straight => {
                            let has_missing = missing.is_finite();
                            let number = Block::Number {
                                feature_idx,
                                mean,
                                scale,
                                range,
                                has_missing,
                                direction,
                            };
                            held = if has_missing {
                                vec![slope[0], missing]
                            } else {
                                slope
                            };
                            kept.push_if(
                                number,
                                held,
                                &[at[0], own[own.len() - 1]][..1 + usize::from(has_missing)],
                                matrix,
                                &mut found,
                            );
                        }
                        line => {
                            if let Some((line, slope, at)) =
                                line.filter(|(_, slope, _)| slope[0].is_finite())
                            {
                                kept.blocks.push(line);
                                found.push((slope, at.to_vec()));
                            }
                            kept.push_if(block, held, own, matrix, &mut found);
                        }
                    }
                }
                Block::Number { .. } | Block::Levels { .. } | Block::Pair { .. } => {
                    kept.push_if(block, held, own, matrix, &mut found);
                }
            }
        }
        let (places, n_coefficients) = kept.places();
        let mut estimate = Estimate {
            strengths: Vec::new(),
            coefficients: vec![0.0; n_coefficients],
        };
        estimate.coefficients[0] = coefficients[0];
        for (place, (held, at)) in places.into_iter().zip(found) {
            estimate
                .strengths
                .extend(held.into_iter().map(|strength| strength.min(TIGHTEST)));
            estimate.coefficients[place..place + at.len()].copy_from_slice(&at);
        }
        (kept, estimate)
    }

    /// The same with finer bins; the strengths go along, and the weights but those of the finer
    /// bins.
    pub(crate) fn refined(
        &self,
        matrix: &FeatureMatrix,
        rows: &[usize],
        options: CodingOptions,
        estimate: &Estimate,
    ) -> (Self, Estimate) {
        let (places, _) = self.places();
        let mut finer = Self {
            blocks: Vec::new(),
            dropped: self.dropped.clone(),
            flat: self.flat.clone(),
        };
        let mut strengths = Vec::new();
        let mut weights: Vec<Option<(usize, usize)>> = Vec::new();
        let mut held = estimate.strengths.iter().copied();
        for (block, place) in self.blocks.iter().zip(places) {
            let own: Vec<f64> = held.by_ref().take(block.n_pieces()).collect();
            match block {
                Block::Bins {
                    feature_idx,
                    edges,
                    direction,
                    ..
                } => {
                    let fitted =
                        fit_curve(matrix, rows, *feature_idx, options.max_bins, *direction).ok();
                    let bins = fitted.and_then(|blocks| {
                        blocks
                            .into_iter()
                            .find(|block| matches!(block, Block::Bins { .. }))
                    });
                    let bins = bins
                        .filter(|bins| bins.n_pieces() == own.len())
                        .unwrap_or_else(|| block.clone());
                    // The same curve over more bins has smaller steps.
                    let share = bins.n_coefficients() as f64 / (edges.len() + 2) as f64;
                    strengths.extend(own.iter().enumerate().map(|(idx, strength)| {
                        if idx + 1 < own.len() {
                            strength * share
                        } else {
                            *strength
                        }
                    }));
                    finer.blocks.push(bins);
                    weights.push(None);
                }
                _ => {
                    strengths.extend(own);
                    finer.blocks.push(block.clone());
                    weights.push(Some((place, block.n_coefficients())));
                }
            }
        }
        let (places, n_coefficients) = finer.places();
        let mut coefficients = vec![0.0; n_coefficients];
        coefficients[0] = estimate.coefficients[0];
        for (to, from) in places.into_iter().zip(weights) {
            if let Some((from, n)) = from {
                coefficients[to..to + n].copy_from_slice(&estimate.coefficients[from..from + n]);
            }
        }
        (
            finer,
            Estimate {
                strengths,
                coefficients,
            },
        )
    }

    /// Adds a block with what its pieces are held by, unless all of them are out.
    fn push_if(
        &mut self,
        block: Block,
        held: Vec<f64>,
        at: &[f64],
        matrix: &FeatureMatrix,
        found: &mut Vec<(Vec<f64>, Vec<f64>)>,
    ) {
        if held.iter().any(|strength| strength.is_finite()) {
            self.blocks.push(block);
            found.push((held, at.to_vec()));
        } else if let Some(feature_idx) = block.feature_idx() {
            if block.direction().is_none() {
                self.flat.push(feature_idx);
            }
            self.dropped.push(Dropped {
                feature: matrix.specs()[feature_idx].name.clone(),
                reason: DropReason::Flat,
            });
        }
    }

    fn penalty_with(&self, strengths: Strengths, anchor: f64) -> Penalty {
        let (places, _) = self.places();
        self.blocks.iter().zip(places).fold(
            Penalty::none(),
            |penalty, (block, first)| match block {
                Block::Number { .. } | Block::Levels { .. } => {
                    let own = first..first + block.n_coefficients();
                    let lasso = strengths.ridge * strengths.l1_ratio;
                    // Levels and intercept are only told apart by a ridge.
                    let ridge =
                        (strengths.ridge - lasso).max(if lasso > 0.0 { anchor } else { 0.0 });
                    directed(
                        penalty.ridge(own.clone(), ridge).lasso(own, lasso),
                        first..first + 1,
                        block.direction(),
                    )
                }
                Block::Line { direction, .. } => directed(
                    penalty.ridge(first..first + 1, strengths.ridge),
                    first..first + 1,
                    *direction,
                ),
                Block::Bins {
                    edges, direction, ..
                } => {
                    let n_bins = edges.len() + 1;
                    let steps = differences(n_bins, 1) * (0.5 * strengths.steps);
                    let bends = differences(n_bins, 2) * strengths.smooth;
                    // One bin has no neighbour, and its level is a matter of the intercept.
                    let penalty = if n_bins > 1 {
                        directed(penalty, first..first + n_bins, *direction)
                    } else {
                        penalty
                    };
                    penalty
                        .quadratic(first, steps + bends)
                        .ridge(first..first + n_bins, anchor)
                        .ridge(first + n_bins..first + n_bins + 1, strengths.ridge)
                }
                Block::Pair {
                    first: rows,
                    second: columns,
                } => {
                    let n_cells = block.n_coefficients();
                    penalty
                        .quadratic(first, differences_of_table(rows, columns) * strengths.pair)
                        .ridge(first..first + n_cells, strengths.pair)
                }
            },
        )
    }

    /// The dense matrix of these rows, for linfa: columns of slopes and ones in the order of the
    /// terms' cells.
    ///
    /// # Shapes
    ///
    /// `(rows.len(), n_coefficients − 1)`, in the order of the design's coefficients, columns
    /// contiguous, no NaN.
    pub(crate) fn dense(&self, matrix: &FeatureMatrix, rows: &[usize]) -> Array2<f64> {
        let (places, n_coefficients) = self.places();
        let mut dense = Array2::zeros((rows.len(), n_coefficients - 1).f());
        for (block, first) in self.blocks.iter().zip(places) {
            match block {
                Block::Number {
                    feature_idx,
                    mean,
                    scale,
                    range,
                    has_missing,
                    ..
                } => {
                    let values = matrix.column(*feature_idx);
                    for (position, &row) in rows.iter().enumerate() {
                        if !values[row].is_nan() {
                            dense[[position, first - 1]] =
                                (values[row].clamp(range.0, range.1) - mean) / scale;
                        } else if *has_missing {
                            dense[[position, first]] = 1.0;
                        }
                    }
                }
                _ => {
                    let code = block.coder(matrix);
                    for (position, &row) in rows.iter().enumerate() {
                        dense[[position, first - 1 + code(row) as usize]] = 1.0;
                    }
                }
            }
        }
        dense
    }

    /// What stands in each cell of each term in these rows.
    pub(crate) fn counts(
        &self,
        matrix: &FeatureMatrix,
        rows: &[usize],
        labels: &[bool],
    ) -> Vec<Vec<CellCount>> {
        self.blocks
            .par_iter()
            .filter(|block| !block.is_line())
            .map(|block| {
                let mut counts = vec![CellCount::default(); block.n_cells()];
                let code = block.coder(matrix);
                for &row in rows {
                    if let Some(count) = block
                        .cell(code(row) as usize)
                        .and_then(|cell| counts.get_mut(cell))
                    {
                        count.n_rows += 1;
                        count.n_wins += u64::from(labels[row]);
                    }
                }
                counts
            })
            .collect()
    }

    /// What the weight of each cell of each block is made of; nothing for cells that training had
    /// nothing for, and no cells for lines, which are part of the curve behind them.
    pub(crate) fn coefficients_of_cells(&self) -> Vec<Vec<Combination>> {
        let (places, _) = self.places();
        let mut line = None;
        let blocks = self.blocks.iter().zip(places).map(|(block, first)| {
            let mut cells = vec![Combination::new(); block.n_cells()];
            for coefficient in 0..block.n_coefficients() {
                if let Some(cell) = block.cell(coefficient) {
                    cells[cell].push((first + coefficient, 1.0));
                }
            }
            match (block, line.take()) {
                (Block::Line { mean, scale, .. }, _) => line = Some((first, *mean, *scale)),
                // The weight of a bin is that at its mean.
                (Block::Bins { means, .. }, Some((slope, mean, scale))) => {
                    cells
                        .iter_mut()
                        .zip(means)
                        .for_each(|(cell, own)| cell.push((slope, (own - mean) / scale)));
                }
                _ => {}
            }
            cells
        });
        blocks.collect()
    }

    /// Coefficients of each term, those of the line beneath a curve among them.
    pub(crate) fn coefficients_of_terms(&self) -> Vec<Vec<usize>> {
        let (places, _) = self.places();
        let mut terms: Vec<Vec<usize>> = Vec::new();
        let mut line = Vec::new();
        for (block, first) in self.blocks.iter().zip(places) {
            line.extend(first..first + block.n_coefficients());
            if !block.is_line() {
                terms.push(std::mem::take(&mut line));
            }
        }
        terms
    }

    /// The terms of a model with these coefficients.
    ///
    /// A term's average is over the rows counted. A cell with no such rows, such as missing where
    /// nothing was missing, gets the average, so that it speaks for nothing.
    pub(crate) fn terms(&self, coefficients: &[f64], counts: &[Vec<CellCount>]) -> Vec<Term> {
        let (places, _) = self.places();
        let mut tilt = 0.0;
        let mut terms = Vec::with_capacity(counts.len());
        for ((block, cells), place) in self
            .blocks
            .iter()
            .zip(self.coefficients_of_cells())
            .zip(places)
        {
            if let Block::Line { scale, .. } = block {
                tilt = coefficients[place] / scale;
                continue;
            }
            let counts = &counts[terms.len()];
            let weights: Vec<f64> = cells
                .iter()
                .map(|cell| weight_of(cell, coefficients))
                .collect();
            let n_rows: u64 = counts.iter().map(|count| count.n_rows).sum();
            let sum: f64 = weights
                .iter()
                .zip(counts)
                .map(|(weight, count)| weight * count.n_rows as f64)
                .sum();
            // The mean of a standardised number is 0 over the rows that have a value.
            let average = match block {
                Block::Number { .. } => weights[1] * counts[1].n_rows as f64 / n_rows.max(1) as f64,
                _ => sum / n_rows.max(1) as f64,
            };
            terms.push(block.term(&weights, counts, average, tilt));
            tilt = 0.0;
        }
        terms
    }
}

/// Coefficients and what each is multiplied with.
pub(crate) type Combination = Vec<(usize, f64)>;

fn weight_of(cell: &[(usize, f64)], coefficients: &[f64]) -> f64 {
    cell.iter()
        .map(|&(coefficient, factor)| factor * coefficients[coefficient])
        .sum()
}

impl Block {
    fn feature_idx(&self) -> Option<usize> {
        match self {
            Self::Number { feature_idx, .. }
            | Self::Bins { feature_idx, .. }
            | Self::Levels { feature_idx, .. } => Some(*feature_idx),
            Self::Line { .. } | Self::Pair { .. } => None,
        }
    }

    fn is_line(&self) -> bool {
        matches!(self, Self::Line { .. })
    }

    fn direction(&self) -> Option<Direction> {
        match self {
            Self::Number { direction, .. }
            | Self::Line { direction, .. }
            | Self::Bins { direction, .. } => *direction,
            Self::Levels { .. } | Self::Pair { .. } => None,
        }
    }

    /// Number of pieces of its penalty.
    fn n_pieces(&self) -> usize {
        match self {
            Self::Number { has_missing, .. } => 1 + usize::from(*has_missing),
            Self::Bins { edges, .. } => 1 + usize::from(!edges.is_empty()),
            Self::Line { .. } | Self::Levels { .. } | Self::Pair { .. } => 1,
        }
    }

    fn n_numbers(&self) -> usize {
        if matches!(self, Self::Number { .. } | Self::Line { .. }) {
            self.n_coefficients()
        } else {
            0
        }
    }

    fn n_coefficients(&self) -> usize {
        match self {
            Self::Number { has_missing, .. } => 1 + usize::from(*has_missing),
            Self::Line { .. } => 1,
            Self::Bins { edges, .. } => edges.len() + 2,
            Self::Levels { levels, .. } => levels.len() + 3,
            Self::Pair { first, second } => first.n_cells() * second.n_cells(),
        }
    }

    fn n_cells(&self) -> usize {
        match self {
            Self::Number { .. } => 2,
            Self::Line { .. } => 0,
            Self::Bins { edges, .. } => edges.len() + 2,
            Self::Levels { levels, .. } => levels.len() + 2,
            Self::Pair { first, second } => first.n_cells() * second.n_cells(),
        }
    }

    /// The term's cell of a coefficient of this block.
    fn cell(&self, coefficient: usize) -> Option<usize> {
        (coefficient < self.n_cells()).then_some(coefficient)
    }

    fn columns<'a>(&'a self, matrix: &'a FeatureMatrix, rows: &'a [usize]) -> Vec<Column<'a>> {
        if let Self::Number {
            feature_idx,
            mean,
            scale,
            range,
            ..
        }
        | Self::Line {
            feature_idx,
            mean,
            scale,
            range,
            ..
        } = self
        {
            let values = matrix.column(*feature_idx);
            let slope = Column::Number(Box::new(move |own, out: &mut [f64]| {
                for (to, &row) in out.iter_mut().zip(&rows[own]) {
                    *to = if values[row].is_nan() {
                        0.0
                    } else {
                        (values[row].clamp(range.0, range.1) - mean) / scale
                    };
                }
            }));
            let missing = Column::Number(Box::new(move |range, out: &mut [f64]| {
                for (to, &row) in out.iter_mut().zip(&rows[range]) {
                    *to = f64::from(u8::from(values[row].is_nan()));
                }
            }));
            let has_missing = matches!(
                self,
                Self::Number {
                    has_missing: true,
                    ..
                }
            );
            return std::iter::once(slope)
                .chain(has_missing.then_some(missing))
                .collect();
        }
        let code = self.coder(matrix);
        let fill = move |range: Range<usize>, out: &mut [u32]| {
            for (to, &row) in out.iter_mut().zip(&rows[range]) {
                *to = code(row);
            }
        };
        vec![Column::Codes {
            n_levels: self.n_coefficients(),
            fill: Box::new(fill),
        }]
    }

    /// The coefficient of a row within this block; for a number, 0 with a value and 1 without.
    #[expect(clippy::cast_possible_truncation, reason = "cells are few")]
    fn coder<'a>(&'a self, matrix: &'a FeatureMatrix) -> Box<dyn Fn(usize) -> u32 + Sync + 'a> {
        match self {
            Self::Number { feature_idx, .. } | Self::Line { feature_idx, .. } => {
                let values = matrix.column(*feature_idx);
                Box::new(move |row| u32::from(values[row].is_nan()))
            }
            Self::Bins {
                feature_idx, edges, ..
            } => {
                let values = matrix.column(*feature_idx);
                Box::new(move |row| if values[row].is_nan() { edges.len() + 1 } else { bin_of(edges, values[row]) } as u32)
            }
            Self::Levels {
                feature_idx,
                levels,
                rare_levels,
                ..
            } => {
                let (rare, missing, unseen) = (levels.len(), levels.len() + 1, levels.len() + 2);
                let code_of = |name: &String| match levels.binary_search(name) {
                    Ok(position) => position,
                    // A level that training never saw counts as rare, where there are such.
                    Err(_) if !rare_levels.is_empty() => rare,
                    Err(_) => unseen,
                };
                let codes: Vec<u32> = matrix
                    .levels(*feature_idx)
                    .iter()
                    .map(|name| code_of(name) as u32)
                    .collect();
                let values = matrix.column(*feature_idx);
                Box::new(move |row| {
                    level_of(values[row]).map_or(missing as u32, |level| codes[level])
                })
            }
            Self::Pair { first, second } => {
                let (rows, columns) = (axis_coder(first, matrix), axis_coder(second, matrix));
                let width = second.n_cells() as u32;
                Box::new(move |row| rows(row) * width + columns(row))
            }
        }
    }

    /// `tilt` is the slope within the bins of a curve, in log-odds for each unit of the number.
    fn term(&self, weights: &[f64], counts: &[CellCount], average: f64, tilt: f64) -> Term {
        let seen = |cell: usize| {
            if counts[cell].n_rows > 0 {
                weights[cell]
            } else {
                average
            }
        };
        match self {
            Self::Number {
                feature_idx,
                mean,
                scale,
                range,
                ..
            } => Term::Linear(LinearTerm {
                feature_idx: *feature_idx,
                mean: *mean,
                scale: *scale,
                weight: weights[0],
                missing: seen(1),
                average,
                range: *range,
            }),
            Self::Line { .. } => unreachable!("a line is part of the curve behind it"),
            Self::Bins {
                feature_idx,
                edges,
                means,
                low,
                high,
                ..
            } => Term::Bins(BinsTerm {
                feature_idx: *feature_idx,
                edges: edges.clone(),
                weights: weights[..=edges.len()].to_vec(),
                centers: means.clone(),
                tilt,
                range: (*low, *high),
                missing: seen(edges.len() + 1),
                average,
            }),
            Self::Levels {
                feature_idx,
                levels,
                rare_levels,
                ..
            } => {
                let n = levels.len();
                Term::Levels(LevelsTerm {
                    feature_idx: *feature_idx,
                    levels: levels
                        .iter()
                        .cloned()
                        .zip(weights.iter().copied())
                        .collect(),
                    rare: weights[n],
                    rare_levels: rare_levels.clone(),
                    missing: seen(n + 1),
                    unseen: if rare_levels.is_empty() {
                        average
                    } else {
                        weights[n]
                    },
                    average,
                })
            }
            Self::Pair { first, second } => Term::Pair(PairTerm {
                first: first.clone(),
                second: second.clone(),
                weights: weights.to_vec(),
                average,
            }),
        }
    }
}

fn directed(penalty: Penalty, coefficients: Range<usize>, direction: Option<Direction>) -> Penalty {
    match direction {
        Some(direction) => penalty.directed(coefficients, direction),
        None => penalty,
    }
}

/// The cell of a row along one side of a table.
#[expect(clippy::cast_possible_truncation, reason = "cells are few")]
pub(crate) fn axis_coder<'a>(
    axis: &'a Axis,
    matrix: &'a FeatureMatrix,
) -> Box<dyn Fn(usize) -> u32 + Sync + 'a> {
    let values = matrix.column(axis.feature_idx());
    match axis {
        Axis::Bins { .. } => Box::new(move |row| axis.cell_of_number(values[row]) as u32),
        Axis::Levels { feature_idx, .. } => {
            let cells: Vec<u32> = matrix
                .levels(*feature_idx)
                .iter()
                .map(|name| axis.cell_of_level(Some(name)) as u32)
                .collect();
            let missing = axis.cell_of_level(None) as u32;
            Box::new(move |row| level_of(values[row]).map_or(missing, |level| cells[level]))
        }
    }
}

/// A feature in few cells, by these rows; `None` where there would be only one.
pub(crate) fn fit_axis(
    matrix: &FeatureMatrix,
    rows: &[usize],
    feature_idx: usize,
    options: CodingOptions,
) -> Option<Axis> {
    if matrix.is_category(feature_idx) {
        let (counts, _) = count_levels(matrix, rows, feature_idx);
        let mut levels: Vec<usize> = (0..counts.len())
            .filter(|&level| counts[level] >= options.min_level_rows)
            .collect();
        levels.sort_by_key(|&level| std::cmp::Reverse(counts[level]));
        levels.truncate(options.max_side);
        let mut levels: Vec<String> = levels
            .into_iter()
            .map(|level| matrix.levels(feature_idx)[level].clone())
            .collect();
        levels.sort_unstable();
        return (!levels.is_empty()).then_some(Axis::Levels {
            feature_idx,
            levels,
        });
    }
    let (edges, has_missing) = learn_edges(matrix, rows, feature_idx, options.max_side, false)?;
    (!edges.is_empty() || has_missing).then_some(Axis::Bins { feature_idx, edges })
}

fn fit_number(
    matrix: &FeatureMatrix,
    rows: &[usize],
    feature_idx: usize,
    direction: Option<Direction>,
) -> Result<Block, DropReason> {
    let values = matrix.column(feature_idx);
    let present = || {
        rows.iter()
            .map(|&row| values[row])
            .filter(|value| !value.is_nan())
    };
    let n = present().count();
    if n == 0 {
        return Err(DropReason::Missing);
    }
    let mean = present().sum::<f64>() / n as f64;
    let variance = present()
        .map(|value| (value - mean) * (value - mean))
        .sum::<f64>()
        / n as f64;
    let scale = variance.sqrt();
    let range = present().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let has_missing = n < rows.len();
    // Rounding leaves a constant column a variance of some units in the last place.
    let is_constant = scale <= 1e-12 * mean.abs().max(1e-300);
    if is_constant && !has_missing {
        return Err(DropReason::Constant);
    }
    let scale = if is_constant { 1.0 } else { scale };
    Ok(Block::Number {
        feature_idx,
        mean,
        scale,
        range,
        has_missing,
        direction,
    })
}

/// Steps, and beneath them a line where there are two bins or more.
fn fit_curve(
    matrix: &FeatureMatrix,
    rows: &[usize],
    feature_idx: usize,
    max_bins: usize,
    direction: Option<Direction>,
) -> Result<Vec<Block>, DropReason> {
    let (edges, has_missing) =
        learn_edges(matrix, rows, feature_idx, max_bins, true).ok_or(DropReason::Missing)?;
    if edges.is_empty() && !has_missing {
        return Err(DropReason::Constant);
    }
    let values = matrix.column(feature_idx);
    let (mut sums, mut counts) = (vec![0.0; edges.len() + 1], vec![0.0_f64; edges.len() + 1]);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in rows
        .iter()
        .map(|&row| values[row])
        .filter(|value| !value.is_nan())
    {
        let bin = bin_of(&edges, value);
        sums[bin] += value;
        counts[bin] += 1.0;
        (low, high) = (low.min(value), high.max(value));
    }
    // Edges are learned on a sample where there are very many rows, and a bin may then hold none.
    let middle = |bin: usize| edges.get(bin).or(edges.last()).copied().unwrap_or(low);
    let means = (0..sums.len())
        .map(|bin| {
            if counts[bin] > 0.0 {
                sums[bin] / counts[bin]
            } else {
                middle(bin)
            }
        })
        .collect();
    let bins = Block::Bins {
        feature_idx,
        edges,
        means,
        low,
        high,
        direction,
    };
    match fit_number(matrix, rows, feature_idx, direction) {
        Ok(Block::Number {
            mean, scale, range, ..
        }) if low < high => Ok(vec![
            Block::Line {
                feature_idx,
                mean,
                scale,
                range,
                direction,
            },
            bins,
        ]),
        _ => Ok(vec![bins]),
    }
}

/// Upper ends of bins of about equal size, each halfway between neighbouring values: between all
/// where there are few, else above quantiles.
///
/// Also whether a value is missing; `None` where all are.
fn learn_edges(
    matrix: &FeatureMatrix,
    rows: &[usize],
    feature_idx: usize,
    max_bins: usize,
    has_spikes: bool,
) -> Option<(Vec<f64>, bool)> {
    let values = matrix.column(feature_idx);
    let n_present = rows.iter().filter(|&&row| !values[row].is_nan()).count();
    if n_present == 0 {
        return None;
    }
    // Quantiles of a part are as good, and sorting all would take longer than the fit.
    let step = n_present.div_ceil(MAX_SORTED);
    let mut sorted: Vec<f64> = rows
        .iter()
        .map(|&row| values[row])
        .filter(|value| !value.is_nan())
        .step_by(step)
        .collect();
    let n = sorted.len();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut distinct: Vec<f64> = Vec::with_capacity(max_bins + 1);
    for &value in &sorted {
        if distinct.last() != Some(&value) {
            distinct.push(value);
            if distinct.len() > max_bins {
                break;
            }
        }
    }
    let mut edges: Vec<f64> = if distinct.len() <= max_bins {
        distinct
            .windows(2)
            .map(|pair| pair[0] + (pair[1] - pair[0]) / 2.0)
            .collect()
    } else {
        // Halfway to the next value, too: a value that an engine elsewhere computes with another
        // last digit stays in its bin.
        let above = |value: f64| {
            sorted[sorted.partition_point(|&known| known <= value)..]
                .first()
                .map_or(value, |next| value + (next - value) / 2.0)
        };
        let mut edges: Vec<f64> = (1..max_bins)
            .map(|bin| above(sorted[bin * n / max_bins]))
            .collect();
        // A value that many rows have, such as the price of the standard package, is no neighbour
        // of those beside it.
        let mut first = 0;
        for spike in sorted.chunk_by(|a, b| a == b) {
            if has_spikes && spike.len() as f64 >= SPIKE * n as f64 {
                edges.extend(
                    (first > 0).then(|| sorted[first - 1] + (spike[0] - sorted[first - 1]) / 2.0),
                );
                edges.push(above(spike[0]));
            }
            first += spike.len();
        }
        edges.sort_unstable_by(f64::total_cmp);
        edges
    };
    edges.dedup();
    // What lies above the last edge must not be empty.
    while edges.last().is_some_and(|edge| *edge >= sorted[n - 1]) {
        edges.pop();
    }
    Some((edges, n_present < rows.len()))
}

fn count_levels(matrix: &FeatureMatrix, rows: &[usize], feature_idx: usize) -> (Vec<usize>, usize) {
    let values = matrix.column(feature_idx);
    let mut counts = vec![0_usize; matrix.levels(feature_idx).len()];
    let mut n_missing = 0_usize;
    for &row in rows {
        match level_of(values[row]) {
            Some(level) => counts[level] += 1,
            None => n_missing += 1,
        }
    }
    (counts, n_missing)
}

fn fit_levels(
    matrix: &FeatureMatrix,
    rows: &[usize],
    feature_idx: usize,
    options: CodingOptions,
) -> Result<Block, DropReason> {
    let names = matrix.levels(feature_idx);
    let (counts, n_missing) = count_levels(matrix, rows, feature_idx);
    let seen: Vec<usize> = (0..names.len())
        .filter(|&level| counts[level] > 0)
        .collect();
    if seen.is_empty() {
        return Err(DropReason::Missing);
    }
    let mut frequent: Vec<usize> = seen
        .iter()
        .copied()
        .filter(|&level| counts[level] >= options.min_level_rows)
        .collect();
    frequent.sort_by_key(|&level| std::cmp::Reverse(counts[level]));
    frequent.truncate(options.max_levels);
    let is_frequent: std::collections::HashSet<usize> = frequent.iter().copied().collect();
    let rare: Vec<usize> = seen
        .iter()
        .copied()
        .filter(|level| !is_frequent.contains(level))
        .collect();
    if frequent.len() + usize::from(!rare.is_empty()) + usize::from(n_missing > 0) < 2 {
        return Err(if seen.len() == 1 {
            DropReason::Constant
        } else {
            DropReason::Rare {
                min_rows: options.min_level_rows,
            }
        });
    }
    let sorted = |levels: Vec<usize>| {
        let mut names: Vec<String> = levels
            .into_iter()
            .map(|level| names[level].clone())
            .collect();
        names.sort_unstable();
        names
    };
    Ok(Block::Levels {
        feature_idx,
        levels: sorted(frequent),
        rare_levels: sorted(rare),
        has_missing: n_missing > 0,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a category holds an index that was a usize"
)]
fn level_of(code: f64) -> Option<usize> {
    (!code.is_nan()).then_some(code as usize)
}

/// `DᵀD` for differences of the first or second order between `n` neighbours; zero where there are
/// too few.
fn differences(n: usize, order: usize) -> Array2<f64> {
    let pattern: &[f64] = if order == 1 {
        &[-1.0, 1.0]
    } else {
        &[1.0, -2.0, 1.0]
    };
    let mut matrix = Array2::zeros((n, n));
    for start in 0..(n + 1).saturating_sub(pattern.len()) {
        for (i, a) in pattern.iter().enumerate() {
            for (j, b) in pattern.iter().enumerate() {
                matrix[[start + i, start + j]] += a * b;
            }
        }
    }
    matrix
}

/// First differences along a side of a table: between neighbouring bins, and none with missing or
/// between levels.
fn differences_of(axis: &Axis) -> Array2<f64> {
    let mut matrix = Array2::zeros((axis.n_cells(), axis.n_cells()));
    if let Axis::Bins { edges, .. } = axis {
        for ((i, j), value) in differences(edges.len() + 1, 1).indexed_iter() {
            matrix[[i, j]] = *value;
        }
    }
    matrix
}

/// The same along both sides of a table.
fn differences_of_table(rows: &Axis, columns: &Axis) -> Array2<f64> {
    let along_rows = kronecker(&differences_of(rows), &Array2::eye(columns.n_cells()));
    let along_columns = kronecker(&Array2::eye(rows.n_cells()), &differences_of(columns));
    along_rows + along_columns
}

fn kronecker(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    let (n, m) = (a.nrows(), b.nrows());
    Array2::from_shape_fn((n * m, n * m), |(i, j)| {
        a[[i / m, j / m]] * b[[i % m, j % m]]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_costs_nothing_and_a_bend_does() {
        let cost = |values: &[f64], order: usize| {
            let values = ndarray::Array1::from(values.to_vec());
            values.dot(&differences(values.len(), order).dot(&values))
        };
        assert_eq!(cost(&[1.0, 2.0, 3.0, 4.0], 2), 0.0);
        assert_eq!(cost(&[0.0, 0.0, 1.0, 1.0], 2), 2.0);
        assert_eq!(cost(&[0.0, 2.0, 3.0], 1), 5.0);
        assert_eq!(cost(&[5.0], 2), 0.0);
    }
}
