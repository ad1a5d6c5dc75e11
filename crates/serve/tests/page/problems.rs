//! What people see of a request that is refused: a page with a sentence and a way on; and programs the
//! problem details that they always saw.

use axum::body::Body;
use axum::http::{Method, Request};

use crate::made::Kind;
use crate::site::{ACCEPT, Reply, Setup, Site, text_of};

/// A request as something asks that accepts this.
fn ask(site: &Site, method: &str, path: &str, accept: &str, more: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:8700");
    if !accept.is_empty() {
        request = request.header("accept", accept);
    }
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    site.send(request.body(Body::empty()).expect("a request"))
}

#[track_caller]
fn is_page(reply: &Reply, status: u16, says: &[&str], link: &str) {
    assert_eq!(reply.status.as_u16(), status, "{}", reply.body);
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    assert!(
        reply
            .header("content-security-policy")
            .starts_with("default-src 'none'"),
    );
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(!reply.header("x-request-id").is_empty());
    let text = text_of(&reply.body);
    for part in says {
        assert!(text.contains(part), "{part}: {text}");
    }
    for word in ["/openapi.json", "bearer", "Bearer", "null"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    assert!(
        reply
            .body
            .contains(&format!("class=\"button\" href=\"{link}\"")),
        "{link}: {}",
        reply.body
    );
}

#[track_caller]
fn is_problem(reply: &Reply, status: u16, slug: &str) {
    assert_eq!(reply.status.as_u16(), status, "{}", reply.body);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert!(
        reply
            .body
            .contains(&format!("\"urn:leadscore:problem:{slug}\"")),
        "{}",
        reply.body
    );
}

#[test]
fn people_get_a_page_that_says_what_happened() {
    let site = Site::new(Setup::default());
    let get = |path| ask(&site, "GET", path, ACCEPT, &[]);
    is_page(
        &get("/nope"),
        404,
        &["There is no such page", "may be mistyped"],
        "/",
    );
    is_page(&get("/leads/a/b"), 404, &["There is no such page"], "/");
    is_page(&get("/words"), 405, &["takes a form"], "/");
    is_page(&get("/leads/%FF"), 400, &["This cannot be read"], "/");
    is_page(
        &get("/?token=x"),
        400,
        &["A token is in the address", "ask for a new one"],
        "/sign-in",
    );
    let cookie = site.sign_in("admin");
    is_page(
        &site.get("/leads/nope", &cookie),
        404,
        &["There is no lead “nope”."],
        "/",
    );
    is_page(
        &site.post_from("/words", &cookie, Some("https://evil.example"), &[]),
        403,
        &["This comes from elsewhere", "This form was not saved."],
        "/",
    );
    let note = "x".repeat(40_000);
    is_page(
        &site.post("/words", &cookie, &[("note", &note)]),
        413,
        &["too much at once", "This form was not saved.", "shorten"],
        "/",
    );
    let json = [
        ("content-type", "application/json"),
        ("origin", "http://localhost:8700"),
        ("cookie", cookie.as_str()),
    ];
    is_page(
        &ask(&site, "POST", "/words", ACCEPT, &json),
        415,
        &["This form cannot be read", "This form was not saved."],
        "/",
    );
}

#[test]
fn a_session_that_ended_is_told_from_none() {
    let site = Site::new(Setup::default());
    let cookie = site.sign_in("admin");
    let form = site.get("/", &cookie).hidden("form");
    site.wait(12 * 60);
    let asked = site.get("/leads/L1", &cookie);
    let sign_in = site.get(asked.header("location"), &cookie);
    let text = text_of(&sign_in.body);
    assert!(
        text.contains("Your session has ended. Sign in again."),
        "{text}"
    );
    assert_eq!(sign_in.hidden("to"), "/leads/L1");
    let never = site.get("/sign-in?to=%2Fleads%2FL1", "");
    assert!(text_of(&never.body).contains("Sign in to see this page."));
    is_page(
        &site.post("/words", &cookie, &[("form", &form), ("lead", "L7")]),
        401,
        &["Your session has ended", "This form was not saved."],
        "/sign-in?to=%2Fleads%2FL7",
    );
}

#[test]
fn whoever_asks_too_often_is_told_to_wait() {
    let site = Site::new(Setup::default());
    let cookie = site.sign_in("hasty");
    assert_eq!(site.get("/", &cookie).status.as_u16(), 200);
    let reply = site.get("/?q=x", &cookie);
    is_page(
        &reply,
        429,
        &["Too many requests", "Wait a moment"],
        "/?q=x",
    );
    assert_eq!(reply.header("retry-after"), "1");
    // The way on is one of this site, whatever was asked for.
    let busy = Site::new(Setup {
        busy: true,
        ..Setup::default()
    });
    for (path, link) in [
        ("/leads/L1?events=all", "/leads/L1?events=all"),
        ("//evil.example", "/"),
        ("/nope", "/"),
    ] {
        let reply = ask(&busy, "GET", path, ACCEPT, &[]);
        is_page(&reply, 503, &["The server is busy", "Request "], link);
        assert_eq!(reply.header("retry-after"), "1");
    }
    let reply = busy.post("/words", "", &[("lead", "L1")]);
    is_page(&reply, 503, &["This form was not saved."], "/");
    // The page looks like one also then.
    let style = reply.between("<link rel=\"stylesheet\" href=\"", "\"");
    assert_eq!(busy.get(style, "").status.as_u16(), 200);
    let starting = Site::new(Setup {
        kind: Kind::Starting,
        ..Setup::default()
    });
    let cookie = starting.sign_in("admin");
    let reply = starting.get("/", &cookie);
    is_page(&reply, 503, &["Scores are being computed"], "/");
    assert_eq!(reply.header("retry-after"), "2");
}

#[test]
fn programs_get_problem_details_as_before() {
    let site = Site::new(Setup::default());
    for accept in [
        "",
        "*/*",
        "application/json",
        "application/json, text/plain, */*",
        "application/json, text/html;q=0.9",
        "text/html;q=0, */*",
        "text/css,*/*;q=0.1",
        "image/avif,*/*;q=0.8",
    ] {
        is_problem(&ask(&site, "GET", "/nope", accept, &[]), 404, "not-found");
        is_problem(
            &ask(&site, "GET", "/?token=x", accept, &[]),
            400,
            "token-in-url",
        );
        is_problem(
            &ask(&site, "GET", "/words", accept, &[]),
            405,
            "method-not-allowed",
        );
    }
    // Routes of programs have no pages, whoever asks.
    for (method, path, status, slug) in [
        (Method::GET, "/v1/nope", 404, "not-found"),
        (Method::GET, "/v1/leads", 401, "unauthorized"),
        (Method::GET, "/v2/models/x", 401, "unauthorized"),
        (Method::GET, "/v1/leads?token=x", 400, "token-in-url"),
        (Method::PUT, "/v1/leads", 405, "method-not-allowed"),
        (Method::GET, "/metrics", 401, "unauthorized"),
        (Method::POST, "/healthz", 405, "method-not-allowed"),
        (Method::GET, "/v1", 404, "not-found"),
    ] {
        is_problem(
            &ask(&site, method.as_str(), path, ACCEPT, &[]),
            status,
            slug,
        );
    }
}
