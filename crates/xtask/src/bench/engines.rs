//! The embedded sweep beside engines.

use std::process::Command;

use anyhow::Context;

use crate::process::succeed;
use crate::python::{Group, venv};
use crate::workspace::{leadscore, root};

#[derive(Debug, clap::Args)]
pub(crate) struct Engines {
    /// Few leads, and no Spark, to see that it works
    #[arg(long)]
    tiny: bool,
    /// Sizes of the simulated CRM
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
    leads: Vec<u32>,
    /// Engines, of embedded, duckdb, sail, spark and cluster (Spark standalone with two workers)
    #[arg(long, value_delimiter = ',', default_values_t = ["embedded", "duckdb", "sail", "spark", "cluster"].map(str::to_owned))]
    engines: Vec<String>,
    /// Lines, of features, score and train
    #[arg(long, value_delimiter = ',', default_values_t = ["features", "score", "train"].map(str::to_owned))]
    lines: Vec<String>,
    /// GiB for Sail's operators, and for Spark's heap over all workers
    #[arg(long, default_value_t = 10)]
    memory: u32,
}

impl Engines {
    pub(crate) fn tiny() -> Self {
        let names = |names: [&str; 3]| names.map(str::to_owned).to_vec();
        Self {
            tiny: true,
            leads: vec![2_000],
            engines: names(["embedded", "duckdb", "sail"]),
            lines: names(["features", "score", "train"]),
            memory: 10,
        }
    }
}

pub(crate) fn run(asked: Engines) -> anyhow::Result<()> {
    let asked = if asked.tiny { Engines::tiny() } else { asked };
    let folder = root().join("target/bench-engines");
    let mut script = Command::new(venv(Group::Engine)?);
    script
        .arg("benches/peers/engines.py")
        .arg("--folder")
        .arg(&folder)
        .arg("--leadscore")
        .arg(leadscore()?);
    script
        .arg("--leads")
        .args(asked.leads.iter().map(u32::to_string))
        .arg("--engines")
        .args(&asked.engines)
        .arg("--lines")
        .args(&asked.lines);
    script
        .arg("--memory")
        .arg(asked.memory.to_string())
        .current_dir(root());
    if asked
        .engines
        .iter()
        .any(|engine| engine == "spark" || engine == "cluster")
    {
        // Sail refuses to start beside a client of another version.
        let mut home = Command::new(venv(Group::Spark)?);
        home.args([
            "-c",
            "import os, pyspark; print(os.path.dirname(pyspark.__file__))",
        ]);
        let found = home.output().context("cannot ask where Spark is")?;
        script
            .arg("--spark-home")
            .arg(String::from_utf8_lossy(&found.stdout).trim());
    }
    succeed(script)?;
    std::fs::remove_dir_all(&folder).context("cannot remove the tables of the measurement")
}
