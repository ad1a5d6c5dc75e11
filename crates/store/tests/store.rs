//! The store by its API: what comes in is there, once, in order, and as of each moment.

mod world;

use leadscore_core::Timestamp;
use leadscore_store::{Appended, Entity, Store, StoreError};
use world::{World, event, lead, micros};

#[test]
fn events_come_back_in_order() {
    let world = World::new();
    let store = world.create();
    let events = vec![
        event("b", "touches", "L1", 20),
        event("a", "touches", "L1", 10),
    ];
    let appended = store.append(events).expect("stored");
    assert_eq!(
        appended,
        Appended {
            n_new: 2,
            n_duplicates: 0
        }
    );
    let found = store.of_entity(&lead("L1"), store.moment()).expect("read");
    assert_eq!(
        found.iter().map(|event| &*event.id).collect::<Vec<_>>(),
        ["a", "b"]
    );
    assert_eq!(
        found.iter().map(|event| event.seq).collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!(found[0].at, micros(10));
    assert!(found[1].recorded < found[0].recorded);
    assert_eq!(
        store
            .of_entity(&lead("L1"), found[1].recorded)
            .expect("read"),
        []
    );
}

#[test]
fn an_id_is_one_event() {
    for settle in [false, true] {
        let world = World::new();
        let store = world.create();
        store
            .append(vec![event("e1", "touches", "L1", 1)])
            .expect("stored");
        if settle {
            store.settle().expect("settled");
        }
        let again = vec![
            event("e1", "touches", "L1", 1),
            event("e2", "touches", "L1", 2),
            event("e2", "touches", "L1", 2),
        ];
        assert_eq!(
            store.append(again).expect("stored"),
            Appended {
                n_new: 1,
                n_duplicates: 2
            }
        );
        for other in [
            event("e1", "leads", "L1", 1),
            event("e1", "touches", "L2", 1),
        ] {
            let result = store.append(vec![event("e3", "touches", "L1", 3), other]);
            assert!(matches!(result, Err(StoreError::Conflict { id }) if id == "e1"));
        }
        // The same row at a time that the receiver gave it is the same event.
        let mut same = event("e1", "touches", "L1", 1);
        same.at = micros(77);
        assert_eq!(store.append(vec![same]).expect("known").n_duplicates, 1);
        assert_eq!(store.n_events(), 2);
    }
}

#[test]
fn reads_are_the_same_before_and_after_settling() {
    let world = World::new();
    let store = world.create();
    for batch in 0..20 {
        let events = (0..200)
            .map(|i| {
                event(
                    &format!("{batch}-{i}"),
                    ["touches", "leads"][i % 2],
                    &format!("L{}", (i * 7 + batch) % 31),
                    i as i64 % 5,
                )
            })
            .collect();
        store.append(events).expect("stored");
    }
    let moment = store.moment();
    let look = |store: &Store| {
        let mut scanned = Vec::new();
        for table in store.tables() {
            store
                .scan(&table, moment, |event| scanned.push(event))
                .expect("read");
        }
        let leads = store.entities(&Entity::Lead("L".into())).expect("read");
        let of_lead = |lead| store.of_entity(lead, moment).expect("read");
        let by_lead: Vec<_> = leads.iter().map(of_lead).collect();
        (
            scanned,
            by_lead,
            store.since(17, 5_000).expect("read"),
            leads,
            store.n_events(),
        )
    };
    let before = look(&store);
    assert_eq!(before.0.len(), 4_000);
    assert_eq!(before.2.len(), 4_000 - 17);
    assert_eq!(before.3.len(), 31);
    store.settle().expect("settled");
    assert_eq!(store.n_recent(), 0);
    assert_eq!(look(&store), before);
    store
        .append(vec![event("later", "touches", "L3", 2)])
        .expect("stored");
    let after = store.scan_all("touches", moment);
    assert_eq!(
        after,
        before
            .0
            .iter()
            .filter(|event| event.table == "touches")
            .cloned()
            .collect::<Vec<_>>()
    );
    assert_eq!(store.check().expect("read"), Vec::<String>::new());
    store.close().expect("closed");
    let reader = Store::open_read(world.place()).expect("opened");
    let found = look(&reader);
    assert_eq!(
        (found.0, found.1, found.4),
        (before.0, before.1, before.4 + 1)
    );
    assert_eq!(
        reader
            .of_entity(&lead("L3"), reader.moment())
            .expect("read")
            .iter()
            .filter(|event| event.id == "later")
            .count(),
        1
    );
}

/// What a scan gives, as a list.
trait ScanAll {
    fn scan_all(&self, table: &str, before: Timestamp) -> Vec<leadscore_store::StoredEvent>;
}

impl ScanAll for Store {
    fn scan_all(&self, table: &str, before: Timestamp) -> Vec<leadscore_store::StoredEvent> {
        let mut events = Vec::new();
        self.scan(table, before, |event| events.push(event))
            .expect("read");
        events
    }
}

#[test]
fn any_program_reads_the_view_of_events() {
    let world = World::on_file();
    let store = world.create();
    let lines = || -> Vec<String> {
        let connection = rusqlite::Connection::open(world.path()).expect("opened");
        connection
            .prepare("SELECT \"table\" || ' ' || entity || ' ' || seq || ' ' || id FROM events ORDER BY seq")
            .expect("the view")
            .query_map([], |row| row.get(0))
            .expect("rows")
            .collect::<Result<_, _>>()
            .expect("texts")
    };
    store
        .append(vec![
            event("a", "touches", "L1", 1),
            event("b", "leads", "L2", 2),
        ])
        .expect("stored");
    let expected = ["touches lead/L1 1 a", "leads lead/L2 2 b"];
    assert_eq!(lines(), expected);
    store.settle().expect("settled");
    assert_eq!(lines(), expected);
}
