//! `run`: what a scheduler starts every night; the last line of stdout is one JSON object.

use leadscore::{Config, Inputs, OpenTables};
use leadscore_operate::{RunDecision, RunFailure, RunOptions, RunReport, run as run_once};

use crate::args::RunArgs;
use crate::by::{seconds, typed};
use crate::commands::Outcome;
use crate::pipes::{Session, code_of_step};
use crate::show;

pub(crate) fn run(args: &RunArgs) -> anyhow::Result<Outcome> {
    let session = Session::open()?;
    // Also where the config is wrong, the last line of stdout is the report.
    let report =
        report(args).unwrap_or_else(|error| RunReport::refused(RunFailure::of(error.as_ref())));
    say(&report);
    let object = serde_json::to_value(&report)?;
    let is_step = session.is_some();
    if let Some(session) = session {
        session.close(&object)?;
    }
    show::json(&object.to_string());
    let code = match report.exit_code() {
        0 if report.decision == RunDecision::Unchanged && args.skip_code != 0 => args.skip_code,
        code => code,
    };
    Ok(Outcome::Code(if is_step {
        code_of_step(code)
    } else {
        code
    }))
}

fn report(args: &RunArgs) -> anyhow::Result<RunReport> {
    let config = Config::read(&args.config.config)?;
    let as_of = match &args.as_of {
        None => None,
        Some(text) => Some(config.moment("--as-of", text)?),
    };
    let inputs = Inputs {
        listener: show::terminal(),
        tables: OpenTables::All,
        ..Inputs::default()
    };
    Ok(run_once(
        &config,
        inputs,
        typed(),
        RunOptions {
            as_of,
            dry_run: args.dry_run,
            retrain: args.retrain,
            accept_churn: args.accept_churn,
            seconds,
        },
    ))
}

/// For people, on stderr.
fn say(report: &RunReport) {
    lines("", &report.text());
    for check in report.checks.iter().filter(|check| !check.passed) {
        lines("", &format!("{}: {}", check.name, check.message));
        if let Some(action) = &check.action {
            lines("  what to do: ", action);
        }
    }
    if let Some(error) = &report.error {
        lines("error: ", &error.message);
        if let Some(hint) = &error.hint {
            lines("  hint: ", hint);
        }
    }
}

/// Text of several lines, the first of which begins so.
fn lines(begin: &str, text: &str) {
    for (number, line) in text.lines().enumerate() {
        show::remark(&format!("{}{line}", if number == 0 { begin } else { "" }));
    }
}
