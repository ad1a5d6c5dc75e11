//! What events are called: "demo" and "demos", beside tables whose events would be called alike.

use std::collections::BTreeMap;

use crate::EventFilter;
use crate::count::plural;

/// What one and what several events are called.
pub(crate) struct Nouns {
    pub(crate) one: String,
    pub(crate) many: String,
    /// Whether they say of which table the events are.
    has_table: bool,
}

/// Names that end as a plural does and are none.
const NO_PLURALS: [&str; 4] = ["sales", "news", "analytics", "logistics"];

/// Tables whose events would be called alike: there a noun says which table is meant.
///
/// A kind of one table may have the name of another table, or of a kind there. Kinds of one table
/// are one concept, so that no two reasons are of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wording {
    /// For each name of several events, in small letters, the tables that have such, and whether it
    /// is the table's own name.
    tables: BTreeMap<String, Vec<(String, bool)>>,
}

impl Wording {
    /// Adds events that are told of beside the others.
    pub(crate) fn add(&mut self, table: &str, kind: &EventFilter) {
        let Nouns {
            many, has_table, ..
        } = Nouns::of(table, kind);
        let claims = self.tables.entry(many.to_lowercase()).or_default();
        match claims.iter_mut().find(|(known, _)| known == table) {
            Some((_, is_own)) => *is_own |= has_table,
            None => claims.push((table.to_owned(), has_table)),
        }
    }

    /// What events of a table are called beside those of the others.
    pub(crate) fn nouns(&self, table: &str, kind: &EventFilter) -> Nouns {
        let nouns = Nouns::of(table, kind);
        let claims = self
            .tables
            .get(&nouns.many.to_lowercase())
            .map_or(&[][..], Vec::as_slice);
        // The one table that is itself called so needs no more words.
        let is_plain = claims
            .iter()
            .all(|(other, is_own)| other == table || nouns.has_table && !is_own);
        if is_plain {
            return nouns;
        }
        let table = name(table);
        Nouns {
            one: format!("{} ({table})", nouns.one),
            many: format!("{} ({table})", nouns.many),
            ..nouns
        }
    }
}

impl Nouns {
    fn of_table(table: &str) -> Self {
        let words = name(&table.replace('_', " "));
        if words.ends_with('s')
            && !words.ends_with("ss")
            && !NO_PLURALS.contains(&words.to_lowercase().as_str())
        {
            return Self {
                one: singular(&words),
                many: words,
                has_table: true,
            };
        }
        if words.ends_with("activity") {
            return Self {
                many: plural(&words),
                one: words,
                has_table: true,
            };
        }
        Self {
            one: format!("{words} activity"),
            many: format!("{words} activities"),
            has_table: true,
        }
    }

    fn of(table: &str, kind: &EventFilter) -> Self {
        let of_table = || Self::of_table(table);
        match kind {
            EventFilter::All => of_table(),
            EventFilter::Is(column, value)
            | EventFilter::Has {
                column,
                token: value,
                ..
            } => {
                let words = name(&value.replace('_', " "));
                if is_noun(&words) {
                    let is_plural = words.ends_with('s') && !words.ends_with("ss");
                    let (one, many) = if is_plural {
                        (singular(&words), words)
                    } else {
                        (words.clone(), plural(&words))
                    };
                    return Self {
                        one,
                        many,
                        has_table: false,
                    };
                }
                let Self {
                    one,
                    many,
                    has_table,
                } = of_table();
                if words.chars().any(char::is_alphabetic) {
                    return Self {
                        one: format!("{one} \u{2018}{words}\u{2019}"),
                        many: format!("{many} \u{2018}{words}\u{2019}"),
                        has_table,
                    };
                }
                let column = name(column);
                Self {
                    one: format!("{one} with {column} {words}"),
                    many: format!("{many} with {column} {words}"),
                    has_table,
                }
            }
            EventFilter::Other { .. } => {
                let Self {
                    one,
                    many,
                    has_table,
                } = of_table();
                Self {
                    one: format!("other {one}"),
                    many: format!("other {many}"),
                    has_table,
                }
            }
            EventFilter::Each(pairs) => {
                let Self {
                    one,
                    many,
                    has_table,
                } = of_table();
                let pairs: Vec<String> = pairs
                    .iter()
                    .map(|(column, value)| {
                        format!("{} \u{2018}{}\u{2019}", name(column), name(value))
                    })
                    .collect();
                let with = pairs.join(" and ");
                Self {
                    one: format!("{one} with {with}"),
                    many: format!("{many} with {with}"),
                    has_table,
                }
            }
        }
    }
}

/// Whether a kind can be counted as it is: one word, or words in small letters, that are no
/// participle.
fn is_noun(words: &str) -> bool {
    let is_plain = words
        .chars()
        .all(|letter| letter.is_ascii_alphabetic() || letter == ' ');
    let is_one = !words.contains(' ');
    let rest_is_small = words
        .chars()
        .skip(1)
        .all(|letter| letter.is_ascii_lowercase() || letter == ' ');
    is_plain
        && !words.is_empty()
        && rest_is_small
        && (is_one || words.starts_with(|first: char| first.is_ascii_lowercase()))
        && !words.ends_with("ed")
}

fn singular(words: &str) -> String {
    let cut = |n: usize| words[..words.len() - n].to_owned();
    if words.ends_with("ies") && words.len() > 4 {
        format!("{}y", cut(3))
    } else if ["sses", "xes", "tzes", "ches", "shes"]
        .iter()
        .any(|ending| words.ends_with(ending))
    {
        cut(2)
    } else {
        cut(1)
    }
}

/// Braces of names, so that they are not taken for the place of the number.
pub(crate) fn name(text: &str) -> String {
    text.replace("{}", "{ }")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_noun(one: &str, many: &str) {
        assert_eq!((plural(one).as_str(), singular(many).as_str()), (many, one));
    }

    #[test]
    fn one_and_many() {
        check_noun("visit", "visits");
        check_noun("demo", "demos");
        check_noun("reply", "replies");
        check_noun("survey", "surveys");
        check_noun("inbox", "inboxes");
        check_noun("pitch", "pitches");
        check_noun("wish", "wishes");
        check_noun("class", "classes");
        check_noun("tie", "ties");
        check_noun("size", "sizes");
        check_noun("waltz", "waltzes");
        check_noun("Größe", "Größes");
    }

    #[test]
    fn words_that_are_nouns() {
        for noun in ["demo", "Demo", "price page", "visits"] {
            assert!(is_noun(noun), "{noun}");
        }
        for other in ["", "opened", "Price page", "SQL", "web2", "größe", "a-b"] {
            assert!(!is_noun(other), "{other}");
        }
    }

    #[test]
    fn tables_by_their_names() {
        for (table, one, many) in [
            ("page_views", "page view", "page views"),
            ("web", "web activity", "web activities"),
            ("web_activity", "web activity", "web activities"),
            ("sales", "sales activity", "sales activities"),
            ("News", "News activity", "News activities"),
            ("press", "press activity", "press activities"),
        ] {
            let nouns = Nouns::of_table(table);
            assert_eq!((nouns.one.as_str(), nouns.many.as_str()), (one, many));
        }
    }

    #[test]
    fn tables_with_the_same_events_are_named_with_them() {
        let mut wording = Wording::default();
        let demo = EventFilter::Is("kind".to_owned(), "demo".to_owned());
        wording.add("calls", &demo);
        assert_eq!(wording.nouns("calls", &demo).many, "demos");
        wording.add("web", &demo);
        assert_eq!(wording.nouns("calls", &demo).many, "demos (calls)");
        assert_eq!(wording.nouns("web", &demo).one, "demo (web)");
        // The table that is itself called so needs no more words.
        wording.add("demos", &EventFilter::All);
        assert_eq!(wording.nouns("demos", &EventFilter::All).many, "demos");
    }
}
