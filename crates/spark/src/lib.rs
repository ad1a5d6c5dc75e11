//! Statements on an Apache Spark cluster, or on Sail, by Spark Connect: to their last row, whatever
//! the network does.

mod address;
mod error;

mod session;

pub use address::Address;
pub use error::EngineError;
pub use session::{Rows, Session, Watch};
