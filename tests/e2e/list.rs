//! The list that sales opens: best first, columns as they are in the table, what changed, sheets by
//! owner, and what is refused.
#![allow(missing_docs, reason = "tests")]

use std::fmt::Write as _;
use std::path::Path;

use leadscore_tests::{folder_with, leadscore, succeed};
use tempfile::TempDir;

const CONFIG: &str = r#"
[leads]
path = "leads.csv"
id = "id"
created_at = "created"
attributes = ["source", "size"]
ends = "2020-12-02"

[activities.visits]
path = "visits.csv"
lead = "lead"
at = "at"
kind = ["kind"]
ends = "2020-12-31"

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

/// Closed leads, most of those from the web won and few of the others; open ones with columns of
/// every kind of name and text; and a model.
fn crm_with_open_leads() -> TempDir {
    let mut leads = "id,created,source,size,\"Name, first\",\"the \"\"boss\"\"\",Rank\n".to_owned();
    let (mut deals, mut visits) = (
        "lead,closed,stage\n".to_owned(),
        "lead,at,kind\n".to_owned(),
    );
    for number in 0..960 {
        let (month, day, is_web) = (1 + number % 6, 1 + number % 27, number / 3 % 2 == 0);
        let is_won = (number * 7) % 10 < if is_web { 8 } else { 1 };
        let _ = writeln!(
            leads,
            "L{number},2020-{month:02}-{day:02}T10:00:00,{},{},,,",
            if is_web { "web" } else { "mail" },
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
            if number % 3 == 0 { "form" } else { "page" }
        );
    }
    for number in 0..30 {
        // Two and two are equal in all that a model can see.
        let (pair, owner) = (number / 2, ["A/B", "a:b", "", "Zoë", "=cmd()"][number % 5]);
        let id = if number == 7 {
            "=1+1".to_owned()
        } else {
            format!("N{number:02}")
        };
        let source = if pair % 2 == 0 { "web" } else { "mail" };
        let _ = writeln!(
            leads,
            "{id},2020-12-01T10:00:00,{source},{},Ann-Kathrin \u{17f}{number},{owner},007",
            pair % 13
        );
        let _ = writeln!(visits, "{id},2020-12-{:02}T12:00:00,page", 10 + pair);
    }
    let folder = folder_with(&[
        ("leadscore.toml", CONFIG),
        ("leads.csv", &leads),
        ("deals.csv", &deals),
        ("visits.csv", &visits),
    ]);
    succeed(folder.path(), &["train", "-o", "model", "--allow-too-few"]);
    folder
}

fn rows(folder: &Path, name: &str) -> Vec<Vec<String>> {
    let bytes = std::fs::read(folder.join(name)).expect("written");
    let text = String::from_utf8(bytes).expect("text");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    reader
        .records()
        .map(|record| record.expect("a row").iter().map(str::to_owned).collect())
        .collect()
}

#[track_caller]
fn refuses(folder: &Path, args: &[&str], expected: &str) {
    let said = leadscore_tests::refused(folder, args);
    assert!(said.contains(expected), "{said}");
}

#[test]
fn scores_are_best_first_and_of_equal_ones_by_id() {
    let folder = crm_with_open_leads();
    let shown = succeed(folder.path(), &["score", "model", "-o", "scores.csv"]);
    let scores = rows(folder.path(), "scores.csv");
    let column = |name: &str| {
        scores[0]
            .iter()
            .position(|found| found == name)
            .expect("a column of the file")
    };
    let (id, likelihood, tier) = (
        column("id"),
        column("likelihood_to_close"),
        column("contact_priority"),
    );
    let open: Vec<&Vec<String>> = scores[1..]
        .iter()
        .take_while(|row| row[tier] != "Closed won")
        .collect();
    assert_eq!(open.len(), 30);
    let number = |row: &[String]| row[likelihood].parse::<f64>().expect("a number");
    let mut n_ties = 0;
    for pair in open.windows(2) {
        assert!(number(pair[0]) >= number(pair[1]), "{pair:?}");
        if number(pair[0]).to_bits() == number(pair[1]).to_bits() {
            assert!(
                pair[0][id].trim_start_matches('\'') < pair[1][id].trim_start_matches('\''),
                "{pair:?}"
            );
            n_ties += 1;
        }
    }
    assert!(n_ties >= 15, "{n_ties}");
    let won: Vec<&str> = scores[1 + open.len()..]
        .iter()
        .map(|row| row[id].as_str())
        .collect();
    assert!(
        won.len() > 50 && won.is_sorted(),
        "won leads are last, by id"
    );
    // The first ten are on the terminal, in this order.
    let at: Vec<usize> = open[..10]
        .iter()
        .map(|row| shown.find(row[id].trim_start_matches('\'')).expect("shown"))
        .collect();
    assert!(at.is_sorted(), "{shown}");
    assert!(!shown.contains(&open[10][id]), "ten are shown:\n{shown}");
}

#[test]
fn scores_that_go_into_a_device_have_nothing_beside_them() {
    let folder = crm_with_open_leads();
    let data = succeed(folder.path(), &["score", "model", "-o", "/dev/stdout"]);
    assert!(data.starts_with("id,as_of,"), "{data}");
    assert!(
        data.lines().all(|line| line.split(',').count() > 10),
        "{data}"
    );
}

#[test]
fn a_list_shows_the_best_leads_with_their_columns() {
    let folder = crm_with_open_leads();
    let columns = "\"Name, first\",\"the \"\"boss\"\"\",Rank,size";
    succeed(
        folder.path(),
        &[
            "score",
            "model",
            "-o",
            "scores.csv",
            "--list",
            "list.csv",
            "--top",
            "12",
            "--columns",
            columns,
        ],
    );
    assert!(
        std::fs::read(folder.path().join("list.csv"))
            .expect("written")
            .starts_with("\u{feff}".as_bytes()),
        "letters beyond ASCII need a mark"
    );
    let (scores, list) = (
        rows(folder.path(), "scores.csv"),
        rows(folder.path(), "list.csv"),
    );
    let header = [
        "rank",
        "id",
        "Name, first",
        "the \"boss\"",
        "Rank (leads)",
        "size",
        "likelihood",
        "contact priority",
    ];
    assert_eq!(list[0][..8], header.map(str::to_owned));
    assert_eq!(list.len(), 13);
    for (number, (row, score)) in list[1..].iter().zip(&scores[1..]).enumerate() {
        assert_eq!(
            (row[0].as_str(), &row[1]),
            ((number + 1).to_string().as_str(), &score[0])
        );
        assert!(row[2].starts_with("Ann-Kathrin \u{17f}"), "{row:?}");
        assert_eq!(row[4], "007", "texts stay as they are");
        let likelihood: f64 = score[2].parse().expect("a number");
        assert_eq!(row[6], format!("{likelihood:.1} %"));
        assert!(
            row.iter().all(|cell| cell
                .split(' ')
                .all(|word| word.len() < 16 || !word.contains('.'))),
            "no long numbers: {row:?}"
        );
        for (reason, sign) in [(&row[8], "(+"), (&row[9], "(+"), (&row[10], "(-")] {
            assert!(reason.is_empty() || reason.contains(sign), "{row:?}");
        }
        assert!(!row[8].is_empty() || !row[10].is_empty(), "{row:?}");
    }
    // In place of the score file, and all leads where there are fewer.
    std::fs::remove_file(folder.path().join("scores.csv")).expect("there");
    succeed(
        folder.path(),
        &["score", "model", "--list", "all.csv", "--top", "5000"],
    );
    assert!(!folder.path().join("scores.csv").exists());
    assert_eq!(rows(folder.path(), "all.csv").len(), 31);
}

#[test]
fn a_list_says_what_changed() {
    let folder = crm_with_open_leads();
    succeed(folder.path(), &["score", "model", "-o", "before.csv"]);
    let before = std::fs::read_to_string(folder.path().join("before.csv")).expect("written");
    let mut lines: Vec<String> = before.lines().map(str::to_owned).collect();
    // One lead is new, and one stood at 1 %.
    let new = lines.remove(1).split(',').next().expect("an id").to_owned();
    let risen = lines[1].split(',').map(str::to_owned).collect::<Vec<_>>();
    lines[1] = format!("{},{},1.0,{}", risen[0], risen[1], risen[3..].join(","));
    std::fs::write(folder.path().join("before.csv"), lines.join("\n")).expect("room on the disk");
    succeed(
        folder.path(),
        &[
            "score",
            "model",
            "--list",
            "list.csv",
            "--previous",
            "before.csv",
        ],
    );
    let list = rows(folder.path(), "list.csv");
    let change = |id: &str| {
        let row = list.iter().find(|row| row[1] == id).expect("listed");
        (row[row.len() - 2].clone(), row[row.len() - 1].clone())
    };
    assert_eq!(change(&new), (String::new(), "new".to_owned()));
    let (earlier, text) = change(&risen[0]);
    assert!(
        earlier == "1.0 %" && text.starts_with("up "),
        "{earlier}, {text}"
    );
    assert_eq!(
        change("'=1+1").1,
        "unchanged",
        "an id that looks like a formula is found again"
    );
    refuses(
        folder.path(),
        &[
            "score",
            "model",
            "--list",
            "l.csv",
            "--previous",
            "deals.csv",
        ],
        "has no column `id`",
    );
}

#[test]
fn what_no_list_can_be_is_refused_before_the_work() {
    let folder = crm_with_open_leads();
    let folder = folder.path();
    refuses(
        folder,
        &["score", "model", "--list", "l.csv", "--columns", "Company"],
        "has no column `Company`",
    );
    refuses(
        folder,
        &["score", "model", "--list", "l.csv", "--columns", "Company"],
        "Name, first",
    );
    refuses(
        folder,
        &["score", "model", "--list", "l.csv", "--owner", "Owner"],
        "has no column `Owner`",
    );
    refuses(
        folder,
        &["score", "model", "--list", "l.csv", "--owner", "id"],
        "is the id",
    );
    refuses(
        folder,
        &["score", "model", "--list", "l.pdf"],
        "let the name end in .xlsx, .html or .csv",
    );
    refuses(
        folder,
        &["score", "model", "--list", "l.csv", "--top", "0"],
        "1 or more",
    );
    refuses(
        folder,
        &[
            "score",
            "model",
            "--list",
            "l.csv",
            "--columns",
            "size,size",
        ],
        "named twice",
    );
    for empty in ["", " ", "\n", ",", "\"\""] {
        refuses(
            folder,
            &["score", "model", "--list", "l.csv", "--columns", empty],
            "no name is there: write such as \"First Name,Company\"",
        );
    }
    for empty in ["", " "] {
        refuses(
            folder,
            &["score", "model", "--list", "l.csv", "--owner", empty],
            "a column of the list has no name",
        );
    }
    refuses(
        folder,
        &[
            "score",
            "model",
            "--list",
            "l.csv",
            "--columns",
            "size,,source",
        ],
        "has an empty name",
    );
    refuses(folder, &["score", "model", "--top", "3"], "--list");
    refuses(
        folder,
        &["score", "model", "--list", "leads.csv"],
        "would replace it",
    );
    refuses(
        folder,
        &["score", "model", "-o", "l.csv", "--list", "l.csv"],
        "two outputs of one run",
    );
    assert!(!folder.join("l.csv").exists());
    let leads = std::fs::read_to_string(folder.join("leads.csv")).expect("there");
    std::fs::write(
        folder.join("leads.csv"),
        leads.replacen(",Rank", ",size", 1),
    )
    .expect("room on the disk");
    refuses(
        folder,
        &["score", "model", "--list", "l.csv", "--columns", "size"],
        "size",
    );
}

#[test]
fn workbooks_and_pages_are_the_same_bytes_each_time() {
    let folder = crm_with_open_leads();
    let write = |name: &str, threads: &str| {
        let args = [
            "score",
            "model",
            "--list",
            name,
            "--owner",
            "the \"boss\"",
            "--columns",
            "\"Name, first\"",
        ];
        let done = std::process::Command::new(leadscore_tests::binary())
            .args(args)
            .current_dir(folder.path())
            .env("RAYON_NUM_THREADS", threads)
            .output();
        assert!(done.expect("the program starts").status.success());
        std::fs::read(folder.path().join(name)).expect("written")
    };
    assert!(write("a.xlsx", "1") == write("b.xlsx", "2"));
    let page = write("a.html", "1");
    assert!(page == write("b.html", "2"));
    let page = String::from_utf8(page).expect("text");
    assert!(page.contains("Ann-Kathrin") && page.contains("=cmd()") && !page.contains("<script"));
}

#[test]
fn tiers_may_begin_at_likelihoods() {
    let folder = crm_with_open_leads();
    let config = folder.path().join("leadscore.toml");
    let text = std::fs::read_to_string(&config).expect("there");
    let with = |edges: &str| {
        std::fs::write(&config, format!("{text}\n[tiers]\nedges = {edges}\n"))
            .expect("room on the disk");
    };
    with("[40, 20.5, 5]");
    succeed(folder.path(), &["score", "model", "-o", "scores.csv"]);
    for row in &rows(folder.path(), "scores.csv")[1..] {
        let Ok(likelihood) = row[2].parse::<f64>() else {
            continue;
        };
        let expected = if likelihood >= 40.0 {
            "Very high"
        } else if likelihood >= 20.5 {
            "High"
        } else if likelihood >= 5.0 {
            "Medium"
        } else {
            "Low"
        };
        assert_eq!(row[3], expected, "{likelihood}");
    }
    succeed(
        folder.path(),
        &["export", "sql", "model", "--dialect", "sqlite"],
    );
    assert!(
        std::fs::read_to_string(folder.path().join("score.sql"))
            .expect("written")
            .contains("-- Tiers begin at 40 %, 20.5 % and 5 %.")
    );
    for (edges, expected) in [
        ("[20, 40, 5]", "falling"),
        ("[40, 20]", "three likelihoods"),
        ("[40, 20, 0]", "above 0"),
        ("[100, 20, 5]", "below 100"),
        ("[40, 40, 5]", "falling"),
        ("\"quartiles\"", "three likelihoods"),
        ("40", "three likelihoods"),
    ] {
        with(edges);
        refuses(folder.path(), &["score", "model"], expected);
    }
}

#[test]
fn a_report_has_the_edges_of_its_tiers() {
    let folder = crm_with_open_leads();
    let folder = folder.path();
    let config = std::fs::read_to_string(folder.join("leadscore.toml")).expect("there");
    let report = |edges: &str| {
        std::fs::write(
            folder.join("leadscore.toml"),
            format!("{config}\n[tiers]\nedges = {edges}\n"),
        )
        .expect("room on the disk");
        succeed(
            folder,
            &[
                "train",
                "-o",
                "again",
                "--allow-too-few",
                "--report",
                "r.html",
                "--json",
                "r.json",
            ],
        );
        let page = std::fs::read_to_string(folder.join("r.html")).expect("written");
        let json: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(folder.join("r.json")).expect("written"))
                .expect("JSON");
        (page, json)
    };
    let (page, json) = report("[99, 20.5, 5]");
    assert!(
        page.contains("what became of each tier")
            && page.contains("Tiers begin at 99 %, 20.5 % and 5 %."),
        "{page}"
    );
    assert!(!page.contains("each quarter"));
    assert_eq!(json["data"]["tiers_from"], "99 %, 20.5 % and 5 %");
    assert_eq!(
        json["evaluation"]["tiers"][0]["n_rows"], 0,
        "no likelihood is so high"
    );
    let (page, json) = report("\"frozen\"");
    assert!(
        page.contains("the quartiles of the training snapshots") && !page.contains("each quarter"),
        "{page}"
    );
    assert!(
        json["data"]["tiers_from"]
            .as_str()
            .expect("a text")
            .ends_with("the quartiles of the training snapshots")
    );
    let (page, json) = report("\"relative\"");
    assert!(page.contains("what became of each quarter") && !page.contains("Tiers begin at"));
    assert!(json["data"]["tiers_from"].is_null());
}

/// The figures of `explain --json`.
#[track_caller]
fn explained(folder: &Path, args: &[&str]) -> serde_json::Value {
    serde_json::from_str(&succeed(
        folder,
        &[&["explain", "model", "--json"], args].concat(),
    ))
    .expect("JSON")
}

#[test]
fn a_lead_in_no_table_has_the_score_that_it_has_in_one() {
    let folder = crm_with_open_leads();
    let folder = folder.path();
    let in_tables = explained(folder, &["N04", "--as-of", "2021-01-01"]);
    let lead = r#"{"id": "N04", "created": "2020-12-01T10:00:00", "source": "web", "size": 2, "activities": {"visits": [{"at": "2020-12-12T12:00:00", "kind": "page"}]}}"#;
    std::fs::write(folder.join("lead.json"), lead).expect("room on the disk");
    for table in ["leads.csv", "deals.csv", "visits.csv"] {
        std::fs::remove_file(folder.join(table)).expect("there");
    }
    let alone = explained(
        folder,
        &["--lead-json", "lead.json", "--as-of", "2021-01-01"],
    );
    assert_eq!(alone["log_odds"], in_tables["log_odds"]);
    assert_eq!(alone["reasons"], in_tables["reasons"]);
    // Without --as-of it is looked at now, when it is older.
    assert_ne!(
        explained(folder, &["--lead-json", "lead.json"])["as_of"],
        alone["as_of"]
    );
}

/// A lead with visits at these times, explained at the beginning of 2021.
#[track_caller]
fn explained_with_visits(folder: &Path, times: &[&str]) -> serde_json::Value {
    let visits: Vec<String> = times
        .iter()
        .map(|at| format!(r#"{{"at": "{at}", "kind": "page"}}"#))
        .collect();
    let lead = format!(
        r#"{{"created": "2020-12-01T10:00:00", "source": "web", "size": 2, "activities": {{"visits": [{}]}}}}"#,
        visits.join(", ")
    );
    std::fs::write(folder.join("lead.json"), lead).expect("room on the disk");
    explained(
        folder,
        &["--lead-json", "lead.json", "--as-of", "2021-01-01"],
    )
}

/// A lead with a visit in December and one at this time.
#[track_caller]
fn explained_with_visit(folder: &Path, at: &str) -> serde_json::Value {
    explained_with_visits(folder, &["2020-12-12T12:00:00", at])
}

#[test]
fn events_that_nobody_could_know_are_named() {
    let folder = crm_with_open_leads();
    let folder = folder.path();
    let known = explained_with_visit(folder, "2020-12-31T23:00:00");
    assert!(!known["notes"].to_string().contains("events in"), "{known}");
    let without = explained_with_visits(folder, &["2020-12-12T12:00:00"]);
    for at in [
        "2021-01-01T00:00:00",
        "2021-01-05T10:00:00",
        "2031-01-05T10:00:00",
    ] {
        let later = explained_with_visit(folder, at);
        let note = "1 of 2 events in `activities.visits` is not known before 2021-01-01, and it is not counted; a date counts from the end of its day";
        assert!(
            later["notes"]
                .as_array()
                .expect("a list")
                .iter()
                .any(|said| said == note),
            "{}",
            later["notes"]
        );
        assert_eq!(
            later["log_odds"], without["log_odds"],
            "as if it were not there"
        );
    }
    assert!(
        succeed(
            folder,
            &[
                "explain",
                "model",
                "--lead-json",
                "lead.json",
                "--as-of",
                "2021-01-01"
            ]
        )
        .contains("is not counted")
    );
}

#[test]
fn a_lead_is_read_behind_a_byte_order_mark() {
    let folder = crm_with_open_leads();
    let folder = folder.path();
    let lead = r#"{"created": "2020-12-01T10:00:00", "source": "web", "size": 2}"#;
    let read = |bytes: &[u8]| {
        std::fs::write(folder.join("lead.json"), bytes).expect("room on the disk");
        explained(
            folder,
            &["--lead-json", "lead.json", "--as-of", "2021-01-01"],
        )
    };
    let plain = read(lead.as_bytes());
    assert_eq!(read(format!("\u{feff}{lead}").as_bytes()), plain);
    let marked: Vec<u16> = format!("\u{feff}{lead}").encode_utf16().collect();
    assert_eq!(
        read(
            &marked
                .iter()
                .flat_map(|unit| unit.to_le_bytes())
                .collect::<Vec<u8>>()
        ),
        plain
    );
    assert_eq!(
        read(
            &marked
                .iter()
                .flat_map(|unit| unit.to_be_bytes())
                .collect::<Vec<u8>>()
        ),
        plain
    );
}

#[test]
fn what_is_no_lead_is_refused() {
    let folder = crm_with_open_leads();
    let folder = folder.path();
    let check = |lead: &str, expected: &str| {
        std::fs::write(folder.join("lead.json"), lead).expect("room on the disk");
        refuses(
            folder,
            &[
                "explain",
                "model",
                "--lead-json",
                "lead.json",
                "--as-of",
                "2021-01-01",
            ],
            expected,
        );
    };
    check("{", "is no JSON");
    check(
        r#"{"created": "2020-12-01", "size": 1, "size": 2}"#,
        "the lead lead.json has the key `size` twice in one object at line 1 column ",
    );
    let events = r#"{"created": "2020-12-01", "activities": {"visits": [{"at": "2020-12-02", "kind": "a", "kind": "b"}]}}"#;
    check(events, "the key `kind` twice in one object");
    check("\u{feff}{", "is no JSON");
    check("[1]", "the lead is a list, expected an object");
    check(
        r#"{"created": "2020-12-01", "sorce": "web"}"#,
        "did you mean `source`? known keys:",
    );
    check(r#"{"source": "web"}"#, "the lead has no `created`");
    check(r#"{"created": "soon"}"#, "created");
    check(r#"{"created": "2020-12-01", "size": "many"}"#, "size");
    check(
        r#"{"created": "2020-12-01", "size": [1]}"#,
        "`size` is a list, expected one value",
    );
    check(r#"{"created": "2022-12-01"}"#, "it is created later");
    check(
        r#"{"created": "2020-12-01", "activities": {"visit": []}}"#,
        "did you mean `visits`?",
    );
    check(
        r#"{"created": "2020-12-01", "activities": {"visits": {}}}"#,
        "is an object, expected a list of objects",
    );
    check(
        r#"{"created": "2020-12-01", "activities": {"visits": [{"kind": "page"}]}}"#,
        "has no `at`",
    );
    check(
        r#"{"created": "2020-12-01", "activities": {"visits": [{"at": "2020-12-02", "type": "page"}]}}"#,
        "unknown key `type`",
    );
}

#[test]
fn a_lead_is_explained_as_it_would_be() {
    let folder = crm_with_open_leads();
    let folder = folder.path();
    let as_it_is = explained(folder, &["N04"]);
    let changed = explained(
        folder,
        &["N04", "--what-if", "source=mail", "--what-if", "size="],
    );
    assert_eq!(
        changed["what_if"]["likelihood_before"],
        as_it_is["likelihood_to_close"]
    );
    assert_ne!(changed["log_odds"], as_it_is["log_odds"]);
    let sum: f64 = changed["reasons"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|reason| reason["log_odds"].as_f64().expect("a number"))
        .sum();
    assert!(
        (changed["baseline_log_odds"].as_f64().expect("a number") + sum
            - changed["log_odds"].as_f64().expect("a number"))
        .abs()
            < 1e-9
    );
    assert_eq!(
        explained(folder, &["N04", "--what-if", "source=web"])["log_odds"],
        as_it_is["log_odds"]
    );
    refuses(
        folder,
        &["explain", "model", "N04", "--what-if", "stage=won"],
        "it reads size, source",
    );
    refuses(
        folder,
        &["explain", "model", "N04", "--what-if", "size=many"],
        "the model reads a number there",
    );
    refuses(
        folder,
        &[
            "explain",
            "model",
            "N04",
            "--what-if",
            "size=1",
            "--what-if",
            "size=2",
        ],
        "changed twice",
    );
    refuses(
        folder,
        &["explain", "model", "N04", "--what-if", "size"],
        "write the column, =, and its value",
    );
    refuses(folder, &["explain", "model"], "required");
}

#[test]
fn leads_are_scored_where_nobody_says_which_have_closed() {
    let folder = crm_with_open_leads();
    let folder = folder.path();
    let args = [
        "score",
        "model",
        "-o",
        "scores.csv",
        "--as-of",
        "2021-01-01",
    ];
    succeed(folder, &args);
    let known = rows(folder, "scores.csv");
    // A file that was cut off behind its header is there, and says nothing either.
    let deals = std::fs::read_to_string(folder.join("deals.csv")).expect("there");
    std::fs::write(
        folder.join("deals.csv"),
        deals.lines().next().expect("a header").to_owned() + "\n",
    )
    .expect("room");
    let output = leadscore(folder, &[&args[..], &["--memory", "2GB"]].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains(
            "[outcomes] has no lead that closed: all 990 leads are scored as if they were open"
        ),
        "{said}"
    );
    std::fs::remove_file(folder.join("deals.csv")).expect("there");
    let check = |why: &str| {
        let output = leadscore(folder, &args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success()
                && said.contains(why)
                && said.contains("cannot be told from open ones"),
            "{said}"
        );
        let found = rows(folder, "scores.csv");
        assert_eq!(found.len(), 991, "all leads are open");
        let log_odds = |rows: &[Vec<String>], id: &str| {
            let column = rows[0]
                .iter()
                .position(|name| name == "log_odds")
                .expect("a column of the file");
            rows.iter().find(|row| row[0] == id).expect("scored")[column].clone()
        };
        assert_eq!(log_odds(&found, "N04"), log_odds(&known, "N04"));
        explained(folder, &["N04", "--as-of", "2021-01-01"]);
    };
    check("no file at");
    let config = folder.join("leadscore.toml");
    let text = std::fs::read_to_string(&config).expect("there");
    let (before, after) = (
        text.find("[outcomes]").expect("a table"),
        text.find("[snapshots]").expect("a table"),
    );
    std::fs::write(&config, format!("{}{}", &text[..before], &text[after..]))
        .expect("room on the disk");
    check("the config has no [outcomes]");
    for command in ["train -o m", "evaluate model", "features -o m.csv", "check"] {
        refuses(
            folder,
            &command.split(' ').collect::<Vec<_>>(),
            "only `score` and `explain` can do without",
        );
    }
    refuses(
        folder,
        &[
            "export",
            "sql",
            "model",
            "--dialect",
            "duckdb",
            "--features",
        ],
        "only `score` and `explain` can do without",
    );
}

#[test]
fn few_leads_have_the_tiers_of_the_model() {
    let folder = crm_with_open_leads();
    let folder = folder.path();
    let leads = std::fs::read_to_string(folder.join("leads.csv")).expect("there");
    let few: Vec<&str> = leads
        .lines()
        .filter(|line| !line.starts_with('N') || line.starts_with("N0"))
        .collect();
    std::fs::write(folder.join("leads.csv"), few.join("\n")).expect("room on the disk");
    let visits = std::fs::read_to_string(folder.join("visits.csv")).expect("there");
    let few: Vec<&str> = visits
        .lines()
        .filter(|line| !line.starts_with('N') || line.starts_with("N0"))
        .collect();
    std::fs::write(folder.join("visits.csv"), few.join("\n")).expect("room on the disk");
    let output = leadscore(folder, &["score", "model", "-o", "relative.csv"]);
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .contains("leads mean nothing, so tiers are by the model's own edges"),
        "{output:?}"
    );
    let config = folder.join("leadscore.toml");
    let text = std::fs::read_to_string(&config).expect("there");
    std::fs::write(&config, format!("{text}\n[tiers]\nedges = \"frozen\"\n"))
        .expect("room on the disk");
    succeed(folder, &["score", "model", "-o", "frozen.csv"]);
    assert_eq!(rows(folder, "relative.csv"), rows(folder, "frozen.csv"));
}
