//! A server that stops drops nothing.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::engine::Memory;
use crate::talk::{answer, report, start_with};

#[test]
fn no_request_is_dropped_when_it_stops_under_load() {
    let mut server = start_with(Memory::default(), |_| (), |_| ());
    let (address, n_answered) = (server.address, AtomicU64::new(0));
    let stopped = std::thread::scope(|scope| {
        for client in 0..16 {
            let n_answered = &n_answered;
            scope.spawn(move || {
                let connect = || {
                    let socket = std::net::TcpStream::connect(address).ok()?;
                    socket.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
                    Some(socket)
                };
                let (mut socket, mut is_new) = (connect(), true);
                for n in 0.. {
                    let body = format!(r#"{{"id": "{client}-{n}", "table": "leads", "row": {{"lead_id": "a"}}}}"#);
                    // A refused connection is no request.
                    let Some(open) = &mut socket else { return };
                    let request = format!(
                        "POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    match open.write_all(request.as_bytes()) {
                        Ok(()) => {}
                        // The kernel connected, and the server had closed its door meanwhile.
                        Err(_) if is_new => return,
                        Err(error) => panic!("the request is not taken: {error}"),
                    }
                    is_new = false;
                    let got = answer(open).expect("the request is answered");
                    assert_eq!(got.status, 202);
                    n_answered.fetch_add(1, Ordering::Relaxed);
                    if got.headers.get("connection").map(String::as_str) == Some("close") {
                        socket = connect();
                        is_new = true;
                    }
                    std::thread::sleep(Duration::from_micros(200 * client));
                }
            });
        }
        std::thread::sleep(Duration::from_millis(400));
        server.stop()
    });
    assert_eq!(stopped.n_cut, 0);
    let n = n_answered.into_inner();
    report(&format!("{n} answered"));
    assert!(n > 200, "{n}");
    assert_eq!(server.engine.rows().len() as u64, n);
}

#[test]
fn idle_connections_do_not_hold_it_and_busy_ones_end() {
    let engine = Memory::slow(1_500);
    let mut server = start_with(engine, |_| (), |_| ()).with_leads();
    let _idle = server.socket();
    let mut busy = server.socket();
    busy.write_all(b"POST /v1/score HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{\"leads\": [\"a\"]}")
        .expect("sent");
    std::thread::sleep(Duration::from_millis(100));
    let begin = Instant::now();
    server.begin_to_stop();
    let got = answer(&mut busy).expect("an answer");
    assert_eq!(
        (got.status, got.headers["connection"].as_str()),
        (200, "close")
    );
    drop(busy);
    assert_eq!(server.stop().n_cut, 0);
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn what_does_not_end_is_cut_at_the_drain_time() {
    let mut server = start_with(
        Memory::default(),
        |_| (),
        |options| {
            options.limits.request_time = Duration::from_millis(1_000);
            options.limits.body_time = Duration::from_secs(60);
            options.limits.drain_time = Duration::from_millis(1_500);
        },
    );
    let mut socket = server.socket();
    socket
        .write_all(b"POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n[")
        .expect("sent");
    std::thread::sleep(Duration::from_millis(50));
    let begin = Instant::now();
    server.stop();
    assert!(
        begin.elapsed() < Duration::from_secs(4),
        "{:?}",
        begin.elapsed()
    );
}
