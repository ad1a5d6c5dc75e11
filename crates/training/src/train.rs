//! Training, top to bottom: judge the data, hold out the latest, choose a penalty, measure once,
//! refit on all.

use leadscore_core::{FeatureMatrix, Span, Timestamp, log_odds_to_probability};
use leadscore_inference::{
    AgeBaseline, Card, Caveat, CellCount, DataVerdict, FeatureScope, JudgedAttribute, LeadSample,
    Model, Scope, WithAndWithout, quartile_edges,
};
use leadscore_metrics::log_loss;
use leadscore_solver::Direction;
use sha2::{Digest, Sha256};

use crate::coding::{Beforehand, Coding, DropReason, Dropped, Smoothing};
use crate::error::TrainError;
use crate::fitting::{Shape, SolverKind, certificate_of, covariance_of, degrees_of, fit_shape};
use crate::leaks::{LeakFinding, LeakVerdict, find_leaks, with_final};
use crate::learning::learning_curve;
use crate::population::{Population, Totals, fit_all};
use crate::recency::{HalfLife, SHORTEST_IN_DAYS, Scale, weighted};
use crate::selection::{Choice, choose};
use crate::splits::{Fold, holdout, lead_folds};
use crate::sufficiency::judge_data;
use crate::unripe::Unripe;

/// What is learned from: one entry a row in each, rows in order of time, then lead.
#[derive(Debug, Clone, Copy)]
pub struct TrainInput<'a> {
    /// The features.
    pub matrix: &'a FeatureMatrix,
    /// Whether each row was won in its window.
    pub labels: &'a [bool],
    /// The lead of each row, by [`leadscore_core::stable_hash`].
    pub lead_keys: &'a [u64],
    /// Which rows are no independent ones, by such a hash: those of one lead, or of one account.
    /// Splits and intervals go by it.
    pub clusters: &'a [u64],
    /// The window; `None` for a flat export.
    pub horizon: Option<Span>,
    /// How much each row counts beside the others, 0 or more; their scale is of no account. `None`:
    /// all alike.
    pub weights: Option<&'a [f64]>,
    /// Snapshots whose windows have not ended, where they are to be learned from, too.
    pub unripe: Option<Unripe<'a>>,
}

impl TrainInput<'_> {
    /// What these rows count, with their sum at their effective size; `None` where all count alike.
    pub(crate) fn weights_of(&self, rows: &[usize]) -> Option<Vec<f64>> {
        let all = self.weights?;
        let own = rows.iter().map(|&row| all[row]);
        let scale = Scale::of_all(own.clone());
        Some(own.map(|weight| scale.of(weight)).collect())
    }
}

/// The richest kind of model that may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelKind {
    /// Straight lines and levels.
    Linear,
    /// Curves, levels and tables over two features, where later data says that they pay; else
    /// straight lines.
    Additive,
}

/// How training is done.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// The richest kind that may be chosen, default additive.
    pub kind: ModelKind,
    /// A category whose levels may have curves of their own, shrunk to the common ones; default
    /// none.
    pub segment: Option<String>,
    /// Most tables over two features, default 30.
    pub max_pairs: usize,
    /// Numbers by their features' names whose curve or slope goes one way only.
    pub directions: Vec<(String, Direction)>,
    /// Share of the ridge of straight lines that is a lasso, 0 to 1, default 0; the weakest
    /// features then weigh nothing.
    pub l1_ratio: f64,
    /// The share of the leads not won that are at hand, above 0 and at most 1, default all of them;
    /// likelihoods are corrected for it.
    pub losses_kept: f64,
    /// Who fits, default our own solver; linfa's knows straight lines only.
    pub solver: SolverKind,
    /// Estimate a smoothing parameter for each term from the rows, in place of one for all terms of
    /// a kind on folds; default where it can be had and relied on: not with a lasso, not with
    /// linfa's solver, and not with fewer than 200 clusters won or lost.
    pub reml: Option<bool>,
    /// How fast rows lose weight with age, default chosen; not at all in a flat export, with
    /// strengths chosen on folds, and by a sample.
    pub half_life: HalfLife,
    /// Penalties of straight lines to choose from, largest first.
    pub penalties: Vec<f64>,
    /// Rows that the choice looks at, default 100 000, whole leads at random; the final fit sees
    /// all.
    pub max_selection_rows: usize,
    /// Which rows are measured on; default: the latest.
    pub evaluation: EvaluationKind,
    /// Train although there is too little data.
    pub allow_too_few: bool,
    /// Also fit on shares of the leads, to see what more would give: ten more fits of each shape.
    pub learning_curve: bool,
    /// Train on attributes that are proven to know the outcome.
    pub allow_leaks: bool,
    /// What [`crate::find_final_leaks`] proved.
    pub final_leaks: Vec<LeakFinding>,
    /// Columns of the leads that have a history, and so are not suspected.
    pub with_history: Vec<String>,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            kind: ModelKind::Additive,
            segment: None,
            max_pairs: 30,
            directions: Vec::new(),
            l1_ratio: 0.0,
            losses_kept: 1.0,
            solver: SolverKind::Native,
            reml: None,
            half_life: HalfLife::Chosen,
            penalties: vec![1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3],
            max_selection_rows: 100_000,
            evaluation: EvaluationKind::Latest,
            allow_too_few: false,
            learning_curve: false,
            allow_leaks: false,
            final_leaks: Vec::new(),
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

fn train_within(
    input: TrainInput<'_>,
    options: &TrainOptions,
    context: &TrainContext,
    population: Option<&mut dyn Population>,
) -> Result<Trained, TrainError> {
    let TrainInput {
        matrix,
        labels,
        lead_keys,
        clusters,
        horizon,
        ..
    } = input;
    check(input)?;
    check_options(input, options)?;
    let penalties = penalty_rule(input, options);
    let options = &TrainOptions {
        reml: Some(penalties == PenaltyRule::Reml),
        ..options.clone()
    };
    let leaks = with_final(
        find_leaks(matrix, labels, clusters, &options.with_history),
        &options.final_leaks,
    );
    let is_left_out =
        |finding: &&LeakFinding| finding.verdict == LeakVerdict::Proven && !options.allow_leaks;
    let known = Beforehand {
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
    };
    let all: Vec<usize> = (0..labels.len()).collect();
    let linear = Coding::fit(
        matrix,
        &all,
        &known,
        Shape::Linear.coding_options(all.len()),
    );
    if linear.is_empty() {
        return Err(TrainError::NoFeatures {
            n_features: matrix.n_features(),
        });
    }
    let sufficiency = judge_data(labels, lead_keys, linear.n_parameters() + 1);
    if sufficiency.verdict == DataVerdict::TooFew && !options.allow_too_few {
        return Err(TrainError::TooFew {
            reason: sufficiency.reason,
        });
    }
    let latest = match options.evaluation {
        EvaluationKind::Latest => holdout(matrix.keys(), clusters, labels, horizon),
        EvaluationKind::CrossValidated => None,
    };
    let choose_on = |rows: &[usize]| {
        choose(
            input,
            &sample_leads(clusters, rows, options.max_selection_rows),
            &known,
            options,
        )
    };
    // What is measured was chosen on earlier rows alone. What ships is chosen on all of them, which
    // may be many times as many where windows are long; unless the choice has had all the rows that
    // it looks at.
    let (measured_choice, choice) = match &latest {
        Some(fold) => {
            let earlier = choose_on(&fold.train)?;
            let choice = if fold.train.len() >= options.max_selection_rows {
                earlier.clone()
            } else {
                choose_on(&all)?
            };
            (earlier, choice)
        }
        None => {
            let choice = choose_on(&all)?;
            (choice.clone(), choice)
        }
    };
    let (measured_weights, weights) = (
        weighted(input, measured_choice.half_life),
        weighted(input, choice.half_life),
    );
    let as_measured = TrainInput {
        weights: measured_weights.as_deref().or(input.weights),
        ..input
    };
    let input = TrainInput {
        weights: weights.as_deref().or(input.weights),
        ..input
    };
    let mut holdout = held_out(
        as_measured,
        latest.as_ref(),
        &known,
        &measured_choice,
        options.solver,
    )?;
    if measured_choice.shape != choice.shape {
        holdout
            .description
            .push_str(&format!("; the model written is {}, which was chosen and fitted on all snapshots and is not measured by them", choice.shape.named()));
    }
    let without = without_suspicious(
        as_measured,
        latest.as_ref(),
        &known,
        &measured_choice,
        &leaks,
        &holdout,
        options,
    )?;
    let learning = if options.learning_curve {
        let fold = latest
            .clone()
            .or_else(|| lead_folds(clusters, labels, &all).into_iter().next());
        fold.map(|fold| learning_curve(input, &fold, &known, &choice, options.solver))
            .transpose()?
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
    let n_leads = lead_keys
        .iter()
        .collect::<std::collections::HashSet<_>>()
        .len();
    let here = Totals {
        n_leads: n_leads as u64,
        first: matrix.keys()[0].at,
        last: matrix.keys()[labels.len() - 1].at,
        counts: vec![CellCount {
            n_rows: labels.len() as u64,
            n_wins: labels.iter().filter(|label| **label).count() as u64,
        }],
    };
    let (counts, totals, fitted) = match population {
        Some(population) => {
            let (fitted, totals) = fit_all(fitted, labels, population)?;
            (fitted.coding.counts_of(&totals.counts), totals, fitted)
        }
        None => (
            fitted.coding.counts(matrix, &all, labels),
            here.clone(),
            fitted,
        ),
    };
    let terms = fitted.coding.terms(&fitted.coefficients, &counts);
    let in_sample = probabilities(fitted.own_log_odds(input, &all)?);
    let mut caveats: Vec<Caveat> = context.caveats.iter().cloned().map(Caveat::Other).collect();
    if totals.n_leads != here.n_leads {
        caveats.push(Caveat::Other(format!(
            "the weights are of all {} leads; features, bins, levels, strengths, tier edges, intervals and what is measured here are of a sample of {n_leads}",
            totals.n_leads
        )));
    }
    if sufficiency.verdict != DataVerdict::Enough {
        caveats.push(Caveat::Data {
            verdict: sufficiency.verdict,
            reason: sufficiency.reason.clone(),
        });
    }
    for finding in leaks
        .iter()
        .filter(|finding| finding.verdict != LeakVerdict::Clean)
    {
        let what = match (finding.verdict, options.allow_leaks) {
            (LeakVerdict::Proven, false) => "knows the outcome and was left out",
            (LeakVerdict::Proven, true) => "knows the outcome and was used all the same",
            _ => "may know the outcome and was used",
        };
        caveats.push(Caveat::Other(format!(
            "attribute `{}` {what}: {}",
            finding.feature, finding.evidence
        )));
    }
    if choice.shape == Shape::BaseRate {
        caveats.push(Caveat::NoSignal);
    }
    if options.losses_kept < 1.0 {
        caveats.push(Caveat::Other(format!(
            "the tables hold {} of the leads not won: likelihoods are corrected for it, and everything measured here is of the tables, before that",
            options.losses_kept
        )));
    }
    let measured: Vec<bool> = holdout.rows.iter().map(|&row| labels[row]).collect();
    let age_baseline = AgeBaseline::of(matrix.specs(), &terms, matrix);
    let mut model = Model {
        card: Card {
            model_id: String::new(),
            tool_version: context.tool_version.clone(),
            horizon,
            snapshots_from: (context.write_time)(totals.first),
            snapshots_to: (context.write_time)(totals.last),
            known_until_micros: context.known_until.micros(),
            known_until: (context.write_time)(context.known_until),
            ages: context
                .ages
                .as_ref()
                .map(|ages| ages.iter().map(Span::to_string).collect()),
            n_snapshots: whole(totals.all().n_rows),
            n_leads: whole(totals.n_leads),
            n_wins: whole(totals.all().n_wins),
            sufficiency,
            penalty: choice.smoothing.ridge(),
            penalty_choice: format!(
                "{}{}",
                choice.description,
                penalties.describe(choice.shape, choice.smoothing)
            ),
            fit: fitted.ending.clone(),
            kind: choice.shape.kind().to_owned(),
            certificate: certificate_of(&fitted),
            challenges: choice.challenges,
            learning,
            evaluation: holdout.description.clone(),
            metrics: metrics(&measured, &holdout.probabilities),
            data_fingerprint: fingerprint(matrix, labels, &totals),
            caveats,
        },
        specs: matrix.specs().to_vec(),
        intercept: fitted.coefficients[0],
        terms,
        tier_edges: quartile_edges(&in_sample),
        counts,
        // The sample's leads vary as all do, and there are fewer of them.
        covariance: covariance_of(input, &all, &fitted)?
            .map(|covariance| covariance.scaled(totals.all().n_rows as f64 / labels.len() as f64)),
        calibration: None,
        data: None,
        scope: Some(Scope {
            every: None,
            silent: None,
            losses_kept: options.losses_kept,
            clusters: "leads".to_owned(),
            ages: None,
            features: FeatureScope::of_columns(matrix),
            leads: LeadSample::of(lead_keys),
            judged: leaks
                .iter()
                .filter(|finding| finding.verdict != LeakVerdict::Clean)
                .map(|finding| judged(finding, options.allow_leaks, &without))
                .collect(),
        }),
        age_baseline,
        degrees: degrees_of(&fitted),
    };
    if options.losses_kept < 1.0 {
        // King and Zeng (2001), Logistic regression in rare events data, section 4.1: sampling by
        // outcome moves the intercept only.
        model = model.recalibrated(options.losses_kept.ln(), 1.0);
    }
    model.card.model_id = model.compute_id().map_err(|error| TrainError::Solver {
        reason: error.to_string(),
    })?;
    let mut dropped = fitted.coding.dropped().to_vec();
    if options.l1_ratio > 0.0 {
        dropped.extend(fitted.coding.weightless(matrix, &fitted.coefficients));
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
    Ok(Trained {
        model,
        holdout,
        leaks,
        dropped,
    })
}

/// What the model file keeps of a finding.
fn judged(
    finding: &LeakFinding,
    allow_leaks: bool,
    without: &[(String, WithAndWithout)],
) -> JudgedAttribute {
    let is_proven = finding.verdict == LeakVerdict::Proven;
    JudgedAttribute {
        feature: finding.feature.clone(),
        is_proven,
        is_used: !is_proven || allow_leaks,
        evidence: finding.evidence.clone(),
        without: without
            .iter()
            .find(|(feature, _)| *feature == finding.feature)
            .map(|(_, figures)| *figures),
    }
}

fn check(input: TrainInput<'_>) -> Result<(), TrainError> {
    let n_rows = input.matrix.n_rows();
    if [
        input.labels.len(),
        input.lead_keys.len(),
        input.clusters.len(),
        input.weights.map_or(n_rows, <[f64]>::len),
    ]
    .iter()
    .any(|&length| length != n_rows)
    {
        return Err(TrainError::Length {
            n_labels: input.labels.len(),
            n_rows,
        });
    }
    let Some(&first) = input.labels.first() else {
        return Err(TrainError::NoRows {
            reason: "no snapshot is mature".to_owned(),
        });
    };
    if input.labels.iter().all(|&label| label == first) {
        return Err(TrainError::OneClass {
            label: first,
            n_rows,
        });
    }
    Ok(())
}

/// At most about `max_rows` rows, all rows of a lead or none, in order.
pub(crate) fn sample_leads(clusters: &[u64], rows: &[usize], max_rows: usize) -> Vec<usize> {
    if rows.len() <= max_rows {
        return rows.to_vec();
    }
    let share = max_rows as f64 / rows.len() as f64;
    let threshold = (share * u32::MAX as f64) as u64;
    rows.iter()
        .copied()
        .filter(|&row| clusters[row] >> 32 <= threshold)
        .collect()
}

/// Clusters won, and clusters not won, from which strengths can be estimated one by one; with
/// fewer, folds are nearer the truth, and intervals by strengths that count as known hold it too
/// seldom (`cargo xtask verdicts`).
pub(crate) const MIN_CLUSTERS_FOR_REML: usize = 200;

/// How penalties come about, and why so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PenaltyRule {
    /// Each term has a smoothing parameter of its own.
    Reml,
    /// Folds choose one for all terms of a kind, as was asked for.
    Asked,
    /// The same, because there is a lasso.
    Lasso,
    /// The same, because linfa fits.
    Linfa,
    /// The same, because so many clusters were won, and so many were not.
    Few { n_won: usize, n_others: usize },
}

fn penalty_rule(input: TrainInput<'_>, options: &TrainOptions) -> PenaltyRule {
    let n_clusters = |wanted: bool| {
        let rows = input
            .labels
            .iter()
            .zip(input.clusters)
            .filter(|(label, _)| **label == wanted);
        rows.map(|(_, cluster)| cluster)
            .collect::<std::collections::HashSet<_>>()
            .len()
    };
    match options.reml {
        Some(true) => PenaltyRule::Reml,
        _ if options.l1_ratio > 0.0 => PenaltyRule::Lasso,
        _ if options.solver == SolverKind::Linfa => PenaltyRule::Linfa,
        Some(false) => PenaltyRule::Asked,
        None => {
            let (n_won, n_others) = (n_clusters(true), n_clusters(false));
            if n_won.min(n_others) >= MIN_CLUSTERS_FOR_REML {
                PenaltyRule::Reml
            } else {
                PenaltyRule::Few { n_won, n_others }
            }
        }
    }
}

impl PenaltyRule {
    /// What comes behind the choice of a shape: where its penalties are from; nothing where there
    /// is nothing to penalize.
    fn describe(self, shape: Shape, smoothing: Smoothing) -> String {
        if shape == Shape::BaseRate {
            return String::new();
        }
        let why = match (self, smoothing) {
            (Self::Reml, Smoothing::Reml { stiffer }) if stiffer <= 1.0 => {
                return "; penalties: one for each term, by REML".to_owned();
            }
            (Self::Reml, Smoothing::Reml { stiffer }) => {
                return format!(
                    "; penalties: one for each term, by REML, times {stiffer} because that is better on folds"
                );
            }
            (Self::Reml, Smoothing::Given(_)) => {
                "those by REML are not better than the win rate on folds".to_owned()
            }
            (Self::Asked, _) => "`smoothing` is \"folds\"".to_owned(),
            (Self::Lasso, _) => "`l1_ratio` asks for a lasso".to_owned(),
            (Self::Linfa, _) => "linfa has no REML".to_owned(),
            (Self::Few { n_won, n_others }, _) => {
                format!(
                    "REML needs {MIN_CLUSTERS_FOR_REML} won and {MIN_CLUSTERS_FOR_REML} other leads or accounts, and there are {n_won} and {n_others}"
                )
            }
        };
        format!("; penalties: one for all terms of a kind, on folds, because {why}")
    }
}

fn check_options(input: TrainInput<'_>, options: &TrainOptions) -> Result<(), TrainError> {
    let fail =
        |setting: &'static str, reason: &'static str| Err(TrainError::Setting { setting, reason });
    if !(0.0..=1.0).contains(&options.l1_ratio) {
        return fail("l1_ratio", "expected 0 to 1");
    }
    if options.l1_ratio > 0.0 && options.kind != ModelKind::Linear {
        return fail(
            "l1_ratio",
            "an elastic net is for straight lines: set kind = \"linear\" beside it",
        );
    }
    if options.solver == SolverKind::Linfa
        && (options.l1_ratio > 0.0 || !options.directions.is_empty())
    {
        return fail(
            if options.l1_ratio > 0.0 {
                "l1_ratio"
            } else {
                "directions"
            },
            "linfa-logistic has no such thing: leave `--solver linfa` out",
        );
    }
    if let Some(unripe) = input.unripe {
        if input.horizon.is_none() {
            return fail(
                "label",
                "a flat export has no windows that could be unfinished: leave it out",
            );
        }
        if options.solver == SolverKind::Linfa {
            return fail(
                "label",
                "linfa-logistic knows no weights of rows: leave it out",
            );
        }
        let n_rows = unripe.matrix.n_rows();
        for (found, expected) in [
            (unripe.clusters.len(), n_rows),
            (unripe.days_to_win.len(), n_rows),
            (unripe.ripe_days_to_win.len(), input.labels.len()),
        ] {
            if found != expected {
                return Err(TrainError::Length {
                    n_labels: found,
                    n_rows: expected,
                });
            }
        }
    }
    if let HalfLife::Given(half_life) = options.half_life {
        if half_life.days() < SHORTEST_IN_DAYS {
            return fail(
                "half_life",
                "expected at least 7d, such as 180d: with less hardly a snapshot but the latest would count",
            );
        }
        if input.horizon.is_none() {
            return fail(
                "half_life",
                "a flat export has an order, and no times: leave it out",
            );
        }
        if options.solver == SolverKind::Linfa {
            return fail(
                "half_life",
                "linfa-logistic knows no weights of rows: leave it out",
            );
        }
    }
    if options.reml == Some(true) && options.l1_ratio > 0.0 {
        return fail(
            "smoothing",
            "a lasso has no such estimate: leave `l1_ratio` out, or `smoothing`",
        );
    }
    if options.reml == Some(true) && options.solver == SolverKind::Linfa {
        return fail(
            "smoothing",
            "linfa-logistic gives no Hessian to estimate it from: leave `--solver linfa` out",
        );
    }
    if !(options.losses_kept > 0.0 && options.losses_kept <= 1.0) {
        return fail(
            "losses_kept",
            "expected a share above 0 and at most 1, such as 0.1 for every tenth",
        );
    }
    Ok(())
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

/// Measures on the latest rows, or where there is no such fold on all of them.
fn held_out(
    input: TrainInput<'_>,
    latest: Option<&Fold>,
    known: &Beforehand,
    choice: &Choice,
    solver: SolverKind,
) -> Result<Holdout, TrainError> {
    match latest {
        Some(fold) => measure(input, fold, known, choice, solver),
        None => cross_validate(input, known, choice, solver),
    }
}

/// Suspicious attributes that are each denied to a fit, the most suspicious first; more are left as
/// they are.
const MAX_DENIED: usize = 5;

/// What the held-out rows say of a fit that is denied an attribute, for each that is suspicious and
/// used.
fn without_suspicious(
    input: TrainInput<'_>,
    latest: Option<&Fold>,
    known: &Beforehand,
    choice: &Choice,
    leaks: &[LeakFinding],
    holdout: &Holdout,
    options: &TrainOptions,
) -> Result<Vec<(String, WithAndWithout)>, TrainError> {
    let labels: Vec<bool> = holdout.rows.iter().map(|&row| input.labels[row]).collect();
    let figures = |probabilities: &[f64]| {
        Some((
            log_loss(&labels, probabilities).ok()?,
            leadscore_metrics::roc_auc(&labels, probabilities).ok()?,
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
        let Ok(other) = held_out(input, latest, &denied, choice, options.solver) else {
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
fn cross_validate(
    input: TrainInput<'_>,
    known: &Beforehand,
    choice: &Choice,
    solver: SolverKind,
) -> Result<Holdout, TrainError> {
    let rows: Vec<usize> = (0..input.labels.len()).collect();
    let folds = lead_folds(input.clusters, input.labels, &rows);
    let mut measured: Vec<(usize, f64)> = Vec::new();
    for fold in &folds {
        let part = measure(input, fold, known, choice, solver)?;
        measured.extend(part.rows.into_iter().zip(part.probabilities));
    }
    measured.sort_unstable_by_key(|(row, _)| *row);
    let description = format!(
        "{} snapshots, each by one of {} fits that had not seen its lead; later leads helped to judge earlier ones",
        measured.len(),
        folds.len()
    );
    let (rows, probabilities) = measured.into_iter().unzip();
    Ok(Holdout {
        description,
        rows,
        probabilities,
    })
}

/// Fits on the rows before, measures on the latest ones.
fn measure(
    input: TrainInput<'_>,
    fold: &Fold,
    known: &Beforehand,
    choice: &Choice,
    solver: SolverKind,
) -> Result<Holdout, TrainError> {
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
        "latest {} snapshots, by {} fitted on the {} whose windows had ended before",
        fold.validation.len(),
        choice.shape.named(),
        fold.train.len()
    );
    let found = probabilities(fitted.log_odds(input, &fold.validation)?);
    Ok(Holdout {
        description,
        rows: fold.validation.clone(),
        probabilities: found,
    })
}

fn probabilities(log_odds: Vec<f64>) -> Vec<f64> {
    log_odds.into_iter().map(log_odds_to_probability).collect()
}

fn metrics(labels: &[bool], probabilities: &[f64]) -> Vec<(String, f64)> {
    let n_rows = labels.len();
    let mut metrics = vec![("n_snapshots".to_owned(), n_rows as f64)];
    let mut push = |name: &str, value: Result<f64, leadscore_metrics::MetricError>| {
        metrics.extend(value.ok().map(|value| (name.to_owned(), value)));
    };
    let rate = labels.iter().filter(|label| **label).count() as f64 / n_rows.max(1) as f64;
    push("win_rate", Ok(rate));
    push(
        "mean_probability",
        Ok(probabilities.iter().sum::<f64>() / n_rows.max(1) as f64),
    );
    push("roc_auc", leadscore_metrics::roc_auc(labels, probabilities));
    push(
        "average_precision",
        leadscore_metrics::average_precision(labels, probabilities),
    );
    push("log_loss", log_loss(labels, probabilities));
    push("base_log_loss", log_loss(labels, &vec![rate; n_rows]));
    push(
        "brier_loss",
        leadscore_metrics::brier_loss(labels, probabilities),
    );
    metrics
}

pub(crate) fn whole(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn fingerprint(matrix: &FeatureMatrix, labels: &[bool], totals: &Totals) -> String {
    let mut hasher = Sha256::new();
    for spec in matrix.specs() {
        hasher.update(spec.name.as_bytes());
        hasher.update([0]);
    }
    for (idx, column) in matrix.values().columns().into_iter().enumerate() {
        matrix
            .levels(idx)
            .iter()
            .for_each(|level| hasher.update(level.as_bytes()));
        column
            .iter()
            .for_each(|value| hasher.update(value.to_bits().to_le_bytes()));
    }
    labels
        .iter()
        .for_each(|&label| hasher.update([u8::from(label)]));
    // Of rows that are elsewhere, what was counted there.
    totals.counts.iter().skip(1).for_each(|count| {
        hasher.update([count.n_rows.to_le_bytes(), count.n_wins.to_le_bytes()].concat());
    });
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
