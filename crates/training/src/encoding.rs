//! From the feature matrix to what the solver sees, and from its coefficients back to terms;
//! learned from training rows only.

mod left_out;
mod options;
mod strengths;

mod block;
mod codes;
mod learn;

mod design;
mod penalties;
mod refinement;
mod terms;

use leadscore_core::{FeatureMatrix, FeatureSource};
use leadscore_inference::Axis;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

pub use self::left_out::{Beforehand, DropReason, Dropped};
pub use self::options::EncodingOptions;
pub use self::strengths::{Smoothing, Strengths};

pub(crate) use self::codes::axis_coder;
pub(crate) use self::learn::fit_axis;
pub(crate) use self::terms::Combination;

use self::block::{Block, Shared};
use self::learn::{fit_curve, fit_levels, fit_number, fit_token};

/// Whether a feature says if an attribute has one of several values.
fn is_token(matrix: &FeatureMatrix, feature_idx: usize) -> bool {
    matches!(
        matrix.specs()[feature_idx].source,
        FeatureSource::Token { .. }
    )
}

/// What was learned from the training rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoding {
    blocks: Vec<Block>,
    dropped: Vec<Dropped>,
    /// Features that say nothing alone, and may say something with another one.
    flat: Vec<usize>,
}

impl Encoding {
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
        options: EncodingOptions,
    ) -> Self {
        let blocks: Vec<Result<Vec<Block>, DropReason>> = (0..matrix.n_features())
            .into_par_iter()
            .map(|feature_idx| {
                if known.skip.contains(&matrix.specs()[feature_idx].name) {
                    Err(DropReason::KnowsOutcome)
                } else if matrix.is_category(feature_idx) {
                    fit_levels(matrix, rows, feature_idx, options).map(|block| vec![block])
                } else if is_token(matrix, feature_idx) {
                    let direction = known.direction(feature_idx);
                    fit_token(matrix, rows, feature_idx, options, direction)
                        .map(|block| vec![block])
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
        let mut encoding = Self::empty();
        for (feature_idx, blocks) in blocks.into_iter().enumerate() {
            match blocks {
                Ok(blocks) => encoding.blocks.extend(blocks),
                Err(reason) => encoding.dropped.push(Dropped {
                    feature: matrix.specs()[feature_idx].name.clone(),
                    reason,
                }),
            }
        }
        encoding.share_penalties(matrix);
        encoding
    }

    /// Gives the values of each attribute, which follow each other, one penalty.
    fn share_penalties(&mut self, matrix: &FeatureMatrix) {
        let attribute_of = |block: &Block| match block {
            Block::Number {
                feature_idx,
                penalty: Shared::First(_) | Shared::Follows,
                ..
            } => matrix.specs()[*feature_idx].source.column(),
            Block::Number { .. }
            | Block::Line { .. }
            | Block::Bins { .. }
            | Block::Levels { .. }
            | Block::Pair { .. } => None,
        };
        let same = |a: &Block, b: &Block| {
            attribute_of(a).is_some_and(|attribute| attribute_of(b) == Some(attribute))
        };
        for blocks in self.blocks.chunk_by_mut(same) {
            let n = blocks.len();
            let mut shared = Shared::First(n);
            for block in blocks {
                if let Block::Number { penalty, .. } = block
                    && *penalty != Shared::Own
                {
                    *penalty = std::mem::replace(&mut shared, Shared::Follows);
                }
            }
        }
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

    /// Coefficient of each block's first cell, and those of the slopes of numbers.
    ///
    /// In the design the slopes come first, then the levels of all encoded columns.
    fn places(&self) -> (Vec<usize>, usize) {
        let n_numbers: usize = self.blocks.iter().map(Block::n_numbers).sum();
        let (mut number, mut encoded) = (1, 1 + n_numbers);
        let places = self
            .blocks
            .iter()
            .map(|block| {
                let next = if block.n_numbers() > 0 {
                    &mut number
                } else {
                    &mut encoded
                };
                let place = *next;
                *next += block.n_coefficients();
                place
            })
            .collect();
        (places, encoded)
    }
}
