//! `check`: what is wrong with this data, what leaks, and is there enough of it.

use leadscore_workflow::check;

use crate::args::CheckArgs;
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<Outcome> {
    let findings = check(&show::open(&args.config)?)?;
    show::result(&if args.json { serde_json::to_string_pretty(&findings)? } else { findings.text() });
    Ok(if findings.is_wrong { Outcome::No } else { Outcome::Done })
}
