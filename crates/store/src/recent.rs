//! Events that are durable in the log, and not yet in the tables by lead: they are few, and in
//! memory.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// What an event's ID is known by: an ID may have personal data in it, its hash has none, and is
/// left when a lead is forgotten.
pub(crate) type IdHash = [u8; 16];

/// An event as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) seq: u64,
    pub(crate) id: Box<str>,
    pub(crate) id_hash: IdHash,
    pub(crate) content: i64,
    pub(crate) table: i64,
    pub(crate) entity: Arc<str>,
    pub(crate) at: i64,
    pub(crate) recorded: i64,
    pub(crate) row: Box<str>,
}

impl Row {
    /// Order in the tables by lead.
    pub(crate) fn key(&self) -> (i64, &str, i64, u64) {
        (self.table, &self.entity, self.at, self.seq)
    }
}

/// The hash of an event's ID, with the store's own salt.
pub(crate) fn hash_of_id(salt: &[u8], id: &str) -> IdHash {
    let digest = Sha256::new().chain_update(salt).chain_update(id).finalize();
    first_bytes(&digest)
}

/// What tells an event from another of the same ID. Never 0, which is kept for events of leads that
/// were forgotten.
pub(crate) fn hash_of_content(salt: &[u8], table: &str, entity: &str, row: &str) -> i64 {
    let mut hasher = Sha256::new().chain_update(salt);
    for part in [table, entity, row] {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let bytes: [u8; 8] = first_bytes(&hasher.finalize());
    i64::from_le_bytes(bytes) | 1
}

fn first_bytes<const N: usize>(digest: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&digest[..N]);
    bytes
}

/// What is known of an ID that comes again.
pub(crate) const FORGOTTEN: i64 = 0;

/// Events that are not yet in the tables by lead, in order of their numbers.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    rows: VecDeque<Arc<Row>>,
    n_bytes: usize,
    by_id: HashMap<IdHash, i64>,
    by_entity: HashMap<Arc<str>, Vec<Arc<Row>>>,
}

impl Recent {
    pub(crate) fn push(&mut self, row: Row) {
        self.by_id.insert(row.id_hash, row.content);
        self.n_bytes += row.row.len();
        let row = Arc::new(row);
        self.by_entity
            .entry(Arc::clone(&row.entity))
            .or_default()
            .push(Arc::clone(&row));
        self.rows.push_back(row);
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How much memory they take, in events of the usual length.
    pub(crate) fn weight(&self) -> usize {
        self.rows.len().max(self.n_bytes / 256)
    }

    /// The content of the event with this ID, if it is recent.
    pub(crate) fn content(&self, id: &IdHash) -> Option<i64> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.rows.iter()
    }

    /// Events with higher numbers than `seq`, in order.
    pub(crate) fn since(&self, seq: u64) -> impl Iterator<Item = &Arc<Row>> {
        let first = self.rows.partition_point(|row| row.seq <= seq);
        self.rows.iter().skip(first)
    }

    pub(crate) fn of_entity(&self, entity: &str) -> &[Arc<Row>] {
        self.by_entity.get(entity).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn entities(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_entity.keys()
    }

    /// Lets go of events up to number `seq`, which are in the tables by lead now.
    pub(crate) fn settle(&mut self, seq: u64) {
        while let Some(row) = self.rows.pop_front_if(|row| row.seq <= seq) {
            self.by_id.remove(&row.id_hash);
            self.n_bytes -= row.row.len();
            if let Some(rows) = self.by_entity.get_mut(&row.entity) {
                // Numbers rise, so the one that leaves is the first.
                rows.retain(|other| other.seq > seq);
                if rows.is_empty() {
                    self.by_entity.remove(&row.entity);
                }
            }
        }
    }

    /// Removes all events of an entity.
    pub(crate) fn forget(&mut self, entity: &str) {
        let rows = self.by_entity.remove(entity).unwrap_or_default();
        if !rows.is_empty() {
            self.rows.retain(|row| &*row.entity != entity);
        }
        for row in &rows {
            self.by_id.remove(&row.id_hash);
            self.n_bytes -= row.row.len();
        }
    }
}
