//! From files to a store, events on top of it, and the same bits by one lead's rows and by the tables
//! that every command reads: accounts, days, a history and a lookup among them.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use leadscore::{Config, Data, Inputs, Model, ScoreOptions, TrainOptions, export_store};
use leadscore_core::{Span, Timestamp};
use leadscore_live::{Door, LiveScorer, import};
use leadscore_store::{Store, StoreOptions};
use serde_json::{Value, json};

const CONFIG: &str = r#"
[leads]
path = "leads.csv"
id = "lead"
created_at = "created"
account = "account"

[history]
path = "history.csv"
lead = "lead"
attribute = "field"
value = "new"
old_value = "old"
changed_at = "at"
complete = true

[lookups.accounts]
path = "accounts.csv"
key = "account"

[activities.touches]
path = "touches.csv"
lead = "lead"
at = "at"
kind = ["kind"]
values = ["minutes"]

[activities.visits]
path = "visits.csv"
account = "account"
at = "at"

[outcomes]
path = "outcomes.csv"
lead = "lead"
closed_at = "closed"
result = "result"
won = ["won"]
lost = ["lost"]


[features]
families = ["attributes", "created", "age", "history", "counts", "values", "active_days", "latest"]

[guards]
outside_training = 1.0

[snapshots]
horizon = "90d"
every = "month"
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

    fn day(&mut self, from: &str, n_days: u64) -> Timestamp {
        at(from) + Span::from_days(u32::try_from(self.below(n_days)).expect("few days"))
    }
}

const SIZES: [&str; 4] = ["small", "medium", "large", "huge"];

/// Writes the files of a company with accounts.
fn write_files(folder: &Path, dice: &mut Dice) -> Vec<String> {
    let mut leads = "lead,created,account,size,seats\n".to_owned();
    let mut history = "lead,field,old,new,at\n".to_owned();
    let mut touches = "lead,at,kind,minutes\n".to_owned();
    let mut outcomes = "lead,closed,result\n".to_owned();
    let mut visits = "account,at\n".to_owned();
    let mut accounts = "account,region,staff\n".to_owned();
    for account in 0..150 {
        let region = ["north", "south", "east"][dice.below(3) as usize];
        let _ = writeln!(accounts, "A{account},{region},{}", dice.below(900));
        for _ in 0..dice.below(9) {
            let _ = writeln!(
                visits,
                "A{account},{}T0{}:15:00Z",
                dice.day("2023-01-01", 880),
                dice.below(10)
            );
        }
    }
    let mut ids = Vec::new();
    for lead in 0..900 {
        let id = format!("L{lead}");
        let created = dice.day("2023-01-01", 860);
        let account = if dice.below(6) == 0 {
            String::new()
        } else {
            format!("A{}", dice.below(150))
        };
        let (old, new) = (dice.below(4) as usize, dice.below(4) as usize);
        let seats = dice.below(40);
        let has_changed = dice.below(3) == 0 && old != new;
        let _ = writeln!(leads, "{id},{created},{account},{},{seats}", SIZES[new]);
        if has_changed {
            let changed = created + Span::from_days(3 + dice.below(40) as u32);
            let _ = writeln!(history, "{id},size,{},{},{changed}", SIZES[old], SIZES[new]);
        }
        let n_touches = dice.below(12);
        for _ in 0..n_touches {
            let when = created + Span::from_micros(dice.below(60 * 86_400_000_000) as i64);
            let kind = ["call", "mail", "demo"][dice.below(3) as usize];
            let _ = writeln!(
                touches,
                "{id},{when},{kind},{}",
                dice.below(300) as f64 / 8.0
            );
        }
        let chance = 8 + 5 * n_touches + if new == 3 { 20 } else { 0 };
        let closed = created + Span::from_days(10 + dice.below(80) as u32);
        if dice.below(100) < chance {
            let _ = writeln!(outcomes, "{id},{closed},won");
        } else if dice.below(3) > 0 {
            let _ = writeln!(outcomes, "{id},{closed},lost");
        }
        ids.push(id);
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
    ids
}

fn train(data: &Data) -> Model {
    leadscore::train(data, &TrainOptions::default())
        .unwrap_or_else(|error| panic!("{}", leadscore::error_text(&error, false)))
        .into_model()
}

/// Log-odds of every open lead, as bits.
fn scores(data: &Data, model: &Model, moment: Timestamp) -> Vec<(String, u64)> {
    let view = data.as_of(moment);
    let scores = leadscore::score(&view, model, &ScoreOptions::default())
        .unwrap_or_else(|error| panic!("{}", leadscore::error_text(&error, false)));
    let mut rows: Vec<(String, u64)> = (0..scores.summary.n_scored)
        .map(|row| {
            (
                scores.lead(row).to_owned(),
                scores.scored.log_odds[row].to_bits(),
            )
        })
        .collect();
    rows.sort_unstable();
    rows
}

/// Rows that come in after the import.
fn some_row(dice: &mut Dice, ids: &[String], now: Timestamp) -> (&'static str, Value) {
    let lead = &ids[dice.below(ids.len() as u64) as usize];
    let earlier = now - Span::from_micros(dice.below(9 * 86_400_000_000) as i64);
    match dice.below(7) {
        0 => (
            "leads",
            json!({"lead": lead, "size": SIZES[dice.below(4) as usize]}),
        ),
        1 => (
            "leads",
            json!({"lead": lead, "seats": dice.below(40), "size": null}),
        ),
        2 => (
            "activities.visits",
            json!({"account": format!("A{}", dice.below(150)), "at": earlier.to_string()}),
        ),
        3 => (
            "outcomes",
            json!({"lead": lead, "closed": earlier.to_string(), "result": "lost"}),
        ),
        4 => (
            "activities.touches",
            json!({"lead": lead, "at": earlier.to_string()[..10], "kind": "call"}),
        ),
        5 => (
            "leads",
            json!({"lead": format!("N{}", dice.below(60)), "created": earlier.to_string(), "account": "A3", "size": "huge"}),
        ),
        _ => (
            "activities.touches",
            json!({"lead": lead, "at": earlier.to_string(), "kind": "demo", "minutes": 0.1 * dice.below(100) as f64}),
        ),
    }
}

#[test]
fn a_store_on_top_of_files_has_the_same_bits_by_lead_and_by_table() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut dice = Dice(5);
    let mut ids = write_files(folder.path(), &mut dice);
    let path = folder.path().join("leadscore.toml");
    let text = CONFIG;
    let files = Data::open(
        &Config::parse(text, &path).expect("a config"),
        Inputs::default(),
    )
    .expect("files");
    let past = at("2025-03-01");
    let of_files = Arc::new(train(&files.as_of(past)));

    let text = format!("{text}\n[store]\npath = \"events.store\"\n");
    let config = Config::parse(text, &path).expect("a config");
    let clock = Arc::new(AtomicI64::new(at("2025-05-20").micros()));
    let told = Arc::clone(&clock);
    let options = StoreOptions::new(Arc::new(move || {
        Timestamp::from_micros(told.load(Ordering::Relaxed))
    }));
    let place = folder.path().join("events.store");
    let store = Store::create(&place, options).expect("a new store");
    let imported = import(&files, &store, at("2025-05-20")).expect("rows");
    assert!(imported.n_rows > 6_000, "{imported:?}");
    let stored = Data::open(&config, Inputs::default()).expect("a store");
    // The model of the files scores the store as it does the files, and the store trains the same.
    let moment = at("2025-05-10T09:30:00Z");
    assert_eq!(
        scores(&files, &of_files, moment),
        scores(&stored, &of_files, moment)
    );
    let model = Arc::new(train(&stored.as_of(past)));
    assert_eq!(
        scores(&files, &of_files, moment),
        scores(&stored, &model, moment)
    );

    // Events come in, answers go out.
    let door = Door::new(config.settings(), Some(&model), &store.tables()).expect("a door");
    let scorer = LiveScorer::new(&config, Arc::clone(&model), &store.tables()).expect("a scorer");
    ids.extend((0..60).map(|number| format!("N{number}")));
    let (mut answers, mut n_events) = (Vec::new(), 0);
    for round in 0..60 {
        clock.fetch_add(3_600_000_000 * 5, Ordering::Relaxed);
        let now = Timestamp::from_micros(clock.load(Ordering::Relaxed));
        let rows: Vec<Value> = (0..20)
            .map(|number| {
                let (table, row) = some_row(&mut dice, &ids, now);
                json!({"id": format!("e{round}.{number}"), "table": table, "row": row})
            })
            .collect();
        let events = door
            .read(&rows, now)
            .unwrap_or_else(|errors| panic!("{errors:?}"));
        n_events += store
            .append(events.clone())
            .expect("room on the disk")
            .n_new;
        assert_eq!(
            store.append(events).expect("again").n_new,
            0,
            "the same IDs again"
        );
        let moment = store.moment();
        for _ in 0..15 {
            let lead = &ids[dice.below(ids.len() as u64) as usize];
            let rows = scorer.rows(&store, lead, moment).expect("rows");
            if let Ok(score) = scorer.score(lead, moment, &rows, None) {
                answers.push((moment, lead.clone(), score.log_odds.to_bits()));
            }
        }
    }
    assert!(
        n_events == 1_200 && answers.len() > 200,
        "{n_events} events, {} answers",
        answers.len()
    );
    store.settle().expect("room on the disk");
    let stored = Data::open(&config, Inputs::default()).expect("a store");
    let mut known: Option<(Timestamp, Vec<(String, u64)>)> = None;
    for (moment, lead, bits) in &answers {
        if known.as_ref().is_none_or(|(of, _)| of != moment) {
            known = Some((*moment, scores(&stored, &model, *moment)));
        }
        let (_, batch) = known.as_ref().expect("just made");
        let found = batch.iter().find(|(id, _)| id == lead);
        assert_eq!(
            found.map(|(_, bits)| bits),
            Some(bits),
            "{lead} at {moment}"
        );
    }

    // What is exported is the same tables.
    let out = folder.path().join("exported");
    export_store(&config, &store, &out).expect("tables");
    let exported = Config::read(out.join("leadscore.toml")).expect("a config");
    let exported = Data::open(&exported, Inputs::default()).expect("files");
    let moment = answers.last().expect("many").0;
    assert_eq!(
        scores(&exported, &model, moment),
        scores(&stored, &model, moment)
    );
}
