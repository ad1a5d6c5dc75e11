//! 1 if one of these events came after one of those, else 0.

use super::definition::{Definition, Events};
use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula};
use crate::phrase::{Phrase, Shown, case, number};
use crate::wording::Nouns;
use crate::{EventFilter, Unit};

/// After one of these.
pub(super) struct Follows<'a>(pub(super) &'a EventFilter);

impl Definition for Follows<'_> {
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate> {
        let earlier = Events {
            filter: self.0,
            window: None,
        };
        Formula::IsBefore(
            earlier.aggregate(AggregateKind::First),
            events.ever().aggregate(AggregateKind::Last),
        )
    }

    fn unit(&self) -> Unit {
        Unit::Flag
    }

    fn describe(&self, table: &str, events: &str, _when: &str) -> String {
        format!("whether {events} came after {}", self.0.describe(table))
    }

    fn missing(&self) -> &'static str {
        "never missing: 0 without events"
    }

    fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        let EventWords { one, never, .. } = words;
        let Nouns { one: earlier, .. } = words.nouns(self.0);
        number(
            never,
            vec![
                case(0.5, &format!("no {one} after a {earlier}"), Shown::Whole),
                case(
                    f64::INFINITY,
                    &format!("{one} after a {earlier}"),
                    Shown::Whole,
                ),
            ],
        )
    }

    fn is_plain(&self) -> bool {
        false
    }
}
