//! When tables begin: a row that lies years before all others is a slip, and would make every command
//! ask what is meant by it.

use std::collections::BTreeMap;

use leadscore::LONGEST_WAIT_DAYS;
use leadscore_config::TableId;
use leadscore_core::{Span, Timestamp};

/// When tables begin, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Begins {
    /// Nothing is compared.
    #[default]
    Any,
    /// The tables are being read.
    NotYet,
    /// By the tables as they were read.
    Known {
        /// Tables of which enough rows say so, by their headings.
        of_tables: BTreeMap<String, Timestamp>,
        /// The first of them, for tables with few rows.
        first: Option<Timestamp>,
    },
}

/// Why a time is too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooEarly {
    /// Rows of this time have to wait until the tables are there.
    NotYet,
    /// More than two years before the table begins.
    Before(Timestamp),
}

impl Begins {
    /// When tables begin, by their headings.
    pub(crate) fn of(of_tables: BTreeMap<String, Timestamp>) -> Self {
        Self::Known {
            first: of_tables.values().min().copied(),
            of_tables,
        }
    }

    /// Why a row of the table cannot be of this time, `now` being what the clock says.
    pub(super) fn too_early(
        &self,
        table: &TableId,
        at: Timestamp,
        now: Timestamp,
    ) -> Option<TooEarly> {
        let wait = Span::from_days(LONGEST_WAIT_DAYS);
        match self {
            Self::Any => None,
            Self::NotYet => (at < now - wait).then_some(TooEarly::NotYet),
            Self::Known { of_tables, first } => {
                let begin = of_tables.get(&table.heading()).or(first.as_ref())?;
                (at < *begin - wait).then_some(TooEarly::Before(*begin))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_may_be_two_years_older_than_its_table() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a moment");
        let web = || TableId::Activities("web".to_owned());
        let few = || TableId::Activities("few".to_owned());
        let now = at("2025-06-01");
        let known = Begins::Known {
            of_tables: BTreeMap::from([("[activities.web]".to_owned(), at("2024-01-05"))]),
            first: Some(at("2023-06-01")),
        };
        let before = |begin| Some(TooEarly::Before(at(begin)));
        for (table, time, expected) in [
            (web(), "2024-01-05", None),
            (web(), "2022-01-06", None),
            (web(), "2021-12-31", before("2024-01-05")),
            // A table with few rows begins with the others.
            (few(), "2021-12-31", None),
            (few(), "2021-05-01", before("2023-06-01")),
        ] {
            assert_eq!(known.too_early(&table, at(time), now), expected, "{time}");
        }
        assert_eq!(Begins::Any.too_early(&web(), at("1980-01-01"), now), None);
        let not_yet = |time| Begins::NotYet.too_early(&web(), at(time), now);
        assert_eq!(not_yet("2023-06-05"), None);
        assert_eq!(not_yet("2023-05-01"), Some(TooEarly::NotYet));
    }
}
