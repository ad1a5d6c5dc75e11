//! Mean days between consecutive events.

use super::definition::{Definition, Events};
use crate::Unit;
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula, Moment, Term};
use crate::phrase::Phrase;

pub(super) struct MeanGapDays;

impl Definition for MeanGapDays {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        let ever = events.ever();
        let reach = Term::Days {
            from: Moment::Of(ever.aggregate(AggregateKind::First)),
            to: Moment::Of(ever.aggregate(AggregateKind::Last)),
        };
        Formula::OverOneLess(reach, ever.aggregate(AggregateKind::Count))
    }

    fn unit(&self) -> Unit {
        Unit::Days
    }

    fn describe(&self, _table: &str, events: &str, _when: &str) -> String {
        format!("mean days between {events}")
    }

    fn missing(&self) -> &'static str {
        "there were fewer than two such events"
    }

    fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        words.gap("on average")
    }

    fn is_plain(&self) -> bool {
        false
    }
}
