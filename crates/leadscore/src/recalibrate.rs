//! `recalibrate`: mend a model's percentages by outcomes that it has not seen.

use std::collections::BTreeSet;

use crate::error::{Context, bail};
use leadscore_core::{Timestamp, log_odds_to_probability};
use leadscore_inference::{Caveat, Model, score};
use leadscore_metrics::{
    Clusters, calibration_line, calibration_shift, line_covariance, log_loss, paired_difference,
};
use leadscore_report::count;
use leadscore_training::{Calibration, CalibrationInput, CalibrationKind, try_calibrations};

use crate::data::{Data, cluster_keys, describe_counts};
use crate::evaluation::month_of;

/// Wins, and others, that a shift of all percentages needs.
const MIN_EVENTS: usize = 20;
/// Wins, and others, that a slope needs as well.
const MIN_EVENTS_FOR_SLOPE: usize = 100;
/// What twice the gain in log-likelihood exceeds by chance once in twenty times, with one and with
/// two parameters.
const CHI_SQUARE_95: [f64; 2] = [3.841, 5.991];

/// Which outcomes percentages are recalibrated by, and how.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecalibrateOptions {
    /// The first snapshot to learn from; default: where the model's knowledge ends.
    pub from: Option<Timestamp>,
    /// How percentages move; default: what later outcomes prefer.
    pub kind: Option<CalibrationKind>,
}

/// Recalibrates a model by outcomes that it has not seen.
///
/// # Errors
///
/// The tables cannot be read, too few outcomes have come in since, or a break runs through them.
pub fn recalibrate(
    data: &Data,
    mut model: Model,
    options: RecalibrateOptions,
) -> crate::Result<Model> {
    let RecalibrateOptions { from, kind } = options;
    let known_until = Timestamp::from_micros(model.card.known_until_micros);
    if from.is_some_and(|from| from < known_until) {
        bail!(
            "--from lies before {}, until which the model knows everything: these outcomes are not new to it",
            model.card.known_until
        );
    }
    let begin = from.unwrap_or(known_until);
    data.whole_tables(&model, "recalibrate")?;
    let tables = data.load_for(&model)?;
    let (labelled, counts) =
        leadscore_features::labelled_snapshots(&tables, &data.config.snapshots, data.known_before)?;
    data.remark(&describe_counts(&counts, data));
    let rows: Vec<usize> = (0..labelled.snapshots.len())
        .filter(|&row| labelled.snapshots[row].at >= begin)
        .collect();
    let snapshots: Vec<_> = rows.iter().map(|&row| labelled.snapshots[row]).collect();
    let labels: Vec<bool> = rows.iter().map(|&row| labelled.labels[row]).collect();
    let wins = labels.iter().filter(|label| **label).count();
    let rarer = wins.min(labels.len() - wins);
    if rarer < MIN_EVENTS {
        bail!(
            "{wins} of the {} snapshots that have matured since {} were won: at least {MIN_EVENTS} wins and as many others are needed; wait, or train again",
            labels.len(),
            model.card.known_until
        );
    }
    let scored = score(
        &model,
        &data.features_of(&tables, &model.specs, &snapshots)?,
    )?;
    let write_time = data.write_time();
    let what = format!(
        "{} snapshots from {} to {}, {wins} won: {:.2} % predicted on average, {:.2} % observed",
        count(labels.len()),
        write_time(snapshots[0].at),
        write_time(snapshots[snapshots.len() - 1].at),
        100.0 * scored.probabilities.iter().sum::<f64>() / labels.len() as f64,
        100.0 * wins as f64 / labels.len() as f64
    );
    data.remark(&what);
    let at: Vec<Timestamp> = snapshots.iter().map(|snapshot| snapshot.at).collect();
    let clusters = cluster_keys(&tables, &snapshots);
    let groups = Clusters::new(&clusters);
    let input = CalibrationInput {
        at: &at,
        labels: &labels,
        log_odds: &scored.log_odds,
        probabilities: &scored.probabilities,
        clusters: &clusters,
    };
    if !data.config.is_flat()
        && let Some(found) = find_break(input, &groups)?
    {
        bail!(
            "a break runs through these outcomes: {:.1} % were predicted and {:.1} % observed before {day}, {:.1} % and {:.1} % from then on ({:.1} standard errors); one calibration fits neither part\n  hint: pass --from {day} to learn from what came after, or train again; if it is a season that comes back, train on whole years and leave the percentages as they are",
            100.0 * found.before.0,
            100.0 * found.before.1,
            100.0 * found.after.0,
            100.0 * found.after.1,
            found.z.abs(),
            day = write_time(found.at)
        );
    }
    let has_curve = model.calibration.is_some();
    let kind = match kind {
        Some(kind) if has_curve && kind.is_curve() => {
            bail!(
                "the model has a calibration curve already, and {} behind it would bend it twice; recalibrate by a shift or a line, or recalibrate the model as it was trained",
                kind.name()
            )
        }
        Some(kind) => kind,
        None => choose_kind(data, input, rarer, has_curve)?,
    };
    let fitted = kind.fit(&labels, &scored.probabilities)?;
    if kind == CalibrationKind::Unchanged {
        model.card.caveats.push(Caveat::Other(format!(
            "checked on {what}; the percentages hold"
        )));
    } else {
        let (before, after) = before_and_after(input, &fitted)?;
        let how = match &fitted {
            Calibration::Line(line) => format!(
                "log-odds move to {:+.3} {:+.3} × log-odds",
                line.intercept, line.slope
            ),
            Calibration::Curve(_) => format!(
                "percentages move along {}: 5, 20 and 50 % become {}",
                kind.name(),
                examples(&fitted)
            ),
        };
        let said = format!("{how}; log-loss {before:.4} to {after:.4} on all of these snapshots");
        model = fitted
            .apply(model, kind, input)?
            .with_context(|| format!("{said}: a slope that is not above 0 turns the ranking round; what the model learned no longer holds, train it again"))?;
        data.remark(&said);
        model
            .card
            .caveats
            .push(Caveat::Other(format!("recalibrated on {what}; {how}")));
        model.card.model_id = model.compute_id().context("cannot name the model")?;
    }
    // From here on these outcomes are known to the model.
    let until = if data.config.is_flat() {
        data.known_before.unwrap_or(Timestamp::from_micros(
            snapshots[snapshots.len() - 1].at.micros() + 1,
        ))
    } else {
        tables.observation_end
    };
    model.card.known_until_micros = until.micros();
    model.card.known_until = write_time(until);
    Ok(model)
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

/// How to move percentages: by what later outcomes say where there are enough of them, else by how
/// likely the gain is chance.
fn choose_kind(
    data: &Data,
    input: CalibrationInput<'_>,
    rarer: usize,
    has_curve: bool,
) -> crate::Result<CalibrationKind> {
    let kinds: Vec<CalibrationKind> = CalibrationKind::ALL
        .into_iter()
        .filter(|kind| !(has_curve && kind.is_curve()))
        .collect();
    if let Some(trials) = try_calibrations(input, &kinds)? {
        let losses = trials
            .iter()
            .map(|trial| format!("{} {:.4}", trial.kind.name(), trial.log_loss))
            .collect::<Vec<_>>()
            .join(", ");
        let kind = trials
            .iter()
            .rev()
            .find(|trial| trial.is_better)
            .map_or(CalibrationKind::Unchanged, |trial| trial.kind);
        // And too few to prefer a line, where all of them show that percentages are too extreme, or
        // too flat.
        let (slope, slope_z) = slope_in_errors(input)?;
        let is_simple = matches!(kind, CalibrationKind::Unchanged | CalibrationKind::Shift);
        if is_simple && slope > 0.0 && (slope - 1.0).abs() > NEAR_SLOPE && slope_z.abs() > 1.96 {
            data.remark(&format!(
                "fitted on the earlier outcomes, log-loss on the later ones: {losses}; over all outcomes the calibration slope is {slope:.2}, {:.1} standard errors from 1, which no shift repairs; taken: {}",
                slope_z.abs(),
                CalibrationKind::Line.name()
            ));
            return Ok(CalibrationKind::Line);
        }
        // Later outcomes may be too few to prefer a shift, and all of them enough to see that the
        // percentages are off.
        let gap = gap_in_errors(input);
        if kind == CalibrationKind::Unchanged && gap.abs() > 1.96 {
            data.remark(&format!(
                "fitted on the earlier outcomes, log-loss on the later ones: {losses}; none is better beyond chance there, but over all outcomes predicted and observed differ by {:.1} standard errors; taken: {}",
                gap.abs(),
                CalibrationKind::Shift.name()
            ));
            return Ok(CalibrationKind::Shift);
        }
        data.remark(&format!(
            "fitted on the earlier outcomes, log-loss on the later ones: {losses}; taken: {}{}",
            kind.name(),
            if kind == CalibrationKind::Unchanged {
                ", since nothing is better beyond chance"
            } else {
                ""
            }
        ));
        return Ok(kind);
    }
    let kind = if rarer < MIN_EVENTS_FOR_SLOPE {
        CalibrationKind::Shift
    } else {
        CalibrationKind::Line
    };
    let fitted = kind.fit(input.labels, input.probabilities)?;
    let (before, after) = before_and_after(input, &fitted)?;
    let gain = 2.0 * input.labels.len() as f64 * (before - after);
    if gain >= CHI_SQUARE_95[usize::from(kind == CalibrationKind::Line)] {
        return Ok(kind);
    }
    data.remark(&format!("{} would take log-loss from {before:.4} to {after:.4}: no more than chance gives, so the percentages stay", kind.name()));
    Ok(CalibrationKind::Unchanged)
}

/// A slope so near to 1 is left alone.
const NEAR_SLOPE: f64 = 0.1;

/// The calibration slope of these rows, and how many standard errors by cluster it is from 1.
fn slope_in_errors(input: CalibrationInput<'_>) -> crate::Result<(f64, f64)> {
    let line = calibration_line(input.labels, input.probabilities)?;
    let [_, _, variance] = line_covariance(
        input.labels,
        input.probabilities,
        &Clusters::new(input.clusters),
        line,
        false,
    );
    Ok((line.slope, (line.slope - 1.0) / variance.sqrt()))
}

/// Share won less mean probability, in standard errors with rows of a lead taken together.
fn gap_in_errors(input: CalibrationInput<'_>) -> f64 {
    let won: Vec<f64> = input
        .labels
        .iter()
        .map(|&label| f64::from(u8::from(label)))
        .collect();
    let difference = paired_difference(&won, input.probabilities, input.clusters);
    difference.mean / difference.error
}

/// Log-loss of the rows as they are, and after a calibration.
fn before_and_after(
    input: CalibrationInput<'_>,
    fitted: &Calibration,
) -> crate::Result<(f64, f64)> {
    let moved: Vec<f64> = input
        .log_odds
        .iter()
        .map(|&log_odds| leadscore_core::log_odds_to_probability(fitted.at(log_odds)))
        .collect();
    Ok((
        log_loss(input.labels, input.probabilities)?,
        log_loss(input.labels, &moved)?,
    ))
}

fn examples(fitted: &Calibration) -> String {
    let moved = |p: f64| {
        format!(
            "{:.1}",
            100.0 * leadscore_core::log_odds_to_probability(fitted.at((p / (1.0 - p)).ln()))
        )
    };
    format!("{}, {} and {} %", moved(0.05), moved(0.2), moved(0.5))
}
