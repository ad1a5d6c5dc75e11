//! Every key that says what tables are, one line each: either the tables of the store are those of
//! the files, to the bit, or the key is refused wherever a store is loaded, by name and with what to
//! do.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use leadscore::{Config, Data, FeatureOptions, Inputs, export_store, feature_table};
use leadscore_core::{Span, Timestamp};
use leadscore_live::{Door, import};
use leadscore_store::{Store, StoreOptions};

const CONFIG: &str = r#"
[leads]
path = "leads.csv"
id = "lead"
created_at = "created"
account = "account"
types = { renewal = "days", interests = { set = ";" }, title = "words" }
# leads

[history]
path = "history.csv"
lead = "lead"
attribute = "field"
value = "new"
old_value = "old"
changed_at = "at"
complete = true
# history

[lookups.accounts]
path = "accounts.csv"
key = "account"
changed_at = "since"
# accounts

[activities.touches]
path = "touches.csv"
lead = "lead"
at = "at"
kind = ["kind"]
values = ["minutes"]
# touches

[activities.visits]
path = "visits.csv"
account = "account"
at = "at"
# visits

[outcomes]
path = "outcomes.csv"
lead = "lead"
closed_at = "closed"
result = "result"
won = ["won"]
lost = ["lost"]
# outcomes

[features]
families = ["all"]

[snapshots]
horizon = "90d"
# snapshots

[data]
contradicting_changes = 1.0
unmatched_rows = 1.0
closed_before_creation = 1.0
slow_closings = 1.0
# data
"#;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// Numbers that look random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len() as u64) as usize]
    }

    fn moment(&mut self, from: Timestamp, n_days: u64) -> Timestamp {
        from + Span::from_micros(
            i64::try_from(self.below(n_days * 86_400)).expect("few") * 1_000_000,
        )
    }
}

/// Writes the files of a company.
fn write_files(folder: &Path) {
    let mut dice = Dice(3);
    let sizes = ["small", "medium", "large"];
    let mut leads =
        "lead,created,account,size,seats,renewal,interests,title,points,entered\n".to_owned();
    let mut history = "lead,field,old,new,at,number\n".to_owned();
    let mut touches = "lead,at,kind,minutes,entered\n".to_owned();
    let mut outcomes = "lead,closed,result,amount,entered\n".to_owned();
    let mut visits = "account,at\n".to_owned();
    let mut accounts = "account,region,staff,since\n".to_owned();
    for account in 0..25 {
        for since in ["2020-01-01T00:00:00Z", "2024-06-01T08:00:00Z"] {
            let region = dice.of(&["north", "south", "east"]);
            let _ = writeln!(accounts, "A{account},{region},{},{since}", dice.below(900));
        }
        for _ in 0..dice.below(9) {
            let _ = writeln!(visits, "A{account},{}", dice.moment(at("2024-01-01"), 400));
        }
    }
    for lead in 0..160 {
        let created = dice.moment(at("2024-01-01"), 420);
        let account = match dice.below(5) {
            0 => String::new(),
            _ => format!("A{}", dice.below(25)),
        };
        let (old, size) = (dice.of(&sizes), dice.of(&sizes));
        let interests = dice.of(&["mining;books", "books", "", "sea; books"]);
        let title = dice.of(&["Head of Sales", "Sales", "Chief Mining Officer", ""]);
        let entered = dice.moment(created, 9);
        let _ = writeln!(
            leads,
            "L{lead},{created},{account},{size},{},{},{interests},{title},{},{entered}",
            dice.of(&["1", "7", "30", "n/a", "2.5"]),
            &dice.moment(created, 300).to_string()[..10],
            dice.below(100),
        );
        if old != size && dice.below(2) == 0 {
            let changed = dice.moment(created, 60);
            let _ = writeln!(history, "L{lead},size,{old},{size},{changed},{lead}");
        }
        for _ in 0..dice.below(8) {
            let when = dice.moment(created, 80);
            let _ = writeln!(
                touches,
                "L{lead},{when},{},{},{}",
                dice.of(&["call", "mail", "demo"]),
                dice.below(300) as f64 / 8.0,
                dice.moment(when, 5),
            );
        }
        let closed = dice.moment(created, 80);
        let result = dice.of(&["won", "lost", ""]);
        if !result.is_empty() {
            let _ = writeln!(
                outcomes,
                "L{lead},{closed},{result},{},{}",
                dice.below(9_000),
                dice.moment(closed, 9)
            );
        }
    }
    for (name, text) in [
        ("leads", leads),
        ("history", history),
        ("touches", touches),
        ("outcomes", outcomes),
        ("visits", visits),
        ("accounts", accounts),
    ] {
        std::fs::write(folder.join(format!("{name}.csv")), text).expect("room on the disk");
    }
}

/// The folder with its files, and the text of its config with some lines behind the mark of their
/// section.
fn company(lines: &[(&str, &str)]) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_files(folder.path());
    let mut text = CONFIG.to_owned();
    for (section, line) in lines {
        let mark = format!("# {section}\n");
        assert!(text.contains(&mark), "{section}");
        text = text.replace(&mark, &format!("{line}\n{mark}"));
    }
    (folder, text)
}

fn config_of(folder: &Path, text: &str) -> Config {
    Config::parse(text, folder.join("leadscore.toml"))
        .unwrap_or_else(|error| panic!("{}", leadscore::error_text(&error, false)))
}

/// A store that names the same tables.
fn with_store(folder: &Path, text: &str) -> Config {
    config_of(
        folder,
        &format!("{text}\n[store]\npath = \"events.store\"\n"),
    )
}

fn matrix(data: &Data) -> leadscore::Result<leadscore::OutTable> {
    feature_table(&data.as_of(at("2025-03-01")), &FeatureOptions::default())
}

fn create_store(folder: &Path) -> Store {
    let options = StoreOptions::new(Arc::new(|| at("2026-01-01")));
    Store::create(folder.join("events.store"), options).expect("a new store")
}

/// Compares the features of files that are changed by `write` with those of a store made of them.
#[track_caller]
fn check_same_of(write: impl Fn(&Path), what: &str, edit: impl Fn(String) -> String) {
    let (folder, text) = company(&[]);
    let folder = folder.path();
    write(folder);
    let text = edit(text);
    let files = Data::open(&config_of(folder, &text), Inputs::default()).expect("files");
    let words = |error: leadscore::Error| leadscore::error_text(&error, false);
    let of_files = matrix(&files).map_err(words).expect(what);
    let store = create_store(folder);
    import(&files, &store, at("2026-01-01")).expect("rows");
    store.close().expect("room");
    let stored = Data::open(&with_store(folder, &text), Inputs::default()).expect("a store");
    check_equal(
        &of_files,
        &matrix(&stored).map_err(words).expect(what),
        what,
    );
    // What is exported is the same tables.
    let store = Store::open_read(folder.join("events.store")).expect("a store");
    let out = folder.join("exported");
    export_store(&with_store(folder, &text), &store, &out).expect("tables");
    let exported = Config::read(out.join("leadscore.toml")).expect("a config");
    let exported = Data::open(&exported, Inputs::default()).expect("files");
    let of_export = matrix(&exported).map_err(words).expect(what);
    check_equal(&of_files, &of_export, &format!("exported: {what}"));
}

/// Compares features to the bit.
#[track_caller]
fn check_equal(of_files: &leadscore::OutTable, of_store: &leadscore::OutTable, what: &str) {
    let names = |table: &leadscore::OutTable| -> Vec<String> {
        table.columns.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(of_files), names(of_store), "{what}");
    for ((name, files), (_, store)) in of_files.columns.iter().zip(&of_store.columns) {
        // NaN is equal to NaN here, and every other number has its own text.
        let (files, store) = (format!("{files:?}"), format!("{store:?}"));
        let differ = || {
            let cells = |text: &str| text.split(", ").map(str::to_owned).collect::<Vec<_>>();
            let pairs = cells(&files).into_iter().zip(cells(&store)).enumerate();
            let differing = pairs.filter(|(_, (files, store))| files != store);
            differing.take(5).collect::<Vec<_>>()
        };
        assert!(files == store, "{what}: {name} differs: {:?}", differ());
    }
}

#[track_caller]
fn check_same(lines: &[(&str, &str)]) {
    let (_, text) = company(lines);
    check_same_of(|_| {}, &format!("{lines:?}"), |_| text.clone());
}

/// Replaces a text in a file.
fn replaced(folder: &Path, file: &str, change: impl Fn(&str) -> String) {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).expect("a file");
    std::fs::write(path, change(&text)).expect("room on the disk");
}

#[test]
fn keys_of_tables_mean_the_same_in_a_store() {
    check_same(&[]);
    check_same(&[("leads", "recorded_at = \"entered\"")]);
    check_same(&[("leads", "manual_score = \"points\"")]);
    check_same(&[("leads", "exclude = [\"points\", \"size\"]")]);
    check_same(&[("leads", "attributes = [\"size\", \"seats\"]")]);
    check_same(&[("leads", "null_values = [\"small\", \"n/a\"]")]);
    check_same(&[("leads", "null_values = { seats = [\"7\"] }")]);
    check_same(&[("leads", "time_zone = \"Asia/Tokyo\"")]);
    check_same(&[("leads", "ends = \"2025-02-01\"")]);
    check_same(&[("history", "sequence = \"number\"")]);
    check_same(&[("history", "time_zone = \"Asia/Tokyo\"")]);
    check_same(&[("history", "null_values = [\"small\", \"n/a\"]")]);
    check_same(&[("accounts", "attributes = [\"staff\"]")]);
    check_same(&[("accounts", "exclude = [\"staff\"]")]);
    check_same(&[("accounts", "types = { staff = \"category\" }")]);
    check_same(&[("touches", "recorded_at = \"entered\"")]);
    check_same(&[("touches", "null_values = [\"call\"]")]);
    check_same(&[("touches", "ends = \"2025-02-01\"")]);
    check_same(&[("visits", "ends = \"2025-02-01\"")]);
    check_same(&[("outcomes", "recorded_at = \"entered\"")]);
    check_same(&[("outcomes", "amount = \"amount\"")]);
    check_same(&[("outcomes", "ends = \"2025-02-01\"")]);
    check_same(&[("outcomes", "open = [\"open\"]\nlog = true")]);
    check_same(&[(
        "outcomes",
        "open = [\"open\"]\nlog = true\ncorrections = \"5d\"",
    )]);
    check_same(&[("snapshots", "silent = \"20d\"")]);
    check_same(&[("snapshots", "ages = [\"0d\", \"7d\"]")]);
    check_same(&[("snapshots", "every = \"week\"")]);
    check_same(&[("snapshots", "from = \"2024-06-01\"")]);
    check_same(&[("snapshots", "observation_end = \"outcomes\"")]);
    check_same(&[("data", "earliest = \"2015-01-01\"\nlatest = \"2030-01-01\"")]);
}

/// A line of the base config that says something else.
#[track_caller]
fn check_same_without(line: &str, instead: &str) {
    let edit = |text: String| {
        assert!(text.contains(line), "{line}");
        text.replace(line, instead)
    };
    check_same_of(|_| {}, instead, edit);
}

#[test]
fn lines_that_are_missing_mean_the_same_in_a_store() {
    check_same_without("complete = true\n", "");
    check_same_without("old_value = \"old\"\n", "");
    check_same_without("complete = true\n# history", "complete = false\n# history");
    check_same_without(
        "old_value = \"old\"\nchanged_at = \"at\"\ncomplete = true\n",
        "changed_at = \"at\"\n",
    );
    check_same_without("account = \"account\"\ntypes", "types");
    check_same_without("renewal = \"days\"", "renewal = \"time\"");
    check_same_without("renewal = \"days\"", "seats = \"category\"");
    check_same_without("renewal = \"days\"", "size = \"id\"");
    check_same_without(
        "result = \"result\"\nwon = [\"won\"]\nlost = [\"lost\"]\n",
        "all_won = true\n",
    );
}

#[test]
fn what_files_are_written_like_means_the_same_in_a_store() {
    let with = |mark: &'static str, line: &'static str| {
        move |text: String| text.replace(&format!("# {mark}\n"), &format!("{line}\n"))
    };
    let days = |folder: &Path| {
        replaced(folder, "touches.csv", |text| {
            let line = |line: &str| {
                let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
                if let Some((day, _)) = cells[1].clone().split_once('T') {
                    let parts: Vec<&str> = day.split('-').collect();
                    cells[1] = format!("{}.{}.{}", parts[2], parts[1], parts[0]);
                }
                cells.join(",")
            };
            let lines: Vec<String> = text.lines().map(line).collect();
            lines.join("\n")
        });
    };
    check_same_of(
        days,
        "days",
        with("touches", "time_format = { at = \"%d.%m.%Y\" }"),
    );
    check_same_of(
        days,
        "days of a zone",
        with(
            "touches",
            "time_format = { at = \"%d.%m.%Y\" }\ntime_zone = \"America/New_York\"",
        ),
    );
    let numbers = |folder: &Path| {
        replaced(folder, "touches.csv", |text| {
            let commas = text.replace('.', ":").replace(',', "\t").replace(':', ",");
            // Times have had colons and no commas.
            let fixed = commas.lines().map(|line| {
                let mut cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
                for cell in [1, 4] {
                    cells[cell] = cells[cell].replace(',', ":");
                }
                cells.join("\t")
            });
            fixed.collect::<Vec<_>>().join("\n")
        });
    };
    check_same_of(
        numbers,
        "decimal commas",
        with("touches", "decimal_comma = true\ndelimiter = \"\\t\""),
    );
    let above = |folder: &Path| {
        replaced(folder, "visits.csv", |text| format!("a title\n{text}"));
    };
    check_same_of(above, "a title", with("visits", "skip_rows = 1"));
    let latin = |folder: &Path| {
        let path = folder.join("touches.csv");
        let text = std::fs::read_to_string(&path).expect("a file");
        let bytes: Vec<u8> = text
            .replace("demo", "d\u{e9}mo")
            .chars()
            .map(|letter| u8::try_from(u32::from(letter)).expect("Latin-1"))
            .collect();
        std::fs::write(path, bytes).expect("room on the disk");
    };
    check_same_of(latin, "Latin-1", with("touches", "encoding = \"latin1\""));
    let renamed = |folder: &Path| {
        replaced(folder, "accounts.csv", |text| {
            text.replacen("account", "number", 1)
        });
    };
    let once = |folder: &Path| {
        replaced(folder, "accounts.csv", |text| {
            let lines = text.lines().filter(|line| !line.contains("2024"));
            lines.collect::<Vec<_>>().join("\n")
        });
    };
    check_same_of(once, "rows that hold since ever", |text| {
        text.replace("changed_at = \"since\"\n", "")
    });
    check_same_of(renamed, "another key", |text| {
        text.replace(
            "path = \"accounts.csv\"\nkey = \"account\"",
            "path = \"accounts.csv\"\nkey = \"number\"\nleads_key = \"account\"",
        )
    });
}

/// A config that asks for what a store cannot do is refused by every road into one.
#[track_caller]
fn check_refused(key: &str, edit: impl Fn(String) -> String) {
    let (folder, text) = company(&[]);
    let folder = folder.path();
    let store = create_store(folder);
    store.close().expect("room");
    let edited = edit(text.clone());
    assert_ne!(edited, text, "{key}");
    let config = with_store(folder, &edited);
    let of_files = Data::open(&config_of(folder, &edited), Inputs::default()).expect("files");
    let by_import = of_files.import_rows(at("2026-01-01")).map(drop);
    let by_tables = Data::open(&config, Inputs::default()).map(drop);
    let by_door = Door::new(config.settings(), None, &[]).map(drop);
    let lookups = Inputs {
        tables: leadscore::OpenTables::Lookups,
        ..Inputs::default()
    };
    let by_raw_lead = Data::open(&config, lookups).map(drop);
    let refusals = [
        by_import.map_err(|error| leadscore::error_text(&error, false)),
        by_tables.map_err(|error| leadscore::error_text(&error, false)),
        by_door.map_err(|error| leadscore::error_text(&error, false)),
        by_raw_lead.map_err(|error| leadscore::error_text(&error, false)),
    ];
    for (road, refused) in refusals.into_iter().enumerate() {
        let refused = refused.expect_err(&format!("{key} by road {road}"));
        assert!(
            refused.contains(key) && refused.contains("hint: "),
            "{key} by road {road}: {refused}"
        );
    }
}

#[test]
fn what_a_store_cannot_do_is_refused_by_its_key() {
    let behind = |mark: &'static str, line: &'static str| {
        move |text: String| text.replace(&format!("# {mark}\n"), &format!("{line}\n"))
    };
    let links =
        "via = \"deals\"\n[links.deals]\npath = \"deals.csv\"\nfrom = \"deal\"\nlead = \"lead\"";
    check_refused("[links]", behind("touches", links));
    check_refused("[links]", behind("outcomes", links));
    check_refused(
        "[merges]",
        behind(
            "data",
            "[merges]\npath = \"merges.csv\"\nfrom = \"old\"\ninto = \"new\"",
        ),
    );
    check_refused(
        "[deleted]",
        behind("data", "[deleted]\npath = \"deleted.csv\"\nlead = \"lead\""),
    );
    check_refused("`deleted`", behind("leads", "deleted = \"is_deleted\""));
    check_refused("`deleted`", behind("touches", "deleted = \"is_deleted\""));
    check_refused("`deleted`", behind("history", "deleted = \"is_deleted\""));
    check_refused("`deleted`", behind("accounts", "deleted = \"is_deleted\""));
    check_refused("`explode`", behind("touches", "explode = \"list\""));
    check_refused("`explode`", behind("leads", "explode = \"list\""));
    check_refused("`explode`", behind("history", "explode = \"list\""));
    check_refused("`separator`", behind("touches", "separator = \";\""));
    check_refused("`separator`", behind("visits", "separator = \";\""));
    check_refused("`separator`", behind("outcomes", "separator = \";\""));
    check_refused("`separator`", behind("history", "separator = \";\""));
    check_refused(
        "`columns`",
        behind("visits", "[activities.cycle]\ncolumns = [\"entered\"]"),
    );
    check_refused(
        "`sites`",
        behind(
            "visits",
            "[activities.calls]\npath = \"calls.csv\"\naccount = \"sites\"\nat = \"at\"",
        ),
    );
    check_refused(
        "activities.word",
        behind(
            "visits",
            "[activities.word]\npath = \"word.csv\"\nlead = \"who\"\nat = \"at\"",
        ),
    );
    check_refused(
        "(recorded)",
        behind("touches", "null_values = { \"(recorded)\" = [\"x\"] }"),
    );
    let undated = |lines: &'static str| {
        move |_: String| {
            format!(
                "[leads]\npath = \"leads.csv\"\nid = \"lead\"\n\n[outcomes]\nflag = \"size\"\nwon = [\"large\"]\n{lines}"
            )
        }
    };
    check_refused("undated", undated(""));
    check_refused("undated", undated("[snapshots]\norder_by = \"points\"\n"));
}
