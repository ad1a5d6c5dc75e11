//! Leads, activities and outcomes to labelled snapshots and their feature matrix; no feature sees
//! the snapshot's future.

mod snapshots;

mod event_planning;
mod plan;
mod planning;
mod survey;
mod unknown_kinds;

mod attribute_rows;
mod tokens;

mod compute;
mod sweep;
mod walk;

mod late;
mod look_ahead;

mod error;
mod fixed;
mod layout;

pub use compute::compute;
pub use error::FeaturesError;
pub use late::{LateEntries, late_entries};
pub use look_ahead::{LookAheadFindings, LookAheadLeak, alter_future, look_ahead_test};
pub use plan::Plan;
pub use planning::plan;
pub use snapshots::{
    LeftOut, ScoringSet, SnapshotCounts, TooManySnapshots, calendar_moments, labelled_snapshots,
    scoring_snapshots,
};
pub use survey::{Survey, survey};
pub use unknown_kinds::UnknownKinds;
