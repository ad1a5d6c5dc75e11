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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeatureSource {
    /// A column of the leads or of a table that they point to; as of the snapshot where it has a history, else as it is today.
    Attribute {
        /// The table.
        table: AttributeTable,
        /// The column.
        column: String,
    },
    /// A part of the calendar of the lead's creation.
    Created(CreatedPart),
    /// Days from creation to the snapshot.
    AgeDays,
    /// A statistic of the lead's events in `[snapshot − window, snapshot)`.
    Activity {
        /// Name of the activity table in the config.
        table: String,
        /// Only events whose column has this value; `None` for all events.
        kind: Option<(String, String)>,
        /// How far the window reaches back; `None` for the whole life of the lead.
        window: Option<Span>,
        /// What is computed over the events.
        statistic: Statistic,
    },
}

/// The table that an attribute stands in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttributeTable {
    /// The leads themselves.
    Leads,
    /// A lookup of this name.
    Lookup(String),
}

/// A part of the calendar, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CreatedPart {
    /// Monday to Sunday, a category.
    Weekday,
    /// 1 to 31, a number.
    DayOfMonth,
    /// 0 to 23, a number; only where creation has a time of day.
    Hour,
    /// January to December, a category; only over at least two years of history, or it stands for the trend.
    Month,
}

/// What is computed over the events of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Statistic {
    /// Number of events; 0 where there are none.
    Count,
    /// Sum of a column over the events that have a value; 0 where there are none.
    Sum(String),
    /// Mean of a column over the events that have a value; missing where there are none.
    Mean(String),
    /// Days since the latest event; missing where there is none.
    RecencyDays,
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
        }
    }
}

impl FeatureSpec {
    /// A sentence for the dictionary of features and for reasons.
    pub fn describe(&self) -> String {
        match &self.source {
            FeatureSource::Attribute { table: AttributeTable::Leads, column } => column.clone(),
            FeatureSource::Attribute { table: AttributeTable::Lookup(table), column } => format!("{column} of {table}"),
            FeatureSource::Created(CreatedPart::Weekday) => "weekday of creation".to_owned(),
            FeatureSource::Created(CreatedPart::DayOfMonth) => "day of the month of creation".to_owned(),
            FeatureSource::Created(CreatedPart::Hour) => "hour of creation".to_owned(),
            FeatureSource::Created(CreatedPart::Month) => "month of creation".to_owned(),
            FeatureSource::AgeDays => "days since creation".to_owned(),
            FeatureSource::Activity { table, kind, window, statistic } => {
                let events = kind.as_ref().map_or_else(|| format!("{table} events"), |(_, value)| format!("{table} events \u{2018}{value}\u{2019}"));
                let window = window.map_or_else(|| "ever".to_owned(), |window| format!("in the last {window}"));
                match statistic {
                    Statistic::Count => format!("number of {events} {window}"),
                    Statistic::Sum(column) => format!("sum of {column} over {events} {window}"),
                    Statistic::Mean(column) => format!("mean {column} over {events} {window}"),
                    Statistic::RecencyDays => format!("days since the latest {events}"),
                }
            }
        }
    }
}
