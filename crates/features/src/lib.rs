//! Leads, activities and outcomes to labelled snapshots and their feature matrix; no feature sees the snapshot's future.

mod snapshots;

mod compute;
mod plan;

pub use compute::{FeaturesError, compute};
pub use plan::plan;
pub use snapshots::{ScoringSet, SnapshotCounts, labelled_snapshots, scoring_snapshots};
