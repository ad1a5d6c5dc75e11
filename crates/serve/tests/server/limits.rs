//! Bodies, heads and connections beyond the limits: answered, and memory stays flat.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use crate::engine::Memory;
use crate::talk::{answer, start, start_with};

const HEAD: &str =
    "POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

/// Memory of this process that is in use, in MiB.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    text.lines()
        .find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .trim()
                .strip_suffix(" kB")?
                .trim()
                .parse()
                .ok()
        })
        .map_or(0, |kib: u64| kib / 1024)
}

#[test]
fn a_gigabyte_that_says_its_length_is_refused_at_once() {
    let server = start();
    let begin = Instant::now();
    server
        .raw(format!("{HEAD}content-length: 1000000000\r\n\r\n").as_bytes())
        .problem(413, "too-large");
    assert!(begin.elapsed() < Duration::from_millis(500));
}

#[test]
fn a_gigabyte_without_length_is_refused_and_takes_no_memory() {
    let server = start();
    let before = resident();
    let mut socket = server.socket();
    socket
        .write_all(format!("{HEAD}transfer-encoding: chunked\r\n\r\n").as_bytes())
        .expect("head");
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    // The answer comes after 16 MiB; a client that writes on is heard for a while, then cut.
    for _ in 0..16_384 {
        if socket.write_all(&chunk).is_err() {
            break;
        }
    }
    answer(&mut socket)
        .expect("an answer")
        .problem(413, "too-large");
    assert!(
        resident() < before + 64,
        "{before} MiB became {} MiB",
        resident()
    );
}

#[test]
fn large_bodies_are_read_a_few_at_a_time() {
    let server = start();
    let mut sockets = Vec::new();
    for _ in 0..6 {
        let mut socket = server.socket();
        socket
            .write_all(format!("{HEAD}content-length: 1000000\r\n\r\n").as_bytes())
            .expect("head");
        socket.write_all(&[b' '; 200_000]).expect("a part");
        sockets.push(socket);
        std::thread::sleep(Duration::from_millis(30));
    }
    for socket in &mut sockets[4..] {
        answer(socket)
            .expect("an answer")
            .problem(503, "overloaded");
    }
    // Small ones go on.
    assert_eq!(server.post("/v1/events", "[]").status, 202);
}

#[test]
fn slow_heads_are_closed_and_slow_bodies_are_told() {
    let server = start_with(
        Memory::default(),
        |_| (),
        |options| {
            options.limits.header_time = Duration::from_millis(300);
            options.limits.body_time = Duration::from_millis(300);
        },
    );
    let begin = Instant::now();
    let mut slow = server.socket();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nho")
        .expect("a part");
    let mut rest = Vec::new();
    // Closed without an answer, or with 408.
    let _ = slow.read_to_end(&mut rest);
    assert!(
        begin.elapsed() < Duration::from_secs(3),
        "{:?}",
        begin.elapsed()
    );
    let mut silent = server.socket();
    let _ = silent.read_to_end(&mut rest);
    assert!(
        begin.elapsed() < Duration::from_secs(4),
        "{:?}",
        begin.elapsed()
    );

    let mut body = server.socket();
    body.write_all(format!("{HEAD}content-length: 100\r\n\r\n[").as_bytes())
        .expect("a part");
    answer(&mut body)
        .expect("an answer")
        .problem(408, "slow-body");
}

#[test]
fn a_body_that_trickles_does_not_renew_its_time() {
    let server = start_with(
        Memory::default(),
        |_| (),
        |options| {
            options.limits.body_time = Duration::from_millis(400);
        },
    );
    let mut socket = server.socket();
    socket
        .write_all(format!("{HEAD}content-length: 100\r\n\r\n").as_bytes())
        .expect("head");
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(50));
        if socket.write_all(b" ").is_err() {
            break;
        }
    }
    answer(&mut socket)
        .expect("an answer")
        .problem(408, "slow-body");
}

#[test]
fn heads_beyond_the_limit_are_refused() {
    let server = start();
    let long = format!(
        "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n",
        "y".repeat(40_000)
    );
    assert_eq!(server.raw(long.as_bytes()).status, 431);
    let many = format!(
        "GET /healthz HTTP/1.1\r\nhost: localhost\r\n{}\r\n",
        "x: y\r\n".repeat(200)
    );
    assert_eq!(server.raw(many.as_bytes()).status, 431);
}

#[test]
fn connections_beyond_the_limit_are_told_so() {
    let server = start_with(
        Memory::default(),
        |_| (),
        |options| options.limits.connections = 3,
    );
    let held: Vec<_> = (0..3).map(|_| server.socket()).collect();
    std::thread::sleep(Duration::from_millis(100));
    let mut socket = server.socket();
    let refused = answer(&mut socket).expect("an answer");
    assert_eq!(
        (refused.status, refused.headers["retry-after"].as_str()),
        (503, "1")
    );
    drop(held);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_request_that_takes_too_long_is_ended() {
    let engine = Memory::slow(1_500);
    let server = start_with(
        engine,
        |_| (),
        |options| {
            options.limits.request_time = Duration::from_millis(200);
        },
    )
    .with_leads();
    let answer = server.post("/v1/score", r#"{"leads": ["a"]}"#);
    answer.problem(503, "timed-out");
    assert!(answer.headers.contains_key("x-request-id"));
}
