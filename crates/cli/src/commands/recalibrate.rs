//! `recalibrate`: mend a model's percentages by outcomes that it has not seen.

use anyhow::{Context, bail};
use leadscore_core::Timestamp;
use leadscore_inference::score;
use leadscore_metrics::{calibration_line, calibration_shift, log_loss};
use leadscore_tables::check_target;

use crate::args::RecalibrateArgs;
use crate::commands::Outcome;
use crate::commands::train::write_model;
use crate::project::{Project, describe_counts, features_of, read_model};
use crate::show;

/// Wins, and others, that a shift of all percentages needs.
const MIN_EVENTS: usize = 20;
/// Wins, and others, that a slope needs as well.
const MIN_EVENTS_FOR_SLOPE: usize = 100;
/// What twice the gain in log-likelihood exceeds by chance once in twenty times, with one and with two parameters.
const CHI_SQUARE_95: [f64; 2] = [3.841, 5.991];

pub(crate) fn run(args: &RecalibrateArgs) -> anyhow::Result<Outcome> {
    let mut model = read_model(&args.model)?;
    let project = Project::open(&args.config.config)?;
    check_target(&args.output)?;
    let as_of = project.moments("--as-of", args.as_of.as_ref())?;
    let known_until = Timestamp::from_micros(model.card.known_until_micros);
    let tables = project.load_for(&model, as_of)?;
    let (labelled, counts) = leadscore_features::labelled_snapshots(&tables, &project.config.snapshots, as_of);
    show::remark(&describe_counts(&counts, &project));
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
    let scored = score(&model, &features_of(&tables, &model.specs, &snapshots)?)?;
    let line =
        if rarer < MIN_EVENTS_FOR_SLOPE { calibration_shift(&labels, &scored.probabilities)? } else { calibration_line(&labels, &scored.probabilities)? };
    let n_parameters = 1 + usize::from(rarer >= MIN_EVENTS_FOR_SLOPE);
    let moved: Vec<f64> = scored.log_odds.iter().map(|log_odds| leadscore_core::log_odds_to_probability(line.intercept + line.slope * log_odds)).collect();
    let (before, after) = (log_loss(&labels, &scored.probabilities)?, log_loss(&labels, &moved)?);
    let gain = 2.0 * labels.len() as f64 * (before - after);
    let write_time = project.write_time();
    let what = format!(
        "{} snapshots from {} to {}, {wins} won: said {:.2} % on average, {:.2} % were won",
        show::count(labels.len()),
        write_time(snapshots[0].at),
        write_time(snapshots[snapshots.len() - 1].at),
        100.0 * scored.probabilities.iter().sum::<f64>() / labels.len() as f64,
        100.0 * wins as f64 / labels.len() as f64
    );
    show::remark(&what);
    let said = format!("log-odds would move to {:+.3} {:+.3} × log-odds; log-loss {before:.4} to {after:.4} on these snapshots", line.intercept, line.slope);
    if line.slope <= 0.0 {
        bail!("{said}: a slope that is not above 0 turns the ranking round; what the model learned no longer holds, train it again");
    }
    if gain < CHI_SQUARE_95[n_parameters - 1] {
        show::remark(&format!("{said}: no more than chance gives, so the weights stay as they are"));
        model.card.caveats.push(format!("checked on {what}; the percentages hold"));
    } else {
        show::remark(&said);
        model = model.recalibrated(line.intercept, line.slope);
        model.card.caveats.push(format!("recalibrated on {what}; log-odds moved to {:+.3} {:+.3} × log-odds", line.intercept, line.slope));
        model.card.model_id = model.compute_id().context("cannot name the model")?;
    }
    // From here on these outcomes are known to the model.
    let until =
        if project.config.is_flat() { as_of.unwrap_or(Timestamp::from_micros(snapshots[snapshots.len() - 1].at.micros() + 1)) } else { tables.observation_end };
    model.card.known_until_micros = until.micros();
    model.card.known_until = write_time(until);
    write_model(&model, &args.output)?;
    show::remark(&format!("wrote {}", args.output.display()));
    Ok(Outcome::Done)
}
