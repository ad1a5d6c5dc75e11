//! What a config says, held against what there is: the files of its tables, and whether there are
//! outcomes.

use std::path::{Path, PathBuf};

use leadscore_config::{Config, InMemory, Location, ObservationEnd, OutcomesConfig, TableRef};
use leadscore_core::printable;

use crate::error::TablesError;
use crate::frame::Frame;
use crate::source::find;

/// Fails where the config says nothing of outcomes.
///
/// # Errors
///
/// [`TablesError::Content`] says what can be done without them.
pub fn require_outcomes(config: &Config) -> Result<(), TablesError> {
    if config.has_outcomes() {
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
pub fn do_without_outcomes(config: &mut Config, folder: &Path) -> Option<String> {
    let outcomes = &config.outcomes;
    let why = if !config.has_outcomes() {
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
    config.outcomes = OutcomesConfig {
        path: Location::Memory(InMemory::new(Frame::empty(&["lead", "closed_at"]))),
        ..OutcomesConfig::default()
    };
    (config.outcomes.lead, config.outcomes.closed_at) =
        (Some("lead".to_owned()), Some("closed_at".to_owned()));
    if config.snapshots.observation_end == Some(ObservationEnd::Outcomes) {
        config.snapshots.observation_end = None;
    }
    Some(why)
}

/// The files of all tables, as far as they are there.
pub fn table_paths(config: &Config, folder: &Path) -> Vec<PathBuf> {
    let found = |table: TableRef<'_>| match table.file.location {
        Location::One(_) | Location::Many(_) => {
            find(&table.id.heading(), folder, table.file.location.paths()).ok()
        }
        Location::Memory(_) | Location::NoRows => None,
    };
    config.tables().filter_map(found).flatten().collect()
}
