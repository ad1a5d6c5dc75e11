//! What cannot be said in SQL.

use crate::dialect::Dialect;

/// Features or a model that cannot be written as SQL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// Two columns have one name where a dialect takes fewer letters.
    #[error("columns `{first}` and `{second}` would both be called `{name}` in BigQuery, which takes letters, digits and _ only: rename one of them")]
    SameName {
        /// The first column.
        first: String,
        /// The second column.
        second: String,
        /// What both would be called.
        name: String,
    },
    /// A name that would be cut off.
    #[error("column `{name}` has {n_bytes} bytes, and PostgreSQL takes 63: rename it")]
    LongName {
        /// The column.
        name: String,
        /// Its length.
        n_bytes: usize,
    },
    /// A dialect in which features are not written.
    #[error("features are written in the SQL of {}, not of {}: compute them with `leadscore features --model`, and write the score alone", Dialect::of_features(), .0.id())]
    Dialect(Dialect),
    /// Features of a flat export are its columns.
    #[error("a flat export has no events: its features are columns that its table has already, so write the score alone")]
    Flat,
    /// Leads that end by silence.
    #[error("[snapshots] has `silent`, and statements do not end leads by silence: compute the features here, or take the key out")]
    Silent,
    /// Local times.
    #[error("[{table}] has `time_zone = \"{zone}\"`, and SQL turns local times to UTC each engine in its own way: store them in UTC")]
    TimeZone {
        /// The table in the config.
        table: String,
        /// The zone.
        zone: String,
    },
    /// Cells that hold several ids.
    #[error("[{table}] has a `separator` for `{column}`, and statements take one id from a cell: give each pair of ids a row of its own")]
    Several {
        /// The table in the config.
        table: String,
        /// The column.
        column: String,
    },
    /// Times that are a spreadsheet's day numbers.
    #[error("[{table}] has times in the format `{format}`, and statements read timestamps, dates and whole numbers since 1970: store them so")]
    Serial {
        /// The table in the config.
        table: String,
        /// The format.
        format: String,
    },
    /// A history that says more than its changes.
    #[error("[history] has `{0}`, and statements know no value before the first change of a lead: compute the features here, or take the key out")]
    Before(&'static str),
    /// Outcomes with a second clock, as of a moment in the past.
    #[error("[outcomes] has `recorded_at`, and statements do not know what was entered before a moment in the past: compute the features here")]
    Entered,
    /// A table of which nothing was said.
    #[error("feature `{feature}` needs the table [{table}], which the config lacks")]
    Table {
        /// The feature.
        feature: String,
        /// The table.
        table: String,
    },
    /// A table of the config whose place in the engine was not said.
    #[error("it is not said where the table [{0}] is in the engine")]
    Source(String),
    /// A column that the config does not name.
    #[error("feature `{feature}` needs `{key}` of [{table}], which the config lacks")]
    Key {
        /// The feature.
        feature: String,
        /// The table.
        table: String,
        /// The key.
        key: String,
    },
}
