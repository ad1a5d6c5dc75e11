//! The tables of the server's state, and the changes that bring a file of an earlier version to
//! this one.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::StateError;

/// Tells the file from other SQLite files: "LSst".
const APPLICATION_ID: i64 = 0x4c53_7374;

/// A change of the tables.
struct Migration {
    /// Its name, which the file keeps: a part of the server, and a number.
    name: &'static str,
    /// What it runs.
    sql: &'static str,
}

/// All changes, in the order in which they are made. A change that a release has is never edited:
/// add another one. Parts of the server add changes of their own tables, in any order to others.
const MIGRATIONS: [Migration; 2] = [
    Migration {
        name: "crossings 1",
        sql: CROSSINGS,
    },
    Migration {
        name: "crossings 2",
        sql: "ALTER TABLE crossings ADD COLUMN cell TEXT", // of the rules' matrix
    },
];

/// Times are microseconds since 1970-01-01T00:00:00Z.
const CROSSINGS: &str = "
-- On which side of a threshold a lead was when it was last scored.
CREATE TABLE sides (
    lead TEXT NOT NULL,
    threshold TEXT NOT NULL,
    definition TEXT NOT NULL, -- the threshold as the config had it then
    source TEXT NOT NULL,     -- the model, or the rules, that it was measured by
    is_above INTEGER NOT NULL,
    at INTEGER NOT NULL,      -- moment of the score that changed one of these columns
    PRIMARY KEY (lead, threshold)
) STRICT, WITHOUT ROWID;

-- Each time that a lead rose to a threshold.
CREATE TABLE crossings (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    lead TEXT NOT NULL,
    threshold TEXT NOT NULL,
    at INTEGER NOT NULL,
    likelihood REAL NOT NULL,
    points REAL,
    tier TEXT NOT NULL,
    model TEXT NOT NULL,
    cause TEXT NOT NULL,      -- 'lead', 'model' or 'held_back'
    is_told INTEGER NOT NULL,
    is_appended INTEGER NOT NULL DEFAULT 0 -- whether the event store has it
) STRICT;
CREATE INDEX crossings_by_time ON crossings (at);
CREATE INDEX crossings_by_lead ON crossings (lead, at);
CREATE INDEX crossings_to_append ON crossings (seq) WHERE is_told = 1 AND is_appended = 0;

-- Calls of receivers. The waiting calls of a lead to a receiver are a line, in order of `seq`: the
-- first one has `next_try`, and those behind it have none.
CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,  -- of the crossing, and `webhook-id` of each try
    lead TEXT NOT NULL,
    threshold TEXT NOT NULL,
    receiver TEXT NOT NULL,   -- hash of the address, which itself may be secret
    body TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'waiting', -- 'waiting', 'delivered' or 'dead'
    created INTEGER NOT NULL, -- moment of the crossing
    next_try INTEGER,
    deadline INTEGER,         -- a try that fails after it is the last one; set by the first failure
    n_tries INTEGER NOT NULL DEFAULT 0,
    n_waits INTEGER NOT NULL DEFAULT 0, -- failures since it was created or asked for again
    answer INTEGER,           -- the last HTTP status
    problem TEXT,             -- why the last try failed
    settled INTEGER           -- when it was delivered or given up
) STRICT;
CREATE INDEX deliveries_due ON deliveries (receiver, next_try, seq)
    WHERE status = 'waiting' AND next_try IS NOT NULL;
CREATE INDEX deliveries_in_line ON deliveries (receiver, lead, seq) WHERE status = 'waiting';
CREATE INDEX deliveries_by_lead ON deliveries (lead);
CREATE INDEX deliveries_by_status ON deliveries (status, seq);
";

/// Whether the file is new; fails where it is something else. It writes nothing.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<bool, StateError> {
    let foreign = || StateError::Foreign {
        path: path.to_owned(),
    };
    let found = connection
        .query_row("PRAGMA application_id", [], |row| row.get::<_, i64>(0))
        .and_then(|id| {
            let n_tables =
                connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| {
                    row.get::<_, i64>(0)
                })?;
            Ok((id, n_tables))
        });
    match found {
        Ok((APPLICATION_ID, _)) => Ok(false),
        Ok((0, 0)) => Ok(true),
        Ok(_) => Err(foreign()),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => Err(foreign()),
        Err(source) => Err(StateError::Sqlite {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Makes the changes that the file does not have, all or none.
pub(super) fn apply(
    connection: &mut Connection,
    path: &Path,
    is_new: bool,
) -> Result<(), StateError> {
    let failed = |source| StateError::Sqlite {
        path: path.to_owned(),
        source,
    };
    let known = || {
        if is_new {
            return Ok(BTreeSet::new());
        }
        let mut statement = connection.prepare("SELECT name FROM migrations")?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    let known: BTreeSet<String> = known().map_err(failed)?;
    if let Some(later) = known
        .iter()
        .find(|name| MIGRATIONS.iter().all(|migration| migration.name != *name))
    {
        return Err(StateError::Newer {
            path: path.to_owned(),
            migration: later.clone(),
        });
    }
    let missing: Vec<_> = MIGRATIONS
        .iter()
        .filter(|migration| !known.contains(migration.name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let change = || {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(
            "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY) STRICT",
        )?;
        transaction.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}"))?;
        for migration in missing {
            transaction.execute_batch(migration.sql)?;
            transaction.execute("INSERT INTO migrations VALUES (?1)", [migration.name])?;
        }
        transaction.commit()
    };
    change().map_err(failed)
}
