//! Signing in with a token, and out.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse as _;
use maud::{Markup, html};

use super::answer::{self, Notice, own_page, see_other};
use super::guard::{self, set_cookie};
use super::layout::{Frame, frame};
use super::{Asked, Page, field};
use crate::ProblemKind;
use crate::auth::Right;

/// The form.
pub(crate) fn ask(page: &Page, asked: &Asked, fields: &[(String, String)]) -> Response<Body> {
    let to = destination(fields);
    // Whoever is signed in already, or needs no token, has nothing to do here.
    if page.app.door().is_local() || guard::is_known(page, asked) {
        return see_other(page, &to);
    }
    let why = if field(fields, "out").is_some() {
        "You are signed out."
    } else if guard::session_of(page, &asked.headers).is_some() {
        "Your session has ended. Sign in again."
    } else if to == "/" {
        ""
    } else {
        "Sign in to see this page."
    };
    answer::page(StatusCode::OK, form(&to, why, None))
}

/// A token that somebody pastes.
pub(crate) fn sign_in(page: &Page, asked: &Asked, fields: &[(String, String)]) -> Response<Body> {
    if let Err(response) = guard::check_origin(page, &asked.headers) {
        return *response;
    }
    let to = destination(fields);
    let token = field(fields, "token").unwrap_or_default().trim();
    let now = page.app.now();
    let at = page.app.now_for_tokens();
    if page.app.door().is_local() {
        return see_other(page, &to);
    }
    let caller = match page.app.door().caller(token, at) {
        Ok(caller) => caller,
        Err(problem) if problem.kind == ProblemKind::Unauthorized => {
            let wrong = if token.is_empty() {
                "Paste your token first."
            } else {
                "This token is not known, or has ended."
            };
            return answer::page(StatusCode::UNAUTHORIZED, form(&to, "", Some(wrong)));
        }
        Err(problem) => return problem.into_response(),
    };
    if !caller.role.may(Right::Read) {
        let wrong = "This token sends events only: it may not see scores.";
        return answer::page(StatusCode::FORBIDDEN, form(&to, "", Some(wrong)));
    }
    asked.trail.caller(&caller.name);
    // Whatever session the browser had, somebody else may know: the new one has an ID of its own.
    let begun = guard::session_of(page, &asked.headers)
        .map_or(Ok(()), |old| page.sessions.end(&old))
        .and_then(|()| {
            page.sessions
                .begin(caller.token.as_deref().unwrap_or_default(), now)
        });
    match begun {
        Ok(session) => {
            let mut response = see_other(page, &to);
            set_cookie(page, &mut response, Some(&session));
            response
        }
        Err(error) => *guard::failed(&error),
    }
}

/// The end of a session.
pub(crate) fn sign_out(page: &Page, asked: &Asked, fields: &[(String, String)]) -> Response<Body> {
    let visitor = match guard::admit_form(page, asked, fields) {
        Ok(visitor) => visitor,
        Err(response) => return *response,
    };
    if let Err(error) = page.sessions.end(&visitor.session) {
        return *guard::failed(&error);
    }
    let mut response = if page.app.door().is_local() {
        answer::plain(
            &Frame::default(),
            &Notice::new(StatusCode::OK, "You are signed out")
                .text("Without tokens, everybody on this machine is let in.")
                .queue_link(),
        )
    } else {
        see_other(page, "/sign-in?out=1")
    };
    set_cookie(page, &mut response, None);
    response
}

/// Where to go after signing in.
fn destination(fields: &[(String, String)]) -> String {
    own_page(field(fields, "to").unwrap_or("/"))
}

fn form(to: &str, why: &str, wrong: Option<&str>) -> Markup {
    let body = html! {
        section.sign-in {
            h1 { "Sign in" }
            @if !why.is_empty() { p role="status" { (why) } }
            @if let Some(wrong) = wrong { p.wrong role="alert" id="wrong" { (wrong) } }
            form method="post" action="/sign-in" {
                input type="hidden" name="to" value=(to);
                label for="token" { "Your token" }
                input id="token" name="token" type="password" required autocomplete="current-password" spellcheck="false" aria-describedby=[wrong.map(|_| "wrong")] aria-invalid=[wrong.map(|_| "true")];
                button type="submit" { "Sign in" }
            }
            p.soft { "Whoever runs leadscore makes tokens, and gives you yours. It stays out of addresses and of this browser’s history." }
        }
    };
    frame(
        &Frame {
            title: "Sign in",
            ..Frame::default()
        },
        &body,
    )
}
