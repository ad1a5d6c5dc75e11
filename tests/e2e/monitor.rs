//! `leadscore monitor` on CRMs whose truth is known: wins that fall, wins that do not, exports that
//! stop; and its page, its JSON and its metrics.
#![allow(missing_docs, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;

use leadscore_tests::operated::{champion_as_of, copy_of, edit, operated_crm, run_in};
use leadscore_tests::{leadscore, refused};
use serde_json::Value;

/// Exit code and JSON.
fn monitored(folder: &Path, args: &[&str]) -> (i32, Value, String) {
    let mut line = vec!["monitor", "--json", "monitor.json"];
    line.extend(args);
    let output = leadscore(folder, &line);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = std::fs::read_to_string(folder.join("monitor.json"))
        .unwrap_or_else(|error| panic!("{error}: {stderr}"));
    (
        output.status.code().unwrap_or(-1),
        serde_json::from_str(&text).expect("JSON"),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

/// The findings of a layer: urgency and sentence.
fn of_layer(found: &Value, layer: &str) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    found["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|finding| finding["layer"] == layer)
        .map(|finding| (word(&finding["urgency"]), word(&finding["text"])))
        .collect()
}

/// Every second win since a day becomes a loss.
fn halve_wins(folder: &Path, since: &str) {
    let mut lost = BTreeSet::new();
    let mut n = 0;
    edit(folder, "deals.csv", |text| {
        let mut rows = String::new();
        for row in text.lines() {
            let cells: Vec<&str> = row.split(',').collect();
            let is_late_win = cells[3] == "closed_won" && cells[4] >= since;
            n += usize::from(is_late_win);
            if is_late_win && n % 2 == 0 {
                lost.insert(cells[0].to_owned());
                rows += &row.replace("closed_won", "closed_lost");
            } else {
                rows += row;
            }
            rows.push('\n');
        }
        rows
    });
    edit(folder, "stages.csv", |text| {
        text.lines()
            .map(|row| match row.split_once(',') {
                Some((deal, _)) if lost.contains(deal) => {
                    row.replace("closed_won", "closed_lost") + "\n"
                }
                Some(_) | None => format!("{row}\n"),
            })
            .collect()
    });
}

/// What is told of a file of OpenMetrics: families by name, with their samples.
///
/// The rules of the text format that matter: a family begins with its type and its help, its samples
/// follow one another, no sample comes twice, values of labels are escaped, the text ends with EOF.
fn read_metrics(text: &str) -> Vec<(String, String, f64)> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.as_bytes()[0].is_ascii_digit()
    };
    let body = text.strip_suffix("# EOF\n").expect("ends with EOF");
    assert!(!body.contains("# EOF") && body.ends_with('\n'));
    let (mut samples, mut seen) = (Vec::new(), BTreeSet::new());
    let (mut family, mut has_help) = (String::new(), false);
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a name and a type");
            assert!(is_name(name) && kind == "gauge", "{line}");
            assert!(seen.insert(name.to_owned()), "{name} comes twice");
            (family, has_help) = (name.to_owned(), false);
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a name and help");
            assert!(name == family && !has_help && !help.is_empty(), "{line}");
            has_help = true;
        } else {
            let (name, rest) = line.split_once('{').expect("labels");
            assert_eq!(name, family, "{line}");
            let (labels, value) = rest.rsplit_once("} ").expect("a value");
            let mut inside = false;
            let mut escaped = false;
            for letter in labels.chars() {
                match (inside, escaped, letter) {
                    (true, true, 'n' | '"' | '\\') => escaped = false,
                    (true, true, _) => panic!("{line}"),
                    (true, false, '\\') => escaped = true,
                    (_, false, '"') => inside = !inside,
                    (false, _, letter) => {
                        assert!(
                            letter.is_ascii_alphanumeric() || "_=,".contains(letter),
                            "{line}"
                        );
                    }
                    (true, false, _) => {}
                }
            }
            assert!(!inside && !escaped, "{line}");
            let sample = format!("{name}{{{labels}}}");
            assert!(seen.insert(sample), "{line} comes twice");
            samples.push((
                name.to_owned(),
                labels.to_owned(),
                value.parse().expect("a number"),
            ));
        }
    }
    samples
}

#[test]
fn wins_that_fall_to_half_are_an_alarm_and_quiet_ones_are_not() {
    let quiet = operated_crm("linear", "8000", "publish = [\"scores.csv\"]");
    champion_as_of(quiet.path(), "2025-04-01");
    let fallen = copy_of(quiet.path());
    halve_wins(fallen.path(), "2025-04-01");

    let at = fallen.path();
    let (code, found, stdout) = monitored(
        at,
        &["--html", "monitor.html", "--metrics", "leadscore.prom"],
    );
    assert_eq!(
        (code, &found["verdict"]),
        (1, &Value::from("alarm")),
        "{stdout}"
    );
    let early = of_layer(&found, "early read");
    assert!(
        early.len() == 1 && early[0].0 == "alarm" && early[0].1.contains("fewer leads are won"),
        "{early:?}"
    );
    assert!(
        stdout.starts_with("alarm: early read") && stdout.contains("fewer leads are won"),
        "{stdout}"
    );
    // Also in a week of the summer, long before labels are known.
    let (_, summer, _) = monitored(at, &["--as-of", "2025-07-07"]);
    let (code, past, text) = monitored(at, &["--as-of", "2025-04-02"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(past["as_of"], "2025-04-02", "{text}");
    assert_eq!(summer["as_of"], "2025-07-07");
    let page = std::fs::read_to_string(at.join("monitor.html")).expect("text");
    assert!(page.contains("<svg") && page.contains("fewer leads are won"));
    let samples = read_metrics(&std::fs::read_to_string(at.join("leadscore.prom")).expect("text"));
    let value = |name: &str| {
        samples
            .iter()
            .find(|(family, ..)| family == name)
            .map(|(_, _, value)| *value)
    };
    assert_eq!(value("leadscore_monitor_verdict"), Some(2.0));
    assert!(
        value("leadscore_early_read_log10_evidence")
            > value("leadscore_early_read_log10_threshold")
    );
    assert!(
        samples
            .iter()
            .all(|(_, labels, _)| labels.contains("model=\""))
    );
    let layers = samples
        .iter()
        .filter(|(name, ..)| name == "leadscore_monitor_layer_verdict");
    assert_eq!(layers.count(), 4);
    // A run says the same, and ends with 1; its scores are published all the same.
    let ran = run_in(at, &["--skip-code", "99"]);
    assert_eq!((ran.code, ran.decision()), (1, "not due"), "{}", ran.stderr);
    assert_eq!(ran.report["verdict"], "alarm");
    assert!(at.join("scores.csv").is_file());
    // An alarm is no skipped run.
    assert_eq!(run_in(at, &["--skip-code", "99"]).code, 1);

    let at = quiet.path();
    let (code, found, stdout) = monitored(at, &[]);
    assert_eq!(code, 0, "{stdout}");
    let early = of_layer(&found, "early read");
    assert!(
        early.iter().all(|(urgency, _)| urgency == "ok"),
        "{early:?}"
    );
    // By the file, by the name and by the ID it is the same model.
    for name in ["old.leadscore", "@champion"] {
        let (_, again, _) = monitored(at, &[name]);
        assert_eq!(again, found, "{name}");
    }
    assert!(refused(at, &["monitor", "@challenger"]).contains("has no challenger"));
    assert!(refused(at, &["monitor", "--html", "deals.csv"]).contains("deals.csv"));
    assert!(refused(at, &["monitor", "--json", "leads.csv"]).contains("leads.csv"));
    assert!(refused(at, &["monitor", "--as-of", "soon"]).contains("soon"));
    // A history of several models: weeks of others are computed.
    for as_of in ["2025-05-05", "2025-05-12", "2025-05-19"] {
        run_in(at, &["--as-of", as_of]);
    }
    champion_as_of(at, "2025-05-20");
    for as_of in ["2025-05-26", "2025-06-02", "2025-06-09"] {
        run_in(at, &["--as-of", as_of]);
    }
    let (code, found, stdout) = monitored(at, &["old.leadscore"]);
    assert_eq!(code, 0, "{stdout}");
    let figures = found["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|finding| finding["layer"] == "early read")
        .map(|finding| finding["figures"].clone())
        .expect("one");
    assert_eq!(figures["n_weeks_by_published_scores"], 2, "{figures}");
}

/// Outcomes that nobody exported are not taken for losses.
#[test]
fn a_table_that_stopped_is_named_and_is_no_fall() {
    let whole = operated_crm(
        "linear",
        "8000",
        "publish = [\"scores.csv\"]\nretrain = \"30d\"",
    );
    champion_as_of(whole.path(), "2025-07-01");
    let since = |row: &str, column: usize| {
        row.split(',')
            .nth(column)
            .is_some_and(|cell| cell >= "2025-12-10" && cell.starts_with("20"))
    };
    for (table, column, name) in [
        ("deals.csv", 4, "outcomes"),
        ("leads.csv", 2, "leads"),
        ("touches.csv", 1, "touches"),
        ("web_sessions.csv", 1, "web"),
    ] {
        let copy = copy_of(whole.path());
        let at = copy.path();
        edit(at, table, |text| {
            text.lines()
                .map(|row| match (since(row, column), table) {
                    (true, "deals.csv") => {
                        let cells: Vec<&str> = row.split(',').collect();
                        format!("{},{},{},open,\n", cells[0], cells[1], cells[2])
                    }
                    (true, _) => String::new(),
                    (false, _) => format!("{row}\n"),
                })
                .collect()
        });
        let (code, found, stdout) = monitored(at, &[]);
        let inputs = of_layer(&found, "inputs");
        assert!(
            inputs
                .iter()
                .any(|(urgency, text)| urgency != "ok" && text.contains(name)),
            "{name}: {inputs:?}"
        );
        let early = of_layer(&found, "early read");
        assert!(
            early
                .iter()
                .all(|(urgency, text)| urgency != "alarm" && !text.contains("fewer")),
            "{name}: {early:?}"
        );
        assert_eq!(code, 1, "{stdout}");
        assert!(!stdout.contains(",;") && !stdout.contains("];"), "{stdout}");
        if table != "deals.csv" {
            // Leads that are missing, or that look silent, are not scored at all.
            let ran = run_in(at, &[]);
            assert_eq!((ran.code, ran.decision()), (2, "failed"), "{}", ran.stderr);
            assert!(ran.error().contains(name), "{}", ran.error());
            assert!(!at.join("scores.csv").exists());
        } else {
            // Nor is a model learned from it.
            let ran = run_in(at, &[]);
            assert_eq!((ran.code, ran.decision()), (1, "not due"), "{}", ran.stderr);
            assert!(
                ran.report["because"]
                    .as_str()
                    .is_some_and(|why| why.contains("tables are whole")),
                "{}",
                ran.stderr
            );
        }
    }
}
