//! What the end-to-end tests share: the command, folders with a small CRM, and the real data where
//! it is there.

pub mod crm_exports;
mod fuzz;
pub mod life;
pub mod operated;
mod random_crms;
pub mod story;

pub use fuzz::{Random, Seen, mutated, n_tries, peak_megabytes, try_door};
pub use random_crms::{snapshots_in_2021, time_in_2021, with_ends};

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The `leadscore` binary that was built beside this test.
///
/// # Panics
///
/// Where it was not built: `cargo xtask test` builds it first.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a path");
    let folder = test
        .ancestors()
        .find(|folder| folder.join("leadscore").is_file());
    folder.map(|folder| folder.join("leadscore")).expect("the leadscore binary stands in the target folder: run `cargo build --release --workspace` first")
}

/// Runs `leadscore` in a folder.
///
/// # Panics
///
/// Where the program cannot be started.
pub fn leadscore(folder: &Path, args: &[&str]) -> Output {
    Command::new(binary())
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("the program starts")
}

/// Runs `leadscore` and expects it to succeed; returns what it printed to stdout.
///
/// # Panics
///
/// Where it fails, with what it said.
#[track_caller]
pub fn succeed(folder: &Path, args: &[&str]) -> String {
    let output = leadscore(folder, args);
    assert!(
        output.status.success(),
        "leadscore {args:?} failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs `leadscore` and expects it to refuse with 2; returns what it said.
///
/// # Panics
///
/// Where it ends otherwise.
#[track_caller]
pub fn refused(folder: &Path, args: &[&str]) -> String {
    let output = leadscore(folder, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "leadscore {args:?}:\n{said}");
    said
}

/// A folder with these files.
///
/// # Panics
///
/// Where the disk refuses.
pub fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a small file");
    }
    folder
}

/// A folder with a ready config of `data/NAME` and the real files that it names. A test that calls
/// this is `#[ignore]`d: `cargo xtask test` runs it where `LEADSCORE_REAL_DATA` is set.
///
/// # Panics
///
/// Where `LEADSCORE_REAL_DATA` is not set, or a file is missing.
pub fn real_project(name: &str, files: &[&str]) -> TempDir {
    let data = std::env::var_os("LEADSCORE_REAL_DATA")
        .map(PathBuf::from)
        .expect("LEADSCORE_REAL_DATA names the folder of real data");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = here().join("../data").join(name).join("leadscore.toml");
    std::fs::copy(&config, folder.path().join("leadscore.toml"))
        .expect("the ready config is there");
    for file in files {
        let source = data.join(file);
        assert!(
            source.is_file(),
            "LEADSCORE_REAL_DATA is set, and {file} is not there"
        );
        let target = folder
            .path()
            .join(source.file_name().expect("a file has a name"));
        std::fs::copy(&source, target).expect("room for the data");
    }
    folder
}

/// The folder of the tests, as it is where they run: a build folder may serve several clones.
///
/// # Panics
///
/// Where the test was not started by cargo.
pub fn here() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .expect("cargo says where the tests are")
}

/// Says why a test does nothing.
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
pub fn say(text: &str) {
    eprintln!("{text}");
}

/// A figure of a JSON report by its path, such as `comparison.scores.0.log_loss.value`.
///
/// # Panics
///
/// Where the report has no such figure.
#[track_caller]
pub fn figure(folder: &Path, file: &str, path: &str) -> f64 {
    let text = std::fs::read_to_string(folder.join(file)).expect("the report was written");
    let mut value: &serde_json::Value = &serde_json::from_str(&text).expect("the report is JSON");
    for part in path.split('.') {
        value = part
            .parse()
            .map_or_else(|_| &value[part], |position: usize| &value[position]);
    }
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{path} is {value}"))
}

/// The part of a config that tables of `news.csv`, `outcomes.csv` and `history.csv` have in common.
pub const NEWS_OUTCOMES_HISTORY: &str = r#"
[activities.news]
path = "news.csv"
account = "account"
at = "at"
kind = ["topic"]

[outcomes]
path = "outcomes.csv"
lead = "lead"
closed_at = "closed"
result = "result"
won = ["won"]
lost = ["lost"]
open = ["open"]

[history]
path = "history.csv"
lead = "lead"
attribute = "attribute"
value = "value"
changed_at = "changed"
"#;

const SMALL_CONFIG: &str = r#"[leads]
path = "leads.csv"
id = "id"
created_at = "created"

[activities.visits]
path = "visits.csv"
lead = "lead"
at = "at"
kind = ["kind"]

[outcomes]
path = "deals.csv"
lead = "lead"
closed_at = "closed"
result = "stage"
won = ["won"]
lost = ["lost"]

[snapshots]
observation_end = "2021-01-01"
"#;

/// A small CRM that trains: 240 leads, won or lost by their source.
///
/// # Panics
///
/// Where the disk refuses.
pub fn small_crm() -> TempDir {
    let mut leads = "id,created,source,size\n".to_owned();
    let mut deals = "lead,closed,stage\n".to_owned();
    let mut visits = "lead,at,kind\n".to_owned();
    for number in 0..240 {
        let (month, day) = (1 + number % 6, 1 + number % 27);
        let is_won = (number * 7) % 10 < if number % 2 == 0 { 6 } else { 2 };
        let _ = writeln!(
            leads,
            "L{number},2020-{month:02}-{day:02}T10:00:00,{},{}",
            if number % 2 == 0 { "web" } else { "mail" },
            number % 13
        );
        let _ = writeln!(
            deals,
            "L{number},2020-{:02}-{day:02}T10:00:00,{}",
            month + 2,
            if is_won { "won" } else { "lost" }
        );
        let _ = writeln!(
            visits,
            "L{number},2020-{month:02}-{day:02}T12:00:00,{}",
            if number % 3 == 0 { "page" } else { "form" }
        );
    }
    folder_with(&[
        ("leadscore.toml", SMALL_CONFIG),
        ("leads.csv", &leads),
        ("deals.csv", &deals),
        ("visits.csv", &visits),
    ])
}

#[cfg(test)]
mod tests {
    /// A file that the manifest does not name would never run.
    #[test]
    fn every_file_of_e2e_is_a_test() {
        let manifest = std::fs::read_to_string(super::here().join("Cargo.toml")).expect("text");
        let mut n_files = 0;
        for entry in std::fs::read_dir(super::here().join("e2e")).expect("readable") {
            let name = entry.expect("an entry").file_name();
            let name = name.to_str().expect("text");
            if name.ends_with(".rs") {
                n_files += 1;
                assert!(
                    manifest.contains(&format!("path = \"e2e/{name}\"")),
                    "{name}"
                );
            }
        }
        assert!(n_files > 0);
    }
}
