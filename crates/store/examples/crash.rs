//! What is killed, and what looks at the files afterwards. `crash append PLACE ROUND` appends from
//! several threads, and writes a line for each call that is answered: its events' IDs, which start
//! with the call's. `crash import PATH N` makes a store of N events, as an import does, and fails with
//! what is wrong. `crash show PLACE` writes what is wrong with the store, then all IDs in order.
#![allow(clippy::print_stdout, reason = "its parent reads it")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use leadscore_core::{SecretUri, Timestamp};
use leadscore_store::{
    Entity, NewEvent, ServerAddress, Store, StoreError, StoreOptions, StorePlace,
};

const N_CLIENTS: usize = 4;
const PAUSE: Duration = Duration::from_millis(20);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [task, path, round @ ..] = args.as_slice() else {
        panic!("crash append PATH ROUND, or crash show PATH");
    };
    if task == "import" {
        return import(&PathBuf::from(path), &round.join(""));
    }
    let place = if ServerAddress::is_meant(path) {
        let address = SecretUri::from(path.clone());
        StorePlace::from(ServerAddress::parse(&address).expect("an address"))
    } else {
        StorePlace::File(PathBuf::from(path))
    };
    let mut options = StoreOptions::new(Arc::new(now));
    // Small batches, so that all states of settling are met.
    options.settle_from = 50;
    options.max_recent = 400;
    let store = if Store::is_there(&place).expect("known") {
        Store::open(place, options)
    } else {
        Store::create(place, options)
    };
    let store = store.expect("a store");
    match task.as_str() {
        "append" => append(&store, &round.join("")),
        "show" => show(&store),
        _ => panic!("append or show"),
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    Timestamp::from_micros(i64::try_from(since.as_micros()).expect("before 294000"))
}

fn append(store: &Store, round: &str) {
    std::thread::scope(|scope| {
        for client in 0..N_CLIENTS {
            scope.spawn(move || {
                for n in 0.. {
                    let call = format!("{round}-{client}-{n}");
                    let events: Vec<NewEvent> = (0..1 + n % 7)
                        .map(|i| NewEvent {
                            id: format!("{call}.{i}"),
                            table: ["touches", "leads"][i % 2].to_owned(),
                            entity: Entity::Lead(format!("L{}", (n * 7 + i) % 40)),
                            at: Timestamp::from_micros((n % 5) as i64),
                            recorded: None,
                            row: format!("{{\"n\":{n},\"text\":\"{}\"}}", "x".repeat(n * 37 % 400)),
                        })
                        .collect();
                    let moment = store.moment().micros();
                    let appended = loop {
                        match store.append(events.clone()) {
                            // It waits for room, as a caller does who is told 503.
                            Err(StoreError::Full { .. }) => std::thread::sleep(PAUSE),
                            result => break result.expect("stored"),
                        }
                    };
                    assert_eq!(appended.n_new, 1 + n % 7);
                    let line = format!("{call} {} {moment}\n", 1 + n % 7);
                    std::io::stdout().write_all(line.as_bytes()).expect("told");
                }
            });
        }
    });
}

fn import(path: &Path, n: &str) {
    let import = || -> Result<(), StoreError> {
        let draft = path.with_extension("draft");
        let store = Store::create(&draft, StoreOptions::new(Arc::new(now)))?;
        let events: Vec<NewEvent> = (0..n.parse().expect("a count"))
            .map(|i: usize| NewEvent {
                id: format!("import.{i}"),
                table: "touches".to_owned(),
                entity: Entity::Lead(format!("L{}", i * 7 % 4_000)),
                at: Timestamp::from_micros((i % 5) as i64),
                recorded: None,
                row: format!("{{\"text\":\"{}\"}}", "x".repeat(i * 37 % 400)),
            })
            .collect();
        for call in events.chunks(10_000) {
            store.append(call.to_vec())?;
        }
        store.settle()?;
        store.close_as(path)
    };
    if let Err(error) = import() {
        panic!("{error}");
    }
}

fn show(store: &Store) {
    let mut text = String::new();
    for wrong in store.check().expect("checked") {
        text.push_str(&format!("wrong: {wrong}\n"));
    }
    let mut scanned = 0;
    let moment = store.moment();
    for table in store.tables() {
        store
            .scan(&table, moment, |_| scanned += 1)
            .expect("scanned");
    }
    let events = store.since(0, usize::MAX).expect("read");
    let mut by_lead = 0;
    for lead in store.entities(&Entity::Lead("L".to_owned())).expect("read") {
        by_lead += store.of_entity(&lead, moment).expect("read").len();
    }
    let counts = [scanned, events.len(), by_lead, store.n_events() as usize];
    if counts != [events.len(); 4] {
        text.push_str(&format!("wrong: counts {counts:?}\n"));
    }
    for event in events {
        text.push_str(&format!("{} {}\n", event.id, event.recorded.micros()));
    }
    std::io::stdout().write_all(text.as_bytes()).expect("told");
}
