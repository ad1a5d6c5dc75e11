//! A statement in steps: each a SELECT with a name that later ones use.

use std::fmt::Write as _;

use crate::dialect::Dialect;

/// Named SELECTs, in order.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    dialect: Dialect,
    steps: Vec<(String, String)>,
}

impl Statement {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            steps: Vec::new(),
        }
    }

    pub(crate) fn step(&mut self, name: &str, select: String) {
        self.steps.push((name.to_owned(), select));
    }

    /// The whole statement, which ends with this SELECT.
    pub(crate) fn finish(&self, last: &str) -> String {
        // PostgreSQL and SQLite would put each step into the next, as often as it is named there,
        // and compile for minutes or until memory ends.
        let begin = match self.dialect {
            Dialect::Postgres | Dialect::Sqlite => "AS MATERIALIZED",
            Dialect::DuckDb | Dialect::Snowflake | Dialect::BigQuery | Dialect::Spark => "AS",
        };
        let mut text = String::new();
        for (number, (name, select)) in self.steps.iter().enumerate() {
            let _ = write!(
                text,
                "{}{name} {begin} (\n  {select}\n)",
                if number == 0 { "WITH " } else { ", " }
            );
        }
        let _ = writeln!(text, "\n{last}");
        text
    }
}
