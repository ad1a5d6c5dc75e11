//! The rule of moments: a moment sees exactly the events recorded before it, now and later, with many
//! threads, a clock that jumps, and crashes.

mod world;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use leadscore_core::Timestamp;
use leadscore_store::{Store, StoreError};
use proptest::prelude::*;
use world::{World, event, lead, micros};

/// IDs of all events that a moment sees.
fn seen(store: &Store, before: Timestamp) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for table in store.tables() {
        store
            .scan(&table, before, |event| ids.extend([event.id]))
            .expect("read");
    }
    ids
}

/// Threads append and ask for moments while the clock shows `times`, one after another.
fn run(
    world: &World,
    store: &Store,
    round: usize,
    times: &[i64],
) -> Vec<(Timestamp, BTreeSet<String>)> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in 0..3 {
            let stop = &stop;
            scope.spawn(move || {
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    let events = (0..=n % 3)
                        .map(|i| event(&format!("{round}/{client}/{n}/{i}"), "touches", "L1", n))
                        .collect();
                    let moment = store.moment();
                    store.append(events).expect("stored");
                    // Who was answered sees the event, with moments of its own.
                    let now = store.moment();
                    assert!(now >= moment, "moments go back");
                    let own = store.of_entity(&lead("L1"), now).expect("read");
                    let id = format!("{round}/{client}/{n}/0");
                    let found = own.iter().find(|event| event.id == id).expect("seen");
                    assert!(found.recorded >= moment && found.recorded < now);
                    n += 1;
                    std::thread::sleep(std::time::Duration::from_micros(300));
                }
            });
        }
        let watchers: Vec<_> = (0..2)
            .map(|_| {
                let stop = &stop;
                scope.spawn(move || {
                    let mut found = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let moment = store.moment();
                        found.push((moment, seen(store, moment)));
                        std::thread::sleep(std::time::Duration::from_millis(1));
                    }
                    found
                })
            })
            .collect();
        for time in times {
            world.set_clock(*time);
            std::thread::sleep(std::time::Duration::from_millis(4));
        }
        stop.store(true, Ordering::Relaxed);
        watchers
            .into_iter()
            .flat_map(|watcher| watcher.join().expect("a watcher"))
            .collect()
    })
}

/// What the files have at this moment, as after `kill -9`.
fn copy_of(world: &World) -> World {
    let copy = World::on_file();
    for suffix in ["", "-wal"] {
        let name = |world: &World| {
            let mut name = world.path().into_os_string();
            name.push(suffix);
            name
        };
        std::fs::copy(name(world), name(&copy)).expect("copied");
    }
    copy
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn a_moment_sees_what_was_recorded_before_it(
        rounds in prop::collection::vec(prop::collection::vec(-5_000_000_i64..50_000_000, 3..8), 1..4),
        settle_from in prop_oneof![Just(1_usize), Just(20), Just(100_000)],
    ) {
        let world = World::new();
        let mut options = world.options();
        options.settle_from = settle_from;
        let mut store = Store::create(world.place(), options.clone()).expect("created");
        let mut watched = Vec::new();
        for (round, times) in rounds.iter().enumerate() {
            watched.extend(run(&world, &store, round, times));
            store.close().expect("closed");
            world.set_clock(-1_000_000_000);
            store = Store::open(world.place(), options.clone()).expect("opened");
        }
        store.append(vec![event("last", "touches", "L1", 0)]).expect("stored");
        for (moment, ids) in &watched {
            prop_assert_eq!(&seen(&store, *moment), ids, "the moment {} changed", moment.micros());
        }
        let events = store.since(0, usize::MAX).expect("read");
        prop_assert!(events.windows(2).all(|pair| pair[0].seq < pair[1].seq && pair[0].recorded < pair[1].recorded));
        prop_assert_eq!(events.len() as u64, store.n_events());
        prop_assert_eq!(store.check().expect("read"), Vec::<String>::new());
    }
}

#[test]
fn a_moment_holds_after_a_crash_and_with_a_clock_that_was_set_back() {
    for (before, after) in [(5_000, -7_000_000), (5_000, 5_001), (5_000, 90_000_000)] {
        let world = World::on_file();
        world.set_clock(before);
        let store = world.create();
        store
            .append(vec![event("a", "touches", "L1", 1)])
            .expect("stored");
        world.set_clock(before + 40_000_000);
        let moment = store.moment();
        let crashed = copy_of(&world);
        crashed.set_clock(after);
        let again = crashed.open().expect("opened");
        assert_eq!(seen(&again, moment).len(), 1);
        again
            .append(vec![event("b", "touches", "L1", 2)])
            .expect("stored");
        assert_eq!(seen(&again, moment).len(), 1);
        assert!(again.moment() > moment);
        assert_eq!(seen(&again, again.moment()).len(), 2);
        // Both ways end by the same rule.
        store.close().expect("closed");
        world.set_clock(after);
        let closed = world.open().expect("opened");
        closed
            .append(vec![event("b", "touches", "L1", 2)])
            .expect("stored");
        assert_eq!(seen(&closed, moment).len(), 1);
    }
}

#[test]
fn a_clock_that_was_set_back_makes_the_store_wait_for_it() {
    let world = World::new();
    world.set_clock(3_600_000_000);
    let store = world.create();
    store
        .append(vec![event("a", "touches", "L1", 1)])
        .expect("stored");
    world.set_clock(0);
    assert_eq!(store.ahead_of_clock(), 3_600_000_001);
    let moment = store.moment();
    assert_eq!(moment, micros(3_600_000_001));
    world.set_clock(3_700_000_000);
    assert_eq!(store.ahead_of_clock(), 0);
    assert_eq!(store.moment(), micros(3_700_000_000));
}

#[test]
fn imports_keep_their_times_until_the_first_score() {
    let world = World::new();
    let store = world.create();
    let imported = |id: &str, recorded| {
        let mut event = event(id, "touches", "L1", 1);
        event.recorded = Some(micros(recorded));
        vec![event]
    };
    store.append(imported("a", 500)).expect("stored");
    store.append(imported("b", 100)).expect("stored");
    let found = store.of_entity(&lead("L1"), micros(200)).expect("read");
    assert_eq!(
        found.iter().map(|event| &*event.id).collect::<Vec<_>>(),
        ["b"]
    );
    let refused = |result: Result<_, StoreError>| result.expect_err("refused").to_string();
    let future = refused(store.append(imported("c", i64::from(i32::MAX))));
    assert!(
        future.starts_with("event 0 (`c`) was recorded in the future"),
        "{future}"
    );
    store.moment();
    let late = refused(store.append(imported("d", 999)));
    assert!(
        late.starts_with("event 0 (`d`) was recorded before a moment"),
        "{late}"
    );
    // An event that is known is a duplicate, and refused for nothing.
    store.close().expect("closed");
    let store = world.open().expect("opened");
    refused(store.append(imported("d", 999)));
    assert_eq!(store.n_events(), 2);
}
