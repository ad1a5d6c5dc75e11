//! The report's arithmetic, and rules, beside other tools.

use std::process::Command;

use anyhow::Context;

use crate::process::succeed;
use crate::python::{Group, venv};
use crate::workspace::{leadscore, root};

pub(crate) fn run(tiny: bool) -> anyhow::Result<()> {
    let program = leadscore()?;
    let folder = root().join("target/bench-report");
    let mut script = Command::new(venv(Group::Peers)?);
    script
        .arg("benches/peers/report.py")
        .arg("--folder")
        .arg(&folder)
        .arg("--leadscore")
        .arg(&program);
    script
        .arg("--report-size")
        .arg(program.with_file_name("examples").join("report_size"))
        .current_dir(root());
    if tiny {
        script.args([
            "--rows",
            "100000",
            "--snapshots",
            "100000",
            "--replicates",
            "100",
            "--leads",
            "2000",
            "--events",
            "100000",
            "--rounds",
            "1",
        ]);
    }
    succeed(script)?;
    std::fs::remove_dir_all(&folder).context("cannot remove the tables of the measurement")
}
