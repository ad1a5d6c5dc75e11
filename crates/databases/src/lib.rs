//! Tables from and into databases by ADBC: queries read as Arrow streams in one transaction, scores
//! written in another.

mod address;
mod error;
mod session;

pub use address::Address;
pub use error::DatabaseError;
pub use session::{check, read, upsert};
