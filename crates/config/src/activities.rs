//! `[activities]`: tables of events.

use super::table::{EVENT_KIND, EVENT_TIME, FileConfig, table_config};
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
        /// Column with the time at which it happened; needed, unless `columns` are given.
        #[serde(default)]
        at: String,
        /// Columns of times, such as "Became a Lead Date": each time is an event of that kind. The
        /// table is that of the leads, unless `path` names another one.
        #[serde(default)]
        columns: Vec<String>,
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
        let file = self.file_where(
            column
                .zip(separator)
                .map(|(column, separator)| (column.as_str(), separator.as_str())),
        );
        FileConfig {
            events: self.events(),
            ..file
        }
    }

    /// The column with the lead, and the columns whose times are events, where these are columns.
    pub(super) fn events(&self) -> Option<(&str, &[String])> {
        let lead = self.lead.as_deref()?;
        (!self.columns.is_empty()).then_some((lead, self.columns.as_slice()))
    }

    /// Gives the columns of times their parts, before anything is checked.
    pub(super) fn resolve(&mut self, id: &str) {
        if self.columns.is_empty() {
            return;
        }
        self.lead.get_or_insert_with(|| id.to_owned());
        // What contradicts them is kept, to be refused.
        if self.at.is_empty() && self.kind.is_empty() {
            self.at = EVENT_TIME.to_owned();
            self.kind = vec![EVENT_KIND.to_owned()];
        }
    }

    /// Fails where columns of times stand beside what other tables have, or there is no time.
    fn check_columns(&self, name: &str) -> Result<(), ConfigError> {
        let table = format!("[activities.{name}]");
        if self.columns.is_empty() {
            if self.at.is_empty() {
                return ConfigError::refuse(
                    &format!("{table} has no `at`"),
                    "name the column with the time of each event, or `columns` whose times are events",
                );
            }
            return Ok(());
        }
        let is_plain = self.at == EVENT_TIME && self.kind == [EVENT_KIND];
        let beside = [
            ("`at` or `kind`", !is_plain),
            ("`values`", !self.values.is_empty()),
            ("`recorded_at`", self.recorded_at.is_some()),
            ("`account`", self.account.is_some()),
            ("`separator`", self.separator.is_some()),
            ("`via`", self.via.is_some()),
        ];
        if let Some((key, _)) = beside.into_iter().find(|(_, is_there)| *is_there) {
            return ConfigError::refuse(
                &format!("{table} has both `columns` and {key}"),
                "each time in one of the `columns` is an event of that kind, of the lead in its row: remove the other key",
            );
        }
        let mut sorted: Vec<&String> = self.columns.iter().collect();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return ConfigError::refuse(
                &format!("{table} names `{}` twice in `columns`", pair[0]),
                "name each column once",
            );
        }
        Ok(())
    }

    /// Fails where nothing, or two columns, say whose an event is.
    pub(super) fn check(&self, name: &str) -> Result<(), ConfigError> {
        self.check_columns(name)?;
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
