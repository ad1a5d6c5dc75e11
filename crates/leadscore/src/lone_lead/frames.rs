//! The tables of one lead, made of its JSON.

use std::collections::BTreeMap;

use leadscore_config::{ActivityConfig, ColumnType, Config, LookupConfig};
use leadscore_core::{AttributeTable, Tokenizer, printable};
use leadscore_inference::Model;
use leadscore_io::{Frames, OutColumn, OutTable};
use serde_json::{Map, Value};

use super::NAMELESS;
use super::json::{check_keys, flat, kind, object, text_of};
use crate::error::bail;

/// Keys of tables beside the lead's own columns.
const ACTIVITIES: &str = "activities";
const LOOKUPS: &str = "lookups";

/// The tables of a config with the rows of one lead alone.
pub(super) fn frames(
    config: &Config,
    model: &Model,
    lead: &Map<String, Value>,
) -> crate::Result<Frames> {
    let mut of_lead = LeadTables::new(config, model, lead)?;
    of_lead.add_activities()?;
    of_lead.add_lookups()?;
    of_lead.add_history()?;
    of_lead.add_lead()?;
    Ok(of_lead.frames)
}

/// Tables of one lead as they are made.
struct LeadTables<'a> {
    config: &'a Config,
    /// All that was given.
    given: &'a Map<String, Value>,
    read: ColumnsRead,
    /// The columns of `[leads]`.
    columns: Vec<String>,
    /// The lead's own row, to which lookups add their keys.
    row: Map<String, Value>,
    id: Value,
    frames: Frames,
}

impl<'a> LeadTables<'a> {
    /// Checks the lead's own columns.
    fn new(
        config: &'a Config,
        model: &Model,
        given: &'a Map<String, Value>,
    ) -> crate::Result<Self> {
        let read = ColumnsRead::by(model);
        let columns = columns_of(config, "[leads]", &read.of_leads);
        let mut of_lead = Self {
            config,
            given,
            read,
            columns,
            row: Map::new(),
            id: Value::Null,
            frames: Frames::new(),
        };
        let beside = [ACTIVITIES, LOOKUPS].into_iter();
        let mut known = of_lead.columns.clone();
        known.extend(
            beside
                .filter(|name| of_lead.is_table(name))
                .map(str::to_owned),
        );
        let fields = flat("the lead", given, &known)?;
        check_keys("the lead", &fields, &known)?;
        if let Some(created_at) = config
            .leads
            .created_at
            .as_ref()
            .filter(|column| fields.get(*column).is_none_or(Value::is_null))
        {
            bail!(
                "the lead has no `{}`\n  hint: say when it was created, as [leads] does",
                printable(created_at)
            );
        }
        let mut row: Map<String, Value> = fields
            .into_iter()
            .filter(|(key, _)| !of_lead.is_table(key))
            .map(|(key, value)| {
                let tokenizer = config.leads.types.get(&key).and_then(ColumnType::tokenizer);
                let joined = tokenizer.and_then(|tokenizer| joined(&value, tokenizer));
                // What nobody reads may be an object or a list.
                let is_nothing =
                    (value.is_object() || value.is_array()) && config.leads.exclude.contains(&key);
                let value = if is_nothing { Value::Null } else { value };
                (key, joined.unwrap_or(value))
            })
            .collect();
        of_lead.id = row
            .entry(config.leads.id.clone())
            .or_insert_with(|| NAMELESS.into())
            .clone();
        of_lead.row = row;
        Ok(of_lead)
    }

    /// Whether a key is of tables that the config has, and of no column of the lead.
    fn is_table(&self, key: &str) -> bool {
        let is_there = match key {
            ACTIVITIES => !self.config.activities.is_empty(),
            LOOKUPS => !self.config.lookups.is_empty(),
            _ => false,
        };
        is_there && !self.columns.iter().any(|column| column == key)
    }

    /// What was given of tables beside the lead's own columns; these names alone are known.
    fn part<'n>(
        &self,
        name: &str,
        known: impl Iterator<Item = &'n String>,
    ) -> crate::Result<Option<&'a Map<String, Value>>> {
        let Some(value) = self.given.get(name).filter(|_| self.is_table(name)) else {
            return Ok(None);
        };
        let what = format!("`{name}` of the lead");
        let part = object(&what, value)?;
        check_keys(&what, part, &known.cloned().collect::<Vec<_>>())?;
        Ok(Some(part))
    }

    /// Adds a table of activities for each of the config.
    fn add_activities(&mut self) -> crate::Result<()> {
        let config = self.config;
        let given = self.part(ACTIVITIES, config.activities.keys())?;
        for (name, activity) in &config.activities {
            let events = Events::new(self, name, activity);
            let rows = events.rows(given.and_then(|given| given.get(name)))?;
            let frame = table(&events.what, &events.columns, &rows)?.into_frame()?;
            self.frames.insert(format!("activities.{name}"), frame);
        }
        Ok(())
    }

    /// Adds the lookups whose row was given, and empty ones where the lead has no key.
    fn add_lookups(&mut self) -> crate::Result<()> {
        let config = self.config;
        let given = self.part(LOOKUPS, config.lookups.keys())?;
        for (name, lookup) in &config.lookups {
            let what = format!("`lookups.{name}` of the lead");
            let of_model = self
                .read
                .of_lookups
                .get(name)
                .map_or(&[][..], Vec::as_slice);
            let columns = columns_of(config, &format!("[lookups.{name}]"), of_model);
            let leads_key = lookup.leads_key.as_ref().unwrap_or(&lookup.key);
            let entry = given.and_then(|given| given.get(name));
            let rows = match entry {
                Some(entry) if !entry.is_null() => {
                    vec![self.looked_up(&what, lookup, &columns, entry)?]
                }
                // Without a key there is nothing to look up.
                Some(_) | None if self.row.get(leads_key).is_none_or(Value::is_null) => Vec::new(),
                Some(_) | None => continue,
            };
            self.frames.insert(
                format!("lookups.{name}"),
                table(&what, &columns, &rows)?.into_frame()?,
            );
        }
        Ok(())
    }

    /// A row of a lookup that was given, with the lead's key, which it may bring.
    fn looked_up(
        &mut self,
        what: &str,
        lookup: &LookupConfig,
        columns: &[String],
        given: &Value,
    ) -> crate::Result<Map<String, Value>> {
        let leads_key = lookup.leads_key.as_ref().unwrap_or(&lookup.key);
        let mut entry = flat(what, object(what, given)?, columns)?;
        check_keys(what, &entry, columns)?;
        let key = entry
            .get(&lookup.key)
            .or(self.row.get(leads_key))
            .filter(|key| !key.is_null())
            .cloned()
            .unwrap_or_else(|| self.id.clone());
        entry.insert(lookup.key.clone(), key.clone());
        self.row.insert(leads_key.clone(), key);
        Ok(entry)
    }

    /// Adds a history without changes, where the config has one.
    fn add_history(&mut self) -> crate::Result<()> {
        if self.config.history.is_some() {
            let columns = columns_of(self.config, "[history]", &[]);
            self.frames.insert(
                "history".to_owned(),
                table("history", &columns, &[])?.into_frame()?,
            );
        }
        Ok(())
    }

    /// Adds the lead's own row.
    fn add_lead(&mut self) -> crate::Result<()> {
        let row = std::mem::take(&mut self.row);
        self.frames.insert(
            "leads".to_owned(),
            table("the lead", &self.columns, &[row])?.into_frame()?,
        );
        Ok(())
    }
}

/// Columns that a model reads of the leads, and of each lookup.
#[derive(Default)]
struct ColumnsRead {
    of_leads: Vec<String>,
    of_lookups: BTreeMap<String, Vec<String>>,
}

impl ColumnsRead {
    /// Those of a model's features.
    fn by(model: &Model) -> Self {
        let mut read = Self::default();
        for (table, column) in model.specs.iter().filter_map(|spec| spec.source.column()) {
            let columns = match table {
                AttributeTable::Leads => &mut read.of_leads,
                AttributeTable::Lookup(name) => read.of_lookups.entry(name.clone()).or_default(),
            };
            columns.push(column.to_owned());
        }
        read
    }
}

/// The columns of a table that the config names or the model reads.
fn columns_of(config: &Config, table: &str, of_model: &[String]) -> Vec<String> {
    let mut columns = config.named_columns(table);
    columns.extend_from_slice(of_model);
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Events of a lead in one table.
struct Events<'a> {
    /// What they are called.
    what: String,
    columns: Vec<String>,
    activity: &'a ActivityConfig,
    /// The column that says whose an event is, and its value.
    owner: &'a String,
    whose: Value,
}

impl<'a> Events<'a> {
    /// Those of one table of activities; the lead's own row says whose they are.
    fn new(of_lead: &LeadTables<'_>, name: &str, activity: &'a ActivityConfig) -> Self {
        let owner = activity
            .lead
            .as_ref()
            .or(activity.account.as_ref())
            .expect("checked with the config");
        let whose = if activity.lead.is_some() {
            of_lead.id.clone()
        } else {
            of_lead.row.get(owner).cloned().unwrap_or(Value::Null)
        };
        Self {
            what: format!("`activities.{name}` of the lead"),
            columns: columns_of(of_lead.config, &format!("[activities.{name}]"), &[]),
            activity,
            owner,
            whose,
        }
    }

    /// The rows of a list of events.
    fn rows(&self, given: Option<&Value>) -> crate::Result<Vec<Map<String, Value>>> {
        let what = &self.what;
        let events = match given {
            None | Some(Value::Null) => &[][..],
            Some(Value::Array(events)) => events,
            Some(other) => bail!("{what} is {}, expected a list of objects", kind(other)),
        };
        let rows = events
            .iter()
            .map(|event| self.row(event))
            .collect::<crate::Result<Vec<_>>>()?;
        if self.activity.account.is_some() && self.whose.is_null() && !rows.is_empty() {
            bail!(
                "{what} has events of an account, and the lead has no `{}`\n  hint: name the account of the lead",
                printable(self.owner)
            );
        }
        Ok(rows)
    }

    /// The row of an event.
    fn row(&self, event: &Value) -> crate::Result<Map<String, Value>> {
        let what = format!("an event in {}", self.what);
        let mut event = flat(&what, object(&what, event)?, &self.columns)?;
        check_keys(&what, &event, &self.columns)?;
        event
            .entry(self.owner.clone())
            .or_insert_with(|| self.whose.clone());
        let Some(at) = event
            .get(&self.activity.at)
            .filter(|at| !at.is_null())
            .cloned()
        else {
            bail!(
                "{what} has no `{}`\n  hint: say when it happened",
                printable(&self.activity.at)
            );
        };
        // An event that is told of has been recorded.
        if let Some(recorded_at) = self
            .activity
            .recorded_at
            .as_ref()
            .filter(|column| event.get(*column).is_none_or(Value::is_null))
        {
            event.insert(recorded_at.clone(), at);
        }
        Ok(event)
    }
}

/// A list of plain values as a cell of a set; `None` for everything else.
fn joined(value: &Value, tokenizer: &Tokenizer) -> Option<Value> {
    let (Value::Array(values), Tokenizer::Set(separator)) = (value, tokenizer) else {
        return None;
    };
    if values
        .iter()
        .any(|value| value.is_array() || value.is_object())
    {
        return None;
    }
    let texts = values.iter().filter_map(|value| text_of(Some(value)));
    Some(texts.collect::<Vec<_>>().join(separator).into())
}

/// A table of rows with these columns: numbers stay numbers where all cells of a column are, all
/// else is text.
fn table(what: &str, columns: &[String], rows: &[Map<String, Value>]) -> crate::Result<OutTable> {
    let mut table = OutTable::default();
    for column in columns {
        let cells: Vec<Option<&Value>> = rows
            .iter()
            .map(|row| row.get(column).filter(|value| !value.is_null()))
            .collect();
        if let Some(cell) = cells
            .iter()
            .flatten()
            .find(|cell| cell.is_array() || cell.is_object())
        {
            bail!(
                "{what}: `{}` is {}, expected one value",
                printable(column),
                kind(cell)
            );
        }
        let integers: Option<Vec<Option<i64>>> = cells
            .iter()
            .map(|cell| cell.map_or(Some(None), |cell| cell.as_i64().map(Some)))
            .collect();
        let numbers: Option<Vec<f64>> = cells
            .iter()
            .map(|cell| cell.map_or(Some(f64::NAN), Value::as_f64))
            .collect();
        let is_given = cells.iter().any(Option::is_some);
        table.push(
            column,
            match (integers, numbers) {
                (Some(integers), _) if is_given => OutColumn::Integer(integers),
                (_, Some(numbers)) if is_given => OutColumn::Number(numbers),
                _ => OutColumn::Text(cells.into_iter().map(text_of).collect()),
            },
        );
    }
    Ok(table)
}
