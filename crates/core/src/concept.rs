//! What reasons speak of: one idea that a salesperson has of a lead, with all features that
//! describe it.

use std::fmt;

use crate::{AttributeTable, FeatureSource, FeatureSpec};

/// One idea about a lead. All features of a concept are one reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Concept {
    /// How long the lead has been open, and when it was created.
    Age,
    /// The calendar of the snapshot.
    Calendar,
    /// An attribute, how old its value is, and how often it changed.
    Attribute {
        /// The table.
        table: AttributeTable,
        /// The column.
        column: String,
    },
    /// The events of a table, of all kinds: kinds share what all events tell, so that apart they
    /// would cancel.
    Activity {
        /// Name of the activity table in the config.
        table: String,
    },
    /// The account's other leads, and what they did.
    Account,
    /// That it closed before and is open again.
    Reopened,
    /// Two of these together: a table over two features.
    Both(Box<Concept>, Box<Concept>),
}

impl Concept {
    /// Of two features that weigh together: the concept of both, or the pair of theirs.
    #[must_use]
    pub fn both(self, other: Self) -> Self {
        match self.cmp(&other) {
            std::cmp::Ordering::Less => Self::Both(Box::new(self), Box::new(other)),
            std::cmp::Ordering::Equal => self,
            std::cmp::Ordering::Greater => Self::Both(Box::new(other), Box::new(self)),
        }
    }
}

impl fmt::Display for Concept {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Age => to.write_str("age"),
            Self::Calendar => to.write_str("calendar"),
            Self::Attribute {
                table: AttributeTable::Leads,
                column,
            } => to.write_str(column),
            Self::Attribute {
                table: AttributeTable::Lookup(table),
                column,
            } => write!(to, "{table}.{column}"),
            Self::Activity { table } => to.write_str(table),
            Self::Account => to.write_str("account"),
            Self::Reopened => to.write_str("closed before"),
            Self::Both(first, second) => write!(to, "{first} with {second}"),
        }
    }
}

impl FeatureSpec {
    /// The concept that the feature describes.
    pub fn concept(&self) -> Concept {
        match &self.source {
            FeatureSource::AgeDays | FeatureSource::AgeWeekdays | FeatureSource::Created(_) => {
                Concept::Age
            }
            FeatureSource::TimesClosed | FeatureSource::ReopenedDays => Concept::Reopened,
            FeatureSource::Snapshot(_) => Concept::Calendar,
            FeatureSource::Attribute { table, column }
            | FeatureSource::Token { table, column, .. }
            | FeatureSource::TokenCount { table, column, .. }
            | FeatureSource::DaysUntil { table, column } => Concept::Attribute {
                table: table.clone(),
                column: column.clone(),
            },
            FeatureSource::AttributeAge { column } | FeatureSource::AttributeChanges { column } => {
                Concept::Attribute {
                    table: AttributeTable::Leads,
                    column: column.clone(),
                }
            }
            FeatureSource::Activity { table, .. } => Concept::Activity {
                table: table.clone(),
            },
            FeatureSource::Peers { .. } | FeatureSource::PeerLeads(_) => Concept::Account,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CalendarPart, EventFilter, FeatureKind, PeerState, Statistic, Unit};

    fn spec(source: FeatureSource) -> FeatureSpec {
        FeatureSpec {
            name: "x".to_owned(),
            source,
            kind: FeatureKind::Number,
            unit: Unit::AsGiven,
        }
    }

    fn activity(kind: EventFilter, statistic: Statistic) -> FeatureSource {
        FeatureSource::Activity {
            table: "web".to_owned(),
            kind,
            window: None,
            statistic,
        }
    }

    #[track_caller]
    fn check(source: FeatureSource, expected: &str) {
        assert_eq!(spec(source).concept().to_string(), expected);
    }

    #[test]
    fn a_feature_belongs_to_what_it_describes() {
        let (source, page) = ("source".to_owned(), || {
            EventFilter::Is("kind".to_owned(), "page".to_owned())
        });
        check(FeatureSource::AgeDays, "age");
        check(FeatureSource::Created(CalendarPart::Hour), "age");
        check(FeatureSource::Snapshot(CalendarPart::Month), "calendar");
        check(
            FeatureSource::Attribute {
                table: AttributeTable::Leads,
                column: source.clone(),
            },
            "source",
        );
        check(
            FeatureSource::AttributeAge {
                column: source.clone(),
            },
            "source",
        );
        check(
            FeatureSource::AttributeChanges {
                column: source.clone(),
            },
            "source",
        );
        check(
            FeatureSource::Attribute {
                table: AttributeTable::Lookup("firms".to_owned()),
                column: source,
            },
            "firms.source",
        );
        check(activity(EventFilter::All, Statistic::Count), "web");
        check(activity(page(), Statistic::Count), "web");
        check(
            FeatureSource::Peers {
                table: "web".to_owned(),
                kind: page(),
                window: None,
                statistic: Statistic::Count,
            },
            "account",
        );
        check(FeatureSource::PeerLeads(PeerState::Won), "account");
    }

    #[test]
    fn a_pair_has_no_order_and_one_within_a_concept_is_that_concept() {
        let (age, web) = (
            spec(FeatureSource::AgeDays).concept(),
            spec(activity(EventFilter::All, Statistic::Count)).concept(),
        );
        assert_eq!(age.clone().both(web.clone()), web.clone().both(age.clone()));
        assert_eq!(age.clone().both(web).to_string(), "age with web");
        assert_eq!(age.clone().both(age.clone()), age);
    }
}
