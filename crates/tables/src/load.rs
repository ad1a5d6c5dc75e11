//! The typed tables that features are made from: leads, lookups, activities, outcomes and history, joined by lead.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use leadscore_core::{AttributeTable, FeatureKind, Stamp, Timestamp};
use rayon::slice::ParallelSliceMut;

use crate::config::{ActivityConfig, Config, FileConfig, OneOrMany, Scalar};
use crate::error::TablesError;
use crate::scan::{RawTable, Table};
use crate::values;

/// The code of a missing category, and the row of a lookup that is not there.
pub const MISSING: u32 = u32::MAX;

/// A column of numbers or of categories.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Finite numbers, NaN where missing.
    Number(Vec<f64>),
    /// Indices into levels sorted by name, [`MISSING`] where missing.
    Category {
        /// One a row.
        codes: Vec<u32>,
        /// The distinct values, sorted.
        levels: Vec<String>,
    },
}

/// Names an attribute: its table and column.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributeKey {
    /// The lookup that it stands in; `None` for the leads themselves.
    pub lookup: Option<String>,
    /// The column.
    pub column: String,
}

impl AttributeKey {
    /// The key of an attribute in a table.
    pub fn new(table: &AttributeTable, column: &str) -> Self {
        let lookup = match table {
            AttributeTable::Leads => None,
            AttributeTable::Lookup(name) => Some(name.clone()),
        };
        Self { lookup, column: column.to_owned() }
    }
}

/// A column to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Name of the column.
    pub name: String,
    /// Its values, a row of its table each.
    pub column: Column,
}

/// The leads, in the order of their ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Leads {
    /// Name of the id column.
    pub id_column: String,
    /// The ids, sorted.
    pub ids: Vec<String>,
    /// When each was created; `None` for a flat export, or for a lead without the time.
    pub created: Vec<Option<Stamp>>,
    /// Whether creation has a time of day.
    pub created_has_time: bool,
    /// The value of `order_by` in a flat export, NaN where missing.
    pub order: Option<Vec<f64>>,
    /// Columns to learn from.
    pub attributes: Vec<Attribute>,
    /// Today's points, NaN where missing.
    pub manual_score: Option<Vec<f64>>,
}

/// A table that leads point to.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// Its name in the config.
    pub name: String,
    /// The row of each lead, [`MISSING`] where there is none.
    pub row_of_lead: Vec<u32>,
    /// Columns to learn from.
    pub attributes: Vec<Attribute>,
}

/// A numeric column of events.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueColumn {
    /// Name of the column.
    pub name: String,
    /// One an event, NaN where missing.
    pub values: Vec<f64>,
}

/// Events, sorted by whose they are, then by time, then by everything else, so that the order of the file leaves no trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Activities {
    /// Name in the config.
    pub name: String,
    /// Whose events a lead sees: `None` where that is the lead itself, else the account of each lead ([`MISSING`] for none).
    pub entity_of_lead: Option<Vec<u32>>,
    /// Events of entity `e` are `offsets[e]..offsets[e + 1]`.
    pub offsets: Vec<usize>,
    /// When each happened; the end of the day for a date.
    pub at: Vec<Timestamp>,
    /// From when each counts as known: when it was recorded, where the table says so.
    pub known: Vec<Timestamp>,
    /// Whether the table has a second clock.
    pub has_recorded_at: bool,
    /// Columns that split the counts: name, code of each event, levels.
    pub kinds: Vec<(String, Vec<u32>, Vec<String>)>,
    /// Numbers to sum and average.
    pub values: Vec<ValueColumn>,
}

impl Activities {
    /// Positions of the events that a lead sees.
    pub fn events_of(&self, lead: usize) -> std::ops::Range<usize> {
        let entity = match &self.entity_of_lead {
            None => lead,
            Some(entities) if entities[lead] == MISSING => return 0..0,
            Some(entities) => entities[lead] as usize,
        };
        self.offsets[entity]..self.offsets[entity + 1]
    }
}

/// When a lead closed and when it was won.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeadOutcome {
    /// The first time it closed, won or lost: from then on it is not at risk.
    pub closed: Option<Timestamp>,
    /// The first time it was won.
    pub won: Option<Timestamp>,
    /// Flat exports: whether it was won; `None` where the flag is missing.
    pub flag: Option<bool>,
}

/// One attribute's past.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryChange {
    /// Name of the attribute.
    pub attribute: String,
    /// Changes of lead `l` are `offsets[l]..offsets[l + 1]`, by time.
    pub offsets: Vec<usize>,
    /// From when each value holds.
    pub known: Vec<Timestamp>,
    /// The values.
    pub values: Column,
}

/// What attributes were, and when.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// The attributes that have a past, by name.
    pub attributes: Vec<HistoryChange>,
}

/// Something the user should know about the data, which is not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The table in the config.
    pub table: String,
    /// A sentence.
    pub text: String,
}

/// Everything that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    /// The leads.
    pub leads: Leads,
    /// What they point to.
    pub lookups: Vec<Lookup>,
    /// What they did.
    pub activities: Vec<Activities>,
    /// What became of each lead.
    pub outcomes: Vec<LeadOutcome>,
    /// What attributes were.
    pub history: History,
    /// Whether this is a flat export: an outcome flag, no dates.
    pub is_flat: bool,
    /// The last moment that the data speaks of; [`Timestamp::MAX`] for a flat export.
    pub observation_end: Timestamp,
    /// What the user should know.
    pub notes: Vec<Note>,
}

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Nothing known at or after this moment exists.
    pub as_of: Option<Timestamp>,
    /// Only these attributes, with the types that a model expects; default: what the config says, types by the values.
    pub attributes: Option<HashMap<AttributeKey, FeatureKind>>,
}

/// Reads all tables of a config, whose paths are relative to `folder`.
///
/// # Errors
///
/// [`TablesError`] names file, line and column of the first thing that is not as the config says.
pub fn load(config: &Config, folder: &Path, options: &LoadOptions) -> Result<Tables, TablesError> {
    let mut notes = Vec::new();
    let leads_table = Table::open("[leads]", folder, config.leads.file())?;
    let raw = read_leads(config, &leads_table)?;
    let (ids, position_of_row) = lead_ids(&raw, &config.leads.id)?;
    let n_leads = ids.len();
    let index: HashMap<&str, u32> = ids.iter().enumerate().map(|(position, id)| (id.as_str(), position as u32)).collect();
    add_table_notes(&leads_table, &mut notes);

    let mut created = vec![None; n_leads];
    let mut created_has_time = false;
    if let Some(column) = &config.leads.created_at {
        let times = raw.times(column)?;
        created_has_time = times.iter().flatten().any(|stamp| stamp.start == stamp.known);
        let missing = times.iter().filter(|time| time.is_none()).count();
        if missing > 0 {
            note(&mut notes, "[leads]", format!("{missing} leads have no `{column}` and are left out of every snapshot"));
        }
        created = permute(times, &position_of_row);
    }
    let order = config.snapshots.order_by.as_ref().map(|column| read_order(&raw, column)).transpose()?.map(|values| permute(values, &position_of_row));
    let manual_score = read_manual_score(config, &raw)?.map(|values| permute(values, &position_of_row));
    let mut attributes = Vec::new();
    for column in lead_attributes(config, &leads_table, options) {
        let expected = expected_kind(options, None, &column);
        if let Some(values) = read_attribute(&raw, &column, expected, &mut notes)? {
            attributes.push(Attribute { name: column, column: permute_column(values, &position_of_row) });
        }
    }
    let flags = config.outcomes.flag.as_ref().map(|column| read_flags(config, &raw, column, &mut notes)).transpose()?;
    let mut outcomes: Vec<LeadOutcome> = vec![LeadOutcome::default(); n_leads];
    if let Some(flags) = flags {
        for (row, flag) in flags.into_iter().enumerate() {
            outcomes[position_of_row[row] as usize].flag = flag;
        }
    } else {
        read_outcomes(config, folder, &index, &created, &mut outcomes, &mut notes)?;
    }
    let mut lookups = Vec::new();
    for (name, lookup) in &config.lookups {
        let key_column = lookup.leads_key.as_ref().unwrap_or(&lookup.key);
        let keys = permute(texts(&raw, key_column)?, &position_of_row);
        let table = Table::open(&format!("[lookups.{name}]"), folder, lookup.file())?;
        table.require("key", &lookup.key)?;
        let columns = lookup_attributes(name, lookup, &table, options)?;
        let mut wanted: Vec<&str> = vec![&lookup.key];
        wanted.extend(columns.iter().map(String::as_str));
        let raw_lookup = table.read(&wanted)?;
        add_table_notes(&table, &mut notes);
        lookups.push(read_lookup(name, &lookup.key, &raw_lookup, &columns, &keys, options, &mut notes)?);
    }
    let mut activities = Vec::new();
    for (name, activity) in &config.activities {
        let accounts = activity.account.as_ref().map(|column| texts(&raw, column).map(|keys| permute(keys, &position_of_row))).transpose()?;
        activities.push(read_activities(name, activity, folder, &index, accounts.as_deref(), n_leads, &mut notes)?);
    }
    drop(raw);
    let history = match &config.history {
        Some(_) => read_history(config, folder, &index, &mut attributes, n_leads, &mut notes)?,
        None => History::default(),
    };
    let latest = latest_time(&created, &outcomes, &activities);
    let configured = config.snapshots.observation_end.map(|moment| moment.0);
    let mut observation_end = if config.is_flat() { Timestamp::MAX } else { configured.or(latest).unwrap_or(Timestamp::MAX) };
    if let Some(as_of) = options.as_of.filter(|_| !config.is_flat()) {
        observation_end = observation_end.min(as_of);
        for outcome in &mut outcomes {
            outcome.closed = outcome.closed.filter(|&at| at < as_of);
            outcome.won = outcome.won.filter(|&at| at < as_of);
        }
    }
    Ok(Tables {
        leads: Leads { id_column: config.leads.id.clone(), ids: ids.clone(), created, created_has_time, order, attributes, manual_score },
        lookups,
        activities,
        outcomes,
        history,
        is_flat: config.is_flat(),
        observation_end,
        notes,
    })
}

fn note(notes: &mut Vec<Note>, table: &str, text: String) {
    notes.push(Note { table: table.to_owned(), text });
}

fn add_table_notes(table: &Table<'_>, notes: &mut Vec<Note>) {
    notes.extend(table.notes.iter().map(|text| Note { table: table.name.clone(), text: text.clone() }));
}

fn expected_kind(options: &LoadOptions, lookup: Option<&str>, column: &str) -> Option<FeatureKind> {
    let key = AttributeKey { lookup: lookup.map(str::to_owned), column: column.to_owned() };
    options.attributes.as_ref().and_then(|kinds| kinds.get(&key).copied())
}

/// Reads every column of the leads that anything needs, after checking that each is there.
fn read_leads<'a>(config: &Config, table: &'a Table<'a>) -> Result<RawTable<'a>, TablesError> {
    let leads = &config.leads;
    table.require("id", &leads.id)?;
    if let Some(column) = &leads.created_at {
        table.require("created_at", column)?;
    }
    for column in leads.attributes.iter().flatten() {
        table.require("attributes", column)?;
    }
    for column in &leads.exclude {
        table.require("exclude", column)?;
    }
    for column in manual_columns(config) {
        table.require("manual_score", &column)?;
    }
    for (name, lookup) in &config.lookups {
        table.require(&format!("[lookups.{name}] `leads_key`"), lookup.leads_key.as_ref().unwrap_or(&lookup.key))?;
    }
    for (name, activity) in &config.activities {
        if let Some(column) = &activity.account {
            table.require(&format!("[activities.{name}] `account`"), column)?;
        }
    }
    if let Some(column) = &config.outcomes.flag {
        table.require("[outcomes] `flag`", column)?;
    }
    if let Some(column) = &config.snapshots.order_by {
        table.require("[snapshots] `order_by`", column)?;
    }
    let columns: Vec<&str> = table
        .columns()
        .iter()
        .map(String::as_str)
        .filter(|column| !leads.exclude.iter().any(|excluded| excluded == column) || is_named(config, column))
        .collect();
    let raw = table.read(&columns)?;
    if raw.n_rows == 0 {
        return Err(TablesError::Content {
            table: "[leads]".to_owned(),
            found: format!("{} has a header and no rows", table.path().display()),
            help: "export the leads again".to_owned(),
        });
    }
    Ok(raw)
}

fn manual_columns(config: &Config) -> Vec<String> {
    config.leads.manual_score.as_ref().map(OneOrMany::to_vec).unwrap_or_default()
}

/// Whether the config gives this column of the leads a part of its own, so that it is no attribute.
fn is_named(config: &Config, column: &str) -> bool {
    let leads = &config.leads;
    leads.id == column
        || leads.created_at.as_deref() == Some(column)
        || manual_columns(config).iter().any(|name| name == column)
        || config.outcomes.flag.as_deref() == Some(column)
        || config.snapshots.order_by.as_deref() == Some(column)
        || config.lookups.values().any(|lookup| lookup.leads_key.as_ref().unwrap_or(&lookup.key) == column)
        || config.activities.values().any(|activity| activity.account.as_deref() == Some(column))
}

fn lead_attributes(config: &Config, table: &Table<'_>, options: &LoadOptions) -> Vec<String> {
    let chosen = |column: &String| match &options.attributes {
        Some(kinds) => kinds.contains_key(&AttributeKey { lookup: None, column: column.clone() }),
        None => match &config.leads.attributes {
            Some(attributes) => attributes.contains(column) && !config.leads.exclude.contains(column),
            None => !is_named(config, column) && !config.leads.exclude.contains(column),
        },
    };
    let mut columns: Vec<String> = table.columns().iter().filter(|column| chosen(column)).cloned().collect();
    // By name: the order of columns in a file leaves no trace either.
    columns.sort_unstable();
    columns
}

fn lookup_attributes(name: &str, lookup: &crate::config::LookupConfig, table: &Table<'_>, options: &LoadOptions) -> Result<Vec<String>, TablesError> {
    for column in lookup.attributes.iter().flatten() {
        table.require("attributes", column)?;
    }
    for column in &lookup.exclude {
        table.require("exclude", column)?;
    }
    let mut columns: Vec<String> = table
        .columns()
        .iter()
        .filter(|column| match &options.attributes {
            Some(kinds) => kinds.contains_key(&AttributeKey { lookup: Some(name.to_owned()), column: (*column).clone() }),
            None => lookup.attributes.as_ref().map_or(**column != lookup.key, |attributes| attributes.contains(column)) && !lookup.exclude.contains(column),
        })
        .cloned()
        .collect();
    columns.sort_unstable();
    Ok(columns)
}

/// The ids in order, and the position in that order of each row of the file.
fn lead_ids(raw: &RawTable<'_>, column: &str) -> Result<(Vec<String>, Vec<u32>), TablesError> {
    let mut ids = Vec::with_capacity(raw.n_rows);
    raw.for_each_text(column, |row, text| {
        let text = text.ok_or_else(|| raw.cell_error(row, column, "the lead has no id".to_owned(), "each lead needs one"))?;
        ids.push(text.to_owned());
        Ok(())
    })?;
    let mut order: Vec<u32> = (0..ids.len() as u32).collect();
    order.par_sort_unstable_by(|&a, &b| ids[a as usize].cmp(&ids[b as usize]).then(a.cmp(&b)));
    if let Some(pair) = order.windows(2).find(|pair| ids[pair[0] as usize] == ids[pair[1] as usize]) {
        let (first, second) = (pair[0] as usize, pair[1] as usize);
        return Err(raw.cell_error(
            second,
            column,
            format!("the lead `{}` stands there a second time (first: {})", ids[second], raw.place(first)),
            "each lead needs one row: remove the duplicate, or name the column that tells them apart as `id`",
        ));
    }
    let mut position_of_row = vec![0; ids.len()];
    for (position, &row) in order.iter().enumerate() {
        position_of_row[row as usize] = position as u32;
    }
    Ok((permute(ids, &position_of_row), position_of_row))
}

fn permute<T>(values: Vec<T>, position_of_row: &[u32]) -> Vec<T> {
    let mut slots: Vec<Option<T>> = (0..values.len()).map(|_| None).collect();
    for (value, &position) in values.into_iter().zip(position_of_row) {
        slots[position as usize] = Some(value);
    }
    slots.into_iter().map(|slot| slot.expect("positions are a permutation")).collect()
}

fn permute_column(column: Column, position_of_row: &[u32]) -> Column {
    match column {
        Column::Number(values) => Column::Number(permute(values, position_of_row)),
        Column::Category { codes, levels } => Column::Category { codes: permute(codes, position_of_row), levels },
    }
}

fn texts(raw: &RawTable<'_>, column: &str) -> Result<Vec<Option<String>>, TablesError> {
    let mut values = Vec::with_capacity(raw.n_rows);
    raw.for_each_text(column, |_, text| {
        values.push(text.map(str::to_owned));
        Ok(())
    })?;
    Ok(values)
}

fn read_order(raw: &RawTable<'_>, column: &str) -> Result<Vec<f64>, TablesError> {
    if raw.is_time(column) {
        return Ok(raw.times(column)?.into_iter().map(|time| time.map_or(f64::NAN, |stamp| stamp.start.order())).collect());
    }
    raw.numbers(column)
}

fn read_manual_score(config: &Config, raw: &RawTable<'_>) -> Result<Option<Vec<f64>>, TablesError> {
    let mut sum: Option<Vec<f64>> = None;
    for column in manual_columns(config) {
        let values = raw.numbers(&column)?;
        sum = Some(match sum {
            None => values,
            Some(sum) => sum.iter().zip(values).map(|(a, b)| a + b).collect(),
        });
    }
    Ok(sum)
}

fn read_flags(config: &Config, raw: &RawTable<'_>, column: &str, notes: &mut Vec<Note>) -> Result<Vec<Option<bool>>, TablesError> {
    let won: Vec<String> = config.outcomes.won.iter().map(Scalar::text).collect();
    let lost: Vec<String> = config.outcomes.lost.iter().map(Scalar::text).collect();
    let mut flags = Vec::with_capacity(raw.n_rows);
    let mut missing = 0_usize;
    raw.for_each_text(column, |_, text| {
        flags.push(match text {
            Some(text) if won.iter().any(|value| value == text) => Some(true),
            Some(text) if lost.is_empty() || lost.iter().any(|value| value == text) => Some(false),
            _ => {
                missing += 1;
                None
            }
        });
        Ok(())
    })?;
    if missing > 0 {
        note(notes, "[outcomes]", format!("{missing} leads have no known `{column}`: they are scored and not trained on"));
    }
    Ok(flags)
}

/// Reads one attribute; `None` (with a note) where it is a time, which no feature uses as it stands.
fn read_attribute(raw: &RawTable<'_>, column: &str, expected: Option<FeatureKind>, notes: &mut Vec<Note>) -> Result<Option<Column>, TablesError> {
    let worded = raw.count_worded_nulls(column)?;
    if worded > 0 && raw.is_untyped() && raw.has_default_nulls() {
        note(
            notes,
            raw.table_name(),
            format!("{worded} cells of `{column}` are read as missing because of what they say (NA, null, …); `null_values` changes that"),
        );
    }
    let kind = match expected {
        Some(kind) => kind,
        None if raw.is_time(column) => {
            note(notes, raw.table_name(), format!("`{column}` is a time and is not learned from; as an activity or a history it could be"));
            return Ok(None);
        }
        None => match infer_kind(raw, column)? {
            Some(kind) => kind,
            None => {
                note(notes, raw.table_name(), format!("`{column}` holds times and is not learned from; as an activity or a history it could be"));
                return Ok(None);
            }
        },
    };
    Ok(Some(match kind {
        FeatureKind::Number => Column::Number(raw.numbers(column)?),
        FeatureKind::Category => read_category(raw, column)?,
    }))
}

/// Number if every cell is one and none is a code like `007`; `None` if every cell is a time.
fn infer_kind(raw: &RawTable<'_>, column: &str) -> Result<Option<FeatureKind>, TablesError> {
    if !raw.is_text(column) {
        return Ok(Some(if raw.is_boolean(column) { FeatureKind::Category } else { FeatureKind::Number }));
    }
    let (mut any, mut all_numbers, mut all_times) = (false, raw.is_untyped(), true);
    let decimal_comma = raw.decimal_comma();
    raw.for_each_text(column, |_, text| {
        if let Some(text) = text {
            any = true;
            all_numbers = all_numbers && !values::is_code(text) && values::parse_number(text, decimal_comma).is_some();
            all_times = all_times && leadscore_core::Timestamp::parse_iso(text).is_some();
        }
        Ok(())
    })?;
    Ok(match (any, all_numbers, all_times) {
        (true, true, _) => Some(FeatureKind::Number),
        (true, false, true) => None,
        _ => Some(FeatureKind::Category),
    })
}

fn read_category(raw: &RawTable<'_>, column: &str) -> Result<Column, TablesError> {
    let mut interner = Interner::default();
    let mut codes = Vec::with_capacity(raw.n_rows);
    raw.for_each_text(column, |_, text| {
        codes.push(text.map_or(MISSING, |text| interner.code(text)));
        Ok(())
    })?;
    let levels = interner.into_sorted_levels(&mut codes);
    Ok(Column::Category { codes, levels })
}

/// Gives each distinct text a number.
#[derive(Default)]
struct Interner {
    codes: HashMap<String, u32>,
}

impl Interner {
    fn code(&mut self, text: &str) -> u32 {
        if let Some(&code) = self.codes.get(text) {
            return code;
        }
        let code = self.codes.len() as u32;
        self.codes.insert(text.to_owned(), code);
        code
    }

    /// The texts in order of name, after renumbering `codes` to match: the order of rows leaves no trace.
    fn into_sorted_levels(self, codes: &mut [u32]) -> Vec<String> {
        let mut levels: Vec<(String, u32)> = self.codes.into_iter().collect();
        levels.sort_unstable();
        let mut renumbered = vec![0; levels.len()];
        for (position, (_, code)) in levels.iter().enumerate() {
            renumbered[*code as usize] = position as u32;
        }
        for code in codes.iter_mut().filter(|code| **code != MISSING) {
            *code = renumbered[*code as usize];
        }
        levels.into_iter().map(|(text, _)| text).collect()
    }
}

fn read_lookup(
    name: &str,
    key: &str,
    raw: &RawTable<'_>,
    columns: &[String],
    keys: &[Option<String>],
    options: &LoadOptions,
    notes: &mut Vec<Note>,
) -> Result<Lookup, TablesError> {
    let mut rows: HashMap<String, u32> = HashMap::with_capacity(raw.n_rows);
    raw.for_each_text(key, |row, text| {
        if let Some(text) = text
            && let Some(first) = rows.insert(text.to_owned(), row as u32)
        {
            return Err(raw.cell_error(
                row,
                key,
                format!("the key `{text}` stands there a second time (first: {})", raw.place(first as usize)),
                "each key needs one row",
            ));
        }
        Ok(())
    })?;
    let row_of_lead: Vec<u32> = keys.iter().map(|key| key.as_ref().and_then(|key| rows.get(key.as_str())).copied().unwrap_or(MISSING)).collect();
    let lost = keys.iter().zip(&row_of_lead).filter(|(key, row)| key.is_some() && **row == MISSING).count();
    if lost > 0 {
        note(notes, raw.table_name(), format!("{lost} leads point to a `{key}` that is not there; its attributes are missing for them"));
    }
    let mut attributes = Vec::new();
    for column in columns {
        if let Some(values) = read_attribute(raw, column, expected_kind(options, Some(name), column), notes)? {
            attributes.push(Attribute { name: column.clone(), column: values });
        }
    }
    Ok(Lookup { name: name.to_owned(), row_of_lead, attributes })
}

fn read_outcomes(
    config: &Config,
    folder: &Path,
    index: &HashMap<&str, u32>,
    created: &[Option<Stamp>],
    outcomes: &mut [LeadOutcome],
    notes: &mut Vec<Note>,
) -> Result<(), TablesError> {
    let settings = &config.outcomes;
    let (lead, closed_at) = (settings.lead.as_deref().expect("checked with the config"), settings.closed_at.as_deref().expect("checked with the config"));
    let table = Table::open("[outcomes]", folder, settings.file())?;
    table.require("lead", lead)?;
    table.require("closed_at", closed_at)?;
    let mut columns = vec![lead, closed_at];
    if let Some(result) = &settings.result {
        table.require("result", result)?;
        columns.push(result);
    }
    let raw = table.read(&columns)?;
    add_table_notes(&table, notes);
    let times = raw.times(closed_at)?;
    let won: Vec<String> = settings.won.iter().map(Scalar::text).collect();
    let lost: Vec<String> = settings.lost.iter().map(Scalar::text).collect();
    // Per row: won, lost, or neither yet.
    let mut results: Vec<Option<bool>> = vec![Some(true); raw.n_rows];
    let mut open = 0_usize;
    if let Some(result) = &settings.result {
        raw.for_each_text(result, |row, text| {
            results[row] = match text {
                Some(text) if won.iter().any(|value| value == text) => Some(true),
                Some(text) if lost.iter().any(|value| value == text) => Some(false),
                _ => {
                    open += 1;
                    None
                }
            };
            Ok(())
        })?;
    }
    let (mut unknown, mut without_time, mut early, mut several) = (0_usize, 0_usize, Vec::new(), 0_usize);
    raw.for_each_text(lead, |row, text| {
        let Some(&position) = text.and_then(|text| index.get(text)) else {
            unknown += 1;
            return Ok(());
        };
        let Some(is_won) = results[row] else { return Ok(()) };
        let Some(stamp) = times[row] else {
            without_time += 1;
            return Ok(());
        };
        if created[position as usize].is_some_and(|created| stamp.known < created.start) {
            early.push(row);
        }
        let outcome = &mut outcomes[position as usize];
        several += usize::from(outcome.closed.is_some());
        outcome.closed = Some(outcome.closed.map_or(stamp.known, |known| known.min(stamp.known)));
        if is_won {
            outcome.won = Some(outcome.won.map_or(stamp.known, |known| known.min(stamp.known)));
        }
        Ok(())
    })?;
    let mut add = |count: usize, text: &str| {
        if count > 0 {
            note(notes, "[outcomes]", format!("{count} {text}"));
        }
    };
    add(unknown, "outcomes are of leads that the leads table does not have; they are left out");
    add(open, "rows have a result that is neither in `won` nor in `lost`; they count as not closed");
    add(without_time, "closed rows have no time and are left out");
    add(several, "outcomes are of leads that closed before; a lead stays at risk until it first closes, and is won when it is first won");
    if let Some(&row) = early.first() {
        note(
            notes,
            "[outcomes]",
            format!("{} outcomes close before their lead was created (first: {}); those leads were never at risk", early.len(), raw.place(row)),
        );
    }
    if outcomes.iter().all(|outcome| outcome.closed.is_none()) && raw.n_rows > 0 && unknown == raw.n_rows {
        return Err(TablesError::Content {
            table: "[outcomes]".to_owned(),
            found: format!("none of its {} rows names a lead of the leads table", raw.n_rows),
            help: "check that `lead` holds the same ids as `id` of [leads]".to_owned(),
        });
    }
    Ok(())
}

fn read_activities(
    name: &str,
    settings: &ActivityConfig,
    folder: &Path,
    index: &HashMap<&str, u32>,
    accounts: Option<&[Option<String>]>,
    n_leads: usize,
    notes: &mut Vec<Note>,
) -> Result<Activities, TablesError> {
    let label = format!("[activities.{name}]");
    let table = Table::open(&label, folder, FileConfig { ..settings.file() })?;
    let owner = settings.lead.as_ref().or(settings.account.as_ref()).expect("checked with the config");
    table.require(if settings.lead.is_some() { "lead" } else { "account" }, owner)?;
    table.require("at", &settings.at)?;
    for (key, columns) in [("recorded_at", settings.recorded_at.as_slice()), ("kind", &settings.kind), ("values", &settings.values)] {
        for column in columns {
            table.require(key, column)?;
        }
    }
    let mut wanted: Vec<&str> = vec![owner, &settings.at];
    wanted.extend(settings.recorded_at.as_deref());
    wanted.extend(settings.kind.iter().chain(&settings.values).map(String::as_str));
    let raw = table.read(&wanted)?;
    add_table_notes(&table, notes);
    // Accounts are numbered by name; leads without one see no events.
    let (entities, entity_of_lead, n_entities) = match accounts {
        None => (None, None, n_leads),
        Some(accounts) => {
            let mut names: Vec<&str> = accounts.iter().flatten().map(String::as_str).collect();
            names.sort_unstable();
            names.dedup();
            let numbers: HashMap<&str, u32> = names.iter().enumerate().map(|(number, name)| (*name, number as u32)).collect();
            let of_lead = accounts.iter().map(|account| account.as_ref().map_or(MISSING, |account| numbers[account.as_str()])).collect();
            let n_entities = names.len();
            (Some(numbers), Some(of_lead), n_entities)
        }
    };
    let lookup = entities.as_ref().unwrap_or(index);
    let mut owners = Vec::with_capacity(raw.n_rows);
    raw.for_each_text(owner, |_, text| {
        owners.push(text.and_then(|text| lookup.get(text)).copied().unwrap_or(MISSING));
        Ok(())
    })?;
    let at = raw.times(&settings.at)?;
    let recorded = settings.recorded_at.as_ref().map(|column| raw.times(column)).transpose()?;
    let mut kinds = Vec::new();
    for column in &settings.kind {
        let Column::Category { codes, levels } = read_category(&raw, column)? else { unreachable!("read_category gives categories") };
        kinds.push((column.clone(), codes, levels));
    }
    let mut value_columns = Vec::new();
    for column in &settings.values {
        value_columns.push(ValueColumn { name: column.clone(), values: raw.numbers(column)? });
    }
    let unknown = owners.iter().filter(|owner| **owner == MISSING).count();
    let known = |row: usize| recorded.as_ref().map_or(at[row], |recorded| recorded[row]);
    let without_time = (0..raw.n_rows).filter(|&row| owners[row] != MISSING && (at[row].is_none() || known(row).is_none())).count();
    if unknown > 0 {
        note(
            notes,
            &label,
            format!(
                "{unknown} of {} events are of a {} that the leads table does not have; they are left out",
                raw.n_rows,
                if accounts.is_some() { "account" } else { "lead" }
            ),
        );
    }
    if without_time > 0 {
        note(notes, &label, format!("{without_time} events have no time and are left out"));
    }
    if recorded.is_none() {
        note(notes, &label, "has one clock: an event that was entered late counts from when it happened; `recorded_at` would say when it was known".to_owned());
    }
    if raw.n_rows == 0 {
        note(notes, &label, "has a header and no rows".to_owned());
    }
    let mut order: Vec<u32> =
        (0..raw.n_rows as u32).filter(|&row| owners[row as usize] != MISSING && at[row as usize].is_some() && known(row as usize).is_some()).collect();
    let key = |row: usize| (owners[row], at[row].map(|stamp| stamp.known), known(row).map(|stamp| stamp.known));
    order.par_sort_unstable_by(|&a, &b| {
        let (a, b) = (a as usize, b as usize);
        key(a).cmp(&key(b)).then_with(|| {
            let by_kind = kinds.iter().map(|(_, codes, _)| codes[a].cmp(&codes[b]));
            let by_value = value_columns.iter().map(|column| column.values[a].total_cmp(&column.values[b]));
            by_kind.chain(by_value).find(|ordering| ordering.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        })
    });
    let mut offsets = vec![0; n_entities + 1];
    for &row in &order {
        offsets[owners[row as usize] as usize + 1] += 1;
    }
    for entity in 0..n_entities {
        offsets[entity + 1] += offsets[entity];
    }
    let pick_time =
        |times: &[Option<Stamp>]| order.iter().map(|&row| times[row as usize].expect("rows without a time were left out").known).collect::<Vec<Timestamp>>();
    Ok(Activities {
        name: name.to_owned(),
        entity_of_lead,
        offsets,
        known: pick_time(recorded.as_ref().unwrap_or(&at)),
        at: pick_time(&at),
        has_recorded_at: recorded.is_some(),
        kinds: kinds.into_iter().map(|(name, codes, levels)| (name, order.iter().map(|&row| codes[row as usize]).collect(), levels)).collect(),
        values: value_columns
            .into_iter()
            .map(|column| ValueColumn { name: column.name, values: order.iter().map(|&row| column.values[row as usize]).collect() })
            .collect(),
    })
}

/// A change of an attribute: the lead, from when it is known, the new value.
type Change<'a> = (u32, Timestamp, Option<&'a str>);

/// Reads the past of attributes; an attribute that only the history knows is added to those of the leads.
fn read_history(
    config: &Config,
    folder: &Path,
    index: &HashMap<&str, u32>,
    attributes: &mut Vec<Attribute>,
    n_leads: usize,
    notes: &mut Vec<Note>,
) -> Result<History, TablesError> {
    let settings = config.history.as_ref().expect("called where there is one");
    let table = Table::open("[history]", folder, settings.file())?;
    for (key, column) in [("lead", &settings.lead), ("attribute", &settings.attribute), ("value", &settings.value), ("changed_at", &settings.changed_at)] {
        table.require(key, column)?;
    }
    let raw = table.read(&[&settings.lead, &settings.attribute, &settings.value, &settings.changed_at])?;
    add_table_notes(&table, notes);
    let owners = texts(&raw, &settings.lead)?;
    let names = texts(&raw, &settings.attribute)?;
    let cells = texts(&raw, &settings.value)?;
    let times = raw.times(&settings.changed_at)?;
    let mut unknown = 0_usize;
    // Attribute → (lead, time, value) of each change.
    let mut changes: BTreeMap<&str, Vec<Change<'_>>> = BTreeMap::new();
    for row in 0..raw.n_rows {
        let (Some(owner), Some(name), Some(time)) = (&owners[row], &names[row], times[row]) else {
            unknown += 1;
            continue;
        };
        let Some(&position) = index.get(owner.as_str()) else {
            unknown += 1;
            continue;
        };
        if config.leads.exclude.contains(name) || config.leads.attributes.as_ref().is_some_and(|chosen| !chosen.contains(name)) {
            continue;
        }
        changes.entry(name).or_default().push((position, time.known, cells[row].as_deref()));
    }
    if unknown > 0 {
        note(notes, "[history]", format!("{unknown} changes are of leads that are not there, or lack an attribute or a time; they are left out"));
    }
    let mut history = History::default();
    for (name, mut rows) in changes {
        rows.sort_unstable();
        let existing = attributes.iter().find(|attribute| attribute.name == name);
        let decimal_comma = settings.decimal_comma;
        let number = |cell: Option<&str>| cell.map_or(Some(f64::NAN), |cell| values::parse_number(cell, decimal_comma).filter(|value| value.is_finite()));
        let all_numbers =
            rows.iter().any(|row| row.2.is_some()) && rows.iter().all(|row| number(row.2).is_some() && row.2.is_none_or(|cell| !values::is_code(cell)));
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
            Column::Number(rows.iter().map(|row| number(row.2).expect("all are numbers")).collect())
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

fn latest_time(created: &[Option<Stamp>], outcomes: &[LeadOutcome], activities: &[Activities]) -> Option<Timestamp> {
    let created = created.iter().flatten().map(|stamp| stamp.known);
    let closed = outcomes.iter().filter_map(|outcome| outcome.closed);
    let events = activities.iter().flat_map(|activity| activity.at.iter().copied());
    created.chain(closed).chain(events).max()
}
