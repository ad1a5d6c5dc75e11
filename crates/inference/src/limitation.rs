//! What anyone who uses a model should know, as its card has it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::sufficiency::DataVerdict;

/// One thing that anyone who uses a model should know. In files it is the words that
/// [`fmt::Display`] gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Limitation {
    /// There is little data to learn from.
    Data {
        /// How little.
        verdict: DataVerdict,
        /// What decided, in words.
        reason: String,
    },
    /// Every lead gets the win rate.
    NoSignal,
    /// Anything else, which nothing but a reader has to understand.
    Other(String),
}

const DATA: &str = "data: ";
const NO_SIGNAL: &str = "no signal: nothing in the features told later wins from other leads beyond chance, so every lead gets the win rate";

impl fmt::Display for Limitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data { verdict, reason } => write!(f, "{DATA}{}: {reason}", verdict.name()),
            Self::NoSignal => f.write_str(NO_SIGNAL),
            Self::Other(words) => f.write_str(words),
        }
    }
}

impl Limitation {
    /// What these words say of the data.
    fn of_data(words: &str) -> Option<Self> {
        let (verdict, reason) = words.strip_prefix(DATA)?.split_once(": ")?;
        let verdict = [DataVerdict::Enough, DataVerdict::Thin, DataVerdict::TooFew]
            .into_iter()
            .find(|known| known.name() == verdict)?;
        Some(Self::Data {
            verdict,
            reason: reason.to_owned(),
        })
    }
}

impl From<String> for Limitation {
    fn from(words: String) -> Self {
        if words == NO_SIGNAL {
            return Self::NoSignal;
        }
        Self::of_data(&words).unwrap_or(Self::Other(words))
    }
}

impl From<Limitation> for String {
    fn from(limitation: Limitation) -> Self {
        limitation.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &str, expected: Limitation) {
        let read = Limitation::from(words.to_owned());
        assert_eq!(read, expected);
        assert_eq!(String::from(read), words);
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        let data = |verdict, reason: &str| Limitation::Data {
            verdict,
            reason: reason.to_owned(),
        };
        check(
            "data: thin: 3 wins: few",
            data(DataVerdict::Thin, "3 wins: few"),
        );
        check("data: too few: ", data(DataVerdict::TooFew, ""));
        check(NO_SIGNAL, Limitation::NoSignal);
        for other in ["data: scarce: 3 wins", "data: thin", "no signal", "old"] {
            check(other, Limitation::Other(other.to_owned()));
        }
    }
}
