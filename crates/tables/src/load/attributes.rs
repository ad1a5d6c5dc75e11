//! Columns to learn from: numbers or categories, decided over whole columns or by what a model expects.

use hashbrown::HashMap;
use leadscore_core::FeatureKind;

use crate::error::TablesError;
use crate::scan::RawTable;
use crate::typed::{AttributeKey, Column, LoadOptions, MISSING, Note};
use crate::values;

pub(super) fn expected_kind(options: &LoadOptions, lookup: Option<&str>, column: &str) -> Option<FeatureKind> {
    let key = AttributeKey { lookup: lookup.map(str::to_owned), column: column.to_owned() };
    options.attributes.as_ref().and_then(|kinds| kinds.get(&key).copied())
}

pub(super) fn texts(raw: &RawTable<'_>, column: &str) -> Result<Vec<Option<String>>, TablesError> {
    let mut values = Vec::with_capacity(raw.n_rows);
    raw.for_each_text(column, |_, text| {
        values.push(text.map(str::to_owned));
        Ok(())
    })?;
    Ok(values)
}

/// Reads one attribute; `None` (with a note) where it is a time, which no feature uses as it stands.
pub(super) fn read_attribute(raw: &RawTable<'_>, column: &str, expected: Option<FeatureKind>, notes: &mut Vec<Note>) -> Result<Option<Column>, TablesError> {
    let worded = raw.count_worded_nulls(column)?;
    if worded > 0 && raw.is_untyped() && raw.has_default_nulls() {
        let text = format!("cells of `{column}` are read as missing because of what they say (NA, null, …); `null_values` changes that");
        notes.extend(Note::counted(raw.table_name(), worded, text));
    }
    let kind = match expected {
        Some(kind) => kind,
        None if raw.is_time(column) => {
            notes.push(Note::new(raw.table_name(), format!("`{column}` is a time and is not learned from; as an activity or a history it could be")));
            return Ok(None);
        }
        None => match infer_kind(raw, column)? {
            Some(kind) => kind,
            None => {
                notes.push(Note::new(raw.table_name(), format!("`{column}` holds times and is not learned from; as an activity or a history it could be")));
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

pub(super) fn read_category(raw: &RawTable<'_>, column: &str) -> Result<Column, TablesError> {
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
pub(super) struct Interner {
    codes: HashMap<String, u32>,
}

impl Interner {
    pub(super) fn code(&mut self, text: &str) -> u32 {
        if let Some(&code) = self.codes.get(text) {
            return code;
        }
        let code = self.codes.len() as u32;
        self.codes.insert(text.to_owned(), code);
        code
    }

    /// The texts in order of name, after renumbering `codes` to match: the order of rows leaves no trace.
    pub(super) fn into_sorted_levels(self, codes: &mut [u32]) -> Vec<String> {
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
