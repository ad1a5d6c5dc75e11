//! The queue: open leads in the order of their scores, and the part of it that somebody asks for.
//! It knows no store and no model.

mod cursor;
mod edges;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

use leadscore_core::{ContactPriority, Timestamp};
use leadscore_inference::tiers_by_edges;
use leadscore_serve::QueueQuery;
use memchr::memmem::Finder;

pub(crate) use self::cursor::{BadCursor, Cursor};
pub use self::edges::Edges;
pub(crate) use self::edges::tier_edges;

/// What the queue knows of an open lead.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) lead: String,
    /// Natural log-odds when it was last scored.
    pub(crate) log_odds: f64,
    /// Its probability, 0 to 1.
    pub(crate) probability: f64,
    /// When it was last scored.
    pub(crate) at: Timestamp,
    pub(crate) owner: Option<String>,
    /// Its ID and what people see of it, in lower case.
    pub(crate) searched: String,
    /// Points of the rules.
    pub(crate) points: Option<f64>,
    /// When its likelihood last moved by a point.
    pub(crate) moved: Timestamp,
    /// The likelihood from which the next move is measured.
    pub(crate) anchor: f64,
}

/// Open leads, best first, and of equal ones by ID.
#[derive(Debug)]
pub(crate) struct Ranking {
    /// The moment of the last refresh.
    pub(crate) ordered_at: Timestamp,
    /// Where tiers begin.
    pub(crate) edges: Edges,
    slots: Vec<Entry>,
    order: Vec<u32>,
    by_lead: HashMap<String, u32>,
    /// Slots whose lead has left.
    free: Vec<u32>,
    /// Leads that left since, and when.
    removed: Vec<(String, Timestamp)>,
}

/// A part of the queue.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page {
    pub(crate) n_matching: usize,
    /// The leads and their places among those that match, from 1.
    pub(crate) rows: Vec<(usize, Entry)>,
    pub(crate) next: Option<Cursor>,
}

/// A likelihood that moved by less has not changed.
const A_POINT: f64 = 0.01;

impl Ranking {
    /// A queue of these leads, in the order of their scores.
    pub(crate) fn new(entries: Vec<Entry>, edges: Edges, ordered_at: Timestamp) -> Self {
        let mut slots = entries;
        slots.sort_by(in_order);
        let by_lead = slots
            .iter()
            .zip(0u32..)
            .map(|(entry, slot)| (entry.lead.clone(), slot))
            .collect();
        Self {
            ordered_at,
            edges,
            order: (0u32..).take(slots.len()).collect(),
            slots,
            by_lead,
            free: Vec::new(),
            removed: Vec::new(),
        }
    }

    /// The place of a lead among all, from 1.
    pub(crate) fn rank(&self, lead: &str) -> Option<usize> {
        let entry = self.get(lead)?;
        Some(1 + self.place_of(entry))
    }

    fn place_of(&self, entry: &Entry) -> usize {
        self.order
            .partition_point(|&other| in_order(&self.slots[other as usize], entry).is_lt())
    }

    /// Takes over what happened to another queue after this one's moment: scores that are later, and
    /// leads that left.
    pub(crate) fn take_later(&mut self, other: &Self) {
        let later: Vec<Entry> = other
            .order
            .iter()
            .map(|&slot| &other.slots[slot as usize])
            .filter(|entry| entry.at > self.ordered_at)
            .cloned()
            .collect();
        for entry in later {
            self.put(entry);
        }
        for (lead, removed) in &other.removed {
            if *removed > self.ordered_at && other.get(lead).is_none() {
                self.remove(lead, *removed);
            }
        }
    }

    /// Number of open leads.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// What is known of a lead; `None` where it is not in the queue.
    pub(crate) fn get(&self, lead: &str) -> Option<&Entry> {
        self.by_lead
            .get(lead)
            .map(|&slot| &self.slots[slot as usize])
    }

    /// The tier of a probability, by the edges of the last refresh.
    pub(crate) fn tier(&self, probability: f64) -> ContactPriority {
        tier_of(probability, &self.edges.values)
    }

    /// Puts a lead where its score has it now.
    pub(crate) fn put(&mut self, mut entry: Entry) {
        if let Some(before) = self.get(&entry.lead) {
            entry.keep_moves(before);
            if before.at > entry.at {
                // It was scored later already.
                return;
            }
        }
        self.take_out(&entry.lead);
        let place = self.place_of(&entry);
        let lead = entry.lead.clone();
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = entry;
                slot
            }
            None => {
                self.slots.push(entry);
                u32::try_from(self.slots.len() - 1).expect("fewer open leads than 2³²")
            }
        };
        self.order.insert(place, slot);
        self.by_lead.insert(lead, slot);
    }

    /// Takes a lead out, which had closed by a moment.
    pub(crate) fn remove(&mut self, lead: &str, at: Timestamp) {
        self.take_out(lead);
        self.removed.push((lead.to_owned(), at));
    }

    fn take_out(&mut self, lead: &str) {
        let Some(slot) = self.by_lead.remove(lead) else {
            return;
        };
        let place = self.place_of(&self.slots[slot as usize]);
        debug_assert_eq!(self.order[place], slot, "each lead has one place");
        self.order.remove(place);
        self.free.push(slot);
    }

    /// The leads that a query asks for; `crossed` are those that crossed its threshold.
    pub(crate) fn page(
        &self,
        query: &QueueQuery,
        crossed: Option<&HashSet<String>>,
    ) -> Result<Page, BadCursor> {
        let after = query.cursor.as_deref().map(Cursor::parse).transpose()?;
        let search = query.search.as_deref().map(str::to_lowercase);
        let search = search
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(|text| Finder::new(text.as_bytes()));
        let matches = |entry: &Entry| {
            (query.owner.is_none() || query.owner == entry.owner)
                && query
                    .tier
                    .is_none_or(|tier| self.tier(entry.probability) == tier)
                && query.changed_since.is_none_or(|since| entry.moved >= since)
                && crossed.is_none_or(|crossed| crossed.contains(&entry.lead))
                && search
                    .as_ref()
                    .is_none_or(|search| search.find(entry.searched.as_bytes()).is_some())
        };
        let limit = query.limit.clamp(1, 500);
        let mut page = Page {
            n_matching: 0,
            rows: Vec::new(),
            next: None,
        };
        for &slot in &self.order {
            let entry = &self.slots[slot as usize];
            if !matches(entry) {
                continue;
            }
            page.n_matching += 1;
            if after.as_ref().is_some_and(|after| !after.is_before(entry)) {
                continue;
            }
            if page.rows.len() < limit {
                page.rows.push((page.n_matching, entry.clone()));
            } else if page.next.is_none() {
                page.next = page.rows.last().map(|(_, last)| Cursor::of(last));
            }
        }
        Ok(page)
    }

    /// Owners with how many open leads each has, by name.
    pub(crate) fn owners(&self) -> Vec<(String, usize)> {
        let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
        for &slot in &self.order {
            if let Some(owner) = &self.slots[slot as usize].owner {
                *owners.entry(owner).or_default() += 1;
            }
        }
        owners
            .into_iter()
            .map(|(owner, n)| (owner.to_owned(), n))
            .collect()
    }
}

impl Entry {
    /// Takes over when the likelihood last moved, where it has not moved by a point since.
    pub(crate) fn keep_moves(&mut self, before: &Self) {
        if (self.probability - before.anchor).abs() < A_POINT {
            self.anchor = before.anchor;
            self.moved = before.moved;
        }
    }
}

/// The tier of a probability by edges.
pub(crate) fn tier_of(probability: f64, edges: &[f64; 3]) -> ContactPriority {
    tiers_by_edges(&[probability], edges)[0]
}

/// Best first, and of equal ones by ID.
fn in_order(a: &Entry, b: &Entry) -> Ordering {
    by_score((a.log_odds, &a.lead), (b.log_odds, &b.lead))
}

fn by_score(a: (f64, &str), b: (f64, &str)) -> Ordering {
    b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1))
}

#[cfg(test)]
mod tests;
