//! Thresholds that act: a lead that rises to a threshold is an event, which is remembered and told
//! to whoever wants to be called.

mod address;
mod answer;
mod backoff;
mod client;
mod crossing;
mod delivery;
mod error;
mod held_back;
mod line;
mod options;
mod receiver;
pub(crate) mod routes;
mod schedule;
mod sender;
mod signature;
mod threshold;
mod thresholds;
mod webhooks;

pub(crate) use crossing::CROSSINGS;
pub use crossing::{Cause, Crossing};
pub use delivery::{Delivery, DeliveryPage, DeliveryQuery, DeliveryStatus};
pub use error::HookError;
pub use held_back::IsHeldBack;
pub use options::WebhookOptions;
pub use receiver::Receivers;
pub use routes::routes as hook_routes;
pub use signature::SigningKeys;
pub use threshold::Measured;
pub use thresholds::Thresholds;
pub use webhooks::{Retry, Webhooks};
