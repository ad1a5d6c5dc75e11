//! Objects on lines without objects in them: each field is a column, called by the keys that lead to
//! it with dots between them.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::RUN_BYTES;
use super::keys::Shape;
use super::raw::raw_fields;
use crate::text_bytes::runs_of_lines;

/// The same lines with the fields that are read, and no others.
pub(super) fn flatten(text: &[u8], shape: &Shape) -> Vec<u8> {
    let runs: Vec<Vec<u8>> = runs_of_lines(text, RUN_BYTES)
        .into_par_iter()
        .map(|run| flat_lines(&text[run], shape))
        .collect();
    runs.concat()
}

/// As many lines as there are; blank ones stay blank.
fn flat_lines(text: &[u8], shape: &Shape) -> Vec<u8> {
    let mut flat = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let object = line.trim_ascii();
        if !object.is_empty() {
            flat.push(b'{');
            let begin = flat.len();
            add_fields(&mut flat, object, &mut String::new(), 0, shape);
            // Each field ends with a comma.
            if flat.len() > begin {
                flat.pop();
            }
            flat.push(b'}');
        }
        if line.ends_with(b"\n") {
            flat.push(b'\n');
        }
    }
    flat
}

fn add_fields(flat: &mut Vec<u8>, object: &[u8], name: &mut String, depth: usize, shape: &Shape) {
    let length = name.len();
    for (key, value) in raw_fields(object) {
        let value = &object[value];
        if depth > 0 {
            name.push('.');
        }
        name.push_str(&key);
        if value.starts_with(b"{") && shape.open.contains(name.as_str()) {
            add_fields(flat, value, name, depth + 1, shape);
        } else if value != b"null"
            && let Some(column) = shape.names.get(name.as_str())
        {
            let key = serde_json::to_vec(column).expect("a text is JSON");
            flat.extend_from_slice(&key);
            flat.push(b':');
            flat.extend_from_slice(value);
            flat.push(b',');
        }
        name.truncate(length);
    }
}
