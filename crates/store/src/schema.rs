//! The file: its tables, its version, and the settings of SQLite that durability depends on, set
//! and read back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use crate::error::StoreError;

/// Version of the tables. A store of another one is refused.
const VERSION: i64 = 1;
/// What tells a store from other SQLite files: "LSev".
const APPLICATION: i64 = 0x4c53_6576;

const TABLES: &str = "
CREATE TABLE state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  salt BLOB NOT NULL,
  reserved INTEGER,
  last_seq INTEGER NOT NULL,
  last_recorded INTEGER NOT NULL,
  settled_seq INTEGER NOT NULL,
  n_settled INTEGER NOT NULL
) STRICT;
CREATE TABLE tables (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE log (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  table_id INTEGER NOT NULL,
  entity TEXT NOT NULL,
  at INTEGER NOT NULL,
  recorded INTEGER NOT NULL,
  row TEXT NOT NULL
) STRICT;
CREATE TABLE settled (
  table_id INTEGER NOT NULL,
  entity TEXT NOT NULL,
  at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  id TEXT NOT NULL,
  recorded INTEGER NOT NULL,
  row TEXT NOT NULL,
  PRIMARY KEY (table_id, entity, at, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX settled_by_seq ON settled (seq);
CREATE TABLE ids (id BLOB PRIMARY KEY, content INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE VIEW events AS
  SELECT seq, settled.id AS id, name AS \"table\", entity, at, recorded, row
  FROM settled JOIN tables ON tables.id = table_id, state WHERE seq <= settled_seq
  UNION ALL
  SELECT seq, log.id, name, entity, at, recorded, row
  FROM log JOIN tables ON tables.id = table_id, state WHERE seq > settled_seq;
";

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It writes, alone.
    Write,
    /// It reads what others write.
    Read,
}

/// Whether there is a file.
pub(crate) fn exists(path: &Path) -> bool {
    path.exists()
}

/// Makes the file with its tables. It appears whole or not at all.
pub(crate) fn create(path: &Path) -> Result<(), StoreError> {
    if exists(path) {
        return Err(StoreError::Exists {
            path: path.to_path_buf(),
        });
    }
    let draft = beside(path, "-draft");
    for file in [
        &draft,
        &beside(&draft, "-journal"),
        &beside(&draft, "-wal"),
        &beside(&draft, "-shm"),
    ] {
        match std::fs::remove_file(file) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::of_io(file, error)),
        }
    }
    let fill = |draft: &Path| -> rusqlite::Result<()> {
        let mut connection = Connection::open(draft)?;
        connection.execute_batch(&format!(
            "PRAGMA page_size = 4096; PRAGMA synchronous = EXTRA; \
             PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};"
        ))?;
        let transaction = connection.transaction()?;
        transaction.execute_batch(TABLES)?;
        transaction.execute(
            "INSERT INTO state VALUES (1, randomblob(16), NULL, 0, ?1, 0, 0)",
            [leadscore_core::Timestamp::MIN.micros()],
        )?;
        transaction.commit()?;
        // The header says WAL from now on, so that readers need not write it.
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.close().map_err(|(_, error)| error)
    };
    fill(&draft).map_err(|error| match error.sqlite_error_code() {
        // SQLite cannot say more of a folder that is missing or not writable.
        Some(ErrorCode::CannotOpen) => StoreError::of_io(path, folder_error(path)),
        Some(_) | None => StoreError::of_sqlite(path, error),
    })?;
    publish(&draft, path)
}

/// Gives a file its name, where nothing has it, and makes it durable.
pub(crate) fn publish(draft: &Path, path: &Path) -> Result<(), StoreError> {
    // A link, not a rename: who creates the same store at the same time is not overwritten.
    let linked = std::fs::hard_link(draft, path);
    let removed = std::fs::remove_file(draft);
    linked.map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            StoreError::Exists {
                path: path.to_path_buf(),
            }
        } else {
            StoreError::of_io(path, error)
        }
    })?;
    removed.map_err(|error| StoreError::of_io(draft, error))?;
    sync_folder(path)
}

/// Why nothing can be created in the folder of `path`.
fn folder_error(path: &Path) -> std::io::Error {
    match tempfile_in(path) {
        Ok(()) => std::io::Error::other("SQLite cannot open it"),
        Err(error) => error,
    }
}

fn tempfile_in(path: &Path) -> std::io::Result<()> {
    let probe = beside(path, "-probe");
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&probe)?;
    std::fs::remove_file(probe)
}

/// The file's name with `suffix` behind it.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes a name in the folder of `path` durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| StoreError::of_io(folder, error))
}

/// Fails where the file is no store of this version.
pub(crate) fn check(path: &Path) -> Result<(), StoreError> {
    check_header(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| cannot_open(path, error))?;
    check_version(path, &connection)
}

/// Opens the file, after a look at whether it is a store of this version.
pub(crate) fn connect(path: &Path, purpose: Purpose) -> Result<Connection, StoreError> {
    check_header(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| cannot_open(path, error))?;
    let fail = |error| cannot_open(path, error);
    connection
        .busy_timeout(Duration::from_secs(5))
        .map_err(fail)?;
    if purpose == Purpose::Write && connection.is_readonly("main").map_err(fail)? {
        return Err(StoreError::ReadOnly {
            path: path.to_path_buf(),
        });
    }
    check_version(path, &connection)?;
    set(path, &connection, "journal_mode", "WAL", "wal")?;
    set(path, &connection, "synchronous", "FULL", "2")?;
    set(path, &connection, "secure_delete", "ON", "1")?;
    set(path, &connection, "wal_autocheckpoint", "0", "0")?;
    set(
        path,
        &connection,
        "journal_size_limit",
        "67108864",
        "67108864",
    )?;
    match purpose {
        Purpose::Write => set(path, &connection, "cache_size", "-65536", "-65536")?,
        Purpose::Read => {
            set(path, &connection, "cache_size", "-4096", "-4096")?;
            set(path, &connection, "query_only", "ON", "1")?;
        }
    }
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

fn cannot_open(path: &Path, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => StoreError::ReadOnly {
            path: path.to_path_buf(),
        },
        Some(_) | None => StoreError::of_sqlite(path, error),
    }
}

/// Limits the size of the file, for one connection.
pub(crate) fn limit_size(connection: &Connection, max_bytes: u64) -> rusqlite::Result<()> {
    let n_pages = (max_bytes / 4_096).clamp(1, 0xffff_fffe);
    connection.query_row(
        &format!("PRAGMA max_page_count = {n_pages}"),
        [],
        |_| Ok(()),
    )
}

/// Fails where there is no file, or its first bytes are not those of SQLite.
fn check_header(path: &Path) -> Result<(), StoreError> {
    use std::io::Read;
    let file = std::fs::File::open(path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            StoreError::Missing {
                path: path.to_path_buf(),
            }
        } else {
            StoreError::of_io(path, error)
        }
    })?;
    let mut head = Vec::with_capacity(16);
    let read = file.take(16).read_to_end(&mut head);
    if read.is_err() || head != b"SQLite format 3\0" {
        return Err(StoreError::NotAStore {
            path: path.to_path_buf(),
        });
    }
    Ok(())
}

fn check_version(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    let number = |pragma: &str| -> Result<i64, StoreError> {
        connection
            .query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))
            .map_err(|error| cannot_open(path, error))
    };
    if number("application_id")? != APPLICATION {
        return Err(StoreError::NotAStore {
            path: path.to_path_buf(),
        });
    }
    let found = number("user_version")?;
    if found != VERSION {
        return Err(StoreError::OtherVersion {
            path: path.to_path_buf(),
            found,
            expected: VERSION,
        });
    }
    Ok(())
}

/// Sets a pragma and reads it back: SQLite ignores what it does not know or cannot do.
fn set(
    path: &Path,
    connection: &Connection,
    pragma: &'static str,
    value: &str,
    wanted: &'static str,
) -> Result<(), StoreError> {
    use rusqlite::types::Value;
    let run = || -> rusqlite::Result<String> {
        connection
            .query_row(&format!("PRAGMA {pragma} = {value}"), [], |_| Ok(()))
            .optional()?;
        connection.query_row(&format!("PRAGMA {pragma}"), [], |row| {
            Ok(match row.get::<_, Value>(0)? {
                Value::Integer(number) => number.to_string(),
                Value::Text(text) => text,
                Value::Null | Value::Real(_) | Value::Blob(_) => String::new(),
            })
        })
    };
    let found = run().map_err(|error| cannot_open(path, error))?;
    if found != wanted {
        return Err(StoreError::Setting {
            path: path.to_path_buf(),
            pragma,
            wanted,
            found,
        });
    }
    Ok(())
}
