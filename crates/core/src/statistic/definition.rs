//! What every statistic must answer.

use crate::event_words::EventWords;
use crate::formula::{Aggregate, AggregateKind, Formula};
use crate::phrase::Phrase;
use crate::{EventFilter, Span, Unit};

/// What every statistic must answer.
pub(super) trait Definition {
    /// What it is made of, for the sweep and for SQL. What has no window gives its aggregates none.
    fn formula(&self, events: Events<'_>) -> Formula<Aggregate>;
    /// The unit; [`Unit::Level`] where it is a category.
    fn unit(&self) -> Unit;
    /// A sentence for the dictionary of features: `events` of `table` in the window `when`.
    fn describe(&self, table: &str, events: &str, when: &str) -> String;
    /// What a missing value means, and what stands where there are no events.
    fn missing(&self) -> &'static str;
    /// How its values are said.
    fn phrase(&self, words: &EventWords<'_>) -> Phrase;
    /// Whether a person knows the number as it is.
    fn is_plain(&self) -> bool;
}

/// The events that a statistic is asked of.
#[derive(Clone, Copy)]
pub(super) struct Events<'e> {
    /// Which of the table.
    pub(super) filter: &'e EventFilter,
    /// How far back; `None` for all.
    pub(super) window: Option<Span>,
}

impl Events<'_> {
    /// An aggregate over them.
    pub(super) fn aggregate(self, kind: AggregateKind) -> Aggregate {
        Aggregate {
            kind,
            filter: self.filter.clone(),
            window: self.window,
        }
    }

    /// The same without the window.
    pub(super) fn ever(self) -> Self {
        Self {
            window: None,
            ..self
        }
    }
}
