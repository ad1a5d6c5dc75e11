//! How much less older rows count, by a half-life.

use leadscore_core::{Snapshot, Span};

use crate::input::TrainInput;

/// How fast rows lose weight with age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HalfLife {
    /// Not at all, or by half in 365, 182 or 91 days, where that predicts later rows better on
    /// forward folds by two standard errors.
    Chosen,
    /// Not at all.
    Never,
    /// By half in this time.
    Given(Span),
}

/// Half-lives that are tried, longest first.
pub(crate) const HALF_LIVES_IN_DAYS: [u32; 3] = [365, 182, 91];

/// The rows' own weights, times those of a half-life.
pub(crate) fn weighted(input: TrainInput<'_>, half_life: Option<Span>) -> Option<Vec<f64>> {
    let mut found = weights(input.matrix.keys(), half_life?);
    if let Some(own) = input.weights {
        found
            .iter_mut()
            .zip(own)
            .for_each(|(found, own)| *found *= own);
    }
    Some(found)
}

/// What a row counts for: 1 at the latest, half of that a half-life before. `keys` are in order of
/// time.
///
pub(crate) fn weights(keys: &[Snapshot], half_life: Span) -> Vec<f64> {
    let Some(last) = keys.last() else {
        return Vec::new();
    };
    keys.iter()
        .map(|key| weight(last.at.days_since(key.at), half_life))
        .collect()
}

/// What a row of this age in days counts for, never 0; more than 1 where the age is negative.
pub(crate) fn weight(age: f64, half_life: Span) -> f64 {
    (-age / half_life.days()).exp2().max(f64::MIN_POSITIVE)
}

/// Shortest half-life: with a shorter one hardly a snapshot but the latest would count.
pub(crate) const SHORTEST_IN_DAYS: f64 = 7.0;

#[cfg(test)]
mod tests {
    use leadscore_core::Timestamp;

    use super::*;
    use crate::effective_size::{Scale, effective_size};

    #[test]
    fn weights_halve_and_sum_to_their_effective_size() {
        let keys: Vec<Snapshot> = [0, 91, 182]
            .map(|day| Snapshot {
                lead: 0,
                at: Timestamp::from_micros(0) + Span::from_days(day),
            })
            .to_vec();
        let found = weights(&keys, Span::from_days(91));
        assert!(
            found
                .iter()
                .zip([0.25, 0.5, 1.0])
                .all(|(found, expected)| (found - expected).abs() < 1e-12),
            "{found:?}"
        );
        let found: Vec<f64> = found
            .iter()
            .map(|&weight| Scale::of_all(found.iter().copied()).of(weight))
            .collect();
        // 1.75² / 1.3125
        assert!((found.iter().sum::<f64>() - 7.0 / 3.0).abs() < 1e-12);
        assert_eq!(effective_size([2.0; 10].into_iter()), 10.0);
        assert_eq!(effective_size(std::iter::empty()), 0.0);
        let old = [1e-300; 4].map(|weight| Scale::of_all([1e-300; 4].into_iter()).of(weight));
        assert_eq!(old, [1.0; 4], "rows of one age count alike, however old");
    }
}
