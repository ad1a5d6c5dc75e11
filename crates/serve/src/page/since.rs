//! Since when the page tells changes: since the last look of whoever asks.

use leadscore_core::{Span, Timestamp};

use super::words::near;
use crate::QueueRow;

/// Moments that are nearer to each other than this are one to people.
const SAME: f64 = 1.0 / 1_440.0;

/// Since when changes are shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Since {
    pub(crate) at: Timestamp,
    /// Such as "your last look (yesterday, 16:20)".
    pub(crate) words: String,
}

impl Since {
    pub(crate) fn of(last: Option<Timestamp>, now: Timestamp) -> Self {
        match last {
            Some(at) => Self {
                at,
                words: format!("your last look ({} UTC)", near(at, now)),
            },
            None => Self {
                at: now - Span::from_days(1),
                words: "yesterday".to_owned(),
            },
        }
    }

    /// Since when the changes of these rows are: an engine that does not have the scores of that
    /// moment compares with others.
    pub(crate) fn shown<'r>(
        self,
        rows: impl IntoIterator<Item = &'r QueueRow>,
        now: Timestamp,
    ) -> Self {
        match rows.into_iter().find_map(|row| row.change.as_ref()) {
            Some(change) if !self.is(change.since) => Self {
                at: change.since,
                words: format!("{} UTC", near(change.since, now)),
            },
            Some(_) | None => self,
        }
    }

    pub(crate) fn is(&self, at: Timestamp) -> bool {
        self.at.days_since(at).abs() < SAME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_with_the_moment_that_it_is_since() {
        let now: Timestamp = "2026-11-27T09:14:00Z".parse().expect("a moment");
        let look: Timestamp = "2026-11-25T16:20:00Z".parse().expect("a moment");
        let since = Since::of(Some(look), now);
        assert_eq!(since.words, "your last look (Wednesday, 16:20 UTC)");
        assert_eq!(since.clone().shown(&[], now), since);
        assert!(since.is(look + Span::from_micros(59_000_000)));
        assert!(!since.is(look + Span::from_micros(60_000_000)));
        assert_eq!(Since::of(None, now).words, "yesterday");
    }
}
