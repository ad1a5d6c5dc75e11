//! The contract of `leadscore.toml`: what each table is, read strictly, with the place of every
//! error, and the lines that would settle a doubt about a table.
//!
//! One file a section; here they are put together, read and checked.

mod contract;

mod activities;
mod data;
mod database;
mod deleted;
mod features;
mod guards;
mod history;
mod leads;
mod links;
mod lookups;
mod merges;
mod model;
mod operation;
mod outcomes;
mod report;
mod serve;
mod snapshots;
mod store;
mod tiers;

mod columns;
mod location;
mod moment;
mod scalar;
mod site_address;
mod table;
mod text;

mod associations;
mod bytes;
mod check;
mod doubt;
mod familiar;
pub mod lines;
mod parts;
mod table_id;
mod tables;
mod time_kind;

use std::collections::BTreeMap;

pub use activities::ActivityConfig;
pub use bytes::Bytes;
pub use columns::{ColumnType, NumberStyle, Parentheses, PerColumn, is_excluded, null_values};
pub use contract::Config;
pub use data::{DataConfig, Latest};
pub use database::{DatabaseConfig, Query};
pub use deleted::DeletedConfig;
pub use doubt::{Doubt, Setting, Share, Subject, listed, quoted, shortened};
pub use features::{FamilyChoice, FeaturesConfig};
pub use guards::GuardsConfig;
pub use history::HistoryConfig;
pub use leads::LeadsConfig;
pub use links::{LinkConfig, YES};
pub use location::{InMemory, Location, OneOrMany, is_remote};
pub use lookups::LookupConfig;
pub use merges::MergesConfig;
pub use model::{
    ModelConfig, ModelDirection, ModelHalfLife, ModelKind, ModelLabel, ModelSmoothing,
};
pub use moment::Moment;
pub use operation::{OperationConfig, Promotion};
pub use outcomes::OutcomesConfig;
pub use report::{Capacity, DAYS_OF_MONTH, ReportConfig};
pub use scalar::Scalar;
pub use serve::{ServeConfig, ThresholdConfig};
pub use site_address::SiteAddress;
pub use snapshots::{Every, ObservationEnd, SnapshotsConfig};
pub use store::StoreConfig;
pub use table::{EVENT_KIND, EVENT_TIME, FileConfig};
pub use table_id::TableId;
pub use tables::TableRef;
pub use text::{ConfigError, nearest, parse_toml};
pub use tiers::{TierEdges, TiersConfig};
pub use time_kind::{TimeKind, TimeKinds};

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
    /// use leadscore_config::Config;
    /// let error = Config::parse("[leads]\npath = \"a.csv\"\nid = \"id\"\n[outcome]\nflag = \"won\"\n").unwrap_err();
    /// assert!(error.to_string().contains("did you mean `outcomes`?"));
    /// ```
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::parse_for::<()>(text, &BTreeMap::new())
    }

    /// The config, with the parts that follow from others.
    fn read(text: &str) -> Result<Self, ConfigError> {
        let mut config: Self = parse_toml(text)?;
        let id = &config.leads.id;
        let activities = config.activities.values_mut();
        activities.for_each(|activity| activity.resolve(id));
        Ok(config)
    }

    /// Reads and checks a config some of whose tables stand in memory, by their name: these need no
    /// `path`.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`]; or the config has no table of such a name.
    pub fn parse_for<T>(text: &str, frames: &BTreeMap<String, T>) -> Result<Self, ConfigError>
    where
        T: Clone + Send + Sync + 'static,
    {
        let mut config = Self::read(text)?;
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
    pub fn parse_for_one<T>(text: &str, frames: &BTreeMap<String, T>) -> Result<Self, ConfigError>
    where
        T: Clone + Send + Sync + 'static,
    {
        let mut config = Self::read(text)?;
        config.put_frames(frames)?;
        (config.leads.path, config.leads.query) = (Location::NoRows, None);
        if !config.is_flat() {
            config.outcomes = OutcomesConfig::default();
        }
        config.activities.values_mut().for_each(|activity| {
            (activity.path, activity.query) = (Location::NoRows, None);
            // Of one lead the events are given as such, each with its time and its kind.
            activity.columns.clear();
            activity.via = None;
        });
        config
            .history
            .iter_mut()
            .for_each(|history| (history.path, history.query) = (Location::NoRows, None));
        // Of no rows nothing is linked.
        config.links.clear();
        config.merges = None;
        config
            .lookups
            .values_mut()
            .filter(|lookup| lookup.path.is_nowhere() && lookup.query.is_none())
            .for_each(|lookup| lookup.path = Location::NoRows);
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
        let mut config = Self::read(text)?;
        let with_query: Vec<TableId> = config
            .tables()
            .filter(|table| table.query.is_some())
            .map(|table| table.id)
            .collect();
        // Leads may be scored without outcomes, and be said to have closed by a column of theirs.
        let has_outcomes = config.outcomes.lead.is_some() && config.outcomes.flag.is_none();
        let of_leads: Vec<TableId> = config
            .activities
            .iter()
            .filter(|(_, activity)| activity.events().is_some())
            .map(|(name, _)| TableId::Activities(name.clone()))
            .collect();
        for (table, location) in config.locations_mut() {
            let is_table =
                (table != TableId::Outcomes || has_outcomes) && !of_leads.contains(&table);
            if is_table && location.is_nowhere() && !with_query.contains(&table) {
                *location = Location::NoRows;
            }
        }
        config.check()?;
        Ok(config)
    }
}
