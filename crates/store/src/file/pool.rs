//! Connections that read a file, each kept for the next one who asks.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use crate::error::StoreError;
use crate::schema::{Purpose, connect};

/// Connections that read a file.
pub(crate) struct Pool {
    pub(crate) path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            idle: Mutex::default(),
        }
    }

    /// Lends a connection that reads.
    pub(crate) fn read<T>(
        &self,
        body: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path, Purpose::Read)?,
        };
        let result = body(&connection);
        // One that failed may be in any state.
        if result.is_ok() {
            self.idle().push(connection);
        }
        result.map_err(|error| StoreError::of_sqlite(&self.path, error))
    }

    /// Closes the connections that nobody uses, so that none has the file open.
    pub(crate) fn close_idle(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
