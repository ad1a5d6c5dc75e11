//! Ten times more requests than the machine can take.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::Memory;
use crate::talk::{answer, report, start_with};

const SCORE: &str = "POST /v1/score HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{\"leads\": [\"a\"]}";

#[test]
fn who_is_admitted_does_not_wait_and_the_others_are_told_at_once() {
    // A core that sleeps for others takes a millisecond a score, so 1,000 a second; 40 clients that
    // never pause offer many times that.
    let engine = Memory::slow(1);
    let server = start_with(engine, |_| (), |options| options.limits.cores = 1).with_leads();
    let (n_shed, n_other) = (AtomicU64::new(0), AtomicU64::new(0));
    let times = Mutex::new(Vec::new());
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                let mut socket = server.socket();
                while !is_over.load(Ordering::Relaxed) {
                    let begin = Instant::now();
                    socket.write_all(SCORE.as_bytes()).expect("sent");
                    let got = answer(&mut socket).expect("an answer");
                    match got.status {
                        200 => times
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(begin.elapsed()),
                        503 => {
                            assert_eq!(got.headers["retry-after"], "1");
                            n_shed.fetch_add(1, Ordering::Relaxed);
                            std::thread::sleep(Duration::from_millis(3));
                        }
                        _ => drop(n_other.fetch_add(1, Ordering::Relaxed)),
                    }
                }
            });
        }
        // Health answers meanwhile.
        std::thread::sleep(Duration::from_millis(500));
        for _ in 0..10 {
            assert_eq!(server.get("/healthz").status, 200);
            assert!([200, 503].contains(&server.get("/readyz").status));
        }
        std::thread::sleep(Duration::from_millis(1_500));
        is_over.store(true, Ordering::Relaxed);
    });
    let mut times = times.into_inner().unwrap_or_else(PoisonError::into_inner);
    times.sort();
    let p99 = times[times.len() * 99 / 100];
    let (n_shed, n_other) = (n_shed.into_inner(), n_other.into_inner());
    report(&format!(
        "{} admitted, p99 {p99:?}, {n_shed} shed",
        times.len()
    ));
    assert_eq!(n_other, 0);
    assert!(
        times.len() > 200 && n_shed > 200,
        "{} admitted, {n_shed} shed",
        times.len()
    );
    // Ten milliseconds on a machine of its own; tests share theirs.
    assert!(p99 < Duration::from_millis(100), "{p99:?}");
    assert!(
        server
            .get("/metrics")
            .body
            .contains(&format!("leadscore_shed_total {n_shed}\n"))
    );
}

#[test]
fn long_work_leaves_room_for_short_work() {
    let engine = Memory::slow(2);
    let server = start_with(engine, |_| (), |options| options.limits.cores = 1).with_leads();
    let leads = vec!["\"a\""; 500].join(",");
    std::thread::scope(|scope| {
        let long = scope.spawn(|| server.post("/v1/score", &format!("{{\"leads\": [{leads}]}}")));
        std::thread::sleep(Duration::from_millis(100));
        let begin = Instant::now();
        assert_eq!(server.post("/v1/score", r#"{"leads": ["a"]}"#).status, 200);
        assert_eq!(server.post("/v1/events", "[]").status, 202);
        assert!(
            begin.elapsed() < Duration::from_millis(500),
            "{:?}",
            begin.elapsed()
        );
        assert_eq!(long.join().expect("no panic").status, 200);
    });
}
