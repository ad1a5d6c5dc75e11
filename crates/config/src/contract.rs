//! The whole contract, one field a section, and what follows from several of them together.

use std::collections::BTreeMap;

use leadscore_core::AttributeTable;
use schemars::JsonSchema;
use serde::Deserialize;

use super::activities::ActivityConfig;
use super::columns::ColumnType;
use super::data::DataConfig;
use super::database::DatabaseConfig;
use super::deleted::DeletedConfig;
use super::features::FeaturesConfig;
use super::guards::GuardsConfig;
use super::history::HistoryConfig;
use super::leads::LeadsConfig;
use super::links::LinkConfig;
use super::lookups::LookupConfig;
use super::merges::MergesConfig;
use super::model::ModelConfig;
use super::operation::OperationConfig;
use super::outcomes::OutcomesConfig;
use super::report::ReportConfig;
use super::serve::ServeConfig;
use super::snapshots::SnapshotsConfig;
use super::store::StoreConfig;
use super::tiers::TiersConfig;

/// The whole of `leadscore.toml`. Unknown keys are errors.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "leadscore.toml")]
pub struct Config {
    /// The leads: one row each.
    pub leads: LeadsConfig,
    /// What a lead points to, such as its account, by name.
    #[serde(default)]
    pub lookups: BTreeMap<String, LookupConfig>,
    /// Which id belongs to which leads, by name.
    #[serde(default)]
    pub links: BTreeMap<String, LinkConfig>,
    /// Which leads were merged into others.
    #[serde(default)]
    pub merges: Option<MergesConfig>,
    /// Which leads were deleted.
    #[serde(default)]
    pub deleted: Option<DeletedConfig>,
    /// Event tables, by name.
    #[serde(default)]
    pub activities: BTreeMap<String, ActivityConfig>,
    /// Which leads were won or lost, and when; `score` and `explain` can do without.
    #[serde(default)]
    pub outcomes: OutcomesConfig,
    /// What an attribute was, and when.
    #[serde(default)]
    pub history: Option<HistoryConfig>,
    /// When leads are looked at.
    #[serde(default)]
    pub snapshots: SnapshotsConfig,
    /// What is computed about them.
    #[serde(default)]
    pub features: FeaturesConfig,
    /// Which model is fitted.
    #[serde(default)]
    pub model: ModelConfig,
    /// Where tiers begin.
    #[serde(default)]
    pub tiers: TiersConfig,
    /// What the report shows, and how it looks.
    #[serde(default)]
    pub report: ReportConfig,
    /// Where queries are asked, and scores are written.
    #[serde(default)]
    pub database: Option<DatabaseConfig>,
    /// What can be meant.
    #[serde(default)]
    pub data: DataConfig,
    /// How unlike training leads may be.
    #[serde(default)]
    pub guards: GuardsConfig,
    /// How a model lives after it was trained.
    #[serde(default)]
    pub operation: OperationConfig,
    /// Where events are kept that come in while the server runs.
    #[serde(default)]
    pub store: Option<StoreConfig>,
    /// What the server shows and does.
    #[serde(default)]
    pub serve: ServeConfig,
}

impl Config {
    /// Whether the leads are a flat export: an outcome flag, no dates.
    pub fn is_flat(&self) -> bool {
        self.outcomes.flag.is_some()
    }

    /// Whether the config says anything of outcomes.
    pub fn has_outcomes(&self) -> bool {
        self.outcomes.are_there()
    }

    /// Why nothing is learned from a column by this config; `None` where it may be.
    pub fn leaves_out(&self, table: &AttributeTable, column: &str) -> Option<&'static str> {
        let (exclude, attributes, types) = match table {
            AttributeTable::Leads => (
                &self.leads.exclude,
                &self.leads.attributes,
                &self.leads.types,
            ),
            AttributeTable::Lookup(name) => {
                let lookup = self.lookups.get(name)?;
                (&lookup.exclude, &lookup.attributes, &lookup.types)
            }
        };
        if exclude.iter().any(|excluded| excluded == column) {
            return Some("`exclude` leaves it out");
        }
        match types.get(column) {
            Some(ColumnType::Id) => return Some("`types` calls it an id"),
            Some(ColumnType::Time) => return Some("`types` calls it a time"),
            Some(
                ColumnType::Number(_)
                | ColumnType::Category
                | ColumnType::Days
                | ColumnType::Tokens(_),
            )
            | None => {}
        }
        attributes
            .as_ref()
            .filter(|chosen| !chosen.iter().any(|one| one == column))
            .map(|_| "`attributes` does not name it")
    }

    /// Whether leads can be split into parts that share nothing: not where events are told apart by
    /// several accounts.
    pub fn is_splittable(&self) -> bool {
        self.entity_column().is_ok()
    }

    /// The column of the leads with the account that shares events with others, if any; the error
    /// is two that differ.
    pub fn entity_column(&self) -> Result<Option<&str>, (&str, &str)> {
        let mut columns = self.leads.account.as_deref().into_iter().chain(
            self.activities
                .values()
                .filter_map(|activity| activity.account.as_deref()),
        );
        let Some(first) = columns.next() else {
            return Ok(None);
        };
        match columns.find(|column| *column != first) {
            None => Ok(Some(first)),
            Some(other) => Err((first, other)),
        }
    }

    /// The column of the leads that keeps those of one account together, the first where the config
    /// names several.
    pub fn account_column(&self) -> Option<&str> {
        match self.entity_column() {
            Ok(column) => column,
            Err((first, _)) => Some(first),
        }
    }

    /// What columns of a table hold, and whether the config says how its numbers are written.
    pub fn types_of(&mut self, table: &str) -> Option<(&mut BTreeMap<String, ColumnType>, bool)> {
        if table == "[leads]" {
            return Some((&mut self.leads.types, self.leads.decimal_comma.is_some()));
        }
        let name = |kind: &str| table.strip_prefix(kind)?.strip_suffix(']');
        if let Some(activity) = name("[activities.").and_then(|name| self.activities.get_mut(name))
        {
            return Some((&mut activity.types, activity.decimal_comma.is_some()));
        }
        let lookup = name("[lookups.").and_then(|name| self.lookups.get_mut(name))?;
        Some((&mut lookup.types, lookup.decimal_comma.is_some()))
    }

    /// The JSON schema of the file, for editors.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}
