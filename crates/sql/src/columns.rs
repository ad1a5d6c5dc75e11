//! How cells of a table are read in SQL, by the same settings that the reader of files follows.

use leadscore_core::FeatureKind;
use leadscore_tables::{DEFAULT_NULLS, FileConfig, TimeKind};

use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::snapshots::{SqlSource, SqlSources};

/// Microseconds of a day.
pub(crate) const DAY: i64 = 86_400_000_000;
/// Whole weeks that are added to a time before it is divided, so that times before 1970 are divided like others.
pub(crate) const SHIFT: i64 = 100_000 * 7 * DAY;

/// A table of the config as it stands in a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns<'a> {
    dialect: Dialect,
    pub(crate) source: &'a SqlSource,
    nulls: Option<&'a [String]>,
}

impl<'a> Columns<'a> {
    pub(crate) fn new(dialect: Dialect, sources: &'a SqlSources, table: &str, file: &FileConfig<'a>) -> Result<Self, SqlError> {
        if let Some(zone) = file.time_zone.map(|zone| zone.to_string()).filter(|zone| zone != "UTC") {
            return Err(SqlError::TimeZone { table: table.to_owned(), zone });
        }
        let source = sources.tables.get(table).ok_or_else(|| SqlError::Source(table.to_owned()))?;
        Ok(Self { dialect, source, nulls: file.null_values })
    }

    /// What joins tables.
    pub(crate) fn key(&self, column: &str) -> String {
        format!("CAST({} AS {})", self.dialect.name(column), self.dialect.text_type())
    }

    /// A text, NULL where the cell says missing.
    pub(crate) fn text(&self, column: &str) -> String {
        let text = self.dialect.trimmed(&self.dialect.name(column));
        let default: Vec<String>;
        let words = match self.nulls {
            Some(words) => words,
            None => {
                default = DEFAULT_NULLS.iter().map(|&word| word.to_owned()).collect();
                &default
            }
        };
        let nulls: Vec<String> =
            std::iter::once(String::new()).chain(words.iter().filter(|word| !word.is_empty()).cloned()).map(|word| self.dialect.text(&word)).collect();
        format!("CASE WHEN {text} IN ({}) THEN NULL ELSE {text} END", nulls.join(", "))
    }

    /// A number, NULL where there is none.
    pub(crate) fn number(&self, column: &str) -> String {
        self.dialect.finite(&self.dialect.name(column))
    }

    /// An attribute: a number or a text.
    pub(crate) fn typed(&self, column: &str, kind: FeatureKind) -> String {
        match kind {
            FeatureKind::Number => self.number(column),
            FeatureKind::Category => self.text(column),
        }
    }

    /// When the moment or the day of a cell begins.
    pub(crate) fn start(&self, column: &str) -> String {
        let name = self.dialect.name(column);
        match self.kind(column) {
            TimeKind::Instant | TimeKind::Date => self.dialect.micros(&name),
            TimeKind::EpochSeconds => format!("(CAST({name} AS BIGINT) * 1000000)"),
            TimeKind::EpochMillis => format!("(CAST({name} AS BIGINT) * 1000)"),
        }
    }

    /// From when the fact of a cell counts as known: a date from the last microsecond of its day.
    pub(crate) fn known(&self, column: &str) -> String {
        let start = self.start(column);
        if self.kind(column) == TimeKind::Date { format!("({start} + {})", DAY - 1) } else { start }
    }

    fn kind(&self, column: &str) -> TimeKind {
        self.source.times.get(column).copied().unwrap_or(TimeKind::Instant)
    }
}
