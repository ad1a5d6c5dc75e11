//! What cannot be said in SQL.

use crate::dialect::Dialect;

fn same_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::BigQuery => {
            "which takes letters, digits and _ only, and tells no capital letters from small ones"
        }
        Dialect::DuckDb | Dialect::Spark | Dialect::Sqlite => {
            "which tells no capital letters from small ones"
        }
        Dialect::Postgres | Dialect::Snowflake => "which has them in quotes",
    }
}

/// Features or a model that cannot be written as SQL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// Two columns have one name in a dialect.
    #[error("columns `{first}` and `{second}` are one column in the SQL of {}, {}\n  hint: rename one of them", .dialect.id(), same_name(*.dialect))]
    SameName {
        /// The first column.
        first: String,
        /// The second column.
        second: String,
        /// The dialect.
        dialect: Dialect,
    },
    /// A name that does not stay what it is on its way into a database.
    #[error(
        "column {0:?} has a carriage return or a NUL character in its name, which statements do not keep\n  hint: rename it"
    )]
    Name(String),
    /// A column that goes along has the name of one that the statement makes.
    #[error(
        "column `{0}` cannot go along: the statement has a column of that name itself\n  hint: rename it in a query that is the table, `(SELECT … AS …) AS features`"
    )]
    KeyTaken(String),
    /// A column that goes along twice.
    #[error("column `{0}` goes along twice\n  hint: name it once")]
    KeyTwice(String),
    /// A text that no column of a dialect can hold.
    #[error(
        "PostgreSQL has no texts with a NUL character, and the model knows {text:?}\n  hint: replace the character in your tables and train again"
    )]
    Nul {
        /// The level.
        text: String,
    },
    /// A name that would be cut off.
    #[error("column `{name}` has {n_bytes} bytes, and PostgreSQL takes 63\n  hint: rename it")]
    LongName {
        /// The column.
        name: String,
        /// Its length.
        n_bytes: usize,
    },
    /// A dialect in which features are not written.
    #[error("features are written in the SQL of {}, not of {}\n  hint: compute them with `leadscore features --model`, and write the score alone", Dialect::of_features(), .0.id())]
    Dialect(Dialect),
    /// Features of a flat export are its columns.
    #[error(
        "undated data has no events\n  hint: its features are columns that its table has already: write the score alone"
    )]
    Flat,
    /// Leads that end by silence.
    #[error(
        "[snapshots] has `silent`, and statements do not end leads by silence\n  hint: compute the features here, or take the key out"
    )]
    Silent,
    /// Words of titles.
    #[error(
        "words are not split in SQL: engines differ in what a letter without its accent is\n  hint: compute the features with `leadscore features --model`, and write the score alone"
    )]
    Words,
    /// Local times.
    #[error(
        "[{table}] has `time_zone = \"{zone}\"`, and SQL turns local times to UTC each engine in its own way\n  hint: store them in UTC"
    )]
    TimeZone {
        /// The table in the config.
        table: String,
        /// The zone.
        zone: String,
    },
    /// Cells that hold several ids.
    #[error(
        "[{table}] has a `separator` for `{column}`, and statements take one id from a cell\n  hint: give each pair of ids a row of its own"
    )]
    Several {
        /// The table in the config.
        table: String,
        /// The column.
        column: String,
    },
    /// More merges in a row than statements follow.
    #[error(
        "[merges] has {n_merges} merges in a row, from `{from}` on, and statements follow {most}\n  hint: in every row of this chain, name the id that lives on at its end"
    )]
    Chain {
        /// The id that the chain begins with.
        from: String,
        /// How many merges it has.
        n_merges: usize,
        /// How many are followed.
        most: usize,
    },
    /// A feature of reopened leads, without a log.
    #[error(
        "feature `{0}` needs `log = true` in [outcomes]\n  hint: is this the config that the model was trained with?"
    )]
    NoLog(String),
    /// Something that was deleted.
    #[error(
        "`deleted` leaves rows out, and statements do not know which\n  hint: leave them out in a view or a query, with all rows of deleted leads"
    )]
    Deleted,
    /// Columns of times that are events.
    #[error(
        "[activities.{0}] has `columns`, and statements read a row for each event\n  hint: make a view of them, with the lead, the time and the kind of each event"
    )]
    Columns(String),
    /// Lists whose elements are rows.
    #[error(
        "[{0}] has `explode`, and statements read a row for each event\n  hint: make a view with a row for each element of `{1}`"
    )]
    Explode(String, String),
    /// Times that are a spreadsheet's day numbers.
    #[error(
        "[{table}] has times in the format `{format}`, and statements read timestamps, dates and whole numbers since 1970\n  hint: store them so"
    )]
    Serial {
        /// The table in the config.
        table: String,
        /// The format.
        format: String,
    },
    /// A history that says more than its changes.
    #[error(
        "[history] has `{0}`, and statements know no value before the first change of a lead\n  hint: compute the features here, or take the key out"
    )]
    Before(&'static str),
    /// Dates that changed.
    #[error(
        "[history] has changes of `{0}`, which is a date, and statements read the values of a history as they are written\n  hint: compute the features here, or exclude `{0}`"
    )]
    DatesOfHistory(String),
    /// A table of which nothing was said.
    #[error("feature `{feature}` needs the table [{table}], which the config lacks")]
    Table {
        /// The feature.
        feature: String,
        /// The table.
        table: String,
    },
    /// A table of the config whose place in the engine was not said.
    #[error("the place of the table [{0}] in the engine is not known")]
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
