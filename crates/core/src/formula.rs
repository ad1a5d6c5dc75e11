//! What a statistic is made of: a formula over aggregates of events, which the sweep evaluates and
//! SQL writes down.

use crate::{EventFilter, Span};

const MICROS_PER_DAY: f64 = 86_400e6;

/// What is put together of the events that a snapshot sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AggregateKind {
    /// Number of events.
    Count,
    /// Exact sum of a column; missing where no event has a value.
    Sum(String),
    /// That sum divided by the number of events that have a value.
    Mean(String),
    /// Largest value of a column; missing where no event has a value.
    Max(String),
    /// Number of calendar days (UTC) with an event.
    ActiveDays,
    /// The moment of the first event.
    First,
    /// The moment of the latest event.
    Last,
    /// The moment of the first event at or after the lead's creation.
    FirstSinceCreation,
    /// Microseconds of the longest time between two consecutive events; missing below two.
    LongestGap,
    /// Sum of one half for every half-life since each event; missing without events.
    Decayed(Span),
    /// A column's value at the latest event that has one.
    LatestValue(String),
    /// The code of a kind column at the latest event.
    LatestKind(String),
}

/// An aggregate over the events of one filter in one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// What is put together.
    pub kind: AggregateKind,
    /// Of which events.
    pub filter: EventFilter,
    /// How far back; `None` for all that the snapshot sees.
    pub window: Option<Span>,
}

/// A moment that days are counted from or to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment<A> {
    /// When the lead is looked at.
    Snapshot,
    /// When it was created.
    Creation,
    /// An aggregate that is a moment.
    Of(A),
}

/// A number that takes one step from aggregates. `A` is how whoever computes it finds an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term<A> {
    /// The aggregate as it is.
    Itself(A),
    /// The aggregate, 0 where it is missing.
    OrZero(A),
    /// An aggregate of microseconds, in days.
    InDays(A),
    /// Days between two moments; missing where one of them is.
    Days {
        /// The earlier one.
        from: Moment<A>,
        /// The later one.
        to: Moment<A>,
    },
}

/// A number computed from aggregates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formula<A> {
    /// The term itself.
    Plain(Term<A>),
    /// A term divided by an aggregate; missing where that is 0.
    Over(Term<A>, A),
    /// A term divided by one less than an aggregate; missing where that leaves nothing.
    OverOneLess(Term<A>, A),
    /// Twice the first term less the second one.
    TwiceLess(Term<A>, Term<A>),
    /// 1 where the first moment is before the second, else 0.
    IsBefore(A, A),
}

/// Where the aggregates of a formula have their values at one snapshot.
pub trait AggregateValues<A> {
    /// The value of an aggregate that is a number; NaN where it is missing.
    fn number(&self, aggregate: &A) -> f64;
    /// The value of an aggregate that is a moment, in microseconds since 1970.
    fn moment(&self, aggregate: &A) -> Option<i64>;
    /// When the lead is looked at.
    fn snapshot(&self) -> i64;
    /// When it was created.
    fn creation(&self) -> Option<i64>;
}

impl<A> Term<A> {
    #[inline]
    fn value<V: AggregateValues<A>>(&self, of: &V) -> f64 {
        match self {
            Self::Itself(aggregate) => of.number(aggregate),
            Self::OrZero(aggregate) => {
                let value = of.number(aggregate);
                if value.is_nan() { 0.0 } else { value }
            }
            Self::InDays(aggregate) => of.number(aggregate) / MICROS_PER_DAY,
            Self::Days { from, to } => match (from.value(of), to.value(of)) {
                (Some(from), Some(to)) => (to - from) as f64 / MICROS_PER_DAY,
                _ => f64::NAN,
            },
        }
    }

    fn try_map<B, E>(&self, find: &mut impl FnMut(&A) -> Result<B, E>) -> Result<Term<B>, E> {
        Ok(match self {
            Self::Itself(aggregate) => Term::Itself(find(aggregate)?),
            Self::OrZero(aggregate) => Term::OrZero(find(aggregate)?),
            Self::InDays(aggregate) => Term::InDays(find(aggregate)?),
            Self::Days { from, to } => Term::Days {
                from: from.try_map(find)?,
                to: to.try_map(find)?,
            },
        })
    }
}

impl<A> Formula<A> {
    /// The value at a snapshot; NaN where it is missing.
    #[inline]
    pub fn value<V: AggregateValues<A>>(&self, of: &V) -> f64 {
        match self {
            Self::Plain(term) => term.value(of),
            Self::Over(term, aggregate) => {
                let divisor = of.number(aggregate);
                if divisor == 0.0 {
                    f64::NAN
                } else {
                    term.value(of) / divisor
                }
            }
            Self::OverOneLess(term, aggregate) => {
                let n = of.number(aggregate);
                if n > 1.0 {
                    term.value(of) / (n - 1.0)
                } else {
                    f64::NAN
                }
            }
            Self::TwiceLess(twice, less) => 2.0 * twice.value(of) - less.value(of),
            Self::IsBefore(first, second) => {
                let is_before = of
                    .moment(first)
                    .zip(of.moment(second))
                    .is_some_and(|(first, second)| first < second);
                f64::from(u8::from(is_before))
            }
        }
    }

    /// The same formula over what `find` gives for each aggregate, asked for from left to right.
    ///
    /// # Errors
    ///
    /// The first error of `find`.
    pub fn try_map<B, E>(
        &self,
        find: &mut impl FnMut(&A) -> Result<B, E>,
    ) -> Result<Formula<B>, E> {
        Ok(match self {
            Self::Plain(term) => Formula::Plain(term.try_map(find)?),
            Self::Over(term, aggregate) => Formula::Over(term.try_map(find)?, find(aggregate)?),
            Self::OverOneLess(term, aggregate) => {
                Formula::OverOneLess(term.try_map(find)?, find(aggregate)?)
            }
            Self::TwiceLess(twice, less) => {
                Formula::TwiceLess(twice.try_map(find)?, less.try_map(find)?)
            }
            Self::IsBefore(first, second) => Formula::IsBefore(find(first)?, find(second)?),
        })
    }
}

impl<A: Clone> Formula<A> {
    /// Its aggregates from left to right.
    pub fn aggregates(&self) -> Vec<A> {
        let mut found = Vec::new();
        let Ok(_) = self.try_map(&mut |aggregate| {
            found.push(aggregate.clone());
            Ok::<(), std::convert::Infallible>(())
        });
        found
    }
}

impl<A> Moment<A> {
    #[inline]
    fn value<V: AggregateValues<A>>(&self, of: &V) -> Option<i64> {
        match self {
            Self::Snapshot => Some(of.snapshot()),
            Self::Creation => of.creation(),
            Self::Of(aggregate) => of.moment(aggregate),
        }
    }

    fn try_map<B, E>(&self, find: &mut impl FnMut(&A) -> Result<B, E>) -> Result<Moment<B>, E> {
        Ok(match self {
            Self::Snapshot => Moment::Snapshot,
            Self::Creation => Moment::Creation,
            Self::Of(aggregate) => Moment::Of(find(aggregate)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers and moments by their place, looked at on the tenth day.
    struct Fixture(Vec<f64>);

    impl AggregateValues<usize> for Fixture {
        fn number(&self, aggregate: &usize) -> f64 {
            self.0[*aggregate]
        }

        fn moment(&self, aggregate: &usize) -> Option<i64> {
            let days = self.0[*aggregate];
            (!days.is_nan()).then_some((days * MICROS_PER_DAY) as i64)
        }

        fn snapshot(&self) -> i64 {
            10 * MICROS_PER_DAY as i64
        }

        fn creation(&self) -> Option<i64> {
            None
        }
    }

    #[track_caller]
    fn check(formula: &Formula<usize>, values: &[f64], expected: f64) {
        let value = formula.value(&Fixture(values.to_vec()));
        assert!(
            value == expected || value.is_nan() && expected.is_nan(),
            "{formula:?} of {values:?} is {value}"
        );
    }

    #[test]
    fn missing_aggregates_stay_missing_or_are_0() {
        let nan = f64::NAN;
        check(&Formula::Plain(Term::Itself(0)), &[nan], nan);
        check(&Formula::Plain(Term::OrZero(0)), &[nan], 0.0);
        check(&Formula::Plain(Term::OrZero(0)), &[-2.0], -2.0);
        check(&Formula::Plain(Term::InDays(0)), &[43_200e6], 0.5);
        let since = Formula::Plain(Term::Days {
            from: Moment::Of(0),
            to: Moment::Snapshot,
        });
        check(&since, &[7.5], 2.5);
        check(&since, &[nan], nan);
        let until = Formula::Plain(Term::Days {
            from: Moment::Creation,
            to: Moment::Of(0),
        });
        check(&until, &[7.5], nan);
        check(&Formula::IsBefore(0, 1), &[1.0, 2.0], 1.0);
        check(&Formula::IsBefore(0, 1), &[1.0, 1.0], 0.0);
        check(&Formula::IsBefore(0, 1), &[nan, 1.0], 0.0);
    }

    #[test]
    fn nothing_is_divided_by_nothing() {
        let over = Formula::Over(Term::OrZero(0), 1);
        check(&over, &[3.0, 4.0], 0.75);
        check(&over, &[0.0, 0.0], f64::NAN);
        let one_less = Formula::OverOneLess(Term::Itself(0), 1);
        check(&one_less, &[3.0, 4.0], 1.0);
        check(&one_less, &[3.0, 1.0], f64::NAN);
        check(&one_less, &[3.0, 0.0], f64::NAN);
        let trend = Formula::TwiceLess(Term::OrZero(0), Term::OrZero(1));
        check(&trend, &[3.0, 8.0], -2.0);
    }

    #[test]
    fn aggregates_come_from_left_to_right() {
        let days = Term::Days {
            from: Moment::Of(0),
            to: Moment::Of(1),
        };
        let formula = Formula::OverOneLess(days, 2);
        assert_eq!(formula.aggregates(), [0, 1, 2]);
        let formula = Formula::TwiceLess(Term::InDays(3), Term::Itself(4));
        assert_eq!(formula.aggregates(), [3, 4]);
        let found: Result<Formula<u8>, usize> = formula.try_map(&mut |&place| Err(place));
        assert_eq!(found, Err(3));
    }
}
