//! Columns to learn from: numbers, categories or dates, decided over whole columns or by what a model
//! expects.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use leadscore_config::ColumnType;
use leadscore_config::lines::key;
use leadscore_core::{CellKind, Stamp, Tokenizer, agree, counted};
use leadscore_dataset::Note;
use leadscore_dataset::{AttributeKey, Column, LoadOptions};
use leadscore_dataset::{MISSING, NEVER};
use leadscore_values::{NumberCensus, NumberVerdict, zone_name};

use crate::error::TablesError;
use crate::number_doubts;
use crate::remarks::Remarks;
use crate::scan::{RawTable, Table};
use crate::several::SetLikes;

pub(super) fn expected_kind(
    options: &LoadOptions,
    lookup: Option<&str>,
    column: &str,
) -> Option<CellKind> {
    let key = AttributeKey {
        lookup: lookup.map(str::to_owned),
        column: column.to_owned(),
    };
    options
        .attributes
        .as_ref()
        .and_then(|kinds| kinds.get(&key).copied())
}

pub(super) fn texts(raw: &RawTable<'_>, column: &str) -> Result<Vec<Option<String>>, TablesError> {
    let mut values = Vec::with_capacity(raw.n_rows);
    raw.for_each_text(column, |_, text| {
        values.push(text.map(str::to_owned));
        Ok(())
    })?;
    raw.count_missing(
        column,
        values.iter().filter(|value| value.is_none()).count(),
    );
    Ok(values)
}

/// How the cells of a column are split, where the config says that they hold several values.
pub(super) fn tokenizer_of(
    types: &BTreeMap<String, ColumnType>,
    column: &str,
) -> Option<Tokenizer> {
    types.get(column)?.tokenizer().cloned()
}

/// Reads one attribute; `None` (with a note) where nothing is learned from it as it stands.
pub(super) fn read_attribute(
    table: &Table<'_>,
    raw: &RawTable<'_>,
    column: &str,
    expected: Option<CellKind>,
    remarks: &mut Remarks,
) -> Result<Option<Column>, TablesError> {
    let mut guess = KindGuess::default();
    guess.count_worded_nulls(raw, column)?;
    guess.note_worded_nulls(raw.table_name(), column, remarks);
    let kind = match expected {
        Some(kind) => Some(kind),
        None => {
            guess.add(raw, column)?;
            guess.decide(table, column, remarks)?
        }
    };
    Ok(match kind {
        None => None,
        Some(CellKind::Number) => Some(Column::Number(
            remarks.take(raw.numbers(column), || vec![f64::NAN; raw.n_rows])?,
        )),
        Some(CellKind::Category) => Some(read_category(raw, column)?),
        Some(CellKind::Date) => {
            let times = remarks.take(raw.times(column), || vec![None; raw.n_rows])?;
            let start = |time: Option<Stamp>| time.map_or(NEVER, |stamp| stamp.start);
            Some(Column::Dates(times.into_iter().map(start).collect()))
        }
    })
}

/// What the cells of a column have in common, over as many batches as it takes to see them all.
#[derive(Debug, Default)]
pub(super) struct KindGuess {
    /// Some cell is a boolean.
    is_category: bool,
    is_time: bool,
    is_time_of_day: bool,
    has_texts: bool,
    worded_nulls: usize,
    numbers: NumberCensus,
    times: TimeLikes,
    sets: SetLikes,
}

/// Cells that look like times.
#[derive(Debug, Default)]
struct TimeLikes {
    n_cells: usize,
    /// In ISO 8601.
    n_iso: usize,
    /// As dates are written somewhere: 31/12/2024, 31.12.24, 2024/12/31.
    n_dates: usize,
}

impl TimeLikes {
    fn add(&mut self, text: &str) {
        self.n_cells += 1;
        // Where the first hundred are none, the others are not looked at so closely.
        if self.n_cells > 100 && self.n_iso + self.n_dates == 0 {
            return;
        }
        if leadscore_core::Timestamp::parse_iso(text).is_some() || zone_name(text).is_some() {
            self.n_iso += 1;
        } else if looks_like_a_date(text) {
            self.n_dates += 1;
        }
    }

    /// Whether nearly all are.
    fn are_times(&self) -> bool {
        self.n_cells > 0
            && 10 * (self.n_iso + self.n_dates) >= 9 * self.n_cells
            && (self.n_dates == 0 || 2 * self.n_iso >= self.n_cells || self.n_dates >= 20)
    }
}

/// Three numbers with the same sign between them, one of which is a year.
fn looks_like_a_date(text: &str) -> bool {
    let date = text.split([' ', 'T', ',']).next().unwrap_or(text);
    ['/', '.', '-'].into_iter().any(|sign| {
        let parts: Vec<&str> = date.split(sign).collect();
        let is_number =
            |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        parts.len() == 3
            && parts.iter().all(is_number)
            && matches!(
                (parts[0].len(), parts[1].len(), parts[2].len()),
                (1 | 2, 1 | 2, 2 | 4) | (4, 1 | 2, 1 | 2)
            )
            && parts
                .iter()
                .filter(|part| part.len() <= 2)
                .all(|part| part.parse::<u32>().is_ok_and(|part| part <= 99))
    })
}

impl KindGuess {
    /// Counts cells that are read as missing because of what they say.
    pub(super) fn count_worded_nulls(
        &mut self,
        raw: &RawTable<'_>,
        column: &str,
    ) -> Result<(), TablesError> {
        if raw.is_text(column) && raw.has_default_nulls(column) {
            self.worded_nulls += raw.count_worded_nulls(column)?;
        }
        Ok(())
    }

    pub(super) fn note_worded_nulls(&self, table: &str, column: &str, remarks: &mut Remarks) {
        remarks.count(
            table,
            self.worded_nulls,
            format!(
                "cell of `{column}` is read as missing because of its text (NA, null, …); `null_values` changes that"
            ),
            format!(
                "cells of `{column}` are read as missing because of their text (NA, null, …); `null_values` changes that"
            ),
        );
    }

    /// Looks at more cells.
    pub(super) fn add(&mut self, raw: &RawTable<'_>, column: &str) -> Result<(), TablesError> {
        if !raw.is_text(column) {
            self.is_time |= raw.is_time(column);
            self.is_time_of_day |= raw.is_time_of_day(column);
            self.is_category |= raw.is_boolean(column);
            return Ok(());
        }
        self.has_texts = true;
        raw.for_each_text(column, |row, text| {
            if let Some(text) = text {
                self.numbers.add(text, raw.row_in_table(row));
                self.times.add(text);
                self.sets.add(text);
            }
            Ok(())
        })
    }

    /// What the column is: as the config says, or a number if every cell is one and none a code
    /// like `007`; dates only by a word of the config. `None` (with a note) if nothing is learned from it: times, times of day.
    ///
    /// # Errors
    ///
    /// None; a column of which most cells are numbers, or whose numbers may be read two ways, is a
    /// doubt, and taken for a category while further doubts are looked for.
    pub(super) fn decide(
        &self,
        table: &Table<'_>,
        column: &str,
        remarks: &mut Remarks,
    ) -> Result<Option<CellKind>, TablesError> {
        match table.file.types.get(column) {
            Some(ColumnType::Category | ColumnType::Tokens(_)) => {
                return Ok(Some(CellKind::Category));
            }
            Some(ColumnType::Days) => return Ok(Some(CellKind::Date)),
            Some(ColumnType::Time | ColumnType::Id) => return Ok(None),
            Some(ColumnType::Number(_)) => {
                if self.has_texts {
                    remarks.take(table.settle_numbers(column, &self.numbers).map(drop), || ())?;
                }
                return Ok(Some(CellKind::Number));
            }
            None => {}
        }
        if self.is_time || self.has_texts && self.numbers.n_numbers == 0 && self.times.are_times() {
            let verb = if self.is_time {
                "is a time"
            } else {
                "holds times"
            };
            let n_other = self.times.n_cells - self.times.n_iso - self.times.n_dates;
            let but = if n_other > 0 && !self.is_time {
                let are_none = agree(n_other, "is none", "are none");
                format!(" ({} {are_none})", counted(n_other, "cell"))
            } else {
                String::new()
            };
            remarks.note(Note::new(&table.name, format!("`{column}` {verb}{but} and is not learned from; as an activity or a history it could be, or by `types.{} = \"days\"` as the days until it", key(column))));
            return Ok(None);
        }
        if self.is_time_of_day {
            remarks.note(Note::new(
                &table.name,
                format!("`{column}` has times of day and is not learned from"),
            ));
            return Ok(None);
        }
        if !self.has_texts {
            return Ok(Some(if self.is_category {
                CellKind::Category
            } else {
                CellKind::Number
            }));
        }
        let style = table.file.style_of(column);
        let parentheses = style.is_some_and(|style| style.has_negative_parentheses());
        let verdict = self
            .numbers
            .verdict(style.and_then(|style| style.format()), parentheses);
        Ok(Some(match verdict {
            NumberVerdict::Numbers(_) => {
                remarks.take(table.settle_numbers(column, &self.numbers).map(drop), || ())?;
                CellKind::Number
            }
            NumberVerdict::Words => {
                if let Some((separator, n_members)) = self.sets.separator() {
                    let shown = separator.escape_default();
                    let text = format!(
                        "`{column}` looks like a set: its cells are combinations of {n_members} values, separated by `{shown}`, and each combination is a category of its own; `types.{} = {{ set = \"{shown}\" }}` learns from each value",
                        key(column)
                    );
                    remarks.note(Note::new(&table.name, text));
                }
                CellKind::Category
            }
            NumberVerdict::Mixed(_) | NumberVerdict::Unclear(_) => {
                remarks.doubt(number_doubts::doubt(table, column, &verdict, false));
                CellKind::Category
            }
        }))
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
    raw.count_missing(
        column,
        codes.iter().filter(|code| **code == MISSING).count(),
    );
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

    /// The texts in order of name, after renumbering `codes` to match: the order of rows leaves no
    /// trace.
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
