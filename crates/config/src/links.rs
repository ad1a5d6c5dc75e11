//! `[links]`: tables of which id belongs to which, many to many.

use super::table::{FileConfig, table_config};

/// What a cell says that is true, in small letters, in the languages that CRMs speak most.
pub const YES: &[&str] = &[
    "true",
    "t",
    "yes",
    "y",
    "1",
    "1.0",
    "ja",
    "oui",
    "si",
    "sí",
    "sì",
    "sim",
    "tak",
    "да",
    "はい",
    "是",
    "wahr",
    "vrai",
    "verdadero",
    "vero",
    "waar",
    "prawda",
];

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

impl LinkConfig {
    /// What a cell of `primary` begins with, in small letters, where it says so by name.
    pub const PRIMARY: &'static str = "primary";
}
