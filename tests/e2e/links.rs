//! Tables whose rows reach their leads through an association table and through merges, against the
//! same rows written out for each lead by hand.
#![allow(missing_docs, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use leadscore_config::Config;
use leadscore_core::{Snapshot, Timestamp};
use leadscore_dataset::{LoadOptions, Tables};
use leadscore_features::{compute, plan};
use leadscore_io::{PartitionOptions, Partitions, load};
use leadscore_tests::{
    folder_with, leadscore, refused, snapshots_in_2021, succeed, time_in_2021 as time, with_ends,
};
use proptest::prelude::*;

const N_LEADS: u32 = 12;
const N_DEALS: u32 = 8;

/// Either way; what differs is which ids the rows have.
const TABLES: &str = r#"
[leads]
path = "leads.csv"
id = "id"
created_at = "created"

[activities.calls]
path = "calls.csv"
lead = "whose"
at = "at"
recorded_at = "recorded"
kind = ["kind"]

[outcomes]
path = "deals.csv"
lead = "whose"
closed_at = "closed"
recorded_at = "recorded"
result = "stage"
won = ["won"]
lost = ["lost"]
amount = "amount"

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
recorded_together = 1.0
"#;

fn linked_config(settings: &str) -> String {
    let via = with_ends(TABLES, "2022-01-01").replace(
        "lead = \"whose\"",
        "lead = \"whose\"\nvia = \"deal_contacts\"",
    );
    format!(
        "{via}\n[links.deal_contacts]\npath = \"links.csv\"\nfrom = \"deal\"\nlead = \"contact\"\n{settings}"
    )
}

#[derive(Debug, Clone)]
struct Link {
    deal: u32,
    lead: u32,
    is_primary: bool,
    since: u32,
}

#[derive(Debug, Clone)]
struct Row {
    deal: u32,
    at: u32,
    delay: u32,
    what: u8,
}

#[derive(Debug, Clone)]
struct Crm {
    links: Vec<Link>,
    /// For each lead that was merged into a later one: that one, and when.
    merges: BTreeMap<u32, (u32, u32)>,
    deals: Vec<Row>,
    calls: Vec<Row>,
}

/// What links and merges mean, by hand: for each deal its leads, each from its earliest link on,
/// and not before the last merge that made it this lead.
fn leads_of(crm: &Crm, deal: u32, how: How) -> BTreeMap<u32, u32> {
    let mut leads = BTreeMap::new();
    for link in &crm.links {
        if link.deal != deal || how.primary && !link.is_primary {
            continue;
        }
        let mut lead = link.lead;
        let mut since = if how.linked_at { link.since } else { 0 };
        while let Some(&(into, at)) = crm.merges.get(&lead).filter(|_| how.merges) {
            lead = into;
            since = since.max(if how.merged_at { at } else { 0 });
        }
        let earliest = leads.entry(lead).or_insert(since);
        *earliest = since.min(*earliest);
    }
    leads
}

/// Which keys the association table has.
#[derive(Debug, Clone, Copy)]
struct How {
    primary: bool,
    linked_at: bool,
    merges: bool,
    merged_at: bool,
}

fn leads_csv(is_there: &dyn Fn(u32) -> bool) -> String {
    let mut leads = "id,created\n".to_owned();
    for lead in (0..N_LEADS).filter(|&lead| is_there(lead)) {
        let _ = writeln!(leads, "C{lead},{}", time(lead));
    }
    leads
}

/// A line of deals or calls.
fn line(whose: &str, row: &Row, recorded: u32, amount: f64, is_deal: bool) -> String {
    let (at, recorded) = (time(row.at), time(recorded));
    if is_deal {
        let stage = if row.what.is_multiple_of(2) {
            "won"
        } else {
            "lost"
        };
        format!("{whose},{at},{recorded},{stage},{amount}\n")
    } else {
        format!("{whose},{at},{recorded},k{}\n", row.what)
    }
}

fn linked_tables(crm: &Crm, how: How) -> (tempfile::TempDir, String) {
    let mut links = "deal,contact,main,since\n".to_owned();
    for link in &crm.links {
        let main = if link.is_primary { "Primary" } else { "" };
        let _ = writeln!(
            links,
            "D{},C{},{main},{}",
            link.deal,
            link.lead,
            time(link.since)
        );
    }
    let mut deals = "whose,closed,recorded,stage,amount\n".to_owned();
    let mut calls = "whose,at,recorded,kind\n".to_owned();
    for (rows, text, is_deal) in [
        (&crm.deals, &mut deals, true),
        (&crm.calls, &mut calls, false),
    ] {
        for row in rows {
            let whose = format!("D{}", row.deal);
            text.push_str(&line(&whose, row, row.at + row.delay, 12.0, is_deal));
        }
    }
    let mut settings = String::new();
    if how.primary {
        settings.push_str("primary = \"main\"\n");
    }
    if how.linked_at {
        settings.push_str("linked_at = \"since\"\n");
    }
    if how.merges {
        settings.push_str("[merges]\npath = \"merges.csv\"\nfrom = \"old\"\ninto = \"new\"\n");
    }
    if how.merges && how.merged_at {
        settings.push_str("at = \"merged\"\n");
    }
    let mut merges = "old,new,merged\n".to_owned();
    for (from, (into, at)) in &crm.merges {
        let _ = writeln!(merges, "C{from},C{into},{}", time(*at));
    }
    let folder = folder_with(&[
        ("leads.csv", &leads_csv(&|_| true)),
        ("merges.csv", &merges),
        ("links.csv", &links),
        ("deals.csv", &deals),
        ("calls.csv", &calls),
    ]);
    (folder, linked_config(&settings))
}

fn written_out(crm: &Crm, how: How) -> (tempfile::TempDir, String) {
    let mut deals = "whose,closed,recorded,stage,amount\n".to_owned();
    let mut calls = "whose,at,recorded,kind\n".to_owned();
    for (rows, text, is_deal) in [
        (&crm.deals, &mut deals, true),
        (&crm.calls, &mut calls, false),
    ] {
        for row in rows {
            let leads = leads_of(crm, row.deal, how);
            let amount = 12.0 / leads.len().max(1) as f64;
            for (&lead, &since) in &leads {
                let recorded = (row.at + row.delay).max(since);
                text.push_str(&line(&format!("C{lead}"), row, recorded, amount, is_deal));
            }
        }
    }
    let folder = folder_with(&[
        (
            "leads.csv",
            &leads_csv(&|lead| !(how.merges && crm.merges.contains_key(&lead))),
        ),
        ("deals.csv", &deals),
        ("calls.csv", &calls),
    ]);
    (folder, with_ends(TABLES, "2022-01-01"))
}

fn read(folder: &Path, text: &str) -> (Config, Tables) {
    let config = Config::parse(text).expect("a config");
    let tables = load(&config, folder, &LoadOptions::default()).expect("readable");
    (config, tables)
}

fn check(crm: &Crm, how: How) {
    let (linked, written) = (linked_tables(crm, how), written_out(crm, how));
    let (config, tables) = read(linked.0.path(), &linked.1);
    let (_, expected) = read(written.0.path(), &written.1);
    assert_eq!(tables.leads.ids, expected.leads.ids);
    // Shares of an amount are added in another order.
    for (found, expected) in tables.outcomes.iter().zip(&expected.outcomes) {
        assert_eq!(found.closed, expected.closed);
        assert_eq!(found.won, expected.won);
        assert_eq!(found.closed_seen, expected.closed_seen);
        assert_eq!(found.won_seen, expected.won_seen);
        let amounts = (
            found.amount.unwrap_or(-1.0),
            expected.amount.unwrap_or(-1.0),
        );
        assert!((amounts.0 - amounts.1).abs() < 1e-9, "{amounts:?}");
    }
    let keys = snapshots_in_2021(tables.leads.ids.len());
    let specs = plan(&expected, &config.features, &keys).specs;
    assert_eq!(specs, plan(&tables, &config.features, &keys).specs);
    let matrix = |tables| compute(tables, &specs, &keys).expect("computable");
    assert!(matrix(&tables).bit_equal(&matrix(&expected)));
    // The same in parts of the leads.
    let how = PartitionOptions {
        memory: 0,
        spill: linked.0.path().to_owned(),
        progress: &|_, _| {},
        wanted: None,
    };
    let parts =
        Partitions::new(&config, linked.0.path(), &LoadOptions::default(), &how).expect("readable");
    let mut seen = BTreeSet::new();
    for part in 0..parts.n_parts() {
        let part = parts.load(part).expect("as it was written");
        for (place, id) in part.leads.ids.iter().enumerate() {
            let whole = tables
                .leads
                .ids
                .binary_search(id)
                .expect("a lead of the whole");
            let (found, expected) = (&part.outcomes[place], &tables.outcomes[whole]);
            assert_eq!((found.closed, found.won), (expected.closed, expected.won));
            assert_eq!(found.closed_seen, expected.closed_seen);
            let events = |tables: &Tables, lead: usize| -> Vec<(Timestamp, Timestamp)> {
                let calls = &tables.activities[0];
                let events = calls.events_of(lead);
                let time = |event| (calls.rows.at[event], calls.rows.visible_at(event));
                events.map(time).collect()
            };
            assert_eq!(events(&part, place), events(&tables, whole));
            seen.insert(id.clone());
        }
    }
    assert_eq!(seen.len(), tables.leads.ids.len());
}

fn row() -> impl Strategy<Value = Row> {
    (0..N_DEALS, 0..300_u32, 0..30_u32, 0..4_u8).prop_map(|(deal, at, delay, what)| Row {
        deal,
        at,
        delay,
        what,
    })
}

fn crm() -> impl Strategy<Value = Crm> {
    let link = (0..N_DEALS, 0..N_LEADS, any::<bool>(), 0..300_u32).prop_map(
        |(deal, lead, is_primary, since)| Link {
            deal,
            lead,
            is_primary,
            since,
        },
    );
    (
        prop::collection::vec(link, 4..30),
        prop::collection::vec(row(), 1..20),
        prop::collection::vec(row(), 1..40),
        prop::collection::btree_map(0..N_LEADS - 2, (1..N_LEADS, 0..300_u32), 0..6),
    )
        .prop_map(|(mut links, mut deals, mut calls, merges)| {
            // Into a later one, so that there are chains and no circles.
            let merges = merges
                .into_iter()
                .map(|(from, (more, at))| (from, ((from + more).min(N_LEADS - 1), at)))
                .collect();
            // A deal that is linked, at least once as a primary one, and has rows: a table that
            // nothing links is refused.
            for deal in 0..N_DEALS {
                links.push(Link {
                    deal,
                    lead: deal,
                    is_primary: true,
                    since: 100,
                });
            }
            deals.push(Row {
                deal: 0,
                at: 200,
                delay: 0,
                what: 0,
            });
            calls.push(Row {
                deal: 0,
                at: 150,
                delay: 0,
                what: 0,
            });
            Crm {
                links,
                merges,
                deals,
                calls,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn links_equal_rows_written_out(crm in crm(), switches in prop::array::uniform4(any::<bool>())) {
        let [primary, linked_at, merges, merged_at] = switches;
        check(&crm, How { primary, linked_at, merges, merged_at });
    }
}

/// The same until a day: whatever is known from then on is otherwise.
fn poisoned(crm: &Crm, day: u32, salt: u32) -> Crm {
    let mut other = crm.clone();
    for (number, link) in (0_u32..).zip(&mut other.links) {
        if link.since >= day {
            link.lead = (link.lead + salt + number) % N_LEADS;
            link.since = day + (link.since + salt) % 60;
        }
    }
    for (_, at) in other.merges.values_mut() {
        if *at >= day {
            *at = day + (*at + salt) % 90;
        }
    }
    for rows in [&mut other.deals, &mut other.calls] {
        for (number, row) in (0_u32..).zip(rows.iter_mut()) {
            if row.at + row.delay >= day {
                row.deal = (row.deal + salt + number) % N_DEALS;
                row.what = ((u32::from(row.what) + salt) % 4) as u8;
                row.delay = (day + salt % 30).saturating_sub(row.at);
            }
        }
        let late = (0..salt % 5).map(|number| Row {
            deal: (salt + number) % N_DEALS,
            at: day.saturating_sub(number),
            delay: number + salt % 9,
            what: (number % 4) as u8,
        });
        rows.extend(late);
    }
    other
}

/// Features at a moment of what is seen then: of leads by links from when they hold, of merged ones
/// from the merge on.
fn check_look_ahead(crm: &Crm, day: u32, salt: u32, primary: bool) -> bool {
    let how = How {
        primary,
        linked_at: true,
        merges: true,
        merged_at: true,
    };
    let at = Timestamp::from_ymd(2021, 1, 1).expect("exists").micros();
    let at = Timestamp::from_micros(at + i64::from(day) * 86_400_000_000);
    let (own, other) = (
        linked_tables(crm, how),
        linked_tables(&poisoned(crm, day, salt), how),
    );
    let (config, tables) = read(own.0.path(), &own.1);
    let (_, later) = read(other.0.path(), &other.1);
    assert_eq!(tables.leads.ids, later.leads.ids);
    let keys: Vec<Snapshot> = (0..tables.leads.ids.len() as u32)
        .map(|lead| Snapshot { lead, at })
        .collect();
    let specs = plan(&tables, &config.features, &keys).specs;
    let bits = |tables: &Tables| -> Vec<u64> {
        let matrix = compute(tables, &specs, &keys).expect("computable");
        matrix
            .values()
            .iter()
            .map(|value| value.to_bits())
            .collect()
    };
    assert_eq!(bits(&tables), bits(&later));
    // Whether anything was there to be seen.
    let calls = &tables.activities[0];
    (0..tables.leads.ids.len())
        .flat_map(|lead| calls.events_of(lead))
        .any(|event| calls.rows.visible_at(event) < at)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_linked_or_merged_later_leaves_no_trace(
        crm in crm(), day in 60..300_u32, salt in 1..1_000_u32, primary in any::<bool>()
    ) {
        check_look_ahead(&crm, day, salt, primary);
    }
}

/// The proof must itself see events by links and merges.
#[test]
fn what_is_linked_before_is_seen() {
    let link = |deal, lead, since| Link {
        deal,
        lead,
        is_primary: true,
        since,
    };
    let row = |deal, at, what| Row {
        deal,
        at,
        delay: 0,
        what,
    };
    let crm = Crm {
        links: (0..N_DEALS)
            .map(|deal| link(deal, deal, 100))
            .chain([link(0, 3, 20)])
            .collect(),
        merges: [(1, (4, 90))].into(),
        deals: vec![row(0, 200, 0), row(1, 220, 1)],
        calls: vec![row(0, 50, 0), row(1, 60, 1), row(2, 150, 2)],
    };
    assert!(check_look_ahead(&crm, 120, 7, false));
    assert!(check_look_ahead(&crm, 40, 7, false) != check_look_ahead(&crm, 120, 7, false));
}

/// A small CRM with deals of several contacts.
fn small(links: &str, settings: &str) -> tempfile::TempDir {
    let mut leads = "id,created\n".to_owned();
    let mut deals = "deal,closed,stage,amount\n".to_owned();
    for lead in 0..200_u32 {
        let _ = writeln!(leads, "C{lead},{}", time(lead));
    }
    for deal in 0..60_u32 {
        let stage = if deal.is_multiple_of(3) {
            "won"
        } else {
            "lost"
        };
        let _ = writeln!(deals, "D{deal},{},{stage},100", time(100 + deal));
    }
    let config = format!(
        "[leads]\npath = \"leads.csv\"\nid = \"id\"\ncreated_at = \"created\"\n[outcomes]\npath = \"deals.csv\"\nlead = \"deal\"\nvia = \"contacts\"\nclosed_at = \"closed\"\nresult = \"stage\"\nwon = [\"won\"]\nlost = [\"lost\"]\namount = \"amount\"\n[links.contacts]\npath = \"links.csv\"\nfrom = \"deal\"\nlead = \"contact\"\n{settings}[snapshots]\nobservation_end = \"outcomes\"\n"
    );
    folder_with(&[
        ("leads.csv", &leads),
        ("deals.csv", &deals),
        ("links.csv", links),
        ("leadscore.toml", &config),
    ])
}

fn links() -> String {
    let mut links = "deal,contact,main\n".to_owned();
    for deal in 0..60_u32 {
        let _ = writeln!(links, "D{deal},C{deal},yes\nD{deal},C{},no", deal + 100);
    }
    links
}

#[test]
fn what_is_wrong_with_links_is_said() {
    let checked = |links: &str, settings: &str| {
        let folder = small(links, settings);
        let done = leadscore(folder.path(), &["check"]);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
        (done.status.code(), text(done.stdout) + &text(done.stderr))
    };
    let (_, said) = checked(&links(), "");
    assert!(!said.contains("doubt"), "{said}");
    assert!(said.contains("[links.contacts]"), "{said}");
    // Unknown ids, ids twice, and ids that are missing are counted, with the first place.
    let odd = links().replace("D7,", "D700,") + "D0,C0,yes\nD1,,yes\nD2,nobody,no\n";
    let (_, said) = checked(&odd, "");
    for expected in [
        "row has a `deal` that [links.contacts] does not have, such as `D7`; it is of no lead (first: ",
        "link is in the table twice; the earlier time counts",
        "link lacks one of its ids and is left out",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    // Both ends swapped.
    let swapped = links().replace("deal,contact,main", "contact,deal,main");
    let (code, said) = checked(&swapped, "");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("swap its `from` and `lead`"), "{said}");
    // Another export.
    let (code, said) = checked(&links().replace('D', "E"), "");
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("60 rows of 60 have an id that [links.contacts] does not have"),
        "{said}"
    );
    // No primary link.
    let said = refused(
        small(&links(), "primary = \"contact\"\n").path(),
        &["check"],
    );
    assert!(said.contains("no link is a primary one"), "{said}");
}

#[test]
fn configs_of_links_that_cannot_be_meant_are_refused() {
    let refusal = |from: &str, to: &str| {
        let folder = small(&links(), "");
        let path = folder.path().join("leadscore.toml");
        let text = std::fs::read_to_string(&path).expect("written above");
        assert!(text.contains(from), "{from}");
        std::fs::write(&path, text.replace(from, to)).expect("writable");
        refused(folder.path(), &["check"])
    };
    for (from, to, expected) in [
        (
            "via = \"contacts\"",
            "via = \"contact\"",
            "there is no [links.contact]\n",
        ),
        (
            "via = \"contacts\"\n",
            "",
            "no table reaches its leads through [links.contacts]",
        ),
        (
            "from = \"deal\"",
            "from = \"contact\"",
            "`contact` as `from` and as `lead`",
        ),
        ("from = \"deal\"", "from = \"deel\"", "`deel`"),
    ] {
        let said = refusal(from, to);
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

/// The revenue of a deal with two contacts is that of one deal.
#[test]
fn amounts_count_once() {
    let folder = small(&links(), "");
    let config = Config::parse(
        &std::fs::read_to_string(folder.path().join("leadscore.toml")).expect("written"),
    )
    .expect("a config");
    let tables = load(&config, folder.path(), &LoadOptions::default()).expect("readable");
    let total: f64 = tables
        .outcomes
        .iter()
        .filter_map(|outcome| outcome.amount)
        .sum();
    assert_eq!(total, 2_000.0);
    succeed(folder.path(), &["features", "-o", "matrix.csv"]);
}

/// Leads whose events name merged ids; `merges` is the file.
fn merged(merges: &str) -> (Option<i32>, String) {
    let leads = "id,created\nA,2021-01-01T10:00:00\nB,2021-01-02T10:00:00\nC,2021-01-03T10:00:00\n";
    let calls = "lead,at\nA,2021-02-01T10:00:00\nB,2021-02-02T10:00:00\nC,2021-02-03T10:00:00\n";
    let deals = "lead,closed\nC,2021-03-01T10:00:00\n";
    let config = "[leads]\npath = \"leads.csv\"\nid = \"id\"\ncreated_at = \"created\"\n[activities.calls]\npath = \"calls.csv\"\nlead = \"lead\"\nat = \"at\"\n[outcomes]\npath = \"deals.csv\"\nlead = \"lead\"\nclosed_at = \"closed\"\n[merges]\npath = \"merges.csv\"\nfrom = \"old\"\ninto = \"new\"\n[snapshots]\nhorizon = \"5d\"\n";
    let folder = folder_with(&[
        ("leads.csv", leads),
        ("calls.csv", calls),
        ("deals.csv", deals),
        ("merges.csv", &format!("old,new\n{merges}")),
        ("leadscore.toml", config),
    ]);
    let done = leadscore(folder.path(), &["check"]);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
    (done.status.code(), text(done.stdout) + &text(done.stderr))
}

#[test]
fn merges_that_cannot_be_meant_are_refused() {
    for (merges, expected) in [
        ("A,B\nB,A\n", "merges go in a circle: `"),
        ("A,B\nB,C\nC,A\n", "comes back to itself ("),
        ("A,B\nA,C\n", "`A` is merged into `B` ("),
    ] {
        let (code, said) = merged(merges);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    for (merges, expected) in [
        (
            "A,A\nB,C\n",
            "merge is of an id into itself and is left out (first: ",
        ),
        (
            "A,\nB,C\n",
            "merge lacks one of its ids and is left out (first: ",
        ),
        ("A,B\nB,C\n", "2 leads were merged into others"),
    ] {
        let (_, said) = merged(merges);
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

/// Leads of one deal are one case of chance, whenever it closes.
#[test]
fn leads_of_one_deal_are_one_cluster() {
    let folder = small(&links(), "");
    let text = std::fs::read_to_string(folder.path().join("leadscore.toml")).expect("written");
    let (config, tables) = read(folder.path(), &text);
    let (labelled, _) =
        leadscore_features::labelled_snapshots(&tables, &config.snapshots, None).expect("few");
    let keys = leadscore::front_end::cluster_keys(&tables, &labelled.snapshots);
    let mut by_lead: BTreeMap<&str, u64> = BTreeMap::new();
    for (snapshot, key) in labelled.snapshots.iter().zip(&keys) {
        by_lead.insert(&tables.leads.ids[snapshot.lead as usize], *key);
    }
    let mut n_pairs = 0;
    for deal in 0..60 {
        let (one, other) = (format!("C{deal}"), format!("C{}", deal + 100));
        if let (Some(one), Some(other)) = (by_lead.get(one.as_str()), by_lead.get(other.as_str())) {
            assert_eq!(one, other);
            n_pairs += 1;
        }
    }
    let distinct: BTreeSet<&u64> = by_lead.values().collect();
    assert_eq!(distinct.len(), by_lead.len() - n_pairs);
}

/// Two hundred leads, of which every other one is won; `merges` is the file.
fn merged_in_time(merges: &str) -> tempfile::TempDir {
    let mut leads = "id,created\n".to_owned();
    let mut deals = "lead,closed\n".to_owned();
    for lead in 0..200_u32 {
        let _ = writeln!(leads, "C{lead},{}", time(lead % 150));
        if lead % 2 == 0 {
            let _ = writeln!(deals, "C{lead},{}", time(lead % 150 + 50));
        }
    }
    let config = "[leads]\npath = \"leads.csv\"\nid = \"id\"\ncreated_at = \"created\"\n[outcomes]\npath = \"deals.csv\"\nlead = \"lead\"\nclosed_at = \"closed\"\n[merges]\npath = \"merges.csv\"\nfrom = \"old\"\ninto = \"new\"\nat = \"at\"\n[snapshots]\nhorizon = \"30d\"\n[data]\nlatest = \"3000-01-01\"\n";
    folder_with(&[
        ("leads.csv", &leads),
        ("deals.csv", &deals),
        ("merges.csv", &format!("old,new,at\n{merges}")),
        ("leadscore.toml", config),
    ])
}

/// A merge is followed from its day on, and a lead in no table needs none.
#[test]
fn merges_are_followed_as_of_their_day() {
    let folder = merged_in_time(&format!("C1,C3,{}\nC5,C7,2999-01-01T00:00:00\n", time(250)));
    let folder = folder.path();
    succeed(folder, &["train", "--allow-too-few", "-o", "model"]);
    let scored = |as_of: &str| {
        succeed(
            folder,
            &["score", "model", "--as-of", as_of, "-o", "scores.csv"],
        );
        let text = std::fs::read_to_string(folder.join("scores.csv")).expect("written above");
        let is_there = |id: &str| text.lines().any(|line| line.starts_with(&format!("{id},")));
        (is_there("C1"), is_there("C3"), is_there("C5"))
    };
    assert_eq!(scored("2021-08-01"), (true, true, true));
    assert_eq!(scored("2021-10-01"), (false, true, true));
    std::fs::write(
        folder.join("lead.json"),
        "{\"created\":\"2021-05-01T00:00:00Z\"}",
    )
    .expect("writable");
    succeed(folder, &["explain", "model", "--lead-json", "lead.json"]);
}

/// A statement follows a chain to its eighth merge, and says where one is longer.
#[test]
fn statements_follow_eight_merges_in_a_row() {
    let chain = |n_merges: u32, last: &str| {
        let merge = |step: u32| {
            let at = if step + 1 == n_merges {
                last.to_owned()
            } else {
                time(250)
            };
            format!("C{},C{},{at}\n", 2 * step + 1, 2 * step + 3)
        };
        merged_in_time(&(0..n_merges).map(merge).collect::<String>())
    };
    let (past, future) = ("2021-11-01T00:00:00", "2999-01-01T00:00:00");
    let sql = ["features", "--sql", "duckdb", "-o", "x.sql"];
    for folder in [chain(8, past), chain(9, future)] {
        succeed(folder.path(), &sql);
    }
    let longer = chain(9, past);
    succeed(longer.path(), &["features", "-o", "x.csv"]);
    let said = refused(longer.path(), &sql);
    assert!(
        said.contains("[merges] has 9 merges in a row, from `C1` on, and statements follow 8"),
        "{said}"
    );
    assert!(
        said.contains("hint: in every row of this chain, name the id that lives on at its end"),
        "{said}"
    );
}

/// A lead in no table is scored by a model whose outcomes come by links.
#[test]
fn a_lead_in_no_table_needs_no_links() {
    let folder = small(&links(), "");
    let folder = folder.path();
    succeed(folder, &["train", "--allow-too-few", "-o", "model"]);
    std::fs::write(
        folder.join("lead.json"),
        "{\"created\":\"2021-05-01T00:00:00Z\"}",
    )
    .expect("writable");
    succeed(folder, &["explain", "model", "--lead-json", "lead.json"]);
}
