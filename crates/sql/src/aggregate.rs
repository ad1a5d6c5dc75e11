//! The columns that are computed over the events that a snapshot sees.

use leadscore_core::{EventFilter, Span};

/// Sums are exact in steps of 2⁻⁴⁴, as those of the sweep: whole steps of 2⁻¹⁰, and the rest of
/// each value in steps of 2⁻⁴⁴.
pub(crate) const WHOLE: i64 = 1 << 10;
pub(crate) const REST: i64 = 1 << 34;

/// What is put together over the events of one filter, in a form that engines can add up: an exact
/// sum is two whole numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Count,
    /// Whole steps of a column's sum.
    Whole(String),
    /// The rest of it.
    Rest(String),
    /// Events that have a value.
    Valued(String),
    Max(String),
    Days,
    Last,
    First,
    Reply,
    Decayed(Span),
    Gap,
    LatestValue(String),
    LatestKind(String),
}

/// One column of an event table's last step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) what: What,
    pub(crate) filter: EventFilter,
    pub(crate) window: Option<Span>,
}
