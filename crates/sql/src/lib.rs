//! Features and scores as SQL, for engines that hold the data: the same definitions that the sweep
//! and the scorer read.

mod dialect;
mod error;
mod names;
mod sources;
mod statement;
mod tokens;

mod ask;

mod aggregate;
mod attributes;
mod belonging;
mod collected;
mod columns;
mod courses;
mod event_steps;
mod events;
mod features;
mod outcome_rows;
mod outcomes;
mod snapshots;

mod sample;

mod encoded;
mod reasons;
mod score;
mod score_file;

pub use ask::{FeaturesSql, Moments};
pub use belonging::LONGEST_CHAIN;
pub use dialect::Dialect;
pub use encoded::EncodedSql;
pub use error::SqlError;
pub use features::{Exactness, column_of, count_sql, exactness, features_sql};
pub use outcomes::unordered_log_sql;
pub use sample::{
    KeysSql, SampleSql, UnlinkedSql, days_sql, entries_sql, keys_sql, results_sql, ties_sql,
};
pub use score::{ScoreTable, score_sql, score_tables_sql};
pub use score_file::{ScoreFileSql, score_file_sql};
pub use sources::{SqlSource, SqlSources};
