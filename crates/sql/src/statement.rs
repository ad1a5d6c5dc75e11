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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_come_before_what_uses_them() {
        let mut statement = Statement::new(Dialect::DuckDb);
        assert_eq!(statement.finish("SELECT 1"), "\nSELECT 1\n");
        statement.step("a", "SELECT 1 AS x".to_owned());
        statement.step("b", "SELECT x FROM a".to_owned());
        assert_eq!(
            statement.finish("SELECT x FROM b"),
            "WITH a AS (\n  SELECT 1 AS x\n), b AS (\n  SELECT x FROM a\n)\nSELECT x FROM b\n"
        );
    }

    #[test]
    fn some_engines_are_told_to_compute_each_step_once() {
        let first_line = |dialect| {
            let mut statement = Statement::new(dialect);
            statement.step("a", "SELECT 1".to_owned());
            statement
                .finish("SELECT 2")
                .lines()
                .next()
                .map(str::to_owned)
        };
        let (once, as_it_likes) = (
            Some("WITH a AS MATERIALIZED (".to_owned()),
            Some("WITH a AS (".to_owned()),
        );
        for dialect in Dialect::ALL {
            let is_told = matches!(dialect, Dialect::Postgres | Dialect::Sqlite);
            assert_eq!(
                first_line(dialect),
                if is_told {
                    once.clone()
                } else {
                    as_it_likes.clone()
                }
            );
        }
    }
}
