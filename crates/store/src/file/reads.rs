//! Reads of a file.

use std::path::Path;

use leadscore_core::Timestamp;

use super::pool::Pool;
use crate::backup;
use crate::error::StoreError;
use crate::event::{Entity, StoredEvent};
use crate::keeper::{Place, Read, Seen};
use crate::traces;

/// Reads of a file.
pub(super) struct FileReads(pub(super) Pool);

impl Read for FileReads {
    fn of_entity(
        &self,
        entity: &Entity,
        seen: &Seen,
        before: i64,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let key = entity.key();
        self.0.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT at, seq, id, recorded, row FROM settled \
                 WHERE table_id = ?1 AND entity = ?2 AND seq <= ?3 AND recorded < ?4",
            )?;
            let mut events = Vec::new();
            for (table, id) in seen.tables.iter().zip(1_i64..) {
                let mut rows = statement.query((id, &*key, seen.upto.cast_signed(), before))?;
                while let Some(row) = rows.next()? {
                    events.push(StoredEvent {
                        at: Timestamp::from_micros(row.get(0)?),
                        seq: row.get::<_, i64>(1)?.cast_unsigned(),
                        id: row.get(2)?,
                        recorded: Timestamp::from_micros(row.get(3)?),
                        row: row.get(4)?,
                        table: table.as_ref().to_owned(),
                        entity: entity.clone(),
                    });
                }
            }
            Ok(events)
        })
    }

    fn chunk(
        &self,
        table: i64,
        seen: &Seen,
        place: &Place,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.0.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT entity, at, seq, id, recorded, row, table_id FROM settled \
                 WHERE table_id = ?1 AND (entity, at, seq) > (?2, ?3, ?4) AND seq <= ?5 \
                 ORDER BY entity, at, seq LIMIT ?6",
            )?;
            let rows = statement.query_map(
                (
                    table,
                    &place.entity,
                    place.at,
                    place.seq,
                    seen.upto.cast_signed(),
                    as_limit(limit),
                ),
                |row| read_row(row, seen),
            )?;
            rows.collect()
        })
    }

    fn since(&self, seq: u64, seen: &Seen, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        self.0.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT entity, at, seq, id, recorded, row, table_id FROM settled \
                 INDEXED BY settled_by_seq WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3",
            )?;
            let rows = statement.query_map(
                (seq.cast_signed(), seen.upto.cast_signed(), as_limit(limit)),
                |row| read_row(row, seen),
            )?;
            rows.collect()
        })
    }

    fn entities(&self, prefix: &str, seen: &Seen) -> Result<Vec<String>, StoreError> {
        self.0.read(|connection| {
            // From each entity to the next one, without the events between.
            let mut statement = connection.prepare_cached(
                "SELECT entity FROM settled WHERE table_id = ?1 AND entity >= ?2 ORDER BY entity LIMIT 1",
            )?;
            let mut keys = Vec::new();
            for table in 1..=seen.tables.len() {
                let mut from = prefix.to_owned();
                loop {
                    let mut rows = statement.query((table as i64, &from))?;
                    let Some(row) = rows.next()? else { break };
                    let key: String = row.get(0)?;
                    if !key.starts_with(prefix) {
                        break;
                    }
                    // The least text that is greater.
                    from.clone_from(&key);
                    from.push('\0');
                    keys.push(key);
                }
            }
            Ok(keys)
        })
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        backup::check(&self.0)
    }

    fn backup(&self, path: &Path) -> Result<(), StoreError> {
        backup::backup(&self.0, path)
    }

    fn remove_traces(&self, entity: &Entity) -> Result<Option<usize>, StoreError> {
        traces::remove(&self.0, entity)
    }

    fn close_idle(&self) {
        self.0.close_idle();
    }
}

fn as_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A row of `entity, at, seq, id, recorded, row, table_id`.
fn read_row(row: &rusqlite::Row<'_>, seen: &Seen) -> rusqlite::Result<StoredEvent> {
    let table: i64 = row.get(6)?;
    let table = seen
        .table(table)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(6, table))?;
    Ok(StoredEvent {
        entity: read_entity(row, 0)?,
        at: Timestamp::from_micros(row.get(1)?),
        seq: row.get::<_, i64>(2)?.cast_unsigned(),
        id: row.get(3)?,
        recorded: Timestamp::from_micros(row.get(4)?),
        row: row.get(5)?,
        table: table.as_ref().to_owned(),
    })
}

fn read_entity(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Entity> {
    let key = row.get_ref(column)?.as_str()?;
    Entity::of_key(key).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            format!("`{key}` is no entity").into(),
        )
    })
}
