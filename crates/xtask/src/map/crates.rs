//! The crates of the workspace, by their `Cargo.toml`.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// A crate, and the crates of the workspace that it depends on.
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    pub(super) knows: Vec<String>,
    /// Whether it has a dependency of Polars of its own.
    pub(super) has_polars: bool,
}

/// What is wrong with the way to Polars: it is compiled for minutes, so that one crate has it, and
/// what needs no tables from files is built without it.
pub(super) fn polars_faults(crates: &[Crate]) -> Vec<String> {
    let mut faults: Vec<String> = crates
        .iter()
        .filter(|one| one.has_polars && one.name != IO)
        .map(|one| format!("{} has Polars, which {IO} alone has", one.name))
        .collect();
    for name in WITHOUT_IO {
        if reaches(crates, name, IO) {
            faults.push(format!("{name} depends on {IO}, and so on Polars"));
        }
    }
    faults
}

/// The one crate with Polars.
const IO: &str = "leadscore-io";
/// Crates that are built without it.
const WITHOUT_IO: [&str; 6] = [
    "leadscore-features",
    "leadscore-inference",
    "leadscore-rules",
    "leadscore-solver",
    "leadscore-sql",
    "leadscore-training",
];

/// Whether a crate depends on another, directly or not.
fn reaches(crates: &[Crate], from: &str, to: &str) -> bool {
    crates
        .iter()
        .find(|one| one.name == from)
        .is_some_and(|one| {
            one.knows
                .iter()
                .any(|known| known == to || reaches(crates, known, to))
        })
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
            let has_polars = dependencies
                .into_iter()
                .flat_map(toml::Table::keys)
                .any(|dependency| dependency.starts_with("polars"));
            Crate {
                name,
                folder,
                knows,
                has_polars,
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, knows: &[&str], has_polars: bool) -> Crate {
        Crate {
            name: name.to_owned(),
            folder: PathBuf::new(),
            knows: knows.iter().map(|&known| known.to_owned()).collect(),
            has_polars,
        }
    }

    #[test]
    fn polars_is_in_one_crate_and_not_below_sql() {
        let crates = |below: &str, is_dataset_clean: bool| {
            [
                named(IO, &["leadscore-dataset"], true),
                named("leadscore-dataset", &[], !is_dataset_clean),
                named("leadscore-middle", &[below], false),
                named("leadscore-sql", &["leadscore-middle"], false),
            ]
        };
        assert!(polars_faults(&crates("leadscore-dataset", true)).is_empty());
        assert_eq!(
            polars_faults(&crates(IO, false)),
            [
                "leadscore-dataset has Polars, which leadscore-io alone has",
                "leadscore-sql depends on leadscore-io, and so on Polars",
            ]
        );
    }
}
