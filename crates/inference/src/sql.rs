//! A model as one SQL statement over a table of its features: look-ups as CASE, their sum, the likelihood and the tier.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use leadscore_core::ContactPriority;

use crate::model::Model;
use crate::term::{Axis, BinsTerm, LevelsTerm, LinearTerm, PairTerm, Term};

/// Whose SQL is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SqlDialect {
    /// DuckDB.
    DuckDb,
    /// PostgreSQL.
    Postgres,
    /// Snowflake.
    Snowflake,
    /// BigQuery.
    BigQuery,
    /// Spark SQL, Databricks.
    Spark,
    /// SQLite.
    Sqlite,
}

/// Where the features are, and which columns are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlOptions {
    /// Whose SQL.
    pub dialect: SqlDialect,
    /// The table with a column a feature, written as it stands in the statement: quote it where it needs that.
    pub table: String,
    /// Columns of that table that go along, such as the id.
    pub keys: Vec<String>,
}

/// A model that cannot be written as SQL.
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
}

impl Model {
    /// One SELECT with the keys, `log_odds`, `likelihood_to_close` (0 to 100) and `contact_priority` by the model's own edges.
    ///
    /// Columns are those of `leadscore features`; a missing value is NULL. BigQuery takes letters, digits and `_` in names only:
    /// all other characters are written as `_` there.
    ///
    /// # Errors
    ///
    /// [`SqlError`] where the dialect cannot name the columns.
    pub fn to_sql(&self, options: &SqlOptions) -> Result<String, SqlError> {
        let writer = Writer { model: self, dialect: options.dialect };
        writer.check_names(&options.keys)?;
        let keys: Vec<String> = options.keys.iter().map(|key| writer.name(key)).collect();
        let keep: String = keys.iter().map(|key| format!("{key}, ")).collect();
        // PostgreSQL would put each step into the next, as often as it is named there, and compile for minutes.
        let step = if options.dialect == SqlDialect::Postgres { "AS MATERIALIZED" } else { "AS" };
        let mut text = format!(
            "-- Likelihood to close by model {}: columns as `leadscore features` names them, NULL for missing.\nWITH given {step} (\n  SELECT {}",
            self.card.model_id,
            keys.join(", ")
        );
        let mut is_first = keys.is_empty();
        let mut add = |expression: String, name: String| {
            let _ = write!(text, "{}\n    {expression} AS {name}", if std::mem::take(&mut is_first) { "" } else { "," });
        };
        for (idx, term) in self.terms.iter().enumerate() {
            for (expression, name) in writer.given(idx, term) {
                add(expression, name);
            }
        }
        if self.terms.is_empty() {
            add("1".to_owned(), "nothing".to_owned());
        }
        let _ = write!(text, "\n  FROM {}\n), added {step} (\n  SELECT {keep}{}", options.table, number(self.intercept));
        for (idx, term) in self.terms.iter().enumerate() {
            let _ = write!(text, "\n    + {}", writer.addend(idx, term));
        }
        let _ = write!(text, " AS total\n  FROM given\n), scored {step} (\n  SELECT {keep}{} AS log_odds\n  FROM added\n)\n", writer.calibrated());
        // The odds are computed where they are small, so that no exponential overflows.
        let probability = "CASE WHEN log_odds >= 0 THEN 1e0 / (1e0 + EXP(-log_odds)) ELSE EXP(log_odds) / (1e0 + EXP(log_odds)) END";
        let _ = write!(text, "SELECT {keep}log_odds, 100e0 * ({probability}) AS likelihood_to_close,\n  CASE");
        for (edge, tier) in self.tier_edges.iter().zip(ContactPriority::QUARTILES) {
            let _ = write!(text, " WHEN ({probability}) >= {} THEN '{}'", number(*edge), tier.name());
        }
        let _ = writeln!(text, " ELSE '{}' END AS contact_priority\nFROM scored", ContactPriority::Low.name());
        Ok(text)
    }
}

struct Writer<'a> {
    model: &'a Model,
    dialect: SqlDialect,
}

/// With an exponent it is a floating-point number in every dialect but PostgreSQL, where it is exact until it meets one.
fn number(value: f64) -> String {
    format!("{value:e}")
}

impl Writer<'_> {
    fn check_names(&self, keys: &[String]) -> Result<(), SqlError> {
        let mut known: BTreeMap<String, &String> = BTreeMap::new();
        for column in self.model.specs.iter().map(|spec| &spec.name).chain(keys) {
            if self.dialect == SqlDialect::Postgres && column.len() > 63 {
                return Err(SqlError::LongName { name: column.clone(), n_bytes: column.len() });
            }
            let name = self.name(column);
            if let Some(first) = known.insert(name.clone(), column)
                && first != column
            {
                return Err(SqlError::SameName { first: first.clone(), second: column.clone(), name: name.trim_matches('`').to_owned() });
            }
        }
        Ok(())
    }

    fn name(&self, column: &str) -> String {
        match self.dialect {
            SqlDialect::DuckDb | SqlDialect::Postgres | SqlDialect::Snowflake | SqlDialect::Sqlite => format!("\"{}\"", column.replace('"', "\"\"")),
            SqlDialect::Spark => format!("`{}`", column.replace('`', "``")),
            SqlDialect::BigQuery => format!("`{}`", column.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect::<String>()),
        }
    }

    fn column(&self, feature_idx: usize) -> String {
        self.name(&self.model.specs[feature_idx].name)
    }

    fn text(&self, text: &str) -> String {
        match self.dialect {
            SqlDialect::DuckDb | SqlDialect::Postgres | SqlDialect::Sqlite => format!("'{}'", text.replace('\'', "''")),
            SqlDialect::Snowflake => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
            SqlDialect::BigQuery | SqlDialect::Spark => {
                format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n").replace('\r', "\\r"))
            }
        }
    }

    /// What a term needs of the table: a number within its range, or the cells of a table's sides.
    fn given(&self, idx: usize, term: &Term) -> Vec<(String, String)> {
        match term {
            Term::Linear(term) => vec![(self.column(term.feature_idx), format!("x{idx}"))],
            Term::Levels(term) => vec![(self.column(term.feature_idx), format!("x{idx}"))],
            Term::Bins(term) => {
                let column = self.column(term.feature_idx);
                let (low, high) = (number(term.range.0), number(term.range.1));
                vec![(format!("CASE WHEN {column} < {low} THEN {low} WHEN {column} > {high} THEN {high} ELSE {column} END"), format!("x{idx}"))]
            }
            Term::Pair(term) => vec![(self.cell(&term.first), format!("x{idx}")), (self.cell(&term.second), format!("y{idx}"))],
        }
    }

    /// The cell of a side as a whole number.
    fn cell(&self, axis: &Axis) -> String {
        let column = self.column(axis.feature_idx());
        let mut text = format!("CASE WHEN {column} IS NULL THEN {}", axis.n_cells() - 1);
        match axis {
            Axis::Bins { edges, .. } => {
                for (cell, edge) in edges.iter().enumerate() {
                    let _ = write!(text, " WHEN {column} <= {} THEN {cell}", number(*edge));
                }
                let _ = write!(text, " ELSE {} END", edges.len());
            }
            Axis::Levels { levels, .. } => {
                for (cell, level) in levels.iter().enumerate() {
                    let _ = write!(text, " WHEN {column} = {} THEN {cell}", self.text(level));
                }
                let _ = write!(text, " ELSE {} END", levels.len());
            }
        }
        text
    }

    fn addend(&self, idx: usize, term: &Term) -> String {
        match term {
            Term::Linear(LinearTerm { mean, scale, weight, missing, .. }) => {
                format!(
                    "CASE WHEN x{idx} IS NULL THEN {} ELSE {} * ((x{idx} - ({})) / {}) END",
                    number(*missing),
                    number(*weight),
                    number(*mean),
                    number(*scale)
                )
            }
            Term::Levels(term) => self.levels(idx, term),
            Term::Bins(term) => bins(idx, term),
            Term::Pair(term) => pair(idx, term),
        }
    }

    fn levels(&self, idx: usize, term: &LevelsTerm) -> String {
        let mut text = format!("CASE WHEN x{idx} IS NULL THEN {}", number(term.missing));
        for (level, weight) in &term.levels {
            let _ = write!(text, " WHEN x{idx} = {} THEN {}", self.text(level), number(*weight));
        }
        if !term.rare_levels.is_empty() {
            let rare: Vec<String> = term.rare_levels.iter().map(|level| self.text(level)).collect();
            let _ = write!(text, " WHEN x{idx} IN ({}) THEN {}", rare.join(", "), number(term.rare));
        }
        let _ = write!(text, " ELSE {} END", number(term.unseen));
        text
    }

    /// The total as it is, or through the pieces of the calibration curve.
    fn calibrated(&self) -> String {
        let Some(curve) = &self.model.calibration else { return "total".to_owned() };
        let mut text = "CASE".to_owned();
        let last = curve.knots.len() - 2;
        for (piece, pair) in curve.knots.windows(2).enumerate() {
            let ((x, y), slope) = (pair[0], (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0));
            let line = format!("({}) + {} * (total - ({}))", number(y), number(slope), number(x));
            let _ = if piece == last { write!(text, " ELSE {line} END") } else { write!(text, " WHEN total <= {} THEN {line}", number(pair[1].0)) };
        }
        text
    }
}

fn bins(idx: usize, term: &BinsTerm) -> String {
    let mut text = format!("CASE WHEN x{idx} IS NULL THEN {}", number(term.missing));
    for (bin, (weight, center)) in term.weights.iter().zip(&term.centers).enumerate() {
        let value =
            if term.tilt == 0.0 { number(*weight) } else { format!("({}) + {} * (x{idx} - ({}))", number(*weight), number(term.tilt), number(*center)) };
        let _ = match term.edges.get(bin) {
            Some(edge) => write!(text, " WHEN x{idx} <= {} THEN {value}", number(*edge)),
            None => write!(text, " ELSE {value} END"),
        };
    }
    text
}

fn pair(idx: usize, term: &PairTerm) -> String {
    let mut text = format!("CASE x{idx} * {} + y{idx}", term.second.n_cells());
    for (cell, weight) in term.weights.iter().enumerate() {
        let _ = write!(text, " WHEN {cell} THEN {}", number(*weight));
    }
    text.push_str(" END");
    text
}
