//! Names and values that would steer a terminal, reorder a page, run as code or as a formula: they
//! are shown, and do nothing.
#![allow(missing_docs, reason = "tests")]

use std::fmt::Write as _;
use std::path::Path;

use leadscore_core::is_hostile;
use leadscore_tests::{leadscore, small_crm, succeed};

/// Clears the screen, colours by one byte of C1, forges a line, turns the direction, hides.
const NAME: &str = "so\u{1b}[2J\u{9b}31m\u{202e}ur\u{200b}ce\nerror: forged";
const LEVEL: &str = "we\u{1b}]0;title\u{7}b\u{2067}\nnote: forged\u{85}<img src=x onerror=alert(1)>[a](javascript:alert(1))\u{2028}=1+1";
/// The place of an id.
const LEAD: &str = "L\u{1b}[1A\u{202e}0";

/// A CRM whose names and values are hostile, and that trains: most leads of one source are won, few
/// of the other.
fn hostile_crm() -> tempfile::TempDir {
    let crm = small_crm();
    let folder = crm.path();
    let id = |number: usize| {
        if number == 0 {
            LEAD.to_owned()
        } else {
            format!("L{number}")
        }
    };
    let mut leads = format!("id,created,\"{NAME}\",＝cmd|' /C calc'!A0\n");
    let mut deals = "lead,closed,stage\n".to_owned();
    let mut visits = "lead,at,kind\n".to_owned();
    for number in 0..800 {
        let (month, day, is_hostile) = (1 + number / 2 % 6, 1 + number % 27, number % 2 == 0);
        let is_won = (number * 7) % 20 < if is_hostile { 17 } else { 2 };
        let source = if is_hostile { LEVEL } else { "mail" };
        let _ = writeln!(
            leads,
            "{},2020-{month:02}-{day:02}T10:00:00,\"{source}\",{}",
            id(number),
            number % 13
        );
        let _ = writeln!(
            visits,
            "{},2020-{month:02}-{day:02}T12:00:00,{}",
            id(number),
            if number % 3 == 0 {
                "pa\u{1b}[31m\u{202e}ge"
            } else {
                "form"
            }
        );
        // The last ones are open.
        if number < 780 {
            let _ = writeln!(
                deals,
                "{},2020-{:02}-{day:02}T10:00:00,{}",
                id(number),
                month + 2,
                if is_won { "won" } else { "lost" }
            );
        }
    }
    for (name, text) in [
        ("leads.csv", leads),
        ("deals.csv", deals),
        ("visits.csv", visits),
    ] {
        std::fs::write(folder.join(name), text).expect("a small file");
    }
    // One look at each lead, so that those that stay open are not most of what is looked at.
    let config = std::fs::read_to_string(folder.join("leadscore.toml")).expect("a config");
    std::fs::write(
        folder.join("leadscore.toml"),
        config.replace("[snapshots]", "[snapshots]\nages = [\"7d\"]"),
    )
    .expect("a small file");
    crm
}

/// Fails where a text would act on a terminal, or has a line that a value forged.
#[track_caller]
fn acts_not(place: &str, text: &str) {
    if let Some(c) = text
        .chars()
        .find(|c| !matches!(c, '\n' | '\t') && is_hostile(*c))
    {
        panic!("{place} has {c:?}:\n{text:?}");
    }
    assert!(
        !text
            .lines()
            .any(|line| line.trim_start().starts_with("error: forged")
                || line.trim_start().starts_with("note: forged")),
        "{place}:\n{text}"
    );
}

#[track_caller]
fn run(folder: &Path, args: &[&str], status: i32) -> String {
    let output = leadscore(folder, args);
    let (out, said) = (
        String::from_utf8(output.stdout).expect("UTF-8"),
        String::from_utf8(output.stderr).expect("UTF-8"),
    );
    acts_not(&format!("stdout of {args:?}"), &out);
    acts_not(&format!("stderr of {args:?}"), &said);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
    out + &said
}

#[test]
fn hostile_names_and_values_do_nothing() {
    let crm = hostile_crm();
    let folder = crm.path();
    let lead = "L798";
    // What is right is said, and what is wrong.
    let text = run(folder, &["check"], 0);
    assert!(
        text.contains("so\\u{1b}[2J\\u{9b}31m\\u{202e}ur\\u{200b}ce\\nerror: forged"),
        "{text}"
    );
    run(
        folder,
        &["train", "-o", "model", "--report", "trained.html"],
        0,
    );
    assert!(
        run(
            folder,
            &["inspect", "model", "--shapes", "--html", "model.html"],
            0
        )
        .contains("so\\u{1b}[2J")
    );
    let text = run(folder, &["explain", "model", lead], 0);
    assert!(text.contains("so\\u{1b}[2J"), "{text}");
    run(
        folder,
        &["explain", "model", "L\u{1b}[2J\nerror: forged"],
        2,
    );
    run(folder, &["explain", "model", LEAD], 2);
    run(folder, &["score", "model", "-o", "scores.csv"], 0);
    run(
        folder,
        &[
            "evaluate",
            "model",
            "--allow-in-sample",
            "--format",
            "html,md,xlsx,json",
            "-o",
            "report.html",
        ],
        0,
    );
    run(folder, &["features", "-o", "matrix.csv", "--describe"], 0);
    run(
        folder,
        &["features", "-o", "matrix.csv", "--describe=markdown"],
        0,
    );
    run(
        folder,
        &["check", "-c", "no\u{1b}[2J\nerror: forged.toml"],
        2,
    );
    run(folder, &["check\u{1b}[2J\u{202e}"], 2);
    run(
        folder,
        &[
            "score",
            "model",
            "-o",
            "no\u{1b}[2J\nerror: forged/scores.csv",
        ],
        2,
    );
    for page in ["trained.html", "model.html", "report.html", "report.md"] {
        let text = std::fs::read_to_string(folder.join(page)).expect("written");
        acts_not(page, &text);
        assert!(!text.contains("<img src=x"), "{page}");
    }
    assert!(
        !std::fs::read_to_string(folder.join("report.md"))
            .expect("written")
            .contains("javascript:")
    );
    // Data stays exact, and JSON with its own escapes.
    let model: serde_json::Value = serde_json::from_str(&{
        let text = succeed(folder, &["inspect", "model", "--json"]);
        acts_not("inspect --json", &text);
        text
    })
    .expect("JSON");
    assert!(
        model["specs"]
            .as_array()
            .expect("a list")
            .iter()
            .any(|spec| spec["name"].as_str().expect("a name").contains(NAME)),
        "{}",
        model["specs"]
    );
    let explanation = succeed(folder, &["explain", "model", lead, "--json"]);
    acts_not("explain --json", &explanation);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&explanation).expect("JSON")["lead"],
        lead
    );
    // Neither is the name of a column a formula.
    let mut matrix = csv::Reader::from_path(folder.join("matrix.csv")).expect("written");
    let names = matrix.headers().expect("a header").clone();
    assert!(
        !names
            .iter()
            .any(|name| name.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])),
        "{names:?}"
    );
    assert!(names.iter().any(|name| name.contains(NAME)), "{names:?}");
}

#[test]
fn the_same_report_gives_the_same_workbook() {
    let crm = small_crm();
    let folder = crm.path();
    succeed(folder, &["train", "-o", "model"]);
    let workbook = || {
        succeed(
            folder,
            &[
                "evaluate",
                "model",
                "--allow-in-sample",
                "--format",
                "xlsx",
                "-o",
                "report.xlsx",
            ],
        );
        std::fs::read(folder.join("report.xlsx")).expect("written")
    };
    let first = workbook();
    // The time within a workbook was to the second.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert!(first == workbook());
}

#[test]
fn lines_for_the_config_are_lines_of_toml() {
    for text in ["a", "a\"b\\", LEVEL, NAME, "\u{1f600}\u{e0041}\u{7f}"] {
        let line = format!("x = {}", leadscore_config::quoted(text));
        acts_not("a line for the config", &line);
        assert_eq!(line.lines().count(), 1);
    }
}
