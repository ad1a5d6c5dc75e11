//! The parts that columns play: which a config names, with the types that each part allows.

use std::collections::BTreeMap;

use leadscore_values::TimeFormat;

use super::activities::ActivityConfig;
use super::columns::{ColumnType, PerColumn};
use super::contract::Config;
use super::deleted::DeletedConfig;
use super::history::HistoryConfig;
use super::leads::LeadsConfig;
use super::links::LinkConfig;
use super::location::OneOrMany;
use super::lookups::LookupConfig;
use super::merges::MergesConfig;
use super::outcomes::OutcomesConfig;
use super::table::FileConfig;
use super::text::ConfigError;

/// A column that plays a part which allows some types only.
struct Part {
    table: String,
    key: &'static str,
    column: String,
    allowed: &'static [&'static str],
}

impl Part {
    /// Fails where `types` gives the column a type that the part does not allow.
    fn check(&self, types: &BTreeMap<String, ColumnType>) -> Result<(), ConfigError> {
        let Self {
            table,
            key,
            column,
            allowed,
        } = self;
        match types.get(column) {
            Some(found) if !allowed.contains(&found.name()) => Err(ConfigError::new(
                format!(
                    "{table} `types` declares `{column}` as \"{}\", and `{key}` names it",
                    found.name()
                ),
                format!(
                    "as `{key}` it is a {}: take it out of `types`, or name another column",
                    allowed[0]
                ),
            )),
            _ => Ok(()),
        }
    }
}

const TIME: &[&str] = &["time"];
const NUMBER: &[&str] = &["number"];
const KEY: &[&str] = &["id", "category"];
const WORD: &[&str] = &["category", "id"];
const KIND: &[&str] = &["category", "id", "set", "words"];

/// The parts of columns, table by table.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn add<'c>(
        &mut self,
        table: &str,
        key: &'static str,
        columns: impl IntoIterator<Item = &'c String>,
        allowed: &'static [&'static str],
    ) {
        self.0.extend(columns.into_iter().map(|column| Part {
            table: table.to_owned(),
            key,
            column: column.clone(),
            allowed,
        }));
    }

    /// Parts that columns of the leads play.
    fn of_leads(&mut self, leads: &LeadsConfig) {
        let table = "[leads]";
        self.add(table, "id", [&leads.id], KEY);
        self.add(table, "created_at", &leads.created_at, TIME);
        self.add(table, "recorded_at", &leads.recorded_at, TIME);
        self.add(table, "account", &leads.account, KEY);
        let scores = leads
            .manual_score
            .as_ref()
            .map(OneOrMany::to_vec)
            .unwrap_or_default();
        self.add(table, "manual_score", &scores, NUMBER);
    }

    /// Those of the outcomes.
    fn of_outcomes(&mut self, outcomes: &OutcomesConfig) {
        let table = "[outcomes]";
        self.add(table, "lead", &outcomes.lead, KEY);
        self.add(table, "closed_at", &outcomes.closed_at, TIME);
        self.add(table, "recorded_at", &outcomes.recorded_at, TIME);
        self.add(table, "result", &outcomes.result, WORD);
        self.add(table, "amount", &outcomes.amount, NUMBER);
    }

    /// Those of an event table.
    fn of_activity(&mut self, name: &str, activity: &ActivityConfig) {
        let table = format!("[activities.{name}]");
        self.add(&table, "lead", &activity.lead, KEY);
        self.add(&table, "account", &activity.account, KEY);
        let at = [&activity.at];
        let at = at.iter().filter(|_| activity.columns.is_empty()).copied();
        self.add(&table, "at", at, TIME);
        self.add(&table, "columns", &activity.columns, TIME);
        self.add(&table, "recorded_at", &activity.recorded_at, TIME);
        let kind = activity.kind.iter().filter(|_| activity.columns.is_empty());
        self.add(&table, "kind", kind, KIND);
        self.add(&table, "values", &activity.values, NUMBER);
    }

    /// Those of a lookup.
    fn of_lookup(&mut self, name: &str, lookup: &LookupConfig) {
        let table = format!("[lookups.{name}]");
        self.add(&table, "key", [&lookup.key], KEY);
        self.add(&table, "changed_at", &lookup.changed_at, TIME);
    }

    /// Those of an association table.
    fn of_link(&mut self, name: &str, link: &LinkConfig) {
        let table = format!("[links.{name}]");
        self.add(&table, "from", [&link.from], KEY);
        self.add(&table, "lead", [&link.lead], KEY);
        self.add(&table, "primary", &link.primary, WORD);
        self.add(&table, "linked_at", &link.linked_at, TIME);
    }

    /// Those of the merges.
    fn of_merges(&mut self, merges: &MergesConfig) {
        let table = "[merges]";
        self.add(table, "from", [&merges.from], KEY);
        self.add(table, "into", [&merges.into], KEY);
        self.add(table, "at", &merges.at, TIME);
    }

    /// Those of the archive of deleted leads.
    fn of_deleted(&mut self, deleted: &DeletedConfig) {
        let table = "[deleted]";
        self.add(table, "lead", [&deleted.lead], KEY);
        self.add(table, "at", &deleted.at, TIME);
    }

    /// Those of the history.
    fn of_history(&mut self, history: &HistoryConfig) {
        let table = "[history]";
        self.add(table, "lead", [&history.lead], KEY);
        self.add(table, "changed_at", [&history.changed_at], TIME);
        self.add(table, "sequence", &history.sequence, NUMBER);
    }
}

impl Config {
    /// Every column of a table that the config names, in no order that matters.
    pub fn named_columns(&self, table: &str) -> Vec<String> {
        let mut columns: Vec<String> = self
            .parts()
            .into_iter()
            .filter(|part| part.table == table)
            .map(|part| part.column)
            .collect();
        columns.extend(
            self.tables()
                .filter(|known| known.id.heading() == table)
                .flat_map(|known| known.file.named_columns())
                .map(|(_, column)| column.to_owned()),
        );
        columns.extend(self.columns_without_a_type(table).into_iter().cloned());
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Columns of a table that the config names for what any type can do.
    fn columns_without_a_type(&self, table: &str) -> Vec<&String> {
        let leads = &self.leads;
        let mut columns = Vec::new();
        match table {
            "[leads]" => {
                columns.extend(leads.attributes.iter().flatten());
                columns.extend(&leads.exclude);
                columns.extend(
                    self.lookups
                        .values()
                        .map(|lookup| lookup.leads_key.as_ref().unwrap_or(&lookup.key)),
                );
                columns.extend(
                    self.activities
                        .values()
                        .filter_map(|activity| activity.account.as_ref()),
                );
                columns.extend(&self.outcomes.flag);
                columns.extend(&self.snapshots.order_by);
            }
            "[history]" => {
                if let Some(history) = &self.history {
                    columns.extend([&history.attribute, &history.value]);
                    columns.extend(&history.old_value);
                }
            }
            _ => {
                let lookup = self
                    .lookups
                    .iter()
                    .find(|(name, _)| format!("[lookups.{name}]") == table);
                if let Some((_, lookup)) = lookup {
                    columns.extend(lookup.attributes.iter().flatten());
                    columns.extend(&lookup.exclude);
                }
            }
        }
        columns
    }

    /// Columns that play a part which allows one type only, with the key that names them.
    fn parts(&self) -> Vec<Part> {
        let mut parts = Parts::default();
        parts.of_leads(&self.leads);
        parts.of_outcomes(&self.outcomes);
        for (name, activity) in &self.activities {
            parts.of_activity(name, activity);
        }
        for (name, lookup) in &self.lookups {
            parts.of_lookup(name, lookup);
        }
        if let Some(merges) = &self.merges {
            parts.of_merges(merges);
        }
        if let Some(deleted) = &self.deleted {
            parts.of_deleted(deleted);
        }
        for (name, link) in &self.links {
            parts.of_link(name, link);
        }
        if let Some(history) = &self.history {
            parts.of_history(history);
        }
        parts.0
    }

    /// Fails where a setting of a table cannot be followed, or contradicts the part that a column
    /// plays.
    pub(super) fn check_columns(&self) -> Result<(), ConfigError> {
        let tables: Vec<(String, FileConfig<'_>)> = self
            .tables()
            .map(|table| (table.id.heading(), table.file))
            .collect();
        tables
            .iter()
            .try_for_each(|(table, file)| check_settings(table, file))?;
        self.parts().iter().try_for_each(|part| {
            tables
                .iter()
                .find(|(name, _)| *name == part.table)
                .map_or(Ok(()), |(_, file)| part.check(file.types))
        })
    }
}

/// Fails where a format of times, or what stands between several ids, is none.
fn check_settings(table: &str, file: &FileConfig<'_>) -> Result<(), ConfigError> {
    for (column, text) in file.time_format.into_iter().flat_map(PerColumn::values) {
        if let Err(why) = TimeFormat::declared(text) {
            let of = column
                .map(|column| format!(" of `{column}`"))
                .unwrap_or_default();
            return Err(ConfigError::new(
                format!("{table} `time_format`{of} is `{text}`, which cannot be followed"),
                why,
            ));
        }
    }
    if file.explode.is_some_and(str::is_empty) {
        return Err(ConfigError::new(
            format!("{table} `explode` is empty"),
            "name a list of objects, such as \"properties.history\"",
        ));
    }
    if file
        .several
        .is_some_and(|(_, separator)| separator.is_empty())
    {
        return Err(ConfigError::new(
            format!("{table} `separator` is empty"),
            "write the separator of two ids in a cell, such as \";\"",
        ));
    }
    Ok(())
}
