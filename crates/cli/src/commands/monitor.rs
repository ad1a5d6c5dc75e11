//! `monitor`: whether the model still holds, before and after windows have ended.

use std::path::PathBuf;

use leadscore::Outputs;
use leadscore::front_end::check_target;
use leadscore_operate::{History, MonitorInput, Urgency, monitor};

use crate::args::{MonitorArgs, ReadModel};
use crate::commands::Outcome;
use crate::commands::evaluate::check_page;
use crate::show;

pub(crate) fn run(args: &MonitorArgs) -> anyhow::Result<Outcome> {
    let targets: Vec<&PathBuf> = [&args.html, &args.json, &args.metrics]
        .into_iter()
        .flatten()
        .collect();
    for path in &targets {
        check_target(path)?;
    }
    if let Some(page) = &args.html {
        check_page(page, "--html")?;
    }
    let ReadModel { model, path } = args.model.read(&args.config)?;
    let data = show::open(&args.config)?;
    data.refuse_inputs(targets, &[path])?;
    let data = data.as_of_text("--as-of", args.as_of.as_ref())?;
    let history = History::of_config(data.settings(), &args.config.config, None)?;
    let found = monitor(
        &data,
        &model,
        MonitorInput {
            history: Some(&history),
            ..MonitorInput::default()
        },
    )?;
    let mut outputs = Outputs::default();
    if let Some(path) = &args.html {
        outputs.text(path, &found.html()?)?;
    }
    if let Some(path) = &args.json {
        outputs.text(path, &serde_json::to_string_pretty(&found)?)?;
    }
    if let Some(path) = &args.metrics {
        outputs.text(path, &found.open_metrics())?;
    }
    show::publish(outputs)?;
    show::result(&found.text());
    Ok(match found.verdict {
        Urgency::Alarm => Outcome::No,
        Urgency::CannotTell | Urgency::Ok | Urgency::Watch => Outcome::Done,
    })
}
