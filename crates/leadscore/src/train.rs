//! `train`: from closed leads to a model file.

use std::path::Path;

use crate::error::{Context, bail};
use leadscore_core::{
    AttributeTable, FeatureMatrix, FeatureSource, FeatureSpec, Snapshot, Timestamp,
};
use leadscore_features::SnapshotCounts;
use leadscore_inference::{Caveat, LearningCurve, Model, Spread};
use leadscore_report::{OutsideTraining, Report};
use leadscore_tables::{
    LoadOptions, ModelDirection, ModelHalfLife, ModelLabel, ModelSmoothing, Tables,
};
use leadscore_training::{
    Direction, DropReason, Dropped, EvaluationKind, FinalInput, FinalState, HalfLife, LeakFinding,
    ModelKind, Population, SolverKind, TrainContext, TrainInput, TrainOptions as FitOptions,
    Trained, Unripe, find_final_leaks,
};

use crate::ages::age_in_days;
use crate::config::Config;
use crate::data::{
    Data, FLAT_CAVEAT, Inputs, Labelled, cluster_keys, cluster_name, describe_counts,
    label_and_compute,
};
use crate::evaluation::{
    Economy, Evaluated, MeasuredOn, data_section, known_before, look, manual_baseline, measure,
};
use crate::text::table;

/// How a model is fitted and measured.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrainOptions {
    /// Measure on all snapshots, each by a fit that has not seen its lead, in place of the latest
    /// fifth.
    pub cross_validate: bool,
    /// Also say what more wins would change, by fits on shares of the leads.
    pub learning_curve: bool,
    /// Train although there are too few wins or losses.
    pub allow_too_few: bool,
    /// Train on attributes that are proven to know the outcome.
    pub allow_leaks: bool,
    /// Fit by linfa-logistic, the reference, in place of our own solver.
    pub linfa: bool,
}

/// A model, and all that it was learned from.
pub struct Training {
    /// The model, and what was found on the way.
    pub trained: Trained,
    /// What was kept and dropped.
    pub counts: SnapshotCounts,
    tables: Tables,
    labelled: Labelled,
}

/// Learns a model from everything that is known, or was known at the moment of the view.
///
/// # Errors
///
/// The tables cannot be read, or hold too little to learn from.
pub fn train(data: &Data, options: &TrainOptions) -> crate::Result<Training> {
    if options.learning_curve {
        data.measurable("--learning-curve")?;
    }
    let tables = data.load(&LoadOptions::default())?;
    let (labelled, counts) = label_and_compute(data, &tables)?;
    data.remark(&describe_counts(&counts, data));
    // Attributes are today's values, whatever the moment, and are judged by what is known today.
    let proven = match data.known_before {
        None => final_leaks(data, &tables, labelled.matrix.specs())?,
        Some(_) => final_leaks(
            data,
            &data.view(None).quiet().load(&LoadOptions::default())?,
            labelled.matrix.specs(),
        )?,
    };
    let mut trained = fit(data, &tables, &labelled, proven, options, None)?;
    complete_scope(data, &tables, &labelled, &mut trained.model);
    trained.model.data = Some(leadscore_tables::data_profile(&data.config, &tables).in_order());
    report_training(data, &trained);
    Ok(Training {
        trained,
        counts,
        tables,
        labelled,
    })
}

/// Adds to what a model was trained within what only the tables and the config say.
fn complete_scope(data: &Data, tables: &Tables, labelled: &Labelled, model: &mut Model) {
    let Some(scope) = &mut model.scope else {
        return;
    };
    cluster_name(tables).clone_into(&mut scope.clusters);
    if data.config.is_flat() {
        return;
    }
    let settings = &data.config.snapshots;
    scope.every = settings.ages.is_none().then(|| settings.every.to_string());
    scope.silent = settings.silent.map(|span| span.to_string());
    scope.ages = Spread::of(
        labelled
            .matrix
            .keys()
            .iter()
            .map(|key| age_in_days(tables, key)),
    );
}

/// Leads that attributes are judged by, about; leads are in order of their ids.
const MOST_JUDGED: usize = 100_000;

/// Attributes that are proven to be written at the close, by where each lead ended.
pub(crate) fn final_leaks(
    data: &Data,
    tables: &Tables,
    specs: &[FeatureSpec],
) -> crate::Result<Vec<LeakFinding>> {
    let attributes: Vec<FeatureSpec> = specs
        .iter()
        .filter(|spec| matches!(spec.source, FeatureSource::Attribute { .. }))
        .cloned()
        .collect();
    if data.config.is_flat() || attributes.is_empty() {
        return Ok(Vec::new());
    }
    let end = tables.observation_end.next_midnight();
    let was_created =
        |lead: u32| tables.leads.created[lead as usize].is_some_and(|created| created.known < end);
    // Some tell as much as all.
    let every = (tables.outcomes.len() / MOST_JUDGED).max(1);
    let leads: Vec<u32> = (0..tables.outcomes.len() as u32)
        .step_by(every)
        .filter(|&lead| was_created(lead))
        .collect();
    let snapshots: Vec<Snapshot> = leads
        .iter()
        .map(|&lead| Snapshot { lead, at: end })
        .collect();
    let matrix = leadscore_features::compute(tables, &attributes, &snapshots)?;
    let state = |&lead: &u32| match &tables.outcomes[lead as usize] {
        outcome if outcome.won.is_some() => FinalState::Won,
        outcome if outcome.closed.is_some() => FinalState::Lost,
        _ => FinalState::Open,
    };
    let states: Vec<FinalState> = leads.iter().map(state).collect();
    let created: Vec<f64> = leads
        .iter()
        .map(|&lead| {
            tables.leads.created[lead as usize].map_or(f64::NAN, |created| {
                created.start.days_since(Timestamp::from_micros(0))
            })
        })
        .collect();
    let with_history: Vec<String> = tables
        .history
        .attributes
        .iter()
        .map(|change| change.attribute.clone())
        .collect();
    let clusters = cluster_keys(tables, &snapshots);
    Ok(find_final_leaks(
        FinalInput {
            matrix: &matrix,
            states: &states,
            created: &created,
            clusters: &clusters,
            are_accounts: tables.leads.accounts.is_some(),
        },
        &with_history,
    ))
}

/// Columns of the leads that are proven to be written at the close, with what speaks for it, by the
/// text of a config that may be unfinished: then there are none.
pub fn columns_written_at_close(config: String, path: &Path) -> Vec<(String, String)> {
    let look = || -> crate::Result<Vec<(String, String)>> {
        let data = Data::open(&Config::parse(config, path)?, Inputs::default())?;
        let tables = data.load(&LoadOptions::default())?;
        let (labelled, _) =
            leadscore_features::labelled_snapshots(&tables, &data.config.snapshots, None)?;
        let specs = data.plan(&leadscore_features::survey(&tables, &labelled.snapshots))?;
        let column_of = |finding: LeakFinding| {
            let spec = specs.iter().find(|spec| spec.name == finding.feature)?;
            match &spec.source {
                FeatureSource::Attribute {
                    table: AttributeTable::Leads,
                    column,
                } => Some((
                    column.clone(),
                    format!("written at the close: {}", finding.evidence),
                )),
                _ => None,
            }
        };
        Ok(final_leaks(&data, &tables, &specs)?
            .into_iter()
            .filter_map(column_of)
            .collect())
    };
    look().unwrap_or_default()
}

/// A model of these snapshots, by the config and what was typed; `proven` are attributes that
/// [`final_leaks`] found, and `all` are the snapshots that these are a sample of.
pub(crate) fn fit(
    data: &Data,
    tables: &Tables,
    labelled: &Labelled,
    proven: Vec<LeakFinding>,
    args: &TrainOptions,
    all: Option<&mut dyn Population>,
) -> crate::Result<Trained> {
    let _stage = data.stage("fitting", 1)?;
    let is_flat = data.config.is_flat();
    let last = labelled.matrix.keys().last().map(|key| key.at);
    let solver = if args.linfa {
        SolverKind::Linfa
    } else {
        SolverKind::Native
    };
    let is_linear = data.config.model.kind == leadscore_tables::ModelKind::Linear
        || solver == SolverKind::Linfa;
    let options = FitOptions {
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
        losses_kept: data.config.model.losses_kept,
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
        with_history: tables
            .history
            .attributes
            .iter()
            .map(|change| change.attribute.clone())
            .collect(),
        ..Default::default()
    };
    let context = TrainContext {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        // A flat model knows everything up to its last row.
        known_until: if is_flat {
            data.known_before
                .or(last.map(|at| Timestamp::from_micros(at.micros() + 1)))
                .unwrap_or(Timestamp::MAX)
        } else {
            tables.observation_end
        },
        write_time: data.write_time(),
        ages: data.config.snapshots.ages.clone(),
        caveats: caveats(data, tables),
    };
    let horizon = (!is_flat).then_some(data.config.snapshots.horizon);
    let late = match (data.config.model.label, &labelled.unripe) {
        (ModelLabel::Window, _) => None,
        (ModelLabel::Weekly, None) => bail!(
            "[model] label = \"weekly\": on an engine snapshots are learned from once their windows have ended: leave it out"
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

/// What is known of snapshots whose windows had not ended, and when the others were won.
struct Late {
    matrix: FeatureMatrix,
    clusters: Vec<u64>,
    days_to_win: Vec<f64>,
    ripe_days_to_win: Vec<f64>,
}

impl Late {
    fn of(
        data: &Data,
        tables: &Tables,
        labelled: &Labelled,
        unripe: &[Snapshot],
    ) -> crate::Result<Self> {
        let horizon = data.config.snapshots.horizon;
        let days = |key: &Snapshot| {
            let won = tables.outcomes[key.lead as usize].won;
            won.map(|won| won.days_since(key.at))
                .filter(|days| (0.0..horizon.days()).contains(days))
                .unwrap_or(f64::INFINITY)
        };
        Ok(Self {
            matrix: data.features_of(tables, labelled.matrix.specs(), unripe)?,
            clusters: cluster_keys(tables, unripe),
            days_to_win: unripe.iter().map(days).collect(),
            ripe_days_to_win: labelled.matrix.keys().iter().map(days).collect(),
        })
    }

    fn as_unripe(&self, tables: &Tables) -> Unripe<'_> {
        let Self {
            matrix,
            clusters,
            days_to_win,
            ripe_days_to_win,
        } = self;
        Unripe {
            matrix,
            clusters,
            days_to_win,
            ripe_days_to_win,
            known_until: tables.mature_until(),
        }
    }
}

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

/// What anyone who uses a model of these tables should know.
pub(crate) fn caveats(data: &Data, tables: &Tables) -> Vec<String> {
    let mut caveats = Vec::new();
    if data.config.is_flat() {
        caveats.push(FLAT_CAVEAT.to_owned());
        if tables.leads.order.is_none() {
            caveats.push(
                "there is no `order_by`, so nothing stands for time and the test rows are leads at random: real accuracy on new leads will be lower".to_owned(),
            );
        }
        return caveats;
    }
    if tables.history.attributes.is_empty()
        && !(tables.leads.attributes.is_empty()
            && tables
                .lookups
                .iter()
                .all(|lookup| lookup.rows.attributes.is_empty()))
    {
        caveats.push("attributes have no history: they are today's values, and one that is overwritten after the sale would know the outcome".to_owned());
    }
    let single: Vec<&str> = tables
        .activities
        .iter()
        .filter(|activities| activities.rows.visible.is_none())
        .map(|activities| activities.name.as_str())
        .collect();
    if !single.is_empty() {
        caveats.push(format!("event time only ({}): an event entered late counts from when it happened, not from when it was known", single.join(", ")));
    }
    caveats
}

/// A row for each number of wins, a column for each shape, and what it says.
pub(crate) fn learning_lines(learning: &LearningCurve) -> Vec<String> {
    let names: Vec<String> = learning
        .points
        .iter()
        .map(|point| point.shape.to_string())
        .collect();
    let mut shapes: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut seen = std::collections::HashSet::new();
    shapes.retain(|shape| seen.insert(*shape));
    let header: Vec<&str> = std::iter::once("wins")
        .chain(shapes.iter().copied())
        .collect();
    let rows: Vec<Vec<String>> = learning
        .points
        .chunk_by(|a, b| a.n_wins == b.n_wins)
        .map(|points| {
            std::iter::once(format!("{:.0}", points[0].n_wins))
                .chain(points.iter().map(|point| format!("{:.4}", point.log_loss)))
                .collect()
        })
        .collect();
    let mut lines = vec![
        "log-loss by the wins learned from:".to_owned(),
        table(&header, &rows),
    ];
    lines.extend(learning.verdict.iter().cloned());
    lines
}

fn first_names(dropped: &[&Dropped]) -> String {
    let named = dropped
        .iter()
        .take(3)
        .map(|dropped| format!("`{}`", dropped.feature))
        .collect::<Vec<_>>()
        .join(", ");
    if dropped.len() > 3 {
        format!("{named} and {} more", dropped.len() - 3)
    } else {
        named
    }
}

/// Says how training went.
pub(crate) fn report_training(data: &Data, trained: &Trained) {
    let say = |text: &str| data.remark(text);
    let card = &trained.model.card;
    for found in trained.model.scope.iter().flat_map(|scope| &scope.judged) {
        let verdict = match (found.is_proven, found.is_used) {
            (true, false) => "leak, left out",
            (true, true) => "leak, used all the same",
            (false, _) => "suspicious",
        };
        let without = found.without.map_or(String::new(), |figures| {
            format!(
                "; without it, held out: AUC {:.3} in place of {:.3}, log-loss {:.4} in place of {:.4}",
                figures.roc_auc_without, figures.roc_auc_with, figures.log_loss_without, figures.log_loss_with
            )
        });
        say(&format!(
            "{verdict}: `{}`: {}{without}",
            found.feature, found.evidence
        ));
    }
    // What knows the outcome was named as a leak.
    let (weightless, empty): (Vec<&Dropped>, Vec<&Dropped>) = trained
        .dropped
        .iter()
        .filter(|dropped| dropped.reason != DropReason::KnowsOutcome)
        .partition(|dropped| dropped.reason == DropReason::Weightless);
    if !empty.is_empty() {
        say(&format!(
            "left out as constant, missing, rare or silent beside the others: {} (`check` gives each its reason)",
            first_names(&empty)
        ));
    }
    if !weightless.is_empty() {
        say(&format!(
            "of no weight by the lasso: {}",
            first_names(&weightless)
        ));
    }
    say(&format!(
        "data: {}: {}",
        card.sufficiency.verdict.name(),
        card.sufficiency.reason
    ));
    say(&format!("model: {}", card.penalty_choice));
    for challenge in &card.challenges {
        say(&format!(
            "{} against {}: {}",
            challenge.richer, challenge.simpler, challenge.reason
        ));
    }
    say(&format!("fit: {}", card.fit));
    for caveat in card
        .caveats
        .iter()
        .filter(|caveat| **caveat == Caveat::NoSignal)
    {
        say(&caveat.to_string());
    }
    if let Some(learning) = &card.learning {
        learning_lines(learning).iter().for_each(|line| say(line));
    }
    // The model that is written has seen all outcomes: what is measured is a fit that has not.
    let of_part = if trained
        .model
        .scope
        .as_ref()
        .is_some_and(|scope| scope.losses_kept < 1.0)
    {
        ", of the tables as they are, before the correction for `losses_kept`"
    } else {
        ""
    };
    say(&format!(
        "held-out evaluation, of an earlier fit and not of the model written: {}{of_part}",
        card.evaluation
    ));
    for (name, value) in &card.metrics {
        say(&format!("  {name:<18} {value:.4}"));
    }
}

impl Training {
    /// The model.
    pub fn model(&self) -> &Model {
        &self.trained.model
    }

    /// The model alone.
    pub fn into_model(self) -> Model {
        self.trained.model
    }

    /// The report on the rows that were held out.
    ///
    /// # Errors
    ///
    /// They cannot be measured, because they are too few.
    pub fn report(&self, data: &Data) -> crate::Result<Report> {
        let Self {
            trained,
            counts,
            tables,
            labelled,
        } = self;
        data.measurable("--report")?;
        let model = &trained.model;
        let rows = trained.holdout.rows.clone();
        let keys = |rows: &[usize]| {
            rows.iter()
                .map(|&row| labelled.matrix.keys()[row])
                .collect::<Vec<_>>()
        };
        let labels = |rows: &[usize]| {
            rows.iter()
                .map(|&row| labelled.labels[row])
                .collect::<Vec<_>>()
        };
        let snapshots = keys(&rows);
        let first = snapshots
            .iter()
            .map(|key| key.at)
            .min()
            .unwrap_or(Timestamp::MAX);
        let earlier = known_before(data, labelled.matrix.keys(), first);
        let baselines: Vec<_> = manual_baseline(
            tables,
            &snapshots,
            &keys(&earlier),
            &labels(&earlier),
            data.config.report.threshold,
        )
        .into_iter()
        .collect();
        let evaluated = Evaluated {
            data,
            tables,
            model,
            matrix: &labelled.matrix,
            labels: labels(&rows),
            rows,
            probabilities: trained.holdout.probabilities.clone(),
        };
        let economy = Economy::default().or(&data.config.report);
        let measurement = measure(&evaluated, &baselines, &economy)
            .context("cannot evaluate the held-out snapshots")?;
        let period = format!(
            "{} to {}",
            model.card.snapshots_from, model.card.snapshots_to
        );
        let measured = MeasuredOn {
            rows: trained.holdout.description.clone(),
            period,
            in_sample: false,
            of_earlier_fit: true,
            outside: OutsideTraining::default(),
        };
        let section = data_section(data, model, counts, &measurement, measured);
        Ok(Report::new(
            &model.card,
            model,
            measurement.measured,
            section,
            look(data, &data.config.report)?,
        ))
    }
}
