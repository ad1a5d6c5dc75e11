//! `evaluate`: does the model hold on snapshots that it has not seen?

use anyhow::{Context, bail};
use leadscore_core::Timestamp;
use leadscore_inference::{quartile_tiers, score};
use leadscore_report::{DataSection, Report};
use leadscore_tables::{OutColumn, OutTable, check_table_target, check_target, write_table};

use crate::args::EvaluateArgs;
use crate::commands::Outcome;
use crate::commands::rules::points_of;
use crate::commands::train::write_report;
use crate::evaluation::{evaluate_rows, manual_scores};
use crate::project::{Project, describe_counts, features_of, lead_keys, read_model};
use crate::show;

pub(crate) fn run(args: &EvaluateArgs) -> anyhow::Result<Outcome> {
    let report = evaluate(args)?;
    show::result(&report.text());
    Ok(Outcome::Done)
}

/// Measures the model and writes the files; returns the report.
pub(crate) fn evaluate(args: &EvaluateArgs) -> anyhow::Result<Report> {
    let model = read_model(&args.model)?;
    let project = Project::open(&args.config.config)?;
    for path in [Some(&args.output), args.json.as_ref()].into_iter().flatten() {
        check_target(path)?;
    }
    if let Some(path) = &args.scores {
        check_table_target(path)?;
    }
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
    let manual = match &args.rules {
        Some(rules) => Some(points_of(rules, &project, &snapshots)?),
        None => manual_scores(&tables, &snapshots),
    };
    let evaluation =
        evaluate_rows(manual.as_deref(), &lead_keys(&tables, &snapshots), &labels, &scored.probabilities).context("cannot evaluate these snapshots")?;
    let write_time = project.write_time();
    let report = Report::new(
        &model.card,
        &model,
        evaluation,
        DataSection {
            measured_on: format!("{} snapshots of {}", show::count(rows.len()), args.config.config.display()),
            snapshots: describe_counts(&counts, &project),
            in_sample: from < known_until,
            rules: args.rules.as_ref().map(|path| path.display().to_string()),
            period: format!("{} to {}", write_time(snapshots[0].at), write_time(snapshots[snapshots.len() - 1].at)),
        },
    );
    if let Some(path) = &args.scores {
        write_table(path, &evaluated_table(&project, &tables, &snapshots, &labels, &scored, manual, &model.card.model_id))?;
        show::remark(&format!("wrote {}", path.display()));
    }
    write_report(&report, Some(&args.output), args.json.as_deref())?;
    Ok(report)
}

/// Every evaluated snapshot with its prediction and label, so that anyone can check our arithmetic.
fn evaluated_table(
    project: &Project,
    tables: &leadscore_tables::Tables,
    snapshots: &[leadscore_core::Snapshot],
    labels: &[bool],
    scored: &leadscore_inference::Scored,
    manual: Option<Vec<f64>>,
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
    if let Some(manual) = manual {
        table.push("manual_score", OutColumn::Number(manual));
    }
    table.push("model_id", OutColumn::Text(vec![Some(model_id.to_owned()); snapshots.len()]));
    table
}
