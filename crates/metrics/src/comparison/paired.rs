//! The first score of a comparison against another one.

use crate::bootstrap::Estimate;
use crate::clusters::Clusters;
use crate::evaluation::around;

use super::figures::PairedFigure;
use super::layout::{PartSum, SwapPart};
use super::measured::Measured;
use super::result::{
    MigrationCell, NEARLY, PairedComparison, PairedVerdict, ScoreFigures, SwapSet, SwapSide,
};

/// The first score against the one at `other`; `scores` are the figures of all.
pub(super) fn paired_comparison(
    measured: &Measured<'_>,
    scores: &[ScoreFigures],
    other: usize,
) -> PairedComparison {
    let input = &measured.input;
    let auc_difference = measured.aucs.difference(0, other);
    let figure = |figure: PairedFigure| measured.paired_figure(other, figure);
    let capture = |score: usize| scores[score].ranking.capture_top_quartile.value;
    let customers_difference = figure(PairedFigure::Customers);
    PairedComparison {
        against: input.scores[other].name.to_owned(),
        verdict: if telling_clusters(input.labels, input.clusters) < FEWEST_TELLING {
            PairedVerdict::CannotTell
        } else {
            verdict(auc_difference)
        },
        auc_difference,
        auc_difference_bootstrap: around(auc_difference.value, figure(PairedFigure::Auc)),
        capture_difference: around(capture(0) - capture(other), figure(PairedFigure::Capture)),
        precision_difference: figure(PairedFigure::Precision),
        customers_difference,
        customers_a_month: measured.a_month(customers_difference),
        log_loss_difference: figure(PairedFigure::LogLoss),
        migration: migration(
            input.labels,
            input.scores[other].tiers,
            input.scores[0].tiers,
            input.tier_names.len(),
        ),
        swap: swap_set(measured, other),
    }
}

/// Who is called by which of the two scores.
fn swap_set(measured: &Measured<'_>, other: usize) -> SwapSet {
    let side = |part: SwapPart| SwapSide {
        n_rows: measured.part_sum(other, part, PartSum::Rows),
        n_wins: measured.part_sum(other, part, PartSum::Wins),
        win_rate: measured.win_rate(other, part),
    };
    SwapSet {
        only_first: side(SwapPart::OnlyFirst),
        only_other: side(SwapPart::OnlyOther),
        both: side(SwapPart::Both),
        neither: side(SwapPart::Neither),
        rate_difference: measured.rate_difference(other),
    }
}

/// Clusters with a win, and without one, that a verdict needs: with fewer, their covariance is too
/// small to be relied on.
const FEWEST_TELLING: usize = 20;

/// The rarer of clusters with a win and without one.
fn telling_clusters(labels: &[bool], clusters: &Clusters) -> usize {
    let mut has_win = vec![false; clusters.len()];
    clusters
        .of_row()
        .iter()
        .zip(labels)
        .for_each(|(&cluster, &label)| has_win[cluster as usize] |= label);
    let n_with = has_win.iter().filter(|has| **has).count();
    n_with.min(clusters.len() - n_with)
}

/// The verdict by a difference of AUCs with its interval.
fn verdict(difference: Estimate) -> PairedVerdict {
    if difference.low > -NEARLY && difference.high < NEARLY {
        PairedVerdict::NearlyTied
    } else if difference.low > 0.0 {
        PairedVerdict::Better
    } else if difference.high < 0.0 {
        PairedVerdict::Worse
    } else {
        PairedVerdict::CannotTell
    }
}

/// Rows and wins by quartile of one score down and of another across.
fn migration(
    labels: &[bool],
    down: &[usize],
    across: &[usize],
    n_tiers: usize,
) -> Vec<Vec<MigrationCell>> {
    let mut cells = vec![vec![MigrationCell::default(); n_tiers]; n_tiers];
    for ((&label, &row), &column) in labels.iter().zip(down).zip(across) {
        cells[row][column].n_rows += 1;
        cells[row][column].n_wins += usize::from(label);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_one_of_four_verdicts() {
        let of = |low: f64, high: f64| {
            verdict(Estimate {
                value: f64::midpoint(low, high),
                low,
                high,
            })
        };
        assert_eq!(of(0.01, 0.03), PairedVerdict::Better);
        assert_eq!(of(-0.03, -0.01), PairedVerdict::Worse);
        assert_eq!(of(0.001, 0.019), PairedVerdict::NearlyTied);
        assert_eq!(of(-0.01, 0.05), PairedVerdict::CannotTell);
    }
}
