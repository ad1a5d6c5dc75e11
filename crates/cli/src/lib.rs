//! The `leadscore` command: arguments, terminal, exit codes.
//!
//! It is a library, so that the Python package has the command, too.

mod args;
mod by;
mod commands;
mod pipes;
mod show;
#[cfg(unix)]
mod signals;

use std::ffi::OsString;

use clap::Parser;
use leadscore_operate::RegistryError;

pub use by::{by, seconds};

/// Runs the command with these arguments, the first of which is its name; returns the exit code.
///
/// It is the only work of its process: it hears signals, and says on stderr what goes wrong.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    leave_no_core_dump();
    // Elsewhere, a stopped command leaves unfinished files, which have no name yet and are removed by
    // the next run.
    #[cfg(unix)]
    signals::hear();
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if is_out_of_threads(&panic.to_string()) {
            leadscore::front_end::remove_unfinished();
            show::error(&anyhow::anyhow!(
                "the system gives this program no more threads\n  hint: raise `ulimit -u` and `ulimit -v`, or set RAYON_NUM_THREADS=1 and POLARS_MAX_THREADS=1"
            ));
            std::process::exit(2);
        }
        // A library that stops within a file is told of by an error that names the file.
        if !leadscore::front_end::is_reading() {
            print(panic);
        }
    }));
    let outcome = match args::Args::try_parse_from(arguments) {
        Ok(args) => commands::run(args.command),
        // An argument may be a URI with a password, and have characters that steer a terminal.
        Err(error) if error.use_stderr() => {
            show::wrong_arguments(&error.render().to_string());
            return EXIT_REFUSED;
        }
        Err(error) => {
            show::usage(&error);
            Ok(commands::Outcome::Done)
        }
    };
    match outcome.and_then(|outcome| show::check_results().map(|()| outcome)) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            show::error(&error);
            exit_code_of(&error)
        }
    }
}

/// Another process has the lock of the registry: later it works.
const EXIT_BUSY: u8 = 75;

fn exit_code_of(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<RegistryError>() {
        Some(RegistryError::Busy { .. }) => EXIT_BUSY,
        Some(_) | None => EXIT_REFUSED,
    }
}

/// Wrong use, or input that cannot be used.
const EXIT_REFUSED: u8 = 2;

/// Whether a panic is that of a library that could not start a thread.
fn is_out_of_threads(panic: &str) -> bool {
    ["os error 11", "code: 11", "failed to spawn thread"]
        .iter()
        .any(|sign| panic.contains(sign))
}

/// The memory of a command has the passwords that it was given: it is not written to disk where it
/// crashes, and on Linux not read by other programs of the same user. Where the system refuses, the
/// work goes on.
fn leave_no_core_dump() {
    #[cfg(unix)]
    let _ = nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0);
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_dumpable(false);
}
