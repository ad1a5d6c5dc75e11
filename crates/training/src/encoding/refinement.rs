//! An encoding made anew with what was estimated: less what says nothing, or in finer bins.

use leadscore_core::FeatureMatrix;

use super::Encoding;
use super::block::{Block, Shared};
use super::learn::fit_curve;
use super::left_out::{DropReason, Dropped};
use super::options::EncodingOptions;
use crate::smoothing::{Estimate, TIGHTEST};

impl Encoding {
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
        let mut kept = Kept::new(self.dropped, self.flat, matrix);
        let mut strengths = strengths.iter().copied();
        let mut line = None;
        let mut is_in = false;
        for (block, first) in self.blocks.into_iter().zip(places) {
            let part = Part {
                strengths: strengths.by_ref().take(block.n_pieces()).collect(),
                weights: coefficients[first..first + block.n_coefficients()].to_vec(),
                block,
            };
            match part.block {
                Block::Line { .. } => line = Some(part),
                Block::Bins { .. } => kept.push_curve(line.take(), part),
                Block::Number { penalty, .. } => {
                    match penalty {
                        Shared::Own | Shared::First(_) => {
                            is_in = part.strengths.iter().any(|strength| strength.is_finite());
                        }
                        Shared::Follows => {}
                    }
                    kept.push_where(is_in, part);
                }
                Block::Levels { .. } | Block::Pair { .. } => kept.push_if(part),
            }
        }
        kept.finish(coefficients[0])
    }

    /// The same with finer bins; the strengths go along, and the weights but those of the finer
    /// bins.
    pub(crate) fn refined(
        &self,
        matrix: &FeatureMatrix,
        rows: &[usize],
        options: EncodingOptions,
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
                Block::Number { .. }
                | Block::Line { .. }
                | Block::Levels { .. }
                | Block::Pair { .. } => {
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
}

/// A block with the strengths of its pieces and its coefficients.
struct Part {
    block: Block,
    strengths: Vec<f64>,
    weights: Vec<f64>,
}

/// The blocks that stay.
struct Kept<'a> {
    encoding: Encoding,
    /// Strengths and weights of each block.
    found: Vec<(Vec<f64>, Vec<f64>)>,
    matrix: &'a FeatureMatrix,
}

impl<'a> Kept<'a> {
    /// No block yet, beside what was left out before.
    fn new(dropped: Vec<Dropped>, flat: Vec<usize>, matrix: &'a FeatureMatrix) -> Self {
        Self {
            encoding: Encoding {
                blocks: Vec::new(),
                dropped,
                flat,
            },
            found: Vec::new(),
            matrix,
        }
    }

    /// Adds a block.
    fn push(&mut self, part: Part) {
        self.encoding.blocks.push(part.block);
        self.found.push((part.strengths, part.weights));
    }

    /// Adds a block, unless all of its pieces are out.
    fn push_if(&mut self, part: Part) {
        let is_in = part.strengths.iter().any(|strength| strength.is_finite());
        self.push_where(is_in, part);
    }

    /// Adds a block where it is in.
    fn push_where(&mut self, is_in: bool, part: Part) {
        if is_in {
            self.push(part);
        } else if let Some(feature_idx) = part.block.feature_idx() {
            if part.block.direction().is_none() {
                self.encoding.flat.push(feature_idx);
            }
            self.encoding.dropped.push(Dropped {
                feature: self.matrix.specs()[feature_idx].name.clone(),
                reason: DropReason::Flat,
            });
        }
    }

    /// Adds what is in of a curve: its steps and the line beneath them, or the line alone, which
    /// then has the weight of a missing value.
    fn push_curve(&mut self, line: Option<Part>, bins: Part) {
        let is_straight = bins.strengths.len() < 2 || bins.strengths[0].is_infinite();
        match line {
            Some(Part {
                block:
                    Block::Line {
                        feature_idx,
                        mean,
                        scale,
                        range,
                        direction,
                    },
                strengths: slope,
                mut weights,
            }) if is_straight => {
                let missing = bins.strengths[bins.strengths.len() - 1];
                let has_missing = missing.is_finite();
                let strengths = if has_missing {
                    weights.push(bins.weights[bins.weights.len() - 1]);
                    vec![slope[0], missing]
                } else {
                    slope
                };
                self.push_if(Part {
                    block: Block::Number {
                        feature_idx,
                        mean,
                        scale,
                        range,
                        has_missing,
                        direction,
                        penalty: Shared::Own,
                    },
                    strengths,
                    weights,
                });
            }
            line => {
                if let Some(line) = line.filter(|line| line.strengths[0].is_finite()) {
                    self.push(line);
                }
                self.push_if(bins);
            }
        }
    }

    /// The encoding, and strengths and coefficients in its order.
    fn finish(self, intercept: f64) -> (Encoding, Estimate) {
        let (places, n_coefficients) = self.encoding.places();
        let mut estimate = Estimate {
            strengths: Vec::new(),
            coefficients: vec![0.0; n_coefficients],
        };
        estimate.coefficients[0] = intercept;
        for (place, (strengths, weights)) in places.into_iter().zip(self.found) {
            estimate
                .strengths
                .extend(strengths.into_iter().map(|strength| strength.min(TIGHTEST)));
            estimate.coefficients[place..place + weights.len()].copy_from_slice(&weights);
        }
        (self.encoding, estimate)
    }
}
