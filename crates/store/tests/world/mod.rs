//! A folder with a store, a clock that tests set, and short events.
#![allow(dead_code, reason = "each test binary uses some of it")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use leadscore_core::Timestamp;
use leadscore_store::{Entity, NewEvent, Store, StoreError, StoreOptions};

/// A folder with a store, and a clock that tests set.
pub(crate) struct World {
    folder: tempfile::TempDir,
    clock: Arc<AtomicI64>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            clock: Arc::new(AtomicI64::new(1_000_000_000)),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("events.store")
    }

    /// The clock shows this from now on.
    pub(crate) fn set_clock(&self, micros: i64) {
        self.clock.store(micros, Ordering::SeqCst);
    }

    pub(crate) fn options(&self) -> StoreOptions {
        let clock = Arc::clone(&self.clock);
        StoreOptions::new(Arc::new(move || micros(clock.load(Ordering::SeqCst))))
    }

    pub(crate) fn create(&self) -> Store {
        Store::create(&self.path(), self.options()).expect("created")
    }

    pub(crate) fn open(&self) -> Result<Store, StoreError> {
        Store::open(&self.path(), self.options())
    }
}

pub(crate) fn micros(at: i64) -> Timestamp {
    Timestamp::from_micros(at)
}

pub(crate) fn lead(id: &str) -> Entity {
    Entity::Lead(id.to_owned())
}

/// An event whose row is the same whenever it has the same ID and time.
pub(crate) fn event(id: &str, table: &str, lead_id: &str, at: i64) -> NewEvent {
    NewEvent {
        id: id.to_owned(),
        table: table.to_owned(),
        entity: lead(lead_id),
        at: micros(at),
        recorded: None,
        row: format!("{{\"lead_id\":\"{lead_id}\",\"at\":{at}}}"),
    }
}
