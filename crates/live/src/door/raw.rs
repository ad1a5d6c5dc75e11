//! A lead that is in no table, through the door: its rows are read as those of the store are, so that
//! the same cells have the same score.

use leadscore::TableColumns;
use leadscore_config::{FileConfig, TableId};
use leadscore_core::Timestamp;
use leadscore_serve::FieldError;
use serde_json::{Map, Value};

use super::cells::{Cells, Made};
use super::fields::{Place, listed, pointer, shown};
use super::{Begins, Door, did_you_mean, latest};

/// Keys of tables beside the lead's own columns.
const ACTIVITIES: &str = "activities";
const LOOKUPS: &str = "lookups";
/// Whose rows are that do not say so.
const UNSAID: &str = "(unsaid)";

/// A cell of the lead as an ID.
fn id_of(lead: &Map<String, Value>, column: &str) -> Option<String> {
    match lead.get(column)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

impl Door {
    /// The lead with its cells as a store would have them, at a moment. Lists and objects in place of
    /// cells stay as they are.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, by JSON pointers within the lead.
    pub fn raw_lead(&self, lead: &Value, at: Timestamp) -> Result<Value, Vec<FieldError>> {
        let mut errors = Vec::new();
        let Value::Object(given) = lead else {
            errors.push(FieldError {
                pointer: String::new(),
                detail: format!("the lead is {}, expected an object", shown(lead)),
                hint: "write its columns and their values".to_owned(),
            });
            return Err(errors);
        };
        let mut raw = RawLead {
            door: self,
            at,
            errors: &mut errors,
        };
        let read = raw.read(given);
        if errors.is_empty() {
            Ok(Value::Object(read))
        } else {
            Err(errors)
        }
    }

    /// Whether a key of a lead is its tables and no column.
    fn is_part(&self, key: &str) -> bool {
        let columns = self.tables.get(&TableId::Leads);
        (key == ACTIVITIES || key == LOOKUPS)
            && !columns.is_some_and(|columns| columns.uses.contains_key(key))
    }
}

/// A table of which the lead has rows.
struct Table<'d> {
    id: TableId,
    columns: &'d TableColumns,
    file: Option<FileConfig<'d>>,
}

struct RawLead<'d> {
    door: &'d Door,
    at: Timestamp,
    errors: &'d mut Vec<FieldError>,
}

impl<'d> RawLead<'d> {
    fn read(&mut self, given: &Map<String, Value>) -> Map<String, Value> {
        let settings = &self.door.settings;
        let own = given.iter().filter(|(key, _)| !self.door.is_part(key));
        let table = self.table(TableId::Leads);
        let mut lead = self.row(table.as_ref(), own, String::new(), None);
        let created_at = settings.leads.created_at.as_ref();
        if let Some(column) =
            created_at.filter(|column| lead.get(*column).is_none_or(Value::is_null))
        {
            let at = pointer("", column);
            if self.errors.iter().all(|error| error.pointer != at) {
                let detail = format!("the lead has no `{}`", listed(column));
                self.refuse(at, detail, "say when it was created, as [leads] does");
            }
        }
        // What is given is known: nothing asks since when.
        if let Some(column) = &settings.leads.recorded_at {
            lead.remove(column);
        }
        let known: Vec<&str> = settings.activities.keys().map(String::as_str).collect();
        if let Some(part) = self.part(given, ACTIVITIES, &known) {
            let read = part
                .iter()
                .map(|(name, rows)| (name.clone(), self.activities(name, rows, &lead)));
            let read = read.collect();
            lead.insert(ACTIVITIES.to_owned(), Value::Object(read));
        }
        let known: Vec<&str> = settings.lookups.keys().map(String::as_str).collect();
        if let Some(part) = self.part(given, LOOKUPS, &known) {
            let read = part
                .iter()
                .map(|(name, row)| (name.clone(), self.lookup(name, row, &lead)));
            let read = read.collect();
            lead.insert(LOOKUPS.to_owned(), Value::Object(read));
        }
        lead
    }

    /// What is given of tables beside the lead's own columns, each of which there is.
    fn part<'g>(
        &mut self,
        given: &'g Map<String, Value>,
        name: &str,
        known: &[&str],
    ) -> Option<&'g Map<String, Value>> {
        let value = given.get(name).filter(|_| self.door.is_part(name))?;
        let at = pointer("", name);
        let part = match value {
            Value::Null => return None,
            Value::Object(part) => part,
            other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                let hint = "write an object with a key for each table";
                self.refuse(at, format!("`{name}` is {}", shown(other)), hint);
                return None;
            }
        };
        for key in part.keys() {
            if !known.contains(&key.as_str()) {
                let names: Vec<String> = known
                    .iter()
                    .map(|name| format!("`{}`", listed(name)))
                    .collect();
                let near = did_you_mean(key, known.iter().copied());
                let there_are = match &names[..] {
                    [] => format!("the config has no [{name}]"),
                    names => format!("there are {}", names.join(", ")),
                };
                self.refuse(
                    pointer(&at, key),
                    format!("there is no table `{name}.{}`", listed(key)),
                    &format!("{near}{there_are}"),
                );
            }
        }
        Some(part)
    }

    /// The events of a table, each of which is the lead's or its account's.
    fn activities(&mut self, name: &str, given: &Value, lead: &Map<String, Value>) -> Value {
        let at = pointer(&pointer("", ACTIVITIES), name);
        let rows = match given {
            Value::Null => return Value::Null,
            Value::Array(rows) => rows,
            other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                let hint = "write a list with an object for each event";
                self.refuse(at, format!("the events are {}", shown(other)), hint);
                return Value::Null;
            }
        };
        let table = self.table(TableId::Activities(name.to_owned()));
        let is_of_account = table.as_ref().filter(|table| table.columns.is_of_account);
        let owner = match is_of_account {
            Some(table) => id_of(lead, &table.columns.key),
            None => id_of(lead, &self.door.settings.leads.id),
        };
        let owner = owner.as_deref();
        if let (None, Some(table), false) = (owner, is_of_account, rows.is_empty()) {
            let key = listed(&table.columns.key);
            self.refuse(
                at,
                format!("the lead has no `{key}`, and these are events of an account"),
                "say which account it is, in a column of the lead",
            );
            return Value::Null;
        }
        let rows = rows.iter().enumerate().map(|(number, row)| {
            let at = pointer(&at, &number.to_string());
            Value::Object(self.object(table.as_ref(), row, at, owner))
        });
        Value::Array(rows.collect())
    }

    /// A row of a lookup.
    fn lookup(&mut self, name: &str, given: &Value, lead: &Map<String, Value>) -> Value {
        if given.is_null() {
            return Value::Null;
        }
        let table = self.table(TableId::Lookup(name.to_owned()));
        let at = pointer(&pointer("", LOOKUPS), name);
        let key = self.door.settings.lookups.get(name);
        let key = key.and_then(|of| id_of(lead, of.leads_key.as_ref().unwrap_or(&of.key)));
        let mut row = self.object(table.as_ref(), given, at, key.as_deref());
        // It is what holds now.
        if let Some(column) = table.and_then(|table| table.columns.recorded_at.as_ref()) {
            row.remove(column);
        }
        Value::Object(row)
    }

    fn object(
        &mut self,
        table: Option<&Table<'d>>,
        given: &Value,
        at: String,
        owner: Option<&str>,
    ) -> Map<String, Value> {
        let Value::Object(row) = given else {
            let hint = "write the columns and their values";
            self.refuse(
                at,
                format!("the row is {}, expected an object", shown(given)),
                hint,
            );
            return Map::new();
        };
        self.row(table, row.iter(), at, owner)
    }

    /// A row as a store would have it; what it is a row of, it need not say.
    fn row<'g>(
        &mut self,
        table: Option<&Table<'d>>,
        given: impl Iterator<Item = (&'g String, &'g Value)>,
        at: String,
        owner: Option<&str>,
    ) -> Map<String, Value> {
        let Some(table) = table else {
            return Map::new();
        };
        let columns = table.columns;
        let door = self.door;
        let mut cells = Cells {
            // One lead alone lies before no others.
            begins: &Begins::Any,
            settings: &door.settings,
            table: &table.id,
            columns: table.columns,
            file: table.file.clone(),
            now: self.at,
            latest: latest(&table.id, self.at),
            is_number: &|_, is_number| is_number,
            says_recorded: true,
            made: super::Made {
                key: owner.unwrap_or(UNSAID).to_owned(),
                ..Made::default()
            },
        };
        let mut nested = Map::new();
        let mut place = Place::of_row(at, self.errors);
        for (column, value) in given {
            if value.is_array() || value.is_object() {
                nested.insert(column.clone(), value.clone());
            } else if *column != columns.key || !value.is_null() {
                cells.add(column, value, &mut place);
            }
        }
        if let Some(owner) = owner
            && cells.made.key != owner
            && !place.has_error_at(&columns.key)
        {
            place.refuse(
                place.cell(&columns.key),
                format!(
                    "the row is of `{}`, and the lead's are of `{}`",
                    listed(&cells.made.key),
                    listed(owner)
                ),
                "leave it out, or give the rows of one lead",
            );
        }
        let Some(mut made) = cells.finish(&mut place) else {
            return Map::new();
        };
        made.cells.extend(nested);
        made.cells
    }

    /// A table that there is.
    fn table(&self, id: TableId) -> Option<Table<'d>> {
        Some(Table {
            columns: self.door.tables.get(&id)?,
            file: self.door.file(&id),
            id,
        })
    }

    fn refuse(&mut self, pointer: String, detail: String, hint: &str) {
        self.errors.push(FieldError {
            pointer,
            detail,
            hint: hint.to_owned(),
        });
    }
}
