//! From a config to typed tables: each file read once, joined by lead, with a note for everything
//! left out and a doubt for everything that could be read two ways.

mod activities;
mod attributes;
mod before_creation;
mod change_order;
mod contradictions;
mod gathered;
mod history;
mod history_dates;
mod history_kinds;
mod joining;
mod keying;
mod leads;
mod loading;
mod log;
mod log_order;
mod lookups;
mod matching;
mod origin;
mod outcomes;
mod results;
mod roles;
mod unlinked;

use std::path::Path;

use leads::lead_ids;
use leadscore_config::Config;
use leadscore_config::Doubt;
use leadscore_dataset::{LoadOptions, Tables};

use crate::bounds::Bounds;
use crate::error::TablesError;
use crate::scan::Table;

pub use change_order::unordered_changes;
pub(crate) use gathered::add_table_notes;
pub(crate) use keying::{is_keyed_by_account, key_column, time_column};
pub use loading::ReadTables;
pub(crate) use loading::{first_where, load_from};
pub use log_order::{unordered_log, unordered_log_doubt};
pub(crate) use lookups::read_lookups;
pub(crate) use matching::{Matchings, expectation};
pub(crate) use origin::{Origin, SpilledTables};
pub(crate) use results::{check_for_results, spelled_doubt};
pub(crate) use roles::{check_columns, count_times, guess_types, spilled_columns};
pub use unlinked::{UnlinkedIds, unlinked_doubt};

/// Reads all tables of a config, whose paths are relative to `folder`.
///
/// # Errors
///
/// [`TablesError`] names file, line and column of the first thing that is not as the config says;
/// [`TablesError::Doubts`] holds everything that could be read two ways, with the lines of config
/// that settle it.
pub fn load(config: &Config, folder: &Path, options: &LoadOptions) -> Result<Tables, TablesError> {
    match look(config, folder, options)? {
        (tables, doubts) if doubts.is_empty() => Ok(tables),
        (_, doubts) => Err(TablesError::Doubts(doubts)),
    }
}

/// Reads all tables, and says what is to be settled before anything may be computed from them: what
/// it is about is missing in the tables.
///
/// # Errors
///
/// As [`load`], less the doubts.
pub fn look(
    config: &Config,
    folder: &Path,
    options: &LoadOptions,
) -> Result<(Tables, Vec<Doubt>), TablesError> {
    load_from(
        config,
        &Origin::Files(
            folder,
            Bounds::new(config, options.now).within(options.memory),
        ),
        options,
    )
}

/// Fails where a lead has no id, or stands there twice.
pub(crate) fn check_ids(config: &Config, leads: &Table<'_>) -> Result<(), TablesError> {
    lead_ids(&leads.read(&[&config.leads.id])?, &config.leads.id).map(drop)
}
