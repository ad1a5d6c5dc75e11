//! Leads that are forgotten leave nothing, and backups are whole.

mod world;

use leadscore_store::{Appended, Entity, Store, StoreError};
use world::{World, event, lead};

/// How often a text is in the bytes of all files of the folder.
fn n_in_files(world: &World, text: &str) -> usize {
    let folder = world.path().parent().expect("a folder").to_path_buf();
    std::fs::read_dir(folder)
        .expect("read")
        .map(|file| std::fs::read(file.expect("a file").path()).expect("read"))
        .map(|bytes| {
            bytes
                .windows(text.len())
                .filter(|window| *window == text.as_bytes())
                .count()
        })
        .sum()
}

#[test]
fn a_forgotten_lead_leaves_no_bytes() {
    for n_settles in 0..4 {
        let world = World::new();
        let store = world.create();
        let secret = "lead-of-mrs-smith";
        for n in 0..60 {
            let events = (0..30)
                .map(|i| {
                    let id = if i % 10 == 3 {
                        secret.to_owned()
                    } else {
                        format!("lead-of-nobody-{i}")
                    };
                    event(
                        &format!("{id}-{n}-{i}"),
                        ["touches", "leads"][n % 2],
                        &id,
                        n as i64,
                    )
                })
                .collect();
            store.append(events).expect("stored");
            if n % 20 < n_settles {
                store.settle().expect("settled");
            }
        }
        // From the file, or the log beside it.
        assert!(n_in_files(&world, secret) > 0 || !world.is_of_file());
        let moment = store.moment();
        let others = store
            .of_entity(&lead("lead-of-nobody-1"), moment)
            .expect("read");
        let forgotten = store.forget(&lead(secret)).expect("forgotten");
        assert_eq!((forgotten.n_events, forgotten.n_traces), (180, Some(0)));
        assert_eq!(n_in_files(&world, secret), 0);
        assert_eq!(store.n_events(), 60 * 30 - 180);
        assert_eq!(store.of_entity(&lead(secret), moment).expect("read"), []);
        assert_eq!(
            store
                .of_entity(&lead("lead-of-nobody-1"), moment)
                .expect("read"),
            others
        );
        // What is sent again is known, whatever it has; what is new is new.
        let again = vec![
            event(&format!("{secret}-0-3"), "touches", secret, 0),
            event(&format!("{secret}-1-3"), "touches", "L2", 9),
        ];
        assert_eq!(
            store.append(again).expect("known"),
            Appended {
                n_new: 0,
                n_duplicates: 2
            }
        );
        assert_eq!(n_in_files(&world, secret), 0);
        assert_eq!(
            store.forget(&lead(secret)).expect("nothing left").n_events,
            0
        );
        store.settle().expect("settled");
        assert_eq!(store.check().expect("read"), Vec::<String>::new());
        let last_seq = store.last_seq();
        store.close().expect("closed");
        let store = world.open().expect("opened");
        assert_eq!(
            (store.n_events(), store.last_seq()),
            (60 * 30 - 180, last_seq)
        );
        assert_eq!(
            store
                .append(vec![event(&format!("{secret}-0-3"), "touches", "L2", 0)])
                .expect("known")
                .n_new,
            0
        );
        assert_eq!(n_in_files(&world, secret), 0);
    }
}

#[test]
fn the_last_events_may_be_forgotten() {
    let world = World::new();
    let store = world.create();
    store
        .append(vec![event("a", "touches", "another-lead", 1)])
        .expect("stored");
    store
        .append(vec![event("b", "touches", "lead-of-mrs-smith", 1)])
        .expect("stored");
    let (moment, last_seq) = (store.moment(), store.last_seq());
    store.forget(&lead("lead-of-mrs-smith")).expect("forgotten");
    store.close().expect("closed");
    world.set_clock(0);
    let store = world.open().expect("opened");
    store
        .append(vec![event("c", "touches", "another-lead", 1)])
        .expect("stored");
    let found = store
        .of_entity(&lead("another-lead"), store.moment())
        .expect("read");
    assert!(found[1].seq > last_seq && found[1].recorded >= moment);
}

#[test]
fn rows_of_others_that_name_the_lead_are_told() {
    let world = World::new();
    let store = world.create();
    store
        .append(vec![event("a", "touches", "lead-of-mrs-smith", 1)])
        .expect("stored");
    let mut merge = event("b", "merges", "another-lead", 1);
    merge.row = "{\"from\":\"lead-of-mrs-smith\"}".to_owned();
    store.append(vec![merge]).expect("stored");
    let forgotten = store.forget(&lead("lead-of-mrs-smith")).expect("forgotten");
    assert_eq!((forgotten.n_events, forgotten.n_traces), (1, Some(1)));
    store
        .append(vec![event("c", "touches", "7", 1)])
        .expect("stored");
    let forgotten = store.forget(&lead("7")).expect("forgotten");
    assert_eq!((forgotten.n_events, forgotten.n_traces), (1, None));
    let account = Entity::Account("7".to_owned());
    assert_eq!(store.forget(&account).expect("nothing").n_events, 0);
}

#[test]
fn a_backup_is_whole_while_events_come_in() {
    let world = World::on_file();
    let store = world.create();
    let target = world.path().with_extension("backup");
    let n_sure = 300;
    std::thread::scope(|scope| {
        let (tell, told) = std::sync::mpsc::channel();
        let store = &store;
        scope.spawn(move || {
            for n in 0..1_000 {
                store
                    .append(vec![event(&n.to_string(), "touches", "L1", n)])
                    .expect("stored");
                if n == n_sure {
                    tell.send(()).expect("heard");
                }
            }
        });
        told.recv().expect("told");
        store.backup(&target).expect("copied");
    });
    assert!(matches!(
        store.backup(&target),
        Err(StoreError::Exists { .. })
    ));
    let missing = world.path().with_file_name("no-folder").join("copy");
    assert!(store.backup(&missing).is_err());
    let copy = Store::open(&target, world.options()).expect("opened");
    assert_eq!(copy.check().expect("read"), Vec::<String>::new());
    let events = copy.since(0, usize::MAX).expect("read");
    assert!(events.len() as i64 > n_sure);
    for (n, event) in events.iter().enumerate() {
        assert_eq!(event.id, n.to_string());
    }
    assert_eq!(store.n_events(), 1_000);
}

#[test]
fn leads_are_forgotten_while_events_come_in_and_settle() {
    let world = World::new();
    drop(world.create());
    let mut options = world.options();
    options.settle_from = 1;
    let store = Store::open(world.place(), options).expect("opened");
    let stop = std::sync::atomic::AtomicBool::new(false);
    let mut n_forgotten = 0;
    std::thread::scope(|scope| {
        let (store, stop) = (&store, &stop);
        for client in 0..2 {
            scope.spawn(move || {
                for n in 0..40_000 {
                    if stop.load(std::sync::atomic::Ordering::Relaxed) {
                        break;
                    }
                    let of = format!("lead-number-{}", n % 5);
                    store
                        .append(vec![event(
                            &format!("{of}-{client}-{n}"),
                            "touches",
                            &of,
                            n,
                        )])
                        .expect("stored");
                }
            });
        }
        for n in 0..30 {
            std::thread::sleep(std::time::Duration::from_millis(n % 7));
            let of = lead(&format!("lead-number-{}", n % 5));
            n_forgotten += store.forget(&of).expect("forgotten").n_events;
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let stored = store.last_seq();
    assert_eq!(store.n_events() + n_forgotten as u64, stored);
    for n in 0..5 {
        n_forgotten += store
            .forget(&lead(&format!("lead-number-{n}")))
            .expect("forgotten")
            .n_events;
    }
    assert_eq!((store.n_events(), n_forgotten as u64), (0, stored));
    assert_eq!(store.since(0, usize::MAX).expect("read"), []);
    assert_eq!(store.check().expect("read"), Vec::<String>::new());
    assert_eq!(n_in_files(&world, "lead-number-"), 0);
}
