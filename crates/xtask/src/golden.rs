//! Golden numbers from scikit-learn and its like, and from R.

use std::process::Command;

use anyhow::Context;

use crate::process::succeed;
use crate::python::venv;
use crate::workspace::root;

pub(crate) fn run() -> anyhow::Result<()> {
    let python = venv(
        "golden",
        &[
            "scikit-learn==1.7.2",
            "numpy==2.2.6",
            "statsmodels==0.14.5",
            "glum==3.1.2",
            "pandas==2.3.3",
        ],
    )?;
    let mut script = Command::new(&python);
    script.arg("tests/golden/make.py").current_dir(root());
    succeed(script)?;
    let mut areas = Command::new("Rscript");
    areas.arg("tests/golden/delong.R").current_dir(root());
    succeed(areas).context("the areas under ROC curves come from R: install Debian's r-cran-proc")
}
