//! Reads: settled rows from the tables by lead, later ones from memory. What is settled is asked
//! first, so that rows that move meanwhile are seen once.

use std::collections::BTreeSet;
use std::sync::Arc;

use leadscore_core::Timestamp;
use rusqlite::Connection;

use crate::error::StoreError;
use crate::event::{Entity, StoredEvent};
use crate::recent::Row;
use crate::shared::Shared;

/// Rows that are read at once by a scan, so that no reader keeps the log from starting over.
const CHUNK: usize = 4_096;

/// All events of an entity that were recorded before a moment, by (at, seq).
pub(crate) fn of_entity(
    shared: &Shared,
    entity: &Entity,
    before: Timestamp,
) -> Result<Vec<StoredEvent>, StoreError> {
    let key = entity.key();
    let before = before.micros();
    let (tables, settled_seq, recent) = {
        let visible = shared.visible();
        (
            visible.tables.clone(),
            visible.settled_seq,
            visible.recent.of_entity(&key).to_vec(),
        )
    };
    let mut events = shared.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT at, seq, id, recorded, row FROM settled \
             WHERE table_id = ?1 AND entity = ?2 AND seq <= ?3 AND recorded < ?4",
        )?;
        let mut events = Vec::new();
        for (table, id) in tables.iter().zip(1_i64..) {
            let mut rows = statement.query((id, &*key, settled_seq.cast_signed(), before))?;
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
    })?;
    for row in recent {
        if row.recorded < before {
            let table =
                &tables[usize::try_from(row.table - 1).expect("tables are numbered from 1")];
            events.push(stored(&row, table, entity.clone()));
        }
    }
    events.sort_by_key(|event| (event.at, event.seq));
    Ok(events)
}

fn stored(row: &Row, table: &str, entity: Entity) -> StoredEvent {
    StoredEvent {
        seq: row.seq,
        id: row.id.as_ref().to_owned(),
        table: table.to_owned(),
        entity,
        at: Timestamp::from_micros(row.at),
        recorded: Timestamp::from_micros(row.recorded),
        row: row.row.as_ref().to_owned(),
    }
}

/// Where a scan is: after the event with this key.
#[derive(Debug, Clone, Default)]
struct Place {
    entity: String,
    at: i64,
    seq: i64,
}

/// All events of a table that were recorded before a moment, by entity, then (at, seq).
pub(crate) fn scan(
    shared: &Shared,
    table: &str,
    before: Timestamp,
    mut each: impl FnMut(StoredEvent),
) -> Result<(), StoreError> {
    let before = before.micros();
    let (id, settled_seq, mut recent) = {
        let visible = shared.visible();
        let Some(id) = visible.table_id(table) else {
            return Ok(());
        };
        let recent: Vec<Arc<Row>> = visible
            .recent
            .all()
            .filter(|row| row.table == id && row.recorded < before)
            .cloned()
            .collect();
        (id, visible.settled_seq, recent)
    };
    recent.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
    let mut recent = recent.into_iter().peekable();
    let mut place = Place {
        at: i64::MIN,
        ..Place::default()
    };
    loop {
        let chunk =
            shared.read(|connection| scan_chunk(connection, id, table, settled_seq, &place))?;
        let n_rows = chunk.len();
        for event in chunk {
            let key = event.entity.key();
            while let Some(row) = recent.next_if(|row| {
                (&*row.entity, row.at, row.seq) < (key.as_str(), event.at.micros(), event.seq)
            }) {
                each(stored_of(&row, table)?);
            }
            place = Place {
                entity: key,
                at: event.at.micros(),
                seq: event.seq.cast_signed(),
            };
            if event.recorded.micros() < before {
                each(event);
            }
        }
        if n_rows < CHUNK {
            break;
        }
    }
    for row in recent {
        each(stored_of(&row, table)?);
    }
    Ok(())
}

fn stored_of(row: &Row, table: &str) -> Result<StoredEvent, StoreError> {
    // Keys of memory were made by `Entity::key`, or read from a log that was.
    let entity = Entity::of_key(&row.entity).expect("the key was made of an entity");
    Ok(stored(row, table, entity))
}

fn scan_chunk(
    connection: &Connection,
    id: i64,
    table: &str,
    settled_seq: u64,
    place: &Place,
) -> rusqlite::Result<Vec<StoredEvent>> {
    let mut statement = connection.prepare_cached(
        "SELECT entity, at, seq, id, recorded, row FROM settled \
         WHERE table_id = ?1 AND (entity, at, seq) > (?2, ?3, ?4) AND seq <= ?5 \
         ORDER BY entity, at, seq LIMIT ?6",
    )?;
    let rows = statement.query_map(
        (
            id,
            &place.entity,
            place.at,
            place.seq,
            settled_seq.cast_signed(),
            CHUNK as i64,
        ),
        |row| read_row(row, table.to_owned()),
    )?;
    rows.collect()
}

/// A row of `entity, at, seq, id, recorded, row`.
fn read_row(row: &rusqlite::Row<'_>, table: String) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        entity: read_entity(row, 0)?,
        at: Timestamp::from_micros(row.get(1)?),
        seq: row.get::<_, i64>(2)?.cast_unsigned(),
        id: row.get(3)?,
        recorded: Timestamp::from_micros(row.get(4)?),
        row: row.get(5)?,
        table,
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

/// At most `limit` events with numbers above `seq`, by number.
pub(crate) fn since(
    shared: &Shared,
    seq: u64,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let (tables, settled_seq, recent) = {
        let visible = shared.visible();
        let recent: Vec<Arc<Row>> = visible.recent.since(seq).take(limit).cloned().collect();
        (visible.tables.clone(), visible.settled_seq, recent)
    };
    let name = |id: i64| -> Option<String> {
        let table = tables.get(usize::try_from(id - 1).ok()?)?;
        Some(table.as_ref().to_owned())
    };
    let mut events: Vec<StoredEvent> = shared.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT entity, at, seq, id, recorded, row, table_id FROM settled \
             INDEXED BY settled_by_seq WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3",
        )?;
        let rows = statement.query_map(
            (
                seq.cast_signed(),
                settled_seq.cast_signed(),
                i64::try_from(limit).unwrap_or(i64::MAX),
            ),
            |row| {
                let id = row.get(6)?;
                let table = name(id).ok_or(rusqlite::Error::IntegralValueOutOfRange(6, id))?;
                read_row(row, table)
            },
        )?;
        rows.collect()
    })?;
    for row in recent {
        if events.len() == limit {
            break;
        }
        let table = name(row.table).expect("tables of rows in memory are known");
        events.push(stored_of(&row, &table)?);
    }
    Ok(events)
}

/// Entities of the kind of `prefix` whose ID or key starts with that of `prefix`, in order.
pub(crate) fn entities(shared: &Shared, prefix: &Entity) -> Result<Vec<Entity>, StoreError> {
    let prefix = prefix.key();
    let (n_tables, mut keys) = {
        let visible = shared.visible();
        let keys: BTreeSet<String> = visible
            .recent
            .entities()
            .filter(|key| key.starts_with(&prefix))
            .map(|key| key.as_ref().to_owned())
            .collect();
        (visible.tables.len(), keys)
    };
    shared.read(|connection| {
        // From each entity to the next one, without the events between.
        let mut statement = connection.prepare_cached(
            "SELECT entity FROM settled WHERE table_id = ?1 AND entity >= ?2 ORDER BY entity LIMIT 1",
        )?;
        for table in 1..=n_tables {
            let mut from = prefix.clone();
            loop {
                let mut rows = statement.query((table as i64, &from))?;
                let Some(row) = rows.next()? else { break };
                let key: String = row.get(0)?;
                if !key.starts_with(&prefix) {
                    break;
                }
                // The least text that is greater.
                from.clone_from(&key);
                from.push('\0');
                keys.insert(key);
            }
        }
        Ok(())
    })?;
    Ok(keys.iter().filter_map(|key| Entity::of_key(key)).collect())
}
