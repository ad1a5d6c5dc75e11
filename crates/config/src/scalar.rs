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
