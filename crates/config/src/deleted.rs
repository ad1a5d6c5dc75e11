//! `[deleted]`: leads that are no more, listed in a table of their own.

use super::table::{FileConfig, table_config};

table_config! {
    /// `[deleted]`: leads that were deleted, as an archive lists them; of these nothing in any table
    /// leaves a trace.
    DeletedConfig {
        /// Column with the id of the lead.
        lead: String,
        /// Column with the time of the deletion: what is asked as of an earlier moment sees the
        /// lead.
        #[serde(default)]
        at: Option<String>,
    }
}

impl DeletedConfig {
    /// How its file is to be read.
    pub fn file(&self) -> FileConfig<'_> {
        self.file_where(None)
    }
}
