//! The rule of time as a property: whatever happens at or after a snapshot, the matrix at it stays
//! equal to the bit.
#![allow(missing_docs, reason = "tests")]

use std::fmt::Write as _;

use leadscore_config::{Config, FamilyChoice, FeaturesConfig};
use leadscore_core::Timestamp;
use leadscore_dataset::LoadOptions;
use leadscore_features::{compute, plan, scoring_snapshots};
use leadscore_io::load;
use leadscore_rules::{BoundRules, RulesFile};
use leadscore_tests::{NEWS_OUTCOMES_HISTORY, folder_with, with_ends};
use proptest::prelude::*;

const TABLES: &str = r#"
[leads]
path = "leads.csv"
id = "id"
created_at = "created"
attributes = ["size", "color", "stage"]
account = "account"

[lookups.accounts]
path = "accounts.csv"
key = "account"

[activities.visits]
path = "visits.csv"
lead = "lead"
at = "at"
recorded_at = "recorded"
kind = ["kind", "channel"]
values = ["pages"]
"#;

fn config() -> String {
    let tables = format!("{TABLES}{NEWS_OUTCOMES_HISTORY}");
    let tables = with_ends(&tables, "2021-01-01");
    let tables = tables.replace("[history]", "[history]\nsequence = \"number\"");
    // What is drawn at random contradicts itself.
    let shares = "[data]\nundated_rows = 1.0\nclosed_before_creation = 1.0\nslow_closings = 1.0\nrepeated_rows = 1.0\ncontradicting_changes = 1.0\nunmatched_rows = 1.0\nunmatched_outcomes = 1.0\n";
    format!("{tables}\n[snapshots]\nobservation_end = \"2021-01-01\"\n{shares}")
}

/// Half-days from 2020-01-01: midnights and noons, so that events and the snapshot often meet.
const SNAPSHOT: i64 = 182;
const LAST: i64 = 600;

#[derive(Debug, Clone)]
struct Lead {
    created: i64,
    size: Option<i32>,
    color: u8,
    account: u8,
    closed: Option<(i64, bool)>,
}

#[derive(Debug, Clone)]
struct Visit {
    lead: u8,
    at: i64,
    delay: i64,
    kind: u8,
    pages: Option<f64>,
}

/// A row of news (whom: account) or of history (whom: lead).
#[derive(Debug, Clone)]
struct Dated {
    whom: u8,
    at: i64,
    value: u8,
}

#[derive(Debug, Clone)]
struct Crm {
    leads: Vec<Lead>,
    visits: Vec<Visit>,
    news: Vec<Dated>,
    history: Vec<Dated>,
}

fn moment(half_days: i64) -> Timestamp {
    Timestamp::from_micros(
        Timestamp::from_ymd(2020, 1, 1).expect("exists").micros() + half_days * 43_200_000_000,
    )
}

/// With a time of day, so that a midnight is an instant and not a date.
fn time(half_days: i64) -> String {
    moment(half_days)
        .naive()
        .expect("within the calendar")
        .format("%Y-%m-%dT%H:%M:%S")
        .to_string()
}

fn write(crm: &Crm) -> tempfile::TempDir {
    let mut leads = "id,created,size,color,stage,account\n".to_owned();
    let mut outcomes = "lead,closed,result\n".to_owned();
    for (number, lead) in crm.leads.iter().enumerate() {
        let size = lead.size.map(|size| size.to_string()).unwrap_or_default();
        let _ = writeln!(
            leads,
            "L{number:03},{},{size},c{},s,A{}",
            time(lead.created),
            lead.color,
            lead.account
        );
        if let Some((closed, is_won)) = lead.closed {
            let _ = writeln!(
                outcomes,
                "L{number:03},{},{}",
                time(closed),
                if is_won { "won" } else { "lost" }
            );
        }
    }
    let mut visits = "lead,at,recorded,kind,channel,pages\n".to_owned();
    for visit in &crm.visits {
        let pages = visit
            .pages
            .map(|pages| pages.to_string())
            .unwrap_or_default();
        // Both columns have the same values, and which of them has one is another matter before the
        // snapshot than after it.
        let (kind, channel) = (visit.kind, 9 - visit.kind);
        let _ = writeln!(
            visits,
            "L{:03},{},{},k{kind},k{channel},{pages}",
            visit.lead,
            time(visit.at),
            time(visit.at + visit.delay)
        );
    }
    let mut news = "account,at,topic\n".to_owned();
    for row in &crm.news {
        let _ = writeln!(news, "A{},{},t{}", row.whom, time(row.at), row.value);
    }
    let mut history = "lead,attribute,value,changed,number\n".to_owned();
    for (number, row) in crm.history.iter().enumerate() {
        let _ = writeln!(
            history,
            "L{:03},stage,v{},{},{number}",
            row.whom,
            row.value,
            time(row.at)
        );
    }
    let accounts = "account,industry,staff\nA0,retail,3\nA1,health,70\nA2,retail,\n";
    folder_with(&[
        ("leads.csv", &leads),
        ("outcomes.csv", &outcomes),
        ("visits.csv", &visits),
        ("news.csv", &news),
        ("history.csv", &history),
        ("accounts.csv", accounts),
    ])
}

/// Manual points that look at several kind columns at once, at values of events, at attributes with
/// and without a history.
const RULES: &str = r#"
[score]
min = -200
max = 500
[[rule]]
name = "any column"
points = 3
activity = "visits"
kind = "k9"
[[rule]]
name = "every event"
points = 0.7
activity = "visits"
kind = "k1"
per_event = true
half_life = "14d"
[[rule]]
name = "one column, and a number"
points = 11
activity = "visits"
kind = "k8"
where = { kind = { in = ["k1", "k9"] }, pages = { min = 3.5 } }
[[rule]]
name = "nothing else"
points = 17
activity = "visits"
kind = "k2"
within = "60d"
nothing_else = true
[[rule]]
name = "silence"
points = -5
activity = "visits"
at_most = 0
[[rule]]
name = "stage"
points = 29
attribute = "stage"
in = ["v0", "v7"]
[[rule]]
name = "color"
points = 31
attribute = "color"
matches = "c[13]"
"#;

/// The matrix at the snapshot, and beside each of its rows the manual points with the rules that
/// applied.
#[derive(Debug, PartialEq)]
struct Bits {
    ids: Vec<String>,
    names: Vec<String>,
    levels: Vec<Vec<String>>,
    values: Vec<u64>,
    points: Vec<(u64, Vec<usize>)>,
}

fn matrix_bits(crm: &Crm) -> Bits {
    let folder = write(crm);
    let tables = load(
        &Config::parse(&config()).expect("the config is right"),
        folder.path(),
        &LoadOptions::default(),
    )
    .expect("the tables are right");
    let set = scoring_snapshots(&tables, moment(SNAPSHOT));
    let families = FeaturesConfig {
        families: vec![FamilyChoice::All],
        ..FeaturesConfig::default()
    };
    let specs = plan(&tables, &families, &set.at_risk).specs;
    let matrix = compute(&tables, &specs, &set.at_risk).expect("computable");
    // A rule may name what a table does not have yet: that no such event happened is then the
    // answer.
    let (rules, _) = BoundRules::of_part(
        RulesFile::parse(RULES).expect("the rules are right"),
        &tables,
        &specs,
    )
    .expect("they fit");
    let points = rules.score(&tables, &set.at_risk).expect("computable");
    let ids = set
        .at_risk
        .iter()
        .map(|key| tables.leads.ids[key.lead as usize].clone())
        .collect();
    let levels = (0..matrix.n_features())
        .map(|idx| matrix.levels(idx).to_vec())
        .collect();
    Bits {
        ids,
        names: specs.into_iter().map(|spec| spec.name).collect(),
        levels,
        values: matrix
            .values()
            .iter()
            .map(|value| value.to_bits())
            .collect(),
        points: points
            .iter()
            .map(|score| {
                (
                    score.points.to_bits(),
                    score.contributions.iter().map(|part| part.rule).collect(),
                )
            })
            .collect(),
    }
}

fn lead() -> impl Strategy<Value = Lead> {
    (
        0..2 * SNAPSHOT,
        prop::option::of(0..100_i32),
        0..4_u8,
        0..3_u8,
        prop::option::of((0..LAST, any::<bool>())),
    )
        .prop_map(|(created, size, color, account, closed)| Lead {
            created,
            size,
            color,
            account,
            closed: closed.map(|(after, is_won)| (created + after, is_won)),
        })
}

fn visit() -> impl Strategy<Value = Visit> {
    (
        0..12_u8,
        0..LAST,
        prop_oneof![3 => Just(0_i64), 1 => 1..80_i64],
        0..4_u8,
        prop::option::of(-5.0..50.0_f64),
    )
        .prop_map(|(lead, at, delay, kind, pages)| Visit {
            lead,
            at: at / 2,
            delay,
            kind,
            pages,
        })
}

fn dated(whom: u8) -> impl Strategy<Value = Dated> {
    (0..whom, 0..LAST, 0..3_u8).prop_map(|(whom, at, value)| Dated { whom, at, value })
}

fn crm() -> impl Strategy<Value = Crm> {
    (
        prop::collection::vec(lead(), 12..24),
        prop::collection::vec(visit(), 0..80),
        prop::collection::vec(dated(3), 0..12),
        prop::collection::vec(dated(12), 0..20),
    )
        .prop_map(|(mut leads, visits, news, mut history)| {
            // That `stage` has a history at all is part of what the tables are, not of what happens
            // in them.
            history.push(Dated {
                whom: 11,
                at: 1,
                value: 0,
            });
            // One lead is at risk at the snapshot whatever else was drawn.
            leads[0] = Lead {
                created: 3,
                closed: None,
                ..leads[0].clone()
            };
            Crm {
                leads,
                visits,
                news,
                history,
            }
        })
}

/// The same company, with everything known at or after the snapshot changed, deleted, or joined by
/// more.
fn poison(crm: &Crm, salt: u64) -> Crm {
    let coin = |number: usize, sides: u64| {
        (number as u64)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(salt)
            .rotate_left(17)
            % sides
    };
    let mut poisoned = crm.clone();
    for (number, lead) in poisoned.leads.iter_mut().enumerate() {
        if lead.created > SNAPSHOT {
            // Not there yet: it may be anything, as long as it is not there yet.
            *lead = Lead {
                created: SNAPSHOT + 1 + coin(number, 99) as i64,
                size: Some(8_888),
                color: 3,
                account: 2,
                closed: None,
            };
        } else if lead.closed.is_none_or(|(closed, _)| closed >= SNAPSHOT) {
            lead.closed = [None, Some((SNAPSHOT, true)), Some((SNAPSHOT + 40, false))]
                [coin(number, 3) as usize];
        }
    }
    poisoned
        .visits
        .retain(|visit| visit.at + visit.delay < SNAPSHOT);
    for (number, visit) in crm
        .visits
        .iter()
        .enumerate()
        .filter(|(_, visit)| visit.at + visit.delay >= SNAPSHOT)
    {
        match coin(number, 3) {
            0 => {}
            1 => poisoned.visits.push(Visit {
                kind: 9,
                pages: Some(1e6),
                ..visit.clone()
            }),
            // It happened before and was recorded exactly at the snapshot: still not visible.
            _ => {
                let at = visit.at.min(SNAPSHOT);
                poisoned.visits.push(Visit {
                    lead: 0,
                    at,
                    delay: SNAPSHOT - at,
                    ..visit.clone()
                });
            }
        }
    }
    poisoned.visits.extend((0..7).map(|number| Visit {
        lead: number,
        at: SNAPSHOT + i64::from(number),
        delay: 0,
        kind: 8,
        pages: Some(77.0),
    }));
    for rows in [&mut poisoned.news, &mut poisoned.history] {
        rows.retain(|row| row.at < SNAPSHOT);
        rows.extend((0..3).map(|number| Dated {
            whom: number,
            at: SNAPSHOT + i64::from(number) * 5,
            value: 7,
        }));
    }
    poisoned
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_future_leaves_no_trace(crm in crm(), salt in any::<u64>()) {
        let (clean, poisoned) = (matrix_bits(&crm), matrix_bits(&poison(&crm, salt)));
        prop_assert_eq!((&clean.ids, &clean.names, &clean.levels), (&poisoned.ids, &poisoned.names, &poisoned.levels));
        let is_changed = |cell: &usize| clean.values[*cell] != poisoned.values[*cell];
        let changed: Vec<&str> = (0..clean.values.len()).filter(is_changed).map(|cell| clean.names[cell % clean.names.len()].as_str()).collect();
        prop_assert!(changed.is_empty(), "{changed:?}");
        prop_assert_eq!(&clean.points, &poisoned.points);
    }

    #[test]
    fn the_order_of_rows_leaves_no_trace(crm in crm(), salt in any::<u64>()) {
        let mut shuffled = crm.clone();
        shuffled.visits.sort_by_key(|visit| (visit.at as u64 + 1).wrapping_mul(salt | 1).rotate_left(9));
        shuffled.news.reverse();
        prop_assert_eq!(matrix_bits(&crm), matrix_bits(&shuffled));
    }
}

/// The property would also hold of a matrix that sees nothing: what lies before the snapshot must
/// show.
#[test]
fn the_past_leaves_a_trace() {
    let crm = Crm {
        leads: vec![Lead {
            created: 10,
            size: Some(5),
            color: 1,
            account: 0,
            closed: None,
        }],
        visits: vec![Visit {
            lead: 0,
            at: SNAPSHOT - 1,
            delay: 0,
            kind: 1,
            pages: Some(3.0),
        }],
        news: vec![Dated {
            whom: 0,
            at: 100,
            value: 1,
        }],
        history: vec![Dated {
            whom: 0,
            at: 50,
            value: 2,
        }],
    };
    let before = matrix_bits(&crm);
    assert_eq!(before.ids, ["L000"]);
    for change in 0..4 {
        let mut changed = crm.clone();
        match change {
            0 => changed.visits[0].pages = Some(4.0),
            1 => changed.visits[0].at -= 1,
            2 => changed.news[0].at -= 1,
            _ => changed.history[0].value = 0,
        }
        let after = matrix_bits(&changed);
        assert_ne!(
            (&before.values, &before.levels),
            (&after.values, &after.levels),
            "change {change}"
        );
        if change != 2 {
            assert_ne!(
                before.points, after.points,
                "change {change} of what rules look at"
            );
        }
    }
}

/// A lead of the account that closed before the snapshot, and was entered as closed after it, looks
/// as it looked then: open.
#[test]
fn what_became_of_others_is_seen_from_when_it_was_entered() {
    let config = "[leads]\npath = \"leads.csv\"\nid = \"id\"\ncreated_at = \"created\"\naccount = \"account\"\nends = \"2021-01-01\"\n[outcomes]\npath = \"deals.csv\"\nlead = \"lead\"\nclosed_at = \"closed\"\nrecorded_at = \"entered\"\nresult = \"result\"\nwon = [\"won\"]\nlost = [\"lost\"]\nopen = [\"open\"]\nends = \"2021-01-01\"\n[snapshots]\nobservation_end = \"2021-01-01\"\n[features]\nfamilies = [\"account\"]\n[data]\nundated_rows = 1.0\n";
    let at = |entered: &str, result: &str| {
        let closed = if result == "open" {
            String::new()
        } else {
            "2020-03-20T10:00:00".to_owned()
        };
        let folder = folder_with(&[
            (
                "leads.csv",
                "id,created,account\na,2020-01-01T10:00:00,X\nb,2020-01-01T10:00:00,X\nc,2020-01-01T10:00:00,Y\n",
            ),
            (
                "deals.csv",
                &format!(
                    "lead,closed,entered,result\nb,{closed},{entered},{result}\nc,2020-02-01T10:00:00,2020-02-01T10:00:00,lost\n"
                ),
            ),
        ]);
        let tables = load(
            &Config::parse(config).expect("the config is right"),
            folder.path(),
            &LoadOptions::default(),
        )
        .expect("the tables are right");
        let families = FeaturesConfig {
            families: vec![FamilyChoice::All],
            ..FeaturesConfig::default()
        };
        let moment = Timestamp::from_ymd(2020, 4, 1).expect("exists");
        let snapshots = [leadscore_core::Snapshot {
            lead: 0,
            at: moment,
        }];
        let specs: Vec<_> = plan(&tables, &families, &snapshots)
            .specs
            .into_iter()
            .filter(|spec| spec.name.starts_with("account.leads_"))
            .collect();
        assert_eq!(specs.len(), 3);
        compute(&tables, &specs, &snapshots)
            .expect("computable")
            .values()
            .iter()
            .copied()
            .collect::<Vec<f64>>()
    };
    assert_eq!(at("2020-06-01T10:00:00", "won"), at("", "open"));
    assert_eq!(at("2020-06-01T10:00:00", "won"), [1.0, 0.0, 0.0]);
    assert_eq!(at("2020-03-21T10:00:00", "won"), [0.0, 1.0, 0.0]);
    assert_eq!(at("2020-03-21T10:00:00", "lost"), [0.0, 0.0, 1.0]);
}

/// A lead whose row came after the snapshot is nobody before it, and so is what became of it.
#[test]
fn what_became_of_a_lead_is_not_seen_before_its_row() {
    let config = "[leads]\npath = \"leads.csv\"\nid = \"id\"\ncreated_at = \"created\"\nrecorded_at = \"entered\"\naccount = \"account\"\nends = \"2021-01-01\"\n[outcomes]\npath = \"deals.csv\"\nlead = \"lead\"\nclosed_at = \"closed\"\nresult = \"result\"\nwon = [\"won\"]\nlost = [\"lost\"]\nLOG\nends = \"2021-01-01\"\n[snapshots]\nobservation_end = \"2021-01-01\"\n[features]\nfamilies = [\"account\"]\n[data]\nundated_rows = 1.0\nrecorded_together = 1.0\n";
    let at = |log: &str, entered: &str, result: &str| {
        let config = config.replace("LOG", log);
        let folder = folder_with(&[
            (
                "leads.csv",
                &format!(
                    "id,created,entered,account\na,2020-01-01T10:00:00,2020-01-01T10:00:00,X\nb,2020-01-01T10:00:00,{entered},X\nc,2020-01-01T10:00:00,2020-01-02T10:00:00,Y\n"
                ),
            ),
            (
                "deals.csv",
                &format!(
                    "lead,closed,result\nb,2020-03-20T10:00:00,{result}\nc,2020-02-01T10:00:00,lost\nc,2020-02-03T10:00:00,won\n"
                ),
            ),
        ]);
        let tables = load(
            &Config::parse(&config).expect("the config is right"),
            folder.path(),
            &LoadOptions::default(),
        )
        .expect("the tables are right");
        let moment = Timestamp::from_ymd(2020, 4, 1).expect("exists");
        let snapshots = [leadscore_core::Snapshot {
            lead: 0,
            at: moment,
        }];
        let families = FeaturesConfig {
            families: vec![FamilyChoice::All],
            ..FeaturesConfig::default()
        };
        let mut specs = plan(&tables, &families, &snapshots).specs;
        specs.retain(|spec| spec.name.starts_with("account.leads_"));
        assert_eq!(specs.len(), 3);
        let matrix = compute(&tables, &specs, &snapshots).expect("computable");
        matrix.values().iter().copied().collect::<Vec<f64>>()
    };
    for log in ["", "log = true\nopen = [\"open\"]"] {
        for result in ["won", "lost"] {
            assert_eq!(
                at(log, "2020-06-01T10:00:00", result),
                [0.0, 0.0, 0.0],
                "{log}"
            );
        }
        assert_eq!(at(log, "2020-03-31T10:00:00", "won"), [0.0, 1.0, 0.0]);
        assert_eq!(at(log, "2020-01-01T10:00:00", "lost"), [0.0, 0.0, 1.0]);
    }
}
