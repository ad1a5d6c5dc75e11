//! Simulate, train and score, with and without the history of scores: wall time, CPU time and peak
//! memory.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

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
    open_leads(&folder)?;
    // A history that is there already would be compared with.
    let scores = folder.join("crm/scores");
    if scores.exists() {
        std::fs::remove_dir_all(&scores).context("cannot remove the history of before")?;
    }
    let score = ["score", "model", "-c", "crm/open.toml", "-o", "scores.csv"];
    succeed(timed(&program, &score, &folder))?;
    succeed(timed(
        &program,
        &[&score[..], &["--history"]].concat(),
        &folder,
    ))?;
    succeed(timed(
        &program,
        &["history", "-c", "crm/open.toml"],
        &folder,
    ))
}

/// A config by which every lead is open.
fn open_leads(folder: &Path) -> anyhow::Result<()> {
    let config = std::fs::read_to_string(folder.join("crm/leadscore.toml"))?;
    let open = [
        ("won = [\"closed_won\"]", "won = [\"never\"]"),
        ("lost = [\"closed_lost\"]", "lost = [\"not at all\"]"),
        (
            "open = [\"open\"]",
            "open = [\"open\", \"closed_won\", \"closed_lost\"]",
        ),
    ]
    .into_iter()
    .try_fold(config, |config, (old, new)| {
        ensure!(config.contains(old), "the made config has no `{old}`");
        Ok(config.replace(old, new))
    })?;
    let guards = "[guards]\noutside_training = 1.0\n";
    std::fs::write(folder.join("crm/open.toml"), format!("{open}\n{guards}"))
        .context("cannot write into target/bench")
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
