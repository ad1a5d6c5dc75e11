//! What attributes were, and when.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use leadscore_core::{FeatureKind, Timestamp};

use super::attributes::{Interner, texts};
use super::{Origin, add_table_notes};
use crate::config::{Config, HistoryConfig};
use crate::error::TablesError;
use crate::scan::{RawTable, Table};
use crate::typed::{Attribute, Column, History, HistoryChange, LoadOptions, MISSING, Note};
use crate::values;

/// A change of an attribute: the lead, from when it is known, the new value.
type Change<'a> = (u32, Timestamp, Option<&'a str>);

/// Fails where the history lacks a column that the config names.
pub(super) fn check_history(config: &Config, table: &Table<'_>) -> Result<(), TablesError> {
    let settings = config.history.as_ref().expect("called where there is one");
    for (key, column) in [("lead", &settings.lead), ("attribute", &settings.attribute), ("value", &settings.value), ("changed_at", &settings.changed_at)] {
        table.require(key, column)?;
    }
    Ok(())
}

/// Which attributes are numbers, by every value that they ever had.
#[derive(Default)]
pub(super) struct HistoryKinds {
    /// For each attribute, whether any value was seen, and whether one was no number.
    seen: BTreeMap<String, (bool, bool)>,
}

impl HistoryKinds {
    pub(super) fn add(&mut self, settings: &HistoryConfig, raw: &RawTable<'_>) -> Result<(), TablesError> {
        let names = texts(raw, &settings.attribute)?;
        raw.for_each_text(&settings.value, |row, text| {
            let (Some(name), Some(text)) = (&names[row], text) else { return Ok(()) };
            let is_number = values::parse_number(text, settings.decimal_comma).is_some_and(f64::is_finite) && !values::is_code(text);
            if let Some((any, not_number)) = self.seen.get_mut(name) {
                *any = true;
                *not_number |= !is_number;
            } else {
                self.seen.insert(name.clone(), (true, !is_number));
            }
            Ok(())
        })
    }

    pub(super) fn decide(self) -> BTreeMap<String, FeatureKind> {
        let kind = |(any, not_number): (bool, bool)| if any && !not_number { FeatureKind::Number } else { FeatureKind::Category };
        self.seen.into_iter().map(|(name, seen)| (name, kind(seen))).collect()
    }
}

/// Reads the past of attributes; an attribute that only the history knows is added to those of the leads.
pub(super) fn read_history<'c>(
    config: &'c Config,
    origin: &Origin<'_, 'c>,
    index: &HashMap<&str, u32>,
    options: &LoadOptions,
    attributes: &mut Vec<Attribute>,
    n_leads: usize,
    notes: &mut Vec<Note>,
) -> Result<History, TablesError> {
    let settings = config.history.as_ref().expect("called where there is one");
    let table = origin.open("[history]", settings.file())?;
    check_history(config, &table)?;
    let raw = table.read(&[&settings.lead, &settings.attribute, &settings.value, &settings.changed_at])?;
    add_table_notes(&table, notes);
    let kinds = match &options.history_kinds {
        Some(kinds) => kinds.clone(),
        None => {
            let mut kinds = HistoryKinds::default();
            kinds.add(settings, &raw)?;
            kinds.decide()
        }
    };
    let owners = texts(&raw, &settings.lead)?;
    let names = texts(&raw, &settings.attribute)?;
    let cells = texts(&raw, &settings.value)?;
    let times = raw.times(&settings.changed_at)?;
    let mut unknown = 0_usize;
    // Attribute → (lead, time, value) of each change; in every part of the leads the same attributes.
    let mut changes: BTreeMap<&str, Vec<Change<'_>>> = kinds.keys().map(|name| (name.as_str(), Vec::new())).collect();
    for row in 0..raw.n_rows {
        let (Some(owner), Some(name), Some(time)) = (&owners[row], &names[row], times[row]) else {
            unknown += 1;
            continue;
        };
        let Some(&position) = index.get(owner.as_str()) else {
            unknown += 1;
            continue;
        };
        changes.entry(name).or_default().push((position, time.known, cells[row].as_deref()));
    }
    changes.retain(|name, _| {
        !config.leads.exclude.iter().any(|excluded| excluded == name)
            && config.leads.attributes.as_ref().is_none_or(|chosen| chosen.iter().any(|one| one == name))
    });
    notes.extend(Note::counted("[history]", unknown, "changes are of leads that are not there, or lack an attribute or a time; they are left out"));
    let mut history = History::default();
    for (name, mut rows) in changes {
        rows.sort_unstable();
        let existing = attributes.iter().find(|attribute| attribute.name == name);
        let all_numbers = kinds.get(name) == Some(&FeatureKind::Number);
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
            let number = |cell: &str| values::parse_number(cell, settings.decimal_comma).expect("all are numbers");
            Column::Number(rows.iter().map(|row| row.2.map_or(f64::NAN, number)).collect())
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
