//! Events in the order that features need: by whose they are, then by time, so that the order of
//! the file leaves no trace.

use leadscore_core::{Timestamp, Tokenizer};
use rayon::iter::{
    IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator, ParallelIterator,
};

use crate::missing::MISSING;

/// A numeric column of events.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueColumn {
    /// Name of the column.
    pub name: String,
    /// One an event, NaN where missing; at most [`MAX_VALUE`] either way, so that sums are exact.
    pub values: Vec<f64>,
}

/// The largest number that an event may carry.
pub const MAX_VALUE: f64 = 1e15;

/// A column that splits the counts.
#[derive(Debug, Clone, PartialEq)]
pub struct KindColumn {
    /// Name of the column.
    pub name: String,
    /// The level of each event, [`MISSING`] where there is none.
    pub codes: Vec<u32>,
    /// The distinct values, sorted.
    pub levels: Vec<String>,
    /// How its cells are split, where they hold several values.
    pub tokenizer: Option<Tokenizer>,
}

/// The columns of events, in any order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventRows {
    /// Whose each is, [`MISSING`] for nobody's.
    pub owners: Vec<u32>,
    /// When each happened; the end of the day for a date.
    pub at: Vec<Timestamp>,
    /// From when each counts as known, never before it happened; `None` where that is when it
    /// happened.
    pub visible: Option<Vec<Timestamp>>,
    /// Columns that split the counts.
    pub kinds: Vec<KindColumn>,
    /// Numbers to sum and average.
    pub values: Vec<ValueColumn>,
}

/// Events, sorted by whose they are, then by time, then by everything else.
#[derive(Debug, Clone, PartialEq)]
pub struct Activities {
    /// Name in the config.
    pub name: String,
    /// Whose events a lead sees: `None` where that is the lead itself, else the account of each
    /// lead ([`MISSING`] for none).
    pub entity_of_lead: Option<Vec<u32>>,
    /// Events of entity `e` are `offsets[e]..offsets[e + 1]`.
    pub offsets: Vec<usize>,
    /// The columns, in that order; the owners are said by `offsets`.
    pub rows: EventRows,
}

impl Activities {
    /// Sorts events by owner and time; those of nobody are left out.
    ///
    /// Events that are sorted already are recognised in one pass. Else a counting sort by owner and
    /// a sort within each owner: linear in the events but for the logarithm of one owner's.
    ///
    /// # Panics
    ///
    /// Where the columns are of different lengths, or an owner is not below `n_entities`.
    pub fn new(
        name: &str,
        entity_of_lead: Option<Vec<u32>>,
        n_entities: usize,
        rows: EventRows,
    ) -> Self {
        let mut offsets = vec![0; n_entities + 1];
        for &owner in rows.owners.iter().filter(|&&owner| owner != MISSING) {
            offsets[owner as usize + 1] += 1;
        }
        for entity in 0..n_entities {
            offsets[entity + 1] += offsets[entity];
        }
        let mut rows = if rows.is_sorted() {
            rows
        } else {
            rows.sorted(&offsets)
        };
        rows.owners = Vec::new();
        Self {
            name: name.to_owned(),
            entity_of_lead,
            offsets,
            rows,
        }
    }

    /// Number of events.
    pub fn n_events(&self) -> usize {
        self.rows.at.len()
    }

    /// Number of leads or accounts that events are sorted by.
    pub fn n_entities(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The lead or account whose events a lead sees.
    pub fn entity_of(&self, lead: u32) -> Option<usize> {
        match &self.entity_of_lead {
            None => Some(lead as usize),
            Some(entities) => Some(entities[lead as usize])
                .filter(|&entity| entity != MISSING)
                .map(|entity| entity as usize),
        }
    }

    /// The rows with the owner of each, to be changed and sorted again.
    pub fn to_rows(&self) -> EventRows {
        let owners = (0..self.n_entities())
            .flat_map(|entity| std::iter::repeat_n(entity as u32, self.events_of(entity).len()));
        EventRows {
            owners: owners.collect(),
            ..self.rows.clone()
        }
    }

    /// Owners of whose events two of five or more are the one before again in every column, and all
    /// owners with events: of dates, several are the same.
    pub fn owners_of_repeated(&self) -> (usize, usize) {
        const DAY: i64 = 86_400_000_000;
        let rows = &self.rows;
        let is_instant = |event: usize| rows.at[event].micros().rem_euclid(DAY) != DAY - 1;
        let is_again = |event: usize| {
            rows.at[event] == rows.at[event - 1]
                && rows.visible_at(event) == rows.visible_at(event - 1)
                && rows
                    .kinds
                    .iter()
                    .all(|kind| kind.codes[event] == kind.codes[event - 1])
                && rows.values.iter().all(|column| {
                    column.values[event].to_bits() == column.values[event - 1].to_bits()
                })
        };
        let (mut n_repeated, mut n_owners) = (0, 0);
        for entity in 0..self.n_entities() {
            let events = self.events_of(entity);
            if events.is_empty() || !is_instant(events.start) {
                continue;
            }
            n_owners += 1;
            let n_again = (events.start + 1..events.end)
                .filter(|&event| is_again(event))
                .count();
            n_repeated += usize::from(5 * n_again >= 2 * events.len());
        }
        (n_repeated, n_owners)
    }

    /// Positions of the events of a lead or account.
    pub fn events_of(&self, entity: usize) -> std::ops::Range<usize> {
        self.offsets[entity]..self.offsets[entity + 1]
    }
}

impl EventRows {
    /// From when an event counts as known.
    pub fn visible_at(&self, event: usize) -> Timestamp {
        self.visible
            .as_ref()
            .map_or(self.at[event], |visible| visible[event])
    }

    /// Everything but the owner decides between two events of one owner.
    fn compare(&self, a: usize, b: usize) -> std::cmp::Ordering {
        self.at[a]
            .cmp(&self.at[b])
            .then_with(|| self.visible_at(a).cmp(&self.visible_at(b)))
            .then_with(|| {
                let by_kind = self
                    .kinds
                    .iter()
                    .map(|kind| kind.codes[a].cmp(&kind.codes[b]));
                let by_value = self
                    .values
                    .iter()
                    .map(|column| column.values[a].total_cmp(&column.values[b]));
                by_kind
                    .chain(by_value)
                    .find(|ordering| ordering.is_ne())
                    .unwrap_or(std::cmp::Ordering::Equal)
            })
    }

    fn is_sorted(&self) -> bool {
        self.owners.last().is_none_or(|&owner| owner != MISSING)
            && (1..self.owners.len()).all(|event| {
                self.owners[event - 1]
                    .cmp(&self.owners[event])
                    .then_with(|| self.compare(event - 1, event))
                    .is_le()
            })
    }

    fn sorted(self, offsets: &[usize]) -> Self {
        let n_kept = *offsets.last().expect("offsets begin with 0");
        // Time and row together, so that the sort of one owner's events reads no other memory
        // unless times are equal.
        let mut order: Vec<(Timestamp, u32)> = vec![(Timestamp::MIN, 0); n_kept];
        let mut next = offsets.to_vec();
        for (row, &owner) in self
            .owners
            .iter()
            .enumerate()
            .filter(|(_, owner)| **owner != MISSING)
        {
            let position = &mut next[owner as usize];
            order[*position] = (self.at[row], row as u32);
            *position += 1;
        }
        drop(next);
        split_at_owners(&mut order, offsets)
            .into_par_iter()
            .for_each(|(owners, mut events)| {
                for owner in owners {
                    let (own, rest) = events.split_at_mut(offsets[owner + 1] - offsets[owner]);
                    own.sort_unstable_by(|a, b| {
                        a.0.cmp(&b.0)
                            .then_with(|| self.compare(a.1 as usize, b.1 as usize))
                    });
                    events = rest;
                }
            });
        let order: Vec<u32> = order.into_par_iter().map(|(_, row)| row).collect();
        fn gather<T: Copy + Send + Sync>(column: Vec<T>, order: &[u32]) -> Vec<T> {
            order
                .par_iter()
                .with_min_len(1 << 14)
                .map(|&row| column[row as usize])
                .collect()
        }
        Self {
            owners: Vec::new(),
            at: gather(self.at, &order),
            visible: self.visible.map(|visible| gather(visible, &order)),
            kinds: self
                .kinds
                .into_iter()
                .map(|kind| KindColumn {
                    codes: gather(kind.codes, &order),
                    ..kind
                })
                .collect(),
            values: self
                .values
                .into_iter()
                .map(|column| ValueColumn {
                    values: gather(column.values, &order),
                    ..column
                })
                .collect(),
        }
    }
}

/// Runs of owners with their events, a few thousand events to a run.
fn split_at_owners<'a, T>(
    mut events: &'a mut [T],
    offsets: &[usize],
) -> Vec<(std::ops::Range<usize>, &'a mut [T])> {
    let mut runs = Vec::new();
    let n_owners = offsets.len() - 1;
    let mut first = 0;
    while first < n_owners {
        let wanted = offsets[first] + (1 << 13);
        let end = offsets
            .partition_point(|&offset| offset < wanted)
            .clamp(first + 1, n_owners);
        let (run, rest) = events.split_at_mut(offsets[end] - offsets[first]);
        runs.push((first..end, run));
        events = rest;
        first = end;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(events: &[(u32, i64, u32, f64)]) -> EventRows {
        EventRows {
            owners: events.iter().map(|event| event.0).collect(),
            at: events
                .iter()
                .map(|event| Timestamp::from_micros(event.1))
                .collect(),
            visible: None,
            kinds: vec![KindColumn {
                name: "kind".to_owned(),
                codes: events.iter().map(|event| event.2).collect(),
                levels: vec![],
                tokenizer: None,
            }],
            values: vec![ValueColumn {
                name: "value".to_owned(),
                values: events.iter().map(|event| event.3).collect(),
            }],
        }
    }

    #[test]
    fn any_order_gives_the_same_events() {
        let sorted = [
            (0, 5, 1, 1.0),
            (0, 5, 2, 0.0),
            (2, 1, 0, 3.0),
            (2, 9, 0, 2.0),
            (2, 9, 0, 4.0),
        ];
        let mut shuffled = vec![(MISSING, 3, 0, 0.0)];
        shuffled.extend([4, 1, 3, 0, 2].map(|position: usize| sorted[position]));
        let one = Activities::new("a", None, 3, rows(&sorted));
        assert_eq!(one, Activities::new("a", None, 3, rows(&shuffled)));
        assert_eq!(one.offsets, [0, 2, 2, 5]);
        assert!(rows(&sorted).is_sorted());
    }
}
