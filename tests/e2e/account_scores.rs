//! Scores of accounts, and resets of a whole score, against files that say the same in another way.
#![allow(missing_docs, reason = "tests")]

use std::fmt::Write as _;
use std::sync::Arc;

use leadscore_config::Config;
use leadscore_core::{Snapshot, Timestamp};
use leadscore_dataset::{Activities, Leads, LoadOptions, Tables};
use leadscore_io::load;
use leadscore_rules::{BoundRules, PointsScore, RulesFile};
use leadscore_tests::{folder_with, leadscore, succeed};
use proptest::prelude::*;

const N_LEADS: u32 = 8;
const N_ACCOUNTS: u32 = 4;

/// With the events of leads, or of accounts.
fn config(owner: &str) -> String {
    format!(
        r#"
[leads]
path = "leads.csv"
id = "id"
created_at = "created"
account = "account"
ends = "2022-01-01"

[activities.web]
path = "web.csv"
{owner}
at = "at"
kind = ["page"]
values = ["minutes"]
ends = "2022-01-01"

[activities.crm]
path = "crm.csv"
{owner}
at = "at"
kind = ["what"]
ends = "2022-01-01"

[lookups.companies]
path = "companies.csv"
key = "account"
leads_key = "account"

[lookups.owners]
path = "owners.csv"
key = "owner"
leads_key = "owner"

[outcomes]
path = "deals.csv"
lead = "lead"
closed_at = "closed"
ends = "2022-01-01"

[snapshots]
observation_end = "2022-01-01"

[data]
repeated_rows = 1.0
long_before_creation = 1.0
unmatched_rows = 1.0
"#
    )
}

const RULES: &str = r#"
[[rule]]
name = "pages"
points = 3
activity = "web"
per_event = true
max_events = 4
half_life = "30d"

[[rule]]
name = "price, then a demo"
points = 10
activity = "web"
kind = "price"
then = { activity = "crm", kind = "demo", within = "20d" }

[[rule]]
name = "days"
points = 2
activity = "web"
where = { minutes = { min = 3 } }
per_day = true
within = "60d"

[[rule]]
name = "silent"
points = -5
activity = "web"
at_most = 0
within = "14d"

[[rule]]
name = "nothing but pages"
points = 1
activity = "web"
nothing_else = "all tables"

[[rule]]
name = "large and read"
points = 7
all = [{ attribute = "companies.size", min = 50 }, { activity = "web", kind = "home" }]
none = [{ activity = "crm", kind = "recycled", within = "30d" }]

[[rule]]
name = "large"
points = 4
attribute = "companies.size"
min = 100
"#;

/// Days of 2021.
fn moment(day: u32) -> Timestamp {
    let start = Timestamp::from_ymd(2021, 1, 1).expect("exists").micros();
    Timestamp::from_micros(start + i64::from(day) * 86_400_000_000)
}

fn time(day: u32) -> String {
    let at = moment(day).naive().expect("within the calendar");
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// An event: its lead, the day after the lead's creation, its kind, and its minutes.
type Event = (u32, u32, usize, u32);

#[derive(Debug, Clone)]
struct World {
    /// The day of creation and the account of each lead, where it has one.
    leads: Vec<(u32, Option<u32>)>,
    web: Vec<Event>,
    crm: Vec<Event>,
}

impl World {
    /// The tables, with events by leads or by accounts.
    fn tables(&self, by_accounts: bool) -> Tables {
        let name = |account: Option<u32>| account.map_or_else(String::new, |a| format!("acc{a}"));
        let mut leads = "id,created,account,owner,role\n".to_owned();
        for (lead, (day, account)) in self.leads.iter().enumerate() {
            let _ = writeln!(
                leads,
                "L{lead},{},{},o{},r",
                time(*day),
                name(*account),
                lead % 3
            );
        }
        let events = |header: &str, kinds: [&str; 3], events: &[Event], has_minutes: bool| {
            let mut text = format!("{header}\n");
            for &(lead, after, kind, minutes) in events {
                let (day, account) = self.leads[lead as usize];
                // An account that no lead has is nobody's.
                let owner = if by_accounts {
                    account.map_or_else(|| "nobody".to_owned(), |account| name(Some(account)))
                } else {
                    format!("L{lead}")
                };
                let _ = write!(text, "{owner},{},{}", time(day + after), kinds[kind]);
                if has_minutes {
                    let _ = write!(text, ",{minutes}");
                }
                text.push('\n');
            }
            text
        };
        let owner = if by_accounts {
            "account = \"account\""
        } else {
            "lead = \"lead\""
        };
        let whose = if by_accounts { "account" } else { "lead" };
        let config = config(owner);
        let folder = folder_with(&[
            ("leads.csv", &leads),
            (
                "web.csv",
                &events(
                    &format!("{whose},at,page,minutes"),
                    ["home", "price", "blog"],
                    &self.web,
                    true,
                ),
            ),
            (
                "crm.csv",
                &events(
                    &format!("{whose},at,what"),
                    ["demo", "recycled", "mail"],
                    &self.crm,
                    false,
                ),
            ),
            (
                "companies.csv",
                "account,size\nacc0,20\nacc1,60\nacc2,500\n",
            ),
            ("owners.csv", "owner,region\no0,east\no1,west\no2,west\n"),
            ("deals.csv", "lead,closed\n"),
        ]);
        let config = Config::parse(&config).expect("a config");
        load(&config, folder.path(), &LoadOptions::default()).expect("tables")
    }
}

fn score(tables: &Tables, rules: &str, snapshots: &[Snapshot]) -> Vec<PointsScore> {
    let file = RulesFile::parse(rules).expect("rules");
    // Some worlds lack a kind.
    let bound = BoundRules::of_part(file, tables, &[]);
    let (bound, _) = bound.unwrap_or_else(|error| panic!("{error}"));
    bound.score(tables, snapshots).expect("points")
}

fn worlds() -> impl Strategy<Value = World> {
    let events =
        || proptest::collection::vec((0..N_LEADS, 1..200_u32, 0..3_usize, 0..9_u32), 1..40);
    let lead = (0..150_u32, proptest::option::weighted(0.9, 0..N_ACCOUNTS));
    let leads = proptest::collection::vec(lead, N_LEADS as usize);
    (leads, events(), events()).prop_map(|(leads, web, crm)| World { leads, web, crm })
}

/// Every lead on some days after it was created.
fn snapshots(world: &World) -> Vec<Snapshot> {
    let days = [1, 20, 60, 150];
    let leads = (0_u32..).zip(&world.leads);
    leads
        .flat_map(|(lead, (day, _))| {
            days.map(|after| Snapshot {
                lead,
                at: moment(day + after),
            })
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn events_of_all_leads_are_those_of_the_account(world in worlds()) {
        let snapshots = snapshots(&world);
        let of_accounts = format!("[score]\nof = \"accounts\"\nmin = -100\n{RULES}");
        let plain = format!("[score]\nmin = -100\n{RULES}");
        let scores = score(&world.tables(false), &of_accounts, &snapshots);
        let wanted = score(&world.tables(true), &plain, &snapshots);
        for ((snapshot, score), wanted) in snapshots.iter().zip(scores).zip(wanted) {
            let has_account = world.leads[snapshot.lead as usize].1.is_some();
            if has_account {
                prop_assert_eq!(score.points.to_bits(), wanted.points.to_bits(), "{:?}", snapshot);
                prop_assert_eq!(score.contributions, wanted.contributions);
            } else {
                prop_assert!(score.points.is_nan());
            }
        }
    }

    #[test]
    fn a_reset_of_the_score_is_one_of_each_rule(world in worlds()) {
        let snapshots = snapshots(&world);
        let tables = world.tables(false);
        let reset = "reset = { activity = \"crm\", kind = \"recycled\" }";
        let whole = format!("[score]\nmin = -100\n{reset}\n{RULES}");
        // In parts of rules, too.
        let each = RULES
            .replace("activity = \"web\"\n", &format!("activity = \"web\"\n{reset}\n"))
            .replace("activity = \"web\", kind = \"home\"", &format!("activity = \"web\", kind = \"home\", {reset}"))
            .replace("within = \"30d\" }]", &format!("within = \"30d\", {reset} }}]"));
        let each = format!("[score]\nmin = -100\n{each}");
        let (scores, wanted) = (score(&tables, &whole, &snapshots), score(&tables, &each, &snapshots));
        for (score, wanted) in scores.into_iter().zip(wanted) {
            prop_assert_eq!(score.points.to_bits(), wanted.points.to_bits());
        }
    }
}

#[test]
fn what_a_lead_did_before_it_was_known_is_known_from_then_on() {
    let world = World {
        leads: vec![(0, Some(0)), (50, Some(0))],
        web: Vec::new(),
        crm: Vec::new(),
    };
    let mut tables = world.tables(false);
    // An event of the second lead, 40 days before it was created.
    let mut other = world.clone();
    other.web = vec![(0, 10, 1, 5)];
    let own = other.tables(false).activities;
    let [crm, web] = own.as_slice() else {
        panic!("two tables");
    };
    let mut rows = web.to_rows();
    rows.owners = vec![1];
    let web = Activities::new("web", None, 2, rows);
    tables.activities = Arc::new(vec![crm.clone(), web]);
    let rules =
        "[score]\nof = \"accounts\"\n[[rule]]\nname = \"price\"\npoints = 5\nactivity = \"web\"\n";
    let points = |day| {
        let snapshot = Snapshot {
            lead: 0,
            at: moment(day),
        };
        score(&tables, rules, &[snapshot])[0].points
    };
    assert_eq!(points(30), 0.0);
    assert_eq!(points(50), 0.0);
    assert_eq!(points(51), 5.0);
}

#[test]
fn a_score_of_accounts_looks_at_no_lead() {
    let world = World {
        leads: (0..N_LEADS).map(|lead| (lead, Some(lead % 2))).collect(),
        web: vec![(0, 3, 0, 1)],
        crm: vec![(0, 3, 0, 1)],
    };
    let tables = world.tables(false);
    let mut without = tables.clone();
    without.leads = Arc::new(Leads {
        accounts: None,
        ..(*tables.leads).clone()
    });
    let mut messages = String::new();
    let mut ask = |tables: &Tables, rule: &str| {
        let text =
            format!("[score]\nof = \"accounts\"\n[[rule]]\nname = \"r\"\npoints = 5\n{rule}\n");
        let file = RulesFile::parse(&text).expect("rules");
        let error = BoundRules::new(file, tables, &[]).err();
        let help = error.as_ref().and_then(|error| error.help.clone());
        let _ = writeln!(
            messages,
            "{rule}\n  {}\n  hint: {}",
            error.map_or_else(|| "fits".to_owned(), |error| error.message),
            help.unwrap_or_default()
        );
    };
    ask(&tables, "attribute = \"role\"\nequals = \"r\"");
    ask(&tables, "attribute = \"owners.region\"\nequals = \"west\"");
    ask(&tables, "attribute = \"companies.size\"\nmin = 5");
    ask(&tables, "attribute = \"companies.sise\"\nmin = 5");
    ask(&tables, "attribute = \"nobody\"\nmin = 5");
    ask(&tables, "feature = \"web.count.30d\"\nmin = 5");
    ask(&tables, "all = [{ attribute = \"role\", equals = \"r\" }]");
    ask(&without, "activity = \"web\"");
    insta::assert_snapshot!(messages);
}

#[test]
fn scores_of_leads_and_of_accounts_stand_side_by_side() {
    let leads = "id,created,account,role\na,2021-01-01T08:00:00,x,CEO\nb,2021-01-02T08:00:00,x,staff\nc,2021-01-03T08:00:00,y,staff\nd,2021-01-03T08:00:00,,staff\n";
    let web = "lead,at,page\na,2021-02-01T08:00:00,home\na,2021-02-02T08:00:00,price\nb,2021-02-03T08:00:00,price\nd,2021-02-03T08:00:00,price\n";
    let config = "[leads]\npath = \"leads.csv\"\nid = \"id\"\ncreated_at = \"created\"\naccount = \"account\"\n[activities.web]\npath = \"web.csv\"\nlead = \"lead\"\nat = \"at\"\nkind = [\"page\"]\n[outcomes]\npath = \"deals.csv\"\nlead = \"lead\"\nclosed_at = \"closed\"\n[snapshots]\nobservation_end = \"2021-03-01\"\n";
    let of_leads = "[score]\nname = \"lead_points\"\n[[rule]]\nname = \"CEO\"\npoints = 10\nattribute = \"role\"\nequals = \"CEO\"\n[[rule]]\nname = \"price\"\npoints = 3\nactivity = \"web\"\nkind = \"price\"\nper_event = true\n";
    let of_accounts = "[score]\nname = \"company_points\"\nof = \"accounts\"\n[[rule]]\nname = \"price\"\npoints = 3\nactivity = \"web\"\nkind = \"price\"\nper_event = true\n";
    let folder = folder_with(&[
        ("leads.csv", leads),
        ("web.csv", web),
        ("deals.csv", "lead,closed\n"),
        ("leadscore.toml", config),
        ("leads.rules.toml", of_leads),
        ("companies.rules.toml", of_accounts),
    ]);
    let both = [
        "rules",
        "score",
        "leads.rules.toml",
        "companies.rules.toml",
        "-o",
        "points.csv",
    ];
    succeed(folder.path(), &both);
    insta::assert_snapshot!(
        std::fs::read_to_string(folder.path().join("points.csv")).expect("is there")
    );
    let args = [
        "rules",
        "score",
        "companies.rules.toml",
        "--roll-up",
        "max",
        "-o",
        "companies.csv",
    ];
    succeed(folder.path(), &args);
    insta::assert_snapshot!(
        std::fs::read_to_string(folder.path().join("companies.csv")).expect("is there")
    );
    let one = leadscore(
        folder.path(),
        &["rules", "explain", "companies.rules.toml", "b"],
    );
    insta::assert_snapshot!(String::from_utf8_lossy(&one.stdout));
    succeed(
        folder.path(),
        &[
            "rules",
            "history",
            "leads.rules.toml",
            "companies.rules.toml",
            "-o",
            "history.csv",
        ],
    );
    succeed(folder.path(), &["rules", "check", "companies.rules.toml"]);
}
