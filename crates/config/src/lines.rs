//! Lines of config, as doubts propose them.

use crate::doubt::quoted;
use crate::{FileConfig, PerColumn};

/// A key of TOML, in quotes where it needs them.
pub fn key(text: &str) -> String {
    let is_bare = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if is_bare {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// `null_values.column = ["0"]`, or the list of the whole table with these.
pub fn null_line(file: &FileConfig<'_>, column: &str, values: &[&str]) -> String {
    let list =
        |values: &mut dyn Iterator<Item = &str>| values.map(quoted).collect::<Vec<_>>().join(", ");
    match file.null_values {
        Some(PerColumn::All(known)) => format!(
            "null_values = [{}]",
            list(
                &mut known
                    .iter()
                    .map(String::as_str)
                    .chain(values.iter().copied())
            )
        ),
        known => {
            let own = known
                .and_then(|known| known.of(column))
                .into_iter()
                .flatten()
                .map(String::as_str);
            format!(
                "null_values.{} = [{}]",
                key(column),
                list(&mut own.chain(values.iter().copied()))
            )
        }
    }
}

/// `types.column = "number"`
pub fn type_line(column: &str, kind: &str) -> String {
    format!("types.{} = {kind}", key(column))
}

/// `time_format.column = "excel"`
pub fn format_line(setting: &str, column: &str, value: &str) -> String {
    if setting == "time_format" {
        format!("time_format.{} = {}", key(column), quoted(value))
    } else {
        format!("{setting} = {}", quoted(value))
    }
}
