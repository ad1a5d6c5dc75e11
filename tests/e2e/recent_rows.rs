//! What the config says of recent snapshots: weights by age, and windows that have not ended.
#![allow(missing_docs, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use leadscore_tests::{figure, folder_with, refused, succeed};

/// A folder whose config has these lines under `[model]`.
fn set(folder: &Path, lines: &str) {
    let config = std::fs::read_to_string(folder.join("crm/leadscore.toml")).expect("a config");
    std::fs::write(
        folder.join("crm/own.toml"),
        format!("{config}\n[model]\n{lines}\n"),
    )
    .expect("room");
}

#[test]
fn windows_that_have_not_ended_are_learned_from_where_they_are_asked_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    succeed(
        folder,
        &[
            "simulate", "--leads", "8000", "--world", "drift", "--out", "crm",
        ],
    );
    let train = ["train", "-c", "crm/own.toml", "--as-of", "2025-06-01", "-o"];
    for label in ["window", "weekly"] {
        set(
            folder,
            &format!("label = \"{label}\"\nhalf_life = \"none\""),
        );
        succeed(folder, &[&train[..], &[label]].concat());
    }
    let card: serde_json::Value =
        serde_json::from_str(&succeed(folder, &["inspect", "weekly", "--json"])).expect("JSON");
    let fit = card["card"]["fit"].as_str().expect("a text");
    assert!(
        fit.contains("snapshots whose windows had not ended among them"),
        "{fit}"
    );
    let log_loss = |model: &str| {
        succeed(
            folder,
            &[
                "evaluate",
                model,
                "-c",
                "crm/own.toml",
                "--from",
                "2025-06-01",
                "--json",
                "r.json",
            ],
        );
        figure(folder, "r.json", "evaluation.log_loss.value")
    };
    let (weekly, window) = (log_loss("weekly"), log_loss("window"));
    assert!(
        weekly < window,
        "{weekly} against {window}, in a world that drifts"
    );
}

#[test]
fn a_lead_that_is_entered_late_is_nobody_before() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let simulate = ["simulate", "--leads", "1500", "--format", "csv"];
    succeed(folder, &[&simulate[..], &["--out", "crm"]].concat());
    let leads = std::fs::read_to_string(folder.join("crm/leads.csv")).expect("leads");
    let mut lines = leads.lines();
    let mut text = format!("{},entered\n", lines.next().expect("a header"));
    let mut entered_of: BTreeMap<&str, String> = BTreeMap::new();
    for (number, line) in lines.enumerate() {
        let mut cells = line.split(',');
        let (id, day) = (cells.next(), cells.find_map(|cell| cell.get(..10)));
        let (id, day) = (id.expect("an ID"), day.expect("a day"));
        let entered = later(day, [0, 0, 20][number % 3]);
        text.push_str(&format!("{line},{entered}T23:59:59\n"));
        entered_of.insert(id, entered);
    }
    std::fs::write(folder.join("crm/leads.csv"), &text).expect("room");
    let config = std::fs::read_to_string(folder.join("crm/leadscore.toml")).expect("a config");
    let config = config.replace("[leads]\n", "[leads]\nexclude = [\"entered\"]\n");
    std::fs::write(folder.join("crm/plain.toml"), &config).expect("room");
    let recorded = config.replace("exclude = [\"entered\"]", "recorded_at = \"entered\"");
    std::fs::write(folder.join("crm/own.toml"), &recorded).expect("room");
    let scored = |config: &str| -> BTreeSet<String> {
        let config = format!("crm/{config}.toml");
        succeed(
            folder,
            &["train", "-c", &config, "--as-of", "2025-06-01", "-o", "m"],
        );
        let score = [
            "score",
            "m",
            "-c",
            &config,
            "--as-of",
            "2025-09-01",
            "-o",
            "s.csv",
        ];
        succeed(folder, &score);
        let scores = std::fs::read_to_string(folder.join("s.csv")).expect("scores");
        let ids = scores
            .lines()
            .skip(1)
            .filter_map(|line| line.split(',').next());
        ids.map(str::to_owned).collect()
    };
    let (all, known) = (scored("plain"), scored("own"));
    let expected = all
        .iter()
        .filter(|lead| &*entered_of[lead.as_str()] < "2025-09-01");
    assert!(known.len() > 20 && known.len() + 5 < all.len());
    assert_eq!(known, expected.cloned().collect());
    let missing = recorded.replace("\"entered\"", "\"typed\"");
    std::fs::write(folder.join("crm/missing.toml"), missing).expect("room");
    let said = refused(folder, &["train", "-c", "crm/missing.toml", "-o", "m"]);
    assert!(
        said.contains("typed") && said.contains("recorded_at"),
        "{said}"
    );
}

#[test]
fn how_late_wins_are_entered_is_what_was_known_then() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    succeed(
        folder,
        &[
            "simulate", "--leads", "3000", "--world", "linear", "--format", "csv", "--out", "crm",
        ],
    );
    let config = std::fs::read_to_string(folder.join("crm/leadscore.toml")).expect("a config");
    let recorded = config.replace("[outcomes]\n", "[outcomes]\nrecorded_at = \"entered_at\"\n");
    let deals = std::fs::read_to_string(folder.join("crm/deals.csv")).expect("deals");
    let header: Vec<&str> = deals.lines().next().expect("a header").split(',').collect();
    let closed = header
        .iter()
        .position(|name| *name == "closed_at")
        .expect("a column");
    // Deals are entered up to four weeks late; of those closed after the moment, all are entered at
    // the very end.
    let write = |as_of: Option<&str>| {
        let mut text = format!("{},entered_at\n", header.join(","));
        for (number, line) in deals.lines().skip(1).enumerate() {
            let at = line.split(',').nth(closed).expect("a cell");
            let entered = match (at.get(..10), as_of) {
                (None, _) => String::new(),
                (Some(day), Some(as_of)) if day >= as_of => "2025-12-30T20:00:00".to_owned(),
                (Some(day), _) => format!("{}T23:59:59", later(day, number % 28)),
            };
            text.push_str(&format!("{line},{entered}\n"));
        }
        std::fs::write(folder.join("crm/deals.csv"), text).expect("room");
    };
    let model_of = |label: &str| {
        std::fs::write(
            folder.join("crm/own.toml"),
            format!("{recorded}\n[model]\nlabel = \"{label}\"\n"),
        )
        .expect("room");
        succeed(
            folder,
            &[
                "train",
                "-c",
                "crm/own.toml",
                "--as-of",
                "2025-07-01",
                "-o",
                "model",
            ],
        );
        let card: serde_json::Value =
            serde_json::from_str(&succeed(folder, &["inspect", "model", "--json"])).expect("JSON");
        card["card"]["model_id"].clone()
    };
    for label in ["window", "weekly"] {
        write(None);
        let before = model_of(label);
        write(Some("2025-07-01"));
        assert_eq!(model_of(label), before, "{label}");
    }
}

/// A day so many days later, of the months of a simulated CRM.
fn later(day: &str, days: usize) -> String {
    let at = leadscore_core::Timestamp::parse_iso(day).expect("a day").0
        + leadscore_core::Span::from_days(u32::try_from(days).expect("few"));
    at.to_string()[..10].to_owned()
}

#[test]
fn a_half_life_is_a_length_and_needs_times() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    succeed(
        folder,
        &[
            "simulate", "--leads", "2000", "--world", "linear", "--out", "crm",
        ],
    );
    let train = ["train", "-c", "crm/own.toml", "-o", "model"];
    set(folder, "half_life = \"180d\"");
    succeed(folder, &train);
    let card: serde_json::Value =
        serde_json::from_str(&succeed(folder, &["inspect", "model", "--json"])).expect("JSON");
    let choice = card["card"]["penalty_choice"].as_str().expect("a text");
    assert!(
        choice.contains("snapshots count half as much every 180d"),
        "{choice}"
    );
    set(folder, "half_life = \"3d\"");
    assert!(refused(folder, &train).contains("expected at least 7d, such as 180d"));
    for wrong in ["0d", "soon", "-3d", ""] {
        set(folder, &format!("half_life = \"{wrong}\""));
        let said = refused(folder, &train);
        assert!(
            said.contains(&format!("`{wrong}` is not a half-life\n")),
            "{said}"
        );
        assert!(
            said.contains("write \"auto\", \"none\" or a length such as \"180d\""),
            "{said}"
        );
    }
    for (line, why) in [
        (
            "half_life = \"180d\"",
            "linfa-logistic knows no weights of rows",
        ),
        (
            "label = \"weekly\"",
            "linfa-logistic knows no weights of rows",
        ),
    ] {
        set(folder, &format!("kind = \"linear\"\n{line}"));
        let said = refused(folder, &[&train[..], &["--solver", "linfa"]].concat());
        assert!(said.contains(why), "{said}");
    }
    let rows: String = (0..600)
        .map(|row| {
            format!(
                "L{row},{row},{},{}\n",
                row % 7,
                u8::from(row % 7 + row % 3 > 4)
            )
        })
        .collect();
    let flat = "[leads]\npath = \"leads.csv\"\nid = \"id\"\n\n[outcomes]\nflag = \"won\"\nwon = [\"1\"]\n\n[snapshots]\norder_by = \"order\"\n";
    let folder = folder_with(&[("leads.csv", &format!("id,order,x,won\n{rows}"))]);
    for (line, why) in [
        (
            "half_life = \"180d\"",
            "undated data has an order, and no times",
        ),
        ("label = \"weekly\"", "undated data has no windows"),
    ] {
        std::fs::write(
            folder.path().join("leadscore.toml"),
            format!("{flat}\n[model]\n{line}\n"),
        )
        .expect("room");
        let said = refused(folder.path(), &["train", "-o", "model"]);
        assert!(said.contains(why), "{said}");
    }
}
