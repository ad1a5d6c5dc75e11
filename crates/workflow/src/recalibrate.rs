//! `recalibrate`: mend a model's percentages by outcomes that it has not seen.

use anyhow::{Context, bail};
use leadscore_core::Timestamp;
use leadscore_inference::{Model, score};
use leadscore_metrics::{log_loss, paired_difference};
use leadscore_report::count;
use leadscore_training::{Calibration, CalibrationInput, CalibrationKind, try_calibrations};

use crate::project::{Project, cluster_keys, describe_counts};

/// Wins, and others, that a shift of all percentages needs.
const MIN_EVENTS: usize = 20;
/// Wins, and others, that a slope needs as well.
const MIN_EVENTS_FOR_SLOPE: usize = 100;
/// What twice the gain in log-likelihood exceeds by chance once in twenty times, with one and with two parameters.
const CHI_SQUARE_95: [f64; 2] = [3.841, 5.991];

/// Mends a model's percentages by outcomes that it has not seen, known before `as_of`.
///
/// # Errors
///
/// The tables cannot be read, or too few outcomes have come in since.
pub fn recalibrate(project: &Project, mut model: Model, as_of: Option<Timestamp>) -> anyhow::Result<Model> {
    let known_until = Timestamp::from_micros(model.card.known_until_micros);
    project.whole_tables(&model, "recalibrate")?;
    let tables = project.load_for(&model, as_of)?;
    let (labelled, counts) = leadscore_features::labelled_snapshots(&tables, &project.config.snapshots, as_of);
    project.remark(&describe_counts(&counts, project));
    let rows: Vec<usize> = (0..labelled.snapshots.len()).filter(|&row| labelled.snapshots[row].at >= known_until).collect();
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
    let scored = score(&model, &project.features_of(&tables, &model.specs, &snapshots)?)?;
    let write_time = project.write_time();
    let what = format!(
        "{} snapshots from {} to {}, {wins} won: said {:.2} % on average, {:.2} % were won",
        count(labels.len()),
        write_time(snapshots[0].at),
        write_time(snapshots[snapshots.len() - 1].at),
        100.0 * scored.probabilities.iter().sum::<f64>() / labels.len() as f64,
        100.0 * wins as f64 / labels.len() as f64
    );
    project.remark(&what);
    let at: Vec<Timestamp> = snapshots.iter().map(|snapshot| snapshot.at).collect();
    let clusters = cluster_keys(&tables, &snapshots);
    let input = CalibrationInput { at: &at, labels: &labels, log_odds: &scored.log_odds, probabilities: &scored.probabilities, clusters: &clusters };
    let kind = choose_kind(project, input, rarer, model.calibration.is_some())?;
    let fitted = kind.fit(&labels, &scored.probabilities)?;
    if kind == CalibrationKind::Unchanged {
        model.card.caveats.push(format!("checked on {what}; the percentages hold"));
    } else {
        let (before, after) = before_and_after(input, &fitted)?;
        let how = match &fitted {
            Calibration::Line(line) => format!("log-odds move to {:+.3} {:+.3} × log-odds", line.intercept, line.slope),
            Calibration::Curve(_) => format!("percentages move along {}: 5, 20 and 50 % become {}", kind.name(), examples(&fitted)),
        };
        let said = format!("{how}; log-loss {before:.4} to {after:.4} on all of these snapshots");
        model = fitted
            .apply(model)
            .with_context(|| format!("{said}: a slope that is not above 0 turns the ranking round; what the model learned no longer holds, train it again"))?;
        project.remark(&said);
        model.card.caveats.push(format!("recalibrated on {what}; {how}"));
        model.card.model_id = model.compute_id().context("cannot name the model")?;
    }
    // From here on these outcomes are known to the model.
    let until =
        if project.config.is_flat() { as_of.unwrap_or(Timestamp::from_micros(snapshots[snapshots.len() - 1].at.micros() + 1)) } else { tables.observation_end };
    model.card.known_until_micros = until.micros();
    model.card.known_until = write_time(until);
    Ok(model)
}

/// How to move percentages: by what later outcomes say where there are enough of them, else by how likely the gain is chance.
fn choose_kind(project: &Project, input: CalibrationInput<'_>, rarer: usize, has_curve: bool) -> anyhow::Result<CalibrationKind> {
    let kinds: Vec<CalibrationKind> = CalibrationKind::ALL.into_iter().filter(|kind| !(has_curve && kind.is_curve())).collect();
    if let Some(trials) = try_calibrations(input, &kinds)? {
        let losses = trials.iter().map(|trial| format!("{} {:.4}", trial.kind.name(), trial.log_loss)).collect::<Vec<_>>().join(", ");
        let kind = trials.iter().rev().find(|trial| trial.is_better).map_or(CalibrationKind::Unchanged, |trial| trial.kind);
        // Later outcomes may be too few to prefer a shift, and all of them enough to see that the percentages are off.
        let gap = gap_in_errors(input);
        if kind == CalibrationKind::Unchanged && gap.abs() > 1.96 {
            project.remark(&format!(
                "fitted on the earlier outcomes, log-loss on the later ones: {losses}; none is better beyond chance there, but over all outcomes what was said is {:.1} standard errors from what happened; taken: {}",
                gap.abs(),
                CalibrationKind::Shift.name()
            ));
            return Ok(CalibrationKind::Shift);
        }
        project.remark(&format!(
            "fitted on the earlier outcomes, log-loss on the later ones: {losses}; taken: {}{}",
            kind.name(),
            if kind == CalibrationKind::Unchanged { ", since nothing is better beyond chance" } else { "" }
        ));
        return Ok(kind);
    }
    let kind = if rarer < MIN_EVENTS_FOR_SLOPE { CalibrationKind::Shift } else { CalibrationKind::Line };
    let fitted = kind.fit(input.labels, input.probabilities)?;
    let (before, after) = before_and_after(input, &fitted)?;
    let gain = 2.0 * input.labels.len() as f64 * (before - after);
    if gain >= CHI_SQUARE_95[usize::from(kind == CalibrationKind::Line)] {
        return Ok(kind);
    }
    project.remark(&format!("{} would take log-loss from {before:.4} to {after:.4}: no more than chance gives, so the percentages stay", kind.name()));
    Ok(CalibrationKind::Unchanged)
}

/// Share won less mean probability, in standard errors with rows of a lead taken together.
fn gap_in_errors(input: CalibrationInput<'_>) -> f64 {
    let won: Vec<f64> = input.labels.iter().map(|&label| f64::from(u8::from(label))).collect();
    let difference = paired_difference(&won, input.probabilities, input.clusters);
    difference.mean / difference.error
}

/// Log-loss of the rows as they are, and after a calibration.
fn before_and_after(input: CalibrationInput<'_>, fitted: &Calibration) -> anyhow::Result<(f64, f64)> {
    let moved: Vec<f64> = input.log_odds.iter().map(|&log_odds| leadscore_core::log_odds_to_probability(fitted.at(log_odds))).collect();
    Ok((log_loss(input.labels, input.probabilities)?, log_loss(input.labels, &moved)?))
}

fn examples(fitted: &Calibration) -> String {
    let moved = |p: f64| format!("{:.1}", 100.0 * leadscore_core::log_odds_to_probability(fitted.at((p / (1.0 - p)).ln())));
    format!("{}, {} and {} %", moved(0.05), moved(0.2), moved(0.5))
}
