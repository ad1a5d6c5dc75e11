//! The `leadscore` command: the only part that knows paths, clocks and terminals.

mod args;
mod commands;
mod show;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // A second handler cannot have been set: this is the only place.
    let _ = ctrlc::set_handler(|| {
        if show::is_left_to_the_work() {
            return;
        }
        leadscore_tables::remove_unfinished();
        std::process::exit(130);
    });
    let args = args::Args::parse();
    match commands::run(args.command) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            show::error(&error);
            ExitCode::from(2)
        }
    }
}
