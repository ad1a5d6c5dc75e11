//! What the Python package adds to the same Rust call.

use std::process::Command;

use anyhow::Context;

use crate::process::succeed;
use crate::python::package;
use crate::workspace::{leadscore, root};

pub(crate) fn run(tiny: bool) -> anyhow::Result<()> {
    let program = leadscore()?;
    let folder = root().join("target/bench-package");
    let mut script = Command::new(package()?);
    script
        .arg("benches/peers/package.py")
        .arg("--folder")
        .arg(&folder)
        .arg("--leadscore")
        .arg(&program);
    script
        .arg("--example")
        .arg(program.with_file_name("examples").join("score_files"))
        .current_dir(root());
    if tiny {
        script.args(["--leads", "3000", "--rows", "5000", "--rounds", "1"]);
    }
    succeed(script)?;
    std::fs::remove_dir_all(&folder).context("cannot remove the tables of the measurement")
}
