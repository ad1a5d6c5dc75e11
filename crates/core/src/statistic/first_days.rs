//! Days since the first event.

use super::definition::{Definition, Events};
use crate::Unit;
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula, Moment, Term};
use crate::phrase::{Phrase, days, number};

pub(super) struct FirstDays;

impl Definition for FirstDays {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        Formula::Plain(Term::Days {
            from: Moment::Of(events.ever().aggregate(AggregateKind::First)),
            to: Moment::Snapshot,
        })
    }

    fn unit(&self) -> Unit {
        Unit::Days
    }

    fn describe(&self, _table: &str, events: &str, _when: &str) -> String {
        format!("days since the first {events}")
    }

    fn missing(&self) -> &'static str {
        "there was no such event"
    }

    fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        let EventWords { one, never, .. } = words;
        number(
            never,
            days(
                &format!("first {one} less than a day ago"),
                &format!("first {one} 1 day ago"),
                &format!("first {one} {{}} days ago"),
            ),
        )
    }

    fn is_plain(&self) -> bool {
        true
    }
}
