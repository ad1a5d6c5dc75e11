//! `[lookups]`: tables that leads point to.

use super::table::{FileConfig, table_config};

table_config! {
    /// `[lookups.NAME]`: a table that leads point to.
    LookupConfig {
        /// Column that identifies a row.
        key: String,
        /// Column of the leads that holds the key; default: the same name.
        #[serde(default)]
        leads_key: Option<String>,
        /// Column with the time from which a row holds; a key may then have several rows, each
        /// until the next.
        #[serde(default)]
        changed_at: Option<String>,
        /// Columns to learn from; default: every column but the key.
        #[serde(default)]
        attributes: Option<Vec<String>>,
        /// Columns never to learn from; the name of an object stands for all of its fields.
        #[serde(default)]
        exclude: Vec<String>,
    }
}

impl LookupConfig {
    /// How its file is to be read.
    pub fn file(&self) -> FileConfig<'_> {
        self.file_where(None)
    }
}
