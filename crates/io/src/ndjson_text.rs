//! NDJSON before any engine sees it: one object a line, each key once, and of which kind the values
//! of a key are. Fields of objects become columns, and elements of a list become rows.

mod exploded;
mod flat;
mod keys;
mod raw;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeSet;
use std::path::Path;

use leadscore_config::{FileConfig, nearest};
use leadscore_core::printable;
use memchr::memchr_iter;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::arrow_types::Unreadable;
use crate::error::TablesError;
use crate::text_bytes::{LARGEST_ROW, decode, read_bytes, runs_of_lines, too_large};
use exploded::{Exploded, explode};
use flat::flatten;
use keys::{Keys, Shape};
use raw::{depth_of, objects};
use values::Fields;

pub(crate) use exploded::Element;
pub(crate) use keys::ValueType;
pub(crate) use raw::{lines_of_objects, written_values};

/// A text of one JSON object a line, none of whose columns is an object.
pub(crate) struct NdjsonText {
    pub(crate) text: Vec<u8>,
    /// The columns in the order in which they come, with what their values are read as.
    pub(crate) columns: Vec<(String, ValueType)>,
    /// Columns that nobody reads, such as those whose values are lists in some rows alone.
    pub(crate) unreadable: Unreadable,
    /// Names of objects, whose fields are columns.
    pub(crate) objects: BTreeSet<String>,
    /// Where the elements were that are rows; `None` where the lines of the file are.
    pub(crate) elements: Option<Vec<Element>>,
    /// What the user should know about how it was read.
    pub(crate) notes: Vec<String>,
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
    let (text, elements) = match file.explode {
        None => (text, None),
        Some(list) => {
            let rows = exploded_rows(path, text, list, largest)?;
            (rows.text, Some(rows.elements))
        }
    };
    let line_of = |row: u64| match &elements {
        None => row,
        Some(elements) => elements[row as usize - 1].line,
    };
    let keys = keys_of(path, &text, &line_of)?;
    let line = |row: u64| format!("line {}", line_of(row));
    let shape = keys.shape(file.explode, &line);
    let mut notes: Vec<String> = note.into_iter().collect();
    notes.extend(file.explode.and_then(|list| long_names(list, &shape)));
    let text = if shape.is_flat() {
        text
    } else {
        flatten(&text, &shape)
    };
    Ok(NdjsonText {
        text,
        columns: shape.columns,
        unreadable: shape.unreadable,
        objects: shape.open,
        elements,
        notes,
    })
}

/// The keys of a text, every line of which is checked.
fn keys_of(path: &Path, text: &[u8], line_of: &impl Fn(u64) -> u64) -> Result<Keys, TablesError> {
    let runs: Vec<Run> = runs_of_lines(text, RUN_BYTES)
        .into_par_iter()
        .map(|run| Run::new(&text[run]))
        .collect();
    let (mut keys, mut n_lines) = (Keys::default(), 0);
    for run in runs {
        if let Some((line, fault)) = run.fault {
            return Err(fault.error(path, line_of(n_lines + line)));
        }
        keys.merge(run.keys, n_lines);
        n_lines += run.n_lines;
        if keys.n_of_rows() > MOST_KEYS {
            return Err(Fault::TooManyKeys.error(path, line_of(n_lines.max(1))));
        }
    }
    Ok(keys)
}

/// The elements of a list as rows.
fn exploded_rows(
    path: &Path,
    text: Vec<u8>,
    list: &str,
    largest: u64,
) -> Result<Exploded, TablesError> {
    let rows = explode(&text, list, largest).map_err(|fault| match fault {
        exploded::Fault::Line(line, fault) => fault.error(path, line),
        exploded::Fault::Value(line, found) => TablesError::Cell {
            place: format!("{}, line {line}", path.display()),
            column: list.to_owned(),
            found: format!("{found}, and `explode` makes a row of each object in a list"),
            help: "correct the export, or name another list (`explode`)".to_owned(),
        },
        exploded::Fault::TooLarge => too_large(
            path,
            "the rows of its lists, each with the fields around the list, have",
            largest,
        ),
    })?;
    if !rows.elements.is_empty() {
        return Ok(rows);
    }
    if rows.is_there {
        return Err(TablesError::Format {
            path: path.to_owned(),
            found: format!("every list `{list}` is empty, so that the table has no rows"),
            help: "check the export, or leave the table out".to_owned(),
        });
    }
    let keys = keys_of(path, &text, &|line| line)?;
    let lists = keys.lists_of_objects();
    let found = if lists.is_empty() {
        format!("no object has `{list}`, or any other list of objects")
    } else {
        let lists: Vec<String> = lists.iter().map(|list| format!("`{list}`")).collect();
        format!(
            "no object has `{list}`; lists of objects: {}",
            lists.join(", ")
        )
    };
    Err(TablesError::Format {
        path: path.to_owned(),
        found,
        help: nearest(list, keys.lists_of_objects().into_iter()).map_or_else(
            || "name a list of objects by `explode`, or remove the key".to_owned(),
            |near| format!("did you mean `explode = \"{near}\"`?"),
        ),
    })
}

/// The note on columns of which rows and the elements of their lists have one each.
fn long_names(list: &str, shape: &Shape) -> Option<String> {
    if shape.long_names.is_empty() {
        return None;
    }
    let pairs: Vec<String> = shape
        .long_names
        .iter()
        .map(|name| {
            let short = name[list.len() + 1..].to_owned();
            format!("`{short}` is that of the object, `{name}` that of the element")
        })
        .collect();
    Some(format!(
        "objects and the elements of their list `{list}` have fields of one name: {}",
        pairs.join("; ")
    ))
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
                "take the values that you need out of the objects",
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

/// The fields of a line, which may be no object.
fn fields_of(line: &[u8]) -> Result<Fields<'_>, Fault> {
    if line.len() > LARGEST_ROW {
        return Err(Fault::TooLong(line.len()));
    }
    if depth_of(line) > DEEPEST {
        return Err(Fault::TooDeep);
    }
    serde_json::from_slice(line).map_err(|error| {
        // The place is in the line, which the message names by the file's.
        let text = error.to_string();
        let words = text.split(" at line ").next().unwrap_or(&text);
        Fault::NoObject(match error.column() {
            0 => words.to_owned(),
            column => format!("{words} at character {column}"),
        })
    })
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
        let fields = fields_of(line)?;
        self.keys.add_row(&fields, number).map_err(Fault::Twice)?;
        if self.keys.n_of_rows() > MOST_KEYS {
            return Err(Fault::TooManyKeys);
        }
        Ok(())
    }
}
