//! Where the tables of a config are in the engine, and what their columns hold.

use std::collections::{BTreeMap, BTreeSet};

use leadscore_config::TimeKind;

/// Where the tables of a config are in the engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SqlSources {
    /// By the table's name in the config: `leads`, `outcomes`, `history`, `activities.NAME`,
    /// `lookups.NAME`.
    pub tables: BTreeMap<String, SqlSource>,
    /// The attributes that the history knows.
    pub with_history: BTreeSet<String>,
}

/// One table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SqlSource {
    /// As it stands behind FROM: a name, quoted where it needs that, or a query in brackets.
    pub from: String,
    /// What its time columns hold; a column that is not listed holds timestamps.
    pub times: BTreeMap<String, TimeKind>,
}
