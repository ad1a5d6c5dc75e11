//! What keeps events, a file or a server: the side of the one thread that writes, and the side of
//! all who read. Everything else, such as queue, moments and what is visible, is the same for both.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::error::StoreError;
use crate::event::{Entity, StoredEvent};
use crate::recent::{IdHash, Row};

/// What was removed from the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Removed {
    /// Events that are gone.
    pub(crate) n_events: usize,
}

/// The side that writes.
pub(crate) trait Keep: Send {
    /// What is known of IDs, of those that are kept and not in memory.
    fn contents(&mut self, ids: &[IdHash]) -> Result<HashMap<IdHash, i64>, StoreError>;

    /// Keeps rows, tables that are new, and a reservation of moments, all or nothing: durable when
    /// it returns.
    fn insert(
        &mut self,
        rows: &[Row],
        new_tables: &[Arc<str>],
        reserve: Option<i64>,
    ) -> Result<(), StoreError>;

    /// Whether rows whose insertion failed may be kept all the same, until it is found out.
    fn is_in_doubt(&self) -> bool;

    /// Whether rows that are durable are read from memory, until they have their place by lead.
    fn is_read_from_memory(&self) -> bool;

    /// Removes all events of an entity.
    fn forget(&mut self, entity: &str) -> Result<Removed, StoreError>;

    /// Gives everything recent its place by lead.
    fn settle_all(&mut self) -> Result<(), StoreError>;

    /// Whether there is something to do while nobody asks.
    fn wants_rest(&self) -> bool;

    /// Does some of it.
    fn rest(&mut self);

    /// Makes room, where memory fills up, after a commit that took so long.
    fn relieve(&mut self, commit: Duration);

    /// The end: keeps the latest moment, so that the next start need not be careful.
    fn end(self: Box<Self>, last_moment: Option<i64>) -> Result<(), StoreError>;
}

/// What a reader is allowed to see of a table by lead: names of tables, whose numbers are their
/// places from 1, and up to which number.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) tables: Vec<Arc<str>>,
    pub(crate) upto: u64,
}

impl Seen {
    /// The name of a table by its number.
    pub(crate) fn table(&self, id: i64) -> Option<&Arc<str>> {
        self.tables.get(usize::try_from(id - 1).ok()?)
    }
}

/// Where a scan is: after the event with this key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    pub(crate) entity: String,
    pub(crate) at: i64,
    pub(crate) seq: i64,
}

/// The side that reads, from several threads at once.
pub(crate) trait Read: Send + Sync {
    /// Events of an entity that were recorded before a moment, in any order.
    fn of_entity(
        &self,
        entity: &Entity,
        seen: &Seen,
        before: i64,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// The next `limit` events of a table behind a place, by entity and then (at, seq).
    fn chunk(
        &self,
        table: i64,
        seen: &Seen,
        place: &Place,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// At most `limit` events with numbers above `seq`, by number.
    fn since(&self, seq: u64, seen: &Seen, limit: usize) -> Result<Vec<StoredEvent>, StoreError>;

    /// Keys of entities that start with `prefix`, each once.
    fn entities(&self, prefix: &str, seen: &Seen) -> Result<Vec<String>, StoreError>;

    /// What is wrong, in sentences.
    fn check(&self) -> Result<Vec<String>, StoreError>;

    /// Writes a copy to a new file.
    fn backup(&self, path: &Path) -> Result<(), StoreError>;

    /// Overwrites where removed events were, as far as that is ours to do, and counts how often the
    /// ID of their entity is left.
    fn remove_traces(&self, entity: &Entity) -> Result<Option<usize>, StoreError>;

    /// Lets go of connections that nobody uses.
    fn close_idle(&self);
}
