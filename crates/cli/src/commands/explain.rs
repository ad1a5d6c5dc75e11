//! `explain`: why one lead has its score, how far it is from the next tier, and what would take it there.

use leadscore_workflow::{explain, read_model};

use crate::args::ExplainArgs;
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<Outcome> {
    let model = read_model(&args.model)?;
    let project = show::open(&args.config)?;
    let as_of = project.moments("--as-of", args.as_of.as_ref())?;
    let explanation = explain(&project, &model, &args.lead, as_of)?;
    if args.json {
        show::json(&serde_json::to_string_pretty(&explanation)?);
    } else {
        show::result(&explanation.text());
    }
    Ok(Outcome::Done)
}
