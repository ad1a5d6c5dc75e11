//! NDJSON before any engine sees it: one object a line, each key once, and which keys have values of
//! one kind.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use hashbrown::HashMap;
use leadscore_config::FileConfig;
use leadscore_core::printable;
use memchr::{memchr, memchr_iter};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::arrow_types::Unreadable;
use crate::error::TablesError;
use crate::text_bytes::{LARGEST_ROW, decode, read_bytes};

/// A text of one JSON object a line.
pub(crate) struct NdjsonText {
    pub(crate) text: Vec<u8>,
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
    let runs: Vec<Run> = runs_of(&text).into_par_iter().map(Run::new).collect();
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
    let unreadable = keys.unreadable();
    Ok(NdjsonText {
        text,
        unreadable,
        note,
    })
}

/// A text cut at ends of lines.
fn runs_of(text: &[u8]) -> Vec<&[u8]> {
    let mut runs = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let least = rest.len().min(RUN_BYTES);
        let end = memchr(b'\n', &rest[least..]).map_or(rest.len(), |at| least + at + 1);
        let (run, after) = rest.split_at(end);
        runs.push(run);
        rest = after;
    }
    runs
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
        for (line, number) in text.split(|&byte| byte == b'\n').zip(1..) {
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
        if line.trim_ascii().is_empty() {
            return Ok(());
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
        for (key, kind) in row.0 {
            let seen = self.keys.0.entry_ref(key.as_ref()).or_default();
            if seen.last_line == number {
                return Err(Fault::Twice(key.into_owned()));
            }
            seen.last_line = number;
            seen.add(kind, number);
        }
        if self.keys.0.len() > MOST_KEYS {
            return Err(Fault::TooManyKeys);
        }
        Ok(())
    }
}

/// What kind of value a key has in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueKind {
    Null,
    /// A text, a number, true or false.
    Plain,
    List,
    Object,
}

/// The first line on which a key has each kind of value; 0 for none.
#[derive(Debug, Default)]
struct Seen {
    plain: u64,
    list: u64,
    object: u64,
    last_line: u64,
}

impl Seen {
    fn add(&mut self, kind: ValueKind, line: u64) {
        let first = match kind {
            ValueKind::Null => return,
            ValueKind::Plain => &mut self.plain,
            ValueKind::List => &mut self.list,
            ValueKind::Object => &mut self.object,
        };
        if *first == 0 {
            *first = line;
        }
    }

    /// What a later run of lines has seen, which begins after so many.
    fn merge(&mut self, later: &Self, n_before: u64) {
        for (first, later) in [
            (&mut self.plain, later.plain),
            (&mut self.list, later.list),
            (&mut self.object, later.object),
        ] {
            if *first == 0 && later > 0 {
                *first = n_before + later;
            }
        }
    }

    /// What the values are called where they are not of one kind.
    fn mixed(&self) -> Option<String> {
        let found: Vec<String> = [
            (self.plain, "plain values"),
            (self.list, "lists"),
            (self.object, "objects"),
        ]
        .into_iter()
        .filter(|(first, _)| *first > 0)
        .map(|(first, name)| format!("{name} (from line {first})"))
        .collect();
        (found.len() > 1).then(|| found.join(" and "))
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

    /// Those whose values are not of one kind.
    fn unreadable(&self) -> Unreadable {
        self.0
            .iter()
            .filter_map(|(key, seen)| Some((key.clone(), seen.mixed()?)))
            .collect::<BTreeMap<_, _>>()
    }
}

/// The keys of an object, with the kinds of their values.
struct Row<'t>(Vec<(Cow<'t, str>, ValueKind)>);

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
                while let Some((Key(key), kind)) = map.next_entry()? {
                    fields.push((key, kind));
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

impl<'t> Deserialize<'t> for ValueKind {
    fn deserialize<D: Deserializer<'t>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'t> Visitor<'t> for Any {
            type Value = ValueKind;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<ValueKind, E> {
                Ok(ValueKind::Null)
            }

            fn visit_bool<E>(self, _: bool) -> Result<ValueKind, E> {
                Ok(ValueKind::Plain)
            }

            fn visit_i64<E>(self, _: i64) -> Result<ValueKind, E> {
                Ok(ValueKind::Plain)
            }

            fn visit_u64<E>(self, _: u64) -> Result<ValueKind, E> {
                Ok(ValueKind::Plain)
            }

            fn visit_f64<E>(self, _: f64) -> Result<ValueKind, E> {
                Ok(ValueKind::Plain)
            }

            fn visit_str<E>(self, _: &str) -> Result<ValueKind, E> {
                Ok(ValueKind::Plain)
            }

            fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<ValueKind, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(ValueKind::List)
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<ValueKind, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(ValueKind::Object)
            }
        }
        from.deserialize_any(Any)
    }
}

/// How many objects and lists are open at most, outside of texts.
fn depth_of(line: &[u8]) -> usize {
    let (mut depth, mut deepest, mut is_text, mut is_escaped) = (0_usize, 0, false, false);
    for byte in line {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
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
            let unreadable: Vec<(String, String)> = keys.unreadable().into_iter().collect();
            let expected = [
                ("a", "plain values (from line 1) and lists (from line 4)"),
                ("c", "lists (from line 4) and objects (from line 3)"),
            ]
            .map(|(key, kind)| (key.to_owned(), kind.to_owned()));
            assert_eq!(unreadable, expected);
        }
    }
}
