//! What is answered when a request is not: problem details (RFC 9457).

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use leadscore_core::printable;
use leadscore_store::StoreError;
use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::{FieldError, NoScore};
use crate::limits;

/// Why a request is refused. The server adds the ID of the request and renders it.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Which kind.
    pub kind: ProblemKind,
    /// What is wrong with this request: a lower-case sentence.
    pub detail: String,
    /// What to do.
    pub hint: Option<String>,
    /// Wrong fields, the first [`limits::FIELD_ERRORS`].
    pub errors: Vec<FieldError>,
    /// How many wrong fields there are.
    pub n_errors: usize,
    /// For the log of the server, never for the caller.
    pub(crate) cause: Option<String>,
}

/// Kinds of problems: each has one status and one title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// 400: the request cannot be read.
    BadRequest,
    /// 400: a token is in the address.
    TokenInUrl,
    /// 401: no token, or none that is known.
    Unauthorized,
    /// 403: the token may not do this.
    Forbidden,
    /// 403: the request came from a page of another host.
    CrossSite,
    /// 404: there is no such route, lead, or none that the token may see.
    NotFound,
    /// 405: the route has other methods.
    MethodNotAllowed,
    /// 408: the body came too slowly.
    SlowBody,
    /// 409: what the store has is something else.
    Conflict,
    /// 413: more bytes or rows than are taken at once.
    TooLarge,
    /// 415: not a content type that the route reads.
    UnsupportedMedia,
    /// 422: fields cannot be meant.
    Invalid,
    /// 429: more requests than the token may make.
    RateLimited,
    /// 500: the server has failed.
    Internal,
    /// 501: the protocol has it, this server does not.
    NotImplemented,
    /// 503: more requests than the machine can take.
    Overloaded,
    /// 503: the queue or the model is not there yet.
    NotReady,
    /// 503: the store, the audit log or the tokens cannot be used.
    Unavailable,
    /// 503: it took too long.
    TimedOut,
}

impl ProblemKind {
    /// The status that is answered.
    pub fn status(self) -> StatusCode {
        match self {
            Self::BadRequest | Self::TokenInUrl => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::CrossSite => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Self::Overloaded | Self::NotReady | Self::Unavailable | Self::TimedOut => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// The last part of the type.
    pub fn slug(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::TokenInUrl => "token-in-url",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::CrossSite => "cross-site",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::SlowBody => "slow-body",
            Self::Conflict => "conflict",
            Self::TooLarge => "too-large",
            Self::UnsupportedMedia => "unsupported-media",
            Self::Invalid => "invalid",
            Self::RateLimited => "rate-limited",
            Self::Internal => "internal",
            Self::NotImplemented => "not-implemented",
            Self::Overloaded => "overloaded",
            Self::NotReady => "not-ready",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed-out",
        }
    }

    /// What every problem of this kind is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request cannot be read",
            Self::TokenInUrl => "A token is in the address",
            Self::Unauthorized => "A token is needed",
            Self::Forbidden => "The token may not do this",
            Self::CrossSite => "The request is from another site",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "The route has other methods",
            Self::SlowBody => "The body came too slowly",
            Self::Conflict => "The store has something else",
            Self::TooLarge => "The request is too large",
            Self::UnsupportedMedia => "The content type is not read",
            Self::Invalid => "Fields are wrong",
            Self::RateLimited => "The token makes too many requests",
            Self::Internal => "The server failed",
            Self::NotImplemented => "Not implemented",
            Self::Overloaded => "The server is busy",
            Self::NotReady => "The server is not ready",
            Self::Unavailable => "Something the server needs is missing",
            Self::TimedOut => "The request took too long",
        }
    }

    /// Seconds after which the same request may be answered.
    pub(crate) fn retry_after(self) -> Option<u8> {
        match self {
            Self::RateLimited | Self::Overloaded | Self::NotReady => Some(1),
            Self::Unavailable | Self::TimedOut => Some(5),
            Self::BadRequest
            | Self::TokenInUrl
            | Self::Unauthorized
            | Self::Forbidden
            | Self::CrossSite
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::SlowBody
            | Self::Conflict
            | Self::TooLarge
            | Self::UnsupportedMedia
            | Self::Invalid
            | Self::Internal
            | Self::NotImplemented => None,
        }
    }

    /// The kind for a status that a library has answered.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            408 => Self::SlowBody,
            413 => Self::TooLarge,
            415 => Self::UnsupportedMedia,
            422 => Self::Invalid,
            400..500 => Self::BadRequest,
            _ => Self::Internal,
        }
    }
}

/// A problem as it is sent: `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct ProblemView {
    /// Which kind of problem: `urn:leadscore:problem:` and a name that stays.
    #[serde(rename = "type")]
    pub(crate) type_: String,
    /// What every problem of this kind is called.
    pub(crate) title: String,
    /// The status of the answer.
    pub(crate) status: u16,
    /// What is wrong with this request.
    pub(crate) detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// Wrong fields, the first 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<FieldErrorView>,
    /// How many wrong fields there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) n_errors: Option<usize>,
    /// The ID of the request, as in the header `x-request-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
    /// The detail again, where clients of the Open Inference Protocol look for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// A wrong field.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "FieldError")]
pub(crate) struct FieldErrorView {
    /// Where it is, as a JSON pointer from the body.
    pub(crate) pointer: String,
    /// What is wrong.
    pub(crate) detail: String,
    /// What to do.
    pub(crate) hint: String,
}

impl Problem {
    /// A problem with what to do about it; an empty hint is none.
    pub fn new(kind: ProblemKind, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        let hint: String = hint.into();
        Self {
            kind,
            detail: detail.into(),
            hint: (!hint.is_empty()).then_some(hint),
            errors: Vec::new(),
            n_errors: 0,
            cause: None,
        }
    }

    /// Adds what the log of the server has about it.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Wrong fields: 422.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let n_errors = errors.len();
        let detail = match errors.first() {
            Some(first) if n_errors == 1 => first.detail.clone(),
            Some(_) | None => format!("{n_errors} fields are wrong; nothing was done"),
        };
        let mut errors = errors;
        errors.truncate(limits::FIELD_ERRORS);
        Self {
            kind: ProblemKind::Invalid,
            detail,
            hint: None,
            errors,
            n_errors,
            cause: None,
        }
    }

    /// One wrong field: 422.
    pub fn field(
        pointer: impl Into<String>,
        detail: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::invalid(vec![FieldError {
            pointer: pointer.into(),
            detail: detail.into(),
            hint: hint.into(),
        }])
    }

    /// A failure of the server: the reason goes to its log, the caller gets the request's ID.
    pub fn internal() -> Self {
        Self::new(
            ProblemKind::Internal,
            "the server failed while it worked on the request",
            "tell whoever runs the server the request_id",
        )
    }

    /// More requests than the machine can take.
    pub fn overloaded() -> Self {
        Self::new(
            ProblemKind::Overloaded,
            "the server has as many requests as it can take",
            "send the request again after a second",
        )
    }

    /// A lead that there is not, or that the caller may not see: both answer the same.
    pub fn no_lead(lead: &str) -> Self {
        NoScore::Unknown(lead.to_owned()).into()
    }

    pub(crate) fn view(&self, request_id: Option<&str>) -> ProblemView {
        ProblemView {
            type_: format!("urn:leadscore:problem:{}", self.kind.slug()),
            title: self.kind.title().to_owned(),
            status: self.kind.status().as_u16(),
            detail: self.detail.clone(),
            hint: self.hint.clone(),
            errors: self
                .errors
                .iter()
                .map(|error| FieldErrorView {
                    pointer: error.pointer.clone(),
                    detail: error.detail.clone(),
                    hint: error.hint.clone(),
                })
                .collect(),
            n_errors: (self.n_errors > 0).then_some(self.n_errors),
            request_id: request_id.map(ToOwned::to_owned),
            error: None,
        }
    }

    /// The answer, with the ID of its request.
    pub(crate) fn render(&self, request_id: &str, is_inference: bool) -> Response {
        let mut view = self.view(Some(request_id));
        view.error = is_inference.then(|| self.detail.clone());
        let body = serde_json::to_vec(&view).unwrap_or_default();
        let mut response = (
            self.kind.status(),
            [(header::CONTENT_TYPE, "application/problem+json")],
            body,
        )
            .into_response();
        self.headers(response.headers_mut());
        response
    }

    fn headers(&self, headers: &mut axum::http::HeaderMap) {
        if let Some(seconds) = self.kind.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(u16::from(seconds)));
        }
        if self.kind == ProblemKind::Unauthorized {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"leadscore\""),
            );
        }
        headers.insert(
            HeaderName::from_static("x-content-type-options"),
            HeaderValue::from_static("nosniff"),
        );
    }
}

/// The problem travels with the answer; the outermost layer renders it, since it knows the ID of
/// the request.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<NoScore> for Problem {
    fn from(error: NoScore) -> Self {
        match error {
            NoScore::Unknown(_) => Self::new(
                ProblemKind::NotFound,
                error.to_string(),
                "send its row of `leads` to /v1/events, or look for its ID in /v1/leads?q=",
            ),
            NoScore::Waiting(_) => Self::new(
                ProblemKind::Conflict,
                error.to_string(),
                "send its row of `leads` to /v1/events",
            ),
            NoScore::NotOpen { .. } => Self::new(ProblemKind::Conflict, error.to_string(), ""),
            NoScore::Refused(fields) => Self::invalid(fields),
            NoScore::NotReady => Self::new(
                ProblemKind::NotReady,
                error.to_string(),
                "ask again after a second",
            ),
            NoScore::Away(cause) => Self::new(
                ProblemKind::Unavailable,
                "the store cannot be read for now",
                "ask again later; whoever runs the server finds the reason in its log",
            )
            .because(cause),
            NoScore::Failed(cause) => Self::internal().because(cause),
        }
    }
}

impl From<&StoreError> for Problem {
    fn from(error: &StoreError) -> Self {
        let cause = std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source())
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ");
        match error {
            StoreError::Conflict { id } => Self::new(
                ProblemKind::Conflict,
                format!(
                    "the event `{}` is in the store with another table, lead or row; none of these events is stored",
                    printable(id)
                ),
                "give each event an ID of its own",
            ),
            StoreError::Refused {
                position,
                what,
                hint,
                ..
            } => Self::invalid(vec![FieldError {
                pointer: format!("/{position}"),
                detail: (*what).to_string(),
                hint: (*hint).to_string(),
            }]),
            StoreError::TooMany { .. } => Self::new(
                ProblemKind::TooLarge,
                "these are more events than one request may have; none of them is stored",
                "send them in smaller parts",
            ),
            StoreError::TooLong { .. } => Self::new(
                ProblemKind::TooLarge,
                "these events are longer than one request may have; none of them is stored",
                "send them in smaller parts",
            ),
            StoreError::Busy => Self::new(
                ProblemKind::Overloaded,
                "the store has as many events waiting as it takes; none of these is stored",
                "send them again after a second",
            ),
            StoreError::Missing { .. }
            | StoreError::Exists { .. }
            | StoreError::NotAStore { .. }
            | StoreError::OtherVersion { .. }
            | StoreError::InUse { .. }
            | StoreError::ReadOnly { .. }
            | StoreError::Corrupt { .. }
            | StoreError::Full { .. }
            | StoreError::Setting { .. }
            | StoreError::Sqlite { .. }
            | StoreError::Io { .. }
            | StoreError::ReadersInTheWay { .. }
            | StoreError::Unreachable { .. }
            | StoreError::Denied { .. }
            | StoreError::NoRight { .. }
            | StoreError::Standby { .. }
            | StoreError::TakenOver { .. }
            | StoreError::SchemaExists { .. }
            | StoreError::OtherSchema { .. }
            | StoreError::ServerSetting { .. }
            | StoreError::Damaged { .. }
            | StoreError::NoFile { .. }
            | StoreError::Server { .. }
            | StoreError::OpenForReading { .. }
            | StoreError::Closed => Self::new(
                ProblemKind::Unavailable,
                "the store cannot take the events; none of them is stored",
                "send them again later; whoever runs the server finds the reason in its log",
            )
            .because(cause),
        }
    }
}
