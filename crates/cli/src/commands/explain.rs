//! `explain`: why one lead has its score, how far it is from the next tier, what changed; or the contributions of all open leads.

use leadscore_tables::{TableWriter, check_table_target};
use leadscore_workflow::{ContributionsBy, Outputs, contributions, explain, read_model};

use crate::args::{ContributionsArg, ExplainArgs};
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<Outcome> {
    let Some(lead) = &args.lead else { return tables(args) };
    let model = read_model(&args.model)?;
    let project = show::open(&args.config)?;
    let (as_of, since) = (project.moments("--as-of", args.as_of.as_ref())?, project.moments("--since", args.since.as_ref())?);
    let explanation = explain(&project, &model, lead, as_of, since)?;
    if args.json {
        show::json(&serde_json::to_string_pretty(&explanation)?);
    } else {
        show::result(&explanation.text());
    }
    Ok(Outcome::Done)
}

/// Writes the contributions of all open leads.
fn tables(args: &ExplainArgs) -> anyhow::Result<Outcome> {
    let model = read_model(&args.model)?;
    let targets: Vec<_> = args.table.iter().chain(&args.importance).collect();
    targets.iter().try_for_each(|path| check_table_target(path))?;
    let project = show::open(&args.config)?;
    project.refuse_inputs(targets, std::slice::from_ref(&args.model))?;
    let by = match args.by {
        ContributionsArg::Concept => ContributionsBy::Concept,
        ContributionsArg::Feature => ContributionsBy::Feature,
    };
    let found = contributions(&project, &model, project.moments("--as-of", args.as_of.as_ref())?, by)?;
    let mut outputs = Outputs::default();
    for (path, table) in [(&args.table, &found.leads), (&args.importance, &found.importance)] {
        if let Some(path) = path {
            let mut writer = TableWriter::create(path)?;
            writer.write(table)?;
            outputs.written(path, writer)?;
        }
    }
    show::publish(outputs)?;
    Ok(Outcome::Done)
}
