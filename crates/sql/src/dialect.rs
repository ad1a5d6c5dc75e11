//! Whose SQL is written: how names, texts, numbers and times are spelled.

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

/// Whether some program changes the character on its way, does not show it, or stops at it: control
/// characters, ends of lines and marks without width.
fn is_fragile(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// White space that texts lose at either end, as escapes.
const BLANKS: &str = "' \\t\\n\\r'";

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 6] = [
        Self::DuckDb,
        Self::Postgres,
        Self::Snowflake,
        Self::BigQuery,
        Self::Spark,
        Self::Sqlite,
    ];

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
        match self {
            Self::DuckDb | Self::Postgres | Self::Spark => true,
            Self::Snowflake | Self::BigQuery | Self::Sqlite => false,
        }
    }

    pub(crate) fn of_features() -> String {
        Self::ALL
            .into_iter()
            .filter(|dialect| dialect.has_features())
            .map(Self::id)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// A column or table by its name. BigQuery takes letters, digits and `_` only: all else becomes
    /// `_`.
    pub fn name(self, name: &str) -> String {
        match self {
            Self::DuckDb | Self::Postgres | Self::Snowflake | Self::Sqlite => {
                format!("\"{}\"", name.replace('"', "\"\""))
            }
            Self::Spark => format!("`{}`", name.replace('`', "``")),
            Self::BigQuery => format!(
                "`{}`",
                name.chars()
                    .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
                    .collect::<String>()
            ),
        }
    }

    /// What tells a column from others: a statement that names two columns which have this in
    /// common reads one of them twice.
    pub(crate) fn folded(self, column: &str) -> String {
        match self {
            Self::Postgres | Self::Snowflake => column.to_owned(),
            Self::DuckDb | Self::Sqlite => column.to_ascii_lowercase(),
            Self::Spark => column.to_lowercase(),
            Self::BigQuery => self.name(column).to_ascii_lowercase(),
        }
    }

    /// A literal text, in which no character is left that an editor, version control or a driver
    /// changes or stops at.
    pub fn text(self, text: &str) -> String {
        match self {
            Self::DuckDb | Self::Postgres | Self::Sqlite => {
                let function = if self == Self::Sqlite { "CHAR" } else { "CHR" };
                let mut parts = Vec::new();
                let mut rest = text;
                while !rest.is_empty() {
                    let end = rest.find(is_fragile).unwrap_or(rest.len());
                    if end > 0 {
                        parts.push(format!("'{}'", rest[..end].replace('\'', "''")));
                    }
                    rest = &rest[end..];
                    if let Some(character) = rest
                        .chars()
                        .next()
                        .filter(|character| is_fragile(*character))
                    {
                        parts.push(format!("{function}({})", u32::from(character)));
                        rest = &rest[character.len_utf8()..];
                    }
                }
                match parts.len() {
                    0 => "''".to_owned(),
                    1 => parts.remove(0),
                    _ => format!("({})", parts.join(" || ")),
                }
            }
            Self::Snowflake | Self::BigQuery | Self::Spark => {
                let mut literal = "'".to_owned();
                for character in text.chars() {
                    match character {
                        '\\' => literal.push_str("\\\\"),
                        '\'' if self == Self::Snowflake => literal.push_str("''"),
                        '\'' => literal.push_str("\\'"),
                        '\n' => literal.push_str("\\n"),
                        '\r' => literal.push_str("\\r"),
                        '\t' => literal.push_str("\\t"),
                        // All of them are in the first plane, and have four digits.
                        fragile if is_fragile(fragile) => {
                            literal.push_str(&format!("\\u{:04x}", u32::from(fragile)));
                        }
                        other => literal.push(other),
                    }
                }
                literal.push('\'');
                literal
            }
        }
    }

    /// Whether a text can hold this.
    pub(crate) fn can_hold(self, text: &str) -> bool {
        self != Self::Postgres || !text.contains('\0')
    }

    /// A literal number: with an exponent it is a floating-point one everywhere but in PostgreSQL,
    /// where it is exact until it meets one.
    pub(crate) fn number(value: f64) -> String {
        format!("{value:e}")
    }

    /// A literal number that is compared with values: the same bits everywhere.
    ///
    /// SQLite reads one of 10,000 literals of 16 or 17 digits as a neighbor. There it is written as
    /// a whole number, which is exact, times or by powers of two, which are exact, too.
    pub(crate) fn exact(self, value: f64) -> String {
        const BITS: i32 = 52;
        let digits = Self::number(value);
        let n_digits = digits
            .split('e')
            .next()
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_digit)
            .count();
        if self != Self::Sqlite
            || (n_digits <= 15 && (value == 0.0 || (1e-5..1e15).contains(&value.abs())))
            || !value.is_normal()
        {
            return digits;
        }
        // value = whole · 2^exponent
        let exponent =
            i32::try_from((value.to_bits() >> BITS) & 0x7ff).expect("eleven bits") - 1023 - BITS;
        let whole = (value.to_bits() & ((1 << BITS) - 1)) | (1 << BITS);
        let mut text = format!("({}{whole}", if value < 0.0 { "-" } else { "" });
        let operator = if exponent < 0 { '/' } else { '*' };
        let mut left = exponent.abs();
        while left > 0 {
            let step = left.min(BITS);
            text.push_str(&format!(" {operator} {}.0", 1_u64 << step));
            left -= step;
        }
        text.push(')');
        text
    }

    fn double_type(self) -> &'static str {
        match self {
            Self::Postgres => "DOUBLE PRECISION",
            Self::BigQuery => "FLOAT64",
            Self::Sqlite => "REAL",
            Self::DuckDb | Self::Snowflake | Self::Spark => "DOUBLE",
        }
    }

    pub(crate) fn text_type(self) -> &'static str {
        match self {
            Self::Spark | Self::BigQuery => "STRING",
            Self::Sqlite => "TEXT",
            Self::DuckDb | Self::Postgres | Self::Snowflake => "VARCHAR",
        }
    }

    /// Any number as a floating-point one.
    pub(crate) fn double(self, expression: &str) -> String {
        format!("CAST({expression} AS {})", self.double_type())
    }

    /// A number, NULL where it is NaN.
    pub(crate) fn finite(self, expression: &str) -> String {
        let (number, kind) = (self.double(expression), self.double_type());
        match self {
            Self::BigQuery => format!("CASE WHEN IS_NAN({number}) THEN NULL ELSE {number} END"),
            // It has no NaN, and its importer makes empty texts of missing numbers.
            Self::Sqlite => self.double(&format!("NULLIF({expression}, '')")),
            Self::DuckDb | Self::Postgres | Self::Snowflake | Self::Spark => {
                format!("NULLIF({number}, CAST('NaN' AS {kind}))")
            }
        }
    }

    /// Any value as a text without the blanks around it.
    pub(crate) fn trimmed(self, expression: &str) -> String {
        let text = format!("CAST({expression} AS {})", self.text_type());
        match self {
            Self::Spark => format!("TRIM(BOTH {BLANKS} FROM {text})"),
            Self::DuckDb | Self::Postgres | Self::Snowflake | Self::BigQuery | Self::Sqlite => {
                format!("TRIM({text}, E{BLANKS})")
            }
        }
    }

    /// Whole microseconds since 1970 of a date or timestamp.
    pub(crate) fn micros(self, expression: &str) -> String {
        match self {
            Self::Postgres => format!("CAST(EXTRACT(EPOCH FROM {expression}) * 1000000 AS BIGINT)"),
            Self::Spark => format!("UNIX_MICROS(CAST({expression} AS TIMESTAMP_LTZ))"),
            Self::DuckDb | Self::Snowflake | Self::BigQuery | Self::Sqlite => {
                format!("EPOCH_US({expression})")
            }
        }
    }

    /// The time now, in microseconds since 1970.
    pub(crate) fn now(self) -> String {
        match self {
            Self::Spark => "UNIX_MICROS(CURRENT_TIMESTAMP())".to_owned(),
            Self::DuckDb | Self::Postgres | Self::Snowflake | Self::BigQuery | Self::Sqlite => {
                self.micros("NOW()")
            }
        }
    }

    /// A timestamp of whole microseconds since 1970.
    pub(crate) fn timestamp(self, micros: &str) -> String {
        match self {
            Self::Postgres => {
                format!("(TIMESTAMP '1970-01-01' + {micros} * INTERVAL '1 microsecond')")
            }
            Self::Spark => format!("CAST(TIMESTAMP_MICROS({micros}) AS TIMESTAMP_NTZ)"),
            Self::DuckDb | Self::Snowflake | Self::BigQuery | Self::Sqlite => {
                format!("MAKE_TIMESTAMP({micros})")
            }
        }
    }

    /// The nearest whole number, the even one of two.
    pub(crate) fn rounded(self, expression: &str) -> String {
        match self {
            Self::Postgres => format!("ROUND({expression})"),
            Self::Spark => format!("RINT({expression})"),
            Self::DuckDb | Self::Snowflake | Self::BigQuery | Self::Sqlite => {
                format!("ROUND_EVEN({expression}, 0)")
            }
        }
    }

    /// A whole number, not below 0, divided by another.
    pub(crate) fn quotient(self, dividend: &str, divisor: impl std::fmt::Display) -> String {
        match self {
            Self::Postgres => format!("({dividend} / {divisor})"),
            Self::Spark => format!("({dividend} DIV {divisor})"),
            Self::DuckDb | Self::Snowflake | Self::BigQuery | Self::Sqlite => {
                format!("({dividend} // {divisor})")
            }
        }
    }

    /// 2 to the power of a number that is not above 0: 0 from 1,000 below 0 on, where some engines
    /// fail of what is too small.
    pub(crate) fn halvings(self, exponent: &str) -> String {
        format!("CASE WHEN {exponent} < -1e3 THEN 0e0 ELSE POWER(2e0, {exponent}) END")
    }

    /// A text to be sorted by its bytes.
    pub(crate) fn by_bytes(self, expression: &str) -> String {
        if self == Self::Postgres {
            format!("{expression} COLLATE \"C\"")
        } else {
            expression.to_owned()
        }
    }
}
