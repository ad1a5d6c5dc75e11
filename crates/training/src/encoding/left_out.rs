//! Features that are left out, and what is known of the others before any row is looked at.

use leadscore_solver::Direction;

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
    pub(super) fn direction(&self, feature_idx: usize) -> Option<Direction> {
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
    #[error("it adds nothing to the others")]
    Flat,
}
