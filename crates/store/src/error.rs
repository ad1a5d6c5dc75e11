//! Why the store refuses.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

/// Why the store refuses. Nothing of a call that fails is stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// There is no file.
    #[error("there is no store {}\n  hint: create it first, or check the path", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// There is a file already.
    #[error("there is already a file {}\n  hint: open it, or create the store under another name", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is a file, but not an event store\n  hint: name a store that leadscore created, or a new file", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The file is of another version of leadscore.
    #[error("the store {} has version {found} of its format, and this leadscore reads version {expected}\n  hint: use the leadscore that wrote it", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The version that is read.
        expected: i64,
    },
    /// Another process writes to the store.
    #[error("the store {} is open in another process that writes to it\n  hint: end that process, or send the events to its server", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file or its folder cannot be written.
    #[error("the store {} cannot be written\n  hint: the file, its folder and the files beside it need to be writable by this user", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("the store {} is damaged\n  hint: stop the server, keep a copy of the file, and restore the last backup", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// The disk is full.
    #[error("the disk of the store {} is full\n  hint: make room; events are accepted again without a restart", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// A setting that durability depends on was not taken by SQLite.
    #[error("SQLite did not take {pragma} = {wanted} for the store {} (it has {found})\n  hint: keep the store on a local disk", path.display())]
    Setting {
        /// The file.
        path: PathBuf,
        /// The setting.
        pragma: &'static str,
        /// What it should be.
        wanted: &'static str,
        /// What it is.
        found: String,
    },
    /// The file cannot be used for another reason.
    #[error("the store {} cannot be used", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// A file beside the store, or a backup, cannot be written or read.
    #[error("{} cannot be used", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// An ID was used before for another event.
    #[error(
        "the event `{id}` is in the store with another table, lead or row\n  hint: give each event an ID of its own"
    )]
    Conflict {
        /// The ID.
        id: String,
    },
    /// An event that cannot be meant.
    #[error("event {position} (`{id}`) {what}\n  hint: {hint}")]
    Refused {
        /// Its place in the call, from 0.
        position: usize,
        /// Its ID, shortened.
        id: String,
        /// What is wrong with it.
        what: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// One call has more than the store takes at once.
    #[error("{n_events} events are too many for one call\n  hint: send at most {limit} at a time")]
    TooMany {
        /// How many there are.
        n_events: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The rows of one call have more bytes than the store takes at once.
    #[error("{n_bytes} bytes are too many for one call\n  hint: send at most {limit} at a time")]
    TooLong {
        /// How many bytes the rows have.
        n_bytes: usize,
        /// How many they may have.
        limit: usize,
    },
    /// More events wait than the store takes in.
    #[error("too many events wait to be stored\n  hint: send them again in a second")]
    Busy,
    /// The write-ahead log cannot be emptied while others read it.
    #[error("others read the store {}, so that old pages cannot be overwritten\n  hint: end what reads it, and try again", path.display())]
    ReadersInTheWay {
        /// The file.
        path: PathBuf,
    },
    /// The server that has the store cannot be reached.
    #[error("the server of the store {} cannot be reached\n  hint: check that it runs, and its address; what was not acknowledged can be sent again", path.display())]
    Unreachable {
        /// Schema and address.
        path: PathBuf,
        /// What the connection says.
        #[source]
        source: Arc<ServerFailure>,
    },
    /// The server does not let the user in.
    #[error("PostgreSQL does not let in the user of the store {}\n  hint: check user, password and database of its address, and pg_hba.conf of the server", path.display())]
    Denied {
        /// Schema and address.
        path: PathBuf,
        /// What PostgreSQL says.
        #[source]
        source: Arc<ServerFailure>,
    },
    /// The user may not do what a store needs.
    #[error("the user of the store {} may not do this in PostgreSQL\n  hint: let the user own the schema, or make one: GRANT CREATE ON DATABASE", path.display())]
    NoRight {
        /// Schema and address.
        path: PathBuf,
        /// What PostgreSQL says.
        #[source]
        source: Arc<ServerFailure>,
    },
    /// The server only follows another one.
    #[error("the server of the store {} can only be read\n  hint: name the primary server, not one that follows it", path.display())]
    Standby {
        /// Schema and address.
        path: PathBuf,
    },
    /// Another process became the one that writes, or the server has an older state than it had.
    #[error("the store {} is not as this process left it: another process wrote to it, or an older state was restored\n  hint: end what else writes to it, and start this process again", path.display())]
    TakenOver {
        /// Schema and address.
        path: PathBuf,
    },
    /// There is a store already.
    #[error("there is already an event store {}\n  hint: open it, or name another schema with ?schema=NAME", path.display())]
    SchemaExists {
        /// Schema and address.
        path: PathBuf,
    },
    /// The schema has other tables.
    #[error("the schema {} has tables, but is not an event store\n  hint: name another schema with ?schema=NAME", path.display())]
    OtherSchema {
        /// Schema and address.
        path: PathBuf,
    },
    /// A setting that durability depends on is another one.
    #[error("the server of the store {} has {setting} = {found}, and the store needs {wanted}\n  hint: change it in postgresql.conf, or use another database", path.display())]
    ServerSetting {
        /// Schema and address.
        path: PathBuf,
        /// The setting.
        setting: &'static str,
        /// What it should be.
        wanted: &'static str,
        /// What it is.
        found: String,
    },
    /// A row of the store is not what the store writes.
    #[error("event {seq} of the store {} was changed by somebody else\n  hint: restore the last backup", path.display())]
    Damaged {
        /// Schema and address.
        path: PathBuf,
        /// The number of the event.
        seq: u64,
    },
    /// A store in PostgreSQL has no file that could be copied.
    #[error("the store {} is in PostgreSQL, and has no file to copy\n  hint: pg_dump --schema={schema} copies it while the server runs", path.display())]
    NoFile {
        /// Schema and address.
        path: PathBuf,
        /// The schema.
        schema: String,
    },
    /// The server cannot do it for another reason.
    #[error("the store {} cannot be used\n  hint: the log of PostgreSQL may say more", path.display())]
    Server {
        /// Schema and address.
        path: PathBuf,
        /// What PostgreSQL says.
        #[source]
        source: Arc<ServerFailure>,
    },
    /// The store was opened for reading.
    #[error("the store {} is open for reading only\n  hint: open it for writing", path.display())]
    OpenForReading {
        /// The file.
        path: PathBuf,
    },
    /// The writer has ended; nothing is accepted any more.
    #[error("the store is closed\n  hint: open it again")]
    Closed,
}

/// What PostgreSQL says, without anything secret of the address.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ServerFailure(String);

impl ServerFailure {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }
}

impl StoreError {
    /// What an error of SQLite means for whoever has the store.
    pub(crate) fn of_sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly { path },
            Some(ErrorCode::NotADatabase) => Self::NotAStore { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt {
                path,
                source: Arc::new(source),
            },
            // What is left is not for the user to tell apart: the source says what it is.
            Some(_) | None => Self::Sqlite {
                path,
                source: Arc::new(source),
            },
        }
    }

    /// Whether the server of the store, or the way to it, is to blame.
    pub fn is_of_server(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Denied { .. }
                | Self::NoRight { .. }
                | Self::Standby { .. }
                | Self::ServerSetting { .. }
                | Self::Server { .. }
        )
    }

    /// The code of SQLite, where nothing better is known.
    pub(crate) fn sqlite_code(&self) -> Option<ErrorCode> {
        if let Self::Sqlite { source, .. } = self {
            source.sqlite_error_code()
        } else {
            None
        }
    }

    /// An error of a file beside the store.
    pub(crate) fn of_io(path: &Path, source: std::io::Error) -> Self {
        let path = path.to_path_buf();
        let kind = source.kind();
        if [ErrorKind::StorageFull, ErrorKind::QuotaExceeded].contains(&kind) {
            Self::Full { path }
        } else if [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem].contains(&kind) {
            Self::ReadOnly { path }
        } else {
            Self::Io {
                path,
                source: Arc::new(source),
            }
        }
    }
}
