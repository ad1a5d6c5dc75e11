//! The queue, one lead, what is said of it, and forgetting.

use std::fs;

use serde_json::json;

use crate::talk::{start, start_with, token};
use leadscore_serve::auth::Role;

#[test]
fn pages_of_the_queue_follow_each_other() {
    let server = start();
    for n in 0..7 {
        let row = json!({"id": n.to_string(), "table": "leads", "row": {"lead_id": format!("L{n}"), "owner": "Ann"}});
        server.post("/v1/events", &row.to_string());
    }
    let mut path = "/v1/leads?limit=3".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = server.get(&path).json();
        assert_eq!(page["n_matching"], 7);
        for lead in page["leads"].as_array().expect("leads") {
            seen.push((
                lead["rank"].as_u64(),
                lead["score"]["lead"].as_str().map(ToOwned::to_owned),
            ));
        }
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/v1/leads?limit=3&cursor={next}");
    }
    let expected: Vec<_> = (0..7)
        .map(|n| (Some(n + 1), Some(format!("L{n}"))))
        .collect();
    assert_eq!(seen, expected);
    assert_eq!(
        server
            .get("/v1/leads?q=L6&tier=very%20high&owner=Ann")
            .json()["n_matching"],
        1
    );
    assert_eq!(
        server.get("/v1/owners").json(),
        json!({"owners": [{"owner": "Ann", "n_leads": 7}]})
    );
    assert_eq!(server.get("/v1/record").json()["tiers"][0]["n_won"], 46);
    assert_eq!(server.get("/v1/model").json()["id"], "m1");
}

#[test]
fn a_query_that_means_nothing_is_refused() {
    let server = start();
    for query in [
        "limit=0",
        "limit=501",
        "limit=x",
        "limit=1&limit=2",
        "tier=best",
        "tier=closed_won",
        "changed_since=monday",
        "tires=high",
        "q=%zz",
        "q=%",
        "q=%ff",
        "owner=%F",
    ] {
        server
            .get(&format!("/v1/leads?{query}"))
            .problem(400, "bad-request");
    }
    server
        .get(&format!("/v1/leads?q={}", "x".repeat(5_000)))
        .problem(400, "bad-request");
    assert_eq!(
        server
            .get("/v1/leads?&q=&tier=Very+high&changed_since=2026-01-01")
            .status,
        200
    );
}

#[test]
fn ids_may_have_any_characters() {
    let server = start();
    for id in [
        "b/ö?",
        "..",
        "%2F",
        "a b",
        "x#y&z=1",
        "\u{202e}evil",
        "<script>",
        "a\u{0}b",
        "😀",
    ] {
        let row = json!({"id": format!("of {id}"), "table": "leads", "row": {"lead_id": id}});
        assert_eq!(server.post("/v1/events", &row.to_string()).status, 202);
        let path: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = server.get(&format!("/v1/leads/{path}"));
        assert_eq!(
            (answer.status, answer.json()["score"]["lead"].clone()),
            (200, json!(id))
        );
    }
    server.get("/v1/leads/nobody").problem(404, "not-found");
    server.get("/v1/leads/%ff").problem(400, "bad-request");
    server
        .get(&format!("/v1/leads/{}", "x".repeat(3_000)))
        .problem(404, "not-found");
    server.get("/v1/leads/").problem(404, "not-found");
}

#[test]
fn a_word_is_an_event_with_who_said_it_and_counts_once() {
    let server = start().with_leads();
    let word = r#"{"said": "called", "note": " no answer\n", "id": "click-1"}"#;
    for duplicates in [0, 1] {
        let answer = server.post("/v1/leads/a/word", word);
        assert_eq!(
            (answer.status, answer.json()),
            (202, json!({"accepted": 1, "duplicates": duplicates}))
        );
    }
    // With something else it is no duplicate, and no word either.
    for (other, part) in [
        (
            json!({"said": "lost", "note": "no answer", "id": "click-1"}),
            "you said `called` of this lead with the ID `click-1`, and now `lost`",
        ),
        (
            json!({"said": "called", "note": "busy", "id": "click-1"}),
            "has another note",
        ),
        (
            json!({"said": "called", "id": "click-1"}),
            "has another note",
        ),
    ] {
        let problem = server
            .post("/v1/leads/a/word", &other.to_string())
            .problem(409, "conflict");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(part), "{other}: {detail}");
    }
    // The same ID said of another lead is another word.
    assert_eq!(
        server.post("/v1/leads/b%2F%C3%B6%3F/word", word).json()["duplicates"],
        0
    );
    let rows = server.engine.rows();
    let event = rows
        .iter()
        .find(|event| event.table == "activities.word")
        .expect("the word");
    let row: serde_json::Value = serde_json::from_str(&event.row).expect("JSON");
    assert_eq!(
        row,
        json!({"lead": "a", "at": "2026-01-01T01:00:00.000000Z", "said": "called", "by": "local", "note": "no answer"})
    );
    drop(rows);
    for (body, pointer) in [
        (json!({"said": "maybe"}), "/said"),
        (json!({"note": "x"}), ""),
        (json!({"said": "wrong"}), "/note"),
        (json!({"said": "wrong", "note": "  "}), "/note"),
        (json!({"said": "lost", "note": "x".repeat(2_001)}), "/note"),
        (json!({"said": "lost", "id": ""}), "/id"),
        (json!({"said": "lost", "by": "Eve"}), "/by"),
    ] {
        let problem = server
            .post("/v1/leads/a/word", &body.to_string())
            .problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    server
        .post("/v1/leads/no/word", word)
        .problem(404, "not-found");
}

#[test]
fn a_lead_that_is_forgotten_is_in_no_answer_and_no_log() {
    let id = "Erika-Mustermann";
    let mut server = start_with(
        crate::engine::Memory::default(),
        |_| (),
        |options| options.limits.audit_bytes = 2_000,
    );
    for n in 0..30 {
        let lead = if n % 3 == 0 { id } else { "other" };
        let row = json!({"id": n.to_string(), "table": "leads", "row": {"lead_id": lead, "owner": "Ann"}});
        server.post("/v1/events", &row.to_string());
        server.get(&format!("/v1/leads/{lead}"));
        server.post("/v1/score", &json!({"leads": [lead, "other"]}).to_string());
    }
    let answer = server.ask("DELETE", &format!("/v1/leads/{id}"), &[], b"");
    let forgotten = answer.json();
    assert_eq!(
        (answer.status, &forgotten["n_events"], &forgotten["n_left"]),
        (200, &json!(10), &json!(0))
    );
    assert_eq!(forgotten["n_audit_lines"], 20);
    server
        .get(&format!("/v1/leads/{id}"))
        .problem(404, "not-found");
    server.stop();
    let mut n_files = 0;
    let mut lines = Vec::new();
    for entry in fs::read_dir(&server.folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("text");
        n_files += 1;
        lines.extend(text.lines().map(ToOwned::to_owned));
    }
    assert!(n_files > 3, "the log has {n_files} files");
    // The question after it was forgotten is the only line that may name it.
    assert_eq!(lines.iter().filter(|line| line.contains(id)).count(), 1);
    let name = forgotten["forgotten"].as_str().expect("a name");
    assert_eq!(lines.iter().filter(|line| line.contains(name)).count(), 21);
    for line in &lines {
        serde_json::from_str::<leadscore_serve::audit::AuditLine>(line)
            .expect("each line is whole");
    }
    // 30 appends are one line, each other request is one.
    assert_eq!(lines.len(), 1 + 60 + 2);
}

#[test]
fn the_audit_log_says_who_asked_about_whom() {
    let mut tokens = Vec::new();
    let mut server = start_with(
        crate::engine::Memory::default(),
        |folder| tokens.push(token(folder, "crm", Role::Read, None)),
        |_| (),
    )
    .with_leads();
    let bearer = format!("Bearer {}", tokens[0]);
    let asked = [
        ("authorization", bearer.as_str()),
        ("x-request-id", "from-crm.7"),
    ];
    assert_eq!(
        server.ask("GET", "/v1/leads/a", &asked, b"").headers["x-request-id"],
        "from-crm.7"
    );
    server.get("/v1/leads/a").problem(401, "unauthorized");
    server.stop();
    let text = fs::read_to_string(server.folder.join("audit.ndjson")).expect("a log");
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(
        lines[0],
        json!({"time": "2026-01-01T01:00:00.000000Z", "caller": "crm", "method": "GET", "route": "/v1/leads/{id}",
            "status": 200, "request_id": "from-crm.7", "leads": ["a"]})
    );
    assert_eq!(
        (&lines[1]["caller"], &lines[1]["status"]),
        (&json!(null), &json!(401))
    );
    assert!(!text.contains(&tokens[0]));
}

#[cfg(unix)]
#[test]
fn without_room_for_the_audit_log_nothing_is_answered_that_needs_a_line() {
    let server = start_with(
        crate::engine::Memory::default(),
        |folder| {
            std::os::unix::fs::symlink("/dev/full", folder.join("audit.ndjson")).expect("a link");
        },
        |_| (),
    )
    .with_leads();
    // The first answer is given before its line is written.
    server.get("/v1/leads/a");
    std::thread::sleep(std::time::Duration::from_millis(200));
    server.get("/v1/leads/a").problem(503, "unavailable");
    server.get("/readyz").problem(503, "unavailable");
    assert_eq!(server.get("/healthz").status, 200);
}
