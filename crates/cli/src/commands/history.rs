//! `history`: what was predicted for a lead over time, and the score history by week.

use leadscore::front_end::Settings;
use leadscore::{Config, Timestamp};
use leadscore_operate::{History, PathOptions};

use crate::args::HistoryArgs;
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(args: &HistoryArgs) -> anyhow::Result<Outcome> {
    // The tables themselves are not read, and may be elsewhere.
    let config = Config::read(&args.config.config)?;
    let history = open(args, config.settings())?;
    let since = args.since.as_deref().map(moment).transpose()?;
    match &args.lead {
        Some(lead) => {
            let path = history.path(lead, &PathOptions { since })?;
            if args.json {
                show::json(&serde_json::to_string_pretty(&path)?);
            } else {
                show::result(&path.text());
            }
        }
        None => {
            let summary = history.summary(since, args.all)?;
            if args.json {
                show::json(&serde_json::to_string_pretty(&summary)?);
            } else {
                show::result(&summary.text());
            }
        }
    }
    Ok(Outcome::Done)
}

fn open(args: &HistoryArgs, settings: &Settings) -> anyhow::Result<History> {
    let folder = args.history.as_deref();
    Ok(History::of_config(settings, &args.config.config, folder)?)
}

fn moment(text: &str) -> anyhow::Result<Timestamp> {
    text.trim()
        .parse()
        .map_err(|error| anyhow::anyhow!("--since {error}"))
}
