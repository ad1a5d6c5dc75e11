//! Notes: what the user should know about the data, and changes nothing.

use leadscore_core::printable;

/// Something the user should know about the data, which is not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The table in the config.
    pub table: String,
    /// How many rows it is about; the text goes on from the number.
    pub count: Option<usize>,
    /// A sentence.
    pub text: String,
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
            first: None,
        }
    }

    /// A note about some of its rows; `None` where there are none.
    pub fn counted(table: &str, count: usize, text: impl Into<String>) -> Option<Self> {
        (count > 0).then(|| Self {
            count: Some(count),
            ..Self::new(table, text)
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
        if let Some(count) = self.count {
            write!(f, "{count} ")?;
        }
        f.write_str(&printable(&self.text))?;
        self.first
            .as_ref()
            .map_or(Ok(()), |first| write!(f, " (first: {})", printable(first)))
    }
}
