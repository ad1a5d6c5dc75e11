//! Other programs: how they are run, and whether they are there.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// Runs a program to its end; an error where it fails.
pub(crate) fn succeed(mut command: Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}

/// Whether a program can be started.
pub(crate) fn is_there(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What cargo told this program about itself would look to build scripts like a change, and compile
/// half of Polars again.
pub(crate) fn forget_cargo(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
        ]
        .iter()
        .any(|prefix| name.to_string_lossy().starts_with(prefix))
        {
            command.env_remove(name);
        }
    }
}

/// Says something to whoever waits.
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

/// Prints a line of what was asked for.
#[expect(clippy::print_stdout, reason = "a chore prints")]
pub(crate) fn print(text: &str) {
    println!("{text}");
}
