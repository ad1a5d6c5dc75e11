//! Virtual environments of Python, by `uv` from the lock of `tests`, and the wheel of the package.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::process::{forget_cargo, succeed};
use crate::workspace::{glob, root, target};

/// The release that wrote `tests/uv.lock`; `tests/pyproject.toml` asks for the same minor release.
const UV: &str = "0.13.9";

/// A group of `tests/pyproject.toml`, which says what each is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Group {
    Peers,
    Engine,
    Browser,
    Notebook,
    Package,
    Exchange,
    Models,
    Spark,
    Golden,
    Airflow,
    Dagster,
    Prefect,
    Monitors,
    Fastapi,
    Mlserver,
    Protocol,
    Openapi,
}

impl Group {
    fn name(self) -> &'static str {
        match self {
            Self::Peers => "peers",
            Self::Engine => "engine",
            Self::Browser => "browser",
            Self::Notebook => "notebook",
            Self::Package => "package",
            Self::Exchange => "exchange",
            Self::Models => "models",
            Self::Spark => "spark",
            Self::Golden => "golden",
            Self::Airflow => "airflow",
            Self::Dagster => "dagster",
            Self::Prefect => "prefect",
            Self::Monitors => "monitors",
            Self::Fastapi => "fastapi",
            Self::Mlserver => "mlserver",
            Self::Protocol => "protocol",
            Self::Openapi => "openapi",
        }
    }
}

/// The Python of the virtual environment of a group, which is made where it is not there yet, or
/// the lock has other versions by now.
pub(crate) fn venv(group: Group) -> anyhow::Result<PathBuf> {
    let uv = uv()?;
    let folder = target().join(format!("venv-{}", group.name()));
    let python = folder.join("bin/python");
    // Names, versions and checksums without addresses, so that any index of packages will do.
    let mut export = Command::new(&uv);
    export
        .args(["export", "--quiet", "--frozen", "--project", "tests"])
        .args(["--no-header", "--no-annotate", "--no-emit-project"])
        .args(["--only-group", group.name()])
        .current_dir(root());
    let export = export.output().context("cannot start uv")?;
    ensure!(
        export.status.success(),
        "tests/uv.lock has no group {}: {}",
        group.name(),
        String::from_utf8_lossy(&export.stderr)
    );
    let requirements = folder.join("requirements.txt");
    if std::fs::read(&requirements).is_ok_and(|found| found == export.stdout) {
        return Ok(python);
    }
    let mut make = Command::new(&uv);
    make.args(["venv", "--quiet", "--no-project", "--clear"])
        .args(["--python", "python3"])
        .arg(&folder)
        .current_dir(root());
    succeed(make)?;
    // It gets its name once all is installed.
    let wanted = folder.join("wanted.txt");
    std::fs::write(&wanted, &export.stdout).context("cannot write into target")?;
    let mut install = pip_install(&uv, &python);
    install.arg("--require-hashes").arg("-r").arg(&wanted);
    for (name, value) in settings_of_pip() {
        install.env(name, value);
    }
    succeed(install)?;
    std::fs::rename(&wanted, &requirements).context("cannot write into target")?;
    Ok(python)
}

/// `uv`: that on the path where it reads the lock, else one of our own in `target/uv`.
fn uv() -> anyhow::Result<PathBuf> {
    let found = Command::new("uv").arg("--version").output();
    let (minor, _) = UV.rsplit_once('.').expect("a release has three parts");
    if found.is_ok_and(|found| {
        String::from_utf8_lossy(&found.stdout).starts_with(&format!("uv {minor}."))
    }) {
        return Ok(PathBuf::from("uv"));
    }
    let folder = target().join("uv");
    let own = folder.join("bin/uv");
    let stamp = folder.join("release.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == UV) {
        return Ok(own);
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    succeed(make).context("Python 3.11 with the module venv is needed (Debian: python3-venv)")?;
    let mut install = Command::new(folder.join("bin/python"));
    install
        .args(["-m", "pip", "install", "-q", "--disable-pip-version-check"])
        .arg(format!("uv=={UV}"));
    succeed(install)?;
    std::fs::write(&stamp, UV).context("cannot write into target")?;
    Ok(own)
}

fn pip_install(uv: &Path, python: &Path) -> Command {
    let mut install = Command::new(uv);
    install
        .args(["pip", "install", "--quiet", "--python"])
        .arg(python)
        .current_dir(root());
    install
}

/// Where pip was told to look for packages, and whom to trust: uv does not read pip's settings.
fn settings_of_pip() -> Vec<(&'static str, String)> {
    let own = target().join("uv/bin/python");
    let python = if own.exists() {
        own
    } else {
        PathBuf::from("python3")
    };
    let listed = Command::new(python)
        .args(["-m", "pip", "config", "list"])
        .stderr(Stdio::null())
        .output();
    let listed = listed.map_or_else(
        |_| String::new(),
        |listed| String::from_utf8_lossy(&listed.stdout).into_owned(),
    );
    [
        (".index-url=", "UV_DEFAULT_INDEX"),
        (".cert=", "SSL_CERT_FILE"),
    ]
    .into_iter()
    .filter(|(_, name)| std::env::var_os(name).is_none())
    .filter_map(|(key, name)| {
        let (_, value) = listed.lines().find_map(|line| line.split_once(key))?;
        Some((name, value.trim_matches('\'').to_owned()))
    })
    .collect()
}

/// Builds the wheel from what the workspace was built from; the Python of a virtual environment
/// that has it.
pub(crate) fn package() -> anyhow::Result<PathBuf> {
    let python = venv(Group::Package)?;
    build_wheel(&python)?;
    install_wheel(&python, &built_wheel()?)?;
    Ok(python)
}

/// A virtual environment that has the package as well, which is built where it was not yet.
pub(crate) fn with_wheel(group: Group) -> anyhow::Result<PathBuf> {
    if built_wheel().is_err() {
        package()?;
    }
    let python = venv(group)?;
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

/// The wheel, built with the maturin of this virtual environment.
pub(crate) fn wheel(python: &Path) -> anyhow::Result<PathBuf> {
    build_wheel(python)?;
    built_wheel()
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
    let mut install = pip_install(&uv()?, python);
    install.args(["--reinstall", "--no-deps"]).arg(wheel);
    succeed(install)
}
