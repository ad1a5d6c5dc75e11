//! Copies of the store while it runs, and whether the file is whole.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode};

use crate::error::StoreError;
use crate::file::Pool;
use crate::schema::{beside, publish};

/// Writes a copy as of now to a new file.
pub(crate) fn backup(pool: &Pool, path: &Path) -> Result<(), StoreError> {
    if path.exists() {
        return Err(StoreError::Exists {
            path: path.to_path_buf(),
        });
    }
    let draft = beside(path, "-draft");
    match std::fs::remove_file(&draft) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::of_io(&draft, error)),
    }
    // Both sides may fail: an error is told of the draft.
    let copied = pool.read(|source| {
        let mut target = Connection::open(&draft)?;
        {
            let backup = Backup::new(source, &mut target)?;
            // All at once: between steps, events that come in would start it over.
            while backup.step(-1)? != StepResult::Done {}
        }
        target.close().map_err(|(_, error)| error)
    });
    let finish = || -> Result<(), StoreError> {
        copied.map_err(|error| {
            if error.sqlite_code() == Some(ErrorCode::CannotOpen) {
                StoreError::ReadOnly {
                    path: path.to_path_buf(),
                }
            } else {
                error
            }
        })?;
        let io = |error| StoreError::of_io(&draft, error);
        std::fs::File::open(&draft)
            .and_then(|file| file.sync_all())
            .map_err(io)?;
        publish(&draft, path)
    };
    let result = finish();
    if result.is_err() {
        // It is of no use, and the error says why.
        drop(std::fs::remove_file(&draft));
    }
    result
}

/// What is wrong with the file.
pub(crate) fn check(pool: &Pool) -> Result<Vec<String>, StoreError> {
    pool.read(|connection| {
        let mut found: Vec<String> = connection
            .prepare("PRAGMA integrity_check")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        found.retain(|line| line != "ok");
        let mut count = |sql: &str, what: &str| -> rusqlite::Result<()> {
            let n: i64 = connection.query_row(sql, [], |row| row.get(0))?;
            if n != 0 {
                found.push(format!("{n} {what}"));
            }
            Ok(())
        };
        count(
            "SELECT n_settled - (SELECT count(*) FROM settled WHERE seq <= settled_seq) FROM state",
            "fewer settled events than were counted",
        )?;
        count(
            "SELECT count(*) FROM (SELECT id FROM events GROUP BY id HAVING count(*) > 1)",
            "IDs of events that are stored more than once",
        )?;
        Ok(found)
    })
}
