//! `score`: likelihood, tier and reasons of every open lead, best first; and the list for people.

mod rows;

use std::path::{Path, PathBuf};

use leadscore::front_end::{check_databases, check_table_target, check_target, folder_of};
use leadscore::{Data, ListFormat, ListOptions, Outputs, ScoreOptions, lead_list, score};
use leadscore_operate::{Addition, History, HistoryError};

use self::rows::Rows;
use crate::args::{ReadModel, ScoreArgs};
use crate::commands::{Outcome, elsewhere};
use crate::show;

/// Where scores are written if nothing is said.
const DEFAULT_OUTPUT: &str = "scores.csv";

pub(crate) fn run(args: &ScoreArgs) -> anyhow::Result<Outcome> {
    if let Some(address) = args.engine.elsewhere() {
        return elsewhere::score(args, address);
    }
    let output = output_of(args);
    let ReadModel { model, path } = args.model.read(&args.config)?;
    check_targets(args, output.as_deref())?;
    let data = show::open(&args.config)?;
    let inputs: Vec<PathBuf> = std::iter::once(&path)
        .chain(&args.list.previous)
        .cloned()
        .collect();
    data.refuse_inputs(
        output.iter().chain(&args.json).chain(&args.list.list),
        &inputs,
    )?;
    let history = history_of(args, &data)?;
    let list = ListOptions::from(args.list.clone());
    let earlier = if args.list.list.is_empty() {
        None
    } else {
        list.check(&data)?
    };
    let beside = output
        .as_ref()
        .or(args.list.list.first())
        .filter(|_| args.table.is_none());
    let spill = args.limit.spill.clone().unwrap_or_else(|| {
        beside.map_or_else(std::env::temp_dir, |path| folder_of(path).to_owned())
    });
    if let Some(table) = &args.table {
        data.check_table(table)?;
    }
    let data = data.as_of_text("--as-of", args.as_of.as_ref())?;
    let scores = score(
        &data,
        &model,
        &ScoreOptions {
            intervals: args.intervals,
            memory: args.limit.memory,
            spill: Some(spill),
        },
    )?;
    let mut outputs = Outputs::default();
    if let Some(path) = &args.json {
        outputs.text(path, &serde_json::to_string_pretty(&scores.summary)?)?;
    }
    if !args.list.list.is_empty() {
        let list = lead_list(&data, &scores, &list, earlier.as_ref())?;
        for path in &args.list.list {
            outputs.list(path, &list)?;
        }
    }
    let output = output.as_deref();
    let rows = Rows::of(output, args.table.as_deref())?;
    let kept = rows.write(&data, &scores, history.as_ref(), &mut outputs)?;
    show::publish(outputs)?;
    if let Some(kept) = kept {
        say_kept(&kept);
    }
    // What goes into a pipe or a device as data has nothing beside it.
    if !output.is_some_and(|output| output.metadata().is_ok_and(|meta| !meta.is_file())) {
        show::result(&format!(
            "\nThe first of the open leads:\n\n{}",
            scores.first(show::N_FIRST)?
        ));
    }
    Ok(Outcome::Done)
}

/// The history to which scores are added, if they are.
fn history_of(args: &ScoreArgs, data: &Data) -> anyhow::Result<Option<History>> {
    let Some(folder) = &args.history else {
        return Ok(None);
    };
    if data.settings().is_flat() {
        return Err(HistoryError::Undated.into());
    }
    let config = &args.config.config;
    let history = History::of_config(data.settings(), config, folder.as_deref())?;
    history.moments()?;
    Ok(Some(history))
}

/// Says what became of the history, beside the file that was written.
fn say_kept(kept: &Addition) {
    if !kept.is_new {
        show::remark(&format!(
            "{} has the same scores already",
            kept.path.display()
        ));
    } else if kept.n_replaced > 0 {
        show::remark(
            "note: the history had other scores of this moment: they are kept, and the new ones count",
        );
    }
    if let Some(later) = kept.later {
        show::remark(&format!(
            "note: the history already has scores of {later}, which is later"
        ));
    }
}

/// Fails where something that is asked for cannot be written.
fn check_targets(args: &ScoreArgs, output: Option<&Path>) -> anyhow::Result<()> {
    if args.table.is_some() {
        check_databases()?;
    }
    if let Some(output) = output {
        check_table_target(output)?;
    }
    for path in &args.list.list {
        ListFormat::of(path)?;
    }
    for path in args.json.iter().chain(&args.list.list) {
        check_target(path)?;
    }
    Ok(())
}

/// The score file, if one is written: beside a list or in place of it.
fn output_of(args: &ScoreArgs) -> Option<PathBuf> {
    let is_elsewhere = args.table.is_some() || !args.list.list.is_empty();
    args.output
        .clone()
        .or_else(|| (!is_elsewhere).then(|| PathBuf::from(DEFAULT_OUTPUT)))
}
