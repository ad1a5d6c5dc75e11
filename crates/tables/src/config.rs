//! The contract of `leadscore.toml`: what each table is, read strictly, with the place of every
//! error. One file a section; here they are put together, read and checked.

mod contract;

mod activities;
mod data;
mod database;
mod features;
mod guards;
mod history;
mod leads;
mod lookups;
mod model;
mod outcomes;
mod report;
mod snapshots;
mod tiers;

mod columns;
mod location;
mod moment;
mod scalar;
mod table;
mod text;

mod check;
mod parts;
mod tables;

use crate::frame::{Frame, Frames};

pub use activities::ActivityConfig;
pub use columns::{ColumnType, NumberStyle, Parentheses, PerColumn, null_values};
pub use contract::Config;
pub use data::{DataConfig, Latest};
pub use database::{DatabaseConfig, Query};
pub use features::{FamilyChoice, FeaturesConfig};
pub use guards::GuardsConfig;
pub use history::HistoryConfig;
pub use leads::LeadsConfig;
pub(crate) use location::is_remote;
pub use location::{Location, OneOrMany};
pub use lookups::LookupConfig;
pub use model::{
    ModelConfig, ModelDirection, ModelHalfLife, ModelKind, ModelLabel, ModelSmoothing,
};
pub use moment::Moment;
pub use outcomes::OutcomesConfig;
pub use report::{Capacity, DAYS_OF_MONTH, ReportConfig};
pub use scalar::Scalar;
pub use snapshots::{Every, ObservationEnd, SnapshotsConfig};
pub use table::FileConfig;
pub use text::{ConfigError, nearest, parse_toml};
pub use tiers::{TierEdges, TiersConfig};

impl Config {
    /// Reads and checks a config.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the place: text that is not TOML, an unknown key (with the nearest
    /// known one), a value of another type, a missing key, keys that contradict each other.
    ///
    /// # Examples
    ///
    /// ```
    /// use leadscore_tables::Config;
    /// let error = Config::parse("[leads]\npath = \"a.csv\"\nid = \"id\"\n[outcome]\nflag = \"won\"\n").unwrap_err();
    /// assert!(error.to_string().contains("did you mean `outcomes`?"));
    /// ```
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::parse_for(text, &Frames::default())
    }

    /// Reads and checks a config some of whose tables stand in memory: these need no `path`.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`]; or the config has no table of such a name.
    pub fn parse_for(text: &str, frames: &Frames) -> Result<Self, ConfigError> {
        let mut config: Self = parse_toml(text)?;
        config.put_frames(frames)?;
        config.check()?;
        Ok(config)
    }

    /// Reads and checks a config for a lead that is in no table: of its tables, lookups alone are
    /// read, and those that have no place have no rows.
    ///
    /// # Errors
    ///
    /// As [`Self::parse_for`].
    pub fn parse_for_one(text: &str, frames: &Frames) -> Result<Self, ConfigError> {
        let mut config: Self = parse_toml(text)?;
        config.put_frames(frames)?;
        let none = || Location::Frame(Frame::empty(&[]));
        (config.leads.path, config.leads.query) = (none(), None);
        if !config.is_flat() {
            config.outcomes = OutcomesConfig::default();
        }
        config
            .activities
            .values_mut()
            .for_each(|activity| (activity.path, activity.query) = (none(), None));
        config
            .history
            .iter_mut()
            .for_each(|history| (history.path, history.query) = (none(), None));
        config
            .lookups
            .values_mut()
            .filter(|lookup| lookup.path.is_nowhere() && lookup.query.is_none())
            .for_each(|lookup| lookup.path = none());
        config.check()?;
        Ok(config)
    }

    /// Reads and checks a config without asking where its tables are: those that have no place may
    /// still be given as frames.
    ///
    /// # Errors
    ///
    /// As [`Self::parse_for`].
    pub fn parse_anywhere(text: &str) -> Result<Self, ConfigError> {
        let mut config: Self = parse_toml(text)?;
        let with_query: Vec<String> = config
            .places()
            .into_iter()
            .filter(|(_, place)| place.query.is_some())
            .map(|(table, _)| table)
            .collect();
        // Leads may be scored without outcomes, and be said to have closed by a column of theirs.
        let has_outcomes = config.outcomes.lead.is_some() && config.outcomes.flag.is_none();
        for (table, location) in config.locations_mut() {
            let is_table = table != "outcomes" || has_outcomes;
            if is_table && location.is_nowhere() && !with_query.contains(&table) {
                *location = Location::Frame(Frame::empty(&[]));
            }
        }
        config.check()?;
        Ok(config)
    }
}
