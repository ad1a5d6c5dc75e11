//! Removes everything that is known of an entity, and proves it by the bytes of the file.

use std::collections::HashSet;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::StoreError;
use crate::keeper::Removed;
use crate::recent::{FORGOTTEN, IdHash, hash_of_id};
use crate::settle::Settler;
use crate::shared::Shared;

/// Removes all events of an entity, on the writer's thread. The hashes of their IDs stay, without
/// what tells one content from another, so that a replay of the same events is not taken in.
pub(crate) fn remove(
    connection: &mut Connection,
    shared: &Shared,
    settler: &mut Settler,
    entity: &str,
) -> Result<Removed, StoreError> {
    settler.cancel();
    while settler.is_draining() {
        settler.step(connection, shared, std::time::Duration::ZERO)?;
    }
    let (n_tables, settled_seq, last_seq, last_recorded) = {
        let visible = shared.visible();
        (
            visible.tables.len(),
            visible.settled_seq,
            visible.last_seq,
            visible.moments.last_recorded(),
        )
    };
    let mut delete = || -> rusqlite::Result<(usize, u64)> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut ids: HashSet<IdHash> = HashSet::new();
        let mut n_settled = 0;
        {
            let mut take = |sql: &str, table: Option<usize>| -> rusqlite::Result<()> {
                let mut statement = transaction.prepare(sql)?;
                let mut rows = match table {
                    Some(table) => statement.query((entity, table as u64 as i64))?,
                    None => statement.query([entity])?,
                };
                while let Some(row) = rows.next()? {
                    let id: String = row.get(0)?;
                    let is_settled = row.get::<_, i64>(1)?.cast_unsigned() <= settled_seq;
                    if ids.insert(hash_of_id(&shared.salt, &id)) && is_settled {
                        n_settled += 1;
                    }
                }
                Ok(())
            };
            for table in 1..=n_tables {
                take(
                    "DELETE FROM settled WHERE entity = ?1 AND table_id = ?2 RETURNING id, seq",
                    Some(table),
                )?;
            }
            take("DELETE FROM log WHERE entity = ?1 RETURNING id, seq", None)?;
        }
        for id in &ids {
            transaction.execute(
                "INSERT OR REPLACE INTO ids (id, content) VALUES (?1, ?2)",
                (id.as_slice(), FORGOTTEN),
            )?;
        }
        // Numbers and times go on from here, even if the last events are gone.
        transaction.execute(
            "UPDATE state SET n_settled = n_settled - ?1, last_seq = ?2, last_recorded = ?3",
            (n_settled as i64, last_seq.cast_signed(), last_recorded),
        )?;
        transaction.commit()?;
        Ok((ids.len(), n_settled))
    };
    let (n_events, n_settled) =
        delete().map_err(|error| StoreError::of_sqlite(&shared.path, error))?;
    let mut visible = shared.visible();
    visible.recent.forget(entity);
    visible.n_settled -= n_settled;
    Ok(Removed { n_events })
}
