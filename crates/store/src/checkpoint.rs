//! Moves what is in the write-ahead log into the file, beside the writer, so that the log stays
//! short.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::error::StoreError;
use crate::schema::{Purpose, connect};

/// Pages in the log from which they are moved: 16 MiB. Fewer would sync the file more often, more
/// take longer to recover after a crash.
const PAGES: u64 = 4_096;

/// Moves pages beside the writer, who does the last few itself so that the log starts over.
pub(crate) struct Checkpointer {
    /// Pages in the log after the last commit.
    pages: Arc<AtomicU64>,
    /// From how many on they are moved.
    threshold: u64,
    ask: Option<mpsc::SyncSender<()>>,
    finished: mpsc::Receiver<()>,
    running: bool,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread, and counts the pages of the writer's connection.
    pub(crate) fn start(path: &Path, writer: &mut Connection) -> Result<Self, StoreError> {
        let pages = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&pages);
        writer
            .wal_hook(Some(
                move |_: &mut rusqlite::hooks::Wal, n: std::ffi::c_int| {
                    counted.store(n.unsigned_abs().into(), Ordering::Relaxed);
                    Ok(())
                },
            ))
            .map_err(|error| StoreError::of_sqlite(path, error))?;
        let connection = connect(path, Purpose::Write)?;
        let (ask, asked) = mpsc::sync_channel::<()>(1);
        let (tell, finished) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || {
                while asked.recv().is_ok() {
                    // Where it fails, the pages stay in the log, and the next turn moves them.
                    drop(passive(&connection));
                    if tell.send(()).is_err() {
                        break;
                    }
                }
            })
            .map_err(|error| StoreError::of_io(path, error))?;
        Ok(Self {
            pages,
            threshold: PAGES,
            ask: Some(ask),
            finished,
            running: false,
            thread: Some(thread),
        })
    }

    /// Is called after each commit of the writer.
    pub(crate) fn after_commit(&mut self, writer: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if self.running {
            if self.finished.try_recv().is_ok() {
                self.running = false;
                drop(passive(writer));
                // A reader may keep the log from starting over; then there is no use in trying at
                // each commit.
                self.threshold = pages + PAGES;
            }
        } else if pages >= self.threshold {
            self.running = self
                .ask
                .as_ref()
                .is_some_and(|ask| ask.try_send(()).is_ok());
        } else if pages < PAGES {
            self.threshold = PAGES;
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to say that was not said.
            drop(thread.join());
        }
    }
}

/// Moves what can be moved without waiting for anybody.
fn passive(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// Moves everything and makes the log empty; false if readers were in the way.
pub(crate) fn truncate(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        Ok(row.get::<_, i64>(0)? == 0)
    })
}

/// Moves all of the write-ahead log of a closed store into its file, and syncs it: the file alone is
/// the store. SQLite tries that when it closes a file, and says nothing where it fails.
pub(crate) fn complete(path: &Path) -> Result<(), StoreError> {
    let fail = |error| StoreError::of_sqlite(path, error);
    let connection = connect(path, Purpose::Write)?;
    if !truncate(&connection).map_err(fail)? {
        return Err(StoreError::InUse {
            path: path.to_path_buf(),
        });
    }
    connection.close().map_err(|(_, error)| fail(error))?;
    std::fs::File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|error| StoreError::of_io(path, error))
}
