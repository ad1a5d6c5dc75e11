//! What a model is made of: the win rate, straight lines, curves, tables.

use leadscore_inference::{Alternative, Resolution};

use crate::encoding::EncodingOptions;

/// What a model is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// The win rate, for everyone.
    BaseRate,
    /// Straight lines and levels.
    Linear,
    /// Curves and levels, and tables over this many pairs of features.
    Additive {
        /// Number of tables.
        n_pairs: usize,
        /// How finely numbers are cut.
        resolution: Resolution,
    },
    /// The same, and for each segment its own deviation from the common curves: tables of the
    /// segment with each feature that matters, pulled to nothing, so that a small segment borrows
    /// from all.
    Segmented {
        /// Number of other tables.
        n_pairs: usize,
        /// How finely numbers are cut.
        resolution: Resolution,
        /// The feature that names the segment.
        segment: usize,
    },
}

impl Shape {
    /// As cards name it.
    pub(crate) fn named(self) -> Alternative {
        match self {
            Self::BaseRate => Alternative::BaseRate,
            Self::Linear => Alternative::Linear,
            Self::Additive {
                n_pairs,
                resolution,
            } => Alternative::Curves {
                resolution,
                is_segmented: false,
                n_pairs,
            },
            Self::Segmented {
                n_pairs,
                resolution,
                segment: _,
            } => Alternative::Curves {
                resolution,
                is_segmented: true,
                n_pairs,
            },
        }
    }

    /// The kind as the config calls it.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::BaseRate => "base rate",
            Self::Linear => "linear",
            Self::Additive { .. } | Self::Segmented { .. } => "additive",
        }
    }

    /// How finely it cuts numbers.
    pub(crate) fn resolution(self) -> Resolution {
        match self {
            Self::BaseRate | Self::Linear => Resolution::Usual,
            Self::Additive { resolution, .. } | Self::Segmented { resolution, .. } => resolution,
        }
    }

    /// Number of tables that the screen finds, and the segment.
    pub(crate) fn tables(self) -> (usize, Option<usize>) {
        match self {
            Self::BaseRate | Self::Linear => (0, None),
            Self::Additive { n_pairs, .. } => (n_pairs, None),
            Self::Segmented {
                n_pairs, segment, ..
            } => (n_pairs, Some(segment)),
        }
    }

    /// How its features are encoded.
    pub(crate) fn encoding_options(self, n_rows: usize) -> EncodingOptions {
        match self {
            Self::BaseRate | Self::Linear => EncodingOptions {
                curves: false,
                ..options_at(Resolution::Usual, n_rows)
            },
            Self::Additive { resolution, .. } | Self::Segmented { resolution, .. } => {
                options_at(resolution, n_rows)
            }
        }
    }

    /// The same without tables, as coarse as can be: what a finer one begins with.
    pub(crate) fn coarse(self) -> Self {
        match self {
            Self::BaseRate | Self::Linear => self,
            Self::Additive { .. } | Self::Segmented { .. } => Self::Additive {
                n_pairs: 0,
                resolution: Resolution::Usual,
            },
        }
    }
}

/// How features are encoded where numbers are cut so finely.
///
/// With very many rows steps themselves would be the largest error.
pub(crate) fn options_at(resolution: Resolution, n_rows: usize) -> EncodingOptions {
    let (max_bins, max_side) = match resolution {
        Resolution::Usual if n_rows < MANY_ROWS => (24, 8),
        Resolution::Usual => (32, 12),
        Resolution::Fine => (64, 12),
        Resolution::Finest => (128, 12),
    };
    // A finer bin has to hold some rows.
    EncodingOptions {
        max_bins: max_bins.min((n_rows / MIN_BIN_ROWS).max(24)),
        max_side,
        ..EncodingOptions::default()
    }
}

/// Rows from which bins are finer.
const MANY_ROWS: usize = 150_000;
/// Rows in a bin of a finer curve.
const MIN_BIN_ROWS: usize = 40;
