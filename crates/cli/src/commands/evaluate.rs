//! `evaluate`: does the model hold on snapshots that it has not seen, and does it beat every other
//! score?

use std::path::{Path, PathBuf};

use anyhow::Context;
use leadscore::front_end::{check_table_target, check_target, check_workbooks};
use leadscore::{EvaluateOptions, Model, Outputs, ReadRules, Report, evaluate};

use crate::args::{EvaluateArgs, ReadModel, ReportFormat};
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(args: &EvaluateArgs) -> anyhow::Result<Outcome> {
    show::result(&report(args)?.text());
    Ok(Outcome::Done)
}

/// Measures the model and writes the files; returns the report.
pub(crate) fn report(args: &EvaluateArgs) -> anyhow::Result<Report> {
    // A wrong path should not cost the time that reading tables takes.
    if args.format.contains(&ReportFormat::Xlsx) {
        check_workbooks()?;
    }
    if args.format.contains(&ReportFormat::Html) {
        check_page(&args.output, "--output")?;
    }
    let ReadModel { model, path: input } = args.model.read(&args.config)?;
    let files = report_files(&args.output, &args.format);
    for path in files
        .iter()
        .filter(|(format, _)| *format != ReportFormat::Vega)
        .map(|(_, path)| path)
        .chain(&args.json)
    {
        check_target(path)?;
    }
    if let Some(path) = &args.scores {
        check_table_target(path)?;
    }
    let rules = args
        .rules
        .iter()
        .map(|path| ReadRules::open(path))
        .collect::<leadscore::Result<_>>()?;
    let against = args
        .against
        .iter()
        .map(|other| other.read(&args.config).map(|read| (read.path, read.model)))
        .collect::<anyhow::Result<Vec<(PathBuf, Model)>>>()?;
    let models = std::iter::once(input).chain(against.iter().map(|(path, _)| path.clone()));
    let data = show::open(&args.config)?;
    let targets = files
        .iter()
        .map(|(_, path)| path)
        .chain(&args.json)
        .chain(&args.scores);
    data.refuse_inputs(
        targets,
        &models.chain(args.rules.iter().cloned()).collect::<Vec<_>>(),
    )?;
    let options = EvaluateOptions {
        from: data.moments("--from", args.from.as_ref())?,
        to: data.moments("--to", args.to.as_ref())?,
        allow_in_sample: args.allow_in_sample,
        other_leads: args.other_leads,
        rules,
        against,
        threshold: args.threshold,
        economy: args.economy.clone().into(),
        backtest: args.backtest,
    };
    let evaluation = evaluate(&data, &model, &options)?;
    let mut outputs = Outputs::default();
    if let Some(path) = &args.scores {
        outputs.table(path, &evaluation.snapshots)?;
    }
    add_report(
        &mut outputs,
        &evaluation.report,
        &files,
        args.json.as_deref(),
    )?;
    show::publish(outputs)?;
    Ok(evaluation.report)
}

/// Fails where a page would be written under the ending of another form.
pub(crate) fn check_page(path: &Path, option: &str) -> anyhow::Result<()> {
    const OTHERS: [&str; 6] = ["csv", "json", "md", "ndjson", "parquet", "xlsx"];
    let ending = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    anyhow::ensure!(
        !OTHERS.contains(&ending.as_str()),
        "{option} {} does not end as the page that it is written as\n  hint: let it end in .html; the other forms of a report come by `evaluate --format`",
        path.display()
    );
    Ok(())
}

/// Where each form of the report is written: beside the page, by its ending.
fn report_files(output: &Path, formats: &[ReportFormat]) -> Vec<(ReportFormat, PathBuf)> {
    let place = |format: &ReportFormat| match format {
        ReportFormat::Html => output.to_owned(),
        ReportFormat::Json => output.with_extension("json"),
        ReportFormat::Xlsx => output.with_extension("xlsx"),
        ReportFormat::Md => output.with_extension("md"),
        ReportFormat::Vega => output.with_extension("charts"),
    };
    formats
        .iter()
        .map(|format| (*format, place(format)))
        .collect()
}

/// Adds every form of a report to the outputs of a run.
pub(crate) fn add_report(
    outputs: &mut Outputs,
    report: &Report,
    files: &[(ReportFormat, PathBuf)],
    json: Option<&Path>,
) -> anyhow::Result<()> {
    if let Some(path) = json {
        outputs.text(path, &report.json()?)?;
    }
    for (format, path) in files {
        match format {
            ReportFormat::Html => outputs.text(path, &report.html()?)?,
            ReportFormat::Json => outputs.text(path, &report.json()?)?,
            ReportFormat::Md => outputs.text(path, &report.markdown())?,
            ReportFormat::Xlsx => outputs.bytes(path, &report.workbook()?)?,
            ReportFormat::Vega => {
                std::fs::create_dir_all(path)
                    .with_context(|| format!("cannot make the folder {}", path.display()))?;
                for (name, chart) in report.vega_lite() {
                    outputs.text(
                        &path.join(format!("{name}.vl.json")),
                        &serde_json::to_string_pretty(&chart)?,
                    )?;
                }
            }
        }
    }
    Ok(())
}
