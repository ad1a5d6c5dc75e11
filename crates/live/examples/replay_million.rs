//! A million answers of a store, given while events come in from threads, and every one of them
//! computed again from its tables.
//!
//! `cargo run --release --workspace --all-features --example replay_million -- 1000000 20000`: the
//! number of answers, and the number of leads.

#[path = "../tests/made/mod.rs"]
mod made;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use leadscore::{Data, Inputs};
use leadscore_live::{EngineOptions, LiveEngine, ReplayInputs, ReplayOptions, models_of, replay};
use leadscore_serve::{Engine, QueueQuery};
use made::{DAY, Made, Numbers};
use serde_json::Value;

fn number(place: usize, default: usize) -> usize {
    std::env::args()
        .nth(place)
        .map_or(default, |text| text.parse().expect("a number"))
}

#[expect(clippy::print_stdout, reason = "it is the figures that it is for")]
fn main() {
    let n_answers = number(1, 1_000_000);
    let n_leads = u32::try_from(number(2, 20_000)).expect("a number of leads");
    let made = Made::new(n_leads, 7);
    let store = Arc::new(made.create_store("events.store"));
    let end = made.arrivals.last().expect("rows").0;
    let begin = made
        .arrivals
        .partition_point(|(arrival, _)| *arrival < end - 200 * DAY);
    made.append(&store, &made.arrivals[..begin]);
    let options = EngineOptions {
        refresh_every: Some(Duration::from_secs(2)),
        reload_every: Duration::from_secs(60),
        ..EngineOptions::new(made.config.clone(), Arc::clone(&store), made.clock())
    };
    let began = Instant::now();
    let engine = LiveEngine::open(options).expect("an engine");
    println!("open: {} ms", began.elapsed().as_millis());
    while engine.ready().is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    println!(
        "queue of {:?} open leads of {n_leads}: {} ms after start",
        engine.state().n_open,
        began.elapsed().as_millis()
    );
    let (n, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for seed in 0..2 {
            let (engine, n, stop, leads) = (&engine, &n, &stop, &made.leads);
            scope.spawn(move || {
                ask(engine, leads, (n, n_answers), seed);
                stop.store(true, Ordering::SeqCst);
            });
        }
        let later = &made.arrivals[begin..];
        let chunks = later.chunks(later.len().div_ceil(400));
        let mut promoted = false;
        for (number, chunk) in chunks.enumerate() {
            // Events come as fast as answers are given.
            while n.load(Ordering::SeqCst) < number * n_answers / 400
                && !stop.load(Ordering::SeqCst)
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            if number >= 200 && !promoted {
                made.promote(1);
                promoted = true;
            }
            made.set_clock(chunk.last().expect("a chunk has a row").0);
            let mut rows: Vec<Value> = chunk.iter().map(|(_, row)| row.clone()).collect();
            rows.reverse();
            let events = engine.read_events(&rows).expect("rows that can be meant");
            engine.append(events, Box::new(|done| assert!(done.is_ok(), "{done:?}")));
        }
    });
    println!(
        "{} answers while {} events came in: {:.0} s",
        n.load(Ordering::SeqCst),
        made.arrivals.len() - begin,
        began.elapsed().as_secs_f64()
    );
    println!("{:?}", engine.state());
    drop(engine);
    let began = Instant::now();
    let data = Data::open(&made.config, Inputs::default()).expect("tables");
    let registry = made.registry();
    let inputs = ReplayInputs {
        config: &made.config,
        data: &data,
        store: &store,
        models: &models_of(&registry),
    };
    let log = made.folder.path().join("answers");
    let report = replay(&log, &inputs, ReplayOptions::default()).expect("a log");
    println!("{}", report.text());
    println!("replayed in {:.0} s", began.elapsed().as_secs_f64());
    assert!(report.is_confirmed(), "an answer differs");
}

/// Asks for pages of the queue and for leads, until there are so many answers.
fn ask(engine: &LiveEngine, leads: &[String], (n, n_answers): (&AtomicUsize, usize), seed: u64) {
    let mut random = Numbers(seed);
    let mut open: Vec<String> = leads[leads.len() / 2..].to_vec();
    while n.load(Ordering::SeqCst) < n_answers {
        if random.below(3) == 0 {
            let query = QueueQuery {
                limit: 200,
                search: Some(random.below(100).to_string()),
                ..QueueQuery::default()
            };
            let queue = engine.queue(&query).expect("a queue");
            n.fetch_add(queue.rows.len(), Ordering::SeqCst);
            if !queue.rows.is_empty() {
                open = queue.rows.into_iter().map(|row| row.score.lead).collect();
            }
        } else {
            for _ in 0..100 {
                let lead = &open[random.below(open.len() as u64) as usize];
                n.fetch_add(usize::from(engine.score(lead).is_ok()), Ordering::SeqCst);
            }
        }
    }
}
