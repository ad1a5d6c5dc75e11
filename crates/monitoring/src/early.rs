//! The early read: whether the level of a model is right now, though its labels take 90 days. A
//! lead that is open at the start of a week is a trial with a known chance of a win in that week.
//!
//! ```text
//! reference rows ─► weekly chance q = h(log-odds, tier, age, season), its level error, dispersion
//!                ─► thresholds and delays, by simulated quiet futures
//! monitored rows ─► wins against expected wins, week by week ─► evidence of a change, both ways
//!                ─► its week, its size, level or pace, and by tier, segment and arm
//! ```

mod bins;
mod error;
mod options;
mod rows;
mod verdict;

mod chance;
mod dispersion;
mod season;

mod change;
mod detector;
mod futures;
mod interval;
mod movement;
mod parts;

mod read;
mod reference;

pub use chance::WeeklyChance;
pub use change::Change;
pub use error::EarlyError;
pub use futures::{Detectable, Thresholds};
pub use interval::LevelSince;
pub use movement::{Ages, Movement};
pub use options::EarlyOptions;
pub use parts::{Arm, Part, PartKey};
pub use read::{EarlyRead, EarlyWeek, early_read};
pub use reference::{EarlyReference, ReferenceSummary, Validation};
pub use rows::{LeadWeeks, Segmentation};
pub use season::Season;
pub use verdict::{CannotTell, EarlyVerdict, Side};
