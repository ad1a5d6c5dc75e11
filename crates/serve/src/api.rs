//! The routes under `/v1` and `/v2`, health and counts.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::app::App;

mod events;
mod facts;
mod health;
mod inference;
pub(crate) mod leads;
mod openapi;
mod score;
mod seen;
pub(crate) mod views;
pub(crate) mod visible;

pub use openapi::openapi;

/// All routes of the interface.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(openapi::serve))
        .route("/v1/events", post(events::append))
        .route("/v1/score", post(score::score))
        .route("/v1/leads", get(leads::list))
        .route("/v1/leads/{id}", get(leads::show).delete(leads::forget))
        .route("/v1/leads/{id}/word", post(leads::word))
        .route("/v1/model", get(facts::model))
        .route("/v1/owners", get(facts::owners))
        .route("/v1/record", get(facts::record))
        .route("/v2", get(inference::server))
        .route("/v2/health/live", get(inference::live))
        .route("/v2/health/ready", get(inference::ready))
        .route("/v2/models/{model}", get(inference::model))
        .route("/v2/models/{model}/ready", get(inference::model_ready))
        .route("/v2/models/{model}/infer", post(inference::infer))
        .route(
            "/v2/models/{model}/versions/{version}",
            get(inference::model),
        )
        .route(
            "/v2/models/{model}/versions/{version}/ready",
            get(inference::model_ready),
        )
        .route(
            "/v2/models/{model}/versions/{version}/infer",
            post(inference::infer),
        )
        // Bodies are read by `body`, with limits of its own.
        .layer(DefaultBodyLimit::disable())
}
