//! `[outcomes]`: which leads were won or lost, and when.

use leadscore_core::Span;

use super::scalar::Scalar;
use super::table::{FileConfig, table_config};
use super::text::ConfigError;

table_config! {
    /// `[outcomes]`: which leads were won or lost, and when.
    OutcomesConfig {
        /// Column with the lead of an outcome.
        #[serde(default)]
        lead: Option<String>,
        /// What separates several ids in a cell of `lead`, such as ";": the outcome is one of
        /// each.
        #[serde(default)]
        separator: Option<String>,
        /// The association table ([links.NAME]) through which the ids of `lead` reach their leads: the
        /// outcome is one of each.
        #[serde(default)]
        via: Option<String>,
        /// Column with the time at which it closed.
        #[serde(default)]
        closed_at: Option<String>,
        /// Column with the time at which the outcome was entered: it is known from then on, and
        /// windows wait for late entries.
        #[serde(default)]
        recorded_at: Option<String>,
        /// Whether each row is a change of how its lead stands: a lead with an open row after it
        /// closed is then at risk again from that time on. In a table of deals, where the time of
        /// an open row is a planned one, false.
        #[serde(default)]
        log: Option<bool>,
        /// In a log, how soon a closing may be replaced by another row to count as a mistake, such
        /// as "1d".
        #[serde(default)]
        #[schemars(with = "Option<String>")]
        corrections: Option<Span>,
        /// Column with the result; without it every row is a win.
        #[serde(default)]
        result: Option<String>,
        /// Yes, every row is a win, although a column looks like a result.
        #[serde(default)]
        all_won: bool,
        /// Flat exports: the column of the leads that says whether a lead was won, in place of
        /// `path`.
        #[serde(default)]
        flag: Option<String>,
        /// Values that mean won.
        #[serde(default)]
        won: Vec<Scalar>,
        /// Values that mean lost. In undated data without `lost` and `open`, leads that are not
        /// won are scored as if they were open.
        #[serde(default)]
        lost: Vec<Scalar>,
        /// Values that mean neither yet.
        #[serde(default)]
        open: Vec<Scalar>,
        /// Column with the amount of a deal, for the report's revenue; no feature sees it.
        #[serde(default)]
        amount: Option<String>,
    }
}

impl OutcomesConfig {
    /// How its file is to be read.
    pub fn file(&self) -> FileConfig<'_> {
        let column = self.lead.as_deref();
        self.file_where(column.zip(self.separator.as_deref()))
    }
}

impl OutcomesConfig {
    /// Whether the config says by name which values of `flag` mean lost, or which mean open: a
    /// value that means neither won nor open is then one of leads that have closed.
    pub fn tells_open_from_lost(&self) -> bool {
        !self.lost.is_empty() || !self.open.is_empty()
    }

    /// Whether the config says anything of outcomes.
    pub(super) fn are_there(&self) -> bool {
        let is_placed = self.flag.is_some() || !self.path.is_nowhere() || self.query.is_some();
        is_placed
            || [
                &self.lead,
                &self.closed_at,
                &self.recorded_at,
                &self.result,
                &self.amount,
            ]
            .into_iter()
            .any(Option::is_some)
    }

    /// Fails where the flag of a flat export stands beside what tables with dates have, or nothing
    /// says which values mean won.
    pub(super) fn check_flag(&self) -> Result<(), ConfigError> {
        if !self.path.is_nowhere() || self.query.is_some() || self.closed_at.is_some() {
            return ConfigError::refuse(
                "[outcomes] has both `flag` and `path` or `closed_at`",
                "keep `flag` for undated data, or the others for outcomes with dates",
            );
        }
        if self.won.is_empty() {
            return ConfigError::refuse(
                "[outcomes] has a `flag` but no `won`",
                "name the values that mean won, such as won = [\"1\"]",
            );
        }
        Ok(())
    }

    /// Fails where outcomes with dates do not say whose they are, when they closed, and which were
    /// won.
    pub(super) fn check_columns(&self) -> Result<(), ConfigError> {
        if self.are_there() && (self.lead.is_none() || self.closed_at.is_none()) {
            return ConfigError::refuse(
                "[outcomes] needs `lead` and `closed_at`",
                "or a `flag`, if the leads say themselves which were won",
            );
        }
        Ok(())
    }

    /// Whether each row is a change of how its lead stands.
    pub fn is_log(&self) -> bool {
        self.log == Some(true)
    }

    /// Fails where `result` and the values that mean won, lost or open are not all there.
    pub(super) fn check_result(&self) -> Result<(), ConfigError> {
        if self.is_log() && (self.result.is_none() || self.open.is_empty()) {
            return ConfigError::refuse(
                "[outcomes] is a `log` and has no values that mean `open`",
                "name the column with the stage as `result`, and the stages of leads at risk in `open`",
            );
        }
        if self.corrections.is_some() && !self.is_log() {
            return ConfigError::refuse(
                "[outcomes] has `corrections` and is no `log`",
                "corrections are of logs, whose rows replace each other: set `log = true`, or take the key out",
            );
        }
        if self.result.is_some() && self.won.is_empty() {
            return ConfigError::refuse(
                "[outcomes] has a `result` but no `won`",
                "name the values that mean won, such as won = [\"closed_won\"]",
            );
        }
        if self.result.is_none()
            && !(self.won.is_empty() && self.lost.is_empty() && self.open.is_empty())
        {
            return ConfigError::refuse(
                "[outcomes] has `won`, `lost` or `open` but no `result`",
                "name the column with the result, or remove them: without `result` every row is a win",
            );
        }
        Ok(())
    }

    /// Fails where a value means two things.
    pub(super) fn check_values(&self) -> Result<(), ConfigError> {
        if self.all_won && self.result.is_some() {
            return ConfigError::refuse(
                "[outcomes] has `all_won` and a `result`",
                "keep the one that is right",
            );
        }
        let lists = [
            ("won", &self.won),
            ("lost", &self.lost),
            ("open", &self.open),
        ];
        for (position, (name, values)) in lists.iter().enumerate() {
            for (other, known) in &lists[..position] {
                if let Some(twice) = values
                    .iter()
                    .find(|value| known.iter().any(|known| known.is(&value.text())))
                {
                    return ConfigError::refuse(
                        &format!(
                            "[outcomes] has `{}` in `{other}` and in `{name}`",
                            twice.text()
                        ),
                        "keep the one that is right",
                    );
                }
            }
        }
        Ok(())
    }
}
