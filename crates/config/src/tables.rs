//! The tables of a config: where the rows of each are, and how its files are to be read.

use std::collections::BTreeMap;

use leadscore_core::SecretUri;

use super::contract::Config;
use super::database::Query;
use super::location::{InMemory, Location, is_remote};
use super::table::FileConfig;
use super::table_id::TableId;
use super::text::{ConfigError, nearest};

/// A table of a config, with what the keys that all tables have say of it.
#[derive(Debug, Clone)]
pub struct TableRef<'c> {
    /// Which table it is.
    pub id: TableId,
    /// Where its rows are, unless a query has them, and how they are to be read.
    pub file: FileConfig<'c>,
    /// In place of files, a query whose rows are the table.
    pub query: Option<&'c str>,
    /// The database of the query, if it is the table's own.
    pub uri: Option<&'c SecretUri>,
    /// The column that says whose a row is: the id of the leads, a lead or an account.
    pub key: Option<&'c str>,
    /// Its columns of time: the first says where the table ends.
    pub times: Vec<&'c str>,
    /// Of ids that belong together, the column that says from when they do.
    pub since: Option<&'c str>,
}

impl<'c> TableRef<'c> {
    /// The query whose rows are the table; `None` of a table that stands in memory already.
    pub fn asked(&self) -> Option<&'c str> {
        self.query.filter(|_| self.file.location.is_nowhere())
    }
}

/// A table, from the config of whatever section it is.
macro_rules! table_ref {
    ($id:expr, $section:expr, $key:expr, $times:expr) => {{
        let section = $section;
        TableRef {
            id: $id,
            file: section.file(),
            query: section.query.as_deref(),
            uri: section.uri.as_ref(),
            key: $key.map(String::as_str),
            times: $times.into_iter().flatten().map(String::as_str).collect(),
            since: None,
        }
    }};
}

impl Config {
    /// Every table of the config, in the order leads, outcomes, history, activities, lookups, links,
    /// merges, deleted.
    /// Where a column of the leads says which were won, outcomes are no table.
    pub fn tables(&self) -> impl Iterator<Item = TableRef<'_>> {
        let leads = table_ref!(
            TableId::Leads,
            &self.leads,
            Some(&self.leads.id),
            [self.leads.created_at.as_ref()]
        );
        let outcomes = &self.outcomes;
        let outcomes = outcomes.flag.is_none().then(|| {
            table_ref!(
                TableId::Outcomes,
                outcomes,
                outcomes.lead.as_ref(),
                [outcomes.recorded_at.as_ref(), outcomes.closed_at.as_ref()]
            )
        });
        let history = self.history.iter().map(|history| {
            table_ref!(
                TableId::History,
                history,
                Some(&history.lead),
                [Some(&history.changed_at)]
            )
        });
        let activities = self.activities.iter().map(|(name, activity)| {
            let own = table_ref!(
                TableId::Activities(name.clone()),
                activity,
                activity.lead.as_ref().or(activity.account.as_ref()),
                [activity.recorded_at.as_ref(), Some(&activity.at)]
            );
            // Columns of times are those of the leads, unless another table is named.
            if own.file.events.is_none() || own.query.is_some() || !own.file.location.is_nowhere() {
                return own;
            }
            TableRef {
                file: own.file.of_same_file(self.leads.file()),
                query: self.leads.query.as_deref(),
                uri: self.leads.uri.as_ref(),
                ..own
            }
        });
        let lookups = self.lookups.iter().map(|(name, lookup)| {
            table_ref!(
                TableId::Lookup(name.clone()),
                lookup,
                Some(&lookup.key),
                [lookup.changed_at.as_ref()]
            )
        });
        // Whose ids belong together is no event: it says nothing of where the data ends.
        const NO_TIME: [Option<&String>; 1] = [None];
        let links = self.links.iter().map(|(name, link)| TableRef {
            since: link.linked_at.as_deref(),
            ..table_ref!(TableId::Link(name.clone()), link, Some(&link.from), NO_TIME)
        });
        let merges = self.merges.iter().map(|merges| TableRef {
            since: merges.at.as_deref(),
            ..table_ref!(TableId::Merges, merges, Some(&merges.from), NO_TIME)
        });
        let deleted = self
            .deleted
            .iter()
            .map(|deleted| table_ref!(TableId::Deleted, deleted, Some(&deleted.lead), NO_TIME));
        std::iter::once(leads)
            .chain(outcomes)
            .chain(history)
            .chain(activities)
            .chain(lookups)
            .chain(links)
            .chain(merges)
            .chain(deleted)
    }

    /// Whether something says which rows were deleted.
    pub fn has_deletions(&self) -> bool {
        self.deleted.is_some() || self.tables().any(|table| table.file.deleted.is_some())
    }

    /// The tables whose rows belong to leads or accounts: all but lookups, links, merges and what
    /// was deleted.
    pub fn row_tables(&self) -> impl Iterator<Item = TableRef<'_>> {
        self.tables().filter(|table| {
            !matches!(
                table.id,
                TableId::Lookup(_) | TableId::Link(_) | TableId::Merges | TableId::Deleted
            )
        })
    }

    /// The table of this name, if the config has it.
    pub fn table(&self, id: &TableId) -> Option<TableRef<'_>> {
        self.tables().find(|table| table.id == *id)
    }

    /// Whether some table is in an object store.
    pub fn has_objects(&self) -> bool {
        self.tables().any(|table| {
            table
                .file
                .location
                .paths()
                .iter()
                .any(|path| is_remote(path))
        })
    }

    /// The queries whose rows are tables; none of a table that stands in memory already.
    ///
    /// # Errors
    ///
    /// It is not said which database is asked. (An engine that the tables are in needs no such
    /// word.)
    pub fn queries(&self) -> Result<Vec<Query>, ConfigError> {
        let database = self.database.as_ref();
        let mut queries = Vec::new();
        for table in self.tables() {
            let Some(text) = table.asked() else {
                continue;
            };
            let Some(uri) = table.uri.or(database.map(|database| &database.uri)) else {
                return Err(ConfigError {
                    message: format!("{} has a `query` and no `uri`", table.id.heading()),
                    help: Some("say which database is asked, there or for all tables as `uri` of [database]".to_owned()),
                    span: None,
                    is_unknown_key: false,
                });
            };
            // A database of the table's own has the driver that its scheme asks for.
            let driver = database
                .filter(|_| table.uri.is_none())
                .and_then(|database| database.driver.clone());
            queries.push(Query {
                table: table.id.to_string(),
                text: text.to_owned(),
                uri: uri.clone(),
                driver,
            });
        }
        Ok(queries)
    }

    /// Where the rows of each table are, to be changed; of outcomes also where a column of the leads
    /// says which were won.
    pub fn locations_mut(&mut self) -> impl Iterator<Item = (TableId, &mut Location)> {
        let first = [
            (TableId::Leads, &mut self.leads.path),
            (TableId::Outcomes, &mut self.outcomes.path),
        ];
        let history = self.history.iter_mut();
        let activities = self.activities.iter_mut();
        let lookups = self.lookups.iter_mut();
        let links = self.links.iter_mut();
        let merges = self.merges.iter_mut();
        let deleted = self.deleted.iter_mut();
        first
            .into_iter()
            .chain(history.map(|table| (TableId::History, &mut table.path)))
            .chain(
                activities
                    .map(|(name, table)| (TableId::Activities(name.clone()), &mut table.path)),
            )
            .chain(lookups.map(|(name, table)| (TableId::Lookup(name.clone()), &mut table.path)))
            .chain(links.map(|(name, table)| (TableId::Link(name.clone()), &mut table.path)))
            .chain(merges.map(|table| (TableId::Merges, &mut table.path)))
            .chain(deleted.map(|table| (TableId::Deleted, &mut table.path)))
    }

    /// Puts tables that stand in memory in place of their files or queries, by their names, such as
    /// `leads` and `activities.visits`.
    ///
    /// # Errors
    ///
    /// The config has no table of such a name.
    pub fn put_frames<T>(&mut self, frames: &BTreeMap<String, T>) -> Result<(), ConfigError>
    where
        T: Clone + Send + Sync + 'static,
    {
        for (name, frame) in frames {
            let mut known = Vec::new();
            let mut is_known = false;
            for (id, location) in self.locations_mut() {
                known.push(id.to_string());
                if known.last() == Some(name) {
                    *location = Location::Memory(InMemory::new(frame.clone()));
                    is_known = true;
                }
            }
            if !is_known {
                let near = nearest(name, known.iter().map(String::as_str))
                    .map(|near| format!("did you mean `{near}`? "))
                    .unwrap_or_default();
                return Err(ConfigError {
                    message: format!(
                        "a frame is given for `{name}`, and the config has no such table"
                    ),
                    help: Some(format!(
                        "{near}there are {}; each says which columns mean what",
                        known.join(", ")
                    )),
                    span: None,
                    is_unknown_key: false,
                });
            }
        }
        Ok(())
    }
}
