//! What is gathered while tables are read.

use std::collections::BTreeMap;

use leadscore_config::{Config, TableId, quoted, shortened};
use leadscore_core::Timestamp;
use leadscore_dataset::Matched;
use leadscore_dataset::Note;

use super::keying::key_column;
use super::unlinked::{UnlinkedIds, unlinked_doubt};
use crate::bounds::Bounds;
use crate::data_profile::empty_parts;
use crate::ends::Reach;
use crate::remarks::Remarks;
use crate::result_words::is_called_deleted;
use crate::scan::{Dropped, Table};
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
    let dropped = table.dropped();
    remarks.count(
        &table.name,
        dropped.n_merged,
        "lead was merged into another one: its row is left out, and what it did counts for that one".to_owned(),
        "leads were merged into others: their rows are left out, and what they did counts for those".to_owned(),
    );
    say_deleted(table, dropped, remarks);
    say_what_is_called_deleted(config, table, remarks);
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

/// Says how many rows are left out because they, or their leads, were deleted.
fn say_deleted(table: &Table<'_>, dropped: Dropped, remarks: &mut Remarks) {
    if table.name == "[leads]" {
        let n_deleted = dropped.n_deleted + dropped.n_of_deleted;
        remarks.count(
            &table.name,
            n_deleted,
            "lead was deleted: nothing of it is looked at; if it was deleted because it was lost, wins look more frequent than they were",
            "leads were deleted: nothing of them is looked at; if they were deleted because they were lost, wins look more frequent than they were",
        );
        return;
    }
    let column = table.file.deleted.unwrap_or_default();
    remarks.count(
        &table.name,
        dropped.n_deleted,
        format!("row was deleted, as `{column}` says, and is left out"),
        format!("rows were deleted, as `{column}` says, and are left out"),
    );
    remarks.count(
        &table.name,
        dropped.n_of_deleted,
        "row is of a lead that was deleted and is left out",
        "rows are of leads that were deleted and are left out",
    );
}

/// Says of a column of attributes that is called as if it told which rows were deleted that nothing
/// is learned from it.
fn say_what_is_called_deleted(config: &Config, table: &Table<'_>, remarks: &mut Remarks) {
    let (chosen, exclude) = match TableId::named(&table.name) {
        Some(TableId::Leads) => (&config.leads.attributes, &config.leads.exclude),
        Some(TableId::Lookup(name)) => {
            let lookup = &config.lookups[&name];
            (&lookup.attributes, &lookup.exclude)
        }
        _ => return,
    };
    let is_idle = |column: &&String| {
        is_called_deleted(column)
            && table.file.deleted != Some(column.as_str())
            && !table.is_excluded(exclude, column)
    };
    if let (None, Some(column)) = (chosen, table.columns().iter().find(is_idle)) {
        remarks.note(Note::new(
            &table.name,
            format!(
                "`{column}` is not learned from: by its name it says which rows were deleted, and `deleted = {}` leaves these out",
                quoted(column)
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
    let ids = UnlinkedIds {
        n_rows: unlinked.n_rows,
        n_unlinked: unlinked.n_unlinked,
        example: id.clone(),
        is_swapped: link.has_lead(id),
    };
    if let Some(doubt) = unlinked_doubt(config, &table.name, heading, ids) {
        remarks.doubt(doubt.at(Some(table.place(*row))));
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
