//! Share of these events among all events of the table in the window.

use super::definition::{Definition, Events};
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula, Term};
use crate::phrase::{Phrase, Shown, case, number};
use crate::{EventFilter, Unit};

pub(super) struct Share;

impl Definition for Share {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        let all = Events {
            filter: &EventFilter::All,
            ..events
        };
        Formula::Over(
            Term::OrZero(events.aggregate(AggregateKind::Count)),
            all.aggregate(AggregateKind::Count),
        )
    }

    fn unit(&self) -> Unit {
        Unit::Share
    }

    fn describe(&self, table: &str, events: &str, when: &str) -> String {
        format!("share of {events} among all {table} events {when}")
    }

    fn missing(&self) -> &'static str {
        "there was no event at all in the window"
    }

    fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        let EventWords {
            many, when, none, ..
        } = words;
        let all = words.nouns(&EventFilter::All).many;
        let share = format!("{many}: {{}} % of all {all} {when}");
        let since = if words.window.is_some() { when } else { "yet" };
        number(
            &format!("no {all} {since}"),
            vec![
                case(f64::MIN_POSITIVE, none, Shown::Percent),
                case(f64::INFINITY, &share, Shown::Percent),
            ],
        )
    }

    fn is_plain(&self) -> bool {
        false
    }
}
