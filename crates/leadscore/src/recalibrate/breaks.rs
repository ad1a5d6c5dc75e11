//! A break in the outcomes: a month from which on the gap between predicted and observed is another.

use std::collections::BTreeSet;

use leadscore_core::{Timestamp, log_odds_to_probability};
use leadscore_metrics::{Clusters, calibration_shift};
use leadscore_training::CalibrationInput;

use super::MIN_EVENTS;
use crate::data::Data;
use crate::error::bail;
use crate::evaluation::month_of;

/// Refuses outcomes through which a break runs.
pub(super) fn refuse_break(data: &Data, input: CalibrationInput<'_>) -> crate::Result<()> {
    let Some(found) = find_break(input, &Clusters::new(input.clusters))? else {
        return Ok(());
    };
    bail!(
        "a break runs through these outcomes: {:.1} % were predicted and {:.1} % observed before {day}, {:.1} % and {:.1} % from then on ({:.1} standard errors); one calibration fits neither part\n  hint: pass --from {day} to learn from what came after, or train again; if it is a season that comes back, train on whole years and leave the percentages as they are",
        100.0 * found.before.0,
        100.0 * found.before.1,
        100.0 * found.after.0,
        100.0 * found.after.1,
        found.z.abs(),
        day = (data.write_time())(found.at)
    )
}

/// A moment at which the gap between predicted and observed changes.
struct Break {
    at: Timestamp,
    /// Predicted and observed before.
    before: (f64, f64),
    /// And after.
    after: (f64, f64),
    z: f64,
}

/// The month at whose beginning the gap between predicted and observed changes beyond chance;
/// `None` where it is the same all along.
///
/// After a shift by which as many wins are predicted as were observed, the sum of what is left
/// after each month is compared with its standard error by cluster; of the largest over all months,
/// some 3 are chance (at 5 %, for up to two years of months).
fn find_break(input: CalibrationInput<'_>, clusters: &Clusters) -> crate::Result<Option<Break>> {
    const BEYOND_CHANCE: f64 = 3.0;
    let CalibrationInput {
        at,
        labels,
        probabilities,
        ..
    } = input;
    let shift = calibration_shift(labels, probabilities)?.intercept;
    let moved: Vec<f64> = input
        .log_odds
        .iter()
        .map(|&log_odds| log_odds_to_probability(log_odds + shift))
        .collect();
    let spread = |row: &usize| moved[*row] * (1.0 - moved[*row]);
    let all: f64 = (0..at.len()).map(|row| spread(&row)).sum();
    let of_row: Vec<String> = at.iter().map(|&at| month_of(at)).collect();
    let months: BTreeSet<&String> = of_row.iter().collect();
    let mut found: Option<Break> = None;
    for month in months.into_iter().skip(1) {
        let (after, before): (Vec<usize>, Vec<usize>) =
            (0..at.len()).partition(|&row| of_row[row] >= *month);
        let n_won = |rows: &[usize]| rows.iter().filter(|&&row| labels[row]).count();
        if [&after, &before]
            .into_iter()
            .any(|rows| n_won(rows).min(rows.len() - n_won(rows)) < MIN_EVENTS)
        {
            continue;
        }
        // What the shift took from both sides is no difference between them.
        let share = after.iter().map(spread).sum::<f64>() / all;
        let mut sums = vec![0.0; clusters.len()];
        for (rows, weight) in [(&after, 1.0 - share), (&before, -share)] {
            for &row in rows {
                sums[clusters.of_row()[row] as usize] +=
                    weight * (f64::from(u8::from(labels[row])) - moved[row]);
            }
        }
        let z = sums.iter().sum::<f64>() / sums.iter().map(|sum| sum * sum).sum::<f64>().sqrt();
        if z.abs() > found.as_ref().map_or(BEYOND_CHANCE, |known| known.z.abs()) {
            let rates = |rows: &[usize]| {
                let n = rows.len() as f64;
                (
                    rows.iter().map(|&row| probabilities[row]).sum::<f64>() / n,
                    n_won(rows) as f64 / n,
                )
            };
            let begin = after.iter().map(|&row| at[row]).min().unwrap_or(at[0]);
            found = Some(Break {
                at: begin,
                before: rates(&before),
                after: rates(&after),
                z,
            });
        }
    }
    Ok(found)
}
