//! `explain`: why one lead has its score, how far it is from the next tier, and what would take it there.

use std::path::Path;

use anyhow::Context;
use leadscore_tables::{Bytes, Frames, read_at_most};
use leadscore_workflow::{Project, explain, explain_one, read_model};

use crate::args::ExplainArgs;
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<Outcome> {
    let model = read_model(&args.model)?;
    let explanation = match (&args.lead_json, &args.lead) {
        (Some(path), _) => {
            let lead = read_lead(path)?;
            let project = Project::open_for_one(&args.config.config, &Frames::default(), show::terminal())?;
            explain_one(&project, &model, &lead, project.moments("--as-of", args.as_of.as_ref())?)?
        }
        (None, lead) => {
            let project = show::open(&args.config)?;
            let as_of = project.moments("--as-of", args.as_of.as_ref())?;
            explain(&project, &model, lead.as_deref().unwrap_or_default(), as_of, &args.what_if)?
        }
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
    let bytes = read_at_most(path, LARGEST_LEAD).with_context(|| format!("cannot read the lead {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("the lead {} is no JSON", path.display()))
}
