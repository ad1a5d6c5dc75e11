//! The page that sales looks at: the ranked queue, a lead, the manager's view, and signing in, as
//! HTML that needs no script.

mod answer;
mod assets;
mod filters;
mod guard;
mod held_back;
mod labels;
mod layout;
mod lead;
mod manager;
mod path_picture;
mod problems;
mod queue;
mod say;
mod sentences;
mod sign_in;
mod since;
mod tiers;
mod waterfall;
mod words;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, FromRequestParts, Path, Query, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{get, post};

use crate::app::App;
use crate::audit::Trail;
use crate::{SessionError, SessionOptions, Sessions};

pub(crate) use problems::page_of;

/// What a form may have, in bytes: a note of [`crate::limits::NOTE_CHARS`] characters of four bytes,
/// each percent-encoded, and its other fields.
const MOST_FORM: usize = 32 << 10;

/// The file with the sessions, in the folder of what the server keeps.
const SESSIONS_FILE: &str = "page.sqlite";

/// How the page behaves.
#[derive(Debug, Clone, Default)]
pub struct PageOptions {
    /// Names of the thresholds by which the queue can be filtered, in order; default: none.
    pub thresholds: Vec<String>,
    /// How columns and tables are called, by their names; default: by their names in words.
    pub labels: BTreeMap<String, String>,
    /// When sessions end.
    pub sessions: SessionOptions,
}

/// The page of a server.
#[derive(Debug)]
pub struct Page {
    app: App,
    sessions: Sessions,
    options: PageOptions,
}

impl Page {
    /// The page of a server, with the sessions in its folder.
    ///
    /// # Errors
    ///
    /// [`SessionError`] if the file of sessions cannot be used.
    pub fn open(app: App, options: PageOptions) -> Result<Self, SessionError> {
        app.shows_page();
        let sessions = Sessions::open(&app.state().join(SESSIONS_FILE), options.sessions)?;
        Ok(Self {
            app,
            sessions,
            options,
        })
    }

    /// Its routes, for [`crate::router`] or [`crate::Server::bind`].
    pub fn routes(self) -> Router<App> {
        Router::new()
            .route("/", get(show_queue))
            .route("/held-back", get(show_held_back))
            .route("/leads", get(show_lead_by_query))
            .route("/leads/{id}", get(show_lead))
            .route("/words", post(say))
            .route("/manager", get(show_manager))
            .route("/sign-in", get(ask_to_sign_in).post(sign_in))
            .route("/sign-out", post(sign_out))
            .route("/assets/{name}", get(asset))
            .layer(axum::middleware::map_request(guard::with_host))
            .layer(DefaultBodyLimit::max(MOST_FORM))
            .with_state(Arc::new(self))
    }
}

/// Names and values of an address or of a form, as they were sent.
type Fields = Vec<(String, String)>;

/// What a request has beside its fields: its headers, and the line that is kept of it.
struct Asked {
    headers: HeaderMap,
    trail: Trail,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Self {
            headers: parts.headers.clone(),
            trail: Trail::from_request_parts(parts, state).await?,
        })
    }
}

type Shared = State<Arc<Page>>;

async fn show_queue(State(page): Shared, asked: Asked, Query(fields): Query<Fields>) -> Response {
    answer::off_thread(move || queue::answer(&page, &asked, &fields)).await
}

async fn show_held_back(
    State(page): Shared,
    asked: Asked,
    Query(fields): Query<Fields>,
) -> Response {
    answer::off_thread(move || held_back::answer(&page, &asked, &fields)).await
}

async fn show_lead(
    State(page): Shared,
    asked: Asked,
    Path(id): Path<String>,
    Query(fields): Query<Fields>,
) -> Response {
    answer::off_thread(move || lead::answer(&page, &asked, &id, &fields)).await
}

/// IDs such as `..`, which no path can have, come as a field of the address.
async fn show_lead_by_query(
    State(page): Shared,
    asked: Asked,
    Query(fields): Query<Fields>,
) -> Response {
    let id = field(&fields, "id").unwrap_or_default().to_owned();
    answer::off_thread(move || lead::answer(&page, &asked, &id, &fields)).await
}

async fn say(State(page): Shared, asked: Asked, Form(fields): Form<Fields>) -> Response {
    say::answer(page, asked, fields).await
}

async fn show_manager(State(page): Shared, asked: Asked) -> Response {
    answer::off_thread(move || manager::answer(&page, &asked)).await
}

async fn ask_to_sign_in(
    State(page): Shared,
    asked: Asked,
    Query(fields): Query<Fields>,
) -> Response {
    answer::off_thread(move || sign_in::ask(&page, &asked, &fields)).await
}

async fn sign_in(State(page): Shared, asked: Asked, Form(fields): Form<Fields>) -> Response {
    answer::off_thread(move || sign_in::sign_in(&page, &asked, &fields)).await
}

async fn sign_out(State(page): Shared, asked: Asked, Form(fields): Form<Fields>) -> Response {
    answer::off_thread(move || sign_in::sign_out(&page, &asked, &fields)).await
}

async fn asset(Path(name): Path<String>) -> Response {
    assets::answer(&name)
}

/// The first value of a field.
fn field<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
    fields
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}
