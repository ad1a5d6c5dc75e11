//! One feature, or a table over two, and the coefficients that it becomes.

use std::ops::Range;

use leadscore_core::FeatureMatrix;
use leadscore_inference::{Axis, bin_of};
use leadscore_solver::{Column, Direction};

use super::codes::{axis_coder, level_of};

/// Whose penalty holds a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shared {
    /// Its own.
    Own,
    /// One over this many numbers, it and those that follow: the values of one attribute.
    First(usize),
    /// That of the first before it.
    Follows,
}

/// How one feature, or two, become coefficients.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    /// A slope on the standardised number, and a weight for missing where training has missing
    /// values.
    Number {
        feature_idx: usize,
        mean: f64,
        scale: f64,
        range: (f64, f64),
        has_missing: bool,
        direction: Option<Direction>,
        penalty: Shared,
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

impl Block {
    pub(super) fn feature_idx(&self) -> Option<usize> {
        match self {
            Self::Number { feature_idx, .. }
            | Self::Bins { feature_idx, .. }
            | Self::Levels { feature_idx, .. } => Some(*feature_idx),
            Self::Line { .. } | Self::Pair { .. } => None,
        }
    }

    pub(super) fn is_line(&self) -> bool {
        matches!(self, Self::Line { .. })
    }

    pub(super) fn direction(&self) -> Option<Direction> {
        match self {
            Self::Number { direction, .. }
            | Self::Line { direction, .. }
            | Self::Bins { direction, .. } => *direction,
            Self::Levels { .. } | Self::Pair { .. } => None,
        }
    }

    /// Number of pieces of its penalty.
    pub(super) fn n_pieces(&self) -> usize {
        match self {
            Self::Number {
                has_missing,
                penalty,
                ..
            } => usize::from(*penalty != Shared::Follows) + usize::from(*has_missing),
            Self::Bins { edges, .. } => 1 + usize::from(!edges.is_empty()),
            Self::Line { .. } | Self::Levels { .. } | Self::Pair { .. } => 1,
        }
    }

    pub(super) fn n_numbers(&self) -> usize {
        if matches!(self, Self::Number { .. } | Self::Line { .. }) {
            self.n_coefficients()
        } else {
            0
        }
    }

    pub(super) fn n_coefficients(&self) -> usize {
        match self {
            Self::Number { has_missing, .. } => 1 + usize::from(*has_missing),
            Self::Line { .. } => 1,
            Self::Bins { edges, .. } => edges.len() + 2,
            Self::Levels { levels, .. } => levels.len() + 3,
            Self::Pair { first, second } => first.n_cells() * second.n_cells(),
        }
    }

    pub(super) fn n_cells(&self) -> usize {
        match self {
            Self::Number { .. } => 2,
            Self::Line { .. } => 0,
            Self::Bins { edges, .. } => edges.len() + 2,
            Self::Levels { levels, .. } => levels.len() + 2,
            Self::Pair { first, second } => first.n_cells() * second.n_cells(),
        }
    }

    /// The term's cell of a coefficient of this block.
    pub(super) fn cell(&self, coefficient: usize) -> Option<usize> {
        (coefficient < self.n_cells()).then_some(coefficient)
    }

    pub(super) fn columns<'a>(
        &'a self,
        matrix: &'a FeatureMatrix,
        rows: &'a [usize],
    ) -> Vec<Column<'a>> {
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
    pub(super) fn coder<'a>(
        &'a self,
        matrix: &'a FeatureMatrix,
    ) -> Box<dyn Fn(usize) -> u32 + Sync + 'a> {
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
}
