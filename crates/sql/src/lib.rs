//! Features and scores as SQL, for engines that hold the data: the same definitions that the sweep and the scorer read.

mod dialect;
mod error;
mod statement;

mod attributes;
mod columns;
mod events;
mod features;
mod snapshots;

mod score;

pub use dialect::Dialect;
pub use error::SqlError;
pub use features::{Exactness, FeaturesSql, exactness, features_sql};
pub use score::{ScoreTable, score_sql, score_tables_sql};
pub use snapshots::{Moments, SqlSource, SqlSources};
