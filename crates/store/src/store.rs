//! The store as others use it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use leadscore_core::Timestamp;

use crate::checkpoint::complete;
use crate::door::prepare;
use crate::error::StoreError;
use crate::event::{Appended, Entity, Forgotten, NewEvent, StoredEvent};
use crate::file::FileKeeper;
use crate::keeper::Keep;
use crate::moments::Moment;
use crate::options::{Clock, StoreOptions};
use crate::place::StorePlace;
use crate::queue::{Done, DoneFn, Job, Queue};
use crate::server::ServerAddress;
use crate::shared::Shared;
use crate::writer::Writer;
use crate::{file, read, schema, server};

/// A durable log of events, each once, with the events of each lead in order.
///
/// Calls may come from several threads at once. One process writes; any number of others may read.
pub struct Store {
    shared: Arc<Shared>,
    /// `None` where the store is open for reading.
    writing: Option<Writing>,
}

struct Writing {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
    /// Whether it is a file, to which nobody else can write meanwhile.
    is_of_file: bool,
    /// Locked as long as the file is open.
    _lock: Option<File>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.shared.path)
            .field("writes", &self.writing.is_some())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Whether there is a file, of whatever kind.
    pub fn exists(path: &Path) -> bool {
        schema::exists(path)
    }

    /// Whether there is a store: of a file, as [`Store::exists`].
    ///
    /// # Errors
    ///
    /// [`StoreError::Unreachable`] and others where a server does not say, and
    /// [`StoreError::OtherSchema`] if the schema has other tables.
    pub fn is_there(place: impl Into<StorePlace>) -> Result<bool, StoreError> {
        match place.into() {
            StorePlace::File(path) => Ok(schema::exists(&path)),
            StorePlace::Server(address) => server::is_there(&address),
        }
    }

    /// Makes a new store and opens it. It appears whole or not at all.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] or [`StoreError::SchemaExists`] if there is one, [`StoreError::Io`],
    /// [`StoreError::ReadOnly`], [`StoreError::Full`], [`StoreError::NoRight`] and others if none
    /// can be made.
    pub fn create(place: impl Into<StorePlace>, options: StoreOptions) -> Result<Self, StoreError> {
        let place = place.into();
        match &place {
            StorePlace::File(path) => schema::create(path)?,
            StorePlace::Server(address) => server::create(address, true)?,
        }
        Self::open(place, options)
    }

    /// Makes a store in PostgreSQL that is not there for others until [`Store::finish`], so that an
    /// import is there whole or not at all. What an import left that did not end is removed.
    ///
    /// # Errors
    ///
    /// As [`Store::create`].
    pub fn create_unfinished(
        address: &ServerAddress,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        server::create(address, false)?;
        Self::open_server(address, options, true)
    }

    /// Closes a store that [`Store::create_unfinished`] made. It is there from now on.
    ///
    /// # Errors
    ///
    /// As [`Store::close`].
    pub fn finish(self, address: &ServerAddress) -> Result<(), StoreError> {
        self.close()?;
        server::finish(address)
    }

    /// Closes a store of a file and moves it to `path`, on the same file system: whole or not at all,
    /// and alone, without a write-ahead log beside it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`] and others where the file cannot take all of the log, and
    /// [`StoreError::Exists`] if there is a file by now. Nothing is at `path` then that was not there.
    pub fn close_as(self, path: &Path) -> Result<(), StoreError> {
        let draft = self.shared.path.clone();
        self.close()?;
        complete(&draft)?;
        schema::publish(&draft, path)
    }

    /// Opens a store for writing and reading.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::NotAStore`], [`StoreError::OtherVersion`],
    /// [`StoreError::Corrupt`], [`StoreError::ReadOnly`], and [`StoreError::InUse`] if another
    /// process writes to it; of a server, [`StoreError::Unreachable`], [`StoreError::Denied`] and
    /// [`StoreError::ServerSetting`], too.
    pub fn open(place: impl Into<StorePlace>, options: StoreOptions) -> Result<Self, StoreError> {
        match place.into() {
            StorePlace::File(path) => Self::open_file(&path, options),
            StorePlace::Server(address) => Self::open_server(&address, options, false),
        }
    }

    fn open_file(path: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        // First what the file is: a lock beside a file that is none would be litter.
        schema::check(path)?;
        let lock = lock(path)?;
        let mut connection = schema::connect(path, schema::Purpose::Write)?;
        let shared = Arc::new(file::load(
            path,
            Arc::clone(&options.clock),
            &mut connection,
        )?);
        let keeper = FileKeeper::new(connection, Arc::clone(&shared), &options)?;
        Self::start(shared, Box::new(keeper), Some(lock), options)
    }

    fn open_server(
        address: &ServerAddress,
        options: StoreOptions,
        unfinished: bool,
    ) -> Result<Self, StoreError> {
        let (shared, keeper) = server::open(address, Arc::clone(&options.clock), unfinished)?;
        Self::start(shared, Box::new(keeper), None, options)
    }

    /// Starts the thread that writes.
    fn start(
        shared: Arc<Shared>,
        keeper: Box<dyn Keep>,
        lock: Option<File>,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::new(options.max_waiting));
        let is_of_file = lock.is_some();
        let writer = Writer {
            shared: Arc::clone(&shared),
            queue: Arc::clone(&queue),
            options,
            keeper,
        };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| StoreError::of_io(&shared.path, error))?;
        Ok(Self {
            shared,
            writing: Some(Writing {
                queue,
                thread: Mutex::new(Some(thread)),
                is_of_file,
                _lock: lock,
            }),
        })
    }

    /// Opens a store for reading, as it is now: what other processes append later is not seen. A
    /// writer may have it open.
    ///
    /// # Errors
    ///
    /// As [`Store::open`], without [`StoreError::InUse`].
    pub fn open_read(place: impl Into<StorePlace>) -> Result<Self, StoreError> {
        let clock: Clock = Arc::new(|| Timestamp::MIN);
        let shared = match place.into() {
            StorePlace::File(path) => {
                let mut connection = schema::connect(&path, schema::Purpose::Read)?;
                file::load(&path, clock, &mut connection)?
            }
            StorePlace::Server(address) => server::open_read(&address, clock)?,
        };
        Ok(Self {
            shared: Arc::new(shared),
            writing: None,
        })
    }

    /// Its file; of a server, what may be told of its address.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    fn writing(&self) -> Result<&Writing, StoreError> {
        self.writing
            .as_ref()
            .ok_or_else(|| StoreError::OpenForReading {
                path: self.shared.path.clone(),
            })
    }

    /// Appends events, all or none of them, and waits until they are durable.
    ///
    /// # Errors
    ///
    /// As [`Store::append_then`].
    pub fn append(&self, events: Vec<NewEvent>) -> Result<Appended, StoreError> {
        let (tell, told) = mpsc::channel();
        // Where the receiver has gone, nobody waits for the answer.
        self.append_then(events, Box::new(move |result| drop(tell.send(result))));
        told.recv().unwrap_or(Err(StoreError::Closed))
    }

    /// Appends events, all or none of them; `done` is called once, when they are durable and seen
    /// by later moments, or with what was wrong. It is called on the thread that writes, or at once
    /// where the call is refused, and keeps other callers waiting: it has to be quick, and must not
    /// call [`Store::append`].
    ///
    /// An ID that the store has already is a duplicate, and stored once.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if an ID was used for another event, [`StoreError::Refused`] and
    /// [`StoreError::TooMany`] for what cannot be meant, [`StoreError::Busy`] if too much waits,
    /// [`StoreError::Full`] and others if the disk does not take them.
    pub fn append_then(&self, events: Vec<NewEvent>, done: DoneFn) {
        let done = Done::new(done);
        let prepared = self
            .writing()
            .and_then(|writing| Ok((writing, prepare(&self.shared.salt, events)?)))
            .and_then(|(writing, events)| {
                if !writing.is_of_file {
                    server::check_texts(&events)?;
                }
                Ok((writing, events))
            });
        match prepared {
            // The queue tells the caller what is wrong.
            Ok((writing, events)) => drop(writing.queue.put(Job::Append { events, done })),
            Err(error) => done.tell(Err(error)),
        }
    }

    /// The moment for a score: every event recorded before it is visible, and no later event is
    /// recorded before it, even after a crash and with a clock that jumps.
    ///
    /// Of a store that is open for reading: right after the last event that it sees.
    pub fn moment(&self) -> Timestamp {
        let Some(writing) = &self.writing else {
            return Timestamp::from_micros(self.shared.visible().moments.moment_of_reader());
        };
        loop {
            let now = self.shared.now();
            let moment = self.shared.visible().moments.moment(now);
            match moment {
                Moment::Given { at, reserve_soon } => {
                    if reserve_soon {
                        writing.reserve_soon(at);
                    }
                    return Timestamp::from_micros(at);
                }
                Moment::Reserve(upto) => {
                    if writing.reserve(upto).is_err() {
                        let moments = &mut self.shared.visible().moments;
                        // On a full disk scores go on. The rule holds as long as the process
                        // lives, since nothing is recorded meanwhile.
                        let at = if writing.is_of_file {
                            moments.moment_unreserved(now)
                        } else {
                            moments.moment_reserved(now)
                        };
                        return Timestamp::from_micros(at);
                    }
                }
            }
        }
    }

    /// How far the store's time is ahead of the wall clock, in microseconds: 0, up to five seconds
    /// after a crash, and more where the clock was set back. Moments wait for the clock then.
    pub fn ahead_of_clock(&self) -> i64 {
        let now = self.shared.now();
        match self.writing {
            Some(_) => self.shared.visible().moments.ahead_of(now),
            None => 0,
        }
    }

    /// The events of an entity that were recorded before a moment, by (at, seq).
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] and others if the file cannot be read.
    pub fn of_entity(
        &self,
        entity: &Entity,
        before: Timestamp,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        read::of_entity(&self.shared, entity, before)
    }

    /// Gives each event of a table that was recorded before a moment to `each`, by entity and then
    /// (at, seq), a few thousand in memory at a time. A table that has no events gives none.
    ///
    /// # Errors
    ///
    /// As [`Store::of_entity`].
    pub fn scan(
        &self,
        table: &str,
        before: Timestamp,
        each: impl FnMut(StoredEvent),
    ) -> Result<(), StoreError> {
        read::scan(&self.shared, table, before, each)
    }

    /// At most `limit` events with numbers above `seq`, by number.
    ///
    /// # Errors
    ///
    /// As [`Store::of_entity`].
    pub fn since(&self, seq: u64, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        read::since(&self.shared, seq, limit)
    }

    /// Entities of the kind of `prefix` whose ID or key starts with that of `prefix`, in order:
    /// `Entity::Lead("".into())` gives all leads.
    ///
    /// # Errors
    ///
    /// As [`Store::of_entity`].
    pub fn entities(&self, prefix: &Entity) -> Result<Vec<Entity>, StoreError> {
        read::entities(&self.shared, prefix)
    }

    /// Names of tables that have or had events, oldest first.
    pub fn tables(&self) -> Vec<String> {
        let visible = self.shared.visible();
        visible
            .tables
            .iter()
            .map(|name| name.as_ref().to_owned())
            .collect()
    }

    /// How many events there are.
    pub fn n_events(&self) -> u64 {
        let visible = self.shared.visible();
        visible.n_settled + visible.recent.len() as u64
    }

    /// How many of them are not yet in the tables by lead.
    pub fn n_recent(&self) -> usize {
        self.shared.visible().recent.len()
    }

    /// The number of the latest event; 0 if there was none.
    pub fn last_seq(&self) -> u64 {
        self.shared.visible().last_seq
    }

    /// Moves everything recent into the tables by lead, and waits for it. Nothing depends on it: it
    /// happens by itself when the store is idle.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`] and others if the disk does not take it.
    pub fn settle(&self) -> Result<(), StoreError> {
        self.ask(|done| Job::Settle { done })
    }

    /// Removes every event of an entity, overwrites the places where they were, and looks through
    /// the bytes of the file for its ID.
    ///
    /// Hashes of the IDs of its events stay, so that events that are sent again are duplicates and
    /// not stored. New events of it, with new IDs, are.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`] and others if the disk does not take it; it may be asked again.
    pub fn forget(&self, entity: &Entity) -> Result<Forgotten, StoreError> {
        let key = entity.key();
        let removed = self.ask(|done| Job::Forget {
            entity: key.clone(),
            done,
        })?;
        let proof = self.shared.reads.remove_traces(entity)?;
        Ok(Forgotten {
            n_events: removed.n_events,
            n_traces: proof,
        })
    }

    /// Writes a copy of the store as of now to a new file, while events keep coming in. The copy
    /// appears whole or not at all.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] if there is a file, [`StoreError::Full`] and others if it cannot be
    /// written.
    pub fn backup(&self, path: &Path) -> Result<(), StoreError> {
        self.shared.reads.backup(path)
    }

    /// What is wrong with the file, in sentences; empty if nothing is. It reads the whole file.
    ///
    /// # Errors
    ///
    /// As [`Store::of_entity`].
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        self.shared.reads.check()
    }

    /// Writes what waits, and closes the store. Dropping it does the same, without a word about
    /// failures.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`] and others if the last moment could not be kept; events that were
    /// acknowledged are durable anyway.
    pub fn close(self) -> Result<(), StoreError> {
        match &self.writing {
            Some(writing) => writing.end(),
            None => Ok(()),
        }
    }

    /// Puts a job into the queue and waits for its end.
    fn ask<T>(
        &self,
        job: impl FnOnce(mpsc::Sender<Result<T, StoreError>>) -> Job,
    ) -> Result<T, StoreError> {
        let (tell, told) = mpsc::channel();
        self.writing()?.queue.put(job(tell))?;
        told.recv().unwrap_or(Err(StoreError::Closed))
    }
}

impl Writing {
    fn reserve(&self, upto: i64) -> Result<(), StoreError> {
        let (tell, told) = mpsc::channel();
        self.queue.put(Job::Reserve { upto, done: tell })?;
        told.recv().unwrap_or(Err(StoreError::Closed))
    }

    /// Asks for more moments without waiting.
    fn reserve_soon(&self, at: i64) {
        let (tell, _) = mpsc::channel();
        let upto = at.saturating_add(crate::moments::RESERVED_MICROS);
        // Where it fails, a later moment waits for its own.
        drop(self.queue.put(Job::Reserve { upto, done: tell }));
    }

    fn end(&self) -> Result<(), StoreError> {
        self.queue.close();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match thread.map(JoinHandle::join) {
            Some(Ok(result)) => result,
            // It panicked: what was acknowledged is durable.
            Some(Err(_)) => Err(StoreError::Closed),
            None => Ok(()),
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // `close` is there for those who want to know.
        drop(self.end());
    }
}

/// Locks the store for writing, as long as the file is open. A file of its own, because SQLite has
/// locks on the store that end when any other handle of the process is closed.
fn lock(path: &Path) -> Result<File, StoreError> {
    let name: PathBuf = schema::beside(path, "-lock");
    let file = File::options()
        .create(true)
        .append(true)
        .open(&name)
        .map_err(|error| StoreError::of_io(path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
            path: path.to_path_buf(),
        }),
        Err(TryLockError::Error(error)) => Err(StoreError::of_io(&name, error)),
    }
}
