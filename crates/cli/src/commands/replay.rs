//! `replay`: every answer of the server computed again from the tables of its store.

use std::path::PathBuf;

use leadscore::{Config, Data, Inputs};
use leadscore_live::{ReplayInputs, ReplayOptions, models_of, replay};
use leadscore_operate::Registry;
use leadscore_store::Store;

use crate::args::ReplayArgs;
use crate::commands::Outcome;
use crate::commands::store::place;
use crate::show;

pub(crate) fn run(args: &ReplayArgs) -> anyhow::Result<Outcome> {
    let (config, place) = place(&args.of)?;
    let log = log_of(args, &config)?;
    let store = Store::open_read(place)?;
    let data = Data::open(&config, Inputs::default())?;
    let settings = config.settings();
    let registry = Registry::open(config.folder().join(&settings.operation.registry))?;
    let inputs = ReplayInputs {
        config: &config,
        data: &data,
        store: &store,
        models: &models_of(&registry),
    };
    let report = replay(&log, &inputs, ReplayOptions { n_shown: args.show })?;
    if args.json {
        show::json(&serde_json::to_string_pretty(&report)?);
    } else {
        show::result(&report.text());
    }
    Ok(if report.is_confirmed() {
        Outcome::Done
    } else {
        Outcome::No
    })
}

fn log_of(args: &ReplayArgs, config: &Config) -> anyhow::Result<PathBuf> {
    let named = config.settings().serve.log.as_ref();
    match (&args.log, named) {
        (Some(log), _) => Ok(log.clone()),
        (None, Some(log)) => Ok(config.folder().join(log)),
        (None, None) => anyhow::bail!(
            "no log of answers is named\n  hint: name its folder, or give `log` in [serve]"
        ),
    }
}
