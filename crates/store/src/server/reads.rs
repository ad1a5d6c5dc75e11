//! Reads of a server, by connections that are kept for the next one.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use leadscore_core::Timestamp;
use postgres::Row;

use super::address::ServerAddress;
use super::session::{Purpose, Session, is_of_connection, of_postgres, shown};
use crate::error::StoreError;
use crate::event::{Entity, StoredEvent};
use crate::keeper::{Place, Read, Seen};
use crate::traces::MIN_ID;

/// Reads of a server.
pub(crate) struct ServerReads {
    address: ServerAddress,
    idle: Mutex<Vec<Session>>,
}

impl ServerReads {
    pub(super) fn new(address: ServerAddress) -> Self {
        Self {
            address,
            idle: Mutex::default(),
        }
    }

    /// Lends a connection that reads. One that was idle may be broken by now, which is no reason to
    /// fail.
    fn read<T>(
        &self,
        mut body: impl FnMut(&mut Session) -> Result<T, postgres::Error>,
    ) -> Result<T, StoreError> {
        loop {
            let idle = self.idle().pop();
            let was_idle = idle.is_some();
            let mut session = match idle {
                Some(session) => session,
                None => Session::connect(&self.address, Purpose::Read)?,
            };
            match body(&mut session) {
                Ok(found) => {
                    self.idle().push(session);
                    return Ok(found);
                }
                Err(error) if was_idle && is_of_connection(&error) => {}
                Err(error) => return Err(of_postgres(&self.address, &error)),
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn events(&self, rows: &[Row], seen: &Seen) -> Result<Vec<StoredEvent>, StoreError> {
        let event = |row: &Row| -> Option<StoredEvent> {
            Some(StoredEvent {
                entity: Entity::of_key(row.get(0))?,
                at: Timestamp::from_micros(row.get(1)),
                seq: row.get::<_, i64>(2).cast_unsigned(),
                id: row.get(3),
                recorded: Timestamp::from_micros(row.get(4)),
                row: row.get(5),
                table: seen.table(row.get(6))?.as_ref().to_owned(),
            })
        };
        rows.iter()
            .map(|row| {
                event(row).ok_or_else(|| StoreError::Damaged {
                    path: shown(&self.address),
                    seq: row.get::<_, i64>(2).cast_unsigned(),
                })
            })
            .collect()
    }
}

impl Read for ServerReads {
    fn of_entity(
        &self,
        entity: &Entity,
        seen: &Seen,
        before: i64,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let tables: Vec<i64> = (1_i64..).take(seen.tables.len()).collect();
        if has_nul(&entity.key()) {
            return Ok(Vec::new());
        }
        let (key, upto) = (entity.key(), seen.upto.cast_signed());
        let rows = self.read(|session| {
            session.query(
                "SELECT entity, at, seq, id, recorded, \"row\", table_id FROM events \
                 WHERE table_id = ANY($1) AND entity = $2 AND seq <= $3 AND recorded < $4",
                &[&tables, &key, &upto, &before],
            )
        })?;
        self.events(&rows, seen)
    }

    fn chunk(
        &self,
        table: i64,
        seen: &Seen,
        place: &Place,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let (upto, limit) = (seen.upto.cast_signed(), as_limit(limit));
        let rows = self.read(|session| {
            session.query(
                "SELECT entity, at, seq, id, recorded, \"row\", table_id FROM events \
                 WHERE table_id = $1 AND (entity, at, seq) > ($2, $3, $4) AND seq <= $5 \
                 ORDER BY entity, at, seq LIMIT $6",
                &[&table, &place.entity, &place.at, &place.seq, &upto, &limit],
            )
        })?;
        self.events(&rows, seen)
    }

    fn since(&self, seq: u64, seen: &Seen, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let (seq, upto, limit) = (seq.cast_signed(), seen.upto.cast_signed(), as_limit(limit));
        let rows = self.read(|session| {
            session.query(
                "SELECT entity, at, seq, id, recorded, \"row\", table_id FROM events \
                 WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3",
                &[&seq, &upto, &limit],
            )
        })?;
        self.events(&rows, seen)
    }

    fn entities(&self, prefix: &str, seen: &Seen) -> Result<Vec<String>, StoreError> {
        let tables: Vec<i64> = (1_i64..).take(seen.tables.len()).collect();
        if has_nul(prefix) {
            return Ok(Vec::new());
        }
        let upto = seen.upto.cast_signed();
        let rows = self.read(|session| {
            session.query(
                "SELECT DISTINCT entity FROM events WHERE table_id = ANY($1) \
                 AND entity >= $2 AND starts_with(entity, $2) AND seq <= $3",
                &[&tables, &prefix, &upto],
            )
        })?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        // All by one statement, so that they are of one moment.
        let rows = self.read(|session| {
            session.query(
                "SELECT n_events - (SELECT count(*) FROM events), \
                 (SELECT count(*) FROM (SELECT id FROM events GROUP BY id HAVING count(*) > 1) twice), \
                 (SELECT count(*) FROM events) - (SELECT count(*) FROM ids WHERE content <> 0), \
                 (SELECT count(*) FROM events WHERE seq > last_seq), \
                 (SELECT count(*) FROM events e LEFT JOIN tables t ON t.id = e.table_id \
                  WHERE t.id IS NULL) FROM state",
                &[],
            )
        })?;
        let what = [
            "fewer events than were counted",
            "IDs of events that are stored more than once",
            "more events than IDs that are known",
            "events behind the last one",
            "events of tables that are not known",
        ];
        for row in rows {
            for (place, what) in what.iter().enumerate() {
                let n: i64 = row.get(place);
                if n != 0 {
                    found.push(format!("{n} {what}"));
                }
            }
        }
        Ok(found)
    }

    fn backup(&self, _: &Path) -> Result<(), StoreError> {
        Err(StoreError::NoFile {
            path: shown(&self.address),
            schema: self.address.schema().to_owned(),
        })
    }

    fn remove_traces(&self, entity: &Entity) -> Result<Option<usize>, StoreError> {
        // Room of rows that are gone is free for others now. It cannot be done within a
        // transaction, and reads go on.
        let error = |error| of_postgres(&self.address, &error);
        let mut session = Session::connect(&self.address, Purpose::Write)?;
        session.run("VACUUM (ANALYZE) events").map_err(error)?;
        let id = entity.id();
        if id.len() < MIN_ID || has_nul(id) {
            return Ok(None);
        }
        let rows = session
            .query(
                "SELECT count(*) FROM events WHERE strpos(entity, $1) > 0 \
                 OR strpos(id, $1) > 0 OR strpos(\"row\", $1) > 0",
                &[&id],
            )
            .map_err(error)?;
        let n: i64 = rows.first().map_or(0, |row| row.get(0));
        Ok(Some(usize::try_from(n).unwrap_or(usize::MAX)))
    }

    fn close_idle(&self) {
        self.idle().clear();
    }
}

/// Whether no event can have a text.
fn has_nul(text: &str) -> bool {
    text.contains('\0')
}

fn as_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
