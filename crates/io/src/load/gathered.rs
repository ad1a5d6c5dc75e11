//! What is gathered while tables are read.

use std::collections::BTreeMap;

use leadscore_config::Config;
use leadscore_core::Timestamp;
use leadscore_dataset::Matched;
use leadscore_dataset::Note;

use crate::bounds::Bounds;
use crate::data_profile::empty_parts;
use crate::ends::Reach;
use crate::remarks::Remarks;
use crate::scan::Table;
use crate::sentinels;

/// What is gathered while tables are read.
pub(crate) struct Gathered {
    pub(crate) remarks: Remarks,
    /// Times of all tables.
    pub(crate) reach: Reach,
    /// How many rows of each table match.
    pub(crate) matched: BTreeMap<String, Matched>,
    pub(crate) bounds: Bounds,
}

impl Gathered {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            remarks: Remarks::default(),
            reach: Reach::default(),
            matched: BTreeMap::new(),
            bounds,
        }
    }

    pub(super) fn count_times(
        &mut self,
        table: &str,
        column: &str,
        times: impl Iterator<Item = Option<Timestamp>>,
    ) {
        self.reach
            .add(table, column, self.bounds.window.earliest, times);
    }
}

/// Says how the files of a table were read, and what of it as a whole is a doubt; those of a part
/// were said with the whole.
pub(crate) fn add_table_notes(
    config: &Config,
    table: &Table<'_>,
    n_rows: usize,
    remarks: &mut Remarks,
) {
    if table.is_spilled() {
        return;
    }
    remarks.seen.insert(table.name.clone(), table.seen(n_rows));
    empty_parts(config, table)
        .into_iter()
        .for_each(|doubt| remarks.doubt(doubt));
    sentinels::doubts(table)
        .into_iter()
        .for_each(|doubt| remarks.doubt(doubt));
    remarks
        .notes
        .extend(table.notes.iter().map(|text| Note::new(&table.name, text)));
    for column in table.columns_of_days() {
        remarks.note(Note::new(
            &table.name,
            format!(
                "every time in `{column}` is a midnight: they are days, and count from their end"
            ),
        ));
    }
}
