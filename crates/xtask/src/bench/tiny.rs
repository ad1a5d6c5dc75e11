//! Penalties beside each other on tiny data.

use std::process::Command;

use crate::process::succeed;
use crate::python::{Group, venv};
use crate::workspace::root;

pub(crate) fn run(draws: u32) -> anyhow::Result<()> {
    let mut script = Command::new(venv(Group::Models)?);
    script
        .arg("benches/peers/tiny.py")
        .arg("--draws")
        .arg(draws.to_string())
        .current_dir(root());
    succeed(script)
}
