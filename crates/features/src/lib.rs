//! Leads, activities and outcomes to labelled snapshots and their feature matrix; no feature sees
//! the snapshot's future.

mod snapshots;

mod plan;

mod compute;
mod sweep;
mod walk;

mod late;
mod poison;

mod fixed;
mod layout;

pub use compute::{FeaturesError, compute};
pub use late::{LateEntries, late_entries};
pub use plan::{Plan, Survey, UnknownKinds, plan, survey};
pub use poison::{PoisonFindings, PoisonLeak, poison, poison_test};
pub use snapshots::{
    LeftOut, ScoringSet, SnapshotCounts, TooManySnapshots, calendar_moments, labelled_snapshots,
    scoring_snapshots,
};
