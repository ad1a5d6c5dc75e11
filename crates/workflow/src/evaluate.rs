//! `evaluate`: does the model hold on snapshots that it has not seen, and does it beat every other score?

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use leadscore_core::{Snapshot, Timestamp};
use leadscore_features::SnapshotCounts;
use leadscore_inference::{Model, quartile_tiers, score};
use leadscore_report::{DataSection, Report, count};
use leadscore_tables::{LoadOptions, OutColumn, OutTable, Tables};

use crate::backtest::backtest;
use crate::evaluation::{Economy, Evaluated, MANUAL, Measurement, Rival, RivalKind, known_before, look, manual_rival, measure};
use crate::project::{Project, cluster_keys, describe_counts};
use crate::rules::{ReadRules, points_of};

/// What a model is measured on, and beside what.
#[derive(Default)]
pub struct EvaluateOptions {
    /// First snapshot to look at; default: where the model's knowledge ends.
    pub from: Option<Timestamp>,
    /// Look only at snapshots before this moment.
    pub to: Option<Timestamp>,
    /// Also look at snapshots from before the model's knowledge ended; the report says so.
    pub allow_in_sample: bool,
    /// Points by these rules, computed as of each snapshot, to compare with.
    pub rules: Vec<ReadRules>,
    /// Other models to compare with, and where each was read from.
    pub against: Vec<(PathBuf, Model)>,
    /// Points of the manual score from which a lead is called today; default: what the config says.
    pub threshold: Option<f64>,
    /// What the team can do, and what it costs; default: what the config says.
    pub economy: Economy,
    /// Also say how often to retrain.
    pub backtest: bool,
}

/// What was measured.
pub struct Evaluation {
    /// All figures.
    pub report: Report,
    /// Every snapshot with its prediction and label.
    pub snapshots: OutTable,
}

/// Measures a model on snapshots whose window has ended.
///
/// # Errors
///
/// The tables cannot be read, no snapshot is left to look at, or a score cannot be measured.
pub fn evaluate(project: &Project, model: &Model, options: &EvaluateOptions) -> anyhow::Result<Evaluation> {
    let look = look(project, &project.config.report)?;
    let known_until = Timestamp::from_micros(model.card.known_until_micros);
    let from = options.from.unwrap_or(known_until);
    let to = options.to.unwrap_or(Timestamp::MAX);
    if from < known_until && !options.allow_in_sample {
        bail!(
            "--from {} lies before {}, until which the model knows everything: its figures would be in sample; train with an earlier --as-of, or pass --allow-in-sample",
            (project.write_time())(from),
            model.card.known_until
        );
    }
    project.whole_tables(model, "evaluate")?;
    let tables = project.load_for(model, None)?;
    let (labelled, counts) = leadscore_features::labelled_snapshots(&tables, &project.config.snapshots, None);
    project.remark(&describe_counts(&counts, project));
    let rows: Vec<usize> = (0..labelled.snapshots.len()).filter(|&row| (from..to).contains(&labelled.snapshots[row].at)).collect();
    if rows.is_empty() {
        bail!(
            "no mature snapshot lies in the range from {}: the model knows everything until {}; train with an earlier --as-of, so that later snapshots are left to test on",
            (project.write_time())(from),
            model.card.known_until
        );
    }
    let snapshots: Vec<_> = rows.iter().map(|&row| labelled.snapshots[row]).collect();
    let labels: Vec<bool> = rows.iter().map(|&row| labelled.labels[row]).collect();
    let matrix = project.features_of(&tables, &model.specs, &snapshots)?;
    let scored = score(model, &matrix)?;
    let earlier_rows = known_before(project, &labelled.snapshots, snapshots[0].at);
    let earlier = Earlier {
        snapshots: earlier_rows.iter().map(|&row| labelled.snapshots[row]).collect(),
        labels: earlier_rows.iter().map(|&row| labelled.labels[row]).collect(),
    };
    let rivals = rivals(options, project, &tables, &snapshots, &earlier)?;
    let evaluated = Evaluated {
        project,
        tables: &tables,
        model,
        matrix: &matrix,
        rows: (0..snapshots.len()).collect(),
        labels,
        probabilities: scored.probabilities.clone(),
    };
    let mut measurement = {
        let _stage = project.stage("measuring", 1)?;
        measure(&evaluated, &rivals, &options.economy.or(&project.config.report)).context("cannot evaluate these snapshots")?
    };
    if options.backtest {
        measurement.measured.backtest = Some(backtest(project, &snapshots, &evaluated.labels, &cluster_keys(&tables, &snapshots))?);
    }
    let write_time = project.write_time();
    let period = format!("{} to {}", write_time(snapshots[0].at), write_time(snapshots[snapshots.len() - 1].at));
    let measured_on = format!("{} snapshots of {}", count(rows.len()), project.name);
    let data = data_section(project, &counts, &measurement, measured_on, period, from < known_until);
    let snapshots = evaluated_table(project, &tables, &snapshots, &evaluated.labels, &scored, &rivals, &model.card.model_id);
    Ok(Evaluation { report: Report::new(&model.card, model, measurement.measured, data, look), snapshots })
}

/// Snapshots whose outcome was known before those that are evaluated.
struct Earlier {
    snapshots: Vec<Snapshot>,
    labels: Vec<bool>,
}

/// Every score that the model is compared with: the manual column, files of rules, other models.
fn rivals(others: &EvaluateOptions, project: &Project, tables: &Tables, snapshots: &[Snapshot], earlier: &Earlier) -> anyhow::Result<Vec<Rival>> {
    let mut rivals: Vec<Rival> =
        manual_rival(tables, snapshots, &earlier.snapshots, &earlier.labels, others.threshold.or(project.config.report.threshold)).into_iter().collect();
    if !others.rules.is_empty() {
        // A model's tables hold the attributes that it reads, and rules may read others.
        let tables = project.quiet().load(&LoadOptions::default())?;
        let all: Vec<Snapshot> = earlier.snapshots.iter().chain(snapshots).copied().collect();
        for rules in &others.rules {
            let mut points = points_of(rules, project, &tables, &all)?;
            let values = points.split_off(earlier.snapshots.len());
            rivals.push(Rival {
                name: format!("{} ({})", rules.file.score.name, file_name(&rules.path)),
                origin: format!("rules of {}, computed as of each snapshot", rules.path.display()),
                kind: RivalKind::Points { earlier: points, labels: earlier.labels.clone() },
                values,
                threshold: rules.file.thresholds().last().map(|threshold| threshold.from),
            });
        }
    }
    for (path, model) in &others.against {
        // Another model may read other columns, or the same ones as other types.
        let tables = project.quiet().load_for(model, None)?;
        let scored = score(model, &project.features_of(&tables, &model.specs, snapshots)?)?;
        let seen = Timestamp::from_micros(model.card.known_until_micros) > snapshots[0].at;
        let knows = if seen { ", after the first of these snapshots: it has seen some of these outcomes, and its figures are too good" } else { "" };
        rivals.push(Rival {
            name: format!("the model {}", file_name(path)),
            origin: format!("the model {}, which knows until {}{knows}", path.display(), model.card.known_until),
            kind: RivalKind::Model,
            values: scored.probabilities,
            threshold: None,
        });
    }
    Ok(rivals)
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

pub(crate) fn data_section(
    project: &Project,
    counts: &SnapshotCounts,
    measurement: &Measurement,
    measured_on: String,
    period: String,
    in_sample: bool,
) -> DataSection {
    DataSection {
        measured_on,
        snapshots: describe_counts(counts, project),
        period,
        in_sample,
        n_without_all: measurement.n_without_all,
        rivals: measurement.rivals.clone(),
        capacity: measurement.capacity.clone(),
        money: measurement.money.clone(),
    }
}

/// Every evaluated snapshot with its prediction and label, so that anyone can check our arithmetic.
fn evaluated_table(
    project: &Project,
    tables: &Tables,
    snapshots: &[Snapshot],
    labels: &[bool],
    scored: &leadscore_inference::Scored,
    rivals: &[Rival],
    model_id: &str,
) -> OutTable {
    let mut table = OutTable::default();
    table.push(&tables.leads.id_column, OutColumn::Text(snapshots.iter().map(|key| Some(tables.leads.ids[key.lead as usize].clone())).collect()));
    if project.config.is_flat() {
        table.push("snapshot", OutColumn::Number(snapshots.iter().map(|key| key.at.order()).collect()));
    } else {
        table.push("snapshot", OutColumn::Time(snapshots.iter().map(|key| Some(key.at)).collect()));
    }
    table.push("likelihood_to_close", OutColumn::Number(scored.probabilities.iter().map(|p| p * 100.0).collect()));
    table.push("contact_priority", OutColumn::Text(quartile_tiers(&scored.probabilities).iter().map(|tier| Some(tier.name().to_owned())).collect()));
    table.push("log_odds", OutColumn::Number(scored.log_odds.clone()));
    table.push("label", OutColumn::Integer(labels.iter().map(|&label| Some(i64::from(label))).collect()));
    for rival in rivals {
        let name = if rival.name == MANUAL { "manual_score" } else { &rival.name };
        table.push(name, OutColumn::Number(rival.values.clone()));
    }
    table.push("model_id", OutColumn::Text(vec![Some(model_id.to_owned()); snapshots.len()]));
    table
}
