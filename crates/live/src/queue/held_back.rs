//! Leads that are held back from prioritizing, in the order in which they came: nothing of a score
//! is in it.

use std::cmp::Ordering;

use leadscore_core::Timestamp;
use leadscore_serve::HeldBackQuery;

use super::cursor::{BadCursor, Came};
use super::{Entry, Ranking, Search};

/// A part of the held-back leads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HeldBackPage {
    pub(crate) n_matching: usize,
    /// The leads and when they came, the latest first.
    pub(crate) rows: Vec<(String, Option<Timestamp>)>,
    pub(crate) next: Option<String>,
}

impl Ranking {
    /// The held-back leads that a query asks for.
    pub(crate) fn held_back(&self, query: &HeldBackQuery) -> Result<HeldBackPage, BadCursor> {
        let after = query.cursor.as_deref().map(Came::parse).transpose()?;
        let search = Search::of(query.search.as_deref());
        let mut found: Vec<&Entry> = self
            .entries()
            .filter(|entry| entry.held_back)
            .filter(|entry| query.owner.is_none() || query.owner == entry.owner)
            .filter(|entry| search.finds(entry))
            .collect();
        found.sort_by(|a, b| as_they_came((a.created, &a.lead), (b.created, &b.lead)));
        let n_matching = found.len();
        if let Some(after) = after {
            found.retain(|entry| {
                as_they_came((after.created, &after.lead), (entry.created, &entry.lead)).is_lt()
            });
        }
        let limit = query.limit.clamp(1, 500);
        let is_last = found.len() <= limit;
        found.truncate(limit);
        let next = found.last().filter(|_| !is_last).map(|last| {
            Came {
                created: last.created,
                lead: last.lead.clone(),
            }
            .text()
        });
        Ok(HeldBackPage {
            n_matching,
            rows: found
                .into_iter()
                .map(|entry| (entry.lead.clone(), entry.created))
                .collect(),
            next,
        })
    }
}

/// Latest first, and by ID; leads of which nothing says when they came are the last.
fn as_they_came(a: (Option<Timestamp>, &str), b: (Option<Timestamp>, &str)) -> Ordering {
    b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1))
}
