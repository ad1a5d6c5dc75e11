//! Features of events beside other tools, cell by cell.

use std::process::Command;

use anyhow::Context;

use crate::process::succeed;
use crate::python::{Group, venv};
use crate::workspace::{leadscore, root};

pub(crate) fn run(tiny: bool) -> anyhow::Result<()> {
    let program = leadscore()?;
    let folder = root().join("target/bench-features");
    let mut script = Command::new(venv(Group::Peers)?);
    script
        .arg("benches/peers/features.py")
        .arg("--folder")
        .arg(&folder)
        .arg("--leadscore")
        .arg(&program);
    script
        .arg("--sweep")
        .arg(program.with_file_name("examples").join("sweep"))
        .current_dir(root());
    if tiny {
        script.args([
            "--leads",
            "1000",
            "--events",
            "20000",
            "--rounds",
            "1",
            "--featuretools",
            "2",
            "--sizes",
            "20000",
        ]);
    } else {
        script.args(["--picture", "docs/features-scaling.svg"]);
    }
    succeed(script)?;
    std::fs::remove_dir_all(&folder).context("cannot remove the tables of the measurement")
}
