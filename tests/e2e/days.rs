//! Days from dates to the snapshot, against plain loops over the rows of the files: dates of leads,
//! of histories with old values, and of lookups whose rows change.
#![allow(missing_docs, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use leadscore_config::Config;
use leadscore_core::{AttributeTable, FeatureMatrix, FeatureSource, Snapshot, Timestamp, Unit};
use leadscore_dataset::LoadOptions;
use leadscore_features::{compute, plan};
use leadscore_io::{PartitionOptions, Partitions, load};
use leadscore_tests::{folder_with, succeed, with_ends};
use proptest::prelude::*;

const CONFIG: &str = r#"
[leads]
path = "leads.csv"
id = "id"
created_at = "created"
types.contract_end = "days"
types.renewal = "days"
types.trial_end = "days"

[lookups.firms]
path = "firms.csv"
key = "firm"
changed_at = "since"
types.expires = "days"

[history]
path = "history.csv"
lead = "lead"
attribute = "attribute"
value = "value"
old_value = "old"
changed_at = "changed"
sequence = "number"
complete = true

[outcomes]
path = "outcomes.csv"
lead = "lead"
closed_at = "closed"
won = ["won"]
result = "result"

[snapshots]
observation_end = "2022-01-01"

[data]
contradicting_changes = 1.0
unmatched_rows = 1.0
repeated_rows = 1.0
long_before_creation = 1.0
"#;

const N_LEADS: usize = 24;
const N_FIRMS: usize = 5;
const LAST_DAY: u32 = 600;

/// Whole days from 2015-01-01, so that dates lie before and after all that happens.
fn day(number: u32) -> Timestamp {
    Timestamp::from_micros(
        Timestamp::from_ymd(2015, 1, 1).expect("exists").micros()
            + i64::from(number) * 86_400_000_000,
    )
}

/// What happens, happens at noon, from 2020 on.
fn noon(number: u32) -> String {
    let day = day(number + 1826).naive().expect("within the calendar");
    day.format("%Y-%m-%dT12:00:00").to_string()
}

/// A date of a cell: a day, or half past nine of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Date {
    day: u32,
    has_time: bool,
}

impl Date {
    fn text(self) -> String {
        let day = day(self.day).naive().expect("within the calendar");
        let format = if self.has_time {
            "%Y-%m-%dT09:30:00"
        } else {
            "%Y-%m-%d"
        };
        day.format(format).to_string()
    }

    /// Minutes from the beginning of 2015.
    fn minutes(self) -> i64 {
        i64::from(self.day) * 1440 + if self.has_time { 570 } else { 0 }
    }
}

fn text(date: Option<Date>) -> String {
    date.map(Date::text).unwrap_or_default()
}

/// A change: the old and the new value.
type Change = (Option<Date>, Option<Date>);

#[derive(Debug, Clone)]
struct Crm {
    /// The end of the contract, what the renewal is today, the firm.
    leads: Vec<(Option<Date>, Option<Date>, usize)>,
    /// Firm, day: when it expires.
    firms: BTreeMap<(usize, u32), Option<Date>>,
    /// Lead, day: changes of the renewal.
    renewals: BTreeMap<(usize, u32), Change>,
    snapshots: Vec<(usize, u32)>,
}

fn files(crm: &Crm) -> [(&'static str, String); 4] {
    let mut leads = "id,created,firm,contract_end,renewal,trial_end\n".to_owned();
    for (lead, (end, renewal, firm)) in crm.leads.iter().enumerate() {
        let (end, renewal) = (text(*end), text(*renewal));
        let _ = writeln!(
            leads,
            "L{lead:03},{},F{firm},{end},{renewal},2019-05-05",
            noon(0)
        );
    }
    let mut firms = "firm,since,expires\n".to_owned();
    for ((firm, since), expires) in &crm.firms {
        let _ = writeln!(firms, "F{firm},{},{}", noon(*since), text(*expires));
    }
    let mut history = "lead,attribute,value,old,changed,number\n".to_owned();
    for (number, ((lead, changed), (old, new))) in crm.renewals.iter().enumerate() {
        let (old, new, changed) = (text(*old), text(*new), noon(*changed));
        let _ = writeln!(history, "L{lead:03},renewal,{new},{old},{changed},{number}");
    }
    let outcomes = format!("lead,closed,result\nL000,{},won\n", noon(LAST_DAY));
    [
        ("leads.csv", leads),
        ("firms.csv", firms),
        ("history.csv", history),
        ("outcomes.csv", outcomes),
    ]
}

/// The date that a snapshot sees, by its definition and nothing cleverer.
fn date_of(crm: &Crm, table: &AttributeTable, column: &str, lead: usize, at: u32) -> Option<Date> {
    let (end, today, firm) = crm.leads[lead];
    match (table, column) {
        (AttributeTable::Leads, "contract_end") => end,
        (AttributeTable::Leads, "trial_end") => Some(Date {
            day: 4 * 365 + 1 + 124,
            has_time: false,
        }),
        (AttributeTable::Leads, _) => {
            let changes = || crm.renewals.iter().filter(|((owner, _), _)| *owner == lead);
            let before = changes().rfind(|((_, changed), _)| *changed < at);
            match (before, changes().next()) {
                (Some((_, (_, new))), _) => *new,
                (None, Some((_, (old, _)))) => *old,
                (None, None) => today,
            }
        }
        (AttributeTable::Lookup(_), _) => {
            let mut rows = crm.firms.iter();
            *rows
                .rfind(|((owner, since), _)| *owner == firm && *since < at)?
                .1
        }
    }
}

fn snapshots(crm: &Crm) -> Vec<Snapshot> {
    let snapshot = |&(lead, at): &(usize, u32)| Snapshot {
        lead: lead as u32,
        at: day(at + 1826),
    };
    crm.snapshots.iter().map(snapshot).collect()
}

fn folder_of(crm: &Crm) -> tempfile::TempDir {
    let files = files(crm);
    folder_with(&files.each_ref().map(|(name, text)| (*name, text.as_str())))
}

fn matrix_of(crm: &Crm) -> FeatureMatrix {
    let folder = folder_of(crm);
    let config = Config::parse(&with_ends(CONFIG, "2022-01-01")).expect("a config");
    let tables = load(&config, folder.path(), &LoadOptions::default()).expect("readable");
    let keys = snapshots(crm);
    let specs = plan(&tables, &config.features, &keys).specs;
    compute(&tables, &specs, &keys).expect("computable")
}

/// Compares every feature of days; the names of those that were compared.
fn check(crm: &Crm) -> BTreeSet<String> {
    let matrix = matrix_of(crm);
    let mut compared = BTreeSet::new();
    for (idx, spec) in matrix.specs().iter().enumerate() {
        let FeatureSource::DaysUntil { table, column } = &spec.source else {
            continue;
        };
        assert_eq!(spec.unit, Unit::Days);
        for (row, &(lead, at)) in crm.snapshots.iter().enumerate() {
            // One division, of the same whole number: equal to the bit.
            let minutes = |date: Date| date.minutes() - i64::from(at + 1826) * 1440;
            let expected = date_of(crm, table, column, lead, at).map_or(f64::NAN, |date| {
                (minutes(date) * 60_000_000) as f64 / 86_400_000_000.0
            });
            let found = matrix.values()[[row, idx]];
            assert!(
                found == expected || found.is_nan() && expected.is_nan(),
                "{} of lead {lead} at day {at}: {found}, expected {expected}",
                spec.name
            );
        }
        compared.insert(spec.name.clone());
    }
    compared
}

fn date() -> impl Strategy<Value = Option<Date>> {
    prop::option::weighted(
        0.8,
        (0..4000_u32, any::<bool>()).prop_map(|(day, has_time)| Date { day, has_time }),
    )
}

fn crm() -> impl Strategy<Value = Crm> {
    (
        prop::collection::vec((date(), date(), 0..N_FIRMS), N_LEADS),
        prop::collection::btree_map((0..N_FIRMS, 1..LAST_DAY), date(), 0..12),
        prop::collection::btree_map((0..N_LEADS, 1..LAST_DAY), (date(), date()), 0..30),
        prop::collection::vec((0..N_LEADS, 1..LAST_DAY), 60..100),
    )
        .prop_map(|(mut leads, mut firms, mut renewals, snapshots)| {
            // A column without any value is refused.
            let some = Some(Date {
                day: 2000,
                has_time: true,
            });
            (leads[0].0, leads[0].1) = (some, some);
            firms.insert((0, 1), some);
            renewals.insert((0, 1), (some, some));
            Crm {
                leads,
                firms,
                renewals,
                snapshots,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn days_equal_plain_loops(crm in crm()) {
        check(&crm);
    }

    /// What only rows at or after every snapshot hold leaves no trace, in values or in the plan.
    #[test]
    fn later_dates_leave_no_trace(crm in crm()) {
        let last = 400;
        let before = Crm {
            snapshots: crm.snapshots.iter().map(|&(lead, at)| (lead, at.min(last))).collect(),
            firms: crm.firms.clone().into_iter().filter(|((_, day), _)| *day < last).collect(),
            renewals: crm.renewals.clone().into_iter().filter(|((_, day), _)| *day < last).collect(),
            leads: crm.leads.clone(),
        };
        let mut after = before.clone();
        let other = Some(Date { day: 77, has_time: false });
        for lead in 0..N_LEADS {
            // What held before is what held all along.
            let held = date_of(&before, &AttributeTable::Leads, "renewal", lead, last);
            after.renewals.insert((lead, last), (held, other));
            after.renewals.insert((lead, last + 1), (other, None));
            after.leads[lead].1 = other;
        }
        for firm in 0..N_FIRMS {
            after.firms.insert((firm, last), other);
        }
        prop_assert!(matrix_of(&before).bit_equal(&matrix_of(&after)));
    }

    /// Parts of the leads see what all of them together do.
    #[test]
    fn parts_see_the_same_dates(crm in crm()) {
        let folder = folder_of(&crm);
        let config = Config::parse(&with_ends(CONFIG, "2022-01-01")).expect("a config");
        let whole = load(&config, folder.path(), &LoadOptions::default()).expect("readable");
        let how = PartitionOptions {
            memory: 0,
            spill: folder.path().to_owned(),
            progress: &|_, _| {},
            wanted: None,
        };
        let parts = Partitions::new(&config, folder.path(), &LoadOptions::default(), &how).expect("readable");
        for number in 0..parts.n_parts() {
            let part = parts.load(number).expect("readable");
            for attribute in &part.leads.attributes {
                let all = whole.leads.attributes.iter().find(|all| all.name == attribute.name).expect("as in the whole");
                prop_assert_eq!(attribute.column.kind(), all.column.kind());
            }
            let keys: Vec<Snapshot> = snapshots(&crm)
                .into_iter()
                .filter_map(|key| {
                    let id = &whole.leads.ids[key.lead as usize];
                    let lead = part.leads.ids.binary_search(id).ok()?;
                    Some((key, Snapshot { lead: lead as u32, at: key.at }))
                })
                .map(|(_, own)| own)
                .collect();
            let of_whole: Vec<Snapshot> = keys
                .iter()
                .map(|key| {
                    let id = &part.leads.ids[key.lead as usize];
                    let lead = whole.leads.ids.binary_search(id).expect("of the whole");
                    Snapshot { lead: lead as u32, at: key.at }
                })
                .collect();
            let specs = plan(&whole, &config.features, &snapshots(&crm)).specs;
            let days: Vec<_> = specs.into_iter().filter(|spec| matches!(spec.source, FeatureSource::DaysUntil { .. })).collect();
            let (own, all) = (compute(&part, &days, &keys).expect("computable"), compute(&whole, &days, &of_whole).expect("computable"));
            for (a, b) in own.values().iter().zip(all.values()) {
                prop_assert_eq!(a.to_bits(), b.to_bits());
            }
        }
    }
}

fn fixed() -> Crm {
    let date = |day, has_time| Some(Date { day, has_time });
    Crm {
        leads: (0..N_LEADS)
            .map(|lead| {
                let end = date(1500 + 30 * lead as u32, false).filter(|_| lead % 5 != 0);
                (end, date(2400, true), lead % N_FIRMS)
            })
            .collect(),
        firms: (0..N_FIRMS)
            .map(|firm| ((firm, 5), date(2500, firm % 2 == 0)))
            .collect(),
        renewals: [((3, 60), (date(2000, false), date(2300, false)))].into(),
        snapshots: (0..N_LEADS)
            .flat_map(|lead| [(lead, 40), (lead, 80)])
            .collect(),
    }
}

/// The comparison must itself see every place that dates come from.
#[test]
fn every_place_of_dates_is_compared() {
    let compared: Vec<String> = check(&fixed()).into_iter().collect();
    assert_eq!(
        compared,
        [
            "contract_end.days",
            "firms.expires.days",
            "renewal.days",
            "trial_end.days"
        ]
    );
}

/// Events that are columns of the leads have the leads' types, and are no place of their own for days.
#[test]
fn days_stand_beside_events_that_are_columns() {
    let text = |of_events: &str| {
        format!(
            "[leads]\npath = \"l.csv\"\nid = \"id\"\ncreated_at = \"at\"\ntypes.end = \"days\"\n[activities.lifecycle]\ncolumns = [\"mql\", \"sql\"]\n{of_events}"
        )
    };
    Config::parse(&text("")).expect("of the leads");
    let own = text("path = \"m.csv\"\nlead = \"id\"\ntypes.mql = \"days\"\n");
    let error = Config::parse(&own).expect_err("of their own table");
    assert!(
        error.to_string().contains("[activities.lifecycle] `types`"),
        "{error}"
    );
}

/// A lead in no table has no changes; a model that reads when an attribute changed scores it all the
/// same, by the value that is given.
#[test]
fn a_lead_in_no_table_never_changed() {
    let mut leads = "id,created,seats\n".to_owned();
    let mut deals = "lead,closed,result\n".to_owned();
    let mut changes = "lead,at,field,value\n".to_owned();
    let day = |day: u32| {
        let start = Timestamp::from_ymd(2021, 1, 1).expect("exists").micros();
        let at = Timestamp::from_micros(start + i64::from(day) * 86_400_000_000);
        at.to_string()
    };
    for lead in 0..600_u32 {
        let (created, seats) = (lead % 300, 1 + lead % 7);
        leads.push_str(&format!("L{lead},{},{seats}\n", day(created)));
        if lead.is_multiple_of(2) {
            changes.push_str(&format!("L{lead},{},seats,{seats}\n", day(created + 20)));
        }
        let result = if lead.is_multiple_of(4) {
            "won"
        } else {
            "lost"
        };
        deals.push_str(&format!(
            "L{lead},{},{result}\n",
            day(created + 50 + lead % 30)
        ));
    }
    let config = "[leads]\npath = \"leads.csv\"\nid = \"id\"\ncreated_at = \"created\"\n[outcomes]\npath = \"deals.csv\"\nlead = \"lead\"\nclosed_at = \"closed\"\nresult = \"result\"\nwon = [\"won\"]\nlost = [\"lost\"]\n[history]\npath = \"changes.csv\"\nlead = \"lead\"\nchanged_at = \"at\"\nattribute = \"field\"\nvalue = \"value\"\n[data]\ncontradicting_changes = 1.0\n";
    let folder = folder_with(&[
        ("leads.csv", &leads),
        ("deals.csv", &deals),
        ("changes.csv", &changes),
        ("leadscore.toml", config),
        (
            "lead.json",
            "{\"created\":\"2021-11-01T00:00:00Z\",\"seats\":3}",
        ),
    ]);
    let folder = folder.path();
    succeed(folder, &["train", "-o", "model"]);
    let inspected = succeed(folder, &["inspect", "model"]);
    assert!(
        inspected.contains("days since seats took its value"),
        "{inspected}"
    );
    let lead = [
        "explain",
        "model",
        "--lead-json",
        "lead.json",
        "--as-of",
        "2021-12-01",
    ];
    let said = succeed(folder, &lead);
    assert!(said.contains("likelihood to close"), "{said}");
}
