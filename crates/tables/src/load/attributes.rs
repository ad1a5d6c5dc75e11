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
    let mut guess = KindGuess::default();
    guess.count_worded_nulls(raw, column)?;
    guess.note_worded_nulls(raw.table_name(), column, notes);
    let kind = match expected {
        Some(kind) => Some(kind),
        None => {
            guess.add(raw, column)?;
            guess.decide(raw.table_name(), column, notes)
        }
    };
    Ok(match kind {
        None => None,
        Some(FeatureKind::Number) => Some(Column::Number(raw.numbers(column)?)),
        Some(FeatureKind::Category) => Some(read_category(raw, column)?),
    })
}

/// What the cells of a column have in common, over as many batches as it takes to see them all.
#[derive(Debug, Default)]
pub(super) struct KindGuess {
    any: bool,
    /// Some cell is a text of a typed file, or a boolean: no number.
    is_category: bool,
    is_time: bool,
    /// Some text is no number, or a code like `007`.
    not_number: bool,
    /// Some text is no time.
    not_time: bool,
    has_texts: bool,
    worded_nulls: usize,
}

impl KindGuess {
    /// Counts cells that are read as missing because of what they say.
    pub(super) fn count_worded_nulls(&mut self, raw: &RawTable<'_>, column: &str) -> Result<(), TablesError> {
        if raw.is_untyped() && raw.has_default_nulls() {
            self.worded_nulls += raw.count_worded_nulls(column)?;
        }
        Ok(())
    }

    pub(super) fn note_worded_nulls(&self, table: &str, column: &str, notes: &mut Vec<Note>) {
        let text = format!("cells of `{column}` are read as missing because of what they say (NA, null, …); `null_values` changes that");
        notes.extend(Note::counted(table, self.worded_nulls, text));
    }

    /// Looks at more cells.
    pub(super) fn add(&mut self, raw: &RawTable<'_>, column: &str) -> Result<(), TablesError> {
        if !raw.is_text(column) {
            self.is_time |= raw.is_time(column);
            self.is_category |= raw.is_boolean(column);
            return Ok(());
        }
        self.has_texts = true;
        self.is_category |= !raw.is_untyped();
        let decimal_comma = raw.decimal_comma();
        raw.for_each_text(column, |_, text| {
            if let Some(text) = text {
                self.any = true;
                self.not_number = self.not_number || values::is_code(text) || values::parse_number(text, decimal_comma).is_none();
                self.not_time = self.not_time || leadscore_core::Timestamp::parse_iso(text).is_none();
            }
            Ok(())
        })
    }

    /// Number if every cell is one and none is a code like `007`; `None` (with a note) if every cell is a time.
    pub(super) fn decide(&self, table: &str, column: &str, notes: &mut Vec<Note>) -> Option<FeatureKind> {
        let holds_times = self.has_texts && self.any && !self.not_time && (self.is_category || self.not_number);
        if self.is_time || holds_times {
            let verb = if self.is_time { "is a time" } else { "holds times" };
            notes.push(Note::new(table, format!("`{column}` {verb} and is not learned from; as an activity or a history it could be")));
            return None;
        }
        let is_number = !self.is_category && (!self.has_texts || self.any && !self.not_number);
        Some(if is_number { FeatureKind::Number } else { FeatureKind::Category })
    }
}

pub(super) fn read_category(raw: &RawTable<'_>, column: &str) -> Result<Column, TablesError> {
    if let Some((codes, levels)) = raw.spilled_codes(column) {
        return Ok(Column::Category { codes, levels });
    }
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
