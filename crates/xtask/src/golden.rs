//! Golden numbers from scikit-learn and its like, and from R.

use std::process::Command;

use anyhow::Context;

use crate::process::succeed;
use crate::python::{Group, venv};
use crate::workspace::root;

pub(crate) fn run() -> anyhow::Result<()> {
    let python = venv(Group::Golden)?;
    let mut script = Command::new(&python);
    script.arg("tests/golden/make.py").current_dir(root());
    succeed(script)?;
    let mut areas = Command::new("Rscript");
    areas.arg("tests/golden/delong.R").current_dir(root());
    succeed(areas).context("the areas under ROC curves come from R: install Debian's r-cran-proc")
}
