//! Where a page ended: the order that it was cut from with the place of the next lead, and the score
//! and the ID of the last one, for the time when that order is kept no more.

use leadscore_core::Timestamp;
use leadscore_serve::FieldError;

use super::{Entry, by_score};
use crate::log::bits;

/// The end of a page of the queue.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cursor {
    /// The order, by its ID among those that are kept.
    pub(super) order: u64,
    /// The place in it that the next page begins with.
    pub(super) place: usize,
    log_odds: f64,
    lead: String,
}

/// A cursor that no page gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadCursor;

impl Cursor {
    pub(super) fn of(order: u64, place: usize, last: &Entry) -> Self {
        Self {
            order,
            place,
            log_odds: last.log_odds,
            lead: last.lead.clone(),
        }
    }

    /// Whether a lead comes after it.
    pub(super) fn is_before(&self, entry: &Entry) -> bool {
        by_score((self.log_odds, &self.lead), (entry.log_odds, &entry.lead)).is_lt()
    }

    /// As callers get it.
    pub(crate) fn text(&self) -> String {
        format!(
            "{:x}.{:x}.{}-{}",
            self.order,
            self.place,
            bits(self.log_odds),
            self.lead
        )
    }

    pub(super) fn parse(text: &str) -> Result<Self, BadCursor> {
        let (numbers, lead) = text.split_once('-').ok_or(BadCursor)?;
        let numbers: Vec<u64> = numbers.split('.').map(number).collect::<Result<_, _>>()?;
        let [order, place, digits] = numbers[..] else {
            return Err(BadCursor);
        };
        Ok(Self {
            order,
            place: usize::try_from(place).map_err(|_| BadCursor)?,
            log_odds: f64::from_bits(digits),
            lead: lead.to_owned(),
        })
    }
}

/// A number as a cursor has it.
fn number(digits: &str) -> Result<u64, BadCursor> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(BadCursor);
    }
    u64::from_str_radix(digits, 16).map_err(|_| BadCursor)
}

/// The end of a page of held-back leads: when its last lead came, which never changes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Came {
    pub(super) created: Option<Timestamp>,
    pub(super) lead: String,
}

impl Came {
    pub(super) fn text(&self) -> String {
        let created = self.created.map_or_else(String::new, |created| {
            format!("{:x}", created.micros().cast_unsigned())
        });
        format!("{created}-{}", self.lead)
    }

    pub(super) fn parse(text: &str) -> Result<Self, BadCursor> {
        let (created, lead) = text.split_once('-').ok_or(BadCursor)?;
        let created = match created {
            "" => None,
            digits => Some(Timestamp::from_micros(number(digits)?.cast_signed())),
        };
        Ok(Self {
            created,
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
