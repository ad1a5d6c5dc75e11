//! Notes: what the user should know about the data, and changes nothing.

use leadscore_core::{count, printable};

/// Something the user should know about the data, which is not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The table in the config.
    pub table: String,
    /// How many rows it is about; the text goes on from the number.
    pub count: Option<usize>,
    /// A sentence.
    pub text: String,
    /// The same where the number is 1, and the noun and the verb change with it.
    pub text_of_one: Option<String>,
    /// Where the first of them stands.
    pub first: Option<String>,
}

impl Note {
    /// A note about a table as a whole.
    pub fn new(table: &str, text: impl Into<String>) -> Self {
        Self {
            table: table.to_owned(),
            count: None,
            text: text.into(),
            text_of_one: None,
            first: None,
        }
    }

    /// A note about some of its rows; `None` where there are none. The text goes on from the
    /// number: `one` from 1, `many` from more.
    pub fn counted(
        table: &str,
        count: usize,
        one: impl Into<String>,
        many: impl Into<String>,
    ) -> Option<Self> {
        (count > 0).then(|| Self {
            count: Some(count),
            text_of_one: Some(one.into()),
            ..Self::new(table, many)
        })
    }

    /// Adds notes of another part of the same tables: equal texts become one, with the sum of their
    /// counts.
    pub fn merge(notes: &mut Vec<Self>, more: Vec<Self>) {
        for note in more {
            match notes
                .iter_mut()
                .find(|known| known.table == note.table && known.text == note.text)
            {
                Some(known) => {
                    known.count = known.count.map(|count| count + note.count.unwrap_or(0));
                }
                None => notes.push(note),
            }
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ", printable(&self.table))?;
        if let Some(number) = self.count {
            write!(f, "{} ", count(number))?;
        }
        let of_one = self.text_of_one.as_ref().filter(|_| self.count == Some(1));
        f.write_str(&printable(of_one.unwrap_or(&self.text)))?;
        self.first
            .as_ref()
            .map_or(Ok(()), |first| write!(f, " (first: {})", printable(first)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str, count: usize) -> Note {
        Note::counted("[leads]", count, "row is empty", text).expect("there are some")
    }

    #[test]
    fn notes_of_parts_are_one() {
        let mut notes = vec![
            counted("rows are empty", 2),
            Note::new("[leads]", "it is small"),
        ];
        let more = vec![
            counted("rows are empty", 3),
            Note::new("[leads]", "it is small"),
            Note::counted("[outcomes]", 1, "row is empty", "rows are empty").expect("there is one"),
        ];
        Note::merge(&mut notes, more);
        let texts: Vec<String> = notes.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "[leads] 5 rows are empty",
                "[leads] it is small",
                "[outcomes] 1 row is empty"
            ]
        );
        assert_eq!(
            Note::counted("[leads]", 0, "row is empty", "rows are empty"),
            None
        );
    }

    #[test]
    fn the_first_place_is_named_and_cells_are_escaped() {
        let note = Note {
            first: Some("line 3: \u{1b}x".to_owned()),
            ..counted("cells are `a\nb`", 2)
        };
        assert_eq!(
            note.to_string(),
            "[leads] 2 cells are `a\\nb` (first: line 3: \\u{1b}x)"
        );
    }
}
