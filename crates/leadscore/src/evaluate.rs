//! `evaluate`: does the model hold on snapshots that it has not seen, and does it beat every other
//! score?

mod baselines;
mod range;
mod table;

use std::path::{Path, PathBuf};

use leadscore_core::{FeatureMatrix, Snapshot, Timestamp, counted};
use leadscore_inference::{Model, score};
use leadscore_io::OutTable;
use leadscore_report::{OutsideTraining, Report};

use self::baselines::{Earlier, baselines};
use self::range::{Range, refuse_leads_of_training};
use self::table::evaluated_table;
use crate::backtest::backtest;
use crate::data::{Data, cluster_keys, describe_counts};
use crate::error::{Context, bail};
use crate::evaluation::{Economy, Evaluated, MeasuredOn, data_section, look, measure, tiers_from};
use crate::outputs::{write_bytes, write_text};
use crate::rules::ReadRules;

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
            "a report is not written as `.{ending}`\n  hint: let the name end in .html, .json, .xlsx or .md"
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
    let economy = options.economy.or(&data.config.report);
    check_numbers(options.threshold, &economy)?;
    let look = look(data, &data.config.report)?;
    let range = Range::of(data, model, options)?;
    data.whole_tables(model, "evaluate")?;
    let tables = data.load_for(model)?;
    let (labelled, counts) =
        leadscore_features::labelled_snapshots(&tables, &data.config.snapshots, data.known_before)?;
    data.remark(&describe_counts(&counts, data));
    let rows = range.rows(data, model, &labelled.snapshots)?;
    let snapshots: Vec<_> = rows.iter().map(|&row| labelled.snapshots[row]).collect();
    if options.other_leads {
        refuse_leads_of_training(model, &tables, &snapshots)?;
    }
    let labels: Vec<bool> = rows.iter().map(|&row| labelled.labels[row]).collect();
    let matrix = data.features_of(&tables, &model.specs, &snapshots)?;
    let scored = score(model, &matrix)?;
    let earlier = Earlier::of(data, &labelled, snapshots[0].at);
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
    let stage = data.stage("measuring", 1)?;
    let mut measurement =
        measure(&evaluated, &baselines, &economy).context("cannot evaluate these snapshots")?;
    drop(stage);
    if options.backtest {
        let clusters = cluster_keys(&tables, &snapshots);
        let backtest = backtest(data, &snapshots, &evaluated.labels, &clusters)?;
        measurement.measured.backtest = Some(backtest);
    }
    if let Some(edges) = tiers_from(data, model) {
        data.remark(&format!("the model's tiers begin at {edges}, as [tiers] sets them; comparisons with other scores are by quartiles of these snapshots"));
    }
    let measured = MeasuredOn {
        in_sample: range.in_sample,
        outside: outside_training(data, model, &matrix),
        ..measured_on(data, options, &snapshots)
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

/// Refuses numbers that are none, or that cost and value cannot be.
fn check_numbers(threshold: Option<f64>, economy: &Economy) -> crate::Result<()> {
    for (what, number) in [
        ("threshold", threshold),
        ("cost", economy.cost),
        ("value", economy.value),
    ] {
        let Some(number) = number else { continue };
        if !number.is_finite() {
            bail!("{what} is {number}: expected a finite number");
        }
        if what != "threshold" && number < 0.0 {
            bail!("{what} is {number}: expected 0 or more");
        }
    }
    Ok(())
}

/// Which snapshots these are, in words.
fn measured_on(data: &Data, options: &EvaluateOptions, snapshots: &[Snapshot]) -> MeasuredOn {
    let write_time = data.write_time();
    MeasuredOn {
        rows: format!(
            "{} of {}{}",
            counted(snapshots.len(), "snapshot"),
            data.name,
            if options.other_leads {
                ", leads that the model was not trained on"
            } else {
                ""
            }
        ),
        period: format!(
            "{} to {}",
            write_time(snapshots[0].at),
            write_time(snapshots[snapshots.len() - 1].at)
        ),
        in_sample: false,
        of_earlier_fit: false,
        outside: OutsideTraining::default(),
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
