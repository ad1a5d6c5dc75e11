//! A made-up CRM as it reaches a store: each row some time after it happened, some twice, some in
//! another order, with changes of attributes, activities of accounts, and days without a time.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use leadscore::{
    Config, Data, Inputs, OutColumn, OutTable, SimulationOptions, Timestamp, TrainOptions, World,
};
use leadscore_live::Door;
use leadscore_operate::{By, Decision, Facts, Registry};
use leadscore_store::{Clock, Store, StoreOptions};
use rand_like::Random;
use serde_json::{Map, Value, json};

mod rand_like {
    //! Numbers that look random, the same each time.

    pub(crate) struct Random(pub(crate) u64);

    impl Random {
        /// A number below `n`.
        pub(crate) fn below(&mut self, n: u64) -> u64 {
            // SplitMix64.
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (z ^ (z >> 31)) % n.max(1)
        }
    }
}

pub(crate) use rand_like::Random as Numbers;

/// Microseconds of a day.
pub(crate) const DAY: i64 = 86_400_000_000;

/// A made-up CRM with its config, its models, and its rows in the order in which they arrive.
pub(crate) struct Made {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) config: Config,
    /// When each row arrives, and the row as callers write it.
    pub(crate) arrivals: Vec<(i64, Value)>,
    pub(crate) leads: Vec<String>,
    /// The IDs of two models; the first one is the champion.
    pub(crate) models: [String; 2],
    clock: Arc<AtomicI64>,
}

impl Made {
    pub(crate) fn new(n_leads: u32, seed: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = SimulationOptions {
            n_leads,
            world: World::Linear,
            seed,
        };
        let listener = Inputs::default().listener;
        leadscore::write_crm(options, folder.path(), "csv", &listener).expect("a CRM");
        let tables: HashMap<&str, OutTable> =
            leadscore::simulated_tables(options).into_iter().collect();
        let mut random = Random(seed);
        let visits = visits(&tables["accounts"], &tables["leads"], &mut random);
        write_visits(folder.path(), &visits);
        let path = folder.path().join("leadscore.toml");
        let text = std::fs::read_to_string(&path).expect("a config");
        let text = format!(
            "{text}\n[activities.visits]\npath = \"visits.csv\"\naccount = \"account_id\"\nat = \"day\"\nkind = [\"page\"]\n"
        );
        std::fs::write(&path, &text).expect("a config");
        let models = train(&path);
        // The store has the accounts, too.
        let text = text.replace("path = \"accounts.csv\"\n", "");
        let text = format!(
            "{text}\n[store]\npath = \"events.store\"\n\n[serve]\nlog = \"answers\"\nowner = \"source\"\nname = \"lead_id\"\nshow = [\"role\"]\n"
        );
        std::fs::write(&path, text).expect("a config");
        let arrivals = arrivals(&tables, &visits, &mut random);
        let leads = column(&tables["leads"], "lead_id");
        Self {
            config: Config::read(&path).expect("a config"),
            arrivals,
            leads,
            models,
            clock: Arc::new(AtomicI64::new(0)),
            folder,
        }
    }

    /// Makes the store, whose clock is [`Self::set_clock`].
    pub(crate) fn create_store(&self, name: &str) -> Store {
        let path = self.folder.path().join(name);
        Store::create(&path, StoreOptions::new(self.clock())).expect("a store")
    }

    pub(crate) fn clock(&self) -> Clock {
        let clock = Arc::clone(&self.clock);
        Arc::new(move || Timestamp::from_micros(clock.load(Ordering::SeqCst)))
    }

    pub(crate) fn set_clock(&self, micros: i64) {
        self.clock.fetch_max(micros, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub(crate) fn registry(&self) -> Registry {
        Registry::open(self.folder.path().join("models")).expect("a registry")
    }

    /// Makes the other model the champion.
    pub(crate) fn promote(&self, model: usize) {
        promote(self.folder.path(), &self.models[model]);
    }

    /// Appends rows that arrive before a moment as the door reads them, without the engine.
    pub(crate) fn append(&self, store: &Store, arrivals: &[(i64, Value)]) {
        let door = Door::new(self.config.settings(), None, &[]).expect("a door");
        for chunk in arrivals.chunks(500) {
            let (at, _) = chunk.last().expect("a chunk has a row");
            self.set_clock(*at);
            let rows: Vec<Value> = chunk.iter().map(|(_, row)| row.clone()).collect();
            let events = door
                .read(&rows, Timestamp::from_micros(self.now()))
                .expect("rows that can be meant");
            store.append(events).expect("room");
        }
    }
}

/// Trains two models, one of them on less, and promotes the first.
fn train(path: &Path) -> [String; 2] {
    let config = Config::read(path).expect("a config");
    let data = Data::open(&config, Inputs::default()).expect("tables");
    let folder = path.parent().expect("a folder");
    let of = |data: &Data| {
        leadscore::train(data, &TrainOptions::default())
            .expect("a model")
            .into_model()
    };
    let past = data.as_of("2025-01-01".parse().expect("a date"));
    let models = [of(&past), of(&data)];
    let ids = models
        .iter()
        .map(|model| {
            let mut registry = lock(folder);
            registry.add(model, Facts::default()).expect("a model");
            model.card.model_id.clone()
        })
        .collect::<Vec<_>>();
    promote(folder, &ids[0]);
    ids.try_into().expect("two models")
}

fn lock(folder: &Path) -> leadscore_operate::LockedRegistry {
    let by = By {
        at: "2026-01-01".parse().expect("a date"),
        user: "test".to_owned(),
        host: "here".to_owned(),
        command: "test".to_owned(),
    };
    Registry::lock(folder.join("models"), by).expect("a registry")
}

fn promote(folder: &Path, model: &str) {
    lock(folder)
        .promote(model, Decision::default())
        .expect("a model");
}

/// Days on which somebody of an account looked at a page.
fn visits(
    accounts: &OutTable,
    leads: &OutTable,
    random: &mut Random,
) -> Vec<(String, Timestamp, &'static str)> {
    let created = times(leads, "created_at");
    let first = created.iter().flatten().min().expect("leads").micros();
    let last = created.iter().flatten().max().expect("leads").micros();
    let span = u64::try_from(last - first).expect("a span");
    let mut visits = Vec::new();
    for account in column(accounts, "account_id") {
        for _ in 0..random.below(6) {
            let at = first + i64::try_from(random.below(span)).expect("a time");
            let day = Timestamp::from_micros(at.div_euclid(DAY) * DAY);
            visits.push((
                account.clone(),
                day,
                ["docs", "pricing"][random.below(2) as usize],
            ));
        }
    }
    visits
}

fn write_visits(folder: &Path, visits: &[(String, Timestamp, &'static str)]) {
    let mut text = "account_id,day,page\n".to_owned();
    for (account, day, page) in visits {
        text.push_str(&format!("{account},{},{page}\n", day_text(*day)));
    }
    std::fs::write(folder.join("visits.csv"), text).expect("a file");
}

/// A day without a time.
fn day_text(day: Timestamp) -> String {
    day.to_string()[..10].to_owned()
}

/// All rows with the moment at which each arrives, in the order of these.
fn arrivals(
    tables: &HashMap<&str, OutTable>,
    visits: &[(String, Timestamp, &'static str)],
    random: &mut Random,
) -> Vec<(i64, Value)> {
    let mut arrivals: Vec<(i64, Value)> = Vec::new();
    let first = times(&tables["leads"], "created_at");
    let first = first.iter().flatten().min().expect("leads").micros();
    let mut add =
        |table: &str, id: String, at: i64, row: Map<String, Value>, random: &mut Random| {
            let event = json!({"id": id, "table": table, "row": row});
            let delay = match random.below(10) {
                0..6 => random.below(60_000_000),
                6..9 => random.below(36 * 3_600_000_000),
                _ => random.below(20 * DAY as u64),
            };
            let arrival = at + i64::try_from(delay).expect("a delay");
            if random.below(20) == 0 {
                let again = arrival + i64::try_from(random.below(5 * DAY as u64)).expect("a delay");
                arrivals.push((again, event.clone()));
            }
            arrivals.push((arrival, event));
        };
    let of = [
        ("leads", "leads", "created_at"),
        ("touches", "activities.touches", "at"),
        ("web_sessions", "activities.web", "at"),
        ("sales_activities", "activities.sales", "at"),
        ("stages", "activities.stages", "entered_at"),
        ("deals", "outcomes", "closed_at"),
    ];
    for (name, table, time) in of {
        let rows = rows(
            &tables[name],
            &["recorded_at", "deal_id", "manual_score", "amount"],
        );
        let times = times(&tables[name], time);
        for (number, (row, at)) in rows.into_iter().zip(times).enumerate() {
            let Some(at) = at else { continue };
            add(table, format!("{name}-{number}"), at.micros(), row, random);
        }
    }
    for (number, row) in rows(&tables["accounts"], &[]).into_iter().enumerate() {
        let mut later = row.clone();
        add(
            "lookups.accounts",
            format!("account-{number}"),
            first,
            row,
            random,
        );
        if random.below(4) == 0 {
            later.insert("industry".to_owned(), json!("retail"));
            let at = first + i64::try_from(random.below(900 * DAY as u64)).expect("a time");
            add(
                "lookups.accounts",
                format!("account-{number}-later"),
                at,
                later,
                random,
            );
        }
    }
    for (number, (account, day, page)) in visits.iter().enumerate() {
        let row = json!({"account_id": account, "day": day_text(*day), "page": page});
        let Value::Object(row) = row else { continue };
        add(
            "activities.visits",
            format!("visit-{number}"),
            day.micros(),
            row,
            random,
        );
    }
    // Attributes change while a lead is open.
    let created = times(&tables["leads"], "created_at");
    for (number, (lead, at)) in column(&tables["leads"], "lead_id")
        .iter()
        .zip(created)
        .enumerate()
    {
        let Some(at) = at else { continue };
        for change in 0..random.below(3) {
            let at = at.micros() + i64::try_from(random.below(80 * DAY as u64)).expect("a time");
            let row = match random.below(3) {
                0 => json!({"lead_id": lead, "seats": random.below(400)}),
                1 => json!({"lead_id": lead, "role": "director", "seats": null}),
                _ => json!({"lead_id": lead, "source": "partner"}),
            };
            let Value::Object(row) = row else { continue };
            add(
                "leads",
                format!("change-{number}-{change}"),
                at,
                row,
                random,
            );
        }
    }
    // The made company ends then; later rows are of its last leads alone.
    let end: Timestamp = "2025-12-31".parse().expect("a date");
    arrivals.retain(|(arrival, _)| *arrival < end.micros());
    arrivals.sort_by_key(|(arrival, _)| *arrival);
    arrivals
}

/// The rows of a table as callers write them, without some columns and without missing cells.
fn rows(table: &OutTable, without: &[&str]) -> Vec<Map<String, Value>> {
    let n_rows = table
        .columns
        .first()
        .map_or(0, |(_, column)| length(column));
    let mut rows = vec![Map::new(); n_rows];
    for (name, column) in &table.columns {
        if without.contains(&name.as_str()) {
            continue;
        }
        for (number, row) in rows.iter_mut().enumerate() {
            let value = match column {
                OutColumn::Text(values) => values[number].clone().map(Value::String),
                OutColumn::Number(values) => {
                    let value = values[number];
                    value.is_finite().then(|| json!(value))
                }
                OutColumn::Integer(values) => values[number].map(|value| json!(value)),
                OutColumn::Time(values) => {
                    values[number].map(|at| json!(leadscore::stored_instant(at)))
                }
                OutColumn::Boolean(values) => Some(json!(values[number])),
            };
            if let Some(value) = value {
                row.insert(name.clone(), value);
            }
        }
    }
    rows
}

fn length(column: &OutColumn) -> usize {
    match column {
        OutColumn::Text(values) => values.len(),
        OutColumn::Number(values) => values.len(),
        OutColumn::Integer(values) => values.len(),
        OutColumn::Time(values) => values.len(),
        OutColumn::Boolean(values) => values.len(),
    }
}

fn column(table: &OutTable, name: &str) -> Vec<String> {
    let found = table.columns.iter().find(|(known, _)| known == name);
    match found.expect("the column").1.clone() {
        OutColumn::Text(values) => values.into_iter().flatten().collect(),
        OutColumn::Number(_)
        | OutColumn::Integer(_)
        | OutColumn::Time(_)
        | OutColumn::Boolean(_) => {
            panic!("{name} has texts")
        }
    }
}

fn times(table: &OutTable, name: &str) -> Vec<Option<Timestamp>> {
    let found = table.columns.iter().find(|(known, _)| known == name);
    match found.expect("the column").1.clone() {
        OutColumn::Time(values) => values,
        OutColumn::Number(_)
        | OutColumn::Integer(_)
        | OutColumn::Text(_)
        | OutColumn::Boolean(_) => {
            panic!("{name} has times")
        }
    }
}
