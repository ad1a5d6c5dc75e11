//! Who may what.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use leadscore_config::SiteAddress;
use leadscore_core::Timestamp;
use leadscore_serve::auth::Role;
use leadscore_serve::tokens::{TokenOptions, TokensError, create, list, revoke};
use leadscore_serve::{App, AppOptions, ServeError, ServeOptions, Server};
use serde_json::json;

use crate::engine::{Memory, START};
use crate::talk::{Answer, Running, start, start_with, token};

struct Company {
    server: Running,
    tokens: BTreeMap<&'static str, String>,
}

fn company() -> Company {
    let mut tokens = BTreeMap::new();
    let server = start_with(
        Memory::default(),
        |folder| {
            for (name, role, owner) in [
                ("form", Role::Ingest, None),
                ("board", Role::Read, None),
                ("sales", Role::Act, None),
                ("root", Role::Admin, None),
                ("ann", Role::Act, Some("Ann")),
                ("ann-root", Role::Admin, Some("Ann")),
                ("ann-form", Role::Ingest, Some("Ann")),
            ] {
                tokens.insert(name, token(folder, name, role, owner));
            }
        },
        |_| (),
    )
    .with_leads();
    Company { server, tokens }
}

impl Company {
    fn ask(&self, who: &str, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.tokens[who]);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        self.server.ask(method, path, &headers, body.as_bytes())
    }
}

#[test]
fn each_role_may_what_its_row_says_and_nothing_else() {
    let company = company();
    let event = r#"{"id": "n", "table": "activities.touches", "row": {"lead_id": "a"}}"#;
    let infer =
        r#"{"inputs": [{"name": "input-0", "shape": [0, 2], "datatype": "FP64", "data": []}]}"#;
    let (append, read, act, forget) = (0b1001, 0b1110, 0b1100, 0b1000);
    for (method, path, body, who) in [
        ("POST", "/v1/events", event, append),
        ("POST", "/v1/score", r#"{"leads": ["a"]}"#, read),
        ("GET", "/v1/leads", "", read),
        ("GET", "/v1/leads/a", "", read),
        ("GET", "/v1/model", "", read),
        ("GET", "/v1/owners", "", read),
        ("GET", "/v1/record", "", read),
        ("GET", "/v2", "", read),
        ("GET", "/v2/models/leads", "", read),
        ("GET", "/v2/models/leads/ready", "", read),
        ("POST", "/v2/models/leads/infer", infer, read),
        ("POST", "/v1/leads/a/word", r#"{"said": "called"}"#, act),
        ("DELETE", "/v1/leads/a", "", forget),
        ("GET", "/metrics", "", 0b1111),
    ] {
        for (bit, name) in ["form", "board", "sales", "root"].into_iter().enumerate() {
            let answer = company.ask(name, method, path, body);
            if who >> bit & 1 == 1 {
                assert!(answer.status < 300, "{name} {method} {path}: {answer:?}");
            } else {
                answer.problem(403, "forbidden");
            }
        }
        // Without a token, with a wrong one, and with other schemes.
        for value in [
            "",
            "Bearer",
            "Bearer lst_",
            "Basic bGVhZHM6eA==",
            "Bearer a b",
            "bearer x",
        ] {
            let headers = [
                ("authorization", value),
                ("content-type", "application/json"),
            ];
            let answer = company.server.ask(method, path, &headers, body.as_bytes());
            answer.problem(401, "unauthorized");
            assert!(answer.headers["www-authenticate"].starts_with("Bearer"));
        }
    }
    for path in [
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/v2/health/live",
        "/v2/health/ready",
    ] {
        assert_eq!(company.server.get(path).status, 200);
    }
}

#[test]
fn another_owners_lead_is_a_lead_that_there_is_not_on_every_road() {
    let company = company();
    let bob = "b%2F%C3%B6%3F";
    let same = |one: &Answer, other: &Answer| {
        let plain = |answer: &Answer| {
            let mut value = answer.json();
            value["request_id"] = json!(null);
            value
                .to_string()
                .replace("b/ö?", "LEAD")
                .replace("nobody", "LEAD")
        };
        assert_eq!((one.status, plain(one)), (other.status, plain(other)));
    };
    for (who, method, path, body) in [
        ("ann", "GET", "/v1/leads/LEAD", ""),
        (
            "ann",
            "POST",
            "/v1/leads/LEAD/word",
            r#"{"said": "called"}"#,
        ),
        ("ann-root", "DELETE", "/v1/leads/LEAD", ""),
    ] {
        let theirs = company.ask(who, method, &path.replace("LEAD", bob), body);
        let none = company.ask(who, method, &path.replace("LEAD", "nobody"), body);
        theirs.problem(404, "not-found");
        same(&theirs, &none);
    }
    for event in [
        r#"{"id": "h1", "table": "activities.touches", "row": {"lead_id": "LEAD"}}"#,
        r#"{"id": "h2", "table": "leads", "row": {"lead_id": "LEAD", "owner": "Ann"}}"#,
    ] {
        let theirs = company.ask(
            "ann-form",
            "POST",
            "/v1/events",
            &event.replace("LEAD", "b/ö?"),
        );
        let none = company.ask(
            "ann-form",
            "POST",
            "/v1/events",
            &event.replace("LEAD", "nobody"),
        );
        theirs.problem(404, "not-found");
        same(&theirs, &none);
    }
    let account = r#"{"id": "h3", "table": "accounts", "row": {"account_id": "A"}}"#;
    company
        .ask("ann-form", "POST", "/v1/events", account)
        .problem(403, "forbidden");
    let mine = r#"{"id": "h4", "table": "activities.touches", "row": {"lead_id": "a"}}"#;
    assert_eq!(
        company.ask("ann-form", "POST", "/v1/events", mine).status,
        202
    );

    let scores = company
        .ask(
            "ann",
            "POST",
            "/v1/score",
            r#"{"leads": ["a", "b/ö?", "nobody"]}"#,
        )
        .json();
    assert!(scores["scores"][0]["likelihood"].is_number());
    assert_eq!(scores["scores"][1]["error"]["status"], 404);
    let detail = |n: usize| scores["scores"][n]["error"].to_string();
    assert_eq!(detail(1).replace("b/ö?", "nobody"), detail(2));

    for path in [
        "/v1/leads",
        "/v1/leads?owner=Ann",
        "/v1/leads?q=&limit=500",
        "/v1/owners",
    ] {
        let answer = company.ask("ann", "GET", path, "");
        assert_eq!(answer.status, 200);
        assert!(
            !answer.body.contains("b/ö?") && !answer.body.contains("Bob"),
            "{path}: {answer:?}"
        );
    }
    // The record has the wins of everybody, by tier and arm.
    for (who, status) in [("ann", 403), ("ann-root", 403), ("sales", 200)] {
        assert_eq!(company.ask(who, "GET", "/v1/record", "").status, status);
    }
    let searched = company.ask("ann", "GET", "/v1/leads?q=b%2F", "").json();
    assert_eq!(searched["n_matching"], 0);
    company
        .ask("ann", "GET", "/v1/leads?owner=Bob", "")
        .problem(404, "not-found");
    company
        .ask("ann", "GET", "/v1/leads?owner=Nobody", "")
        .problem(404, "not-found");
    assert_eq!(company.server.engine.rows().len(), 4);
}

#[test]
fn two_users_with_one_id_say_two_words() {
    let company = company();
    let word = r#"{"said": "called", "id": "click-1"}"#;
    for (who, duplicates) in [("sales", 0), ("ann", 0), ("sales", 1), ("ann", 1)] {
        let answer = company.ask(who, "POST", "/v1/leads/a/word", word).json();
        assert_eq!(answer["duplicates"], duplicates, "{who}");
    }
    // A conflict is with one's own word alone.
    let other = r#"{"said": "won", "id": "click-1"}"#;
    for (who, status) in [("sales", 409), ("root", 202)] {
        let answer = company.ask(who, "POST", "/v1/leads/a/word", other);
        assert_eq!(answer.status, status, "{who}");
    }
}

#[test]
fn a_row_of_a_lead_that_is_not_seen_is_refused_with_what_would_be_taken() {
    let company = company();
    let new = r#"{"id": "n1", "table": "leads", "row": {"lead_id": "new", "owner": "Ann"}}"#;
    let problem = company
        .ask("ann-form", "POST", "/v1/events", new)
        .problem(404, "not-found");
    assert_eq!(
        problem["hint"],
        "a token with an owner sends rows of the leads that it sees; send new leads with a token that sees all leads"
    );
    assert_eq!(company.ask("form", "POST", "/v1/events", new).status, 202);
    let touch = r#"{"id": "n2", "table": "activities.touches", "row": {"lead_id": "new"}}"#;
    assert_eq!(
        company.ask("ann-form", "POST", "/v1/events", touch).status,
        202
    );
}

/// Each route of the document is asked by an admin with an owner, about a lead of another where it
/// takes a lead. A new route needs a line here.
#[test]
fn no_route_tells_a_token_with_an_owner_of_the_leads_of_others() {
    let company = company();
    let all = company.ask("root", "GET", "/v1/deliveries", "").json();
    let call_of = |lead: &str| {
        let calls = all["deliveries"].as_array().expect("calls");
        let call = calls.iter().find(|call| call["lead"] == lead);
        call.expect("a call")["id"]
            .as_str()
            .expect("an ID")
            .to_owned()
    };
    let (own, theirs) = (call_of("a"), call_of("b/ö?"));
    let touch = r#"{"id": "w1", "table": "activities.touches", "row": {"lead_id": "b/ö?"}}"#;
    let infer =
        r#"{"inputs": [{"name": "input-0", "shape": [0, 2], "datatype": "FP64", "data": []}]}"#;
    let document = leadscore_serve::openapi();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let (body, status) = match (method.as_str(), path.as_str()) {
                ("post", "/v1/events") => (touch, 404),
                ("post", "/v1/score") => (r#"{"leads": ["b/ö?"]}"#, 200),
                ("post", "/v1/leads/{id}/word") => (r#"{"said": "called"}"#, 404),
                ("get" | "delete", "/v1/leads/{id}") => ("", 404),
                ("post", "/v1/deliveries/{id}/retry") => ("", 404),
                (
                    "get",
                    "/v1/leads" | "/v1/deliveries" | "/v1/owners" | "/v1/model" | "/metrics"
                    | "/healthz" | "/readyz" | "/openapi.json",
                ) => ("", 200),
                ("get", "/v1/record") => ("", 403),
                ("post", path) if path.starts_with("/v2/") => (infer, 200),
                ("get", path) if path.starts_with("/v2") => ("", 200),
                _ => panic!("what may an owner see of {method} {path}?"),
            };
            let id = if path.contains("deliveries") {
                &theirs
            } else {
                "b%2F%C3%B6%3F"
            };
            let path = path
                .replace("{id}", id)
                .replace("{model}", "leads")
                .replace("{version}", "m1");
            let answer = company.ask("ann-root", &method.to_uppercase(), &path, body);
            assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
            assert!(!answer.body.contains("Bob"), "{method} {path}: {answer:?}");
            let names_it = status == 404 || path == "/v1/score";
            assert!(
                names_it || !answer.body.contains("b/ö?"),
                "{method} {path}: {answer:?}"
            );
        }
    }
    for (query, n) in [
        (String::new(), 1),
        (format!("?id={own}"), 1),
        (format!("?id={theirs}"), 0),
        ("?lead=a&limit=1".to_owned(), 1),
        ("?lead=b%2F%C3%B6%3F".to_owned(), 0),
    ] {
        let path = format!("/v1/deliveries{query}");
        let seen = company.ask("ann-root", "GET", &path, "").json();
        let calls = seen["deliveries"].as_array().expect("calls");
        assert_eq!(calls.len(), n, "{path}");
        assert!(calls.iter().all(|call| call["lead"] == "a"), "{path}");
        assert!(seen["next"].is_null(), "{path}");
    }
    // As a call that there is not.
    let retry = |id: &str| {
        let path = format!("/v1/deliveries/{id}/retry");
        company.ask("ann-root", "POST", &path, "")
    };
    let detail = |id: &str| retry(id).problem(404, "not-found")["detail"].to_string();
    assert_eq!(detail(&theirs).replace(&theirs, "x"), detail("x"));
    assert_eq!(retry(&own).status, 202);
}

#[test]
fn a_token_in_the_address_is_refused_and_told_to_nobody() {
    let mut company = company();
    let root = company.tokens["root"].clone();
    for path in [
        format!("/v1/leads?token={root}"),
        format!("/v1/leads?x={root}"),
        "/v1/leads?access_token=x".to_owned(),
        format!("/v1/leads/{root}"),
        format!("/{root}"),
    ] {
        let answer = company.ask("root", "GET", &path, "");
        answer.problem(400, "token-in-url");
        assert!(!answer.body.contains(&root));
    }
    // Nor is it an ID of a request, or part of a message.
    let headers = [
        ("authorization", format!("Bearer {root}x")),
        ("x-request-id", root.clone()),
    ];
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let answer = company.server.ask("GET", "/v1/leads", &headers, b"");
    answer.problem(401, "unauthorized");
    assert!(!format!("{answer:?}").contains(&root));
    company.server.stop();
    for file in ["audit.ndjson", "tokens.toml"] {
        let text = fs::read_to_string(company.server.folder.join(file)).expect("a file");
        assert!(
            !text.contains(&root) && !text.contains(&root[4..]),
            "{file}"
        );
    }
}

#[test]
fn two_headers_of_authorization_are_no_token() {
    let company = company();
    let bearer = format!("Bearer {}", company.tokens["root"]);
    let headers = [
        ("authorization", bearer.as_str()),
        ("authorization", "Bearer other"),
    ];
    company
        .server
        .ask("GET", "/v1/leads", &headers, b"")
        .problem(401, "unauthorized");
}

#[test]
fn a_token_that_is_revoked_or_expired_or_lost_ends() {
    let company = company();
    let path = company.server.folder.join("tokens.toml");
    assert_eq!(company.ask("board", "GET", "/v1/model", "").status, 200);
    revoke(&path, "board").expect("revoked");
    let within = |status: u16, who: &str| {
        let begin = Instant::now();
        while company.ask(who, "GET", "/v1/model", "").status != status {
            assert!(
                begin.elapsed() < Duration::from_secs(3),
                "{who} is not {status}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    within(401, "board");
    assert_eq!(company.ask("root", "GET", "/v1/model", "").status, 200);
    // Whoever removes the file must not open the server to everybody on the machine.
    fs::remove_file(&path).expect("removed");
    within(503, "root");
    fs::write(&path, "nonsense").expect("written");
    within(503, "root");
    let expired = TokenOptions {
        name: "old".to_owned(),
        role: Role::Admin,
        owner: None,
        expires: Some(Timestamp::from_micros(START)),
        rate: None,
    };
    fs::write(&path, "").expect("written");
    let token = create(&path, expired).expect("a token");
    within(401, "root");
    let bearer = format!("Bearer {token}");
    let answer = company
        .server
        .ask("GET", "/v1/model", &[("authorization", &bearer)], b"");
    assert_eq!(
        answer.problem(401, "unauthorized")["detail"],
        "the token has expired"
    );
}

#[test]
fn a_token_file_made_while_the_server_runs_closes_it() {
    let server = start();
    assert_eq!(server.get("/v1/model").status, 200);
    token(&server.folder, "first", Role::Admin, None);
    let begin = Instant::now();
    while server.get("/v1/model").status != 401 {
        assert!(begin.elapsed() < Duration::from_secs(3));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_token_makes_no_more_requests_than_its_rate() {
    let mut tokens = Vec::new();
    let server = start_with(
        Memory::default(),
        |folder| {
            let options = TokenOptions {
                name: "slow".to_owned(),
                role: Role::Read,
                owner: None,
                expires: None,
                rate: Some(2.0),
            };
            tokens.push(create(&folder.join("tokens.toml"), options).expect("a token"));
        },
        |_| (),
    );
    let bearer = format!("Bearer {}", tokens[0]);
    let answers: Vec<Answer> = (0..8)
        .map(|_| server.ask("GET", "/v1/model", &[("authorization", &bearer)], b""))
        .collect();
    let n_allowed = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((4..=6).contains(&n_allowed), "{n_allowed}");
    let refused = answers
        .iter()
        .find(|answer| answer.status == 429)
        .expect("one is refused");
    refused.problem(429, "rate-limited");
    assert_eq!(refused.headers["retry-after"], "1");
}

#[test]
fn without_tokens_only_this_machine_by_its_own_name_is_answered() {
    let server = start().with_leads();
    for host in [
        "evil.example",
        "localhost.evil.example:80",
        "192.168.1.1",
        "",
        "127.0.0.1@evil.example",
    ] {
        server
            .ask("GET", "/v1/leads", &[("host", host)], b"")
            .problem(403, "cross-site");
    }
    for host in ["localhost", "127.0.0.1:9", "[::1]:80"] {
        assert_eq!(
            server
                .ask("GET", "/v1/leads", &[("host", host)], b"")
                .status,
            200
        );
    }
    // A proxy on this machine that passes on what others ask: no header of it is believed, but then
    // this is not the machine that asks.
    for name in [
        "forwarded",
        "X-Forwarded-For",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-real-ip",
        "via",
    ] {
        for value in ["for=127.0.0.1", "127.0.0.1", ""] {
            let headers = [("host", "127.0.0.1:8700"), (name, value)];
            server
                .ask("GET", "/v1/leads", &headers, b"")
                .problem(403, "cross-site");
        }
    }
    // A page of another host, that a browser on this machine has open.
    let word = br#"{"said": "lost"}"#;
    let own = format!("http://{}", server.address);
    for (name, value, status) in [
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("origin", "http://127.0.0.1:1", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("origin", own.as_str(), 202),
        ("sec-fetch-site", "same-origin", 202),
    ] {
        let headers = [("content-type", "application/json"), (name, value)];
        assert_eq!(
            server
                .ask("POST", "/v1/leads/a/word", &headers, word)
                .status,
            status,
            "{name}: {value}"
        );
    }
}

#[tokio::test]
async fn without_tokens_no_other_address_is_listened_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = std::sync::Arc::new(|| Timestamp::from_micros(START));
    let options = AppOptions::new(
        folder.path().to_owned(),
        folder.path().join("tokens.toml"),
        clock,
    );
    let app = App::open(std::sync::Arc::new(Memory::default()), options).expect("an app");
    for address in ["0.0.0.0:0", "[::]:0"] {
        let options = ServeOptions::plain(address);
        let error = Server::bind(app.clone(), axum::Router::new(), &options)
            .await
            .err()
            .expect("refused");
        assert!(matches!(error, ServeError::Open { .. }), "{error}");
    }
    let options = ServeOptions::plain("nowhere");
    let error = Server::bind(app, axum::Router::new(), &options)
        .await
        .err()
        .expect("refused");
    assert!(matches!(error, ServeError::Bind { .. }), "{error}");
}

#[test]
fn the_file_has_hashes_alone_and_names_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tokens.toml");
    assert!(list(&path).expect("no file").is_empty());
    let one = token(folder.path(), "one", Role::Read, Some("Ann"));
    let two = token(folder.path(), "two", Role::Ingest, None);
    assert!(one.len() == 68 && two.len() == 68 && one != two);
    let text = fs::read_to_string(&path).expect("text");
    assert!(!text.contains(&one[4..]) && !text.contains(&two[4..]));
    let entries = list(&path).expect("entries");
    assert_eq!(
        entries
            .iter()
            .map(|entry| entry.name.as_str())
            .collect::<Vec<_>>(),
        ["one", "two"]
    );
    assert_eq!(entries[0].owner.as_deref(), Some("Ann"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(&path).expect("facts").permissions().mode() & 0o077,
            0
        );
    }
    for (name, is_fine) in [
        ("one", false),
        ("", false),
        (" ", false),
        ("local", false),
        ("a\nb", false),
        ("three", true),
    ] {
        let options = TokenOptions {
            name: name.to_owned(),
            role: Role::Read,
            owner: None,
            expires: None,
            rate: None,
        };
        assert_eq!(create(&path, options).is_ok(), is_fine, "{name:?}");
    }
    assert!(matches!(
        revoke(&path, "nobody"),
        Err(TokensError::Unknown { .. })
    ));
    for name in ["one", "two", "three"] {
        revoke(&path, name).expect("revoked");
    }
    // The last one leaves a file, so that the server stays closed.
    assert!(path.exists());
    for text in [
        "[[token]]\nname = \"x\"\n",
        "[[token]]\nname = \"x\"\nrole = \"king\"\nsha256 = \"0\"\n",
        "[[token]]\nname = \"x\"\nrole = \"read\"\nsha256 = \"lst_abc\"\n",
        "[[token]]\nname = \"x\"\nrole = \"read\"\nsecret = \"y\"\n",
    ] {
        fs::write(&path, text).expect("written");
        let error = list(&path).expect_err(text).to_string();
        assert!(
            error.contains("hint: ") && !error.contains("lst_abc"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn without_tokens_nobody_is_answered_by_a_proxy() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = std::sync::Arc::new(|| Timestamp::from_micros(START));
    for (base, is_refused, is_in_the_clear) in [
        ("https://leads.example.com", true, false),
        ("http://leads.example.com", true, true),
        ("http://localhost:8700", false, false),
    ] {
        let listening = ServeOptions {
            base: Some(SiteAddress::parse(base).expect("an address")),
            ..ServeOptions::plain("127.0.0.1:0")
        };
        let tokens = folder.path().join("tokens.toml");
        let open = || {
            let options = AppOptions {
                site: listening.site(),
                ..AppOptions::new(folder.path().to_owned(), tokens.clone(), clock.clone())
            };
            App::open(std::sync::Arc::new(Memory::default()), options).expect("an app")
        };
        let bound = Server::bind(open(), axum::Router::new(), &listening).await;
        match bound {
            Ok(server) => assert!(!is_refused && !server.is_in_the_clear(), "{base}"),
            Err(error) => assert!(
                is_refused && matches!(error, ServeError::OpenByProxy { .. }),
                "{base}: {error}"
            ),
        }
        token(folder.path(), "ann", Role::Read, None);
        let server = Server::bind(open(), axum::Router::new(), &listening)
            .await
            .expect("with tokens it listens");
        assert_eq!(server.is_in_the_clear(), is_in_the_clear, "{base}");
        std::fs::remove_file(&tokens).expect("it is there");
    }
}

#[tokio::test]
async fn what_others_can_read_on_the_way_is_known_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    token(folder.path(), "ann", Role::Read, None);
    let clock = std::sync::Arc::new(|| Timestamp::from_micros(START));
    for (address, base, expected) in [
        ("127.0.0.1:0", None, false),
        ("0.0.0.0:0", None, true),
        ("0.0.0.0:0", Some("https://leads.example.com"), false),
        ("0.0.0.0:0", Some("http://localhost"), true),
    ] {
        let listening = ServeOptions {
            base: base.map(|base| SiteAddress::parse(base).expect("an address")),
            ..ServeOptions::plain(address)
        };
        let options = AppOptions {
            site: listening.site(),
            ..AppOptions::new(
                folder.path().to_owned(),
                folder.path().join("tokens.toml"),
                clock.clone(),
            )
        };
        let app = App::open(std::sync::Arc::new(Memory::default()), options).expect("an app");
        let server = Server::bind(app, axum::Router::new(), &listening)
            .await
            .expect("it listens");
        assert_eq!(server.is_in_the_clear(), expected, "{address} {base:?}");
    }
}
