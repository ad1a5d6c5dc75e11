//! How strongly weights are held, and where that comes from.

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
