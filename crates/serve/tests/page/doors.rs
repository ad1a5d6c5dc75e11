//! Who gets in, and what others try.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::site::{Setup, Site, cookie_of, text_of};

const ALL_PAGES: [&str; 5] = ["/", "/leads/L1", "/leads?id=..", "/manager", "/?q=x"];

#[test]
fn nobody_gets_in_without_a_session() {
    let site = Site::new(Setup::default());
    for path in ALL_PAGES {
        for cookie in [
            "",
            "leadscore=",
            "leadscore=../..",
            &format!("leadscore={}", "0".repeat(64)),
        ] {
            let reply = site.get(path, cookie);
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{path} {cookie}");
            assert!(
                reply.header("location").starts_with("/sign-in?to=%2F"),
                "{path}"
            );
            assert!(!reply.body.contains("Tanaka"));
        }
    }
    let reply = site.post("/words", "", &[("lead", "L1"), ("said", "called")]);
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
}

#[test]
fn a_token_signs_in_and_comes_back_to_the_page() {
    let site = Site::new(Setup::default());
    let asked = site.get("/leads/L7", "");
    let form = site.get(asked.header("location"), "");
    assert!(text_of(&form.body).contains("Sign in to see this page."));
    let to = form.hidden("to");
    let reply = site.post("/sign-in", "", &[("token", " admin\n"), ("to", &to)]);
    assert_eq!(
        (reply.status, reply.header("location")),
        (StatusCode::SEE_OTHER, "/leads/L7")
    );
    assert_eq!(
        site.get("/leads/L7", &cookie_of(&reply)).status,
        StatusCode::OK
    );
    for (token, status, says) in [
        (
            "wrong",
            StatusCode::UNAUTHORIZED,
            "This token is not known, or has ended.",
        ),
        ("", StatusCode::UNAUTHORIZED, "Paste your token first."),
        (
            "sender",
            StatusCode::FORBIDDEN,
            "This token sends events only: it may not see scores.",
        ),
    ] {
        let reply = site.post("/sign-in", "", &[("token", token)]);
        assert_eq!(reply.status, status);
        assert!(text_of(&reply.body).contains(says), "{}", reply.body);
        assert_eq!(reply.header("set-cookie"), "");
        assert!(token.is_empty() || !reply.body.contains(&format!("value=\"{token}\"")));
    }
}

#[test]
fn the_cookie_is_for_this_site_alone() {
    let reply = Site::new(Setup::default()).post("/sign-in", "", &[("token", "admin")]);
    let cookie = reply.header("set-cookie").to_owned();
    assert!(
        cookie.starts_with("leadscore=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    let secure = Site::new(Setup {
        tls: true,
        ..Setup::default()
    });
    let cookie = secure.post_from(
        "/sign-in",
        "",
        Some("https://localhost:8700"),
        &[("token", "admin")],
    );
    let cookie = cookie.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-leadscore=")
            && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"),
        "{cookie}"
    );
}

#[test]
fn a_session_that_was_planted_is_left_behind() {
    let site = Site::new(Setup::default());
    let planted = site.sign_in("kim");
    let reply = site.post("/sign-in", &planted, &[("token", "admin")]);
    let own = cookie_of(&reply);
    assert_ne!(own, planted);
    assert_eq!(
        site.get("/", &planted).status,
        StatusCode::SEE_OTHER,
        "the planted one has ended"
    );
    assert_eq!(site.get("/", &own).status, StatusCode::OK);
    let chosen = format!("leadscore={}", "ab".repeat(32));
    let own = cookie_of(&site.post("/sign-in", &chosen, &[("token", "admin")]));
    assert_ne!(own, chosen);
    assert_eq!(site.get("/", &chosen).status, StatusCode::SEE_OTHER);
}

#[test]
fn sessions_end() {
    let site = Site::new(Setup::default());
    let cookie = site.sign_in("admin");
    let page = site.get("/", &cookie);
    let form = page.hidden("form");
    site.wait(12 * 60);
    assert_eq!(
        site.get("/", &cookie).status,
        StatusCode::SEE_OTHER,
        "idle for twelve hours"
    );
    let cookie = site.sign_in("admin");
    assert_eq!(
        site.post("/sign-out", &cookie, &[("form", &form)]).status,
        StatusCode::FORBIDDEN,
        "a form of the session before"
    );
    let form = site.get("/", &cookie).hidden("form");
    let reply = site.post("/sign-out", &cookie, &[("form", &form)]);
    assert_eq!(reply.header("location"), "/sign-in?out=1");
    assert!(reply.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(site.get("/", &cookie).status, StatusCode::SEE_OTHER);
    let cookie = site.sign_in("admin");
    site.revoke("admin");
    assert_eq!(
        site.get("/", &cookie).status,
        StatusCode::SEE_OTHER,
        "its token was taken away"
    );
}

#[test]
fn forms_of_other_sites_are_refused() {
    let site = Site::new(Setup::default());
    let cookie = site.sign_in("admin");
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
        Some("https://evil.example"),
        Some("http://localhost:8701"),
        Some("http://localhost"),
        Some("http://localhost:8700.evil.example"),
        Some("http://evil.example/http://localhost:8700"),
        Some("file://localhost:8700"),
    ] {
        for path in ["/words", "/sign-out", "/sign-in"] {
            let reply = site.post_from(path, &cookie, origin, &fields);
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path} {origin:?}");
        }
    }
    let other = site.sign_in("admin");
    let of_other = site.get("/leads/L1", &other).hidden("form");
    for wrong in ["", "x", &of_other, &form.to_uppercase(), &form[1..]] {
        let reply = site.post(
            "/words",
            &cookie,
            &[("form", wrong), ("lead", "L1"), ("said", "called")],
        );
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{wrong}");
    }
    let cross = Request::post("/words")
        .header("host", "localhost:8700")
        .header("origin", "http://localhost:8700")
        .header("sec-fetch-site", "cross-site")
        .header("cookie", &cookie)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("form={form}&lead=L1&said=called")))
        .expect("a request");
    assert_eq!(site.send(cross).status, StatusCode::FORBIDDEN);
    assert!(site.made.words_on("L1").is_empty());
    assert_eq!(
        site.get("/words", &cookie).status,
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert_eq!(
        site.get("/sign-out", &cookie).status,
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[test]
fn leads_of_another_owner_are_not_there() {
    let site = Site::new(Setup::default());
    let (all, kim) = (site.sign_in("admin"), site.sign_in("kim"));
    let queue = site.get("/?owner=Kim", &all);
    assert!(text_of(&site.get("/", &kim).body).contains("Leads to call of Kim"));
    let of = |reply: &crate::site::Reply| -> Vec<String> {
        reply
            .body
            .match_indices("href=\"/leads/")
            .map(|(at, start)| {
                let rest = &reply.body[at + start.len()..];
                rest[..rest.find('"').expect("an end")].to_owned()
            })
            .collect()
    };
    let own = of(&site.get("/", &kim));
    assert_eq!(own, of(&queue));
    assert!(own.len() > 20);
    assert_eq!(
        of(&site.get("/?owner=Lee", &kim)),
        own,
        "a scope cannot be left"
    );
    let others = of(&site.get("/?owner=Lee", &all));
    let form = site.get("/", &kim).hidden("form");
    let unknown = site.get("/leads/L999999", &kim);
    for lead in others
        .iter()
        .map(String::as_str)
        .chain(["waiting", "closed"])
    {
        let reply = site.get(&format!("/leads/{lead}"), &kim);
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{lead}");
        assert_eq!(
            reply.body.replace(lead, "L999999"),
            unknown.body,
            "as if it were not there: {lead}"
        );
        let said = site.post(
            "/words",
            &kim,
            &[
                ("form", &form),
                ("lead", lead),
                ("said", "won"),
                ("once", "1"),
            ],
        );
        assert_eq!(said.status, StatusCode::NOT_FOUND);
        assert!(site.made.words_on(lead).is_empty());
    }
    assert_eq!(
        site.get(&format!("/leads/{}", own[0]), &kim).status,
        StatusCode::OK
    );
    let manager = site.get("/manager", &kim);
    assert!(manager.body.contains("The record is of all leads"));
    let above = of(&manager);
    assert!(!above.is_empty() && above.iter().all(|lead| own.contains(lead)));
    assert!(
        !manager.body.contains("<bdi>admin</bdi>"),
        "the use of others is not theirs to see"
    );
}

#[test]
fn a_reader_looks_and_does_not_act() {
    let site = Site::new(Setup::default());
    let cookie = site.sign_in("reader");
    let page = site.get("/leads/L1", &cookie);
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.body.contains("action=\"/words\"") && !page.body.contains("/manager"));
    let form = page.hidden("form");
    let reply = site.post(
        "/words",
        &cookie,
        &[("form", &form), ("lead", "L1"), ("said", "won")],
    );
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert!(site.made.words_on("L1").is_empty());
    let reply = site.get("/manager", &cookie);
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert!(text_of(&reply.body).contains("This page is not for you"));
}

#[test]
fn a_token_in_an_address_is_burnt() {
    let site = Site::new(Setup::default());
    for path in [
        "/?token=admin",
        "/sign-in?token=admin",
        "/leads/L1?access_token=admin",
        "/manager?TOKEN=x",
    ] {
        let reply = site.get(path, "");
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(!reply.body.contains("admin") && reply.header("set-cookie").is_empty());
    }
}

#[test]
fn without_tokens_this_machine_alone_is_let_in() {
    let site = Site::new(Setup {
        open: true,
        ..Setup::default()
    });
    let reply = site.get("/", "");
    assert_eq!(reply.status, StatusCode::OK);
    let cookie = cookie_of(&reply);
    let page = site.get("/leads/L1", &cookie);
    let (form, once) = (page.hidden("form"), page.hidden("once"));
    let said = [
        ("form", form.as_str()),
        ("once", &once),
        ("lead", "L1"),
        ("said", "called"),
    ];
    assert_eq!(
        site.post("/words", &cookie, &said).status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(site.get("/sign-in", "").header("location"), "/");
    for host in [
        "evil.example",
        "evil.example:8700",
        "localhost.evil.example",
        "",
        "127.0.0.1.evil.example",
        "192.168.0.4:8700",
    ] {
        for cookie in ["", &cookie] {
            let request = Request::get("/")
                .header("host", host)
                .header("cookie", cookie)
                .body(Body::empty());
            let reply = site.send(request.expect("a request"));
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{host}");
            assert!(reply.header("set-cookie").is_empty());
        }
    }
    for host in ["localhost", "127.0.0.1:8700", "[::1]:8700"] {
        let request = Request::get("/").header("host", host).body(Body::empty());
        assert_eq!(
            site.send(request.expect("a request")).status,
            StatusCode::OK,
            "{host}"
        );
    }
    let closed = Site::new(Setup::default());
    assert_eq!(closed.get("/", &cookie).status, StatusCode::SEE_OTHER);
}

#[test]
fn every_page_forbids_what_it_does_not_need() {
    let site = Site::new(Setup::default());
    let cookie = site.sign_in("admin");
    for path in [
        "/",
        "/leads/L1",
        "/leads/nope",
        "/manager",
        "/sign-in",
        "/?tier=none",
    ] {
        for cookie in ["", &cookie] {
            let reply = site.get(path, cookie);
            assert_eq!(
                reply.header("content-security-policy"),
                "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            );
            assert_eq!(reply.header("x-content-type-options"), "nosniff");
            assert_eq!(reply.header("referrer-policy"), "same-origin");
            assert_eq!(reply.header("cache-control"), "no-store");
            for inline in ["<style", " style=", " onclick", "<script>", "javascript:"] {
                assert!(!reply.body.contains(inline), "{path} has {inline}");
            }
        }
    }
    let page = site.get("/", &cookie);
    let style = page.between("<link rel=\"stylesheet\" href=\"", "\"");
    let script = page.between("<script src=\"", "\"");
    for asset in [style, script] {
        let reply = site.get(asset, "");
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(
            reply.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert!(
            !reply.body.contains("//") || !reply.body.contains("http"),
            "nothing from another host"
        );
    }
    assert!(
        site.get(script, "").body.len() <= 2_048,
        "the script is small"
    );
    for path in [
        "/assets/..%2F..%2Fetc%2Fpasswd",
        "/assets/page.css",
        "/assets/",
        "/assets/../sign-in",
        "/assets/page-0000000000000000.css",
    ] {
        assert_eq!(site.get(path, "").status, StatusCode::NOT_FOUND, "{path}");
    }
}
