//! The columns of each table that rows of a store may have, and what each is read as.

use std::collections::{BTreeMap, BTreeSet};

use leadscore_config::{ColumnType, Config, OneOrMany, TableId};
use leadscore_core::{AttributeTable, CellKind};
use leadscore_inference::Model;
use leadscore_store::WORD_TABLE;

/// The columns of [`WORD_TABLE`] that the server writes: the lead, the moment, what, by whom and why.
pub const WORD_COLUMNS: [&str; 5] = ["lead", "at", "said", "by", "note"];

/// What cells of a column are read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellUse {
    /// The ID of a lead, an account or a row of a lookup.
    Key,
    /// A time.
    Time,
    /// A number.
    Number,
    /// Words, numbers among them.
    Word,
    /// Whatever it is: nothing says.
    Free,
}

/// The columns of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableColumns {
    /// What is known of columns, by name.
    pub uses: BTreeMap<String, CellUse>,
    /// Whether there may be others.
    pub is_open: bool,
    /// The column that says whose a row is.
    pub key: String,
    /// Whether that is an account.
    pub is_of_account: bool,
    /// The column that says when it happened, where there is one.
    pub at: Option<String>,
    /// The column with the time of recording in files, which rows of a store do not have.
    pub recorded_at: Option<String>,
}

/// The columns of every table of which a store may have rows.
pub fn table_columns(config: &Config, model: Option<&Model>) -> BTreeMap<TableId, TableColumns> {
    let mut tables = BTreeMap::new();
    tables.insert(TableId::Leads, leads(config, model));
    if config.has_outcomes() && !config.is_flat() {
        tables.extend(outcomes(config).map(|columns| (TableId::Outcomes, columns)));
    }
    for name in config.activities.keys() {
        tables.insert(TableId::Activities(name.clone()), activity(config, name));
    }
    for name in config.lookups.keys() {
        tables.insert(TableId::Lookup(name.clone()), lookup(config, name, model));
    }
    let word = TableId::named(WORD_TABLE).expect("its name is a key");
    let [lead, at, said, by, note] = WORD_COLUMNS.map(str::to_owned);
    let columns = tables.entry(word).or_insert_with(|| TableColumns {
        uses: BTreeMap::from([(lead.clone(), CellUse::Key), (at.clone(), CellUse::Time)]),
        is_open: false,
        key: lead,
        is_of_account: false,
        at: Some(at),
        recorded_at: None,
    });
    // Also where a config that learns from words does not read all that the server writes.
    for column in [said, by, note] {
        columns.uses.entry(column).or_insert(CellUse::Word);
    }
    tables
}

/// The columns that tell what a lead belongs to: they stay what they were when it was created.
pub(super) fn fixed_columns(config: &Config) -> BTreeSet<String> {
    let lookups = config.lookups.values();
    let activities = config.activities.values();
    lookups
        .map(|lookup| lookup.leads_key.as_ref().unwrap_or(&lookup.key))
        .chain(activities.filter_map(|activity| activity.account.as_ref()))
        .chain(&config.leads.account)
        .cloned()
        .collect()
}

fn leads(config: &Config, model: Option<&Model>) -> TableColumns {
    let settings = &config.leads;
    let mut uses = named(config, &TableId::Leads);
    typed(&mut uses, &settings.types);
    let listed = settings.attributes.is_some();
    let is_open = attributes(&mut uses, &AttributeTable::Leads, model, listed);
    let points = settings.manual_score.as_ref().map(OneOrMany::to_vec);
    uses.extend(
        points
            .into_iter()
            .flatten()
            .map(|column| (column, CellUse::Number)),
    );
    uses.extend(
        fixed_columns(config)
            .into_iter()
            .map(|column| (column, CellUse::Key)),
    );
    uses.extend(
        settings
            .created_at
            .iter()
            .map(|column| (column.clone(), CellUse::Time)),
    );
    uses.insert(settings.id.clone(), CellUse::Key);
    let columns = TableColumns {
        uses,
        is_open,
        key: settings.id.clone(),
        is_of_account: false,
        at: None,
        recorded_at: None,
    };
    without_recorded(columns, settings.recorded_at.as_ref())
}

fn outcomes(config: &Config) -> Option<TableColumns> {
    let settings = &config.outcomes;
    let (lead, closed_at) = (settings.lead.clone()?, settings.closed_at.clone()?);
    let mut uses = named(config, &TableId::Outcomes);
    typed(&mut uses, &settings.types);
    let known = [
        (Some(&lead), CellUse::Key),
        (Some(&closed_at), CellUse::Time),
        (settings.result.as_ref(), CellUse::Word),
        (settings.amount.as_ref(), CellUse::Number),
    ];
    for (column, cells) in known {
        uses.extend(column.map(|column| (column.clone(), cells)));
    }
    Some(without_recorded(
        TableColumns {
            uses,
            is_open: false,
            key: lead,
            is_of_account: false,
            at: Some(closed_at),
            recorded_at: None,
        },
        settings.recorded_at.as_ref(),
    ))
}

fn activity(config: &Config, name: &str) -> TableColumns {
    let settings = &config.activities[name];
    let mut uses = named(config, &TableId::Activities(name.to_owned()));
    typed(&mut uses, &settings.types);
    let kinds = settings
        .kind
        .iter()
        .map(|column| (column.clone(), CellUse::Word));
    let values = settings
        .values
        .iter()
        .map(|column| (column.clone(), CellUse::Number));
    uses.extend(kinds.chain(values));
    uses.insert(settings.at.clone(), CellUse::Time);
    let key = settings
        .lead
        .as_ref()
        .or(settings.account.as_ref())
        .expect("checked with the config")
        .clone();
    uses.insert(key.clone(), CellUse::Key);
    without_recorded(
        TableColumns {
            uses,
            is_open: false,
            key,
            is_of_account: settings.lead.is_none(),
            at: Some(settings.at.clone()),
            recorded_at: None,
        },
        settings.recorded_at.as_ref(),
    )
}

fn lookup(config: &Config, name: &str, model: Option<&Model>) -> TableColumns {
    let settings = &config.lookups[name];
    let mut uses = named(config, &TableId::Lookup(name.to_owned()));
    typed(&mut uses, &settings.types);
    let listed = settings.attributes.is_some();
    let table = AttributeTable::Lookup(name.to_owned());
    let is_open = attributes(&mut uses, &table, model, listed);
    uses.insert(settings.key.clone(), CellUse::Key);
    without_recorded(
        TableColumns {
            uses,
            is_open,
            key: settings.key.clone(),
            is_of_account: false,
            at: None,
            recorded_at: None,
        },
        settings.changed_at.as_ref(),
    )
}

/// The columns that the config names, of which nothing else is known yet.
fn named(config: &Config, table: &TableId) -> BTreeMap<String, CellUse> {
    let columns = config.named_columns(&table.heading());
    columns
        .into_iter()
        .map(|column| (column, CellUse::Free))
        .collect()
}

/// What `types` says of columns.
fn typed(uses: &mut BTreeMap<String, CellUse>, types: &BTreeMap<String, ColumnType>) {
    for (column, kind) in types {
        let cells = match kind {
            ColumnType::Number(_) => CellUse::Number,
            ColumnType::Days => CellUse::Time,
            ColumnType::Category | ColumnType::Tokens(_) => CellUse::Word,
            ColumnType::Time | ColumnType::Id => CellUse::Free,
        };
        uses.insert(column.clone(), cells);
    }
}

/// What the model reads of a table of attributes, and the columns that its training saw; whether
/// there may be others.
fn attributes(
    uses: &mut BTreeMap<String, CellUse>,
    table: &AttributeTable,
    model: Option<&Model>,
    are_listed: bool,
) -> bool {
    let Some(model) = model else {
        return !are_listed;
    };
    let heading = match table {
        AttributeTable::Leads => "[leads]".to_owned(),
        AttributeTable::Lookup(name) => format!("[lookups.{name}]"),
    };
    let profile = model.data.iter().flat_map(|data| &data.tables);
    let seen: Vec<&String> = profile
        .filter(|profile| profile.table == heading)
        .flat_map(|profile| profile.columns.iter().map(|column| &column.column))
        .collect();
    let knows_all = !seen.is_empty() || are_listed;
    for column in seen {
        uses.entry(column.clone()).or_insert(CellUse::Free);
    }
    for spec in &model.specs {
        let Some((of, column, kind)) = spec.source.cell(spec.kind) else {
            continue;
        };
        if of == table {
            let cells = match kind {
                CellKind::Number => CellUse::Number,
                CellKind::Category => CellUse::Word,
                CellKind::Date => CellUse::Time,
            };
            uses.insert(column.to_owned(), cells);
        }
    }
    !knows_all
}

/// The same columns, of which that with the time of recording is the store's own.
fn without_recorded(columns: TableColumns, recorded_at: Option<&String>) -> TableColumns {
    let mut uses = columns.uses;
    if let Some(column) = recorded_at {
        uses.remove(column);
    }
    TableColumns {
        uses,
        recorded_at: recorded_at.cloned(),
        ..columns
    }
}
