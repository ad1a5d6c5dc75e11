//! How to move percentages, as outcomes prefer.

use leadscore_metrics::{Clusters, calibration_line, line_covariance, paired_difference};
use leadscore_training::{CalibrationInput, CalibrationKind, try_calibrations};

use super::before_and_after;
use crate::data::Data;
use crate::error::bail;

/// Wins, and others, that a slope needs as well.
const MIN_EVENTS_FOR_SLOPE: usize = 100;
/// What twice the gain in log-likelihood exceeds by chance once in twenty times, with one and with
/// two parameters.
const CHI_SQUARE_95: [f64; 2] = [3.841, 5.991];

/// The kind that was asked for, or else the one that outcomes prefer; a model with a curve takes no
/// other behind it.
pub(super) fn kind_of(
    data: &Data,
    input: CalibrationInput<'_>,
    asked: Option<CalibrationKind>,
    rarer: usize,
    has_curve: bool,
) -> crate::Result<CalibrationKind> {
    match asked {
        Some(kind) if has_curve && kind.is_curve() => {
            bail!(
                "the model has a calibration curve already, and {} behind it would bend it twice\n  hint: recalibrate by a shift or a line, or recalibrate the model as it was trained",
                kind.name()
            )
        }
        Some(kind) => Ok(kind),
        None => choose_kind(data, input, rarer, has_curve),
    }
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
