//! Which ids belong together: leads by the ids that are linked to them, and the id that a merged lead
//! lives on under.

use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::{HashMap, HashSet};
use leadscore_core::Timestamp;

/// The column that says from when each row belongs to its lead: no column of a file is called so.
pub(crate) const SINCE: &str = "\u{1}linked_at";

/// The leads that each id belongs to.
pub(crate) struct LinkMap {
    /// What the config calls it.
    pub(crate) heading: String,
    /// The place of each id among the runs.
    places: HashMap<String, u32>,
    /// The leads of the id at place `p` are `offsets[p]..offsets[p + 1]`.
    offsets: Vec<u32>,
    linked: Vec<Linked>,
    /// Whether links hold from a time on.
    pub(crate) has_since: bool,
    /// Whether other ids are those of leads.
    pub(crate) own_ids: bool,
}

/// A lead that an id belongs to.
pub(crate) struct Linked {
    pub(crate) lead: String,
    /// From when; the earliest time where links have none.
    pub(crate) since: Timestamp,
    /// The row that says so.
    pub(crate) row: usize,
}

impl LinkMap {
    /// Of links by the places of their ids. Of the same link twice the earlier time counts; the
    /// rows of the others are returned beside.
    pub(crate) fn new(
        heading: &str,
        places: HashMap<String, u32>,
        mut links: Vec<(u32, Linked)>,
        (has_since, own_ids): (bool, bool),
    ) -> (Self, Vec<usize>) {
        links.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.row.cmp(&y.row)));
        let mut map = Self {
            heading: heading.to_owned(),
            offsets: Vec::with_capacity(places.len() + 1),
            places,
            linked: Vec::with_capacity(links.len()),
            has_since,
            own_ids,
        };
        let mut twice = Vec::new();
        let mut run = 0;
        for (place, link) in links {
            while map.offsets.len() <= place as usize {
                run = map.linked.len();
                map.offsets.push(run as u32);
            }
            let own = &mut map.linked[run..];
            match own.iter_mut().find(|known| known.lead == link.lead) {
                Some(known) => {
                    known.since = known.since.min(link.since);
                    twice.push(link.row);
                }
                None => map.linked.push(link),
            }
        }
        map.offsets
            .resize(map.places.len() + 1, map.linked.len() as u32);
        twice.sort_unstable();
        (map, twice)
    }

    /// The leads of an id; `None` where the table does not have it.
    pub(crate) fn leads_of(&self, id: &str) -> Option<&[Linked]> {
        let place = *self.places.get(id)? as usize;
        Some(&self.linked[self.offsets[place] as usize..self.offsets[place + 1] as usize])
    }

    /// Whether an id is one of a lead here.
    pub(crate) fn has_lead(&self, id: &str) -> bool {
        self.linked.iter().any(|linked| linked.lead == id)
    }
}

/// Under which id each merged lead lives on.
pub(crate) struct MergeMap {
    /// By the id that is no more: the id at the end of the chain, and from when it stands for this
    /// one.
    pub(crate) into: HashMap<String, (String, Timestamp)>,
    /// Whether merges have a time.
    pub(crate) has_since: bool,
    /// The longest chain: the id that it begins with, the first by name, and its merges.
    pub(crate) longest: Option<(String, usize)>,
}

impl MergeMap {
    /// The id that an id lives on under, and from when; `None` for one that was not merged.
    pub(crate) fn survivor(&self, id: &str) -> Option<(&str, Timestamp)> {
        let (into, since) = self.into.get(id)?;
        Some((into, *since))
    }
}

/// Ids of leads that were deleted, each with whether some row was of it.
pub(crate) struct DeletedIds(HashMap<String, AtomicBool>);

impl DeletedIds {
    pub(crate) fn new(ids: HashSet<String>) -> Self {
        Self(
            ids.into_iter()
                .map(|id| (id, AtomicBool::new(false)))
                .collect(),
        )
    }

    /// Whether an id is one of a deleted lead.
    pub(crate) fn has(&self, id: &str) -> bool {
        let found = self.0.get(id);
        if let Some(found) = found {
            found.store(true, Ordering::Relaxed);
        }
        found.is_some()
    }

    /// Those that no row was of, as far as rows were read, in order.
    pub(crate) fn not_found(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self
            .0
            .iter()
            .filter(|(_, found)| !found.load(Ordering::Relaxed))
            .map(|(id, _)| id.as_str())
            .collect();
        ids.sort_unstable();
        ids
    }

    /// How many there are.
    pub(crate) fn n(&self) -> usize {
        self.0.len()
    }
}
