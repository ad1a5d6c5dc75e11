//! The event store: what came in, durable before it is acknowledged, each event once, and the events
//! of one lead in order. It knows no HTTP, no tables of a config and no clock of its own.

mod event;
mod key;
mod moments;
mod recent;

mod door;
mod queue;
mod writer;

mod checkpoint;
mod schema;
mod settle;
mod shared;

mod backup;
mod file;
mod forget;
mod keeper;
mod read;
mod server;
mod traces;

mod error;
mod options;
mod place;
mod store;

pub use door::{MAX_BYTES_OF_CALL, MAX_EVENTS_OF_CALL};
pub use error::{ServerFailure, StoreError};
pub use event::{Appended, Entity, Forgotten, NewEvent, StoredEvent, WORD_TABLE};
pub use options::{Clock, StoreOptions};
pub use place::StorePlace;
pub use queue::DoneFn;
pub use server::{AddressError, ServerAddress};
pub use store::Store;
