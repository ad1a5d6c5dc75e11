//! Sessions of the page, kept in the state file beside the store: who is signed in, when each user
//! last looked, and how much the page is used. The file has no token, no ID of a session (only
//! hashes) and no lead.

mod id;
mod usage;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use leadscore_core::{Span, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use crate::private::private_file;

pub use id::SessionId;
pub use usage::{Act, UseOfWeek};

/// When sessions end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SessionOptions {
    /// A session without a request for so long ends; default 12 hours: a working day without a
    /// second sign-in, and none left open over night.
    pub idle: Span,
    /// A session ends so long after its sign-in, whatever it did; default 7 days.
    pub absolute: Span,
    /// How many sessions one token may have; the oldest end. Default 50: browsers of one person,
    /// and not a file that grows with every sign-in.
    pub most: u32,
    /// So long after the view before, a view is another visit; default 30 minutes.
    pub visit: Span,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            idle: Span::from_micros(12 * 3_600_000_000),
            absolute: Span::from_days(7),
            most: 50,
            visit: Span::from_micros(30 * 60_000_000),
        }
    }
}

/// Why sessions cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The state file cannot be opened or written.
    #[error("the state file {} cannot be used", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        #[source]
        source: rusqlite::Error,
    },
    /// The system gives no random numbers, so that no session can have an ID.
    #[error("the system gives no random numbers")]
    NoRandom(#[source] getrandom::Error),
}

/// A session that is alive.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// The hash of the token by which it was begun, or what else says who began it.
    pub token: String,
    /// What the page has to tell once: the outcome of the request before.
    pub notice: Option<String>,
}

/// The sessions of a state file.
#[derive(Debug)]
pub struct Sessions {
    connection: Mutex<Connection>,
    path: PathBuf,
    options: SessionOptions,
}

/// Losing the last sign-ins to a power cut costs a sign-in, so nothing waits for the disk.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA secure_delete = ON;
    CREATE TABLE IF NOT EXISTS page_sessions (
        hash BLOB PRIMARY KEY, token TEXT NOT NULL, created INTEGER NOT NULL, seen INTEGER NOT NULL, notice TEXT
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS page_looks (user TEXT PRIMARY KEY, at INTEGER NOT NULL, before INTEGER) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS page_use (
        week INTEGER NOT NULL, user TEXT NOT NULL, act TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (week, user, act)
    ) WITHOUT ROWID;";

impl Sessions {
    /// The sessions of a state file, which is made where there is none.
    ///
    /// # Errors
    ///
    /// Where the file cannot be opened or is something else.
    pub fn open(path: &Path, options: SessionOptions) -> Result<Self, SessionError> {
        // Where it cannot be made, opening says why.
        let _ = private_file(path);
        Self::of(Connection::open(path), path.to_owned(), options)
    }

    /// Sessions that end with the process.
    #[cfg(test)]
    fn in_memory(options: SessionOptions) -> Result<Self, SessionError> {
        Self::of(
            Connection::open_in_memory(),
            PathBuf::from("in memory"),
            options,
        )
    }

    fn of(
        connection: rusqlite::Result<Connection>,
        path: PathBuf,
        options: SessionOptions,
    ) -> Result<Self, SessionError> {
        let opened = connection.and_then(|connection| {
            connection.busy_timeout(std::time::Duration::from_secs(5))?;
            connection.execute_batch(SCHEMA)?;
            Ok(connection)
        });
        match opened {
            Ok(connection) => Ok(Self {
                connection: Mutex::new(connection),
                path,
                options,
            }),
            Err(source) => Err(SessionError::Sqlite { path, source }),
        }
    }

    /// Begins a session of whoever has a token, by its hash, with an ID that nobody had before.
    ///
    /// # Errors
    ///
    /// Where the state file cannot be written.
    pub fn begin(&self, token: &str, now: Timestamp) -> Result<SessionId, SessionError> {
        let id = SessionId::random().map_err(SessionError::NoRandom)?;
        self.run(|connection| {
            self.drop_expired(connection, now)?;
            connection.execute(
                "DELETE FROM page_sessions WHERE token = ?1 AND hash NOT IN
                 (SELECT hash FROM page_sessions WHERE token = ?1 ORDER BY created DESC LIMIT ?2)",
                params![token, self.options.most.saturating_sub(1)],
            )?;
            connection.execute(
                "INSERT INTO page_sessions (hash, token, created, seen) VALUES (?1, ?2, ?3, ?3)",
                params![id.hash(), token, now.micros()],
            )
        })?;
        Ok(id)
    }

    /// The session of an ID, if it is alive; from now on its idle time begins again, and its notice
    /// is told.
    ///
    /// # Errors
    ///
    /// Where the state file cannot be used.
    pub fn resume(&self, id: &SessionId, now: Timestamp) -> Result<Option<Session>, SessionError> {
        self.run(|connection| {
            let row: Option<(String, i64, i64, Option<String>)> = connection
                .prepare_cached(
                    "SELECT token, created, seen, notice FROM page_sessions WHERE hash = ?1",
                )?
                .query_row([id.hash()], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })
                .optional()?;
            let Some((token, created, seen, notice)) = row else {
                return Ok(None);
            };
            if self.is_expired(
                Timestamp::from_micros(created),
                Timestamp::from_micros(seen),
                now,
            ) {
                connection.execute("DELETE FROM page_sessions WHERE hash = ?1", [id.hash()])?;
                return Ok(None);
            }
            connection
                .prepare_cached(
                    "UPDATE page_sessions SET seen = max(seen, ?2), notice = NULL WHERE hash = ?1",
                )?
                .execute(params![id.hash(), now.micros()])?;
            Ok(Some(Session { token, notice }))
        })
    }

    /// Ends a session; one that is not there has ended.
    ///
    /// # Errors
    ///
    /// Where the state file cannot be written.
    pub fn end(&self, id: &SessionId) -> Result<(), SessionError> {
        self.run(|connection| {
            connection.execute("DELETE FROM page_sessions WHERE hash = ?1", [id.hash()])?;
            Ok(())
        })
    }

    /// Leaves a notice for the next page of a session.
    ///
    /// # Errors
    ///
    /// Where the state file cannot be written.
    pub fn leave_notice(&self, id: &SessionId, notice: &str) -> Result<(), SessionError> {
        self.run(|connection| {
            connection.execute(
                "UPDATE page_sessions SET notice = ?2 WHERE hash = ?1",
                params![id.hash(), notice],
            )?;
            Ok(())
        })
    }

    fn is_expired(&self, created: Timestamp, seen: Timestamp, now: Timestamp) -> bool {
        now >= created + self.options.absolute || now >= seen + self.options.idle
    }

    fn drop_expired(&self, connection: &Connection, now: Timestamp) -> rusqlite::Result<usize> {
        connection.execute(
            "DELETE FROM page_sessions WHERE created <= ?1 OR seen <= ?2",
            params![
                (now - self.options.absolute).micros(),
                (now - self.options.idle).micros()
            ],
        )
    }

    fn run<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, SessionError> {
        work(&self.lock()).map_err(|source| SessionError::Sqlite {
            path: self.path.clone(),
            source,
        })
    }

    /// A thread that panicked left a whole statement or none.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
