//! What a choice is measured by: rows that the fit had not seen.

use leadscore_core::{count, counted, log_odds_to_probability};
use leadscore_inference::WithAndWithout;
use leadscore_metrics::{MetricError, average_precision, brier_loss, log_loss, roc_auc};

use crate::encoding::Beforehand;
use crate::error::TrainError;
use crate::fitting::fit_shape;
use crate::input::TrainInput;
use crate::leaks::{LeakFinding, LeakVerdict};
use crate::options::{SolverKind, TrainOptions};
use crate::selection::Choice;
use crate::splits::{Fold, lead_folds};

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

/// A choice, and the rows that it is measured on.
#[derive(Clone, Copy)]
pub(crate) struct Measurement<'a> {
    pub(crate) input: TrainInput<'a>,
    /// The latest rows; `None` where the history is too short.
    pub(crate) latest: Option<&'a Fold>,
    pub(crate) choice: &'a Choice,
    pub(crate) solver: SolverKind,
}

impl Measurement<'_> {
    /// Measures on the latest rows, or where there is no such fold on all of them.
    pub(crate) fn held_out(self, known: &Beforehand) -> Result<Holdout, TrainError> {
        match self.latest {
            Some(fold) => self.measure(fold, known),
            None => self.cross_validate(known),
        }
    }

    /// What the held-out rows say of a fit that is denied an attribute, for each that is suspicious
    /// and used.
    pub(crate) fn without_suspicious(
        self,
        known: &Beforehand,
        leaks: &[LeakFinding],
        holdout: &Holdout,
        options: &TrainOptions,
    ) -> Result<Vec<(String, WithAndWithout)>, TrainError> {
        let labels: Vec<bool> = holdout
            .rows
            .iter()
            .map(|&row| self.input.labels[row])
            .collect();
        let figures = |probabilities: &[f64]| {
            Some((
                log_loss(&labels, probabilities).ok()?,
                roc_auc(&labels, probabilities).ok()?,
            ))
        };
        let Some((log_loss_with, roc_auc_with)) = figures(&holdout.probabilities) else {
            return Ok(Vec::new());
        };
        let is_used = |finding: &&LeakFinding| {
            finding.verdict == LeakVerdict::Suspicious
                || finding.verdict == LeakVerdict::Proven && options.allow_leaks
        };
        let mut suspicious: Vec<&LeakFinding> = leaks.iter().filter(is_used).collect();
        suspicious.sort_by(|a, b| b.verdict.cmp(&a.verdict).then(b.auc.total_cmp(&a.auc)));
        let mut found = Vec::new();
        for finding in suspicious.into_iter().take(MAX_DENIED) {
            let denied = Beforehand {
                skip: known
                    .skip
                    .iter()
                    .cloned()
                    .chain([finding.feature.clone()])
                    .collect(),
                ..known.clone()
            };
            // Without it nothing may be left to fit.
            let Ok(other) = self.held_out(&denied) else {
                continue;
            };
            if let Some((log_loss_without, roc_auc_without)) = figures(&other.probabilities) {
                found.push((
                    finding.feature.clone(),
                    WithAndWithout {
                        log_loss_with,
                        log_loss_without,
                        roc_auc_with,
                        roc_auc_without,
                    },
                ));
            }
        }
        Ok(found)
    }

    /// Measures every row by a fit that has not seen its lead.
    fn cross_validate(self, known: &Beforehand) -> Result<Holdout, TrainError> {
        let input = self.input;
        let rows: Vec<usize> = (0..input.labels.len()).collect();
        let folds = lead_folds(input.clusters, input.labels, &rows);
        let mut measured: Vec<(usize, f64)> = Vec::new();
        for fold in &folds {
            let part = self.measure(fold, known)?;
            measured.extend(part.rows.into_iter().zip(part.probabilities));
        }
        measured.sort_unstable_by_key(|(row, _)| *row);
        let description = format!(
            "{}, each by one of {} that had not seen its lead; later leads helped to judge earlier ones",
            counted(measured.len(), "snapshot"),
            counted(folds.len(), "fit")
        );
        let (rows, probabilities) = measured.into_iter().unzip();
        Ok(Holdout {
            description,
            rows,
            probabilities,
        })
    }

    /// Fits on the rows before, measures on the latest ones.
    fn measure(self, fold: &Fold, known: &Beforehand) -> Result<Holdout, TrainError> {
        let Self {
            input,
            choice,
            solver,
            ..
        } = self;
        let fitted = fit_shape(
            input,
            &fold.train,
            known,
            choice.shape,
            choice.smoothing,
            solver,
        )?;
        let cut = fold
            .validation
            .first()
            .map(|&row| input.matrix.keys()[row].at);
        let fitted = fitted.with_unripe(input, &fold.train, cut, choice.half_life)?;
        let description = format!(
            "latest {}, by {} fitted on the {} whose windows had ended before",
            counted(fold.validation.len(), "snapshot"),
            choice.shape.named(),
            count(fold.train.len())
        );
        let found = probabilities(fitted.log_odds(input, &fold.validation)?);
        Ok(Holdout {
            description,
            rows: fold.validation.clone(),
            probabilities: found,
        })
    }
}

/// Suspicious attributes that are each denied to a fit, the most suspicious first; more are left as
/// they are.
const MAX_DENIED: usize = 5;

/// The probabilities of these log-odds.
pub(crate) fn probabilities(log_odds: Vec<f64>) -> Vec<f64> {
    log_odds.into_iter().map(log_odds_to_probability).collect()
}

/// Named figures of held-out rows, as the card has them.
pub(crate) fn metrics(labels: &[bool], probabilities: &[f64]) -> Vec<(String, f64)> {
    let n_rows = labels.len();
    let mut metrics = vec![("n_snapshots".to_owned(), n_rows as f64)];
    let mut push = |name: &str, value: Result<f64, MetricError>| {
        metrics.extend(value.ok().map(|value| (name.to_owned(), value)));
    };
    let rate = labels.iter().filter(|label| **label).count() as f64 / n_rows.max(1) as f64;
    push("win_rate", Ok(rate));
    push(
        "mean_probability",
        Ok(probabilities.iter().sum::<f64>() / n_rows.max(1) as f64),
    );
    push("roc_auc", roc_auc(labels, probabilities));
    push(
        "average_precision",
        average_precision(labels, probabilities),
    );
    push("log_loss", log_loss(labels, probabilities));
    push("base_log_loss", log_loss(labels, &vec![rate; n_rows]));
    push("brier_loss", brier_loss(labels, probabilities));
    metrics
}
