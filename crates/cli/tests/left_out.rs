//! What a build leaves out is refused by one sentence and a hint, before any work. Nothing is left
//! out of a build with all features, so that these tests run in one without:
//! `cargo test --release --package leadscore-cli`.

#![cfg(not(any(
    feature = "cloud",
    feature = "databases",
    feature = "onnx",
    feature = "pmml",
    feature = "serve",
    feature = "spark",
    feature = "xlsx"
)))]

use std::path::{Path, PathBuf};
use std::process::Command;

const MODEL: &str = "../../tests/fixtures/model-v5.leadscore";

const LEADS: &str = r#"
[leads]
PLACE
id = "lead_id"
created_at = "created_at"

[outcomes]
path = "deals.csv"
lead = "lead_id"
closed_at = "closed_at"
result = "stage"
won = ["won"]
"#;

/// A config whose leads are in this place, in a folder of its own.
fn config(place: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("leadscore.toml");
    let database = "[database]\nuri = \"env:CRM\"\ndriver = \"adbc_driver_postgresql\"\n";
    let text = format!("{database}{}", LEADS.replace("PLACE", place));
    std::fs::write(&path, text).expect("a config");
    (folder, path)
}

#[track_caller]
fn refuses(arguments: &[&str], config: &Path, without: &str, feature: &str) {
    let ran = Command::new(env!("CARGO_BIN_EXE_leadscore"))
        .args(arguments)
        .arg("--config")
        .arg(config)
        .output()
        .expect("the command runs");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(2), "{said}");
    let sentence = format!("this leadscore was built without {without}\n");
    let hint = format!(
        "  hint: build it with `cargo build --release --bin leadscore --features {feature}`"
    );
    assert!(said.contains(&sentence) && said.contains(&hint), "{said}");
}

/// The same, of a command that reads no config.
#[track_caller]
fn refuses_export(form: &str, without: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("score");
    let ran = Command::new(env!("CARGO_BIN_EXE_leadscore"))
        .args(["export", form, MODEL, "-o"])
        .arg(&output)
        .output()
        .expect("the command runs");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(
        said.contains(&format!("was built without {without}\n"))
            && said.contains(&format!("--features {form}`")),
        "{said}"
    );
    assert!(!ran.status.success() && !output.exists());
}

#[test]
fn a_table_in_an_object_store() {
    let (_folder, config) = config(r#"path = "s3://bucket/leads.csv""#);
    refuses(&["check"], &config, "object stores", "cloud");
}

#[test]
fn a_table_from_a_query_and_scores_into_a_table() {
    let (_folder, config) = config(r#"query = "select * from leads""#);
    refuses(&["check"], &config, "databases", "databases");
    let into = ["score", MODEL, "--table", "scores"];
    refuses(&into, &config, "databases", "databases");
}

#[test]
fn a_workbook() {
    let (_folder, config) = config(r#"path = "leads.csv""#);
    let report = ["evaluate", MODEL, "--format", "html,xlsx"];
    refuses(&report, &config, "Excel workbooks", "xlsx");
    let list = ["score", MODEL, "--list", "list.xlsx"];
    refuses(&list, &config, "Excel workbooks", "xlsx");
}

#[test]
fn an_engine() {
    let (_folder, config) = config(r#"path = "leads.csv""#);
    let train = ["train", "--engine", "spark", "--connect", "sc://localhost"];
    refuses(&train, &config, "engines", "spark");
}

#[test]
fn an_event_store() {
    let (folder, config) = config("path = \"leads.csv\"");
    let with_store = |path: &str| {
        let text = std::fs::read_to_string(&config).expect("a config");
        let text = text
            .split("\n[store]")
            .next()
            .unwrap_or_default()
            .to_owned();
        std::fs::write(&config, format!("{text}\n[store]\npath = \"{path}\"\n")).expect("a config");
    };
    // Its rows would be the tables, and the files are older.
    std::fs::write(folder.path().join("events.store"), "a store").expect("a file");
    for path in [
        "events.store",
        "postgresql://db.example/crm",
        "env:CRM_STORE",
    ] {
        with_store(path);
        for command in [&["check"][..], &["train"], &["score", MODEL]] {
            refuses(command, &config, "event stores", "serve");
        }
    }
    // Until there is one, the files are the tables.
    with_store("later.store");
    let ran = Command::new(env!("CARGO_BIN_EXE_leadscore"))
        .args(["check", "--config"])
        .arg(&config)
        .output()
        .expect("the command runs");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(said.contains("leads.csv"), "{said}");
}

#[test]
fn exports() {
    refuses_export("onnx", "ONNX");
    refuses_export("pmml", "PMML");
}
