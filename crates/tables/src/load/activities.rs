//! Event tables, sorted so that the order of the file leaves no trace.

use hashbrown::HashMap;
use leadscore_core::{Stamp, Timestamp};

use super::attributes::read_category;
use super::leads::number_accounts;
use super::{Origin, add_table_notes};
use crate::config::ActivityConfig;
use crate::error::TablesError;
use crate::events::{Activities, EventRows, KindColumn, MAX_VALUE, ValueColumn};
use crate::scan::{NEVER, RawTable, Table};
use crate::typed::{Column, MISSING, Note};

/// Fails where an event table lacks a column that the config names.
pub(super) fn check_activities(settings: &ActivityConfig, table: &Table<'_>) -> Result<(), TablesError> {
    for (key, columns) in [
        ("lead", settings.lead.as_slice()),
        ("account", settings.account.as_slice()),
        ("at", std::slice::from_ref(&settings.at)),
        ("recorded_at", settings.recorded_at.as_slice()),
        ("kind", &settings.kind),
        ("values", &settings.values),
    ] {
        for column in columns {
            table.require(key, column)?;
        }
    }
    Ok(())
}

/// Reads one event table; with it comes the latest time that any of its rows speaks of.
pub(super) fn read_activities<'c>(
    name: &str,
    settings: &'c ActivityConfig,
    origin: &Origin<'_, 'c>,
    index: &HashMap<&str, u32>,
    accounts: Option<&[Option<String>]>,
    created: &[Option<Stamp>],
    notes: &mut Vec<Note>,
) -> Result<(Activities, Option<Timestamp>), TablesError> {
    let label = format!("[activities.{name}]");
    let table = origin.open(&label, settings.file())?;
    check_activities(settings, &table)?;
    let owner = settings.lead.as_ref().or(settings.account.as_ref()).expect("checked with the config");
    let mut wanted: Vec<&str> = vec![owner, &settings.at];
    wanted.extend(settings.recorded_at.as_deref());
    wanted.extend(settings.kind.iter().chain(&settings.values).map(String::as_str));
    let raw = table.read(&wanted)?;
    add_table_notes(&table, notes);
    // Accounts are numbered by name; leads without one see no events.
    let (entities, entity_of_lead, n_entities) = match accounts {
        None => (None, None, created.len()),
        Some(accounts) => {
            let (of_lead, numbers) = number_accounts(accounts);
            let n_entities = numbers.len();
            (Some(numbers), Some(of_lead), n_entities)
        }
    };
    let lookup = entities.as_ref().unwrap_or(index);
    let mut owners: Vec<u32> = Vec::with_capacity(raw.n_rows);
    raw.for_each_text(owner, |_, text| {
        owners.push(text.and_then(|text| lookup.get(text)).copied().unwrap_or(MISSING));
        Ok(())
    })?;
    let at = raw.known_times(&settings.at)?;
    let recorded = settings.recorded_at.as_ref().map(|column| raw.known_times(column)).transpose()?;
    let latest = at.iter().copied().filter(|&at| at != NEVER).max();
    let mut kinds = Vec::new();
    for column in &settings.kind {
        let Column::Category { codes, levels } = read_category(&raw, column)? else { unreachable!("read_category gives categories") };
        kinds.push(KindColumn { name: column.clone(), codes, levels });
    }
    let mut values = Vec::new();
    for column in &settings.values {
        values.push(ValueColumn { name: column.clone(), values: read_values(&raw, column)? });
    }
    let unknown = owners.iter().filter(|owner| **owner == MISSING).count();
    let (mut without_time, mut early) = (0_usize, 0_usize);
    for (row, owner) in owners.iter_mut().enumerate().filter(|(_, owner)| **owner != MISSING) {
        let known = recorded.as_ref().map_or(at[row], |recorded| recorded[row]);
        if at[row] == NEVER || known == NEVER {
            without_time += 1;
            *owner = MISSING;
        } else if accounts.is_none() && created[*owner as usize].is_some_and(|created| at[row] < created.start) {
            early += 1;
        }
    }
    let whose = if accounts.is_some() { "an account" } else { "a lead" };
    notes.extend(Note::counted(&label, unknown, format!("events are of {whose} that the leads table does not have; they are left out")));
    notes.extend(Note::counted(&label, without_time, "events have no time and are left out"));
    notes.extend(Note::counted(&label, early, "events happened before their lead was created; they count all the same"));
    if recorded.is_none() {
        let text = "has one clock: an event that was entered late counts from when it happened; `recorded_at` would say when it was known";
        notes.push(Note::new(&label, text));
    }
    if raw.n_rows == 0 && !table.is_spilled() {
        notes.push(Note::new(&label, "has a header and no rows"));
    }
    // An event that is recorded before it happens (a planned meeting) is seen when it has happened.
    let visible = recorded.map(|recorded| recorded.iter().zip(&at).map(|(&recorded, &at)| recorded.max(at)).collect());
    let activities = Activities::new(name, entity_of_lead, n_entities, EventRows { owners, at, visible, kinds, values });
    notes.extend(busy_owners(&activities, lookup).map(|(owner, n_events)| {
        let text = format!(
            "`{owner}` alone has {n_events} events: a robot, or a placeholder for nobody? They count all the same; leave it out of the table if it is no lead"
        );
        Note::new(&label, text)
    }));
    Ok((activities, latest))
}

/// From so many events on, one lead or account is worth a word.
const BUSY: usize = 100_000;

/// The leads or accounts with very many events, by number of events.
fn busy_owners<'a>(activities: &'a Activities, numbers: &'a HashMap<&str, u32>) -> impl Iterator<Item = (&'a str, usize)> {
    let mut busy: Vec<usize> = (0..activities.n_entities()).filter(|&entity| activities.events_of(entity).len() >= BUSY).collect();
    busy.sort_by_key(|&entity| std::cmp::Reverse(activities.events_of(entity).len()));
    busy.truncate(3);
    busy.into_iter().filter_map(|entity| {
        let name = numbers.iter().find(|(_, number)| **number as usize == entity)?.0;
        Some((*name, activities.events_of(entity).len()))
    })
}

/// Numbers that can be summed exactly.
fn read_values(raw: &RawTable<'_>, column: &str) -> Result<Vec<f64>, TablesError> {
    let values = raw.numbers(column)?;
    match values.iter().position(|value| value.abs() > MAX_VALUE) {
        None => Ok(values),
        Some(row) => Err(raw.cell_error(
            row,
            column,
            format!("the number {} is too large to be summed", values[row]),
            "expected at most 1e15 either way: mend it, give it in a larger unit, or list it under `null_values` if it means missing",
        )),
    }
}
