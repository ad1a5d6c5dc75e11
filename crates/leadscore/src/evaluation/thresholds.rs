//! What calling from a threshold on would bring, score by score.

use leadscore_metrics::{ThresholdInput, threshold_table};
use leadscore_report::ThresholdSection;

use super::Economy;
use super::compared::{Compared, Score};

/// The thresholds of every score that is compared; the rows lie within so many days.
pub(super) fn threshold_sections(
    compared: &Compared<'_>,
    days: Option<f64>,
    economy: &Economy,
) -> crate::Result<Vec<ThresholdSection>> {
    let snapshots = compared.known.snapshots.iter();
    let moments: Vec<f64> = snapshots.map(|key| key.at.micros() as f64).collect();
    let section = |score: &Score<'_>| {
        threshold_section(
            score,
            ThresholdInput {
                labels: &compared.known.labels,
                scores: &score.values,
                clusters: &compared.known.clusters,
                moments: &moments,
                weeks: days.map(|days| days / 7.0),
                cost: economy.cost.unwrap_or(0.0),
                value: economy.value,
                calls_a_week: economy
                    .capacity
                    .and_then(|capacity| capacity.days.map(|days| capacity.calls * 7.0 / days)),
                today: score.threshold,
            },
        )
    };
    compared.scores.iter().map(section).collect()
}

/// The thresholds of one score: points as they are, probabilities in per cent.
fn threshold_section(
    score: &Score<'_>,
    rows: ThresholdInput<'_>,
) -> crate::Result<ThresholdSection> {
    let shown: Vec<f64> = score
        .values
        .iter()
        .map(|value| {
            if score.is_points {
                *value
            } else {
                100.0 * value
            }
        })
        .collect();
    let table = threshold_table(ThresholdInput {
        scores: &shown,
        ..rows
    })?;
    Ok(ThresholdSection {
        score: score.name.to_owned(),
        unit: if score.is_points {
            "points"
        } else {
            "% likelihood"
        },
        table,
    })
}
