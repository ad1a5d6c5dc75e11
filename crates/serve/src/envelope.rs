//! What is around every request: its ID, the checks before anything is read, the limits of time and
//! number, what a panic becomes, how problems are rendered, and the lines about it.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;

use crate::app::App;
use crate::audit::Trail;
use crate::limits;
use crate::page::page_of;
use crate::percent::laid_bare;
use crate::problem::{Problem, ProblemKind};
use crate::tokens;

/// Routes that answer whatever happens: they take no permit and leave no line. The files of the page
/// are among them, so that a page that says that the server is busy looks like one.
const ALWAYS: [&str; 7] = [
    "/assets/{name}",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/v2/health/live",
    "/v2/health/ready",
];

/// Where events come in; they need no processor, so that a queue of scores does not stop them.
pub(crate) const EVENTS: &str = "/v1/events";

/// The name of requests that no route has.
const UNMATCHED: &str = "unmatched";

/// A browser that has seen it asks by HTTPS for a year, whatever address somebody types or sends.
const ONE_YEAR_OF_HTTPS: HeaderValue = HeaderValue::from_static("max-age=31536000");

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The ID of a request.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

pub(crate) async fn envelope(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers()).unwrap_or_else(|| app.next_request_id());
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or(UNMATCHED, MatchedPath::as_str)
        .to_owned();
    let trail = Trail::default();
    request.extensions_mut().insert(trail.clone());
    request.extensions_mut().insert(RequestId(id.clone()));
    let is_always = ALWAYS.contains(&route.as_str());
    let wish = Wish::of(&app, &request);

    let response = answer(&app, request, next, &route, is_always).await;
    let problem = response.extensions().get::<Problem>();
    let is_shed = problem.is_some_and(|problem| problem.kind == ProblemKind::Overloaded);
    if is_shed {
        app.metrics().shed();
    }
    let mut response = rendered(&app, response, &wish, &route, &id);
    headers(&app, &mut response, &id);

    let status = response.status().as_u16();
    app.metrics()
        .answered(&route, method_name(&method), status, started.elapsed());
    // Who is told to come back has been told nothing else; how many there are, metrics know.
    if !is_always && !is_shed {
        let at = app.now();
        let line = trail.line(at, method_name(&method), &route, status, &id);
        if route == EVENTS && status == StatusCode::ACCEPTED {
            app.audit().appended(line, at).await;
        } else {
            app.audit().line(line, at).await;
        }
    }
    response
}

async fn answer(app: &App, request: Request, next: Next, route: &str, is_always: bool) -> Response {
    if let Err(problem) = check(app, &request) {
        return problem.into_response();
    }
    let _place = if is_always {
        None
    } else {
        if app.audit().is_stuck() {
            return Problem::new(
                ProblemKind::Unavailable,
                "the audit log cannot be written, so that nothing is answered that needs a line",
                "whoever runs the server has to make room beside the store",
            )
            .into_response();
        }
        let place = app.enter();
        if place.is_none() || (route != EVENTS && app.is_computing_saturated()) {
            drop(place);
            return shed(request).await;
        }
        place
    };
    let run = caught(next.run(request));
    match tokio::time::timeout(app.limits().request_time, run).await {
        Ok(Ok(response)) => response,
        Ok(Err(Panicked)) => {
            app.metrics().panicked();
            Problem::internal().into_response()
        }
        Err(_) => Problem::new(
            ProblemKind::TimedOut,
            format!(
                "the request took longer than {:?}",
                app.limits().request_time
            ),
            "ask for less in one request; events may be sent again, each counts once",
        )
        .into_response(),
    }
}

/// Tells a client to come back. What it has sent of a small body is thrown away first: otherwise the
/// connection would have to be closed, and a new one costs more than this one's bytes.
async fn shed(request: Request) -> Response {
    let mut body = request.into_body();
    let most = body.size_hint().upper();
    if most.is_some_and(|bytes| bytes <= limits::SMALL_BODY_BYTES as u64) {
        let thrown_away = async { while let Some(Ok(_)) = body.frame().await {} };
        // Who sends slowly is not waited for.
        let _ = tokio::time::timeout(limits::SHED_TIME, thrown_away).await;
    }
    Problem::overloaded().into_response()
}

/// What is refused before anything of the request is looked at.
fn check(app: &App, request: &Request) -> Result<(), Problem> {
    let query = request.uri().query().unwrap_or("");
    if query.len() > limits::QUERY_BYTES {
        return Err(Problem::new(
            ProblemKind::BadRequest,
            format!("the query has more than {} characters", limits::QUERY_BYTES),
            "",
        ));
    }
    let names_token = query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or("").to_ascii_lowercase();
        [
            "token",
            "access_token",
            "api_key",
            "apikey",
            "key",
            "authorization",
        ]
        .contains(&name.as_str())
    });
    let has_token = |text: &str| laid_bare(text).contains(tokens::PREFIX);
    if names_token || has_token(query) || has_token(request.uri().path()) {
        return Err(Problem::new(
            ProblemKind::TokenInUrl,
            "the address has a token, and addresses are kept in logs and histories",
            "send it in the header `authorization: Bearer TOKEN`, and revoke this one",
        ));
    }
    app.site().check(
        app.door().is_local(),
        request.method(),
        request.headers(),
        request.uri(),
    )
}

/// What a problem is answered in.
struct Wish {
    /// Whether it is a page: a browser asked for one, and not for a route of programs.
    is_page: bool,
    method: Method,
    /// The address, for a link that tries again.
    here: String,
}

impl Wish {
    fn of(app: &App, request: &Request) -> Self {
        let path = request.uri().path();
        Self {
            is_page: app.has_page() && !is_of_programs(path) && wants_page(request.headers()),
            method: request.method().clone(),
            here: request
                .uri()
                .path_and_query()
                .map_or_else(String::new, ToString::to_string),
        }
    }

    fn render(&self, app: &App, problem: &Problem, route: &str, id: &str) -> Response {
        if self.is_page {
            page_of(app.site(), problem, (&self.method, &self.here), id)
        } else {
            problem.render(id, route.starts_with("/v2"))
        }
    }
}

/// Whether an address is one that only programs ask, and no browser shows.
fn is_of_programs(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    [
        "v1",
        "v2",
        "healthz",
        "readyz",
        "metrics",
        "openapi.json",
        "assets",
    ]
    .contains(&first)
}

/// Whether the header `accept` names HTML, and JSON not before it.
fn wants_page(headers: &HeaderMap) -> bool {
    let (mut page, mut json) = (0.0, 0.0);
    let lines = headers.get_all(header::ACCEPT).iter();
    for part in lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
    {
        let mut words = part.split(';').map(str::trim);
        let kind = words.next().unwrap_or_default().to_ascii_lowercase();
        let weight: f64 = words
            .find_map(|word| word.strip_prefix("q=")?.parse().ok())
            .unwrap_or(1.0);
        match kind.as_str() {
            "text/html" | "application/xhtml+xml" => page = weight.max(page),
            "application/json" | "application/problem+json" => json = weight.max(json),
            _ => {}
        }
    }
    page > 0.0 && page >= json
}

/// A problem as a page or as JSON, also where a library answered without one.
fn rendered(app: &App, mut response: Response, wish: &Wish, route: &str, id: &str) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        if let Some(cause) = &problem.cause {
            app.log(&format!("request {id}: {cause}"));
        }
        return wish.render(app, &problem, route, id);
    }
    let status = response.status();
    if status == StatusCode::METHOD_NOT_ALLOWED && wish.method == Method::OPTIONS {
        *response.status_mut() = StatusCode::NO_CONTENT;
        return response;
    }
    let has_form = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|form| {
            form.as_bytes().starts_with(b"application/")
                || form.as_bytes().starts_with(b"text/html")
        });
    if has_form || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let kind = ProblemKind::of_status(status);
    let allow = response.headers().get(header::ALLOW).cloned();
    let detail = if status.is_server_error() {
        "the server failed while it worked on the request".to_owned()
    } else if kind == ProblemKind::NotFound {
        "there is no such route".to_owned()
    } else if kind == ProblemKind::MethodNotAllowed {
        format!("the route has no method {}", wish.method)
    } else {
        "the request cannot be read".to_owned()
    };
    let problem = Problem::new(kind, detail, "/openapi.json has the routes");
    let mut response = wish.render(app, &problem, route, id);
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

fn headers(app: &App, response: &mut Response<Body>, id: &str) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::X_CONTENT_TYPE_OPTIONS)
        .or_insert(HeaderValue::from_static("nosniff"));
    if app.site().is_strict() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, ONE_YEAR_OF_HTTPS);
    }
    if app.is_draining() {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

/// The caller's own ID of the request, if it is a plain one.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_plain = (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    (is_plain && !text.contains(tokens::PREFIX)).then(|| text.to_owned())
}

/// Names of methods for counts: what somebody makes up is not one.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

struct Panicked;

/// Runs a future to its end, or to its panic.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    })
    .await
}
