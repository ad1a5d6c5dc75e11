//! How a cell that holds several values becomes tokens: the members of a set, or words.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// How a cell is split into tokens.
///
/// Model files hold these by position: new variants go to the end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tokenizer {
    /// The members of a set between separators, such as `a;b;c`: as written, without the blanks
    /// around them. An empty member is none.
    Set(String),
    /// Words, and pairs of neighboring words: in lower case, without accents and punctuation. Word
    /// boundaries are those of Unicode (UAX #29), so that scripts without blanks have words too.
    Words,
}

impl Tokenizer {
    /// The distinct tokens of a cell, sorted.
    pub fn tokens(&self, cell: &str) -> BTreeSet<String> {
        match self {
            Self::Set(separator) => members(cell, separator).map(str::to_owned).collect(),
            Self::Words => {
                let words = words(cell);
                let pairs = words.windows(2).map(|pair| pair.join(" "));
                pairs.chain(words.iter().cloned()).collect()
            }
        }
    }

    /// Number of members, or of words, as they are written.
    pub fn count(&self, cell: &str) -> usize {
        match self {
            Self::Set(separator) => members(cell, separator).count(),
            Self::Words => words(cell).len(),
        }
    }

    /// What one of several is called.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Set(_) => "value",
            Self::Words => "word",
        }
    }

    /// What a token is called: two words are words.
    pub fn noun_of(&self, token: &str) -> &'static str {
        match self {
            Self::Words if token.contains(' ') => "words",
            Self::Set(_) | Self::Words => self.noun(),
        }
    }
}

/// What is trimmed from a member: the blanks that statements trim, too.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

fn members<'c>(cell: &'c str, separator: &'c str) -> impl Iterator<Item = &'c str> {
    cell.split(separator)
        .map(|member| member.trim_matches(BLANKS))
        .filter(|member| !member.is_empty())
}

fn words(cell: &str) -> Vec<String> {
    let folded: String = cell
        .nfkd()
        .filter(|sign| !is_combining_mark(*sign))
        .flat_map(char::to_lowercase)
        .collect();
    folded
        .unicode_words()
        .map(|word| word.chars().filter(|sign| sign.is_alphanumeric()).collect())
        .filter(|word: &String| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tokenizer: &Tokenizer, cell: &str, expected: &[&str], count: usize) {
        let tokens: Vec<String> = tokenizer.tokens(cell).into_iter().collect();
        assert_eq!(tokens, expected, "{cell:?}");
        assert_eq!(tokenizer.count(cell), count, "{cell:?}");
    }

    #[test]
    fn members_are_as_written_and_count_once() {
        let set = Tokenizer::Set(";".to_owned());
        check(&set, "a;b;c", &["a", "b", "c"], 3);
        check(&set, "b; a ;b;;\ta", &["a", "b"], 4);
        check(&set, "A;a", &["A", "a"], 2);
        check(&set, ";;", &[], 0);
        check(&set, "", &[], 0);
        check(&set, "a|b", &["a|b"], 1);
        check(&Tokenizer::Set("||".to_owned()), "a|b||c", &["a|b", "c"], 2);
        // Blanks that some engines would not trim are part of a member.
        check(&set, "a\u{a0};b", &["a\u{a0}", "b"], 2);
    }

    #[test]
    fn words_have_no_case_accents_or_punctuation() {
        let words = &Tokenizer::Words;
        check(
            words,
            "Directeur Général",
            &["directeur", "directeur general", "general"],
            2,
        );
        check(words, "V.P., Sales", &["sales", "vp", "vp sales"], 2);
        check(words, "R&D", &["d", "r", "r d"], 2);
        check(words, "-- ", &[], 0);
        check(words, "head head", &["head", "head head"], 2);
        check(words, "Größe ﬁt", &["fit", "große", "große fit"], 2);
        check(words, "Менеджер", &["менеджер"], 1);
        // A script without blanks: each sign is a word, and two neighbors a pair.
        check(words, "总监", &["总", "总 监", "监"], 2);
    }
}
