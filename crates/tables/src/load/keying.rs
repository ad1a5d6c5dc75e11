//! Whose the rows of a table are, and when they happened, by what the config says.

use crate::config::{ActivityConfig, Config};

/// The settings of an event table.
pub(super) fn activity<'c>(config: &'c Config, table: &str) -> Option<&'c ActivityConfig> {
    config
        .activities
        .get(table.strip_prefix("[activities.")?.strip_suffix(']')?)
}

/// The column that says whose a row is.
pub(crate) fn key_column<'c>(config: &'c Config, table: &str) -> &'c str {
    let key = match table {
        "[leads]" => Some(&config.leads.id),
        "[outcomes]" => config.outcomes.lead.as_ref(),
        "[history]" => config.history.as_ref().map(|history| &history.lead),
        _ => activity(config, table)
            .and_then(|activity| activity.lead.as_ref().or(activity.account.as_ref())),
    };
    key.expect("checked with the config")
}

/// Whether rows belong to accounts, not to leads.
pub(crate) fn is_keyed_by_account(config: &Config, table: &str) -> bool {
    activity(config, table).is_some_and(|activity| activity.account.is_some())
}

/// The column of an event table, or of the history, that says when a row happened.
pub(crate) fn time_column<'c>(config: &'c Config, table: &str) -> Option<&'c str> {
    match table {
        "[history]" => config
            .history
            .as_ref()
            .map(|history| history.changed_at.as_str()),
        _ => activity(config, table).map(|activity| activity.at.as_str()),
    }
}
