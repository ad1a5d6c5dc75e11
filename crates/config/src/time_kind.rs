//! What time columns hold, as SQL over the same tables must know it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a time column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeKind {
    /// Timestamps.
    Instant,
    /// Dates, which count as known from the last microsecond of their day.
    Date,
    /// Whole seconds since 1970.
    EpochSeconds,
    /// Whole milliseconds since 1970.
    EpochMillis,
    /// Whole microseconds since 1970.
    EpochMicros,
    /// Whole nanoseconds since 1970.
    EpochNanos,
}

/// The kinds of time columns by table and column, tables as the config's keys: `leads`,
/// `activities.NAME`.
pub type TimeKinds = BTreeMap<String, BTreeMap<String, TimeKind>>;
