//! The ladder of shapes whose terms have strengths of their own, as the training rows of each fold
//! have them.

use leadscore_inference::{Axis, Resolution};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::on_folds::path;
use super::trial::{AS_ESTIMATED, Candidate, Trial, best_of, losses_of};
use crate::encoding::{Smoothing, Strengths};
use crate::error::TrainError;
use crate::fitting::Estimated;
use crate::options::ModelKind;
use crate::shape::Shape;

/// What they are multiplied with where that pays.
const STIFFER: [f64; 2] = [10.0, 100.0];

/// Every shape with strengths of its own for each term; `straight` are the lines of each fold.
pub(super) fn ladder_by_reml(
    trial: Trial<'_>,
    straight: &[Estimated],
) -> Result<Vec<Candidate>, TrainError> {
    let base = trial.base_rate();
    let lines = lines(trial, straight, &base)?;
    let mut ladder = vec![base, lines];
    if trial.options.kind == ModelKind::Additive {
        let (curves, found) = curves(trial, straight)?;
        let (resolution, stiffer) = (curves.shape.resolution(), curves.smoothing.stiffer());
        ladder.push(curves);
        ladder.extend(with_tables(trial, &found, resolution, stiffer)?);
    }
    Ok(ladder)
}

/// A shape as it was found on each fold, on the validation rows.
fn measured(
    trial: Trial<'_>,
    shape: Shape,
    found: &[Estimated],
    stiffer: f64,
) -> Result<Candidate, TrainError> {
    let input = trial.input;
    let losses = trial.folds.par_iter().zip(found).map(|(fold, found)| {
        Ok(losses_of(
            input,
            fold,
            found.log_odds(input, &fold.train, &fold.validation, stiffer)?,
        ))
    });
    let losses: Vec<Vec<f64>> = losses.collect::<Result<_, TrainError>>()?;
    Ok(Candidate {
        shape,
        smoothing: Smoothing::Reml { stiffer },
        losses: losses.concat(),
    })
}

/// The same held more tightly, where that pays.
fn stiffened(
    trial: Trial<'_>,
    own: Candidate,
    found: &[Estimated],
) -> Result<Candidate, TrainError> {
    STIFFER.iter().try_fold(own, |best, &stiffer| {
        let next = measured(trial, best.shape, found, stiffer)?;
        Ok(if trial.is_better(&next, &best) {
            next
        } else {
            best
        })
    })
}

/// Straight lines.
fn lines(
    trial: Trial<'_>,
    straight: &[Estimated],
    base: &Candidate,
) -> Result<Candidate, TrainError> {
    let as_estimated = measured(trial, Shape::Linear, straight, AS_ESTIMATED)?;
    let lines = stiffened(trial, as_estimated, straight)?;
    if trial.is_better(&lines, base) {
        return Ok(lines);
    }
    // Later rows are unlike earlier ones, or there is little to learn: then one strength for all
    // may be the safer one.
    let grid: Vec<Strengths> = trial
        .options
        .penalties
        .iter()
        .map(|&ridge| Strengths::ridge(ridge))
        .collect();
    let of_grid = best_of(path(trial, Shape::Linear, &grid)?);
    Ok(best_of(vec![lines, of_grid]))
}

/// Curves in bins as fine as pays, and what they are on each fold.
fn curves(
    trial: Trial<'_>,
    straight: &[Estimated],
) -> Result<(Candidate, Vec<Estimated>), TrainError> {
    let Trial {
        input,
        folds,
        known,
        ..
    } = trial;
    let in_bins = |resolution: Resolution| Shape::Additive {
        n_pairs: 0,
        resolution,
    };
    let shape = in_bins(Resolution::Usual);
    let coarse = folds.par_iter().zip(straight).map(|(fold, lines)| {
        Estimated::begin(input, &fold.train, known, shape, lines.design_effect())
    });
    let coarse: Vec<Estimated> = coarse.collect::<Result<_, TrainError>>()?;
    let mut best: Option<(Candidate, Vec<Estimated>)> = None;
    for resolution in Resolution::ALL {
        let finer = folds
            .par_iter()
            .zip(&coarse)
            .map(|(fold, found)| found.refined(input, &fold.train, resolution));
        let finer: Vec<Estimated> = finer.collect::<Result<_, TrainError>>()?;
        let candidate = measured(trial, in_bins(resolution), &finer, AS_ESTIMATED)?;
        // Finer bins let a smooth curve be jagged: they have to pay, as a richer shape has to.
        if best
            .as_ref()
            .is_none_or(|(best, _)| trial.is_better(&candidate, best))
        {
            best = Some((candidate, finer));
        }
    }
    let (curves, found) = best.expect("resolutions were tried");
    Ok((stiffened(trial, curves, &found)?, found))
}

/// Curves with tables, and with those of a segment.
fn with_tables(
    trial: Trial<'_>,
    found: &[Estimated],
    resolution: Resolution,
    stiffer: f64,
) -> Result<Vec<Candidate>, TrainError> {
    let Trial { input, folds, .. } = trial;
    let tables = trial.tables_tried(resolution);
    let most = tables
        .iter()
        .map(|shape| shape.tables().0)
        .max()
        .unwrap_or(0);
    let pairs = folds.par_iter().zip(found).map(|(fold, found)| {
        if most > 0 {
            found.pairs(input, &fold.train, resolution, most)
        } else {
            Ok(Vec::new())
        }
    });
    let pairs: Vec<Vec<(Axis, Axis)>> = pairs.collect::<Result<_, TrainError>>()?;
    let most_found = pairs.iter().map(Vec::len).max().unwrap_or(0);
    let of_segment = trial.segment.map(|segment| Shape::Segmented {
        n_pairs: 0,
        resolution,
        segment,
    });
    let mut candidates = Vec::new();
    let mut last = 0;
    for shape in tables.into_iter().chain(of_segment) {
        let (n_pairs, segment) = shape.tables();
        // As many tables as the one before is the one before.
        if segment.is_none() && n_pairs.min(most_found) == last {
            continue;
        }
        last = n_pairs.min(most_found);
        let with = folds
            .par_iter()
            .zip(found)
            .zip(&pairs)
            .map(|((fold, found), pairs)| {
                let mut pairs: Vec<(Axis, Axis)> = pairs.iter().take(n_pairs).cloned().collect();
                pairs.extend(segment.into_iter().flat_map(|segment| {
                    found.segment_tables(input, &fold.train, resolution, segment)
                }));
                found.with_tables(input, &fold.train, pairs)
            });
        let with = with.collect::<Result<Vec<_>, TrainError>>()?;
        candidates.push(measured(trial, shape, &with, stiffer)?);
    }
    Ok(candidates)
}
