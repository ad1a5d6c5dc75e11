//! Reads: settled rows from the tables by lead, later ones from memory. What is settled is asked
//! first, so that rows that move meanwhile are seen once.

use std::collections::BTreeSet;
use std::sync::Arc;

use leadscore_core::Timestamp;

use crate::error::StoreError;
use crate::event::{Entity, StoredEvent};
use crate::keeper::Place;
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
    let before = before.micros();
    let (seen, recent) = {
        let visible = shared.visible();
        let recent = visible.recent.of_entity(&entity.key()).to_vec();
        (visible.seen(), recent)
    };
    let mut events = shared.reads.of_entity(entity, &seen, before)?;
    for row in recent {
        if row.recorded < before {
            let table = seen.table(row.table).expect("tables of rows are known");
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

/// All events of a table that were recorded before a moment, by entity, then (at, seq).
pub(crate) fn scan(
    shared: &Shared,
    table: &str,
    before: Timestamp,
    mut each: impl FnMut(StoredEvent),
) -> Result<(), StoreError> {
    let before = before.micros();
    let (id, seen, mut recent) = {
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
        (id, visible.seen(), recent)
    };
    recent.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
    let mut recent = recent.into_iter().peekable();
    let mut place = Place {
        at: i64::MIN,
        ..Place::default()
    };
    loop {
        let chunk = shared.reads.chunk(id, &seen, &place, CHUNK)?;
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

/// At most `limit` events with numbers above `seq`, by number.
pub(crate) fn since(
    shared: &Shared,
    seq: u64,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let (seen, recent) = {
        let visible = shared.visible();
        let recent: Vec<Arc<Row>> = visible.recent.since(seq).take(limit).cloned().collect();
        (visible.seen(), recent)
    };
    let mut events = shared.reads.since(seq, &seen, limit)?;
    for row in recent {
        if events.len() == limit {
            break;
        }
        let table = seen.table(row.table).expect("tables of rows are known");
        events.push(stored_of(&row, table)?);
    }
    Ok(events)
}

/// Entities of the kind of `prefix` whose ID or key starts with that of `prefix`, in order.
pub(crate) fn entities(shared: &Shared, prefix: &Entity) -> Result<Vec<Entity>, StoreError> {
    let prefix = prefix.key();
    let (seen, mut keys) = {
        let visible = shared.visible();
        let keys: BTreeSet<String> = visible
            .recent
            .entities()
            .filter(|key| key.starts_with(&prefix))
            .map(|key| key.as_ref().to_owned())
            .collect();
        (visible.seen(), keys)
    };
    keys.extend(shared.reads.entities(&prefix, &seen)?);
    Ok(keys.iter().filter_map(|key| Entity::of_key(key)).collect())
}
