//! `evaluate`: does the model hold on snapshots that it has not seen, and does it beat every other
//! score?

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::error::{Context, bail};
use leadscore_core::{FeatureMatrix, Snapshot, Timestamp};
use leadscore_inference::{Model, score};
use leadscore_report::{OutsideTraining, Report, count};
use leadscore_tables::{LoadOptions, OutColumn, OutTable, Tables};

use crate::backtest::backtest;
use crate::data::{Data, cluster_keys, describe_counts, lead_keys};
use crate::evaluation::{
    Baseline, BaselineKind, Economy, Evaluated, MeasuredOn, data_section, known_before, look,
    manual_baseline, measure, tiers_from,
};
use crate::outputs::{write_bytes, write_text};
use crate::rules::{ReadRules, points_of};
use crate::score::tiers_of;

/// What a model is measured on, and beside what.
#[derive(Default)]
pub struct EvaluateOptions {
    /// First snapshot to look at; default: where the model's knowledge ends.
    pub from: Option<Timestamp>,
    /// Look only at snapshots before this moment.
    pub to: Option<Timestamp>,
    /// Also look at snapshots from before the model's knowledge ended; the report says so.
    pub allow_in_sample: bool,
    /// These are other leads than those that the model was trained on, of whatever time: refused
    /// where one is found among them.
    pub other_leads: bool,
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

impl Evaluation {
    /// Writes the report, whole or not at all, in the form that the ending names: `.html`, `.json`,
    /// `.xlsx` or `.md`.
    ///
    /// # Errors
    ///
    /// The ending names no form, or the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> crate::Result<()> {
        write_report(&self.report, path.as_ref())
    }
}

/// Writes a report in the form that the ending of its name asks for.
pub fn write_report(report: &Report, path: &Path) -> crate::Result<()> {
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    match ending.as_str() {
        "html" | "htm" => write_text(path, &report.html()?),
        "json" => write_text(path, &report.json()?),
        "xlsx" => write_bytes(path, &report.workbook()?),
        "md" => write_text(path, &report.markdown()),
        _ => bail!(
            "a report is not written as `.{ending}`: let the name end in .html, .json, .xlsx or .md"
        ),
    }
}

/// Measures a model on snapshots whose window has ended.
///
/// # Errors
///
/// The tables cannot be read, no snapshot is left to look at, or a score cannot be measured.
pub fn evaluate(
    data: &Data,
    model: &Model,
    options: &EvaluateOptions,
) -> crate::Result<Evaluation> {
    for (what, number) in [
        ("threshold", options.threshold),
        ("cost", options.economy.cost),
        ("value", options.economy.value),
    ] {
        if let Some(number) = number.filter(|number| !number.is_finite()) {
            bail!("{what} is {number}: expected a finite number");
        }
    }
    let look = look(data, &data.config.report)?;
    let known_until = Timestamp::from_micros(model.card.known_until_micros);
    let is_any_time = options.allow_in_sample || options.other_leads;
    let from = options.from.unwrap_or(if is_any_time {
        Timestamp::MIN
    } else {
        known_until
    });
    let to = options.to.unwrap_or(Timestamp::MAX);
    if from < known_until && !is_any_time {
        bail!(
            "--from {} is before the model's training cutoff {}: the evaluation would be in sample; train with an earlier --as-of, pass --other-leads where these are not the leads of training, or --allow-in-sample",
            (data.write_time())(from),
            model.card.known_until
        );
    }
    data.whole_tables(model, "evaluate")?;
    let tables = data.load_for(model)?;
    let (labelled, counts) =
        leadscore_features::labelled_snapshots(&tables, &data.config.snapshots, data.known_before)?;
    data.remark(&describe_counts(&counts, data));
    let rows: Vec<usize> = (0..labelled.snapshots.len())
        .filter(|&row| (from..to).contains(&labelled.snapshots[row].at))
        .collect();
    if rows.is_empty() {
        bail!(
            "no mature snapshot lies in the range from {}: the model's training cutoff is {}; train with an earlier --as-of, so that later snapshots are left to test on, or pass --other-leads where these are not the leads of training",
            (data.write_time())(from),
            model.card.known_until
        );
    }
    let snapshots: Vec<_> = rows.iter().map(|&row| labelled.snapshots[row]).collect();
    if options.other_leads {
        refuse_leads_of_training(model, &tables, &snapshots)?;
    }
    let labels: Vec<bool> = rows.iter().map(|&row| labelled.labels[row]).collect();
    let matrix = data.features_of(&tables, &model.specs, &snapshots)?;
    let scored = score(model, &matrix)?;
    let earlier_rows = known_before(data, &labelled.snapshots, snapshots[0].at);
    let earlier = Earlier {
        snapshots: earlier_rows
            .iter()
            .map(|&row| labelled.snapshots[row])
            .collect(),
        labels: earlier_rows
            .iter()
            .map(|&row| labelled.labels[row])
            .collect(),
    };
    let baselines = baselines(options, data, &tables, &snapshots, &earlier)?;
    let evaluated = Evaluated {
        data,
        tables: &tables,
        model,
        matrix: &matrix,
        rows: (0..snapshots.len()).collect(),
        labels,
        probabilities: scored.probabilities.clone(),
    };
    let mut measurement = {
        let _stage = data.stage("measuring", 1)?;
        measure(
            &evaluated,
            &baselines,
            &options.economy.or(&data.config.report),
        )
        .context("cannot evaluate these snapshots")?
    };
    if options.backtest {
        measurement.measured.backtest = Some(backtest(
            data,
            &snapshots,
            &evaluated.labels,
            &cluster_keys(&tables, &snapshots),
        )?);
    }
    if let Some(edges) = tiers_from(data, model) {
        data.remark(&format!("the model's tiers begin at {edges}, as [tiers] says; comparisons with other scores are by quartiles of these snapshots"));
    }
    let write_time = data.write_time();
    let period = format!(
        "{} to {}",
        write_time(snapshots[0].at),
        write_time(snapshots[snapshots.len() - 1].at)
    );
    let measured = MeasuredOn {
        rows: format!(
            "{} snapshots of {}{}",
            count(rows.len()),
            data.name,
            if options.other_leads {
                ", leads that the model was not trained on"
            } else {
                ""
            }
        ),
        period,
        in_sample: from < known_until && !options.other_leads,
        of_earlier_fit: false,
        outside: outside_training(data, model, &matrix),
    };
    let section = data_section(data, model, &counts, &measurement, measured);
    let snapshots = evaluated_table(
        data,
        &tables,
        &snapshots,
        &evaluated.labels,
        &scored,
        &baselines,
        model,
    );
    Ok(Evaluation {
        report: Report::new(&model.card, model, measurement.measured, section, look),
        snapshots,
    })
}

/// Refuses leads that the model was trained on.
fn refuse_leads_of_training(
    model: &Model,
    tables: &Tables,
    snapshots: &[Snapshot],
) -> crate::Result<()> {
    let Some(leads) = model
        .scope
        .as_ref()
        .map(|scope| &scope.leads)
        .filter(|leads| !leads.is_empty())
    else {
        bail!(
            "--other-leads: the model does not know which leads it was trained on, because it is of an earlier version; train it again"
        );
    };
    let keys = lead_keys(tables, snapshots);
    let known: BTreeSet<u32> = (0..keys.len())
        .filter(|&row| leads.holds(keys[row]))
        .map(|row| snapshots[row].lead)
        .collect();
    match known.first() {
        None => Ok(()),
        Some(&first) => bail!(
            "--other-leads: the model was trained on {} of these leads{}, such as `{}`: its figures would be in sample\n  hint: take the leads of training out of the tables, or evaluate on snapshots after its training cutoff {}",
            count(known.len()),
            if leads.is_whole() { "" } else { " at least" },
            tables.leads.ids[first as usize],
            model.card.known_until
        ),
    }
}

/// What of these rows is unlike those that the model was trained on.
pub(crate) fn outside_training(
    data: &Data,
    model: &Model,
    matrix: &FeatureMatrix,
) -> OutsideTraining {
    let guarded = model.guard(matrix).unwrap_or_default();
    OutsideTraining {
        share: guarded.n_outside as f64 / matrix.n_rows().max(1) as f64,
        findings: guarded.findings,
        rule: data.other_rule(model),
    }
}

/// Snapshots whose outcome was known before those that are evaluated.
struct Earlier {
    snapshots: Vec<Snapshot>,
    labels: Vec<bool>,
}

/// Every score that the model is compared with: the manual column, files of rules, other models.
fn baselines(
    others: &EvaluateOptions,
    data: &Data,
    tables: &Tables,
    snapshots: &[Snapshot],
    earlier: &Earlier,
) -> crate::Result<Vec<Baseline>> {
    let mut baselines: Vec<Baseline> = manual_baseline(
        tables,
        snapshots,
        &earlier.snapshots,
        &earlier.labels,
        others.threshold.or(data.config.report.threshold),
    )
    .into_iter()
    .collect();
    if !others.rules.is_empty() {
        // A model's tables hold the attributes that it reads, and rules may read others.
        let tables = data.quiet().load(&LoadOptions::default())?;
        let all: Vec<Snapshot> = earlier.snapshots.iter().chain(snapshots).copied().collect();
        for rules in &others.rules {
            let mut points = points_of(rules, data, &tables, &all)?;
            let values = points.split_off(earlier.snapshots.len());
            let name = format!(
                "{} ({})",
                rules.file.score.name.get_ref(),
                file_name(&rules.path)
            );
            baselines.push(Baseline {
                column: name.clone(),
                name,
                origin: format!(
                    "rules of {}, computed as of each snapshot",
                    rules.path.display()
                ),
                kind: BaselineKind::Points {
                    earlier: points,
                    labels: earlier.labels.clone(),
                },
                values,
                threshold: rules
                    .file
                    .thresholds()
                    .last()
                    .map(|threshold| threshold.from),
            });
        }
    }
    for (path, model) in &others.against {
        // Another model may read other columns, or the same ones as other types.
        let tables = data.quiet().load_for(model)?;
        let scored = score(model, &data.features_of(&tables, &model.specs, snapshots)?)?;
        let seen = Timestamp::from_micros(model.card.known_until_micros) > snapshots[0].at;
        let knows = if seen {
            ", after the first of these snapshots: it has seen some of these outcomes, and its figures are too good"
        } else {
            ""
        };
        let name = format!("the model {}", file_name(path));
        baselines.push(Baseline {
            column: name.clone(),
            name,
            origin: format!(
                "the model {}, whose training cutoff is {}{knows}",
                path.display(),
                model.card.known_until
            ),
            kind: BaselineKind::Model,
            values: scored.probabilities,
            threshold: None,
        });
    }
    Ok(baselines)
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Every evaluated snapshot with its prediction and label, so that anyone can check our arithmetic.
fn evaluated_table(
    data: &Data,
    tables: &Tables,
    snapshots: &[Snapshot],
    labels: &[bool],
    scored: &leadscore_inference::Scored,
    baselines: &[Baseline],
    model: &Model,
) -> OutTable {
    let mut table = OutTable::default();
    table.push(
        &tables.leads.id_column,
        OutColumn::Text(
            snapshots
                .iter()
                .map(|key| Some(tables.leads.ids[key.lead as usize].clone()))
                .collect(),
        ),
    );
    if data.config.is_flat() {
        table.push(
            "snapshot",
            OutColumn::Number(snapshots.iter().map(|key| key.at.order()).collect()),
        );
    } else {
        table.push(
            "snapshot",
            OutColumn::Time(snapshots.iter().map(|key| Some(key.at)).collect()),
        );
    }
    let tiers = tiers_of(data, model, scored);
    table.push(
        "likelihood_to_close",
        OutColumn::Number(scored.probabilities.iter().map(|p| p * 100.0).collect()),
    );
    table.push(
        "contact_priority",
        OutColumn::Text(
            tiers
                .iter()
                .map(|tier| Some(tier.name().to_owned()))
                .collect(),
        ),
    );
    table.push("log_odds", OutColumn::Number(scored.log_odds.clone()));
    table.push(
        "label",
        OutColumn::Integer(labels.iter().map(|&label| Some(i64::from(label))).collect()),
    );
    for baseline in baselines {
        table.push(&baseline.column, OutColumn::Number(baseline.values.clone()));
    }
    table.push(
        "model_id",
        OutColumn::Text(vec![Some(model.card.model_id.clone()); snapshots.len()]),
    );
    table
}
