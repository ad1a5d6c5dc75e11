//! The typed tables that features are made from, joined by lead.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use leadscore_core::{
    AttributeTable, CellKind, Snapshot, Span, Stamp, Timestamp, Tokenizer, stable_hash,
};

use crate::courses::{Courses, Standing};
use crate::events::Activities;
use crate::extent::TableEnd;
use crate::matched::Matched;
use crate::missing::MISSING;
use crate::note::Note;
use crate::seen::SeenTable;

/// A column of numbers, of categories or of dates.
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
    /// When each date begins, [`NEVER`](crate::NEVER) where missing: days to the snapshot are learned from.
    Dates(Vec<Timestamp>),
}

impl Column {
    /// What its cells were read as.
    pub fn kind(&self) -> CellKind {
        match self {
            Self::Number(_) => CellKind::Number,
            Self::Category { .. } => CellKind::Category,
            Self::Dates(_) => CellKind::Date,
        }
    }
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
        Self {
            lookup,
            column: column.to_owned(),
        }
    }
}

/// A column to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Name of the column.
    pub name: String,
    /// Its values, a row of its table each.
    pub column: Column,
    /// How its cells are split, where they hold several values: whole cells are the levels.
    pub tokenizer: Option<Tokenizer>,
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
    /// Since when each row is there, where the config says; `None` for a lead without that time.
    pub recorded: Option<Vec<Option<Timestamp>>>,
    /// The value of `order_by` in a flat export, NaN where missing.
    pub order: Option<Vec<f64>>,
    /// Columns to learn from.
    pub attributes: Vec<Attribute>,
    /// Today's points, NaN where missing.
    pub manual_score: Option<Vec<f64>>,
    /// The account of each lead, numbered by name, [`MISSING`] for none; `None` where the config
    /// names no account.
    pub accounts: Option<Vec<u32>>,
    /// Names of the accounts, by number; empty where the config names none.
    pub account_names: Vec<String>,
    /// Where all accounts of the config are one column, a hash of each lead's account, or of its id
    /// where it has none.
    pub entity_hashes: Option<Vec<u64>>,
}

impl Leads {
    /// Since when anybody could know a lead: since it was created, or since its row is there where
    /// that is later; `None` for a lead without the time of creation.
    ///
    /// # Panics
    ///
    /// Where there is no such lead.
    pub fn known_since(&self, lead: u32) -> Option<Timestamp> {
        let created = self.created[lead as usize]?.known;
        Some(self.recorded_at(lead).map_or(created, |at| at.max(created)))
    }

    /// Since when the row of a lead is there, if that is known.
    ///
    /// # Panics
    ///
    /// Where there is no such lead.
    pub fn recorded_at(&self, lead: u32) -> Option<Timestamp> {
        self.recorded.as_ref().and_then(|at| at[lead as usize])
    }
}

/// A table that leads point to.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// Its name in the config.
    pub name: String,
    /// The entry of each lead, [`MISSING`] where there is none: a row, or a run of `versions` where
    /// there are any.
    pub entry_of_lead: Vec<u32>,
    /// Its rows, which all parts of the leads share.
    pub rows: Arc<LookupRows>,
}

/// The rows of a lookup.
#[derive(Debug, Clone, PartialEq)]
pub struct LookupRows {
    /// Where rows hold from a time on.
    pub versions: Option<Versions>,
    /// Columns to learn from.
    pub attributes: Vec<Attribute>,
}

/// Rows of a lookup that hold from a time on, several to a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Versions {
    /// Rows of entry `e` are `offsets[e]..offsets[e + 1]`, by time.
    pub offsets: Vec<usize>,
    /// From when each row holds; the attributes stand in the same order.
    pub known: Vec<Timestamp>,
}

impl Lookup {
    /// The row that the snapshot's lead points to, as it was known before the snapshot.
    pub fn row_at(&self, snapshot: Snapshot) -> Option<usize> {
        let entry = Some(self.entry_of_lead[snapshot.lead as usize])
            .filter(|&entry| entry != MISSING)? as usize;
        match &self.rows.versions {
            None => Some(entry),
            Some(versions) => latest_before(&versions.offsets, &versions.known, entry, snapshot.at),
        }
    }
}

/// The latest position of an entry whose time lies before `at`.
fn latest_before(
    offsets: &[usize],
    known: &[Timestamp],
    entry: usize,
    at: Timestamp,
) -> Option<usize> {
    let range = offsets[entry]..offsets[entry + 1];
    let before = known[range.clone()].partition_point(|&known| known < at);
    (before > 0).then(|| range.start + before - 1)
}

/// When a lead closed and when it was won.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LeadOutcome {
    /// The first time it closed, won or lost: from then on it is not at risk.
    pub closed: Option<Timestamp>,
    /// The first time it was won.
    pub won: Option<Timestamp>,
    /// From when it was known that it had closed, where the outcomes say when they were entered:
    /// what other leads can see.
    pub closed_seen: Option<Timestamp>,
    /// The same of its win.
    pub won_seen: Option<Timestamp>,
    /// Whether a row that is open follows its last closing: it counts as closed all the same.
    pub reopened: bool,
    /// Flat exports: what the flag says; `None` where it is missing, or says that the lead is open.
    pub flag: Option<Flag>,
    /// Where a row of the outcomes may be of several leads: the row by which it closed first, or one
    /// that is open; leads of the same row are one case of chance.
    pub deal: Option<usize>,
    /// Sum of the amounts of its won deals, where the outcomes have amounts; for reports only, no
    /// feature sees it.
    pub amount: Option<f64>,
}

/// What the flag of a flat export says of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// It was won.
    Won,
    /// It closed without a win: the config says which values mean so, or which mean open.
    Lost,
    /// It was not won, and nothing says whether it has closed.
    NotWon,
}

impl Flag {
    /// Its label.
    pub fn is_won(self) -> bool {
        match self {
            Self::Won => true,
            Self::Lost | Self::NotWon => false,
        }
    }
}

impl LeadOutcome {
    /// From when others can see that it closed.
    pub fn closed_seen(&self) -> Option<Timestamp> {
        self.closed_seen.or(self.closed)
    }

    /// From when others can see that it was won.
    pub fn won_seen(&self) -> Option<Timestamp> {
        self.won_seen.or(self.won)
    }
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
    /// The values; behind those of the changes may stand others, which `before` names.
    pub values: Column,
    /// For each lead, the value that held before its first change, [`MISSING`] where it is not
    /// known; empty where none is.
    pub before: Vec<u32>,
}

impl HistoryChange {
    /// The latest entry of the snapshot's lead that was known before the snapshot.
    pub fn row_at(&self, snapshot: Snapshot) -> Option<usize> {
        latest_before(
            &self.offsets,
            &self.known,
            snapshot.lead as usize,
            snapshot.at,
        )
    }

    /// The value that held for the snapshot's lead: that of the latest change known before the
    /// snapshot, or the one before the first.
    pub fn value_at(&self, snapshot: Snapshot) -> Option<usize> {
        let before = || {
            self.before
                .get(snapshot.lead as usize)
                .filter(|&&row| row != MISSING)
                .map(|&row| row as usize)
        };
        self.row_at(snapshot).or_else(before)
    }
}

/// What attributes were, and when.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// The attributes that have a past, by name.
    pub attributes: Vec<HistoryChange>,
}

impl History {
    /// Names of the attributes that have a past.
    pub fn names(&self) -> Vec<String> {
        let changes = self.attributes.iter();
        changes.map(|change| change.attribute.clone()).collect()
    }
}

/// Everything that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    /// The leads.
    pub leads: Arc<Leads>,
    /// What they point to.
    pub lookups: Arc<Vec<Lookup>>,
    /// What they did.
    pub activities: Arc<Vec<Activities>>,
    /// What became of each lead.
    pub outcomes: Vec<LeadOutcome>,
    /// Where outcomes are a log: when each lead closed, and when it was open again. `outcomes` then
    /// says how each stands at the end.
    pub courses: Option<Arc<Courses>>,
    /// What attributes were.
    pub history: Arc<History>,
    /// Whether this is a flat export: an outcome flag, no dates.
    pub is_flat: bool,
    /// The last moment that the data speaks of; [`Timestamp::MAX`] for a flat export.
    pub observation_end: Timestamp,
    /// After how long without an event a lead is not looked at; `None` where every open lead is.
    pub silent: Option<Span>,
    /// How long after it happened nearly every win is entered: windows count as ended so much
    /// later.
    pub entry_lag: Span,
    /// Where each table ends, as far as its own times say.
    pub ends: Vec<TableEnd>,
    /// How many rows of each table name a lead, or of the leads a row of a lookup, by the table's
    /// name in the config.
    pub matched: BTreeMap<String, Matched>,
    /// What was seen of each table while it was read, by its name in the config; nothing of parts.
    pub seen: BTreeMap<String, SeenTable>,
    /// What the user should know.
    pub notes: Vec<Note>,
}

impl Tables {
    /// The last moment at which the window of a snapshot may end for its outcome to be known.
    pub fn mature_until(&self) -> Timestamp {
        if self.observation_end == Timestamp::MAX {
            self.observation_end
        } else {
            self.observation_end - self.entry_lag
        }
    }

    /// How a lead stood before a moment.
    pub fn standing(&self, lead: u32, at: Timestamp) -> Standing {
        if let Some(courses) = &self.courses {
            return courses.standing(lead, at);
        }
        let outcome = &self.outcomes[lead as usize];
        let is_before = |time: Option<Timestamp>| time.is_some_and(|time| time < at);
        if is_before(outcome.won) {
            Standing::Won
        } else if is_before(outcome.closed) {
            Standing::Lost
        } else {
            Standing::Open
        }
    }

    /// When a lead was first won at or after a moment.
    pub fn win_since(&self, lead: u32, at: Timestamp) -> Option<Timestamp> {
        match &self.courses {
            Some(courses) => courses.next(lead, at, &[Standing::Won]),
            None => self.outcomes[lead as usize].won.filter(|won| *won >= at),
        }
    }

    /// When a lead first closed at or after a moment, won or lost.
    pub fn closing_since(&self, lead: u32, at: Timestamp) -> Option<Timestamp> {
        match &self.courses {
            Some(courses) => courses.next(lead, at, &[Standing::Won, Standing::Lost]),
            None => {
                let closed = self.outcomes[lead as usize].closed;
                closed.filter(|closed| *closed >= at)
            }
        }
    }

    /// A hash of the lead's account, or of the lead where it has none: whoever shares it may share
    /// events.
    pub fn entity_hash(&self, lead: u32) -> u64 {
        match &self.leads.entity_hashes {
            Some(hashes) => hashes[lead as usize],
            None => stable_hash(&self.leads.ids[lead as usize]),
        }
    }
}

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Nothing known at or after this moment exists.
    pub as_of: Option<Timestamp>,
    /// Only these attributes, with the types that a model expects; default: what the config says,
    /// types by the values.
    pub attributes: Option<HashMap<AttributeKey, CellKind>>,
    /// Types of attributes in the history; default: by their values.
    pub history_kinds: Option<BTreeMap<String, CellKind>>,
    /// The last moment that the data speaks of, and how late wins are entered, where tables were
    /// looked at as a whole before; default: found in the rows.
    pub known_ends: Option<KnownEnds>,
    /// What the clock says: data that goes on after it is planned or wrong, and is not taken for
    /// observed.
    pub now: Option<Timestamp>,
    /// Bytes that may be used, where that was said; default: what there is.
    pub memory: Option<u64>,
}

impl LoadOptions {
    /// The moments that decide until when tables speak.
    pub fn moments(&self) -> Moments {
        Moments {
            as_of: self.as_of,
            now: self.now,
        }
    }
}

/// The moments that decide until when tables speak.
#[derive(Debug, Clone, Copy)]
pub struct Moments {
    /// Nothing known at or after it exists.
    pub as_of: Option<Timestamp>,
    /// What the clock says.
    pub now: Option<Timestamp>,
}

/// Until when tables speak of which these are a part.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownEnds {
    /// The last moment that the data speaks of.
    pub observation_end: Timestamp,
    /// How long after it happened nearly every win is entered.
    pub entry_lag: Span,
    /// Where each table ends.
    pub tables: Vec<TableEnd>,
}
