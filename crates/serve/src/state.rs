//! The server's own file, `state.sqlite` in its folder: what it has to remember besides events,
//! such as on which side of a threshold a lead was, which calls wait, and who is signed in.

mod error;
mod migrations;

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::private::private_file;

pub use error::StateError;

/// How long a statement waits for another program that has the file, such as a backup.
const BUSY: Duration = Duration::from_secs(5);

/// The server's own SQLite file.
///
/// One server has it open at a time. It is in WAL mode, and what is committed survives a power cut.
/// Calls wait for the disk: from a task of tokio, call within `spawn_blocking`.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    /// Locked as long as the state is open.
    _lock: File,
}

impl State {
    /// Opens the file, or makes it, and brings its tables to this version.
    ///
    /// # Errors
    ///
    /// [`StateError::InUse`] if another server has it, [`StateError::Foreign`] and
    /// [`StateError::Newer`] if the file is something else or of a later version,
    /// [`StateError::Setting`] if the disk does not do what durability needs, and
    /// [`StateError::Lock`] and [`StateError::Sqlite`] for everything else.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let lock = lock(path)?;
        let failed = |source| StateError::Sqlite {
            path: path.to_owned(),
            source,
        };
        private_file(path).map_err(|source| StateError::Lock {
            path: path.to_owned(),
            source,
        })?;
        let mut writer = Connection::open(path).map_err(failed)?;
        writer.busy_timeout(BUSY).map_err(failed)?;
        let is_new = migrations::check(&writer, path)?;
        set(&writer, path, "journal_mode", "WAL", "wal")?;
        set(&writer, path, "synchronous", "FULL", "2")?;
        set(&writer, path, "foreign_keys", "ON", "1")?;
        set(&writer, path, "secure_delete", "ON", "1")?;
        migrations::apply(&mut writer, path, is_new)?;
        let reader = Connection::open(path).map_err(failed)?;
        reader.busy_timeout(BUSY).map_err(failed)?;
        set(&reader, path, "query_only", "ON", "1")?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            _lock: lock,
        })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs statements on the connection that writes, each durable when it returns.
    ///
    /// # Errors
    ///
    /// [`StateError::Sqlite`] with what `work` ended with.
    pub fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StateError> {
        work(&held(&self.writer)).map_err(|source| self.failed(source))
    }

    /// Runs statements as one transaction: all of them are durable when it returns, or none is.
    ///
    /// # Errors
    ///
    /// As [`State::with`].
    pub fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StateError> {
        let mut writer = held(&self.writer);
        let write = || {
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        write().map_err(|source| self.failed(source))
    }

    /// Reads, without waiting for those that write; nothing can be written.
    ///
    /// # Errors
    ///
    /// As [`State::with`].
    pub fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StateError> {
        work(&held(&self.reader)).map_err(|source| self.failed(source))
    }

    /// Removes all rows of a lead, and its bytes from the file and its log.
    ///
    /// `Thresholds::forget` calls it, and is what a server wants, since it has sides in memory too.
    ///
    /// # Errors
    ///
    /// [`StateError::Busy`] if the rows are gone and another program, such as a backup, kept their
    /// bytes from being removed: the same call again removes them. [`StateError::Sqlite`] otherwise.
    pub fn forget(&self, lead: &str) -> Result<Removed, StateError> {
        let forgotten = self.write(|transaction| {
            Ok(Removed {
                n_sides: transaction.execute("DELETE FROM sides WHERE lead = ?1", [lead])?,
                n_crossings: transaction
                    .execute("DELETE FROM crossings WHERE lead = ?1", [lead])?,
                n_deliveries: transaction
                    .execute("DELETE FROM deliveries WHERE lead = ?1", [lead])?,
            })
        })?;
        let is_busy = self.with(|connection| {
            connection.execute_batch("VACUUM")?;
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                row.get::<_, i64>(0)
            })
        })?;
        if is_busy != 0 {
            return Err(StateError::Busy {
                path: self.path.clone(),
            });
        }
        Ok(forgotten)
    }

    /// How often a text is in the bytes of the file and of its log: 0 proves that nothing is left.
    ///
    /// A short ID may be found in longer ones, and in numbers; those that are found prove nothing.
    ///
    /// # Errors
    ///
    /// [`StateError::Lock`] if a file cannot be read.
    pub fn traces(&self, text: &str) -> Result<usize, StateError> {
        let mut n_found = 0;
        for suffix in ["", "-wal", "-shm"] {
            let path = with_suffix(&self.path, suffix);
            let bytes = match std::fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(source) => return Err(StateError::Lock { path, source }),
            };
            n_found += memchr::memmem::find_iter(&bytes, text.as_bytes()).count();
        }
        Ok(n_found)
    }

    fn failed(&self, source: rusqlite::Error) -> StateError {
        StateError::Sqlite {
            path: self.path.clone(),
            source,
        }
    }
}

/// What was removed of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Removed {
    /// Sides of thresholds.
    pub n_sides: usize,
    /// Crossings.
    pub n_crossings: usize,
    /// Calls that waited, were delivered, or were given up.
    pub n_deliveries: usize,
}

impl Removed {
    /// All rows that were removed.
    pub fn n_rows(self) -> usize {
        self.n_sides + self.n_crossings + self.n_deliveries
    }
}

/// The connection, also after a thread panicked with it: SQLite rolled back what was not committed.
fn held(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A file beside the state whose lock says that a server has it; SQLite's own locks would keep a
/// person from looking into it.
fn lock(path: &Path) -> Result<File, StateError> {
    let beside = with_suffix(path, ".lock");
    let failed = |source| StateError::Lock {
        path: beside.clone(),
        source,
    };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let file = options.open(&beside).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StateError::InUse {
            path: path.to_owned(),
        }),
        Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Sets a pragma and reads it back: SQLite ignores what it cannot do.
fn set(
    connection: &Connection,
    path: &Path,
    name: &'static str,
    value: &str,
    expected: &'static str,
) -> Result<(), StateError> {
    let found = || {
        connection.execute_batch(&format!("PRAGMA {name} = {value}"))?;
        connection.query_row(&format!("PRAGMA {name}"), [], |row| {
            let value: rusqlite::types::Value = row.get(0)?;
            Ok(match value {
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => text,
                rusqlite::types::Value::Null
                | rusqlite::types::Value::Real(_)
                | rusqlite::types::Value::Blob(_) => String::new(),
            })
        })
    };
    let found = found().map_err(|source| StateError::Sqlite {
        path: path.to_owned(),
        source,
    })?;
    if found == expected {
        return Ok(());
    }
    Err(StateError::Setting {
        path: path.to_owned(),
        name,
        expected,
        found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

    fn add(state: &State, lead: &str) -> Result<(), StateError> {
        state.write(|transaction| {
            transaction.execute(
                "INSERT INTO sides (lead, threshold, definition, source, is_above, at)
                 VALUES (?1, 'hot', 'likelihood >= 40', 'm1', 1, 5)",
                [lead],
            )?;
            transaction.execute(
                "INSERT INTO crossings (id, lead, threshold, at, likelihood, tier, model, cause, is_told)
                 VALUES (?1, ?1, 'hot', 5, 41.0, 'High', 'm1', 'lead', 1)",
                [lead],
            )?;
            transaction.execute(
                "INSERT INTO deliveries
                    (id, lead, threshold, receiver, body, created, next_try)
                 VALUES (?1, ?1, 'hot', 'r', '{\"lead\":\"' || ?1 || '\"}', 5, 5)",
                [lead],
            )?;
            Ok(())
        })
    }

    fn n_sides(state: &State) -> Result<i64, StateError> {
        state
            .read(|connection| connection.query_row("SELECT count(*) FROM sides", [], |r| r.get(0)))
    }

    #[test]
    fn what_is_written_is_there_when_it_is_opened_again() -> Result {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("state.sqlite");
        let state = State::open(&path)?;
        add(&state, "L1")?;
        drop(state);
        assert_eq!(n_sides(&State::open(&path)?)?, 1);
        Ok(())
    }

    #[test]
    fn a_second_server_is_refused_until_the_first_one_ends() -> Result {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("s");
        let first = State::open(&path)?;
        assert!(matches!(State::open(&path), Err(StateError::InUse { .. })));
        drop(first);
        State::open(&path)?;
        Ok(())
    }

    #[test]
    fn a_transaction_that_fails_leaves_nothing() -> Result {
        let folder = tempfile::tempdir()?;
        let state = State::open(&folder.path().join("s"))?;
        let failed = state.write(|transaction| {
            transaction.execute("INSERT INTO sides VALUES ('L1', 'hot', 'd', 'm', 1, 5)", [])?;
            transaction.execute("INSERT INTO no_table VALUES (1)", [])
        });
        assert!(failed.is_err());
        assert_eq!(n_sides(&state)?, 0);
        assert!(
            state
                .read(|connection| connection.execute("DELETE FROM sides", []))
                .is_err()
        );
        Ok(())
    }

    #[test]
    fn other_files_and_later_versions_are_refused_and_left_alone() -> Result {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("other");
        Connection::open(&path)?.execute_batch("CREATE TABLE leads (id TEXT)")?;
        let before = std::fs::read(&path)?;
        assert!(matches!(
            State::open(&path),
            Err(StateError::Foreign { .. })
        ));
        assert_eq!(std::fs::read(&path)?, before);

        let path = folder.path().join("text");
        std::fs::write(&path, "lead,at\n".repeat(200))?;
        assert!(matches!(
            State::open(&path),
            Err(StateError::Foreign { .. })
        ));

        let path = folder.path().join("later");
        State::open(&path)?.with(|c| c.execute("INSERT INTO migrations VALUES ('moods 1')", []))?;
        let Err(error) = State::open(&path) else {
            return Err("it was opened".into());
        };
        assert!(error.to_string().contains("`moods 1`"), "{error}");
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_it() -> Result {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("s");
        let state = State::open(&path)?;
        add(&state, "L1")?;
        for suffix in ["", "-wal", "-shm"] {
            let mode = std::fs::metadata(with_suffix(&path, suffix))?
                .permissions()
                .mode();
            assert_eq!(mode & 0o077, 0, "{suffix}");
        }
        Ok(())
    }

    #[test]
    fn a_lead_that_is_forgotten_leaves_no_byte() -> Result {
        let folder = tempfile::tempdir()?;
        let state = State::open(&folder.path().join("s"))?;
        for lead in 0..500 {
            add(&state, &format!("lead-{lead:04}-of-acme"))?;
        }
        let lead = "lead-0123-of-acme";
        assert!(state.traces(lead)? > 0);
        let forgotten = state.forget(lead)?;
        assert_eq!(
            forgotten,
            Removed {
                n_sides: 1,
                n_crossings: 1,
                n_deliveries: 1
            }
        );
        assert_eq!(state.traces(lead)?, 0);
        assert!(state.traces("lead-0124-of-acme")? > 0);
        assert_eq!(n_sides(&state)?, 499);
        assert_eq!(state.forget(lead)?, Removed::default());
        Ok(())
    }
}
