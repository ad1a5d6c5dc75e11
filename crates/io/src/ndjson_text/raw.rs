//! Objects on lines as they are written: the bytes of their fields, and of the elements of lists. The
//! text was checked before.

use std::collections::BTreeSet;
use std::ops::Range;

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
                *last = written(&line[value]);
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

/// The keys of a checked object, and where their values are in it.
pub(super) fn raw_fields(object: &[u8]) -> Vec<(String, Range<usize>)> {
    let (mut fields, mut key) = (Vec::new(), None);
    let (mut depth, mut begin) = (0_usize, 0);
    for (at, byte) in signs(object) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth == 1 {
                    begin = at + 1;
                }
            }
            b':' if depth == 1 => {
                key = serde_json::from_slice::<String>(object[begin..at].trim_ascii()).ok();
                begin = at + 1;
            }
            b',' | b'}' if depth == 1 => {
                if let Some(key) = key.take() {
                    fields.push((key, trimmed(object, begin..at)));
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

/// Where the elements of a checked list are in it.
pub(super) fn raw_elements(list: &[u8]) -> Vec<Range<usize>> {
    let mut elements = Vec::new();
    let (mut depth, mut begin) = (0_usize, 0);
    for (at, byte) in signs(list) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth == 1 {
                    begin = at + 1;
                }
            }
            b',' | b']' if depth == 1 => {
                let element = trimmed(list, begin..at);
                // An empty list has no element, and every other one has bytes.
                if !element.is_empty() {
                    elements.push(element);
                }
                begin = at + 1;
                depth -= usize::from(byte == b']');
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    elements
}

/// A range of bytes without the blanks around it.
fn trimmed(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let text = &bytes[range.clone()];
    let begin = range.start + (text.len() - text.trim_ascii_start().len());
    let end = (begin + text.trim_ascii().len()).min(range.end);
    begin..end
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
pub(super) fn objects(text: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    (1..)
        .zip(text.split(|&byte| byte == b'\n'))
        .filter(|(_, line)| !line.trim_ascii().is_empty())
}

/// How many objects and lists are open at most, outside of texts.
pub(super) fn depth_of(line: &[u8]) -> usize {
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
