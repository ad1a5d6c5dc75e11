//! From the exports of five CRMs to a ranked list: a made company in the files of each.
#![allow(missing_docs, reason = "tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use leadscore_core::Timestamp;
use leadscore_tests::crm_exports::{
    File, Lead, World, dynamics, hubspot, odoo, pipedrive, salesforce,
};
use leadscore_tests::{leadscore, refused, say, succeed};

/// A folder of this test that stays, so that somebody can look at it.
fn folder(name: &str, files: &[File]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("exports-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("exports")).expect("can be made");
    for (name, content) in files {
        std::fs::write(folder.join("exports").join(name), content).expect("can be written");
    }
    folder
}

/// The likelihoods of a list, by lead.
fn likelihoods(folder: &Path) -> BTreeMap<String, f64> {
    let mut reader = csv::Reader::from_path(folder.join("list.csv")).expect("is there");
    let headers = reader.headers().expect("has a header").clone();
    let place = headers
        .iter()
        .position(|name| name == "likelihood_to_close")
        .expect("has likelihoods");
    let records = reader
        .records()
        .map(|record| record.expect("is well-formed"));
    // Leads that closed have none.
    records
        .filter(|record| !record[place].is_empty())
        .map(|record| {
            let likelihood = record[place].parse().expect("is a number");
            (record[0].to_owned(), likelihood)
        })
        .collect()
}

/// The share of pairs of leads that are in the order of their true strength.
fn concordance(list: &BTreeMap<String, f64>, leads: &[(&Lead, String)]) -> f64 {
    let rated: Vec<(f64, f64)> = leads
        .iter()
        .filter_map(|(lead, id)| Some((lead.strength, *list.get(id)?)))
        .collect();
    let (mut right, mut all) = (0.0, 0.0);
    for (at, (strength, likelihood)) in rated.iter().enumerate() {
        for (other, rated) in &rated[..at] {
            all += 1.0;
            let agrees = (strength - other) * (likelihood - rated);
            right += if agrees > 0.0 {
                1.0
            } else if agrees == 0.0 {
                0.5
            } else {
                0.0
            };
        }
    }
    right / all
}

/// From the files to the list, in three commands.
fn list_of(folder: &Path) -> BTreeMap<String, f64> {
    succeed(folder, &["init", "exports"]);
    succeed(folder, &["train", "-o", "model.bin"]);
    succeed(folder, &["score", "model.bin", "-o", "list.csv"]);
    likelihoods(folder)
}

fn config_of(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("leadscore.toml")).expect("is there")
}

/// The list of a product's files: all open leads of the world, mostly in their true order.
fn ranked(name: &str, files: &[File], world: &World, id: &dyn Fn(usize) -> String) {
    let folder = folder(name, files);
    let start = Instant::now();
    let list = list_of(&folder);
    let seconds = start.elapsed().as_secs_f64();
    let check = leadscore(&folder, &["check"]);
    assert!(
        check.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&check.stderr)
    );
    let config = config_of(&folder);
    assert!(!config.contains("# question:"), "{config}");
    let open: Vec<(&Lead, String)> = world
        .leads
        .iter()
        .filter(|lead| lead.is_open(world))
        .map(|lead| (lead, id(lead.number)))
        .collect();
    assert_eq!(list.len(), open.len(), "{name}: open leads in the list");
    let recent: Vec<(&Lead, String)> = open
        .into_iter()
        .filter(|(lead, _)| lead.created > 910 * 24 * 60)
        .collect();
    let share = concordance(&list, &recent);
    assert!(share > 0.7, "{name}: {share}");
    say(&format!(
        "{name}: {} leads from the files to the list in {seconds:.1} s; {:.1} % of the pairs of recent leads are in their true order",
        world.leads.len(),
        100.0 * share
    ));
}

#[test]
fn exports_give_a_ranked_list() {
    let world = World::new(3_000, 11);
    ranked("hubspot", &hubspot(&world), &world, &|number| {
        (10_250_000_000 + number as u64).to_string()
    });
    // The leads of the deals of others are known in HubSpot's files alone.
    let mut alone = World::new(3_000, 11);
    alone.without_shared_deals();
    ranked("salesforce", &salesforce(&alone), &alone, &|number| {
        format!("00Q5g00000{number:06}AAA")
    });
    ranked("pipedrive", &pipedrive(&alone), &alone, &|number| {
        (number + 1).to_string()
    });
    ranked("dynamics", &dynamics(&alone), &alone, &|number| {
        format!("{:08x}-1c2d-ee11-8179-{number:012x}", 1)
    });
    ranked("odoo", &odoo(&alone), &alone, &|number| {
        (number + 1).to_string()
    });
}

/// The files with other names of columns.
fn renamed(files: &[File], names: &[(&str, &str)]) -> Vec<File> {
    files
        .iter()
        .map(|(file, content)| {
            let (header, rows) = content.split_once('\n').expect("has a header");
            let columns = header.trim_end_matches('\r').split(',');
            let columns: Vec<&str> = columns
                .map(|column| {
                    let bare = column.trim_start_matches('\u{feff}');
                    let new = names.iter().find(|(old, _)| *old == bare);
                    new.map_or(column, |(_, new)| new)
                })
                .collect();
            (*file, format!("{}\n{rows}", columns.join(",")))
        })
        .collect()
}

/// That two folders give the same list.
fn assert_same(name: &str, files: &[File], others: &[File]) {
    let list = list_of(&folder(name, files));
    let other = list_of(&folder(&format!("{name}-other"), others));
    assert!(list.keys().eq(other.keys()), "{name}: other leads");
    for (lead, likelihood) in &list {
        let difference = (likelihood - other[lead]).abs();
        assert!(difference < 1e-6, "{name}: {lead} differs by {difference}");
    }
}

#[test]
fn labels_and_internal_names_are_the_same() {
    let world = World::new(1_200, 5);
    let files = hubspot(&world);
    let internal = [
        ("Record ID", "hs_object_id"),
        ("Create Date", "createdate"),
        ("Lifecycle Stage", "lifecyclestage"),
        ("Lead Status", "hs_lead_status"),
        ("HubSpot Score", "hubspotscore"),
        ("Deal Stage", "dealstage"),
        ("Close Date", "closedate"),
        ("Amount", "amount"),
        ("Is Closed Won", "hs_is_closed_won"),
        ("Number of Pageviews", "hs_analytics_num_page_views"),
        ("Number of Sessions", "hs_analytics_num_visits"),
        ("Activity date", "hs_timestamp"),
        ("Associated Contact IDs", "associated contact ids"),
    ];
    assert_same("hubspot-names", &files, &renamed(&files, &internal));
    let files = salesforce(&world);
    let mut labelled = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let id = ["Lead ID", "Opportunity ID", "Activity ID"][number];
        let names = [
            ("Id", id),
            ("LeadSource", "Lead Source"),
            ("IsConverted", "Converted"),
            ("ConvertedDate", "Converted Date"),
            ("CreatedDate", "Created Date"),
            ("StageName", "Stage"),
            ("CloseDate", "Close Date"),
            ("IsWon", "Won"),
            ("IsClosed", "Closed"),
            ("Status", "Lead Status"),
        ];
        labelled.extend(renamed(std::slice::from_ref(file), &names));
    }
    assert_same("salesforce-names", &files, &labelled);
    let files = odoo(&world);
    let labels = [
        ("create_date", "Created on"),
        ("stage_id", "Stage"),
        ("probability", "Probability"),
        ("date_closed", "Closed Date"),
        ("expected_revenue", "Expected Revenue"),
        ("active", "Active"),
        ("res_id", "Related Document ID"),
        ("message_type", "Type"),
        ("date", "Date"),
    ];
    assert_same("odoo-names", &files, &renamed(&files, &labels));
}

#[test]
fn exports_in_several_files_are_one() {
    let world = World::new(1_200, 6);
    let files = salesforce(&world);
    let (leads, rest) = files.split_first().expect("has leads");
    let header_end = leads.1.find('\n').expect("has a header") + 1;
    let middle = leads.1[leads.1.len() / 2..]
        .find("\n00Q5g")
        .expect("has rows")
        + leads.1.len() / 2
        + 1;
    let second = format!("{}{}", &leads.1[..header_end], &leads.1[middle..]);
    let mut split = vec![
        ("Lead.csv", leads.1[..middle].to_owned()),
        ("Lead2.csv", second),
    ];
    split.extend(rest.iter().cloned());
    assert_same("salesforce-split", &files, &split);
    let config =
        config_of(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("exports-salesforce-split-other"));
    assert!(
        config.contains("path = [\"exports/Lead.csv\", \"exports/Lead2.csv\"]"),
        "{config}"
    );
}

/// The config that `init` writes for some of the files.
fn written(name: &str, files: &[File]) -> String {
    let folder = folder(name, files);
    succeed(&folder, &["init", "exports"]);
    let check = leadscore(&folder, &["check"]);
    let config = config_of(&folder);
    assert!(
        check.status.success(),
        "{name}: {}\n{config}",
        String::from_utf8_lossy(&check.stderr)
    );
    config
}

#[test]
fn leads_alone_say_what_they_became() {
    let world = World::new(1_200, 7);
    let config = written("hubspot-alone", &hubspot(&world)[..1]);
    assert!(
        config.contains("closed_at = \"Became a Customer Date\""),
        "{config}"
    );
    let config = written("salesforce-alone", &salesforce(&world)[..1]);
    assert!(config.contains("closed_at = \"ConvertedDate\""), "{config}");
}

#[test]
fn flags_say_what_stages_mean() {
    let world = World::new(1_200, 8);
    let own_words = |files: Vec<File>| -> Vec<File> {
        let change = |text: String| {
            text.replace("Closed Won", "Onboarding")
                .replace("Closed Lost", "Parked")
                .replace("Contract Sent", "Won over but not signed")
        };
        let files = files.into_iter();
        files.map(|(name, text)| (name, change(text))).collect()
    };
    let words = [
        "won = [\"Onboarding\"]\n",
        "lost = [\"Parked\"]\n",
        "open = [\"Appointment Scheduled\", \"Qualified To Buy\", \"Won over but not signed\"]\n",
    ];
    let files = own_words(hubspot(&world));
    let files = renamed(&files, &[("Is Onboarding", "Is Closed Won")]);
    let config = written("hubspot-words", &files);
    assert!(words.iter().all(|line| config.contains(line)), "{config}");
    let config = written("salesforce-words", &own_words(salesforce(&world)));
    assert!(words.iter().all(|line| config.contains(line)), "{config}");
    // Without flags, nobody guesses which stage is a win.
    let files = renamed(
        &files,
        &[("Is Closed Won", "Flag 1"), ("Is Deal Closed?", "Flag 2")],
    );
    let folder = folder("hubspot-no-flags", &files);
    succeed(&folder, &["init", "exports"]);
    let config = config_of(&folder);
    assert!(config.contains("won = []   # question:"), "{config}");
}

/// Files with other cells, each in quotes.
fn rewritten(files: &[File], cell: impl Fn(&str, &str) -> String) -> Vec<File> {
    let rewrite = |text: &str| {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let mut writer = csv::WriterBuilder::new()
            .quote_style(csv::QuoteStyle::Always)
            .from_writer(Vec::new());
        let header = reader.headers().expect("has a header").clone();
        writer.write_record(&header).expect("fits");
        for record in reader.records() {
            let record = record.expect("is well-formed");
            let cells = header
                .iter()
                .zip(&record)
                .map(|(name, own)| cell(name, own));
            writer.write_record(cells).expect("fits");
        }
        String::from_utf8(writer.into_inner().expect("is in memory")).expect("is a text")
    };
    files
        .iter()
        .map(|(name, text)| (*name, rewrite(text)))
        .collect()
}

#[test]
fn quotes_and_local_times_change_nothing() {
    let world = World::new(1_200, 12);
    let files = hubspot(&world);
    assert_same(
        "hubspot-quoted",
        &files,
        &rewritten(&files, |_, cell| cell.to_owned()),
    );
    // Of the same minutes, as people in America write them.
    let american = rewritten(&files, |_, cell| match Timestamp::parse_iso(cell) {
        Some((at, _, _)) if cell.len() == 16 => {
            let at = at.naive().expect("within the calendar");
            at.format("%-m/%-d/%Y %-I:%M %p").to_string()
        }
        _ => cell.to_owned(),
    });
    assert!(american[0].1.contains(" PM"), "{}", &american[0].1[..2_000]);
    assert_same("hubspot-american", &files, &american);
    let files = odoo(&world);
    let upper: Vec<File> = files
        .iter()
        .map(|(name, text)| {
            let (header, rest) = text.split_once('\n').expect("has a header");
            (*name, format!("{}\n{rest}", header.to_uppercase()))
        })
        .collect();
    assert_same("odoo-upper", &files, &upper);
}

#[test]
fn what_is_left_aside_is_asked_about() {
    let world = World::new(1_200, 13);
    let lines = |config: &str| -> String {
        let is_one = |line: &&str| line.contains("question: ") || line.contains("is not used");
        config
            .lines()
            .filter(is_one)
            .fold(String::new(), |text, line| text + line + "\n")
    };
    let mut said = String::new();
    let mut ask = |name: &str, files: &[File]| {
        let folder = folder(&format!("aside-{name}"), files);
        succeed(&folder, &["init", "exports"]);
        said.push_str(&format!("{name}\n{}", lines(&config_of(&folder))));
        let check = leadscore(&folder, &["check"]);
        let checked = String::from_utf8_lossy(&check.stderr).into_owned()
            + &String::from_utf8_lossy(&check.stdout);
        let is_about =
            |line: &&str| line.contains("not in `won`") || line.contains("no row is lost");
        checked
            .lines()
            .filter(is_about)
            .for_each(|line| said.push_str(&format!("{line}\n")));
    };
    let contacts = hubspot(&world);
    ask(
        "no ids of contacts",
        &renamed(&contacts, &[("Associated Contact IDs", "Who")]),
    );
    let leads = salesforce(&world);
    ask(
        "no ids of opportunities",
        &renamed(&leads, &[("ConvertedOpportunityId", "Other")]),
    );
    // A second pipeline, whose words nobody knows, and no flags.
    let unflagged = renamed(
        &contacts,
        &[("Is Closed Won", "Flag 1"), ("Is Deal Closed?", "Flag 2")],
    );
    let pipelines = rewritten(&unflagged, |column, cell| match (column, cell) {
        ("Deal Stage", "Contract Sent") => "Vertrag liegt vor".to_owned(),
        ("Deal Stage", "Closed Lost") => "Kein Interesse".to_owned(),
        _ => cell.to_owned(),
    });
    ask("another pipeline", &pipelines);
    let deals = rewritten(&pipedrive(&world), |column, cell| match (column, cell) {
        ("Deal - Status", "Lost") => "Deleted".to_owned(),
        _ => cell.to_owned(),
    });
    ask("deleted deals", &deals);
    let timed = rewritten(&leads[..1], |column, cell| match (column, cell) {
        ("IsDeleted", "true") => "2024-05-01T10:00:00.000Z".to_owned(),
        ("IsDeleted", _) => String::new(),
        _ => cell.to_owned(),
    });
    let mut times = renamed(&timed, &[("\"IsDeleted\"", "deleted_at")]);
    times.extend(leads[1..].iter().cloned());
    ask("times of deletions", &times);
    let mut unclear = rewritten(&leads[..1], |column, cell| match (column, cell) {
        ("IsDeleted", "true") => "gone".to_owned(),
        _ => cell.to_owned(),
    });
    unclear.extend(leads[1..].iter().cloned());
    ask("words of deletions", &unclear);
    let mut mixed = odoo(&world);
    mixed.push(("contacts.csv", contacts[0].1.clone()));
    ask("a file of another product", &mixed);
    insta::assert_snapshot!(said);
}

#[test]
fn what_is_missing_is_named() {
    let world = World::new(60, 9);
    let (hubspot, salesforce) = (hubspot(&world), salesforce(&world));
    let mut messages = String::new();
    let mut ask = |name: &str, files: &[File], more: &[&str]| {
        let folder = folder(&format!("missing-{name}"), files);
        let mut args = vec!["init", "exports"];
        args.extend(more);
        messages.push_str(&format!("{name}\n{}\n", refused(&folder, &args)));
    };
    ask("deals alone", &hubspot[1..2], &[]);
    ask("opportunities alone", &salesforce[1..2], &[]);
    ask("tasks alone", &salesforce[2..], &[]);
    let plain = [("leads.csv", "a,b\n1,2\n".to_owned())];
    ask("no CRM", &plain, &[]);
    ask("another CRM", &hubspot, &["--from", "odoo"]);
    ask("no files", &[], &[]);
    ask("roles and files", &hubspot, &["--leads", "x.csv"]);
    let mut other = hubspot.clone();
    other.push(("more.csv", other[0].1.replacen("Persona", "Character", 1)));
    ask("two kinds of contacts", &other, &[]);
    let dynamics = dynamics(&world);
    ask("leads without opportunities", &dynamics[..1], &[]);
    ask("a CRM that is not known", &hubspot, &["--from", "sugar"]);
    insta::assert_snapshot!(messages);
}

#[test]
fn files_of_no_export_are_read_by_their_columns() {
    let world = World::new(1_200, 10);
    let mut files = hubspot(&world);
    let mut visits = "contact,visited at,page\n".to_owned();
    for number in 0..400 {
        use std::fmt::Write as _;
        let _ = writeln!(
            visits,
            "{},2024-{:02}-28 10:00,pricing",
            10_250_000_000_u64 + number,
            1 + number % 12
        );
    }
    files.push(("visits.csv", visits));
    files.push(("budget.csv", "quarter,euros\n1,200\n".to_owned()));
    let config = written("hubspot-more", &files);
    assert!(config.contains("[activities.visits]"), "{config}");
    assert!(
        config.contains("# \"exports/budget.csv\" is not used"),
        "{config}"
    );
}
