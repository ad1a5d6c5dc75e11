//! `leadscore run` as a scheduler starts it: what it decides, what it writes, and what it says.
#![allow(missing_docs, reason = "tests")]

use std::path::Path;

use leadscore_tests::operated::{
    add_to_config, champion_as_of, copy_of, decides, edit, files_below, operated_crm, run_in,
};
use leadscore_tests::{leadscore, succeed};
use serde_json::Value;

fn stages(report: &Value) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    report["stages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|stage| (word(&stage["stage"]), word(&stage["status"])))
        .collect()
}

fn published(folder: &Path) -> Vec<Vec<u8>> {
    ["scores.csv", "out/scores-2026-01-01.parquet"]
        .iter()
        .map(|name| std::fs::read(folder.join(name)).expect(name))
        .collect()
}

#[test]
fn the_first_run_and_the_same_again() {
    let folder = operated_crm("linear", "1000", "publish = [\"scores.csv\", \"out/\"]");
    let at = folder.path();
    // A dry run writes nothing, and says why.
    let before = files_below(at);
    let ran = decides(at, &["--dry-run"], "first", 0);
    assert_eq!(files_below(at), before);
    assert!(
        ran.stderr.contains("one would be trained")
            && ran.stderr.contains("scores, scores.csv, out"),
        "{}",
        ran.stderr
    );
    assert!(
        stages(&ran.report)
            .iter()
            .all(|(_, status)| status == "planned")
    );

    let first = decides(at, &[], "first", 0);
    assert_eq!(first.report["as_of"], "2026-01-01");
    assert_eq!(first.report["published"].as_array().map(Vec::len), Some(2));
    assert!(at.join("scores/as_of=2026-01-01/part-0.parquet").is_file());
    let champion = std::fs::read_to_string(at.join("models/champion")).expect("text");
    assert_eq!(first.report["champion"], champion.trim());
    assert!(succeed(at, &["models", "verify"]).contains("as it was written"));
    let scores = published(at);

    // The same again changes no byte.
    let before = files_below(at);
    let again = decides(at, &[], "unchanged", 0);
    assert!(
        stages(&again.report)
            .iter()
            .all(|(_, status)| status == "kept")
    );
    assert!(
        again.report["because"]
            .as_str()
            .is_some_and(|why| why.contains("`first`")),
        "{}",
        again.report
    );
    decides(at, &["--skip-code", "99"], "unchanged", 99);
    let planned = decides(at, &["--dry-run"], "unchanged", 0);
    assert!(
        planned.stderr.contains("nothing would be done"),
        "{}",
        planned.stderr
    );
    assert_eq!(files_below(at), before);

    // What somebody altered is written again.
    for (name, change) in [
        ("scores.csv", Some("lead_id\n")),
        ("out/scores-2026-01-01.parquet", Some("x")),
        ("scores.csv", None),
    ] {
        match change {
            Some(text) => std::fs::write(at.join(name), text).expect("room"),
            None => std::fs::remove_file(at.join(name)).expect("there"),
        }
        let planned = run_in(at, &["--dry-run"]);
        assert_eq!(planned.decision(), "not due", "{name}");
        decides(at, &[], "not due", 0);
        assert_eq!(published(at), scores, "{name}");
        decides(at, &[], "unchanged", 0);
    }
    assert!(!at.join("scores/as_of=2026-01-01/part-1.parquet").exists());

    // Other inputs are another run: a table, the config, the moment.
    edit(at, "touches.csv", |text| {
        let row = text.lines().nth(1).expect("a row").to_owned();
        text + &row + "\n"
    });
    decides(at, &[], "not due", 0);
    add_to_config(at, "# a remark\n");
    decides(at, &["--skip-code", "99"], "not due", 0);
    decides(at, &[], "unchanged", 0);
    let later = decides(at, &["--as-of", "2026-01-08"], "not due", 0);
    assert_eq!(later.report["as_of"], "2026-01-08");
    assert!(at.join("scores/as_of=2026-01-08/part-0.parquet").is_file());
    // And no clock goes back over them.
    let scores = std::fs::read(at.join("scores.csv")).expect("there");
    for args in [&[][..], &["--as-of", "2026-01-07"]] {
        let ran = decides(at, args, "failed", 2);
        assert!(
            ran.error()
                .contains("the history has scores as of 2026-01-08 already"),
            "{}",
            ran.error()
        );
        assert_eq!(std::fs::read(at.join("scores.csv")).expect("there"), scores);
    }
    assert!(succeed(at, &["models", "verify"]).contains("as it was written"));
    let last: Value = serde_json::from_str(
        std::fs::read_to_string(at.join("models/journal.ndjson"))
            .expect("text")
            .lines()
            .last()
            .expect("a line"),
    )
    .expect("JSON");
    assert_eq!(last["outcome"], "failed", "{last}");
}

#[test]
fn two_runs_a_day_and_a_week_without_one() {
    let folder = operated_crm("linear", "1000", "publish = [\"scores.csv\"]");
    let at = folder.path();
    champion_as_of(at, "2025-07-01");
    for as_of in ["2025-10-06", "2025-10-13", "2025-10-27"] {
        decides(at, &["--as-of", as_of], "not due", 0);
    }
    // The second run of a day, with a lead more: both are there, and the later one counts.
    edit(at, "leads.csv", |text| {
        text + "L00009999,A0000001,2025-10-20T07:40:50Z,organic,director,7,5,true,44\n"
    });
    decides(at, &["--as-of", "2025-10-27"], "not due", 0);
    let parts = |as_of: &str| {
        std::fs::read_dir(at.join(format!("scores/as_of={as_of}")))
            .expect("there")
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("part-"))
            .count()
    };
    assert_eq!(parts("2025-10-27"), 2);
    assert_eq!(parts("2025-10-06"), 1);
    succeed(at, &["history"]);
    let ran = decides(at, &[], "not due", 0);
    assert_eq!(ran.report["as_of"], "2026-01-01");
}

#[test]
fn a_challenger_is_kept_asked_for_or_promoted() {
    let auto = "publish = [\"scores.csv\"]\nretrain = \"30d\"\npromote = \"auto\"\n";
    let world = operated_crm("linear", "3000", auto);
    let old = champion_as_of(world.path(), "2024-10-01");
    let with = |lines: &str| {
        let copy = copy_of(world.path());
        add_to_config(copy.path(), lines);
        copy
    };
    // Much may be lost, and the champion is old: any challenger may replace it.
    let loose = "max_age = \"30d\"\nmargin = 0.5\nmax_churn = 1.0\n";
    // Nobody may change his tier.
    let kept = with("max_age = \"30d\"\nmargin = 0.5\nmax_churn = 0.0\n");
    let planned = decides(kept.path(), &["--dry-run"], "not due", 0);
    assert!(
        planned
            .stderr
            .contains("a challenger would be trained: the last training"),
        "{}",
        planned.stderr
    );
    let ran = run_in(kept.path(), &[]);
    assert_eq!(ran.decision(), "kept", "{}", ran.stderr);
    assert!(
        ran.report["because"]
            .as_str()
            .is_some_and(|why| why.contains("max_churn")),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.report["champion"], old.as_str());
    assert!(ran.report["challenger"].is_string());
    let words: Vec<String> = stages(&ran.report)
        .into_iter()
        .map(|(stage, _)| stage)
        .collect();
    assert_eq!(
        words,
        [
            "check", "score", "monitor", "train", "compare", "promote", "publish"
        ]
    );
    // Once it was decided about, it is not trained again.
    edit(kept.path(), "touches.csv", |text| {
        text + "L00000001,2025-12-30T00:00:00Z,2025-12-30T00:00:00Z,email_open\n"
    });
    assert_eq!(run_in(kept.path(), &[]).decision(), "not due");
    // A person accepts what the config does not.
    let ran = run_in(kept.path(), &["--retrain", "--accept-churn"]);
    assert_eq!(ran.decision(), "promoted", "{}", ran.stderr);

    let asked = with(&loose.replace("max_age", "# asks\nmax_age"));
    edit(asked.path(), "leadscore.toml", |text| {
        text.replace("\"auto\"", "\"ask\"")
    });
    let ran = run_in(asked.path(), &[]);
    assert_eq!(ran.decision(), "asked", "{}", ran.stderr);
    assert_eq!(ran.report["champion"], old.as_str());
    assert!(
        ran.stderr.contains("leadscore models promote "),
        "{}",
        ran.stderr
    );

    let promoted = with(loose);
    let at = promoted.path();
    let ran = run_in(at, &[]);
    assert_eq!(ran.decision(), "promoted", "{}", ran.stderr);
    let new = ran.report["champion"].as_str().expect("an ID").to_owned();
    assert_ne!(new, old);
    let by_new = std::fs::read(at.join("scores.csv")).expect("there");
    assert!(String::from_utf8_lossy(&by_new).contains(&new));
    // A person takes it back: the next run scores by the old one, and does not train.
    succeed(at, &["models", "revert", "--because", "sales object"]);
    let ran = run_in(at, &[]);
    assert_eq!(ran.decision(), "not due", "{}", ran.stderr);
    assert_eq!(ran.report["champion"], old.as_str());
    assert!(
        String::from_utf8_lossy(&std::fs::read(at.join("scores.csv")).expect("there"))
            .contains(&old)
    );
    assert!(at.join("scores/as_of=2026-01-01/part-1.parquet").is_file());
    assert_eq!(run_in(at, &[]).decision(), "unchanged");
    // What is retired does not come back, even where training gives it again.
    succeed(at, &["models", "retire", &new, "--because", "sales object"]);
    let ran = run_in(at, &["--retrain"]);
    assert_eq!(ran.decision(), "kept", "{}", ran.stderr);
    assert!(
        ran.report["because"]
            .as_str()
            .is_some_and(|why| why.contains("is retired")),
        "{}",
        ran.stderr
    );
    assert!(succeed(at, &["models", "verify"]).contains("as it was written"));
}

/// Training again on what is known already gives the same model: not every night.
#[test]
fn the_same_model_is_not_trained_every_night() {
    let folder = operated_crm(
        "linear",
        "1000",
        "publish = [\"scores.csv\"]\nretrain = \"7d\"\npromote = \"auto\"",
    );
    let at = folder.path();
    let old = champion_as_of(at, "2025-10-02");
    // No window has ended since.
    let ran = run_in(at, &["--as-of", "2025-10-20"]);
    assert_eq!(ran.decision(), "kept", "{}", ran.stderr);
    assert_eq!(ran.report["champion"], old.as_str());
    assert!(
        ran.report["because"]
            .as_str()
            .is_some_and(|why| why.contains("the same model")),
        "{}",
        ran.stderr
    );
    assert_eq!(run_in(at, &["--as-of", "2025-10-21"]).decision(), "not due");
    assert_ne!(run_in(at, &["--as-of", "2025-11-20"]).decision(), "not due");
}

/// Another run has the lock.
#[test]
fn one_run_at_a_time() {
    let folder = operated_crm("linear", "1000", "publish = [\"scores.csv\"]");
    let at = folder.path();
    std::fs::create_dir(at.join("models")).expect("room");
    let lock = std::fs::File::create(at.join("models/.lock")).expect("room");
    lock.lock().expect("a lock");
    let before = files_below(at);
    let ran = decides(at, &[], "busy", 75);
    assert!(ran.error().contains("models"), "{}", ran.error());
    assert_eq!(files_below(at), before);
    // Who only looks need not wait.
    decides(at, &["--dry-run"], "first", 0);
    drop(lock);
    decides(at, &[], "first", 0);
}

#[test]
fn undated_data_has_runs_without_monitoring() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let mut leads = "id,source,size,won\n".to_owned();
    for number in 0..1_200 {
        let won = (number * 7) % 10 < if number % 2 == 0 { 6 } else { 2 };
        let result = match number % 6 {
            5 => "open",
            _ if won => "won",
            _ => "lost",
        };
        let source = if number % 2 == 0 { "web" } else { "mail" };
        leads += &format!("L{number},{source},{},{result}\n", number % 13);
    }
    std::fs::write(at.join("leads.csv"), leads).expect("room");
    let config = "[leads]\npath = \"leads.csv\"\nid = \"id\"\n\n[outcomes]\nflag = \"won\"\nwon = [\"won\"]\nlost = [\"lost\"]\nopen = [\"open\"]\n\n[operation]\n";
    let with = |lines: &str| {
        std::fs::write(at.join("leadscore.toml"), format!("{config}{lines}\n")).expect("room");
    };
    for (lines, args, what) in [
        ("", &[][..], "[operation] has no `publish`"),
        (
            "publish = [\"s.csv\"]\nretrain = \"30d\"",
            &[],
            "[operation] `retrain` needs dates",
        ),
        (
            "publish = [\"s.csv\"]",
            &["--retrain"],
            "training a challenger needs dates",
        ),
    ] {
        with(lines);
        let ran = decides(at, args, "failed", 2);
        assert!(ran.error().contains(what), "{}", ran.error());
        assert!(!at.join("models/champion").exists());
    }
    with("publish = [\"s.csv\", \"out/\"]");
    decides(at, &["--dry-run"], "first", 0);
    let ran = decides(at, &[], "first", 0);
    assert_eq!(ran.report["verdict"], Value::Null);
    assert!(stages(&ran.report).contains(&("monitor".to_owned(), "skipped".to_owned())));
    assert!(at.join("s.csv").is_file() && at.join("out/scores-undated.parquet").is_file());
    assert!(!at.join("scores").exists());
    decides(at, &[], "unchanged", 0);
    let output = leadscore(at, &["monitor"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("monitoring needs dates"));
}
