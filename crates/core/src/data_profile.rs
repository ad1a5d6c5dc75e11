//! What tables looked like when they were read: for a person to look at, and for later tables to be
//! compared with.

use serde::{Deserialize, Serialize};

use crate::Tokenizer;
use crate::time::Timestamp;

/// Tables as they were read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DataProfile {
    /// Each table of the config, the leads first.
    pub tables: Vec<TableProfile>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableProfile {
    /// What the config calls it, such as `[leads]`.
    pub table: String,
    /// Rows of all its files.
    pub n_rows: u64,
    /// Its days, where it has times.
    pub reach: Option<TableReach>,
    /// How many rows name a lead (or a row of a lookup), where they name one.
    pub matches: Option<MatchCount>,
    /// Its columns, in the order of the file.
    pub columns: Vec<ColumnProfile>,
}

/// Until when a table speaks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableReach {
    /// The column of times that says so.
    pub column: String,
    /// The first time.
    pub first: Timestamp,
    /// Until when there are as many rows as usual, or as the config says.
    pub end: Timestamp,
    /// Rows after that.
    pub n_later: u64,
    /// The last time of all.
    pub last: Timestamp,
    /// How long before the end of the data the table ends, in microseconds.
    pub lag_micros: i64,
}

/// How many keys match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchCount {
    /// Rows with a key.
    pub n_rows: u64,
    /// Those whose key is there.
    pub n_matched: u64,
}

impl MatchCount {
    /// The share that matches, 1 of none.
    pub fn share(self) -> f64 {
        if self.n_rows == 0 {
            1.0
        } else {
            self.n_matched as f64 / self.n_rows as f64
        }
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// Its name.
    pub column: String,
    /// What the config makes of it.
    pub role: ColumnRole,
    /// What its cells are; `None` where nobody looked.
    pub cells: Option<Cells>,
    /// Cells without a value; `None` where nobody looked.
    pub n_missing: Option<u64>,
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnRole {
    /// Names a lead, an account or a row of a lookup.
    Key,
    /// Says when something happened, or was entered.
    Time,
    /// Is learned from.
    Attribute,
    /// Parts events by kind.
    Kind,
    /// A number of events.
    Value,
    /// Says what became of a lead.
    Outcome,
    /// Today's points.
    Points,
    /// Says what changed, from what into what, and in which order.
    Change,
    /// `exclude` names it.
    Excluded,
    /// Nothing reads it.
    Unused,
    /// Says which rows were deleted.
    Deleted,
}

impl ColumnRole {
    /// The role as people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Time => "time",
            Self::Attribute => "attribute",
            Self::Kind => "kind",
            Self::Value => "value",
            Self::Outcome => "outcome",
            Self::Points => "points",
            Self::Change => "change",
            Self::Excluded => "left out",
            Self::Unused => "not used",
            Self::Deleted => "deleted",
        }
    }
}

/// What the cells of a column are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cells {
    /// Numbers.
    Numbers {
        /// The smallest.
        low: f64,
        /// That below which one of a hundred lies.
        percentile_1: f64,
        /// That of the middle.
        median: f64,
        /// That above which one of a hundred lies.
        percentile_99: f64,
        /// The largest.
        high: f64,
        /// How they are written, where that is not as programs write numbers.
        written: Option<Writing>,
    },
    /// Few texts in many rows.
    Categories {
        /// How many different ones.
        n_levels: u64,
        /// The most frequent of them, each with its rows.
        levels: Vec<(String, u64)>,
    },
    /// Times.
    Times,
    /// Texts that are compared and not counted.
    Texts,
    /// A type that is not read, in words.
    Unreadable(String),
    /// Several values in a cell.
    Several {
        /// How cells are split.
        tokenizer: Tokenizer,
        /// How many different values.
        n_values: u64,
        /// The most frequent of them, each with its rows.
        values: Vec<(String, u64)>,
    },
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writing {
    /// The sign before the decimals.
    pub decimal: char,
    /// The sign between thousands; `None` for none.
    pub thousands: Option<char>,
}

impl DataProfile {
    /// The same with columns in order of name, so that their order in a file leaves no trace.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.tables
            .iter_mut()
            .for_each(|table| table.columns.sort_by(|a, b| a.column.cmp(&b.column)));
        self
    }

    /// A table by the name that the config gives it.
    pub fn table(&self, name: &str) -> Option<&TableProfile> {
        self.tables.iter().find(|table| table.table == name)
    }
}

impl TableProfile {
    /// A column by its name.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        self.columns.iter().find(|column| column.column == name)
    }
}
