//! Leads where they ended, and which of them count as one.

use std::collections::HashMap;

use leadscore_core::FeatureMatrix;

/// Where a lead ended, as far as the tables know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinalState {
    /// It became a customer.
    Won,
    /// It closed otherwise.
    Lost,
    /// It has not closed.
    Open,
}

/// Each lead once, with today's attributes and where it ended.
#[derive(Debug, Clone, Copy)]
pub struct FinalInput<'a> {
    /// Attributes of the leads, one row each.
    pub matrix: &'a FeatureMatrix,
    /// Where each ended.
    pub states: &'a [FinalState],
    /// When each was created, in days from any day on; NaN where that is not known.
    pub created: &'a [f64],
    /// What is split as one, and counts once.
    pub clusters: &'a [u64],
    /// Whether clusters are accounts; else leads, or closings that several leads share, which say
    /// nothing of those that are open.
    pub are_accounts: bool,
}

/// Leads that share a value that few others have, and mostly end alike, as the contacts of one
/// account do; `None` where no column tells such.
pub(super) fn twins(input: FinalInput<'_>) -> Option<Vec<u64>> {
    /// Leads of an account, on average, at most.
    const MOST: usize = 40;
    /// So much more often than by chance two of them end alike.
    const ALIKE: f64 = 0.2;
    let n = input.states.len();
    if n < 100 {
        return None;
    }
    let mut shares = [0.0_f64; 3];
    input
        .states
        .iter()
        .for_each(|state| shares[*state as usize] += 1.0 / n as f64);
    let by_chance: f64 = shares.iter().map(|share| share * share).sum();
    let mut best: Option<(f64, usize)> = None;
    for idx in 0..input.matrix.n_features() {
        let mut of_value: HashMap<u64, [usize; 3]> = HashMap::new();
        let mut n_present = 0_usize;
        for (value, state) in input
            .matrix
            .column(idx)
            .iter()
            .zip(input.states)
            .filter(|(value, _)| !value.is_nan())
        {
            of_value.entry(value.to_bits()).or_default()[*state as usize] += 1;
            n_present += 1;
        }
        if of_value.len() * MOST < n_present
            || of_value.len() as f64 > 0.7 * n_present as f64
            || 2 * n_present < n
        {
            continue;
        }
        let pairs = |count: usize| (count * count.saturating_sub(1)) as f64;
        let (alike, all) = of_value.values().fold((0.0, 0.0), |(alike, all), ended| {
            (
                alike + ended.iter().map(|count| pairs(*count)).sum::<f64>(),
                all + pairs(ended.iter().sum()),
            )
        });
        let excess = (alike / f64::max(all, 1.0) - by_chance) / (1.0 - by_chance).max(1e-9);
        if excess > ALIKE && best.is_none_or(|(known, _)| excess > known) {
            best = Some((excess, idx));
        }
    }
    let (_, idx) = best?;
    // As spread as hashes of ids are, since halves go by their bits.
    let mix = |bits: u64| {
        (bits ^ (bits >> 29))
            .wrapping_mul(0xBF58_476D_1CE4_E5B9)
            .rotate_left(31)
            .wrapping_mul(0x94D0_49BB_1331_11EB)
    };
    Some(
        input
            .matrix
            .column(idx)
            .iter()
            .zip(input.clusters)
            .map(|(value, own)| {
                if value.is_nan() {
                    *own
                } else {
                    mix(value.to_bits())
                }
            })
            .collect(),
    )
}

/// What each lead counts, so that every cluster counts once.
pub(super) fn weights(input: FinalInput<'_>) -> Vec<f64> {
    let mut sizes: HashMap<u64, usize> = HashMap::new();
    input
        .clusters
        .iter()
        .for_each(|cluster| *sizes.entry(*cluster).or_default() += 1);
    let weights: Vec<f64> = input
        .clusters
        .iter()
        .map(|cluster| 1.0 / sizes[cluster] as f64)
        .collect();
    if input.are_accounts {
        return weights;
    }
    // Open leads have no closing that they share: they are as many to a deal as closed ones are.
    let (n_closed, of_closed) = input
        .states
        .iter()
        .zip(&weights)
        .filter(|(state, _)| **state != FinalState::Open)
        .fold((0.0, 0.0), |sums, (_, weight)| {
            (sums.0 + 1.0, sums.1 + weight)
        });
    let of_open = if n_closed > 0.0 {
        of_closed / n_closed
    } else {
        1.0
    };
    input
        .states
        .iter()
        .zip(weights)
        .map(|(state, weight)| {
            if *state == FinalState::Open {
                of_open
            } else {
                weight
            }
        })
        .collect()
}
