//! The same leads in every format that is read give the same scores.
#![allow(missing_docs, reason = "tests")]

use std::io::Write;
use std::path::Path;

use leadscore_tests::{leadscore, refused, small_crm, succeed};

/// Trains and scores; the scores without the note of how they were read.
fn scores(folder: &Path) -> String {
    succeed(folder, &["train"]);
    succeed(
        folder,
        &["score", "model.leadscore", "--as-of", "2020-05-01"],
    );
    std::fs::read_to_string(folder.join("scores.csv")).expect("written")
}

/// The small CRM with a column of fractions and one of names with accents.
fn crm() -> tempfile::TempDir {
    let folder = small_crm();
    rewrite(folder.path(), "leads.csv", |text| {
        let row = |(number, line): (usize, &str)| match number {
            0 => format!("{line},budget,ville\n"),
            _ => format!(
                "{line},{}.5,{}\n",
                number % 7,
                if number % 2 == 0 {
                    "Orl\u{e9}ans"
                } else {
                    "Lyon"
                }
            ),
        };
        text.lines()
            .enumerate()
            .map(row)
            .collect::<String>()
            .into_bytes()
    });
    folder
}

fn rewrite(folder: &Path, file: &str, change: impl FnOnce(String) -> Vec<u8>) {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).expect("there");
    std::fs::write(&path, change(text)).expect("a small file");
}

fn configure(folder: &Path, from: &str, to: &str) {
    rewrite(folder, "leadscore.toml", |text| {
        assert!(text.contains(from));
        text.replacen(from, to, 1).into_bytes()
    });
}

#[track_caller]
fn check(change: impl FnOnce(&Path)) {
    let expected = scores(crm().path());
    let folder = crm();
    change(folder.path());
    assert!(scores(folder.path()) == expected);
}

#[test]
fn semicolons_and_decimal_commas() {
    check(|folder| {
        rewrite(folder, "leads.csv", |text| {
            text.replace(',', ";").replace(".5;", ",5;").into_bytes()
        });
        configure(
            folder,
            "[activities.visits]",
            "decimal_comma = true\n[activities.visits]",
        );
    });
}

#[test]
fn gzip() {
    check(|folder| {
        let text = std::fs::read(folder.join("leads.csv")).expect("there");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&text).expect("memory");
        std::fs::write(
            folder.join("leads.csv.gz"),
            encoder.finish().expect("memory"),
        )
        .expect("a small file");
        std::fs::remove_file(folder.join("leads.csv")).expect("there");
        configure(folder, "leads.csv", "leads.csv.gz");
    });
}

#[test]
fn byte_order_mark_and_carriage_returns() {
    check(|folder| {
        rewrite(folder, "leads.csv", |text| {
            format!("\u{feff}{}", text.replace('\n', "\r\n")).into_bytes()
        });
    });
}

/// A quote within a text that is not in quotes is part of it, as for spreadsheets; what nobody can
/// be sure of is an error with its line.
#[test]
fn quotes_within_texts() {
    let with = |city: &str| {
        let folder = crm();
        rewrite(folder.path(), "leads.csv", |text| {
            text.replace("Lyon", city).into_bytes()
        });
        folder
    };
    let matrix = |city: &str| {
        let folder = with(city);
        succeed(folder.path(), &["features", "-o", "matrix.csv"]);
        std::fs::read_to_string(folder.path().join("matrix.csv")).expect("written")
    };
    let expected = matrix("\"6\"\" pipe\"");
    assert!(expected.contains("6\"\" pipe"), "{expected}");
    assert!(matrix("6\" pipe") == expected);
    for (city, message) in [
        (
            "\"6\" pipe\"",
            "leads.csv, line 2: a field goes on after its closing quote",
        ),
        (
            "\"6\" pipe",
            "leads.csv, line 2: a field goes on after its closing quote",
        ),
        (
            "\"Lyon",
            "leads.csv, line 2: a quote is opened, and the next one, on line 4, does not end its field",
        ),
        (
            " \"Lyon\"",
            "leads.csv, line 2: there is a blank before the opening quote",
        ),
    ] {
        let folder = with(city);
        let errors = refused(folder.path(), &["check"]);
        assert!(errors.contains(message), "{city}: {errors}");
    }
}

#[test]
fn utf_16_with_a_mark() {
    check(|folder| {
        rewrite(folder, "leads.csv", |text| {
            std::iter::once(0xfeff)
                .chain(text.encode_utf16())
                .flat_map(u16::to_le_bytes)
                .collect()
        });
    });
}

#[test]
fn latin_1_recognised_and_declared() {
    let to_latin_1 = |text: String| {
        text.chars()
            .map(|c| u8::try_from(u32::from(c)).expect("a Latin-1 letter"))
            .collect()
    };
    check(|folder| rewrite(folder, "leads.csv", to_latin_1));
    check(|folder| {
        rewrite(folder, "leads.csv", to_latin_1);
        configure(
            folder,
            "[activities.visits]",
            "encoding = \"latin1\"\n[activities.visits]",
        );
    });
    let folder = crm();
    rewrite(folder.path(), "leads.csv", to_latin_1);
    let said = String::from_utf8_lossy(&leadscore(folder.path(), &["train"]).stderr).into_owned();
    assert!(
        said.contains("is not UTF-8; read as Windows-1252"),
        "{said}"
    );
}

#[test]
fn newline_delimited_json() {
    check(|folder| {
        let mut reader = csv::Reader::from_path(folder.join("leads.csv")).expect("readable");
        let header = reader.headers().expect("a header").clone();
        let mut lines = String::new();
        for record in reader.records() {
            let record = record.expect("a row");
            let number = |name: &str, text: &str| {
                matches!(name, "size" | "budget").then(|| text.parse::<f64>().expect("a number"))
            };
            let object: serde_json::Map<String, serde_json::Value> = header
                .iter()
                .zip(&record)
                .map(|(name, text)| {
                    (
                        name.to_owned(),
                        number(name, text).map_or_else(|| text.into(), Into::into),
                    )
                })
                .collect();
            lines += &(serde_json::Value::Object(object).to_string() + "\n");
        }
        std::fs::write(folder.join("leads.ndjson"), lines).expect("a small file");
        configure(folder, "leads.csv", "leads.ndjson");
    });
}

/// A key with lists in some rows and plain values in others is no column that anyone can read; a
/// line that is no object is named.
#[test]
fn newline_delimited_json_of_mixed_values() {
    let with = |first: &str| {
        let folder = crm();
        configure(folder.path(), "leads.csv", "leads.ndjson");
        let text = std::fs::read_to_string(folder.path().join("leads.csv")).expect("there");
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
        let mut rows: Vec<String> = lines
            .map(|line| {
                let fields: Vec<String> = header
                    .iter()
                    .zip(line.split(','))
                    .map(|(name, cell)| format!("\"{name}\": \"{cell}\""))
                    .collect();
                format!("{{{}}}\n", fields.join(", "))
            })
            .collect();
        let place = rows[0].find("\"ville\"").expect("the last column");
        rows[0].replace_range(place.., first);
        std::fs::write(folder.path().join("leads.ndjson"), rows.concat()).expect("a small file");
        folder
    };
    for (first, message) in [
        (
            "\"ville\": [\"Lyon\"]}\n",
            "plain values (from line 2) and lists (from line 1)",
        ),
        (
            "\"ville\": \"Lyon\", \"ville\": 1}\n",
            "leads.ndjson, line 1: the key `ville` is there twice",
        ),
        (
            "\"ville\": Lyon}\n",
            "leads.ndjson, line 1: the line is not one JSON object (expected value",
        ),
    ] {
        let folder = with(first);
        let errors = refused(folder.path(), &["train"]);
        assert!(errors.contains(message), "{first}: {errors}");
    }
    let folder = with("\"ville\": [\"Lyon\"]}\n");
    configure(
        folder.path(),
        "[leads]\n",
        "[leads]\nexclude = [\"ville\"]\n",
    );
    succeed(folder.path(), &["train"]);
}

#[test]
fn lists_and_globs() {
    let split = |folder: &Path| {
        let text = std::fs::read_to_string(folder.join("visits.csv")).expect("there");
        let (header, rows) = text.split_once('\n').expect("a header");
        let rows: Vec<&str> = rows.lines().collect();
        for (part, rows) in rows.chunks(100).enumerate() {
            std::fs::write(
                folder.join(format!("visits-{part}.csv")),
                format!("{header}\n{}\n", rows.join("\n")),
            )
            .expect("a small file");
        }
    };
    check(|folder| {
        split(folder);
        configure(folder, "\"visits.csv\"", "\"visits-*.csv\"");
    });
    check(|folder| {
        split(folder);
        configure(
            folder,
            "\"visits.csv\"",
            "[\"visits-2.csv\", \"visits-0.csv\", \"visits-1.csv\"]",
        );
    });
}

#[test]
fn declared_times_and_epochs() {
    check(|folder| {
        rewrite(folder, "leads.csv", |text| {
            let row = |line: &str| match line.split_once(",2020-") {
                Some((id, rest)) => format!(
                    "{id},{}/{}/2020 10:00:00{}\n",
                    &rest[3..5],
                    &rest[..2],
                    &rest[14..]
                ),
                None => format!("{line}\n"),
            };
            text.lines().map(row).collect::<String>().into_bytes()
        });
        configure(
            folder,
            "[activities.visits]",
            "time_format = \"%d/%m/%Y %H:%M:%S\"\n[activities.visits]",
        );
    });
    check(|folder| {
        rewrite(folder, "visits.csv", |text| {
            let row = |line: &str| match line.split(',').collect::<Vec<_>>()[..] {
                [lead, at, kind] if at != "at" => {
                    let micros = leadscore_core::Timestamp::parse_iso(at)
                        .expect("ISO")
                        .0
                        .micros();
                    format!("{lead},{},{kind}\n", micros / 1_000)
                }
                _ => format!("{line}\n"),
            };
            text.lines().map(row).collect::<String>().into_bytes()
        });
    });
}

#[test]
fn frozen_tiers_come_from_the_model() {
    let folder = crm();
    scores(folder.path());
    configure(
        folder.path(),
        "[snapshots]",
        "[tiers]\nedges = \"frozen\"\n\n[snapshots]",
    );
    succeed(
        folder.path(),
        &["score", "model.leadscore", "--as-of", "2020-05-01"],
    );
    let model: serde_json::Value = serde_json::from_str(&succeed(
        folder.path(),
        &["inspect", "model.leadscore", "--json"],
    ))
    .expect("JSON");
    let edges: Vec<f64> = model["tier_edges"]
        .as_array()
        .expect("three")
        .iter()
        .map(|edge| edge.as_f64().expect("a number"))
        .collect();
    let mut reader = csv::Reader::from_path(folder.path().join("scores.csv")).expect("readable");
    let mut seen = 0;
    for record in reader.records() {
        let record = record.expect("a row");
        if &record[3] == "Closed won" {
            continue;
        }
        let probability: f64 = record[2].parse::<f64>().expect("a number") / 100.0;
        // Edges are probabilities of training snapshots, and one that went through a percentage may
        // lose a unit in the last place.
        let expected = ["Very high", "High", "Medium", "Low"][edges
            .iter()
            .filter(|edge| probability < **edge - 1e-12)
            .count()];
        assert_eq!(&record[3], expected);
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn tiers_are_those_of_the_config_wherever_leads_are_scored() {
    let folder = crm();
    scores(folder.path());
    let tiers = |file: &str| -> Vec<(f64, String)> {
        let mut reader = csv::Reader::from_path(folder.path().join(file)).expect("readable");
        let columns = reader.headers().expect("a header").clone();
        let column = |name: &str| {
            columns
                .iter()
                .position(|column| column == name)
                .expect("there")
        };
        let (likelihood, tier) = (column("likelihood_to_close"), column("contact_priority"));
        let rows = reader.records().map(|row| row.expect("a row"));
        rows.filter(|row| &row[tier] != "Closed won")
            .map(|row| {
                (
                    row[likelihood].parse().expect("a number"),
                    row[tier].to_owned(),
                )
            })
            .collect()
    };
    let evaluate = || {
        succeed(
            folder.path(),
            &[
                "evaluate",
                "model.leadscore",
                "--allow-in-sample",
                "--scores",
                "evaluated.csv",
            ],
        )
    };
    evaluate();
    let relative = tiers("evaluated.csv");
    let likelihoods: Vec<f64> = relative.iter().map(|(likelihood, _)| *likelihood).collect();
    let expected = leadscore_inference::quartile_tiers(&likelihoods);
    assert!(
        relative
            .iter()
            .map(|(_, tier)| tier.as_str())
            .eq(expected.iter().map(|tier| tier.name()))
    );
    let sql = |args: &[&str]| {
        let export = [
            &["export", "sql", "model.leadscore", "--dialect", "duckdb"],
            args,
        ]
        .concat();
        succeed(folder.path(), &export);
        std::fs::read_to_string(folder.path().join("score.sql")).expect("written")
    };
    let by_ranks = "Tiers are quartiles of all rows";
    let by_edges = "Tiers begin where quartiles of the training snapshots did";
    assert!(sql(&[]).contains(by_ranks) && sql(&["--features"]).contains(by_ranks));
    configure(
        folder.path(),
        "[snapshots]",
        "[tiers]\nedges = \"frozen\"\n\n[snapshots]",
    );
    assert!(sql(&[]).contains(by_edges) && sql(&["--features"]).contains(by_edges));
    assert!(
        sql(&["--edges", "relative"]).contains(by_ranks)
            && sql(&["--features", "--edges", "relative"]).contains(by_ranks)
    );
    evaluate();
    let model: serde_json::Value = serde_json::from_str(&succeed(
        folder.path(),
        &["inspect", "model.leadscore", "--json"],
    ))
    .expect("JSON");
    let edges: Vec<f64> = model["tier_edges"]
        .as_array()
        .expect("three")
        .iter()
        .map(|edge| edge.as_f64().expect("a number"))
        .collect();
    let frozen = tiers("evaluated.csv");
    for (likelihood, tier) in &frozen {
        let expected = ["Very high", "High", "Medium", "Low"][edges
            .iter()
            .filter(|edge| likelihood / 100.0 < **edge - 1e-12)
            .count()];
        assert_eq!(tier, expected);
    }
    assert_ne!(relative, frozen);
}

#[test]
fn the_reference_of_families_is_current() {
    let reference = std::fs::read_to_string(leadscore_tests::here().join("../docs/features.md"))
        .expect("the page is there");
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert!(
        reference.contains(succeed(folder.path(), &["families"]).trim_end()),
        "docs/features.md is older than `leadscore families`"
    );
}

#[test]
fn the_reference_of_the_config_is_current() {
    let reference = std::fs::read_to_string(leadscore_tests::here().join("../docs/config.md"))
        .expect("the page is there");
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert!(
        reference.contains(succeed(folder.path(), &["schema", "--markdown"]).trim_end()),
        "docs/config.md is older than `leadscore schema --markdown`"
    );
}

/// Every file with unsafe code stands in the list with its reason.
#[test]
fn unsafe_code_is_listed() {
    let page = std::fs::read_to_string(leadscore_tests::here().join("../docs/security.md"))
        .expect("the page is there");
    let root = leadscore_tests::here().join("..");
    let mut folders = vec![root.join("crates")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder)
            .expect("readable")
            .flatten()
            .map(|entry| entry.path())
        {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs")
                && std::fs::read_to_string(&path)
                    .expect("text")
                    .split_whitespace()
                    .collect::<String>()
                    .contains("expect(unsafe_code")
            {
                found.push(
                    path.strip_prefix(&root)
                        .expect("below")
                        .display()
                        .to_string(),
                );
            }
        }
    }
    let listed: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `crates/")?.split('`').next())
        .collect();
    let missing: Vec<&String> = found
        .iter()
        .filter(|path| !listed.contains(&path.trim_start_matches("crates/")))
        .collect();
    assert!(
        missing.is_empty() && listed.len() == found.len(),
        "not listed: {missing:?}; listed: {listed:?}"
    );
}
