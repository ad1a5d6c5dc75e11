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

    /// A text with every match of a regular expression replaced.
    pub(crate) fn replaced(self, text: &str, pattern: &str, by: &str) -> String {
        let (pattern, by) = match self {
            // Backslashes begin an escape in its texts, and in what a match is replaced by.
            Self::Spark => (
                self.text(pattern),
                self.text(&by.replace('\\', "\\\\").replace('$', "\\$")),
            ),
            Self::DuckDb | Self::Postgres | Self::Snowflake | Self::BigQuery | Self::Sqlite => {
                (self.text(pattern), self.text(&by.replace('\\', "\\\\")))
            }
        };
        match self {
            Self::DuckDb | Self::Postgres => {
                format!("REGEXP_REPLACE({text}, {pattern}, {by}, 'g')")
            }
            Self::Spark | Self::Snowflake | Self::BigQuery | Self::Sqlite => {
                format!("REGEXP_REPLACE({text}, {pattern}, {by})")
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

    /// A text that cannot be computed: a statement that reads it fails, with this message and the
    /// value behind it. It stands where a condition decides whether it is read.
    pub(crate) fn failure(self, message: &str, value: &str) -> String {
        let message = format!("{} || {value}", self.text(message));
        let text = self.text_type();
        match self {
            Self::DuckDb => format!("CAST(ERROR({message}) AS {text})"),
            Self::Spark => format!("RAISE_ERROR({message})"),
            // A conversion that fails shows what it was to convert.
            Self::Postgres | Self::Snowflake | Self::BigQuery | Self::Sqlite => {
                format!("CAST(CAST({message} AS BIGINT) AS {text})")
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_name(dialect: Dialect, name: &str, expected: &str) {
        assert_eq!(dialect.name(name), expected);
    }

    #[test]
    fn names_cannot_end_their_quotes() {
        check_name(Dialect::DuckDb, "a\"b", "\"a\"\"b\"");
        check_name(Dialect::Postgres, "a`b", "\"a`b\"");
        check_name(Dialect::Spark, "a`b\"", "`a``b\"`");
        check_name(Dialect::BigQuery, "a`b é.1", "`a_b___1`");
        check_name(Dialect::Sqlite, "", "\"\"");
    }

    #[test]
    fn names_that_an_engine_takes_for_one() {
        let same = |dialect: Dialect, a: &str, b: &str| dialect.folded(a) == dialect.folded(b);
        for dialect in Dialect::ALL {
            assert!(same(dialect, "a", "a"));
            assert!(!same(dialect, "a", "b"));
        }
        let folds_ascii = |dialect| same(dialect, "Seats", "SEATS");
        assert_eq!(
            Dialect::ALL.map(folds_ascii),
            [true, false, false, true, true, true]
        );
        // Spark folds every letter, DuckDB those of ASCII.
        assert!(same(Dialect::Spark, "Größe", "GRÖßE"));
        assert!(!same(Dialect::DuckDb, "Größe", "GRÖßE"));
        assert!(same(Dialect::BigQuery, "a b", "A.B"));
    }

    /// The value of a literal of DuckDB, PostgreSQL or SQLite: texts in single quotes, a quote
    /// doubled, and characters by number.
    fn value_of(literal: &str, function: &str) -> String {
        let mut rest = literal
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'))
            .unwrap_or(literal);
        let mut value = String::new();
        loop {
            if let Some(text) = rest.strip_prefix('\'') {
                let mut letters = text.char_indices().peekable();
                let mut end = None;
                while let Some((place, letter)) = letters.next() {
                    if letter != '\'' {
                        value.push(letter);
                    } else if letters.next_if(|next| next.1 == '\'').is_some() {
                        value.push('\'');
                    } else {
                        end = Some(place);
                        break;
                    }
                }
                rest = &text[end.expect("a quote ends the text") + 1..];
            } else {
                let number = rest
                    .strip_prefix(function)
                    .and_then(|rest| rest.strip_prefix('('))
                    .expect("a text or a character");
                let (number, after) = number.split_once(')').expect("it is closed");
                value.push(char::from_u32(number.parse().expect("a number")).expect("a character"));
                rest = after;
            }
            match rest.strip_prefix(" || ") {
                Some(next) => rest = next,
                None if rest.is_empty() => return value,
                None => panic!("{rest:?} is left of {literal:?}"),
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn literal_texts_are_the_text(text in "([a'\\\\\"|()]|\\PC|[\n\r\t\u{0}\u{200b}\u{2028}\u{feff}]){0,12}") {
            for (dialect, function) in [
                (Dialect::DuckDb, "CHR"),
                (Dialect::Postgres, "CHR"),
                (Dialect::Sqlite, "CHAR"),
            ] {
                let literal = dialect.text(&text);
                proptest::prop_assert_eq!(value_of(&literal, function), text.as_str());
                proptest::prop_assert!(!literal.chars().any(is_fragile));
            }
        }

        #[test]
        fn exact_numbers_have_the_same_bits(bits in proptest::prelude::any::<u64>()) {
            let value = f64::from_bits(bits);
            proptest::prop_assume!(value.is_finite());
            let literal = Dialect::Sqlite.exact(value);
            let found = match literal.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
                None => literal.parse().expect("a number"),
                Some(product) => {
                    let mut parts = product.split(' ');
                    let whole: i64 = parts
                        .next()
                        .and_then(|whole| whole.parse().ok())
                        .expect("a whole number");
                    let mut found = whole as f64;
                    while let (Some(operator), Some(factor)) = (parts.next(), parts.next()) {
                        let factor: f64 = factor.parse().expect("a number");
                        proptest::prop_assert_eq!(factor.log2().fract(), 0.0);
                        found = if operator == "/" { found / factor } else { found * factor };
                    }
                    found
                }
            };
            proptest::prop_assert_eq!(found.to_bits(), bits, "{}", literal);
            // Others read all digits.
            proptest::prop_assert_eq!(
                Dialect::DuckDb.exact(value).parse::<f64>().map(f64::to_bits),
                Ok(bits)
            );
        }
    }

    #[test]
    fn escapes_where_a_backslash_is_one() {
        let text = "it's a \\ and\nmore\u{feff}";
        assert_eq!(
            Dialect::Snowflake.text(text),
            "'it''s a \\\\ and\\nmore\\ufeff'"
        );
        assert_eq!(
            Dialect::Spark.text(text),
            "'it\\'s a \\\\ and\\nmore\\ufeff'"
        );
        assert_eq!(Dialect::BigQuery.text(text), Dialect::Spark.text(text));
    }

    #[test]
    fn ids_name_their_dialects() {
        for dialect in Dialect::ALL {
            assert_eq!(Dialect::named(dialect.id()), Some(dialect));
        }
        assert_eq!(Dialect::named("DuckDB"), None);
        assert_eq!(Dialect::of_features(), "duckdb, postgres, spark");
    }

    #[test]
    fn whole_quotients() {
        assert_eq!(Dialect::DuckDb.quotient("x", 7), "(x // 7)");
        assert_eq!(Dialect::Postgres.quotient("x", 7), "(x / 7)");
        assert_eq!(Dialect::Spark.quotient("x", "y"), "(x DIV y)");
    }
}
