//! Features of events in SQL: each an expression over aggregates, which several may share.

use leadscore_config::ActivityConfig;
use leadscore_core::{
    Aggregate, AggregateKind, EventFilter, Formula, Moment, Span, Statistic, Term,
};

use crate::aggregate::{Column, REST, WHOLE, What};
use crate::belonging::Belonging;
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

/// Whether an aggregate is a whole number, which engines would divide as such.
fn is_whole(kind: &AggregateKind) -> bool {
    match kind {
        AggregateKind::Count | AggregateKind::ActiveDays => true,
        AggregateKind::Sum(_)
        | AggregateKind::Mean(_)
        | AggregateKind::Max(_)
        | AggregateKind::First
        | AggregateKind::Last
        | AggregateKind::FirstSinceCreation
        | AggregateKind::LongestGap
        | AggregateKind::Decayed(_)
        | AggregateKind::LatestValue(_)
        | AggregateKind::LatestKind(_) => false,
    }
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
    aggregates: Vec<Column>,
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
        let wanted = Column {
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
        self.expression(dialect, &statistic.formula(filter, window))
    }

    /// What a formula is at a snapshot.
    fn expression(&mut self, dialect: Dialect, formula: &Formula<Aggregate>) -> String {
        match formula {
            Formula::Plain(term) => self.term(dialect, term),
            Formula::Over(term, aggregate) => {
                let number = self.term(dialect, term);
                let divisor = format!("NULLIF({}, 0)", self.aggregate(dialect, aggregate));
                format!("{number} / {}", dialect.double(&divisor))
            }
            Formula::OverOneLess(term, aggregate) => {
                let number = self.term(dialect, term);
                let n = self.aggregate(dialect, aggregate);
                format!(
                    "CASE WHEN {n} > 1 THEN {number} / {} END",
                    dialect.double(&format!("({n} - 1)"))
                )
            }
            Formula::TwiceLess(twice, less) => {
                let (twice, less) = (self.term(dialect, twice), self.term(dialect, less));
                format!("2e0 * {twice} - {less}")
            }
            Formula::IsBefore(first, second) => {
                let (first, second) = (
                    self.aggregate(dialect, first),
                    self.aggregate(dialect, second),
                );
                dialect.double(&format!("CASE WHEN {first} < {second} THEN 1 ELSE 0 END"))
            }
        }
    }

    /// What a term is at a snapshot.
    fn term(&mut self, dialect: Dialect, term: &Term<Aggregate>) -> String {
        match term {
            Term::Itself(aggregate) => self.aggregate(dialect, aggregate),
            Term::OrZero(aggregate) => {
                let value = format!("COALESCE({}, 0)", self.aggregate(dialect, aggregate));
                if is_whole(&aggregate.kind) {
                    dialect.double(&value)
                } else {
                    value
                }
            }
            Term::InDays(aggregate) => days(dialect, &self.aggregate(dialect, aggregate)),
            Term::Days { from, to } => {
                let (from, to) = (self.moment(dialect, from), self.moment(dialect, to));
                days(dialect, &format!("{to} - {from}"))
            }
        }
    }

    /// A moment in microseconds.
    fn moment(&mut self, dialect: Dialect, moment: &Moment<Aggregate>) -> String {
        match moment {
            Moment::Snapshot => "s.moment".to_owned(),
            Moment::Creation => "s.created".to_owned(),
            Moment::Of(aggregate) => self.aggregate(dialect, aggregate),
        }
    }

    /// An aggregate at a snapshot; NULL where it is missing.
    fn aggregate(&mut self, dialect: Dialect, aggregate: &Aggregate) -> String {
        let Aggregate {
            kind,
            filter,
            window,
        } = aggregate;
        let what = match kind {
            AggregateKind::Sum(column) => return self.sum(dialect, column, filter, *window),
            AggregateKind::Mean(column) => return self.mean(dialect, column, filter, *window),
            AggregateKind::Count => What::Count,
            AggregateKind::Max(column) => What::Max(column.clone()),
            AggregateKind::ActiveDays => What::Days,
            AggregateKind::First => What::First,
            AggregateKind::Last => What::Last,
            AggregateKind::FirstSinceCreation => What::Reply,
            AggregateKind::LongestGap => What::Gap,
            AggregateKind::Decayed(half_life) => What::Decayed(*half_life),
            AggregateKind::LatestValue(column) => What::LatestValue(column.clone()),
            AggregateKind::LatestKind(column) => What::LatestKind(column.clone()),
        };
        self.column(what, filter, *window)
    }

    fn mean(
        &mut self,
        dialect: Dialect,
        column: &str,
        filter: &EventFilter,
        window: Option<Span>,
    ) -> String {
        let sum = self.sum(dialect, column, filter, window);
        let n = self.column(What::Valued(column.to_owned()), filter, window);
        format!("{sum} / {}", dialect.double(&format!("NULLIF({n}, 0)")))
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
        belonging: &Belonging<'_>,
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
        steps.add(statement, sources, belonging)
    }
}
