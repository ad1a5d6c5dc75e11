//! `[merges]`: ids that live on under another.

use super::table::{FileConfig, table_config};
use super::text::ConfigError;

table_config! {
    /// `[merges]`: leads that were merged into others, whose ids live on in older rows.
    MergesConfig {
        /// Column with the id that is no more.
        from: String,
        /// Column with the id that it lives on under.
        into: String,
        /// Column with the time of the merge: what the lead that is no more did is known of the
        /// other one from then on.
        #[serde(default)]
        at: Option<String>,
    }
}

impl MergesConfig {
    /// How its file is to be read.
    pub fn file(&self) -> FileConfig<'_> {
        self.file_where(None)
    }

    /// Fails where both ids are one column, or rows would be left out.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.deleted.is_some() {
            return ConfigError::refuse(
                "[merges] has `deleted`, and what was merged away is often deleted: its merges would be left out",
                "take it out",
            );
        }
        if self.from == self.into {
            return ConfigError::refuse(
                &format!("[merges] has `{}` as `from` and as `into`", self.from),
                "name the column with the id that is no more, and the one with the id that lives on",
            );
        }
        Ok(())
    }
}
