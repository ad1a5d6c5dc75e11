//! `[leads]`: the table with one row a lead.

use super::location::OneOrMany;
use super::table::{FileConfig, table_config};

table_config! {
    /// `[leads]`: the table with one row a lead.
    LeadsConfig {
        /// Column that identifies a lead.
        id: String,
        /// Column with the time of creation; leave out for undated data.
        #[serde(default)]
        created_at: Option<String>,
        /// Column with the time since when the row is there, where leads are entered later than they
        /// are created: before it nobody could know the lead.
        #[serde(default)]
        recorded_at: Option<String>,
        /// Columns to learn from; default: every column not named elsewhere in this table.
        #[serde(default)]
        attributes: Option<Vec<String>>,
        /// Columns never to learn from; the name of an object stands for all of its fields.
        #[serde(default)]
        exclude: Vec<String>,
        /// Today's points, to compare with; several columns are summed.
        #[serde(default)]
        manual_score: Option<OneOrMany>,
        /// Column with the account of a lead, for features of the account's other leads.
        #[serde(default)]
        account: Option<String>,
    }
}

impl LeadsConfig {
    /// How its file is to be read.
    pub fn file(&self) -> FileConfig<'_> {
        self.file_where(None)
    }
}
