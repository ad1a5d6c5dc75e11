//! Features and scores as SQL, for engines that hold the data: the same definitions that the sweep
//! and the scorer read.

mod dialect;
mod error;
mod names;
mod sources;
mod statement;
mod tokens;

mod aggregate;
mod attributes;
mod collected;
mod columns;
mod event_steps;
mod events;
mod features;
mod snapshots;

mod sample;

mod encoded;
mod reasons;
mod score;
mod score_file;

pub use dialect::Dialect;
pub use encoded::EncodedSql;
pub use error::SqlError;
pub use features::{Exactness, FeaturesSql, column_of, count_sql, exactness, features_sql};
pub use sample::{KeysSql, SampleSql, days_sql, entries_sql, keys_sql, results_sql, ties_sql};
pub use score::{ScoreTable, score_sql, score_tables_sql};
pub use score_file::{ScoreFileSql, score_file_sql};
pub use snapshots::Moments;
pub use sources::{SqlSource, SqlSources};
