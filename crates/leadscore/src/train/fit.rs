//! One fit, by the config and what was typed.

use leadscore_config::{ModelDirection, ModelHalfLife, ModelLabel, ModelSmoothing};
use leadscore_core::Timestamp;
use leadscore_dataset::Tables;
use leadscore_training::{
    Direction, EvaluationKind, HalfLife, LeakFinding, ModelKind, Population, SolverKind,
    TrainContext, TrainInput, TrainOptions as FitOptions, Trained,
};

use super::TrainOptions;
use super::late::Late;
use crate::data::{Data, Labelled};
use crate::error::bail;
use crate::limitations::limitations;

/// A model of these snapshots, by the config and what was typed; `proven` are attributes that
/// [`final_leaks`](super::final_leaks) found, and `all` are the snapshots that these are a sample of.
pub(crate) fn fit(
    data: &Data,
    tables: &Tables,
    labelled: &Labelled,
    proven: Vec<LeakFinding>,
    args: &TrainOptions,
    all: Option<&mut dyn Population>,
) -> crate::Result<Trained> {
    let _stage = data.stage("fitting", 1)?;
    let options = fit_options(data, tables, proven, args);
    let context = train_context(data, tables, labelled);
    let horizon = (!data.config.is_flat()).then_some(data.config.snapshots.horizon);
    let late = match (data.config.model.label, &labelled.unripe) {
        (ModelLabel::Window, _) => None,
        (ModelLabel::Weekly, None) => bail!(
            "[model] label = \"weekly\": on an engine snapshots are learned from once their windows have ended\n  hint: leave it out"
        ),
        (ModelLabel::Weekly, Some(unripe)) => Some(Late::of(data, tables, labelled, unripe)?),
    };
    let unripe = late.as_ref().map(|late| late.as_unripe(tables));
    let input = TrainInput {
        matrix: &labelled.matrix,
        labels: &labelled.labels,
        lead_keys: &labelled.lead_keys,
        clusters: &labelled.clusters,
        horizon,
        weights: None,
        unripe,
    };
    Ok(match all {
        Some(all) => leadscore_training::train_by_sample(input, &options, &context, all),
        None => leadscore_training::train(input, &options, &context),
    }?)
}

/// How the model is fitted; `proven` are attributes that know the outcome.
fn fit_options(
    data: &Data,
    tables: &Tables,
    proven: Vec<LeakFinding>,
    args: &TrainOptions,
) -> FitOptions {
    let solver = if args.linfa {
        SolverKind::Linfa
    } else {
        SolverKind::Native
    };
    let is_linear = data.config.model.kind == leadscore_config::ModelKind::Linear
        || solver == SolverKind::Linfa;
    FitOptions {
        kind: if is_linear {
            ModelKind::Linear
        } else {
            ModelKind::Additive
        },
        segment: data.config.model.segment.clone(),
        max_pairs: data.config.model.max_pairs,
        directions: directions(data),
        l1_ratio: data.config.model.l1_ratio,
        reml: data
            .config
            .model
            .smoothing
            .map(|smoothing| smoothing == ModelSmoothing::Reml),
        half_life: match data.config.model.half_life {
            ModelHalfLife::Auto => HalfLife::Chosen,
            ModelHalfLife::Never => HalfLife::Never,
            ModelHalfLife::Length(half_life) => HalfLife::Given(half_life),
        },
        negative_sampling_rate: data.config.model.negative_sampling_rate,
        solver,
        learning_curve: args.learning_curve,
        allow_too_few: args.allow_too_few,
        allow_leaks: args.allow_leaks,
        final_leaks: proven,
        evaluation: if args.cross_validate {
            EvaluationKind::CrossValidated
        } else {
            EvaluationKind::Latest
        },
        with_history: tables.history.names(),
        ..Default::default()
    }
}

/// What the model's card says beside what was fitted.
fn train_context(data: &Data, tables: &Tables, labelled: &Labelled) -> TrainContext {
    let is_flat = data.config.is_flat();
    let last = labelled.matrix.keys().last().map(|key| key.at);
    TrainContext {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        // A flat model knows everything up to its last row.
        training_cutoff: if is_flat {
            data.known_before
                .or(last.map(|at| Timestamp::from_micros(at.micros() + 1)))
                .unwrap_or(Timestamp::MAX)
        } else {
            tables.observation_end
        },
        write_time: data.write_time(),
        ages: data.config.snapshots.ages.clone(),
        limitations: limitations(data, tables),
    }
}

/// Features that may only raise, or lower, the likelihood.
fn directions(data: &Data) -> Vec<(String, Direction)> {
    let direction = |direction: &ModelDirection| match direction {
        ModelDirection::Increasing => Direction::Increasing,
        ModelDirection::Decreasing => Direction::Decreasing,
    };
    data.config
        .model
        .directions
        .iter()
        .map(|(name, which)| (name.clone(), direction(which)))
        .collect()
}
