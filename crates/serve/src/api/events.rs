//! `POST /v1/events`: rows come in, all of them or none, and are durable when the answer says so.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use leadscore_store::{Appended, Entity, NewEvent, WORD_TABLE};
use serde_json::Value;

use crate::api::views::Accepted;
use crate::api::visible::visible;
use crate::app::App;
use crate::auth::{Appender, Caller, Right};
use crate::body;
use crate::compute::Work;
use crate::engine::{Engine, FieldError};
use crate::limits;
use crate::problem::{Problem, ProblemKind};

pub(crate) async fn append(
    State(app): State<App>,
    Appender(caller): Appender,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let media = body::media(&headers, true)?;
    let read = body::read(&app, &headers, body).await?;
    let rows_at_most = app.limits().rows;
    let events = if read.bytes.len() <= limits::SMALL_BODY_BYTES {
        let (rows, is_one) = body::rows(&read.bytes, media, rows_at_most)?;
        if rows.len() <= limits::ROWS_INLINE && caller.owner.is_none() {
            events(app.engine().as_ref(), &caller, &rows, is_one)
        } else {
            app.ask(Work::Long, move |engine| {
                events(engine, &caller, &rows, is_one)
            })
            .await?
        }
    } else {
        app.ask(Work::Long, move |engine| {
            let (rows, is_one) = body::rows(&read.bytes, media, rows_at_most)?;
            events(engine, &caller, &rows, is_one)
        })
        .await?
    }?;
    let appended = durable(&app, events).await?;
    let accepted = Accepted {
        accepted: appended.n_new + appended.n_duplicates,
        duplicates: appended.n_duplicates,
    };
    Ok((StatusCode::ACCEPTED, Json(accepted)).into_response())
}

/// Appends events and waits until they are durable.
pub(crate) async fn durable(app: &App, events: Vec<NewEvent>) -> Result<Appended, Problem> {
    if events.is_empty() {
        return Ok(Appended::default());
    }
    let (done, reply) = tokio::sync::oneshot::channel();
    app.engine().append(
        events,
        // Whoever asked may have gone; what is stored is stored.
        Box::new(move |result| drop(done.send(result))),
    );
    let appended = reply
        .await
        .map_err(|_| Problem::internal().because("the store dropped events without an answer"))?
        .map_err(|error| Problem::from(&error))?;
    app.metrics()
        .appended(appended.n_new, appended.n_duplicates);
    Ok(appended)
}

fn events(
    engine: &dyn Engine,
    caller: &Caller,
    rows: &[Value],
    is_one: bool,
) -> Result<Vec<NewEvent>, Problem> {
    let says = |row: &Value| {
        row.get("table")
            .and_then(Value::as_str)
            .is_some_and(|table| table.trim() == WORD_TABLE)
    };
    if !caller.role.may(Right::Act) && rows.iter().any(says) {
        return Err(Problem::new(
            ProblemKind::Forbidden,
            format!(
                "the token `{}` may not give the word of others",
                caller.name
            ),
            "POST /v1/leads/{id}/word, with a token that has the role `act`",
        ));
    }
    let events = engine.read_events(rows).map_err(|errors| {
        Problem::invalid(
            errors
                .into_iter()
                .map(|error| placed(error, is_one))
                .collect(),
        )
    })?;
    if caller.owner.is_some() {
        own(engine, caller, &events)?;
    }
    Ok(events)
}

/// Of one object alone, pointers begin within it.
fn placed(error: FieldError, is_one: bool) -> FieldError {
    match error.pointer.strip_prefix("/0") {
        Some(rest) if is_one => FieldError {
            pointer: rest.to_owned(),
            ..error
        },
        Some(_) | None => error,
    }
}

/// A token with an owner appends rows of the leads that it sees, and no others.
fn own(engine: &dyn Engine, caller: &Caller, events: &[NewEvent]) -> Result<(), Problem> {
    for event in events {
        match &event.entity {
            // Whether there is a lead of this ID, an answer would tell: so no row adds a lead.
            Entity::Lead(lead) => visible(engine, caller, lead).map_err(|problem| Problem {
                hint: Some(
                    "a token with an owner sends rows of the leads that it sees; send new leads with a token that sees all leads"
                        .to_owned(),
                ),
                ..problem
            })?,
            Entity::Account(_) | Entity::Lookup { .. } => {
                return Err(Problem::new(
                    ProblemKind::Forbidden,
                    format!("the token `{}` sees the leads of one owner", caller.name),
                    "send rows of accounts and lookups with a token that sees all leads",
                ));
            }
        }
    }
    Ok(())
}
