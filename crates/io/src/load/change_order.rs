//! In which order changes came, where several are of one moment.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use leadscore_config::{Config, HistoryConfig};
use leadscore_config::{Doubt, Subject};
use leadscore_core::Timestamp;

use super::attributes::texts;
use super::history_kinds::{check_history, history_columns, is_wanted};
use crate::bounds::Bounds;
use crate::error::TablesError;
use crate::remarks::Remarks;
use crate::scan::{RawTable, Table};

/// A change of an attribute: the lead, from when it is known, its place among changes of that
/// moment, and the row that says so.
pub(super) type Change = (u32, Timestamp, f64, usize);

/// In which order the changes of one moment came.
pub(super) struct Ordering<'r> {
    pub(super) raw: &'r RawTable<'r>,
    pub(super) settings: &'r HistoryConfig,
    pub(super) cells: &'r [Option<String>],
    pub(super) old_cells: Option<&'r [Option<String>]>,
    pub(super) has_sequence: bool,
    /// Whether the order of rows is that of somebody's file.
    pub(super) is_ordered: bool,
}

impl Ordering<'_> {
    /// Puts changes in order: by lead and time, then by `sequence`, else by the old values where
    /// these make a chain, else by the order of the file, which may run backwards.
    pub(super) fn sort(&self, name: &str, rows: &mut [Change], remarks: &mut Remarks) {
        rows.sort_by(|a, b| {
            a.0.cmp(&b.0)
                .then(a.1.cmp(&b.1))
                .then(a.2.total_cmp(&b.2))
                .then_with(|| self.raw.row_in_table(a.3).cmp(&self.raw.row_in_table(b.3)))
        });
        let tied = |rows: &[Change]| -> Vec<std::ops::Range<usize>> {
            let mut runs = Vec::new();
            let mut begin = 0;
            for end in 1..=rows.len() {
                let is_same = end < rows.len()
                    && (rows[begin].0, rows[begin].1, rows[begin].2.to_bits())
                        == (rows[end].0, rows[end].1, rows[end].2.to_bits());
                if !is_same {
                    if end - begin > 1
                        && rows[begin..end]
                            .iter()
                            .any(|row| self.cells[row.3] != self.cells[rows[begin].3])
                    {
                        runs.push(begin..end);
                    }
                    begin = end;
                }
            }
            runs
        };
        let runs = tied(rows);
        if runs.is_empty() {
            return;
        }
        let direction = if self.has_sequence || !self.is_ordered {
            None
        } else {
            direction(rows, self.raw)
        };
        for run in runs {
            if let Some(chained) = self.chain(&rows[..run.start], &rows[run.clone()]) {
                rows[run].copy_from_slice(&chained);
                continue;
            }
            match direction {
                Some(Direction::Forwards) => {}
                Some(Direction::Backwards) => rows[run].reverse(),
                None => {
                    remarks.doubt(self.doubt(name, &rows[run]));
                    return;
                }
            }
        }
    }

    /// The changes in the one order in which each begins with what the one before it left.
    fn chain(&self, earlier: &[Change], rows: &[Change]) -> Option<Vec<Change>> {
        let old_cells = self.old_cells?;
        let mut left: Vec<Change> = rows.to_vec();
        let before = earlier
            .last()
            .filter(|last| last.0 == rows[0].0)
            .map(|last| &self.cells[last.3]);
        // It begins with what held before, or with the only old value that no change leaves.
        let begins = |row: &Change| match before {
            Some(value) => old_cells[row.3] == *value,
            None => rows
                .iter()
                .all(|other| self.cells[other.3] != old_cells[row.3]),
        };
        let first = left.iter().position(begins)?;
        let mut chained = vec![left.remove(first)];
        while !left.is_empty() {
            let value = &self.cells[chained.last()?.3];
            let mut next = left
                .iter()
                .enumerate()
                .filter(|(_, row)| old_cells[row.3] == *value);
            let (at, _) = next.next()?;
            if next.any(|(_, row)| self.cells[row.3] != self.cells[left[at].3]) {
                return None;
            }
            chained.push(left.remove(at));
        }
        Some(chained)
    }

    fn doubt(&self, name: &str, rows: &[Change]) -> Doubt {
        let value = |row: &Change| self.cells[row.3].as_deref().unwrap_or("nothing").to_owned();
        let found = format!(
            "`{name}` changes to `{}` and to `{}` ({}) at one moment, {}, and it is not known which came last",
            value(&rows[0]),
            value(&rows[1]),
            self.raw.place(rows[1].3),
            rows[0].1
        );
        let why = if self.has_sequence {
            "their `sequence` is the same to fifteen digits"
        } else {
            "the rows are not in order of time, or come from several files"
        };
        let doubt = Doubt::new(Subject::Changes, "[history]", format!("{found}: {why}"))
            .of_column(&self.settings.changed_at)
            .at(Some(self.raw.place(rows[0].3)));
        doubt.settled_by(
            "sequence = \"…\"",
            "the column whose numbers put changes of one moment in order",
        )
    }
}

/// How the rows of a file run through time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forwards,
    Backwards,
}

/// Which way the file runs, by changes of one lead at different moments; `None` where it runs both
/// ways.
fn direction(rows: &[Change], raw: &RawTable<'_>) -> Option<Direction> {
    let (mut forwards, mut backwards) = (0_usize, 0_usize);
    for pair in rows
        .windows(2)
        .filter(|pair| pair[0].0 == pair[1].0 && pair[0].1 < pair[1].1)
    {
        if raw.row_in_table(pair[0].3) < raw.row_in_table(pair[1].3) {
            forwards += 1;
        } else {
            backwards += 1;
        }
    }
    match (forwards, backwards) {
        (_, 0) => Some(Direction::Forwards),
        (0, _) => Some(Direction::Backwards),
        _ => None,
    }
}

/// The first two changes at one moment that nothing puts in order, where the rows have no order of
/// their own, as in a database.
///
/// # Errors
///
/// As [`crate::load`], for the history.
pub fn unordered_changes(
    config: &Config,
    folder: &std::path::Path,
) -> Result<Option<Doubt>, TablesError> {
    let Some(settings) = &config.history else {
        return Ok(None);
    };
    let table = Table::open(
        "[history]",
        folder,
        settings.file(),
        Bounds::new(config, None),
    )?;
    check_history(config, &table)?;
    let raw = table.read(&history_columns(settings))?;
    let (owners, names, cells) = (
        texts(&raw, &settings.lead)?,
        texts(&raw, &settings.attribute)?,
        texts(&raw, &settings.value)?,
    );
    let times = raw.times(&settings.changed_at)?;
    let sequence = settings
        .sequence
        .as_ref()
        .map(|column| raw.numbers(column))
        .transpose()?;
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut changes: BTreeMap<&str, Vec<Change>> = BTreeMap::new();
    for row in 0..raw.n_rows {
        if let (Some(owner), Some(name), Some(time)) =
            (owners[row].as_deref(), names[row].as_deref(), times[row])
        {
            let next = numbers.len() as u32;
            let owner = *numbers.entry(owner).or_insert(next);
            changes.entry(name).or_default().push((
                owner,
                time.known,
                sequence.as_ref().map_or(0.0, |sequence| sequence[row]),
                row,
            ));
        }
    }
    let ordering = Ordering {
        raw: &raw,
        settings,
        cells: &cells,
        old_cells: None,
        has_sequence: sequence.is_some(),
        is_ordered: false,
    };
    let mut remarks = Remarks::default();
    for (name, mut rows) in changes
        .into_iter()
        .filter(|(name, _)| is_wanted(config, name))
    {
        ordering.sort(name, &mut rows, &mut remarks);
    }
    Ok(remarks.doubts.into_iter().next())
}
