//! One event: a row of a table, of whom it is, and when it happened and was recorded.

use leadscore_core::Timestamp;

/// The table of what sales says of leads, which every store may have.
pub const WORD_TABLE: &str = "activities.word";

/// Whose rows belong together, because features of a lead may read them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Entity {
    /// A lead, by its ID.
    Lead(String),
    /// An account, by its ID: activities of accounts.
    Account(String),
    /// A row of a lookup, by its key.
    Lookup {
        /// The lookup's name in the config.
        name: String,
        /// The key.
        key: String,
    },
}

/// A row that comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its ID, which whoever sends it chooses: the same ID again is the same event.
    pub id: String,
    /// The table of the config, such as `activities.touches`, `leads` or `outcomes`.
    pub table: String,
    /// Whose row it is.
    pub entity: Entity,
    /// When it happened; of a date, the end of the day.
    pub at: Timestamp,
    /// When it was recorded, of rows that are imported; default: the present moment.
    pub recorded: Option<Timestamp>,
    /// The row: a JSON object with the columns of the table.
    pub row: String,
}

/// A row that the store has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number: later ones are higher.
    pub seq: u64,
    /// Its ID.
    pub id: String,
    /// The table.
    pub table: String,
    /// Whose row it is.
    pub entity: Entity,
    /// When it happened.
    pub at: Timestamp,
    /// From when on it was known: no moment before or at it sees it.
    pub recorded: Timestamp,
    /// The row: a JSON object.
    pub row: String,
}

/// What became of events that were appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Appended {
    /// Events that are new, and durable now.
    pub n_new: usize,
    /// Events that the store had already.
    pub n_duplicates: usize,
}

/// What is left of an entity that was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// Events that were removed.
    pub n_events: usize,
    /// How often its ID is in the bytes of the store's files after all was overwritten: rows of
    /// others may name it. `None` where the ID has fewer than six bytes, which any number may have.
    pub n_traces: Option<usize>,
}
