//! `[links]`: tables of which id belongs to which, many to many.

use super::table::{FileConfig, table_config};

table_config! {
    /// `[links.NAME]`: an association table, such as which contacts belong to which deal.
    LinkConfig {
        /// Column with the id that other tables have, such as the deal; they name the table as
        /// `via`.
        from: String,
        /// Column with the lead that it belongs to; an id may have several, and a lead too.
        lead: String,
        /// Column that says which links are the primary ones; the others are then left out.
        #[serde(default)]
        primary: Option<String>,
        /// Column with the time from which a link holds: what belongs to a lead by it is known of
        /// the lead from then on.
        #[serde(default)]
        linked_at: Option<String>,
        /// Whether the tables that name it have ids of leads as well: an id that `from` does not
        /// have is then one of a lead.
        #[serde(default)]
        own_ids: bool,
    }
}

impl LinkConfig {
    /// How its file is to be read.
    pub fn file(&self) -> FileConfig<'_> {
        self.file_where(None)
    }
}
