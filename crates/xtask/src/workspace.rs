//! The clone, cargo's build folder, and what is built in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::process::{forget_cargo, succeed};

/// The clone that cargo runs this in: a build folder may serve several, and what was compiled in
/// may be another one.
pub(crate) fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
        .join("../..")
}

/// Cargo's build folder.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Builds everything as the command is, so that Polars is compiled once.
pub(crate) fn build() -> anyhow::Result<()> {
    succeed(cargo(&[
        "build",
        "--release",
        "--workspace",
        "--all-targets",
        "--all-features",
    ]))
}

/// The command, built with everything else as the tests are; examples stand in the folder beside
/// it.
pub(crate) fn leadscore() -> anyhow::Result<PathBuf> {
    build()?;
    let here = std::env::current_exe().context("a running program has a path")?;
    Ok(here.with_file_name("leadscore"))
}

pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    // Snapshots, too, are those of this clone.
    command
        .args(args)
        .current_dir(root())
        .env("INSTA_WORKSPACE_ROOT", root());
    forget_cargo(&mut command);
    command
}

/// Files of a folder with this ending.
pub(crate) fn glob(folder: &Path, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    Ok(paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect())
}
