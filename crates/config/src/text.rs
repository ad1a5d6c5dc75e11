//! TOML texts, with the place of every error.

use std::ops::Range;

use leadscore_core::hide_credentials;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A config that cannot be read, with the place in its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", help.as_ref().map(|help| format!("\n  hint: {help}")).unwrap_or_default())]
pub struct ConfigError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The bytes of the text that are meant.
    pub span: Option<Range<usize>>,
    /// Whether it is that nobody knows the key of this place; what stands behind it may be anything,
    /// a password too.
    pub is_unknown_key: bool,
}

impl ConfigError {
    /// An error about what the text means, which has no single place in it.
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: Some(help.into()),
            span: None,
            is_unknown_key: false,
        }
    }

    /// The same where a check ends with it.
    pub(super) fn refuse(message: &str, help: &str) -> Result<(), Self> {
        Err(Self::new(message, help))
    }
}

/// Reads a TOML text into a type that denies unknown keys.
///
/// # Errors
///
/// [`ConfigError`] names the place, and for an unknown key the nearest known one.
pub fn parse_toml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    if text.len() > LARGEST_TEXT {
        let message = format!("it has {} bytes", text.len());
        return Err(ConfigError {
            message,
            help: Some(format!(
                "expected a text of at most {LARGEST_TEXT} bytes: is this the right file?"
            )),
            span: None,
            is_unknown_key: false,
        });
    }
    let read = toml::from_str(text).map_err(|error| explain(&error, text))?;
    let document = DeTable::parse(text).ok();
    match document.and_then(|table| table.get_ref().values().find_map(not_finite)) {
        None => Ok(read),
        Some(span) => {
            let message = format!("{} is not a finite number", &text[span.clone()]);
            Err(ConfigError {
                message,
                help: Some(
                    "write a number, or leave the key out where there is no limit".to_owned(),
                ),
                span: Some(span),
                is_unknown_key: false,
            })
        }
    }
}

/// Largest config or file of rules, in bytes.
const LARGEST_TEXT: usize = 4_000_000;

/// The place of a number that is infinite or none, which TOML can write.
fn not_finite(value: &Spanned<DeValue<'_>>) -> Option<Range<usize>> {
    match value.get_ref() {
        DeValue::Float(number) => {
            (!number.as_str().parse().is_ok_and(f64::is_finite)).then(|| value.span())
        }
        DeValue::Array(values) => values.iter().find_map(not_finite),
        DeValue::Table(table) => table.values().find_map(not_finite),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            None
        }
    }
}

/// Adds the nearest known key to an error of serde about an unknown one.
fn explain(error: &toml::de::Error, text: &str) -> ConfigError {
    // What is said of a value may repeat it.
    let message = hide_credentials(error.message().trim());
    let mut span = error.span();
    if let Some(rest) = message.strip_prefix("unknown field `")
        && let Some((found, expected)) = rest.split_once('`')
    {
        let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        let help = Some(nearest(found, known.iter().copied()).map_or_else(
            || format!("known keys here: {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        ));
        span = span.map(|range| narrow(text, range, found));
        return ConfigError {
            message: format!("unknown key `{found}`"),
            help,
            span,
            is_unknown_key: true,
        };
    }
    let (message, help) = in_our_words(&message);
    ConfigError {
        message,
        help,
        span,
        is_unknown_key: false,
    }
}

/// What serde says of a value or a missing key, and what to do.
fn in_our_words(message: &str) -> (String, Option<String>) {
    // Our own types bring their hint along.
    if let Some((message, hint)) = message.split_once("\n  hint: ") {
        return (message.to_owned(), Some(hint.to_owned()));
    }
    if let Some((found, expected)) = message
        .strip_prefix("unknown variant ")
        .and_then(|rest| rest.split_once(", expected "))
    {
        let values: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        let near = nearest(found.trim_matches('`'), values.iter().copied());
        let help = match near {
            Some(near) => format!(
                "did you mean \"{near}\"? The values are {}",
                values.join(", ")
            ),
            None => format!("the values are {}", values.join(", ")),
        };
        return (format!("{found} is no value of this key"), Some(help));
    }
    for prefix in ["invalid type: ", "invalid value: "] {
        if let Some((found, expected)) = message
            .strip_prefix(prefix)
            .and_then(|rest| rest.split_once(", expected "))
        {
            return (
                format!("this key does not take {}", kind_of_value(found)),
                Some(format!("write {}", expected_value(expected))),
            );
        }
    }
    (message.replace("missing field", "missing key"), None)
}

/// A value as serde calls it, in words of TOML.
fn kind_of_value(found: &str) -> String {
    for (serde, ours) in [
        ("integer", "the whole number"),
        ("floating point", "the number"),
        ("string", "the text"),
        ("boolean", "the value"),
        ("sequence", "a list"),
        ("map", "a table"),
    ] {
        if let Some(rest) = found.strip_prefix(serde) {
            return format!("{ours}{rest}");
        }
    }
    found.to_owned()
}

/// What serde expected, in words of TOML.
fn expected_value(expected: &str) -> String {
    let (first, rest) = match expected.find(" in ") {
        Some(at) => expected.split_at(at),
        None => (expected, ""),
    };
    let ours = match first {
        "a string" => "a text in quotes",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list in square brackets",
        "a map" => "a table",
        _ if first.starts_with("struct ") => "a table",
        _ => first,
    };
    format!("{ours}{rest}")
}

/// The place of `word` within a span, where it stands there: toml gives the whole table for a key.
fn narrow(text: &str, range: Range<usize>, word: &str) -> Range<usize> {
    match text.get(range.clone()).and_then(|part| part.find(word)) {
        Some(offset) => range.start + offset..range.start + offset + word.len(),
        None => range,
    }
}

/// The known word most like `found`, if one is near enough to be meant.
pub fn nearest<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|word| {
            (
                strsim::jaro_winkler(&found.to_lowercase(), &word.to_lowercase()),
                word,
            )
        })
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_nearest(found: &str, expected: Option<&str>) {
        let known = ["created_at", "account", "id", "path"];
        assert_eq!(nearest(found, known.into_iter()), expected);
    }

    #[test]
    fn misspelled_keys_have_a_neighbor() {
        check_nearest("craeted_at", Some("created_at"));
        check_nearest("CREATED_AT", Some("created_at"));
        check_nearest("acount", Some("account"));
        check_nearest("horizon", None);
        check_nearest("", None);
        assert_eq!(nearest("id", std::iter::empty()), None);
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Text {
        size: f64,
    }

    #[test]
    fn an_unknown_key_is_shown_where_it_is() {
        let text = "# Größe\nsize = 1.5\nsise = 2.0\n";
        let error = parse_toml::<Text>(text).expect_err("one key is unknown");
        assert_eq!(error.message, "unknown key `sise`");
        assert_eq!(error.help.as_deref(), Some("did you mean `size`?"));
        assert_eq!(error.span.map(|span| &text[span]), Some("sise"));
        assert!(error.is_unknown_key);
    }

    #[test]
    fn what_serde_says_is_told_in_words_of_toml() {
        for (message, expected, help) in [
            (
                "invalid type: integer `90`, expected a string",
                "this key does not take the whole number `90`",
                "write a text in quotes",
            ),
            (
                "invalid value: integer `-1`, expected u64",
                "this key does not take the whole number `-1`",
                "write a whole number, 0 or more",
            ),
            (
                "unknown variant `aditive`, expected `linear` or `additive`",
                "`aditive` is no value of this key",
                "did you mean \"additive\"? The values are linear, additive",
            ),
            (
                "unknown variant `x`, expected one of `a`, `b`, `c`",
                "`x` is no value of this key",
                "the values are a, b, c",
            ),
            (
                "`x` is not a length\n  hint: write \"90d\"",
                "`x` is not a length",
                "write \"90d\"",
            ),
        ] {
            let expected = (expected.to_owned(), Some(help.to_owned()));
            assert_eq!(in_our_words(message), expected);
        }
        let missing = in_our_words("missing field `id`");
        assert_eq!(missing, ("missing key `id`".to_owned(), None));
    }

    #[test]
    fn numbers_are_finite() {
        for (value, size) in [("1e308", 1e308), ("-1_000.5", -1_000.5), ("+2.5", 2.5)] {
            assert_eq!(parse_toml(&format!("size = {value}")), Ok(Text { size }));
        }
        assert!(parse_toml::<Text>("size = 1e400").is_err());
        for value in ["inf", "-inf", "+inf", "nan"] {
            let text = format!("size = {value}");
            let error = parse_toml::<Text>(&text).expect_err("it is not finite");
            assert_eq!(error.message, format!("{value} is not a finite number"));
            assert_eq!(error.span.map(|span| &text[span]), Some(value));
        }
        // Wherever they are.
        for text in [
            "[a]\nb = [{ c = [1.0, nan] }]",
            "[a.b]\nc = nan",
            "[[a]]\nb.c = nan",
        ] {
            let error = parse_toml::<toml::Table>(text).expect_err("one is not finite");
            assert_eq!(error.span.map(|span| &text[span]), Some("nan"));
        }
    }

    #[test]
    fn a_word_is_looked_for_within_its_range_only() {
        assert_eq!(narrow("a b a", 2..5, "a"), 4..5);
        assert_eq!(narrow("a b a", 2..3, "a"), 2..3);
        // A range that cuts a letter stays.
        assert_eq!(narrow("é", 1..2, "é"), 1..2);
    }
}
