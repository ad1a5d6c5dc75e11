//! What is gathered while tables are read.

use std::collections::BTreeMap;

use leadscore_config::{Config, Doubt, Subject, shortened};
use leadscore_core::{Timestamp, agree, count, counted};
use leadscore_dataset::Matched;
use leadscore_dataset::Note;

use super::keying::key_column;
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
    say_unlinked(config, table, remarks);
    remarks.count(
        &table.name,
        table.n_merged(),
        "lead was merged into another one: its row is left out, and what it did counts for that one".to_owned(),
        "leads were merged into others: their rows are left out, and what they did counts for those".to_owned(),
    );
    remarks
        .notes
        .extend(table.notes.iter().map(|text| Note::new(&table.name, text)));
    // Of dates that are learned from, the beginning counts.
    let is_learned = |column: &String| table.file.columns_of_days().any(|own| own == column);
    for column in table.columns_of_days() {
        if is_learned(&column) {
            continue;
        }
        remarks.note(Note::new(
            &table.name,
            format!(
                "every time in `{column}` is a midnight: they are days, and count from their end"
            ),
        ));
    }
}

/// Says which rows have ids that their association table does not have; where most have none, that
/// is a doubt.
fn say_unlinked(config: &Config, table: &Table<'_>, remarks: &mut Remarks) {
    let Some((link, unlinked)) = table.unlinked() else {
        return;
    };
    let Some((row, id)) = &unlinked.first else {
        return;
    };
    let column = key_column(config, &table.name);
    let heading = &link.heading;
    let shown = shortened(id);
    if 2 * unlinked.n_unlinked > unlinked.n_rows {
        let n = counted(unlinked.n_unlinked, "row");
        let have = agree(unlinked.n_unlinked, "has", "have");
        let found = format!(
            "{n} of {} {have} an id that {heading} does not have as `from`, such as `{shown}`",
            count(unlinked.n_rows)
        );
        let doubt = Doubt::new(Subject::Keys, &table.name, found)
            .of_column(column)
            .at(Some(table.place(*row)));
        remarks.doubt(if link.has_lead(id) {
            doubt.advise(format!("{heading} has it as `lead`: swap its `from` and `lead`"))
        } else {
            doubt.advise("name the column whose ids the association table has, or export both tables again, on one day")
        });
        return;
    }
    let note = Note::counted(
        &table.name,
        unlinked.n_unlinked,
        format!(
            "row has a `{column}` that {heading} does not have, such as `{shown}`; it is of no lead"
        ),
        format!(
            "rows have a `{column}` that {heading} does not have, such as `{shown}`; they are of no lead"
        ),
    );
    let first = Some(table.place(*row));
    remarks
        .notes
        .extend(note.map(|note| Note { first, ..note }));
}
