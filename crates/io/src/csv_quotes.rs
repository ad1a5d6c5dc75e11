//! Quotes of a CSV row: those of fields, those that are part of texts, and those that nobody can be
//! sure of.

/// Quotes that no reader can be sure of, with the place in the row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum QuoteFault {
    /// It swallows rows up to the next one, or to the end.
    NeverClosed(usize),
    /// There is text between a closing quote and the next delimiter.
    GoesOn {
        /// The opening quote.
        open: usize,
        /// The text.
        at: usize,
    },
    /// A field in quotes begins with a blank.
    AfterBlanks(usize),
}

/// Whether a row has quotes that are part of its texts, in fields that are not in quotes; an error
/// where quotes may mean something else.
pub(crate) fn has_quotes_in_texts(row: &[u8], delimiter: u8) -> Result<bool, QuoteFault> {
    if memchr::memchr(b'"', row).is_none() {
        return Ok(false);
    }
    let (mut at, mut is_found) = (0, false);
    loop {
        if row.get(at) == Some(&b'"') {
            let open = at;
            at = after_quoted(row, open)?;
            match row.get(at) {
                None | Some(b'\n') => return Ok(is_found),
                Some(b'\r') if matches!(row.get(at + 1), None | Some(b'\n')) => {
                    return Ok(is_found);
                }
                Some(&byte) if byte == delimiter => {}
                Some(_) => return Err(QuoteFault::GoesOn { open, at }),
            }
        } else {
            let end = memchr::memchr2(delimiter, b'\n', &row[at..])
                .map_or(row.len(), |length| at + length);
            let field = row[at..end].trim_ascii();
            if let Some(quote) = memchr::memchr(b'"', &row[at..end]) {
                // With a quote at the end of the field, or none in it, the first one is opening.
                let is_opening = field.first() == Some(&b'"')
                    && (field.len() > 1 && field.ends_with(b"\"")
                        || memchr::memchr(b'"', &field[1..]).is_none());
                if is_opening {
                    return Err(QuoteFault::AfterBlanks(at + quote));
                }
                is_found = true;
            }
            if row.get(end) != Some(&delimiter) {
                return Ok(is_found);
            }
            at = end;
        }
        at += 1;
    }
}

/// The place behind the quote that closes the one at `open`.
fn after_quoted(row: &[u8], open: usize) -> Result<usize, QuoteFault> {
    let mut at = open + 1;
    loop {
        let quote = memchr::memchr(b'"', &row[at.min(row.len())..])
            .map(|length| at + length)
            .ok_or(QuoteFault::NeverClosed(open))?;
        if row.get(quote + 1) != Some(&b'"') {
            return Ok(quote + 1);
        }
        at = quote + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(row: &str, expected: Result<bool, QuoteFault>) {
        for end in ["", "\n", "\r\n"] {
            let row = format!("{row}{end}");
            assert_eq!(
                has_quotes_in_texts(row.as_bytes(), b','),
                expected,
                "{row:?}"
            );
        }
    }

    #[test]
    fn quotes_are_those_of_fields_or_part_of_texts() {
        check("a,b", Ok(false));
        check("", Ok(false));
        check(r#""a","b ""c"" d",,"""#, Ok(false));
        check("\"a\nb\",\"\"\"\"", Ok(false));
        check(r#"6" pipe,b"#, Ok(true));
        check(r#""a",5'6""#, Ok(true));
        check(r#"say "yes" twice,1"#, Ok(true));
        check(r#" "yes" or "no"?,1"#, Ok(true));
    }

    #[test]
    fn quotes_that_nobody_can_be_sure_of() {
        check(r#"a,"b"#, Err(QuoteFault::NeverClosed(2)));
        check(
            r#"a,"b""#.trim_end_matches('"'),
            Err(QuoteFault::NeverClosed(2)),
        );
        check(r#"a,"b"""#, Err(QuoteFault::NeverClosed(2)));
        check(r#""a" b,c"#, Err(QuoteFault::GoesOn { open: 0, at: 3 }));
        check(
            r#""12" pipe","b""#,
            Err(QuoteFault::GoesOn { open: 0, at: 4 }),
        );
        check("\"a\rb\"\rc,d", Err(QuoteFault::GoesOn { open: 0, at: 5 }));
        check(r#"a, "b""#, Err(QuoteFault::AfterBlanks(3)));
        check(r#"a, "b,c""#, Err(QuoteFault::AfterBlanks(3)));
    }
}
