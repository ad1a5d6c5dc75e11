//! What was told of the columns of a table as a whole: batches and parts follow it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use hashbrown::HashMap;
use leadscore_values::{NumberFormat, TimeFormat};

use crate::extremes::Extremes;

/// What was told of columns as a whole.
#[derive(Default)]
pub(super) struct Written {
    times: Mutex<HashMap<String, TimeFormat>>,
    /// Whether every time of a column is a midnight, so that it holds days.
    days: Mutex<HashMap<String, bool>>,
    numbers: Mutex<HashMap<String, NumberFormat>>,
    extremes: Mutex<BTreeMap<String, Extremes>>,
    /// Missing cells of columns that were read as a whole.
    missing: Mutex<BTreeMap<String, usize>>,
    /// How often each value of a column of results stands there.
    levels: Mutex<BTreeMap<String, BTreeMap<String, u64>>>,
    /// Whether a column that was read has any cell with a value.
    filled: Mutex<BTreeMap<String, bool>>,
    unlinked: Mutex<Unlinked>,
    /// By the batch (its part and offset) or, of a table that was read as a whole, by none: a batch
    /// may be read more than once.
    dropped: Mutex<BTreeMap<Option<(usize, usize)>, Dropped>>,
}

/// Rows that are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// Their lead was merged into another one.
    pub(crate) n_merged: usize,
    /// They say of themselves that they were deleted.
    pub(crate) n_deleted: usize,
    /// Their lead was deleted.
    pub(crate) n_of_deleted: usize,
}

impl Dropped {
    /// All of them.
    pub(crate) fn n_rows(self) -> usize {
        self.n_merged + self.n_deleted + self.n_of_deleted
    }
}

/// Rows whose id an association table does not have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unlinked {
    /// Rows with an id.
    pub(crate) n_rows: usize,
    /// Those whose id is not there.
    pub(crate) n_unlinked: usize,
    /// The first of them, with its id.
    pub(crate) first: Option<(usize, String)>,
}

impl Written {
    /// How the times of a column are written.
    pub(super) fn time_format(&self, column: &str) -> Option<TimeFormat> {
        self.times.lock().ok()?.get(column).cloned()
    }

    /// Every further time of the column follows it.
    pub(super) fn keep_time_format(&self, column: &str, format: TimeFormat) {
        if let Ok(mut known) = self.times.lock() {
            known.insert(column.to_owned(), format);
        }
    }

    /// Whether a column holds days.
    pub(super) fn holds_days(&self, column: &str) -> Option<bool> {
        self.days.lock().ok()?.get(column).copied()
    }

    /// Every further part of the column follows it.
    pub(super) fn keep_days(&self, column: &str, holds_days: bool) {
        if let Ok(mut known) = self.days.lock() {
            known.insert(column.to_owned(), holds_days);
        }
    }

    /// The columns of instants that hold days, by name.
    pub(super) fn columns_of_days(&self) -> Vec<String> {
        let known = self.days.lock();
        let mut columns: Vec<String> = known
            .iter()
            .flat_map(|known| known.iter())
            .filter(|(_, days)| **days)
            .map(|(column, _)| column.clone())
            .collect();
        columns.sort_unstable();
        columns
    }

    /// How the numbers of a column are written.
    pub(super) fn number_format(&self, column: &str) -> Option<NumberFormat> {
        self.numbers.lock().ok()?.get(column).copied()
    }

    /// Every further number of the column follows it.
    pub(super) fn keep_number_format(&self, column: &str, format: NumberFormat) {
        if let Ok(mut known) = self.numbers.lock() {
            known.insert(column.to_owned(), format);
        }
    }

    /// The outermost numbers of each column that was read as numbers.
    pub(super) fn extremes(&self) -> BTreeMap<String, Extremes> {
        let known = self.extremes.lock();
        known.map(|known| known.clone()).unwrap_or_default()
    }

    /// Adds those of more rows.
    pub(super) fn add_extremes(&self, column: &str, extremes: Extremes) {
        if let Ok(mut known) = self.extremes.lock() {
            known.entry(column.to_owned()).or_default().merge(extremes);
        }
    }

    /// Missing cells by column.
    pub(super) fn missing(&self) -> BTreeMap<String, usize> {
        let known = self.missing.lock();
        known.map(|known| known.clone()).unwrap_or_default()
    }

    /// Of a column that was read as a whole.
    pub(super) fn keep_missing(&self, column: &str, n_missing: usize) {
        if let Ok(mut known) = self.missing.lock() {
            known.insert(column.to_owned(), n_missing);
        }
    }

    /// How often each value stands there, by column.
    pub(super) fn levels(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        let known = self.levels.lock();
        known.map(|known| known.clone()).unwrap_or_default()
    }

    /// Of a column of results that was read as a whole.
    pub(super) fn keep_levels(&self, column: &str, levels: BTreeMap<String, u64>) {
        if let Ok(mut known) = self.levels.lock() {
            known.insert(column.to_owned(), levels);
        }
    }

    /// Rows whose id an association table does not have.
    pub(super) fn unlinked(&self) -> Unlinked {
        let known = self.unlinked.lock();
        known.map(|known| known.clone()).unwrap_or_default()
    }

    /// Rows that were left out.
    pub(super) fn dropped(&self) -> Dropped {
        let known = self.dropped.lock();
        let known = known.map(|known| known.clone()).unwrap_or_default();
        if let Some(whole) = known.get(&None) {
            return *whole;
        }
        let add = |sum: Dropped, more: &Dropped| Dropped {
            n_merged: sum.n_merged + more.n_merged,
            n_deleted: sum.n_deleted + more.n_deleted,
            n_of_deleted: sum.n_of_deleted + more.n_of_deleted,
        };
        known.values().fold(Dropped::default(), add)
    }

    /// Of a table that was read as a whole, or of one batch.
    pub(super) fn keep_dropped(&self, batch: Option<(usize, usize)>, dropped: Dropped) {
        if let Ok(mut known) = self.dropped.lock() {
            known.insert(batch, dropped);
        }
    }

    /// Adds those of more rows.
    pub(super) fn add_unlinked(&self, more: Unlinked) {
        if let Ok(mut known) = self.unlinked.lock() {
            known.n_rows += more.n_rows;
            known.n_unlinked += more.n_unlinked;
            known.first = known.first.take().into_iter().chain(more.first).min();
        }
    }

    /// Columns that were read and have no value in any row.
    pub(super) fn empty_columns(&self) -> Vec<String> {
        let known = self.filled.lock().map(|known| known.clone());
        known
            .unwrap_or_default()
            .into_iter()
            .filter(|(_, is_filled)| !is_filled)
            .map(|(column, _)| column)
            .collect()
    }

    /// Of some rows; one with a value is enough.
    pub(super) fn keep_filled(&self, column: &str, is_filled: bool) {
        if let Ok(mut known) = self.filled.lock() {
            *known.entry(column.to_owned()).or_default() |= is_filled;
        }
    }
}
