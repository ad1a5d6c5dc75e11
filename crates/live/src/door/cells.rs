//! Cells of a row as a store keeps them: IDs and words as texts, times in one writing, numbers as
//! numbers.

use leadscore::{CHANGED_AT, CellUse, RECORDED, TableColumns};
use leadscore_config::{Config as Settings, FileConfig, Location, NumberStyle, TableId};
use leadscore_core::{Stamp, Timestamp};
use leadscore_values::NumberFormat;
use serde_json::{Map, Number, Value};

use super::begins::{Begins, TooEarly};
use super::fields::{Place, listed, shown};
use super::{LONGEST_CELL, LONGEST_ID, did_you_mean};

/// A row that can be stored.
#[derive(Default)]
pub(super) struct Made {
    pub(super) key: String,
    /// When it happened, where the table says so.
    pub(super) at: Option<Timestamp>,
    pub(super) cells: Map<String, Value>,
}

/// The cells of a row while they are read.
pub(super) struct Cells<'c> {
    /// When tables begin.
    pub(super) begins: &'c Begins,
    pub(super) settings: &'c Settings,
    pub(super) table: &'c TableId,
    pub(super) columns: &'c TableColumns,
    /// How the files of the table would be read.
    pub(super) file: Option<FileConfig<'c>>,
    pub(super) now: Timestamp,
    /// After it nothing can have happened.
    pub(super) latest: Timestamp,
    /// Whether a column of which nothing is known has numbers, by this value if it is the first.
    pub(super) is_number: &'c dyn Fn(&str, bool) -> bool,
    /// Whether the row itself says when it was recorded, as those do that no store keeps.
    pub(super) says_recorded: bool,
    pub(super) made: Made,
}

/// What is wrong with a cell, and what to do.
type Refusal = (String, String);

impl Cells<'_> {
    /// Adds a cell.
    pub(super) fn add(&mut self, column: &str, value: &Value, place: &mut Place<'_>) {
        let Some(cells) = self.use_of(column, place) else {
            return;
        };
        if column == self.columns.key {
            let hint = format!("say whose row it is, as `{}`", listed(column));
            let missing = format!("the row has no {}", self.key_words());
            let given = (!self.is_missing(column, value)).then_some(value);
            if let Some(key) = place.id(given, place.cell(column), &missing, &hint) {
                self.made
                    .cells
                    .insert(column.to_owned(), Value::String(key.clone()));
                self.made.key = key;
            }
            return;
        }
        let read = match cells {
            CellUse::Key if self.is_missing(column, value) => Ok(Value::Null),
            CellUse::Key => {
                let hint = format!(
                    "write an ID, or null where the row has no `{}`",
                    listed(column)
                );
                let Some(key) = place.id(Some(value), place.cell(column), "", &hint) else {
                    return;
                };
                Ok(Value::String(key))
            }
            CellUse::Word => self.word(column, value),
            CellUse::Number => self.number(column, value),
            CellUse::Time => self.time(column, value),
            CellUse::Free => self.free(column, value),
        };
        match read.and_then(|value| self.result(column, value)) {
            Ok(value) => drop(self.made.cells.insert(column.to_owned(), value)),
            Err((detail, hint)) => place.refuse(place.cell(column), detail, &hint),
        }
    }

    /// What the column is read as; `None` where a row has no such column.
    fn use_of(&self, column: &str, place: &mut Place<'_>) -> Option<CellUse> {
        let columns = self.columns;
        let is_recorded = columns.recorded_at.as_deref() == Some(column);
        if is_recorded && self.says_recorded {
            return Some(CellUse::Time);
        }
        if is_recorded || column == RECORDED || column == CHANGED_AT {
            place.refuse(
                place.cell(column),
                format!(
                    "`{}` is when the row was recorded, which the store says",
                    listed(column)
                ),
                "leave it out",
            );
            return None;
        }
        if let Some(cells) = columns.uses.get(column) {
            return Some(*cells);
        }
        let near = did_you_mean(column, columns.uses.keys().map(String::as_str));
        let is_name = !column.trim().is_empty() && !column.chars().any(char::is_control);
        let mut names = columns.uses.keys();
        let is_slip = names.any(|name| strsim::osa_distance(name, column) <= 1);
        if columns.is_open && !is_slip && is_name && column.chars().count() <= LONGEST_ID {
            return Some(CellUse::Free);
        }
        let known: Vec<String> = columns
            .uses
            .keys()
            .take(20)
            .map(|name| format!("`{}`", listed(name)))
            .collect();
        place.refuse(
            place.cell(column),
            format!("`{}` has no column `{}`", self.table, listed(column)),
            &format!("{near}there are {}", known.join(", ")),
        );
        None
    }

    fn key_words(&self) -> &'static str {
        match self.table {
            TableId::Lookup(_) => "key",
            TableId::Activities(_) if self.columns.is_of_account => "account",
            TableId::Activities(_)
            | TableId::Leads
            | TableId::Outcomes
            | TableId::History
            | TableId::Link(_)
            | TableId::Merges
            | TableId::Deleted => "lead",
        }
    }

    /// A text without blanks around it; `None` where it means missing.
    fn clean<'t>(&self, column: &str, text: &'t str) -> Option<&'t str> {
        let text = text.trim();
        let file = self.file.as_ref();
        let nulls = file.map(|file| file.nulls(column)).unwrap_or_default();
        (!text.is_empty() && !nulls.contains(&text)).then_some(text)
    }

    /// Whether a plain value means missing, as tables read it.
    fn is_missing(&self, column: &str, value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::String(text) => self.clean(column, text).is_none(),
            Value::Number(number) => self.clean(column, &plain(number)).is_none(),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        }
    }

    /// Words as text, missing ones as null.
    fn word(&self, column: &str, value: &Value) -> Result<Value, Refusal> {
        let text = match value {
            Value::Null => return Ok(Value::Null),
            Value::String(text) => text.clone(),
            Value::Number(number) => plain(number),
            Value::Bool(value) => value.to_string(),
            Value::Array(_) | Value::Object(_) => return Err(nested(column, value)),
        };
        let length = text.chars().count();
        if length > LONGEST_CELL {
            return Err((
                format!("`{}` has {length} characters", listed(column)),
                format!("a cell has {LONGEST_CELL} at most"),
            ));
        }
        if text.contains('\0') {
            return Err((
                format!("`{}` has a null character", listed(column)),
                "take it out".to_owned(),
            ));
        }
        Ok(self.clean(column, &text).map_or(Value::Null, Value::from))
    }

    /// A number, also of a text that is written as the config says or as programs do.
    fn number(&self, column: &str, value: &Value) -> Result<Value, Refusal> {
        let wrong = || {
            (
                format!(
                    "`{}` is {}, expected a number",
                    listed(column),
                    shown(value)
                ),
                "write a number, or null where it is missing".to_owned(),
            )
        };
        let number = match value {
            Value::Null => return Ok(Value::Null),
            Value::Number(number) => number.clone(),
            Value::String(text) => {
                let Some(text) = self.clean(column, text) else {
                    return Ok(Value::Null);
                };
                let style = self.file.as_ref().and_then(|file| file.style_of(column));
                let format = style
                    .and_then(NumberStyle::format)
                    .unwrap_or(NumberFormat::PLAIN);
                format
                    .parse(text)
                    .and_then(Number::from_f64)
                    .ok_or_else(wrong)?
            }
            Value::Array(_) | Value::Object(_) => return Err(nested(column, value)),
            Value::Bool(_) => return Err(wrong()),
        };
        self.within(column, number)
    }

    /// A number that nothing rounds, and that sums have room for.
    fn within(&self, column: &str, number: Number) -> Result<Value, Refusal> {
        const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;
        /// As large as values of events may be.
        const LARGEST_VALUE: f64 = 1e15;
        let value = number.as_f64().unwrap_or(f64::INFINITY);
        let is_whole = number.is_i64() || number.is_u64();
        if !value.is_finite() || is_whole && value.abs() >= LARGEST_WHOLE {
            return Err((
                format!(
                    "`{}` is {number}, which is too large for a number",
                    listed(column)
                ),
                "write it as a text, if it is an ID".to_owned(),
            ));
        }
        if value.abs() > LARGEST_VALUE {
            return Err((
                format!(
                    "`{}` is {number}, which is beyond what sums of events have room for",
                    listed(column)
                ),
                "write it in a larger unit".to_owned(),
            ));
        }
        Ok(Value::Number(number))
    }

    /// A time: a date stays one, all else is a moment in UTC.
    fn time(&mut self, column: &str, value: &Value) -> Result<Value, Refusal> {
        let text = match value {
            Value::Null => return Ok(Value::Null),
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Array(_) | Value::Object(_) => return Err(nested(column, value)),
            Value::Bool(_) => return Err(self.no_time(column, value)),
        };
        let Some(text) = self.clean(column, &text) else {
            return Ok(Value::Null);
        };
        let plain = FileConfig::plain(&Location::NoRows);
        let file = self.file.as_ref().unwrap_or(&plain);
        let Some(stamp) = file.typed_time(column, text) else {
            return Err(self.no_time(column, value));
        };
        let window = self.settings.data.window(Some(self.now));
        if !window.contains(stamp.start) {
            return Err((
                format!(
                    "`{}` is {}, and no time can lie there",
                    listed(column),
                    shown(value)
                ),
                format!(
                    "times lie between {} and {}; `earliest` and `latest` of [data] change that",
                    window.earliest, window.latest
                ),
            ));
        }
        let is_own = self.columns.at.as_deref() == Some(column)
            || self.settings.leads.created_at.as_deref() == Some(column)
                && *self.table == TableId::Leads;
        if is_own && stamp.start > self.latest {
            return Err((
                format!(
                    "`{}` is {}, which is yet to come",
                    listed(column),
                    shown(value)
                ),
                "send it when it has happened".to_owned(),
            ));
        }
        if is_own && self.settings.data.earliest.is_none() {
            let too_early = self.begins.too_early(self.table, stamp.start, self.now);
            if let Some(why) = too_early {
                return Err(early(column, value, why));
            }
        }
        let written = written(file, column, text, stamp);
        if is_own {
            self.made.at = Some(stamp.known);
        }
        Ok(Value::String(written))
    }

    fn no_time(&self, column: &str, value: &Value) -> Refusal {
        let format = self
            .file
            .as_ref()
            .and_then(|file| file.format_of(column))
            .map(|format| format!("{}, or ", format.words()))
            .unwrap_or_default();
        (
            format!("`{}` is {}, which is no time", listed(column), shown(value)),
            format!("write {format}such as \"2025-06-01T10:00:00Z\", or \"2025-06-01\" for a day"),
        )
    }

    /// A value of a column of which nothing is known: numbers where the first was one, else words.
    fn free(&self, column: &str, value: &Value) -> Result<Value, Refusal> {
        match value {
            Value::Null => Ok(Value::Null),
            Value::Number(number) => {
                if (self.is_number)(column, true) {
                    self.within(column, number.clone())
                } else {
                    self.word(column, value)
                }
            }
            Value::String(_) | Value::Bool(_) => {
                let word = self.word(column, value)?;
                if word.is_null() || !(self.is_number)(column, false) {
                    return Ok(word);
                }
                self.number(column, &word).map_err(|_| {
                    (
                        format!("`{}` has numbers, and this is {}", listed(column), shown(value)),
                        format!(
                            "write a number, or say in the config that `{}` has words: types = {{ {:?} = \"category\" }}",
                            listed(column), column
                        ),
                    )
                })
            }
            Value::Array(_) | Value::Object(_) => Err(nested(column, value)),
        }
    }

    /// The same value, if it is no result that nobody knows.
    fn result(&self, column: &str, value: Value) -> Result<Value, Refusal> {
        let outcomes = &self.settings.outcomes;
        let is_result =
            *self.table == TableId::Outcomes && outcomes.result.as_deref() == Some(column);
        let (Value::String(text), true) = (&value, is_result) else {
            return Ok(value);
        };
        let lists = [&outcomes.won, &outcomes.lost, &outcomes.open];
        let mut known = lists.into_iter().flatten();
        let tells_all = outcomes.tells_open_from_lost();
        if !tells_all || known.any(|word| word.is(text)) {
            return Ok(value);
        }
        let lists = [&outcomes.won, &outcomes.lost, &outcomes.open];
        let words: Vec<String> = lists
            .into_iter()
            .flatten()
            .map(|word| format!("`{}`", listed(&word.text())))
            .collect();
        Err((
            format!("`{}` is no result that [outcomes] knows", listed(text)),
            format!("results are {}", words.join(", ")),
        ))
    }

    /// The row, if nothing is missing.
    pub(super) fn finish(self, place: &mut Place<'_>) -> Option<Made> {
        let columns = self.columns;
        if !self.made.cells.contains_key(&columns.key) && self.made.key.is_empty() {
            let of = self.key_words();
            let is_refused = place.has_error_at(&columns.key);
            if !is_refused {
                place.refuse(
                    place.row(),
                    format!("the row has no {of}"),
                    &format!("say whose row it is, as `{}`", listed(&columns.key)),
                );
            }
            return None;
        }
        if let Some(at) = &columns.at
            && self.made.at.is_none()
        {
            if !place.has_error_at(at) {
                place.refuse(
                    place.row(),
                    format!("the row has no `{}`", listed(at)),
                    "say when it happened",
                );
            }
            return None;
        }
        Some(self.made)
    }
}

/// A number as columns of texts have it.
fn plain(number: &Number) -> String {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(whole), _, _) => whole.to_string(),
        (None, Some(whole), _) => whole.to_string(),
        (None, None, Some(value)) => value.to_string(),
        (None, None, None) => number.to_string(),
    }
}

fn nested(column: &str, value: &Value) -> Refusal {
    (
        format!(
            "`{}` is {}, expected one value",
            listed(column),
            shown(value)
        ),
        "give each field a column of its own".to_owned(),
    )
}

/// What is wrong with a time that lies years before all others of its table.
fn early(column: &str, value: &Value, why: TooEarly) -> Refusal {
    let column = listed(column);
    match why {
        TooEarly::NotYet => (
            format!(
                "`{column}` is {}, which is years ago, and the tables that say whether that can be are being read",
                shown(value)
            ),
            "send it again once /readyz answers 200".to_owned(),
        ),
        TooEarly::Before(begin) => (
            format!(
                "`{column}` is {}, more than two years before all other rows, which begin at {begin}",
                shown(value)
            ),
            "correct it; `earliest` of [data] says that such times are meant".to_owned(),
        ),
    }
}

/// A time as the store keeps it.
fn written(file: &FileConfig<'_>, column: &str, text: &str, stamp: Stamp) -> String {
    if stamp.start == stamp.known {
        let is_kept = is_written_so(text) && file.format_of(column).is_none();
        return if is_kept {
            text.to_owned()
        } else {
            leadscore::stored_instant(stamp.start)
        };
    }
    let without_zone = FileConfig {
        time_zone: None,
        ..file.clone()
    };
    let day = without_zone.typed_time(column, text);
    day.unwrap_or(stamp).start.to_string()
}

/// Whether a moment is written as the store writes it, so that nothing has to be written anew.
fn is_written_so(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let (Some(moment), Some(rest)) = (
        text.as_bytes().get(..SHAPE.len()),
        text.as_bytes().get(SHAPE.len()..),
    ) else {
        return false;
    };
    let mut shape = SHAPE.iter().zip(moment);
    let is_so = shape.all(|(shape, byte)| match shape {
        b'0' => byte.is_ascii_digit(),
        other => other == byte,
    });
    is_so
        && match rest {
            b"Z" => true,
            // A last digit of zero is left out.
            [b'.', fraction @ .., b'1'..=b'9', b'Z'] => {
                fraction.len() == 5 && fraction.iter().all(u8::is_ascii_digit)
            }
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use leadscore_core::Timestamp;

    use super::is_written_so;

    #[test]
    fn what_is_kept_is_what_would_be_written() {
        let written = |text: &str| {
            let moment: Timestamp = text.parse().expect("a moment");
            leadscore::stored_instant(moment)
        };
        for text in [
            "2025-06-01T10:00:00Z",
            "2025-06-01T00:00:00Z",
            "2025-06-01T23:59:59.999999Z",
            "2025-06-01T00:00:00.000001Z",
        ] {
            assert!(is_written_so(text), "{text}");
            assert_eq!(written(text), text);
        }
        for text in [
            "2025-06-01",
            "2025-06-01T10:00Z",
            "2025-06-01T10:00:00",
            "2025-06-01 10:00:00Z",
            "2025-06-01T10:00:00.5Z",
            "2025-06-01T10:00:00.500000Z",
            "2025-06-01T10:00:00.1234567Z",
            "2025-06-01T10:00:00+00:00",
            "",
        ] {
            assert!(!is_written_so(text), "{text}");
        }
    }
}
