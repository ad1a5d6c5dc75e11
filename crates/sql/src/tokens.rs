//! Whether a text that holds several values has one of them, and how many it has, in SQL.

use leadscore_core::Tokenizer;

use crate::dialect::Dialect;
use crate::error::SqlError;

/// Whether a text has this token; NULL where there is no text.
///
/// # Errors
///
/// [`SqlError::Words`] of words, which each engine would fold in its own way.
pub(crate) fn has_token(
    dialect: Dialect,
    text: &str,
    tokenizer: &Tokenizer,
    token: &str,
) -> Result<String, SqlError> {
    let separator = separator(tokenizer)?;
    let member = dialect.text(&format!("{separator}{token}{separator}"));
    let members = between_separators(dialect, text, separator);
    Ok(format!("POSITION({member} IN {members}) > 0"))
}

/// Number of values of a text; NULL where there is no text.
///
/// # Errors
///
/// [`SqlError::Words`] of words.
pub(crate) fn count_tokens(
    dialect: Dialect,
    text: &str,
    tokenizer: &Tokenizer,
) -> Result<String, SqlError> {
    let separator = separator(tokenizer)?;
    let members = between_separators(dialect, text, separator);
    let without = format!("REPLACE({members}, {}, '')", dialect.text(separator));
    let n_signs = format!("(CHAR_LENGTH({members}) - CHAR_LENGTH({without}))");
    let n_separators = dialect.quotient(&n_signs, separator.chars().count() as i64);
    Ok(dialect.double(&format!("({n_separators} - 1)")))
}

fn separator(tokenizer: &Tokenizer) -> Result<&str, SqlError> {
    match tokenizer {
        Tokenizer::Set(separator) => Ok(separator),
        Tokenizer::Words => Err(SqlError::Words),
    }
}

/// The members of a set with one separator before, between and behind them, and no blanks beside
/// it; of no members one separator.
fn between_separators(dialect: Dialect, text: &str, separator: &str) -> String {
    const BLANKS: &str = "[ \\t\\r\\n]*";
    let ends = dialect.text(separator);
    let escaped: String = separator.chars().map(escape).collect();
    let pattern = format!("{BLANKS}({escaped}{BLANKS})+");
    dialect.replaced(
        &format!("({ends} || {text} || {ends})"),
        &pattern,
        separator,
    )
}

/// A character as it is in a regular expression of every engine.
fn escape(character: char) -> String {
    if character.is_ascii_punctuation() {
        format!(
            "[{}{character}]",
            if matches!(character, '^' | '\\' | ']' | '[') {
                "\\"
            } else {
                ""
            }
        )
    } else {
        character.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_no_patterns() {
        let escaped = |text: &str| -> String { text.chars().map(escape).collect() };
        assert_eq!(escaped(";"), "[;]");
        assert_eq!(escaped("||"), "[|][|]");
        assert_eq!(escaped("^"), "[\\^]");
        assert_eq!(escaped(", "), "[,] ");
    }

    #[test]
    fn words_are_refused() {
        for statement in [
            has_token(Dialect::DuckDb, "t", &Tokenizer::Words, "head"),
            count_tokens(Dialect::DuckDb, "t", &Tokenizer::Words),
        ] {
            assert_eq!(statement, Err(SqlError::Words));
        }
    }
}
