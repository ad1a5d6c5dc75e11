//! Errors of rows, each with the place of its field.

use leadscore_core::printable;
use leadscore_serve::FieldError;
use serde_json::Value;

use super::LONGEST_ID;

/// A row whose errors are gathered.
pub(super) struct Place<'e> {
    /// The JSON pointer of the event.
    event: String,
    /// The JSON pointer of its row.
    row: String,
    errors: &'e mut Vec<FieldError>,
}

impl<'e> Place<'e> {
    /// The event of this number.
    pub(super) fn new(number: usize, errors: &'e mut Vec<FieldError>) -> Self {
        Self {
            event: format!("/{number}"),
            row: format!("/{number}/row"),
            errors,
        }
    }

    /// A row that is no part of an event, by its JSON pointer.
    pub(super) fn of_row(row: String, errors: &'e mut Vec<FieldError>) -> Self {
        Self {
            event: row.clone(),
            row,
            errors,
        }
    }

    pub(super) fn n_errors(&self) -> usize {
        self.errors.len()
    }

    /// The JSON pointer of a part of the event; of the event itself without one.
    pub(super) fn part(&self, name: Option<&str>) -> String {
        name.map_or_else(|| self.event.clone(), |name| pointer(&self.event, name))
    }

    /// The JSON pointer of a cell of its row.
    pub(super) fn cell(&self, column: &str) -> String {
        pointer(&self.row, column)
    }

    /// The JSON pointer of its row.
    pub(super) fn row(&self) -> String {
        self.row.clone()
    }

    /// Adds an error of a field.
    pub(super) fn refuse(&mut self, pointer: String, detail: String, hint: &str) {
        self.errors.push(FieldError {
            pointer,
            detail,
            hint: hint.to_owned(),
        });
    }

    /// Whether a cell of the row has an error.
    pub(super) fn has_error_at(&self, column: &str) -> bool {
        let pointer = self.cell(column);
        self.errors.iter().any(|error| error.pointer == pointer)
    }

    /// A value as an ID.
    pub(super) fn id(
        &mut self,
        value: Option<&Value>,
        pointer: String,
        missing: &str,
        hint: &str,
    ) -> Option<String> {
        let text = match value {
            None | Some(Value::Null) => {
                self.refuse(pointer, missing.to_owned(), hint);
                return None;
            }
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => number.to_string(),
            Some(
                other @ (Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_)),
            ) => {
                self.refuse(
                    pointer,
                    format!(
                        "an ID is a text or a whole number, and this is {}",
                        shown(other)
                    ),
                    hint,
                );
                return None;
            }
        };
        if text.is_empty() {
            self.refuse(pointer, missing.to_owned(), hint);
            return None;
        }
        if text.chars().any(is_hidden) {
            self.refuse(
                pointer,
                format!("the ID `{}` has characters that nobody sees", listed(&text)),
                "take them out",
            );
            return None;
        }
        let length = text.chars().count();
        if length > LONGEST_ID {
            self.refuse(
                pointer,
                format!("the ID has {length} characters"),
                &format!("an ID has {LONGEST_ID} at most"),
            );
            return None;
        }
        Some(text)
    }
}

/// The JSON pointer of a field of what is at a pointer.
pub(super) fn pointer(of: &str, field: &str) -> String {
    format!("{of}/{}", field.replace('~', "~0").replace('/', "~1"))
}

/// Control characters, and those that change what is read around them.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
        )
}

/// A name or text of a caller, as messages have it.
pub(super) fn listed(text: &str) -> String {
    const SHOWN: usize = 80;
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    printable(&short).to_string()
}

/// What a value is, in words.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text `{}`", listed(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
