//! The ladder of shapes with the strengths that folds prefer, the same for all terms of a kind.

use leadscore_inference::{Axis, Resolution};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::trial::{Candidate, Trial, best_of, losses_of};
use crate::encoding::{Encoding, Smoothing, Strengths};
use crate::error::TrainError;
use crate::fitting::{Bench, EncodedRows, segment_tables};
use crate::loss::mean;
use crate::options::ModelKind;
use crate::shape::Shape;
use crate::splits::Fold;

/// How strongly tables are held.
pub(super) const PAIR_STRENGTHS: [f64; 2] = [20.0, 4.0];
/// Curves are tried with each of these.
const SMOOTH: [f64; 4] = [1000.0, 100.0, 10.0, 1.0];
const STEPS: [f64; 4] = [256.0, 64.0, 16.0, 4.0];

/// Curves without tables, in bins as usual.
const CURVES: Shape = Shape::Additive {
    n_pairs: 0,
    resolution: Resolution::Usual,
};

/// Every shape with the strengths that folds prefer, the same for all of its terms.
pub(super) fn ladder_on_folds(trial: Trial<'_>) -> Result<Vec<Candidate>, TrainError> {
    let options = trial.options;
    let linear_grid: Vec<Strengths> = options
        .penalties
        .iter()
        .map(|&ridge| Strengths {
            l1_ratio: options.l1_ratio,
            ..Strengths::ridge(ridge)
        })
        .collect();
    let linear = best_of(path(trial, Shape::Linear, &linear_grid)?);
    let linear_strengths = linear.given();
    let mut ladder = vec![trial.base_rate(), linear];
    if options.kind == ModelKind::Additive {
        let curves = curves(trial, linear_strengths)?;
        let strengths = curves.given();
        ladder.push(curves);
        let tables = trial.tables_tried(Resolution::Usual);
        ladder.extend(with_tables(trial, strengths, &tables)?);
        if let Some(segment) = trial.segment {
            let best = ladder[2..]
                .iter()
                .min_by(|a, b| mean(&a.losses).total_cmp(&mean(&b.losses)));
            let segmented = Shape::Segmented {
                n_pairs: best.map_or(0, |best| best.shape.tables().0),
                resolution: Resolution::Usual,
                segment,
            };
            ladder.extend(with_tables(trial, strengths, &[segmented])?);
        }
    }
    Ok(ladder)
}

/// Curves beside the lines as they were: first how far from them, then how smooth; the two hardly
/// act on one another.
fn curves(trial: Trial<'_>, of_lines: Strengths) -> Result<Candidate, TrainError> {
    let grid = STEPS.map(|steps| Strengths {
        steps,
        smooth: SMOOTH[1],
        pair: PAIR_STRENGTHS[0],
        ..of_lines
    });
    let held = best_of(path(trial, CURVES, &grid)?);
    let grid: Vec<Strengths> = SMOOTH
        .iter()
        .filter(|&&smooth| smooth != SMOOTH[1])
        .map(|&smooth| Strengths {
            smooth,
            ..held.given()
        })
        .collect();
    let mut curves = path(trial, CURVES, &grid)?;
    // In its place, behind the one smoothness that is above its own.
    curves.insert(1, held);
    Ok(best_of(curves))
}

/// Every strength of a grid on every fold.
pub(super) fn path(
    trial: Trial<'_>,
    shape: Shape,
    grid: &[Strengths],
) -> Result<Vec<Candidate>, TrainError> {
    let by_fold: Vec<Vec<Vec<f64>>> = trial
        .folds
        .par_iter()
        .map(|fold| {
            let encoding = Encoding::fit(
                trial.input.matrix,
                &fold.train,
                trial.known,
                shape.encoding_options(fold.train.len()),
            );
            rank_on_fold(trial, fold, &encoding, grid, None)
        })
        .collect::<Result<_, TrainError>>()?;
    Ok(collect(shape, grid, &by_fold))
}

/// Losses of the validation rows for each strength; `start` are coefficients of the first columns.
fn rank_on_fold(
    trial: Trial<'_>,
    fold: &Fold,
    encoding: &Encoding,
    grid: &[Strengths],
    start: Option<&Vec<f64>>,
) -> Result<Vec<Vec<f64>>, TrainError> {
    let (input, solver) = (trial.input, trial.options.solver);
    let mut bench = Bench::new(input, &fold.train, encoding, solver)?;
    if let Some(start) = start {
        bench.start_from(start.clone());
    }
    let validation = EncodedRows::new(input, encoding, &fold.validation, solver)?;
    let log_odds = validation.log_odds_of_many(&bench.rank(encoding, grid)?)?;
    Ok(log_odds
        .into_iter()
        .map(|log_odds| losses_of(input, fold, log_odds))
        .collect())
}

/// Candidates of a grid, by what each fold says of each.
fn collect(shape: Shape, grid: &[Strengths], by_fold: &[Vec<Vec<f64>>]) -> Vec<Candidate> {
    grid.iter()
        .enumerate()
        .map(|(idx, &strengths)| Candidate {
            shape,
            smoothing: Smoothing::Given(strengths),
            losses: by_fold
                .iter()
                .flat_map(|results| results[idx].iter().copied())
                .collect(),
        })
        .collect()
}

/// The curves of one fold, and the tables that they leave room for.
struct Screened<'a> {
    fold: &'a Fold,
    encoding: Encoding,
    coefficients: Vec<f64>,
    pairs: Vec<(Axis, Axis)>,
    segment_tables: Vec<(Axis, Axis)>,
}

impl<'a> Screened<'a> {
    /// At most so many tables, and those of a segment.
    fn of(
        trial: Trial<'_>,
        fold: &'a Fold,
        strengths: Strengths,
        most: usize,
        segment: Option<usize>,
    ) -> Result<Self, TrainError> {
        let (input, solver) = (trial.input, trial.options.solver);
        let options = CURVES.encoding_options(fold.train.len());
        let encoding = Encoding::fit(input.matrix, &fold.train, trial.known, options);
        let bench = Bench::new(input, &fold.train, &encoding, solver)?;
        let coefficients = bench.rough(&encoding, strengths)?;
        let pairs = bench.pairs(&encoding, options, &coefficients, most)?;
        let segment_tables = segment
            .map(|segment| {
                segment_tables(
                    input,
                    &fold.train,
                    &encoding,
                    &coefficients,
                    segment,
                    options,
                )
            })
            .unwrap_or_default();
        Ok(Self {
            fold,
            encoding,
            coefficients,
            pairs,
            segment_tables,
        })
    }

    /// Losses of curves with so many tables, perhaps with those of a segment.
    fn rank(
        &self,
        trial: Trial<'_>,
        n_pairs: usize,
        has_segment: bool,
        grid: &[Strengths],
    ) -> Result<Vec<Vec<f64>>, TrainError> {
        let own = self.segment_tables.iter().filter(|_| has_segment);
        let encoding = self
            .encoding
            .clone()
            .with_pairs(self.pairs.iter().take(n_pairs).chain(own).cloned());
        rank_on_fold(trial, self.fold, &encoding, grid, Some(&self.coefficients))
    }
}

/// Curves with tables, for each of these shapes the better strength; no candidate where there is no
/// table to try.
fn with_tables(
    trial: Trial<'_>,
    strengths: Strengths,
    shapes: &[Shape],
) -> Result<Vec<Candidate>, TrainError> {
    let most = shapes
        .iter()
        .map(|shape| shape.tables().0)
        .max()
        .unwrap_or(0);
    let segment = shapes.iter().find_map(|shape| shape.tables().1);
    let screened: Vec<Screened<'_>> = trial
        .folds
        .par_iter()
        .map(|fold| Screened::of(trial, fold, strengths, most, segment))
        .collect::<Result<_, TrainError>>()?;
    let most_found = screened
        .iter()
        .map(|screened| screened.pairs.len())
        .max()
        .unwrap_or(0);
    let grid = PAIR_STRENGTHS.map(|pair| Strengths { pair, ..strengths });
    with_at_most(shapes, most_found)
        .into_iter()
        .map(|shape| {
            let (n_pairs, segment) = shape.tables();
            let by_fold: Vec<Vec<Vec<f64>>> = screened
                .par_iter()
                .map(|screened| screened.rank(trial, n_pairs, segment.is_some(), &grid))
                .collect::<Result<_, TrainError>>()?;
            Ok(best_of(collect(shape, &grid, &by_fold)))
        })
        .collect()
}

/// Shapes with no more tables than were found; none twice, and none that is left without a table.
fn with_at_most(shapes: &[Shape], most_found: usize) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = shapes
        .iter()
        .map(|shape| match *shape {
            Shape::Additive {
                n_pairs,
                resolution,
            } => Shape::Additive {
                n_pairs: n_pairs.min(most_found),
                resolution,
            },
            Shape::BaseRate | Shape::Linear | Shape::Segmented { .. } => *shape,
        })
        .filter(|shape| !matches!(shape, Shape::Additive { n_pairs: 0, .. }))
        .collect();
    shapes.dedup();
    shapes
}
