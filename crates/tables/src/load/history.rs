//! What attributes were, and when.

use std::collections::BTreeMap;
use std::path::Path;

use hashbrown::HashMap;
use leadscore_core::Timestamp;

use super::add_table_notes;
use super::attributes::{Interner, texts};
use crate::config::Config;
use crate::error::TablesError;
use crate::scan::Table;
use crate::typed::{Attribute, Column, History, HistoryChange, MISSING, Note};
use crate::values;

/// A change of an attribute: the lead, from when it is known, the new value.
type Change<'a> = (u32, Timestamp, Option<&'a str>);

/// Reads the past of attributes; an attribute that only the history knows is added to those of the leads.
pub(super) fn read_history(
    config: &Config,
    folder: &Path,
    index: &HashMap<&str, u32>,
    attributes: &mut Vec<Attribute>,
    n_leads: usize,
    notes: &mut Vec<Note>,
) -> Result<History, TablesError> {
    let settings = config.history.as_ref().expect("called where there is one");
    let table = Table::open("[history]", folder, settings.file())?;
    for (key, column) in [("lead", &settings.lead), ("attribute", &settings.attribute), ("value", &settings.value), ("changed_at", &settings.changed_at)] {
        table.require(key, column)?;
    }
    let raw = table.read(&[&settings.lead, &settings.attribute, &settings.value, &settings.changed_at])?;
    add_table_notes(&table, notes);
    let owners = texts(&raw, &settings.lead)?;
    let names = texts(&raw, &settings.attribute)?;
    let cells = texts(&raw, &settings.value)?;
    let times = raw.times(&settings.changed_at)?;
    let mut unknown = 0_usize;
    // Attribute → (lead, time, value) of each change.
    let mut changes: BTreeMap<&str, Vec<Change<'_>>> = BTreeMap::new();
    for row in 0..raw.n_rows {
        let (Some(owner), Some(name), Some(time)) = (&owners[row], &names[row], times[row]) else {
            unknown += 1;
            continue;
        };
        let Some(&position) = index.get(owner.as_str()) else {
            unknown += 1;
            continue;
        };
        if config.leads.exclude.contains(name) || config.leads.attributes.as_ref().is_some_and(|chosen| !chosen.contains(name)) {
            continue;
        }
        changes.entry(name).or_default().push((position, time.known, cells[row].as_deref()));
    }
    notes.extend(Note::counted("[history]", unknown, "changes are of leads that are not there, or lack an attribute or a time; they are left out"));
    let mut history = History::default();
    for (name, mut rows) in changes {
        rows.sort_unstable();
        let existing = attributes.iter().find(|attribute| attribute.name == name);
        let decimal_comma = settings.decimal_comma;
        let number = |cell: Option<&str>| cell.map_or(Some(f64::NAN), |cell| values::parse_number(cell, decimal_comma).filter(|value| value.is_finite()));
        let all_numbers =
            rows.iter().any(|row| row.2.is_some()) && rows.iter().all(|row| number(row.2).is_some() && row.2.is_none_or(|cell| !values::is_code(cell)));
        let as_number = match existing.map(|attribute| &attribute.column) {
            Some(Column::Category { .. }) => false,
            Some(Column::Number(_)) if !all_numbers => {
                return Err(TablesError::Content {
                    table: "[history]".to_owned(),
                    found: format!("`{name}` is a number in the leads and not always one in its history"),
                    help: "correct the history, or list the cells that mean missing under its `null_values`".to_owned(),
                });
            }
            _ => all_numbers,
        };
        let values = if as_number {
            Column::Number(rows.iter().map(|row| number(row.2).expect("all are numbers")).collect())
        } else {
            let mut interner = Interner::default();
            let mut codes: Vec<u32> = rows.iter().map(|row| row.2.map_or(MISSING, |cell| interner.code(cell))).collect();
            let levels = interner.into_sorted_levels(&mut codes);
            Column::Category { codes, levels }
        };
        if existing.is_none() {
            let column =
                if as_number { Column::Number(vec![f64::NAN; n_leads]) } else { Column::Category { codes: vec![MISSING; n_leads], levels: Vec::new() } };
            attributes.push(Attribute { name: name.to_owned(), column });
        }
        let mut offsets = vec![0; n_leads + 1];
        for row in &rows {
            offsets[row.0 as usize + 1] += 1;
        }
        for lead in 0..n_leads {
            offsets[lead + 1] += offsets[lead];
        }
        history.attributes.push(HistoryChange { attribute: name.to_owned(), offsets, known: rows.iter().map(|row| row.1).collect(), values });
    }
    Ok(history)
}
