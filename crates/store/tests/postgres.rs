//! What can happen to a store in PostgreSQL, and not to a file: servers that are restarted,
//! connections that break, other processes, other tables.
//!
//! Each test starts a server of its own. They are run by `cargo xtask test --only sql`.

mod server;
mod world;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use leadscore_core::SecretUri;
use leadscore_store::{NewEvent, ServerAddress, Store, StoreError, StoreOptions};
use server::{Server, Way, place};
use world::{World, event, lead};

fn options() -> StoreOptions {
    World::on_file().options()
}

fn one(id: &str) -> Vec<NewEvent> {
    vec![event(id, "touches", "L1", 1)]
}

/// Threads append until they are stopped, again and again where the server is away.
struct Load {
    stop: AtomicBool,
    /// IDs of calls that were answered.
    answered: Mutex<BTreeSet<String>>,
    /// Answers that say that the server is away.
    n_away: AtomicUsize,
}

impl Load {
    fn run(store: &Store, n_threads: usize, trouble: impl FnOnce()) -> Self {
        let load = Self {
            stop: AtomicBool::new(false),
            answered: Mutex::default(),
            n_away: AtomicUsize::new(0),
        };
        std::thread::scope(|scope| {
            for thread in 0..n_threads {
                let load = &load;
                scope.spawn(move || load.append(store, thread));
            }
            trouble();
            load.stop.store(true, Ordering::SeqCst);
        });
        load
    }

    fn append(&self, store: &Store, thread: usize) {
        for n in 0.. {
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            let ids: Vec<String> = (0..1 + n % 5)
                .map(|i| format!("{thread}-{n}-{i}"))
                .collect();
            let events: Vec<NewEvent> = ids
                .iter()
                .map(|id| event(id, ["touches", "leads"][n % 2], "L1", 1))
                .collect();
            let n_new = loop {
                let moment = store.moment();
                match store.append(events.clone()) {
                    Ok(appended) => {
                        let found = store.since(store.last_seq() - 1, 1);
                        // Reads may fail while the server is away, and must not lie.
                        assert!(found.is_err() || store.moment() >= moment);
                        break appended.n_new;
                    }
                    Err(StoreError::Unreachable { .. }) => {
                        self.n_away.fetch_add(1, Ordering::SeqCst);
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    Err(error) => panic!("{error}"),
                }
            };
            // A call that failed is stored by nobody, so each is new once.
            assert_eq!(n_new, ids.len());
            self.answered.lock().expect("whole").extend(ids);
        }
    }

    /// What was answered is there, once, and nothing else.
    #[track_caller]
    fn check(&self, store: &Store) {
        let answered = self.answered.lock().expect("whole");
        let stored = store.since(0, usize::MAX).expect("read");
        let ids: BTreeSet<String> = stored.iter().map(|event| event.id.clone()).collect();
        assert_eq!((stored.len(), &ids), (ids.len(), &*answered));
        assert_eq!(store.n_events(), stored.len() as u64);
        assert!(
            stored
                .windows(2)
                .all(|pair| pair[0].seq < pair[1].seq && pair[0].recorded < pair[1].recorded)
        );
        assert_eq!(store.check().expect("read"), Vec::<String>::new());
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_server_that_crashes_loses_nothing_and_counts_nothing_twice() {
    let server = Server::start("");
    let store = Store::create(place(&server.uri()), options()).expect("created");
    let load = Load::run(&store, 4, || {
        // Callers wait for a server that is soon back; and are told of one that is not.
        for away in [0, 0, 300, 0, 6_500, 0] {
            std::thread::sleep(Duration::from_millis(500));
            server.crash();
            std::thread::sleep(Duration::from_millis(away));
            server.start_again();
        }
        std::thread::sleep(Duration::from_millis(2_500));
    });
    assert!(load.answered.lock().expect("whole").len() > 500);
    assert!(load.n_away.load(Ordering::SeqCst) > 0);
    load.check(&store);
    store.close().expect("closed");
    load.check(&Store::open_read(place(&server.uri())).expect("opened"));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn connections_that_are_ended_lose_nothing_and_count_nothing_twice() {
    let server = Server::start("");
    let store = Store::create(place(&server.uri()), options()).expect("created");
    let load = Load::run(&store, 8, || {
        let mut n_ended = 0;
        let begin = Instant::now();
        while n_ended < 40 && begin.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(30 + n_ended as u64 * 7 % 60));
            n_ended += server.end_writers();
        }
        assert!(n_ended >= 40);
    });
    load.check(&store);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_answer_that_is_lost_is_found() {
    let server = Server::start("");
    let way = Way::to(server.port());
    let uri = server.uri_of(way.port, "s3cret-word");
    let store = Arc::new(Store::create(place(&uri), options()).expect("created"));
    store.append(one("a")).expect("stored");
    let moment = store.moment();
    // The commit is kept, its answer lost, and its backend has the lock yet. The answer before it
    // says which IDs are known.
    way.lose_answer(1);
    let waiting = Arc::clone(&store);
    let append = std::thread::spawn(move || waiting.append(one("b")));
    std::thread::sleep(Duration::from_millis(500));
    way.open();
    assert_eq!(append.join().expect("ended").expect("stored").n_new, 1);
    assert_eq!(store.append(one("b")).expect("known").n_duplicates, 1);
    assert_eq!(store.n_events(), 2);
    assert_eq!(store.of_entity(&lead("L1"), moment).expect("read").len(), 1);
    assert_eq!(store.check().expect("read"), Vec::<String>::new());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_call_that_failed_is_not_stored_even_if_its_commit_was_kept() {
    let server = Server::start("");
    let way = Way::to(server.port());
    let uri = server.uri_of(way.port, "s3cret-word");
    let store = Store::create(place(&uri), options()).expect("created");
    store.append(one("a")).expect("stored");
    way.lose_answer(1);
    let begin = Instant::now();
    let refused = |result| match result {
        Err(error @ StoreError::Unreachable { .. }) => {
            let text = format!("{error} {error:?}");
            assert!(!text.contains("s3cret"), "{text}");
        }
        other => panic!("{other:?}"),
    };
    let mut new_table = one("b");
    new_table[0].table = "leads".to_owned();
    refused(store.append(new_table));
    assert!(begin.elapsed() > Duration::from_secs(3));
    // It is there, but its caller was told that it is not.
    let mut client = server.client();
    let count = "SELECT count(*) FROM leadscore.events";
    assert_eq!(
        client.query_one(count, &[]).expect("read").get::<_, i64>(0),
        2
    );
    // While the server is away, nobody waits, and time does not pass an event in doubt.
    let begin = Instant::now();
    refused(store.append(one("c")));
    assert!(begin.elapsed() < Duration::from_secs(4));
    let sql = "SELECT recorded FROM leadscore.events ORDER BY seq DESC LIMIT 1";
    let recorded: i64 = client.query_one(sql, &[]).expect("read").get(0);
    assert!(store.moment().micros() <= recorded);
    way.open();
    let begin = Instant::now();
    let appended = loop {
        match store.append(one("d")) {
            Ok(appended) => break appended,
            result => refused(result),
        }
        assert!(begin.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(appended.n_new, 1);
    let ids: Vec<String> = store
        .since(0, 10)
        .expect("read")
        .into_iter()
        .map(|event| event.id)
        .collect();
    assert_eq!(ids, ["a", "d"]);
    assert_eq!(store.tables(), ["touches"]);
    let mut again = one("b");
    again[0].table = "accounts".to_owned();
    assert_eq!(store.append(again).expect("new").n_new, 1);
    assert_eq!(store.tables(), ["touches", "accounts"]);
    assert_eq!(store.check().expect("read"), Vec::<String>::new());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_process_that_lost_its_lock_to_another_writes_no_more() {
    let server = Server::start("");
    let at = || place(&server.uri());
    let first = Store::create(at(), options()).expect("created");
    first.append(one("a")).expect("stored");
    let moment = first.moment();
    let error = Store::open(at(), options()).expect_err("one writes");
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    assert_eq!(server.end_writers(), 1);
    let second = Store::open(at(), options()).expect("the lock is free");
    second.append(one("b")).expect("stored");
    for _ in 0..2 {
        let error = first.append(one("c")).expect_err("another one writes");
        assert!(matches!(error, StoreError::TakenOver { .. }), "{error}");
    }
    // What it saw stays as it was, and no event of the other is before a moment of its own.
    let seen = first.of_entity(&lead("L1"), moment).expect("read");
    let later = first.of_entity(&lead("L1"), first.moment()).expect("read");
    assert_eq!((seen.len(), seen), (1, later));
    let events = second.since(0, 10).expect("read");
    assert!(events[1].recorded >= first.moment());
    assert!(first.close().is_err());
    assert_eq!(second.append(one("c")).expect("stored").n_new, 1);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_commit_of_a_process_that_is_not_the_writer_any_more_leaves_nothing() {
    // As behind a pool of connections, where the lock is not what it seems.
    let server = Server::start("");
    let store = Store::create(place(&server.uri()), options()).expect("created");
    store.append(one("a")).expect("stored");
    let mut client = server.client();
    let mut set = |sql: &str| client.execute(sql, &[]).expect("set");
    set("UPDATE leadscore.state SET writer = 'another'");
    for _ in 0..2 {
        let error = store.append(one("b")).expect_err("another one writes");
        assert!(matches!(error, StoreError::TakenOver { .. }), "{error}");
    }
    assert!(store.forget(&lead("L1")).is_err());
    let left = "SELECT (SELECT count(*) FROM leadscore.events), \
                (SELECT count(*) FROM leadscore.ids), (SELECT last_seq FROM leadscore.state)";
    let row = client.query_one(left, &[]).expect("read");
    assert_eq!([0, 1, 2].map(|place| row.get::<_, i64>(place)), [1; 3]);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_older_state_that_was_restored_is_noticed() {
    let server = Server::start("");
    let store = Store::create(place(&server.uri()), options()).expect("created");
    for id in ["a", "b", "c"] {
        store.append(one(id)).expect("stored");
    }
    server
        .client()
        .batch_execute(
            "UPDATE leadscore.state SET last_seq = 2; DELETE FROM leadscore.events WHERE seq = 3",
        )
        .expect("put back");
    assert_eq!(server.end_writers(), 1);
    let error = store.append(one("d")).expect_err("an event is gone");
    assert!(
        error.to_string().contains("an older state was restored"),
        "{error}"
    );
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_is_no_store_is_refused_in_words() {
    #[track_caller]
    fn refused(uri: &str, expected: &str) {
        let error = Store::open(place(uri), options()).expect_err("refused");
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let text = format!("{error}: {}", cause.unwrap_or_default());
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("\n  hint: "), "{text}");
        for secret in ["s3cret", "wr0ng", "zoe9"] {
            assert!(!format!("{text}{error:?}").contains(secret), "{text}");
        }
    }
    let server = Server::start("");
    let mut client = server.client();
    refused(
        &server.uri(),
        "there is no store leadscore in postgresql:///postgres",
    );
    refused(
        &server.uri_of(server.port(), "wr0ng"),
        "PostgreSQL does not let in the user",
    );
    refused(
        &server
            .uri_of(server.port(), "s3cret-word")
            .replace("/postgres:", "/zoe9:"),
        "PostgreSQL does not let in the user",
    );
    refused(
        "postgresql://zoe9:s3cret@127.0.0.1:1/crm",
        "cannot be reached",
    );
    refused(
        &server.uri().replace("/postgres?", "/nothing?"),
        "does not exist",
    );
    refused(
        &format!(
            "{}?sslmode=require",
            server.uri_of(server.port(), "s3cret-word")
        ),
        "cannot be reached",
    );
    let of = |schema: &str| format!("{}&schema={schema}", server.uri());
    client
        .batch_execute("CREATE SCHEMA other; CREATE TABLE other.leads (id text)")
        .expect("made");
    refused(&of("other"), "has tables, but is not an event store");
    assert!(Store::create(place(&of("other")), options()).is_err());
    assert!(Store::is_there(place(&of("other"))).is_err());
    client
        .batch_execute(
            "CREATE SCHEMA same; CREATE TABLE same.tables (); CREATE TABLE same.events (); \
             CREATE TABLE same.ids (); CREATE TABLE same.state (mark text)",
        )
        .expect("made");
    refused(&of("same"), "is not an event store");
    // An empty schema may have been made for the store.
    client.batch_execute("CREATE SCHEMA empty").expect("made");
    assert!(!Store::is_there(place(&of("empty"))).expect("known"));
    let store = Store::create(place(&of("empty")), options()).expect("created");
    store.append(one("a")).expect("stored");
    drop(store);
    let error = Store::create(place(&of("empty")), options()).expect_err("it is there");
    assert!(matches!(error, StoreError::SchemaExists { .. }), "{error}");
    client
        .batch_execute("UPDATE empty.state SET version = 2")
        .expect("changed");
    refused(
        &of("empty"),
        "has version 2 of its format, and this leadscore reads version 1",
    );
    client
        .batch_execute("CREATE ROLE reader LOGIN")
        .expect("made");
    let error = Store::create(
        place(&server.uri().replace("user=postgres", "user=reader")),
        options(),
    );
    let error = error.expect_err("it may not");
    assert!(matches!(error, StoreError::NoRight { .. }), "{error}");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_server_has_to_show_who_it_is() {
    let server = Server::start("");
    let certificate = server.encrypt();
    let uri = |more: &str| format!("{}?{more}", server.uri_of(server.port(), "s3cret-word"));
    let trusted = format!("sslmode=verify-full&sslrootcert={certificate}");
    let store = Store::create(place(&uri(&trusted)), options()).expect("created");
    store.append(one("a")).expect("stored");
    let sql = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
               WHERE ssl AND application_name = 'leadscore'";
    let n: i64 = server.client().query_one(sql, &[]).expect("read").get(0);
    assert_eq!(n, 1);
    drop(store);
    // Nobody vouches for it; or its name is another one.
    let named = uri(&trusted).replace("127.0.0.1", "localhost");
    for (uri, expected) in [
        (uri("sslmode=require"), "UnknownIssuer"),
        (named, "not valid for"),
    ] {
        let error = Store::open(place(&uri), options()).expect_err("refused");
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let cause = cause.unwrap_or_default();
        assert!(cause.contains(expected), "{error}: {cause}");
    }
    let missing = place(&uri("sslmode=verify-full&sslrootcert=/no/such.pem"));
    let error = Store::open(missing, options())
        .expect_err("refused")
        .to_string();
    assert!(error.starts_with("/no/such.pem cannot be used"), "{error}");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_import_that_did_not_end_is_not_there() {
    let server = Server::start("");
    let address = address(&server);
    let store = Store::create_unfinished(&address, options()).expect("created");
    store.append(one("a")).expect("stored");
    assert!(!Store::is_there(place(&server.uri())).expect("known"));
    assert!(matches!(
        Store::open_read(place(&server.uri())),
        Err(StoreError::Missing { .. })
    ));
    // Another import at the same time.
    assert!(matches!(
        Store::create_unfinished(&address, options()),
        Err(StoreError::InUse { .. })
    ));
    store.close().expect("closed");
    let store = Store::create_unfinished(&address, options()).expect("created anew");
    assert_eq!(store.append(one("a")).expect("stored").n_new, 1);
    store.finish(&address).expect("finished");
    assert!(Store::is_there(place(&server.uri())).expect("known"));
    let store = Store::open(place(&server.uri()), options()).expect("opened");
    assert_eq!(store.n_events(), 1);
}

fn address(server: &Server) -> ServerAddress {
    ServerAddress::parse(&SecretUri::from(server.uri())).expect("an address")
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_server_that_may_lose_commits_is_refused() {
    let server = Server::start("-c fsync=off -c synchronous_commit=off");
    let error = Store::create(place(&server.uri()), options()).expect_err("refused");
    let text = error.to_string();
    assert!(
        text.contains("has fsync = off, and the store needs on"),
        "{text}"
    );
    drop(server);
    // What a session can set, it sets.
    let server = Server::start("-c synchronous_commit=off");
    let store = Store::create(place(&server.uri()), options()).expect("created");
    assert_eq!(store.append(one("a")).expect("stored").n_new, 1);
}
