//! Commands that look into a model or mend it: `inspect`, `explain`, `recalibrate`.
#![allow(missing_docs, reason = "tests")]

use std::fmt::Write as _;
use std::path::Path;

use leadscore_tests::{figure, folder_with, leadscore, refused, succeed};

fn world(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    succeed(
        folder.path(),
        &[
            "simulate", "--leads", "20000", "--world", name, "--out", "crm",
        ],
    );
    std::fs::rename(folder.path().join("crm"), folder.path().join("here")).expect("the same disk");
    folder
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn an_interaction_is_found_drawn_and_explained() {
    let folder = world("interactions");
    let folder = folder.path();
    let config = "here/leadscore.toml";
    succeed(folder, &["train", "-c", config, "-o", "model"]);
    let model = json(&succeed(folder, &["inspect", "model", "--json"]));
    assert_eq!(model["card"]["kind"], "additive");
    let certificate = &model["card"]["certificate"];
    assert!(
        certificate["gradient"].as_f64().expect("a number") <= 1e-9
            && certificate["effective_parameters"]
                .as_f64()
                .expect("a number")
                > 5.0
    );
    let challenges = model["card"]["challenges"].as_array().expect("a list");
    let won = challenges
        .iter()
        .rfind(|challenge| challenge["shipped"] == challenge["richer"])
        .expect("tables won");
    assert!(
        won["richer"]
            .as_str()
            .expect("text")
            .contains("interaction")
            && won["high"].as_f64().expect("a number") < 0.0
    );
    let text = succeed(
        folder,
        &["inspect", "model", "--shapes", "--html", "model.html"],
    );
    // The world's own: role with source, and pages at first with seats.
    assert!(
        text.contains("role, with source") || text.contains("source, with role"),
        "{text}"
    );
    let page = std::fs::read_to_string(folder.join("model.html")).expect("written");
    assert!(
        page.contains("<svg")
            && page.contains("role, with source")
            && !page.contains("http://")
            && !page.contains("https://")
    );
    succeed(
        folder,
        &[
            "score",
            "model",
            "-c",
            config,
            "--intervals",
            "-o",
            "scores.csv",
        ],
    );
    let rows: Vec<csv::StringRecord> = csv::Reader::from_path(folder.join("scores.csv"))
        .expect("readable")
        .into_records()
        .map(|record| record.expect("a row"))
        .collect();
    let headers = csv::Reader::from_path(folder.join("scores.csv"))
        .expect("readable")
        .headers()
        .expect("there")
        .clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header == name)
            .expect("there")
    };
    let number =
        |row: &csv::StringRecord, name: &str| row[column(name)].parse::<f64>().expect("a number");
    let open: Vec<&csv::StringRecord> = rows.iter().filter(|row| !row[2].is_empty()).collect();
    for row in &open {
        let (low, said, high) = (
            number(row, "likelihood_low"),
            number(row, "likelihood_to_close"),
            number(row, "likelihood_high"),
        );
        assert!(
            0.0 < low && low < said && said < high && high < 100.0,
            "{row:?}"
        );
    }
    // What explain says of a lead is what score said of it.
    let medium = open
        .iter()
        .find(|row| &row[3] == "Medium")
        .expect("a quarter of them");
    let explanation = json(&succeed(
        folder,
        &["explain", "model", &medium[0], "-c", config, "--json"],
    ));
    assert!(
        (explanation["likelihood_to_close"]
            .as_f64()
            .expect("a number")
            - number(medium, "likelihood_to_close"))
        .abs()
            < 1e-9
    );
    assert!(
        (explanation["interval"][0].as_f64().expect("a number") - number(medium, "likelihood_low"))
            .abs()
            < 1e-6
    );
    let sum: f64 = explanation["reasons"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|reason| reason["log_odds"].as_f64().expect("a number"))
        .sum();
    assert!(
        (explanation["baseline_log_odds"].as_f64().expect("a number") + sum
            - explanation["log_odds"].as_f64().expect("a number"))
        .abs()
            < 1e-9
    );
    let next = &explanation["next_tier"];
    assert_eq!(next["tier"], "High");
    let edge = next["from_likelihood"].as_f64().expect("a number");
    let lowest_high = open
        .iter()
        .filter(|row| &row[3] == "High")
        .map(|row| number(row, "likelihood_to_close"))
        .fold(f64::INFINITY, f64::min);
    assert!((edge - lowest_high).abs() < 1e-9);
    for change in next["changes"].as_array().expect("a list") {
        assert!(
            change["to"].as_f64() > change["from"].as_f64()
                && change["likelihood_then"].as_f64().expect("a number") >= edge - 1e-9
        );
    }
    let text = succeed(folder, &["explain", "model", &medium[0], "-c", config]);
    assert!(
        text.contains("contact priority Medium") && text.contains("High begins at"),
        "{text}"
    );
    for reason in explanation["reasons"].as_array().expect("a list") {
        let features: f64 = reason["features"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|part| part["log_odds"].as_f64().expect("a number"))
            .sum();
        assert!(
            (features - reason["log_odds"].as_f64().expect("a number")).abs() < 1e-9,
            "{reason}"
        );
    }
    assert!(
        refused(folder, &["explain", "model", "nobody", "-c", config])
            .contains("there is no lead `nobody`")
    );
    let won = rows
        .iter()
        .find(|row| &row[3] == "Closed won")
        .expect("some");
    assert!(
        refused(folder, &["explain", "model", &won[0], "-c", config]).contains("was won before")
    );
}

#[test]
fn what_changed_adds_up_and_contributions_are_tables() {
    let folder = world("linear");
    let folder = folder.path();
    let config = "here/leadscore.toml";
    succeed(folder, &["train", "-c", config, "-o", "model"]);
    let as_of = ["--as-of", "2025-12-01"];
    succeed(
        folder,
        &[
            &[
                "explain",
                "model",
                "-c",
                config,
                "--table",
                "concepts.csv",
                "--importance",
                "importance.csv",
            ][..],
            &as_of,
        ]
        .concat(),
    );
    succeed(
        folder,
        &[
            &[
                "explain",
                "model",
                "-c",
                config,
                "--table",
                "features.csv",
                "--by",
                "feature",
            ][..],
            &as_of,
        ]
        .concat(),
    );
    succeed(
        folder,
        &[
            &["score", "model", "-c", config, "-o", "scores.csv"][..],
            &as_of,
        ]
        .concat(),
    );
    let read = |name: &str| {
        let mut reader = csv::Reader::from_path(folder.join(name)).expect("readable");
        let header = reader.headers().expect("there").clone();
        (
            header,
            reader
                .into_records()
                .map(|record| record.expect("a row"))
                .collect::<Vec<_>>(),
        )
    };
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let (score_header, scores) = read("scores.csv");
    let log_odds_at = score_header
        .iter()
        .position(|name| name == "log_odds")
        .expect("there");
    for name in ["concepts.csv", "features.csv"] {
        let (header, rows) = read(name);
        assert_eq!(
            header.iter().take(4).collect::<Vec<_>>(),
            [
                "lead_id",
                "likelihood_to_close",
                "baseline_log_odds",
                "log_odds"
            ]
        );
        assert!(!rows.is_empty());
        for row in &rows {
            let score = scores
                .iter()
                .find(|score| score[0] == row[0])
                .expect("the same leads");
            assert!((number(&row[3]) - number(&score[log_odds_at])).abs() < 1e-9);
            let sum: f64 = row.iter().skip(4).map(number).sum();
            assert!(
                (number(&row[2]) + sum - number(&row[3])).abs() < 1e-9,
                "{row:?}"
            );
        }
    }
    let (header, importance) = read("importance.csv");
    assert_eq!(
        header.iter().collect::<Vec<_>>(),
        ["concept", "mean_abs_log_odds", "share"]
    );
    assert!((importance.iter().map(|row| number(&row[2])).sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(importance.is_sorted_by(|a, b| number(&a[1]) >= number(&b[1])));
    assert!(
        importance.iter().any(|row| &row[0] == "age")
            && importance.iter().any(|row| &row[0] == "source")
    );

    // An open lead that was open in November as well.
    let (_, rows) = read("concepts.csv");
    let explain = |lead: &str| {
        leadscore(
            folder,
            &[
                &[
                    "explain",
                    "model",
                    lead,
                    "-c",
                    config,
                    "--since",
                    "2025-11-15",
                    "--json",
                ][..],
                &as_of,
            ]
            .concat(),
        )
    };
    let (lead, output) = rows
        .iter()
        .map(|row| (row[0].to_owned(), explain(&row[0])))
        .find(|(_, output)| output.status.success())
        .expect("some are old");
    let found = json(&String::from_utf8_lossy(&output.stdout));
    let since = &found["since"];
    let of = |value: &serde_json::Value, name: &str| value[name].as_f64().expect("a number");
    let changes = since["changes"].as_array().expect("a list");
    let sum: f64 = changes.iter().map(|change| of(change, "difference")).sum();
    assert!((of(since, "log_odds") + sum - of(&found, "log_odds")).abs() < 1e-9);
    let then = json(&succeed(
        folder,
        &[
            "explain",
            "model",
            &lead,
            "-c",
            config,
            "--as-of",
            "2025-11-15",
            "--json",
        ],
    ));
    assert!((of(since, "likelihood_to_close") - of(&then, "likelihood_to_close")).abs() < 1e-9);
    let text = succeed(
        folder,
        &[
            &[
                "explain",
                "model",
                &lead,
                "-c",
                config,
                "--since",
                "2025-11-15",
            ][..],
            &as_of,
        ]
        .concat(),
    );
    assert!(text.contains("since 2025-11-15"), "{text}");
    let refused_since = |since: &str| {
        refused(
            folder,
            &[
                &["explain", "model", &lead, "-c", config, "--since", since][..],
                &as_of,
            ]
            .concat(),
        )
    };
    assert!(
        refused_since("2025-12-01").contains("is not before"),
        "{}",
        refused_since("2025-12-01")
    );
    assert!(
        refused_since("2024-01-02").contains("was not open at"),
        "{}",
        refused_since("2024-01-02")
    );
    assert!(refused(folder, &["explain", "model", "-c", config]).contains("LEAD"));
}

#[test]
fn percentages_that_drifted_are_mended_without_a_new_fit() {
    let folder = world("drift");
    let folder = folder.path();
    let config = "here/leadscore.toml";
    succeed(
        folder,
        &["train", "-c", config, "--as-of", "2024-10-01", "-o", "old"],
    );
    succeed(
        folder,
        &[
            "recalibrate",
            "old",
            "-c",
            config,
            "--as-of",
            "2025-07-01",
            "-o",
            "mended",
        ],
    );
    let evaluate = |model: &str, out: &str| {
        succeed(
            folder,
            &[
                "evaluate",
                model,
                "-c",
                config,
                "--from",
                "2025-07-01",
                "--json",
                out,
            ],
        );
        (
            figure(folder, out, "evaluation.log_loss.value"),
            figure(folder, out, "evaluation.ranking.roc_auc.value"),
        )
    };
    let (before, ranking_before) = evaluate("old", "before.json");
    let (after, ranking_after) = evaluate("mended", "after.json");
    assert!(after < before, "{after} {before}");
    // A line in log-odds leaves the order as it is.
    assert!((ranking_before - ranking_after).abs() < 1e-9);
    let card = json(&succeed(folder, &["inspect", "mended", "--json"]));
    assert!(
        card["card"]["limitations"]
            .as_array()
            .expect("a list")
            .iter()
            .any(|limitation| limitation
                .as_str()
                .expect("text")
                .starts_with("recalibrated on"))
    );
    // What it was mended with is no test of it any more.
    assert!(
        refused(
            folder,
            &["evaluate", "mended", "-c", config, "--from", "2025-01-01"]
        )
        .contains("in sample")
    );
    assert!(
        refused(
            folder,
            &[
                "recalibrate",
                "mended",
                "-c",
                config,
                "--as-of",
                "2025-07-01",
                "-o",
                "again"
            ]
        )
        .contains("at least 20 wins")
    );
}

#[test]
fn a_page_does_not_take_the_ending_of_another_form() {
    let folder = leadscore_tests::small_crm();
    succeed(folder.path(), &["train", "-o", "model.leadscore"]);
    let runs: [&[&str]; 2] = [
        &["evaluate", "model.leadscore", "-o", "r.xlsx"],
        &["train", "--report", "r.JSON"],
    ];
    for args in runs {
        let output = leadscore(folder.path(), args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains(
                "does not end as the page that it is written as\n  hint: let it end in .html"
            ),
            "{said}"
        );
    }
}

#[test]
fn every_command_has_a_man_page_and_a_completion() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    succeed(folder.path(), &["man", "--out", "man/man1"]);
    let page = |name: &str| {
        std::fs::read_to_string(folder.path().join("man/man1").join(name)).expect("a page")
    };
    assert!(page("leadscore.1").contains("leadscore\\-score(1)"));
    assert!(page("leadscore-history.1").contains("score history by week"));
    assert!(
        page("leadscore-score.1").contains("95 % interval")
            && page("leadscore-export-onnx.1").contains("score.onnx")
            && page("leadscore-models-promote.1").contains("because")
    );
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            succeed(folder.path(), &["completions", shell]).contains("recalibrate"),
            "{shell}"
        );
    }
}

/// A flat export of leads that were won or lost, and of some that say neither.
fn flat_export(outcomes: &str) -> tempfile::TempDir {
    let mut leads = "id,source,size,result\n".to_owned();
    for number in 0..900 {
        let is_web = number / 3 % 2 == 0;
        let result = if (number * 7) % 10 < if is_web { 8 } else { 1 } {
            "won"
        } else {
            "lost"
        };
        let _ = writeln!(
            leads,
            "L{number},{},{},{result}",
            if is_web { "web" } else { "mail" },
            number % 13
        );
    }
    let config = format!(
        "[leads]\npath = \"leads.csv\"\nid = \"id\"\n[outcomes]\nflag = \"result\"\n{outcomes}\n"
    );
    let folder = folder_with(&[("leadscore.toml", &config), ("leads.csv", &leads)]);
    succeed(folder.path(), &["train", "-o", "model", "--allow-too-few"]);
    for (id, result) in [("open", "open"), ("missing", "")] {
        let _ = writeln!(leads, "{id},web,3,{result}");
    }
    std::fs::write(folder.path().join("leads.csv"), leads).expect("writable");
    folder
}

fn scored_leads(folder: &Path, config: &str) -> (Vec<String>, String) {
    let output = leadscore(
        folder,
        &["score", "model", "-c", config, "-o", "scores.csv"],
    );
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let rows = csv::Reader::from_path(folder.join("scores.csv"))
        .expect("readable")
        .into_records();
    let scored = rows
        .map(|row| row.expect("a row"))
        .filter(|row| !row[2].is_empty())
        .map(|row| row[0].to_owned());
    (scored.collect(), said)
}

#[test]
fn leads_of_a_flat_export_that_are_declared_lost_are_not_scored() {
    for outcomes in [
        r#"won = ["won"]
lost = ["lost"]
open = ["open"]"#,
        r#"won = ["won"]
open = ["open"]"#,
    ] {
        let folder = flat_export(outcomes);
        let (mut scored, said) = scored_leads(folder.path(), "leadscore.toml");
        scored.sort_unstable();
        assert_eq!(scored, ["missing", "open"], "{said}");
        assert!(
            said.contains("closed otherwise")
                && !said.contains("not yet created")
                && !said.contains("may have closed"),
            "{said}"
        );
        assert!(
            refused(folder.path(), &["explain", "model", "L4"])
                .contains("lead `L4` was lost\n  hint: only open leads have a score")
        );
    }
}

#[test]
fn a_flat_export_without_an_open_lead_says_so_without_a_date() {
    let folder = flat_export("won = [\"won\"]\nlost = [\"lost\", \"open\"]");
    let path = folder.path().join("leads.csv");
    let leads = std::fs::read_to_string(&path).expect("readable");
    std::fs::write(&path, leads.replace("missing,web,3,\n", "")).expect("writable");
    let said = refused(folder.path(), &["score", "model", "-o", "scores.csv"]);
    assert!(
        said.contains("no lead is open: ") && said.contains("closed otherwise\n"),
        "{said}"
    );
}

#[test]
fn leads_of_a_flat_export_of_which_nothing_says_that_they_closed_are_scored_with_a_note() {
    let folder = flat_export("won = [\"won\"]");
    let path = folder.path().join("leads.csv");
    let leads = std::fs::read_to_string(&path).expect("readable");
    std::fs::write(&path, leads.replace("open,web,3,open\n", "")).expect("writable");
    let (scored, said) = scored_leads(folder.path(), "leadscore.toml");
    assert!(
        scored.len() > 400 && scored.iter().any(|id| id == "missing"),
        "{said}"
    );
    let n_not_won = scored.len() - 1;
    assert!(
        said.contains(&format!(
            "note: {n_not_won} of {} scored leads were not won, and may have closed",
            scored.len()
        )),
        "{said}"
    );
}

#[test]
fn where_penalties_are_from_is_told_in_one_sentence() {
    let folder = flat_export("won = [\"won\"]\nlost = [\"lost\"]");
    let folder = folder.path();
    let leads = std::fs::read_to_string(folder.join("leads.csv"))
        .expect("readable")
        .replace("open,web,3,open\n", "");
    std::fs::write(folder.join("leads.csv"), &leads).expect("writable");
    let few: Vec<&str> = leads.lines().take(301).collect();
    std::fs::write(folder.join("few.csv"), few.join("\n") + "\n").expect("writable");
    let config = std::fs::read_to_string(folder.join("leadscore.toml")).expect("readable");
    let said = |name: &str, model: &str, args: &[&str]| {
        std::fs::write(
            folder.join("other.toml"),
            format!("{}{model}", config.replace("leads.csv", name)),
        )
        .expect("writable");
        let output = leadscore(
            folder,
            &[
                &[
                    "train",
                    "-c",
                    "other.toml",
                    "-o",
                    "other",
                    "--allow-too-few",
                ],
                args,
            ]
            .concat(),
        );
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let line = said
            .lines()
            .find_map(|line| line.strip_prefix("model: "))
            .expect("there")
            .to_owned();
        assert!(succeed(folder, &["inspect", "other"]).contains(&line));
        line.split_once("; penalties: ").expect("said").1.to_owned()
    };
    let on_folds = "one for all terms of a kind, on folds, because ";
    assert!(said("leads.csv", "", &[]).starts_with("one for each term, by REML"));
    assert_eq!(
        said("leads.csv", "[model]\nsmoothing = \"folds\"\n", &[]),
        format!("{on_folds}`smoothing` is \"folds\"")
    );
    assert_eq!(
        said(
            "leads.csv",
            "[model]\nkind = \"linear\"\nl1_ratio = 0.5\n",
            &[]
        ),
        format!("{on_folds}`l1_ratio` asks for a lasso")
    );
    assert_eq!(
        said("leads.csv", "", &["--solver", "linfa"]),
        format!("{on_folds}linfa has no REML")
    );
    let few = said("few.csv", "", &[]);
    assert!(
        few.starts_with(&format!(
            "{on_folds}REML needs 200 won and 200 other leads or accounts, and there are 1"
        )),
        "{few}"
    );
}
