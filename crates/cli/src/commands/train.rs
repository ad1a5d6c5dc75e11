//! `train`: from closed leads to a model file.

use std::path::Path;

use anyhow::Context;
use leadscore_core::Timestamp;
use leadscore_features::SnapshotCounts;
use leadscore_inference::LearningCurve;
use leadscore_report::Report;
use leadscore_tables::{LoadOptions, ModelDirection, OutFile, Tables, check_target};
use leadscore_training::{
    Direction, DropReason, Dropped, EvaluationKind, LeakVerdict, ModelKind, SolverKind, TrainContext, TrainInput, TrainOptions, Trained, train,
};

use crate::args::{EconomyArgs, FittingArgs, ReportFormat, SolverArg, TrainArgs};
use crate::commands::Outcome;
use crate::commands::evaluate::{data_section, economy, write_report};
use crate::evaluation::{Evaluated, known_before, look, manual_rival, measure};
use crate::project::{FLAT_CAVEAT, Labelled, Project, describe_counts, label_and_compute};
use crate::show::{self, Stage};

pub(crate) fn run(args: &TrainArgs) -> anyhow::Result<Outcome> {
    let project = Project::open(&args.config.config)?;
    for path in [Some(&args.output), args.report.as_ref(), args.json.as_ref()].into_iter().flatten() {
        check_target(path)?;
    }
    let as_of = project.moments("--as-of", args.as_of.as_ref())?;
    let tables = project.load(&LoadOptions { as_of, ..Default::default() })?;
    let (labelled, counts) = label_and_compute(&project, &tables, as_of)?;
    show::remark(&describe_counts(&counts, &project));
    let trained = fit(&project, &tables, &labelled, &args.fitting, as_of)?;
    report_training(&trained);
    write_model(&trained.model, &args.output)?;
    if args.report.is_some() || args.json.is_some() {
        let report = report(&project, &tables, &labelled, &trained, &counts)?;
        let page: Vec<_> = args.report.iter().map(|path| (ReportFormat::Html, path.clone())).collect();
        write_report(&report, &page, args.json.as_deref())?;
    }
    show::remark(&format!("wrote {}", args.output.display()));
    Ok(Outcome::Done)
}

/// A model of these snapshots, by the config and what was typed.
pub(crate) fn fit(project: &Project, tables: &Tables, labelled: &Labelled, args: &FittingArgs, as_of: Option<Timestamp>) -> anyhow::Result<Trained> {
    let _stage = Stage::start("fitting");
    let is_flat = project.config.is_flat();
    let last = labelled.matrix.keys().last().map(|key| key.at);
    let solver = match args.solver {
        SolverArg::Native => SolverKind::Native,
        SolverArg::Linfa => SolverKind::Linfa,
    };
    let is_linear = project.config.model.kind == leadscore_tables::ModelKind::Linear || solver == SolverKind::Linfa;
    let options = TrainOptions {
        kind: if is_linear { ModelKind::Linear } else { ModelKind::Additive },
        segment: project.config.model.segment.clone(),
        max_pairs: project.config.model.max_pairs,
        directions: directions(project),
        l1_ratio: project.config.model.l1_ratio,
        losses_kept: project.config.model.losses_kept,
        solver,
        learning_curve: args.learning_curve,
        allow_too_few: args.allow_too_few,
        allow_leaks: args.allow_leaks,
        evaluation: if args.cross_validate { EvaluationKind::CrossValidated } else { EvaluationKind::Latest },
        with_history: tables.history.attributes.iter().map(|change| change.attribute.clone()).collect(),
        ..Default::default()
    };
    let context = TrainContext {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        // A flat model knows everything up to its last row.
        known_until: if is_flat { as_of.or(last.map(|at| Timestamp::from_micros(at.micros() + 1))).unwrap_or(Timestamp::MAX) } else { tables.observation_end },
        write_time: project.write_time(),
        ages: project.config.snapshots.ages.clone(),
        caveats: caveats(project, tables),
    };
    let horizon = (!is_flat).then_some(project.config.snapshots.horizon);
    Ok(train(TrainInput { matrix: &labelled.matrix, labels: &labelled.labels, lead_keys: &labelled.lead_keys, horizon }, &options, &context)?)
}

fn directions(project: &Project) -> Vec<(String, Direction)> {
    let direction = |direction: &ModelDirection| match direction {
        ModelDirection::Increasing => Direction::Increasing,
        ModelDirection::Decreasing => Direction::Decreasing,
    };
    project.config.model.directions.iter().map(|(name, which)| (name.clone(), direction(which))).collect()
}

/// What anyone who uses a model of these tables should know.
pub(crate) fn caveats(project: &Project, tables: &Tables) -> Vec<String> {
    let mut caveats = Vec::new();
    if project.config.is_flat() {
        caveats.push(FLAT_CAVEAT.to_owned());
        if tables.leads.order.is_none() {
            caveats.push(
                "there is no `order_by`, so nothing stands for time and the test rows are leads at random: real accuracy on new leads will be lower".to_owned(),
            );
        }
        return caveats;
    }
    if tables.history.attributes.is_empty() && !(tables.leads.attributes.is_empty() && tables.lookups.iter().all(|lookup| lookup.rows.attributes.is_empty())) {
        caveats.push("attributes have no history: they are today's values, and one that is overwritten after the sale would know the outcome".to_owned());
    }
    let single: Vec<&str> =
        tables.activities.iter().filter(|activities| activities.rows.visible.is_none()).map(|activities| activities.name.as_str()).collect();
    if !single.is_empty() {
        caveats.push(format!("one clock only ({}): an event entered late counts from when it happened, not from when it was known", single.join(", ")));
    }
    caveats
}

/// A row for each number of wins, a column for each shape, and what it says.
pub(crate) fn learning_lines(learning: &LearningCurve) -> Vec<String> {
    let mut shapes: Vec<&str> = learning.points.iter().map(|point| point.shape.as_str()).collect();
    let mut seen = std::collections::HashSet::new();
    shapes.retain(|shape| seen.insert(*shape));
    let header: Vec<&str> = std::iter::once("wins").chain(shapes.iter().copied()).collect();
    let rows: Vec<Vec<String>> = learning
        .points
        .chunk_by(|a, b| a.n_wins == b.n_wins)
        .map(|points| std::iter::once(format!("{:.0}", points[0].n_wins)).chain(points.iter().map(|point| format!("{:.4}", point.log_loss))).collect())
        .collect();
    let mut lines = vec!["log-loss by the wins learned from:".to_owned(), show::table(&header, &rows)];
    lines.extend(learning.verdict.iter().cloned());
    lines
}

fn first_names(dropped: &[&Dropped]) -> String {
    let named = dropped.iter().take(3).map(|dropped| format!("`{}`", dropped.feature)).collect::<Vec<_>>().join(", ");
    if dropped.len() > 3 { format!("{named} and {} more", dropped.len() - 3) } else { named }
}

/// Says how training went.
pub(crate) fn report_training(trained: &Trained) {
    for finding in trained.leaks.iter().filter(|finding| finding.verdict != LeakVerdict::Clean) {
        let verdict = if finding.verdict == LeakVerdict::Proven { "leak" } else { "suspicious" };
        show::remark(&format!("{verdict}: `{}` {}", finding.feature, finding.evidence));
    }
    let card = &trained.model.card;
    // What knows the outcome was named as a leak.
    let (weightless, empty): (Vec<&Dropped>, Vec<&Dropped>) =
        trained.dropped.iter().filter(|dropped| dropped.reason != DropReason::KnowsOutcome).partition(|dropped| dropped.reason == DropReason::Weightless);
    if !empty.is_empty() {
        show::remark(&format!("left out as constant, missing or rare: {} (`check` gives each its reason)", first_names(&empty)));
    }
    if !weightless.is_empty() {
        show::remark(&format!("of no weight by the lasso: {}", first_names(&weightless)));
    }
    show::remark(&format!("data: {}: {}", card.sufficiency.verdict.name(), card.sufficiency.reason));
    show::remark(&format!("model: {}", card.penalty_choice));
    for challenge in &card.challenges {
        show::remark(&format!("{} against {}: {}", challenge.richer, challenge.simpler, challenge.reason));
    }
    show::remark(&format!("fit: {}", card.fit));
    for caveat in card.caveats.iter().filter(|caveat| caveat.starts_with("no signal")) {
        show::remark(caveat);
    }
    if let Some(learning) = &card.learning {
        learning_lines(learning).iter().for_each(|line| show::remark(line));
    }
    show::remark(&format!("measured on: {}", card.evaluation));
    for (name, value) in &card.metrics {
        show::remark(&format!("  {name:<18} {value:.4}"));
    }
}

pub(crate) fn write_model(model: &leadscore_inference::Model, path: &Path) -> anyhow::Result<()> {
    let mut file = OutFile::create(path)?;
    leadscore_inference::write_model(model, &mut file).with_context(|| format!("cannot write {}", path.display()))?;
    file.finish()?;
    Ok(())
}

/// The report on the rows that were held out.
pub(crate) fn report(project: &Project, tables: &Tables, labelled: &Labelled, trained: &Trained, counts: &SnapshotCounts) -> anyhow::Result<Report> {
    let model = &trained.model;
    let rows = trained.holdout.rows.clone();
    let keys = |rows: &[usize]| rows.iter().map(|&row| labelled.matrix.keys()[row]).collect::<Vec<_>>();
    let labels = |rows: &[usize]| rows.iter().map(|&row| labelled.labels[row]).collect::<Vec<_>>();
    let snapshots = keys(&rows);
    let first = snapshots.iter().map(|key| key.at).min().unwrap_or(Timestamp::MAX);
    let earlier = known_before(project, labelled.matrix.keys(), first);
    let rivals: Vec<_> = manual_rival(tables, &snapshots, &keys(&earlier), &labels(&earlier), project.config.report.threshold).into_iter().collect();
    let evaluated =
        Evaluated { project, tables, model, matrix: &labelled.matrix, labels: labels(&rows), rows, probabilities: trained.holdout.probabilities.clone() };
    let measurement = measure(&evaluated, &rivals, &economy(&EconomyArgs::default(), project)).context("cannot evaluate the held-out snapshots")?;
    let period = format!("{} to {}", model.card.snapshots_from, model.card.snapshots_to);
    let data = data_section(project, counts, &measurement, trained.holdout.description.clone(), period, false);
    Ok(Report::new(&model.card, model, measurement.measured, data, look(project, &project.config.report)?))
}

/// Writes a text file, whole or not at all.
pub(crate) fn write_text(path: &Path, text: &str) -> anyhow::Result<()> {
    write_bytes(path, text.as_bytes())
}

/// Writes a file, whole or not at all.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = OutFile::create(path)?;
    std::io::Write::write_all(&mut file, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    file.finish()?;
    Ok(())
}
