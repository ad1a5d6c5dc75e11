//! `/v1/deliveries`: calls of receivers, for whoever runs the server.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::Serialize;

use super::{DeliveryPage, DeliveryQuery, DeliveryStatus, Retry, Webhooks};
use crate::api::visible::visible;
use crate::auth::{Admin, Caller};
use crate::query::Query;
use crate::{App, Problem, ProblemKind, StateError};

/// Answer to a call that is made again.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Again {
    /// The call.
    id: String,
    /// `waiting`: it is made at once, or after earlier calls of its lead.
    status: DeliveryStatus,
}

/// The routes; give them to `router`.
pub fn routes(webhooks: Arc<Webhooks>) -> Router<App> {
    let of_retry = Arc::clone(&webhooks);
    Router::new()
        .route(
            "/v1/deliveries",
            get(
                async move |State(app): State<App>, Admin(caller): Admin, query: RawQuery| {
                    list(webhooks, app, caller, query).await
                },
            ),
        )
        .route(
            "/v1/deliveries/{id}/retry",
            post(
                async move |State(app): State<App>,
                            Admin(caller): Admin,
                            path: Result<Path<String>, PathRejection>| {
                    retry(of_retry, app, caller, path).await
                },
            ),
        )
}

async fn list(
    webhooks: Arc<Webhooks>,
    app: App,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<DeliveryPage>, Problem> {
    let mut query = Query::read(query.as_deref().unwrap_or_default())?;
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let asked = DeliveryQuery {
        status: query.take("status", "waiting, delivered or dead", |text| {
            let mut known = DeliveryStatus::ALL.into_iter();
            known.find(|status| status.id() == text)
        })?,
        lead: query.take("lead", "the ID of a lead", text)?,
        id: query.take("id", "the ID of a call", text)?,
        cursor: query.take("cursor", "`next` of the page before", |text| {
            text.parse().ok().filter(|seq| *seq > 0)
        })?,
        limit: query.take("limit", "a number from 1 to 500", |text| {
            text.parse().ok().filter(|limit| (1..=500).contains(limit))
        })?,
    };
    query.end()?;
    let page = on_disk(move || {
        if caller.owner.is_none() {
            return webhooks.deliveries(&asked);
        }
        webhooks.deliveries_seen(&asked, |lead| sees(&app, &caller, lead))
    })
    .await?;
    Ok(Json(page))
}

/// Whether a caller sees the calls of a lead.
fn sees(app: &App, caller: &Caller, lead: &str) -> bool {
    visible(app.engine().as_ref(), caller, lead).is_ok()
}

async fn retry(
    webhooks: Arc<Webhooks>,
    app: App,
    caller: Caller,
    path: Result<Path<String>, PathRejection>,
) -> Result<(StatusCode, Json<Again>), Problem> {
    let Ok(Path(id)) = path else {
        return Err(Problem::new(
            ProblemKind::BadRequest,
            "the ID of the call is not UTF-8",
            "GET /v1/deliveries has the IDs",
        ));
    };
    let asked = id.clone();
    let retried = on_disk(move || {
        let query = DeliveryQuery {
            id: Some(asked.clone()),
            ..DeliveryQuery::default()
        };
        let known = webhooks.deliveries_seen(&query, |lead| sees(&app, &caller, lead))?;
        if known.deliveries.is_empty() {
            return Ok(Retry::Unknown);
        }
        webhooks.retry(&asked)
    });
    match retried.await? {
        Retry::Queued => {
            let status = DeliveryStatus::Waiting;
            Ok((StatusCode::ACCEPTED, Json(Again { id, status })))
        }
        Retry::Unknown => Err(Problem::new(
            ProblemKind::NotFound,
            format!("there is no call {id:?}"),
            "GET /v1/deliveries has the IDs",
        )),
        Retry::NoReceiver => Err(Problem::new(
            ProblemKind::Conflict,
            "the config has no webhook of the call's threshold any more",
            "add the webhook to [serve.thresholds], and start the server again",
        )),
    }
}

/// Works with the state's file on a thread that may wait for the disk.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StateError> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Problem::new(
            ProblemKind::Unavailable,
            "the calls of webhooks cannot be read",
            "send the request again; the log of the server has the reason",
        )
        .because(error.to_string())),
        Err(error) => Err(Problem::internal().because(error.to_string())),
    }
}
