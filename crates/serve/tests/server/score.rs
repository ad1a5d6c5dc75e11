//! Scores.

use serde_json::{Value, json};
use std::sync::atomic::Ordering;

use crate::talk::start;

#[test]
fn reasons_that_are_shown_and_those_that_are_not_add_up() {
    let server = start().with_leads();
    for n in 0..4 {
        let row =
            json!({"id": format!("x{n}"), "table": "activities.touches", "row": {"lead_id": "a"}});
        assert_eq!(server.post("/v1/events", &row.to_string()).status, 202);
    }
    for (reasons, n_shown) in [
        (json!("default"), 3),
        (json!(1), 1),
        (json!(0), 0),
        (json!("all"), 5),
        (json!(99), 5),
    ] {
        let body = if n_shown == 3 {
            json!({"leads": ["a"]})
        } else {
            json!({"leads": ["a"], "reasons": reasons})
        };
        let answer = server.post("/v1/score", &body.to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
        let score = &answer.json()["scores"][0];
        let shown = score["reasons"].as_array().expect("reasons");
        assert_eq!(
            (shown.len(), score["n_reasons"].as_u64()),
            (n_shown, Some(5))
        );
        let number = |value: &Value| value.as_f64().expect("a number");
        let sum = number(&score["baseline_log_odds"])
            + shown
                .iter()
                .map(|reason| number(&reason["log_odds"]))
                .sum::<f64>()
            + number(&score["other_reasons_log_odds"]);
        assert_eq!(sum.to_bits(), number(&score["log_odds"]).to_bits());
        assert_eq!(score["as_of"].as_str().map(str::len), Some(27));
    }
}

#[test]
fn a_lead_without_a_score_says_so_in_its_place() {
    let server = start().with_leads();
    let touch = r#"{"id": "w", "table": "activities.touches", "row": {"lead_id": "waiting"}}"#;
    server.post("/v1/events", touch);
    server.post(
        "/v1/events",
        r#"{"id": "br", "table": "leads", "row": {"lead_id": "broken"}}"#,
    );
    let answer = server.post(
        "/v1/score",
        r#"{"leads": ["a", "no", "waiting", "b/ö?", "broken", "a"]}"#,
    );
    let scores = answer.json()["scores"].clone();
    let facts: Vec<_> = (0..6)
        .map(|n| {
            (
                scores[n]["lead"].clone(),
                scores[n]["error"]["status"].clone(),
            )
        })
        .collect();
    assert_eq!(
        facts,
        [
            ("a", Value::Null),
            ("no", json!(404)),
            ("waiting", json!(409)),
            ("b/ö?", Value::Null),
            ("broken", json!(500)),
            ("a", Value::Null)
        ]
        .map(|(lead, status)| (json!(lead), status))
    );
    // What failed is for the log, not for the caller.
    assert!(!answer.body.contains("secret-42"));
}

#[test]
fn a_raw_lead_is_scored_and_its_wrong_fields_are_named() {
    let server = start();
    let answer = server.post(
        "/v1/score",
        r#"{"lead": {"activities": {"touches": [{}, {}]}}}"#,
    );
    assert_eq!(answer.json()["scores"][0]["log_odds"], -1.5);
    let problem = server
        .post("/v1/score", r#"{"lead": {}}"#)
        .problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/lead/activities");
}

#[test]
fn requests_that_mean_nothing_are_refused_at_their_field() {
    let server = start().with_leads();
    for (body, pointer) in [
        (json!({}), ""),
        (json!([]), ""),
        (json!({"leads": ["a"], "lead": {}}), ""),
        (json!({"leads": []}), "/leads"),
        (json!({"leads": ["a"], "lead": null}), "/lead"),
        (json!({"leads": ["a"], "reasons": null}), "/reasons"),
        (json!({"leads": "a"}), "/leads"),
        (json!({"leads": ["a", 5]}), "/leads/1"),
        (json!({"leads": vec!["a"; 1_001]}), "/leads"),
        (json!({"leads": ["a", "x".repeat(2_000)]}), "/leads/1"),
        (json!({"leads": ["a"], "reasons": -1}), "/reasons"),
        (json!({"leads": ["a"], "reasons": "some"}), "/reasons"),
        (json!({"leads": ["a"], "raisons": 1}), "/raisons"),
    ] {
        let problem = server
            .post("/v1/score", &body.to_string())
            .problem(422, "invalid");
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{body}: {problem}"
        );
    }
    for reasons in [json!(-1), json!(70_000), json!("some"), json!(2.5)] {
        let body = json!({"leads": ["a"], "reasons": reasons}).to_string();
        let problem = server.post("/v1/score", &body).problem(422, "invalid");
        let detail = problem["errors"][0]["detail"].as_str().unwrap_or_default();
        assert!(
            detail.ends_with("expected a whole number from 0 to 65535, or \"all\""),
            "{detail}"
        );
    }
    let many = json!({"leads": vec!["a"; 1_000]}).to_string();
    assert_eq!(
        server.post("/v1/score", &many).json()["scores"]
            .as_array()
            .map(Vec::len),
        Some(1_000)
    );
}

#[test]
fn a_queue_that_is_not_there_yet_is_503() {
    let server = start().with_leads();
    server.engine.is_starting.store(true, Ordering::Relaxed);
    for answer in [
        server.post("/v1/score", r#"{"leads": ["a"]}"#),
        server.get("/v1/leads"),
        server.get("/v1/leads/a"),
        server.get("/readyz"),
        server.get("/v2/health/ready"),
        server.get("/v2/models/leads/ready"),
    ] {
        answer.problem(503, "not-ready");
        assert_eq!(answer.headers["retry-after"], "1");
    }
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/v2/health/live").json(), json!({"live": true}));
    server.engine.is_starting.store(false, Ordering::Relaxed);
    assert_eq!(server.get("/readyz").status, 200);
}
