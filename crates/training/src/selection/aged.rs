//! How fast rows lose weight with age: the half-life by which straight lines predict later rows
//! best.

use leadscore_core::Span;
use leadscore_inference::{Alternative, Challenge};
use leadscore_metrics::paired_difference;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::challenge::{TWO_ERRORS, challenge, is_lower};
use super::trial::{AS_ESTIMATED, Trial, losses_of};
use crate::effective_size::effective_size;
use crate::error::TrainError;
use crate::fitting::{Estimated, design_effect};
use crate::input::TrainInput;
use crate::loss::mean;
use crate::options::TrainOptions;
use crate::penalty_rule::MIN_CLUSTERS_FOR_REML;
use crate::recency::{HALF_LIVES_IN_DAYS, HalfLife, weighted};
use crate::shape::Shape;
use crate::splits::{Fold, SplitKind};

/// A half-life and what led to it.
pub(super) struct Aged {
    pub(super) half_life: Option<Span>,
    pub(super) challenges: Vec<Challenge>,
    /// Straight lines on each fold by it, where they were estimated.
    pub(super) lines: Option<Vec<Estimated>>,
}

impl Aged {
    /// The half-life that was asked for, or the one that folds of this kind prefer.
    pub(super) fn of(trial: Trial<'_>, kind: SplitKind) -> Result<Self, TrainError> {
        let Trial { input, options, .. } = trial;
        if options.half_life == HalfLife::Chosen
            && options.reml == Some(true)
            && kind == SplitKind::PurgedForward
            && input.horizon.is_some()
        {
            return chosen_half_life(trial);
        }
        Ok(Self {
            half_life: given_half_life(options),
            challenges: Vec::new(),
            lines: None,
        })
    }
}

/// Straight lines on each fold.
pub(super) fn estimated_lines(trial: Trial<'_>) -> Result<Vec<Estimated>, TrainError> {
    let Trial { input, known, .. } = trial;
    let of_fold = |fold: &Fold| {
        Estimated::begin(
            input,
            &fold.train,
            known,
            Shape::Linear,
            design_effect(input, &fold.train, known)?,
        )
    };
    trial.folds.par_iter().map(of_fold).collect()
}

/// What was asked for.
pub(super) fn given_half_life(options: &TrainOptions) -> Option<Span> {
    match options.half_life {
        HalfLife::Given(half_life) => Some(half_life),
        HalfLife::Chosen | HalfLife::Never => None,
    }
}

/// The half-life by which straight lines predict later rows best, if that is better by two standard
/// errors than none.
///
/// Straight lines stand for what richer shapes would say of it, which would take many times as
/// long.
fn chosen_half_life(trial: Trial<'_>) -> Result<Aged, TrainError> {
    let Trial {
        input,
        folds,
        clusters,
        ..
    } = trial;
    let lines = |input: TrainInput<'_>| {
        let found = estimated_lines(Trial { input, ..trial })?;
        let losses = folds.par_iter().zip(&found).map(|(fold, found)| {
            Ok(losses_of(
                input,
                fold,
                found.log_odds(input, &fold.train, &fold.validation, AS_ESTIMATED)?,
            ))
        });
        let losses = losses.collect::<Result<Vec<_>, TrainError>>()?.concat();
        Ok::<_, TrainError>((found, losses))
    };
    let (found, mut best) = lines(input)?;
    let mut aged = Aged {
        half_life: None,
        challenges: Vec::new(),
        lines: Some(found),
    };
    for days in HALF_LIVES_IN_DAYS {
        let half_life = Span::from_days(days);
        let weights = weighted(input, Some(half_life)).unwrap_or_default();
        let says_enough = |fold: &Fold| {
            [true, false].iter().all(|&wanted| {
                let rows = fold
                    .train
                    .iter()
                    .filter(|&&row| input.labels[row] == wanted);
                effective_size(rows.map(|&row| weights[row])) >= MIN_CLUSTERS_FOR_REML as f64
            })
        };
        if !folds.iter().all(says_enough) {
            break;
        }
        let (found, losses) = lines(TrainInput {
            weights: Some(&weights),
            ..input
        })?;
        let difference = paired_difference(&losses, &best, clusters);
        let is_better = is_lower(&difference, TWO_ERRORS) && is_steady(folds, &losses, &best);
        let named = |half_life: Option<Span>| {
            half_life.map_or(Alternative::AllAlike, Alternative::HalfLife)
        };
        aged.challenges.push(challenge(
            (named(Some(half_life)), named(aged.half_life)),
            &difference,
            is_better,
            TWO_ERRORS,
            clusters,
        ));
        if is_better {
            best = losses;
            (aged.half_life, aged.lines) = (Some(half_life), Some(found));
        }
    }
    Ok(aged)
}

/// Whether losses are lower in all folds but one: errors of the same weeks are alike, which a
/// standard error by lead does not see.
fn is_steady(folds: &[Fold], losses: &[f64], than: &[f64]) -> bool {
    let mut first = 0;
    let is_lower = folds.iter().filter(|fold| {
        let own = first..first + fold.validation.len();
        first = own.end;
        mean(&losses[own.clone()]) < mean(&than[own])
    });
    is_lower.count() + 1 >= folds.len().max(2)
}
