//! The tables of a config: where the rows of each are, and how its files are to be read.

use super::contract::Config;
use super::database::Query;
use super::location::{Location, Place};
use super::table::FileConfig;
use super::text::{ConfigError, nearest};
use crate::frame::Frames;

impl Config {
    /// The tables whose rows belong to leads or accounts, with how their files are to be read.
    pub(crate) fn row_tables(&self) -> Vec<(String, FileConfig<'_>)> {
        let mut tables = vec![("[leads]".to_owned(), self.leads.file())];
        if self.outcomes.flag.is_none() {
            tables.push(("[outcomes]".to_owned(), self.outcomes.file()));
        }
        tables.extend(
            self.history
                .as_ref()
                .map(|history| ("[history]".to_owned(), history.file())),
        );
        tables.extend(
            self.activities
                .iter()
                .map(|(name, activity)| (format!("[activities.{name}]"), activity.file())),
        );
        tables
    }

    /// Every table with how its file is to be read, by its name in the config.
    pub(crate) fn files(&self) -> Vec<(String, FileConfig<'_>)> {
        let mut files = self.row_tables();
        files.extend(
            self.lookups
                .iter()
                .map(|(name, lookup)| (format!("[lookups.{name}]"), lookup.file())),
        );
        files
    }

    /// Where the rows of each table are.
    pub(crate) fn places(&self) -> Vec<(String, Place<'_>)> {
        let mut places = vec![(
            "leads".to_owned(),
            Place::of(&self.leads.path, &self.leads.query, &self.leads.uri),
        )];
        if self.outcomes.flag.is_none() {
            places.push((
                "outcomes".to_owned(),
                Place::of(
                    &self.outcomes.path,
                    &self.outcomes.query,
                    &self.outcomes.uri,
                ),
            ));
        }
        places.extend(self.history.as_ref().map(|table| {
            (
                "history".to_owned(),
                Place::of(&table.path, &table.query, &table.uri),
            )
        }));
        places.extend(self.activities.iter().map(|(name, table)| {
            (
                format!("activities.{name}"),
                Place::of(&table.path, &table.query, &table.uri),
            )
        }));
        places.extend(self.lookups.iter().map(|(name, table)| {
            (
                format!("lookups.{name}"),
                Place::of(&table.path, &table.query, &table.uri),
            )
        }));
        places
    }

    /// Where the rows of each table are: its paths, or the query whose rows it is.
    pub fn sources(&self) -> Vec<(String, &Location, Option<&String>)> {
        self.places()
            .into_iter()
            .map(|(table, place)| {
                (
                    table,
                    place.path,
                    place.query.filter(|_| place.path.is_nowhere()),
                )
            })
            .collect()
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
        for (table, place) in self.places() {
            let Some(text) = place.query.filter(|_| place.path.is_nowhere()) else {
                continue;
            };
            let Some(uri) = place.uri.or(database.map(|database| &database.uri)) else {
                return Err(ConfigError {
                    message: format!("[{table}] has a `query` and no `uri`"),
                    help: Some("say which database is asked, there or for all tables as `uri` of [database]".to_owned()),
                    span: None,
                });
            };
            // A database of the table's own has the driver that its scheme asks for.
            let driver = database
                .filter(|_| place.uri.is_none())
                .and_then(|database| database.driver.clone());
            queries.push(Query {
                table,
                text: text.clone(),
                uri: uri.clone(),
                driver,
            });
        }
        Ok(queries)
    }

    /// Where the rows of each table are, to be changed.
    pub(crate) fn locations_mut(&mut self) -> Vec<(String, &mut Location)> {
        let mut locations = vec![
            ("leads".to_owned(), &mut self.leads.path),
            ("outcomes".to_owned(), &mut self.outcomes.path),
        ];
        locations.extend(
            self.history
                .as_mut()
                .map(|table| ("history".to_owned(), &mut table.path)),
        );
        locations.extend(
            self.activities
                .iter_mut()
                .map(|(name, table)| (format!("activities.{name}"), &mut table.path)),
        );
        locations.extend(
            self.lookups
                .iter_mut()
                .map(|(name, table)| (format!("lookups.{name}"), &mut table.path)),
        );
        locations
    }

    /// Puts tables that stand in memory in place of their files or queries.
    ///
    /// # Errors
    ///
    /// The config has no table of such a name.
    pub fn put_frames(&mut self, frames: &Frames) -> Result<(), ConfigError> {
        let mut locations = self.locations_mut();
        for (name, frame) in frames {
            match locations.iter_mut().find(|(known, _)| known == name) {
                Some((_, location)) => **location = Location::Frame(frame.clone()),
                None => {
                    let known: Vec<&str> =
                        locations.iter().map(|(name, _)| name.as_str()).collect();
                    let near = nearest(name, known.iter().copied())
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
                    });
                }
            }
        }
        Ok(())
    }
}
