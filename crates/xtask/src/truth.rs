//! Predictions beside the simulated truth.

use crate::process::succeed;
use crate::workspace::cargo;

pub(crate) fn run(leads: u32) -> anyhow::Result<()> {
    succeed(cargo(&[
        "build",
        "--release",
        "--workspace",
        "--all-targets",
        "--all-features",
    ]))?;
    let mut command = cargo(&[
        "test",
        "--release",
        "--workspace",
        "--all-features",
        "--test",
        "truth",
        "--",
        "--nocapture",
    ]);
    command.env("LEADSCORE_TRUTH_LEADS", leads.to_string());
    succeed(command)
}
