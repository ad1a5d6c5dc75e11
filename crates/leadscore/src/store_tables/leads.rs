//! Rows of leads and of lookups, each of which may change what the ones before it were: their latest
//! values, and every change.

use std::collections::{BTreeMap, BTreeSet};

use leadscore_config::Config;
use leadscore_core::{Timestamp, printable};
use leadscore_io::{OutColumn, OutTable};

use super::cells::{Cell, ColumnCells, Row};
use super::columns::fixed_columns;
use super::settings::{ATTRIBUTE, CHANGED_AT, LEAD, OLD_VALUE, RECORDED, SEQUENCE, VALUE};
use crate::error::Context;

/// A row of a lead, or of a lookup, as it was recorded.
pub(super) struct Patch {
    pub(super) key: String,
    pub(super) recorded: Timestamp,
    pub(super) seq: u64,
    pub(super) row: String,
}

impl Patch {
    /// The cells of the row.
    fn cells(&self) -> crate::Result<Row<'_>> {
        Row::read(&self.row).with_context(|| {
            format!(
                "the row of event {} of the store, of `{}`, is no JSON object",
                self.seq,
                printable(&self.key)
            )
        })
    }
}

/// The order in which rows of one key take effect.
pub(super) fn put_in_order(patches: &mut [Patch]) {
    patches.sort_unstable_by(|a, b| (&a.key, a.recorded, a.seq).cmp(&(&b.key, b.recorded, b.seq)));
}

/// Columns of a table while rows are added.
pub(super) struct Columns {
    columns: BTreeMap<String, ColumnCells>,
    n_rows: usize,
    /// Whether nobody reads a column of another name.
    are_all: bool,
}

impl Columns {
    /// No rows of these columns, and of others that rows have.
    pub(super) fn new(names: impl IntoIterator<Item = String>) -> Self {
        let columns = names.into_iter().map(|name| (name, ColumnCells::default()));
        Self {
            columns: columns.collect(),
            n_rows: 0,
            are_all: false,
        }
    }

    /// No rows of these columns alone.
    pub(super) fn only(names: impl IntoIterator<Item = String>) -> Self {
        Self {
            are_all: true,
            ..Self::new(names)
        }
    }

    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Adds a row; a column that nobody knew before is missing in all others.
    pub(super) fn push<'c, 'n>(&mut self, cells: impl Iterator<Item = (&'n str, Cell<'c>)>) {
        for (name, cell) in cells {
            let column = match self.columns.get_mut(name) {
                Some(column) => column,
                None if self.are_all => continue,
                None => self.columns.entry(name.to_owned()).or_default(),
            };
            // Of a name that a row has twice the first counts; the door lets none in.
            if column.len() <= self.n_rows {
                column.fill(self.n_rows);
                column.push(cell);
            }
        }
        self.n_rows += 1;
    }

    pub(super) fn into_table(self) -> OutTable {
        let mut table = OutTable::default();
        for (name, mut column) in self.columns {
            column.fill(self.n_rows);
            table.push(&name, column.into_column());
        }
        table
    }
}

/// A table of rows of a store.
pub(super) struct MadeTable {
    pub(super) table: OutTable,
    /// The number of the event that each row is of; of rows that several made, the last one.
    pub(super) events: Vec<u64>,
}

/// The leads of their rows: the latest values, and the changes of each.
pub(super) struct FoldedLeads {
    pub(super) leads: MadeTable,
    pub(super) history: MadeTable,
}

/// Folds the rows of leads.
pub(super) fn fold_leads(
    config: &Config,
    names: BTreeSet<String>,
    mut patches: Vec<Patch>,
) -> crate::Result<FoldedLeads> {
    put_in_order(&mut patches);
    let roles = LeadRoles::of(config);
    let mut leads = Columns::new(names);
    let (mut recorded, mut events) = (Vec::new(), Vec::new());
    let mut changes = Changes::default();
    for rows in patches.chunk_by(|a, b| a.key == b.key) {
        let mut lead = Lead::default();
        let mut known = None;
        for patch in rows {
            let mut changed = |name: &str, before: &Cell<'_>, now: &Cell<'_>| {
                changes.push(patch, name, before, now);
            };
            lead.add(patch.cells()?, &roles, &mut changed);
            if lead.is_created && known.is_none() {
                known = Some(patch.recorded);
            }
        }
        recorded.push(known);
        events.push(rows[rows.len() - 1].seq);
        let id = (
            config.leads.id.as_str(),
            Cell::Text(rows[0].key.as_str().into()),
        );
        let values = lead
            .values
            .iter()
            .map(|(name, cell)| (name.as_str(), cell.clone()));
        leads.push(std::iter::once(id).chain(values));
    }
    let mut leads = leads.into_table();
    leads.push(RECORDED, OutColumn::Time(recorded));
    Ok(FoldedLeads {
        leads: MadeTable {
            table: leads,
            events,
        },
        history: changes.into_table(),
    })
}

/// Columns of the leads that are no attributes.
pub(super) struct LeadRoles {
    id: String,
    pub(super) created_at: String,
    /// What tells what a lead belongs to.
    pub(super) fixed: BTreeSet<String>,
}

impl LeadRoles {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            id: config.leads.id.clone(),
            created_at: config.leads.created_at.clone().unwrap_or_default(),
            fixed: fixed_columns(config),
        }
    }
}

/// A lead while its rows are added.
#[derive(Default)]
pub(super) struct Lead {
    pub(super) values: BTreeMap<String, Cell<'static>>,
    n_rows: usize,
    is_created: bool,
}

impl Lead {
    /// Adds a row: columns that it lacks stay as they were. `changed` gets each attribute that
    /// changes, what it was, and what it is.
    pub(super) fn add(
        &mut self,
        row: Row<'_>,
        roles: &LeadRoles,
        changed: &mut dyn FnMut(&str, &Cell<'_>, &Cell<'_>),
    ) {
        let was_created = self.is_created;
        for (name, cell) in row.0 {
            let name = name.as_ref();
            let before = self.values.get(name).unwrap_or(&Cell::Null);
            if name == roles.id {
                continue;
            }
            if name == roles.created_at || roles.fixed.contains(name) {
                // A score has seen what was there when the lead was created: it stays.
                let is_creation = name == roles.created_at;
                if *before == Cell::Null && (is_creation || !was_created) {
                    self.is_created |= is_creation && cell != Cell::Null;
                    self.values.insert(name.to_owned(), cell.into_owned());
                }
                continue;
            }
            if self.n_rows > 0 && !cell.is_same(before) {
                changed(name, before, &cell);
            }
            self.values.insert(name.to_owned(), cell.into_owned());
        }
        self.n_rows += 1;
    }
}

/// Changes of leads.
#[derive(Default)]
struct Changes {
    leads: Vec<Option<String>>,
    attributes: Vec<Option<String>>,
    values: Vec<Option<String>>,
    old_values: Vec<Option<String>>,
    changed_at: Vec<Option<Timestamp>>,
    events: Vec<u64>,
}

impl Changes {
    fn push(&mut self, patch: &Patch, name: &str, before: &Cell<'_>, now: &Cell<'_>) {
        self.leads.push(Some(patch.key.clone()));
        self.attributes.push(Some(name.to_owned()));
        self.values.push(now.text().map(|text| text.into_owned()));
        self.old_values
            .push(before.text().map(|text| text.into_owned()));
        self.changed_at.push(Some(patch.recorded));
        self.events.push(patch.seq);
    }

    /// The table of a history; changes of one moment take effect in the order of its numbers.
    fn into_table(self) -> MadeTable {
        let n_rows = i64::try_from(self.leads.len()).expect("rows fit into memory");
        let mut table = OutTable::default();
        table.push(LEAD, OutColumn::Text(self.leads));
        table.push(ATTRIBUTE, OutColumn::Text(self.attributes));
        table.push(VALUE, OutColumn::Text(self.values));
        table.push(OLD_VALUE, OutColumn::Text(self.old_values));
        table.push(CHANGED_AT, OutColumn::Time(self.changed_at));
        table.push(
            SEQUENCE,
            OutColumn::Integer((0..n_rows).map(Some).collect()),
        );
        MadeTable {
            table,
            events: self.events,
        }
    }
}

/// Folds the rows of a lookup: from each on it is as that row says, and as it was where that says
/// nothing.
pub(super) fn fold_lookup(
    key: &str,
    names: BTreeSet<String>,
    mut patches: Vec<Patch>,
) -> crate::Result<MadeTable> {
    put_in_order(&mut patches);
    let mut rows = Columns::new(names);
    let (mut changed_at, mut events) = (Vec::new(), Vec::new());
    for of_key in patches.chunk_by(|a, b| a.key == b.key) {
        let mut values: BTreeMap<String, Cell<'static>> = BTreeMap::new();
        for at_once in of_key.chunk_by(|a, b| a.recorded == b.recorded) {
            for patch in at_once {
                for (name, cell) in patch.cells()?.0 {
                    values.insert(name.into_owned(), cell.into_owned());
                }
            }
            values.insert(key.to_owned(), Cell::Text(of_key[0].key.clone().into()));
            rows.push(
                values
                    .iter()
                    .map(|(name, cell)| (name.as_str(), cell.clone())),
            );
            changed_at.push(Some(at_once[0].recorded));
            events.push(at_once[at_once.len() - 1].seq);
        }
    }
    let mut table = rows.into_table();
    table.push(CHANGED_AT, OutColumn::Time(changed_at));
    Ok(MadeTable { table, events })
}
