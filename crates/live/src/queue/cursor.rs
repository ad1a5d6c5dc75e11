//! Where a page of the queue ended: the score and the ID of its last lead, so that leads that come
//! and go before the next page move nothing.

use leadscore_serve::FieldError;

use super::{Entry, by_score};
use crate::log::bits;

/// The last lead of a page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cursor {
    log_odds: f64,
    lead: String,
}

/// A cursor that no page gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadCursor;

impl Cursor {
    pub(super) fn of(entry: &Entry) -> Self {
        Self {
            log_odds: entry.log_odds,
            lead: entry.lead.clone(),
        }
    }

    /// Whether a lead comes after it.
    pub(super) fn is_before(&self, entry: &Entry) -> bool {
        by_score((self.log_odds, &self.lead), (entry.log_odds, &entry.lead)).is_lt()
    }

    /// As callers give it back.
    pub(crate) fn text(&self) -> String {
        format!("{}-{}", bits(self.log_odds), self.lead)
    }

    pub(super) fn parse(text: &str) -> Result<Self, BadCursor> {
        let (digits, lead) = text.split_at_checked(16).ok_or(BadCursor)?;
        let lead = lead.strip_prefix('-').ok_or(BadCursor)?;
        let digits = u64::from_str_radix(digits, 16).map_err(|_| BadCursor)?;
        Ok(Self {
            log_odds: f64::from_bits(digits),
            lead: lead.to_owned(),
        })
    }
}

impl From<BadCursor> for FieldError {
    fn from(BadCursor: BadCursor) -> Self {
        Self {
            pointer: "/cursor".to_owned(),
            detail: "the cursor is none that a page gave".to_owned(),
            hint: "use `next` of the page before, or leave it out".to_owned(),
        }
    }
}
