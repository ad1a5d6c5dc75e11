//! The typed tables that features are made from, joined by lead.

use std::collections::HashMap;

use leadscore_core::{AttributeTable, FeatureKind, Stamp, Timestamp};

/// The code of a missing category, and the row of a lookup that is not there.
pub const MISSING: u32 = u32::MAX;

/// A column of numbers or of categories.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Finite numbers, NaN where missing.
    Number(Vec<f64>),
    /// Indices into levels sorted by name, [`MISSING`] where missing.
    Category {
        /// One a row.
        codes: Vec<u32>,
        /// The distinct values, sorted.
        levels: Vec<String>,
    },
}

/// Names an attribute: its table and column.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributeKey {
    /// The lookup that it stands in; `None` for the leads themselves.
    pub lookup: Option<String>,
    /// The column.
    pub column: String,
}

impl AttributeKey {
    /// The key of an attribute in a table.
    pub fn new(table: &AttributeTable, column: &str) -> Self {
        let lookup = match table {
            AttributeTable::Leads => None,
            AttributeTable::Lookup(name) => Some(name.clone()),
        };
        Self { lookup, column: column.to_owned() }
    }
}

/// A column to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Name of the column.
    pub name: String,
    /// Its values, a row of its table each.
    pub column: Column,
}

/// The leads, in the order of their ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Leads {
    /// Name of the id column.
    pub id_column: String,
    /// The ids, sorted.
    pub ids: Vec<String>,
    /// When each was created; `None` for a flat export, or for a lead without the time.
    pub created: Vec<Option<Stamp>>,
    /// The value of `order_by` in a flat export, NaN where missing.
    pub order: Option<Vec<f64>>,
    /// Columns to learn from.
    pub attributes: Vec<Attribute>,
    /// Today's points, NaN where missing.
    pub manual_score: Option<Vec<f64>>,
}

/// A table that leads point to.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// Its name in the config.
    pub name: String,
    /// The row of each lead, [`MISSING`] where there is none.
    pub row_of_lead: Vec<u32>,
    /// Columns to learn from.
    pub attributes: Vec<Attribute>,
}

/// A numeric column of events.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueColumn {
    /// Name of the column.
    pub name: String,
    /// One an event, NaN where missing.
    pub values: Vec<f64>,
}

/// Events, sorted by whose they are, then by time, then by everything else, so that the order of the file leaves no trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Activities {
    /// Name in the config.
    pub name: String,
    /// Whose events a lead sees: `None` where that is the lead itself, else the account of each lead ([`MISSING`] for none).
    pub entity_of_lead: Option<Vec<u32>>,
    /// Events of entity `e` are `offsets[e]..offsets[e + 1]`.
    pub offsets: Vec<usize>,
    /// When each happened; the end of the day for a date.
    pub at: Vec<Timestamp>,
    /// From when each counts as known: when it was recorded, where the table says so.
    pub known: Vec<Timestamp>,
    /// Whether the table has a second clock.
    pub has_recorded_at: bool,
    /// Columns that split the counts: name, code of each event, levels.
    pub kinds: Vec<(String, Vec<u32>, Vec<String>)>,
    /// Numbers to sum and average.
    pub values: Vec<ValueColumn>,
}

impl Activities {
    /// Positions of the events that a lead sees.
    pub fn events_of(&self, lead: usize) -> std::ops::Range<usize> {
        let entity = match &self.entity_of_lead {
            None => lead,
            Some(entities) if entities[lead] == MISSING => return 0..0,
            Some(entities) => entities[lead] as usize,
        };
        self.offsets[entity]..self.offsets[entity + 1]
    }
}

/// When a lead closed and when it was won.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeadOutcome {
    /// The first time it closed, won or lost: from then on it is not at risk.
    pub closed: Option<Timestamp>,
    /// The first time it was won.
    pub won: Option<Timestamp>,
    /// Flat exports: whether it was won; `None` where the flag is missing.
    pub flag: Option<bool>,
}

/// One attribute's past.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryChange {
    /// Name of the attribute.
    pub attribute: String,
    /// Changes of lead `l` are `offsets[l]..offsets[l + 1]`, by time.
    pub offsets: Vec<usize>,
    /// From when each value holds.
    pub known: Vec<Timestamp>,
    /// The values.
    pub values: Column,
}

/// What attributes were, and when.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// The attributes that have a past, by name.
    pub attributes: Vec<HistoryChange>,
}

/// Something the user should know about the data, which is not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The table in the config.
    pub table: String,
    /// A sentence.
    pub text: String,
}

/// Everything that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    /// The leads.
    pub leads: Leads,
    /// What they point to.
    pub lookups: Vec<Lookup>,
    /// What they did.
    pub activities: Vec<Activities>,
    /// What became of each lead.
    pub outcomes: Vec<LeadOutcome>,
    /// What attributes were.
    pub history: History,
    /// Whether this is a flat export: an outcome flag, no dates.
    pub is_flat: bool,
    /// The last moment that the data speaks of; [`Timestamp::MAX`] for a flat export.
    pub observation_end: Timestamp,
    /// What the user should know.
    pub notes: Vec<Note>,
}

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Nothing known at or after this moment exists.
    pub as_of: Option<Timestamp>,
    /// Only these attributes, with the types that a model expects; default: what the config says, types by the values.
    pub attributes: Option<HashMap<AttributeKey, FeatureKind>>,
}
