//! The only thread that writes: it puts the events of many calls into one commit, and tells each
//! caller once they are durable.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::door::{Prepared, refused};
use crate::error::StoreError;
use crate::event::Appended;
use crate::keeper::Keep;
use crate::moments::RESERVED_MICROS;
use crate::options::StoreOptions;
use crate::queue::{Done, Job, Queue, Taken};
use crate::recent::{FORGOTTEN, IdHash, Row};
use crate::shared::Shared;

/// Events in one commit: enough that fsync costs little for each.
const MAX_GROUP: usize = 4_096;
/// A queue that was empty for so long is idle.
const IDLE: Duration = Duration::from_millis(5);

pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) options: StoreOptions,
    pub(crate) keeper: Box<dyn Keep>,
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
        loop {
            let patience = if self.keeper.wants_rest() {
                IDLE
            } else {
                Duration::from_millis(500)
            };
            let not_before = last_commit + self.options.commit_every;
            match self.queue.take(MAX_GROUP, not_before, patience) {
                Taken::Jobs(jobs) => {
                    last_commit = Instant::now();
                    self.work(jobs);
                    self.keeper.relieve(last_commit.elapsed());
                }
                Taken::Nothing => self.rest(),
                Taken::Closed => break,
            }
        }
        self.end()
    }

    /// Does what there is to do while nobody asks. Where it turns out that nothing was kept of a
    /// commit that was in doubt, moments go on.
    fn rest(&mut self) {
        let was_in_doubt = self.keeper.is_in_doubt();
        self.keeper.rest();
        if was_in_doubt && !self.keeper.is_in_doubt() {
            self.shared.visible().moments.land(None);
        }
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
                    let result = self.keeper.forget(&entity);
                    // Who asked may have given up.
                    drop(done.send(result));
                }
                Job::Settle { done } => {
                    // The callers are told of it.
                    drop(self.commit(std::mem::take(&mut calls), None));
                    drop(done.send(self.keeper.settle_all()));
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
        self.write(planned, first, reserve)
    }

    /// More moments to reserve, where those that are left are few.
    fn renewal(&self, first: i64) -> Option<i64> {
        let reserved = self.shared.visible().moments.reserved()?;
        (first > reserved - RESERVED_MICROS / 2).then(|| first.saturating_add(RESERVED_MICROS))
    }

    /// Finds what is new in each call. Calls that cannot be meant are told so at once.
    fn plan(&mut self, calls: Vec<(Vec<Prepared>, Done)>, first: i64) -> Vec<Planned> {
        let (last_moment, mut known) = {
            let visible = self.shared.visible();
            let mut known = Known::default();
            for event in calls.iter().flat_map(|(events, _)| events) {
                match visible.recent.content(&event.id_hash) {
                    Some(content) => drop(known.contents.insert(event.id_hash, content)),
                    None => known.asked.push(event.id_hash),
                }
            }
            (visible.moments.last_moment(), known)
        };
        match self.keeper.contents(&known.asked) {
            Ok(kept) => known.contents.extend(kept),
            Err(error) => {
                for (_, done) in calls {
                    done.tell(Err(error.clone()));
                }
                return Vec::new();
            }
        }
        let mut planned = Vec::with_capacity(calls.len());
        for (events, done) in calls {
            let found = check_imported(&events, last_moment, first)
                .and_then(|()| find_new(events, &mut known.contents));
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
            self.keeper.insert(&rows, &tables.new, reserve)
        };
        {
            let mut visible = self.shared.visible();
            if result.is_ok() {
                let last_recorded = rows.iter().map(|row| row.recorded).max();
                visible.last_seq += rows.len() as u64;
                visible.tables.append(&mut tables.new);
                if self.keeper.is_read_from_memory() {
                    for row in rows {
                        visible.recent.push(row);
                    }
                } else {
                    visible.settled_seq = visible.last_seq;
                    visible.n_settled += rows.len() as u64;
                }
                visible.moments.land(last_recorded);
                if let Some(upto) = reserve {
                    visible.moments.reserve(upto);
                }
            } else if !self.keeper.is_in_doubt() {
                visible.moments.land(None);
            }
        }
        for (done, appended) in ends {
            done.tell(result.clone().map(|()| appended));
        }
        result
    }

    /// Keeps the latest moment, so that the next start need not be careful.
    fn end(self) -> Result<(), StoreError> {
        let last_moment = self.shared.visible().moments.last_moment();
        self.keeper.end(last_moment)
    }
}

/// What is known of the IDs of some calls.
#[derive(Default)]
struct Known {
    /// Contents by ID, of those that the store has.
    contents: HashMap<IdHash, i64>,
    /// IDs that are not in memory.
    asked: Vec<IdHash>,
}

/// The events of a call that the store does not have, and how many it has. The new ones are known
/// to later calls of the same commit.
fn find_new(
    events: Vec<Prepared>,
    known: &mut HashMap<IdHash, i64>,
) -> Result<(Vec<Prepared>, usize), StoreError> {
    let n_events = events.len();
    let mut own: HashMap<IdHash, i64> = HashMap::with_capacity(n_events);
    let mut new = Vec::with_capacity(n_events);
    for event in events {
        let hash = &event.id_hash;
        match own.get(hash).or_else(|| known.get(hash)).copied() {
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
    known.extend(own);
    let n_duplicates = n_events - new.len();
    Ok((new, n_duplicates))
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
