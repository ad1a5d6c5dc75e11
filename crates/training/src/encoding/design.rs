//! What an encoding sees of rows: the design of either solver, readings for rows that are elsewhere,
//! and what stands in each cell.

use leadscore_core::FeatureMatrix;
use leadscore_inference::{Axis, CellCount, Reading, ReadingRule};
use leadscore_solver::{Column, Design, Precision, SolverError};
use ndarray::{Array2, ShapeBuilder};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::Encoding;
use super::block::Block;

/// Numbers up to this many are kept in eight bytes each.
const MAX_F64_CELLS: usize = 20_000_000;

impl Encoding {
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

    /// Seven digits are plenty where there are so many rows; the memory is not.
    fn precision(&self, n_rows: usize) -> Precision {
        let n_cells = n_rows * self.blocks.iter().map(Block::n_numbers).sum::<usize>();
        if n_cells > MAX_F64_CELLS {
            Precision::F32
        } else {
            Precision::F64
        }
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
                Block::Line { .. }
                | Block::Bins { .. }
                | Block::Levels { .. }
                | Block::Pair { .. } => {
                    let code = block.coder(matrix);
                    for (position, &row) in rows.iter().enumerate() {
                        dense[[position, first - 1 + code(row) as usize]] = 1.0;
                    }
                }
            }
        }
        dense
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
                Block::Line { .. }
                | Block::Bins { .. }
                | Block::Levels { .. }
                | Block::Pair { .. } => by_coefficient[first..first + block.n_cells()].to_vec(),
            })
            .collect()
    }
}
