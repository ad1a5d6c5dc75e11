//! Tables that leads point to.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use hashbrown::HashMap;
use leadscore_config::{ColumnType, Config, LookupConfig};
use leadscore_core::Timestamp;
use leadscore_dataset::MISSING;
use leadscore_dataset::{
    Attribute, AttributeKey, Column, LoadOptions, Lookup, LookupRows, Versions,
};

use super::attributes::{expected_kind, read_attribute, tokenizer_of};
use super::gathered::{Gathered, add_table_notes};
use super::leads::has_name;
use crate::bounds::Bounds;
use crate::error::TablesError;
use crate::keys::{Expectation, Matching};
use crate::remarks::Remarks;
use crate::result_words::is_called_deleted;
use crate::scan::{RawTable, Table};

fn lookup_attributes(
    name: &str,
    lookup: &LookupConfig,
    table: &Table<'_>,
    options: &LoadOptions,
    remarks: &mut Remarks,
) -> Result<Vec<String>, TablesError> {
    for column in lookup.attributes.iter().flatten() {
        table.require("attributes", column)?;
    }
    for column in &lookup.exclude {
        table.require_excluded(column)?;
    }
    let mut columns: Vec<String> = table
        .columns()
        .iter()
        .filter(|column| has_name(column))
        .filter(|column| match &options.attributes {
            Some(kinds) => kinds.contains_key(&AttributeKey {
                lookup: Some(name.to_owned()),
                column: (*column).clone(),
            }),
            None => {
                lookup.attributes.as_ref().map_or(
                    **column != lookup.key
                        && lookup.changed_at.as_ref() != Some(*column)
                        && !is_called_deleted(column),
                    |attributes| attributes.contains(column),
                ) && !table.is_excluded(&lookup.exclude, column)
                    && lookup.deleted.as_ref() != Some(*column)
                    && !matches!(
                        lookup.types.get(*column),
                        Some(ColumnType::Id | ColumnType::Time)
                    )
            }
        })
        .cloned()
        .collect();
    columns.retain(|column| match table.unreadable(column) {
        None => true,
        Some(doubt) => {
            remarks.doubt(doubt);
            false
        }
    });
    columns.sort_unstable();
    Ok(columns)
}

/// A lookup as a whole, before leads are joined to it.
pub(crate) struct LookupTable {
    /// The entry of each key.
    entries: HashMap<String, u32>,
    rows: Arc<LookupRows>,
}

impl LookupTable {
    /// The lookup as leads with these keys see it.
    pub(super) fn join(
        &self,
        name: &str,
        key: &str,
        keys: &[Option<String>],
        remarks: &mut Remarks,
    ) -> Lookup {
        let entry = |key: &Option<String>| {
            key.as_ref()
                .and_then(|key| self.entries.get(key.as_str()))
                .copied()
                .unwrap_or(MISSING)
        };
        let entry_of_lead: Vec<u32> = keys.iter().map(entry).collect();
        let lost = keys
            .iter()
            .zip(&entry_of_lead)
            .filter(|(key, entry)| key.is_some() && **entry == MISSING)
            .count();
        remarks.count(
            &format!("[lookups.{name}]"),
            lost,
            format!(
                "lead points to a `{key}` that is not there; its attributes are missing for it"
            ),
            format!(
                "leads point to a `{key}` that is not there; its attributes are missing for them"
            ),
        );
        Lookup {
            name: name.to_owned(),
            entry_of_lead,
            rows: Arc::clone(&self.rows),
        }
    }

    /// Looks how many leads point to what is there.
    pub(super) fn match_keys(
        &self,
        config: &Config,
        name: &str,
        raw: &RawTable<'_>,
        keys: &[Option<String>],
        gathered: &mut Gathered,
    ) {
        let lookup = &config.lookups[name];
        let mut matching = Matching::default();
        for (row, key) in keys.iter().enumerate() {
            if let Some(key) = key {
                matching.add(key, row, self.entries.contains_key(key.as_str()));
            }
        }
        let table = format!("[lookups.{name}]");
        gathered
            .remarks
            .doubts
            .extend(self.expectation(config, lookup, &table).doubt(
                &matching,
                &mut self.entries.keys().map(String::as_str),
                &|row| raw.place(row),
            ));
        gathered.matched.insert(table, matching.counts());
    }

    fn expectation<'e>(
        &self,
        config: &'e Config,
        lookup: &'e LookupConfig,
        table: &'e str,
    ) -> Expectation<'e> {
        Expectation {
            table,
            column: lookup.leads_key.as_ref().unwrap_or(&lookup.key),
            rows: "leads",
            target: "a row of this table",
            allowed: config.data.unmatched_rows,
            key: "unmatched_rows",
            can_split: false,
        }
    }
}

/// Reads every lookup of a config. They are held in memory whole: they are what many leads share.
pub(crate) fn read_lookups(
    config: &Config,
    folder: &Path,
    bounds: Bounds,
    options: &LoadOptions,
    remarks: &mut Remarks,
) -> Result<BTreeMap<String, LookupTable>, TablesError> {
    let mut lookups = BTreeMap::new();
    for (name, lookup) in &config.lookups {
        let table = Table::open(&format!("[lookups.{name}]"), folder, lookup.file(), bounds)?;
        for (key, column) in [
            ("key", Some(&lookup.key)),
            ("changed_at", lookup.changed_at.as_ref()),
        ] {
            let Some(column) = column else { continue };
            table.require_readable(key, column)?;
        }
        let mut columns = lookup_attributes(name, lookup, &table, options, remarks)?;
        let mut wanted: Vec<&str> = vec![&lookup.key];
        wanted.extend(columns.iter().map(String::as_str));
        wanted.extend(lookup.changed_at.as_deref());
        let raw = match table.read(&wanted) {
            Err(TablesError::Doubts(doubts)) => {
                let unread: Vec<String> = doubts
                    .iter()
                    .filter_map(|doubt| doubt.column.clone())
                    .collect();
                if unread.iter().any(|column| {
                    *column == lookup.key || lookup.changed_at.as_ref() == Some(column)
                }) {
                    return Err(TablesError::Doubts(doubts));
                }
                doubts.into_iter().for_each(|doubt| remarks.doubt(doubt));
                columns.retain(|column| !unread.contains(column));
                let wanted: Vec<&str> = std::iter::once(&lookup.key)
                    .chain(&columns)
                    .chain(&lookup.changed_at)
                    .map(String::as_str)
                    .collect();
                table.read(&wanted)?
            }
            other => other?,
        };
        lookups.insert(
            name.clone(),
            read_lookup(name, lookup, &table, &raw, &columns, options, remarks)?,
        );
        add_table_notes(config, &table, raw.n_rows_of_files, remarks);
    }
    Ok(lookups)
}

fn read_lookup(
    name: &str,
    settings: &LookupConfig,
    table: &Table<'_>,
    raw: &RawTable<'_>,
    columns: &[String],
    options: &LoadOptions,
    remarks: &mut Remarks,
) -> Result<LookupTable, TablesError> {
    let (entries, dated) = match &settings.changed_at {
        None => (single_entries(raw, &settings.key)?, None),
        Some(changed_at) => {
            let (entries, dated) = dated_entries(raw, &settings.key, changed_at, remarks)?;
            (entries, Some(dated))
        }
    };
    let versions = dated.as_ref().map(|dated| versions(dated, entries.len()));
    let mut attributes = Vec::new();
    for column in columns {
        let expected = expected_kind(options, Some(name), column);
        if let Some(values) = read_attribute(table, raw, column, expected, remarks)? {
            attributes.push(Attribute {
                name: column.clone(),
                tokenizer: tokenizer_of(&settings.types, column),
                column: match &dated {
                    Some(dated) => pick(&values, dated),
                    None => values,
                },
            });
        }
    }
    Ok(LookupTable {
        entries,
        rows: Arc::new(LookupRows {
            versions,
            attributes,
        }),
    })
}

/// A row of a lookup that holds from a time on: its entry, that time, and the row.
type DatedRow = (u32, Timestamp, usize);

/// The row of each key, of which there is one.
fn single_entries(raw: &RawTable<'_>, key: &str) -> Result<HashMap<String, u32>, TablesError> {
    let mut entries: HashMap<String, u32> = HashMap::with_capacity(raw.n_rows);
    raw.for_each_text(key, |row, text| {
        let Some(text) = text else { return Ok(()) };
        match entries.insert(text.to_owned(), row as u32) {
            None => Ok(()),
            Some(first) => Err(raw.cell_error(
                row,
                key,
                format!("the key `{text}` appears a second time (first: {})", raw.place(first as usize)),
                "each key needs one row; where rows hold from a time on, name the column with that time as `changed_at`",
            )),
        }
    })?;
    Ok(entries)
}

/// The entry of each key, in order of first appearance, and the rows in order of entry and time.
fn dated_entries(
    raw: &RawTable<'_>,
    key: &str,
    changed_at: &str,
    remarks: &mut Remarks,
) -> Result<(HashMap<String, u32>, Vec<DatedRow>), TablesError> {
    let times = remarks.take(raw.times(changed_at), || vec![None; raw.n_rows])?;
    let mut entries: HashMap<String, u32> = HashMap::with_capacity(raw.n_rows);
    let mut dated: Vec<DatedRow> = Vec::new();
    let mut without_time = 0_usize;
    raw.for_each_text(key, |row, text| {
        let Some(text) = text else { return Ok(()) };
        let next = entries.len() as u32;
        let entry = *entries.entry_ref(text).or_insert(next);
        match times[row] {
            Some(time) => dated.push((entry, time.known, row)),
            None => without_time += 1,
        }
        Ok(())
    })?;
    remarks.count(
        raw.table_name(),
        without_time,
        "row has no time from which it holds, and is left out",
        "rows have no time from which they hold, and are left out",
    );
    dated.sort_unstable();
    match dated
        .windows(2)
        .find(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1))
    {
        None => Ok((entries, dated)),
        Some(pair) => Err(raw.cell_error(
            pair[1].2,
            changed_at,
            format!(
                "the key has two rows from {} on (first: {})",
                pair[1].1,
                raw.place(pair[0].2)
            ),
            "expected one row for each key and time: remove the one that is wrong",
        )),
    }
}

/// From when each row holds, by entry.
fn versions(dated: &[DatedRow], n_entries: usize) -> Versions {
    let mut offsets = vec![0; n_entries + 1];
    for (entry, _, _) in dated {
        offsets[*entry as usize + 1] += 1;
    }
    for entry in 0..n_entries {
        offsets[entry + 1] += offsets[entry];
    }
    Versions {
        offsets,
        known: dated.iter().map(|row| row.1).collect(),
    }
}

/// The values of these rows, in their order.
fn pick(column: &Column, rows: &[DatedRow]) -> Column {
    match column {
        Column::Number(values) => Column::Number(rows.iter().map(|row| values[row.2]).collect()),
        Column::Category { codes, levels } => Column::Category {
            codes: rows.iter().map(|row| codes[row.2]).collect(),
            levels: levels.clone(),
        },
        Column::Dates(dates) => Column::Dates(rows.iter().map(|row| dates[row.2]).collect()),
    }
}
