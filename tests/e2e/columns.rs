//! Columns of times as events, against the same events in a table of their own.
#![allow(missing_docs, reason = "tests")]

use std::fmt::Write as _;

use leadscore_config::Config;
use leadscore_core::{FeatureMatrix, Snapshot, Timestamp};
use leadscore_dataset::{LoadOptions, Tables};
use leadscore_features::{compute, plan};
use leadscore_io::{PartitionOptions, Partitions, load};
use leadscore_tests::{folder_with, leadscore, refused, succeed};
use proptest::prelude::*;

const COLUMNS: [&str; 3] = ["Became a Lead Date", "Became a Customer, Date", "demo"];
const N_LEADS: usize = 9;

const CONFIG: &str = r#"
[leads]
path = "leads.csv"
id = "id"
created_at = "created"
ends = "2022-01-01"

[activities.lifecycle]
OWN
ends = "2022-01-01"

[outcomes]
path = "deals.csv"
lead = "lead"
closed_at = "closed"
ends = "2022-01-01"

[features]
families = ["all"]

[snapshots]
observation_end = "2022-01-01"

[data]
closed_before_creation = 1.0
slow_closings = 1.0
long_before_creation = 1.0
repeated_rows = 1.0
unmatched_rows = 1.0
"#;

fn with_columns() -> String {
    let columns = COLUMNS.map(|column| format!("\"{column}\"")).join(", ");
    CONFIG.replace(
        "OWN\nends = \"2022-01-01\"",
        &format!("columns = [{columns}]"),
    )
}

fn with_rows() -> String {
    let own = "path = \"events.csv\"\nlead = \"lead\"\nat = \"at\"\nkind = [\"kind\"]";
    CONFIG.replace("OWN", own).replace("created_at = \"created\"", "created_at = \"created\"\nexclude = [\"Became a Lead Date\", \"Became a Customer, Date\", \"demo\"]")
}

/// Of 2021.
fn moment(day: u32) -> Timestamp {
    let start = Timestamp::from_ymd(2021, 1, 1).expect("exists").micros();
    Timestamp::from_micros(start + i64::from(day) * 86_400_000_000)
}

/// With the time of day, or as a date.
fn time(day: u32, is_date: bool) -> String {
    let at = moment(day).naive().expect("within the calendar");
    let format = if is_date {
        "%Y-%m-%d"
    } else {
        "%Y-%m-%dT09:30:00"
    };
    at.format(format).to_string()
}

/// For each lead the day in each column.
type Rows = Vec<[Option<u32>; 3]>;

fn files(rows: &Rows, is_date: bool) -> tempfile::TempDir {
    let header = COLUMNS.map(|column| format!("\"{column}\"")).join(",");
    let mut leads = format!("id,created,{header},size\n");
    let mut events = "lead,at,kind\n".to_owned();
    for (lead, row) in rows.iter().enumerate() {
        let cells = row.map(|day| day.map_or(String::new(), |day| time(day, is_date)));
        let _ = writeln!(
            leads,
            "L{lead},{},{},{lead}",
            time(1, false),
            cells.join(",")
        );
        for (column, day) in COLUMNS.iter().zip(row) {
            if let Some(day) = day {
                let _ = writeln!(events, "L{lead},{},\"{column}\"", time(*day, is_date));
            }
        }
    }
    folder_with(&[
        ("leads.csv", &leads),
        ("events.csv", &events),
        (
            "deals.csv",
            &format!("lead,closed\nL0,{}\n", time(360, false)),
        ),
    ])
}

fn matrix(config: &Config, tables: &Tables) -> FeatureMatrix {
    let leads = 0..tables.leads.ids.len() as u32;
    let keys: Vec<Snapshot> = leads
        .flat_map(|lead| {
            (1..12).map(move |month| Snapshot {
                lead,
                at: moment(month * 30),
            })
        })
        .collect();
    let specs = plan(tables, &config.features, &keys).specs;
    compute(tables, &specs, &keys).expect("computable")
}

fn check(rows: &Rows, is_date: bool) {
    let folder = files(rows, is_date);
    let read = |text: &str| {
        let config = Config::parse(text).expect("a config");
        let tables = load(&config, folder.path(), &LoadOptions::default()).expect("readable");
        (config, tables)
    };
    let (config, tables) = read(&with_columns());
    let (other, expected) = read(&with_rows());
    assert!(matrix(&config, &tables).bit_equal(&matrix(&other, &expected)));
    let how = PartitionOptions {
        memory: 0,
        spill: folder.path().to_owned(),
        progress: &|_, _| {},
        wanted: None,
    };
    let parts =
        Partitions::new(&config, folder.path(), &LoadOptions::default(), &how).expect("readable");
    let n_events = |tables: &Tables| tables.activities[0].n_events();
    let of_parts: usize = (0..parts.n_parts())
        .map(|part| n_events(&parts.load(part).expect("as it was written")))
        .sum();
    assert_eq!(of_parts, n_events(&tables));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn columns_equal_rows(
        rows in prop::collection::vec(prop::array::uniform3(prop::option::of(0..350_u32)), N_LEADS),
        is_date in any::<bool>(),
    ) {
        // A table without any event says nothing of its columns.
        prop_assume!(rows.iter().flatten().flatten().count() > 2);
        prop_assume!((0..3).all(|column| rows.iter().any(|row| row[column].is_some())));
        check(&rows, is_date);
    }
}

/// A model that reads such events, from the first command to the last.
#[test]
fn every_road_reads_columns_or_refuses() {
    let rows: Rows = (0..300_u32)
        .map(|lead| {
            [
                Some(lead % 200),
                (lead % 3 == 0).then_some(lead % 200 + 20),
                None,
            ]
        })
        .collect();
    let folder = files(&rows, false);
    let mut deals = "lead,closed\n".to_owned();
    for lead in (0..300).step_by(3) {
        let _ = writeln!(deals, "L{lead},{}", time(lead % 200 + 60, false));
    }
    std::fs::write(folder.path().join("deals.csv"), deals).expect("writable");
    let text = with_columns()
        .replace(", \"demo\"", "")
        .replace("[\"all\"]", "[\"default\"]");
    std::fs::write(folder.path().join("leadscore.toml"), &text).expect("writable");
    let folder = folder.path();
    let said = succeed(folder, &["check"]);
    assert!(said.contains("[activities.lifecycle]"), "{said}");
    succeed(folder, &["train", "-o", "model"]);
    succeed(folder, &["score", "model", "-o", "scores.csv"]);
    succeed(folder, &["explain", "model", "L1"]);
    let lead = r#"{"id":"X","created":"2021-12-01T00:00:00Z","activities":{"lifecycle":[{"kind":"Became a Lead Date","at":"2021-12-02T00:00:00Z"}]}}"#;
    std::fs::write(folder.join("lead.json"), lead).expect("writable");
    succeed(folder, &["explain", "model", "--lead-json", "lead.json"]);
    let said = refused(folder, &["features", "--sql", "duckdb", "-o", "x.sql"]);
    assert!(
        said.contains("[activities.lifecycle] has `columns`"),
        "{said}"
    );
}

#[test]
fn columns_that_cannot_be_meant_are_refused() {
    for (more, expected) in [
        ("at = \"created\"", "has both `columns` and `at` or `kind`"),
        ("kind = [\"size\"]", "has both `columns` and `at` or `kind`"),
        ("values = [\"size\"]", "has both `columns` and `values`"),
        ("account = \"size\"", "has both `columns` and `account`"),
        ("separator = \";\"", "has both `columns` and `separator`"),
    ] {
        let text = with_columns().replace("columns = [", &format!("{more}\ncolumns = ["));
        let said = Config::parse(&text).expect_err("refused").to_string();
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    let said = Config::parse(&CONFIG.replace("OWN", "path = \"events.csv\"\nlead = \"lead\""))
        .expect_err("refused")
        .to_string();
    assert!(
        said.contains("[activities.lifecycle] has no `at`"),
        "{said}"
    );
    let folder = files(&vec![[Some(1), Some(2), Some(3)]; N_LEADS], false);
    let text = with_columns().replace("\"demo\"", "\"dema\"");
    std::fs::write(folder.path().join("leadscore.toml"), text).expect("writable");
    let done = leadscore(folder.path(), &["check"]);
    let said = String::from_utf8(done.stderr).expect("a text");
    assert!(
        said.contains("`dema`") && said.contains("did you mean"),
        "{said}"
    );
}

/// A marketing person's first command: dates in the writing of a spreadsheet become events.
#[test]
fn a_first_config_has_them() {
    let mut leads =
        "Contact ID,Create Date,Became a Lead Date,Became a Customer Date,Seats\n".to_owned();
    let mut deals = "Contact ID,Close Date,Deal Stage\n".to_owned();
    let date = |day: u32| {
        let at = moment(day).naive().expect("within the calendar");
        at.format("%d/%m/%Y").to_string()
    };
    for lead in 0..120_u32 {
        let became = if lead % 2 == 0 {
            date(lead + 30)
        } else {
            String::new()
        };
        let _ = writeln!(
            leads,
            "{lead},{},{},{became},{}",
            date(lead),
            date(lead + 5),
            lead % 7
        );
        let stage = if lead % 2 == 0 {
            "Closed Won"
        } else {
            "Closed Lost"
        };
        let _ = writeln!(deals, "{lead},{},{stage}", date(lead + 40));
    }
    let folder = folder_with(&[("contacts.csv", &leads), ("deals.csv", &deals)]);
    let folder = folder.path();
    succeed(
        folder,
        &["init", "--leads", "contacts.csv", "--outcomes", "deals.csv"],
    );
    let text = std::fs::read_to_string(folder.join("leadscore.toml")).expect("written above");
    assert!(
        text.contains(
            "[activities.lifecycle]\ncolumns = [\"Became a Lead Date\", \"Became a Customer Date\"]"
        ),
        "{text}"
    );
    let config = Config::parse(&text).expect("a config");
    let tables = load(&config, folder, &LoadOptions::default()).expect("readable");
    assert_eq!(tables.activities[0].n_events(), 180);
    let done = leadscore(folder, &["check"]);
    let said = String::from_utf8(done.stdout).expect("a text");
    assert!(
        said.contains("[activities.lifecycle]") && !said.contains("doubt"),
        "{said}"
    );
}
