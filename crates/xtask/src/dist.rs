//! What a release has, in `target/dist`: a static binary, the wheel, what an image is made of, the
//! licenses and the parts of both, checksums, and a script that installs from the folder.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::process::succeed;
use crate::python::{Group, venv, wheel};
use crate::workspace::{cargo, root, target};

const TRIPLE: &str = "x86_64-unknown-linux-musl";
/// Installs the binary or the wheel from the folder that it is in, after the checksums agree.
const INSTALL: &str = include_str!("dist/install.sh");

/// Makes everything; `only` leaves out the binary or the wheel.
pub(crate) fn run(only: Option<Part>) -> anyhow::Result<()> {
    let folder = root().join("target/dist");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("cannot clear target/dist")?;
    }
    std::fs::create_dir_all(&folder).context("cannot make target/dist")?;
    if only != Some(Part::Wheel) {
        binary(&folder)?;
    }
    if only != Some(Part::Binary) {
        let made = wheel(&venv(Group::Package)?)?;
        let name = made.file_name().context("a wheel has a name")?;
        copy(&made, &folder.join(name))?;
    }
    let parts = parts()?;
    write(&folder, "LICENSES.txt", &licenses(&parts))?;
    write(&folder, "sbom.cdx.json", &sbom(&parts))?;
    write(&folder, "install.sh", INSTALL)?;
    checksums(&folder)
}

/// A part of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// The static binary, and what an image is made of
    Binary,
    /// The wheel, which has the Python module and the command
    Wheel,
}

/// The command as one file that needs nothing of the system, and what an image is made of.
fn binary(folder: &Path) -> anyhow::Result<()> {
    let built = target().join("static");
    let mut build = cargo(&[
        "build",
        "--profile",
        "dist",
        "--bin",
        "leadscore",
        "--features",
        "cloud,databases,onnx,pmml,xlsx",
        "--target",
    ]);
    build.arg(TRIPLE).arg("--target-dir").arg(&built);
    succeed(build).context("a static binary needs `rustup target add x86_64-unknown-linux-musl` and musl-gcc (Debian: musl-tools)")?;
    copy(
        &built.join(TRIPLE).join("dist/leadscore"),
        &folder.join("leadscore"),
    )?;
    copy(&root().join("Containerfile"), &folder.join("Containerfile"))?;
    // For object stores: an image of nothing trusts nobody.
    copy(
        Path::new("/etc/ssl/certs/ca-certificates.crt"),
        &folder.join("ca-certificates.crt"),
    )
    .context("certificates come from Debian's ca-certificates")
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    std::fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))
}

/// A crate that is linked into a release.
struct Linked {
    name: String,
    version: String,
    license: String,
    /// SHA-256 of its package; empty for crates of the workspace.
    checksum: String,
}

/// Every crate that the binary or the wheel links, by name and version.
fn parts() -> anyhow::Result<Vec<Linked>> {
    let mut tree = cargo(&["tree", "--locked", "--all-features", "-e", "normal"]);
    tree.args(["-p", "leadscore-cli", "-p", "leadscore-python"])
        .args(["--prefix", "none", "--no-dedupe", "--format", "{p}|{l}"]);
    let output = tree.output().context("cannot start cargo tree")?;
    ensure!(output.status.success(), "cargo tree failed");
    let checksums = checksums_of_lock()?;
    let mut found = BTreeMap::new();
    // A blank line stands between the trees of the two.
    let text = String::from_utf8_lossy(&output.stdout);
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (package, license) = line.split_once('|').context("a line of cargo tree")?;
        let mut words = package.split_whitespace();
        let (Some(name), Some(version)) = (words.next(), words.next()) else {
            continue;
        };
        let version = version.trim_start_matches('v').to_owned();
        let key = (name.to_owned(), version.clone());
        let checksum = checksums.get(&key).cloned().unwrap_or_default();
        found.insert(
            key,
            Linked {
                name: name.to_owned(),
                version,
                license: license.to_owned(),
                checksum,
            },
        );
    }
    Ok(found.into_values().collect())
}

/// The checksum of each package by name and version, as the lock file has it.
fn checksums_of_lock() -> anyhow::Result<BTreeMap<(String, String), String>> {
    let text = std::fs::read_to_string(root().join("Cargo.lock")).context("Cargo.lock")?;
    let lock: toml::Table = toml::from_str(&text).context("Cargo.lock")?;
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let field = |package: &toml::Value, name: &str| {
        let value = package.get(name).and_then(toml::Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    Ok(packages
        .into_iter()
        .flatten()
        .map(|package| {
            let key = (field(package, "name"), field(package, "version"));
            (key, field(package, "checksum"))
        })
        .collect())
}

/// A line for each part with its license.
fn licenses(parts: &[Linked]) -> String {
    let mut text =
        "leadscore is licensed under MIT or Apache-2.0. It links these packages:\n\n".to_owned();
    for part in parts {
        let _ = writeln!(text, "{} {}: {}", part.name, part.version, part.license);
    }
    text
}

/// The parts as a bill of materials, CycloneDX 1.5.
fn sbom(parts: &[Linked]) -> String {
    let component = |part: &Linked| {
        let hashes = if part.checksum.is_empty() {
            String::new()
        } else {
            format!(
                r#", "hashes": [{{"alg": "SHA-256", "content": "{}"}}]"#,
                part.checksum
            )
        };
        format!(
            r#"    {{"type": "library", "name": "{name}", "version": "{version}", "purl": "pkg:cargo/{name}@{version}", "licenses": [{{"expression": "{}"}}]{hashes}}}"#,
            part.license.replace('/', " OR "),
            name = part.name,
            version = part.version,
        )
    };
    format!(
        "{{\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.5\",\n  \"version\": 1,\n  \"metadata\": {{\"component\": {{\"type\": \"application\", \"name\": \"leadscore\", \"version\": \"{}\"}}}},\n  \"components\": [\n{}\n  ]\n}}\n",
        env!("CARGO_PKG_VERSION"),
        parts.iter().map(component).collect::<Vec<_>>().join(",\n")
    )
}

/// Writes the checksum of every file.
fn checksums(folder: &Path) -> anyhow::Result<()> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
        .context("target/dist")?
        .filter_map(|entry| Some(PathBuf::from(entry.ok()?.file_name())))
        .collect();
    names.sort();
    let mut sum = Command::new("sha256sum");
    sum.args(&names).current_dir(folder);
    let output = sum.output().context("cannot start sha256sum")?;
    ensure!(output.status.success(), "sha256sum failed");
    std::fs::write(folder.join("SHA256SUMS"), output.stdout).context("cannot write SHA256SUMS")
}
