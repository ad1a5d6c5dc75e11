//! Snapshots: leads as they stood at a moment, the unit of training and of scoring.

use crate::Timestamp;

/// A lead at a moment. Features of it are facts known strictly before `at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snapshot {
    /// Row of the lead in its table.
    pub lead: u32,
    /// The moment; in flat exports the value of `order_by`.
    pub at: Timestamp,
}

/// Snapshots, in order of time, then lead; learned from are those whose label is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelledSnapshots {
    /// The mature snapshots.
    pub snapshots: Vec<Snapshot>,
    /// Whether each was won in `[at, at + horizon)`.
    pub labels: Vec<bool>,
    /// Snapshots whose window had not ended: no label, whatever is known already; in the same
    /// order.
    pub immature: Vec<Snapshot>,
}
