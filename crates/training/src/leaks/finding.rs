//! What an attribute is suspected of, and how sure that is.

use leadscore_core::FeatureMatrix;

/// What an attribute is suspected of.
#[derive(Debug, Clone, PartialEq)]
pub struct LeakFinding {
    /// Name of the feature.
    pub feature: String,
    /// How sure.
    pub verdict: LeakVerdict,
    /// AUC of this attribute alone, cross-fitted, 0.5 or above.
    pub auc: f64,
    /// Share of won rows that have a value, 0 to 1.
    pub filled_won: f64,
    /// Share of other rows that have a value, 0 to 1.
    pub filled_lost: f64,
    /// What speaks for it, in words.
    pub evidence: String,
}

/// How sure it is that an attribute knows the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeakVerdict {
    /// Nothing speaks for it.
    Clean,
    /// Worth a look: trained on, and named in every report.
    Suspicious,
    /// Left out of training unless told otherwise.
    Proven,
}

/// Whether a feature is an attribute without a history, which may know what came later.
pub(super) fn has_no_history(matrix: &FeatureMatrix, idx: usize, with_history: &[String]) -> bool {
    let source = &matrix.specs()[idx].source;
    let reads = |column: &str| with_history.iter().any(|known| known == column);
    source.is_attribute() && source.column().is_some_and(|(_, column)| !reads(column))
}
