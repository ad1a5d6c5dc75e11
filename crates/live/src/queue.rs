//! The queue: open leads in the order of their scores, and the part of it that somebody asks for.
//! It knows no store and no model.

mod cursor;
mod edges;
mod held_back;
mod kept;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use leadscore_core::{ContactPriority, Timestamp};
use leadscore_inference::tiers_by_edges;
use leadscore_serve::QueueQuery;
use memchr::memmem::Finder;

pub(crate) use self::cursor::{BadCursor, Cursor};
pub use self::edges::Edges;
pub(crate) use self::edges::tier_edges;
use self::kept::{GONE, KeptOrders};

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
    /// When it came, if that is known.
    pub(crate) created: Option<Timestamp>,
    /// Whether it is held back from prioritizing.
    pub(crate) held_back: bool,
    /// Its ID and what people see of it, in lower case.
    pub(crate) searched: String,
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
    slots: Vec<Slot>,
    order: Vec<u32>,
    /// The slot of each lead, of those that left too: no other lead gets it.
    by_lead: HashMap<String, u32>,
    /// Leads that left since, and when.
    removed: Vec<(String, Timestamp)>,
    /// How often the order changed.
    version: u64,
    kept: Mutex<KeptOrders>,
}

/// What is known of a lead, and whether it is still in the queue.
#[derive(Debug)]
struct Slot {
    entry: Entry,
    is_open: bool,
}

/// A part of the queue.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page {
    pub(crate) n_matching: usize,
    /// Those among them that are above the line.
    pub(crate) n_above: usize,
    /// Held-back leads of the query's owner and search.
    pub(crate) n_held_back: usize,
    /// The leads and their places among those that match, from 1.
    pub(crate) rows: Vec<(usize, Entry)>,
    pub(crate) next: Option<Cursor>,
    /// Whether the order of the page before is kept no more, and this is another.
    pub(crate) is_reordered: bool,
}

/// A text that leads are searched for.
struct Search<'q>(Option<Finder<'q>>);

impl Search<'_> {
    fn of(text: Option<&str>) -> Self {
        let text = text.map(str::to_lowercase);
        let text = text
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty());
        Self(text.map(|text| Finder::new(text.as_bytes()).into_owned()))
    }

    fn finds(&self, entry: &Entry) -> bool {
        let found = |finder: &Finder<'_>| finder.find(entry.searched.as_bytes()).is_some();
        self.0.as_ref().is_none_or(found)
    }
}

/// A likelihood that moved by less has not changed.
const A_POINT: f64 = 0.01;

impl Ranking {
    /// A queue of these leads, in the order of their scores.
    pub(crate) fn new(entries: Vec<Entry>, edges: Edges, ordered_at: Timestamp) -> Self {
        let mut entries = entries;
        entries.sort_by(in_order);
        let by_lead = entries
            .iter()
            .zip(0u32..)
            .map(|(entry, slot)| (entry.lead.clone(), slot))
            .collect();
        let open = |entry| Slot {
            entry,
            is_open: true,
        };
        Self {
            ordered_at,
            edges,
            order: (0u32..).take(entries.len()).collect(),
            slots: entries.into_iter().map(open).collect(),
            by_lead,
            removed: Vec::new(),
            version: 1,
            kept: Mutex::default(),
        }
    }

    /// The place of a lead among those that are prioritized, from 1; of one that is held back, the
    /// place that it would have.
    pub(crate) fn rank(&self, lead: &str) -> Option<usize> {
        let place = self.place_of(self.get(lead)?);
        let before = self.order[..place].iter();
        Some(1 + before.filter(|&&slot| !self.entry(slot).held_back).count())
    }

    /// Open leads, best first.
    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.order.iter().map(|&slot| self.entry(slot))
    }

    fn entry(&self, slot: u32) -> &Entry {
        &self.slots[slot as usize].entry
    }

    fn place_of(&self, entry: &Entry) -> usize {
        self.order
            .partition_point(|&other| in_order(self.entry(other), entry).is_lt())
    }

    fn kept(&self) -> MutexGuard<'_, KeptOrders> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the orders that pages of another queue were cut from, so that these go on.
    pub(crate) fn keep_orders(&mut self, other: &Self) {
        let kept = other.kept();
        if kept.is_empty() {
            return;
        }
        let slot_of = |slot: &Slot| self.by_lead.get(&slot.entry.lead).copied();
        let slots: Vec<Option<u32>> = other.slots.iter().map(slot_of).collect();
        let moved = kept.moved(&slots);
        drop(kept);
        *self.kept() = moved;
    }

    /// Takes over what happened to another queue after this one's moment: scores that are later, and
    /// leads that left.
    pub(crate) fn take_later(&mut self, other: &Self) {
        let later: Vec<Entry> = other
            .entries()
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
        let slot = &self.slots[*self.by_lead.get(lead)? as usize];
        slot.is_open.then_some(&slot.entry)
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
        let slot = Slot {
            entry,
            is_open: true,
        };
        let number = match self.by_lead.get(&slot.entry.lead) {
            Some(&number) => {
                self.slots[number as usize] = slot;
                number
            }
            None => {
                let number = u32::try_from(self.slots.len()).expect("fewer open leads than 2³²");
                self.by_lead.insert(slot.entry.lead.clone(), number);
                self.slots.push(slot);
                number
            }
        };
        self.order.insert(place, number);
        self.version += 1;
    }

    /// Takes a lead out, which had closed by a moment.
    pub(crate) fn remove(&mut self, lead: &str, at: Timestamp) {
        self.take_out(lead);
        self.removed.push((lead.to_owned(), at));
    }

    fn take_out(&mut self, lead: &str) {
        let Some(entry) = self.get(lead) else {
            return;
        };
        let place = self.place_of(entry);
        let slot = self.order.remove(place);
        debug_assert_eq!(self.entry(slot).lead, lead, "each lead has one place");
        self.slots[slot as usize].is_open = false;
        self.version += 1;
    }

    /// The leads that a query asks for at a moment; `crossed` are those that crossed its threshold, and
    /// above the line are so many of the whole queue, whoever asks for a part of it.
    ///
    /// Pages that follow each other are cut from one order, the one of the first page, as long as it
    /// is kept.
    pub(crate) fn page(
        &self,
        query: &QueueQuery,
        crossed: Option<&HashSet<String>>,
        line: usize,
        at: Timestamp,
    ) -> Result<Page, BadCursor> {
        let after = query.cursor.as_deref().map(Cursor::parse).transpose()?;
        let kept = after
            .as_ref()
            .and_then(|after| self.kept().find(after.order, at));
        let (order, start) = match (&after, &kept) {
            (Some(after), Some(kept)) => (&kept[..], after.place),
            (Some(after), None) => (&self.order[..], self.place_after(after)),
            (None, _) => (&self.order[..], 0),
        };
        let search = Search::of(query.search.as_deref());
        let is_of_query = |entry: &Entry| {
            (query.owner.is_none() || query.owner == entry.owner) && search.finds(entry)
        };
        let matches = |entry: &Entry| {
            query
                .tier
                .is_none_or(|tier| self.tier(entry.probability) == tier)
                && query.changed_since.is_none_or(|since| entry.moved >= since)
                && crossed.is_none_or(|crossed| crossed.contains(&entry.lead))
        };
        let limit = query.limit.clamp(1, 500);
        let mut page = Page {
            n_matching: 0,
            n_above: 0,
            n_held_back: 0,
            rows: Vec::new(),
            next: None,
            is_reordered: after.is_some() && kept.is_none(),
        };
        let mut end = None;
        let mut n_of_all = 0;
        for (place, &slot) in order.iter().enumerate() {
            let Some(entry) = self.open_entry(slot) else {
                continue;
            };
            n_of_all += usize::from(!entry.held_back);
            if !is_of_query(entry) {
                continue;
            }
            if entry.held_back {
                page.n_held_back += 1;
                continue;
            }
            if !matches(entry) {
                continue;
            }
            page.n_matching += 1;
            page.n_above += usize::from(n_of_all <= line);
            if place < start {
                continue;
            }
            if page.rows.len() < limit {
                page.rows.push((page.n_matching, entry.clone()));
            } else if end.is_none() {
                end = Some(place);
            }
        }
        if let (Some(place), Some((_, last))) = (end, page.rows.last()) {
            let id = match (&after, &kept) {
                (Some(after), Some(_)) => after.order,
                (Some(_), None) | (None, _) => self.kept().keep(self.version, &self.order, at),
            };
            page.next = Some(Cursor::of(id, place, last));
        }
        Ok(page)
    }

    /// The entry of a slot of a kept order, if its lead is still in the queue.
    fn open_entry(&self, slot: u32) -> Option<&Entry> {
        if slot == GONE {
            return None;
        }
        let slot = &self.slots[slot as usize];
        slot.is_open.then_some(&slot.entry)
    }

    /// Where a page goes on whose order is not kept.
    fn place_after(&self, after: &Cursor) -> usize {
        self.order
            .partition_point(|&slot| !after.is_before(self.entry(slot)))
    }

    /// Owners with how many open leads each has, by name.
    pub(crate) fn owners(&self) -> Vec<(String, usize)> {
        let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in self.entries() {
            if let Some(owner) = &entry.owner {
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
