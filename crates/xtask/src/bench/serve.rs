//! Scores over HTTP beside FastAPI, MLServer and BentoML.

use std::process::Command;

use anyhow::Context;

use crate::process::succeed;
use crate::python::{Group, venv};
use crate::workspace::{leadscore, root};

/// The tables and models of the measurement are made anew. `serve` is the command of the server,
/// with `PORT` in place of its port; default: `leadscore serve` over a simulated company.
pub(crate) fn run(serve: Option<&str>, tiny: bool) -> anyhow::Result<()> {
    let program = leadscore()?;
    let folder = root().join("target/bench-serve");
    let fastapi = venv(Group::Fastapi)?;
    let mut test = Command::new(&fastapi);
    test.arg("benches/peers/serve/test_load.py")
        .current_dir(root());
    succeed(test)?;
    let mut script = Command::new(&fastapi);
    script
        .arg("benches/peers/serve/bench.py")
        .arg("--folder")
        .arg(&folder)
        .arg("--leadscore")
        .arg(&program)
        .arg("--fastapi")
        .arg(&fastapi)
        .arg("--mlserver")
        .arg(venv(Group::Mlserver)?)
        .current_dir(root());
    let config = folder.join("crm/leadscore.toml");
    let of_company = format!(
        "{} serve -c {} --address 127.0.0.1:PORT",
        program.display(),
        config.display()
    );
    if serve.is_none() {
        let mut simulate = Command::new(&program);
        simulate
            .args(["simulate", "--leads", "5000", "--format", "csv", "-o"])
            .arg(folder.join("crm"));
        succeed(simulate)?;
        let mut run = Command::new(&program);
        run.arg("run").arg("-c").arg(&config);
        succeed(run)?;
    }
    script.arg("--serve").arg(serve.unwrap_or(&of_company));
    if tiny {
        script.args(["--workers", "1", "--seconds", "1", "--steps", "2"]);
        script.args(["--bound", "1000", "--common", "10"]);
    }
    succeed(script)?;
    std::fs::remove_dir_all(&folder).context("cannot remove the tables of the measurement")
}
