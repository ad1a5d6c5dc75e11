//! Mean of a column over the events that have a value.

use super::definition::{Definition, Events};
use crate::Unit;
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula, Term};
use crate::phrase::Phrase;

/// Of this column.
pub(super) struct Mean<'a>(pub(super) &'a str);

impl Definition for Mean<'_> {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        let mean = events.aggregate(AggregateKind::Mean(self.0.to_owned()));
        Formula::Plain(Term::Itself(mean))
    }

    fn unit(&self) -> Unit {
        Unit::AsGiven
    }

    fn describe(&self, _table: &str, events: &str, when: &str) -> String {
        format!("mean {} over {events} {when}", self.0)
    }

    fn missing(&self) -> &'static str {
        "no such event has a value"
    }

    fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        words.value(self.0, "on average")
    }

    fn is_plain(&self) -> bool {
        true
    }
}
