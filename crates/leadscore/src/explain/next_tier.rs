//! The tier above a lead, and what would take it there.

use leadscore_core::{ContactPriority, FeatureMatrix};
use leadscore_inference::Model;

use super::{Change, N_CHANGES, NextTier, likelihood};

/// The tier above, and the smallest single changes in what a lead does that would reach it.
pub(super) fn next_tier(
    model: &Model,
    own_row: &FeatureMatrix,
    row: usize,
    log_odds: &[f64],
    tiers: &[ContactPriority],
    edges: Option<[f64; 3]>,
) -> Option<NextTier> {
    let own = ContactPriority::QUARTILES
        .iter()
        .position(|tier| *tier == tiers[row])?;
    let (above, edge) = match edges {
        Some(edges) => above_by_edges(own, edges)?,
        None => above_by_rows(own, log_odds, tiers)?,
    };
    Some(NextTier {
        tier: above.name(),
        from_likelihood: likelihood(edge),
        log_odds_missing: edge - log_odds[row],
        changes: crossings(model, own_row, edge),
    })
}

/// The tier above by edges, and the log-odds at which it begins.
fn above_by_edges(own: usize, edges: [f64; 3]) -> Option<(ContactPriority, f64)> {
    // Equal edges leave a tier between them empty.
    let above = (0..own)
        .rev()
        .find(|&tier| edges[tier] < 1.0 && (tier == 0 || edges[tier] < edges[tier - 1]))?;
    Some((
        ContactPriority::QUARTILES[above],
        (edges[above] / (1.0 - edges[above])).ln(),
    ))
}

/// The tier above by quartiles of all rows, and the least log-odds in it.
fn above_by_rows(
    own: usize,
    log_odds: &[f64],
    tiers: &[ContactPriority],
) -> Option<(ContactPriority, f64)> {
    // Ties may leave a tier empty.
    let above = ContactPriority::QUARTILES[..own]
        .iter()
        .rev()
        .find(|tier| tiers.contains(tier))?;
    let least = (0..tiers.len())
        .filter(|&other| tiers[other] == *above)
        .map(|other| log_odds[other])
        .min_by(f64::total_cmp)?;
    Some((*above, least))
}

/// Single changes in what a lead does that would reach a probability, in sentences, smallest first; `own_row` is the lead alone.
pub fn steps_to_probability(
    model: &Model,
    own_row: &FeatureMatrix,
    probability: f64,
) -> Vec<String> {
    let edge = (probability / (1.0 - probability)).ln();
    crossings(model, own_row, edge)
        .into_iter()
        .map(|change| {
            format!(
                "{}: from {} to {} would give {:.1} %",
                change.feature, change.from, change.to, change.likelihood_then
            )
        })
        .collect()
}

/// Single changes that would reach these log-odds, smallest first.
fn crossings(model: &Model, own_row: &FeatureMatrix, edge: f64) -> Vec<Change> {
    let mut changes: Vec<(f64, Change)> = Vec::new();
    for (feature_idx, spec) in model.specs.iter().enumerate() {
        // What can be brought about: more activities of the lead itself. Attributes and calendars
        // cannot.
        if !spec.is_count() {
            continue;
        }
        let from = own_row.values()[[0, feature_idx]];
        let from = if from.is_nan() { 0.0 } else { from };
        let crossing = model
            .steps_above(feature_idx, from)
            .into_iter()
            .find(|&to| model.log_odds_if(own_row, 0, feature_idx, to) >= edge);
        if let Some(to) = crossing {
            let then = model.log_odds_if(own_row, 0, feature_idx, to);
            changes.push((
                to - from,
                Change {
                    feature: spec.describe(),
                    from,
                    to,
                    likelihood_then: likelihood(then),
                },
            ));
        }
    }
    changes.sort_by(|a, b| {
        a.0.total_cmp(&b.0)
            .then(b.1.likelihood_then.total_cmp(&a.1.likelihood_then))
    });
    changes
        .into_iter()
        .take(N_CHANGES)
        .map(|(_, change)| change)
        .collect()
}
