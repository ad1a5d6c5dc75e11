//! Each event counts a half for every half-life that has passed since it.

use super::definition::{Definition, Events};
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula, Term};
use crate::phrase::{Phrase, Shown, case, number, silence};
use crate::{Span, Unit};

/// With this half-life.
pub(super) struct Decayed(pub(super) Span);

impl Definition for Decayed {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        let sum = events.ever().aggregate(AggregateKind::Decayed(self.0));
        Formula::Plain(Term::OrZero(sum))
    }

    fn unit(&self) -> Unit {
        Unit::Events
    }

    fn describe(&self, _table: &str, events: &str, _when: &str) -> String {
        format!(
            "number of {events}, each counting half after every {}",
            self.0
        )
    }

    fn missing(&self) -> &'static str {
        "never missing: 0 without events"
    }

    /// As the silence before it.
    fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        let EventWords { many, never, .. } = words;
        let mut cases = vec![case(f64::MIN_POSITIVE, never, Shown::Whole)];
        cases.extend(silence(self.0.days(), many));
        cases.push(case(f64::INFINITY, &format!("recent {many}"), Shown::Whole));
        number(never, cases)
    }

    fn is_plain(&self) -> bool {
        false
    }
}
