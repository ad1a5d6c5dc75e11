//! Number of events.

use super::definition::{Definition, Events};
use crate::Unit;
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula, Term};
use crate::phrase::{Phrase, count, number};

pub(super) struct Count;

impl Definition for Count {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        Formula::Plain(Term::OrZero(events.aggregate(AggregateKind::Count)))
    }

    fn unit(&self) -> Unit {
        Unit::Events
    }

    fn describe(&self, _table: &str, events: &str, when: &str) -> String {
        format!("number of {events} {when}")
    }

    fn missing(&self) -> &'static str {
        "never missing: 0 without events"
    }

    fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        let EventWords {
            one,
            many,
            when,
            none,
            ..
        } = words;
        number(
            none,
            count(
                none,
                &format!("1 {one} {when}"),
                &format!("{{}} {many} {when}"),
            ),
        )
    }

    fn is_plain(&self) -> bool {
        true
    }
}
