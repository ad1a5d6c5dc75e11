//! Whose the rows of a table are, and when they happened, by what the config says.

use leadscore_config::{ActivityConfig, Config, TableId};

/// The settings of an event table.
pub(super) fn activity<'c>(config: &'c Config, table: &str) -> Option<&'c ActivityConfig> {
    match TableId::named(table)? {
        TableId::Activities(name) => config.activities.get(&name),
        TableId::Leads
        | TableId::Outcomes
        | TableId::History
        | TableId::Lookup(_)
        | TableId::Link(_)
        | TableId::Merges
        | TableId::Deleted => None,
    }
}

/// The column that says whose a row is.
pub(crate) fn key_column<'c>(config: &'c Config, table: &str) -> &'c str {
    let id = TableId::named(table).expect("a table of the config");
    let key = config.table(&id).and_then(|table| table.key);
    key.expect("checked with the config")
}

/// Whether rows belong to accounts, not to leads.
pub(crate) fn is_keyed_by_account(config: &Config, table: &str) -> bool {
    activity(config, table).is_some_and(|activity| activity.account.is_some())
}

/// The column of an event table, or of the history, that says when a row happened.
pub(crate) fn time_column<'c>(config: &'c Config, table: &str) -> Option<&'c str> {
    match TableId::named(table)? {
        TableId::History => Some(config.history.as_ref()?.changed_at.as_str()),
        TableId::Activities(name) => Some(config.activities.get(&name)?.at.as_str()),
        TableId::Leads
        | TableId::Outcomes
        | TableId::Lookup(_)
        | TableId::Link(_)
        | TableId::Merges
        | TableId::Deleted => None,
    }
}
