//! From figures to kinds, with control of the false discovery rate over all concepts.

use super::DriftOptions;
use super::concept::{DriftKind, Figures, Sides};

/// What the figures of a concept come to.
pub(super) fn kind_of(figures: &Figures, is_found: bool, options: &DriftOptions) -> DriftKind {
    match figures.sides {
        Sides::OnlyReference => return DriftKind::CannotTellGone,
        Sides::OnlyCurrent => return DriftKind::CannotTellNew,
        Sides::Both => {}
    }
    let (then, now) = figures.n_effective;
    if then.min(now).min(figures.n_clusters as f64) < options.fewest {
        return DriftKind::CannotTellTooFew;
    }
    if is_found {
        if figures.level_p <= figures.shape_p {
            DriftKind::MovedInLevel
        } else {
            DriftKind::MovedInShape
        }
    } else if figures.detectable > options.tolerance.max(options.largest_missed) {
        DriftKind::CannotTellTooFew
    } else {
        DriftKind::Same
    }
}

/// Which of these chances are finds, so that the expected share of false ones among them is at most
/// `rate`.
pub(super) fn benjamini_hochberg(p: &[f64], rate: f64) -> Vec<bool> {
    let mut sorted = p.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = p.len() as f64;
    let limit = sorted
        .iter()
        .enumerate()
        .filter(|(idx, p)| **p <= rate * (*idx as f64 + 1.0) / n)
        .map(|(_, p)| *p)
        .next_back();
    p.iter()
        .map(|p| limit.is_some_and(|limit| *p <= limit))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_published() {
        // Benjamini and Hochberg (1995), section 4.1: 15 chances, of which 4 are finds at 5 %.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0,
        ];
        let found = benjamini_hochberg(&p, 0.05);
        assert_eq!(found.iter().filter(|found| **found).count(), 4);
        assert!(found[..4].iter().all(|found| *found));
        assert!(benjamini_hochberg(&[], 0.05).is_empty());
        assert_eq!(benjamini_hochberg(&[1.0, 1.0], 0.05), [false, false]);
    }
}
