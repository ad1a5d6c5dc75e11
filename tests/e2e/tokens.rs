//! Cells that hold several values, against plain loops over the rows of the files: sets and words of
//! leads, of histories, of lookups whose rows change, and of kinds of events.
#![allow(missing_docs, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use leadscore_config::Config;
use leadscore_core::{
    AttributeTable, EventFilter, FeatureSource, FeatureSpec, Snapshot, Timestamp,
};
use leadscore_core::{Statistic, Tokenizer};
use leadscore_dataset::LoadOptions;
use leadscore_features::{compute, plan};
use leadscore_io::load;
use leadscore_tests::{figure, folder_with, leadscore, refused, succeed, with_ends};
use proptest::prelude::*;

const CONFIG: &str = r#"
[leads]
path = "leads.csv"
id = "id"
created_at = "created"
types.interests = { set = ";" }
types.stage = { set = "|" }
types.title = "words"

[lookups.firms]
path = "firms.csv"
key = "firm"
changed_at = "since"
types.tags = { set = ", " }

[history]
path = "history.csv"
lead = "lead"
attribute = "attribute"
value = "value"
changed_at = "changed"
sequence = "number"

[activities.visits]
path = "visits.csv"
lead = "lead"
at = "at"
kind = ["topics"]
types.topics = { set = ";" }

[outcomes]
path = "outcomes.csv"
lead = "lead"
closed_at = "closed"

[features]
windows = ["30d"]

[snapshots]
observation_end = "2022-01-01"

[data]
contradicting_changes = 1.0
unmatched_rows = 1.0
repeated_rows = 1.0
long_before_creation = 1.0
"#;

/// More than the leads that a token needs to become a feature.
const N_LEADS: usize = 40;
const N_FIRMS: usize = 6;
const LAST_DAY: u32 = 600;

fn day(number: u32) -> Timestamp {
    Timestamp::from_micros(
        Timestamp::from_ymd(2020, 1, 1).expect("exists").micros()
            + i64::from(number) * 86_400_000_000,
    )
}

fn noon(number: u32) -> String {
    let day = day(number).naive().expect("within the calendar");
    day.format("%Y-%m-%dT12:00:00").to_string()
}

#[derive(Debug, Clone)]
struct Crm {
    /// Interests, title, firm.
    leads: Vec<(String, String, usize)>,
    /// Firm, day, tags.
    firms: BTreeMap<(usize, u32), String>,
    /// Lead, day, stage.
    stages: BTreeMap<(usize, u32), String>,
    /// Lead, day, topics.
    visits: Vec<(usize, u32, String)>,
    snapshots: Vec<(usize, u32)>,
}

fn quoted(cell: &str) -> String {
    format!("\"{cell}\"")
}

fn files(crm: &Crm) -> [(&'static str, String); 5] {
    let mut leads = "id,created,firm,interests,title,stage\n".to_owned();
    for (lead, (interests, title, firm)) in crm.leads.iter().enumerate() {
        let (interests, title) = (quoted(interests), quoted(title));
        let _ = writeln!(
            leads,
            "L{lead:03},{},F{firm},{interests},{title},a|b",
            noon(0)
        );
    }
    let mut firms = "firm,since,tags\n".to_owned();
    for ((firm, since), tags) in &crm.firms {
        let _ = writeln!(firms, "F{firm},{},{}", noon(*since), quoted(tags));
    }
    let mut history = "lead,attribute,value,changed,number\n".to_owned();
    for (number, ((lead, changed), stage)) in crm.stages.iter().enumerate() {
        let (stage, changed) = (quoted(stage), noon(*changed));
        let _ = writeln!(history, "L{lead:03},stage,{stage},{changed},{number}");
    }
    let mut visits = "lead,at,topics\n".to_owned();
    for (lead, at, topics) in &crm.visits {
        let _ = writeln!(visits, "L{lead:03},{},{}", noon(*at), quoted(topics));
    }
    [
        ("leads.csv", leads),
        ("firms.csv", firms),
        ("history.csv", history),
        ("visits.csv", visits),
        (
            "outcomes.csv",
            format!("lead,closed\nL000,{}\n", noon(LAST_DAY)),
        ),
    ]
}

/// The members of a set, by hand.
fn members<'c>(cell: &'c str, separator: &str) -> BTreeSet<&'c str> {
    let mut found = BTreeSet::new();
    let mut rest = cell;
    loop {
        let end = rest.find(separator);
        let member = rest[..end.unwrap_or(rest.len())].trim();
        if !member.is_empty() {
            found.insert(member);
        }
        match end {
            Some(end) => rest = &rest[end + separator.len()..],
            None => return found,
        }
    }
}

/// Titles in these tests are words of ASCII letters, with blanks, commas and hyphens between them.
fn has_words(cell: &str, token: &str) -> bool {
    let lower = cell.to_ascii_lowercase().replace([',', '-'], " ");
    let words: Vec<&str> = lower.split_whitespace().collect();
    let wanted: Vec<&str> = token.split(' ').collect();
    words.windows(wanted.len()).any(|own| own == wanted)
}

fn has(cell: &str, tokenizer: &Tokenizer, token: &str) -> bool {
    match tokenizer {
        Tokenizer::Set(separator) => members(cell, separator).contains(token),
        Tokenizer::Words => has_words(cell, token),
    }
}

/// The latest of the rows that are before a day, whose time is noon.
fn latest(rows: &BTreeMap<(usize, u32), String>, owner: usize, at: u32) -> Option<&String> {
    rows.range((owner, 0)..(owner, at))
        .next_back()
        .map(|(_, cell)| cell)
}

/// The cell that a snapshot sees; `None` where it is missing.
fn cell_of<'c>(
    crm: &'c Crm,
    table: &AttributeTable,
    column: &str,
    lead: usize,
    at: u32,
) -> Option<&'c str> {
    let (interests, title, firm) = &crm.leads[lead];
    let cell = match (table, column) {
        (AttributeTable::Leads, "interests") => Some(interests),
        (AttributeTable::Leads, "title") => Some(title),
        (AttributeTable::Leads, _) => latest(&crm.stages, lead, at),
        (AttributeTable::Lookup(_), _) => latest(&crm.firms, *firm, at),
    };
    cell.map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
}

fn expected(crm: &Crm, spec: &FeatureSpec, lead: usize, at: u32) -> Option<f64> {
    match &spec.source {
        FeatureSource::Token {
            table,
            column,
            tokenizer,
            token,
        } => {
            let cell = cell_of(crm, table, column, lead, at);
            Some(f64::from(u8::from(
                cell.is_some_and(|cell| has(cell, tokenizer, token)),
            )))
        }
        FeatureSource::TokenCount {
            table,
            column,
            tokenizer: Tokenizer::Set(separator),
        } => Some(
            cell_of(crm, table, column, lead, at).map_or(f64::NAN, |cell| {
                let parts = cell.split(separator.as_str());
                parts.filter(|part| !part.trim().is_empty()).count() as f64
            }),
        ),
        FeatureSource::Activity {
            kind: EventFilter::Has {
                tokenizer, token, ..
            },
            window,
            statistic: Statistic::Count,
            ..
        } => {
            let from = window.map_or(0, |window| at.saturating_sub(window.days() as u32));
            let visits = crm.visits.iter().filter(|(owner, day, topics)| {
                *owner == lead && *day < at && *day >= from && has(topics, tokenizer, token)
            });
            Some(visits.count() as f64)
        }
        FeatureSource::TokenCount { .. }
        | FeatureSource::Attribute { .. }
        | FeatureSource::Created(_)
        | FeatureSource::AgeDays
        | FeatureSource::AgeWeekdays
        | FeatureSource::Activity { .. }
        | FeatureSource::Snapshot(_)
        | FeatureSource::AttributeAge { .. }
        | FeatureSource::AttributeChanges { .. }
        | FeatureSource::Peers { .. }
        | FeatureSource::PeerLeads(_)
        | FeatureSource::TimesClosed
        | FeatureSource::ReopenedDays
        | FeatureSource::DaysUntil { .. } => None,
    }
}

fn snapshots(crm: &Crm) -> Vec<Snapshot> {
    let snapshot = |&(lead, at): &(usize, u32)| Snapshot {
        lead: u32::try_from(lead).expect("few leads"),
        at: day(at),
    };
    crm.snapshots.iter().map(snapshot).collect()
}

/// Compares every feature of tokens; how many of each source there were.
fn check(crm: &Crm) -> BTreeMap<String, usize> {
    let files = files(crm);
    let folder = folder_with(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
    let config = Config::parse(&with_ends(CONFIG, "2022-01-01")).expect("a config");
    let tables = load(&config, folder.path(), &LoadOptions::default()).expect("readable");
    let keys = snapshots(crm);
    let specs = plan(&tables, &config.features, &keys).specs;
    let matrix = compute(&tables, &specs, &keys).expect("computable");
    let mut n_compared = BTreeMap::new();
    for (idx, spec) in specs.iter().enumerate() {
        for (row, &(lead, at)) in crm.snapshots.iter().enumerate() {
            let Some(expected) = expected(crm, spec, lead, at) else {
                continue;
            };
            let found = matrix.values()[[row, idx]];
            assert!(
                found == expected || found.is_nan() && expected.is_nan(),
                "{} of lead {lead} at day {at}: {found}, expected {expected}",
                spec.name
            );
            let column = spec.concept().to_string();
            *n_compared.entry(column).or_default() += 1;
        }
    }
    n_compared
}

fn set(separator: &'static str) -> impl Strategy<Value = String> {
    let member = prop::sample::select(vec!["red", "Green", "blue ", " light blue", "", "x+y"]);
    prop::collection::vec(member, 0..4).prop_map(move |members| members.join(separator))
}

fn title() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec!["Head", "of", "SALES", "-", "chief", "officer,", "x"]);
    prop::collection::vec(word, 0..5).prop_map(|words| words.join(" "))
}

fn crm() -> impl Strategy<Value = Crm> {
    (
        prop::collection::vec((set(";"), title(), 0..N_FIRMS), N_LEADS),
        prop::collection::btree_map((0..N_FIRMS, 1..LAST_DAY), set(", "), 0..12),
        prop::collection::btree_map((0..N_LEADS, 1..LAST_DAY), set("|"), 0..60),
        prop::collection::vec((0..N_LEADS, 1..LAST_DAY, set(";")), 1..80),
        prop::collection::vec((0..N_LEADS, 1..LAST_DAY), 100..200),
    )
        .prop_map(|(leads, mut firms, mut stages, mut visits, snapshots)| {
            // A column without any value is refused.
            firms.insert((0, 1), "red".to_owned());
            stages.insert((0, 1), "red".to_owned());
            visits.push((0, 1, "red".to_owned()));
            Crm {
                leads,
                firms,
                stages,
                visits,
                snapshots,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tokens_equal_plain_loops(crm in crm()) {
        check(&crm);
    }

    /// What only rows at or after every snapshot hold leaves no trace, in values or in the plan.
    #[test]
    fn later_tokens_leave_no_trace(crm in crm()) {
        let last = 400;
        let before = Crm {
            snapshots: crm.snapshots.iter().map(|&(lead, at)| (lead, at.min(last))).collect(),
            firms: crm.firms.clone().into_iter().filter(|((_, day), _)| *day < last).collect(),
            stages: crm.stages.clone().into_iter().filter(|((_, day), _)| *day < last).collect(),
            visits: crm.visits.clone().into_iter().filter(|(_, day, _)| *day < last).collect(),
            leads: crm.leads.clone(),
        };
        let mut after = before.clone();
        for lead in 0..N_LEADS {
            after.stages.insert((lead, last + 1), "late".to_owned());
            after.visits.push((lead, last + 1, "late".to_owned()));
        }
        let matrix = |crm: &Crm| {
            let files = files(crm);
            let folder = folder_with(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
            let config = Config::parse(&with_ends(CONFIG, "2022-01-01")).expect("a config");
            let tables = load(&config, folder.path(), &LoadOptions::default()).expect("readable");
            let keys = snapshots(crm);
            let specs: Vec<FeatureSpec> = plan(&tables, &config.features, &keys).specs;
            compute(&tables, &specs, &keys).expect("computable")
        };
        prop_assert!(matrix(&before).bit_equal(&matrix(&after)));
    }
}

/// The comparison must itself see every place that tokens come from.
#[test]
fn every_place_of_tokens_is_compared() {
    let number = |lead: usize, n: usize| lead % n;
    let cell = |lead| ["red;Green", "blue", "red"][number(lead, 3)].to_owned();
    let crm = Crm {
        leads: (0..N_LEADS)
            .map(|lead| {
                (
                    cell(lead),
                    "Head of Sales".to_owned(),
                    number(lead, N_FIRMS),
                )
            })
            .collect(),
        firms: (0..N_FIRMS)
            .map(|firm| ((firm, 5), "red, blue".to_owned()))
            .collect(),
        stages: (0..N_LEADS)
            .map(|lead| ((lead, 9), "red|blue".to_owned()))
            .collect(),
        visits: (0..N_LEADS).map(|lead| (lead, 30, cell(lead))).collect(),
        snapshots: (0..N_LEADS).map(|lead| (lead, 40)).collect(),
    };
    let compared: Vec<String> = check(&crm).into_keys().collect();
    assert_eq!(
        compared,
        ["firms.tags", "interests", "stage", "title", "visits"]
    );
}

/// A draw between 0 and 1, the same in every run.
fn draw(state: &mut u64) -> f64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

/// Leads whose products tell who wins, as a set in one cell and as a column each: AUC on later
/// leads of a model of either.
fn auc_of(config: &str) -> f64 {
    const PRODUCTS: [&str; 6] = ["alpha", "beta", "gamma", "delta", "omega", "sigma"];
    let mut state = 18;
    let mut leads = format!("id,created,products,{}\n", PRODUCTS.join(","));
    let mut deals = "lead,closed,stage\n".to_owned();
    for lead in 0..2_000_u32 {
        let mut has: Vec<usize> = (0..PRODUCTS.len())
            .filter(|_| draw(&mut state) < 0.4)
            .collect();
        has.sort_by_key(|place| (place * 7 + lead as usize) % 5);
        let cell: Vec<&str> = has.iter().map(|&place| PRODUCTS[place]).collect();
        let flags: Vec<&str> = (0..PRODUCTS.len())
            .map(|place| if has.contains(&place) { "yes" } else { "no" })
            .collect();
        let created = (draw(&mut state) * 600.0) as u32;
        let (cell, flags) = (cell.join(";"), flags.join(","));
        let _ = writeln!(leads, "L{lead},{},{cell},{flags}", noon(created));
        let chance = if has.contains(&1) { 0.6 } else { 0.1 };
        let stage = if draw(&mut state) < chance {
            "won"
        } else {
            "lost"
        };
        let closed = created + 5 + (draw(&mut state) * 100.0) as u32;
        let _ = writeln!(deals, "L{lead},{},{stage}", noon(closed));
    }
    let config = format!(
        "[leads]\npath = \"leads.csv\"\nid = \"id\"\ncreated_at = \"created\"\n{config}\n[outcomes]\npath = \"deals.csv\"\nlead = \"lead\"\nclosed_at = \"closed\"\nresult = \"stage\"\nwon = [\"won\"]\nlost = [\"lost\"]\n"
    );
    let files = [
        ("leads.csv", leads.as_str()),
        ("deals.csv", deals.as_str()),
        ("leadscore.toml", config.as_str()),
    ];
    let folder = folder_with(&files);
    let folder = folder.path();
    succeed(folder, &["train", "--as-of", "2021-03-01", "-o", "model"]);
    succeed(folder, &["evaluate", "model", "--json", "report.json"]);
    figure(folder, "report.json", "evaluation.ranking.roc_auc.value")
}

#[test]
fn a_set_ranks_leads_as_its_values_in_columns_of_their_own_do() {
    let set = auc_of(
        "types.products = { set = \";\" }\nexclude = [\"alpha\", \"beta\", \"gamma\", \"delta\", \"omega\", \"sigma\"]",
    );
    let columns = auc_of("exclude = [\"products\"]");
    let category =
        auc_of("exclude = [\"alpha\", \"beta\", \"gamma\", \"delta\", \"omega\", \"sigma\"]");
    assert!(set > columns - 0.005, "{set} {columns}");
    assert!(category < set - 0.05, "{category} {set}");
}

/// Whoever exports the same sets with another separator hears of it.
#[test]
fn another_separator_is_noticed() {
    let mut leads = "id,created,products\n".to_owned();
    let mut deals = "lead,closed,stage\n".to_owned();
    for lead in 0..400_u32 {
        let cell = if lead % 2 == 0 {
            "alpha;beta"
        } else {
            "beta;gamma"
        };
        let stage = if lead % 4 == 0 || lead % 11 == 0 {
            "won"
        } else {
            "lost"
        };
        let _ = writeln!(leads, "L{lead},{},{cell}", noon(lead));
        if lead < 360 {
            let _ = writeln!(deals, "L{lead},{},{stage}", noon(lead + 40));
        }
    }
    let config = "[leads]\npath = \"leads.csv\"\nid = \"id\"\ncreated_at = \"created\"\ntypes.products = { set = \";\" }\n[outcomes]\npath = \"deals.csv\"\nlead = \"lead\"\nclosed_at = \"closed\"\nresult = \"stage\"\nwon = [\"won\"]\nlost = [\"lost\"]\n";
    let other = leads.replace(';', "/");
    let folder = folder_with(&[
        ("leads.csv", &leads),
        ("other.csv", &other),
        ("deals.csv", &deals),
        ("leadscore.toml", config),
        ("other.toml", &config.replace("leads.csv", "other.csv")),
    ]);
    let folder = folder.path();
    succeed(folder, &["train", "-o", "model"]);
    let score = |config| {
        let done = leadscore(
            folder,
            &["score", "model", "-c", config, "-o", "scores.csv"],
        );
        String::from_utf8(done.stderr).expect("a text")
    };
    assert!(!score("leadscore.toml").contains("known values"));
    let said = score("other.toml");
    assert!(
        said.contains("`products` has 0.00 known values a lead, and had"),
        "{said}"
    );
}

/// An API gives sets as lists: they are the same as cells with a separator, in files and in JSON.
#[test]
fn lists_are_sets() {
    let mut cells = "id,created,products\n".to_owned();
    let mut lists = String::new();
    let mut deals = "lead,closed,stage\n".to_owned();
    for lead in 0..400_u32 {
        let values = [&["alpha", "beta"][..], &["gamma"], &[]][lead as usize % 3];
        let list: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
        let _ = writeln!(cells, "L{lead},{},{}", noon(lead), values.join(";"));
        let _ = writeln!(
            lists,
            "{{\"id\":\"L{lead}\",\"created\":\"{}\",\"products\":[{}]}}",
            noon(lead),
            list.join(",")
        );
        let stage = if lead % 3 == 0 || lead % 11 == 0 {
            "won"
        } else {
            "lost"
        };
        if lead < 360 {
            let _ = writeln!(deals, "L{lead},{},{stage}", noon(lead + 40));
        }
    }
    let folder = folder_with(&[
        ("leads.csv", &cells),
        ("leads.ndjson", &lists),
        ("deals.csv", &deals),
    ]);
    let folder = folder.path();
    succeed(
        folder,
        &["init", "--leads", "leads.ndjson", "--outcomes", "deals.csv"],
    );
    let text = std::fs::read_to_string(folder.join("leadscore.toml")).expect("written above");
    assert!(text.contains("types.products = { set = \";\" }"), "{text}");
    std::fs::write(
        folder.join("csv.toml"),
        text.replace("leads.ndjson", "leads.csv"),
    )
    .expect("writable");
    succeed(folder, &["features", "-o", "lists.csv"]);
    succeed(folder, &["features", "-c", "csv.toml", "-o", "cells.csv"]);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("written above");
    assert_eq!(read("lists.csv"), read("cells.csv"));
    succeed(folder, &["train", "-o", "model"]);
    let lead = |products: &str| {
        let text = format!("{{\"created\":\"2021-02-01T00:00:00Z\",\"products\":{products}}}");
        std::fs::write(folder.join("lead.json"), text).expect("writable");
        succeed(folder, &["explain", "model", "--lead-json", "lead.json"])
    };
    assert_eq!(lead("[\"beta\", \"alpha\"]"), lead("\"alpha;beta\""));
    std::fs::write(
        folder.join("lead.json"),
        "{\"created\":\"2021-02-01\",\"products\":[[1]]}",
    )
    .expect("writable");
    let said = refused(folder, &["explain", "model", "--lead-json", "lead.json"]);
    assert!(said.contains("`products` is a list"), "{said}");
}
