//! What no key of a config says wrong by itself: keys that contradict each other, or miss one
//! another.

use leadscore_core::location_has_credentials;

use super::columns::ColumnType;
use super::contract::Config;
use super::location::{Location, is_remote};
use super::merges::MergesConfig;
use super::store::StoreConfig;
use super::table_id::TableId;
use super::tables::TableRef;
use super::text::ConfigError;

impl Config {
    /// Fails at the first thing that cannot be meant.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.check_columns()?;
        for table in self.tables() {
            if table.id == TableId::Outcomes && !self.has_outcomes() {
                continue;
            }
            check_place(&table)?;
        }
        if self.outcomes.flag.is_some() {
            self.check_flat()?;
        } else {
            self.check_dated()?;
        }
        if let Some((found, help)) = self.data.defect() {
            return ConfigError::refuse(found, help);
        }
        self.check_days()?;
        self.check_links()?;
        self.merges.iter().try_for_each(MergesConfig::check)?;
        self.guards.check()?;
        self.operation.check()?;
        self.store.iter().try_for_each(StoreConfig::check)?;
        self.serve.check()?;
        self.model.check()?;
        self.outcomes.check_values()?;
        self.snapshots.check()?;
        self.features.check()?;
        if self.is_flat() && self.leads.account.is_some() {
            return ConfigError::refuse(
                "[leads] `account` needs dates, and undated data has none",
                "remove it; the account's columns can be a lookup",
            );
        }
        self.activities
            .iter()
            .try_for_each(|(name, activity)| activity.check(name))
    }

    /// Fails where days are to be learned from what no snapshot sees as an attribute.
    fn check_days(&self) -> Result<(), ConfigError> {
        for table in self.tables() {
            // Types of events that are columns of the leads are the leads' own.
            let is_of_leads = std::ptr::eq(table.file.types, &raw const self.leads.types);
            if is_of_leads && table.id != TableId::Leads {
                continue;
            }
            let mut types = table.file.types.iter();
            let Some((column, _)) = types.find(|(_, kind)| **kind == ColumnType::Days) else {
                continue;
            };
            let heading = table.id.heading();
            match table.id {
                TableId::Leads | TableId::Lookup(_) if !self.is_flat() => {}
                TableId::Leads | TableId::Lookup(_) => {
                    return ConfigError::refuse(
                        &format!(
                            "{heading} `types` declares `{column}` as \"days\", and undated data has no snapshots to count days from"
                        ),
                        "write the number of days into a column, or declare it as \"time\" to leave it out",
                    );
                }
                TableId::Outcomes
                | TableId::History
                | TableId::Activities(_)
                | TableId::Link(_)
                | TableId::Merges
                | TableId::Deleted => {
                    return ConfigError::refuse(
                        &format!(
                            "{heading} `types` declares `{column}` as \"days\", which only columns of [leads] and of lookups can be"
                        ),
                        "take it out; of a history, declare the attribute in `types` of [leads]",
                    );
                }
            }
        }
        Ok(())
    }

    /// Fails where a flat export has what needs dates.
    fn check_flat(&self) -> Result<(), ConfigError> {
        self.outcomes.check_flag()?;
        if !self.activities.is_empty()
            || !self.links.is_empty()
            || self.merges.is_some()
            || self.history.is_some()
            || self
                .lookups
                .values()
                .any(|lookup| lookup.changed_at.is_some())
        {
            return ConfigError::refuse(
                "undated data (outcomes by `flag`) has no dates, so activities and history cannot be placed in time",
                "give [outcomes] a `path` and a `closed_at`, or leave the event tables out",
            );
        }
        self.snapshots.check_flat()
    }

    /// Fails where tables with dates lack one, or have what is for flat exports.
    fn check_dated(&self) -> Result<(), ConfigError> {
        self.outcomes.check_columns()?;
        if self.leads.created_at.is_none() {
            return ConfigError::refuse(
                "[leads] has no `created_at`",
                "name the column with the time of creation, or give [outcomes] a `flag` for undated data",
            );
        }
        self.outcomes.check_result()?;
        if self.snapshots.order_by.is_some() {
            return ConfigError::refuse(
                "[snapshots] `order_by` is for undated data",
                "remove it: these leads have dates",
            );
        }
        Ok(())
    }
}

/// Fails where a table has no place, two of them, or one that no table is read from.
fn check_place(table: &TableRef<'_>) -> Result<(), ConfigError> {
    let location = table.file.location;
    let heading = table.id.heading();
    match (location, table.query) {
        (Location::One(_) | Location::Many(_), Some(_)) if !location.is_nowhere() => {
            return ConfigError::refuse(
                &format!("{heading} has both `path` and `query`"),
                "keep the one where its rows are",
            );
        }
        (path, None) if path.is_nowhere() => {
            let or = if table.id == TableId::Outcomes {
                "; or give a `flag`, if the leads say themselves which were won"
            } else {
                ""
            };
            return ConfigError::refuse(
                &format!("{heading} has no `path`"),
                &format!("name its file, write a `query`, or in Python pass it as a frame{or}"),
            );
        }
        _ => {}
    }
    let paths = location.paths();
    if paths.iter().any(|path| location_has_credentials(path)) {
        return ConfigError::refuse(
            &format!(
                "`path` of {heading} has a user, a password or a key in it, and a config is read by many"
            ),
            "take it out: credentials come from the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (docs/object-stores.md)",
        );
    }
    // What is no store's, such as the address of a database, may have a secret anywhere in it.
    let is_address = |path: &String| path.contains("://") && !is_remote(path);
    if paths.iter().any(is_address) {
        return ConfigError::refuse(
            &format!("`path` of {heading} is an address that no table is read from"),
            "a path is a file, or an object such as s3://bucket/leads.parquet; rows of a database come by `query` (docs/databases.md)",
        );
    }
    Ok(())
}
