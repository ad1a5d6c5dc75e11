//! All routes of the server behind the one envelope.

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::api;
use crate::app::App;
use crate::envelope::envelope;
use crate::problem::{Problem, ProblemKind};

/// The server as a service: the interface, and routes that are merged, such as the page's.
///
/// Whatever is merged gets the envelope: IDs of requests, limits, the checks of hosts and tokens in
/// addresses, problem details, counts and audit lines. A route takes [`crate::auth::Caller`], or
/// [`crate::auth::Reader`] and its like, to know who is asking.
pub fn router(app: App, more: Router<App>) -> Router {
    api::routes()
        .merge(more)
        .fallback(async || {
            Problem::new(
                ProblemKind::NotFound,
                "there is no such route",
                "/openapi.json has the routes",
            )
        })
        .layer(from_fn_with_state(app.clone(), envelope))
        .with_state(app)
}
