//! The tiers of evaluated snapshots, as numbers with names.

use leadscore_config::TierEdges;
use leadscore_core::ContactPriority;
use leadscore_inference::{quartile_tiers, tiers_by_edges};

use super::Evaluated;

/// What quartiles are called beside tiers that are none.
const QUARTILES: [&str; 4] = [
    "top quartile",
    "second quartile",
    "third quartile",
    "bottom quartile",
];

/// Tiers of all rows, highest first: those that the config asks for, and quartiles.
pub(super) struct Tiers {
    pub(super) of_config: Vec<usize>,
    pub(super) names: Vec<&'static str>,
    pub(super) quartiles: Vec<usize>,
    /// What quartiles are called: as tiers, where these are quartiles.
    pub(super) quartile_names: Vec<&'static str>,
}

impl Tiers {
    /// Those of the evaluated snapshots.
    pub(super) fn of(evaluated: &Evaluated<'_>) -> Self {
        let Evaluated {
            data,
            model,
            probabilities,
            ..
        } = evaluated;
        let by_edges = |edges: &[f64; 3]| tier_numbers(&tiers_by_edges(probabilities, edges));
        let names: Vec<&'static str> = ContactPriority::QUARTILES
            .iter()
            .map(|tier| tier.name())
            .collect();
        let quartiles = tier_numbers(&quartile_tiers(probabilities));
        let of_config = match data.config.tiers.edges {
            TierEdges::Relative => quartiles.clone(),
            TierEdges::Frozen => by_edges(&model.tier_edges),
            TierEdges::Percent(edges) => by_edges(&edges.map(|edge| edge / 100.0)),
        };
        let quartile_names = if data.config.tiers.edges == TierEdges::Relative {
            names.clone()
        } else {
            QUARTILES.to_vec()
        };
        Self {
            of_config,
            names,
            quartiles,
            quartile_names,
        }
    }
}

/// The number of each tier, of the four that open leads have.
pub(super) fn tier_numbers(tiers: &[ContactPriority]) -> Vec<usize> {
    tiers
        .iter()
        .map(|tier| {
            ContactPriority::QUARTILES
                .iter()
                .position(|known| known == tier)
                .expect("open leads have one of the four")
        })
        .collect()
}
