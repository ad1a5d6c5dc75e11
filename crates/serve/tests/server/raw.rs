//! What comes over a socket that no client of good will would send.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use crate::talk::{answer, start};

const EVENT: &str = r#"{"id": "1", "table": "leads", "row": {"lead_id": "a"}}"#;

#[test]
fn a_client_that_closes_its_half_gets_its_answer() {
    let server = start();
    let mut socket = server.socket();
    let request = format!(
        "POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{EVENT}",
        EVENT.len()
    );
    socket.write_all(request.as_bytes()).expect("sent");
    socket.shutdown(Shutdown::Write).expect("half closed");
    assert_eq!(answer(&mut socket).expect("an answer").status, 202);
}

#[test]
fn a_body_that_ends_early_stores_nothing() {
    let server = start();
    let mut socket = server.socket();
    let request = format!(
        "POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{EVENT}"
    );
    socket.write_all(request.as_bytes()).expect("sent");
    socket.shutdown(Shutdown::Write).expect("half closed");
    let mut rest = String::new();
    let _ = socket.read_to_string(&mut rest);
    assert!(!rest.starts_with("HTTP/1.1 2"), "{rest}");
    assert!(server.engine.rows().is_empty());
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn requests_in_a_row_are_answered_in_a_row() {
    let server = start();
    let mut socket = server.socket();
    let one = format!(
        "POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{EVENT}",
        EVENT.len()
    );
    let two = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let three = "GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n";
    socket
        .write_all(format!("{one}{two}{three}{one}").as_bytes())
        .expect("sent");
    let statuses: Vec<u16> = (0..4)
        .map(|_| answer(&mut socket).expect("an answer").status)
        .collect();
    assert_eq!(statuses, [202, 200, 404, 202]);
}

#[test]
fn heads_with_two_meanings_are_refused_and_hide_no_second_request() {
    let hidden = "DELETE /v1/leads/a HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for lines in [
        // Two lengths, and a length that is none.
        "content-length: 2\r\ncontent-length: 3\r\n",
        "content-length: 2, 3\r\n",
        "content-length: +2\r\n",
        "content-length: -1\r\n",
        "content-length: 0x2\r\n",
        "content-length: 99999999999999999999\r\n",
        // An encoding that is not understood, or not the last.
        "transfer-encoding: gzip\r\n",
        "transfer-encoding: chunked, gzip\r\n",
        "transfer-encoding: xchunked\r\n",
        // Lines that only some readers take for lines.
        "content-length : 2\r\n",
        "x: y\r\n folded: 1\r\n",
        "x\0y: 1\r\n",
        "content length: 2\r\n",
    ] {
        let server = start().with_leads();
        let mut socket = server.socket();
        let request = format!(
            "POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{lines}\r\n[]{hidden}"
        );
        socket.write_all(request.as_bytes()).expect("sent");
        let _ = socket.shutdown(Shutdown::Write);
        let mut all = Vec::new();
        let _ = socket.read_to_end(&mut all);
        let all = String::from_utf8_lossy(&all);
        assert!(all.starts_with("HTTP/1.1 4"), "{lines:?}: {all}");
        assert_eq!(all.matches("HTTP/1.1 ").count(), 1, "{lines:?}: {all}");
        assert_eq!(server.engine.rows().len(), 3, "{lines:?}");
    }
}

#[test]
fn a_length_beside_chunks_hides_no_second_request() {
    let server = start().with_leads();
    let mut socket = server.socket();
    // By its length the body is one byte; by its chunks it ends at `0`, and the rest is a request.
    let request = "POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
        content-length: 7\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n";
    socket.write_all(request.as_bytes()).expect("sent");
    let first = answer(&mut socket).expect("an answer");
    assert!([202, 400].contains(&first.status), "{first:?}");
    let mut rest = Vec::new();
    let _ = socket.shutdown(Shutdown::Write);
    let _ = socket.read_to_end(&mut rest);
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
}

#[test]
fn noise_is_answered_with_400_or_closed() {
    let server = start();
    for noise in [
        b"\r\n\r\n\r\n".as_slice(),
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n",
    ] {
        let mut socket = server.socket();
        socket.write_all(noise).expect("sent");
        let _ = socket.shutdown(Shutdown::Write);
        let mut all = Vec::new();
        let _ = socket.read_to_end(&mut all);
        let all = String::from_utf8_lossy(&all);
        assert!(
            all.is_empty() || all.starts_with("HTTP/1.1 4") || all.starts_with("HTTP/1.0 4"),
            "{noise:?}: {all}"
        );
    }
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_head_is_answered_without_a_body() {
    let server = start();
    let mut socket = server.socket();
    socket
        .write_all(b"HEAD /v1/model HTTP/1.1\r\nhost: localhost\r\n\r\nHEAD /nothing HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .expect("sent");
    let mut all = String::new();
    socket.read_to_string(&mut all).expect("answers");
    let statuses: Vec<&str> = all
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| &answer[..3])
        .collect();
    assert_eq!(statuses, ["200", "404"]);
    assert!(!all.contains('{'), "{all}");
}
