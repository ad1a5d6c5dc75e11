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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_key(text: &str, expected: &str) {
        assert_eq!(key(text), expected);
        // What TOML reads it as.
        let table: toml::Table = format!("{expected} = 1").parse().expect("a line of TOML");
        assert_eq!(table.keys().collect::<Vec<_>>(), [text]);
    }

    #[test]
    fn keys_are_quoted_where_they_must_be() {
        check_key("seats", "seats");
        check_key("seats_2-b", "seats_2-b");
        check_key("2024", "2024");
        check_key("", "\"\"");
        check_key("a.b", "\"a.b\"");
        check_key("größe", "\"größe\"");
        check_key("a b", "\"a b\"");
        check_key("say \"no\"", "'say \"no\"'");
    }

    #[test]
    fn formats_of_a_column_and_of_all() {
        assert_eq!(
            format_line("time_format", "closed at", "%d.%m.%Y"),
            "time_format.\"closed at\" = \"%d.%m.%Y\""
        );
        assert_eq!(
            format_line("ends", "closed at", "2024-01-31"),
            "ends = \"2024-01-31\""
        );
        assert_eq!(type_line("a b", "\"number\""), "types.\"a b\" = \"number\"");
    }
}
