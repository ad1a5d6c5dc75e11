//! Events come in.

use serde_json::json;
use std::sync::atomic::Ordering;

use crate::talk::start;

const TOUCH: &str = r#"{"id": "t1", "table": "activities.touches", "row": {"lead_id": "a"}}"#;

#[test]
fn one_many_and_lines_are_accepted_and_counted_once() {
    let server = start();
    let answer = server.post("/v1/events", TOUCH);
    assert_eq!(
        (answer.status, answer.json()),
        (202, json!({"accepted": 1, "duplicates": 0}))
    );
    let two = format!("[{TOUCH}, {}]", TOUCH.replace("t1", "t2"));
    assert_eq!(
        server.post("/v1/events", &two).json(),
        json!({"accepted": 2, "duplicates": 1})
    );
    let lines = format!("{TOUCH}\r\n\n{}\n", TOUCH.replace("t1", "t3"));
    let ndjson = [("content-type", "application/x-ndjson; charset=utf-8")];
    let answer = server.ask("POST", "/v1/events", &ndjson, lines.as_bytes());
    assert_eq!(answer.json(), json!({"accepted": 2, "duplicates": 1}));
    assert_eq!(server.engine.rows().len(), 3);
    assert_eq!(
        server.post("/v1/events", "[]").json(),
        json!({"accepted": 0, "duplicates": 0})
    );
    let metrics = server.get("/metrics").body;
    assert!(
        metrics.contains("leadscore_events_appended_total 3\n"),
        "{metrics}"
    );
    assert!(
        metrics.contains("leadscore_events_duplicate_total 2\n"),
        "{metrics}"
    );
}

#[test]
fn a_row_that_cannot_be_meant_refuses_all_and_is_named() {
    let server = start();
    let answer = server.post(
        "/v1/events",
        &format!(r#"[{TOUCH}, {{"id": "x", "table": "nope", "row": {{}}}}]"#),
    );
    let problem = answer.problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/1/table");
    assert!(server.engine.rows().is_empty());
    // Of one object alone, the pointer begins in it.
    let problem = server
        .post("/v1/events", r#"{"id": "x", "table": "nope"}"#)
        .problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/table");
    // Of many wrong rows, the first twenty are told, and how many there are.
    let many: Vec<_> = (0..31).map(|_| json!({"id": "x"})).collect();
    let problem = server
        .post("/v1/events", &json!(many).to_string())
        .problem(422, "invalid");
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(20));
    assert_eq!(problem["n_errors"], 31);
}

#[test]
fn what_is_no_json_that_can_be_meant_is_refused() {
    let server = start();
    for body in [
        "",
        "{",
        "[1,",
        "NaN",
        "{\"id\": \"a\", \"id\": \"b\"}",
        "[1e999]",
        "'a'",
        "{} {}",
        "{}\u{feff}",
    ] {
        server.post("/v1/events", body).problem(400, "bad-request");
    }
    let deep = "[".repeat(200_000);
    server.post("/v1/events", &deep).problem(400, "bad-request");
    let headers = [("content-type", "application/json")];
    server
        .ask("POST", "/v1/events", &headers, b"[\"\xff\xfe\"]")
        .problem(400, "bad-request");
    // A byte order mark before JSON means nothing, and is no reason to refuse it.
    for body in [
        "\u{feff}{}",
        "1",
        "null",
        "\"text\"",
        "[null]",
        "[[]]",
        "[[[]]]",
    ] {
        server.post("/v1/events", body).problem(422, "invalid");
    }
    for form in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let headers = [("content-type", form)];
        server
            .ask("POST", "/v1/events", &headers, TOUCH.as_bytes())
            .problem(415, "unsupported-media");
    }
    server
        .ask("POST", "/v1/events", &[], TOUCH.as_bytes())
        .problem(415, "unsupported-media");
    let gzip = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    server
        .ask("POST", "/v1/events", &gzip, TOUCH.as_bytes())
        .problem(415, "unsupported-media");
    assert!(server.engine.rows().is_empty());
}

#[test]
fn a_store_that_is_full_is_503_and_an_engine_that_panics_is_500() {
    let server = start();
    server.engine.is_full.store(true, Ordering::Relaxed);
    let answer = server.post("/v1/events", TOUCH);
    answer.problem(503, "unavailable");
    assert_eq!(answer.headers["retry-after"], "5");
    server.engine.is_full.store(false, Ordering::Relaxed);
    // Where the request is, and on another thread.
    let panics = r#"{"id": "1", "table": "panic", "row": {}}"#;
    server.post("/v1/events", panics).problem(500, "internal");
    let many = format!("[{}]", vec![panics; 40].join(","));
    server.post("/v1/events", &many).problem(500, "internal");
    assert_eq!(server.post("/v1/events", TOUCH).status, 202);
    assert!(
        server
            .get("/metrics")
            .body
            .contains("leadscore_panics_total 1\n")
    );
}

#[test]
fn ten_thousand_rows_are_taken_and_one_more_is_not() {
    let server = start();
    let rows = |n: usize| {
        let rows: Vec<String> = (0..n)
            .map(|i| TOUCH.replace("t1", &format!("r{}", i % 50)))
            .collect();
        rows.join("\n")
    };
    let ndjson = [("content-type", "application/x-ndjson")];
    let answer = server.ask("POST", "/v1/events", &ndjson, rows(10_000).as_bytes());
    assert_eq!(
        answer.json(),
        json!({"accepted": 10_000, "duplicates": 9_950})
    );
    server
        .ask("POST", "/v1/events", &ndjson, rows(10_001).as_bytes())
        .problem(413, "too-large");
    let array = format!("[{}]", rows(10_001).replace('\n', ","));
    server.post("/v1/events", &array).problem(413, "too-large");
    // A million small values take too much memory, whatever their bytes.
    let small = format!("[[{}0]]", "{},".repeat(1_000_000));
    server.post("/v1/events", &small).problem(413, "too-large");
}
