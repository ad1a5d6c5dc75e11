//! What a feature is: where it comes from, what it counts, in which unit.

use serde::{Deserialize, Serialize};

use crate::{Aggregate, EventFilter, Formula, Span, Statistic, Tokenizer, Unit};

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
    /// Whether an attribute that holds several values has one of them, as of the snapshot: 0 also
    /// where the cell is missing.
    Token {
        /// The table.
        table: AttributeTable,
        /// The column.
        column: String,
        /// How its cells are split.
        tokenizer: Tokenizer,
        /// The token.
        token: String,
    },
    /// How many values such an attribute has.
    TokenCount {
        /// The table.
        table: AttributeTable,
        /// The column.
        column: String,
        /// How its cells are split.
        tokenizer: Tokenizer,
    },
    /// How often the lead had closed before the snapshot, where outcomes are a log.
    TimesClosed,
    /// Days since the lead was open again after it had closed.
    ReopenedDays,
    /// Days from the snapshot to the date that an attribute holds: positive where it lies ahead,
    /// negative where it has passed.
    DaysUntil {
        /// The table.
        table: AttributeTable,
        /// The column.
        column: String,
    },
}

/// As what the cells of an attribute are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// Numbers.
    Number,
    /// Texts.
    Category,
    /// Dates, from which days to the snapshot are counted.
    Date,
}

impl From<FeatureKind> for CellKind {
    fn from(kind: FeatureKind) -> Self {
        match kind {
            FeatureKind::Number => Self::Number,
            FeatureKind::Category => Self::Category,
        }
    }
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

/// What a feature looks for in the cells of an attribute that holds several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitCell<'f> {
    /// The table.
    pub table: &'f AttributeTable,
    /// The column.
    pub column: &'f str,
    /// How its cells are split.
    pub tokenizer: &'f Tokenizer,
    /// The token; `None` where values are counted.
    pub token: Option<&'f str>,
}

impl EventsRead<'_> {
    /// What the feature is made of.
    pub fn formula(&self) -> Formula<Aggregate> {
        self.statistic.formula(self.filter, self.window)
    }
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
            | Self::PeerLeads(_)
            | Self::Token { .. }
            | Self::TokenCount { .. }
            | Self::TimesClosed
            | Self::ReopenedDays
            | Self::DaysUntil { .. } => return None,
        };
        Some(EventsRead {
            table,
            filter,
            window: *window,
            statistic,
            of_peers,
        })
    }

    /// What it looks for in the cells of an attribute that holds several values.
    pub fn split(&self) -> Option<SplitCell<'_>> {
        let (table, column, tokenizer, token) = match self {
            Self::Token {
                table,
                column,
                tokenizer,
                token,
            } => (table, column, tokenizer, Some(token.as_str())),
            Self::TokenCount {
                table,
                column,
                tokenizer,
            } => (table, column, tokenizer, None),
            Self::Attribute { .. }
            | Self::Created(_)
            | Self::AgeDays
            | Self::AgeWeekdays
            | Self::Activity { .. }
            | Self::Snapshot(_)
            | Self::AttributeAge { .. }
            | Self::AttributeChanges { .. }
            | Self::Peers { .. }
            | Self::PeerLeads(_)
            | Self::TimesClosed
            | Self::ReopenedDays
            | Self::DaysUntil { .. } => return None,
        };
        Some(SplitCell {
            table,
            column,
            tokenizer,
            token,
        })
    }

    /// Whether it is the value of an attribute, whole, in tokens, or as days to its date.
    pub fn is_attribute(&self) -> bool {
        self.cell(FeatureKind::Category).is_some()
    }

    /// The column of an attribute that its value is read from, and as what.
    pub fn cell(&self, kind: FeatureKind) -> Option<(&AttributeTable, &str, CellKind)> {
        match self {
            Self::Attribute { table, column } => Some((table, column, kind.into())),
            // Split cells are texts.
            Self::Token { table, column, .. } | Self::TokenCount { table, column, .. } => {
                Some((table, column, CellKind::Category))
            }
            Self::DaysUntil { table, column } => Some((table, column, CellKind::Date)),
            Self::Created(_)
            | Self::AgeDays
            | Self::AgeWeekdays
            | Self::Activity { .. }
            | Self::Snapshot(_)
            | Self::AttributeAge { .. }
            | Self::AttributeChanges { .. }
            | Self::Peers { .. }
            | Self::PeerLeads(_)
            | Self::TimesClosed
            | Self::ReopenedDays => None,
        }
    }

    /// The column of an attribute that it is about, by its value or its history.
    pub fn column(&self) -> Option<(&AttributeTable, &str)> {
        match self {
            Self::Attribute { table, column }
            | Self::Token { table, column, .. }
            | Self::TokenCount { table, column, .. }
            | Self::DaysUntil { table, column } => Some((table, column)),
            Self::AttributeAge { column } | Self::AttributeChanges { column } => {
                Some((&AttributeTable::Leads, column))
            }
            Self::Created(_)
            | Self::AgeDays
            | Self::AgeWeekdays
            | Self::Activity { .. }
            | Self::Snapshot(_)
            | Self::Peers { .. }
            | Self::PeerLeads(_)
            | Self::TimesClosed
            | Self::ReopenedDays => None,
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

impl AttributeTable {
    /// A column of the table, as a sentence names it.
    fn names(&self, column: &str) -> String {
        match self {
            Self::Leads => column.to_owned(),
            Self::Lookup(table) => format!("{column} of {table}"),
        }
    }
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
            FeatureSource::Attribute { table, column } => table.names(column),
            FeatureSource::Token {
                table,
                column,
                tokenizer,
                token,
            } => format!(
                "{} has the {} \u{2018}{token}\u{2019}",
                table.names(column),
                tokenizer.noun_of(token)
            ),
            FeatureSource::TokenCount {
                table,
                column,
                tokenizer,
            } => format!("number of {}s of {}", tokenizer.noun(), table.names(column)),
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
            FeatureSource::TimesClosed => "number of times closed before".to_owned(),
            FeatureSource::ReopenedDays => "days since it was open again".to_owned(),
            FeatureSource::DaysUntil { table, column } => {
                format!("days until {}", table.names(column))
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
            FeatureSource::Token { .. } => "never missing: 0 where the cell is",
            FeatureSource::Attribute { .. }
            | FeatureSource::TokenCount { .. }
            | FeatureSource::DaysUntil { .. } => "the cell is missing, or nothing was known yet",
            FeatureSource::Created(_) | FeatureSource::AgeDays | FeatureSource::AgeWeekdays => {
                "the lead has no creation time"
            }
            FeatureSource::Snapshot(_) => "never missing",
            FeatureSource::Activity { statistic, .. } => statistic.missing(),
            FeatureSource::Peers { .. } => "the lead has no account, or nothing to average",
            FeatureSource::PeerLeads(_) => "the lead has no account",
            FeatureSource::AttributeAge { .. } => "nothing was known yet",
            FeatureSource::AttributeChanges { .. } => "never missing: 0 without entries",
            FeatureSource::TimesClosed => "never missing: 0 where it never closed",
            FeatureSource::ReopenedDays => "the lead never closed before",
        }
    }
}
