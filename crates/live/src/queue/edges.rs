//! Where tiers begin, so that the tier of one lead is defined between refreshes.

use leadscore_config::TierEdges;
use leadscore_core::{ContactPriority, Timestamp};
use leadscore_inference::{FEWEST_FOR_QUARTILES, quartile_tiers};

/// Where tiers begin, and when that was told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edges {
    /// The least probability of each tier but the lowest.
    pub values: [f64; 3],
    /// The moment of the refresh whose open leads tell them; `None`: those that one lead alone has.
    pub of: Option<Timestamp>,
}

impl Edges {
    /// Those of a lead alone, which has no quartiles.
    pub(crate) fn of_one(values: [f64; 3]) -> Self {
        Self { values, of: None }
    }
}

/// The least probability of each tier but the lowest, by what the config asks for and the
/// probabilities of all open leads; `model_edges` are those of the model file.
///
/// By these edges each of the leads has the tier that `score` gives it. A tier that no lead
/// reaches begins at infinity.
pub(crate) fn tier_edges(
    rule: TierEdges,
    model_edges: [f64; 3],
    probabilities: &[f64],
) -> [f64; 3] {
    match rule {
        TierEdges::Percent(edges) => edges.map(|edge| edge / 100.0),
        TierEdges::Frozen => model_edges,
        TierEdges::Relative if probabilities.len() < FEWEST_FOR_QUARTILES => model_edges,
        TierEdges::Relative => least_of_tiers(probabilities),
    }
}

fn least_of_tiers(probabilities: &[f64]) -> [f64; 3] {
    let tiers = quartile_tiers(probabilities);
    let least = |worst: ContactPriority| {
        tiers
            .iter()
            .zip(probabilities)
            .filter(|(tier, _)| **tier <= worst)
            .map(|(_, probability)| *probability)
            .fold(f64::INFINITY, f64::min)
    };
    [
        least(ContactPriority::VeryHigh),
        least(ContactPriority::High),
        least(ContactPriority::Medium),
    ]
}
