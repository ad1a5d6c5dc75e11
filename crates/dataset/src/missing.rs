//! What stands for a value that is not there.

use leadscore_core::Timestamp;

/// The code of a missing category, and the row of a lookup that is not there.
pub const MISSING: u32 = u32::MAX;

/// The time of a cell that has none.
pub const NEVER: Timestamp = Timestamp::MIN;
