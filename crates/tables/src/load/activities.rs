//! Event tables, sorted so that the order of the file leaves no trace.

use std::collections::HashMap;
use std::path::Path;

use leadscore_core::{Stamp, Timestamp};
use rayon::slice::ParallelSliceMut;

use super::attributes::read_category;
use super::{add_table_notes, note};
use crate::config::ActivityConfig;
use crate::error::TablesError;
use crate::scan::Table;
use crate::typed::{Activities, Column, MISSING, Note, ValueColumn};

pub(super) fn read_activities(
    name: &str,
    settings: &ActivityConfig,
    folder: &Path,
    index: &HashMap<&str, u32>,
    accounts: Option<&[Option<String>]>,
    n_leads: usize,
    notes: &mut Vec<Note>,
) -> Result<Activities, TablesError> {
    let label = format!("[activities.{name}]");
    let table = Table::open(&label, folder, settings.file())?;
    let owner = settings.lead.as_ref().or(settings.account.as_ref()).expect("checked with the config");
    table.require(if settings.lead.is_some() { "lead" } else { "account" }, owner)?;
    table.require("at", &settings.at)?;
    for (key, columns) in [("recorded_at", settings.recorded_at.as_slice()), ("kind", &settings.kind), ("values", &settings.values)] {
        for column in columns {
            table.require(key, column)?;
        }
    }
    let mut wanted: Vec<&str> = vec![owner, &settings.at];
    wanted.extend(settings.recorded_at.as_deref());
    wanted.extend(settings.kind.iter().chain(&settings.values).map(String::as_str));
    let raw = table.read(&wanted)?;
    add_table_notes(&table, notes);
    // Accounts are numbered by name; leads without one see no events.
    let (entities, entity_of_lead, n_entities) = match accounts {
        None => (None, None, n_leads),
        Some(accounts) => {
            let mut names: Vec<&str> = accounts.iter().flatten().map(String::as_str).collect();
            names.sort_unstable();
            names.dedup();
            let numbers: HashMap<&str, u32> = names.iter().enumerate().map(|(number, name)| (*name, number as u32)).collect();
            let of_lead = accounts.iter().map(|account| account.as_ref().map_or(MISSING, |account| numbers[account.as_str()])).collect();
            let n_entities = names.len();
            (Some(numbers), Some(of_lead), n_entities)
        }
    };
    let lookup = entities.as_ref().unwrap_or(index);
    let mut owners = Vec::with_capacity(raw.n_rows);
    raw.for_each_text(owner, |_, text| {
        owners.push(text.and_then(|text| lookup.get(text)).copied().unwrap_or(MISSING));
        Ok(())
    })?;
    let at = raw.times(&settings.at)?;
    let recorded = settings.recorded_at.as_ref().map(|column| raw.times(column)).transpose()?;
    let mut kinds = Vec::new();
    for column in &settings.kind {
        let Column::Category { codes, levels } = read_category(&raw, column)? else { unreachable!("read_category gives categories") };
        kinds.push((column.clone(), codes, levels));
    }
    let mut value_columns = Vec::new();
    for column in &settings.values {
        value_columns.push(ValueColumn { name: column.clone(), values: raw.numbers(column)? });
    }
    let unknown = owners.iter().filter(|owner| **owner == MISSING).count();
    let known = |row: usize| recorded.as_ref().map_or(at[row], |recorded| recorded[row]);
    let without_time = (0..raw.n_rows).filter(|&row| owners[row] != MISSING && (at[row].is_none() || known(row).is_none())).count();
    if unknown > 0 {
        note(
            notes,
            &label,
            format!(
                "{unknown} of {} events are of a {} that the leads table does not have; they are left out",
                raw.n_rows,
                if accounts.is_some() { "account" } else { "lead" }
            ),
        );
    }
    if without_time > 0 {
        note(notes, &label, format!("{without_time} events have no time and are left out"));
    }
    if recorded.is_none() {
        note(notes, &label, "has one clock: an event that was entered late counts from when it happened; `recorded_at` would say when it was known".to_owned());
    }
    if raw.n_rows == 0 {
        note(notes, &label, "has a header and no rows".to_owned());
    }
    let mut order: Vec<u32> =
        (0..raw.n_rows as u32).filter(|&row| owners[row as usize] != MISSING && at[row as usize].is_some() && known(row as usize).is_some()).collect();
    let key = |row: usize| (owners[row], at[row].map(|stamp| stamp.known), known(row).map(|stamp| stamp.known));
    order.par_sort_unstable_by(|&a, &b| {
        let (a, b) = (a as usize, b as usize);
        key(a).cmp(&key(b)).then_with(|| {
            let by_kind = kinds.iter().map(|(_, codes, _)| codes[a].cmp(&codes[b]));
            let by_value = value_columns.iter().map(|column| column.values[a].total_cmp(&column.values[b]));
            by_kind.chain(by_value).find(|ordering| ordering.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        })
    });
    let mut offsets = vec![0; n_entities + 1];
    for &row in &order {
        offsets[owners[row as usize] as usize + 1] += 1;
    }
    for entity in 0..n_entities {
        offsets[entity + 1] += offsets[entity];
    }
    let pick_time =
        |times: &[Option<Stamp>]| order.iter().map(|&row| times[row as usize].expect("rows without a time were left out").known).collect::<Vec<Timestamp>>();
    Ok(Activities {
        name: name.to_owned(),
        entity_of_lead,
        offsets,
        known: pick_time(recorded.as_ref().unwrap_or(&at)),
        at: pick_time(&at),
        has_recorded_at: recorded.is_some(),
        kinds: kinds.into_iter().map(|(name, codes, levels)| (name, order.iter().map(|&row| codes[row as usize]).collect(), levels)).collect(),
        values: value_columns
            .into_iter()
            .map(|column| ValueColumn { name: column.name, values: order.iter().map(|&row| column.values[row as usize]).collect() })
            .collect(),
    })
}
