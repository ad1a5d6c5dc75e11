//! The score history against a slow reference over its files: what changed adds up, churn is as
//! counted by hand, nothing is lost, and what is no history is refused. And the hold-back arm.
#![allow(missing_docs, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use leadscore_core::{Timestamp, held_back};
use leadscore_io::ColumnFile;
use leadscore_operate::{Basis, Change, History, LeadPath, PathOptions, Standing};
use leadscore_tests::{leadscore, refused, succeed};
use tempfile::TempDir;

/// The moments of the history, and the model of each.
const MOMENTS: [(&str, &str); 4] = [
    ("2025-06-02", "a"),
    ("2025-06-09", "a"),
    ("2025-06-16", "b"),
    ("2025-06-23", "b"),
];

/// A made-up CRM with two models.
fn company() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let crm = folder.path();
    let simulate = ["simulate", "--leads", "4000", "--format", "csv", "-o", "."];
    succeed(crm, &simulate);
    let train = |as_of: &str, name: &str| {
        succeed(
            crm,
            &["train", "--as-of", as_of, "-o", name, "--allow-too-few"],
        );
    };
    train("2025-03-01", "a");
    train("2025-06-01", "b");
    folder
}

/// The same with four weeks of history.
fn lived() -> TempDir {
    let folder = company();
    for (moment, model) in MOMENTS {
        keep(folder.path(), moment, model);
    }
    folder
}

fn keep(crm: &Path, moment: &str, model: &str) -> String {
    let args = [
        "score",
        model,
        "--as-of",
        moment,
        "--history",
        "-o",
        "s.csv",
    ];
    let output = leadscore(crm, &args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

fn add_to_config(crm: &Path, text: &str) {
    let path = crm.join("leadscore.toml");
    let config = std::fs::read_to_string(&path).expect("there");
    std::fs::write(&path, format!("{config}\n{text}\n")).expect("room");
}

fn history(crm: &Path) -> History {
    History::open(crm.join("scores"), "lead_id").expect("a folder")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// A file of the history, row by row, each by the names of its columns, as texts; numbers apart.
struct File {
    texts: BTreeMap<String, Vec<Option<String>>>,
    numbers: BTreeMap<String, Vec<f64>>,
    n_rows: usize,
}

fn file(path: &Path) -> File {
    let file = ColumnFile::open(path).expect("a file");
    let columns: Vec<&str> = file.columns().iter().map(String::as_str).collect();
    let frame = file.read(&columns).expect("readable");
    let texts = |name: &&str| Some(((*name).to_owned(), frame.texts(name)?));
    let numbers = |name: &&str| Some(((*name).to_owned(), frame.numbers(name)?));
    File {
        texts: columns.iter().filter_map(texts).collect(),
        numbers: columns.iter().filter_map(numbers).collect(),
        n_rows: frame.n_rows(),
    }
}

fn part(crm: &Path, moment: &str) -> File {
    file(&crm.join(format!("scores/as_of={moment}/part-0.parquet")))
}

impl File {
    fn text(&self, column: &str, row: usize) -> &str {
        self.texts[column][row].as_deref().unwrap_or_default()
    }

    /// Tiers of open leads by id.
    fn tiers(&self) -> BTreeMap<String, String> {
        (0..self.n_rows)
            .filter(|&row| !self.numbers["log_odds"][row].is_nan())
            .map(|row| {
                let text = |column| self.text(column, row).to_owned();
                (text("lead_id"), text("contact_priority"))
            })
            .collect()
    }

    fn log_odds_of(&self, lead: &str) -> Option<f64> {
        let row = (0..self.n_rows).find(|&row| self.text("lead_id", row) == lead)?;
        Some(self.numbers["log_odds"][row]).filter(|value| !value.is_nan())
    }
}

#[track_caller]
fn check_sum(change: &Change) {
    let sum: f64 = change.items.iter().map(|item| item.difference).sum();
    assert!((sum - change.log_odds).abs() < 1e-9, "{change:?}");
    for item in &change.items {
        let difference = item.now.unwrap_or(0.0) - item.then.unwrap_or(0.0);
        assert_eq!(item.difference, difference, "{item:?}");
    }
}

fn changes(path: &LeadPath) -> Vec<&Change> {
    let of_point = path
        .points
        .iter()
        .filter_map(|point| match &point.standing {
            Standing::Open(open) => open.change.as_ref(),
            Standing::Won => None,
        });
    of_point.chain(&path.change).collect()
}

#[test]
fn contributions_add_up_in_every_row() {
    let folder = lived();
    for (moment, _) in MOMENTS {
        let file = part(folder.path(), moment);
        let concepts: Vec<&Vec<f64>> = file
            .numbers
            .iter()
            .filter(|(name, _)| name.starts_with("log_odds: "))
            .map(|(_, values)| values)
            .collect();
        assert!(concepts.len() > 5, "{moment}");
        let mut n_open = 0;
        for row in 0..file.n_rows {
            let log_odds = file.numbers["log_odds"][row];
            if log_odds.is_nan() {
                assert_eq!(file.text("contact_priority", row), "Closed won");
                assert!(concepts.iter().all(|values| values[row].is_nan()));
                continue;
            }
            n_open += 1;
            let sum: f64 = concepts.iter().map(|values| values[row]).sum();
            let sum = file.numbers["baseline_log_odds"][row] + sum;
            assert!((sum - log_odds).abs() < 1e-9, "{moment} row {row}");
        }
        assert!(n_open > 50, "{moment}: {n_open}");
    }
}

#[test]
fn differences_add_up_also_across_a_change_of_model() {
    let folder = lived();
    let crm = folder.path();
    let files: Vec<File> = MOMENTS
        .iter()
        .map(|(moment, _)| part(crm, moment))
        .collect();
    let leads: BTreeSet<String> = files
        .iter()
        .flat_map(|file| file.tiers().into_keys())
        .collect();
    let (mut n_compared, mut n_other_model) = (0, 0);
    for lead in leads.iter().step_by(3) {
        let path = history(crm)
            .path(lead, &PathOptions::default())
            .expect("it is there");
        // The reference: each file for itself.
        let expected: Vec<f64> = files
            .iter()
            .filter_map(|file| file.log_odds_of(lead))
            .collect();
        let found: Vec<f64> = path
            .points
            .iter()
            .filter_map(|point| match &point.standing {
                Standing::Open(open) => Some(open.log_odds),
                Standing::Won => None,
            })
            .collect();
        assert_eq!(found, expected, "{lead}");
        let mut differences = expected.windows(2).map(|pair| pair[1] - pair[0]);
        for change in changes(&path) {
            check_sum(change);
            assert_eq!(change.basis, Basis::Concepts);
            n_compared += 1;
            if change.is_other_model {
                n_other_model += 1;
                assert!(
                    change.items.iter().any(|item| item.what == "baseline"),
                    "{change:?}"
                );
            } else {
                assert!(
                    change.items.iter().all(|item| item.what != "baseline"),
                    "{change:?}"
                );
            }
        }
        for point in &path.points {
            if let Standing::Open(open) = &point.standing
                && let Some(change) = &open.change
            {
                let expected = differences.next().expect("as many as there are");
                assert!((change.log_odds - expected).abs() < 1e-12, "{lead}");
            }
        }
        // A week is what is compared if nothing is said.
        if let Some(change) = &path.change {
            assert!(change.until.days_since(change.since) >= 7.0, "{lead}");
        }
    }
    assert!(
        n_compared > 60 && n_other_model > 10,
        "{n_compared}, {n_other_model}"
    );
}

#[test]
fn churn_is_as_counted_by_hand() {
    let folder = lived();
    let crm = folder.path();
    let summary = history(crm).summary(None, false).expect("a history");
    assert_eq!(summary.moments.len(), MOMENTS.len());
    assert!(summary.moments[0].migration.is_none());
    const TIERS: [&str; 4] = ["Very high", "High", "Medium", "Low"];
    for (idx, (moment, _)) in MOMENTS.iter().enumerate() {
        let (found, file) = (&summary.moments[idx], part(crm, moment));
        let now = file.tiers();
        assert_eq!((found.as_of, found.n_open), (at(moment), now.len()));
        let likelihoods = &file.numbers["likelihood_to_close"];
        let open: Vec<f64> = likelihoods
            .iter()
            .copied()
            .filter(|p| !p.is_nan())
            .collect();
        let mean = open.iter().sum::<f64>() / open.len() as f64;
        assert!((found.mean_likelihood.expect("leads") - mean).abs() < 1e-9);
        for (edge, tier) in found.tier_edges.iter().zip(TIERS) {
            let of_tier =
                (0..file.n_rows).filter(|&row| file.text("contact_priority", row) == tier);
            let lowest = of_tier
                .map(|row| likelihoods[row])
                .fold(f64::INFINITY, f64::min);
            assert!(
                (edge.expect("leads") - lowest).abs() < 1e-9,
                "{moment} {tier}"
            );
        }
        let Some(moved) = &found.migration else {
            continue;
        };
        let before = part(crm, MOMENTS[idx - 1].0).tiers();
        let both: Vec<&String> = now
            .keys()
            .filter(|lead| before.contains_key(*lead))
            .collect();
        let changed = both
            .iter()
            .filter(|lead| now[**lead] != before[**lead])
            .count();
        assert_eq!(moved.n_both, both.len());
        assert_eq!(moved.churn, Some(changed as f64 / both.len() as f64));
        assert_eq!(
            (moved.n_new, moved.n_gone),
            (now.len() - both.len(), before.len() - both.len())
        );
        for (from, row) in TIERS.iter().zip(&moved.counts) {
            for (to, n) in TIERS.iter().zip(row) {
                let expected = both
                    .iter()
                    .filter(|lead| before[**lead] == *from && now[**lead] == *to)
                    .count();
                assert_eq!(*n, expected, "{moment}: {from} to {to}");
            }
        }
        let won: BTreeSet<&str> = (0..file.n_rows)
            .filter(|&row| file.text("contact_priority", row) == "Closed won")
            .map(|row| file.text("lead_id", row))
            .collect();
        let n_won = before
            .keys()
            .filter(|lead| won.contains(lead.as_str()))
            .count();
        assert_eq!(moved.n_won, n_won);
        assert_eq!(moved.is_other_model, *moment == "2025-06-16");
    }
}

#[test]
fn scores_of_an_engine_are_a_history_too() {
    let folder = lived();
    let crm = folder.path();
    // What an engine writes has no contributions, and names of its own.
    let moment = crm.join("scores/as_of=2025-06-23");
    succeed(
        crm,
        &["score", "b", "--as-of", "2025-06-23", "-o", "s.parquet"],
    );
    std::fs::remove_file(moment.join("part-0.parquet")).expect("there");
    let of_engine = moment.join("part-0.parquet/part-00000-1c.c000.snappy.parquet");
    std::fs::create_dir(moment.join("part-0.parquet")).expect("room");
    std::fs::rename(crm.join("s.parquet"), &of_engine).expect("room");
    std::fs::write(moment.join("part-0.parquet/_SUCCESS"), "").expect("room");
    let scores = file(&of_engine);
    let mut n_compared = 0;
    for lead in scores.tiers().keys() {
        let path = history(crm)
            .path(lead, &PathOptions::default())
            .expect("it is there");
        assert_eq!(
            path.points.last().map(|point| point.as_of),
            Some(at("2025-06-23"))
        );
        if let Some(change) = &path.change {
            assert_eq!(change.basis, Basis::NamedReasons);
            check_sum(change);
            n_compared += 1;
        }
    }
    assert!(n_compared > 30, "{n_compared}");
    let summary = history(crm).summary(None, false).expect("a history");
    assert_eq!(summary.moments[3].n_open, scores.tiers().len());
    // Ours beside it counts, and says that there was another.
    let said = keep(crm, "2025-06-23", "a");
    assert!(said.contains("the new ones count"), "{said}");
    let read = history(crm).read(&[at("2025-06-23")]).expect("a history");
    assert_eq!(read.moments[0].n_replaced, 1);
}

#[test]
fn the_same_scores_are_there_once_and_others_replace_them() {
    let folder = lived();
    let crm = folder.path();
    let names = |moment: &str| {
        let entries = std::fs::read_dir(crm.join(format!("scores/as_of={moment}")));
        let mut names: Vec<String> = entries
            .expect("there")
            .map(|entry| {
                entry
                    .expect("there")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    };
    let before = std::fs::read(crm.join("scores/as_of=2025-06-23/part-0.parquet")).expect("there");
    let said = keep(crm, "2025-06-23", "b");
    assert!(said.contains("has the same scores already"), "{said}");
    assert_eq!(names("2025-06-23"), ["part-0.parquet"]);
    // Other scores of the moment: nothing is lost, and the new ones count.
    let said = keep(crm, "2025-06-23", "a");
    assert!(
        said.contains("they are kept, and the new ones count"),
        "{said}"
    );
    assert_eq!(names("2025-06-23"), ["part-0.parquet", "part-1.parquet"]);
    let kept = std::fs::read(crm.join("scores/as_of=2025-06-23/part-0.parquet")).expect("there");
    assert_eq!(kept, before);
    let moment = history(crm)
        .read(&[at("2025-06-23")])
        .expect("a history")
        .moments
        .remove(0);
    let earlier = history(crm)
        .read(&[at("2025-06-09")])
        .expect("a history")
        .moments
        .remove(0);
    assert_eq!((moment.model_id, moment.n_replaced), (earlier.model_id, 1));
    let shown = succeed(crm, &["history"]);
    assert!(
        shown.contains("1 file is replaced by later scores of the same moment"),
        "{shown}"
    );
    // Two in a day are two moments, and one before the last is told.
    let said = keep(crm, "2025-06-20T06:00:00.5Z", "b");
    assert!(
        said.contains("already has scores of 2025-06-23, which is later"),
        "{said}"
    );
    assert_eq!(names("2025-06-20T06-00-00.500000"), ["part-0.parquet"]);
    keep(crm, "2025-06-20", "b");
    let moments = history(crm).moments().expect("a history");
    assert!(moments.is_sorted());
    assert_eq!(moments.len(), MOMENTS.len() + 2);
    // By week the last of each counts.
    let weeks = history(crm)
        .summary(None, false)
        .expect("a history")
        .moments
        .len();
    let all = history(crm)
        .summary(None, true)
        .expect("a history")
        .moments
        .len();
    assert_eq!((weeks, all), (MOMENTS.len(), MOMENTS.len() + 2));
    // An empty folder is no moment.
    std::fs::create_dir(crm.join("scores/as_of=2025-06-30")).expect("room");
    assert_eq!(history(crm).moments().expect("a history").len(), all);
}

#[test]
fn two_runs_at_once_lose_nothing() {
    let folder = company();
    let crm = folder.path();
    for moment in ["2025-06-02", "2025-06-09", "2025-06-16"] {
        let run = |model: &'static str| {
            let output = format!("{model}.csv");
            succeed(
                crm,
                &[
                    "score",
                    model,
                    "--as-of",
                    moment,
                    "--history",
                    "-o",
                    &output,
                ],
            );
        };
        std::thread::scope(|scope| {
            for model in ["a", "b", "a", "b"] {
                scope.spawn(move || run(model));
            }
        });
        let parts = |number: u32| crm.join(format!("scores/as_of={moment}/part-{number}.parquet"));
        let models: BTreeSet<String> = (0..2)
            .map(|number| file(&parts(number)).text("model_id", 0).to_owned())
            .collect();
        assert_eq!(models.len(), 2, "{moment}");
    }
}

#[test]
fn what_is_no_history_is_refused() {
    let folder = lived();
    let crm = folder.path();
    let scores = crm.join("scores");
    let said = |args: &[&str]| refused(crm, args);
    let mut all = String::new();
    let mut refuse = |what: &str, args: &[&str]| {
        all.push_str(&format!("# {what}\n{}\n", said(args).trim_end()));
    };
    refuse("a lead that nobody knows", &["history", "L0000000"]);
    refuse("no history yet", &["history", "--history", "elsewhere"]);
    std::fs::create_dir(crm.join("empty")).expect("room");
    refuse(
        "an empty folder",
        &["history", "L00000001", "--history", "empty"],
    );
    refuse("a file", &["history", "--history", "leads.csv"]);
    refuse("after the last", &["history", "--since", "2026-01-01"]);
    refuse("no moment", &["history", "--since", "last week"]);
    // A lead of the first moment alone.
    let (first, last) = (
        part(crm, MOMENTS[0].0).tiers(),
        part(crm, MOMENTS[3].0).tiers(),
    );
    let second = part(crm, MOMENTS[1].0);
    let ids: BTreeSet<&str> = (0..second.n_rows)
        .map(|row| second.text("lead_id", row))
        .collect();
    let gone = first
        .keys()
        .find(|lead| !last.contains_key(*lead) && !ids.contains(lead.as_str()))
        .expect("some are lost within a week");
    let lost = said(&["history", gone, "--since", "2025-06-20"]);
    assert!(lost.contains("it was last seen at 2025-06-02"), "{lost}");
    // Files that are none of scores.
    let moment = scores.join("as_of=2025-06-23/part-0.parquet");
    let good = std::fs::read(&moment).expect("there");
    std::fs::write(&moment, &good[..good.len() / 2]).expect("room");
    refuse("half of a file", &["history"]);
    std::fs::write(&moment, &good).expect("room");
    let elsewhere = scores.join("as_of=2025-06-30");
    std::fs::create_dir(&elsewhere).expect("room");
    std::fs::write(elsewhere.join("part-0.parquet"), &good).expect("room");
    refuse("of another moment", &["history"]);
    std::fs::write(elsewhere.join("_temporary"), "").expect("room");
    refuse("unfinished", &["history"]);
    std::fs::remove_dir_all(&elsewhere).expect("there");
    std::fs::create_dir(scores.join("as_of=yesterday")).expect("room");
    refuse("no folder of a moment", &["history"]);
    std::fs::remove_dir(scores.join("as_of=yesterday")).expect("there");
    succeed(
        crm,
        &["features", "--as-of", "2025-06-01", "-o", "f.parquet"],
    );
    std::fs::copy(crm.join("f.parquet"), &moment).expect("room");
    refuse("no scores", &["history"]);
    std::fs::write(&moment, &good).expect("room");
    let config = std::fs::read_to_string(crm.join("leadscore.toml")).expect("there");
    let other = config.replace("id = \"lead_id\"", "id = \"person\"");
    std::fs::write(crm.join("other.toml"), other).expect("room");
    refuse("another config", &["history", "-c", "other.toml"]);
    insta::assert_snapshot!(all.trim_end());
    // It is as it was.
    succeed(crm, &["history"]);
}

#[test]
fn scores_of_another_config_and_undated_ones_are_not_added() {
    let folder = lived();
    let crm = folder.path();
    let leads = std::fs::read_to_string(crm.join("leads.csv")).expect("there");
    std::fs::write(
        crm.join("people.csv"),
        leads.replacen("lead_id", "person", 1),
    )
    .expect("room");
    let config = std::fs::read_to_string(crm.join("leadscore.toml")).expect("there");
    let other = config.replacen("leads.csv", "people.csv", 1).replacen(
        "id = \"lead_id\"",
        "id = \"person\"",
        1,
    );
    std::fs::write(crm.join("other.toml"), other).expect("room");
    let args = [
        "score",
        "b",
        "-c",
        "other.toml",
        "--as-of",
        "2025-06-30",
        "--history",
    ];
    let said = refused(crm, &args);
    assert!(
        said.contains("there is no column `person`") && said.contains("another config"),
        "{said}"
    );
    assert!(!crm.join("scores.csv").exists());
    assert_eq!(
        history(crm).moments().expect("a history").len(),
        MOMENTS.len()
    );
    let mut flat = "id,source,result\n".to_owned();
    for number in 0..400 {
        let result = ["won", "lost", "lost", ""][number % 4];
        let _ = writeln!(
            flat,
            "L{number},{},{result}",
            ["web", "mail"][number % 3 % 2]
        );
    }
    std::fs::write(crm.join("flat.csv"), flat).expect("room");
    let config = "[leads]\npath = \"flat.csv\"\nid = \"id\"\n[outcomes]\nflag = \"result\"\nwon = [\"won\"]\nlost = [\"lost\"]\n";
    std::fs::write(crm.join("flat.toml"), config).expect("room");
    succeed(
        crm,
        &["train", "-c", "flat.toml", "-o", "f", "--allow-too-few"],
    );
    let said = refused(
        crm,
        &[
            "score",
            "f",
            "-c",
            "flat.toml",
            "--history=other",
            "-o",
            "f.csv",
        ],
    );
    assert!(said.contains("undated data has no history"), "{said}");
    assert!(!crm.join("f.csv").exists() && !crm.join("other").exists());
    let said = refused(
        crm,
        &[
            "score",
            "b",
            "--as-of",
            "2025-06-23",
            "--history=s3://bucket/scores",
        ],
    );
    assert!(said.contains("s3://bucket/scores"), "{said}");
}

#[test]
fn a_held_back_share_is_marked_and_in_no_list() {
    let folder = company();
    let crm = folder.path();
    let score = |name: &str| {
        let list = format!("{name}-list.csv");
        let args = [
            "score",
            "b",
            "--as-of",
            "2025-06-23",
            "-o",
            name,
            "--list",
            &list,
            "--json",
            "s.json",
        ];
        succeed(crm, &args);
        let mut reader = csv::Reader::from_path(crm.join(name)).expect("written");
        let header: Vec<String> = reader
            .headers()
            .expect("a header")
            .iter()
            .map(str::to_owned)
            .collect();
        let rows: Vec<Vec<String>> = reader
            .records()
            .map(|row| row.expect("a row").iter().map(str::to_owned).collect())
            .collect();
        let list = std::fs::read_to_string(crm.join(list)).expect("written");
        (header, rows, list)
    };
    let (header, before, list) = score("none.csv");
    assert!(!header.contains(&"held_back".to_owned()));
    add_to_config(crm, "[operation]\nholdback = 0.2");
    let (with, after, prioritized) = score("some.csv");
    let held = with
        .iter()
        .position(|name| name == "held_back")
        .expect("the column");
    // All else is as it was, and the mark is by the id alone.
    let mut arm = BTreeSet::new();
    assert_eq!(before.len(), after.len());
    for (before, mut row) in before.into_iter().zip(after) {
        let mark = row.remove(held);
        assert_eq!(before, row);
        assert_eq!(mark, held_back(&row[0], 0.2).to_string(), "{}", row[0]);
        if mark == "true" && row[3] != "Closed won" {
            arm.insert(row[0].clone());
        }
    }
    assert!(arm.len() > 5, "{arm:?}");
    let in_list = |list: &str, lead: &String| list.contains(&format!(",{lead},"));
    assert!(arm.iter().any(|lead| in_list(&list, lead)));
    assert!(!arm.iter().any(|lead| in_list(&prioritized, lead)));
    let summary = std::fs::read_to_string(crm.join("s.json")).expect("written");
    let summary: serde_json::Value = serde_json::from_str(&summary).expect("JSON");
    assert_eq!(summary["hold_back"]["n_leads"], arm.len());
    assert_eq!(summary["hold_back"]["unit"], "lead");
    // Snapshots that are evaluated know their arm.
    succeed(
        crm,
        &[
            "evaluate",
            "a",
            "--scores",
            "snapshots.csv",
            "-o",
            "report.html",
        ],
    );
    let mut reader = csv::Reader::from_path(crm.join("snapshots.csv")).expect("written");
    let at = reader
        .headers()
        .expect("a header")
        .iter()
        .position(|name| name == "held_back");
    let at = at.expect("the column");
    for row in reader.records() {
        let row = row.expect("a row");
        assert_eq!(&row[at], held_back(&row[0], 0.2).to_string());
    }
}

#[test]
fn accounts_are_held_back_as_a_whole() {
    let folder = company();
    let crm = folder.path();
    let path = crm.join("leadscore.toml");
    let config = std::fs::read_to_string(&path).expect("there");
    let with_account = config.replacen("[leads]\n", "[leads]\naccount = \"account_id\"\n", 1);
    std::fs::write(&path, with_account).expect("room");
    add_to_config(crm, "[operation]\nholdback = 0.5");
    succeed(
        crm,
        &[
            "train",
            "--as-of",
            "2025-06-01",
            "-o",
            "c",
            "--allow-too-few",
        ],
    );
    succeed(crm, &["score", "c", "--as-of", "2025-06-23", "-o", "s.csv"]);
    let mut leads = csv::Reader::from_path(crm.join("leads.csv")).expect("there");
    let column = |header: &csv::StringRecord, name: &str| {
        header
            .iter()
            .position(|found| found == name)
            .expect("a column")
    };
    let header = leads.headers().expect("a header").clone();
    let (id, account) = (column(&header, "lead_id"), column(&header, "account_id"));
    let accounts: BTreeMap<String, String> = leads
        .records()
        .map(|row| row.expect("a row"))
        .map(|row| (row[id].to_owned(), row[account].to_owned()))
        .collect();
    let mut scores = csv::Reader::from_path(crm.join("s.csv")).expect("there");
    let held = column(&scores.headers().expect("a header").clone(), "held_back");
    let mut n_of_account = 0;
    for row in scores.records() {
        let row = row.expect("a row");
        let account = &accounts[&row[0]];
        let unit = if account.is_empty() {
            &row[0]
        } else {
            account.as_str()
        };
        n_of_account += usize::from(!account.is_empty());
        assert_eq!(&row[held], held_back(unit, 0.5).to_string(), "{unit}");
    }
    assert!(n_of_account > 20, "{n_of_account}");
}
