//! Rows of a store, table by table, and the frames that they become.

use std::collections::{BTreeMap, BTreeSet};

use leadscore_config::{Config, TableId};
use leadscore_core::{AttributeTable, Timestamp, printable};
use leadscore_inference::Model;
use leadscore_io::{Frames, OutColumn, OutTable};
use leadscore_store::{Entity, StoredEvent};

use super::cells::Row;
use super::leads::{Columns, Patch, fold_leads, fold_lookup};
use super::settings::RECORDED;
use crate::error::{Context, bail};

/// Rows of a store, as the tables of a config are made of them.
pub(crate) struct StoreRows<'c> {
    config: &'c Config,
    columns_read: ColumnsRead,
    leads: Vec<Patch>,
    lookups: BTreeMap<String, Vec<Patch>>,
    /// Events and outcomes.
    rows: BTreeMap<TableId, (Columns, Vec<Option<Timestamp>>)>,
}

/// Columns that a model reads, which tables have although no row has them.
#[derive(Default)]
pub(crate) struct ColumnsRead(BTreeMap<TableId, BTreeSet<String>>);

impl ColumnsRead {
    /// Those of a model's features.
    pub(super) fn by(model: &Model) -> Self {
        let mut read = Self::default();
        for (table, column) in model.specs.iter().filter_map(|spec| spec.source.column()) {
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
            let columns = Columns::only(rows.names(&id));
            rows.rows.insert(id, (columns, Vec::new()));
        }
        rows
    }

    /// The config, as it was written.
    pub(super) fn config(&self) -> &'c Config {
        self.config
    }

    /// Columns that the config names or the model reads.
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
                let Some((columns, recorded)) = self.rows.get_mut(&table) else {
                    return Ok(());
                };
                let row = Row::read(&event.row).with_context(|| broken(&event.id))?;
                let cells = row.0.iter();
                columns.push(cells.map(|(name, cell)| (name.as_ref(), cell.clone())));
                recorded.push(Some(event.recorded));
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
    pub(crate) fn into_tables(mut self) -> crate::Result<BTreeMap<String, OutTable>> {
        let mut tables = BTreeMap::new();
        for (id, (columns, recorded)) in std::mem::take(&mut self.rows) {
            debug_assert_eq!(columns.n_rows(), recorded.len(), "each row is recorded");
            let mut table = columns.into_table();
            table.push(RECORDED, OutColumn::Time(recorded));
            tables.insert(id.to_string(), table);
        }
        for (name, patches) in std::mem::take(&mut self.lookups) {
            let Some(lookup) = self.config.lookups.get(&name) else {
                continue;
            };
            let id = TableId::Lookup(name);
            let mut names = self.names(&id);
            names.extend(lookup.changed_at.clone());
            let table = fold_lookup(&lookup.key, names, patches)
                .context("a row of a lookup of the store is no JSON object")?;
            tables.insert(id.to_string(), table);
        }
        let names = self.names(&TableId::Leads);
        let folded = fold_leads(self.config, names, std::mem::take(&mut self.leads))
            .context("a row of a lead of the store is no JSON object")?;
        tables.insert(TableId::Leads.to_string(), folded.leads);
        tables.insert(TableId::History.to_string(), folded.history);
        Ok(tables)
    }
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
