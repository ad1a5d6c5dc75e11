//! A file that keeps events: durable in its log first, and moved into the tables by lead when there
//! is time.

mod pool;
mod reads;
mod state;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension};

use crate::checkpoint::Checkpointer;
use crate::error::StoreError;
use crate::forget;
use crate::keeper::{Keep, Removed};
use crate::options::{Clock, StoreOptions};
use crate::recent::{IdHash, Row};
use crate::schema;
use crate::settle::Settler;
use crate::shared::Shared;

pub(crate) use self::pool::Pool;

/// A queue that was empty for so long is idle, and a slice of settling fits in.
const SLICE: Duration = Duration::from_millis(3);
const MAX_RELIEF: Duration = Duration::from_millis(200);
/// After a failure to settle, such as on a full disk, it is tried again after this time.
const PAUSE: Duration = Duration::from_secs(1);

/// As many recent events are read in about 100 ms at the next start. More are settled at the end,
/// for a while.
const FEW: usize = 65_536;
const LAST_CHANCE: Duration = Duration::from_secs(10);

/// What a store has in memory when its file is opened.
pub(crate) fn load(
    path: &Path,
    clock: Clock,
    connection: &mut Connection,
) -> Result<Shared, StoreError> {
    let read =
        state::read_visible(connection).map_err(|error| StoreError::of_sqlite(path, error))?;
    let reads = Box::new(reads::FileReads(Pool::new(path.to_path_buf())));
    Ok(Shared::new(path.to_path_buf(), clock, reads, read))
}

/// The side that writes.
pub(crate) struct FileKeeper {
    shared: Arc<Shared>,
    connection: Connection,
    checkpointer: Checkpointer,
    settler: Settler,
    settle_after: Instant,
    max_recent: usize,
    settle_from: usize,
}

impl FileKeeper {
    pub(crate) fn new(
        mut connection: Connection,
        shared: Arc<Shared>,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        if let Some(max_bytes) = options.max_bytes {
            schema::limit_size(&connection, max_bytes)
                .map_err(|error| StoreError::of_sqlite(&shared.path, error))?;
        }
        let settled_seq = shared.visible().settled_seq;
        Ok(Self {
            checkpointer: Checkpointer::start(&shared.path, &mut connection)?,
            settler: Settler::new(
                has_settled_log(&connection, &shared, settled_seq)?,
                settled_seq,
            ),
            shared,
            connection,
            settle_after: Instant::now(),
            max_recent: options.max_recent,
            settle_from: options.settle_from,
        })
    }

    fn error(&self, error: rusqlite::Error) -> StoreError {
        StoreError::of_sqlite(&self.shared.path, error)
    }

    /// One slice of settling.
    fn settle(&mut self, slice: Duration) -> Result<(), StoreError> {
        self.settler
            .step(&mut self.connection, &self.shared, slice)?;
        self.checkpointer.after_commit(&self.connection);
        Ok(())
    }

    /// Settles for as long as memory fills up: nothing while it is less than half full, then
    /// more the fuller it is, as long as commits take at three quarters; and until there is room
    /// where there is none.
    fn make_room(&mut self, commit: Duration) -> Result<(), StoreError> {
        let begin = Instant::now();
        loop {
            let n_recent = self.shared.visible().recent.weight();
            let fill = n_recent as f64 / self.max_recent.max(1) as f64;
            let share = (fill - 0.5).max(0.0) / (1.0 - fill).max(0.02);
            let until = commit.mul_f64(share).min(MAX_RELIEF);
            if fill < 1.25 && begin.elapsed() >= until {
                return Ok(());
            }
            self.settle(SLICE)?;
        }
    }
}

impl Keep for FileKeeper {
    fn contents(&mut self, ids: &[IdHash]) -> Result<HashMap<IdHash, i64>, StoreError> {
        let find = || -> rusqlite::Result<HashMap<IdHash, i64>> {
            let mut statement = self
                .connection
                .prepare_cached("SELECT content FROM ids WHERE id = ?1")?;
            let mut found = HashMap::new();
            for id in ids {
                let content = statement
                    .query_row([id.as_slice()], |row| row.get(0))
                    .optional()?;
                found.extend(content.map(|content| (*id, content)));
            }
            Ok(found)
        };
        find().map_err(|error| self.error(error))
    }

    fn insert(
        &mut self,
        rows: &[Row],
        new_tables: &[Arc<str>],
        reserve: Option<i64>,
    ) -> Result<(), StoreError> {
        let result = insert(&mut self.connection, rows, new_tables, reserve);
        self.checkpointer.after_commit(&self.connection);
        result.map_err(|error| self.error(error))
    }

    fn is_in_doubt(&self) -> bool {
        false
    }

    fn is_read_from_memory(&self) -> bool {
        true
    }

    fn forget(&mut self, entity: &str) -> Result<Removed, StoreError> {
        forget::remove(
            &mut self.connection,
            &self.shared,
            &mut self.settler,
            entity,
        )
    }

    fn settle_all(&mut self) -> Result<(), StoreError> {
        let upto = self.shared.visible().last_seq;
        while self.shared.visible().settled_seq < upto || self.settler.is_busy() {
            self.settle(Duration::from_millis(100))?;
        }
        Ok(())
    }

    fn wants_rest(&self) -> bool {
        Instant::now() >= self.settle_after
            && (self.settler.is_busy() || self.shared.visible().recent.len() >= self.settle_from)
    }

    fn rest(&mut self) {
        if self.wants_rest() && self.settle(SLICE).is_err() {
            self.settle_after = Instant::now() + PAUSE;
        }
    }

    fn relieve(&mut self, commit: Duration) {
        if Instant::now() >= self.settle_after && self.make_room(commit).is_err() {
            self.settle_after = Instant::now() + PAUSE;
        }
    }

    fn end(mut self: Box<Self>, last_moment: Option<i64>) -> Result<(), StoreError> {
        let begin = Instant::now();
        while self.shared.visible().recent.len() > FEW && begin.elapsed() < LAST_CHANCE {
            // What is left stays in the log, and the next start reads it.
            if self.settle(Duration::from_millis(100)).is_err() {
                break;
            }
        }
        let kept = self
            .connection
            .execute("UPDATE state SET reserved = ?1", [last_moment])
            .map(|_| ())
            .map_err(|error| self.error(error));
        drop(self.checkpointer);
        self.shared.reads.close_idle();
        kept
    }
}

/// One transaction: durable when it returns.
fn insert(
    connection: &mut Connection,
    rows: &[Row],
    new_tables: &[Arc<str>],
    reserve: Option<i64>,
) -> rusqlite::Result<()> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for name in new_tables {
        transaction.execute(
            "INSERT INTO tables (id, name) VALUES ((SELECT count(*) + 1 FROM tables), ?1)",
            [name],
        )?;
    }
    if let Some(upto) = reserve {
        transaction
            .prepare_cached("UPDATE state SET reserved = max(coalesce(reserved, ?1), ?1)")?
            .execute([upto])?;
    }
    {
        let mut statement = transaction.prepare_cached(
            "INSERT INTO log (seq, id, table_id, entity, at, recorded, row) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for row in rows {
            statement.execute((
                row.seq.cast_signed(),
                &*row.id,
                row.table,
                &*row.entity,
                row.at,
                row.recorded,
                &*row.row,
            ))?;
        }
    }
    transaction.commit()
}

/// Whether rows of the log are settled already, after a crash between the two.
fn has_settled_log(
    connection: &Connection,
    shared: &Shared,
    settled_seq: u64,
) -> Result<bool, StoreError> {
    connection
        .query_row(
            "SELECT coalesce((SELECT min(seq) FROM log) <= ?1, 0)",
            [settled_seq.cast_signed()],
            |row| row.get(0),
        )
        .map_err(|error| StoreError::of_sqlite(&shared.path, error))
}
