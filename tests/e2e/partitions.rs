//! Memory decides how many leads are worked on at once, and nothing else: the matrix is the same in
//! one part and in many.
#![allow(missing_docs, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use leadscore::{Data, FeatureOptions, Inputs, ScoreOptions, score, write_features};
use leadscore_config::Config;
use leadscore_core::{FeatureMatrix, FeatureSource, Timestamp};
use leadscore_dataset::{LoadOptions, Note, Tables};
use leadscore_features::{Survey, compute, labelled_snapshots, survey};
use leadscore_io::{PartitionOptions, Partitions, TableWriter, Wanted, load};
use leadscore_tests::{NEWS_OUTCOMES_HISTORY, folder_with, leadscore, succeed};

const TABLES: &str = r#"
[leads]
path = "leads.csv"
id = "id"
created_at = "created"
recorded_at = "entered"
account = "account"
types.color = { set = ";" }

[lookups.accounts]
path = "accounts.csv"
key = "account"
changed_at = "since"

[activities.visits]
path = "visits.csv"
lead = "lead"
at = "at"
recorded_at = "recorded"
kind = ["kind", "device"]
types.device = "words"
values = ["pages"]
"#;

fn config_text() -> String {
    format!("{TABLES}{NEWS_OUTCOMES_HISTORY}\n[features]\nfamilies = [\"all\"]\nmax_kinds = 3\n")
}

/// A CRM of CSV files with everything that a config can name, some rows of nobody, some cells
/// missing.
fn crm(n_leads: usize) -> tempfile::TempDir {
    let date = |days: usize| format!("2020-{:02}-{:02}", 1 + days / 28 % 12, 1 + days % 28);
    let mut leads = "id,created,account,size,color,code,entered\n".to_owned();
    let (mut visits, mut outcomes) = (
        "lead,at,recorded,kind,device,pages\n".to_owned(),
        "lead,closed,result\n".to_owned(),
    );
    let mut history = "lead,attribute,value,changed\n".to_owned();
    for lead in 0..n_leads {
        let account = if lead % 7 == 0 {
            String::new()
        } else {
            format!("A{}", lead * lead % 40)
        };
        let size = if lead % 5 == 0 {
            String::new()
        } else {
            (lead % 17).to_string()
        };
        let _ = writeln!(
            leads,
            "L{lead},{}T08:00:00,{account},{size},c{};x,{:03},{}T08:00:00",
            date(lead % 150),
            lead % 4,
            95 + lead % 9,
            date(lead % 150 + [0, 0, 0, 12][lead % 4]),
        );
        for visit in 0..lead % 6 {
            let (day, delay) = (
                lead % 150 + visit * 9,
                if (lead + visit) % 4 == 0 { 20 } else { 0 },
            );
            let pages = if visit == 2 {
                String::new()
            } else {
                format!("{}.5", lead % 8)
            };
            let _ = writeln!(
                visits,
                "L{lead},{}T10:00:00,{}T11:00:00,k{},d{},{pages}",
                date(day),
                date(day + delay),
                (lead + visit) % 6,
                visit % 2
            );
        }
        if lead % 3 != 0 {
            let _ = writeln!(
                outcomes,
                "L{lead},{},{}",
                date(lead % 150 + 40),
                ["won", "lost", "open"][lead % 4 % 3]
            );
        }
        let _ = writeln!(
            history,
            "L{lead},stage,s{},{}",
            lead % 3,
            date(lead % 150 + 3)
        );
        let _ = writeln!(
            history,
            "L{lead},budget,{},{}",
            lead % 11,
            date(lead % 150 + 12)
        );
    }
    visits.push_str("nobody,2020-03-01T10:00:00,2020-03-01T10:00:00,k0,d0,1\n");
    let mut accounts = "account,since,industry,staff\n".to_owned();
    let mut news = "account,at,topic\n".to_owned();
    for account in 0..40 {
        let _ = writeln!(
            accounts,
            "A{account},2019-01-01,i{},{}\nA{account},2020-04-{:02},i{},",
            account % 4,
            account,
            1 + account % 28,
            account % 3
        );
        let _ = writeln!(news, "A{account},{},t{}", date(account * 5), account % 3);
    }
    folder_with(&[
        ("leadscore.toml", &config_text()),
        ("leads.csv", &leads),
        ("visits.csv", &visits),
        ("outcomes.csv", &outcomes),
        ("history.csv", &history),
        ("accounts.csv", &accounts),
        ("news.csv", &news),
    ])
}

/// Cells of each snapshot by lead and time: bits of numbers, names of levels.
type Rows = BTreeMap<(String, i64), Vec<String>>;

fn add_rows(tables: &Tables, matrix: &FeatureMatrix, rows: &mut Rows) {
    for (row, key) in matrix.keys().iter().enumerate() {
        let cell = |idx: usize| match matrix.is_category(idx) {
            true => format!("{:?}", matrix.level(row, idx)),
            false => format!("{:x}", matrix.values()[[row, idx]].to_bits()),
        };
        let before = rows.insert(
            (tables.leads.ids[key.lead as usize].clone(), key.at.micros()),
            (0..matrix.n_features()).map(cell).collect(),
        );
        assert!(before.is_none(), "a snapshot stands in two parts");
    }
}

fn in_parts(config: &Config, folder: &Path, memory: u64) -> (usize, Rows, Vec<String>) {
    let seen = std::sync::atomic::AtomicUsize::new(0);
    let progress = |done: usize, total: usize| {
        assert!(done <= total);
        seen.fetch_max(done, std::sync::atomic::Ordering::Relaxed);
    };
    let how = PartitionOptions {
        memory,
        spill: folder.to_owned(),
        progress: &progress,
        wanted: None,
    };
    let partitions = Partitions::new(config, folder, &LoadOptions::default(), &how)
        .expect("the tables are right");
    let parts: Vec<Tables> = (0..partitions.n_parts())
        .map(|part| partitions.load(part).expect("as it was written"))
        .collect();
    assert!(seen.into_inner() > 0);
    let mut all = Survey::default();
    let mut notes = partitions.notes.clone();
    for tables in &parts {
        all.add(survey(
            tables,
            &labelled_snapshots(tables, &config.snapshots, None)
                .expect("few")
                .0
                .snapshots,
        ));
        Note::merge(&mut notes, tables.notes.clone());
    }
    let specs = all.plan(&config.features).specs;
    let mut rows = Rows::new();
    for tables in &parts {
        let matrix = compute(
            tables,
            &specs,
            &labelled_snapshots(tables, &config.snapshots, None)
                .expect("few")
                .0
                .snapshots,
        )
        .expect("computable");
        add_rows(tables, &matrix, &mut rows);
    }
    rows.insert(
        ("names".to_owned(), 0),
        specs.into_iter().map(|spec| spec.name).collect(),
    );
    let mut notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
    notes.sort();
    (partitions.n_parts(), rows, notes)
}

#[test]
fn parts_give_the_matrix_of_the_whole() {
    let folder = crm(9_000);
    let config = Config::parse(&config_text()).expect("the config is right");
    let tables =
        load(&config, folder.path(), &LoadOptions::default()).expect("the tables are right");
    let (labelled, _) = labelled_snapshots(&tables, &config.snapshots, None).expect("few");
    let specs = leadscore_features::plan(&tables, &config.features, &labelled.snapshots).specs;
    let matrix = compute(&tables, &specs, &labelled.snapshots).expect("computable");
    let mut whole = Rows::new();
    add_rows(&tables, &matrix, &mut whole);
    whole.insert(
        ("names".to_owned(), 0),
        specs.into_iter().map(|spec| spec.name).collect(),
    );
    assert!(whole.len() > 5_000);
    let mut notes: Vec<String> = tables.notes.iter().map(ToString::to_string).collect();
    notes.sort();
    let (many, rows, found) = in_parts(&config, folder.path(), 0);
    assert!(many > 5, "{many}");
    assert_eq!(found, notes);
    assert!(rows == whole, "the rows of {many} parts differ");
    let (few, rows, _) = in_parts(&config, folder.path(), 320_000_000);
    assert!(few < many, "{few}");
    assert!(rows == whole, "the rows of {few} parts differ");
    // Nothing is left of what waited on disk.
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("readable").count(),
        7
    );
}

#[test]
fn only_rows_of_wanted_leads_are_kept() {
    let folder = crm(900);
    let config = Config::parse(&config_text()).expect("the config is right");
    let n_events = |whole: &[&str]| {
        // Those that never close.
        let leads = |tables: &Tables| {
            tables
                .outcomes
                .iter()
                .map(|outcome| outcome.closed.is_none())
                .collect()
        };
        let how = PartitionOptions {
            memory: 0,
            spill: folder.path().to_owned(),
            progress: &|_, _| {},
            wanted: Some(Wanted {
                leads: &leads,
                whole,
            }),
        };
        let partitions = Partitions::new(&config, folder.path(), &LoadOptions::default(), &how)
            .expect("the tables are right");
        let mut counts: BTreeMap<String, [usize; 2]> = BTreeMap::new();
        for part in 0..partitions.n_parts() {
            let tables = partitions.load(part).expect("as it was written");
            assert_eq!(tables.leads.ids.len(), tables.outcomes.len());
            for activities in tables.activities.iter() {
                for owner in 0..activities.n_entities() {
                    let is_closed =
                        activities.name == "visits" && tables.outcomes[owner].closed.is_some();
                    counts.entry(activities.name.clone()).or_default()[usize::from(is_closed)] +=
                        activities.events_of(owner).len();
                }
            }
        }
        counts
    };
    let (all, open) = (n_events(&["visits"]), n_events(&[]));
    assert!(all["visits"][1] > 100, "{all:?}");
    assert_eq!(open["visits"], [all["visits"][0], 0]);
    assert_eq!(open["news"], all["news"]);
}

#[test]
fn what_a_killed_run_left_is_removed() {
    let folder = crm(300);
    // Its lock is free, because whoever held it is gone.
    let abandoned = folder.path().join(".leadscore-spill-killed");
    std::fs::create_dir(&abandoned).expect("room");
    std::fs::write(abandoned.join("lock"), "").expect("room");
    std::fs::write(abandoned.join("0-0"), "rows").expect("room");
    // Another run is at work in this one.
    let used = folder.path().join(".leadscore-spill-used");
    std::fs::create_dir(&used).expect("room");
    let lock = std::fs::File::create(used.join("lock")).expect("room");
    lock.lock().expect("free");
    let config = Config::parse(&config_text()).expect("the config is right");
    in_parts(&config, folder.path(), 0);
    assert!(!abandoned.exists());
    assert!(used.exists());
}

#[test]
fn errors_of_parts_name_the_place_in_the_file() {
    let folder = crm(300);
    let config = Config::parse(&config_text()).expect("the config is right");
    let fails = |file: &str, from: &str, to: &str| {
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).expect("there");
        std::fs::write(&path, text.replacen(from, to, 1)).expect("room");
        let how = PartitionOptions {
            memory: 0,
            spill: folder.path().to_owned(),
            progress: &|_, _| {},
            wanted: None,
        };
        let result = Partitions::new(&config, folder.path(), &LoadOptions::default(), &how)
            .and_then(|partitions| {
                (0..partitions.n_parts())
                    .map(|part| partitions.load(part).map(drop))
                    .collect::<Result<Vec<()>, _>>()
            });
        std::fs::write(&path, text).expect("room");
        result
            .expect_err("something is wrong")
            .to_string()
            .replace(&folder.path().display().to_string(), "")
    };
    let words = fails("visits.csv", ",2.5", ",lots");
    assert!(words.contains("[activities.visits] column `pages` (/visits.csv, line 3): nearly all cells are numbers, and `lots` is none"), "{words}");
    assert!(
        fails("leads.csv", "L7,", "L8,").contains("/leads.csv, line"),
        "{}",
        fails("leads.csv", "L7,", "L8,")
    );
    // Its twin has another account, and so is in another part.
    let twice = fails("leads.csv", "\nL7,", "\nL8,");
    assert!(
        twice.contains("the lead `L8` appears a second time"),
        "{twice}"
    );
    assert!(fails("leads.csv", "account,", "firm,").contains("no column `account`"));
}

fn open(folder: &Path) -> Data {
    leadscore::Config::read(folder.join("leadscore.toml"))
        .and_then(|config| Data::open(&config, Inputs::default()))
        .expect("the config is right")
}

/// A score file of these tables within a limit of memory.
fn score_file(folder: &Path, as_of: Option<Timestamp>, memory: Option<u64>) -> String {
    let mut data = open(folder);
    if let Some(as_of) = as_of {
        data = data.as_of(as_of);
    }
    let model = leadscore::read_model(&folder.join("model")).expect("a model");
    let options = ScoreOptions {
        intervals: true,
        memory,
        spill: Some(folder.to_owned()),
    };
    let scores = score(&data, &model, &options).expect("leads are open");
    let mut writer = TableWriter::create(&folder.join("scores.csv")).expect("room");
    scores
        .for_each_part(|part| Ok(writer.write(&part)?))
        .expect("room");
    writer.finish().expect("room");
    std::fs::read_to_string(folder.join("scores.csv")).expect("written")
}

#[test]
fn scores_of_parts_are_those_of_the_whole() {
    // One whose features look at the account's other leads, closed ones too, and one where they
    // look at nobody else.
    let with_accounts = crm(3_000);
    let few = config_text().replace(
        "families = [\"all\"]",
        "families = [\"attributes\", \"account\"]",
    );
    std::fs::write(with_accounts.path().join("leadscore.toml"), few).expect("room");
    succeed(with_accounts.path(), &["train", "-o", "model"]);
    let model = leadscore::read_model(&with_accounts.path().join("model")).expect("a model");
    assert!(
        model
            .specs
            .iter()
            .any(|spec| matches!(&spec.source, FeatureSource::Peers { .. }))
    );
    let simulated = tempfile::tempdir().expect("a temporary folder");
    succeed(
        simulated.path(),
        &[
            "simulate", "--leads", "4000", "--format", "csv", "--out", ".",
        ],
    );
    succeed(
        simulated.path(),
        &["train", "--as-of", "2025-06-01", "-o", "model"],
    );
    for (folder, as_of) in [(&with_accounts, (2020, 8, 1)), (&simulated, (2025, 6, 1))] {
        for as_of in [Timestamp::from_ymd(as_of.0, as_of.1, as_of.2), None] {
            let whole = score_file(folder.path(), as_of, None);
            assert!(whole.lines().count() > 50);
            assert!(
                score_file(folder.path(), as_of, Some(0)) == whole,
                "as of {as_of:?}"
            );
        }
    }
}

#[test]
fn the_command_is_the_same_under_any_limit() {
    let folder = crm(2_000);
    succeed(folder.path(), &["features", "-o", "a.csv"]);
    succeed(
        folder.path(),
        &["features", "-o", "c.csv", "--memory", "400MB"],
    );
    let data = open(folder.path());
    write_features(
        &data,
        &FeatureOptions {
            memory: Some(0),
            ..FeatureOptions::default()
        },
        &folder.path().join("b.csv"),
    )
    .expect("room");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("written");
    assert!(read("a.csv") == read("b.csv"));
    assert!(read("a.csv") == read("c.csv"));
    for line in [&["features"][..], &["score", "model"]] {
        let output = leadscore(
            folder.path(),
            &[line, &["-o", "c.csv", "--memory", "2 cows"]].concat(),
        );
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("such as 512MB or 2GB"));
    }
}
