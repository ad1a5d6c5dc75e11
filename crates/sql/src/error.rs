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
    /// Local times.
    #[error("[{table}] has `time_zone = \"{zone}\"`, and SQL turns local times to UTC each engine in its own way: store them in UTC")]
    TimeZone {
        /// The table in the config.
        table: String,
        /// The zone.
        zone: String,
    },
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
