//! The ids of a table that its association table lacks.

use leadscore_config::{Config, Doubt, Subject, shortened};
use leadscore_core::{agree, count, counted};

use super::keying::key_column;

/// How many ids of a table its association table lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlinkedIds {
    /// Rows that have an id.
    pub n_rows: usize,
    /// Those whose id the association table lacks.
    pub n_unlinked: usize,
    /// One of these ids.
    pub example: String,
    /// Whether the association table has such an id as a lead.
    pub is_swapped: bool,
}

/// The doubt about a table most of whose ids its association table (`link`, as the config's heading
/// has it) lacks.
pub fn unlinked_doubt(config: &Config, table: &str, link: &str, ids: UnlinkedIds) -> Option<Doubt> {
    if 2 * ids.n_unlinked <= ids.n_rows {
        return None;
    }
    let found = format!(
        "{} of {} {} an id that {link} does not have as `from`, such as `{}`",
        counted(ids.n_unlinked, "row"),
        count(ids.n_rows),
        agree(ids.n_unlinked, "has", "have"),
        shortened(&ids.example)
    );
    let doubt = Doubt::new(Subject::Keys, table, found).of_column(key_column(config, table));
    Some(if ids.is_swapped {
        doubt.advise(format!(
            "{link} has it as `lead`: swap its `from` and `lead`"
        ))
    } else {
        doubt.advise("name the column whose ids the association table has, or export both tables again, on one day")
    })
}
