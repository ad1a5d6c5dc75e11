//! All tests, or one part of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use clap::ValueEnum;

use crate::bench;
use crate::book;
use crate::process::{is_there, say, succeed};
use crate::python::{self, Group, venv, with_wheel};
use crate::reasons;
use crate::setup;
use crate::workspace::{build, cargo, glob, leadscore, root, target};

/// Everything is built as the command is, so that Polars is compiled once.
pub(crate) fn run(only: Option<Part>) -> anyhow::Result<()> {
    setup::run();
    Part::value_variants()
        .iter()
        .filter(|part| only.is_none_or(|only| only == **part))
        .try_for_each(|part| part.run())
}

/// A part of the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Rust, and the examples in its documentation
    Rust,
    /// Exported SQL against the command, in Python; and the event store in PostgreSQL
    Sql,
    /// The Python package and the notebooks
    Package,
    /// Tables as people have them
    Cases,
    /// Engines and stores
    Engine,
    /// The code in the pages, and the book
    Docs,
    /// The report in a browser
    Browser,
    /// The recipes for schedulers, each run by its scheduler
    Schedule,
    /// The server, asked by clients that people have and by requests made up from its description
    Serve,
    /// The measurements in small, so that they cannot rot
    Bench,
}

impl Part {
    fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Rust => test_rust(),
            Self::Sql => {
                unittests(&venv(Group::Peers)?, "tests/sql")?;
                test_store_in_postgres()
            }
            Self::Package => test_package(),
            Self::Cases => unittests(&venv(Group::Engine)?, "tests/cases"),
            Self::Engine => unittests(&with_wheel(Group::Engine)?, "tests/engine"),
            Self::Docs => {
                unittests(&with_wheel(Group::Engine)?, "tests/docs")?;
                book::run()
            }
            Self::Browser if is_there("chromium") || std::env::var_os("CI").is_some() => {
                unittests(&venv(Group::Browser)?, "tests/browser")
            }
            Self::Browser => {
                say("skipped: there is no chromium, so the report is not looked at");
                Ok(())
            }
            Self::Schedule => test_schedule(),
            Self::Serve => test_serve(),
            Self::Bench => {
                bench::small()?;
                reasons::run(2_000, 0)
            }
        }
    }
}

/// The tests of a folder, by this Python.
fn unittests(python: &Path, folder: &str) -> anyhow::Result<()> {
    let mut tests = Command::new(python);
    tests
        .args(["-m", "unittest", "discover", "-s", folder, "-v"])
        .current_dir(root())
        .env("LEADSCORE", leadscore()?);
    succeed(tests)
}

/// The tests of the event store once more, beside a server of PostgreSQL; where there is none, it says
/// so.
fn test_store_in_postgres() -> anyhow::Result<()> {
    let run = if is_there("cargo-nextest") {
        let tests = ["-E", "package(leadscore-store)", "--run-ignored", "all"];
        in_workspace(&["nextest", "run", "--no-fail-fast"], &tests)
    } else {
        let mut tests = in_workspace(&["test"], &["--test", "postgres"]);
        tests.args(["--", "--include-ignored"]);
        tests
    };
    let mut beside = Command::new(venv(Group::Peers)?);
    beside
        .arg(root().join("tests/sql/postgres.py"))
        .arg(run.get_program())
        .args(run.get_args())
        .current_dir(root());
    for (name, value) in run.get_envs() {
        match value {
            Some(value) => beside.env(name, value),
            None => beside.env_remove(name),
        };
    }
    succeed(beside)
}

/// The recipes for schedulers: each scheduler has a virtual environment of its own, and all have the
/// same states of a CRM.
fn test_schedule() -> anyhow::Result<()> {
    let leadscore = leadscore()?;
    let folder = target().join("tmp/operate");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("cannot remove the states of before")?;
    }
    std::fs::create_dir_all(&folder).context("cannot write into target")?;
    let python = |group: Group| -> anyhow::Result<Command> {
        let mut python = Command::new(venv(group)?);
        python
            .current_dir(root())
            .env("LEADSCORE", &leadscore)
            .env("OPERATE_WORLDS", &folder);
        Ok(python)
    };
    let mut make = python(Group::Dagster)?;
    make.arg("tests/operate/worlds.py").arg(&folder);
    succeed(make)?;
    for (group, pattern) in [
        (Group::Dagster, "test_cron.py"),
        (Group::Dagster, "test_dagster.py"),
        (Group::Airflow, "test_airflow.py"),
        (Group::Prefect, "test_prefect.py"),
    ] {
        let mut tests = python(group)?;
        tests.args(["-m", "unittest", "discover", "-s", "tests/operate", "-v"]);
        tests.args(["-p", pattern]);
        succeed(tests)?;
    }
    Ok(())
}

/// The server as clients see it; that of MLServer, whose packages are many, only where the measurement
/// of servers has installed it.
fn test_serve() -> anyhow::Result<()> {
    let python = venv(Group::Protocol)?;
    let mut tests = Command::new(&python);
    tests
        .args(["-m", "unittest", "discover", "-s", "tests/serve", "-v"])
        .current_dir(root())
        .env("LEADSCORE", leadscore()?)
        .env("PROTOCOL", &python)
        .env("OPENAPI", venv(Group::Openapi)?);
    let mlserver = target().join("venv-mlserver/bin/python");
    if mlserver.exists() {
        tests.env("MLSERVER", mlserver);
    }
    succeed(tests)
}

/// What a change in Rust breaks first: no Python, no browser, no real data, no doc tests, and none
/// of the long simulations.
pub(crate) fn fast() -> anyhow::Result<()> {
    ensure!(
        is_there("protoc"),
        "protoc is missing: `cargo xtask setup` installs it"
    );
    // Without the examples, which are many programs to link.
    let targets = ["--lib", "--bins", "--tests"];
    succeed(in_workspace(&["build"], &targets))?;
    let mut tests = if is_there("cargo-nextest") {
        in_workspace(
            &["nextest", "run", "--no-fail-fast", "--profile", "fast"],
            &targets,
        )
    } else {
        say("cargo-nextest is not there, so the long tests run, too");
        in_workspace(&["test", "--no-fail-fast"], &targets)
    };
    tests.env_remove("LEADSCORE_REAL_DATA");
    succeed(tests)
}

fn test_rust() -> anyhow::Result<()> {
    build()?;
    // Tests of real data are marked as ignored, so that they are seen to be skipped.
    let has_real_data = std::env::var_os("LEADSCORE_REAL_DATA").is_some();
    let tests = if is_there("cargo-nextest") {
        let run = ["nextest", "run", "--no-fail-fast"];
        let skipped = ["--final-status-level", "skip"];
        // Part `sql` has those of PostgreSQL.
        let others = "not (package(leadscore-store) and binary(postgres))";
        let ignored = ["--run-ignored", "all", "-E", others];
        in_workspace(&run, if has_real_data { &ignored } else { &skipped })
    } else {
        let mut tests = in_workspace(&["test"], &["--lib", "--bins", "--tests"]);
        if has_real_data {
            tests.args(["--", "--include-ignored"]);
        }
        tests
    };
    if !has_real_data {
        say("skipped: LEADSCORE_REAL_DATA is not set, so tests of real data do not run");
    }
    succeed(tests)?;
    succeed(in_workspace(&["test"], &["--doc"]))?;
    // Last, since it leaves a command without features where the one with all of them was.
    let small = ["test", "--release", "--package", "leadscore-cli"];
    succeed(cargo(&small))
}

/// A command of cargo over all crates and features, as everything is built.
fn in_workspace(command: &[&str], targets: &[&str]) -> Command {
    let all = ["--release", "--workspace", "--all-features"];
    cargo(&[command, &all, targets].concat())
}

/// The Python package and the notebooks; the first notebook needs the package alone.
fn test_package() -> anyhow::Result<()> {
    let python = python::package()?;
    unittests(&python, "tests/package")?;
    unittests(&with_wheel(Group::Exchange)?, "tests/exchange")?;
    let alone = with_wheel(Group::Notebook)?;
    let mut notebooks: Vec<PathBuf> = glob(&root().join("notebooks"), "ipynb")?;
    notebooks.sort();
    for (number, notebook) in notebooks.iter().enumerate() {
        let mut run_notebook = Command::new(if number == 0 { &alone } else { &python });
        run_notebook
            .arg("tests/package/notebooks.py")
            .arg(notebook)
            .current_dir(root());
        succeed(run_notebook)?;
    }
    Ok(())
}
