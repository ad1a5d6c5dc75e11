//! Whether there was enough data to learn from.

use serde::{Deserialize, Serialize};

/// Whether there is enough data to learn from, with its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sufficiency {
    /// The verdict.
    pub verdict: DataVerdict,
    /// Distinct leads with a snapshot that was won.
    pub won_leads: usize,
    /// Distinct leads with a snapshot that was not.
    pub lost_leads: usize,
    /// Parameters of the model.
    pub n_parameters: usize,
    /// The rarer of won and lost snapshots for each parameter.
    pub events_per_parameter: f64,
    /// What decided, in words.
    pub reason: String,
}

/// Enough, thin, or too few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataVerdict {
    /// Enough data for this number of features.
    Enough,
    /// Usable, with wide intervals.
    Thin,
    /// Not to be relied on.
    TooFew,
}

impl DataVerdict {
    /// The verdict as people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enough => "enough",
            Self::Thin => "thin",
            Self::TooFew => "too few",
        }
    }
}
