//! The page behind a proxy that ends TLS: what the config says of the address counts, and nothing that
//! a request says of it.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::site::{Setup, Site, cookie_of};

const ADDRESS: &str = "https://leads.example.com";

fn proxied() -> Site {
    Site::new(Setup {
        base: Some(ADDRESS),
        ..Setup::default()
    })
}

#[test]
fn the_cookie_travels_by_https_alone_and_browsers_are_told_to() {
    let site = proxied();
    let reply = site.post_from("/sign-in", "", Some(ADDRESS), &[("token", "admin")]);
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    let cookie = reply.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-leadscore=")
            && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"),
        "{cookie}"
    );
    let cookie = cookie_of(&reply);
    for path in [
        "/",
        "/leads/L1",
        "/nope",
        "/v1/nope",
        "/healthz",
        "/sign-in",
    ] {
        let reply = site.get(path, &cookie);
        assert_eq!(
            reply.header("strict-transport-security"),
            "max-age=31536000",
            "{path}"
        );
    }
    assert_eq!(site.get("/", &cookie).status, StatusCode::OK);
    let plain = cookie.replace("__Host-leadscore", "leadscore");
    assert_eq!(
        site.get("/", &plain).status,
        StatusCode::SEE_OTHER,
        "a cookie that plain HTTP can set is none"
    );
    for setup in [
        Setup::default(),
        Setup {
            tls: true,
            ..Setup::default()
        },
        Setup {
            base: Some("http://leads.example.com"),
            ..Setup::default()
        },
    ] {
        let reply = Site::new(setup).get("/", "");
        assert_eq!(reply.header("strict-transport-security"), "");
    }
}

#[test]
fn redirects_lead_to_the_address() {
    let site = proxied();
    // The test asks localhost:8700, as a proxy does that passes on no host.
    let reply = site.get("/leads/L7", "");
    assert_eq!(
        reply.header("location"),
        "https://leads.example.com/sign-in?to=%2Fleads%2FL7"
    );
    let fields = [("token", "admin"), ("to", "/leads/L7")];
    let reply = site.post_from("/sign-in", "", Some(ADDRESS), &fields);
    assert_eq!(
        reply.header("location"),
        "https://leads.example.com/leads/L7"
    );
}

#[test]
fn forms_are_taken_from_the_address_and_from_nowhere_else() {
    let site = proxied();
    let signed_in = site.post_from("/sign-in", "", Some(ADDRESS), &[("token", "admin")]);
    let cookie = cookie_of(&signed_in);
    let page = site.get("/leads/L1", &cookie);
    let (form, once) = (page.hidden("form"), page.hidden("once"));
    let fields = [
        ("form", form.as_str()),
        ("once", &once),
        ("lead", "L1"),
        ("said", "called"),
    ];
    for origin in [
        None,
        Some("null"),
        Some("http://localhost:8700"),
        Some("http://leads.example.com"),
        Some("https://leads.example.com:8443"),
        Some("https://leads.example.com.evil.example"),
        Some("https://evil.example"),
    ] {
        for path in ["/words", "/sign-in", "/sign-out"] {
            let reply = site.post_from(path, &cookie, origin, &fields);
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path} {origin:?}");
            assert!(reply.body.contains("Pages of https://leads.example.com"));
        }
    }
    assert!(site.made.words_on("L1").is_empty());
    let said = site.post_from("/words", &cookie, Some(ADDRESS), &fields);
    assert_eq!(said.status, StatusCode::SEE_OTHER);
    assert_eq!(site.made.words_on("L1").len(), 1);
}

#[test]
fn what_a_request_says_of_proxies_is_not_believed() {
    let site = Site::new(Setup::default());
    let cookie = site.sign_in("admin");
    let page = site.get("/leads/L1", &cookie);
    let body = format!("form={}&lead=L1&said=called&once=1", page.hidden("form"));
    for (name, value) in [
        ("forwarded", "host=evil.example;proto=https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
    ] {
        let request = Request::post("/words")
            .header("host", "localhost:8700")
            .header("origin", "https://evil.example")
            .header(name, value)
            .header("cookie", &cookie)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body.clone()))
            .expect("a request");
        assert_eq!(site.send(request).status, StatusCode::FORBIDDEN, "{name}");
        let request = Request::get("/leads/L1")
            .header("host", "localhost:8700")
            .header(name, value)
            .body(Body::empty())
            .expect("a request");
        let reply = site.send(request);
        assert_eq!(reply.header("location"), "/sign-in?to=%2Fleads%2FL1");
        assert_eq!(reply.header("strict-transport-security"), "");
    }
    assert!(site.made.words_on("L1").is_empty());
}
