//! Events in, scores out, and the page that sales looks at, over HTTP. How scores are made is behind
//! [`Engine`]; this crate has no tables and no model.

mod engine;

pub mod limits;
mod private;
mod problem;

mod json;
mod percent;
mod query;

mod api;
mod app;
pub mod audit;
pub mod auth;
mod body;
mod compute;
mod door;
mod envelope;
mod held_back;
mod hooks;
mod io;
mod listen;
mod metrics;
mod role;
mod router;
mod site;
mod state;
mod tls;
pub mod tokens;

mod page;
mod sessions;

pub use api::openapi;
pub use app::{App, AppError, AppOptions, Clock, Forgetter, Log};
pub use compute::Work;
pub use engine::{
    AppendResult, Change, Engine, EventLine, FeatureFacts, FieldError, Forgotten, HeldBack,
    HeldBackQuery, HeldBackRow, InferColumn, LeadDetail, LeadScore, MatrixCell, ModelFacts,
    NextTier, NoScore, PathPoint, PointsOfRules, Queue, QueueQuery, QueueRow, Reason, TierRecord,
    Word, WordKind,
};
pub use envelope::RequestId;
pub use hooks::{
    Cause, Crossing, Delivery, DeliveryPage, DeliveryQuery, DeliveryStatus, HookError, IsHeldBack,
    Measured, Receivers, Retry, SigningKeys, Thresholds, WebhookOptions, Webhooks, hook_routes,
};
pub use listen::{ServeError, ServeOptions, Server, Stopped, TlsFiles, serve};
pub use metrics::Metrics;
pub use page::{Page, PageOptions};
pub use problem::{Problem, ProblemKind};
pub use router::router;
pub use sessions::{Act, Session, SessionError, SessionId, SessionOptions, Sessions, UseOfWeek};
pub use site::Site;
pub use state::{Removed, State, StateError};
pub use tls::TlsError;
