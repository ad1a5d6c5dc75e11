//! Which part each column of a table plays, so that rows can wait on disk as typed cells.

use std::collections::{BTreeMap, HashMap};

use leadscore_config::{Config, TableId};
use leadscore_core::{CellKind, Stamp};
use leadscore_dataset::{AttributeKey, LoadOptions};

use super::activities::check_activities;
use super::attributes::{KindGuess, expected_kind};
use super::history_kinds::{HistoryKinds, check_history, history_columns};
use super::keying::key_column;
use super::leads::{check_leads, lead_attributes, manual_columns};
use super::results::{Results, check_outcomes};
use crate::ends::Reach;
use crate::error::TablesError;
use crate::remarks::Remarks;
use crate::scan::{Batch, RawTable, Table};
use crate::spill::Role;

/// The table of a heading.
fn id_of(name: &str) -> TableId {
    TableId::named(name).expect("the tables are called as in the config")
}

/// Fails, naming the key of the config, where a table lacks a column.
pub(crate) fn check_columns(
    config: &Config,
    tables: &BTreeMap<String, Table<'_>>,
) -> Result<(), TablesError> {
    for (name, table) in tables {
        match id_of(name) {
            TableId::Leads => check_leads(config, table, true)?,
            TableId::Outcomes => check_outcomes(config, table)?,
            TableId::History => check_history(config, table)?,
            TableId::Activities(name) => check_activities(&config.activities[&name], table)?,
            TableId::Lookup(_) | TableId::Link(_) | TableId::Merges | TableId::Deleted => {
                unreachable!("their rows belong to no lead")
            }
        }
    }
    Ok(())
}

/// The columns of a table that are read, each with what it holds.
pub(crate) fn spilled_columns(
    config: &Config,
    name: &str,
    table: &Table<'_>,
    options: &LoadOptions,
) -> Vec<(String, Role)> {
    let mut columns = SpilledColumns(Vec::new());
    columns.add([key_column(config, name)], Role::Text);
    match id_of(name) {
        TableId::Leads => columns.add_leads(config, table, options),
        TableId::Outcomes => {
            let outcomes = &config.outcomes;
            columns.add(&outcomes.closed_at, Role::Time);
            columns.add(&outcomes.recorded_at, Role::Time);
            columns.add(&outcomes.result, Role::Category);
            columns.add(table.since_column(), Role::Time);
        }
        TableId::History => {
            let history = config.history.as_ref().expect("there is such a table");
            columns.add([&history.changed_at], Role::Time);
            columns.add([&history.attribute], Role::Category);
            columns.add([&history.value], Role::Text);
            columns.add(&history.old_value, Role::Text);
            columns.add(&history.sequence, Role::Number);
        }
        TableId::Activities(name) => {
            let settings = &config.activities[&name];
            columns.add([&settings.at], Role::Time);
            columns.add(&settings.recorded_at, Role::Time);
            columns.add(&settings.kind, Role::Category);
            columns.add(&settings.values, Role::Number);
            columns.add(table.since_column(), Role::Time);
        }
        TableId::Lookup(_) | TableId::Link(_) | TableId::Merges | TableId::Deleted => {
            unreachable!("their rows belong to no lead")
        }
    }
    columns.0
}

/// Columns with what they hold; the first part that one plays decides.
struct SpilledColumns(Vec<(String, Role)>);

impl SpilledColumns {
    fn add(&mut self, columns: impl IntoIterator<Item = impl AsRef<str>>, role: Role) {
        for column in columns {
            let column = column.as_ref();
            if !self.0.iter().any(|(known, _)| known == column) {
                self.0.push((column.to_owned(), role));
            }
        }
    }

    /// Adds the columns of the leads: their keys, times, points and attributes.
    fn add_leads(&mut self, config: &Config, table: &Table<'_>, options: &LoadOptions) {
        self.add(&config.leads.created_at, Role::Time);
        self.add(&config.leads.recorded_at, Role::Time);
        let lookups = config.lookups.values();
        self.add(
            lookups.map(|lookup| lookup.leads_key.as_ref().unwrap_or(&lookup.key)),
            Role::Text,
        );
        self.add(&config.leads.account, Role::Text);
        let activities = config.activities.values();
        self.add(
            activities.filter_map(|activity| activity.account.as_ref()),
            Role::Text,
        );
        self.add(manual_columns(config), Role::Number);
        for column in lead_attributes(config, table.columns(), options) {
            match expected_kind(options, None, &column) {
                Some(CellKind::Number) => self.add([column], Role::Number),
                Some(CellKind::Category) => self.add([column], Role::Text),
                Some(CellKind::Date) => self.add([column], Role::Time),
                None => {}
            }
        }
    }
}

/// Decides what is decided over whole columns: types of attributes, in the leads and in their
/// history.
pub(crate) fn guess_types(
    config: &Config,
    tables: &BTreeMap<String, Table<'_>>,
    batches: &BTreeMap<String, Vec<Batch>>,
    options: &mut LoadOptions,
    remarks: &mut Remarks,
) -> Result<(), TablesError> {
    let leads = &tables["[leads]"];
    let mut columns = lead_attributes(config, leads.columns(), options);
    columns.retain(|column| match leads.unreadable(column) {
        None => true,
        Some(doubt) => {
            remarks.doubt(doubt);
            false
        }
    });
    let mut guesses: Vec<KindGuess> = columns.iter().map(|_| KindGuess::default()).collect();
    let wanted: Vec<&str> = columns.iter().map(String::as_str).collect();
    let expected = options.attributes.take();
    let is_expected = |column: &String| {
        expected.as_ref().is_some_and(|expected| {
            expected.contains_key(&AttributeKey {
                lookup: None,
                column: column.clone(),
            })
        })
    };
    if !columns.is_empty() {
        for batch in &batches["[leads]"] {
            let raw = leads.read_batch(&wanted, *batch)?;
            for (column, guess) in columns.iter().zip(&mut guesses) {
                guess.count_worded_nulls(&raw, column)?;
                if !is_expected(column) {
                    guess.add(&raw, column)?;
                }
            }
        }
    }
    let mut kinds: HashMap<AttributeKey, CellKind> = HashMap::new();
    for (column, guess) in columns.into_iter().zip(guesses) {
        guess.note_worded_nulls("[leads]", &column, remarks);
        let key = AttributeKey {
            lookup: None,
            column,
        };
        let kind = match expected.as_ref().and_then(|expected| expected.get(&key)) {
            Some(&kind) => Some(kind),
            None => guess.decide(leads, &key.column, remarks)?,
        };
        kinds.extend(kind.map(|kind| (key, kind)));
    }
    if let Some(table) = tables.get("[history]") {
        let settings = config.history.as_ref().expect("there is such a table");
        let mut history = HistoryKinds::default();
        for batch in &batches["[history]"] {
            history.add(
                settings,
                &table.read_batch(&history_columns(settings), *batch)?,
            )?;
        }
        options.history_kinds = Some(history.decide(config, table, remarks));
    }
    options.attributes = Some(kinds);
    Ok(())
}

/// Counts the times that these rows of a table speak of, which were read as `times` by column; a
/// row whose outcome is open says nothing.
pub(crate) fn count_times<'t>(
    config: &Config,
    name: &str,
    raw: &RawTable<'_>,
    times: &dyn Fn(&str) -> Option<&'t Vec<Option<Stamp>>>,
    reach: &mut Reach,
    remarks: &mut Remarks,
) -> Result<(), TablesError> {
    let earliest = raw.bounds().window.earliest;
    let id = id_of(name);
    if id == TableId::Outcomes {
        // Only rows that are closed say how far it reaches.
        Results::read(config, raw, remarks)?.count(config, reach, earliest);
        return Ok(());
    }
    for column in config.table(&id).into_iter().flat_map(|table| table.times) {
        if let Some(times) = times(column) {
            reach.add(
                name,
                column,
                earliest,
                times.iter().map(|time| time.map(|stamp| stamp.known)),
            );
        }
    }
    Ok(())
}
