//! What sales said of leads, as the store of a config has it: who was called, and when.

use leadscore_core::Timestamp;

/// What somebody in sales said of a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalesWord {
    /// The lead.
    pub lead: String,
    /// When it was said.
    pub at: Timestamp,
    /// When the store recorded it.
    pub recorded: Timestamp,
    /// What was said: `called`, `not_now`, `won`, `lost` or `wrong`.
    pub said: String,
}
