//! The `leadscore` command.

mod memory;

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(leadscore_cli::run(std::env::args_os()))
}
