//! Several scores on the same rows: which finds more customers with as many calls, and by how much
//! beyond chance.

mod input;
mod result;

mod layout;

mod figures;
mod measured;

mod paired;
mod score;

pub use input::{Calls, ComparisonInput, ScoreInput};
pub use result::{
    CapacityFigures, Comparison, MigrationCell, NEARLY, PairedComparison, PairedVerdict,
    ScoreFigures, SwapSet, SwapSide,
};

use crate::bootstrap::BootstrapOptions;
use crate::decision::thresholds_of;
use crate::error::{MetricError, check_both_classes, check_probabilities};
use crate::evaluation::count_wins;

use measured::Measured;
use paired::paired_comparison;
use score::score_figures;

/// Thresholds of probability at which net benefits are compared.
const N_THRESHOLDS: usize = 40;

/// Compares the first score with each other one.
///
/// # Errors
///
/// [`MetricError`] where a slice has another length, holds no rows, a score that is not finite, a
/// number that is no probability, or only one label.
///
/// # Panics
///
/// Where there is no score, or a period without its number of calls.
pub fn compare(
    input: ComparisonInput<'_>,
    options: BootstrapOptions,
) -> Result<Comparison, MetricError> {
    check(&input)?;
    let measured = Measured::new(input, options)?;
    let thresholds = thresholds_of(input.scores[0].probabilities, N_THRESHOLDS);
    let scores = (0..input.scores.len())
        .map(|idx| score_figures(&measured, idx, &thresholds))
        .collect::<Result<Vec<_>, _>>()?;
    let paired = (1..input.scores.len())
        .map(|other| paired_comparison(&measured, &scores, other))
        .collect();
    let n_rows = input.labels.len();
    let n_wins = count_wins(input.labels);
    Ok(Comparison {
        n_rows,
        n_leads: input.leads.len(),
        n_wins,
        base_rate: n_wins as f64 / n_rows as f64,
        months: input.calls.months,
        scores,
        paired,
    })
}

/// Whether every slice has one entry a row, and the labels are of both classes.
fn check(input: &ComparisonInput<'_>) -> Result<(), MetricError> {
    assert!(!input.scores.is_empty(), "at least one score");
    let labels = input.labels;
    for score in input.scores {
        check_probabilities(labels, score.probabilities)?;
        for length in [
            score.values.len(),
            score.tiers.len(),
            input.clusters.of_row().len(),
            input.calls.period_of_row.len(),
        ] {
            if length != labels.len() {
                return Err(MetricError::Length {
                    labels: labels.len(),
                    scores: length,
                });
            }
        }
    }
    check_both_classes(labels)
}
