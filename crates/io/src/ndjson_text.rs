//! NDJSON before any engine sees it: one object a line, each key once, and of which kind the values
//! of a key are.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use hashbrown::HashMap;
use leadscore_config::FileConfig;
use leadscore_core::printable;
use memchr::memchr_iter;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::arrow_types::Unreadable;
use crate::error::TablesError;
use crate::text_bytes::{LARGEST_ROW, decode, read_bytes, runs_of_lines};

/// A text of one JSON object a line.
pub(crate) struct NdjsonText {
    pub(crate) text: Vec<u8>,
    /// The keys in the order in which they come, with what their values are read as.
    pub(crate) columns: Vec<(String, ValueType)>,
    /// Keys whose values are lists or objects in some rows and not in others.
    pub(crate) unreadable: Unreadable,
    /// What the user should know about how it was read.
    pub(crate) note: Option<String>,
}

/// Objects and lists within each other: what reads them calls itself for each.
const DEEPEST: usize = 64;

/// Most keys of the objects of a file together.
const MOST_KEYS: usize = 5_000;

/// Bytes of the runs of lines that are checked side by side.
const RUN_BYTES: usize = 4 * 1024 * 1024;

/// Reads a file and checks every line of it.
pub(crate) fn check_ndjson(
    path: &Path,
    file: &FileConfig<'_>,
    largest: u64,
) -> Result<NdjsonText, TablesError> {
    let (text, note) = decode(path, read_bytes(path, largest)?, file.encoding)?;
    if text.trim_ascii_start().first() == Some(&b'[') {
        return Err(TablesError::Format {
            path: path.to_owned(),
            found: "it is one JSON array".to_owned(),
            help: "write one object a line: `jq -c '.[]'` does that".to_owned(),
        });
    }
    let runs: Vec<Run> = runs_of_lines(&text, RUN_BYTES)
        .into_par_iter()
        .map(|run| Run::new(&text[run]))
        .collect();
    let (mut keys, mut n_lines) = (Keys::default(), 0);
    for run in runs {
        if let Some((line, fault)) = run.fault {
            return Err(fault.error(path, n_lines + line));
        }
        keys.add(run.keys, n_lines);
        n_lines += run.n_lines;
        if keys.0.len() > MOST_KEYS {
            return Err(Fault::TooManyKeys.error(path, n_lines));
        }
    }
    let (columns, unreadable) = keys.columns();
    Ok(NdjsonText {
        text,
        columns,
        unreadable,
        note,
    })
}

/// What is wrong with a line.
#[derive(Debug, PartialEq)]
enum Fault {
    TooLong(usize),
    TooDeep,
    TooManyKeys,
    /// It is no object; with what the parser says.
    NoObject(String),
    Twice(String),
}

impl Fault {
    fn error(self, path: &Path, line: u64) -> TablesError {
        let (found, help) = match self {
            Self::TooLong(n_bytes) => (
                format!("the line has {n_bytes} bytes"),
                "write one object a line: is this one array, or one text?",
            ),
            Self::TooDeep => (
                format!("objects are nested more than {DEEPEST} deep"),
                "a row of a table is one flat object: take the values that you need out of it",
            ),
            Self::TooManyKeys => (
                format!("the objects up to here have more than {MOST_KEYS} different keys"),
                "a key is a column: write what varies from row to row as a value",
            ),
            Self::NoObject(words) => (
                format!("the line is not one JSON object ({words})"),
                "write one object a line (`jq -c .` does that); if this is the last line, the export may be cut off",
            ),
            Self::Twice(key) => (
                format!("the key `{}` is there twice", printable(&key)),
                "give each value a key of its own",
            ),
        };
        TablesError::Row {
            path: path.to_owned(),
            line,
            found,
            help: help.to_owned(),
        }
    }
}

/// What a run of lines has.
struct Run {
    keys: Keys,
    n_lines: u64,
    /// The first line that is none of a table, counted from 1 within the run.
    fault: Option<(u64, Fault)>,
}

impl Run {
    /// Reads the lines of a run.
    fn new(text: &[u8]) -> Self {
        let mut run = Self {
            keys: Keys::default(),
            n_lines: memchr_iter(b'\n', text).count() as u64,
            fault: None,
        };
        for (number, line) in objects(text) {
            if let Err(fault) = run.add(line, number) {
                run.fault = Some((number, fault));
                break;
            }
        }
        run
    }

    fn add(&mut self, line: &[u8], number: u64) -> Result<(), Fault> {
        if line.len() > LARGEST_ROW {
            return Err(Fault::TooLong(line.len()));
        }
        if depth_of(line) > DEEPEST {
            return Err(Fault::TooDeep);
        }
        let row: Row<'_> = serde_json::from_slice(line).map_err(|error| {
            // The place is in the line, which the message names by the file's.
            let text = error.to_string();
            let words = text.split(" at line ").next().unwrap_or(&text);
            Fault::NoObject(match error.column() {
                0 => words.to_owned(),
                column => format!("{words} at character {column}"),
            })
        })?;
        for (place, (key, kind)) in row.0.into_iter().enumerate() {
            let seen = self.keys.0.entry_ref(key.as_ref()).or_default();
            if seen.last_line == number {
                return Err(Fault::Twice(key.into_owned()));
            }
            seen.add(kind, number, place);
        }
        if self.keys.0.len() > MOST_KEYS {
            return Err(Fault::TooManyKeys);
        }
        Ok(())
    }
}

/// What the values of a key are read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueType {
    Boolean,
    Integer,
    Float,
    Text,
    /// As they are written: values of several kinds, or numbers with more digits than a number has.
    Written,
    Integers,
    Texts,
}

/// What kind of value a key has in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueKind {
    Null,
    Boolean,
    Integer,
    /// A whole number that no 64 bits hold, or a fraction where whole ones would lose digits.
    Large,
    Float,
    Text,
    /// A list, of whole numbers alone.
    Integers,
    /// A list of other plain values.
    Texts,
    /// A list with lists or objects in it.
    Nested,
    Object,
}

/// The number of [`ValueKind`]s.
const N_KINDS: usize = 10;

/// From here on, whole numbers are not all exact as fractions.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// The first line on which a key has each kind of value; 0 for none.
#[derive(Debug, Default)]
struct Seen {
    first: [u64; N_KINDS],
    /// Whether it has whole numbers that are not exact as fractions.
    has_long: bool,
    /// Line and place in it of the first value.
    place: (u64, usize),
    last_line: u64,
}

impl Seen {
    fn add(&mut self, (kind, is_long): (ValueKind, bool), line: u64, place: usize) {
        let first = &mut self.first[kind as usize];
        if *first == 0 {
            *first = line;
        }
        self.has_long |= is_long;
        if self.last_line == 0 {
            self.place = (line, place);
        }
        self.last_line = line;
    }

    /// What a later run of lines has seen, which begins after so many.
    fn merge(&mut self, later: &Self, n_before: u64) {
        if self.place.0 == 0 {
            self.place = (n_before + later.place.0, later.place.1);
        }
        self.has_long |= later.has_long;
        for (first, later) in self.first.iter_mut().zip(later.first) {
            if *first == 0 && later > 0 {
                *first = n_before + later;
            }
        }
    }

    /// The first line that has one of these.
    fn first_of(&self, kinds: &[ValueKind]) -> Option<u64> {
        let lines = kinds.iter().map(|&kind| self.first[kind as usize]);
        lines.filter(|&line| line > 0).min()
    }

    /// What its values are read as; the error is what they are called where nobody reads them.
    fn value_type(&self) -> Result<ValueType, String> {
        use ValueKind::{Boolean, Float, Integer, Integers, Large, Nested, Object, Text, Texts};
        let plain = self.first_of(&[Boolean, Integer, Large, Float, Text]);
        let list = self.first_of(&[Integers, Texts, Nested]);
        let object = self.first_of(&[Object]);
        let found: Vec<String> = [
            (plain, "plain values"),
            (list, "lists"),
            (object, "objects"),
        ]
        .into_iter()
        .filter_map(|(first, name)| Some(format!("{name} (from line {})", first?)))
        .collect();
        if found.len() > 1 {
            return Err(found.join(" and "));
        }
        if object.is_some() {
            return Err("nested columns".to_owned());
        }
        if list.is_some() {
            return match (self.first_of(&[Nested]), self.first_of(&[Texts])) {
                (Some(line), _) => Err(format!("nested lists (from line {line})")),
                (None, Some(_)) => Ok(ValueType::Texts),
                (None, None) => Ok(ValueType::Integers),
            };
        }
        let has = |kind| self.first_of(&[kind]).is_some();
        let has_numbers = has(Integer) || has(Float) || has(Large);
        Ok(match (has(Boolean), has_numbers, has(Text)) {
            (true, false, false) => ValueType::Boolean,
            (false, true, false) if has(Large) || has(Float) && self.has_long => ValueType::Written,
            (false, true, false) if has(Float) => ValueType::Float,
            (false, true, false) => ValueType::Integer,
            (false, false, _) => ValueType::Text,
            (true, ..) | (false, true, true) => ValueType::Written,
        })
    }
}

/// The keys of objects.
#[derive(Debug, Default)]
struct Keys(HashMap<String, Seen>);

impl Keys {
    /// Adds those of a later run of lines, which begins after so many.
    fn add(&mut self, later: Self, n_before: u64) {
        for (key, seen) in later.0 {
            self.0.entry(key).or_default().merge(&seen, n_before);
        }
    }

    /// What each key is read as, in the order in which they come, and those that nobody reads.
    fn columns(self) -> (Vec<(String, ValueType)>, Unreadable) {
        let mut keys: Vec<(String, Seen)> = self.0.into_iter().collect();
        keys.sort_by_key(|(_, seen)| seen.place);
        let mut unreadable = Unreadable::new();
        let columns = keys
            .into_iter()
            .map(|(key, seen)| {
                let kind = seen.value_type().unwrap_or_else(|why| {
                    unreadable.insert(key.clone(), why);
                    ValueType::Text
                });
                (key, kind)
            })
            .collect();
        (columns, unreadable)
    }
}

/// The values of these keys on each line that has an object, as they are written: texts without
/// their quotes, `None` where they are missing. The text was checked.
pub(crate) fn written_values(text: &[u8], keys: &[&str]) -> Vec<Vec<Option<String>>> {
    let mut columns = vec![Vec::new(); keys.len()];
    for (_, line) in objects(text) {
        columns.iter_mut().for_each(|column| column.push(None));
        for (key, value) in raw_fields(line) {
            let Some(column) = keys.iter().position(|known| *known == key) else {
                continue;
            };
            if let Some(last) = columns[column].last_mut() {
                *last = written(value);
            }
        }
    }
    columns
}

/// A value as it is written.
fn written(value: &[u8]) -> Option<String> {
    match value.first() {
        Some(b'"') => serde_json::from_slice(value).ok(),
        _ if value == b"null" => None,
        _ => Some(String::from_utf8_lossy(value).into_owned()),
    }
}

/// The keys of an object on a checked line, and the bytes of their values.
fn raw_fields(line: &[u8]) -> Vec<(String, &[u8])> {
    let (mut fields, mut key) = (Vec::new(), None);
    let (mut depth, mut begin) = (0_usize, 0);
    for (at, byte) in signs(line) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth == 1 {
                    begin = at + 1;
                }
            }
            b':' if depth == 1 => {
                key = serde_json::from_slice::<String>(line[begin..at].trim_ascii()).ok();
                begin = at + 1;
            }
            b',' | b'}' if depth == 1 => {
                if let Some(key) = key.take() {
                    fields.push((key, line[begin..at].trim_ascii()));
                }
                begin = at + 1;
                depth -= usize::from(byte == b'}');
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    fields
}

/// The bytes of a line outside of its texts, with their places.
fn signs(line: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let (mut is_text, mut is_escaped) = (false, false);
    line.iter().copied().enumerate().filter(move |(_, byte)| {
        let was_text = is_text;
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ => {}
        }
        !was_text && !is_text
    })
}

/// The lines, from 1, of these objects, from 0.
pub(crate) fn lines_of_objects(text: &[u8], wanted: &BTreeSet<usize>) -> Vec<u64> {
    objects(text)
        .enumerate()
        .filter(|(object, _)| wanted.contains(object))
        .map(|(_, (number, _))| number)
        .take(wanted.len())
        .collect()
}

/// The lines that have an object, with their numbers from 1; others are blank.
fn objects(text: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    (1..)
        .zip(text.split(|&byte| byte == b'\n'))
        .filter(|(_, line)| !line.trim_ascii().is_empty())
}

/// The keys of an object, with the kinds of their values.
struct Row<'t>(Vec<(Cow<'t, str>, (ValueKind, bool))>);

impl<'t> Deserialize<'t> for Row<'t> {
    fn deserialize<D: Deserializer<'t>>(from: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'t> Visitor<'t> for Fields {
            type Value = Row<'t>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Row<'t>, A::Error> {
                let mut fields = Vec::new();
                while let Some((Key(key), Kind(kind, is_long))) = map.next_entry()? {
                    fields.push((key, (kind, is_long)));
                }
                Ok(Row(fields))
            }
        }
        from.deserialize_map(Fields)
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'t>(Cow<'t, str>);

impl<'t> Deserialize<'t> for Key<'t> {
    fn deserialize<D: Deserializer<'t>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'t> Visitor<'t> for Text {
            type Value = Key<'t>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'t str) -> Result<Key<'t>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Key<'t>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        from.deserialize_str(Text)
    }
}

/// The kind of a value, and whether it is a whole number that is not exact as a fraction.
struct Kind(ValueKind, bool);

impl<'t> Deserialize<'t> for Kind {
    fn deserialize<D: Deserializer<'t>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'t> Visitor<'t> for Any {
            type Value = Kind;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Kind, E> {
                Ok(Kind(ValueKind::Null, false))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Kind, E> {
                Ok(Kind(ValueKind::Boolean, false))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
                Ok(Kind(ValueKind::Integer, (value as f64).abs() >= MOST_EXACT))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
                Ok(match i64::try_from(value) {
                    Ok(value) => Kind(ValueKind::Integer, value as f64 >= MOST_EXACT),
                    Err(_) => Kind(ValueKind::Large, true),
                })
            }

            fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
                let is_large = value.abs() >= MOST_EXACT;
                let kind = if is_large {
                    ValueKind::Large
                } else {
                    ValueKind::Float
                };
                Ok(Kind(kind, is_large))
            }

            fn visit_str<E>(self, _: &str) -> Result<Kind, E> {
                Ok(Kind(ValueKind::Text, false))
            }

            fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<Kind, A::Error> {
                let (mut kind, mut is_empty) = (ValueKind::Integers, true);
                while let Some(Kind(of_item, is_long)) = list.next_element()? {
                    is_empty = false;
                    kind = match (of_item, kind) {
                        (_, ValueKind::Nested)
                        | (
                            ValueKind::Integers
                            | ValueKind::Texts
                            | ValueKind::Nested
                            | ValueKind::Object,
                            _,
                        ) => ValueKind::Nested,
                        (ValueKind::Integer, kind) if !is_long => kind,
                        (ValueKind::Null, kind) => kind,
                        _ => ValueKind::Texts,
                    };
                }
                let kind = if is_empty { ValueKind::Texts } else { kind };
                Ok(Kind(kind, false))
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Kind, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Kind(ValueKind::Object, false))
            }
        }
        from.deserialize_any(Any)
    }
}

/// How many objects and lists are open at most, outside of texts.
fn depth_of(line: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for (_, byte) in signs(line) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_fault(text: &str, line: u64, expected: &str) {
        let run = Run::new(text.as_bytes());
        let (found, fault) = run.fault.expect("a fault");
        let message = fault.error(Path::new("x.ndjson"), found).to_string();
        assert_eq!(found, line, "{message}");
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn lines_that_are_no_rows_are_named() {
        check_fault(
            "{\"a\": 1}\n\n{\"a\": 1",
            3,
            "not one JSON object (EOF while parsing an object at character 7)",
        );
        check_fault("{\"a\": 1}\n[1]\n", 2, "not one JSON object");
        check_fault(
            "{\"a\": 1} {\"a\": 2}\n",
            1,
            "trailing characters at character 10",
        );
        check_fault("{\"a\": NaN}\n", 1, "expected value");
        check_fault(
            "{\"a\": 1, \"\\u0061\": 2}\n",
            1,
            "the key `a` is there twice",
        );
        check_fault(
            &format!("{{\"a\": {}1{}}}", "[".repeat(70), "]".repeat(70)),
            1,
            "more than 64 deep",
        );
    }

    #[test]
    fn keys_with_values_of_two_kinds_are_not_read() {
        let text = "{\"a\": 1, \"b\": [\"x\"], \"c\": null}\r\n{\"a\": \"]\", \"b\": null}\n{\"c\": {}}\n{\"c\": [], \"a\": []}";
        for n_runs in [1, 2] {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let (mut keys, mut n_lines) = (Keys::default(), 0);
            for lines in lines.chunks(lines.len() / n_runs) {
                let run = Run::new(lines.concat().as_bytes());
                assert_eq!(run.fault, None);
                keys.add(run.keys, n_lines);
                n_lines += run.n_lines;
            }
            let unreadable: Vec<(String, String)> = keys.columns().1.into_iter().collect();
            let expected = [
                ("a", "plain values (from line 1) and lists (from line 4)"),
                ("c", "lists (from line 4) and objects (from line 3)"),
            ]
            .map(|(key, kind)| (key.to_owned(), kind.to_owned()));
            assert_eq!(unreadable, expected);
        }
    }

    #[test]
    fn values_are_read_as_what_all_of_them_are() {
        for (values, expected) in [
            ("true null", ValueType::Boolean),
            ("1 -2", ValueType::Integer),
            ("1 2.5", ValueType::Float),
            ("null", ValueType::Text),
            ("\"a\" null", ValueType::Text),
            ("1 true", ValueType::Written),
            ("1 \"many\"", ValueType::Written),
            ("18446744073709551617 1", ValueType::Written),
            ("9007199254740993 1", ValueType::Integer),
            ("9007199254740993 1.5", ValueType::Written),
            ("[1,2] []", ValueType::Texts),
            ("[1,2] [3]", ValueType::Integers),
            ("[\"a\"] [1]", ValueType::Texts),
        ] {
            let lines: Vec<String> = values
                .split(' ')
                .map(|value| format!("{{\"x\": {value}}}\n"))
                .collect();
            let run = Run::new(lines.concat().as_bytes());
            assert_eq!(
                run.keys.columns().0,
                [("x".to_owned(), expected)],
                "{values}"
            );
        }
    }

    #[test]
    fn written_values_keep_their_digits() {
        let text = b"{\"a\": 1.0, \"b\": {\"a\": 2}}\n\n{\"c\": [1, \"}\"], \"\\u0061\" : \"x\\n, y\"}\n{\"a\":18446744073709551617}\n{\"a\": null}\n{}";
        let texts = |values: &[Option<&str>]| -> Vec<Option<String>> {
            values
                .iter()
                .map(|value| value.map(str::to_owned))
                .collect()
        };
        assert_eq!(
            written_values(text, &["a", "d"]),
            [
                texts(&[
                    Some("1.0"),
                    Some("x\n, y"),
                    Some("18446744073709551617"),
                    None,
                    None
                ]),
                texts(&[None; 5])
            ]
        );
        assert_eq!(
            lines_of_objects(text, &BTreeSet::from([0, 1, 4])),
            [1, 3, 6]
        );
    }
}
