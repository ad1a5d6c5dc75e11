//! A CRM with an `[operation]`, and `leadscore run` in it: what the tests of runs share.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::{leadscore, succeed};

/// What a run ended with.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// The one line of stdout.
    pub report: Value,
    /// What people read.
    pub stderr: String,
}

impl Ran {
    /// The decision as the report has it.
    pub fn decision(&self) -> &str {
        self.report["decision"].as_str().unwrap_or_default()
    }

    /// The sentence of the error and its hint; empty where there is none.
    pub fn error(&self) -> String {
        let part = |key: &str| self.report["error"][key].as_str().unwrap_or_default();
        format!("{}\n{}", part("message"), part("hint"))
    }
}

/// Runs once; stdout has to be one line of JSON.
///
/// # Panics
///
/// Where it is not.
#[track_caller]
pub fn run_in(folder: &Path, args: &[&str]) -> Ran {
    let mut line = vec!["run"];
    line.extend(args);
    let output = leadscore(folder, &line);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert_eq!(stdout.lines().count(), 1, "{stdout}{stderr}");
    let report: Value = serde_json::from_str(&stdout).expect("one JSON object");
    assert!(report.is_object(), "{report}");
    Ran {
        code: output.status.code().unwrap_or(-1),
        report,
        stderr,
    }
}

/// Runs once and expects this decision and code.
///
/// # Panics
///
/// Where it ends otherwise.
#[track_caller]
pub fn decides(folder: &Path, args: &[&str], decision: &str, code: i32) -> Ran {
    let ran = run_in(folder, args);
    assert_eq!(
        (ran.decision(), ran.code),
        (decision, code),
        "{args:?}: {}",
        ran.stderr
    );
    ran
}

/// A simulated CRM whose config ends with these lines of `[operation]`.
///
/// # Panics
///
/// Where the disk refuses.
pub fn operated_crm(world: &str, n_leads: &str, operation: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    succeed(
        folder.path(),
        &[
            "simulate", "--leads", n_leads, "--world", world, "--format", "csv", "--out", ".",
        ],
    );
    add_to_config(folder.path(), &format!("\n[operation]\n{operation}\n"));
    folder
}

/// Adds lines to the config.
///
/// # Panics
///
/// Where there is none.
pub fn add_to_config(folder: &Path, lines: &str) {
    edit(folder, "leadscore.toml", |text| text + lines);
}

/// Changes the text of a file.
///
/// # Panics
///
/// Where it is not there.
pub fn edit(folder: &Path, file: &str, change: impl FnOnce(String) -> String) {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).expect("a text");
    std::fs::write(path, change(text)).expect("room");
}

/// Makes the model that knows what was known at a moment the champion; returns its ID.
///
/// # Panics
///
/// Where it cannot be trained.
pub fn champion_as_of(folder: &Path, as_of: &str) -> String {
    succeed(folder, &["train", "--as-of", as_of, "-o", "old.leadscore"]);
    let id = succeed(folder, &["models", "add", "old.leadscore"])
        .trim()
        .to_owned();
    succeed(
        folder,
        &["models", "promote", &id, "--because", "the first model"],
    );
    id
}

/// Every file below a folder with its bytes.
///
/// # Panics
///
/// Where one cannot be read.
pub fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).expect("readable").flatten() {
            let path = entry.path();
            let name = path.strip_prefix(folder).expect("below");
            let name = name.display().to_string();
            if path.is_dir() {
                found.insert(format!("{name}/"), Vec::new());
                open.push(path);
            } else {
                found.insert(name, std::fs::read(&path).expect("readable"));
            }
        }
    }
    found
}

/// Copies a folder.
///
/// # Panics
///
/// Where the disk refuses.
pub fn copy_of(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files_below(folder) {
        let path = copy.path().join(&name);
        if name.ends_with('/') {
            std::fs::create_dir_all(path).expect("room");
        } else {
            std::fs::create_dir_all(path.parent().expect("below a folder")).expect("room");
            std::fs::write(path, bytes).expect("room");
        }
    }
    copy
}
