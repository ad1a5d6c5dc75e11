//! What the writer and the readers of a store share.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use crate::error::StoreError;
use crate::moments::Moments;
use crate::options::Clock;
use crate::recent::{Recent, Row, hash_of_content, hash_of_id};
use crate::schema::{Purpose, connect};

/// What the writer and the readers of a store share.
pub(crate) struct Shared {
    pub(crate) path: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) salt: Vec<u8>,
    visible: Mutex<Visible>,
    readers: Mutex<Vec<Connection>>,
}

/// What is visible, all of it under one lock, so that a moment and what it sees agree.
pub(crate) struct Visible {
    pub(crate) moments: Moments,
    pub(crate) recent: Recent,
    /// Rows up to this number are read from the tables by lead, later ones from `recent`.
    pub(crate) settled_seq: u64,
    pub(crate) n_settled: u64,
    pub(crate) last_seq: u64,
    /// Names of tables; the number of a table is its place, from 1.
    pub(crate) tables: Vec<Arc<str>>,
}

impl Visible {
    pub(crate) fn table_id(&self, name: &str) -> Option<i64> {
        let place = self.tables.iter().position(|table| &**table == name)?;
        i64::try_from(place + 1).ok()
    }
}

/// What the state table has.
struct State {
    salt: Vec<u8>,
    reserved: Option<i64>,
    last_seq: u64,
    last_recorded: i64,
    settled_seq: u64,
    n_settled: u64,
}

impl Shared {
    /// Reads the state and the events that are not settled yet, as of one moment.
    pub(crate) fn load(
        path: PathBuf,
        clock: Clock,
        connection: &mut Connection,
    ) -> Result<Self, StoreError> {
        let (visible, salt) =
            Self::read_visible(connection).map_err(|error| StoreError::of_sqlite(&path, error))?;
        Ok(Self {
            path,
            clock,
            salt,
            visible: Mutex::new(visible),
            readers: Mutex::new(Vec::new()),
        })
    }

    fn read_visible(connection: &mut Connection) -> rusqlite::Result<(Visible, Vec<u8>)> {
        let transaction = connection.transaction()?;
        let state = transaction.query_row(
            "SELECT salt, reserved, last_seq, last_recorded, settled_seq, n_settled FROM state",
            [],
            |row| {
                Ok(State {
                    salt: row.get(0)?,
                    reserved: row.get(1)?,
                    last_seq: row.get::<_, i64>(2)?.cast_unsigned(),
                    last_recorded: row.get(3)?,
                    settled_seq: row.get::<_, i64>(4)?.cast_unsigned(),
                    n_settled: row.get::<_, i64>(5)?.cast_unsigned(),
                })
            },
        )?;
        let tables: Vec<Arc<str>> = transaction
            .prepare("SELECT name FROM tables ORDER BY id")?
            .query_map([], |row| row.get::<_, Arc<str>>(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut recent = Recent::default();
        let mut last_seq = state.last_seq.max(state.settled_seq);
        let mut last_recorded = state.last_recorded;
        let mut statement = transaction.prepare(
            "SELECT seq, id, table_id, entity, at, recorded, row FROM log WHERE seq > ?1 ORDER BY seq",
        )?;
        let mut rows = statement.query([state.settled_seq.cast_signed()])?;
        while let Some(row) = rows.next()? {
            let row = read_log_row(row, &state.salt, &tables)?;
            last_seq = last_seq.max(row.seq);
            last_recorded = last_recorded.max(row.recorded);
            recent.push(row);
        }
        drop(rows);
        drop(statement);
        transaction.commit()?;
        let visible = Visible {
            moments: Moments::new(last_recorded, state.reserved),
            recent,
            settled_seq: state.settled_seq,
            n_settled: state.n_settled,
            last_seq,
            tables,
        };
        Ok((visible, state.salt))
    }

    /// The visible state. A thread that panicked left it whole: every change is one step.
    pub(crate) fn visible(&self) -> MutexGuard<'_, Visible> {
        self.visible.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wall clock now, in microseconds.
    pub(crate) fn now(&self) -> i64 {
        (self.clock)().micros()
    }

    pub(crate) fn error(&self, error: rusqlite::Error) -> StoreError {
        StoreError::of_sqlite(&self.path, error)
    }

    /// Lends a connection that reads.
    pub(crate) fn read<T>(
        &self,
        body: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let idle = self.idle_readers().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path, Purpose::Read)?,
        };
        let result = body(&connection);
        // One that failed may be in any state.
        if result.is_ok() {
            self.idle_readers().push(connection);
        }
        result.map_err(|error| self.error(error))
    }

    /// Closes the connections that nobody uses, so that none has the file open.
    pub(crate) fn close_readers(&self) {
        self.idle_readers().clear();
    }

    fn idle_readers(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_log_row(
    row: &rusqlite::Row<'_>,
    salt: &[u8],
    tables: &[Arc<str>],
) -> rusqlite::Result<Row> {
    let id: Box<str> = row.get(1)?;
    let table: i64 = row.get(2)?;
    let entity: Arc<str> = row.get(3)?;
    let text: Box<str> = row.get(6)?;
    let name = usize::try_from(table - 1)
        .ok()
        .and_then(|place| tables.get(place))
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(2, table))?;
    Ok(Row {
        seq: row.get::<_, i64>(0)?.cast_unsigned(),
        id_hash: hash_of_id(salt, &id),
        content: hash_of_content(salt, name, &entity, &text),
        id,
        table,
        entity,
        at: row.get(4)?,
        recorded: row.get(5)?,
        row: text,
    })
}
