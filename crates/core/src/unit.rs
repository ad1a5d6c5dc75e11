//! The units of numbers.

use serde::{Deserialize, Serialize};

/// The unit of a numeric feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// No unit known: the number as the table gives it.
    AsGiven,
    /// Days of 24 hours.
    Days,
    /// Number of events.
    Events,
    /// Hour of the day.
    Hours,
    /// A category has no unit.
    Level,
    /// A share, 0 to 1.
    Share,
    /// 0 or 1.
    Flag,
    /// Number of leads.
    Leads,
    /// Number of entries in a history.
    Changes,
    /// Number of values in a cell.
    Values,
    /// Number of times that a lead closed.
    Closings,
}

impl Unit {
    /// The unit as people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AsGiven => "as given",
            Self::Days => "days",
            Self::Events => "events",
            Self::Hours => "hour of day",
            Self::Level => "level",
            Self::Share => "share, 0 to 1",
            Self::Flag => "0 or 1",
            Self::Leads => "leads",
            Self::Changes => "changes",
            Self::Values => "values",
            Self::Closings => "closings",
        }
    }
}
