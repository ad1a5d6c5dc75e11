//! Answers of the page: markup with the headers that keep it what it is, redirects, and pages that
//! say why there is nothing to see.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse as _;
use maud::{Markup, html};

use super::Page;
use super::layout::{Frame, frame};
use super::words::shown;
use crate::Problem;

/// Nothing comes from another host, nothing is framed, and nothing in the text of a page runs.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Runs what waits for the engine or a file off the threads that answer.
pub(crate) async fn off_thread(
    work: impl FnOnce() -> Response<Body> + Send + 'static,
) -> Response<Body> {
    match tokio::task::spawn_blocking(work).await {
        Ok(response) => response,
        Err(_) => Problem::internal().into_response(),
    }
}

/// A page.
pub(crate) fn page(status: StatusCode, markup: Markup) -> Response<Body> {
    let mut response = Response::new(Body::from(markup.into_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // With `no-referrer` browsers send forms with `Origin: null`, and a form of this page could not
    // be told from that of another site. Other sites get no address by this one either.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// To another page of this site, by GET: at the address of the site, if it has one, so that whoever
/// came by another comes to where forms are taken.
pub(crate) fn see_other(of: &Page, to: &str) -> Response<Body> {
    let mut response = page(StatusCode::SEE_OTHER, html! {});
    if let Ok(to) = HeaderValue::from_str(&of.app.site().address_of(to)) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}

/// The address, if it is one of a page of this site that anybody can open, and nothing else; or that
/// of the queue.
pub(crate) fn own_page(to: &str) -> String {
    let is_page = to == "/"
        || ["/?", "/leads/", "/leads?", "/held-back", "/manager"]
            .iter()
            .any(|start| to.starts_with(start));
    let is_plain = to
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_page && is_plain && to.len() <= 2_000 {
        to.to_owned()
    } else {
        "/".to_owned()
    }
}

/// A page without content of its own: what there is not, why, and where to go.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Notice {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    /// Sentences, one a paragraph.
    pub(crate) text: Vec<String>,
    /// Where to go: text, address.
    pub(crate) link: Option<(String, String)>,
    /// Seconds after which it may be otherwise.
    pub(crate) retry: Option<u8>,
    /// The ID of the request, by which whoever runs the server finds the reason.
    request: Option<String>,
}

impl Notice {
    pub(crate) fn new(status: StatusCode, title: &'static str) -> Self {
        Self {
            status,
            title,
            text: Vec::new(),
            link: None,
            retry: None,
            request: None,
        }
    }

    pub(crate) fn text(mut self, sentence: impl Into<String>) -> Self {
        self.text.push(sentence.into());
        self
    }

    pub(crate) fn link(mut self, text: &str, to: &str) -> Self {
        self.link = Some((text.to_owned(), to.to_owned()));
        self
    }

    pub(crate) fn request(mut self, id: &str) -> Self {
        self.request = Some(id.to_owned());
        self
    }

    pub(crate) fn retry(mut self, seconds: u8) -> Self {
        self.retry = Some(seconds);
        self
    }

    pub(crate) fn queue_link(self) -> Self {
        self.link("To the queue", "/")
    }
}

/// A lower-case fragment as a sentence.
pub(crate) fn sentence(text: &str) -> String {
    let text = shown(text, 300);
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => text,
    }
}

/// Such a page.
pub(crate) fn plain(about: &Frame, notice: &Notice) -> Response<Body> {
    let body = html! {
        section.notice {
            h1 { (notice.title) }
            @for sentence in &notice.text { p { bdi { (sentence) } } }
            @if let Some((text, to)) = &notice.link { p { a.button href=(to) { (text) } } }
            @if let Some(request) = &notice.request { p.soft { "Request " code { (request) } } }
        }
    };
    let frame = frame(
        &Frame {
            title: notice.title,
            ..about.clone()
        },
        &body,
    );
    let mut response = page(notice.status, frame);
    if let Some(seconds) = notice.retry {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(u16::from(seconds)));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_site_are_come_back_to() {
        for (to, expected) in [
            ("/", "/"),
            ("/?owner=Kim", "/?owner=Kim"),
            ("/leads/L1", "/leads/L1"),
            ("/leads?id=..", "/leads?id=.."),
            ("/manager", "/manager"),
            ("/held-back?q=x", "/held-back?q=x"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example/leads/", "/"),
            ("javascript:alert(1)", "/"),
            ("/leads/a\r\nset-cookie: x", "/"),
            ("/leads/\\..\\", "/"),
            ("", "/"),
            ("/sign-out", "/"),
        ] {
            assert_eq!(own_page(to), expected, "{to}");
        }
    }
}
