//! Do reasons speak for the best leads, and truly.

use std::process::Command;

use anyhow::Context;

use crate::process::succeed;
use crate::real_data::real_sets;
use crate::workspace::{leadscore, root};

/// The worlds that reasons are measured on; the first is the demo's, and its truth is known.
const REASON_WORLDS: [&str; 4] = ["linear", "curved", "interactions", "drift"];

/// Measures reasons, and prints a line for each world and way.
pub(crate) fn run(leads: u32, print: u32) -> anyhow::Result<()> {
    let program = leadscore()?;
    let folder = root().join("target/reasons");
    std::fs::create_dir_all(&folder).context("cannot make target/reasons")?;
    let (leads, print) = (leads.to_string(), print.to_string());
    let measure = |name: &str, args: &[&str]| -> anyhow::Result<()> {
        let mut command = Command::new(program.with_file_name("examples").join("reasons"));
        command
            .arg(folder.join(name).join("leadscore.toml"))
            .args(["--print", &print])
            .args(args);
        succeed(command)
    };
    for world in REASON_WORLDS {
        let mut simulate = Command::new(&program);
        simulate
            .args([
                "simulate", "--leads", &leads, "--world", world, "--format", "csv", "--out", world,
            ])
            .current_dir(&folder);
        succeed(simulate)?;
        let truth = ["--world", &leads];
        measure(
            world,
            &[
                &["--as-of", "2025-12-01"][..],
                if world == "linear" { &truth } else { &[] },
            ]
            .concat(),
        )?;
    }
    for set in real_sets(&folder)?.iter().flat_map(|sets| sets.split(',')) {
        let name = set.split('=').next().context("a set has a name")?;
        measure(&format!("real-{name}"), &["--every", "10"])?;
    }
    std::fs::remove_dir_all(&folder).context("cannot remove the tables of the measurement")
}
