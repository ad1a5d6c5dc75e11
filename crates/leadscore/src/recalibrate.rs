//! `recalibrate`: mend a model's percentages by outcomes that it has not seen.

mod breaks;
mod choice;

use leadscore_core::{Snapshot, Timestamp, agree, counted, log_odds_to_probability};
use leadscore_inference::{Limitation, Model, Scored, score};
use leadscore_metrics::log_loss;
use leadscore_training::{Calibration, CalibrationInput, CalibrationKind};

use self::breaks::refuse_break;
use self::choice::kind_of;
use crate::data::{Data, cluster_keys, describe_counts};
use crate::error::{Context, bail};

/// Wins, and others, that a shift of all percentages needs.
const MIN_EVENTS: usize = 20;
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
    let begin = first_new(&model, options.from)?;
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
    let rarer = enough_events(&model, &labels)?;
    let scored = score(
        &model,
        &data.features_of(&tables, &model.specs, &snapshots)?,
    )?;
    let what = described(data, &snapshots, &labels, &scored);
    data.remark(&what);
    let at: Vec<Timestamp> = snapshots.iter().map(|snapshot| snapshot.at).collect();
    let clusters = cluster_keys(&tables, &snapshots);
    let input = CalibrationInput {
        at: &at,
        labels: &labels,
        log_odds: &scored.log_odds,
        probabilities: &scored.probabilities,
        clusters: &clusters,
    };
    if !data.config.is_flat() {
        refuse_break(data, input)?;
    }
    let has_curve = model.calibration.is_some();
    let kind = kind_of(data, input, options.kind, rarer, has_curve)?;
    let fitted = kind.fit(&labels, &scored.probabilities)?;
    if kind == CalibrationKind::Unchanged {
        model.card.limitations.push(Limitation::Other(format!(
            "checked on {what}; the percentages hold"
        )));
    } else {
        model = moved(data, model, kind, &fitted, input, &what)?;
    }
    // From here on these outcomes are known to the model.
    let until = if data.config.is_flat() {
        data.known_before.unwrap_or(Timestamp::from_micros(
            snapshots[snapshots.len() - 1].at.micros() + 1,
        ))
    } else {
        tables.observation_end
    };
    model.card.training_cutoff_micros = until.micros();
    model.card.training_cutoff = (data.write_time())(until);
    Ok(model)
}

/// The first moment whose outcomes are new to the model, or the later one that was asked for.
fn first_new(model: &Model, from: Option<Timestamp>) -> crate::Result<Timestamp> {
    let training_cutoff = Timestamp::from_micros(model.card.training_cutoff_micros);
    if from.is_some_and(|from| from < training_cutoff) {
        bail!(
            "--from lies before {}, the training cutoff of the model: these outcomes are not new to it\n  hint: name a later moment",
            model.card.training_cutoff
        );
    }
    Ok(from.unwrap_or(training_cutoff))
}

/// How many have the rarer label, which must be enough.
fn enough_events(model: &Model, labels: &[bool]) -> crate::Result<usize> {
    let wins = n_won(labels);
    let rarer = wins.min(labels.len() - wins);
    if rarer < MIN_EVENTS {
        bail!(
            "{wins} of the {} that {} matured since {} {} won: at least {MIN_EVENTS} wins and as many others are needed\n  hint: wait, or train again",
            counted(labels.len(), "snapshot"),
            agree(labels.len(), "has", "have"),
            model.card.training_cutoff,
            agree(wins, "was", "were")
        );
    }
    Ok(rarer)
}

/// How many are won.
fn n_won(labels: &[bool]) -> usize {
    labels.iter().filter(|label| **label).count()
}

/// The snapshots with what was predicted and observed, in words.
fn described(data: &Data, snapshots: &[Snapshot], labels: &[bool], scored: &Scored) -> String {
    let (write_time, wins) = (data.write_time(), n_won(labels));
    format!(
        "{} from {} to {}, {wins} won: {:.2} % predicted on average, {:.2} % observed",
        counted(labels.len(), "snapshot"),
        write_time(snapshots[0].at),
        write_time(snapshots[snapshots.len() - 1].at),
        100.0 * scored.probabilities.iter().sum::<f64>() / labels.len() as f64,
        100.0 * wins as f64 / labels.len() as f64
    )
}

/// The model with its percentages moved, and a new name; `what` are the snapshots in words.
fn moved(
    data: &Data,
    model: Model,
    kind: CalibrationKind,
    fitted: &Calibration,
    input: CalibrationInput<'_>,
    what: &str,
) -> crate::Result<Model> {
    let (before, after) = before_and_after(input, fitted)?;
    let how = match fitted {
        Calibration::Line(line) => format!(
            "log-odds move to {:+.3} {:+.3} × log-odds",
            line.intercept, line.slope
        ),
        Calibration::Curve(_) => format!(
            "percentages move along {}: 5, 20 and 50 % become {}",
            kind.name(),
            examples(fitted)
        ),
    };
    let said = format!("{how}; log-loss {before:.4} to {after:.4} on all of these snapshots");
    let mut model = fitted
        .apply(model, kind, input)?
        .with_context(|| format!("{said}: a slope that is not above 0 would turn the ranking round\n  hint: what the model learned no longer holds: train it again"))?;
    data.remark(&said);
    model
        .card
        .limitations
        .push(Limitation::Other(format!("recalibrated on {what}; {how}")));
    model.card.model_id = model.compute_id().context("cannot name the model")?;
    Ok(model)
}

/// Log-loss of the rows as they are, and after a calibration.
fn before_and_after(
    input: CalibrationInput<'_>,
    fitted: &Calibration,
) -> crate::Result<(f64, f64)> {
    let moved: Vec<f64> = input
        .log_odds
        .iter()
        .map(|&log_odds| log_odds_to_probability(fitted.at(log_odds)))
        .collect();
    Ok((
        log_loss(input.labels, input.probabilities)?,
        log_loss(input.labels, &moved)?,
    ))
}

/// What some percentages become, in words.
fn examples(fitted: &Calibration) -> String {
    let moved = |p: f64| {
        format!(
            "{:.1}",
            100.0 * log_odds_to_probability(fitted.at((p / (1.0 - p)).ln()))
        )
    };
    format!("{}, {} and {} %", moved(0.05), moved(0.2), moved(0.5))
}
