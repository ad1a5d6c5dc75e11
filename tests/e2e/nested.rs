//! Fields of objects as columns, and elements of lists as rows, against the same values written
//! flat.
#![allow(missing_docs, reason = "tests")]

use std::path::Path;

use leadscore_config::Config;
use leadscore_core::{FeatureMatrix, Snapshot, Timestamp};
use leadscore_dataset::{LoadOptions, Tables};
use leadscore_features::{compute, plan};
use leadscore_io::{PartitionOptions, Partitions, load};
use leadscore_tests::{folder_with, leadscore, refused, succeed};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Every section that can have lists: what they are called in the nested file, and their columns.
const CONFIG: &str = r#"
[leads]
path = "leads.ndjson"
id = "id"
created_at = "properties.created"
ends = "2022-01-01"
EXCLUDE

[activities.touches]
TOUCHES
lead = "id"
at = "when.at"
kind = ["kind"]
values = ["when.minutes"]
ends = "2022-01-01"

[history]
HISTORY
lead = "id"
changed_at = "at"
attribute = "name"
value = "value"
sequence = "seq"
ends = "2022-01-01"

[lookups.firms]
FIRMS
key = "firm.id"
leads_key = "properties.firm"

[outcomes]
DEALS
lead = "id"
closed_at = "closed"
result = "stage"
won = ["won"]
lost = ["lost"]
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

fn nested() -> Config {
    let list = |name: &str| format!("path = \"leads.ndjson\"\nexplode = \"{name}\"");
    let text = CONFIG
        .replace(
            "EXCLUDE",
            "exclude = [\"properties.log\", \"touches\", \"properties.deals\"]\ntypes.tags = { set = \"|\" }",
        )
        .replace("TOUCHES", &list("touches"))
        .replace("HISTORY", &list("properties.log"))
        .replace("DEALS", &list("properties.deals"))
        .replace("FIRMS", "path = \"firms.ndjson\"\nexplode = \"results\"");
    Config::parse(&text).expect("a config")
}

fn flat() -> Config {
    let file = |name: &str| format!("path = \"{name}.ndjson\"");
    let text = CONFIG
        .replace("EXCLUDE", "types.tags = { set = \"|\" }")
        .replace("leads.ndjson", "flat.ndjson")
        .replace("TOUCHES", &file("touches"))
        .replace("HISTORY", &file("log"))
        .replace("DEALS", &file("deals"))
        .replace("FIRMS", &file("plain_firms"));
    Config::parse(&text).expect("a config")
}

/// Of 2021.
fn moment(day: u32) -> Timestamp {
    let start = Timestamp::from_ymd(2021, 1, 1).expect("exists").micros();
    Timestamp::from_micros(start + i64::from(day) * 86_400_000_000)
}

fn time(day: u32) -> String {
    let at = moment(day).naive().expect("within the calendar");
    at.format("%Y-%m-%dT09:30:00").to_string()
}

/// A lead with its lists, as days and small numbers.
#[derive(Debug, Clone)]
struct Lead {
    size: Option<u32>,
    firm: Option<u32>,
    touches: Option<Vec<(u32, u32)>>,
    changes: Option<Vec<(u32, u32)>>,
    deals: Option<Vec<(u32, bool)>>,
    /// Whether what is missing is null, or not there.
    has_nulls: bool,
}

fn lead() -> impl Strategy<Value = Lead> {
    let days = || prop::option::of(prop::collection::vec((5..350_u32, 0..4_u32), 0..5));
    let deals = prop::option::of(prop::collection::vec((20..350_u32, any::<bool>()), 0..3));
    (
        prop::option::of(0..9_u32),
        prop::option::of(0..3_u32),
        days(),
        days(),
        deals,
        any::<bool>(),
    )
        .prop_map(|(size, firm, touches, changes, deals, has_nulls)| Lead {
            size,
            firm,
            touches,
            changes,
            deals,
            has_nulls,
        })
}

/// Puts a value in, or what stands for a missing one.
fn put(object: &mut Map<String, Value>, key: &str, value: Option<Value>, has_nulls: bool) {
    match value {
        Some(value) => drop(object.insert(key.to_owned(), value)),
        None if has_nulls => drop(object.insert(key.to_owned(), Value::Null)),
        None => {}
    }
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

fn files(leads: &[Lead]) -> tempfile::TempDir {
    let (mut rows, mut plain, mut touches, mut log, mut deals) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (number, lead) in leads.iter().enumerate() {
        let id = format!("L{number}");
        let nulls = lead.has_nulls;
        let (mut row, mut properties, mut flat) = (Map::new(), Map::new(), Map::new());
        row.insert("id".to_owned(), json!(id));
        flat.insert("id".to_owned(), json!(id));
        properties.insert("created".to_owned(), json!(time(1)));
        flat.insert("properties.created".to_owned(), json!(time(1)));
        let size = lead
            .size
            .map(|size| json!({ "count": size, "unit": { "name": "seats" } }));
        put(&mut properties, "size", size, nulls);
        put(
            &mut flat,
            "properties.size.count",
            lead.size.map(Value::from),
            nulls,
        );
        let unit = lead.size.map(|_| json!("seats"));
        put(&mut flat, "properties.size.unit.name", unit, nulls);
        let firm = lead.firm.map(|firm| json!(format!("F{firm}")));
        put(&mut properties, "firm", firm.clone(), nulls);
        put(&mut flat, "properties.firm", firm, nulls);
        let of_touches = lead.touches.as_ref().map(|list| {
            list.iter()
                .map(|(day, n)| json!({ "when": { "at": time(*day), "minutes": n }, "kind": format!("k{}", n % 2) }))
                .collect::<Vec<_>>()
        });
        for (day, n) in lead.touches.iter().flatten() {
            touches.push(json!({ "id": id, "when.at": time(*day), "when.minutes": n, "kind": format!("k{}", n % 2) }));
        }
        put(&mut row, "touches", of_touches.map(Value::from), nulls);
        let change = |(seq, (day, n)): (usize, &(u32, u32))| json!({ "at": time(*day), "name": "properties.size.count", "value": n, "seq": seq });
        let of_log = lead
            .changes
            .as_ref()
            .map(|list| list.iter().enumerate().map(change).collect::<Vec<_>>());
        for entry in of_log.iter().flatten() {
            let mut entry = entry.clone();
            entry["id"] = json!(id);
            log.push(entry);
        }
        put(&mut properties, "log", of_log.map(Value::from), nulls);
        let stage = |won: bool| if won { "won" } else { "lost" };
        let of_deals = lead.deals.as_ref().map(|list| {
            list.iter()
                .map(|(day, won)| json!({ "closed": time(*day), "stage": stage(*won) }))
                .collect::<Vec<_>>()
        });
        for (day, won) in lead.deals.iter().flatten() {
            deals.push(json!({ "id": id, "closed": time(*day), "stage": stage(*won) }));
        }
        put(&mut properties, "deals", of_deals.map(Value::from), nulls);
        let tags = &["a", "b;c"][..number % 3];
        row.insert("tags".to_owned(), json!(tags));
        flat.insert("tags".to_owned(), json!(tags.join("|")));
        row.insert("properties".to_owned(), Value::Object(properties));
        rows.push(Value::Object(row));
        plain.push(Value::Object(flat));
    }
    let firms: Vec<Value> = (0..3)
        .map(|n| json!({ "firm": { "id": format!("F{n}"), "staff": n * 10 } }))
        .collect();
    let plain_firms: Vec<Value> = (0..3)
        .map(|n| json!({ "firm.id": format!("F{n}"), "firm.staff": n * 10 }))
        .collect();
    // As an API pages them.
    let pages = [
        json!({ "results": firms[..2] }),
        json!({ "results": [] }),
        json!({ "results": firms[2..] }),
    ];
    folder_with(&[
        ("leads.ndjson", &lines(&rows)),
        ("flat.ndjson", &lines(&plain)),
        ("touches.ndjson", &lines(&touches)),
        ("log.ndjson", &lines(&log)),
        ("deals.ndjson", &lines(&deals)),
        ("firms.ndjson", &lines(&pages)),
        ("plain_firms.ndjson", &lines(&plain_firms)),
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

fn read(config: &Config, folder: &Path) -> Tables {
    load(config, folder, &LoadOptions::default()).expect("readable")
}

fn n_rows(tables: &Tables) -> [usize; 2] {
    [tables.leads.ids.len(), tables.activities[0].n_events()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nested_values_equal_flat_ones(leads in prop::collection::vec(lead(), 6..14)) {
        // A file without a row of a table says nothing of its columns.
        let has = |count: fn(&Lead) -> usize| leads.iter().map(count).sum::<usize>() > 1;
        prop_assume!(has(|lead| lead.touches.iter().flatten().count()));
        prop_assume!(has(|lead| lead.changes.iter().flatten().count()));
        prop_assume!(has(|lead| lead.deals.iter().flatten().count()));
        prop_assume!(has(|lead| usize::from(lead.size.is_some())));
        prop_assume!(has(|lead| usize::from(lead.firm.is_some())));
        let folder = files(&leads);
        let (config, other) = (nested(), flat());
        let (tables, expected) = (read(&config, folder.path()), read(&other, folder.path()));
        prop_assert_eq!(n_rows(&tables), n_rows(&expected));
        let found = matrix(&config, &tables);
        prop_assert!(found.n_features() > 10, "{} features", found.n_features());
        prop_assert!(found.bit_equal(&matrix(&other, &expected)));
        let how = PartitionOptions {
            memory: 0,
            spill: folder.path().to_owned(),
            progress: &|_, _| {},
            wanted: None,
        };
        let parts = Partitions::new(&config, folder.path(), &LoadOptions::default(), &how)
            .expect("readable");
        let mut of_parts = [0; 2];
        for part in 0..parts.n_parts() {
            let part = n_rows(&parts.load(part).expect("as it was written"));
            of_parts = [of_parts[0] + part[0], of_parts[1] + part[1]];
        }
        prop_assert_eq!(of_parts, n_rows(&tables));
    }
}

/// What `check` says of a config, wherever it says it.
fn said_of(config: &str, folder: &Path) -> String {
    std::fs::write(folder.join("leadscore.toml"), config).expect("writable");
    let done = leadscore(folder, &["check"]);
    [done.stdout, done.stderr]
        .map(|text| String::from_utf8(text).expect("a text"))
        .concat()
}

/// A lead as an API gives it, with what each test needs in its place.
fn api_leads(n: u32, more: impl Fn(u32) -> Value) -> String {
    let rows: Vec<Value> = (0..n)
        .map(|lead| {
            json!({
                "id": format!("L{lead}"),
                "properties": { "created": time(lead % 200), "seats": lead % 7, "more": more(lead) },
                "tags": if lead % 7 == 0 { json!(["vip"]) } else { json!(["new", "web"]) },
                "history": [
                    { "at": time(lead % 200 + 10), "stage": "mql" },
                    { "at": time(lead % 200 + 20), "stage": if lead % 2 == 0 { "sql" } else { "call" } },
                ],
            })
        })
        .collect();
    lines(&rows)
}

const API: &str = r#"
[leads]
path = "leads.ndjson"
id = "id"
created_at = "properties.created"
exclude = ["history", "properties.more"]
types.tags = { set = ";" }

[activities.stages]
path = "leads.ndjson"
explode = "history"
lead = "id"
at = "at"
kind = ["stage"]

[outcomes]
path = "deals.csv"
lead = "lead"
closed_at = "closed"
won = ["won"]

[snapshots]
horizon = "60d"
every = "month"
"#;

fn api(leads: &str) -> tempfile::TempDir {
    let mut deals = "lead,closed\n".to_owned();
    for lead in (0..leads.lines().count()).step_by(3) {
        deals += &format!("L{lead},{}\n", time(lead as u32 % 200 + 60));
    }
    let config = API.replace("won = [\"won\"]\n", "");
    folder_with(&[
        ("leads.ndjson", leads),
        ("deals.csv", &deals),
        ("leadscore.toml", &config),
    ])
}

/// A model of such files, from the first command to the last.
#[test]
fn every_road_reads_nested_files_or_refuses() {
    let folder = api(&api_leads(300, |lead| json!({ "note": { "n": lead } })));
    let folder = folder.path();
    let said = succeed(folder, &["check"]);
    for expected in [
        "[leads]: 300 rows",
        "[activities.stages]: 600 rows",
        "properties.seats",
        "tags",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    succeed(folder, &["train", "-o", "model"]);
    succeed(folder, &["score", "model", "-o", "scores.csv"]);
    let lead = r#"{"id":"X","properties":{"created":"2021-07-01T00:00:00","seats":3},"tags":"vip","activities":{"stages":[{"stage":"mql","at":"2021-07-02T00:00:00"}]}}"#;
    std::fs::write(folder.join("lead.json"), lead).expect("writable");
    let nested = succeed(folder, &["explain", "model", "--lead-json", "lead.json"]);
    let lead = lead.replace(
        r#""properties":{"created":"2021-07-01T00:00:00","seats":3}"#,
        r#""properties.created":"2021-07-01T00:00:00","properties.seats":3"#,
    );
    std::fs::write(folder.join("lead.json"), &lead).expect("writable");
    let dotted = succeed(folder, &["explain", "model", "--lead-json", "lead.json"]);
    assert_eq!(nested, dotted);
    let both = lead.replace("\"id\":\"X\"", "\"id\":\"X\",\"properties\":{\"seats\":1}");
    std::fs::write(folder.join("lead.json"), both).expect("writable");
    let said = refused(folder, &["explain", "model", "--lead-json", "lead.json"]);
    assert!(said.contains("has `properties.seats` twice"), "{said}");
    let said = refused(folder, &["features", "--sql", "duckdb", "-o", "x.sql"]);
    assert!(said.contains("[activities.stages] has `explode`"), "{said}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let folder = api(&api_leads(300, |_| json!(null)));
    let folder = folder.path();
    let text = API.replace("won = [\"won\"]\n", "");
    let text = text.replace(", \"properties.more\"", "");
    for (from, to, expected) in [
        (
            "\"properties.created\"",
            "\"properties.create\"",
            "did you mean `properties.created`?",
        ),
        (
            "\"properties.created\"",
            "\"properties\"",
            "`properties` is an object: name one of its fields, such as `properties.created`",
        ),
        (
            "explode = \"history\"",
            "explode = \"histroy\"",
            "no object has `histroy`; lists of objects: `history`\n  hint: did you mean `explode = \"history\"`?",
        ),
        (
            "explode = \"history\"",
            "explode = \"\"",
            "[activities.stages] `explode` is empty",
        ),
        (
            "explode = \"history\"",
            "explode = \"tags\"",
            "leads.ndjson, line 1, column `tags`: element 1 of the list is a text, and `explode` makes a row of each object in a list",
        ),
        (
            "explode = \"history\"",
            "explode = \"properties\"",
            "line 1, column `properties`: it is an object",
        ),
        (
            "closed_at",
            "explode = \"x\"\nclosed_at",
            "deals.csv: `explode = \"x\"` makes rows of a list in NDJSON, and this is none",
        ),
        ("exclude = [\"history\"]\n", "", "column `history`"),
        (
            "exclude = [\"history\"",
            "exclude = [\"history\", \"x\"",
            "has no column `x`",
        ),
        (
            "types.tags = { set = \";\" }\n",
            "",
            "types.tags = { set = \";\" }",
        ),
        (
            "types.tags = { set = \";\" }\n",
            "types.tags = { set = \"e\" }\n",
            "which the separator `e` would split",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let said = said_of(&text.replace(from, to), folder);
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

/// One name for a field of the rows and one of the elements is told, and both can be read.
#[test]
fn names_of_rows_and_elements() {
    let row = |lead: u32| {
        let deals = json!([{ "id": lead * 10, "at": time(lead + 20), "value": { "eur": lead } }]);
        json!({ "id": lead, "created": time(1), "deals": deals })
    };
    let rows: Vec<Value> = (0..9).map(row).collect();
    let folder = folder_with(&[
        ("leads.ndjson", &lines(&rows)),
        ("deals.csv", "lead,closed\n1,2021-06-01\n"),
    ]);
    let config = |kind: &str| {
        format!(
            "[leads]\npath = \"leads.ndjson\"\nid = \"id\"\ncreated_at = \"created\"\nexclude = [\"deals\"]\n[activities.deals]\npath = \"leads.ndjson\"\nexplode = \"deals\"\nlead = \"id\"\nat = \"at\"\nvalues = [\"{kind}\"]\n[outcomes]\npath = \"deals.csv\"\nlead = \"lead\"\nclosed_at = \"closed\"\n"
        )
    };
    for column in ["value.eur", "deals.id", "id"] {
        let config = Config::parse(&config(column)).expect("a config");
        let tables = read(&config, folder.path());
        let values = &tables.activities[0].rows.values[0];
        let expected: Vec<f64> = (0..9_u32)
            .map(|lead| {
                f64::from(if column == "deals.id" {
                    lead * 10
                } else {
                    lead
                })
            })
            .collect();
        assert_eq!(values.values, expected, "{column}");
    }
    std::fs::write(folder.path().join("leadscore.toml"), config("deals.id")).expect("writable");
    let done = leadscore(folder.path(), &["check"]);
    let said =
        String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(
        said.contains("`id` is that of the object, `deals.id` that of the element"),
        "{said}"
    );
}

/// A first config of nested files names the fields, and leaves out what cannot be read.
#[test]
fn a_first_config_has_fields_of_objects() {
    let leads = api_leads(120, |lead| json!({ "list": [[lead]] }));
    let folder = api(&leads);
    let folder = folder.path();
    std::fs::remove_file(folder.join("leadscore.toml")).expect("there");
    succeed(
        folder,
        &["init", "--leads", "leads.ndjson", "--outcomes", "deals.csv"],
    );
    let config = std::fs::read_to_string(folder.join("leadscore.toml")).expect("written");
    for expected in [
        "created_at = \"properties.created\"",
        "\"history\",   # lists of objects (from line 1; `explode` makes a table of them): not read",
        "\"properties.more.list\",   # nested lists (from line 1): not read",
        "types.tags = { set = \";\" }   # guess: several values in a cell",
    ] {
        assert!(config.contains(expected), "{expected}\n{config}");
    }
    let said = said_of(&config, folder);
    assert!(
        said.contains("[leads]: 120 rows") && !said.contains("doubt:"),
        "{said}"
    );
}
