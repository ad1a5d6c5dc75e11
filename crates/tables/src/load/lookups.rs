//! Tables that leads point to.

use std::collections::HashMap;

use super::attributes::{expected_kind, read_attribute};
use super::note;
use crate::config::LookupConfig;
use crate::error::TablesError;
use crate::scan::{RawTable, Table};
use crate::typed::{Attribute, AttributeKey, LoadOptions, Lookup, MISSING, Note};

pub(super) fn lookup_attributes(name: &str, lookup: &LookupConfig, table: &Table<'_>, options: &LoadOptions) -> Result<Vec<String>, TablesError> {
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

pub(super) fn read_lookup(
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
