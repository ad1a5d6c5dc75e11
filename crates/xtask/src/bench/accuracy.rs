//! Accuracy beside other models.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use crate::process::succeed;
use crate::python::{Group, venv};
use crate::real_data::real_sets;
use crate::workspace::{leadscore, root};

pub(crate) fn run(tiny: bool) -> anyhow::Result<()> {
    let program = leadscore()?;
    let folder = root().join("target/bench-accuracy");
    let mut script = Command::new(venv(Group::Models)?);
    script
        .arg("benches/peers/accuracy.py")
        .arg("--folder")
        .arg(&folder)
        .arg("--leadscore")
        .arg(&program);
    script
        .arg("--fit")
        .arg(program.with_file_name("examples").join("fit_table"))
        .current_dir(root());
    if tiny {
        script.args([
            "--worlds", "linear", "--leads", "4000", "--budget", "1", "--folds", "1", "--peers",
            "linear",
        ]);
    } else if let Some(real) = real_sets(&folder)? {
        script.arg("--real").arg(real);
        let data = PathBuf::from(
            std::env::var_os("LEADSCORE_REAL_DATA").context("real sets were found by it")?,
        );
        // Calls in their order; opportunities have no time.
        let flat = [
            ("bank", "bank-marketing", "time+random"),
            ("ibm", "ibm-sales-win-loss", "random"),
        ];
        script.arg("--flat").arg(
            flat.map(|(name, folder, which)| {
                format!("{name}={}|{which}", data.join(folder).display())
            })
            .join(","),
        );
    }
    succeed(script)?;
    std::fs::remove_dir_all(&folder).context("cannot remove the tables of the measurement")
}
