//! Training, top to bottom: judge the data, hold out the latest, choose a penalty, measure once,
//! refit on all.

use leadscore_core::FeatureMatrix;
use leadscore_inference::{
    AgeBaseline, CellCount, DataVerdict, LearningCurve, Model, Sufficiency, WithAndWithout,
    quartile_edges,
};

use crate::account::Account;
use crate::encoding::{Beforehand, DropReason, Dropped, Encoding};
use crate::error::TrainError;
use crate::fitting::{Fitted, covariance_of, degrees_of, fit_shape};
use crate::input::TrainInput;
use crate::leaks::{LeakFinding, LeakVerdict, find_leaks, with_final};
use crate::learning::learning_curve;
use crate::measuring::{Holdout, Measurement, probabilities};
use crate::options::{EvaluationKind, SolverKind, TrainContext, TrainOptions};
use crate::penalty_rule::PenaltyRule;
use crate::population::{Population, Totals, fit_all};
use crate::recency::{HalfLife, weighted};
use crate::selection::{Choice, choose};
use crate::shape::Shape;
use crate::splits::{Fold, holdout, lead_folds, sample_leads};
use crate::sufficiency::judge_data;

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

/// Trains a model.
///
/// # Errors
///
/// [`TrainError`] where there is nothing to learn from or too little, only one class, or a fit that
/// does not converge.
pub fn train(
    input: TrainInput<'_>,
    options: &TrainOptions,
    context: &TrainContext,
) -> Result<Trained, TrainError> {
    train_within(input, options, context, None)
}

/// As [`train`], by a sample of the leads: in the end coefficients and counts are those of all of
/// them, where they are.
///
/// # Errors
///
/// Those of [`train`], [`TrainError::Elsewhere`], and [`TrainError::Setting`] for what needs all
/// rows here: a lasso, directions, linfa's solver.
pub fn train_by_sample(
    input: TrainInput<'_>,
    options: &TrainOptions,
    context: &TrainContext,
    all: &mut dyn Population,
) -> Result<Trained, TrainError> {
    let fail = |setting: &'static str| {
        Err(TrainError::Setting {
            setting,
            reason: "it needs all snapshots here, and a sample of them is: leave it out",
        })
    };
    match options {
        TrainOptions { l1_ratio, .. } if *l1_ratio > 0.0 => fail("l1_ratio"),
        TrainOptions { directions, .. } if !directions.is_empty() => fail("directions"),
        TrainOptions {
            solver: SolverKind::Linfa,
            ..
        } => fail("solver"),
        TrainOptions {
            half_life: HalfLife::Given(_),
            ..
        } => fail("half_life"),
        _ if input.unripe.is_some() => fail("label"),
        _ => train_within(
            input,
            &TrainOptions {
                half_life: HalfLife::Never,
                ..options.clone()
            },
            context,
            Some(all),
        ),
    }
}

/// As [`train`], with all rows here, or a sample of those that are elsewhere.
fn train_within(
    input: TrainInput<'_>,
    options: &TrainOptions,
    context: &TrainContext,
    population: Option<&mut dyn Population>,
) -> Result<Trained, TrainError> {
    let TrainInput {
        matrix,
        labels,
        clusters,
        ..
    } = input;
    input.check()?;
    options.check(input)?;
    let penalties = PenaltyRule::of(input, options);
    let options = &TrainOptions {
        reml: Some(penalties == PenaltyRule::Reml),
        ..options.clone()
    };
    let leaks = with_final(
        find_leaks(matrix, labels, clusters, &options.with_history),
        &options.final_leaks,
    );
    let known = known_beforehand(matrix, options, &leaks)?;
    let all: Vec<usize> = (0..labels.len()).collect();
    let sufficiency = judged(input, &all, &known, options)?;
    let latest = match options.evaluation {
        EvaluationKind::Latest => holdout(matrix.keys(), clusters, labels, input.horizon),
        EvaluationKind::CrossValidated => None,
    };
    let choices = Choices::of(input, &all, latest.as_ref(), &known, options)?;
    let (holdout, without) = measured(input, latest.as_ref(), &known, &choices, &leaks, options)?;
    let choice = choices.shipped;
    let weights = weighted(input, choice.half_life);
    let input = TrainInput {
        weights: weights.as_deref().or(input.weights),
        ..input
    };
    let learning = if options.learning_curve {
        learned(input, &all, latest.as_ref(), &known, &choice, options)?
    } else {
        None
    };
    let fitted = fit_shape(
        input,
        &all,
        &known,
        choice.shape,
        choice.smoothing,
        options.solver,
    )?
    .with_unripe(input, &all, None, choice.half_life)?;
    let n_leads = n_leads(input);
    let whole = Whole::of(input, &all, n_leads, fitted, population)?;
    let account = Account {
        input,
        options,
        context,
        leaks: &leaks,
        sufficiency,
        penalties,
        choice,
        holdout: &holdout,
        without,
        learning,
        n_leads,
        totals: whole.totals.clone(),
    };
    let model = whole.model(input, &all, account)?;
    let dropped = left_out(&model, &whole.fitted, matrix, options);
    Ok(Trained {
        model,
        holdout,
        leaks,
        dropped,
    })
}

/// What is known of the features before any row is looked at: leaks, and directions by the columns
/// that they are of.
fn known_beforehand(
    matrix: &FeatureMatrix,
    options: &TrainOptions,
    leaks: &[LeakFinding],
) -> Result<Beforehand, TrainError> {
    let is_left_out =
        |finding: &&LeakFinding| finding.verdict == LeakVerdict::Proven && !options.allow_leaks;
    Ok(Beforehand {
        skip: leaks
            .iter()
            .filter(is_left_out)
            .map(|finding| finding.feature.clone())
            .collect(),
        directions: options
            .directions
            .iter()
            .map(|(name, direction)| Ok((number_of(matrix, name)?, *direction)))
            .collect::<Result<_, TrainError>>()?,
    })
}

/// The column of a number.
fn number_of(matrix: &FeatureMatrix, name: &str) -> Result<usize, TrainError> {
    let name_of = |idx: usize| matrix.specs()[idx].name.as_str();
    match (0..matrix.n_features()).find(|&idx| name_of(idx) == name) {
        Some(idx) if !matrix.is_category(idx) => Ok(idx),
        found => {
            let what = if found.is_some() {
                "a category, and its levels have no order"
            } else {
                "none of the features"
            };
            let similarity = |idx: &usize| strsim::jaro_winkler(name, name_of(*idx));
            let numbers =
                (0..matrix.n_features()).filter(|&idx| found.is_none() && !matrix.is_category(idx));
            let nearest = numbers
                .filter(|idx| similarity(idx) > 0.8)
                .max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
            Err(TrainError::Direction {
                feature: name.to_owned(),
                what,
                nearest: nearest.map(|idx| name_of(idx).to_owned()),
            })
        }
    }
}

/// Whether there is enough to learn from.
fn judged(
    input: TrainInput<'_>,
    all: &[usize],
    known: &Beforehand,
    options: &TrainOptions,
) -> Result<Sufficiency, TrainError> {
    let linear = Encoding::fit(
        input.matrix,
        all,
        known,
        Shape::Linear.encoding_options(all.len()),
    );
    if linear.is_empty() {
        return Err(TrainError::NoFeatures {
            n_features: input.matrix.n_features(),
        });
    }
    let sufficiency = judge_data(input.labels, input.lead_keys, linear.n_parameters() + 1);
    if sufficiency.verdict == DataVerdict::TooFew && !options.allow_too_few {
        return Err(TrainError::TooFew {
            reason: sufficiency.reason,
        });
    }
    Ok(sufficiency)
}

/// The choice that is measured, and the one that ships.
///
/// What is measured was chosen on earlier rows alone. What ships is chosen on all of them, which
/// may be many times as many where windows are long; unless the choice has had all the rows that it
/// looks at.
struct Choices {
    measured: Choice,
    shipped: Choice,
}

impl Choices {
    /// Chooses on the earlier rows, and on all.
    fn of(
        input: TrainInput<'_>,
        all: &[usize],
        latest: Option<&Fold>,
        known: &Beforehand,
        options: &TrainOptions,
    ) -> Result<Self, TrainError> {
        let choose_on = |rows: &[usize]| {
            choose(
                input,
                &sample_leads(input.clusters, rows, options.max_selection_rows),
                known,
                options,
            )
        };
        let Some(fold) = latest else {
            let choice = choose_on(all)?;
            return Ok(Self {
                measured: choice.clone(),
                shipped: choice,
            });
        };
        let measured = choose_on(&fold.train)?;
        let shipped = if fold.train.len() >= options.max_selection_rows {
            measured.clone()
        } else {
            choose_on(all)?
        };
        Ok(Self { measured, shipped })
    }
}

/// What held-out rows say of a choice, and of fits that were denied an attribute.
fn measured(
    input: TrainInput<'_>,
    latest: Option<&Fold>,
    known: &Beforehand,
    choices: &Choices,
    leaks: &[LeakFinding],
    options: &TrainOptions,
) -> Result<(Holdout, Vec<(String, WithAndWithout)>), TrainError> {
    let Choices { measured, shipped } = choices;
    let weights = weighted(input, measured.half_life);
    let measurement = Measurement {
        input: TrainInput {
            weights: weights.as_deref().or(input.weights),
            ..input
        },
        latest,
        choice: measured,
        solver: options.solver,
    };
    let mut holdout = measurement.held_out(known)?;
    if measured.shape != shipped.shape {
        holdout
            .description
            .push_str(&format!("; the model written is {}, which was chosen and fitted on all snapshots and is not measured by them", shipped.shape.named()));
    }
    let without = measurement.without_suspicious(known, leaks, &holdout, options)?;
    Ok((holdout, without))
}

/// The learning curve on the latest rows, or on a fifth of the leads; `None` where neither can be
/// split.
fn learned(
    input: TrainInput<'_>,
    all: &[usize],
    latest: Option<&Fold>,
    known: &Beforehand,
    choice: &Choice,
    options: &TrainOptions,
) -> Result<Option<LearningCurve>, TrainError> {
    let fold = latest.cloned().or_else(|| {
        lead_folds(input.clusters, input.labels, all)
            .into_iter()
            .next()
    });
    fold.map(|fold| learning_curve(input, &fold, known, choice, options.solver))
        .transpose()
}

/// Leads at hand.
fn n_leads(input: TrainInput<'_>) -> u64 {
    input
        .lead_keys
        .iter()
        .collect::<std::collections::HashSet<_>>()
        .len() as u64
}

/// The last fit, and what all rows hold that it speaks of.
struct Whole {
    fitted: Fitted,
    totals: Totals,
    /// What stands in each cell of each term.
    counts: Vec<Vec<CellCount>>,
}

impl Whole {
    /// The fit over the rows here, brought to the optimum over all where they are elsewhere.
    fn of(
        input: TrainInput<'_>,
        all: &[usize],
        n_leads: u64,
        fitted: Fitted,
        population: Option<&mut dyn Population>,
    ) -> Result<Self, TrainError> {
        let TrainInput { matrix, labels, .. } = input;
        if let Some(population) = population {
            let (fitted, totals) = fit_all(fitted, labels, population)?;
            return Ok(Self {
                counts: fitted.encoding.counts_of(&totals.counts),
                fitted,
                totals,
            });
        }
        Ok(Self {
            totals: Totals {
                n_leads,
                first: matrix.keys()[0].at,
                last: matrix.keys()[labels.len() - 1].at,
                counts: vec![CellCount {
                    n_rows: labels.len() as u64,
                    n_wins: labels.iter().filter(|label| **label).count() as u64,
                }],
            },
            counts: fitted.encoding.counts(matrix, all, labels),
            fitted,
        })
    }

    /// The model, with the account of its training.
    fn model(
        &self,
        input: TrainInput<'_>,
        all: &[usize],
        account: Account<'_>,
    ) -> Result<Model, TrainError> {
        let Self {
            fitted,
            totals,
            counts,
        } = self;
        let matrix = input.matrix;
        let negative_sampling_rate = account.options.negative_sampling_rate;
        let terms = fitted.encoding.terms(&fitted.coefficients, counts);
        let in_sample = probabilities(fitted.own_log_odds(input, all)?);
        let age_baseline = AgeBaseline::of(matrix.specs(), &terms, matrix);
        let scope = account.scope();
        let mut model = Model {
            card: account.card(fitted),
            specs: matrix.specs().to_vec(),
            intercept: fitted.coefficients[0],
            terms,
            tier_edges: quartile_edges(&in_sample),
            counts: counts.clone(),
            // The sample's leads vary as all do, and there are fewer of them.
            covariance: covariance_of(input, all, fitted)?.map(|covariance| {
                covariance.scaled(totals.all().n_rows as f64 / input.labels.len() as f64)
            }),
            calibration: None,
            data: None,
            scope: Some(scope),
            age_baseline,
            degrees: degrees_of(fitted),
        };
        if negative_sampling_rate < 1.0 {
            // King and Zeng (2001), Logistic regression in rare events data, section 4.1: sampling
            // by outcome moves the intercept only.
            model = model.recalibrated(negative_sampling_rate.ln(), 1.0);
        }
        model.card.model_id = model.compute_id().map_err(|error| TrainError::Solver {
            reason: error.to_string(),
        })?;
        Ok(model)
    }
}

/// Features that the model does not read, and why.
fn left_out(
    model: &Model,
    fitted: &Fitted,
    matrix: &FeatureMatrix,
    options: &TrainOptions,
) -> Vec<Dropped> {
    let mut dropped = fitted.encoding.dropped().to_vec();
    if options.l1_ratio > 0.0 {
        dropped.extend(fitted.encoding.weightless(matrix, &fitted.coefficients));
    }
    // What says nothing alone may be read by a table.
    let read: std::collections::HashSet<&str> = model
        .features_read()
        .into_iter()
        .map(|idx| matrix.specs()[idx].name.as_str())
        .collect();
    dropped.retain(|dropped| {
        dropped.reason != DropReason::Flat || !read.contains(dropped.feature.as_str())
    });
    dropped
}
