//! Answers of the page: markup with the headers that keep it what it is, redirects, and pages that
//! say why there is nothing to see.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Response, StatusCode};
use maud::{Markup, html};

use super::layout::{Frame, frame};
use super::words::shown;
use crate::{Problem, ProblemKind};

/// Nothing comes from another host, nothing is framed, and nothing in the text of a page runs.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Runs what waits for the engine or a file off the threads that answer.
pub(crate) async fn off_thread(
    work: impl FnOnce() -> Response<Body> + Send + 'static,
) -> Response<Body> {
    match tokio::task::spawn_blocking(work).await {
        Ok(response) => response,
        Err(_) => plain(&Frame::default(), &Notice::FAILED),
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

/// To another page, by GET.
pub(crate) fn see_other(to: &str) -> Response<Body> {
    let mut response = page(StatusCode::SEE_OTHER, html! {});
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}

/// A page without content of its own: what there is not, why, and where to go.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Notice {
    pub(crate) status: StatusCode,
    pub(crate) title: String,
    /// Sentences, one a paragraph.
    pub(crate) text: Vec<String>,
    /// Where to go: text, address.
    pub(crate) link: Option<(String, String)>,
}

impl Notice {
    pub(crate) const FAILED: Self = Self {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        title: String::new(),
        text: Vec::new(),
        link: None,
    };

    pub(crate) fn new(status: StatusCode, title: &str) -> Self {
        Self {
            status,
            title: title.to_owned(),
            text: Vec::new(),
            link: None,
        }
    }

    /// What a problem of the server is to people.
    pub(crate) fn of(problem: &Problem) -> Self {
        if problem.kind == ProblemKind::Internal {
            return Self::FAILED;
        }
        let mut notice = Self::new(problem.kind.status(), problem.kind.title());
        let errors = problem
            .errors
            .iter()
            .take(3)
            .map(|error| (&error.detail, Some(&error.hint)));
        let own = std::iter::once((&problem.detail, problem.hint.as_ref()));
        for (detail, hint) in own.filter(|_| problem.errors.is_empty()).chain(errors) {
            for text in std::iter::once(detail)
                .chain(hint)
                .filter(|text| !text.is_empty())
            {
                notice = notice.text(sentence(text));
            }
        }
        notice
    }

    pub(crate) fn text(mut self, sentence: impl Into<String>) -> Self {
        self.text.push(sentence.into());
        self
    }

    pub(crate) fn link(mut self, text: &str, to: &str) -> Self {
        self.link = Some((text.to_owned(), to.to_owned()));
        self
    }

    pub(crate) fn queue_link(self) -> Self {
        self.link("To the queue", "/")
    }
}

/// A lower-case fragment as a sentence.
fn sentence(text: &str) -> String {
    let text = shown(text, 300);
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => text,
    }
}

/// Such a page.
pub(crate) fn plain(about: &Frame, notice: &Notice) -> Response<Body> {
    let failed = notice.title.is_empty();
    let title = if failed {
        "This page cannot be shown"
    } else {
        &notice.title
    };
    let body = html! {
        section.notice {
            h1 { (title) }
            @if failed {
                p { "Something failed on the server. Nothing that was saved is lost. Try again; if it fails again, tell whoever runs the server, who finds the reason in its log." }
            }
            @for sentence in &notice.text { p { bdi { (sentence) } } }
            @if let Some((text, to)) = &notice.link { p { a.button href=(to) { (text) } } }
        }
    };
    let mut response = page(
        notice.status,
        frame(
            &Frame {
                title,
                ..about.clone()
            },
            &body,
        ),
    );
    if notice.status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("2"));
    }
    response
}
