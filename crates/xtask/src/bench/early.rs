//! Other monitors on the worlds of the early read.

use std::process::Command;

use crate::process::succeed;
use crate::python::{Group, venv};
use crate::workspace::{leadscore, root};

pub(crate) fn run(worlds: u32, monitors: &str) -> anyhow::Result<()> {
    let example = leadscore()?.with_file_name("examples").join("early_worlds");
    let mut script = Command::new(venv(Group::Monitors)?);
    script
        .arg("benches/peers/early_read.py")
        .arg("--worlds")
        .arg(example)
        .args(["--n", &worlds.to_string(), "--monitors", monitors])
        .current_dir(root());
    succeed(script)
}
