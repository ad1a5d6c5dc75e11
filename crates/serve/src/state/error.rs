//! Why the server's state refuses.

use std::path::PathBuf;

/// Why the server's state refuses.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// SQLite failed.
    #[error("the server's state {} cannot be used", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A file of it cannot be opened.
    #[error("{} cannot be opened", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Another server has it.
    #[error("another server has {} open\n  hint: end the other server, or give this one a store of its own", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not the state of a server\n  hint: move the file away; the server makes its own", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A later version wrote the file.
    #[error("{} has `{migration}`, which this version does not know\n  hint: run the version that wrote the file, or a later one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The change of its tables.
        migration: String,
    },
    /// SQLite did not do what durability needs.
    #[error("`{name}` of {} is `{found}`, not `{expected}`\n  hint: put the file on a local disk", path.display())]
    Setting {
        /// The file.
        path: PathBuf,
        /// The setting.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// Rows are gone, and their bytes may not be.
    #[error("another program reads {}, so that bytes of removed rows may be left in its log\n  hint: end the other program and repeat the removal", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
}
