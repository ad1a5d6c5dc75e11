//! `evaluate`: does the model hold on snapshots that it has not seen, and does it beat every other score?

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use leadscore_core::{Snapshot, Timestamp};
use leadscore_features::SnapshotCounts;
use leadscore_inference::{Model, quartile_tiers, score};
use leadscore_report::{DataSection, Report};
use leadscore_tables::{LoadOptions, OutColumn, OutTable, Tables, check_table_target, check_target, write_table};

use crate::args::{EconomyArgs, EvaluateArgs, ReportFormat};
use crate::commands::Outcome;
use crate::commands::backtest::backtest;
use crate::commands::rules::{ReadRules, points_of};
use crate::commands::train::{write_bytes, write_text};
use crate::evaluation::{Economy, Evaluated, MANUAL, Measurement, Rival, RivalKind, known_before, look, manual_rival, measure};
use crate::project::{Project, describe_counts, features_of, lead_keys, read_model};
use crate::show::{self, Stage};

pub(crate) fn run(args: &EvaluateArgs) -> anyhow::Result<Outcome> {
    let report = evaluate(args)?;
    show::result(&report.text());
    Ok(Outcome::Done)
}

/// Measures the model and writes the files; returns the report.
pub(crate) fn evaluate(args: &EvaluateArgs) -> anyhow::Result<Report> {
    let model = read_model(&args.model)?;
    let project = Project::open(&args.config.config)?;
    let files = report_files(&args.output, &args.format);
    for path in files.iter().filter(|(format, _)| *format != ReportFormat::Vega).map(|(_, path)| path).chain(&args.json) {
        check_target(path)?;
    }
    if let Some(path) = &args.scores {
        check_table_target(path)?;
    }
    let look = look(&project, &project.config.report)?;
    // A wrong path should not cost the time that reading tables takes.
    let others = Others {
        rules: args.rules.iter().map(|path| ReadRules::open(path)).collect::<anyhow::Result<_>>()?,
        models: args.against.iter().map(|path| Ok((path.clone(), read_model(path)?))).collect::<anyhow::Result<_>>()?,
        threshold: args.threshold.or(project.config.report.threshold),
    };
    let known_until = Timestamp::from_micros(model.card.known_until_micros);
    let from = project.moments("--from", args.from.as_ref())?.unwrap_or(known_until);
    let to = project.moments("--to", args.to.as_ref())?.unwrap_or(Timestamp::MAX);
    if from < known_until && !args.allow_in_sample {
        bail!(
            "--from {} lies before {}, until which the model knows everything: its figures would be in sample; train with an earlier --as-of, or pass --allow-in-sample",
            (project.write_time())(from),
            model.card.known_until
        );
    }
    let tables = project.load_for(&model, None)?;
    let (labelled, counts) = leadscore_features::labelled_snapshots(&tables, &project.config.snapshots, None);
    show::remark(&describe_counts(&counts, &project));
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
    let matrix = features_of(&tables, &model.specs, &snapshots)?;
    let scored = score(&model, &matrix)?;
    let earlier_rows = known_before(&project, &labelled.snapshots, snapshots[0].at);
    let earlier = Earlier {
        snapshots: earlier_rows.iter().map(|&row| labelled.snapshots[row]).collect(),
        labels: earlier_rows.iter().map(|&row| labelled.labels[row]).collect(),
    };
    let rivals = rivals(&others, &project, &tables, &snapshots, &earlier)?;
    let evaluated = Evaluated {
        project: &project,
        tables: &tables,
        model: &model,
        matrix: &matrix,
        rows: (0..snapshots.len()).collect(),
        labels,
        probabilities: scored.probabilities.clone(),
    };
    let mut measurement = {
        let _stage = Stage::start("measuring");
        measure(&evaluated, &rivals, &economy(&args.economy, &project)).context("cannot evaluate these snapshots")?
    };
    if args.backtest {
        measurement.measured.backtest = Some(backtest(&project, &snapshots, &evaluated.labels, &lead_keys(&tables, &snapshots))?);
    }
    let write_time = project.write_time();
    let period = format!("{} to {}", write_time(snapshots[0].at), write_time(snapshots[snapshots.len() - 1].at));
    let measured_on = format!("{} snapshots of {}", show::count(rows.len()), args.config.config.display());
    let data = data_section(&project, &counts, &measurement, measured_on, period, from < known_until);
    let report = Report::new(&model.card, &model, measurement.measured, data, look);
    if let Some(path) = &args.scores {
        write_table(path, &evaluated_table(&project, &tables, &snapshots, &evaluated.labels, &scored, &rivals, &model.card.model_id))?;
        show::remark(&format!("wrote {}", path.display()));
    }
    write_report(&report, &files, args.json.as_deref())?;
    Ok(report)
}

/// Snapshots whose outcome was known before those that are evaluated.
struct Earlier {
    snapshots: Vec<Snapshot>,
    labels: Vec<bool>,
}

/// What was named to compare with.
struct Others {
    rules: Vec<ReadRules>,
    models: Vec<(PathBuf, Model)>,
    /// Points of the manual column from which a lead is called today.
    threshold: Option<f64>,
}

/// Every score that the model is compared with: the manual column, files of rules, other models.
fn rivals(others: &Others, project: &Project, tables: &Tables, snapshots: &[Snapshot], earlier: &Earlier) -> anyhow::Result<Vec<Rival>> {
    let mut rivals: Vec<Rival> = manual_rival(tables, snapshots, &earlier.snapshots, &earlier.labels, others.threshold).into_iter().collect();
    if !others.rules.is_empty() {
        // A model's tables hold the attributes that it reads, and rules may read others.
        let tables = show::quietly(|| project.load(&LoadOptions::default()))?;
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
    for (path, model) in &others.models {
        // Another model may read other columns, or the same ones as other types.
        let tables = show::quietly(|| project.load_for(model, None))?;
        let scored = score(model, &features_of(&tables, &model.specs, snapshots)?)?;
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

/// What was typed, or else what the config says.
pub(crate) fn economy(args: &EconomyArgs, project: &Project) -> Economy {
    let config = &project.config.report;
    Economy { capacity: args.capacity.or(config.capacity), cost: args.cost.or(config.cost), value: args.value.or(config.value) }
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

/// Where each form of the report is written: beside the page, by its ending.
pub(crate) fn report_files(output: &Path, formats: &[ReportFormat]) -> Vec<(ReportFormat, PathBuf)> {
    let place = |format: &ReportFormat| match format {
        ReportFormat::Html => output.to_owned(),
        ReportFormat::Json => output.with_extension("json"),
        ReportFormat::Xlsx => output.with_extension("xlsx"),
        ReportFormat::Md => output.with_extension("md"),
        ReportFormat::Vega => output.with_extension("charts"),
    };
    formats.iter().map(|format| (*format, place(format))).collect()
}

/// Writes every form of a report.
pub(crate) fn write_report(report: &Report, files: &[(ReportFormat, PathBuf)], json: Option<&Path>) -> anyhow::Result<()> {
    if let Some(path) = json {
        write_text(path, &report.json()?)?;
        show::remark(&format!("wrote {}", path.display()));
    }
    for (format, path) in files {
        match format {
            ReportFormat::Html => write_text(path, &report.html()?)?,
            ReportFormat::Json => write_text(path, &report.json()?)?,
            ReportFormat::Md => write_text(path, &report.markdown())?,
            ReportFormat::Xlsx => write_bytes(path, &report.workbook()?)?,
            ReportFormat::Vega => {
                std::fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))?;
                for (name, chart) in report.vega_lite() {
                    write_text(&path.join(format!("{name}.vl.json")), &serde_json::to_string_pretty(&chart)?)?;
                }
            }
        }
        show::remark(&format!("wrote {}", path.display()));
    }
    Ok(())
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
