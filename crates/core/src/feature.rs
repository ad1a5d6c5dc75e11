//! What a feature is: where it comes from, what it counts, in which unit.

use serde::{Deserialize, Serialize};

use crate::Span;

/// One column of the feature matrix: a name and a recipe that needs nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureSpec {
    /// Unique name, such as `touches.email_click.count.30d`.
    pub name: String,
    /// Where the value comes from.
    pub source: FeatureSource,
    /// Number or category.
    pub kind: FeatureKind,
    /// Unit of a number.
    pub unit: Unit,
}

/// Whether a feature is a number or one of several levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeatureKind {
    /// A finite number, NaN where missing.
    Number,
    /// A level by its index into the matrix's `levels`, NaN where missing.
    Category,
}

/// Where the value of a feature comes from.
///
/// Model files hold these by position: new variants, here and in every enum below, go to the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeatureSource {
    /// A column of the leads or of a table that they point to; as of the snapshot where it has a
    /// history, else as it is today.
    Attribute {
        /// The table.
        table: AttributeTable,
        /// The column.
        column: String,
    },
    /// A part of the calendar of the lead's creation.
    Created(CalendarPart),
    /// Days from creation to the snapshot.
    AgeDays,
    /// A statistic of the lead's events (or, of a table by account, its account's) in `[snapshot −
    /// window, snapshot)`.
    Activity {
        /// Name of the activity table in the config.
        table: String,
        /// Which of the events.
        kind: EventFilter,
        /// How far the window reaches back; `None` for the whole life of the lead.
        window: Option<Span>,
        /// What is computed over the events.
        statistic: Statistic,
    },
    /// A part of the calendar of the snapshot.
    Snapshot(CalendarPart),
    /// Days since the attribute took the value that it has at the snapshot; needs a history.
    AttributeAge {
        /// The column of the leads.
        column: String,
    },
    /// Number of the attribute's entries in its history before the snapshot.
    AttributeChanges {
        /// The column of the leads.
        column: String,
    },
    /// As `Activity`, over the events of the account's other leads: count, sum, mean, trend, share
    /// or recency.
    Peers {
        /// Name of the activity table in the config.
        table: String,
        /// Which of the events.
        kind: EventFilter,
        /// How far the window reaches back; `None` for all that is known.
        window: Option<Span>,
        /// What is computed over the events.
        statistic: Statistic,
    },
    /// How the account's other leads stand at the snapshot.
    PeerLeads(PeerState),
    /// Days from Monday to Friday between creation and the snapshot.
    AgeWeekdays,
}

/// What a feature over events looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventsRead<'f> {
    /// Name of the activity table in the config.
    pub table: &'f str,
    /// Which of the events.
    pub filter: &'f EventFilter,
    /// How far the window reaches back; `None` for the whole life of the lead.
    pub window: Option<Span>,
    /// What is computed over the events.
    pub statistic: &'f Statistic,
    /// Whether the events are those of the account's other leads.
    pub of_peers: bool,
}

impl FeatureSource {
    /// What it looks at, where that are events.
    pub fn events(&self) -> Option<EventsRead<'_>> {
        let (of_peers, table, filter, window, statistic) = match self {
            Self::Activity {
                table,
                kind,
                window,
                statistic,
            } => (false, table, kind, window, statistic),
            Self::Peers {
                table,
                kind,
                window,
                statistic,
            } => (true, table, kind, window, statistic),
            Self::Attribute { .. }
            | Self::Created(_)
            | Self::AgeDays
            | Self::AgeWeekdays
            | Self::Snapshot(_)
            | Self::AttributeAge { .. }
            | Self::AttributeChanges { .. }
            | Self::PeerLeads(_) => return None,
        };
        Some(EventsRead {
            table,
            filter,
            window: *window,
            statistic,
            of_peers,
        })
    }

    /// The column of an attribute that it is about, by its value or its history.
    pub fn column(&self) -> Option<(&AttributeTable, &str)> {
        match self {
            Self::Attribute { table, column } => Some((table, column)),
            Self::AttributeAge { column } | Self::AttributeChanges { column } => {
                Some((&AttributeTable::Leads, column))
            }
            Self::Created(_)
            | Self::AgeDays
            | Self::AgeWeekdays
            | Self::Activity { .. }
            | Self::Snapshot(_)
            | Self::Peers { .. }
            | Self::PeerLeads(_) => None,
        }
    }
}

/// The table that an attribute stands in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AttributeTable {
    /// The leads themselves.
    Leads,
    /// A lookup of this name.
    Lookup(String),
}

/// A part of the calendar, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CalendarPart {
    /// Monday to Sunday, a category.
    Weekday,
    /// 1 to 31, a number.
    DayOfMonth,
    /// 0 to 23, a number; only where the moment has a time of day.
    Hour,
    /// January to December, a category; only over at least two years of history, or it stands for
    /// the trend.
    Month,
}

/// The levels of [`CalendarPart::Weekday`].
pub const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// The levels of [`CalendarPart::Month`].
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// How another lead of the account stands at a snapshot, by what was known then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeerState {
    /// Created and not closed.
    Open,
    /// Won.
    Won,
    /// Closed and not won.
    Lost,
}

/// Which events of a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventFilter {
    /// All of them.
    All,
    /// Those whose column has this value.
    Is(String, String),
    /// Those whose column has a value that is none of these.
    Other {
        /// The column.
        column: String,
        /// The values that have features of their own, sorted.
        named: Vec<String>,
    },
    /// Those where each of these columns has its value.
    Each(Vec<(String, String)>),
}

/// What is computed over the events of a window.
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

/// The unit of a numeric feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// No unit known: the number as the table gives it.
    AsGiven,
    /// Days of 24 hours.
    Days,
    /// Number of events.
    Events,
    /// Hour of the day.
    Hours,
    /// A category has no unit.
    Level,
    /// A share, 0 to 1.
    Share,
    /// 0 or 1.
    Flag,
    /// Number of leads.
    Leads,
    /// Number of entries in a history.
    Changes,
}

impl Unit {
    /// The unit as people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AsGiven => "as given",
            Self::Days => "days",
            Self::Events => "events",
            Self::Hours => "hour of day",
            Self::Level => "level",
            Self::Share => "share, 0 to 1",
            Self::Flag => "0 or 1",
            Self::Leads => "leads",
            Self::Changes => "changes",
        }
    }
}

impl EventFilter {
    /// The events as a sentence names them.
    fn describe(&self, table: &str) -> String {
        match self {
            Self::All => format!("{table} events"),
            Self::Is(_, value) => format!("{table} events \u{2018}{value}\u{2019}"),
            Self::Other { column, .. } => format!(
                "{table} events with another {column} than those that have features of their own"
            ),
            Self::Each(pairs) => {
                let pairs: Vec<String> = pairs
                    .iter()
                    .map(|(column, value)| format!("{column} \u{2018}{value}\u{2019}"))
                    .collect();
                format!("{table} events with {}", pairs.join(" and "))
            }
        }
    }
}

impl Statistic {
    /// Whether a window changes the value.
    pub fn has_window(&self) -> bool {
        match self {
            Self::Count
            | Self::Sum(_)
            | Self::Mean(_)
            | Self::Max(_)
            | Self::ActiveDays
            | Self::Trend
            | Self::Share => true,
            Self::RecencyDays
            | Self::FirstDays
            | Self::Decayed(_)
            | Self::MeanGapDays
            | Self::MaxGapDays
            | Self::ReplyDays
            | Self::Follows(_)
            | Self::LatestValue(_)
            | Self::LatestKind(_) => false,
        }
    }

    fn describe(&self, table: &str, kind: &EventFilter, window: Option<Span>) -> String {
        let events = kind.describe(table);
        let when = window.map_or_else(
            || "ever".to_owned(),
            |window| format!("in the last {window}"),
        );
        match self {
            Self::Count => format!("number of {events} {when}"),
            Self::Sum(column) => format!("sum of {column} over {events} {when}"),
            Self::Mean(column) => format!("mean {column} over {events} {when}"),
            Self::Max(column) => format!("largest {column} of {events} {when}"),
            Self::ActiveDays => format!("number of days with {events} {when}"),
            Self::RecencyDays => format!("days since the latest {events}"),
            Self::FirstDays => format!("days since the first {events}"),
            Self::Decayed(half_life) => {
                format!("number of {events}, each counting half after every {half_life}")
            }
            Self::Trend => {
                format!("number of {events} {when} less the number in as long a time before that")
            }
            Self::Share => format!("share of {events} among all {table} events {when}"),
            Self::MeanGapDays => format!("mean days between {events}"),
            Self::MaxGapDays => format!("longest days between {events}"),
            Self::ReplyDays => format!("days from creation to the first {events} after it"),
            Self::Follows(after) => {
                format!("whether {events} came after {}", after.describe(table))
            }
            Self::LatestValue(column) => format!("{column} of the latest {events}"),
            Self::LatestKind(column) => format!("{column} of the latest {events}"),
        }
    }

    /// What a missing value means, and what stands where there are no events.
    fn without_events(&self) -> &'static str {
        match self {
            Self::Count
            | Self::Sum(_)
            | Self::ActiveDays
            | Self::Decayed(_)
            | Self::Trend
            | Self::Follows(_) => "never missing: 0 without events",
            Self::Mean(_) | Self::Max(_) | Self::LatestValue(_) => "no such event has a value",
            Self::RecencyDays | Self::FirstDays | Self::LatestKind(_) => "there was no such event",
            Self::Share => "there was no event at all in the window",
            Self::MeanGapDays | Self::MaxGapDays => "there were fewer than two such events",
            Self::ReplyDays => "there was no such event since creation",
        }
    }
}

impl CalendarPart {
    fn describe(self, moment: &str) -> String {
        match self {
            Self::Weekday => format!("weekday of {moment}"),
            Self::DayOfMonth => format!("day of the month of {moment}"),
            Self::Hour => format!("hour of {moment}"),
            Self::Month => format!("month of {moment}"),
        }
    }
}

impl FeatureSpec {
    /// A sentence for the dictionary of features and for reasons.
    pub fn describe(&self) -> String {
        match &self.source {
            FeatureSource::Attribute {
                table: AttributeTable::Leads,
                column,
            } => column.clone(),
            FeatureSource::Attribute {
                table: AttributeTable::Lookup(table),
                column,
            } => format!("{column} of {table}"),
            FeatureSource::Created(part) => part.describe("creation"),
            FeatureSource::Snapshot(part) => part.describe("the snapshot"),
            FeatureSource::AgeDays => "days since creation".to_owned(),
            FeatureSource::AgeWeekdays => "days from Monday to Friday since creation".to_owned(),
            FeatureSource::Activity {
                table,
                kind,
                window,
                statistic,
            } => statistic.describe(table, kind, *window),
            FeatureSource::Peers {
                table,
                kind,
                window,
                statistic,
            } => {
                format!(
                    "other leads of the account: {}",
                    statistic.describe(table, kind, *window)
                )
            }
            FeatureSource::PeerLeads(PeerState::Open) => {
                "other leads of the account that are open".to_owned()
            }
            FeatureSource::PeerLeads(PeerState::Won) => {
                "other leads of the account that were won".to_owned()
            }
            FeatureSource::PeerLeads(PeerState::Lost) => {
                "other leads of the account that were lost".to_owned()
            }
            FeatureSource::AttributeAge { column } => format!("days since {column} took its value"),
            FeatureSource::AttributeChanges { column } => {
                format!("number of entries of {column} in its history")
            }
        }
    }

    /// What a missing value of this feature means.
    pub fn missing(&self) -> &'static str {
        match &self.source {
            FeatureSource::Attribute { .. } => "the cell is missing, or nothing was known yet",
            FeatureSource::Created(_) | FeatureSource::AgeDays | FeatureSource::AgeWeekdays => {
                "the lead has no creation time"
            }
            FeatureSource::Snapshot(_) => "never missing",
            FeatureSource::Activity { statistic, .. } => statistic.without_events(),
            FeatureSource::Peers { .. } => "the lead has no account, or nothing to average",
            FeatureSource::PeerLeads(_) => "the lead has no account",
            FeatureSource::AttributeAge { .. } => "nothing was known yet",
            FeatureSource::AttributeChanges { .. } => "never missing: 0 without entries",
        }
    }
}
