//! Fits beside other solvers, to the same optimum.

use std::process::Command;

use anyhow::Context;

use crate::process::succeed;
use crate::python::{Group, venv};
use crate::workspace::{leadscore, root};

pub(crate) fn run(tiny: bool) -> anyhow::Result<()> {
    let examples = leadscore()?.with_file_name("examples");
    let folder = root().join("target/bench-fit");
    let mut script = Command::new(venv(Group::Models)?);
    script
        .arg("benches/peers/fit.py")
        .arg("--folder")
        .arg(&folder)
        .arg("--fit")
        .arg(examples.join("fit"));
    script
        .arg("--additive")
        .arg(examples.join("fit_additive"))
        .arg("--score")
        .arg(examples.join("score"));
    script
        .arg("--scale")
        .arg(examples.join("scale"))
        .current_dir(root());
    if tiny {
        script.args([
            "--rows",
            "5000",
            "--rounds",
            "1",
            "--ebm-rows",
            "0",
            "--powers",
            "4",
        ]);
    } else {
        script.args(["--picture", "docs/fit-scaling.svg"]);
    }
    succeed(script)?;
    std::fs::remove_dir_all(&folder).context("cannot remove the columns of the measurement")
}
