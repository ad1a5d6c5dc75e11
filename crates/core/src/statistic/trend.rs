//! Number of events in the window less the number in the window before it.

use super::definition::{Definition, Events};
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula, Term};
use crate::phrase::{Phrase, Shown, case, number};
use crate::{Span, Unit};

pub(super) struct Trend;

impl Definition for Trend {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        let one = Term::OrZero(events.aggregate(AggregateKind::Count));
        // Over the whole life there is no window before.
        let Some(window) = events.window.map(Span::doubled) else {
            return Formula::Plain(one);
        };
        let both = Events {
            window: Some(window),
            ..events
        };
        Formula::TwiceLess(one, Term::OrZero(both.aggregate(AggregateKind::Count)))
    }

    fn unit(&self) -> Unit {
        Unit::Events
    }

    fn describe(&self, _table: &str, events: &str, when: &str) -> String {
        format!("number of {events} {when} less the number in as long a time before that")
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
        let before = words.window.as_ref().map_or("before".to_owned(), |length| {
            format!("in the {length} before")
        });
        let more = |how: &str| format!("{{}} {how} {many} {when} than {before}");
        let single = |how: &str| format!("1 {how} {one} {when} than {before}");
        number(
            none,
            vec![
                case(-1.5, &more("fewer"), Shown::Whole),
                case(-0.5, &single("fewer"), Shown::Whole),
                case(
                    0.5,
                    &format!("as many {many} {when} as {before}"),
                    Shown::Whole,
                ),
                case(1.5, &single("more"), Shown::Whole),
                case(f64::INFINITY, &more("more"), Shown::Whole),
            ],
        )
    }

    fn is_plain(&self) -> bool {
        false
    }
}
