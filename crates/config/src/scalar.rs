//! Values of a column, as the config writes them.

use schemars::JsonSchema;
use serde::Deserialize;

/// A value of a column, written as a text, a number or a boolean.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A boolean.
    Boolean(bool),
}

impl Scalar {
    /// The value as a table spells it.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Boolean(value) => value.to_string(),
        }
    }

    /// Whether a cell says it; truth values are one thing in any spelling.
    pub fn is(&self, cell: &str) -> bool {
        self.text() == cell
            || self
                .words()
                .iter()
                .any(|word| word.eq_ignore_ascii_case(cell))
    }

    /// The cells that say it, where case does not matter to whoever compares them with these.
    pub fn spellings(&self) -> Vec<String> {
        let mut texts = vec![self.text()];
        for word in self.words() {
            let title = word
                .chars()
                .take(1)
                .flat_map(char::to_uppercase)
                .chain(word.chars().skip(1))
                .collect();
            texts.extend([(*word).to_owned(), title, word.to_uppercase()]);
        }
        texts.sort_unstable();
        texts.dedup();
        texts
    }

    /// How a truth value is written, in lower case; a text that is one may be any program's.
    fn words(&self) -> &'static [&'static str] {
        match self {
            Self::Boolean(true) => &["true", "t", "yes", "y", "1"],
            Self::Boolean(false) => &["false", "f", "no", "n", "0"],
            Self::Text(text) if text.eq_ignore_ascii_case("true") => &["true"],
            Self::Text(text) if text.eq_ignore_ascii_case("false") => &["false"],
            Self::Text(_) | Self::Integer(_) => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scalar: &Scalar, are: &[&str], are_not: &[&str]) {
        for cell in are {
            assert!(scalar.is(cell), "{scalar:?} is {cell:?}");
        }
        for cell in are_not {
            assert!(!scalar.is(cell), "{scalar:?} is not {cell:?}");
        }
        // What is written as a list for an engine is what is read here.
        for spelling in scalar.spellings() {
            assert!(scalar.is(&spelling), "{scalar:?} is {spelling:?}");
        }
    }

    #[test]
    fn cells_that_a_value_means() {
        check(
            &Scalar::Text("Won".to_owned()),
            &["Won"],
            &["won", "Won ", ""],
        );
        check(&Scalar::Text("1".to_owned()), &["1"], &["true", "1.0"]);
        check(
            &Scalar::Text("TRUE".to_owned()),
            &["TRUE", "true", "True"],
            &["1", "yes", "t"],
        );
        check(&Scalar::Integer(-3), &["-3"], &["3", "-3.0"]);
        check(
            &Scalar::Boolean(true),
            &["true", "T", "YES", "y", "1"],
            &["0", "no", "on", ""],
        );
        check(
            &Scalar::Boolean(false),
            &["false", "F", "No", "n", "0"],
            &["1", "yes", "off"],
        );
    }

    #[test]
    fn spellings_are_sorted_and_each_once() {
        assert_eq!(
            Scalar::Boolean(false).spellings(),
            [
                "0", "F", "FALSE", "False", "N", "NO", "No", "f", "false", "n", "no"
            ]
        );
        assert_eq!(Scalar::Integer(7).spellings(), ["7"]);
        assert_eq!(
            Scalar::Text("tRUE".to_owned()).spellings(),
            ["TRUE", "True", "tRUE", "true"]
        );
    }
}
