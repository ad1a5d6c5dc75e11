//! `score`: likelihood, tier and reasons of every open lead.

use std::path::Path;

use leadscore_tables::{TableWriter, check_table_target, check_target, folder_of};
use leadscore_workflow::{Outputs, ScoreOptions, Scores, read_model, score_leads};

use crate::args::ScoreArgs;
use crate::commands::{Outcome, elsewhere};
use crate::show;

pub(crate) fn run(args: &ScoreArgs) -> anyhow::Result<Outcome> {
    if let Some(address) = args.engine.elsewhere() {
        return elsewhere::score(args, address);
    }
    let model = read_model(&args.model)?;
    if args.table.is_none() {
        check_table_target(&args.output)?;
    }
    if let Some(path) = &args.json {
        check_target(path)?;
    }
    let project = show::open(&args.config)?;
    let output = Some(&args.output).filter(|_| args.table.is_none());
    project.refuse_inputs(output.into_iter().chain(&args.json), std::slice::from_ref(&args.model))?;
    let spill = args.limit.spill.clone().unwrap_or_else(|| if args.table.is_some() { std::env::temp_dir() } else { folder_of(&args.output).to_owned() });
    let as_of = project.moments("--as-of", args.as_of.as_ref())?;
    let scores = score_leads(&project, &model, &ScoreOptions { as_of, intervals: args.intervals, memory: args.limit.memory, spill: Some(spill) })?;
    let mut outputs = Outputs::default();
    if let Some(path) = &args.json {
        outputs.text(path, &serde_json::to_string_pretty(&scores.summary)?)?;
    }
    if let Some(table) = &args.table {
        let frame = scores.frame()?;
        let n_rows = project.upsert(table, &[&frame.columns()[0], "as_of"], &frame)?;
        show::remark(&format!("wrote {} rows into {table}", show::count(n_rows)));
    } else {
        add_scores(&mut outputs, &scores, &args.output)?;
    }
    show::publish(outputs)?;
    Ok(Outcome::Done)
}

/// Adds a score file to the outputs of a run, part after part.
pub(crate) fn add_scores(outputs: &mut Outputs, scores: &Scores<'_>, output: &Path) -> anyhow::Result<()> {
    let mut writer = TableWriter::create(output)?;
    scores.for_each_part(|part| Ok(writer.write(&part)?))?;
    outputs.written(output, writer)
}
