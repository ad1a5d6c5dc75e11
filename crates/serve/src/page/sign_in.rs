//! Signing in with a token, and out.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use maud::{Markup, html};

use super::answer::{self, Notice, see_other};
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
        return see_other(&to);
    }
    let why = match (field(fields, "out").is_some(), to == "/") {
        (true, _) => "You are signed out.",
        (false, true) => "",
        (false, false) => "Sign in to see this page.",
    };
    answer::page(StatusCode::OK, form(&to, why, None))
}

/// A token that somebody pastes.
pub(crate) fn sign_in(page: &Page, asked: &Asked, fields: &[(String, String)]) -> Response<Body> {
    if let Err(response) = guard::check_origin(&asked.headers) {
        return *response;
    }
    let to = destination(fields);
    let token = field(fields, "token").unwrap_or_default().trim();
    let now = page.app.now();
    let at = page.app.now_for_tokens();
    if page.app.door().is_local() {
        return see_other(&to);
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
        Err(problem) => return answer::plain(&Frame::default(), &Notice::of(&problem)),
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
            let mut response = see_other(&to);
            set_cookie(page, &mut response, Some(&session));
            response
        }
        Err(error) => *guard::failed(page, &error),
    }
}

/// The end of a session.
pub(crate) fn sign_out(page: &Page, asked: &Asked, fields: &[(String, String)]) -> Response<Body> {
    let visitor = match guard::admit_form(page, asked, fields) {
        Ok(visitor) => visitor,
        Err(response) => return *response,
    };
    if let Err(error) = page.sessions.end(&visitor.session) {
        return *guard::failed(page, &error);
    }
    let mut response = if page.app.door().is_local() {
        answer::plain(
            &Frame::default(),
            &Notice::new(StatusCode::OK, "You are signed out")
                .text("Without tokens, everybody on this machine is let in.")
                .queue_link(),
        )
    } else {
        see_other("/sign-in?out=1")
    };
    set_cookie(page, &mut response, None);
    response
}

/// Where to go after signing in: a page of this site, and nothing else.
fn destination(fields: &[(String, String)]) -> String {
    let to = field(fields, "to").unwrap_or("/");
    let is_page = to == "/"
        || ["/?", "/leads/", "/leads?", "/manager"]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_leads_to_pages_of_this_site_only() {
        for (to, expected) in [
            ("/", "/"),
            ("/?owner=Kim", "/?owner=Kim"),
            ("/leads/L1", "/leads/L1"),
            ("/leads?id=..", "/leads?id=.."),
            ("/manager", "/manager"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example/leads/", "/"),
            ("javascript:alert(1)", "/"),
            ("/leads/a\r\nset-cookie: x", "/"),
            ("/leads/\\..\\", "/"),
            ("", "/"),
            ("/sign-out", "/"),
        ] {
            let fields = [("to".to_owned(), to.to_owned())];
            assert_eq!(destination(&fields), expected, "{to}");
        }
    }
}
