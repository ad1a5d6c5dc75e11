//! Cells of rows that are JSON objects, and the columns that they make.

use std::borrow::Cow;
use std::fmt;

use leadscore_core::Timestamp;
use leadscore_io::OutColumn;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A cell of a row. What a store has are plain values: the door refuses all else.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'r> {
    /// Missing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A text.
    Text(Cow<'r, str>),
}

impl<'r> Cell<'r> {
    /// The cell as a text, as a column of texts has it; `None` where it is missing.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Null => None,
            Self::Integer(number) => Some(number.to_string().into()),
            Self::Number(number) => Some(number.to_string().into()),
            Self::Text(text) => Some(Cow::Borrowed(text)),
        }
    }

    /// The cell, kept beyond the row.
    pub(super) fn into_owned(self) -> Cell<'static> {
        match self {
            Self::Null => Cell::Null,
            Self::Integer(number) => Cell::Integer(number),
            Self::Number(number) => Cell::Number(number),
            Self::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
        }
    }

    /// Whether both are missing, or both have the same text.
    pub(super) fn is_same(&self, other: &Cell<'_>) -> bool {
        self.text() == other.text()
    }

    fn into_text(self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Integer(number) => Some(number.to_string()),
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.into_owned()),
        }
    }
}

impl<'de: 'r, 'r> Deserialize<'de> for Cell<'r> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Cell::Text(if value { "true" } else { "false" }.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Cell::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Cell::Number(value as f64), Cell::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Cell::Number(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cell::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cell::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Cell::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Err(A::Error::custom("a list, and cells are plain values"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Err(A::Error::custom("an object, and cells are plain values"))
    }
}

/// The cells of a row by column, in the order that they have there.
#[derive(Clone)]
pub(super) struct Row<'r>(pub(super) Vec<(Cow<'r, str>, Cell<'r>)>);

impl<'r> Row<'r> {
    /// Reads the JSON object that a store has.
    pub(super) fn read(text: &'r str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// The cell of a column; missing where the row lacks it.
    pub(super) fn get(&self, column: &str) -> &Cell<'r> {
        let found = self.0.iter().find(|(name, _)| name == column);
        found.map_or(&Cell::Null, |(_, cell)| cell)
    }
}

impl<'de: 'r, 'r> Deserialize<'de> for Row<'r> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RowVisitor;
        impl<'de> Visitor<'de> for RowVisitor {
            type Value = Row<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with the columns of a row")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
                let mut cells = Vec::with_capacity(object.size_hint().unwrap_or(8));
                while let Some((Key(name), cell)) = object.next_entry()? {
                    cells.push((name, cell));
                }
                Ok(Row(cells))
            }
        }
        deserializer.deserialize_map(RowVisitor)
    }
}

/// A moment as rows of a store have it: with its time, so that no midnight is taken for a day.
pub fn stored_instant(at: Timestamp) -> String {
    let text = at.to_string();
    if text.len() == "2025-06-01".len() {
        format!("{text}T00:00:00Z")
    } else {
        text
    }
}

/// The name of a column, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Key<'k>(#[serde(borrow)] Cow<'k, str>);

/// The cells of a column, of the narrowest type that has room for all of them.
pub(super) enum ColumnCells {
    /// Missing cells alone.
    Missing(usize),
    /// Whole numbers.
    Integers(Vec<Option<i64>>),
    /// Numbers, NaN where missing.
    Numbers(Vec<f64>),
    /// Texts.
    Texts(Vec<Option<String>>),
}

impl Default for ColumnCells {
    fn default() -> Self {
        Self::Missing(0)
    }
}

impl ColumnCells {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Missing(n) => *n,
            Self::Integers(cells) => cells.len(),
            Self::Numbers(cells) => cells.len(),
            Self::Texts(cells) => cells.len(),
        }
    }

    /// Adds missing cells up to this length.
    pub(super) fn fill(&mut self, n_rows: usize) {
        match self {
            Self::Missing(n) => *n = n_rows,
            Self::Integers(cells) => cells.resize(n_rows, None),
            Self::Numbers(cells) => cells.resize(n_rows, f64::NAN),
            Self::Texts(cells) => cells.resize(n_rows, None),
        }
    }

    /// Adds a cell: a column with numbers and texts is one of texts.
    pub(super) fn push(&mut self, cell: Cell<'_>) {
        match (&mut *self, cell) {
            (_, Cell::Null) => self.fill(self.len() + 1),
            (Self::Missing(n), cell) => {
                let n = *n;
                *self = match cell {
                    Cell::Integer(_) => Self::Integers(vec![None; n]),
                    Cell::Number(_) => Self::Numbers(vec![f64::NAN; n]),
                    Cell::Text(_) | Cell::Null => Self::Texts(vec![None; n]),
                };
                self.push(cell);
            }
            (Self::Integers(cells), Cell::Integer(number)) => cells.push(Some(number)),
            (Self::Integers(cells), cell @ Cell::Number(_)) => {
                let number = |cell: &Option<i64>| cell.map_or(f64::NAN, |number| number as f64);
                *self = Self::Numbers(cells.iter().map(number).collect());
                self.push(cell);
            }
            (Self::Integers(cells), cell @ Cell::Text(_)) => {
                let text = |cell: &Option<i64>| cell.map(|number| number.to_string());
                *self = Self::Texts(cells.iter().map(text).collect());
                self.push(cell);
            }
            (Self::Numbers(cells), Cell::Integer(number)) => cells.push(number as f64),
            (Self::Numbers(cells), Cell::Number(number)) => cells.push(number),
            (Self::Numbers(cells), cell @ Cell::Text(_)) => {
                let text = |cell: &f64| (!cell.is_nan()).then(|| cell.to_string());
                *self = Self::Texts(cells.iter().map(text).collect());
                self.push(cell);
            }
            (Self::Texts(cells), cell @ (Cell::Integer(_) | Cell::Number(_) | Cell::Text(_))) => {
                cells.push(cell.into_text());
            }
        }
    }

    pub(super) fn into_column(self) -> OutColumn {
        match self {
            Self::Missing(n) => OutColumn::Text(vec![None; n]),
            Self::Integers(cells) => OutColumn::Integer(cells),
            Self::Numbers(cells) => OutColumn::Number(cells),
            Self::Texts(cells) => OutColumn::Text(cells),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cells: &[&str], expected: OutColumn) {
        let mut column = ColumnCells::default();
        for cell in cells {
            column.push(serde_json::from_str(cell).expect("a cell"));
        }
        assert_eq!(column.into_column(), expected);
    }

    #[test]
    fn a_column_has_room_for_every_cell() {
        let texts = |texts: &[Option<&str>]| {
            OutColumn::Text(texts.iter().map(|text| text.map(str::to_owned)).collect())
        };
        check(&[], texts(&[]));
        check(&["null", "null"], texts(&[None, None]));
        check(&["null", "3"], OutColumn::Integer(vec![None, Some(3)]));
        check(&["3", "0.5"], OutColumn::Number(vec![3.0, 0.5]));
        check(&["0.5", "3"], OutColumn::Number(vec![0.5, 3.0]));
        // A number among texts is written the same, whatever came before it.
        check(
            &["3", "\"a\"", "0.5"],
            texts(&[Some("3"), Some("a"), Some("0.5")]),
        );
        check(
            &["3", "0.5", "\"a\""],
            texts(&[Some("3"), Some("0.5"), Some("a")]),
        );
        check(
            &["3.0", "null", "true"],
            texts(&[Some("3"), None, Some("true")]),
        );
    }

    #[test]
    fn rows_are_objects_of_plain_values() {
        let row = Row::read(r#"{"a": 1, "b\n": "x\ty", "c": null}"#).expect("a row");
        assert_eq!(row.get("a"), &Cell::Integer(1));
        assert_eq!(row.get("b\n"), &Cell::Text("x\ty".into()));
        assert_eq!((row.get("c"), row.get("d")), (&Cell::Null, &Cell::Null));
        for wrong in ["[]", "{\"a\": [1]}", "{\"a\": {}}", "{", "1", "{} x"] {
            assert!(Row::read(wrong).is_err(), "{wrong}");
        }
    }
}
