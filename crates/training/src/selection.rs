//! Choosing on folds: the strengths with the lowest loss, and the simplest shape that later data
//! cannot tell from the best.

use leadscore_core::{FeatureSource, Span};
use leadscore_inference::{Alternative, Axis, Challenge, Resolution};
use leadscore_metrics::{PairedDifference, paired_difference};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::coding::{Beforehand, Coding, Smoothing, Strengths};
use crate::error::TrainError;
use crate::fitting::{
    Bench, CodedRows, Estimated, Shape, SolverKind, design_effect, segment_tables,
};
use crate::recency::{HALF_LIVES_IN_DAYS, HalfLife, effective_size, weighted};
use crate::splits::{Fold, SplitKind, validation_folds};
use crate::train::{MIN_CLUSTERS_FOR_REML, ModelKind, TrainInput, TrainOptions};

/// What was chosen, and why.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) shape: Shape,
    pub(crate) smoothing: Smoothing,
    /// In what time rows lose half of their weight.
    pub(crate) half_life: Option<Span>,
    pub(crate) description: String,
    /// Each step up the ladder.
    pub(crate) challenges: Vec<Challenge>,
    /// Every shape that was tried, simplest first, with its strengths.
    pub(crate) tried: Vec<(Shape, Smoothing)>,
}

/// A candidate with its loss on every validation row of every fold.
struct Candidate {
    shape: Shape,
    smoothing: Smoothing,
    losses: Vec<f64>,
}

/// How strongly tables are held.
const PAIR_STRENGTHS: [f64; 2] = [20.0, 4.0];
/// Curves are tried with each of these.
const SMOOTH: [f64; 4] = [1000.0, 100.0, 10.0, 1.0];
const STEPS: [f64; 4] = [256.0, 64.0, 16.0, 4.0];

/// What estimated strengths are multiplied with where rows are alike in time.
const AS_ESTIMATED: f64 = 1.0;
/// What they are multiplied with where that pays.
const STIFFER: [f64; 2] = [10.0, 100.0];

/// Standard errors by which a richer candidate has to be better.
const TWO_ERRORS: f64 = 1.96;

/// Whether a loss is lower by more than so many standard errors.
fn is_lower(difference: &PairedDifference, margin: f64) -> bool {
    difference.mean + margin * difference.error < 0.0
}

/// Chooses on these rows.
pub(crate) fn choose(
    input: TrainInput<'_>,
    rows: &[usize],
    known: &Beforehand,
    options: &TrainOptions,
) -> Result<Choice, TrainError> {
    let segment = options
        .segment
        .as_ref()
        .map(|column| segment_of(input, column))
        .transpose()?;
    let (kind, folds) = validation_folds(
        input.matrix.keys(),
        input.clusters,
        input.labels,
        rows,
        input.horizon,
    );
    let how = match kind {
        SplitKind::PurgedForward => "purged folds forward in time, grouped by lead",
        SplitKind::GroupedByLead => {
            "folds by lead, not by time, because the history is too short for purged folds forward in time (or has no time)"
        }
    };
    let has_time = input.matrix.keys().first().map(|key| key.at)
        != input.matrix.keys().last().map(|key| key.at);
    let is_blind_to_time = kind == SplitKind::GroupedByLead && has_time;
    if folds.is_empty() {
        let ridge = options
            .penalties
            .get(options.penalties.len() / 2)
            .copied()
            .unwrap_or(1.0);
        let strengths = Strengths {
            steps: 16.0,
            smooth: 100.0,
            pair: PAIR_STRENGTHS[0],
            l1_ratio: options.l1_ratio,
            ..Strengths::ridge(ridge)
        };
        let description = format!(
            "{ridge}: no fold has both classes, so the middle one was taken, and straight lines"
        );
        let smoothing = if options.reml == Some(true) {
            Smoothing::Reml {
                stiffer: AS_ESTIMATED,
            }
        } else {
            Smoothing::Given(strengths)
        };
        let half_life = given_half_life(options);
        return Ok(Choice {
            shape: Shape::Linear,
            smoothing,
            half_life,
            description,
            challenges: Vec::new(),
            tried: vec![(Shape::Linear, smoothing)],
        });
    }
    let clusters: Vec<u64> = folds
        .iter()
        .flat_map(|fold| fold.validation.iter().map(|&row| input.clusters[row]))
        .collect();
    let mut aged = if options.half_life == HalfLife::Chosen
        && options.reml == Some(true)
        && kind == SplitKind::PurgedForward
        && input.horizon.is_some()
    {
        chosen_half_life(input, (&folds, known, &clusters))?
    } else {
        Aged {
            half_life: given_half_life(options),
            challenges: Vec::new(),
            lines: None,
        }
    };
    let weights = weighted(input, aged.half_life);
    let counted = weights
        .as_ref()
        .map(|weights| effective_size(rows.iter().map(|&row| weights[row])));
    let input = TrainInput {
        weights: weights.as_deref().or(input.weights),
        ..input
    };
    let base = base_rate(input, &folds);
    let ladder = if options.reml == Some(true) {
        let lines = aged
            .lines
            .take()
            .map_or_else(|| estimated_lines(input, &folds, known), Ok)?;
        estimated(
            input,
            (&folds, known, &clusters),
            base,
            lines,
            segment,
            is_blind_to_time,
            options,
        )?
    } else {
        on_folds(
            input,
            (&folds, known),
            base,
            segment,
            is_blind_to_time,
            options,
        )?
    };
    let as_many = counted.map_or(String::new(), |counted| {
        format!(" that count as much as {counted:.0} of one age")
    });
    Ok(choose_from(
        ladder,
        aged,
        &clusters,
        options,
        &format!("over {} {how}; {} rows{as_many}", folds.len(), rows.len()),
    ))
}

/// The shapes with tables: a few, and as many as may be.
fn tables_tried(
    resolution: Resolution,
    is_blind_to_time: bool,
    options: &TrainOptions,
) -> Vec<Shape> {
    let mut n_pairs = vec![options.max_pairs.div_ceil(3), options.max_pairs];
    n_pairs.dedup();
    // Only what holds later is worth a table, and folds by lead do not tell.
    n_pairs.retain(|&n_pairs| n_pairs > 0 && !is_blind_to_time);
    n_pairs
        .into_iter()
        .map(|n_pairs| Shape::Additive {
            n_pairs,
            resolution,
        })
        .collect()
}

/// Every shape with strengths of its own for each term, as the training rows of each fold have
/// them.
fn estimated(
    input: TrainInput<'_>,
    (folds, known, clusters): (&[Fold], &Beforehand, &[u64]),
    base: Candidate,
    straight: Vec<Estimated>,
    segment: Option<usize>,
    is_blind_to_time: bool,
    options: &TrainOptions,
) -> Result<Vec<Candidate>, TrainError> {
    let is_better = |candidate: &Candidate, than: &Candidate| {
        is_lower(
            &paired_difference(&candidate.losses, &than.losses, clusters),
            TWO_ERRORS,
        )
    };
    let at = |shape: Shape, found: &[Estimated], stiffer: f64| {
        let losses = folds.par_iter().zip(found).map(|(fold, found)| {
            Ok(losses_of(
                input,
                fold,
                found.log_odds(input, &fold.train, &fold.validation, stiffer)?,
            ))
        });
        let losses: Vec<Vec<f64>> = losses.collect::<Result<_, TrainError>>()?;
        Ok::<_, TrainError>(Candidate {
            shape,
            smoothing: Smoothing::Reml { stiffer },
            losses: losses.concat(),
        })
    };
    let stiffened = |own: Candidate, found: &[Estimated]| {
        STIFFER.iter().try_fold(own, |best, &stiffer| {
            let next = at(best.shape, found, stiffer)?;
            Ok::<_, TrainError>(if is_better(&next, &best) { next } else { best })
        })
    };
    let mut lines = stiffened(at(Shape::Linear, &straight, AS_ESTIMATED)?, &straight)?;
    if !is_better(&lines, &base) {
        // Later rows are unlike earlier ones, or there is little to learn: then one strength for
        // all may be the safer one.
        let grid: Vec<Strengths> = options
            .penalties
            .iter()
            .map(|&ridge| Strengths::ridge(ridge))
            .collect();
        lines = best_of(vec![
            lines,
            best_of(path(
                input,
                folds,
                known,
                Shape::Linear,
                &grid,
                options.solver,
            )?),
        ]);
    }
    let mut ladder = vec![base, lines];
    if options.kind != ModelKind::Additive {
        return Ok(ladder);
    }
    let shape = Shape::Additive {
        n_pairs: 0,
        resolution: Resolution::Usual,
    };
    let coarse = folds.par_iter().zip(&straight).map(|(fold, lines)| {
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
        let candidate = at(
            Shape::Additive {
                n_pairs: 0,
                resolution,
            },
            &finer,
            AS_ESTIMATED,
        )?;
        // Finer bins let a smooth curve be jagged: they have to pay, as a richer shape has to.
        if best
            .as_ref()
            .is_none_or(|(best, _)| is_better(&candidate, best))
        {
            best = Some((candidate, finer));
        }
    }
    let (curves, found) = best.expect("resolutions were tried");
    let resolution = curves.shape.resolution();
    let curves = stiffened(curves, &found)?;
    let own = curves.smoothing.stiffer();
    ladder.push(curves);
    let tables = tables_tried(resolution, is_blind_to_time, options);
    let most = tables
        .iter()
        .map(|shape| shape.tables().0)
        .max()
        .unwrap_or(0);
    let pairs = folds.par_iter().zip(&found).map(|(fold, found)| {
        if most > 0 {
            found.pairs(input, &fold.train, resolution, most)
        } else {
            Ok(Vec::new())
        }
    });
    let pairs: Vec<Vec<(Axis, Axis)>> = pairs.collect::<Result<_, TrainError>>()?;
    let most_found = pairs.iter().map(Vec::len).max().unwrap_or(0);
    let mut last = 0;
    for shape in tables
        .into_iter()
        .chain(segment.map(|segment| Shape::Segmented {
            n_pairs: 0,
            resolution,
            segment,
        }))
    {
        let (n_pairs, segment) = shape.tables();
        // As many tables as the one before is the one before.
        if segment.is_none() && n_pairs.min(most_found) == last {
            continue;
        }
        last = n_pairs.min(most_found);
        let with = folds
            .par_iter()
            .zip(&found)
            .zip(&pairs)
            .map(|((fold, found), pairs)| {
                let mut pairs: Vec<(Axis, Axis)> = pairs.iter().take(n_pairs).cloned().collect();
                pairs.extend(segment.into_iter().flat_map(|segment| {
                    found.segment_tables(input, &fold.train, resolution, segment)
                }));
                found.with_tables(input, &fold.train, pairs)
            });
        ladder.push(at(
            shape,
            &with.collect::<Result<Vec<_>, TrainError>>()?,
            own,
        )?);
    }
    Ok(ladder)
}

/// Every shape with the strengths that folds prefer, the same for all of its terms.
fn on_folds(
    input: TrainInput<'_>,
    (folds, known): (&[Fold], &Beforehand),
    base: Candidate,
    segment: Option<usize>,
    is_blind_to_time: bool,
    options: &TrainOptions,
) -> Result<Vec<Candidate>, TrainError> {
    let linear_grid: Vec<Strengths> = options
        .penalties
        .iter()
        .map(|&ridge| Strengths {
            l1_ratio: options.l1_ratio,
            ..Strengths::ridge(ridge)
        })
        .collect();
    let linear = best_of(path(
        input,
        folds,
        known,
        Shape::Linear,
        &linear_grid,
        options.solver,
    )?);
    let linear_strengths = given(&linear);
    let mut ladder = vec![base, linear];
    if options.kind == ModelKind::Additive {
        // Beside the lines as they were: first how far from them, then how smooth; the two hardly
        // act on one another.
        let shape = Shape::Additive {
            n_pairs: 0,
            resolution: Resolution::Usual,
        };
        let grid = STEPS.map(|steps| Strengths {
            steps,
            smooth: SMOOTH[1],
            pair: PAIR_STRENGTHS[0],
            ..linear_strengths
        });
        let held = best_of(path(input, folds, known, shape, &grid, options.solver)?);
        let grid: Vec<Strengths> = SMOOTH
            .iter()
            .filter(|&&smooth| smooth != SMOOTH[1])
            .map(|&smooth| Strengths {
                smooth,
                ..given(&held)
            })
            .collect();
        let mut curves = path(input, folds, known, shape, &grid, options.solver)?;
        // In its place, behind the one smoothness that is above its own.
        curves.insert(1, held);
        let curves = best_of(curves);
        let strengths = given(&curves);
        ladder.push(curves);
        ladder.extend(with_tables(
            input,
            folds,
            known,
            strengths,
            &tables_tried(Resolution::Usual, is_blind_to_time, options),
            options.solver,
        )?);
        if let Some(segment) = segment {
            let best = ladder[2..]
                .iter()
                .min_by(|a, b| mean(&a.losses).total_cmp(&mean(&b.losses)));
            let n_pairs = best.map_or(0, |best| best.shape.tables().0);
            ladder.extend(with_tables(
                input,
                folds,
                known,
                strengths,
                &[Shape::Segmented {
                    n_pairs,
                    resolution: Resolution::Usual,
                    segment,
                }],
                options.solver,
            )?);
        }
    }
    Ok(ladder)
}

/// The strengths of a candidate that has one for all terms.
fn given(candidate: &Candidate) -> Strengths {
    match candidate.smoothing {
        Smoothing::Given(strengths) => strengths,
        Smoothing::Reml { .. } => unreachable!("folds chose these"),
    }
}

/// The simplest that later data cannot tell from the best.
fn choose_from(
    ladder: Vec<Candidate>,
    aged: Aged,
    clusters: &[u64],
    options: &TrainOptions,
    measured_on: &str,
) -> Choice {
    // As the rule of Breiman et al. (1984), section 3.4.3, but with the standard error of the
    // difference on the same rows, by lead, and with two of them: what ships is what the interval
    // in the report says. Between strengths of one shape such a rule cost log-loss on later data
    // wherever it was tried.
    let mut chosen = 0;
    let Aged {
        half_life,
        mut challenges,
        lines: _,
    } = aged;
    // Up the ladder, a step at a time: a richer candidate has to be better than what stands by more
    // than chance.
    for step in 1..ladder.len() {
        let difference = paired_difference(&ladder[step].losses, &ladder[chosen].losses, clusters);
        // Who wants a model from too little data gets one that is better by anything like a
        // standard error.
        let is_forced = ladder[chosen].shape == Shape::BaseRate && options.allow_too_few;
        let margin = if is_forced { 1.0 } else { TWO_ERRORS };
        let is_better = is_lower(&difference, margin);
        let against = (ladder[step].shape, ladder[chosen].shape);
        let shipped = if is_better { step } else { chosen };
        challenges.push(challenge(
            (against.0.named(), against.1.named()),
            &difference,
            is_better,
            margin,
            clusters,
        ));
        chosen = shipped;
    }
    let best = &ladder[chosen];
    let mut description = format!(
        "{} (log-loss {:.4}): nothing that was tried is better by two standard errors, {measured_on}",
        best.shape.named(),
        mean(&best.losses),
    );
    let tried = ladder
        .iter()
        .map(|candidate| (candidate.shape, candidate.smoothing))
        .collect();
    if let Some(half_life) = half_life {
        description.push_str(&format!("; {}", Alternative::HalfLife(half_life)));
    }
    Choice {
        shape: best.shape,
        smoothing: best.smoothing,
        half_life,
        description,
        challenges,
        tried,
    }
}

/// A step that was tried.
fn challenge(
    (richer, simpler): (Alternative, Alternative),
    difference: &PairedDifference,
    is_better: bool,
    margin: f64,
    clusters: &[u64],
) -> Challenge {
    Challenge {
        shipped: if is_better {
            richer.clone()
        } else {
            simpler.clone()
        },
        richer,
        simpler,
        log_loss_difference: difference.mean,
        low: difference.mean - 1.96 * difference.error,
        high: difference.mean + 1.96 * difference.error,
        n_snapshots: clusters.len() as u64,
        reason: reason(difference, is_better, margin),
    }
}

/// A half-life and what led to it.
struct Aged {
    half_life: Option<Span>,
    challenges: Vec<Challenge>,
    /// Straight lines on each fold by it, where they were estimated.
    lines: Option<Vec<Estimated>>,
}

/// Straight lines on each fold.
fn estimated_lines(
    input: TrainInput<'_>,
    folds: &[Fold],
    known: &Beforehand,
) -> Result<Vec<Estimated>, TrainError> {
    let of_fold = |fold: &Fold| {
        Estimated::begin(
            input,
            &fold.train,
            known,
            Shape::Linear,
            design_effect(input, &fold.train, known)?,
        )
    };
    folds.par_iter().map(of_fold).collect()
}

fn given_half_life(options: &TrainOptions) -> Option<Span> {
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
fn chosen_half_life(
    input: TrainInput<'_>,
    (folds, known, clusters): (&[Fold], &Beforehand, &[u64]),
) -> Result<Aged, TrainError> {
    let lines = |input: TrainInput<'_>| {
        let found = estimated_lines(input, folds, known)?;
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

fn reason(difference: &PairedDifference, is_better: bool, margin: f64) -> String {
    let errors = if margin > 1.0 {
        "two standard errors"
    } else {
        "one standard error"
    };
    let by = format!("{:+.5} ± {:.5} log-loss", difference.mean, difference.error);
    if is_better {
        format!("better by more than {errors} ({by})")
    } else {
        format!("not better by more than {errors} ({by}), so the simpler one ships")
    }
}

/// The win rate of each fold's training rows.
fn base_rate(input: TrainInput<'_>, folds: &[Fold]) -> Candidate {
    let losses = folds
        .iter()
        .flat_map(|fold| {
            let weights = input
                .weights_of(&fold.train)
                .unwrap_or_else(|| vec![1.0; fold.train.len()]);
            let wins: f64 = fold
                .train
                .iter()
                .zip(&weights)
                .filter(|(row, _)| input.labels[**row])
                .map(|(_, weight)| weight)
                .sum();
            let rate = wins / weights.iter().sum::<f64>();
            let log_odds = (rate / (1.0 - rate)).ln();
            fold.validation
                .iter()
                .map(move |&row| loss(input.labels[row], log_odds))
        })
        .collect();
    Candidate {
        shape: Shape::BaseRate,
        smoothing: Smoothing::Given(Strengths::ridge(1.0)),
        losses,
    }
}

/// Every strength of a grid on every fold.
fn path(
    input: TrainInput<'_>,
    folds: &[Fold],
    known: &Beforehand,
    shape: Shape,
    grid: &[Strengths],
    solver: SolverKind,
) -> Result<Vec<Candidate>, TrainError> {
    let by_fold: Vec<Vec<Vec<f64>>> = folds
        .par_iter()
        .map(|fold| {
            let coding = Coding::fit(
                input.matrix,
                &fold.train,
                known,
                shape.coding_options(fold.train.len()),
            );
            rank_on_fold(input, fold, &coding, grid, None, solver)
        })
        .collect::<Result<_, TrainError>>()?;
    Ok(collect(shape, grid, &by_fold))
}

/// Losses of the validation rows for each strength; `start` are coefficients of the first columns.
fn rank_on_fold(
    input: TrainInput<'_>,
    fold: &Fold,
    coding: &Coding,
    grid: &[Strengths],
    start: Option<&Vec<f64>>,
    solver: SolverKind,
) -> Result<Vec<Vec<f64>>, TrainError> {
    let mut bench = Bench::new(input, &fold.train, coding, solver)?;
    if let Some(start) = start {
        bench.start_from(start.clone());
    }
    let validation = CodedRows::new(input, coding, &fold.validation, solver)?;
    let log_odds = validation.log_odds_of_many(&bench.rank(coding, grid)?)?;
    Ok(log_odds
        .into_iter()
        .map(|log_odds| losses_of(input, fold, log_odds))
        .collect())
}

/// Losses of the validation rows with these log-odds.
fn losses_of(input: TrainInput<'_>, fold: &Fold, log_odds: Vec<f64>) -> Vec<f64> {
    fold.validation
        .iter()
        .zip(log_odds)
        .map(|(&row, log_odds)| loss(input.labels[row], log_odds))
        .collect()
}

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
    coding: Coding,
    coefficients: Vec<f64>,
    pairs: Vec<(Axis, Axis)>,
    segment_tables: Vec<(Axis, Axis)>,
}

/// Curves with tables, for each of these shapes the better strength; no candidate where there is no
/// table to try.
fn with_tables(
    input: TrainInput<'_>,
    folds: &[Fold],
    known: &Beforehand,
    strengths: Strengths,
    shapes: &[Shape],
    solver: SolverKind,
) -> Result<Vec<Candidate>, TrainError> {
    let most = shapes
        .iter()
        .map(|shape| shape.tables().0)
        .max()
        .unwrap_or(0);
    let segment = shapes.iter().find_map(|shape| shape.tables().1);
    let screened: Vec<Screened<'_>> = folds
        .par_iter()
        .map(|fold| {
            let options = Shape::Additive {
                n_pairs: 0,
                resolution: Resolution::Usual,
            }
            .coding_options(fold.train.len());
            let coding = Coding::fit(input.matrix, &fold.train, known, options);
            let bench = Bench::new(input, &fold.train, &coding, solver)?;
            let coefficients = bench.rough(&coding, strengths)?;
            let pairs = bench.pairs(&coding, options, &coefficients, most)?;
            let segment_tables = segment
                .map(|segment| {
                    segment_tables(input, &fold.train, &coding, &coefficients, segment, options)
                })
                .unwrap_or_default();
            Ok(Screened {
                fold,
                coding,
                coefficients,
                pairs,
                segment_tables,
            })
        })
        .collect::<Result<_, TrainError>>()?;
    let most_found = screened
        .iter()
        .map(|screened| screened.pairs.len())
        .max()
        .unwrap_or(0);
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
            shape => shape,
        })
        .filter(|shape| !matches!(shape, Shape::Additive { n_pairs: 0, .. }))
        .collect();
    shapes.dedup();
    let grid = PAIR_STRENGTHS.map(|pair| Strengths { pair, ..strengths });
    shapes
        .into_iter()
        .map(|shape| {
            let (n_pairs, segment) = shape.tables();
            let by_fold: Vec<Vec<Vec<f64>>> = screened
                .par_iter()
                .map(|screened| {
                    let own = screened.segment_tables.iter().filter(|_| segment.is_some());
                    let coding = screened
                        .coding
                        .clone()
                        .with_pairs(screened.pairs.iter().take(n_pairs).chain(own).cloned());
                    rank_on_fold(
                        input,
                        screened.fold,
                        &coding,
                        &grid,
                        Some(&screened.coefficients),
                        solver,
                    )
                })
                .collect::<Result<_, TrainError>>()?;
            Ok(best_of(collect(shape, &grid, &by_fold)))
        })
        .collect()
}

/// The category of this name.
fn segment_of(input: TrainInput<'_>, column: &str) -> Result<usize, TrainError> {
    let specs = input.matrix.specs();
    let is_it = |idx: &usize| match &specs[*idx].source {
        FeatureSource::Attribute { column: known, .. } => {
            known == column && input.matrix.is_category(*idx)
        }
        _ => false,
    };
    (0..specs.len()).find(is_it).ok_or_else(|| {
        let is_attribute = |idx: &usize| {
            input.matrix.is_category(*idx)
                && matches!(specs[*idx].source, FeatureSource::Attribute { .. })
        };
        let known = (0..specs.len())
            .filter(is_attribute)
            .map(|idx| specs[idx].name.clone())
            .collect::<Vec<_>>()
            .join("`, `");
        TrainError::Segment {
            column: column.to_owned(),
            known,
        }
    })
}

/// The candidate with the lowest loss; of equals the first, which is the one that is held most:
/// grids begin there.
fn best_of(candidates: Vec<Candidate>) -> Candidate {
    candidates
        .into_iter()
        .min_by(|a, b| mean(&a.losses).total_cmp(&mean(&b.losses)))
        .expect("a grid has points")
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// `ln(1 + e^η) − yη`.
pub(crate) fn loss(label: bool, log_odds: f64) -> f64 {
    let eta = if label { -log_odds } else { log_odds };
    eta.max(0.0) + (-eta.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_losses_the_stiffest_is_taken() {
        let candidate = |losses: Vec<f64>, ridge: f64| Candidate {
            shape: Shape::Linear,
            smoothing: Smoothing::Given(Strengths::ridge(ridge)),
            losses,
        };
        let chosen = best_of(vec![
            candidate(vec![0.5, 0.8], 3.0),
            candidate(vec![0.3, 0.1], 2.0),
            candidate(vec![0.1, 0.3], 1.0),
        ]);
        assert_eq!(given(&chosen).ridge, 2.0);
    }
}
