//! How cells of a table are read in SQL, by the same settings that the reader of files follows.

use leadscore_config::{FileConfig, PerColumn, TimeKind, null_values};
use leadscore_core::{CellKind, Timestamp};

use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::sources::{SqlSource, SqlSources};

/// Microseconds of a day.
pub(crate) const DAY: i64 = 86_400_000_000;
/// Whole weeks that are added to a time before it is divided, so that times before 1970 are divided
/// like others.
pub(crate) const SHIFT: i64 = 100_000 * 7 * DAY;

/// A table of the config as it stands in a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns<'a> {
    dialect: Dialect,
    pub(crate) source: &'a SqlSource,
    nulls: Option<&'a PerColumn<Vec<String>>>,
}

impl<'a> Columns<'a> {
    pub(crate) fn new(
        dialect: Dialect,
        sources: &'a SqlSources,
        table: &str,
        file: &FileConfig<'a>,
    ) -> Result<Self, SqlError> {
        if let Some(zone) = file
            .time_zone
            .map(|zone| zone.to_string())
            .filter(|zone| zone != "UTC")
        {
            return Err(SqlError::TimeZone {
                table: table.to_owned(),
                zone,
            });
        }
        if let Some((column, _)) = file.several {
            return Err(SqlError::Several {
                table: table.to_owned(),
                column: column.to_owned(),
            });
        }
        let formats = file
            .time_format
            .into_iter()
            .flat_map(|formats| match formats {
                PerColumn::All(format) => vec![format],
                PerColumn::Columns(columns) => columns.values().collect(),
            });
        if let Some(format) = formats
            .into_iter()
            .find(|format| format.starts_with("excel"))
        {
            return Err(SqlError::Serial {
                table: table.to_owned(),
                format: format.clone(),
            });
        }
        let source = sources
            .tables
            .get(table)
            .ok_or_else(|| SqlError::Source(table.to_owned()))?;
        Ok(Self {
            dialect,
            source,
            nulls: file.null_values,
        })
    }

    /// A text, NULL where the cell says missing; ids are texts, too.
    pub(crate) fn text(&self, column: &str) -> String {
        let text = self.dialect.trimmed(&self.dialect.name(column));
        let words = null_values(self.nulls, column);
        let nulls: Vec<String> = std::iter::once("")
            .chain(words.into_iter().filter(|word| !word.is_empty()))
            .map(|word| self.dialect.text(word))
            .collect();
        format!(
            "CASE WHEN {text} IN ({}) THEN NULL ELSE {text} END",
            nulls.join(", ")
        )
    }

    /// A number, NULL where there is none.
    pub(crate) fn number(&self, column: &str) -> String {
        let number = self.dialect.finite(&self.dialect.name(column));
        let nulls: Vec<String> = self
            .listed(column)
            .iter()
            .filter_map(|null| null.parse().ok())
            .map(Dialect::number)
            .collect();
        without(&number, &nulls)
    }

    /// The markers of missing cells that the config lists.
    fn listed(&self, column: &str) -> Vec<&'a str> {
        if self.nulls.is_some() {
            null_values(self.nulls, column)
        } else {
            Vec::new()
        }
    }

    /// An attribute: a number, a text, or the microsecond at which a date begins.
    pub(crate) fn typed(&self, column: &str, kind: CellKind) -> String {
        match kind {
            CellKind::Number => self.number(column),
            CellKind::Category => self.text(column),
            CellKind::Date => self.start(column),
        }
    }

    /// When the moment or the day of a cell begins.
    pub(crate) fn start(&self, column: &str) -> String {
        let name = self.dialect.name(column);
        let whole = || format!("CAST({name} AS BIGINT)");
        let is_number = !matches!(self.kind(column), TimeKind::Instant | TimeKind::Date);
        let start = match self.kind(column) {
            TimeKind::Instant | TimeKind::Date => self.dialect.micros(&name),
            TimeKind::EpochSeconds => format!("({} * 1000000)", whole()),
            TimeKind::EpochMillis => format!("({} * 1000)", whole()),
            TimeKind::EpochMicros => whole(),
            // Times that can be meant lie after 1970.
            TimeKind::EpochNanos => self.dialect.quotient(&whole(), 1_000),
        };
        let marker = |null: &&str| {
            if is_number {
                null.parse::<i64>().ok()
            } else {
                None
            }
        };
        let moment = |null: &&str| {
            if is_number {
                None
            } else {
                Timestamp::parse_iso(null).map(|(at, _, _)| at.micros())
            }
        };
        let listed = self.listed(column);
        let numbers: Vec<String> = listed
            .iter()
            .filter_map(marker)
            .map(|number| number.to_string())
            .collect();
        let moments: Vec<String> = listed
            .iter()
            .filter_map(moment)
            .map(|micros| micros.to_string())
            .collect();
        let start = without(&start, &moments);
        if numbers.is_empty() {
            start
        } else {
            format!(
                "CASE WHEN {} IN ({}) THEN NULL ELSE {start} END",
                whole(),
                numbers.join(", ")
            )
        }
    }

    /// From when the fact of a cell counts as known: a date from the last microsecond of its day.
    pub(crate) fn known(&self, column: &str) -> String {
        let start = self.start(column);
        if self.kind(column) == TimeKind::Date {
            format!("({start} + {})", DAY - 1)
        } else {
            start
        }
    }

    fn kind(&self, column: &str) -> TimeKind {
        self.source
            .times
            .get(column)
            .copied()
            .unwrap_or(TimeKind::Instant)
    }
}

/// A time, but none before a moment; NULL where the moment is, and the moment where the time is.
///
/// Not by comparing the two in a CASE: engines on DataFusion take that for never NULL if no moment
/// of a file is, and fail on a statement that has it twice.
pub(crate) fn no_earlier(time: &str, moment: &str) -> String {
    format!("CASE WHEN {moment} IS NOT NULL THEN GREATEST({moment}, {time}) END")
}

/// The same value, NULL where it is one of these.
fn without(expression: &str, nulls: &[String]) -> String {
    if nulls.is_empty() {
        expression.to_owned()
    } else {
        format!(
            "CASE WHEN {expression} IN ({}) THEN NULL ELSE {expression} END",
            nulls.join(", ")
        )
    }
}
