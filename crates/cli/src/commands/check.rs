//! `check`: what is wrong with this data, what leaks, and is there enough of it.

use leadscore::{check, error_words};

use crate::args::CheckArgs;
use crate::commands::{Outcome, elsewhere};
use crate::show;

pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<Outcome> {
    let found = match args.engine.elsewhere() {
        Some(address) => elsewhere::check(args, address),
        None => show::open(&args.config).and_then(|data| Ok(check(&data)?)),
    };
    let findings = match found {
        Ok(findings) => findings,
        Err(error) => {
            // Whoever reads JSON reads why there is nothing else.
            if args.json {
                show::json(&serde_json::to_string_pretty(
                    &serde_json::json!({ "error": error_words(error.as_ref()) }),
                )?);
            }
            return Err(error);
        }
    };
    if args.json {
        show::json(&serde_json::to_string_pretty(&findings)?);
    } else {
        show::result(&findings.text());
    }
    if findings.is_refused() {
        return Ok(Outcome::Refused);
    }
    Ok(if findings.is_wrong {
        Outcome::No
    } else {
        Outcome::Done
    })
}
