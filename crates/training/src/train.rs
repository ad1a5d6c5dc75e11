//! Training, top to bottom: judge the data, hold out the latest, choose a penalty, measure once, refit on all.

use leadscore_core::{FeatureMatrix, Span, Timestamp, log_odds_to_probability};
use leadscore_inference::{Card, DataVerdict, Model, quartile_edges};
use leadscore_metrics::log_loss;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use sha2::{Digest, Sha256};

use crate::encoder::{Dropped, Encoder, FittedEncoder};
use crate::error::TrainError;
use crate::leaks::{LeakFinding, LeakVerdict, find_leaks};
use crate::logistic::{LogisticFit, LogisticOptions, fit_logistic};
use crate::splits::{Fold, SplitKind, holdout, lead_folds, validation_folds};
use crate::sufficiency::judge_data;

/// What is learned from: one entry a row in each, rows in order of time, then lead.
#[derive(Debug, Clone, Copy)]
pub struct TrainInput<'a> {
    /// The features.
    pub matrix: &'a FeatureMatrix,
    /// Whether each row was won in its window.
    pub labels: &'a [bool],
    /// The lead of each row, by [`leadscore_core::stable_hash`].
    pub lead_keys: &'a [u64],
    /// The window; `None` for a flat export.
    pub horizon: Option<Span>,
}

/// How training is done.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Penalties to choose from, largest first.
    pub penalties: Vec<f64>,
    /// Rows that the choice of a penalty looks at, default 30 000, whole leads at random; the final fit sees all.
    pub max_selection_rows: usize,
    /// Which rows are measured on; default: the latest.
    pub evaluation: EvaluationKind,
    /// Train although there is too little data.
    pub allow_too_few: bool,
    /// Train on attributes that are proven to know the outcome.
    pub allow_leaks: bool,
    /// Columns of the leads that have a history, and so are not suspected.
    pub with_history: Vec<String>,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            penalties: vec![1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3],
            max_selection_rows: 30_000,
            evaluation: EvaluationKind::Latest,
            allow_too_few: false,
            allow_leaks: false,
            with_history: Vec::new(),
        }
    }
}

/// Which rows a model is measured on before the last fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvaluationKind {
    /// The latest fifth, by a fit on what came before; where the history is too short, out of fold.
    Latest,
    /// All rows, each by a fit that has not seen its lead; time is not respected.
    CrossValidated,
}

/// What the card says beyond what training finds out.
#[derive(Debug, Clone)]
pub struct TrainContext {
    /// Version of the program.
    pub tool_version: String,
    /// The last moment that the data spoke of.
    pub known_until: Timestamp,
    /// How moments are written: as times, or as order values in a flat export.
    pub write_time: fn(Timestamp) -> String,
    /// Ages of the snapshots, if not by calendar.
    pub ages: Option<Vec<Span>>,
    /// What anyone who uses the model should know.
    pub caveats: Vec<String>,
}

/// A model and everything that was found on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The model, fitted on all rows.
    pub model: Model,
    /// What was measured before the last fit.
    pub holdout: Holdout,
    /// Verdicts on attributes.
    pub leaks: Vec<LeakFinding>,
    /// Features that were left out.
    pub dropped: Vec<Dropped>,
}

/// Rows that the measured fit had not seen, with its probabilities.
#[derive(Debug, Clone, PartialEq)]
pub struct Holdout {
    /// How they were chosen, in words.
    pub description: String,
    /// The rows.
    pub rows: Vec<usize>,
    /// Their probabilities.
    pub probabilities: Vec<f64>,
}

/// Trains a model.
///
/// # Errors
///
/// [`TrainError`] where there is nothing to learn from or too little, only one class, or a fit that does not converge.
pub fn train(input: TrainInput<'_>, options: &TrainOptions, context: &TrainContext) -> Result<Trained, TrainError> {
    let TrainInput { matrix, labels, lead_keys, horizon } = input;
    check(input)?;
    let leaks = find_leaks(matrix, labels, lead_keys, &options.with_history);
    let skip: Vec<String> =
        leaks.iter().filter(|finding| finding.verdict == LeakVerdict::Proven && !options.allow_leaks).map(|finding| finding.feature.clone()).collect();
    let all: Vec<usize> = (0..labels.len()).collect();
    let encoder = Encoder::default().fit(matrix, &all, &skip);
    if encoder.n_columns() == 0 {
        return Err(TrainError::NoFeatures { n_features: matrix.n_features() });
    }
    let sufficiency = judge_data(labels, lead_keys, encoder.n_columns() + 1);
    if sufficiency.verdict == DataVerdict::TooFew && !options.allow_too_few {
        return Err(TrainError::TooFew { reason: sufficiency.reason });
    }
    let latest = match options.evaluation {
        EvaluationKind::Latest => holdout(matrix.keys(), lead_keys, labels, horizon),
        EvaluationKind::CrossValidated => None,
    };
    let development = latest.as_ref().map_or(&all, |fold| &fold.train);
    let selection_rows = sample_leads(lead_keys, development, options.max_selection_rows);
    let choice = choose_penalty(input, &selection_rows, &skip, options)?;
    let (holdout, start) = match &latest {
        Some(fold) => measure(input, fold, &skip, choice.penalty).map(|(holdout, fit)| (holdout, Some(fit)))?,
        None => (cross_validate(input, &skip, choice.penalty)?, None),
    };
    let design = encoder.apply(matrix, &all);
    // The measured fit saw most of these rows: a good place to start, where its columns are the same.
    let fit = fit_logistic(&design, labels, LogisticOptions { penalty: choice.penalty, ..Default::default() }, start.as_ref())?;
    let fitted: Vec<f64> = probabilities(&fit, &design);
    let mut caveats = context.caveats.clone();
    if sufficiency.verdict != DataVerdict::Enough {
        caveats.push(format!("data: {}: {}", sufficiency.verdict.name(), sufficiency.reason));
    }
    for finding in leaks.iter().filter(|finding| finding.verdict != LeakVerdict::Clean) {
        let what = match (finding.verdict, options.allow_leaks) {
            (LeakVerdict::Proven, false) => "knows the outcome and was left out",
            (LeakVerdict::Proven, true) => "knows the outcome and was used all the same",
            _ => "may know the outcome and was used",
        };
        caveats.push(format!("attribute `{}` {what}: {}", finding.feature, finding.evidence));
    }
    let measured: Vec<bool> = holdout.rows.iter().map(|&row| labels[row]).collect();
    let mut model = Model {
        card: Card {
            model_id: String::new(),
            tool_version: context.tool_version.clone(),
            horizon,
            snapshots_from: matrix.keys().first().map(|key| (context.write_time)(key.at)).unwrap_or_default(),
            snapshots_to: matrix.keys().last().map(|key| (context.write_time)(key.at)).unwrap_or_default(),
            known_until_micros: context.known_until.micros(),
            known_until: (context.write_time)(context.known_until),
            ages: context.ages.as_ref().map(|ages| ages.iter().map(Span::to_string).collect()),
            n_snapshots: labels.len(),
            n_leads: lead_keys.iter().collect::<std::collections::HashSet<_>>().len(),
            n_wins: labels.iter().filter(|label| **label).count(),
            sufficiency,
            penalty: choice.penalty,
            penalty_choice: choice.description,
            fit: format!("linfa-logistic {}, largest mean gradient {:.1e}", LINFA_VERSION, fit.gradient),
            evaluation: holdout.description.clone(),
            metrics: metrics(&measured, &holdout.probabilities),
            data_fingerprint: fingerprint(matrix, labels),
            caveats,
        },
        specs: matrix.specs().to_vec(),
        intercept: fit.intercept,
        terms: encoder.terms(&fit.weights, &design),
        tier_edges: quartile_edges(&fitted),
    };
    model.card.model_id = model.compute_id().map_err(|error| TrainError::Solver { reason: error.to_string() })?;
    Ok(Trained { model, holdout, leaks, dropped: encoder.dropped().to_vec() })
}

const LINFA_VERSION: &str = "0.8.1";

fn check(input: TrainInput<'_>) -> Result<(), TrainError> {
    let n_rows = input.matrix.n_rows();
    if input.labels.len() != n_rows || input.lead_keys.len() != n_rows {
        return Err(TrainError::Length { n_labels: input.labels.len(), n_rows });
    }
    let Some(&first) = input.labels.first() else {
        return Err(TrainError::NoRows { reason: "no snapshot is mature".to_owned() });
    };
    if input.labels.iter().all(|&label| label == first) {
        return Err(TrainError::OneClass { label: first, n_rows });
    }
    Ok(())
}

/// At most about `max_rows` rows, all rows of a lead or none, in order.
fn sample_leads(lead_keys: &[u64], rows: &[usize], max_rows: usize) -> Vec<usize> {
    if rows.len() <= max_rows {
        return rows.to_vec();
    }
    let share = max_rows as f64 / rows.len() as f64;
    let threshold = (share * u32::MAX as f64) as u64;
    rows.iter().copied().filter(|&row| lead_keys[row] >> 32 <= threshold).collect()
}

struct Choice {
    penalty: f64,
    description: String,
}

/// The penalty with the lowest mean log-loss over the folds.
fn choose_penalty(input: TrainInput<'_>, rows: &[usize], skip: &[String], options: &TrainOptions) -> Result<Choice, TrainError> {
    let (kind, folds) = validation_folds(input.matrix.keys(), input.lead_keys, input.labels, rows, input.horizon);
    let middle = options.penalties.get(options.penalties.len() / 2).copied().unwrap_or(1.0);
    let how = match kind {
        SplitKind::PurgedForward => "purged folds forward in time, grouped by lead",
        SplitKind::GroupedByLead => "folds by lead, not by time, because the history is too short for purged folds forward in time (or has no time)",
    };
    if folds.is_empty() {
        let description = format!("{middle}: no fold has both classes, so the middle one was taken");
        return Ok(Choice { penalty: middle, description });
    }
    let by_fold: Vec<Vec<f64>> = folds.par_iter().map(|fold| fold_losses(input, fold, skip, options)).collect::<Result<_, _>>()?;
    let losses: Vec<f64> = (0..options.penalties.len()).map(|idx| by_fold.iter().map(|losses| losses[idx]).sum::<f64>() / folds.len() as f64).collect();
    // Of equal losses the first, which is the largest penalty, wins.
    let best = (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).expect("there is at least one penalty");
    let rows_seen: usize = rows.len();
    Ok(Choice {
        penalty: options.penalties[best],
        description: format!("lowest log-loss ({:.4}) of {} penalties over {} {how}; {rows_seen} rows", losses[best], losses.len(), folds.len()),
    })
}

/// The log-loss of each penalty on one fold.
fn fold_losses(input: TrainInput<'_>, fold: &Fold, skip: &[String], options: &TrainOptions) -> Result<Vec<f64>, TrainError> {
    let (encoder, train_design) = encode(input.matrix, &fold.train, skip);
    let validation_design = encoder.apply(input.matrix, &fold.validation);
    let labels: Vec<bool> = fold.train.iter().map(|&row| input.labels[row]).collect();
    let expected: Vec<bool> = fold.validation.iter().map(|&row| input.labels[row]).collect();
    let mut losses = Vec::with_capacity(options.penalties.len());
    let mut start = None;
    for &penalty in &options.penalties {
        // A looser tolerance is enough to rank penalties: the loss is flat around each optimum.
        let fit = fit_logistic(&train_design, &labels, LogisticOptions { penalty, tolerance: 1e-5, ..Default::default() }, start.as_ref())?;
        losses.push(log_loss(&expected, &probabilities(&fit, &validation_design)).unwrap_or(f64::INFINITY));
        start = Some(fit);
        // Smaller penalties cost most and only get worse from here: the loss rose twice in a row.
        if losses.len() > 2 && losses[losses.len() - 3..].is_sorted_by(|a, b| a < b) {
            losses.resize(options.penalties.len(), f64::INFINITY);
            break;
        }
    }
    Ok(losses)
}

/// Measures every row by a fit that has not seen its lead.
fn cross_validate(input: TrainInput<'_>, skip: &[String], penalty: f64) -> Result<Holdout, TrainError> {
    let rows: Vec<usize> = (0..input.labels.len()).collect();
    let folds = lead_folds(input.lead_keys, input.labels, &rows);
    let mut measured: Vec<(usize, f64)> = Vec::new();
    for fold in &folds {
        let (part, _) = measure(input, fold, skip, penalty)?;
        measured.extend(part.rows.into_iter().zip(part.probabilities));
    }
    measured.sort_unstable_by_key(|(row, _)| *row);
    let description =
        format!("{} snapshots, each by one of {} fits that had not seen its lead; later leads helped to judge earlier ones", measured.len(), folds.len());
    let (rows, probabilities) = measured.into_iter().unzip();
    Ok(Holdout { description, rows, probabilities })
}

fn encode(matrix: &FeatureMatrix, rows: &[usize], skip: &[String]) -> (FittedEncoder, ndarray::Array2<f64>) {
    let encoder = Encoder::default().fit(matrix, rows, skip);
    let design = encoder.apply(matrix, rows);
    (encoder, design)
}

/// Fits on the rows before, measures on the latest ones.
fn measure(input: TrainInput<'_>, fold: &Fold, skip: &[String], penalty: f64) -> Result<(Holdout, LogisticFit), TrainError> {
    let (encoder, design) = encode(input.matrix, &fold.train, skip);
    let labels: Vec<bool> = fold.train.iter().map(|&row| input.labels[row]).collect();
    let fit = fit_logistic(&design, &labels, LogisticOptions { penalty, ..Default::default() }, None)?;
    let description = format!("latest {} snapshots, fitted on the {} whose windows had ended before", fold.validation.len(), fold.train.len());
    let found = probabilities(&fit, &encoder.apply(input.matrix, &fold.validation));
    Ok((Holdout { description, rows: fold.validation.clone(), probabilities: found }, fit))
}

fn probabilities(fit: &LogisticFit, design: &ndarray::Array2<f64>) -> Vec<f64> {
    let weights = ndarray::Array1::from(fit.weights.clone());
    design.dot(&weights).iter().map(|sum| log_odds_to_probability(sum + fit.intercept)).collect()
}

fn metrics(labels: &[bool], probabilities: &[f64]) -> Vec<(String, f64)> {
    let n_rows = labels.len();
    let mut metrics = vec![("n_snapshots".to_owned(), n_rows as f64)];
    let mut push = |name: &str, value: Result<f64, leadscore_metrics::MetricError>| metrics.extend(value.ok().map(|value| (name.to_owned(), value)));
    let rate = labels.iter().filter(|label| **label).count() as f64 / n_rows.max(1) as f64;
    push("win_rate", Ok(rate));
    push("mean_probability", Ok(probabilities.iter().sum::<f64>() / n_rows.max(1) as f64));
    push("roc_auc", leadscore_metrics::roc_auc(labels, probabilities));
    push("average_precision", leadscore_metrics::average_precision(labels, probabilities));
    push("log_loss", log_loss(labels, probabilities));
    push("base_log_loss", log_loss(labels, &vec![rate; n_rows]));
    push("brier_loss", leadscore_metrics::brier_loss(labels, probabilities));
    metrics
}

fn fingerprint(matrix: &FeatureMatrix, labels: &[bool]) -> String {
    let mut hasher = Sha256::new();
    for spec in matrix.specs() {
        hasher.update(spec.name.as_bytes());
        hasher.update([0]);
    }
    for (idx, column) in matrix.values().columns().into_iter().enumerate() {
        matrix.levels(idx).iter().for_each(|level| hasher.update(level.as_bytes()));
        column.iter().for_each(|value| hasher.update(value.to_bits().to_le_bytes()));
    }
    labels.iter().for_each(|&label| hasher.update([u8::from(label)]));
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
