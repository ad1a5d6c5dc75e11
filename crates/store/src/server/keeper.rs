//! The side that writes to a server: it reconnects when the connection breaks, finds out what of a
//! commit in doubt was kept, and writes no more once another process has taken over.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::address::ServerAddress;
use super::schema;
use super::session::{Purpose, Session, is_of_connection, of_postgres, shown};
use crate::error::{ServerFailure, StoreError};
use crate::keeper::{Keep, Removed};
use crate::recent::{FORGOTTEN, IdHash, Row};
use crate::shared::Shared;

/// For how long callers wait for a connection that broke: a server that is restarted is back by
/// then. Later, they are told at once that it is away.
const PATIENCE: Duration = Duration::from_secs(5);
/// How far apart connections are tried.
const BACKOFF: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(50)..=Duration::from_secs(2);

/// All of a commit; nothing, where this process is not the one that writes.
const INSERT: &str = "WITH mine AS (UPDATE state SET last_seq = greatest(last_seq, $2::bigint), \
    last_recorded = greatest(last_recorded, $3::bigint), n_events = n_events + $4::bigint, \
    reserved = CASE WHEN $5::bigint IS NULL THEN reserved ELSE greatest(reserved, $5::bigint) END \
    WHERE writer = $1 RETURNING one), \
  new_tables AS (INSERT INTO tables SELECT t.id, t.name \
    FROM mine, unnest($6::bigint[], $7::text[]) AS t (id, name)), \
  new_ids AS (INSERT INTO ids SELECT i.id, i.content \
    FROM mine, unnest($8::bytea[], $9::bigint[]) AS i (id, content)), \
  new_events AS (INSERT INTO events SELECT e.* FROM mine, unnest($10::bigint[], $11::text[], \
    $12::bigint[], $13::text[], $14::bigint[], $15::bigint[], $16::text[]) AS e) \
  SELECT count(*) FROM mine";

/// All events after the last one that is known, and what came with them.
const UNDO: &str = "WITH mine AS (UPDATE state SET last_seq = $2, n_events = $3 \
    WHERE writer = $1 RETURNING one), \
  no_events AS (DELETE FROM events USING mine WHERE events.seq > $2), \
  no_ids AS (DELETE FROM ids USING mine WHERE ids.id = ANY($4)), \
  no_tables AS (DELETE FROM tables USING mine WHERE tables.id > $5) \
  SELECT count(*) FROM mine";

/// All events of an entity. The hash of an ID is made as `hash_of_id` does it.
const FORGET: &str = "WITH gone AS (DELETE FROM events \
    WHERE table_id IN (SELECT id FROM tables) AND entity = $2 \
    AND EXISTS (SELECT FROM state WHERE writer = $1) RETURNING id), \
  known AS (UPDATE ids SET content = $3 FROM gone, state \
    WHERE ids.id = substr(sha256(salt || convert_to(gone.id, 'UTF8')), 1, 16)) \
  UPDATE state SET n_events = n_events - (SELECT count(*) FROM gone) \
  WHERE writer = $1 RETURNING n_events";

/// The side that writes.
pub(crate) struct ServerKeeper {
    address: ServerAddress,
    shared: Arc<Shared>,
    /// The name by which the server knows the process that writes.
    writer: String,
    state: State,
    doubt: Option<Doubt>,
    asked: Instant,
}

enum State {
    Connected {
        session: Box<Session>,
        backend: Backend,
    },
    /// Since when, when it is tried again, and how long it waits then.
    Away {
        since: Instant,
        again: Instant,
        backoff: Duration,
        backend: Backend,
    },
    /// Another process writes.
    TakenOver,
}

/// The process of the server that serves a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Backend {
    pid: i32,
    began: i64,
}

/// Rows of which nobody knows yet whether they are kept.
struct Doubt {
    last_seq: u64,
    ids: Vec<IdHash>,
    /// Whether they are, once it is known.
    is_kept: Option<bool>,
    /// Whether callers were told that nothing was kept.
    is_denied: bool,
}

/// Becomes the process that writes, and gives the name by which the server knows it. The lock is
/// held, so that an earlier one has ended; should it come back, its commits find another name.
pub(super) fn take_over(
    session: &mut Session,
    address: &ServerAddress,
) -> Result<String, StoreError> {
    let rows = session
        .query(
            "UPDATE state SET writer = gen_random_uuid()::text RETURNING writer",
            &[],
        )
        .map_err(|error| of_postgres(address, &error))?;
    let row = rows.first().ok_or_else(|| StoreError::Missing {
        path: shown(address),
    })?;
    Ok(row.get(0))
}

impl Backend {
    fn of(session: &mut Session) -> Result<Self, postgres::Error> {
        let rows = session.query(
            "SELECT pid, (extract(epoch FROM backend_start) * 1000000)::bigint \
             FROM pg_stat_activity WHERE pid = pg_backend_pid()",
            &[],
        )?;
        let row = rows.first();
        Ok(Self {
            pid: row.map_or(0, |row| row.get(0)),
            began: row.map_or(0, |row| row.get(1)),
        })
    }

    /// Ends it, if it is still there: a connection that broke on our side alone keeps the lock.
    fn end(&self, session: &mut Session) -> Result<(), postgres::Error> {
        session.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 \
             AND (extract(epoch FROM backend_start) * 1000000)::bigint = $2",
            &[&self.pid, &self.began],
        )?;
        Ok(())
    }
}

impl ServerKeeper {
    pub(super) fn new(
        address: ServerAddress,
        shared: Arc<Shared>,
        mut session: Session,
        writer: String,
    ) -> Result<Self, StoreError> {
        let backend = Backend::of(&mut session).map_err(|error| of_postgres(&address, &error))?;
        Ok(Self {
            address,
            shared,
            writer,
            state: State::Connected {
                session: Box::new(session),
                backend,
            },
            doubt: None,
            asked: Instant::now(),
        })
    }

    /// The session, connected anew where it broke, and the name that the server has to know. Callers
    /// wait for it for a while.
    fn session(&mut self) -> Result<(&mut Session, &str), StoreError> {
        self.note_break();
        loop {
            match &self.state {
                State::Connected { .. } => break,
                State::TakenOver => return Err(self.taken_over()),
                State::Away { since, again, .. } => {
                    let now = Instant::now();
                    let wait = again.saturating_duration_since(now);
                    if !wait.is_zero() {
                        if now + wait > *since + PATIENCE {
                            return Err(self.unreachable("it does not answer yet"));
                        }
                        std::thread::sleep(wait);
                    }
                    let is_patient = *since + PATIENCE > Instant::now();
                    if let Err(error) = self.reconnect()
                        && !is_patient
                    {
                        return Err(error);
                    }
                }
            }
        }
        match &mut self.state {
            State::Connected { session, .. } => Ok((session, &self.writer)),
            State::Away { .. } | State::TakenOver => Err(StoreError::Closed),
        }
    }

    /// Notes that the connection broke, if it did.
    fn note_break(&mut self) {
        if let State::Connected { session, .. } = &self.state
            && session.is_closed()
        {
            self.break_off();
        }
    }

    /// Gives up the connection, whatever it is in.
    fn break_off(&mut self) {
        if let State::Connected { backend, .. } = &self.state {
            let now = Instant::now();
            self.state = State::Away {
                since: now,
                again: now,
                backoff: *BACKOFF.start(),
                backend: backend.clone(),
            };
        }
    }

    /// One attempt.
    fn reconnect(&mut self) -> Result<(), StoreError> {
        let State::Away {
            since,
            backoff,
            backend,
            ..
        } = &self.state
        else {
            return Ok(());
        };
        let (since, backoff, backend) = (*since, *backoff, backend.clone());
        let result = self.resume(&backend);
        match result {
            Ok((session, backend)) => {
                self.state = State::Connected {
                    session: Box::new(session),
                    backend,
                };
                Ok(())
            }
            Err(error) => {
                if matches!(error, StoreError::TakenOver { .. }) {
                    self.state = State::TakenOver;
                } else {
                    self.state = State::Away {
                        since,
                        again: Instant::now() + backoff,
                        backoff: (backoff * 2).min(*BACKOFF.end()),
                        backend,
                    };
                }
                Err(error)
            }
        }
    }

    /// Connects, becomes the one that writes again if nobody else was meanwhile, and finds out what
    /// was kept.
    fn resume(&mut self, earlier: &Backend) -> Result<(Session, Backend), StoreError> {
        let address = self.address.clone();
        let error = |error| of_postgres(&address, &error);
        let mut session = Session::connect(&self.address, Purpose::Write)?;
        if !schema::lock(&mut session, &self.address)? {
            let held = self.is_writer(&mut session)?;
            if held.is_none() {
                return Err(self.taken_over());
            }
            earlier.end(&mut session).map_err(error)?;
            return Err(self.unreachable("another connection has the lock of the store"));
        }
        // With the lock, an earlier connection has ended, and what it began with it.
        let Some(last_seq) = self.is_writer(&mut session)? else {
            return Err(self.taken_over());
        };
        self.resolve(&mut session, last_seq)?;
        let backend = Backend::of(&mut session).map_err(error)?;
        Ok((session, backend))
    }

    /// The number of the last event, if the server still knows this process as the one that writes.
    fn is_writer(&self, session: &mut Session) -> Result<Option<u64>, StoreError> {
        let rows = session
            .query(
                "SELECT last_seq FROM state WHERE writer = $1",
                &[&self.writer],
            )
            .map_err(|error| of_postgres(&self.address, &error))?;
        Ok(rows.first().map(|row| row.get::<_, i64>(0).cast_unsigned()))
    }

    /// Finds out whether rows in doubt are kept. Those of which callers were told that they are not
    /// are removed, before anybody sees them.
    fn resolve(&mut self, session: &mut Session, last_seq: u64) -> Result<(), StoreError> {
        let known_seq = self.shared.visible().last_seq;
        let taken_over = self.taken_over();
        let Some(doubt) = &mut self.doubt else {
            return if last_seq == known_seq {
                Ok(())
            } else {
                Err(taken_over)
            };
        };
        if last_seq != known_seq && last_seq != doubt.last_seq {
            return Err(taken_over);
        }
        let is_kept = last_seq != known_seq;
        doubt.is_kept = Some(is_kept);
        if doubt.is_denied {
            if is_kept {
                let ids: Vec<&[u8]> = doubt.ids.iter().map(<[u8; 16]>::as_slice).collect();
                undo(session, &self.writer, &self.shared, &ids)
                    .map_err(|error| of_postgres(&self.address, &error))?;
            }
            self.doubt = None;
        }
        Ok(())
    }

    fn taken_over(&self) -> StoreError {
        StoreError::TakenOver {
            path: shown(&self.address),
        }
    }

    fn unreachable(&self, why: &str) -> StoreError {
        StoreError::Unreachable {
            path: shown(&self.address),
            source: Arc::new(ServerFailure::new(why.to_owned())),
        }
    }

    /// Runs statements, on a connection that is made anew if it turns out to be broken: twice has to
    /// be as good as once.
    fn run<T>(
        &mut self,
        mut body: impl FnMut(&mut Session, &str) -> Result<T, postgres::Error>,
    ) -> Result<T, StoreError> {
        loop {
            let (session, writer) = self.session()?;
            match body(session, writer) {
                Ok(done) => return Ok(done),
                Err(error) if is_of_connection(&error) => self.break_off(),
                Err(error) => return Err(of_postgres(&self.address, &error)),
            }
        }
    }
}

impl Keep for ServerKeeper {
    fn contents(&mut self, ids: &[IdHash]) -> Result<HashMap<IdHash, i64>, StoreError> {
        let ids: Vec<&[u8]> = ids.iter().map(<[u8; 16]>::as_slice).collect();
        let rows = self.run(|session, _| {
            session.query("SELECT id, content FROM ids WHERE id = ANY($1)", &[&ids])
        })?;
        Ok(rows
            .iter()
            .filter_map(|row| Some((row.get::<_, &[u8]>(0).try_into().ok()?, row.get(1))))
            .collect())
    }

    fn insert(
        &mut self,
        rows: &[Row],
        new_tables: &[Arc<str>],
        reserve: Option<i64>,
    ) -> Result<(), StoreError> {
        let n_tables = self.shared.visible().tables.len();
        loop {
            if let Err(error) = self.session() {
                if let Some(doubt) = &mut self.doubt {
                    doubt.is_denied = true;
                }
                return Err(error);
            }
            // Nothing but rows of this call can be in doubt where there is a session.
            if let Some(doubt) = self.doubt.take()
                && doubt.is_kept == Some(true)
            {
                return Ok(());
            }
            let (session, writer) = self.session()?;
            match insert(session, writer, rows, (n_tables, new_tables), reserve) {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    self.state = State::TakenOver;
                    return Err(self.taken_over());
                }
                Err(error) if is_of_connection(&error) => {
                    self.doubt = rows.last().map(|last| Doubt {
                        last_seq: last.seq,
                        ids: rows.iter().map(|row| row.id_hash).collect(),
                        is_kept: None,
                        is_denied: false,
                    });
                    self.break_off();
                }
                Err(error) => return Err(of_postgres(&self.address, &error)),
            }
        }
    }

    fn is_in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    fn is_read_from_memory(&self) -> bool {
        false
    }

    fn forget(&mut self, entity: &str) -> Result<Removed, StoreError> {
        if entity.contains('\0') {
            return Ok(Removed { n_events: 0 });
        }
        let mut n_events = 0;
        let n_left = self.run(|session, writer| {
            let tables = "SELECT count(*) FROM events \
                 WHERE table_id IN (SELECT id FROM tables) AND entity = $1";
            let rows = session.query(tables, &[&entity])?;
            n_events = n_events.max(rows.first().map_or(0, |row| row.get::<_, i64>(0)));
            // The hashes of their IDs stay, without what tells one content from another.
            let rows = session.query(FORGET, &[&writer, &entity, &FORGOTTEN])?;
            Ok(rows.first().map(|row| row.get::<_, i64>(0)))
        })?;
        let Some(n_left) = n_left else {
            self.state = State::TakenOver;
            return Err(self.taken_over());
        };
        self.shared.visible().n_settled = n_left.cast_unsigned();
        Ok(Removed {
            n_events: usize::try_from(n_events).unwrap_or(0),
        })
    }

    fn settle_all(&mut self) -> Result<(), StoreError> {
        // Everything has its place when it comes in.
        Ok(())
    }

    fn wants_rest(&self) -> bool {
        false
    }

    fn rest(&mut self) {
        match &mut self.state {
            State::Connected { session, .. } => {
                if self.asked.elapsed() >= PATIENCE {
                    self.asked = Instant::now();
                    if !session.is_alive() {
                        self.break_off();
                    }
                }
            }
            State::Away { again, .. } => {
                if *again <= Instant::now() {
                    // The next caller, or the next rest, tries again and is told why it fails.
                    drop(self.reconnect());
                }
            }
            State::TakenOver => {}
        }
    }

    fn relieve(&mut self, _: Duration) {}

    fn end(mut self: Box<Self>, last_moment: Option<i64>) -> Result<(), StoreError> {
        let kept = self.run(|session, writer| {
            let rows = session.query(
                "UPDATE state SET reserved = $2 WHERE writer = $1 RETURNING one",
                &[&writer, &last_moment],
            )?;
            // The server notices the end of a connection when it likes.
            session.query("SELECT pg_advisory_unlock_all()", &[])?;
            Ok(rows)
        });
        self.shared.reads.close_idle();
        match kept {
            Ok(rows) if rows.is_empty() => Err(self.taken_over()),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// One statement: durable when it returns; false where another process writes.
fn insert(
    session: &mut Session,
    writer: &str,
    rows: &[Row],
    (n_tables, new_tables): (usize, &[Arc<str>]),
    reserve: Option<i64>,
) -> Result<bool, postgres::Error> {
    let last_seq = rows.last().map_or(0, |row| row.seq.cast_signed());
    let last_recorded = rows.iter().map(|row| row.recorded).max();
    let n_rows = rows.len() as i64;
    let table_ids: Vec<i64> = (n_tables as i64 + 1..).take(new_tables.len()).collect();
    let names: Vec<&str> = new_tables.iter().map(|name| &**name).collect();
    let hashes: Vec<&[u8]> = rows.iter().map(|row| row.id_hash.as_slice()).collect();
    let contents: Vec<i64> = rows.iter().map(|row| row.content).collect();
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq.cast_signed()).collect();
    let ids: Vec<&str> = rows.iter().map(|row| &*row.id).collect();
    let tables: Vec<i64> = rows.iter().map(|row| row.table).collect();
    let entities: Vec<&str> = rows.iter().map(|row| &*row.entity).collect();
    let ats: Vec<i64> = rows.iter().map(|row| row.at).collect();
    let recorded: Vec<i64> = rows.iter().map(|row| row.recorded).collect();
    let texts: Vec<&str> = rows.iter().map(|row| &*row.row).collect();
    let found = session.query(
        INSERT,
        &[
            &writer,
            &last_seq,
            &last_recorded,
            &n_rows,
            &reserve,
            &table_ids,
            &names,
            &hashes,
            &contents,
            &seqs,
            &ids,
            &tables,
            &entities,
            &ats,
            &recorded,
            &texts,
        ],
    )?;
    Ok(found.first().is_some_and(|row| row.get::<_, i64>(0) == 1))
}

/// Removes rows that were kept without anybody's knowing.
fn undo(
    session: &mut Session,
    writer: &str,
    shared: &Shared,
    ids: &[&[u8]],
) -> Result<(), postgres::Error> {
    let (last_seq, n_events, n_tables) = {
        let visible = shared.visible();
        (
            visible.last_seq.cast_signed(),
            visible.n_settled.cast_signed(),
            visible.tables.len() as i64,
        )
    };
    session.query(UNDO, &[&writer, &last_seq, &n_events, &ids, &n_tables])?;
    Ok(())
}
