//! Rows of a store, table by table, and the frames that they become.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use leadscore_config::{Config, TableId};
use leadscore_core::{AttributeTable, FeatureSpec, Timestamp, printable};
use leadscore_io::{Frames, OutColumn, OutTable, RowNames};
use leadscore_store::{Entity, StoredEvent};

use super::cells::Row;
use super::leads::{Columns, MadeTable, Patch, fold_leads, fold_lookup};
use super::settings::RECORDED;
use crate::error::{Context, bail};

/// Rows of a store, as the tables of a config are made of them.
pub(crate) struct StoreRows<'c> {
    config: &'c Config,
    columns_read: ColumnsRead,
    leads: Vec<Patch>,
    lookups: BTreeMap<String, Vec<Patch>>,
    /// Events and outcomes.
    rows: BTreeMap<TableId, EventRows>,
}

/// Rows each of which is an event.
struct EventRows {
    columns: Columns,
    recorded: Vec<Option<Timestamp>>,
    /// The numbers of the events.
    events: Vec<u64>,
}

/// Columns that features read, which tables have although no row has them.
#[derive(Clone, Default)]
pub(crate) struct ColumnsRead(BTreeMap<TableId, BTreeSet<String>>);

impl ColumnsRead {
    /// Those of these features.
    pub(super) fn by(specs: &[FeatureSpec]) -> Self {
        let mut read = Self::default();
        for (table, column) in specs.iter().filter_map(|spec| spec.source.column()) {
            let table = match table {
                AttributeTable::Leads => TableId::Leads,
                AttributeTable::Lookup(name) => TableId::Lookup(name.clone()),
            };
            read.0.entry(table).or_default().insert(column.to_owned());
        }
        read
    }
}

impl<'c> StoreRows<'c> {
    /// No rows yet; `config` is as it was written.
    pub(crate) fn new(config: &'c Config, columns_read: ColumnsRead) -> Self {
        let mut rows = Self {
            config,
            columns_read,
            leads: Vec::new(),
            lookups: BTreeMap::new(),
            rows: BTreeMap::new(),
        };
        let tables = config.tables().map(|table| table.id);
        for id in tables.filter(|id| {
            matches!(id, TableId::Outcomes if config.has_outcomes())
                || matches!(id, TableId::Activities(_))
        }) {
            let made = EventRows {
                columns: Columns::only(rows.names(&id)),
                recorded: Vec::new(),
                events: Vec::new(),
            };
            rows.rows.insert(id, made);
        }
        rows
    }

    /// The config, as it was written.
    pub(super) fn config(&self) -> &'c Config {
        self.config
    }

    /// Columns that the config names or features read.
    fn names(&self, table: &TableId) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = self
            .config
            .named_columns(&table.heading())
            .into_iter()
            .collect();
        names.extend(
            self.columns_read
                .0
                .get(table)
                .into_iter()
                .flatten()
                .cloned(),
        );
        names
    }

    /// Adds a row. One of a table that the config does not have is nobody's.
    pub(crate) fn add(&mut self, event: StoredEvent) -> crate::Result<()> {
        let Some(table) = TableId::named(&event.table) else {
            return Ok(());
        };
        match (&table, event.entity) {
            (TableId::Leads, Entity::Lead(key)) => self.leads.push(Patch {
                key,
                recorded: event.recorded,
                seq: event.seq,
                row: event.row,
            }),
            (TableId::Lookup(name), Entity::Lookup { key, .. }) => {
                self.lookups.entry(name.clone()).or_default().push(Patch {
                    key,
                    recorded: event.recorded,
                    seq: event.seq,
                    row: event.row,
                });
            }
            (TableId::Outcomes | TableId::Activities(_), Entity::Lead(_) | Entity::Account(_)) => {
                let Some(made) = self.rows.get_mut(&table) else {
                    return Ok(());
                };
                let row = Row::read(&event.row).with_context(|| broken(&event.id))?;
                let cells = row.0.iter();
                made.columns
                    .push(cells.map(|(name, cell)| (name.as_ref(), cell.clone())));
                made.recorded.push(Some(event.recorded));
                made.events.push(event.seq);
            }
            (
                TableId::Leads | TableId::Lookup(_) | TableId::Outcomes | TableId::Activities(_),
                Entity::Lead(_) | Entity::Account(_) | Entity::Lookup { .. },
            ) => bail!(
                "event `{}` of the store is of `{}`, and belongs to another kind of thing\n  hint: check the store",
                printable(&event.id),
                printable(&event.table)
            ),
            (
                TableId::History | TableId::Link(_) | TableId::Merges | TableId::Deleted,
                Entity::Lead(_) | Entity::Account(_) | Entity::Lookup { .. },
            ) => {}
        }
        Ok(())
    }

    /// Makes these lookups tables, although no row may be of them; leaves all others out.
    pub(super) fn keep_lookups(&mut self, names: &[String]) {
        self.lookups.retain(|name, _| names.contains(name));
        for name in names {
            self.lookups.entry(name.clone()).or_default();
        }
    }

    /// The lookups that there are rows of.
    pub(crate) fn lookups(&self) -> Vec<String> {
        let of_config = self.config.lookups.keys();
        of_config
            .filter(|name| self.lookups.contains_key(*name))
            .cloned()
            .collect()
    }

    /// The tables, by their names in the config.
    pub(crate) fn into_tables(self) -> crate::Result<BTreeMap<String, OutTable>> {
        let made = self.into_made_tables()?;
        Ok(made
            .into_iter()
            .map(|(name, made)| (name, made.table))
            .collect())
    }

    /// The same with the events that rows are of.
    fn into_made_tables(mut self) -> crate::Result<BTreeMap<String, MadeTable>> {
        let mut tables = BTreeMap::new();
        for (id, made) in std::mem::take(&mut self.rows) {
            debug_assert_eq!(
                made.columns.n_rows(),
                made.recorded.len(),
                "each row is recorded"
            );
            let mut table = made.columns.into_table();
            table.push(RECORDED, OutColumn::Time(made.recorded));
            let events = made.events;
            tables.insert(id.to_string(), MadeTable { table, events });
        }
        for (name, patches) in std::mem::take(&mut self.lookups) {
            let Some(lookup) = self.config.lookups.get(&name) else {
                continue;
            };
            let id = TableId::Lookup(name);
            let mut names = self.names(&id);
            names.extend(lookup.changed_at.clone());
            tables.insert(id.to_string(), fold_lookup(&lookup.key, names, patches)?);
        }
        let names = self.names(&TableId::Leads);
        let folded = fold_leads(self.config, names, std::mem::take(&mut self.leads))?;
        tables.insert(TableId::Leads.to_string(), folded.leads);
        tables.insert(TableId::History.to_string(), folded.history);
        Ok(tables)
    }

    /// The tables as frames, each row of which messages call by its event; `event_of` finds one by
    /// its number.
    pub(crate) fn into_named_frames(self, event_of: &Arc<EventOf>) -> crate::Result<Frames> {
        let tables = self.into_made_tables()?.into_iter();
        let named = |(name, made): (String, MadeTable)| {
            let (event_of, events) = (Arc::clone(event_of), made.events);
            let names = RowNames::new(move |row| {
                let event = event_of(*events.get(row)?)?;
                Some(name_of(&event))
            });
            let frame = made.table.into_frame()?.with_exact_times();
            Ok((name, frame.with_row_names(names)))
        };
        tables.map(named).collect()
    }
}

/// What finds an event of a store by its number.
pub(crate) type EventOf = dyn Fn(u64) -> Option<StoredEvent> + Send + Sync;

/// What messages call the row of an event.
fn name_of(event: &StoredEvent) -> String {
    let of = match &event.entity {
        Entity::Lead(lead) => format!("lead `{}`", printable(lead)),
        Entity::Account(account) => format!("account `{}`", printable(account)),
        Entity::Lookup { name, key } => {
            format!("`{}` of lookups.{}", printable(key), printable(name))
        }
    };
    format!("event `{}` of {of}", printable(&event.id))
}

fn broken(id: &str) -> String {
    format!(
        "the row of event `{}` of the store is no JSON object",
        printable(id)
    )
}

/// The tables as frames, whose times are as precise as they are written.
pub(crate) fn frames(tables: BTreeMap<String, OutTable>) -> crate::Result<Frames> {
    let frame =
        |(name, table): (String, OutTable)| Ok((name, table.into_frame()?.with_exact_times()));
    tables.into_iter().map(frame).collect()
}
