//! Largest value of a column.

use super::definition::{Definition, Events};
use crate::Unit;
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula, Term};
use crate::phrase::Phrase;

/// Of this column.
pub(super) struct Max<'a>(pub(super) &'a str);

impl Definition for Max<'_> {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        let max = events.aggregate(AggregateKind::Max(self.0.to_owned()));
        Formula::Plain(Term::Itself(max))
    }

    fn unit(&self) -> Unit {
        Unit::AsGiven
    }

    fn describe(&self, _table: &str, events: &str, when: &str) -> String {
        format!("largest {} of {events} {when}", self.0)
    }

    fn missing(&self) -> &'static str {
        "no such event has a value"
    }

    fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        words.value(self.0, "at most")
    }

    fn is_plain(&self) -> bool {
        true
    }
}
