//! A kind column's value at the latest event, a category.

use super::definition::{Definition, Events};
use crate::Unit;
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula, Term};
use crate::phrase::{Phrase, level};

/// Of this column.
pub(super) struct LatestKind<'a>(pub(super) &'a str);

impl Definition for LatestKind<'_> {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        let kind = AggregateKind::LatestKind(self.0.to_owned());
        Formula::Plain(Term::Itself(events.ever().aggregate(kind)))
    }

    fn unit(&self) -> Unit {
        Unit::Level
    }

    fn describe(&self, _table: &str, events: &str, _when: &str) -> String {
        format!("{} of the latest {events}", self.0)
    }

    fn missing(&self) -> &'static str {
        "there was no such event"
    }

    fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        let EventWords { one, never, .. } = words;
        level(&format!("latest {one}: "), "", never)
    }

    fn is_plain(&self) -> bool {
        true
    }
}
