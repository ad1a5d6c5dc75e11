//! The typed tables that features are made from, joined by lead: columns, events in order of time,
//! and what is known of a lead as of a moment. Nothing here reads or writes.

mod courses;
mod events;
mod extent;
mod matched;
mod missing;
mod note;
mod seen;
mod typed;

pub use courses::{Change, Courses, LogRow, Standing};
pub use events::{Activities, EventRows, KindColumn, MAX_VALUE, ValueColumn};
pub use extent::{Days, Extent, FEWEST_ROWS_OF_EXTENT, Head, LONGEST_WAIT_DAYS, TableEnd};
pub use matched::Matched;
pub use missing::{MISSING, NEVER};
pub use note::Note;
pub use seen::{SeenColumn, SeenTable};
pub use typed::{
    Attribute, AttributeKey, Column, Flag, History, HistoryChange, KnownEnds, LeadOutcome, Leads,
    LoadOptions, Lookup, LookupRows, Moments, Tables, Versions,
};
