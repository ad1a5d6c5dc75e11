//! What training chooses among, and how cards name it: shapes of a model, and ways to weigh rows by
//! their age.

use std::fmt;

use leadscore_core::Span;
use serde::{Deserialize, Serialize};

/// One of the models that training compared. Files have it in the words of [`fmt::Display`], those
/// of earlier versions in others, which are read too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Alternative {
    /// The win rate, for everyone.
    BaseRate,
    /// Linear terms and levels.
    Linear,
    /// Shape functions and levels, and pairwise interactions.
    Curves {
        /// How finely numbers are cut.
        resolution: Resolution,
        /// Whether each segment deviates from the common shape functions.
        is_segmented: bool,
        /// Number of interactions, those of a segment not among them.
        n_pairs: usize,
    },
    /// All snapshots count alike, whatever their age.
    AllAlike,
    /// Snapshots count half as much for each such time that they are older.
    HalfLife(Span),
    /// What a program of another version has compared, in its words.
    Other(String),
}

/// How finely numbers are cut: bins of shape functions, and cells along the sides of interactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resolution {
    /// 24 bins, 8 cells; with very many rows 32 and 12.
    Usual,
    /// 64 bins, 12 cells.
    Fine,
    /// 128 bins, 12 cells.
    Finest,
}

impl Resolution {
    /// All of them, coarsest first.
    pub const ALL: [Self; 3] = [Self::Usual, Self::Fine, Self::Finest];

    /// Behind the name of a shape.
    fn words(self) -> &'static str {
        match self {
            Self::Usual => "",
            Self::Fine => " in fine bins",
            Self::Finest => " in finest bins",
        }
    }
}

const BASE_RATE: &str = "the base rate";
const SEGMENTED: &str = " of their own for each segment";
const ALL_ALIKE: &str = "all snapshots alike";
const HALF_LIFE: &str = "snapshots count half as much every ";

/// What the parts of a shape are called.
struct Names {
    linear: &'static str,
    curves: &'static str,
    pair: &'static str,
    pairs: &'static str,
}

/// In files of earlier versions.
const EARLIER: Names = Names {
    linear: "straight lines",
    curves: "curves",
    pair: "table over two features",
    pairs: "tables over two features",
};

const TODAY: Names = Names {
    linear: "linear terms",
    curves: "shape functions",
    pair: "pairwise interaction",
    pairs: "pairwise interactions",
};

impl fmt::Display for Alternative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, &TODAY)
    }
}

impl Alternative {
    fn write(&self, f: &mut impl fmt::Write, names: &Names) -> fmt::Result {
        match self {
            Self::BaseRate => f.write_str(BASE_RATE),
            Self::Linear => f.write_str(names.linear),
            Self::Curves {
                resolution,
                is_segmented,
                n_pairs,
            } => {
                let segmented = if *is_segmented { SEGMENTED } else { "" };
                write!(f, "{}{}{segmented}", names.curves, resolution.words())?;
                match n_pairs {
                    0 => Ok(()),
                    1 => write!(f, " and 1 {}", names.pair),
                    _ => write!(f, " and {n_pairs} {}", names.pairs),
                }
            }
            Self::AllAlike => f.write_str(ALL_ALIKE),
            Self::HalfLife(half_life) => write!(f, "{HALF_LIFE}{half_life}"),
            Self::Other(words) => f.write_str(words),
        }
    }

    /// In these names.
    fn words(&self, names: &Names) -> String {
        let mut words = String::new();
        self.write(&mut words, names)
            .expect("a String takes all that is written");
        words
    }

    /// What these words name, perhaps with other words beside them.
    fn named_in(words: &str, names: &Names) -> Option<Self> {
        match words {
            BASE_RATE => return Some(Self::BaseRate),
            words if words == names.linear => return Some(Self::Linear),
            ALL_ALIKE => return Some(Self::AllAlike),
            _ => {}
        }
        if let Some(half_life) = words.strip_prefix(HALF_LIFE) {
            return Some(Self::HalfLife(half_life.parse().ok()?));
        }
        let rest = words.strip_prefix(names.curves)?;
        // The usual one has no words, and so begins every text.
        let (resolution, rest) = Resolution::ALL
            .into_iter()
            .rev()
            .find_map(|resolution| Some((resolution, rest.strip_prefix(resolution.words())?)))?;
        let tables = rest.strip_prefix(SEGMENTED).unwrap_or(rest);
        let n_pairs = match tables.strip_prefix(" and ") {
            None => 0,
            Some(tables) => tables.split(' ').next()?.parse().ok()?,
        };
        Some(Self::Curves {
            resolution,
            is_segmented: tables.len() < rest.len(),
            n_pairs,
        })
    }
}

impl From<String> for Alternative {
    /// Words that none of the others has, to the letter, stay as they are.
    fn from(words: String) -> Self {
        [&TODAY, &EARLIER]
            .into_iter()
            .find_map(|names| {
                Self::named_in(&words, names).filter(|named| named.words(names) == words)
            })
            .unwrap_or(Self::Other(words))
    }
}

impl From<Alternative> for String {
    fn from(alternative: Alternative) -> Self {
        alternative.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &str, expected: Alternative) {
        let read = Alternative::from(words.to_owned());
        assert_eq!(read, expected);
        assert_eq!(String::from(read), words);
    }

    #[track_caller]
    fn check_earlier(words: &str, expected: Alternative) {
        assert_eq!(Alternative::from(words.to_owned()), expected);
    }

    fn curves(resolution: Resolution, is_segmented: bool, n_pairs: usize) -> Alternative {
        Alternative::Curves {
            resolution,
            is_segmented,
            n_pairs,
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        check("the base rate", Alternative::BaseRate);
        check("linear terms", Alternative::Linear);
        check("shape functions", curves(Resolution::Usual, false, 0));
        check(
            "shape functions in fine bins",
            curves(Resolution::Fine, false, 0),
        );
        check(
            "shape functions in finest bins and 1 pairwise interaction",
            curves(Resolution::Finest, false, 1),
        );
        check(
            "shape functions of their own for each segment",
            curves(Resolution::Usual, true, 0),
        );
        check(
            "shape functions in fine bins of their own for each segment and 30 pairwise interactions",
            curves(Resolution::Fine, true, 30),
        );
        check("all snapshots alike", Alternative::AllAlike);
        check(
            "snapshots count half as much every 182d",
            Alternative::HalfLife(Span::from_days(182)),
        );
    }

    #[test]
    fn words_of_earlier_versions_are_read() {
        check_earlier("straight lines", Alternative::Linear);
        check_earlier("curves", curves(Resolution::Usual, false, 0));
        check_earlier("curves in fine bins", curves(Resolution::Fine, false, 0));
        check_earlier(
            "curves in finest bins and 1 table over two features",
            curves(Resolution::Finest, false, 1),
        );
        check_earlier(
            "curves in fine bins of their own for each segment and 30 tables over two features",
            curves(Resolution::Fine, true, 30),
        );
    }

    #[test]
    fn other_words_stay_as_they_are() {
        for words in [
            "",
            "curves and 3 tables",
            "curves and 01 tables over two features",
            "curves, straight",
            "shape functions and 3 tables over two features",
            "curves and 3 pairwise interactions",
            "snapshots count half as much every 26w",
            "The base rate",
        ] {
            check(words, Alternative::Other(words.to_owned()));
        }
    }
}
