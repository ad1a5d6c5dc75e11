//! The rows of the tables of a config as events of a store, so that tables made of these are the
//! same.

use std::collections::BTreeMap;

use leadscore_config::{FileConfig, TableId};
use leadscore_core::{CellKind, Stamp, Timestamp};
use leadscore_dataset::{Column, LoadOptions, MISSING, NEVER, Tables};
use leadscore_io::{ReadAs, ReadColumn, read_columns};
use leadscore_store::{Entity, NewEvent};
use serde_json::{Map, Number, Value};

use super::cells::stored_instant;
use super::columns::{CellUse, TableColumns, table_columns};
use super::settings::check_store_settings;
use crate::data::Data;

/// The rows of tables as events, in the order in which they were recorded.
#[derive(Debug, Default)]
pub struct ImportedRows {
    /// The events.
    pub events: Vec<NewEvent>,
    /// Rows that are left out, because they name no lead or have no time, by table.
    pub left_out: BTreeMap<String, usize>,
}

impl Data {
    /// The rows of all tables as events of a store: recorded when the table says so, else when they
    /// happened, and not after `now`; a lead when it was created, and each change of its history
    /// when it was made.
    ///
    /// # Errors
    ///
    /// The config asks for what a store cannot do, or the tables cannot be read.
    pub fn import_rows(&self, now: Timestamp) -> crate::Result<ImportedRows> {
        check_store_settings(&self.config)?;
        let tables = self.load(&LoadOptions::default())?;
        let mut importing = Importing {
            data: self,
            now,
            tables: &tables,
            rows: ImportedRows::default(),
        };
        for (id, columns) in table_columns(&self.config, None) {
            match &id {
                TableId::Leads => importing.leads(&columns)?,
                TableId::Lookup(name) => importing.lookup(name, &columns)?,
                TableId::Outcomes | TableId::Activities(_) => {
                    if self.config.table(&id).is_some() {
                        importing.events(&id, &columns)?;
                    }
                }
                TableId::History | TableId::Link(_) | TableId::Merges | TableId::Deleted => {}
            }
        }
        let mut rows = importing.rows;
        for event in &mut rows.events {
            event.recorded = event.recorded.map(|recorded| recorded.min(now));
        }
        rows.events.sort_by_key(|event| event.recorded);
        Ok(rows)
    }
}

struct Importing<'i> {
    data: &'i Data,
    now: Timestamp,
    tables: &'i Tables,
    rows: ImportedRows,
}

/// A table's cells, row after row.
struct Cells {
    columns: Vec<(String, ReadColumn)>,
}

impl Cells {
    fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| match column {
            ReadColumn::Times(cells) => cells.len(),
            ReadColumn::Numbers(cells) => cells.len(),
            ReadColumn::Texts(cells) => cells.len(),
        })
    }

    fn column(&self, name: &str) -> Option<&ReadColumn> {
        let found = self.columns.iter().find(|(column, _)| column == name);
        found.map(|(_, cells)| cells)
    }

    fn text(&self, name: &str, row: usize) -> Option<&str> {
        match self.column(name)? {
            ReadColumn::Texts(cells) => cells[row].as_deref(),
            ReadColumn::Times(_) | ReadColumn::Numbers(_) => None,
        }
    }

    fn time(&self, name: &str, row: usize) -> Option<Stamp> {
        match self.column(name)? {
            ReadColumn::Times(cells) => cells[row],
            ReadColumn::Texts(_) | ReadColumn::Numbers(_) => None,
        }
    }

    /// The cells of a row that are there.
    fn row(&self, row: usize, file: &FileConfig<'_>) -> Map<String, Value> {
        let mut cells = Map::new();
        for (name, column) in &self.columns {
            let value = match column {
                ReadColumn::Texts(cells) => cells[row].clone().map(Value::String),
                ReadColumn::Numbers(cells) => number(cells[row]),
                ReadColumn::Times(cells) => {
                    cells[row].map(|stamp| Value::String(time_text(stamp, file)))
                }
            };
            cells.extend(value.map(|value| (name.clone(), value)));
        }
        cells
    }
}

impl Importing<'_> {
    /// Reads a table; `kinds` are those of its attributes.
    fn read(
        &self,
        id: &TableId,
        columns: &TableColumns,
        kinds: &BTreeMap<&str, CellKind>,
    ) -> crate::Result<Cells> {
        let read_as = |column: &str| {
            if columns.recorded_at.as_deref() == Some(column) {
                return ReadAs::Times;
            }
            match (columns.uses.get(column), kinds.get(column)) {
                (Some(CellUse::Time), _) | (None | Some(CellUse::Free), Some(CellKind::Date)) => {
                    ReadAs::Times
                }
                (Some(CellUse::Number), _)
                | (None | Some(CellUse::Free), Some(CellKind::Number)) => ReadAs::Numbers,
                (Some(CellUse::Key | CellUse::Word), _)
                | (None | Some(CellUse::Free), None | Some(CellKind::Category)) => ReadAs::Texts,
            }
        };
        let data = self.data;
        let columns = read_columns(&data.config, data.folder(), id, Some(self.now), read_as)?;
        Ok(Cells { columns })
    }

    fn leave_out(&mut self, id: &TableId) {
        *self.rows.left_out.entry(id.to_string()).or_default() += 1;
    }

    /// Outcomes, and what leads or accounts did.
    fn events(&mut self, id: &TableId, columns: &TableColumns) -> crate::Result<()> {
        let cells = self.read(id, columns, &BTreeMap::new())?;
        let at = columns.at.as_deref().unwrap_or_default();
        let file = file_of(self.data, id);
        for row in 0..cells.n_rows() {
            let key = cells.text(&columns.key, row);
            let happened = cells.time(at, row);
            let recorded = match &columns.recorded_at {
                Some(column) => cells.time(column, row),
                None => happened,
            };
            let (Some(key), Some(happened), Some(recorded)) = (key, happened, recorded) else {
                self.leave_out(id);
                continue;
            };
            let entity = if columns.is_of_account {
                Entity::Account(key.to_owned())
            } else {
                Entity::Lead(key.to_owned())
            };
            let mut made = cells.row(row, &file);
            made.retain(|name, _| columns.uses.contains_key(name));
            self.rows.events.push(NewEvent {
                id: format!("import:{id}:{}", row + 1),
                table: id.to_string(),
                entity,
                at: happened.known,
                recorded: Some(recorded.known),
                row: Value::Object(made).to_string(),
            });
        }
        Ok(())
    }

    /// Rows of a lookup: from their time on, or since ever.
    fn lookup(&mut self, name: &str, columns: &TableColumns) -> crate::Result<()> {
        let id = TableId::Lookup(name.to_owned());
        let lookups = self.tables.lookups.iter();
        let kinds = lookups
            .filter(|lookup| lookup.name == name)
            .flat_map(|lookup| &lookup.rows.attributes)
            .map(|attribute| (attribute.name.as_str(), attribute.column.kind()))
            .collect();
        let cells = self.read(&id, columns, &kinds)?;
        let ever = self.data.config.data.window(Some(self.now)).earliest;
        let file = file_of(self.data, &id);
        for row in 0..cells.n_rows() {
            let since = match &columns.recorded_at {
                Some(column) => cells.time(column, row).map(|stamp| stamp.known),
                None => Some(ever),
            };
            let (Some(key), Some(since)) = (cells.text(&columns.key, row), since) else {
                self.leave_out(&id);
                continue;
            };
            let mut made = whole_row(&cells, row, &file);
            if let Some(column) = &columns.recorded_at {
                made.remove(column);
            }
            self.rows.events.push(NewEvent {
                id: format!("import:{id}:{}", row + 1),
                table: id.to_string(),
                entity: Entity::Lookup {
                    name: name.to_owned(),
                    key: key.to_owned(),
                },
                at: since,
                recorded: Some(since),
                row: Value::Object(made).to_string(),
            });
        }
        Ok(())
    }

    /// The leads as they were created, and each change of their history.
    fn leads(&mut self, columns: &TableColumns) -> crate::Result<()> {
        let id = TableId::Leads;
        let attributes = self.tables.leads.attributes.iter();
        let kinds = attributes
            .map(|attribute| (attribute.name.as_str(), attribute.column.kind()))
            .collect();
        let cells = self.read(&id, columns, &kinds)?;
        let created_at = self
            .data
            .config
            .leads
            .created_at
            .clone()
            .unwrap_or_default();
        let numbers: BTreeMap<&str, u32> = (0..)
            .zip(&self.tables.leads.ids)
            .map(|(number, id)| (id.as_str(), number))
            .collect();
        let file = file_of(self.data, &id);
        for row in 0..cells.n_rows() {
            let key = cells.text(&columns.key, row);
            let found = key.and_then(|key| Some((key, *numbers.get(key)?)));
            let (Some((key, lead)), Some(created)) = (found, cells.time(&created_at, row)) else {
                self.leave_out(&id);
                continue;
            };
            let mut made = cells.row(row, &file);
            if let Some(column) = &columns.recorded_at {
                made.remove(column);
            }
            let changes = self.changes(lead);
            for change in &self.tables.history.attributes {
                let first = change
                    .before
                    .get(lead as usize)
                    .filter(|value| **value != MISSING)
                    .and_then(|value| value_of(&change.values, *value as usize));
                match first {
                    Some(value) => drop(made.insert(change.attribute.clone(), value)),
                    None => drop(made.remove(&change.attribute)),
                }
            }
            let recorded = columns.recorded_at.as_ref();
            let recorded = recorded.and_then(|column| cells.time(column, row));
            let known = recorded.map_or(created.known, |stamp| stamp.known.max(created.known));
            let first = changes.first().map_or(known, |change| change.0);
            let lead_row = |id, at, row| lead_row(key, id, at, row);
            let event_id = format!("import:{id}:{}", row + 1);
            // A lead that was entered after its first change is known from then on, and not from
            // that change on: its creation is a row of its own.
            if first < known
                && columns.recorded_at.is_some()
                && let Some(creation) = made.remove(&created_at)
            {
                let own = [
                    (columns.key.clone(), Value::from(key)),
                    (created_at.clone(), creation),
                ];
                let id = format!("{event_id}:entered");
                let entered = lead_row(id, known, Map::from_iter(own));
                self.rows.events.push(entered);
            }
            let at = known.min(first);
            self.rows.events.push(lead_row(event_id.clone(), at, made));
            for (number, (at, attribute, value)) in changes.into_iter().enumerate() {
                let change = Map::from_iter([
                    (columns.key.clone(), Value::from(key)),
                    (attribute, value.unwrap_or(Value::Null)),
                ]);
                let event_id = format!("{event_id}:{}", number + 1);
                self.rows.events.push(lead_row(event_id, at, change));
            }
        }
        Ok(())
    }

    /// The changes of a lead, in order of time: when, which attribute, and its value from then on.
    fn changes(&self, lead: u32) -> Vec<(Timestamp, String, Option<Value>)> {
        let mut changes = Vec::new();
        for change in &self.tables.history.attributes {
            let rows = change.offsets[lead as usize]..change.offsets[lead as usize + 1];
            changes.extend(rows.map(|row| {
                let value = value_of(&change.values, row);
                (change.known[row], change.attribute.clone(), value)
            }));
        }
        changes.sort_by_key(|change| change.0);
        changes
    }
}

/// A row of a lead that was recorded at a moment.
fn lead_row(lead: &str, id: String, at: Timestamp, row: Map<String, Value>) -> NewEvent {
    NewEvent {
        id,
        table: TableId::Leads.to_string(),
        entity: Entity::Lead(lead.to_owned()),
        at,
        recorded: Some(at),
        row: Value::Object(row).to_string(),
    }
}

/// How the files of a table are read.
fn file_of<'d>(data: &'d Data, id: &TableId) -> FileConfig<'d> {
    data.config.table(id).expect("a table of the config").file
}

/// A value of an attribute, as rows have it; `None` where it is missing.
fn value_of(values: &Column, row: usize) -> Option<Value> {
    match values {
        Column::Number(values) => number(values[row]),
        Column::Category { codes, levels } => {
            let code = codes[row];
            (code != MISSING).then(|| Value::from(levels[code as usize].as_str()))
        }
        Column::Dates(dates) => {
            let day = dates[row];
            (day != NEVER).then(|| Value::String(stored_instant(day)))
        }
    }
}

/// A number as rows have it: whole where nothing is lost by that.
#[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
fn number(value: f64) -> Option<Value> {
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < WHOLE && (value != 0.0 || value.is_sign_positive()) {
        return Some(Value::from(value as i64));
    }
    Number::from_f64(value).map(Value::Number)
}

/// A time as rows have it: a day where it is one.
fn time_text(stamp: Stamp, file: &FileConfig<'_>) -> String {
    if stamp.start == stamp.known {
        return stored_instant(stamp.start);
    }
    // A day of another zone than that of the table counts as known when it has ended.
    file.day_text(stamp)
        .unwrap_or_else(|| stored_instant(stamp.known))
}

/// A row with null where a cell is missing: a later row of the same key says so.
fn whole_row(cells: &Cells, row: usize, file: &FileConfig<'_>) -> Map<String, Value> {
    let mut made = cells.row(row, file);
    for (name, _) in &cells.columns {
        made.entry(name.clone()).or_insert(Value::Null);
    }
    made
}
