//! Elements of lists as rows: for each element of the list of an object a line, on which the element
//! is in place of the list.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::raw::{objects, raw_elements, raw_fields};
use super::{RUN_BYTES, fields_of};
use crate::text_bytes::runs_of_lines;

/// Where an element was that is a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element {
    /// The line of the file, from 1.
    pub(crate) line: u64,
    /// Which element of the list, from 1.
    pub(crate) number: u32,
}

/// The rows of all lists.
#[derive(Debug)]
pub(super) struct Exploded {
    pub(super) text: Vec<u8>,
    pub(super) elements: Vec<Element>,
    /// Whether any object has such a list, which may be empty.
    pub(super) is_there: bool,
}

/// Why a text has no such rows.
#[derive(Debug, PartialEq)]
pub(super) enum Fault {
    /// A line is none of a table.
    Line(u64, super::Fault),
    /// What a line has is no list of objects, but this.
    Value(u64, String),
    TooLarge,
}

/// Makes a row of each element of the list that these keys lead to, with dots between them. The
/// rows have at most `largest` bytes together.
pub(super) fn explode(text: &[u8], list: &str, largest: u64) -> Result<Exploded, Fault> {
    let runs: Vec<Run> = runs_of_lines(text, RUN_BYTES)
        .into_par_iter()
        .map(|run| Run::new(&text[run], list, largest))
        .collect();
    let mut rows = Exploded {
        text: Vec::new(),
        elements: Vec::new(),
        is_there: false,
    };
    let mut n_lines = 0;
    for run in runs {
        match run.fault {
            Some(Fault::Line(line, fault)) => return Err(Fault::Line(n_lines + line, fault)),
            Some(Fault::Value(line, found)) => return Err(Fault::Value(n_lines + line, found)),
            Some(Fault::TooLarge) => return Err(Fault::TooLarge),
            None => {}
        }
        rows.text.extend_from_slice(&run.text);
        if rows.text.len() as u64 > largest {
            return Err(Fault::TooLarge);
        }
        rows.elements
            .extend(run.elements.iter().map(|element| Element {
                line: n_lines + element.line,
                ..*element
            }));
        rows.is_there |= run.is_there;
        n_lines += run.n_lines;
    }
    Ok(rows)
}

/// The rows of a run of lines.
struct Run {
    text: Vec<u8>,
    elements: Vec<Element>,
    is_there: bool,
    n_lines: u64,
    /// The first line that has no such rows, counted within the run.
    fault: Option<Fault>,
}

impl Run {
    fn new(text: &[u8], list: &str, largest: u64) -> Self {
        let mut run = Self {
            text: Vec::new(),
            elements: Vec::new(),
            is_there: false,
            n_lines: memchr::memchr_iter(b'\n', text).count() as u64,
            fault: None,
        };
        for (number, line) in objects(text) {
            if let Err(fault) = run.add(line, list, number) {
                run.fault = Some(fault);
                break;
            }
            if run.text.len() as u64 > largest {
                run.fault = Some(Fault::TooLarge);
                break;
            }
        }
        run
    }

    fn add(&mut self, line: &[u8], list: &str, number: u64) -> Result<(), Fault> {
        fields_of(line).map_err(|fault| Fault::Line(number, fault))?;
        let mut places = Vec::new();
        find(line, 0, list, &mut places);
        let place = match places.as_slice() {
            [] => return Ok(()),
            [place] => place.clone(),
            [..] => {
                let found = "two fields have this name, one with a dot in its key".to_owned();
                return Err(Fault::Value(number, found));
            }
        };
        let value = &line[place.clone()];
        match value.first() {
            Some(b'[') => {}
            Some(b'n') => return Ok(()),
            _ => return Err(Fault::Value(number, format!("it is {}", kind(value)))),
        }
        self.is_there = true;
        for (at, element) in raw_elements(value).into_iter().enumerate() {
            let element = &value[element];
            match element.first() {
                Some(b'{') => {}
                // Nothing is there.
                Some(b'n') => continue,
                _ => {
                    let found = format!("element {} of the list is {}", at + 1, kind(element));
                    return Err(Fault::Value(number, found));
                }
            }
            self.text.extend_from_slice(&line[..place.start]);
            self.text.extend_from_slice(element);
            self.text
                .extend_from_slice(line[place.end..].trim_ascii_end());
            self.text.push(b'\n');
            self.elements.push(Element {
                line: number,
                number: at as u32 + 1,
            });
        }
        Ok(())
    }
}

/// Finds the values that these keys lead to, in an object that begins at a place of the line.
fn find(line: &[u8], begin: usize, keys: &str, places: &mut Vec<std::ops::Range<usize>>) {
    let object = &line[begin..];
    for (key, value) in raw_fields(object) {
        let Some(rest) = keys.strip_prefix(key.as_str()) else {
            continue;
        };
        if rest.is_empty() {
            places.push(begin + value.start..begin + value.end);
        } else if let Some(rest) = rest.strip_prefix('.')
            && object[value.clone()].starts_with(b"{")
        {
            // What follows the object on the line is none of its fields.
            let end = begin + value.end;
            find(&line[..end], begin + value.start, rest, places);
        }
    }
}

/// What a value is.
fn kind(value: &[u8]) -> &'static str {
    match value.first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}
