//! `[activities]`: tables of events.

use super::table::{FileConfig, table_config};
use super::text::ConfigError;

table_config! {
    /// `[activities.NAME]`: a table of time-stamped events.
    ActivityConfig {
        /// Column with the lead of an event.
        #[serde(default)]
        lead: Option<String>,
        /// Column with the account of an event, in place of `lead`; the leads have a column of the
        /// same name.
        #[serde(default)]
        account: Option<String>,
        /// What separates several ids in a cell of `lead` or `account`, such as ";": the event
        /// is one of each.
        #[serde(default)]
        separator: Option<String>,
        /// The association table ([links.NAME]) through which the ids of `lead` reach their leads: the
        /// event is one of each.
        #[serde(default)]
        via: Option<String>,
        /// Column with the time at which it happened.
        at: String,
        /// Column with the time at which it was recorded, which then decides what is visible.
        #[serde(default)]
        recorded_at: Option<String>,
        /// Columns that split the counts.
        #[serde(default)]
        kind: Vec<String>,
        /// Numbers to sum and average.
        #[serde(default)]
        values: Vec<String>,
    }
}

impl ActivityConfig {
    /// How its file is to be read.
    pub fn file(&self) -> FileConfig<'_> {
        let column = self.lead.as_ref().or(self.account.as_ref());
        let separator = self.separator.as_ref();
        self.file_where(
            column
                .zip(separator)
                .map(|(column, separator)| (column.as_str(), separator.as_str())),
        )
    }

    /// Fails where nothing, or two columns, say whose an event is.
    pub(super) fn check(&self, name: &str) -> Result<(), ConfigError> {
        if self.lead.is_some() == self.account.is_some() {
            return ConfigError::refuse(
                &format!("[activities.{name}] needs either `lead` or `account`"),
                "name the column with the lead of each event",
            );
        }
        if self.via.is_some() && self.account.is_some() {
            return ConfigError::refuse(
                &format!("[activities.{name}] has `via` and `account`"),
                "write `lead` for the column whose ids the association table has: each event is then one of every lead that it names",
            );
        }
        Ok(())
    }
}
