//! Number of calendar days (UTC) with an event.

use super::definition::{Definition, Events};
use crate::Unit;
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula, Term};
use crate::phrase::{Phrase, count, number};

pub(super) struct ActiveDays;

impl Definition for ActiveDays {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        Formula::Plain(Term::OrZero(events.aggregate(AggregateKind::ActiveDays)))
    }

    fn unit(&self) -> Unit {
        Unit::Days
    }

    fn describe(&self, _table: &str, events: &str, when: &str) -> String {
        format!("number of days with {events} {when}")
    }

    fn missing(&self) -> &'static str {
        "never missing: 0 without events"
    }

    fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        let EventWords {
            many, when, none, ..
        } = words;
        number(
            none,
            count(
                none,
                &format!("{many} on 1 day {when}"),
                &format!("{many} on {{}} days {when}"),
            ),
        )
    }

    /// The number of events says it better.
    fn is_plain(&self) -> bool {
        false
    }
}
