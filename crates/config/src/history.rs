//! `[history]`: what an attribute of a lead was, and when.

use super::table::{FileConfig, table_config};

table_config! {
    /// `[history]`: what an attribute of a lead was, and when.
    HistoryConfig {
        /// Column with the lead.
        lead: String,
        /// Column with the name of the attribute.
        attribute: String,
        /// Column with its value from then on.
        value: String,
        /// Column with the time of the change.
        changed_at: String,
        /// What separates several ids in a cell of `lead`, such as ";": the change is one of
        /// each.
        #[serde(default)]
        separator: Option<String>,
        /// Column with the value before the change: what held before the first one.
        #[serde(default)]
        old_value: Option<String>,
        /// Column whose numbers put changes of one moment in order; default: the order of the file.
        #[serde(default)]
        sequence: Option<String>,
        /// Whether every change since a lead's creation is there: a lead without changes then had
        /// today's value all along.
        #[serde(default)]
        complete: bool,
    }
}

impl HistoryConfig {
    /// How its file is to be read.
    pub fn file(&self) -> FileConfig<'_> {
        let separator = self.separator.as_deref();
        self.file_where(separator.map(|separator| (self.lead.as_str(), separator)))
    }
}
