//! Most days between two consecutive events.

use super::definition::{Definition, Events};
use crate::Unit;
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula, Term};
use crate::phrase::Phrase;

pub(super) struct MaxGapDays;

impl Definition for MaxGapDays {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        Formula::Plain(Term::InDays(
            events.ever().aggregate(AggregateKind::LongestGap),
        ))
    }

    fn unit(&self) -> Unit {
        Unit::Days
    }

    fn describe(&self, _table: &str, events: &str, _when: &str) -> String {
        format!("longest days between {events}")
    }

    fn missing(&self) -> &'static str {
        "there were fewer than two such events"
    }

    fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        words.gap("at most")
    }

    fn is_plain(&self) -> bool {
        false
    }
}
