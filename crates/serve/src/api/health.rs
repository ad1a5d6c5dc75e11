//! Whether the server lives, whether it can answer, and what it did.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use leadscore_core::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::App;
use crate::auth::Caller;
use crate::metrics::Gauges;
use crate::problem::{Problem, ProblemKind};

/// How the server is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Health {
    /// "ok".
    status: &'static str,
}

pub(crate) async fn alive() -> Json<Health> {
    Json(Health { status: "ok" })
}

pub(crate) async fn ready(State(app): State<App>) -> Result<Json<Health>, Problem> {
    not_ready(&app).map_or(Ok(Json(Health { status: "ready" })), Err)
}

/// Why the server should get no requests now, if it should not.
pub(crate) fn not_ready(app: &App) -> Option<Problem> {
    let refuse =
        |kind, detail: String| Some(Problem::new(kind, detail, "ask again after a second"));
    if app.is_draining() {
        return refuse(ProblemKind::NotReady, "the server is stopping".to_owned());
    }
    if let Err(why) = app.engine().ready() {
        return refuse(ProblemKind::NotReady, why);
    }
    if app.audit().is_stuck() {
        return refuse(
            ProblemKind::Unavailable,
            "the audit log cannot be written".to_owned(),
        );
    }
    if app.is_saturated() {
        return refuse(ProblemKind::NotReady, "saturated".to_owned());
    }
    None
}

/// Counts have no ID of a lead; still, with tokens, any of them is needed.
pub(crate) async fn metrics(State(app): State<App>, _: Caller) -> Response {
    let engine = app.engine();
    #[expect(clippy::cast_precision_loss, reason = "microseconds of years fit")]
    let age = |at: Timestamp| (app.now().micros() - at.micros()) as f64 / 1e6;
    let text = app.metrics().render(&Gauges {
        n_in_flight: app.n_in_flight(),
        is_ready: engine.ready().is_ok(),
        queue_age_seconds: engine.ordered_at().map(age),
        model: engine.model().id,
    });
    let form = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, form)], text).into_response()
}
