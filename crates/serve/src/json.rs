//! JSON from outside, read strictly: no key twice, no more memory than a limit, UTF-8 alone.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::limits;
use crate::problem::{Problem, ProblemKind};

/// What a value of `serde_json` takes, and what a map with one entry takes.
const VALUE_BYTES: usize = 32;
const MAP_BYTES: usize = 640;
const ENTRY_BYTES: usize = 64;

/// What reading may still take.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: Cell<usize>,
    rows: Cell<usize>,
    spent: Cell<Option<Spent>>,
}

#[derive(Debug, Clone, Copy)]
enum Spent {
    Bytes,
    Rows,
}

impl Budget {
    /// For a body with at most so many elements of its outermost array.
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            bytes: Cell::new(limits::PARSED_BYTES),
            rows: Cell::new(rows),
            spent: Cell::new(None),
        }
    }

    /// Takes one row, which NDJSON has one a line.
    pub(crate) fn row(&self) -> Result<(), Problem> {
        if self.take_row() {
            return Ok(());
        }
        Err(self.problem().unwrap_or_else(Problem::internal))
    }

    fn take_row(&self) -> bool {
        let left = self.rows.get().checked_sub(1);
        if left.is_none() {
            self.spent.set(Some(Spent::Rows));
        }
        self.rows.set(left.unwrap_or(0));
        left.is_some()
    }

    fn take<E: serde::de::Error>(&self, bytes: usize) -> Result<(), E> {
        let left = self.bytes.get().checked_sub(bytes);
        if left.is_none() {
            self.spent.set(Some(Spent::Bytes));
        }
        self.bytes.set(left.unwrap_or(0));
        left.map(|_| ())
            .ok_or_else(|| E::custom("the body is too large"))
    }

    fn problem(&self) -> Option<Problem> {
        match self.spent.get()? {
            Spent::Bytes => Some(Problem::new(
                ProblemKind::TooLarge,
                "the body has more values than are read at once",
                "send fewer rows in a request",
            )),
            Spent::Rows => Some(Problem::new(
                ProblemKind::TooLarge,
                "the body has more rows than are taken at once",
                format!("send at most {} rows in a request", limits::ROWS),
            )),
        }
    }
}

/// Reads one JSON value that is the whole text; `at_row` is its line of NDJSON.
pub(crate) fn parse(
    bytes: &[u8],
    budget: &Budget,
    at_row: Option<usize>,
) -> Result<Value, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        Problem::new(
            ProblemKind::BadRequest,
            format!(
                "{}the body is not UTF-8 at byte {}",
                of_line(at_row),
                at + 1
            ),
            "encode the text as UTF-8",
        )
    })?;
    // Spreadsheets and PowerShell write a byte order mark, which means nothing in UTF-8.
    let text = match at_row {
        None | Some(0) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Some(_) => text,
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    Strict { budget, depth: 0 }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| {
            budget.problem().unwrap_or_else(|| {
                Problem::new(
                    ProblemKind::BadRequest,
                    format!(
                        "{}the body is not JSON that can be meant: {error}",
                        of_line(at_row)
                    ),
                    "send one JSON value, with each key once and numbers that are finite",
                )
            })
        })
}

fn of_line(row: Option<usize>) -> String {
    row.map_or_else(String::new, |row| format!("row {}: ", row + 1))
}

/// Makes a request of a value; the error has a pointer to the field.
pub(crate) fn request<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let mut pointer = String::new();
        for segment in error.path() {
            match segment {
                serde_path_to_error::Segment::Seq { index } => {
                    pointer.push_str(&format!("/{index}"));
                }
                serde_path_to_error::Segment::Map { key }
                | serde_path_to_error::Segment::Enum { variant: key } => {
                    pointer.push('/');
                    pointer.push_str(&escape(key));
                }
                serde_path_to_error::Segment::Unknown => {}
            }
        }
        Problem::field(
            pointer,
            error.inner().to_string(),
            "/openapi.json has the fields of the request",
        )
    })
}

/// A key as a part of a JSON pointer.
pub(crate) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    budget: &'a Budget,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        self.budget.take(VALUE_BYTES)?;
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("the number is not finite"))
    }
    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.budget.take(value.len())?;
        Ok(Value::String(value.to_owned()))
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        let inner = Self {
            depth: self.depth + 1,
            ..self
        };
        while let Some(value) = sequence.next_element_seed(inner)? {
            if self.depth == 0 && !self.budget.take_row() {
                return Err(A::Error::custom("too many rows"));
            }
            values.push(value);
        }
        Ok(Value::Array(values))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.budget.take(MAP_BYTES)?;
        let mut map = Map::new();
        let inner = Self {
            depth: self.depth + 1,
            ..self
        };
        while let Some(key) = entries.next_key::<String>()? {
            self.budget.take(ENTRY_BYTES + key.len())?;
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key {key:?} is there twice")));
            }
            let value = entries.next_value_seed(inner)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, Problem> {
        parse(text.as_bytes(), &Budget::new(3), None)
    }

    #[test]
    fn what_can_be_meant_is_read_as_serde_json_reads_it() {
        for text in [
            "{}",
            "[1,2,3]",
            r#"{"a":[{"b":null}],"c":-1.5e3}"#,
            "\"ß\\u0000\"",
            "true",
        ] {
            assert_eq!(
                read(text).unwrap_or_default(),
                serde_json::from_str::<Value>(text).unwrap_or_default()
            );
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_place() {
        for (text, part) in [
            (r#"{"a":1,"a":1}"#, "twice at line 1 column 10"),
            (r#"{"x":{"a":1,"\u0061":2}}"#, "twice"),
            ("NaN", "expected value"),
            ("1e999", "out of range"),
            ("{} {}", "trailing"),
            ("", "EOF"),
            ("\u{feff}\u{feff}{}", "expected value"),
        ] {
            let problem = read(text).expect_err(text);
            assert_eq!(problem.kind, ProblemKind::BadRequest, "{text}");
            assert!(problem.detail.contains(part), "{text}: {}", problem.detail);
        }
        for row in [None, Some(0)] {
            let marked = parse("\u{feff}{}".as_bytes(), &Budget::new(1), row);
            assert_eq!(marked.unwrap_or_default(), Value::Object(Map::new()));
        }
        let later = parse("\u{feff}{}".as_bytes(), &Budget::new(1), Some(1));
        later.expect_err("a mark within the body");
        let deep = "[".repeat(100_000);
        assert!(read(&deep).expect_err("deep").detail.contains("recursion"));
        let problem = parse(b"\"\xff\"", &Budget::new(1), Some(4)).expect_err("bytes");
        assert_eq!(problem.detail, "row 5: the body is not UTF-8 at byte 2");
    }

    #[test]
    fn small_values_do_not_take_more_memory_than_the_limit() {
        assert_eq!(
            read("[1,2,3,4]").expect_err("rows").kind,
            ProblemKind::TooLarge
        );
        let maps = format!("[[{}1]]", "{\"\":0},".repeat(1_000_000));
        assert_eq!(read(&maps).expect_err("maps").kind, ProblemKind::TooLarge);
    }
}
