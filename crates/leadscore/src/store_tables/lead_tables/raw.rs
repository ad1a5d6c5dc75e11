//! The typed tables of a lead that is in no table, made of its JSON without frames.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use leadscore_config::Config as Settings;
use leadscore_core::{CellKind, Timestamp};
use leadscore_dataset::{Activities, LoadOptions, Lookup, LookupRows, MISSING, Tables};
use leadscore_store::StoredEvent;
use serde_json::{Map, Value};

use super::cells::{Nulls, Unsure};
use super::events::{ActivityTable, Events};
use super::{LeadTables, LookupTable, ReadRow, Reading};
use crate::store_tables::cells::{Cell, Row};
use crate::store_tables::leads::Lead;

/// The columns that a lead may have, and those of the rows that it may bring.
pub(super) struct RawColumns {
    leads: KnownColumns,
    activities: BTreeMap<String, KnownColumns>,
    lookups: BTreeMap<String, KnownColumns>,
}

/// The columns of a table by name; whether numbers with a fraction are read of them.
struct KnownColumns(HashMap<String, bool>);

impl RawColumns {
    pub(super) fn of(settings: &Settings, options: &LoadOptions) -> Self {
        let attributes = |lookup: Option<&str>| -> Vec<(String, bool)> {
            let all = options.attributes.iter().flatten();
            all.filter(|(key, _)| key.lookup.as_deref() == lookup)
                .map(|(key, kind)| (key.column.clone(), *kind == CellKind::Number))
                .collect()
        };
        let columns = |heading: &str, read: Vec<(String, bool)>| {
            let named = settings.named_columns(heading).into_iter();
            let named = named.map(|column| (column, false));
            KnownColumns(named.chain(read).collect())
        };
        let activities = settings.activities.iter().map(|(name, activity)| {
            let values = activity.values.iter();
            let values = values.map(|column| (column.clone(), true)).collect();
            let of_table = columns(&format!("[activities.{name}]"), values);
            (name.clone(), of_table)
        });
        let lookups = settings.lookups.keys().map(|name| {
            let of_table = columns(&format!("[lookups.{name}]"), attributes(Some(name)));
            (name.clone(), of_table)
        });
        Self {
            leads: columns("[leads]", attributes(None)),
            activities: activities.collect(),
            lookups: lookups.collect(),
        }
    }
}

impl KnownColumns {
    /// A row of plain values.
    fn row<'v>(
        &self,
        given: impl Iterator<Item = (&'v String, &'v Value)>,
    ) -> Result<Row<'v>, Unsure> {
        let cell = |(name, value): (&'v String, &'v Value)| {
            let may_be_fraction = *self.0.get(name).ok_or(Unsure)?;
            Ok((Cow::Borrowed(name.as_str()), cell(value, may_be_fraction)?))
        };
        Ok(Row(given.map(cell).collect::<Result<_, Unsure>>()?))
    }
}

fn cell(value: &Value, may_be_fraction: bool) -> Result<Cell<'_>, Unsure> {
    Ok(match value {
        Value::Null => Cell::Null,
        Value::Bool(is_true) => Cell::Text(if *is_true { "true" } else { "false" }.into()),
        Value::String(text) => Cell::Text(text.as_str().into()),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Cell::Integer(number),
            // How a fraction is written as a text, tables decide.
            None if may_be_fraction => Cell::Number(number.as_f64().ok_or(Unsure)?),
            None => return Err(Unsure),
        },
        Value::Array(_) | Value::Object(_) => return Err(Unsure),
    })
}

/// A part of a lead with a value for each table of this kind.
fn part<'v>(given: &'v Map<String, Value>, name: &str) -> Result<Part<'v>, Unsure> {
    match given.get(name) {
        None => Ok(None),
        Some(Value::Object(part)) => Ok(Some(part)),
        Some(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_),
        ) => Err(Unsure),
    }
}

type Part<'v> = Option<&'v Map<String, Value>>;

/// The value of a table, where one was given.
fn of_table<'v>(part: Part<'v>, name: &str) -> Option<&'v Value> {
    part?.get(name).filter(|value| !value.is_null())
}

impl LeadTables {
    /// The tables of a lead as it was given, and its ID; `now` is until when times can be meant, and
    /// `rows` are those of the store's lookups.
    pub(in crate::store_tables) fn read_raw(
        &self,
        given: &Map<String, Value>,
        at: Timestamp,
        now: Timestamp,
        rows: &[&StoredEvent],
    ) -> Result<(String, Tables), Unsure> {
        let reading = Reading {
            window: self.settings.data.window(Some(now)),
            of: self,
        };
        let activities = part(given, "activities")?;
        let lookups = part(given, "lookups")?;
        let knows = |part: Part<'_>, known: &BTreeMap<String, KnownColumns>| {
            part.is_none_or(|part| part.keys().all(|name| known.contains_key(name)))
        };
        let columns = &self.raw.leads.0;
        if columns.contains_key("activities")
            || columns.contains_key("lookups")
            || !knows(activities, &self.raw.activities)
            || !knows(lookups, &self.raw.lookups)
        {
            return Err(Unsure);
        }
        let own = given
            .iter()
            .filter(|(name, _)| *name != "activities" && *name != "lookups");
        let mut lead = self.raw.leads.row(own)?;
        let id = self.raw_id(&lead)?;
        let entries = self.entries(lookups, &id, &mut lead)?;
        let row = ReadRow {
            table: "leads",
            entity: &id,
            recorded: at,
            seq: 0,
            cells: lead,
        };
        let (folded, _) = reading.fold(&id, &[row])?;
        let leads = reading.leads(&id, &folded)?;
        if leads.created[0].is_none() {
            return Err(Unsure);
        }
        let of_activities = self.activities.iter().map(|table| {
            let rows = of_table(activities, &table.name);
            reading.raw_activities(table, rows, &id, &folded)
        });
        let of_activities = of_activities.collect::<Result<Vec<_>, Unsure>>()?;
        let rows = rows.iter().map(|row| ReadRow::of(row));
        let rows = rows.collect::<Result<Vec<_>, Unsure>>()?;
        let of_lookups = self.lookups.iter().zip(entries);
        let of_lookups = of_lookups
            .map(|(table, entry)| reading.raw_lookup(table, entry, (&id, &folded), &rows))
            .collect::<Result<Vec<_>, Unsure>>()?;
        let tables = self.tables(at, leads, of_activities, of_lookups);
        Ok((id, tables))
    }

    /// The ID of the lead, in which nothing is to be cleaned.
    fn raw_id(&self, lead: &Row<'_>) -> Result<String, Unsure> {
        let column = &self.settings.leads.id;
        let id = lead.get(column).text().ok_or(Unsure)?;
        let nulls = Nulls::of(&self.settings.leads.file(), column);
        if nulls.clean(&id) == Some(&*id) {
            Ok(id.into_owned())
        } else {
            Err(Unsure)
        }
    }

    /// The rows of lookups that the lead brings, each of which has its key.
    fn entries<'v>(
        &self,
        lookups: Part<'v>,
        id: &str,
        lead: &mut Row<'v>,
    ) -> Result<Vec<Option<Row<'v>>>, Unsure> {
        let mut entries = Vec::with_capacity(self.lookups.len());
        for table in &self.lookups {
            let entry = match of_table(lookups, &table.name) {
                None => None,
                Some(Value::Object(entry)) => {
                    let row = self.raw.lookups[&table.name].row(entry.iter())?;
                    let own = lead.get(&table.leads_key).clone();
                    let brought = row.get(&self.settings.lookups[&table.name].key).clone();
                    let mut of_accounts = self.activities.iter().filter(|of| of.is_of_account);
                    if own == Cell::Null && of_accounts.any(|of| of.key == table.leads_key) {
                        return Err(Unsure);
                    }
                    let key = match (&brought, &own) {
                        (Cell::Null, Cell::Null) => Cell::Text(id.to_owned().into()),
                        (Cell::Null, _) => own,
                        (_, Cell::Null) => brought,
                        (brought, own) if brought.is_same(own) => own.clone(),
                        _ => return Err(Unsure),
                    };
                    table.key_nulls.text(&key).ok_or(Unsure)?;
                    lead.0.retain(|(name, _)| *name != table.leads_key);
                    lead.0.push((table.leads_key.clone().into(), key));
                    Some(row)
                }
                Some(_) => return Err(Unsure),
            };
            entries.push(entry);
        }
        Ok(entries)
    }
}

impl Reading<'_> {
    /// The events that a lead brings.
    fn raw_activities(
        &self,
        table: &ActivityTable,
        given: Option<&Value>,
        id: &str,
        folded: &Lead,
    ) -> Result<Activities, Unsure> {
        let owner = self.owner(table, id, folded);
        let mut events = Events::new(table);
        let given = match given {
            None => &[][..],
            Some(Value::Array(given)) => given,
            Some(_) => return Err(Unsure),
        };
        if owner.is_none() && !given.is_empty() {
            return Err(Unsure);
        }
        let activity = &self.of.settings.activities[&table.name];
        let file = activity.file();
        let recorded = activity.recorded_at.as_ref();
        let recorded = recorded.map(|column| (column, Nulls::of(&file, column)));
        let columns = &self.of.raw.activities[&table.name];
        for event in given {
            let row = columns.row(event.as_object().ok_or(Unsure)?.iter())?;
            let whose = row.0.iter().find(|(name, _)| *name == table.key);
            if whose.is_some_and(|(_, whose)| table.key_nulls.text(whose) != owner) {
                return Err(Unsure);
            }
            let at = self.stamp(&file, &table.at_nulls, row.get(&table.at))?;
            let at = at.ok_or(Unsure)?;
            let known = match &recorded {
                Some((column, nulls)) if *row.get(column) != Cell::Null => {
                    let stamp = self.stamp(&file, nulls, row.get(column))?;
                    stamp.ok_or(Unsure)?.known
                }
                Some(_) | None => at.known,
            };
            events.push(table, &row, at.known, known)?;
        }
        Ok(events.of_owner(table, owner.is_some()))
    }

    /// The row of a lookup that the lead brings, or that of its key.
    fn raw_lookup(
        &self,
        table: &LookupTable,
        entry: Option<Row<'_>>,
        (id, folded): (&str, &Lead),
        rows: &[ReadRow<'_>],
    ) -> Result<Lookup, Unsure> {
        let n_rows = usize::from(entry.is_some());
        if entry.is_none() && self.lookup_key(table, id, folded).is_some() {
            return self.lookup(table, id, folded, rows);
        }
        let row = entry.unwrap_or(Row(Vec::new()));
        Ok(Lookup {
            name: table.name.clone(),
            entry_of_lead: vec![if n_rows == 1 { 0 } else { MISSING }],
            rows: Arc::new(LookupRows {
                versions: None,
                attributes: self.lookup_attributes(table, n_rows, |_, column| row.get(column))?,
            }),
        })
    }
}
