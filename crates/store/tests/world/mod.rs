//! A folder with a store, a clock that tests set, and short events.
//!
//! Where `LEADSCORE_POSTGRES` has the address of a server, stores are schemas of it, each of its own,
//! unless a test asks for a file.
#![allow(dead_code, reason = "each test binary uses some of it")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use leadscore_core::{SecretUri, Timestamp};
use leadscore_store::{
    Entity, NewEvent, ServerAddress, Store, StoreError, StoreOptions, StorePlace,
};

/// A folder with a store, and a clock that tests set.
pub(crate) struct World {
    folder: tempfile::TempDir,
    clock: Arc<AtomicI64>,
    schema: Option<Schema>,
}

/// A schema of a server, which goes when it is not used any more.
pub(crate) struct Schema {
    server: String,
    name: String,
}

impl Schema {
    /// One of its own, in the database of an address.
    pub(crate) fn new(server: String) -> Self {
        static N: AtomicU64 = AtomicU64::new(0);
        let n = N.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{n}", std::process::id());
        Self { server, name }
    }

    pub(crate) fn uri(&self) -> String {
        let mark = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{mark}schema={}", self.server, self.name)
    }

    pub(crate) fn place(&self) -> StorePlace {
        let uri = SecretUri::from(self.uri());
        ServerAddress::parse(&uri).expect("an address").into()
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        // A server that was stopped has nothing to remove.
        if let Ok(mut client) = postgres::Client::connect(&self.server, postgres::NoTls) {
            let name = &self.name;
            drop(client.batch_execute(&format!("DROP SCHEMA IF EXISTS {name} CASCADE")));
        }
    }
}

impl World {
    /// Of a server if there is one, else of a file.
    pub(crate) fn new() -> Self {
        Self {
            schema: std::env::var("LEADSCORE_POSTGRES").ok().map(Schema::new),
            ..Self::on_file()
        }
    }

    pub(crate) fn on_file() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            clock: Arc::new(AtomicI64::new(1_000_000_000)),
            schema: None,
        }
    }

    pub(crate) fn is_of_file(&self) -> bool {
        self.schema.is_none()
    }

    pub(crate) fn place(&self) -> StorePlace {
        match &self.schema {
            Some(schema) => schema.place(),
            None => self.path().into(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("events.store")
    }

    /// The place as it is typed.
    pub(crate) fn place_text(&self) -> String {
        match &self.schema {
            Some(schema) => schema.uri(),
            None => self.path().display().to_string(),
        }
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
        Store::create(self.place(), self.options()).expect("created")
    }

    pub(crate) fn open(&self) -> Result<Store, StoreError> {
        Store::open(self.place(), self.options())
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
