//! What holds the coefficients of an encoding: its penalty, whole and in pieces.

use std::ops::Range;

use leadscore_inference::Axis;
use leadscore_solver::{Direction, Penalty};
use ndarray::Array2;

use super::Encoding;
use super::block::{Block, Shared};
use super::strengths::Strengths;
use crate::smoothing::Piece;

/// Tiny, beside any data: what a curve's level would be without it is a matter of the intercept.
const ANCHOR: f64 = 1e-2;

impl Encoding {
    /// The penalty over the coefficients of the design.
    pub fn penalty(&self, strengths: Strengths) -> Penalty {
        self.penalty_with(strengths, ANCHOR)
    }

    /// The part of the penalty that says where coefficients may lie: all of it but what only holds
    /// the level of a curve.
    pub(crate) fn prior(&self, strengths: Strengths) -> Penalty {
        self.penalty_with(strengths, 0.0)
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

    /// The penalty in pieces that each have a strength of their own, and what stands beside them
    /// whatever these are: what holds the level of curves, and directions.
    ///
    /// A curve has three: its line, its steps, and what a missing value weighs. The values of one
    /// attribute, each a number, have one together.
    pub(crate) fn pieces(&self) -> (Vec<Piece>, Penalty) {
        let (places, _) = self.places();
        let mut pieces = Vec::new();
        let mut fixed = Penalty::none();
        for (block, first) in self.blocks.iter().zip(places) {
            let own = first..first + block.n_coefficients();
            match block {
                Block::Number {
                    has_missing,
                    penalty,
                    ..
                } => {
                    match penalty {
                        Shared::Own => pieces.push(Piece::ridge(first..first + 1)),
                        Shared::First(n) => pieces.push(Piece::ridge(first..first + n)),
                        Shared::Follows => {}
                    }
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
}

fn directed(penalty: Penalty, coefficients: Range<usize>, direction: Option<Direction>) -> Penalty {
    match direction {
        Some(direction) => penalty.directed(coefficients, direction),
        None => penalty,
    }
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
