//! Where files are to be written: their folders, and whether two names are one file.

use std::path::{Path, PathBuf};

use leadscore_config::is_remote;

use crate::error::TablesError;

/// The folder that a file stands in, or would.
pub fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Fails where a target is in an object store.
///
/// # Errors
///
/// [`TablesError::Format`] names it.
pub fn refuse_remote(target: &Path) -> Result<(), TablesError> {
    if is_remote(&target.to_string_lossy()) {
        return Err(TablesError::Format {
            path: target.to_owned(),
            found: "nothing is written to object stores from here".to_owned(),
            help: "write to this machine and copy it there".to_owned(),
        });
    }
    Ok(())
}

/// Fails where a target is one of the files that the run reads, or another target, by whatever name
/// or link.
///
/// # Errors
///
/// [`TablesError::Format`] names the target.
pub fn refuse_inputs<'a>(
    targets: impl IntoIterator<Item = &'a Path>,
    inputs: &[PathBuf],
) -> Result<(), TablesError> {
    let targets: Vec<&Path> = targets.into_iter().collect();
    let same = |a: &Path, b: &Path| {
        real(a).zip(real(b)).is_some_and(|(a, b)| a == b) || is_same_file(a, b)
    };
    for (position, &target) in targets.iter().enumerate() {
        // Several may go into one pipe or device.
        let is_file = !target.metadata().is_ok_and(|meta| !meta.is_file());
        if is_file
            && targets[..position]
                .iter()
                .any(|other| *other == target || same(target, other))
        {
            return Err(two_of_one_name(target.to_owned()));
        }
        if let Some(input) = inputs.iter().find(|input| same(target, input)) {
            return Err(TablesError::Format {
                path: target.to_owned(),
                found: format!("this run reads {}, and would replace it", input.display()),
                help: "write to a file of another name".to_owned(),
            });
        }
    }
    Ok(())
}

/// Fails where a target is a file of the registry or of the score history, which nothing but
/// themselves may write.
///
/// # Errors
///
/// [`TablesError::Format`] names the target.
pub fn refuse_kept_files<'a>(
    targets: impl IntoIterator<Item = &'a Path>,
    registry: &Path,
    history: &Path,
) -> Result<(), TablesError> {
    const OF_REGISTRY: [&str; 6] = [
        "journal.ndjson",
        "head",
        "champion",
        "challenger",
        "previous",
        ".lock",
    ];
    let is_id = |name: &str| {
        name.strip_suffix(".leadscore")
            .is_some_and(|id| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    for target in targets {
        let Some(path) = real(target) else { continue };
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let folder = path.parent();
        let is_in = |other: &Path| {
            std::fs::canonicalize(other)
                .ok()
                .zip(folder)
                .is_some_and(|(other, folder)| folder.starts_with(other))
        };
        let is_there = target.exists();
        let of = if is_in(registry)
            && is_there
            && (OF_REGISTRY.contains(&name.as_str()) || is_id(&name))
        {
            "the registry of models"
        } else if is_in(history) && is_there {
            "the score history"
        } else {
            continue;
        };
        return Err(TablesError::Format {
            path: target.to_owned(),
            found: format!("this is a file of {of}"),
            help: "write to another file".to_owned(),
        });
    }
    Ok(())
}

/// The path without links; of a file that is not there yet, that of its folder and its name.
pub(crate) fn real(path: &Path) -> Option<PathBuf> {
    path.canonicalize()
        .ok()
        .or_else(|| Some(folder_of(path).canonicalize().ok()?.join(path.file_name()?)))
}

pub(crate) fn two_of_one_name(path: PathBuf) -> TablesError {
    TablesError::Format {
        path,
        found: "two outputs of one run have this name".to_owned(),
        help: "give each a name of its own".to_owned(),
    }
}

/// Whether two names are links to one file.
#[cfg(unix)]
fn is_same_file(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| {
        path.metadata()
            .ok()
            .filter(std::fs::Metadata::is_file)
            .map(|meta| (meta.dev(), meta.ino()))
    };
    id(a).is_some_and(|id_of_a| id(b) == Some(id_of_a))
}

#[cfg(not(unix))]
fn is_same_file(_: &Path, _: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_files() {
        for (path, folder) in [
            ("a.csv", "."),
            ("x/a.csv", "x"),
            ("./a.csv", "."),
            ("/a.csv", "/"),
            ("x/y/", "x"),
            ("", "."),
        ] {
            assert_eq!(folder_of(Path::new(path)), Path::new(folder), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn one_file_by_two_names() {
        let folder = tempfile::tempdir().expect("there is room");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("leads.csv"), "id\n").expect("writable");
        std::fs::hard_link(path("leads.csv"), path("hard.csv")).expect("links are possible");
        std::os::unix::fs::symlink(path("leads.csv"), path("soft.csv"))
            .expect("links are possible");
        let inputs = [path("leads.csv")];
        let is_refused = |targets: &[&str]| {
            let targets: Vec<PathBuf> = targets.iter().map(|name| path(name)).collect();
            refuse_inputs(targets.iter().map(PathBuf::as_path), &inputs).is_err()
        };
        for same in ["leads.csv", "hard.csv", "soft.csv", "./leads.csv"] {
            assert!(is_refused(&[same]), "{same}");
        }
        assert!(!is_refused(&["scores.csv"]));
        assert!(!is_refused(&["scores.csv", "list.csv"]));
        // Two outputs of one name, neither of which is there yet.
        assert!(is_refused(&["scores.csv", "scores.csv"]));
        assert!(is_refused(&["scores.csv", "./scores.csv"]));
        assert!(!is_refused(&[]));
    }
}
