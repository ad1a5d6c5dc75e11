//! Days from the lead's creation to the first event at or after it.

use super::definition::{Definition, Events};
use crate::Unit;
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula, Moment, Term};
use crate::phrase::{Phrase, days, number};

pub(super) struct ReplyDays;

impl Definition for ReplyDays {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        let first = events.ever().aggregate(AggregateKind::FirstSinceCreation);
        Formula::Plain(Term::Days {
            from: Moment::Creation,
            to: Moment::Of(first),
        })
    }

    fn unit(&self) -> Unit {
        Unit::Days
    }

    fn describe(&self, _table: &str, events: &str, _when: &str) -> String {
        format!("days from creation to the first {events} after it")
    }

    fn missing(&self) -> &'static str {
        "there was no such event since creation"
    }

    fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        let EventWords { one, many, .. } = words;
        number(
            &format!("no {many} since creation"),
            days(
                &format!("first {one} within a day of creation"),
                &format!("first {one} 1 day after creation"),
                &format!("first {one} {{}} days after creation"),
            ),
        )
    }

    fn is_plain(&self) -> bool {
        true
    }
}
