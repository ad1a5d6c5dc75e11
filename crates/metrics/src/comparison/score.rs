//! The figures of one score of a comparison.

use crate::bootstrap::Estimate;
use crate::calibration::calibration_bins;
use crate::decision::net_benefit;
use crate::error::MetricError;
use crate::evaluation::{TierRow, ranking_quality, tier_rows};
use crate::ranking::Ranking;

use super::figures::ScoreFigure;
use super::layout::ScoreSum;
use super::measured::Measured;
use super::result::{CapacityFigures, ScoreFigures};

const N_BINS: usize = 10;

/// Every figure of a score, with its net benefit at these thresholds.
///
/// # Errors
///
/// [`MetricError`] where a probability is not finite.
pub(super) fn score_figures(
    measured: &Measured<'_>,
    idx: usize,
    thresholds: &[f64],
) -> Result<ScoreFigures, MetricError> {
    let input = &measured.input;
    let (labels, score) = (input.labels, &input.scores[idx]);
    let ranking = &measured.rankings[idx];
    let tiers = tier_rows(
        labels,
        score.probabilities,
        input.clusters,
        score.tiers,
        input.tier_names,
        input.deals,
    );
    let by_probability = Ranking::new(score.probabilities)?;
    Ok(ScoreFigures {
        name: score.name.to_owned(),
        ranking: ranking_quality(
            ranking,
            labels,
            measured.aucs.estimate(idx),
            measured.score_figure(idx, ScoreFigure::AveragePrecision),
            measured.score_figure(idx, ScoreFigure::Capture),
        ),
        roc: ranking.roc(labels, 200),
        precision_recall: ranking.precision_recall(labels, 200),
        gains: ranking.gains(labels, 100),
        top_to_bottom: top_to_bottom(&tiers),
        tiers,
        log_loss: measured.score_figure(idx, ScoreFigure::LogLoss),
        brier_loss: measured.score_figure(idx, ScoreFigure::BrierLoss),
        calibration: calibration_bins(&by_probability, labels, score.probabilities, N_BINS),
        net_benefit: net_benefit(labels, score.probabilities, thresholds),
        at_capacity: capacity_figures(measured, idx),
    })
}

/// Win rate of the best tier over that of the last; `None` where that is 0.
fn top_to_bottom(tiers: &[TierRow]) -> Option<f64> {
    let top = tiers.first().map_or(0.0, |row| row.win_rate);
    let bottom = tiers.last().map_or(0.0, |row| row.win_rate);
    (bottom > 0.0).then(|| top / bottom)
}

/// What the calls find by a score; a precision of nothing called may be anything.
fn capacity_figures(measured: &Measured<'_>, idx: usize) -> CapacityFigures {
    let precision = measured.score_figure(idx, ScoreFigure::Precision);
    CapacityFigures {
        n_called: measured.score_sum(idx, ScoreSum::Called),
        n_won: measured.score_sum(idx, ScoreSum::WonOfCalled),
        precision: if precision.value.is_finite() {
            precision
        } else {
            Estimate {
                value: 0.0,
                low: 0.0,
                high: 1.0,
            }
        },
        customers: measured.score_sum(idx, ScoreSum::Customers),
        customers_a_month: measured.a_month(measured.score_figure(idx, ScoreFigure::Customers)),
    }
}
