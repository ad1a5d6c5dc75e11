//! What a problem of the server is to people: what happened, whether their form was saved, and where
//! to go on.

use axum::body::Body;
use axum::http::{Method, Response};

use super::answer::{Notice, own_page, plain, sentence};
use super::layout::Frame;
use crate::site::Site;
use crate::{Problem, ProblemKind};

/// What becomes of a form that is refused.
pub(crate) const NOT_SAVED: &str = "This form was not saved.";

/// The page of a request that ended with a problem; `here` is what was asked for.
pub(crate) fn page_of(
    site: &Site,
    problem: &Problem,
    (method, here): (&Method, &str),
    request_id: &str,
) -> Response<Body> {
    let is_form = *method == Method::POST;
    let mut notice = notice_of(problem, is_form);
    let (text, to) = match problem.kind {
        ProblemKind::Unauthorized | ProblemKind::TokenInUrl => ("Sign in", "/sign-in".to_owned()),
        ProblemKind::RateLimited
        | ProblemKind::Overloaded
        | ProblemKind::NotReady
        | ProblemKind::Unavailable
        | ProblemKind::TimedOut
        | ProblemKind::Internal
            if !is_form =>
        {
            ("Try again", own_page(here))
        }
        ProblemKind::BadRequest
        | ProblemKind::Forbidden
        | ProblemKind::CrossSite
        | ProblemKind::NotFound
        | ProblemKind::MethodNotAllowed
        | ProblemKind::SlowBody
        | ProblemKind::Conflict
        | ProblemKind::TooLarge
        | ProblemKind::UnsupportedMedia
        | ProblemKind::Invalid
        | ProblemKind::RateLimited
        | ProblemKind::Internal
        | ProblemKind::NotImplemented
        | ProblemKind::Overloaded
        | ProblemKind::NotReady
        | ProblemKind::Unavailable
        | ProblemKind::TimedOut => ("To the queue", "/".to_owned()),
    };
    notice = notice.link(text, &site.address_of(&to));
    if problem.kind.status().is_server_error() {
        notice = notice.request(request_id);
    }
    plain(&Frame::default(), &notice)
}

/// What a problem is to people.
pub(crate) fn notice_of(problem: &Problem, is_form: bool) -> Notice {
    let (title, text) = words(problem.kind);
    let mut notice = Notice::new(problem.kind.status(), title);
    notice.retry = problem.kind.retry_after();
    if is_form {
        notice = notice.text(match problem.kind {
            ProblemKind::Internal | ProblemKind::TimedOut => {
                "It is not known whether this form was saved: look before you send it again."
            }
            ProblemKind::BadRequest
            | ProblemKind::TokenInUrl
            | ProblemKind::Unauthorized
            | ProblemKind::Forbidden
            | ProblemKind::CrossSite
            | ProblemKind::NotFound
            | ProblemKind::MethodNotAllowed
            | ProblemKind::SlowBody
            | ProblemKind::Conflict
            | ProblemKind::TooLarge
            | ProblemKind::UnsupportedMedia
            | ProblemKind::Invalid
            | ProblemKind::RateLimited
            | ProblemKind::NotImplemented
            | ProblemKind::Overloaded
            | ProblemKind::NotReady
            | ProblemKind::Unavailable => NOT_SAVED,
        });
    }
    match text {
        Some(text) => notice.text(text),
        None => own_words(problem)
            .into_iter()
            .fold(notice, |notice, text| notice.text(text)),
    }
}

/// What a problem says of itself: its wrong fields, or what it is and what to do.
fn own_words(problem: &Problem) -> Vec<String> {
    let errors = problem.errors.iter().take(3);
    let of_errors = errors.flat_map(|error| [error.detail.as_str(), error.hint.as_str()]);
    let own = [
        problem.detail.as_str(),
        problem.hint.as_deref().unwrap_or_default(),
    ];
    own.into_iter()
        .filter(|_| problem.errors.is_empty())
        .chain(of_errors)
        .filter(|text| !text.is_empty())
        .map(sentence)
        .collect()
}

/// The title of a page, and its sentence; `None`: the problem's own words are for people.
fn words(kind: ProblemKind) -> (&'static str, Option<&'static str>) {
    match kind {
        ProblemKind::BadRequest => (
            "This cannot be read",
            Some("The address, or the form, is not one that this page makes."),
        ),
        ProblemKind::TokenInUrl => (
            "A token is in the address",
            Some(
                "Addresses are kept in histories and logs, so this token is no secret any more. Tell whoever runs the server, and ask for a new one.",
            ),
        ),
        ProblemKind::Unauthorized => ("You are not signed in", Some("Sign in to see this page.")),
        ProblemKind::Forbidden => (
            "This is not for you",
            Some("Your token may not do this. Ask whoever runs the server for one that may."),
        ),
        ProblemKind::CrossSite => ("This comes from elsewhere", None),
        ProblemKind::NotFound => (
            "There is no such page",
            Some("The address may be mistyped."),
        ),
        ProblemKind::MethodNotAllowed => (
            "There is no such page",
            Some("This address takes a form, and was opened without one."),
        ),
        ProblemKind::SlowBody => (
            "The form came too slowly",
            Some("The connection may be bad. Go back, and send it again."),
        ),
        ProblemKind::Conflict => ("This does not fit what is known", None),
        ProblemKind::TooLarge => (
            "This is too much at once",
            Some("Go back, shorten the note, and send it again."),
        ),
        ProblemKind::UnsupportedMedia => (
            "This form cannot be read",
            Some("It was sent in another way than this page sends it."),
        ),
        ProblemKind::Invalid => ("Something is missing or wrong", None),
        ProblemKind::RateLimited => (
            "Too many requests",
            Some(
                "Your token has made more requests in the last seconds than it may. Wait a moment, and try again.",
            ),
        ),
        ProblemKind::Internal => (
            "This page cannot be shown",
            Some(
                "Something failed on the server. Nothing that was saved is lost. Try again; if it fails again, tell whoever runs the server, who finds the reason in its log.",
            ),
        ),
        ProblemKind::NotImplemented => ("There is no such page", None),
        ProblemKind::Overloaded => (
            "The server is busy",
            Some("It has as many requests as it can take. Try again in a moment."),
        ),
        ProblemKind::NotReady => (
            "Scores are being computed",
            Some("The server has just started, or has a new model. Try again in a moment."),
        ),
        ProblemKind::Unavailable => ("Something the server needs is missing", None),
        ProblemKind::TimedOut => (
            "This took too long",
            Some("The server stopped the request. Try again, or ask for less at once."),
        ),
    }
}
