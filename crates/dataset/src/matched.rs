//! How many rows of a table name a row of another.

use leadscore_core::MatchCount;
use serde::Serialize;

/// How many rows of a table name a lead, or a row of a lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Matched {
    /// Rows with a key.
    pub n_rows: usize,
    /// Those whose key is there.
    pub n_matched: usize,
}

impl Matched {
    /// The same, for a profile.
    pub fn count(self) -> MatchCount {
        MatchCount {
            n_rows: self.n_rows as u64,
            n_matched: self.n_matched as u64,
        }
    }
}
