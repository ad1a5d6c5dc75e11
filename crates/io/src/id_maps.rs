//! Which ids belong together: leads by the ids that are linked to them, and the id that a merged lead
//! lives on under.

use hashbrown::HashMap;
use leadscore_core::Timestamp;

/// The column that says from when each row belongs to its lead: no column of a file is called so.
pub(crate) const SINCE: &str = "\u{1}linked_at";

/// The leads that each id belongs to.
pub(crate) struct LinkMap {
    /// What the config calls it.
    pub(crate) heading: String,
    /// The place of each id among the lists.
    pub(crate) places: HashMap<String, u32>,
    /// The leads of each id, in the order of the file.
    pub(crate) leads: Vec<Vec<Linked>>,
    /// Whether links hold from a time on.
    pub(crate) has_since: bool,
}

/// A lead that an id belongs to.
pub(crate) struct Linked {
    pub(crate) lead: String,
    /// From when; the earliest time where links have none.
    pub(crate) since: Timestamp,
}

impl LinkMap {
    /// The leads of an id; `None` where the table does not have it.
    pub(crate) fn leads_of(&self, id: &str) -> Option<&[Linked]> {
        Some(&self.leads[*self.places.get(id)? as usize])
    }

    /// Whether an id is one of a lead here.
    pub(crate) fn has_lead(&self, id: &str) -> bool {
        self.leads.iter().flatten().any(|linked| linked.lead == id)
    }
}

/// Under which id each merged lead lives on.
pub(crate) struct MergeMap {
    /// By the id that is no more: the id at the end of the chain, and from when it stands for this
    /// one.
    pub(crate) into: HashMap<String, (String, Timestamp)>,
    /// Whether merges have a time.
    pub(crate) has_since: bool,
}

impl MergeMap {
    /// The id that an id lives on under, and from when; `None` for one that was not merged.
    pub(crate) fn survivor(&self, id: &str) -> Option<(&str, Timestamp)> {
        let (into, since) = self.into.get(id)?;
        Some((into, *since))
    }
}
