//! What the writer and the readers of a store share, in memory.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::keeper::{Read, Seen};
use crate::moments::Moments;
use crate::options::Clock;
use crate::recent::Recent;

/// What the writer and the readers of a store share.
pub(crate) struct Shared {
    /// Its file; of a server, what may be told of its address.
    pub(crate) path: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) salt: Vec<u8>,
    pub(crate) reads: Box<dyn Read>,
    visible: Mutex<Visible>,
}

/// What is visible, all of it under one lock, so that a moment and what it sees agree.
pub(crate) struct Visible {
    pub(crate) moments: Moments,
    pub(crate) recent: Recent,
    /// Rows up to this number are read from the tables by lead, later ones from `recent`.
    pub(crate) settled_seq: u64,
    pub(crate) n_settled: u64,
    pub(crate) last_seq: u64,
    /// Names of tables; the number of a table is its place, from 1.
    pub(crate) tables: Vec<Arc<str>>,
}

impl Visible {
    pub(crate) fn table_id(&self, name: &str) -> Option<i64> {
        let place = self.tables.iter().position(|table| &**table == name)?;
        i64::try_from(place + 1).ok()
    }

    /// What is read from the tables by lead.
    pub(crate) fn seen(&self) -> Seen {
        Seen {
            tables: self.tables.clone(),
            upto: self.settled_seq,
        }
    }
}

impl Shared {
    pub(crate) fn new(
        path: PathBuf,
        clock: Clock,
        reads: Box<dyn Read>,
        (visible, salt): (Visible, Vec<u8>),
    ) -> Self {
        Self {
            path,
            clock,
            salt,
            reads,
            visible: Mutex::new(visible),
        }
    }

    /// The visible state. A thread that panicked left it whole: every change is one step.
    pub(crate) fn visible(&self) -> MutexGuard<'_, Visible> {
        self.visible.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wall clock now, in microseconds.
    pub(crate) fn now(&self) -> i64 {
        (self.clock)().micros()
    }
}
