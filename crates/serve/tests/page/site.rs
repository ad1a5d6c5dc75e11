//! A server without a network: requests go to the router, and cookies are kept as a browser does.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use leadscore_config::SiteAddress;
use leadscore_core::Timestamp;
use leadscore_serve::Site::{At, ByHost};
use leadscore_serve::{App, AppOptions, Page, PageOptions, router};
use tower::ServiceExt;

use crate::made::{Kind, Made};

/// As Chromium sends it for a page.
pub(crate) const ACCEPT: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

pub(crate) struct Site {
    router: Router,
    pub(crate) made: Arc<Made>,
    now: Arc<AtomicI64>,
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

/// How a site is set up.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) kind: Kind,
    pub(crate) n_leads: usize,
    pub(crate) capacity: Option<usize>,
    pub(crate) open: bool,
    /// Address at which people reach it.
    pub(crate) base: Option<&'static str>,
    /// Whether the server itself speaks TLS.
    pub(crate) tls: bool,
    /// Whether it can take no request.
    pub(crate) busy: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            kind: Kind::Usual,
            n_leads: 300,
            capacity: Some(25),
            open: false,
            base: None,
            tls: false,
            busy: false,
        }
    }
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The text between two others, the first of them.
    pub(crate) fn between(&self, start: &str, end: &str) -> &str {
        let from = self.body.find(start).expect("the page has it") + start.len();
        let length = self.body[from..].find(end).expect("the page has its end");
        &self.body[from..from + length]
    }

    /// A hidden field of a form.
    pub(crate) fn hidden(&self, name: &str) -> String {
        self.between(&format!("name=\"{name}\" value=\""), "\"")
            .to_owned()
    }
}

impl Site {
    pub(crate) fn new(setup: Setup) -> Self {
        let start = Timestamp::from_ymd(2026, 11, 27).expect("a day").micros();
        let now = Arc::new(AtomicI64::new(start + 9 * 3_600_000_000));
        let clock_now = Arc::clone(&now);
        let clock: Arc<dyn Fn() -> Timestamp + Send + Sync> =
            Arc::new(move || Timestamp::from_micros(clock_now.load(Ordering::Relaxed)));
        let made = Arc::new(Made::new(
            setup.kind,
            setup.n_leads,
            setup.capacity,
            Arc::clone(&clock),
        ));
        let folder = tempfile::tempdir().expect("a folder");
        let tokens = folder.path().join("tokens.toml");
        if !setup.open {
            std::fs::write(&tokens, crate::made::tokens()).expect("a file");
        }
        let engine = Arc::clone(&made) as Arc<dyn leadscore_serve::Engine>;
        let mut options = AppOptions {
            site: match setup.base {
                Some(base) => At(SiteAddress::parse(base).expect("an address")),
                None => ByHost { is_tls: setup.tls },
            },
            ..AppOptions::new(folder.path().to_owned(), tokens, clock)
        };
        if setup.busy {
            options.limits.in_flight = 0;
        }
        let app = App::open(engine, options).expect("a server");
        let options = PageOptions {
            thresholds: vec!["hot".to_owned()],
            ..PageOptions::default()
        };
        let page = Page::open(app.clone(), options).expect("sessions");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        Self {
            router: router(app, page.routes()),
            made,
            now,
            folder,
            runtime,
        }
    }

    pub(crate) fn wait(&self, minutes: i64) {
        self.now.fetch_add(minutes * 60_000_000, Ordering::Relaxed);
    }

    /// Takes a token away, and waits until the server has looked.
    pub(crate) fn revoke(&self, token: &str) {
        let path = self.folder.path().join("tokens.toml");
        leadscore_serve::tokens::revoke(&path, token).expect("the token is there");
        std::thread::sleep(std::time::Duration::from_millis(1_100));
    }

    pub(crate) fn send(&self, request: Request<Body>) -> Reply {
        self.runtime.block_on(async {
            let response = self
                .router
                .clone()
                .oneshot(request)
                .await
                .expect("the router never fails");
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, 10_000_000).await.expect("a whole body");
            Reply {
                status: parts.status,
                headers: parts.headers,
                body: String::from_utf8(body.to_vec()).expect("UTF-8"),
            }
        })
    }

    pub(crate) fn get(&self, path: &str, cookie: &str) -> Reply {
        self.send(
            Request::get(path)
                .header("host", "localhost:8700")
                .header("cookie", cookie)
                .header("accept", ACCEPT)
                .body(Body::empty())
                .expect("a request"),
        )
    }

    /// A form as a browser sends it from a page of this site.
    pub(crate) fn post(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Reply {
        self.post_from(path, cookie, Some("http://localhost:8700"), fields)
    }

    pub(crate) fn post_from(
        &self,
        path: &str,
        cookie: &str,
        origin: Option<&str>,
        fields: &[(&str, &str)],
    ) -> Reply {
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let mut request = Request::post(path)
            .header("host", "localhost:8700")
            .header("cookie", cookie)
            .header("accept", ACCEPT)
            .header("content-type", "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        self.send(request.body(Body::from(body.join("&"))).expect("a request"))
    }

    /// Signs in; returns the cookie.
    pub(crate) fn sign_in(&self, token: &str) -> String {
        let reply = self.post("/sign-in", "", &[("token", token)]);
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        cookie_of(&reply)
    }
}

/// The cookie that an answer sets, as the browser sends it back.
pub(crate) fn cookie_of(reply: &Reply) -> String {
    reply
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What people read of a page: no tags, entities resolved.
pub(crate) fn text_of(markup: &str) -> String {
    let mut text = String::new();
    let mut rest = markup;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let end = rest[start..]
            .find('>')
            .map_or(rest.len(), |end| start + end + 1);
        text.push(' ');
        rest = &rest[end..];
    }
    text.push_str(rest);
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
        .replace('\u{a0}', " ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
