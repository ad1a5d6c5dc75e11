//! At the door of every page: who asks, by their session; and of every form, whether this site made
//! it for them.

use axum::body::Body;
use axum::http::header::{COOKIE, HOST, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use axum::response::IntoResponse as _;
use leadscore_core::Timestamp;

use super::answer::{Notice, plain, see_other};
use super::layout::{Frame, Tab};
use super::problems::NOT_SAVED;
use super::{Asked, Page, field};
use crate::auth::{Caller, Right};
use crate::percent::{decoded, encoded, lead_address};
use crate::{Problem, ProblemKind, SessionError, SessionId};

/// Who asks.
pub(crate) struct Visitor {
    pub(crate) session: SessionId,
    pub(crate) caller: Caller,
    /// What their forms repeat.
    pub(crate) form_token: String,
    /// What the request before came to.
    pub(crate) notice: Option<String>,
    /// The moment of asking.
    pub(crate) now: Timestamp,
    is_new: bool,
}

impl Visitor {
    pub(crate) fn frame<'a>(&'a self, title: &'a str, tab: Option<Tab>) -> Frame<'a> {
        Frame {
            title,
            tab,
            who: Some((&self.caller, &self.form_token)),
            notice: self.notice.as_deref(),
        }
    }

    /// The answer to them, with the cookie if their session has just begun.
    pub(crate) fn with_cookie(&self, page: &Page, mut response: Response<Body>) -> Response<Body> {
        if self.is_new {
            set_cookie(page, &mut response, Some(&self.session));
        }
        response
    }

    /// A page that says why there is nothing to see.
    pub(crate) fn plain(&self, page: &Page, notice: &Notice) -> Response<Body> {
        self.with_cookie(page, plain(&self.frame("", None), notice))
    }
}

/// In place of the hash of a token, where there are none: such sessions end once there are some.
const WITHOUT_TOKEN: &str = "";

/// What ends a request early. It is boxed, since answers are large and rare here.
pub(crate) type Refusal = Box<Response<Body>>;

/// Who asks for a page, or where they are sent instead; `to` is where they come back to.
pub(crate) fn admit(page: &Page, asked: &Asked, to: &str) -> Result<Visitor, Refusal> {
    let now = page.app.now();
    let Some(visitor) = known(page, asked, now)? else {
        if !page.app.door().is_local() {
            let to = format!("/sign-in?to={}", encoded(to));
            return Err(Box::new(see_other(page, &to)));
        }
        return begin_without_token(page, asked, now);
    };
    if !visitor.caller.role.may(Right::Read) {
        let notice = Notice::new(StatusCode::FORBIDDEN, "This token sends events only")
            .text("It may not see scores. Ask whoever runs the server for one that may.");
        return Err(Box::new(visitor.plain(page, &notice)));
    }
    Ok(visitor)
}

/// Who sends a form that this site made for them.
pub(crate) fn admit_form(
    page: &Page,
    asked: &Asked,
    fields: &[(String, String)],
) -> Result<Visitor, Refusal> {
    check_origin(page, &asked.headers)?;
    let Some(mut visitor) = known(page, asked, page.app.now())? else {
        let lead = field(fields, "lead").and_then(|lead| decoded(lead).ok());
        let to = lead.map_or_else(|| "/".to_owned(), |lead| lead_address(&lead));
        let notice = Notice::new(StatusCode::UNAUTHORIZED, "Your session has ended")
            .text(NOT_SAVED)
            .text("Sign in, and send it again.")
            .link("Sign in", &format!("/sign-in?to={}", encoded(&to)));
        return Err(Box::new(plain(&Frame::default(), &notice)));
    };
    // Whatever becomes of this form, the one before it is another.
    visitor.notice = visitor
        .notice
        .map(|notice| format!("The form before this one came through. {notice}"));
    if !visitor
        .session
        .is_form_token(field(fields, "form").unwrap_or_default())
    {
        let notice = Notice::new(StatusCode::FORBIDDEN, "This form is not of your session")
            .text(NOT_SAVED)
            .text("Open the page again, and send its form.")
            .queue_link();
        return Err(Box::new(visitor.plain(page, &notice)));
    }
    Ok(visitor)
}

/// Whether a browser has a session that is alive.
pub(crate) fn is_known(page: &Page, asked: &Asked) -> bool {
    matches!(known(page, asked, page.app.now()), Ok(Some(_)))
}

/// Whoever has a session that is alive, of a token that is still good.
fn known(page: &Page, asked: &Asked, now: Timestamp) -> Result<Option<Visitor>, Refusal> {
    let Some(session) = session_of(page, &asked.headers) else {
        return Ok(None);
    };
    let Some(alive) = page
        .sessions
        .resume(&session, now)
        .map_err(|error| failed(&error))?
    else {
        return Ok(None);
    };
    let door = page.app.door();
    // A session without a token ends once there are tokens, and one of a token once there are none.
    let is_of_now = (alive.token == WITHOUT_TOKEN) == door.is_local();
    let found = if is_of_now {
        door.by_hash(&alive.token, page.app.now_for_tokens())
            .map(Some)
    } else {
        Ok(None)
    };
    let caller = match found {
        Ok(Some(caller)) => caller,
        Err(problem) if problem.kind != ProblemKind::Unauthorized => {
            return Err(Box::new(problem.into_response()));
        }
        Ok(None) | Err(_) => {
            page.sessions
                .end(&session)
                .map_err(|error| failed(&error))?;
            return Ok(None);
        }
    };
    door.take(&caller)
        .map_err(|problem| Box::new(problem.into_response()))?;
    asked.trail.caller(&caller.name);
    let form_token = session.form_token();
    Ok(Some(Visitor {
        session,
        caller,
        form_token,
        notice: alive.notice,
        now,
        is_new: false,
    }))
}

/// Where there are no tokens, a session begins by itself: forms need one, too.
fn begin_without_token(page: &Page, asked: &Asked, now: Timestamp) -> Result<Visitor, Refusal> {
    let caller = Caller::local();
    asked.trail.caller(&caller.name);
    let session = page
        .sessions
        .begin(WITHOUT_TOKEN, now)
        .map_err(|error| failed(&error))?;
    let form_token = session.form_token();
    Ok(Visitor {
        session,
        caller,
        form_token,
        notice: None,
        now,
        is_new: true,
    })
}

/// Whether a form was sent by a page of this site: browsers say which site sends one, and those that
/// do not are not let in.
pub(crate) fn check_origin(page: &Page, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let host = text(HOST.as_str()).unwrap_or_default();
    let origin = text(ORIGIN.as_str()).unwrap_or_default();
    let site = page.app.site();
    let by_browser = text("sec-fetch-site").is_none_or(|site| site == "same-origin");
    if by_browser && site.is_own(origin, host) {
        return Ok(());
    }
    Err(Box::new(site.foreign().into_response()))
}

/// With `__Host-`, no other host and no plain HTTP can set the cookie.
fn cookie_name(page: &Page) -> &'static str {
    if page.app.site().is_https() {
        "__Host-leadscore"
    } else {
        "leadscore"
    }
}

/// The session that a browser names.
pub(crate) fn session_of(page: &Page, headers: &HeaderMap) -> Option<SessionId> {
    let name = cookie_name(page);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .find_map(|(_, value)| SessionId::parse(value))
}

/// Gives the browser a session, or takes it away. The cookie ends with the browser, and the session
/// on the server when its time is over.
pub(crate) fn set_cookie(page: &Page, response: &mut Response<Body>, session: Option<&SessionId>) {
    let name = cookie_name(page);
    let value = session.map(SessionId::expose).unwrap_or_default();
    let end = if session.is_none() { "; Max-Age=0" } else { "" };
    let secure = if page.app.site().is_https() {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{end}");
    if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
        cookie.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// The answer where the file of sessions cannot be used; the log has why.
pub(crate) fn failed(error: &SessionError) -> Refusal {
    let problem = Problem::internal().because(why(error));
    Box::new(problem.into_response())
}

/// An error with its causes.
pub(crate) fn why(error: &SessionError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// HTTP/2 has the host in the address: from here on it is where HTTP/1.1 has it.
pub(crate) async fn with_host(mut request: Request<Body>) -> Request<Body> {
    if !request.headers().contains_key(HOST)
        && let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(HOST, host);
    }
    request
}
