//! The `leadscore` command: the only part that knows paths, clocks and terminals.

mod args;
mod commands;
mod show;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    leave_no_core_dump();
    // A second handler cannot have been set: this is the only place.
    let _ = ctrlc::set_handler(|| {
        if show::is_left_to_the_work() {
            return;
        }
        leadscore_tables::remove_unfinished();
        std::process::exit(130);
    });
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        // An argument may be a URI with a password, and have characters that steer a terminal.
        Err(error) if error.use_stderr() => {
            show::wrong_arguments(&error.render().to_string());
            return ExitCode::from(2);
        }
        Err(error) => error.exit(),
    };
    match commands::run(args.command) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            show::error(&error);
            ExitCode::from(2)
        }
    }
}

/// The memory of a command has the passwords that it was given: it is not written to disk where it crashes, and on Linux not
/// read by other programs of the same user. Where the system refuses, the work goes on.
fn leave_no_core_dump() {
    #[cfg(unix)]
    let _ = nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0);
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_dumpable(false);
}
