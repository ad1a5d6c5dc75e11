//! Which entities have changed since tables were loaded: the scores of all others can be read from
//! the tables, and are the same bits.
//!
//! An entity is marked before its event is appended, and so before any moment can see the event.
//! Whoever takes a moment first and looks at the marks then misses none.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use leadscore_core::stable_hash;
use leadscore_store::Entity;

use super::lock::lock;

/// Marks of all tables that are loaded, or being loaded.
#[derive(Debug, Default)]
pub(super) struct Changes {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next_ticket: u64,
    /// Entities of events that are on their way into the store.
    on_the_way: HashMap<u64, Vec<Entity>>,
    watched: Vec<Arc<Changed>>,
}

/// Entities with events that some tables may not have.
#[derive(Debug, Default)]
pub(super) struct Changed {
    entities: Mutex<HashSet<Entity>>,
    /// Hashes of accounts, as tables have them.
    accounts: Mutex<HashSet<u64>>,
    has_lookups: AtomicBool,
}

/// Events on their way into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

impl Changes {
    /// Marks the entities of events that are about to be appended.
    pub(super) fn begin(&self, entities: Vec<Entity>) -> Ticket {
        let mut state = lock(&self.state);
        for changed in &state.watched {
            changed.add(&entities);
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.on_the_way.insert(ticket, entities);
        Ticket(ticket)
    }

    /// The events of a ticket are in the store, or will never be.
    pub(super) fn end(&self, Ticket(ticket): Ticket) {
        lock(&self.state).on_the_way.remove(&ticket);
    }

    /// Marks for tables that will be loaded as of a moment that is taken after this call.
    pub(super) fn watch(&self) -> Arc<Changed> {
        let mut state = lock(&self.state);
        let changed = Arc::new(Changed::default());
        state
            .on_the_way
            .values()
            .for_each(|entities| changed.add(entities));
        // Tables that nobody has any more need no marks.
        state.watched.retain(|known| Arc::strong_count(known) > 1);
        state.watched.push(Arc::clone(&changed));
        changed
    }
}

impl Changed {
    fn add(&self, entities: &[Entity]) {
        let is_lookup = |entity: &Entity| match entity {
            Entity::Lookup { .. } => true,
            Entity::Lead(_) | Entity::Account(_) => false,
        };
        let account = |entity: &Entity| match entity {
            Entity::Account(account) => Some(stable_hash(account)),
            Entity::Lead(_) | Entity::Lookup { .. } => None,
        };
        lock(&self.accounts).extend(entities.iter().filter_map(account));
        lock(&self.entities).extend(entities.iter().cloned());
        if entities.iter().any(is_lookup) {
            self.has_lookups.store(true, Ordering::SeqCst);
        }
    }

    /// Number of entities that changed.
    pub(super) fn len(&self) -> usize {
        lock(&self.entities).len()
    }

    /// Whether a row of a lookup changed, on which many leads may depend.
    pub(super) fn has_lookups(&self) -> bool {
        self.has_lookups.load(Ordering::SeqCst)
    }

    /// Whether a lead, or the account that it belongs to, changed; the account by its hash.
    pub(super) fn has(&self, lead: &str, account: u64) -> bool {
        lock(&self.accounts).contains(&account)
            || lock(&self.entities).contains(&Entity::Lead(lead.to_owned()))
    }

    /// Leads and accounts that changed.
    pub(super) fn entities(&self) -> Vec<Entity> {
        lock(&self.entities).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(id: &str) -> Entity {
        Entity::Lead(id.to_owned())
    }

    #[test]
    fn tables_know_of_what_came_and_of_what_is_on_its_way() {
        let changes = Changes::default();
        let before = changes.watch();
        let first = changes.begin(vec![lead("L1")]);
        let second = changes.begin(vec![lead("L2"), Entity::Account("A".to_owned())]);
        changes.end(first);
        // L1 is in the store, and in tables of a moment from now on; L2 may not be.
        let after = changes.watch();
        let third = changes.begin(vec![lead("L3")]);
        changes.end(second);
        changes.end(third);
        for (id, was, is) in [("L1", true, false), ("L2", true, true), ("L3", true, true)] {
            assert_eq!(before.has(id, stable_hash(id)), was, "{id}");
            assert_eq!(after.has(id, stable_hash(id)), is, "{id}");
        }
        assert!(after.has("L9", stable_hash("A")));
        assert!(!after.has("L9", stable_hash("L3")));
        assert!(!after.has_lookups());
        // What nobody watches any more gets no marks.
        drop(before);
        let _next = changes.watch();
        assert_eq!(lock(&changes.state).watched.len(), 2);
    }
}
