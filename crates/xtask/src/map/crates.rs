//! The crates of the workspace, by their `Cargo.toml`.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// A crate, and the crates of the workspace that it depends on.
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    pub(super) knows: Vec<String>,
}

/// The crates below a folder; dependencies of tests do not count.
pub(super) fn all(folder: &Path) -> anyhow::Result<Vec<Crate>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let folders = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    let folders = folders.into_iter().filter(|path| path.is_dir());
    let manifests = folders.map(|folder| {
        let path = folder.join("Cargo.toml");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let manifest: toml::Table = text
            .parse()
            .with_context(|| format!("{} is no TOML", path.display()))?;
        let name = manifest
            .get("package")
            .and_then(|package| package.get("name"))
            .and_then(toml::Value::as_str)
            .with_context(|| format!("{} has no name", path.display()))?;
        Ok((name.to_owned(), folder, manifest))
    });
    let manifests = manifests.collect::<anyhow::Result<Vec<_>>>()?;
    let names: Vec<String> = manifests.iter().map(|(name, ..)| name.clone()).collect();
    Ok(manifests
        .into_iter()
        .map(|(name, folder, manifest)| {
            let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
            let mut knows: Vec<String> = dependencies
                .into_iter()
                .flat_map(toml::Table::keys)
                .filter(|dependency| names.contains(dependency))
                .cloned()
                .collect();
            knows.sort();
            Crate {
                name,
                folder,
                knows,
            }
        })
        .collect())
}
