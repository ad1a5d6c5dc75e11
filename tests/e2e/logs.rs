//! Outcomes that are a log, against plain loops over its rows: who is at risk, which label, how often
//! a lead closed before, how the account's other leads stand.
#![allow(missing_docs, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use leadscore_config::Config;
use leadscore_core::{FeatureSource, PeerState, Snapshot, Timestamp};
use leadscore_dataset::{LoadOptions, Tables};
use leadscore_features::{compute, labelled_snapshots, look_ahead_test, plan, scoring_snapshots};
use leadscore_io::{PartitionOptions, Partitions, load};
use leadscore_tests::{folder_with, leadscore, refused, succeed};
use proptest::prelude::*;

const N_LEADS: u32 = 6;
const STAGES: [&str; 4] = ["new", "demo", "won", "lost"];
/// Days of the snapshots, each a month.
const N_DAYS: u32 = 300;
const HORIZON: u32 = 40;

const CONFIG: &str = r#"
[leads]
path = "leads.csv"
id = "id"
created_at = "created"
account = "account"
ends = "2022-01-01"

[outcomes]
path = "stages.csv"
lead = "lead"
closed_at = "entered"
recorded_at = "recorded"
result = "stage"
won = ["won"]
lost = ["lost"]
open = ["new", "demo"]
log = true
ends = "2022-01-01"

[snapshots]
horizon = "40d"
every = "30d"
observation_end = "2022-01-01"

[data]
closed_before_creation = 1.0
slow_closings = 1.0
unmatched_outcomes = 1.0
"#;

fn config(corrections: bool) -> String {
    if corrections {
        CONFIG.replace("log = true", "log = true\ncorrections = \"3d\"")
    } else {
        CONFIG.to_owned()
    }
}

/// Of 2021.
fn moment(day: u32) -> Timestamp {
    let start = Timestamp::from_ymd(2021, 1, 1).expect("exists").micros();
    Timestamp::from_micros(start + i64::from(day) * 86_400_000_000)
}

/// At noon, so that it is before the snapshots of later days.
fn time(day: u32) -> String {
    let at = Timestamp::from_micros(moment(day).micros() + 43_200_000_000);
    let at = at.naive().expect("within the calendar");
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

#[derive(Debug, Clone)]
struct Crm {
    created: Vec<u32>,
    /// Lead and day, at most one row each: the stage, and how many days later it was entered.
    rows: BTreeMap<(u32, u32), (usize, u32)>,
}

fn write(crm: &Crm, corrections: bool) -> tempfile::TempDir {
    let mut leads = "id,created,account\n".to_owned();
    for (lead, created) in crm.created.iter().enumerate() {
        let _ = writeln!(leads, "L{lead},{},A{}", time(*created), lead % 2);
    }
    // In another order than that of time.
    let mut stages = "lead,entered,recorded,stage\n".to_owned();
    for ((lead, day), (stage, delay)) in crm.rows.iter().rev() {
        let (entered, recorded) = (time(*day), time(day + delay));
        let _ = writeln!(stages, "L{lead},{entered},{recorded},{}", STAGES[*stage]);
    }
    folder_with(&[
        ("leads.csv", &leads),
        ("stages.csv", &stages),
        ("leadscore.toml", &config(corrections)),
    ])
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Open,
    Won,
    Lost,
}

fn standing_of(stage: usize) -> Standing {
    match STAGES[stage] {
        "won" => Standing::Won,
        "lost" => Standing::Lost,
        _ => Standing::Open,
    }
}

/// Every change of how a lead stands, by the rows that were entered before a day: the day, and how;
/// and whether it was replaced so soon that it was a mistake.
fn changes(crm: &Crm, lead: u32, corrections: bool, known: u32) -> Vec<(u32, Standing, bool)> {
    let mut changes: Vec<(u32, Standing, bool)> = Vec::new();
    let mut now = Standing::Open;
    for (&(_, day), &(stage, delay)) in crm.rows.range((lead, 0)..(lead + 1, 0)) {
        let next = standing_of(stage);
        if next == now || day + delay >= known {
            continue;
        }
        if corrections
            && now != Standing::Open
            && let Some(before) = changes.last_mut()
            && day - before.0 <= 3
        {
            before.2 = true;
        }
        changes.push((day, next, false));
        now = next;
    }
    changes
}

/// How a lead was known to stand at the beginning of a day.
fn known_standing(crm: &Crm, lead: u32, day: u32) -> Standing {
    let all = changes(crm, lead, false, day);
    all.last().map_or(Standing::Open, |change| change.1)
}

/// How a lead stood at the beginning of a day; open where it was known to be open, too.
fn standing(crm: &Crm, lead: u32, day: u32) -> Standing {
    let all = changes(crm, lead, false, u32::MAX);
    let before = all.iter().rev().find(|change| change.0 < day);
    match before.map_or(Standing::Open, |change| change.1) {
        Standing::Open => known_standing(crm, lead, day),
        closed @ (Standing::Won | Standing::Lost) => closed,
    }
}

fn is_won_within(crm: &Crm, lead: u32, day: u32, corrections: bool) -> bool {
    changes(crm, lead, corrections, u32::MAX)
        .iter()
        .any(|change| {
            change.1 == Standing::Won && !change.2 && (day..day + HORIZON).contains(&change.0)
        })
}

fn n_closed(crm: &Crm, lead: u32, day: u32, corrections: bool) -> usize {
    let all = changes(crm, lead, corrections, day);
    all.iter()
        .filter(|change| change.1 != Standing::Open && !change.2)
        .count()
}

/// Days, in halves, since the lead was open again.
fn reopened(crm: &Crm, lead: u32, day: u32) -> f64 {
    match changes(crm, lead, false, day).last() {
        Some((since, Standing::Open, _)) => f64::from(day - since) - 0.5,
        _ => f64::NAN,
    }
}

fn check(crm: &Crm, corrections: bool) {
    let folder = write(crm, corrections);
    let text = config(corrections);
    let config = Config::parse(&text).expect("a config");
    let tables = load(&config, folder.path(), &LoadOptions::default()).expect("readable");
    let (labelled, _) = labelled_snapshots(&tables, &config.snapshots, None).expect("few");
    let day_of = |at: Timestamp| at.days_since(moment(0)) as u32;
    let is_there = |lead: u32, day: u32| crm.created[lead as usize] < day;
    // Who is at risk, with which label.
    let found: Vec<(u32, u32, bool)> = labelled
        .snapshots
        .iter()
        .zip(&labelled.labels)
        .map(|(key, label)| (day_of(key.at), key.lead, *label))
        .collect();
    let first = *crm.created.iter().min().expect("there are leads");
    let mut expected = Vec::new();
    let days: Vec<u32> = (0..400)
        .filter(|day| {
            let at = moment(*day);
            leadscore_features::calendar_moments(
                &config.snapshots,
                moment(first),
                tables.observation_end,
            )
            .expect("few")
            .contains(&at)
        })
        .collect();
    for &day in &days {
        for lead in 0..N_LEADS {
            let is_mature = moment(day + HORIZON) <= tables.mature_until();
            if is_there(lead, day) && is_mature && standing(crm, lead, day) == Standing::Open {
                expected.push((day, lead, is_won_within(crm, lead, day, corrections)));
            }
        }
    }
    assert_eq!(found, expected);
    // Features, at any moment.
    let keys: Vec<Snapshot> = (0..N_LEADS)
        .flat_map(|lead| {
            (1..30).map(move |week| Snapshot {
                lead,
                at: moment(week * 10),
            })
        })
        .collect();
    let specs = plan(&tables, &config.features, &keys).specs;
    let matrix = compute(&tables, &specs, &keys).expect("computable");
    let mut n_compared = 0;
    for (idx, spec) in specs.iter().enumerate() {
        for (row, key) in keys.iter().enumerate() {
            let (lead, day) = (key.lead, day_of(key.at));
            let peers = || (0..N_LEADS).filter(|peer| *peer != lead && peer % 2 == lead % 2);
            let expected = match &spec.source {
                FeatureSource::TimesClosed => n_closed(crm, lead, day, corrections) as f64,
                FeatureSource::ReopenedDays => reopened(crm, lead, day),
                FeatureSource::PeerLeads(state) => {
                    let wanted = match state {
                        PeerState::Open => Standing::Open,
                        PeerState::Won => Standing::Won,
                        PeerState::Lost => Standing::Lost,
                    };
                    let stand_so = |peer: &u32| {
                        is_there(*peer, day) && known_standing(crm, *peer, day) == wanted
                    };
                    peers().filter(stand_so).count() as f64
                }
                FeatureSource::Attribute { .. }
                | FeatureSource::Created(_)
                | FeatureSource::AgeDays
                | FeatureSource::AgeWeekdays
                | FeatureSource::Activity { .. }
                | FeatureSource::Snapshot(_)
                | FeatureSource::AttributeAge { .. }
                | FeatureSource::AttributeChanges { .. }
                | FeatureSource::Peers { .. }
                | FeatureSource::Token { .. }
                | FeatureSource::TokenCount { .. }
                | FeatureSource::DaysUntil { .. } => continue,
            };
            let found = matrix.values()[[row, idx]];
            assert!(
                found == expected || found.is_nan() && expected.is_nan(),
                "{} of lead {lead} at day {day}: {found}, expected {expected}",
                spec.name
            );
            n_compared += 1;
        }
    }
    assert!(n_compared > 500);
    check_scoring(crm, &tables);
    // In parts, the same labels.
    let how = PartitionOptions {
        memory: 0,
        spill: folder.path().to_owned(),
        progress: &|_, _| {},
        wanted: None,
    };
    let parts =
        Partitions::new(&config, folder.path(), &LoadOptions::default(), &how).expect("readable");
    let mut of_parts = Vec::new();
    for part in 0..parts.n_parts() {
        let part = parts.load(part).expect("as it was written");
        let (labelled, _) = labelled_snapshots(&part, &config.snapshots, None).expect("few");
        for (key, label) in labelled.snapshots.iter().zip(&labelled.labels) {
            let lead = part.leads.ids[key.lead as usize][1..]
                .parse()
                .expect("a number");
            of_parts.push((day_of(key.at), lead, *label));
        }
    }
    of_parts.sort_unstable();
    assert_eq!(of_parts, found);
}

/// Who is scored, and who counts as won, at any moment.
fn check_scoring(crm: &Crm, tables: &Tables) {
    for day in (5..N_DAYS).step_by(35) {
        let set = scoring_snapshots(tables, moment(day));
        let leads = |wanted: Standing| -> Vec<u32> {
            let leads = 0..N_LEADS;
            leads
                .filter(|&lead| crm.created[lead as usize] < day)
                .filter(|&lead| standing(crm, lead, day) == wanted)
                .collect()
        };
        let at_risk: Vec<u32> = set.at_risk.iter().map(|key| key.lead).collect();
        assert_eq!(at_risk, leads(Standing::Open));
        assert_eq!(set.closed_won, leads(Standing::Won));
    }
}

fn crm() -> impl Strategy<Value = Crm> {
    (
        prop::collection::vec(0..60_u32, N_LEADS as usize),
        prop::collection::btree_map(
            (0..N_LEADS, 0..N_DAYS),
            (
                0..STAGES.len(),
                prop_oneof![3 => Just(0_u32), 1 => 1..60_u32],
            ),
            5..60,
        ),
    )
        .prop_map(|(created, mut rows)| {
            // A lead closes after it was created.
            rows.retain(|(lead, day), _| *day >= created[*lead as usize]);
            rows.insert((0, 100), (2, 0));
            Crm { created, rows }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn logs_equal_plain_loops(crm in crm(), corrections in any::<bool>()) {
        check(&crm, corrections);
    }

    /// Whatever becomes of leads at or after a snapshot leaves no trace.
    #[test]
    fn later_changes_leave_no_trace(crm in crm(), corrections in any::<bool>(), day in 20..N_DAYS) {
        let folder = write(&crm, corrections);
        let config = Config::parse(&config(corrections)).expect("a config");
        let keys: Vec<Snapshot> =
            (0..N_LEADS).map(|lead| Snapshot { lead, at: moment(day) }).collect();
        let read = |folder: &tempfile::TempDir| {
            load(&config, folder.path(), &LoadOptions::default()).expect("readable")
        };
        let tables = read(&folder);
        let specs = plan(&tables, &config.features, &keys).specs;
        let mut other = crm;
        for lead in 0..N_LEADS {
            // Anything that is entered after the snapshot, or at once, so that what was before looks
            // mistaken.
            other.rows.retain(|(whose, at), (_, delay)| *whose != lead || *at + *delay < day);
            other.rows.insert((lead, day), ((lead as usize + 1) % STAGES.len(), 0));
        }
        let altered = read(&write(&other, corrections));
        let matrix = |tables| compute(tables, &specs, &keys).expect("computable");
        prop_assert!(matrix(&tables).bit_equal(&matrix(&altered)));
        let (labelled, _) = labelled_snapshots(&tables, &config.snapshots, None).expect("few");
        if !labelled.snapshots.is_empty() {
            let found = look_ahead_test(&tables, &labelled.snapshots, |tables, keys| compute(tables, &specs, keys)).expect("computable");
            prop_assert!(found.leaks.is_empty());
        }
    }
}

/// A log of stages: leads lost and open again, and wins by mistake for an hour.
fn stages() -> String {
    let mut stages = "lead,entered,stage\n".to_owned();
    for lead in 0..120_u32 {
        let day = 2 * lead;
        let _ = writeln!(stages, "L{lead},{},new", time(day + 1));
        match lead % 4 {
            0 => {
                let _ = writeln!(
                    stages,
                    "L{lead},{},lost\nL{lead},{},demo",
                    time(day + 5),
                    time(day + 9)
                );
            }
            1 => {
                let later = time(day + 3).replace("12:00:00", "13:00:00");
                let _ = writeln!(
                    stages,
                    "L{lead},{},won\nL{lead},{later},demo\nL{lead},{},lost",
                    time(day + 3),
                    time(day + 20)
                );
            }
            2 => {
                let _ = writeln!(stages, "L{lead},{},won", time(day + 12));
            }
            _ => {
                let _ = writeln!(stages, "L{lead},{},lost", time(day + 30));
            }
        }
    }
    stages
}

fn small(text: &str) -> tempfile::TempDir {
    let text = &text.replace("recorded_at = \"recorded\"\n", "");
    let mut leads = "id,created,account\n".to_owned();
    for lead in 0..120_u32 {
        let _ = writeln!(leads, "L{lead},{},A{lead}", time(2 * lead));
    }
    folder_with(&[
        ("leads.csv", &leads),
        ("stages.csv", &stages()),
        ("leadscore.toml", text),
    ])
}

#[test]
fn a_log_is_said_and_corrections_are_offered() {
    let without = CONFIG.replace("log = true\n", "");
    let folder = small(&without);
    let said = refused(folder.path(), &["train", "-o", "model"]);
    assert!(
        said.contains("30 of 120 closed leads have an open row after they closed"),
        "{said}"
    );
    assert!(
        said.contains("log = true") && said.contains("log = false"),
        "{said}"
    );
    let notes = |text: &str| {
        let folder = small(text);
        let done = leadscore(folder.path(), &["check"]);
        String::from_utf8(done.stdout).expect("a text")
    };
    let said = notes(CONFIG);
    assert!(
        said.contains("60 leads were open again after they had closed"),
        "{said}"
    );
    assert!(
        said.contains("30 wins did not last: replaced after 1.0 hours (median) to 1.0 hours"),
        "{said}"
    );
    assert!(said.contains("`corrections = \"1d\"`"), "{said}");
    let said = notes(&config(true));
    assert!(
        said.contains("30 closings were replaced within `corrections`"),
        "{said}"
    );
    assert!(!said.contains("did not last"), "{said}");
}

#[test]
fn reopened_leads_are_scored_and_mistakes_are_no_wins() {
    let folder = small(&config(true));
    let folder = folder.path();
    succeed(
        folder,
        &[
            "train",
            "--allow-too-few",
            "-o",
            "model",
            "--as-of",
            "2021-11-01",
        ],
    );
    succeed(
        folder,
        &[
            "score",
            "model",
            "-o",
            "scores.csv",
            "--as-of",
            "2021-11-01",
        ],
    );
    let scores = std::fs::read_to_string(folder.join("scores.csv")).expect("written above");
    let scored: Vec<&str> = scores
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap_or(""))
        .collect();
    assert!(
        scored.contains(&"L0") && scored.contains(&"L4"),
        "{scored:?}"
    );
    assert!(
        !scored.contains(&"L1") && !scored.contains(&"L3"),
        "{scored:?}"
    );
    succeed(folder, &["explain", "model", "L0", "--as-of", "2021-11-01"]);
    succeed(folder, &["features", "--sql", "duckdb", "-o", "x.sql"]);
}

#[test]
fn logs_that_cannot_be_meant_are_refused() {
    for (from, to, expected) in [
        (
            "open = [\"new\", \"demo\"]\n",
            "",
            "has no values that mean `open`",
        ),
        (
            "log = true",
            "log = false\ncorrections = \"1d\"",
            "has `corrections` and is no `log`",
        ),
        (
            "log = true",
            "corrections = \"1d\"",
            "has `corrections` and is no `log`",
        ),
    ] {
        let text = CONFIG.replace(from, to);
        let said = Config::parse(&text).expect_err("refused").to_string();
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

/// Wins that do not last are still the revenue of their windows.
#[test]
fn amounts_of_wins_that_were_undone_count() {
    let mut leads = "id,created\n".to_owned();
    let mut stages = "lead,entered,stage,amount\n".to_owned();
    for lead in 0..40_u32 {
        let _ = writeln!(leads, "L{lead},{}", time(lead));
        let _ = writeln!(
            stages,
            "L{lead},{},won,100\nL{lead},{},new,",
            time(lead + 20),
            time(lead + 70)
        );
    }
    let text = CONFIG
        .replace("recorded_at = \"recorded\"\n", "")
        .replace("account = \"account\"\n", "")
        .replace("log = true", "log = true\namount = \"amount\"");
    let folder = folder_with(&[("leads.csv", &leads), ("stages.csv", &stages)]);
    let config = Config::parse(&text).expect("a config");
    let tables = load(&config, folder.path(), &LoadOptions::default()).expect("readable");
    let total: f64 = tables
        .outcomes
        .iter()
        .filter_map(|outcome| outcome.amount)
        .sum();
    assert_eq!(total, 4_000.0);
}
