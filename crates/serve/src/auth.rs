//! Who is asking, and what they may do: extractors for every route.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use crate::app::App;
use crate::audit::Trail;
use crate::door::unauthorized;
use crate::problem::Problem;

pub use crate::door::{Caller, Door};
pub use crate::role::{Right, Role};

/// The caller: of the token in the header `authorization`, of a session that a layer before put
/// into the request, or whoever is on this machine where there are no tokens.
impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if let Some(caller) = parts.extensions.get::<Self>() {
            if let Some(trail) = Trail::of(parts) {
                trail.caller(&caller.name);
            }
            return Ok(caller.clone());
        }
        let caller = identify(parts, app)?;
        if let Some(trail) = Trail::of(parts) {
            trail.caller(&caller.name);
        }
        app.door().take(&caller)?;
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

fn identify(parts: &Parts, app: &App) -> Result<Caller, Problem> {
    if app.door().is_local() {
        return Ok(Caller::local());
    }
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Err(unauthorized("the request has no token")),
        (Some(value), None) => value,
        (Some(_), Some(_)) => return Err(unauthorized("the request has two tokens")),
    };
    let token = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| unauthorized("the header `authorization` has no bearer token"))?;
    app.door().caller(token, app.now_for_tokens())
}

/// Extractors of callers who have a right: a handler that takes one cannot forget to ask.
macro_rules! callers {
    ($($(#[$doc:meta])* $name:ident: $right:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(pub Caller);

        impl FromRequestParts<App> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
                let caller = Caller::from_request_parts(parts, app).await?;
                caller.needs(Right::$right)?;
                Ok(Self(caller))
            }
        }
    )*};
}

callers! {
    /// A caller who may append events.
    Appender: Append,
    /// A caller who may read.
    Reader: Read,
    /// A caller who may say what became of a lead.
    Actor: Act,
    /// A caller who may forget a lead.
    Admin: Forget,
}
