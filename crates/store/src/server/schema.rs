//! The schema of a store: its tables, its version, and who may write.

use postgres::error::SqlState;
use sha2::{Digest as _, Sha256};

use super::address::ServerAddress;
use super::session::{Session, of_postgres, shown};
use crate::error::StoreError;

/// Version of the tables. A store of another one is refused.
const VERSION: i32 = 1;
/// What tells a store from other tables of these names.
const MARK: &str = "leadscore event store";

/// Texts are compared byte by byte, as everywhere in the store.
const TABLES: &str = r#"
CREATE TABLE tables (id bigint PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE events (
  seq bigint PRIMARY KEY,
  id text COLLATE "C" NOT NULL,
  table_id bigint NOT NULL,
  entity text COLLATE "C" NOT NULL,
  at bigint NOT NULL,
  recorded bigint NOT NULL,
  "row" text COLLATE "C" NOT NULL
);
CREATE INDEX events_by_entity ON events (table_id, entity, at, seq);
CREATE TABLE ids (id bytea PRIMARY KEY, content bigint NOT NULL);
CREATE TABLE state (
  one integer PRIMARY KEY CHECK (one = 1),
  mark text NOT NULL,
  version integer NOT NULL,
  ready boolean NOT NULL,
  writer text NOT NULL,
  salt bytea NOT NULL,
  reserved bigint,
  last_seq bigint NOT NULL,
  last_recorded bigint NOT NULL,
  n_events bigint NOT NULL
) WITH (fillfactor = 10);
"#;

/// What is in the place of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing; the schema may be there, and is empty.
    Nothing,
    /// A store whose import did not end.
    Unfinished,
    /// A store of this version.
    Store,
}

/// Looks what is there.
pub(super) fn look(session: &mut Session, address: &ServerAddress) -> Result<Found, StoreError> {
    let error = |error| of_postgres(address, &error);
    let rows = session
        .query(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
            &[&address.schema()],
        )
        .map_err(error)?;
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    if names.is_empty() {
        return Ok(Found::Nothing);
    }
    let other = || StoreError::OtherSchema {
        path: shown(address),
    };
    if !["tables", "events", "ids", "state"]
        .iter()
        .all(|name| names.iter().any(|found| found == name))
    {
        return Err(other());
    }
    let state = session.query("SELECT mark, version, ready FROM state", &[]);
    let rows = match state {
        Ok(rows) => rows,
        // It is another table of that name.
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_COLUMN) => return Err(other()),
        Err(failed) => return Err(error(failed)),
    };
    let [row] = rows.as_slice() else {
        return Err(other());
    };
    if row.try_get::<_, String>(0).ok().as_deref() != Some(MARK) {
        return Err(other());
    }
    let found: i32 = row.try_get(1).map_err(error)?;
    if found != VERSION {
        return Err(StoreError::OtherVersion {
            path: shown(address),
            found: found.into(),
            expected: VERSION.into(),
        });
    }
    if row.try_get(2).map_err(error)? {
        Ok(Found::Store)
    } else {
        Ok(Found::Unfinished)
    }
}

/// Makes the tables, and the schema if there is none; all of it or nothing.
pub(super) fn create(
    session: &mut Session,
    address: &ServerAddress,
    ready: bool,
) -> Result<(), StoreError> {
    let schema = address.schema();
    let mut fill = || -> Result<(), postgres::Error> {
        let mut transaction = session.client().transaction()?;
        // An empty schema may have been made for a user who may not make one.
        let is_there = transaction
            .query_opt("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[&schema])?
            .is_some();
        if !is_there {
            transaction.batch_execute(&format!("CREATE SCHEMA \"{schema}\""))?;
        }
        transaction.batch_execute(TABLES)?;
        transaction.execute(
            "INSERT INTO state VALUES (1, $1, $2, $3, '', \
             uuid_send(gen_random_uuid()), NULL, 0, $4, 0)",
            &[
                &MARK,
                &VERSION,
                &ready,
                &leadscore_core::Timestamp::MIN.micros(),
            ],
        )?;
        transaction.commit()
    };
    fill().map_err(|error| {
        let taken = [
            SqlState::DUPLICATE_SCHEMA,
            SqlState::DUPLICATE_TABLE,
            SqlState::UNIQUE_VIOLATION,
        ];
        if error.code().is_some_and(|code| taken.contains(code)) {
            StoreError::SchemaExists {
                path: shown(address),
            }
        } else {
            of_postgres(address, &error)
        }
    })
}

/// Removes what an import left that did not end. The schema stays.
pub(super) fn remove_unfinished(
    session: &mut Session,
    address: &ServerAddress,
) -> Result<(), StoreError> {
    session
        .run("DROP TABLE state, ids, events, tables")
        .map_err(|error| of_postgres(address, &error))
}

/// Locks the store for writing, as long as the session lasts.
pub(super) fn lock(session: &mut Session, address: &ServerAddress) -> Result<bool, StoreError> {
    let rows = session
        .query("SELECT pg_try_advisory_lock($1)", &[&lock_key(address)])
        .map_err(|error| of_postgres(address, &error))?;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}

/// The number of the lock within the database.
pub(super) fn lock_key(address: &ServerAddress) -> i64 {
    let digest = Sha256::new()
        .chain_update(MARK)
        .chain_update(address.schema())
        .finalize();
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    i64::from_le_bytes(bytes)
}
