//! Deleted rows and leads, by a flag and by an archive, against the same tables from which they were
//! taken by hand.
#![allow(missing_docs, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use leadscore_config::Config;
use leadscore_core::Timestamp;
use leadscore_dataset::{LoadOptions, Tables};
use leadscore_features::{compute, plan};
use leadscore_io::{PartitionOptions, Partitions, load};
use leadscore_tests::{folder_with, leadscore, snapshots_in_2021, time_in_2021 as time, with_ends};
use proptest::prelude::*;

const N_LEADS: u32 = 14;
const N_DEALS: u32 = 8;

const TABLES: &str = r#"
[leads]
path = "leads.csv"
id = "id"
created_at = "created"
account = "account"

[activities.calls]
path = "calls.csv"
lead = "whose"
at = "at"
kind = ["kind"]

[history]
path = "history.csv"
lead = "whose"
changed_at = "at"
attribute = "attribute"
value = "value"

[outcomes]
path = "deals.csv"
lead = "whose"
closed_at = "closed"
result = "stage"
won = ["won"]
lost = ["lost"]

[features]
families = ["all"]

[snapshots]
observation_end = "2022-01-01"

[data]
unmatched_rows = 1.0
unmatched_outcomes = 1.0
closed_before_creation = 1.0
slow_closings = 1.0
repeated_rows = 1.0
long_before_creation = 1.0
undated_rows = 1.0
contradicting_changes = 1.0
"#;

#[derive(Debug, Clone)]
struct Row {
    /// A lead, or where tables are linked a deal.
    whose: u32,
    at: u32,
    what: u8,
    is_deleted: bool,
}

#[derive(Debug, Clone)]
struct Crm {
    flagged: BTreeSet<u32>,
    archived: BTreeSet<u32>,
    /// From and into a later one.
    merges: Vec<(u32, u32)>,
    links: Vec<(u32, u32)>,
    deals: Vec<Row>,
    calls: Vec<Row>,
    changes: Vec<Row>,
}

/// Which of it the tables have.
#[derive(Debug, Clone, Copy)]
struct How {
    flag: bool,
    archive: bool,
    merges: bool,
    links: bool,
    several: bool,
}

impl Crm {
    fn survivor(&self, lead: u32, how: How) -> u32 {
        let mut lead = lead;
        while let Some(&(_, into)) = self
            .merges
            .iter()
            .find(|(from, _)| how.merges && *from == lead)
        {
            lead = into;
        }
        lead
    }

    fn is_deleted(&self, lead: u32, how: How) -> bool {
        how.flag && self.flagged.contains(&lead) || how.archive && self.archived.contains(&lead)
    }

    /// The leads of a row, without those that were deleted; `None` where all of them were.
    fn leads_of(&self, whose: u32, how: How) -> Option<BTreeSet<u32>> {
        let named: BTreeSet<u32> = if how.links {
            let linked = self.links.iter().filter(|(deal, _)| *deal == whose);
            linked.map(|(_, lead)| *lead).collect()
        } else if how.several {
            [whose, (whose + 1) % N_LEADS].into()
        } else {
            [whose].into()
        };
        let n_named = named.len();
        let leads: BTreeSet<u32> = named
            .into_iter()
            .map(|lead| self.survivor(lead, how))
            .filter(|lead| !self.is_deleted(*lead, how))
            .collect();
        (n_named == 0 || !leads.is_empty()).then_some(leads)
    }

    fn line(row: &Row, whose: &str, is_deal: bool) -> String {
        let word = if row.what.is_multiple_of(2) {
            "won"
        } else {
            "lost"
        };
        let what = if is_deal {
            word.to_owned()
        } else {
            format!("k{}", row.what)
        };
        format!("{whose},{},{what}", time(row.at))
    }

    fn lead_line(lead: u32, is_deleted: bool) -> String {
        // Nothing is told by what was deleted, not even that sizes are numbers.
        let size = if is_deleted {
            "?? none".to_owned()
        } else {
            (lead * 3).to_string()
        };
        format!("C{lead},{},A{},{size}", time(lead), lead % 3)
    }

    fn flagged_tables(&self, how: How) -> (tempfile::TempDir, String) {
        let word = |is_deleted: bool| if is_deleted { "TRUE" } else { "" };
        let mut leads = "id,created,account,size,is_deleted\n".to_owned();
        for lead in 0..N_LEADS {
            let is_gone = self.is_deleted(lead, how);
            let flag = word(how.flag && self.flagged.contains(&lead));
            let _ = writeln!(leads, "{},{flag}", Self::lead_line(lead, is_gone));
        }
        let whose = |row: &Row| match how {
            How { links: true, .. } => format!("D{}", row.whose),
            How { several: true, .. } => format!("C{};C{}", row.whose, (row.whose + 1) % N_LEADS),
            _ => format!("C{}", row.whose),
        };
        let mut deals = "whose,closed,stage,is_deleted\n".to_owned();
        let mut calls = "whose,at,kind,is_deleted\n".to_owned();
        for (rows, text, is_deal) in [
            (&self.deals, &mut deals, true),
            (&self.calls, &mut calls, false),
        ] {
            for row in rows {
                let line = Self::line(row, &whose(row), is_deal);
                let _ = writeln!(text, "{line},{}", word(row.is_deleted));
            }
        }
        let mut history = "whose,at,attribute,value\n".to_owned();
        for row in &self.changes {
            let _ = writeln!(history, "C{},{},size,{}", row.whose, time(row.at), row.what);
        }
        let mut archive = "id,who\n".to_owned();
        self.archived.iter().for_each(|lead| {
            let _ = writeln!(archive, "C{lead},x");
        });
        let mut merges = "old,new\n".to_owned();
        self.merges.iter().for_each(|(from, into)| {
            let _ = writeln!(merges, "C{from},C{into}");
        });
        let mut links = "deal,contact\n".to_owned();
        self.links.iter().for_each(|(deal, lead)| {
            let _ = writeln!(links, "D{deal},C{lead}");
        });
        let files = [
            ("leads.csv", leads),
            ("deals.csv", deals),
            ("calls.csv", calls),
            ("history.csv", history),
            ("archive.csv", archive),
            ("merges.csv", merges),
            ("links.csv", links),
        ];
        let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
        (folder_with(&files), Self::config(how))
    }

    fn config(how: How) -> String {
        let mut config = with_ends(TABLES, "2022-01-01");
        for table in ["deals", "calls"] {
            let path = format!("path = \"{table}.csv\"");
            let mut keys = format!("{path}\ndeleted = \"is_deleted\"");
            if how.links {
                keys.push_str("\nvia = \"contacts\"");
            } else if how.several {
                keys.push_str("\nseparator = \";\"");
            }
            config = config.replace(&path, &keys);
        }
        if how.flag {
            config = config.replace(
                "path = \"leads.csv\"",
                "path = \"leads.csv\"\ndeleted = \"is_deleted\"",
            );
        }
        if how.archive {
            config.push_str("[deleted]\npath = \"archive.csv\"\nlead = \"id\"\n");
        }
        if how.merges {
            config.push_str("[merges]\npath = \"merges.csv\"\nfrom = \"old\"\ninto = \"new\"\n");
        }
        if how.links {
            config.push_str(
                "[links.contacts]\npath = \"links.csv\"\nfrom = \"deal\"\nlead = \"contact\"\n",
            );
        }
        config
    }

    fn taken_out(&self, how: How) -> (tempfile::TempDir, String) {
        let is_there =
            |lead: &u32| !self.is_deleted(*lead, how) && self.survivor(*lead, how) == *lead;
        let mut leads = "id,created,account,size\n".to_owned();
        for lead in (0..N_LEADS).filter(is_there) {
            let _ = writeln!(leads, "{}", Self::lead_line(lead, false));
        }
        let mut deals = "whose,closed,stage\n".to_owned();
        let mut calls = "whose,at,kind\n".to_owned();
        for (rows, text, is_deal) in [
            (&self.deals, &mut deals, true),
            (&self.calls, &mut calls, false),
        ] {
            for row in rows.iter().filter(|row| !row.is_deleted) {
                for lead in self.leads_of(row.whose, how).into_iter().flatten() {
                    let _ = writeln!(text, "{}", Self::line(row, &format!("C{lead}"), is_deal));
                }
            }
        }
        let mut history = "whose,at,attribute,value\n".to_owned();
        for row in self
            .changes
            .iter()
            .filter(|row| !self.is_deleted(row.whose, how))
        {
            let _ = writeln!(history, "C{},{},size,{}", row.whose, time(row.at), row.what);
        }
        let files = [
            ("leads.csv", leads),
            ("deals.csv", deals),
            ("calls.csv", calls),
            ("history.csv", history),
        ];
        let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
        (folder_with(&files), with_ends(TABLES, "2022-01-01"))
    }
}

fn read(folder: &Path, text: &str) -> (Config, Tables) {
    let config = Config::parse(text).expect("a config");
    let tables = load(&config, folder, &LoadOptions::default()).expect("readable");
    (config, tables)
}

fn check(crm: &Crm, how: How) {
    let (flagged, taken_out) = (crm.flagged_tables(how), crm.taken_out(how));
    let (config, tables) = read(flagged.0.path(), &flagged.1);
    let (_, expected) = read(taken_out.0.path(), &taken_out.1);
    assert_eq!(tables.leads.ids, expected.leads.ids);
    for (found, expected) in tables.outcomes.iter().zip(&expected.outcomes) {
        assert_eq!((found.closed, found.won), (expected.closed, expected.won));
    }
    let keys = snapshots_in_2021(tables.leads.ids.len());
    let specs = plan(&expected, &config.features, &keys).specs;
    assert_eq!(specs, plan(&tables, &config.features, &keys).specs);
    let matrix = |tables| compute(tables, &specs, &keys).expect("computable");
    assert!(matrix(&tables).bit_equal(&matrix(&expected)));
    // The same in parts of the leads.
    let in_parts = PartitionOptions {
        memory: 0,
        spill: flagged.0.path().to_owned(),
        progress: &|_, _| {},
        wanted: None,
    };
    let options = LoadOptions::default();
    let parts = Partitions::new(&config, flagged.0.path(), &options, &in_parts).expect("readable");
    let mut seen = BTreeSet::new();
    for part in 0..parts.n_parts() {
        let part = parts.load(part).expect("as it was written");
        let of_part = plan(&part, &config.features, &[]).specs;
        for attribute in &part.leads.attributes {
            let whole = tables
                .leads
                .attributes
                .iter()
                .find(|whole| whole.name == attribute.name);
            let whole = whole.expect("an attribute of the whole");
            assert_eq!(attribute.column.kind(), whole.column.kind(), "{of_part:?}");
        }
        for (place, id) in part.leads.ids.iter().enumerate() {
            let whole = tables
                .leads
                .ids
                .binary_search(id)
                .expect("a lead of the whole");
            let (found, expected) = (&part.outcomes[place], &tables.outcomes[whole]);
            assert_eq!((found.closed, found.won), (expected.closed, expected.won));
            let events = |tables: &Tables, lead: usize| -> Vec<Timestamp> {
                let calls = &tables.activities[0];
                calls
                    .events_of(lead)
                    .map(|event| calls.rows.at[event])
                    .collect()
            };
            assert_eq!(events(&part, place), events(&tables, whole));
            seen.insert(id.clone());
        }
    }
    assert_eq!(seen.len(), tables.leads.ids.len());
}

fn rows(fewest: usize) -> impl Strategy<Value = Vec<Row>> {
    let row = (0..N_DEALS, 0..300_u32, 0..4_u8, prop::bool::weighted(0.25));
    let row = row.prop_map(|(whose, at, what, is_deleted)| Row {
        whose,
        at,
        what,
        is_deleted,
    });
    prop::collection::vec(row, fewest..30)
}

fn crm() -> impl Strategy<Value = Crm> {
    let lead = || 0..N_LEADS - 3;
    (
        prop::collection::btree_set(lead(), 1..5),
        prop::collection::btree_set(lead(), 1..5),
        prop::collection::btree_map(lead(), 1..N_LEADS, 0..5),
        prop::collection::vec((0..N_DEALS, 0..N_LEADS), 4..30),
        (rows(2), rows(4), rows(2)),
    )
        .prop_map(
            |(flagged, archived, merges, mut links, (mut deals, mut calls, mut changes))| {
                // What is never deleted, and has rows: a table of nothing is refused.
                let there = N_LEADS - 1;
                links.extend((0..N_DEALS).map(|deal| (deal, there)));
                let row = |at| Row {
                    whose: there,
                    at,
                    what: 0,
                    is_deleted: false,
                };
                deals.push(row(200));
                calls.push(row(150));
                changes.push(row(100));
                changes.iter_mut().for_each(|row| row.is_deleted = false);
                // Of one lead and day one change.
                let mut seen = BTreeSet::new();
                changes.retain(|row| seen.insert((row.whose, row.at)));
                let merges = merges
                    .into_iter()
                    .map(|(from, more)| (from, (from + more).min(there)))
                    .collect();
                Crm {
                    flagged,
                    archived,
                    merges,
                    links,
                    deals,
                    calls,
                    changes,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_deleted_leaves_no_trace(mut crm in crm(), switches in prop::array::uniform5(any::<bool>())) {
        let [flag, archive, merges, links, several] = switches;
        if !links {
            // Of leads, not of deals.
            crm.deals.last_mut().expect("one at least").whose = N_LEADS - 1;
        } else {
            for rows in [&mut crm.deals, &mut crm.calls] {
                rows.iter_mut().for_each(|row| row.whose %= N_DEALS);
            }
        }
        check(&crm, How { flag, archive, merges, links, several: several && !links });
    }
}

/// A small CRM: what the leads, the config beside `[leads]` and other tables add.
fn small(
    lead: impl Fn(u32) -> String,
    of_leads: &str,
    more: &str,
    files: &[(&str, &str)],
) -> tempfile::TempDir {
    let mut leads = "id,created,gone\n".to_owned();
    let mut deals = "deal,closed,stage\n".to_owned();
    for number in 0..200_u32 {
        let _ = writeln!(leads, "C{number},{},{}", time(number), lead(number));
        if number < 80 {
            let stage = if number.is_multiple_of(3) {
                "won"
            } else {
                "lost"
            };
            let _ = writeln!(deals, "C{number},{},{stage}", time(100 + number));
        }
    }
    let config = format!(
        "[leads]\npath = \"leads.csv\"\nid = \"id\"\ncreated_at = \"created\"\n{of_leads}[outcomes]\npath = \"deals.csv\"\nlead = \"deal\"\nclosed_at = \"closed\"\nresult = \"stage\"\nwon = [\"won\"]\nlost = [\"lost\"]\n[snapshots]\nobservation_end = \"outcomes\"\n{more}"
    );
    let mut all = vec![
        ("leads.csv", leads.as_str()),
        ("deals.csv", &deals),
        ("leadscore.toml", &config),
    ];
    all.extend(files);
    folder_with(&all)
}

#[test]
fn what_is_left_out_and_what_is_wrong_is_said() {
    let every = |n: u32| {
        move |lead: u32| {
            if lead.is_multiple_of(n) {
                "true".to_owned()
            } else {
                "false".to_owned()
            }
        }
    };
    let flag = "deleted = \"gone\"\n";
    let archive = |more: &str| format!("[deleted]\npath = \"archive.csv\"\nlead = \"who\"\n{more}");
    let listed = "who,at\nC3,2021-05-01\nC4,2021-06-01\nC4,2021-06-01\n,2021-06-01\n";
    let mut said = String::new();
    let mut run = |what: &str, folder: &tempfile::TempDir, arguments: &[&str]| {
        let done = leadscore(folder.path(), arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let all = text(&done.stdout) + &text(&done.stderr);
        let lines = all.lines().filter(|line| {
            ["error", "hint", "delet", "gone", "snapshots: ", "lead C"]
                .iter()
                .any(|word| line.contains(word))
        });
        let _ = writeln!(said, "{what}: exit {}", done.status.code().unwrap_or(-1));
        lines.for_each(|line| {
            let _ = writeln!(said, "  {line}");
        });
    };
    run("a flag", &small(every(4), flag, "", &[]), &["check"]);
    run(
        "a flag that is not declared",
        &small(every(4), "", "", &[]),
        &["check"],
    );
    let called = small(every(4), "", "", &[]);
    let leads = std::fs::read_to_string(called.path().join("leads.csv")).expect("written");
    std::fs::write(
        called.path().join("leads.csv"),
        leads.replace("gone", "IsDeleted"),
    )
    .expect("writable");
    run("one that is called so", &called, &["check"]);
    run("all of them", &small(every(1), flag, "", &[]), &["check"]);
    run(
        "a time",
        &small(
            |lead| if lead == 7 { time(9) } else { String::new() },
            flag,
            "",
            &[],
        ),
        &["check"],
    );
    run(
        "a word",
        &small(
            |lead| {
                if lead == 7 {
                    "perhaps".to_owned()
                } else {
                    String::new()
                }
            },
            flag,
            "",
            &[],
        ),
        &["check"],
    );
    run(
        "no such column",
        &small(every(4), "deleted = \"gon\"\n", "", &[]),
        &["check"],
    );
    let twice = small(every(4), flag, "", &[]);
    let leads = std::fs::read_to_string(twice.path().join("leads.csv")).expect("written");
    std::fs::write(
        twice.path().join("leads.csv"),
        format!("{leads}C5,{},true\n", time(5)),
    )
    .expect("writable");
    run("one lead both ways", &twice, &["check"]);
    run(
        "an archive",
        &small(every(4), "", &archive(""), &[("archive.csv", listed)]),
        &["check"],
    );
    run(
        "one with times",
        &small(
            every(4),
            "",
            &archive("at = \"at\"\n"),
            &[("archive.csv", listed)],
        ),
        &[
            "train",
            "-o",
            "m.leadscore",
            "--allow-too-few",
            "--as-of",
            "2021-05-15",
        ],
    );
    run(
        "an archive of others",
        &small(every(4), "", &archive(""), &[("archive.csv", "who\nX1\n")]),
        &["check"],
    );
    run(
        "an archive of other ids",
        &small(
            every(4),
            "",
            &archive(""),
            &[("archive.csv", "who\nc1\nc2\nC3\n")],
        ),
        &["check"],
    );
    run(
        "of another column",
        &small(every(4), "", &archive(""), &[("archive.csv", "whom\nC1\n")]),
        &["check"],
    );
    let merges =
        "[merges]\npath = \"archive.csv\"\nfrom = \"who\"\ninto = \"at\"\ndeleted = \"at\"\n";
    run(
        "of merges",
        &small(every(4), "", merges, &[("archive.csv", listed)]),
        &["check"],
    );
    let trained = small(every(4), flag, "", &[]);
    run(
        "training",
        &trained,
        &["train", "-o", "m.leadscore", "--allow-too-few"],
    );
    run(
        "a deleted lead",
        &trained,
        &["explain", "m.leadscore", "C8"],
    );
    run(
        "SQL",
        &trained,
        &[
            "features",
            "-o",
            "f.sql",
            "--model",
            "m.leadscore",
            "--sql",
            "duckdb",
        ],
    );
    insta::assert_snapshot!(said);
}
