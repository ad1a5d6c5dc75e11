//! From coefficients back to the terms of a model.

use leadscore_core::FeatureMatrix;
use leadscore_inference::{BinsTerm, CellCount, LevelsTerm, LinearTerm, PairTerm, Term};

use super::Encoding;
use super::block::Block;
use super::left_out::{DropReason, Dropped};

impl Encoding {
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
                Block::Line { .. }
                | Block::Bins { .. }
                | Block::Levels { .. }
                | Block::Pair { .. } => sum / n_rows.max(1) as f64,
            };
            terms.push(block.term(&weights, counts, average, tilt));
            tilt = 0.0;
        }
        terms
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
            let beneath = line.take();
            match block {
                Block::Line { mean, scale, .. } => line = Some((first, *mean, *scale)),
                Block::Bins { means, .. } => {
                    if let Some((slope, mean, scale)) = beneath {
                        // The weight of a bin is that at its mean.
                        cells
                            .iter_mut()
                            .zip(means)
                            .for_each(|(cell, own)| cell.push((slope, (own - mean) / scale)));
                    }
                }
                Block::Number { .. } | Block::Levels { .. } | Block::Pair { .. } => {}
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
}

/// Coefficients and what each is multiplied with.
pub(crate) type Combination = Vec<(usize, f64)>;

fn weight_of(cell: &[(usize, f64)], coefficients: &[f64]) -> f64 {
    cell.iter()
        .map(|&(coefficient, factor)| factor * coefficients[coefficient])
        .sum()
}

impl Block {
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
