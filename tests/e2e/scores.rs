//! Scores: reasons add up, a batch scores as its rows do one by one, and the order of rows changes
//! nothing.
#![allow(missing_docs, reason = "tests")]

use std::path::Path;

use leadscore_config::Config;
use leadscore_core::Timestamp;
use leadscore_dataset::LoadOptions;
use leadscore_features::{compute, scoring_snapshots};
use leadscore_inference::{
    CalibrationCurve, Model, read_model, score, score_with_reasons, write_model,
};
use leadscore_io::load;
use leadscore_tests::{leadscore, succeed};

/// A simulated CRM as CSV with a model trained on it.
fn trained(leads: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    succeed(
        folder.path(),
        &[
            "simulate", "--leads", leads, "--format", "csv", "--out", "crm",
        ],
    );
    succeed(
        folder.path(),
        &[
            "train",
            "-c",
            "crm/leadscore.toml",
            "--as-of",
            "2025-06-01",
            "-o",
            "model",
        ],
    );
    folder
}

#[test]
fn reasons_add_up_and_rows_score_alone_as_in_a_batch() {
    let folder = trained("4000");
    let model =
        read_model(&std::fs::read(folder.path().join("model")).expect("there")).expect("a model");
    let crm = folder.path().join("crm");
    let config =
        Config::parse(&std::fs::read_to_string(crm.join("leadscore.toml")).expect("there"))
            .expect("a config");
    let tables = load(&config, &crm, &LoadOptions::default()).expect("tables");
    let set = scoring_snapshots(&tables, Timestamp::from_ymd(2025, 6, 1).expect("exists"));
    assert!(set.at_risk.len() > 50, "{}", set.at_risk.len());
    let matrix = compute(&tables, &model.specs, &set.at_risk).expect("computable");
    // Once as trained, and once along a curve that bends where most leads are.
    let curve = CalibrationCurve {
        knots: vec![
            (-5.0, -4.0),
            (-2.5, -3.5),
            (-1.5, -1.0),
            (0.5, 0.0),
            (2.0, 3.0),
        ],
        replicates: Vec::new(),
    };
    let bent = model.clone().calibrated_by(curve).expect("it rises");
    let plain = score(&model, &matrix).expect("fits");
    let mut n_few = 0;
    let of_all = Model {
        age_baseline: None,
        ..model.clone()
    };
    assert!(model.age_baseline.is_some());
    for model in [model, bent, of_all] {
        let concepts = model.concepts();
        let (scored, top) =
            score_with_reasons(&model, &concepts, &matrix, 0..matrix.n_rows(), 3).expect("fits");
        let table = model.contributions(&matrix);
        for row in 0..matrix.n_rows() {
            let reasons = model.reasons(&concepts, &matrix, row);
            let sum: f64 = reasons.iter().map(|reason| reason.log_odds).sum();
            assert!(reasons.iter().all(|reason| !reason.text.is_empty()));
            for reason in reasons
                .iter()
                .filter(|reason| reason.text.starts_with("only "))
            {
                assert!(reason.log_odds < 0.0, "{reason:?}");
                n_few += 1;
            }
            let parts: f64 = reasons
                .iter()
                .flat_map(|reason| &reason.parts)
                .map(|part| part.log_odds)
                .sum();
            assert!((parts - sum).abs() < 1e-9);
            // Of contributions in columns, too.
            let of_row = |values: &Vec<f64>| values[row];
            let columns: f64 = table
                .concepts
                .iter()
                .map(|(_, values)| of_row(values))
                .sum();
            let features: f64 = table
                .features
                .iter()
                .map(|column| of_row(&column.values))
                .sum();
            assert!((columns - sum).abs() < 1e-9 && (features - sum).abs() < 1e-9);
            for reason in &reasons {
                let (_, values) = table
                    .concepts
                    .iter()
                    .find(|(concept, _)| *concept == reason.concept)
                    .expect("every concept");
                assert!((of_row(values) - reason.log_odds).abs() < 1e-9);
            }
            // The terms are summed in another order: a few units in the last place.
            assert!((scored.baseline + sum - scored.log_odds[row]).abs() < 1e-9);
            let strongest = top.of_row(row).map(|(_, log_odds)| log_odds);
            assert!(
                strongest
                    .zip(&reasons)
                    .all(|(found, reason)| (found - reason.log_odds).abs() < 1e-9)
            );
            let alone =
                compute(&tables, &model.specs, &set.at_risk[row..=row]).expect("computable");
            assert_eq!(
                score(&model, &alone).expect("fits").log_odds[0].to_bits(),
                scored.log_odds[row].to_bits()
            );
            assert_eq!(
                scored.log_odds[row] > scored.log_odds[0],
                plain.log_odds[row] > plain.log_odds[0],
                "a curve that rises keeps the order"
            );
        }
        let again = read_model(&written(&model)).expect("what was written");
        assert_eq!(again, model);
    }
    assert!(n_few > 0, "some did too little");
}

fn written(model: &Model) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_model(model, &mut bytes).expect("room in memory");
    bytes
}

#[test]
fn the_columns_of_a_score_file_add_up_to_the_likelihood() {
    let folder = trained("4000");
    succeed(
        folder.path(),
        &[
            "score",
            "model",
            "-c",
            "crm/leadscore.toml",
            "--as-of",
            "2025-06-01",
            "-o",
            "scores.csv",
        ],
    );
    let mut reader = csv::Reader::from_path(folder.path().join("scores.csv")).expect("readable");
    let header = reader.headers().expect("a header").clone();
    let column = |name: &str| {
        header
            .iter()
            .position(|found| found == name)
            .unwrap_or_else(|| panic!("no column {name}"))
    };
    let (mut open, mut won) = (0, 0);
    for record in reader.records() {
        let record = record.expect("a row");
        if &record[column("contact_priority")] == "Closed won" {
            assert!(record[column("likelihood_to_close")].is_empty());
            won += 1;
            continue;
        }
        let number = |name: &str| record[column(name)].parse::<f64>().expect("a number");
        let reasons: f64 = (1..=3)
            .map(|rank| number(&format!("reason_{rank}_log_odds")))
            .sum();
        let log_odds = number("baseline_log_odds") + reasons + number("other_reasons_log_odds");
        assert!((log_odds - number("log_odds")).abs() < 1e-9);
        // e^x and its inverse lose some units in the last place.
        assert!((100.0 / (1.0 + (-log_odds).exp()) - number("likelihood_to_close")).abs() < 1e-9);
        open += 1;
    }
    assert!(open > 50 && won > 50);
}

/// Puts the rows of a CSV file in reverse order under the same header.
fn reverse(path: &Path) {
    let text = std::fs::read_to_string(path).expect("there");
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    std::fs::write(path, lines.join("\n") + "\n").expect("room on the disk");
}

#[test]
fn the_order_of_rows_changes_nothing() {
    let folder = trained("3000");
    let run = |name: &str| {
        succeed(
            folder.path(),
            &[
                "train",
                "-c",
                "crm/leadscore.toml",
                "--as-of",
                "2025-06-01",
                "-o",
                name,
            ],
        );
        succeed(
            folder.path(),
            &[
                "score",
                name,
                "-c",
                "crm/leadscore.toml",
                "--as-of",
                "2025-06-01",
                "-o",
                "scores.csv",
            ],
        );
        (
            std::fs::read(folder.path().join(name)).expect("there"),
            std::fs::read(folder.path().join("scores.csv")).expect("there"),
        )
    };
    let before = run("before");
    for table in [
        "leads",
        "accounts",
        "touches",
        "web_sessions",
        "sales_activities",
        "stages",
        "deals",
    ] {
        reverse(&folder.path().join("crm").join(format!("{table}.csv")));
    }
    assert!(
        before == run("after"),
        "model or scores changed with the order of rows"
    );
}

#[test]
fn csv_and_parquet_give_the_same_scores() {
    let folder = trained("2000");
    succeed(
        folder.path(),
        &[
            "simulate", "--leads", "2000", "--format", "parquet", "--out", "pq",
        ],
    );
    let run = |config: &str| {
        succeed(
            folder.path(),
            &[
                "score",
                "model",
                "-c",
                config,
                "--as-of",
                "2025-06-01",
                "-o",
                "scores.csv",
            ],
        );
        std::fs::read_to_string(folder.path().join("scores.csv")).expect("there")
    };
    assert_eq!(run("crm/leadscore.toml"), run("pq/leadscore.toml"));
}

#[test]
fn a_model_keeps_features_that_are_no_default() {
    let folder = trained("4000");
    let config = folder.path().join("crm/leadscore.toml");
    let defaults = std::fs::read_to_string(&config).expect("there");
    let only = "families = [\"all\"]\nonly = [\"age.weekdays\", \"*.days.30d\", \"*.share.ever\", \"*.decay.*\"]\n";
    std::fs::write(&config, format!("{defaults}\n[features]\n{only}")).expect("room on the disk");
    succeed(
        folder.path(),
        &[
            "train",
            "-c",
            "crm/leadscore.toml",
            "--as-of",
            "2025-06-01",
            "-o",
            "former",
        ],
    );
    let scores = || {
        succeed(
            folder.path(),
            &[
                "score",
                "former",
                "-c",
                "crm/leadscore.toml",
                "--as-of",
                "2025-06-01",
                "-o",
                "scores.csv",
            ],
        );
        std::fs::read_to_string(folder.path().join("scores.csv")).expect("there")
    };
    let header = |args: &[&str]| -> Vec<String> {
        succeed(
            folder.path(),
            &[
                &["features", "-c", "crm/leadscore.toml", "-o", "matrix.csv"],
                args,
            ]
            .concat(),
        );
        let mut matrix =
            csv::Reader::from_path(folder.path().join("matrix.csv")).expect("readable");
        matrix
            .headers()
            .expect("there")
            .iter()
            .map(str::to_owned)
            .collect()
    };
    let before = scores();
    std::fs::write(&config, defaults).expect("room on the disk");
    assert!(
        scores() == before,
        "scores changed with the features of the config"
    );
    let (read, default) = (header(&["--model", "former"]), header(&[]));
    for name in ["age.weekdays", ".days.30d", ".share.ever", ".decay.30d"] {
        assert!(
            read.iter().any(|read| read.ends_with(name)),
            "the model reads no {name}"
        );
        assert!(
            !default.iter().any(|default| default.ends_with(name)),
            "{name} is a default"
        );
    }
}

/// Every cell of CSV beside the same one of NDJSON; `tests/package` reads the Parquet file.
#[test]
#[expect(clippy::wildcard_enum_match_arm, reason = "values of a library")]
fn every_format_of_output_has_the_same_values() {
    let folder = trained("2000");
    for name in ["s.csv", "s.ndjson", "s.parquet"] {
        succeed(
            folder.path(),
            &[
                "score",
                "model",
                "-c",
                "crm/leadscore.toml",
                "--as-of",
                "2025-06-01",
                "-o",
                name,
            ],
        );
    }
    let mut table = csv::Reader::from_path(folder.path().join("s.csv")).expect("readable");
    let header = table.headers().expect("a header").clone();
    let lines = std::fs::read_to_string(folder.path().join("s.ndjson")).expect("there");
    let mut lines = lines.lines();
    let mut n_numbers = 0;
    for record in table.records() {
        let record = record.expect("a row");
        let line = lines.next().expect("as many lines as rows");
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(line).expect("JSON");
        assert_eq!(object.len(), header.len(), "{line}");
        for (name, cell) in header.iter().zip(&record) {
            match &object[name] {
                serde_json::Value::Null => assert_eq!(cell, "", "{name}: {line}"),
                serde_json::Value::String(text) => assert_eq!(cell, text, "{name}: {line}"),
                serde_json::Value::Number(number) => {
                    let cell: f64 = cell.parse().expect("a number");
                    let number = number.as_f64().expect("a number");
                    assert_eq!(cell.to_bits(), number.to_bits(), "{name}: {line}");
                    n_numbers += 1;
                }
                other => panic!("{name} is {other}"),
            }
        }
    }
    assert_eq!(lines.next(), None);
    assert!(n_numbers > 500, "{n_numbers}");
    assert!(
        std::fs::read(folder.path().join("s.parquet"))
            .expect("there")
            .starts_with(b"PAR1")
    );
}

#[test]
fn features_are_written_and_described() {
    let folder = trained("2000");
    succeed(
        folder.path(),
        &["features", "-c", "crm/leadscore.toml", "-o", "m.parquet"],
    );
    assert!(
        succeed(
            folder.path(),
            &["features", "-c", "crm/leadscore.toml", "--describe"]
        )
        .contains("number of days with touches")
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for out in ["a", "b"] {
        succeed(
            folder.path(),
            &[
                "simulate", "--leads", "1500", "--world", "drift", "--format", "csv", "--out", out,
            ],
        );
    }
    for table in ["leads", "touches", "deals", "truth"] {
        let read = |out: &str| {
            std::fs::read(folder.path().join(out).join(format!("{table}.csv"))).expect("there")
        };
        assert!(read("a") == read("b"), "{table}");
    }
}

#[test]
fn init_writes_a_config_that_trains() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    succeed(
        folder.path(),
        &[
            "simulate", "--leads", "4000", "--format", "csv", "--out", "crm",
        ],
    );
    let args = [
        "init",
        "--leads",
        "crm/leads.csv",
        "--outcomes",
        "crm/deals.csv",
        "--activities",
        "crm/touches.csv",
        "--activities",
        "crm/web_sessions.csv",
    ];
    let text = succeed(folder.path(), &args);
    assert!(
        text.contains("result = \"stage\"")
            && text.contains("won = [\"closed_won\"]")
            && text.contains("# guess:"),
        "{text}"
    );
    succeed(folder.path(), &["train"]);
    assert_eq!(
        leadscore(folder.path(), &args).status.code(),
        Some(2),
        "an existing config is not overwritten"
    );
}

#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut child = std::process::Command::new(leadscore_tests::binary())
        .args(["simulate", "--leads", "3000000", "--out", "crm"])
        .current_dir(folder.path())
        .spawn()
        .expect("the program starts");
    let crm = folder.path().join("crm");
    let files = || std::fs::read_dir(&crm).map_or(0, Iterator::count);
    for _ in 0..600 {
        if files() > 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(files() > 0, "the run has begun to write");
    let stopped = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(stopped.success());
    assert_eq!(child.wait().expect("ends").code(), Some(130));
    assert_eq!(files(), 0, "nothing half-written");
}
