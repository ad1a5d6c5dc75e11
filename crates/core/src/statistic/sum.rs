//! Sum of a column over the events that have a value.

use super::definition::{Definition, Events};
use crate::Unit;
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula, Term};
use crate::phrase::Phrase;

/// Of this column.
pub(super) struct Sum<'a>(pub(super) &'a str);

impl Definition for Sum<'_> {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        let sum = events.aggregate(AggregateKind::Sum(self.0.to_owned()));
        Formula::Plain(Term::OrZero(sum))
    }

    fn unit(&self) -> Unit {
        Unit::AsGiven
    }

    fn describe(&self, _table: &str, events: &str, when: &str) -> String {
        format!("sum of {} over {events} {when}", self.0)
    }

    fn missing(&self) -> &'static str {
        "never missing: 0 without events"
    }

    fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        words.value(self.0, "in all")
    }

    fn is_plain(&self) -> bool {
        true
    }
}
