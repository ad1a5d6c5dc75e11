//! Orders that pages were cut from, for some minutes: whoever goes from page to page sees each lead
//! once, although leads are scored again in between.

use std::collections::VecDeque;
use std::sync::Arc;

use leadscore_core::{Span, Timestamp};

/// How long an order is kept after its last page was asked for: ten minutes.
const KEPT_FOR: Span = Span::from_micros(600_000_000);
/// Orders that are kept at most: with 100,000 open leads each takes 0.4 MB.
const MOST: usize = 32;
/// In place of a lead that is not in the queue any more, so that places stay what they are.
pub(super) const GONE: u32 = u32::MAX;

/// The orders that are kept, the last one that was used at the end.
#[derive(Debug, Default)]
pub(super) struct KeptOrders {
    orders: VecDeque<Kept>,
    last_id: u64,
}

/// An order as it was.
#[derive(Debug, Clone)]
struct Kept {
    id: u64,
    /// Changes of the queue until then.
    version: u64,
    used: Timestamp,
    slots: Arc<[u32]>,
}

impl KeptOrders {
    /// The order of an ID, if it is still kept.
    pub(super) fn find(&mut self, id: u64, at: Timestamp) -> Option<Arc<[u32]>> {
        let place = self.orders.iter().position(|kept| kept.id == id)?;
        let mut kept = self.orders.remove(place)?;
        if kept.used + KEPT_FOR < at {
            return None;
        }
        kept.used = kept.used.max(at);
        let slots = Arc::clone(&kept.slots);
        self.orders.push_back(kept);
        Some(slots)
    }

    /// Keeps the order of a version; returns its ID. No other order has it, of this server or of the
    /// one before it: it is the moment in microseconds.
    pub(super) fn keep(&mut self, version: u64, slots: &[u32], at: Timestamp) -> u64 {
        self.orders.retain(|kept| kept.used + KEPT_FOR >= at);
        if let Some(known) = self.orders.iter_mut().find(|kept| kept.version == version) {
            known.used = known.used.max(at);
            return known.id;
        }
        let moment = u64::try_from(at.micros()).unwrap_or_default();
        self.last_id = moment.max(self.last_id + 1);
        if self.orders.len() == MOST {
            self.orders.pop_front();
        }
        self.orders.push_back(Kept {
            id: self.last_id,
            version,
            used: at,
            slots: slots.into(),
        });
        self.last_id
    }

    /// The same orders over other slots: `slot_of` has the new slot of each.
    pub(super) fn moved(&self, slot_of: &[Option<u32>]) -> Self {
        let moved = |slot: &u32| {
            let known = slot_of.get(*slot as usize).copied().flatten();
            known.unwrap_or(GONE)
        };
        let orders = self.orders.iter().map(|kept| Kept {
            // No version of the new queue: it counts from 1.
            version: 0,
            slots: kept.slots.iter().map(moved).collect(),
            ..*kept
        });
        Self {
            orders: orders.collect(),
            last_id: self.last_id,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_000_000 * seconds)
    }

    #[test]
    fn orders_end_after_their_time_and_each_has_its_id() {
        let mut orders = KeptOrders::default();
        let first = orders.keep(1, &[0, 1], at(0));
        assert_eq!(orders.keep(1, &[0, 1], at(1)), first);
        let second = orders.keep(2, &[1, 0], at(1));
        assert_ne!(first, second);
        assert_eq!(orders.find(second, at(601)).as_deref(), Some(&[1, 0][..]));
        assert_eq!(orders.find(second, at(1_201)).as_deref(), Some(&[1, 0][..]));
        assert_eq!(orders.find(second, at(1_802)), None);
        for version in 3..=40 {
            orders.keep(version, &[], at(1_802));
        }
        assert_eq!(orders.orders.len(), MOST);
        let moved = orders.moved(&[Some(7)]);
        assert_eq!(moved.orders.len(), MOST);
        assert!(moved.orders.iter().all(|kept| kept.version == 0));
    }

    #[test]
    fn places_stay_when_leads_leave() {
        let mut orders = KeptOrders::default();
        let id = orders.keep(1, &[2, 0, 1], at(0));
        let mut moved = orders.moved(&[Some(5), None, Some(0)]);
        assert_eq!(moved.find(id, at(1)).as_deref(), Some(&[0, 5, GONE][..]));
    }
}
