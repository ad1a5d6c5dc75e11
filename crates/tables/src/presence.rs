//! What a config says, held against what there is: the files of its tables, and whether there are
//! outcomes.

use leadscore_core::printable;
use std::path::{Path, PathBuf};

use crate::config::{Config, FileConfig, Location, ObservationEnd, OutcomesConfig};
use crate::error::TablesError;
use crate::frame::Frame;
use crate::source::find;

impl Config {
    /// Fails where the config says nothing of outcomes.
    ///
    /// # Errors
    ///
    /// [`TablesError::Content`] says what can be done without them.
    pub fn require_outcomes(&self) -> Result<(), TablesError> {
        if self.has_outcomes() {
            return Ok(());
        }
        Err(TablesError::Content {
            table: "[outcomes]".to_owned(),
            found: "the config has no such table, and only `score` and `explain` can do without"
                .to_owned(),
            help: "name the table with the leads that were won or lost, and when".to_owned(),
        })
    }

    /// Where there are no outcomes, puts a table without rows in their place, and says why: no lead
    /// has closed then.
    pub fn do_without_outcomes(&mut self, folder: &Path) -> Option<String> {
        let outcomes = &self.outcomes;
        let why = if !self.has_outcomes() {
            "the config has no [outcomes]".to_owned()
        } else if let (Location::One(_) | Location::Many(_), false) =
            (&outcomes.path, outcomes.path.is_nowhere())
        {
            match find("[outcomes]", folder, outcomes.path.paths()) {
                Err(TablesError::Missing { table, path }) => {
                    format!("{table}: no file at {}", printable(&path.to_string_lossy()))
                }
                _ => return None,
            }
        } else {
            return None;
        };
        self.outcomes = OutcomesConfig {
            path: Location::Frame(Frame::empty(&["lead", "closed_at"])),
            ..OutcomesConfig::default()
        };
        (self.outcomes.lead, self.outcomes.closed_at) =
            (Some("lead".to_owned()), Some("closed_at".to_owned()));
        if self.snapshots.observation_end == Some(ObservationEnd::Outcomes) {
            self.snapshots.observation_end = None;
        }
        Some(why)
    }

    /// The files of all tables, as far as they are there.
    pub fn paths(&self, folder: &Path) -> Vec<PathBuf> {
        let found = |(name, file): (String, FileConfig<'_>)| match file.location {
            Location::One(one) => find(&name, folder, std::slice::from_ref(one)).ok(),
            Location::Many(many) => find(&name, folder, many).ok(),
            Location::Frame(_) => None,
        };
        self.files()
            .into_iter()
            .filter_map(found)
            .flatten()
            .collect()
    }
}
