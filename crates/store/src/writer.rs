//! The only thread that writes: it puts the events of many calls into one commit, and tells each
//! caller once they are durable.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension};

use crate::checkpoint::Checkpointer;
use crate::door::{Prepared, refused};
use crate::error::StoreError;
use crate::event::Appended;
use crate::forget;
use crate::moments::RESERVED_MICROS;
use crate::options::StoreOptions;
use crate::queue::{Done, Job, Queue, Taken};
use crate::recent::{FORGOTTEN, IdHash, Row};
use crate::settle::Settler;
use crate::shared::Shared;

/// Events in one commit: enough that fsync costs little for each.
const MAX_GROUP: usize = 4_096;
/// A queue that was empty for so long is idle.
const IDLE: Duration = Duration::from_millis(5);
/// After a failure to settle, such as on a full disk, it is tried again after this time.
const PAUSE: Duration = Duration::from_secs(1);
/// How long settling may keep callers waiting.
const SLICE: Duration = Duration::from_millis(3);
const MAX_RELIEF: Duration = Duration::from_millis(200);

/// As many recent events are read in about 100 ms at the next start. More are settled at the end,
/// for a while.
const FEW: usize = 65_536;
const LAST_CHANCE: Duration = Duration::from_secs(10);

pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) options: StoreOptions,
    pub(crate) connection: Connection,
    pub(crate) checkpointer: Checkpointer,
    pub(crate) settler: Settler,
}

/// A call of which it is known what is new.
struct Planned {
    new: Vec<Prepared>,
    n_duplicates: usize,
    done: Done,
}

impl Writer {
    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self) -> Result<(), StoreError> {
        let mut last_commit = Instant::now();
        let mut settle_after = Instant::now();
        loop {
            let patience = if self.wants_to_settle(settle_after) {
                IDLE
            } else {
                Duration::from_millis(500)
            };
            let not_before = last_commit + self.options.commit_every;
            match self.queue.take(MAX_GROUP, not_before, patience) {
                Taken::Jobs(jobs) => {
                    last_commit = Instant::now();
                    self.work(jobs);
                    if Instant::now() >= settle_after
                        && self.relieve(last_commit.elapsed()).is_err()
                    {
                        settle_after = Instant::now() + PAUSE;
                    }
                }
                Taken::Nothing => {
                    if self.wants_to_settle(settle_after) && self.settle(SLICE).is_err() {
                        settle_after = Instant::now() + PAUSE;
                    }
                }
                Taken::Closed => break,
            }
        }
        self.end()
    }

    fn wants_to_settle(&self, after: Instant) -> bool {
        Instant::now() >= after
            && (self.settler.is_busy()
                || self.shared.visible().recent.len() >= self.options.settle_from)
    }

    /// Settles for as long as memory fills up: nothing while it is less than half full, then
    /// more the fuller it is, as long as commits take at three quarters; and until there is room
    /// where there is none.
    fn relieve(&mut self, commit: Duration) -> Result<(), StoreError> {
        let begin = Instant::now();
        loop {
            let n_recent = self.shared.visible().recent.weight();
            let fill = n_recent as f64 / self.options.max_recent.max(1) as f64;
            let share = (fill - 0.5).max(0.0) / (1.0 - fill).max(0.02);
            let until = commit.mul_f64(share).min(MAX_RELIEF);
            if fill < 1.25 && begin.elapsed() >= until {
                return Ok(());
            }
            self.settle(SLICE)?;
        }
    }

    /// One slice of settling.
    fn settle(&mut self, slice: Duration) -> Result<(), StoreError> {
        self.settler
            .step(&mut self.connection, &self.shared, slice)?;
        self.checkpointer.after_commit(&self.connection);
        Ok(())
    }

    /// Settles all that is recent now.
    fn settle_all(&mut self) -> Result<(), StoreError> {
        let upto = self.shared.visible().last_seq;
        while self.shared.visible().settled_seq < upto || self.settler.is_busy() {
            self.settle(Duration::from_millis(100))?;
        }
        Ok(())
    }

    /// Does jobs in order; appends beside each other share a commit.
    fn work(&mut self, jobs: Vec<Job>) {
        let mut calls = Vec::new();
        let mut reserve = None;
        let mut waiting = Vec::new();
        for job in jobs {
            match job {
                Job::Append { events, done } => calls.push((events, done)),
                Job::Reserve { upto, done } => {
                    reserve = reserve.max(Some(upto));
                    waiting.push(done);
                }
                Job::Forget { entity, done } => {
                    // The callers are told of it.
                    drop(self.commit(std::mem::take(&mut calls), None));
                    let result = forget::remove(
                        &mut self.connection,
                        &self.shared,
                        &mut self.settler,
                        &entity,
                    );
                    // Who asked may have given up.
                    drop(done.send(result));
                }
                Job::Settle { done } => {
                    // The callers are told of it.
                    drop(self.commit(std::mem::take(&mut calls), None));
                    drop(done.send(self.settle_all()));
                }
            }
        }
        let result = self.commit(calls, reserve);
        for done in waiting {
            drop(done.send(result.clone()));
        }
    }

    /// Commits what is new in calls, and a reservation of moments; tells the callers.
    fn commit(
        &mut self,
        calls: Vec<(Vec<Prepared>, Done)>,
        reserve: Option<i64>,
    ) -> Result<(), StoreError> {
        if calls.is_empty() && reserve.is_none() {
            return Ok(());
        }
        let first = {
            let now = self.shared.now();
            let earliest = calls
                .iter()
                .flat_map(|(events, _)| events)
                .filter_map(|event| event.recorded)
                .min();
            self.shared.visible().moments.take_off(now, earliest)
        };
        let planned = self.plan(calls, first);
        let reserve = reserve.max(self.renewal(first));
        let result = self.write(planned, first, reserve);
        self.checkpointer.after_commit(&self.connection);
        result
    }

    /// More moments to reserve, where those that are left are few.
    fn renewal(&self, first: i64) -> Option<i64> {
        let reserved = self.shared.visible().moments.reserved()?;
        (first > reserved - RESERVED_MICROS / 2).then(|| first.saturating_add(RESERVED_MICROS))
    }

    /// Finds what is new in each call. Calls that cannot be meant are told so at once.
    fn plan(&self, calls: Vec<(Vec<Prepared>, Done)>, first: i64) -> Vec<Planned> {
        let last_moment = self.shared.visible().moments.last_moment();
        let mut seen = HashMap::new();
        let mut planned = Vec::with_capacity(calls.len());
        for (events, done) in calls {
            let found = check_imported(&events, last_moment, first)
                .and_then(|()| self.find_new(events, &mut seen));
            match found {
                Ok((new, n_duplicates)) => planned.push(Planned {
                    new,
                    n_duplicates,
                    done,
                }),
                Err(error) => done.tell(Err(error)),
            }
        }
        planned
    }

    /// The events of a call that the store does not have, and how many it has. `seen` has the new
    /// ones of earlier calls of the same commit.
    fn find_new(
        &self,
        events: Vec<Prepared>,
        seen: &mut HashMap<IdHash, i64>,
    ) -> Result<(Vec<Prepared>, usize), StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT content FROM ids WHERE id = ?1")
            .map_err(|error| self.shared.error(error))?;
        let n_events = events.len();
        let mut own: HashMap<IdHash, i64> = HashMap::with_capacity(n_events);
        let mut new = Vec::with_capacity(n_events);
        for event in events {
            let hash = &event.id_hash;
            let mut known = own.get(hash).or_else(|| seen.get(hash)).copied();
            if known.is_none() {
                known = self.shared.visible().recent.content(hash);
            }
            if known.is_none() {
                known = statement
                    .query_row([hash.as_slice()], |row| row.get(0))
                    .optional()
                    .map_err(|error| self.shared.error(error))?;
            }
            match known {
                None => {
                    own.insert(event.id_hash, event.content);
                    new.push(event);
                }
                Some(content) if content == event.content || content == FORGOTTEN => {}
                Some(_) => {
                    return Err(StoreError::Conflict {
                        id: event.id.into(),
                    });
                }
            }
        }
        seen.extend(own);
        let n_duplicates = n_events - new.len();
        Ok((new, n_duplicates))
    }

    /// Writes planned calls, makes them visible, and tells the callers.
    fn write(
        &mut self,
        planned: Vec<Planned>,
        first: i64,
        reserve: Option<i64>,
    ) -> Result<(), StoreError> {
        let (last_seq, mut tables) = {
            let visible = self.shared.visible();
            (visible.last_seq, Tables::new(&visible.tables))
        };
        let mut ends = Vec::with_capacity(planned.len());
        let mut rows = Vec::new();
        for call in planned {
            let appended = Appended {
                n_new: call.new.len(),
                n_duplicates: call.n_duplicates,
            };
            ends.push((call.done, appended));
            for event in call.new {
                let place = rows.len() as u64;
                rows.push(Row {
                    seq: last_seq + 1 + place,
                    table: tables.id(&event.table),
                    recorded: event.recorded.unwrap_or(first + place.cast_signed()),
                    id: event.id,
                    id_hash: event.id_hash,
                    content: event.content,
                    entity: event.entity,
                    at: event.at,
                    row: event.row,
                });
            }
        }
        let result = if rows.is_empty() && reserve.is_none() {
            Ok(())
        } else {
            insert(&mut self.connection, &rows, &tables.new, reserve)
                .map_err(|error| self.shared.error(error))
        };
        {
            let mut visible = self.shared.visible();
            if result.is_ok() {
                let last_recorded = rows.iter().map(|row| row.recorded).max();
                visible.last_seq += rows.len() as u64;
                visible.tables.append(&mut tables.new);
                for row in rows {
                    visible.recent.push(row);
                }
                visible.moments.land(last_recorded);
                if let Some(upto) = reserve {
                    visible.moments.reserve(upto);
                }
            } else {
                visible.moments.land(None);
            }
        }
        for (done, appended) in ends {
            done.tell(result.clone().map(|()| appended));
        }
        result
    }

    /// Keeps the latest moment, so that the next start need not be careful.
    fn end(mut self) -> Result<(), StoreError> {
        let begin = Instant::now();
        while self.shared.visible().recent.len() > FEW && begin.elapsed() < LAST_CHANCE {
            // What is left stays in the log, and the next start reads it.
            if self.settle(Duration::from_millis(100)).is_err() {
                break;
            }
        }
        let last_moment = self.shared.visible().moments.last_moment();
        let kept = self
            .connection
            .execute("UPDATE state SET reserved = ?1", [last_moment])
            .map(|_| ())
            .map_err(|error| self.shared.error(error));
        drop(self.checkpointer);
        self.shared.close_readers();
        kept
    }
}

/// Fails where an imported event was recorded at a time that a score has seen already, or that is
/// still to come.
fn check_imported(
    events: &[Prepared],
    last_moment: Option<i64>,
    first: i64,
) -> Result<(), StoreError> {
    for (position, event) in events.iter().enumerate() {
        let Some(recorded) = event.recorded else {
            continue;
        };
        if recorded > first {
            return Err(refused(
                position,
                &event.id,
                "was recorded in the future",
                "check the recorded time, or leave it out",
            ));
        }
        if last_moment.is_some_and(|moment| recorded < moment) {
            return Err(refused(
                position,
                &event.id,
                "was recorded before a moment for which there are scores already",
                "import before the first score, or leave out the recorded time",
            ));
        }
    }
    Ok(())
}

/// Numbers of tables while events are planned.
struct Tables {
    ids: HashMap<Arc<str>, i64>,
    new: Vec<Arc<str>>,
}

impl Tables {
    fn new(known: &[Arc<str>]) -> Self {
        Self {
            ids: known.iter().cloned().zip(1..).collect(),
            new: Vec::new(),
        }
    }

    fn id(&mut self, name: &str) -> i64 {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = i64::try_from(self.ids.len() + 1).expect("tables are few");
        let name: Arc<str> = name.into();
        self.ids.insert(Arc::clone(&name), id);
        self.new.push(name);
        id
    }
}

/// One transaction: durable when it returns.
fn insert(
    connection: &mut Connection,
    rows: &[Row],
    new_tables: &[Arc<str>],
    reserve: Option<i64>,
) -> rusqlite::Result<()> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for name in new_tables {
        transaction.execute(
            "INSERT INTO tables (id, name) VALUES ((SELECT count(*) + 1 FROM tables), ?1)",
            [name],
        )?;
    }
    if let Some(upto) = reserve {
        transaction
            .prepare_cached("UPDATE state SET reserved = max(coalesce(reserved, ?1), ?1)")?
            .execute([upto])?;
    }
    {
        let mut statement = transaction.prepare_cached(
            "INSERT INTO log (seq, id, table_id, entity, at, recorded, row) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for row in rows {
            statement.execute((
                row.seq.cast_signed(),
                &*row.id,
                row.table,
                &*row.entity,
                row.at,
                row.recorded,
                &*row.row,
            ))?;
        }
    }
    transaction.commit()
}
