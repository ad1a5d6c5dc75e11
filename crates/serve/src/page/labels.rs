//! How columns and tables are called on the page: as the config says, else by their names in words.

use std::collections::BTreeMap;

use super::words::shown;

/// Words of columns and tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Labels<'p>(pub(crate) &'p BTreeMap<String, String>);

impl Labels<'_> {
    /// What a column or a table is called: `touch_type` is "Touch type", unless the config has
    /// another word for it.
    pub(crate) fn of(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(label) => shown(label, 40),
            None => shown(&in_words(name), 40),
        }
    }
}

/// A name in words: `_` is a space, and the first letter is large.
fn in_words(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.trim().chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words() {
        let labels = BTreeMap::from([("touch_type".to_owned(), "Kind of contact".to_owned())]);
        for (name, expected) in [
            ("touch_type", "Kind of contact"),
            ("employee_count", "Employee count"),
            ("ARR", "ARR"),
            ("straße", "Straße"),
            ("élan", "Élan"),
            ("_", "_"),
            ("", ""),
        ] {
            assert_eq!(Labels(&labels).of(name), expected);
        }
    }
}
