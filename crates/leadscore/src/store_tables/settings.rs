//! A config as its tables are once a store has their rows.

use std::collections::BTreeMap;

use leadscore_config::{Config, DataConfig, HistoryConfig, Location, PerColumn};
use leadscore_core::printable;
use leadscore_store::WORD_TABLE;

use super::columns::WORD_COLUMNS;
use crate::error::bail;

/// The column with the moment at which a row was recorded; rows have no column of this name.
pub const RECORDED: &str = "(recorded)";
/// The column with the moment of a change of a lead or of a row of a lookup.
pub const CHANGED_AT: &str = "(changed)";

/// Columns of the history that is made of the leads' rows.
pub(super) const LEAD: &str = "lead";
pub(super) const ATTRIBUTE: &str = "attribute";
pub(super) const VALUE: &str = "value";
pub(super) const OLD_VALUE: &str = "old_value";
pub(super) const SEQUENCE: &str = "sequence";

/// Fails where the config asks for what a store cannot do.
///
/// # Errors
///
/// The section or key, and what can be done instead.
pub fn check_store_settings(config: &Config) -> crate::Result<()> {
    if config.is_flat() {
        bail!(
            "[store] keeps events with their times, and this config is of undated data\n  hint: remove [store], or name tables with dates"
        );
    }
    if config.leads.created_at.is_none() {
        bail!(
            "[store] needs the time of creation of leads\n  hint: name its column as `created_at` of [leads]"
        );
    }
    let sections = [
        ("[links]", !config.links.is_empty()),
        ("[merges]", config.merges.is_some()),
        ("[deleted]", config.deleted.is_some()),
    ];
    if let Some((section, _)) = sections.iter().find(|(_, is_there)| *is_there) {
        bail!(
            "{section} cannot be used with [store]\n  hint: send rows with the ID of their lead, or remove [store]"
        );
    }
    if let Err((one, other)) = config.entity_column() {
        bail!(
            "[store] keeps rows of one kind of account, and the config names two: `{}` and `{}`\n  hint: name the same column everywhere",
            printable(one),
            printable(other)
        );
    }
    for table in config.tables() {
        let file = &table.file;
        let keys = [
            ("explode", file.explode.is_some()),
            ("separator", file.several.is_some()),
            ("columns", file.events.is_some()),
            ("deleted", file.deleted.is_some()),
        ];
        if let Some((key, _)) = keys.iter().find(|(_, is_there)| *is_there) {
            bail!(
                "{} has `{key}`, which cannot be used with [store]\n  hint: send rows that need no `{key}`, or remove [store]",
                table.id.heading()
            );
        }
        let heading = table.id.heading();
        if let Some(column) = config
            .named_columns(&heading)
            .into_iter()
            .find(|column| column == RECORDED || column == CHANGED_AT)
        {
            bail!(
                "{heading} has a column `{column}`, and the store uses this name\n  hint: rename the column"
            );
        }
    }
    check_word(config)?;
    let via = config
        .activities
        .values()
        .any(|activity| activity.via.is_some());
    if via || config.outcomes.via.is_some() {
        bail!(
            "`via` cannot be used with [store]\n  hint: send rows with the ID of their lead, or remove [store]"
        );
    }
    Ok(())
}

/// Refuses columns of `[activities.word]` that are not those that the server writes.
fn check_word(config: &Config) -> crate::Result<()> {
    let name = WORD_TABLE.trim_start_matches("activities.");
    let Some(word) = config.activities.get(name) else {
        return Ok(());
    };
    let [lead, at, ..] = WORD_COLUMNS;
    if word.lead.as_deref() != Some(lead) || word.at != at {
        bail!(
            "[{WORD_TABLE}] is what sales says, and the server writes its rows with the columns `{}`\n  hint: write `lead = \"{lead}\"` and `at = \"{at}\"`, or give another table this name",
            WORD_COLUMNS.join("`, `")
        );
    }
    Ok(())
}

/// Makes the times of a config's tables be read as the door writes them; of lookups, those named.
pub(crate) fn times_by_door(config: &mut Config, lookups: &[&str]) {
    let iso = || Some(PerColumn::All("iso".to_owned()));
    config.leads.time_format = iso();
    for activity in config.activities.values_mut() {
        activity.time_format = iso();
    }
    for (name, lookup) in &mut config.lookups {
        if lookups.contains(&name.as_str()) {
            lookup.time_format = iso();
        }
    }
}

/// The config whose tables are those of a store: times are as the door writes them, and what was
/// recorded says when it was known. `lookups` are those that the store has rows of.
pub(crate) fn of_store(config: &Config, lookups: &[String]) -> Config {
    let mut config = config.clone();
    let iso = || Some(PerColumn::All("iso".to_owned()));
    let names: Vec<&str> = lookups.iter().map(String::as_str).collect();
    times_by_door(&mut config, &names);
    config.leads.query = None;
    let leads = &mut config.leads;
    let in_files = leads.recorded_at.replace(RECORDED.to_owned());
    learn_nothing_of(in_files, leads.attributes.as_ref(), &mut leads.exclude);
    if config.has_outcomes() {
        let outcomes = &mut config.outcomes;
        outcomes.time_format = iso();
        outcomes.query = None;
        outcomes.recorded_at = Some(RECORDED.to_owned());
    }
    for activity in config.activities.values_mut() {
        activity.query = None;
        activity.recorded_at = Some(RECORDED.to_owned());
    }
    for (name, lookup) in &mut config.lookups {
        if lookups.contains(name) {
            lookup.query = None;
            let in_files = lookup.changed_at.replace(CHANGED_AT.to_owned());
            learn_nothing_of(in_files, lookup.attributes.as_ref(), &mut lookup.exclude);
        }
    }
    let ends = config.history.take().and_then(|history| history.ends);
    config.history = Some(HistoryConfig {
        ends,
        path: Location::NoRows,
        lead: LEAD.to_owned(),
        attribute: ATTRIBUTE.to_owned(),
        value: VALUE.to_owned(),
        changed_at: CHANGED_AT.to_owned(),
        old_value: Some(OLD_VALUE.to_owned()),
        sequence: Some(SEQUENCE.to_owned()),
        complete: true,
        // Cells that mean missing are missing by the leads' own markers.
        null_values: Some(PerColumn::All(Vec::new())),
        time_format: iso(),
        time_zone: config.leads.time_zone,
        decimal_comma: Some(false),
        types: BTreeMap::new(),
        ..HistoryConfig::default()
    });
    // Rows wait in a store for their leads; rows of an import are recorded when they happened; and
    // what changed is told by the rows themselves.
    config.data.unmatched_outcomes = 1.0;
    config.data.unmatched_rows = 1.0;
    config.data.recorded_together = 1.0;
    config.data.contradicting_changes = 1.0;
    config
}

/// Leaves out the column that says in files when a row was recorded: a store's rows have none.
fn learn_nothing_of(
    in_files: Option<String>,
    attributes: Option<&Vec<String>>,
    exclude: &mut Vec<String>,
) {
    if attributes.is_none() {
        exclude.extend(in_files);
    }
}

/// The same, where few rows of one lead say nothing about tables as a whole.
pub(super) fn of_one_lead(config: &mut Config) {
    config.data = DataConfig {
        unmatched_outcomes: 1.0,
        unmatched_rows: 1.0,
        undated_rows: 1.0,
        closed_before_creation: 1.0,
        slow_closings: 1.0,
        long_before_creation: 1.0,
        recorded_together: 1.0,
        repeated_rows: 1.0,
        contradicting_changes: 1.0,
        ..config.data.clone()
    };
}
