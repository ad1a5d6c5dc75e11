//! `explain`: why one lead has its score, how far it is from the next tier, what changed; or the
//! contributions of all open leads.

use std::path::{Path, PathBuf};

use anyhow::Context;
use leadscore::front_end::{Bytes, TableWriter, check_table_target, read_at_most};
use leadscore::{
    ContributionsBy, ExplainOptions, Model, OpenTables, Outputs, contributions, explain,
    explain_one, read_lead_json,
};

use crate::args::{ContributionsArg, ExplainArgs, ReadModel};
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<Outcome> {
    let ReadModel { model, path } = args.model.read(&args.config)?;
    let explanation = match (&args.lead_json, &args.lead) {
        (Some(lead), _) => {
            let lead = read_lead(lead)?;
            let data = show::open_tables(&args.config, OpenTables::Lookups)?
                .as_of_text("--as-of", args.as_of.as_ref())?;
            explain_one(&data, &model, &lead)?
        }
        (None, Some(lead)) => {
            let data = show::open(&args.config)?.as_of_text("--as-of", args.as_of.as_ref())?;
            let options = ExplainOptions {
                since: data.moments("--since", args.since.as_ref())?,
                what_if: args.what_if.clone(),
            };
            explain(&data, &model, lead, &options)?
        }
        (None, None) => return tables(args, &model, path),
    };
    if args.json {
        show::json(&serde_json::to_string_pretty(&explanation)?);
    } else {
        show::result(&explanation.text());
    }
    Ok(Outcome::Done)
}

/// Largest description of a lead: its activities are those of one lead.
const LARGEST_LEAD: Bytes = Bytes(100_000_000);

fn read_lead(path: &Path) -> anyhow::Result<serde_json::Value> {
    let bytes = read_at_most(path, LARGEST_LEAD)
        .with_context(|| format!("cannot read the lead {}", path.display()))?;
    Ok(read_lead_json(
        &format!("the lead {}", path.display()),
        &bytes,
    )?)
}

/// Writes the contributions of all open leads.
fn tables(args: &ExplainArgs, model: &Model, path: PathBuf) -> anyhow::Result<Outcome> {
    let targets: Vec<_> = args.table.iter().chain(&args.importance).collect();
    targets
        .iter()
        .try_for_each(|path| check_table_target(path))?;
    let data = show::open(&args.config)?;
    data.refuse_inputs(targets, &[path])?;
    let by = match args.by {
        ContributionsArg::Concept => ContributionsBy::Concept,
        ContributionsArg::Feature => ContributionsBy::Feature,
    };
    let data = data.as_of_text("--as-of", args.as_of.as_ref())?;
    let found = contributions(&data, model, by)?;
    let mut outputs = Outputs::default();
    for (path, table) in [
        (&args.table, &found.leads),
        (&args.importance, &found.importance),
    ] {
        if let Some(path) = path {
            let mut writer = TableWriter::create(path)?;
            writer.write(table)?;
            outputs.written(path, writer)?;
        }
    }
    show::publish(outputs)?;
    Ok(Outcome::Done)
}
