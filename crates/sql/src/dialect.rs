//! Whose SQL is written: how names, texts, numbers and times are spelled.

use std::collections::BTreeMap;

use crate::error::SqlError;

/// Whose SQL is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// DuckDB.
    DuckDb,
    /// PostgreSQL.
    Postgres,
    /// Snowflake.
    Snowflake,
    /// BigQuery.
    BigQuery,
    /// Spark SQL, Databricks, Sail.
    Spark,
    /// SQLite.
    Sqlite,
}

/// Fails where the dialect cannot tell these columns apart.
pub(crate) fn check_names<'n>(dialect: Dialect, columns: impl Iterator<Item = &'n String>) -> Result<(), SqlError> {
    let mut known: BTreeMap<String, &String> = BTreeMap::new();
    for column in columns {
        if dialect == Dialect::Postgres && column.len() > 63 {
            return Err(SqlError::LongName { name: column.clone(), n_bytes: column.len() });
        }
        let name = dialect.name(column);
        if let Some(first) = known.insert(name.clone(), column)
            && first != column
        {
            return Err(SqlError::SameName { first: first.clone(), second: column.clone(), name: name.trim_matches('`').to_owned() });
        }
    }
    Ok(())
}

/// White space that texts lose at either end, as escapes.
const BLANKS: &str = "' \\t\\n\\r'";

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 6] = [Self::DuckDb, Self::Postgres, Self::Snowflake, Self::BigQuery, Self::Spark, Self::Sqlite];

    /// What the command calls it.
    pub fn id(self) -> &'static str {
        match self {
            Self::DuckDb => "duckdb",
            Self::Postgres => "postgres",
            Self::Snowflake => "snowflake",
            Self::BigQuery => "bigquery",
            Self::Spark => "spark",
            Self::Sqlite => "sqlite",
        }
    }

    /// The dialect that the command calls so.
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.id() == id)
    }

    /// Whether features, too, are written in it.
    pub fn has_features(self) -> bool {
        matches!(self, Self::DuckDb | Self::Postgres | Self::Spark)
    }

    pub(crate) fn of_features() -> String {
        Self::ALL.into_iter().filter(|dialect| dialect.has_features()).map(Self::id).collect::<Vec<_>>().join(", ")
    }

    /// A column or table by its name. BigQuery takes letters, digits and `_` only: all else becomes `_`.
    pub fn name(self, name: &str) -> String {
        match self {
            Self::DuckDb | Self::Postgres | Self::Snowflake | Self::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
            Self::Spark => format!("`{}`", name.replace('`', "``")),
            Self::BigQuery => format!("`{}`", name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect::<String>()),
        }
    }

    /// A literal text.
    pub fn text(self, text: &str) -> String {
        match self {
            Self::DuckDb | Self::Postgres | Self::Sqlite => format!("'{}'", text.replace('\'', "''")),
            Self::Snowflake => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
            Self::BigQuery | Self::Spark => {
                let escaped = text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
                format!("'{escaped}'")
            }
        }
    }

    /// A literal number: with an exponent it is a floating-point one everywhere but in PostgreSQL, where it is exact until it meets one.
    pub(crate) fn number(value: f64) -> String {
        format!("{value:e}")
    }

    fn double_type(self) -> &'static str {
        if self == Self::Postgres { "DOUBLE PRECISION" } else { "DOUBLE" }
    }

    pub(crate) fn text_type(self) -> &'static str {
        match self {
            Self::Spark | Self::BigQuery => "STRING",
            _ => "VARCHAR",
        }
    }

    /// Any number as a floating-point one.
    pub(crate) fn double(self, expression: &str) -> String {
        format!("CAST({expression} AS {})", self.double_type())
    }

    /// A number, NULL where it is NaN.
    pub(crate) fn finite(self, expression: &str) -> String {
        let kind = self.double_type();
        format!("NULLIF(CAST({expression} AS {kind}), CAST('NaN' AS {kind}))")
    }

    /// Any value as a text without the blanks around it.
    pub(crate) fn trimmed(self, expression: &str) -> String {
        let text = format!("CAST({expression} AS {})", self.text_type());
        match self {
            Self::Spark => format!("TRIM(BOTH {BLANKS} FROM {text})"),
            _ => format!("TRIM({text}, E{BLANKS})"),
        }
    }

    /// Whole microseconds since 1970 of a date or timestamp.
    pub(crate) fn micros(self, expression: &str) -> String {
        match self {
            Self::Postgres => format!("CAST(EXTRACT(EPOCH FROM {expression}) * 1000000 AS BIGINT)"),
            Self::Spark => format!("UNIX_MICROS(CAST({expression} AS TIMESTAMP_LTZ))"),
            _ => format!("EPOCH_US({expression})"),
        }
    }

    /// The time now, in microseconds since 1970.
    pub(crate) fn now(self) -> String {
        match self {
            Self::Spark => "UNIX_MICROS(CURRENT_TIMESTAMP())".to_owned(),
            _ => self.micros("NOW()"),
        }
    }

    /// A timestamp of whole microseconds since 1970.
    pub(crate) fn timestamp(self, micros: &str) -> String {
        match self {
            Self::Postgres => format!("(TIMESTAMP '1970-01-01' + {micros} * INTERVAL '1 microsecond')"),
            Self::Spark => format!("CAST(TIMESTAMP_MICROS({micros}) AS TIMESTAMP_NTZ)"),
            _ => format!("MAKE_TIMESTAMP({micros})"),
        }
    }

    /// The nearest whole number, the even one of two.
    pub(crate) fn rounded(self, expression: &str) -> String {
        match self {
            Self::Postgres => format!("ROUND({expression})"),
            Self::Spark => format!("RINT({expression})"),
            _ => format!("ROUND_EVEN({expression}, 0)"),
        }
    }

    /// A whole number, not below 0, divided by another.
    pub(crate) fn quotient(self, dividend: &str, divisor: impl std::fmt::Display) -> String {
        match self {
            Self::Postgres => format!("({dividend} / {divisor})"),
            Self::Spark => format!("({dividend} DIV {divisor})"),
            _ => format!("({dividend} // {divisor})"),
        }
    }

    /// 2 to the power of a number that is not above 0: 0 from 1,000 below 0 on, where some engines fail of what is too small.
    pub(crate) fn halvings(self, exponent: &str) -> String {
        format!("CASE WHEN {exponent} < -1e3 THEN 0e0 ELSE POWER(2e0, {exponent}) END")
    }

    /// A text to be sorted by its bytes.
    pub(crate) fn by_bytes(self, expression: &str) -> String {
        if self == Self::Postgres { format!("{expression} COLLATE \"C\"") } else { expression.to_owned() }
    }
}
