//! Measures a store: `load PLACE N_BEFORE SECONDS CLIENTS BATCH`. Fills it up to N_BEFORE events, then
//! lets clients append durable events for some seconds, each waiting for its answer, and reads
//! leads.
#![allow(clippy::print_stdout, reason = "a measurement")]

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use leadscore_core::{SecretUri, Timestamp};
use leadscore_store::{Entity, NewEvent, ServerAddress, Store, StoreOptions, StorePlace};

/// Leads whose events come in, and one with a thousand among them.
const N_LEADS: u64 = 100_000;
const BIG: &str = "L-big";
const N_BIG: u64 = 1_000;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |place: usize| -> u64 {
        args.get(place)
            .and_then(|text| text.parse().ok())
            .expect("load PLACE N_BEFORE SECONDS CLIENTS BATCH")
    };
    let place = if ServerAddress::is_meant(&args[1]) {
        let address = SecretUri::from(args[1].clone());
        StorePlace::from(ServerAddress::parse(&address).expect("an address"))
    } else {
        StorePlace::File(args[1].clone().into())
    };
    let (n_before, seconds, n_clients, batch) = (number(2), number(3), number(4), number(5));
    let options = || StoreOptions::new(Arc::new(now));
    let begin = Instant::now();
    let store = if Store::is_there(&place).expect("known") {
        Store::open(&place, options())
    } else {
        Store::create(&place, options())
    };
    let store = Arc::new(store.expect("a store"));
    println!(
        "open: {:.1} ms, {} events",
        ms(begin.elapsed()),
        store.n_events()
    );
    fill(&store, n_before);
    append(&store, seconds, n_clients, batch);
    read(&store);
    let begin = Instant::now();
    drop(store);
    println!("close: {:.1} ms", ms(begin.elapsed()));
    let begin = Instant::now();
    let store = Store::open(&place, options()).expect("a store");
    println!(
        "open again: {:.1} ms, {} recent",
        ms(begin.elapsed()),
        store.n_recent()
    );
    let begin = Instant::now();
    store.settle().expect("settled");
    println!("settle the rest: {:.1} s", begin.elapsed().as_secs_f64());
    read(&store);
    drop(store);
    if let StorePlace::File(path) = place {
        let size = std::fs::metadata(path).expect("a file").len();
        println!("file: {:.0} MB", size as f64 / 1e6);
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    Timestamp::from_micros(i64::try_from(since.as_micros()).expect("before 294000"))
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// A number that looks random, the same for the same `i`.
fn mix(i: u64) -> u64 {
    let mut x = i.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// An event of a lead, or of a random one.
fn event(i: u64, lead: Option<u64>) -> NewEvent {
    let random = mix(i);
    let lead = lead.unwrap_or(random % N_LEADS);
    let lead = format!("L{lead:06}");
    let at = 1_700_000_000_000_000 + (random >> 20) as i64 % 30_000_000_000_000;
    NewEvent {
        id: format!("{random:016x}"),
        table: ["activities.touches", "activities.visits", "leads"][(random >> 8) as usize % 3]
            .to_owned(),
        row: format!(
            "{{\"lead_id\":\"{lead}\",\"at\":\"2025-06-01T10:00:00Z\",\"touch_type\":\"call\",\"minutes\":{}}}",
            random % 60
        ),
        entity: Entity::Lead(lead),
        at: Timestamp::from_micros(at),
        recorded: None,
    }
}

/// An export is sorted by lead, so this is, too.
fn fill(store: &Store, n_before: u64) {
    let begin = Instant::now();
    let first = store.last_seq();
    if n_before <= first {
        return;
    }
    let of_big = |i| NewEvent {
        entity: Entity::Lead(BIG.to_owned()),
        ..event(1 << 60 | i, Some(0))
    };
    store
        .append((0..N_BIG).map(of_big).collect())
        .expect("stored");
    let mut i = store.last_seq();
    while i < n_before {
        let end = (i + 10_000).min(n_before);
        let events = (i..end).map(|i| event(i, Some(i * N_LEADS / n_before)));
        store.append(events.collect()).expect("stored");
        i = end;
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "fill: {:.0} events/s over {seconds:.1} s",
        (n_before - first) as f64 / seconds
    );
    store.settle().expect("settled");
    println!("settled after {:.1} s", begin.elapsed().as_secs_f64());
}

fn append(store: &Arc<Store>, seconds: u64, n_clients: u64, batch: u64) {
    let first = store.last_seq();
    let begin = Instant::now();
    let end = begin + Duration::from_secs(seconds);
    let threads: Vec<_> = (0..n_clients)
        .map(|client| {
            let store = Arc::clone(store);
            std::thread::spawn(move || {
                let mut times = Vec::new();
                let mut i = first + client * (1 << 32);
                while Instant::now() < end {
                    let events = (i..i + batch).map(|i| event(i, None)).collect();
                    i += batch;
                    let begin = Instant::now();
                    store.append(events).expect("stored");
                    times.push(begin.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times: Vec<Duration> = threads
        .into_iter()
        .flat_map(|thread| thread.join().expect("a client"))
        .collect();
    let seconds = begin.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: f64| ms(times[((times.len() - 1) as f64 * share) as usize]);
    println!(
        "append: {:.0} events/s, answers p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, most {:.1} ms; {} recent",
        (store.last_seq() - first) as f64 / seconds,
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
        store.n_recent()
    );
}

fn read(store: &Store) {
    let time = |lead: &dyn Fn(u64) -> String| {
        let mut times = Vec::new();
        let mut n = 0;
        for i in 0..2_000 {
            let entity = Entity::Lead(lead(i));
            let moment = store.moment();
            let begin = Instant::now();
            n += store.of_entity(&entity, moment).expect("read").len();
            times.push(begin.elapsed());
        }
        times.sort_unstable();
        (n / 2_000, ms(times[1_000]), ms(times[1_980]))
    };
    let (n, p50, p99) = time(&|i| format!("L{:06}", mix(i) % N_LEADS));
    println!("read a lead of about {n} events: p50 {p50:.3} ms, p99 {p99:.3} ms");
    let (n, p50, p99) = time(&|_| BIG.to_owned());
    println!("read a lead of {n} events: p50 {p50:.3} ms, p99 {p99:.3} ms");
}
