//! The door of the store: rows as callers write them become events whose cells are read one way, or
//! errors that name the field.

mod begins;
mod cells;
mod fields;
mod raw;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError, RwLock};

use leadscore::{CellUse, TableColumns, check_store_settings, kept_lookups, table_columns};
use leadscore_config::{Config as Settings, FileConfig, TableId, nearest};
use leadscore_core::{Span, Timestamp};
use leadscore_inference::Model;
use leadscore_serve::FieldError;
use leadscore_store::{Entity, NewEvent};
use serde_json::{Map, Value};

pub(crate) use self::begins::Begins;
use self::cells::{Cells, Made};
use self::fields::{Place, listed, shown};
use crate::error::LiveError;

/// Characters that an ID may have: beyond that it is no ID.
const LONGEST_ID: usize = 256;
/// Characters that a cell may have: beyond that it is a document.
const LONGEST_CELL: usize = 16_384;
/// Columns that a row may have.
const MOST_COLUMNS: usize = 1_000;
/// How far clocks of callers may go ahead.
const AHEAD: Span = Span::from_days(1);

/// Makes events of rows.
pub struct Door {
    settings: Settings,
    tables: BTreeMap<TableId, TableColumns>,
    /// Lookups that are read from where the config says.
    elsewhere: Vec<String>,
    /// Columns whose first number or text decides what the others are: whether these are numbers.
    numbers: Mutex<HashMap<(TableId, String), bool>>,
    begins: RwLock<Begins>,
}

impl Door {
    /// The door of a config; columns that the model reads have its types. `tables` are those that
    /// the store has rows of: a lookup that is none of them, and has a place in the config, is read
    /// from there, and the store takes no rows of it.
    ///
    /// # Errors
    ///
    /// The config asks for what a store cannot do.
    pub fn new(
        settings: &Settings,
        model: Option<&Model>,
        tables: &[String],
    ) -> Result<Self, LiveError> {
        check_store_settings(settings)?;
        let kept = kept_lookups(settings, tables);
        let lookups = settings.lookups.keys();
        let elsewhere = lookups.filter(|name| !kept.contains(name));
        Ok(Self {
            elsewhere: elsewhere.map(|name| format!("lookups.{name}")).collect(),
            tables: table_columns(settings, model),
            settings: settings.clone(),
            numbers: Mutex::default(),
            begins: RwLock::default(),
        })
    }

    /// From now on, rows that lie years before their table are refused.
    pub(crate) fn set_begins(&self, begins: Begins) {
        *self.begins.write().unwrap_or_else(PoisonError::into_inner) = begins;
    }

    /// Follows a row that the store has: where nothing else says what a column is, its first value
    /// does.
    pub fn remember(&self, table: &str, row: &str) {
        let Some((id, columns)) =
            TableId::named(table).and_then(|id| self.tables.get(&id).map(|columns| (id, columns)))
        else {
            return;
        };
        let Ok(row) = serde_json::from_str::<Map<String, Value>>(row) else {
            return;
        };
        for (column, value) in &row {
            if columns
                .uses
                .get(column)
                .is_none_or(|cells| *cells == CellUse::Free)
            {
                let is_number = value.is_number();
                if is_number || value.is_string() {
                    self.first(&id, column, is_number);
                }
            }
        }
    }

    /// Makes an event of each row, `now` being what the clock says.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with any of them; their pointers begin with the number of the row.
    pub fn read(&self, rows: &[Value], now: Timestamp) -> Result<Vec<NewEvent>, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut events = Vec::with_capacity(rows.len());
        for (number, row) in rows.iter().enumerate() {
            let mut place = Place::new(number, &mut errors);
            events.extend(self.event(row, now, &mut place));
        }
        if errors.is_empty() {
            Ok(events)
        } else {
            Err(errors)
        }
    }

    /// The event of a row; `None` where something is wrong, which the place has then.
    fn event(&self, value: &Value, now: Timestamp, place: &mut Place<'_>) -> Option<NewEvent> {
        let Value::Object(given) = value else {
            place.refuse(
                place.part(None),
                format!("an event is an object, and this is {}", shown(value)),
                r#"write such as {"id": "e1", "table": "leads", "row": {…}}"#,
            );
            return None;
        };
        let before = place.n_errors();
        for key in given
            .keys()
            .filter(|key| !["id", "table", "row"].contains(&key.as_str()))
        {
            let is_recorded = key.starts_with("recorded");
            let hint = if is_recorded {
                "leave it out: the store says when an event was recorded".to_owned()
            } else {
                format!(
                    "{}an event has `id`, `table` and `row`",
                    did_you_mean(key, ["id", "table", "row"])
                )
            };
            place.refuse(
                place.part(Some(key)),
                format!("`{}` is no part of an event", listed(key)),
                &hint,
            );
        }
        let id = place.id(
            given.get("id"),
            place.part(Some("id")),
            "the event has no `id`",
            "give each event an ID of its own: the same ID again is the same event",
        );
        let table = self.table(given.get("table"), place);
        let row = match given.get("row") {
            Some(Value::Object(row)) => Some(row),
            other => {
                let found = other.map_or("nothing".to_owned(), shown);
                place.refuse(
                    place.row(),
                    format!("the row is {found}, expected an object"),
                    "write the columns and their values",
                );
                None
            }
        };
        let ((table, columns), row) = (table?, row?);
        let made = self.row(&table, columns, row, now, place);
        (place.n_errors() == before).then_some(())?;
        let (id, made) = (id?, made?);
        Some(NewEvent {
            id,
            entity: entity(&table, columns, made.key),
            table: table.to_string(),
            at: made.at.unwrap_or(now),
            recorded: None,
            row: Value::Object(made.cells).to_string(),
        })
    }

    /// The table of an event.
    fn table(
        &self,
        given: Option<&Value>,
        place: &mut Place<'_>,
    ) -> Option<(TableId, &TableColumns)> {
        let name = match given {
            Some(Value::String(name)) => name.as_str(),
            other => {
                let found = other.map_or("nothing".to_owned(), shown);
                let known = self.names();
                place.refuse(
                    place.part(Some("table")),
                    format!("the table is {found}"),
                    &format!("name one of {known}"),
                );
                return None;
            }
        };
        if self.elsewhere.iter().any(|table| table == name) {
            place.refuse(
                place.part(Some("table")),
                format!(
                    "`{}` is read from the place that the config names",
                    listed(name)
                ),
                "change it there, or import the tables into a new store",
            );
            return None;
        }
        let found = TableId::named(name).filter(|id| id.to_string() == name);
        match found.and_then(|id| self.tables.get(&id).map(|columns| (id, columns))) {
            Some(found) => Some(found),
            None => {
                let names: Vec<String> = self.tables.keys().map(ToString::to_string).collect();
                let near = did_you_mean(name, names.iter().map(String::as_str));
                place.refuse(
                    place.part(Some("table")),
                    format!("there is no table `{}`", listed(name)),
                    &format!("{near}there are {}", self.names()),
                );
                None
            }
        }
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.tables.keys().map(|id| format!("`{id}`")).collect();
        names.join(", ")
    }

    /// The cells of a row, each as it is stored.
    fn row(
        &self,
        table: &TableId,
        columns: &TableColumns,
        row: &Map<String, Value>,
        now: Timestamp,
        place: &mut Place<'_>,
    ) -> Option<Made> {
        if row.len() > MOST_COLUMNS {
            place.refuse(
                place.row(),
                format!("the row has {} columns", row.len()),
                &format!("a row has {MOST_COLUMNS} at most"),
            );
            return None;
        }
        let begins = self.begins.read().unwrap_or_else(PoisonError::into_inner);
        let mut cells = Cells {
            begins: &begins,
            settings: &self.settings,
            table,
            columns,
            file: self.file(table),
            now,
            latest: latest(table, now),
            is_number: &|column, is_number| self.first(table, column, is_number),
            says_recorded: false,
            made: Made::default(),
        };
        for (column, value) in row {
            cells.add(column, value, place);
        }
        cells.finish(place)
    }

    /// How the files of a table would be read.
    fn file(&self, table: &TableId) -> Option<FileConfig<'_>> {
        self.settings.table(table).map(|table| table.file)
    }

    /// Whether a column has numbers, by this value where it is the first.
    fn first(&self, table: &TableId, column: &str, is_number: bool) -> bool {
        let mut known = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        *known
            .entry((table.clone(), column.to_owned()))
            .or_insert(is_number)
    }
}

/// After it no row of the table can have happened.
fn latest(table: &TableId, now: Timestamp) -> Timestamp {
    match table {
        // What a lead was created at, and what became of it, has happened.
        TableId::Leads | TableId::Outcomes | TableId::Activities(_) => now + AHEAD,
        TableId::Lookup(_)
        | TableId::History
        | TableId::Link(_)
        | TableId::Merges
        | TableId::Deleted => Timestamp::MAX,
    }
}

/// Whose row it is.
fn entity(table: &TableId, columns: &TableColumns, key: String) -> Entity {
    match table {
        TableId::Lookup(name) => Entity::Lookup {
            name: name.clone(),
            key,
        },
        TableId::Activities(_) if columns.is_of_account => Entity::Account(key),
        TableId::Activities(_)
        | TableId::Leads
        | TableId::Outcomes
        | TableId::History
        | TableId::Link(_)
        | TableId::Merges
        | TableId::Deleted => Entity::Lead(key),
    }
}

/// The beginning of a hint where something is called nearly the same.
fn did_you_mean<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    nearest(name, known.into_iter())
        .map(|near| format!("did you mean `{}`? ", listed(near)))
        .unwrap_or_default()
}
