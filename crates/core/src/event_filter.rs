//! Which events of a table a feature looks at.

use serde::{Deserialize, Serialize};

use crate::Tokenizer;

/// Which events of a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventFilter {
    /// All of them.
    All,
    /// Those whose column has this value.
    Is(String, String),
    /// Those whose column has a value that is none of these.
    Other {
        /// The column.
        column: String,
        /// The values that have features of their own, sorted.
        named: Vec<String>,
    },
    /// Those where each of these columns has its value.
    Each(Vec<(String, String)>),
    /// Those whose column, which holds several values, has this one among them.
    Has {
        /// The column.
        column: String,
        /// How its cells are split.
        tokenizer: Tokenizer,
        /// The value.
        token: String,
    },
}

impl EventFilter {
    /// The events as a sentence names them.
    pub(crate) fn describe(&self, table: &str) -> String {
        match self {
            Self::All => format!("{table} events"),
            Self::Is(_, value) | Self::Has { token: value, .. } => {
                format!("{table} events \u{2018}{value}\u{2019}")
            }
            Self::Other { column, .. } => format!(
                "{table} events with another {column} than those that have features of their own"
            ),
            Self::Each(pairs) => {
                let pairs: Vec<String> = pairs
                    .iter()
                    .map(|(column, value)| format!("{column} \u{2018}{value}\u{2019}"))
                    .collect();
                format!("{table} events with {}", pairs.join(" and "))
            }
        }
    }

    /// The values that it compares with.
    pub fn values(&self) -> Vec<&str> {
        match self {
            Self::All => Vec::new(),
            Self::Is(_, value) | Self::Has { token: value, .. } => vec![value],
            Self::Other { named, .. } => named.iter().map(String::as_str).collect(),
            Self::Each(pairs) => pairs.iter().map(|(_, value)| value.as_str()).collect(),
        }
    }
}
