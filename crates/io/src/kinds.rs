//! What the time columns of a config's tables hold, and which attributes have a history: what SQL
//! over the same tables must know.

use std::collections::BTreeSet;
use std::path::Path;

use leadscore_config::{Config, Doubt, Subject, TableId, TableRef, TimeKind, TimeKinds};
use leadscore_core::Timestamp;
use leadscore_values::{EpochUnit, TimeFormat};

use crate::bounds::Bounds;
use crate::error::TablesError;
use crate::scan::{RawTable, Table};

/// Rows that a kind is told by.
const ROWS: usize = 10_000;

/// Looks at the first rows of every table for the kinds of its time columns.
///
/// # Errors
///
/// [`TablesError`] where a table cannot be read or lacks a column.
pub fn time_kinds(
    config: &Config,
    folder: &Path,
    now: Option<Timestamp>,
) -> Result<TimeKinds, TablesError> {
    let mut kinds = TimeKinds::new();
    for dated in config.tables() {
        let mut columns = dated.times;
        columns.extend(dated.since);
        columns.extend(dated.file.columns_of_days());
        if columns.is_empty() {
            continue;
        }
        let heading = dated.id.heading();
        let table = Table::open(&heading, folder, dated.file, Bounds::new(config, now))?;
        columns
            .iter()
            .try_for_each(|column| table.require("a time", column))?;
        let of_table = kinds.entry(dated.id.to_string()).or_default();
        if let Some(batch) = table.batches(ROWS)?.first() {
            let raw = table.read_batch(&columns, *batch)?;
            for column in columns {
                of_table.insert(column.to_owned(), time_kind(&raw, column)?);
            }
        }
    }
    Ok(kinds)
}

/// What a time column holds, by these rows: dates only where every one of them is a date.
fn time_kind(raw: &RawTable<'_>, column: &str) -> Result<TimeKind, TablesError> {
    let times = raw.times(column)?;
    let all_dates = times.iter().any(Option::is_some)
        && times
            .iter()
            .flatten()
            .all(|stamp| stamp.start != stamp.known);
    Ok(match raw.time_format(column) {
        Some(TimeFormat::Epoch(EpochUnit::Seconds)) => TimeKind::EpochSeconds,
        Some(TimeFormat::Epoch(EpochUnit::Millis)) => TimeKind::EpochMillis,
        Some(TimeFormat::Epoch(EpochUnit::Micros)) => TimeKind::EpochMicros,
        Some(TimeFormat::Epoch(EpochUnit::Nanos)) => TimeKind::EpochNanos,
        _ if all_dates => TimeKind::Date,
        _ => TimeKind::Instant,
    })
}

/// The doubt about the first column of ids whose cells are numbers that may be fractions: `5001` is
/// the text `5001.0` in one database and `5.001E3` in another, and matches no `5001` of other
/// tables.
///
/// # Errors
///
/// [`TablesError`] where a table cannot be read or lacks a column.
pub fn fractional_id(config: &Config, folder: &Path) -> Result<Option<Doubt>, TablesError> {
    for table_ref in config.tables() {
        let columns = ids(config, &table_ref);
        if columns.is_empty() {
            continue;
        }
        let heading = table_ref.id.heading();
        let table = Table::open(&heading, folder, table_ref.file, Bounds::new(config, None))?;
        columns
            .iter()
            .try_for_each(|column| table.require("an id", column))?;
        let Some(batch) = table.batches(ROWS)?.first().copied() else {
            continue;
        };
        let raw = table.read_batch(&columns, batch)?;
        if let Some(column) = columns.iter().find(|column| raw.holds_fractions(column)) {
            let found = "it has ids that are numbers with a decimal point, which each database writes in its own way (`5001.0`, `5.001E3`)";
            let doubt = Doubt::new(Subject::Keys, &heading, found)
                .of_column(column)
                .at(Some(table.path().display().to_string()))
                .advise("store them as whole numbers or as texts, here and in the database");
            return Ok(Some(doubt));
        }
    }
    Ok(None)
}

/// The columns of a table that say whose a row is, or of whom it tells.
fn ids<'c>(config: &'c Config, table: &TableRef<'c>) -> Vec<&'c str> {
    let mut columns: Vec<&str> = table.key.into_iter().collect();
    match &table.id {
        TableId::Leads => {
            columns.extend(config.account_column());
            let of_lookups = config.lookups.values();
            columns.extend(of_lookups.filter_map(|lookup| lookup.leads_key.as_deref()));
        }
        TableId::Link(name) => columns.push(&config.links[name].lead),
        TableId::Merges => columns.extend(config.merges.iter().map(|merges| merges.into.as_str())),
        TableId::Outcomes
        | TableId::History
        | TableId::Activities(_)
        | TableId::Lookup(_)
        | TableId::Deleted => {}
    }
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// The attributes that the config's history knows.
///
/// # Errors
///
/// [`TablesError`] where it cannot be read.
pub fn attributes_with_history(
    config: &Config,
    folder: &Path,
) -> Result<BTreeSet<String>, TablesError> {
    let mut names = BTreeSet::new();
    let Some(history) = &config.history else {
        return Ok(names);
    };
    let table = Table::open(
        "[history]",
        folder,
        history.file(),
        Bounds::new(config, None),
    )?;
    table.require("attribute", &history.attribute)?;
    let raw: RawTable<'_> = table.read(&[&history.attribute])?;
    raw.for_each_text(&history.attribute, |_, name| {
        if let Some(name) = name.filter(|name| !names.contains(*name)) {
            names.insert(name.to_owned());
        }
        Ok(())
    })?;
    names.retain(|name| {
        !config.leads.exclude.contains(name)
            && config
                .leads
                .attributes
                .as_ref()
                .is_none_or(|chosen| chosen.contains(name))
    });
    Ok(names)
}
