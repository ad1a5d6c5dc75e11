//! Programs that change tables, and write what becomes of them into the docs.

use std::process::Command;

use crate::process::succeed;
use crate::python::{Group, venv};
use crate::workspace::{leadscore, root};

/// One change at random in a clean CRM.
pub(crate) fn mutations(n: u32, seed: u32) -> anyhow::Result<()> {
    sampled("tests/cases/mutations.py", n, seed)
}

/// Verdicts and intervals in worlds whose truth is known.
pub(crate) fn verdicts(n: u32, seed: u32) -> anyhow::Result<()> {
    sampled("tests/cases/verdicts.py", n, seed)
}

/// Every type of Arrow and Parquet in every role.
pub(crate) fn types() -> anyhow::Result<()> {
    run(&["tests/cases/types_of_arrow.py", "--write"])
}

fn sampled(program: &str, n: u32, seed: u32) -> anyhow::Result<()> {
    run(&[
        program,
        "--write",
        "--n",
        &n.to_string(),
        "--seed",
        &seed.to_string(),
    ])
}

/// Runs a program that changes tables, and looks what becomes of them.
fn run(args: &[&str]) -> anyhow::Result<()> {
    let mut program = Command::new(venv(Group::Engine)?);
    program
        .args(args)
        .current_dir(root())
        .env("LEADSCORE", leadscore()?);
    succeed(program)
}
