//! A column's value at the latest event.

use super::definition::{Definition, Events};
use crate::Unit;
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula, Term};
use crate::phrase::{Phrase, decimal_case, number};
use crate::wording::name;

/// Of this column.
pub(super) struct LatestValue<'a>(pub(super) &'a str);

impl Definition for LatestValue<'_> {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        let kind = AggregateKind::LatestValue(self.0.to_owned());
        Formula::Plain(Term::Itself(events.ever().aggregate(kind)))
    }

    fn unit(&self) -> Unit {
        Unit::AsGiven
    }

    fn describe(&self, _table: &str, events: &str, _when: &str) -> String {
        format!("{} of the latest {events}", self.0)
    }

    fn missing(&self) -> &'static str {
        "no such event has a value"
    }

    fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        let EventWords { one, many, .. } = words;
        let column = name(self.0);
        number(
            &format!("no {column} of {many} yet"),
            decimal_case(&format!("{column} of the latest {one}: {{}}")),
        )
    }

    fn is_plain(&self) -> bool {
        true
    }
}
