//! What is computed over the events of a window: one file a statistic, with all that it must answer.

mod definition;

mod active_days;
mod count;
mod decayed;
mod first_days;
mod follows;
mod latest_kind;
mod latest_value;
mod max;
mod max_gap_days;
mod mean;
mod mean_gap_days;
mod recency_days;
mod reply_days;
mod share;
mod sum;
mod trend;

use serde::{Deserialize, Serialize};

use self::definition::{Definition, Events};
use crate::event_words::EventWords;
use crate::phrase::Phrase;
use crate::{Aggregate, EventFilter, Formula, Span, Unit};

/// What is computed over the events of a window.
///
/// Model files hold these by position: new variants go to the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Statistic {
    /// Number of events.
    Count,
    /// Sum of a column over the events that have a value.
    Sum(String),
    /// Mean of a column over the events that have a value.
    Mean(String),
    /// Days since the latest event; the window is ignored.
    RecencyDays,
    /// Largest value of a column.
    Max(String),
    /// Number of calendar days (UTC) with an event.
    ActiveDays,
    /// Days since the first event; the window is ignored.
    FirstDays,
    /// Each event counts a half for every half-life that has passed since it; the window is
    /// ignored.
    Decayed(Span),
    /// Number of events in the window less the number in the window before it.
    Trend,
    /// Share of these events among all events of the table in the window.
    Share,
    /// Mean days between consecutive events; the window is ignored.
    MeanGapDays,
    /// Most days between two consecutive events; the window is ignored.
    MaxGapDays,
    /// Days from the lead's creation to the first event at or after it; the window is ignored.
    ReplyDays,
    /// 1 if one of these events came after one of those, else 0; the window is ignored.
    Follows(EventFilter),
    /// A column's value at the latest event; the window is ignored.
    LatestValue(String),
    /// A kind column's value at the latest event, a category; the window is ignored.
    LatestKind(String),
}

impl Statistic {
    /// Its file's answers.
    fn definition(&self) -> Box<dyn Definition + '_> {
        match self {
            Self::Count => Box::new(count::Count),
            Self::Sum(column) => Box::new(sum::Sum(column)),
            Self::Mean(column) => Box::new(mean::Mean(column)),
            Self::RecencyDays => Box::new(recency_days::RecencyDays),
            Self::Max(column) => Box::new(max::Max(column)),
            Self::ActiveDays => Box::new(active_days::ActiveDays),
            Self::FirstDays => Box::new(first_days::FirstDays),
            Self::Decayed(half_life) => Box::new(decayed::Decayed(*half_life)),
            Self::Trend => Box::new(trend::Trend),
            Self::Share => Box::new(share::Share),
            Self::MeanGapDays => Box::new(mean_gap_days::MeanGapDays),
            Self::MaxGapDays => Box::new(max_gap_days::MaxGapDays),
            Self::ReplyDays => Box::new(reply_days::ReplyDays),
            Self::Follows(after) => Box::new(follows::Follows(after)),
            Self::LatestValue(column) => Box::new(latest_value::LatestValue(column)),
            Self::LatestKind(column) => Box::new(latest_kind::LatestKind(column)),
        }
    }

    /// What it is made of, over these events.
    pub fn formula(&self, filter: &EventFilter, window: Option<Span>) -> Formula<Aggregate> {
        self.definition().formula(Events { filter, window })
    }

    /// Whether a window changes the value.
    pub fn has_window(&self) -> bool {
        self.formula(&EventFilter::All, Some(Span::from_days(1)))
            .aggregates()
            .iter()
            .any(|aggregate| aggregate.window.is_some())
    }

    /// The unit; [`Unit::Level`] where it is a category.
    pub fn unit(&self) -> Unit {
        self.definition().unit()
    }

    /// A sentence for the dictionary of features.
    pub(crate) fn describe(
        &self,
        table: &str,
        filter: &EventFilter,
        window: Option<Span>,
    ) -> String {
        let events = filter.describe(table);
        let when = window.map_or_else(
            || "ever".to_owned(),
            |window| format!("in the last {window}"),
        );
        self.definition().describe(table, &events, &when)
    }

    /// What a missing value means, and what stands where there are no events.
    pub(crate) fn missing(&self) -> &'static str {
        self.definition().missing()
    }

    /// How its values are said.
    pub(crate) fn phrase(&self, words: &EventWords<'_>) -> Phrase {
        self.definition().phrase(words)
    }

    /// Whether a person knows the number as it is: a count, a day, a value; not one that was
    /// computed for the model's sake, nor days with events, which the number of events says better.
    pub(crate) fn is_plain(&self) -> bool {
        self.definition().is_plain()
    }
}
