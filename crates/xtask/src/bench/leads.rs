//! Simulate, train and score: wall time, CPU time and peak memory.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::process::succeed;
use crate::workspace::{leadscore, root};

pub(crate) fn run(leads: u32) -> anyhow::Result<()> {
    let program = leadscore()?;
    let folder = root().join("target/bench");
    std::fs::create_dir_all(&folder).context("cannot make target/bench")?;
    let leads = leads.to_string();
    for args in [
        &["simulate", "--leads", &leads, "--out", "crm"][..],
        &["train", "-c", "crm/leadscore.toml", "-o", "model"],
        &[
            "score",
            "model",
            "-c",
            "crm/leadscore.toml",
            "-o",
            "scores.parquet",
        ],
    ] {
        succeed(timed(&program, args, &folder))?;
    }
    Ok(())
}

/// GNU time knows wall, CPU and peak memory of a whole process; without it the run itself still has
/// to succeed.
fn timed(program: &Path, args: &[&str], folder: &Path) -> Command {
    let gnu_time = Path::new("/usr/bin/time");
    let mut command = if gnu_time.exists() {
        let mut command = Command::new(gnu_time);
        command
            .args(["-f", "wall %e s, CPU %U s user + %S s system, peak %M KiB"])
            .arg(program);
        command
    } else {
        Command::new(program)
    };
    command.args(args).current_dir(folder);
    command
}
