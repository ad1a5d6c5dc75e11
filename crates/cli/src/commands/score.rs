//! `score`: likelihood, tier and reasons of every open lead.

use leadscore_tables::{check_table_target, write_table};
use leadscore_workflow::{Scores, read_model, score_leads};

use crate::args::ScoreArgs;
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(args: &ScoreArgs) -> anyhow::Result<Outcome> {
    score(args)?;
    Ok(Outcome::Done)
}

/// Scores every open lead and writes the file.
pub(crate) fn score(args: &ScoreArgs) -> anyhow::Result<Scores> {
    let model = read_model(&args.model)?;
    let project = show::open(&args.config)?;
    check_table_target(&args.output)?;
    let as_of = project.moments("--as-of", args.as_of.as_ref())?;
    let scores = score_leads(&project, &model, as_of, args.intervals)?;
    write_table(&args.output, &scores.table)?;
    show::remark(&format!("wrote {}", args.output.display()));
    Ok(scores)
}
