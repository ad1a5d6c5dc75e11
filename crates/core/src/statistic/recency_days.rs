//! Days since the latest event.

use super::definition::{Definition, Events};
use crate::Unit;
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula, Moment, Term};
use crate::phrase::{Phrase, Shown, case, number};

pub(super) struct RecencyDays;

impl Definition for RecencyDays {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        Formula::Plain(Term::Days {
            from: Moment::Of(events.ever().aggregate(AggregateKind::Last)),
            to: Moment::Snapshot,
        })
    }

    fn unit(&self) -> Unit {
        Unit::Days
    }

    fn describe(&self, _table: &str, events: &str, _when: &str) -> String {
        format!("days since the latest {events}")
    }

    fn missing(&self) -> &'static str {
        "there was no such event"
    }

    /// From two weeks on, how long there was none.
    fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        let EventWords {
            one, many, never, ..
        } = words;
        number(
            never,
            vec![
                case(
                    1.0,
                    &format!("latest {one} less than a day ago"),
                    Shown::Whole,
                ),
                case(1.5, &format!("latest {one} 1 day ago"), Shown::Whole),
                case(13.5, &format!("latest {one} {{}} days ago"), Shown::Whole),
                case(
                    f64::INFINITY,
                    &format!("no {many} for {{}} days"),
                    Shown::Whole,
                ),
            ],
        )
    }

    fn is_plain(&self) -> bool {
        true
    }
}
