//! What the store refuses, in words, and that nothing of it is stored.

mod world;

use std::sync::mpsc;

use leadscore_store::{Entity, NewEvent, Store, StoreError, StoreOptions};
use world::{World, event, lead};

#[track_caller]
fn refused(change: impl Fn(&mut NewEvent), expected: &str) {
    let world = World::new();
    let store = world.create();
    let mut wrong = event("e2", "touches", "L1", 2);
    change(&mut wrong);
    let result = store.append(vec![event("e1", "touches", "L1", 1), wrong]);
    let error = result.expect_err("refused").to_string();
    assert!(
        error.starts_with("event 1 (`") && error.contains(expected),
        "{error}"
    );
    assert!(error.contains("\n  hint: "), "{error}");
    assert_eq!((store.n_events(), store.tables()), (0, vec![]));
}

#[test]
fn events_that_cannot_be_meant() {
    refused(|event| event.id.clear(), "(``) has no ID");
    refused(
        |event| event.id = "x".repeat(513),
        "has an ID that is too long",
    );
    refused(|event| event.table.clear(), "has no table");
    refused(|event| event.entity = lead(""), "has no lead");
    refused(
        |event| event.entity = lead(&"é".repeat(257)),
        "ID of a lead that is too long",
    );
    refused(
        |event| event.entity = Entity::Account(String::new()),
        "has no account",
    );
    for row in ["", "{", "[]", "null", "{} {}", "{\"a\":}", "\"{}\""] {
        refused(|event| event.row = row.to_owned(), "no JSON object");
    }
    refused(
        |event| event.row = format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20)),
        "row that is too long",
    );
    refused(
        |event| event.at = leadscore_core::Timestamp::MAX,
        "no calendar has",
    );
}

#[test]
fn texts_of_any_kind_come_back() {
    let world = World::new();
    let store = world.create();
    let odd = [
        "'; DROP TABLE log; --",
        "a\u{0}b",
        "Zoë/Ünï 🦀",
        "%2F",
        " ",
        "lead/1",
    ];
    for (i, text) in odd.iter().enumerate() {
        let mut new = event(text, text, text, i as i64);
        new.row = format!(" {{\"note\":{}}}", serde_json::Value::from(*text));
        for entity in [
            lead(text),
            Entity::Lookup {
                name: (*text).to_owned(),
                key: (*text).to_owned(),
            },
        ] {
            let new = NewEvent {
                id: format!("{text}{entity:?}"),
                entity: entity.clone(),
                ..new.clone()
            };
            if !world.is_of_file() && text.contains('\0') {
                let error = store.append(vec![new]).expect_err("it is kept by no text");
                assert!(error.to_string().contains("has a NUL character"), "{error}");
                assert_eq!(store.of_entity(&entity, store.moment()).expect("none"), []);
                assert_eq!(store.entities(&entity).expect("none"), []);
                assert_eq!(store.forget(&entity).expect("none").n_events, 0);
                continue;
            }
            store.append(vec![new.clone()]).expect("stored");
            for settle in [false, true] {
                if settle {
                    store.settle().expect("settled");
                }
                let found = store.of_entity(&entity, store.moment()).expect("read");
                assert_eq!(
                    (&found[0].id, &found[0].table, &found[0].row),
                    (&new.id, &new.table, &new.row)
                );
                assert_eq!(found.len(), 1);
            }
        }
    }
}

#[test]
fn files_that_are_no_store() {
    let world = World::on_file();
    let path = world.path();
    assert!(matches!(world.open(), Err(StoreError::Missing { .. })));
    assert!(matches!(
        Store::open_read(&path),
        Err(StoreError::Missing { .. })
    ));
    for bytes in [&b""[..], b"lead_id,at\n", b"SQLite format 3", &[0; 5_000]] {
        std::fs::write(&path, bytes).expect("written");
        assert!(matches!(world.open(), Err(StoreError::NotAStore { .. })));
        assert!(matches!(
            Store::open_read(&path),
            Err(StoreError::NotAStore { .. })
        ));
    }
    assert!(matches!(
        Store::create(&path, world.options()),
        Err(StoreError::Exists { .. })
    ));
    std::fs::remove_file(&path).expect("removed");
    // Another program's file stays as it is.
    let other = rusqlite::Connection::open(&path).expect("opened");
    other
        .execute_batch("CREATE TABLE notes (text)")
        .expect("made");
    drop(other);
    let before = std::fs::read(&path).expect("read");
    assert!(matches!(world.open(), Err(StoreError::NotAStore { .. })));
    assert_eq!(std::fs::read(&path).expect("read"), before);
    assert_eq!(
        std::fs::read_dir(path.parent().expect("a folder"))
            .expect("read")
            .count(),
        1
    );
}

#[test]
fn a_store_of_another_version() {
    let world = World::on_file();
    drop(world.create());
    let other = rusqlite::Connection::open(world.path()).expect("opened");
    other.execute_batch("PRAGMA user_version = 2").expect("set");
    drop(other);
    let error = world.open().expect_err("refused").to_string();
    assert!(
        error.contains("has version 2 of its format, and this leadscore reads version 1"),
        "{error}"
    );
}

#[test]
fn a_store_that_is_damaged() {
    let world = World::on_file();
    let store = world.create();
    for n in 0..50 {
        let events = (0..100)
            .map(|i| event(&format!("{n}-{i}"), "touches", &format!("L{i}"), n))
            .collect();
        store.append(events).expect("stored");
    }
    store.settle().expect("settled");
    store.close().expect("closed");
    let whole = std::fs::read(world.path()).expect("read");
    let mut n_found = 0;
    for page in (1..whole.len() / 4_096).step_by(3) {
        let mut bytes = whole.clone();
        bytes[page * 4_096..(page + 1) * 4_096].fill(0x5a);
        std::fs::write(world.path(), bytes).expect("written");
        // Whatever is asked, the answer is an error or what `check` says, and never a panic.
        let found = world.open().and_then(|store| {
            let mut n = 0;
            for table in store.tables() {
                store.scan(&table, store.moment(), |_| n += 1)?;
            }
            Ok((store.check()?, n))
        });
        match found {
            Ok((wrong, n)) => n_found += usize::from(!wrong.is_empty() || n != 5_000),
            Err(StoreError::Corrupt { .. } | StoreError::Sqlite { .. }) => n_found += 1,
            Err(other) => panic!("{other}"),
        }
    }
    // Pages that are free may have anything in them.
    assert!(
        n_found > whole.len() / 4_096 / 6,
        "{n_found} of {}",
        whole.len() / 4_096
    );
}

#[test]
fn one_process_writes_and_others_read() {
    let world = World::new();
    let store = world.create();
    store
        .append(vec![event("e1", "touches", "L1", 1)])
        .expect("stored");
    assert!(matches!(world.open(), Err(StoreError::InUse { .. })));
    let reader = Store::open_read(world.place()).expect("opened");
    store
        .append(vec![event("e2", "touches", "L1", 2)])
        .expect("stored");
    store.settle().expect("settled");
    // It sees the store as it was.
    assert_eq!(
        reader
            .of_entity(&lead("L1"), reader.moment())
            .expect("read")
            .len(),
        1
    );
    assert!(matches!(
        reader.append(vec![]),
        Err(StoreError::OpenForReading { .. })
    ));
    assert!(matches!(
        reader.forget(&lead("L1")),
        Err(StoreError::OpenForReading { .. })
    ));
    drop(store);
    assert!(world.open().is_ok());
}

#[test]
fn a_store_that_is_full_takes_events_again_once_there_is_room() {
    let world = World::on_file();
    drop(world.create());
    let mut options = world.options();
    options.max_bytes = Some(400_000);
    let store = Store::open(world.place(), options).expect("opened");
    let batch = |n: usize| -> Vec<NewEvent> {
        (0..50)
            .map(|i| event(&format!("{n}-{i}"), "touches", "L1", 1))
            .collect()
    };
    let mut n = 0;
    let error = loop {
        match store.append(batch(n)) {
            Ok(_) => n += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(n > 10);
    assert_eq!(store.n_events(), n as u64 * 50);
    assert_eq!(
        store
            .of_entity(&lead("L1"), store.moment())
            .expect("read")
            .len(),
        n * 50
    );
    drop(store);
    let store = world.open().expect("opened");
    assert_eq!(store.append(batch(n)).expect("stored").n_new, 50);
    assert_eq!(store.append(batch(n - 1)).expect("known").n_new, 0);
    assert_eq!(store.n_events(), (n as u64 + 1) * 50);
}

#[test]
fn too_much_at_once() {
    let world = World::new();
    drop(world.create());
    let clock = world.options().clock;
    let store = Store::open(
        world.place(),
        StoreOptions {
            max_waiting: 100,
            ..StoreOptions::new(clock)
        },
    )
    .expect("opened");
    let many = vec![event("e", "touches", "L1", 1); 100_001];
    assert!(matches!(
        store.append(many),
        Err(StoreError::TooMany {
            n_events: 100_001,
            ..
        })
    ));
    let mut long = event("e", "touches", "L1", 1);
    long.row = format!("{{\"text\":\"{}\"}}", "x".repeat(1 << 19));
    let many: Vec<NewEvent> = (0..140)
        .map(|i| NewEvent {
            id: i.to_string(),
            ..long.clone()
        })
        .collect();
    assert!(matches!(
        store.append(many.clone()),
        Err(StoreError::TooLong { .. })
    ));
    // A call may be longer than what waits, if it is alone.
    assert_eq!(store.append(many[..20].to_vec()).expect("stored").n_new, 20);
    assert_eq!(store.forget(&lead("L1")).expect("forgotten").n_events, 20);
    // The writer is held up by an answer, so that calls wait.
    let (release, held) = mpsc::channel::<()>();
    let (reached, holding) = mpsc::channel();
    store.append_then(
        vec![event("first", "touches", "L1", 1)],
        Box::new(move |_| {
            reached.send(()).expect("heard");
            assert!(held.recv().is_err());
        }),
    );
    holding.recv().expect("held up");
    let (tell, told) = mpsc::channel();
    for n in 0..10 {
        let tell = tell.clone();
        let events = (0..20)
            .map(|i| event(&format!("{n}-{i}"), "touches", "L1", 1))
            .collect();
        store.append_then(events, Box::new(move |result| drop(tell.send((n, result)))));
    }
    drop(release);
    drop(tell);
    let (busy, stored): (Vec<_>, Vec<_>) = told
        .iter()
        .partition(|(_, result)| matches!(result, Err(StoreError::Busy)));
    assert!(busy.len() == 5 && stored.iter().all(|(_, result)| result.is_ok()));
    assert_eq!(store.n_events(), 1 + 20 * stored.len() as u64);
}

#[test]
fn an_answer_that_panics_ends_nothing() {
    let world = World::new();
    let store = world.create();
    store.append_then(
        vec![event("a", "touches", "L1", 1)],
        Box::new(|_| panic!("as meant")),
    );
    assert_eq!(
        store
            .append(vec![event("b", "touches", "L1", 1)])
            .expect("stored")
            .n_new,
        1
    );
    assert_eq!(store.n_events(), 2);
}
