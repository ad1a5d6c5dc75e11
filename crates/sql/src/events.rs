//! Features of events in SQL: each an expression over aggregates, which several may share.

use leadscore_config::ActivityConfig;
use leadscore_core::{EventFilter, Span, Statistic};

use crate::aggregate::{Aggregate, REST, WHOLE, What};
use crate::columns::DAY;
use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::event_steps::EventSteps;
use crate::sources::SqlSources;
use crate::statement::Statement;

/// A number of microseconds in days.
pub(crate) fn days(dialect: Dialect, micros: &str) -> String {
    format!(
        "{} / {}",
        dialect.double(&format!("({micros})")),
        Dialect::number(DAY as f64)
    )
}

/// One event table, as it is seen by the lead itself or by the account's other leads.
#[derive(Debug)]
pub(crate) struct EventTable<'a> {
    pub(crate) name: &'a str,
    pub(crate) of_peers: bool,
    settings: &'a ActivityConfig,
    /// The column of the snapshots that says whose events are seen.
    owner: String,
    number: usize,
    aggregates: Vec<Aggregate>,
}

impl<'a> EventTable<'a> {
    pub(crate) fn new(
        name: &'a str,
        settings: &'a ActivityConfig,
        of_peers: bool,
        owner: String,
        number: usize,
    ) -> Self {
        Self {
            name,
            of_peers,
            settings,
            owner,
            number,
            aggregates: Vec::new(),
        }
    }

    /// The column of an aggregate.
    fn column(&mut self, what: What, filter: &EventFilter, window: Option<Span>) -> String {
        let wanted = Aggregate {
            what,
            filter: filter.clone(),
            window,
        };
        let number = self
            .aggregates
            .iter()
            .position(|known| *known == wanted)
            .unwrap_or_else(|| {
                self.aggregates.push(wanted);
                self.aggregates.len() - 1
            });
        format!("e{}.x{number}", self.number)
    }

    /// The value of a feature at a snapshot.
    pub(crate) fn feature(
        &mut self,
        dialect: Dialect,
        filter: &EventFilter,
        window: Option<Span>,
        statistic: &Statistic,
    ) -> String {
        let window = window.filter(|_| statistic.has_window());
        match statistic {
            Statistic::Count => self.count(dialect, filter, window),
            Statistic::Sum(column) => {
                format!("COALESCE({}, 0)", self.sum(dialect, column, filter, window))
            }
            Statistic::Mean(column) => {
                let sum = self.sum(dialect, column, filter, window);
                let n = self.column(What::Valued(column.clone()), filter, window);
                format!("{sum} / {}", dialect.double(&format!("NULLIF({n}, 0)")))
            }
            Statistic::Max(column) => self.column(What::Max(column.clone()), filter, window),
            Statistic::ActiveDays => {
                let n = self.column(What::Days, filter, window);
                dialect.double(&format!("COALESCE({n}, 0)"))
            }
            Statistic::RecencyDays => days(
                dialect,
                &format!("s.moment - {}", self.column(What::Last, filter, None)),
            ),
            Statistic::FirstDays => days(
                dialect,
                &format!("s.moment - {}", self.column(What::First, filter, None)),
            ),
            Statistic::Decayed(half_life) => format!(
                "COALESCE({}, 0)",
                self.column(What::Decayed(*half_life), filter, None)
            ),
            Statistic::Trend => self.trend(dialect, filter, window),
            Statistic::Share => {
                let n = self.count(dialect, filter, window);
                let all = self.column(What::Count, &EventFilter::All, window);
                format!("{n} / {}", dialect.double(&format!("NULLIF({all}, 0)")))
            }
            Statistic::MeanGapDays => self.mean_gap(dialect, filter),
            Statistic::MaxGapDays => days(dialect, &self.column(What::Gap, filter, None)),
            Statistic::ReplyDays => days(
                dialect,
                &format!("{} - s.created", self.column(What::Reply, filter, None)),
            ),
            Statistic::Follows(after) => {
                let (last, first) = (
                    self.column(What::Last, filter, None),
                    self.column(What::First, after, None),
                );
                dialect.double(&format!("CASE WHEN {first} < {last} THEN 1 ELSE 0 END"))
            }
            Statistic::LatestValue(column) => {
                self.column(What::LatestValue(column.clone()), filter, None)
            }
            Statistic::LatestKind(column) => {
                self.column(What::LatestKind(column.clone()), filter, None)
            }
        }
    }

    /// A window against the one before.
    fn trend(&mut self, dialect: Dialect, filter: &EventFilter, window: Option<Span>) -> String {
        match window {
            // Over the whole life there is no window before.
            None => self.count(dialect, filter, None),
            Some(span) => {
                let (one, both) = (
                    self.count(dialect, filter, window),
                    self.count(dialect, filter, Some(span.doubled())),
                );
                format!("2e0 * {one} - {both}")
            }
        }
    }

    /// Mean days between events; NULL below two.
    fn mean_gap(&mut self, dialect: Dialect, filter: &EventFilter) -> String {
        let (first, last) = (
            self.column(What::First, filter, None),
            self.column(What::Last, filter, None),
        );
        let n = self.column(What::Count, filter, None);
        format!(
            "CASE WHEN {n} > 1 THEN {} / {} END",
            days(dialect, &format!("{last} - {first}")),
            dialect.double(&format!("({n} - 1)"))
        )
    }

    fn count(&mut self, dialect: Dialect, filter: &EventFilter, window: Option<Span>) -> String {
        let n = self.column(What::Count, filter, window);
        dialect.double(&format!("COALESCE({n}, 0)"))
    }

    fn sum(
        &mut self,
        dialect: Dialect,
        column: &str,
        filter: &EventFilter,
        window: Option<Span>,
    ) -> String {
        let whole = self.column(What::Whole(column.to_owned()), filter, window);
        let rest = self.column(What::Rest(column.to_owned()), filter, window);
        let carried = dialect.double(&format!("({whole} + {})", dialect.quotient(&rest, REST)));
        let left = dialect.double(&format!("({rest} % {REST})"));
        // Rounded once, as a sum of whole multiples of 2⁻⁴⁴ is.
        format!(
            "(({carried} + {left} / {}) / {})",
            Dialect::number(REST as f64),
            Dialect::number(WHOLE as f64)
        )
    }

    /// Adds the steps of this table; gives the join.
    pub(crate) fn add(
        &self,
        statement: &mut Statement,
        sources: &SqlSources,
        dialect: Dialect,
    ) -> Result<String, SqlError> {
        let steps = EventSteps {
            name: self.name,
            of_peers: self.of_peers,
            settings: self.settings,
            owner: &self.owner,
            number: self.number,
            aggregates: &self.aggregates,
            dialect,
        };
        steps.add(statement, sources)
    }
}
