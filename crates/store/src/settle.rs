//! Moves recent events from the log into the tables by lead, in sorted batches and in slices of a
//! few milliseconds. Reads take rows up to `settled_seq` from the tables and later ones from memory,
//! so a batch that is half moved is seen once.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::error::StoreError;
use crate::recent::Row;
use crate::shared::Shared;

/// Events in a batch. The larger it is, the fewer pages are written for each event.
const MAX_BATCH: usize = 524_288;
/// Rows that leave memory under one lock.
const DRAIN: u64 = 4_096;
/// Rows of a slice, at least and at most.
const ROWS: std::ops::RangeInclusive<usize> = 16..=16_384;

/// Moves recent events into the tables by lead.
pub(crate) struct Settler {
    state: State,
    /// Rows that fit into a slice, as measured.
    n_rows: usize,
}

/// Where a batch is.
enum State {
    /// There is none.
    Idle,
    /// It is being sorted on another thread.
    Sorting(JoinHandle<Batch>),
    /// Its rows are being written.
    Writing(Batch),
    /// Its rows are read from the tables, up to this number, and leave memory.
    Draining(u64),
    /// They are removed from the log.
    Trimming(u64),
}

/// Events that move together.
struct Batch {
    upto: u64,
    by_key: Vec<Arc<Row>>,
    by_id: Vec<Arc<Row>>,
    n_rows_done: usize,
    n_ids_done: usize,
}

impl Settler {
    pub(crate) fn new(n_left_in_log: bool, settled_seq: u64) -> Self {
        Self {
            state: if n_left_in_log {
                State::Trimming(settled_seq)
            } else {
                State::Idle
            },
            n_rows: 256,
        }
    }

    /// Whether a batch is under way.
    pub(crate) fn is_busy(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// Gives up a batch whose rows are not read yet. They are moved again with the next one.
    pub(crate) fn cancel(&mut self) {
        if matches!(self.state, State::Sorting(_) | State::Writing(_)) {
            self.state = State::Idle;
        }
    }

    /// Whether rows are in the tables and in memory.
    pub(crate) fn is_draining(&self) -> bool {
        matches!(self.state, State::Draining(_))
    }

    /// Does about as much as fits into `slice`.
    pub(crate) fn step(
        &mut self,
        connection: &mut Connection,
        shared: &Shared,
        slice: Duration,
    ) -> Result<(), StoreError> {
        let state = std::mem::replace(&mut self.state, State::Idle);
        self.state = match state {
            State::Idle => start(shared)?,
            State::Sorting(thread) if thread.is_finished() => match thread.join() {
                Ok(batch) => State::Writing(batch),
                // It is sorted again.
                Err(_) => State::Idle,
            },
            State::Sorting(thread) => {
                std::thread::sleep(Duration::from_micros(200));
                State::Sorting(thread)
            }
            State::Writing(batch) => self.write(connection, shared, batch, slice)?,
            State::Draining(upto) => {
                let mut visible = shared.visible();
                let next = upto.min(visible.settled_seq + DRAIN);
                let before = visible.recent.len();
                visible.recent.settle(next);
                visible.n_settled += (before - visible.recent.len()) as u64;
                visible.settled_seq = next;
                if next < upto {
                    State::Draining(upto)
                } else {
                    State::Trimming(upto)
                }
            }
            State::Trimming(upto) => match trim(connection, upto, self.n_rows) {
                Ok(true) => State::Idle,
                Ok(false) => State::Trimming(upto),
                Err(error) => {
                    self.state = State::Trimming(upto);
                    return Err(StoreError::of_sqlite(&shared.path, error));
                }
            },
        };
        Ok(())
    }

    /// Writes a slice of a batch, and after the last one says that it is settled.
    fn write(
        &mut self,
        connection: &mut Connection,
        shared: &Shared,
        mut batch: Batch,
        slice: Duration,
    ) -> Result<State, StoreError> {
        let begin = Instant::now();
        let done = batch.write(connection, self.n_rows, shared);
        match done {
            Ok(n) => {
                let seconds = begin.elapsed().as_secs_f64().max(1e-6);
                // Halfway to what would have fit: one slow fsync does not decide.
                let fits = n as f64 * slice.as_secs_f64() / seconds;
                self.n_rows = ((self.n_rows + fits as usize) / 2).clamp(*ROWS.start(), *ROWS.end());
                Ok(if batch.is_written() {
                    State::Draining(batch.upto)
                } else {
                    State::Writing(batch)
                })
            }
            Err(error) => {
                self.state = State::Writing(batch);
                Err(StoreError::of_sqlite(&shared.path, error))
            }
        }
    }
}

/// Takes what is recent, and lets another thread sort it.
fn start(shared: &Shared) -> Result<State, StoreError> {
    let rows: Vec<Arc<Row>> = shared
        .visible()
        .recent
        .all()
        .take(MAX_BATCH)
        .cloned()
        .collect();
    let Some(last) = rows.last() else {
        return Ok(State::Idle);
    };
    let upto = last.seq;
    std::thread::Builder::new()
        .name("store-sort".to_owned())
        .spawn(move || {
            let mut by_id = rows.clone();
            by_id.sort_unstable_by_key(|row| row.id_hash);
            let mut by_key = rows;
            by_key.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
            Batch {
                upto,
                by_key,
                by_id,
                n_rows_done: 0,
                n_ids_done: 0,
            }
        })
        .map(State::Sorting)
        .map_err(|error| StoreError::of_io(&shared.path, error))
}

impl Batch {
    fn is_written(&self) -> bool {
        self.n_rows_done == self.by_key.len() && self.n_ids_done == self.by_id.len()
    }

    /// Writes about `n` rows in one transaction; how many they were.
    fn write(
        &mut self,
        connection: &mut Connection,
        n: usize,
        shared: &Shared,
    ) -> rusqlite::Result<usize> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let rows = &self.by_key[self.n_rows_done..];
        let rows = &rows[..n.min(rows.len())];
        let ids = &self.by_id[self.n_ids_done..];
        let ids = &ids[..(n - rows.len()).min(ids.len())];
        write_rows(&transaction, rows)?;
        write_ids(&transaction, ids)?;
        let (n_rows, n_ids) = (rows.len(), ids.len());
        let is_last = self.n_rows_done + n_rows == self.by_key.len()
            && self.n_ids_done + n_ids == self.by_id.len();
        if is_last {
            let (n_settled, last_recorded) = {
                let visible = shared.visible();
                (visible.n_settled, visible.moments.last_recorded())
            };
            transaction.execute(
                "UPDATE state SET settled_seq = ?1, last_seq = max(last_seq, ?1), n_settled = ?2, last_recorded = ?3",
                (
                    self.upto.cast_signed(),
                    (n_settled + self.by_key.len() as u64).cast_signed(),
                    last_recorded,
                ),
            )?;
        }
        transaction.commit()?;
        self.n_rows_done += n_rows;
        self.n_ids_done += n_ids;
        Ok(n_rows + n_ids)
    }
}

fn write_rows(transaction: &Transaction<'_>, rows: &[Arc<Row>]) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT OR REPLACE INTO settled (table_id, entity, at, seq, id, recorded, row) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for row in rows {
        statement.execute((
            row.table,
            &*row.entity,
            row.at,
            row.seq.cast_signed(),
            &*row.id,
            row.recorded,
            &*row.row,
        ))?;
    }
    Ok(())
}

fn write_ids(transaction: &Transaction<'_>, rows: &[Arc<Row>]) -> rusqlite::Result<()> {
    let mut statement =
        transaction.prepare_cached("INSERT OR REPLACE INTO ids (id, content) VALUES (?1, ?2)")?;
    for row in rows {
        statement.execute((row.id_hash.as_slice(), row.content))?;
    }
    Ok(())
}

/// Removes at most about `n` settled rows from the log; true when there are none left.
fn trim(connection: &mut Connection, upto: u64, n: usize) -> rusqlite::Result<bool> {
    let upto = upto.cast_signed();
    let first: Option<i64> = connection
        .prepare_cached("SELECT min(seq) FROM log")?
        .query_row([], |row| row.get(0))?;
    let Some(first) = first.filter(|first| *first <= upto) else {
        return Ok(true);
    };
    let last = upto.min(first.saturating_add_unsigned(n as u64));
    connection
        .prepare_cached("DELETE FROM log WHERE seq <= ?1")?
        .execute([last])?;
    Ok(last == upto)
}
