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
    // The quote that the field began with, and up to where quotes were looked at.
    let (mut open, mut seen, mut is_found) = (None, 0, false);
    for at in memchr::memchr_iter(b'"', row) {
        if at < seen {
            continue;
        }
        match open {
            Some(_) if row.get(at + 1) == Some(&b'"') => seen = at + 2,
            Some(_) if ends_field(row, at + 1, delimiter) => open = None,
            Some(open) => return Err(QuoteFault::GoesOn { open, at: at + 1 }),
            None if at == 0 || row[at - 1] == delimiter => open = Some(at),
            None => {
                let begin = memchr::memrchr(delimiter, &row[..at]).map_or(0, |before| before + 1);
                let end = memchr::memchr2(delimiter, b'\n', &row[at..])
                    .map_or(row.len(), |length| at + length);
                let field = row[begin..end].trim_ascii();
                // With a quote at the end of the field, or no other in it, the first one is opening.
                let is_opening = field.first() == Some(&b'"')
                    && (field.len() > 1 && field.ends_with(b"\"")
                        || memchr::memchr(b'"', &field[1..]).is_none());
                if is_opening {
                    return Err(QuoteFault::AfterBlanks(at));
                }
                is_found = true;
                seen = end;
            }
        }
    }
    match open {
        Some(at) => Err(QuoteFault::NeverClosed(at)),
        None => Ok(is_found),
    }
}

/// Whether a field ends before a place in its row.
fn ends_field(row: &[u8], at: usize, delimiter: u8) -> bool {
    match row.get(at) {
        None | Some(b'\n') => true,
        Some(b'\r') => matches!(row.get(at + 1), None | Some(b'\n')),
        Some(&byte) => byte == delimiter,
    }
}

/// A field by what it is made of: each run of digits or letters is one sign, anything else stays.
pub(crate) fn shape_of(field: &[u8]) -> Vec<u8> {
    let mut shape: Vec<u8> = Vec::new();
    for &byte in field {
        let sign = match byte {
            _ if byte.is_ascii_digit() => b'9',
            _ if byte.is_ascii_alphabetic() || byte >= 0x80 => b'a',
            _ => byte,
        };
        if shape.last() != Some(&sign) || !matches!(sign, b'9' | b'a') {
            shape.push(sign);
        }
    }
    shape
}

/// Whether a field of several lines has the rest of its row, whole rows, and the begin of another
/// one in it: each line has as many delimiters as these have, and most fields have the shapes that
/// those of another row have.
pub(crate) fn has_rows_in_it(
    field: &[u8],
    column: usize,
    delimiter: u8,
    shapes: &[Vec<u8>],
) -> bool {
    let lines: Vec<Vec<&[u8]>> = field
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .map(|line| line.split(|&byte| byte == delimiter).collect())
        .collect();
    let ([first, inner @ .., last], n_columns) = (&lines[..], shapes.len()) else {
        return false;
    };
    if n_columns < 2
        || first.len() != n_columns - column
        || last.len() != column + 1
        || inner.iter().any(|line| line.len() != n_columns)
    {
        return false;
    }
    // The field itself is cut into pieces: neither of them has a shape.
    let rest = first[1..].iter().zip(&shapes[column + 1..]);
    let begin = last[..column].iter().zip(shapes);
    let whole = inner.iter().flat_map(|line| line.iter().zip(shapes));
    let (mut n_fields, mut n_alike) = (0, 0);
    for (found, shape) in rest.chain(begin).chain(whole) {
        if !found.is_empty() && !shape.is_empty() {
            n_fields += 1;
            n_alike += usize::from(shape_of(found.trim_ascii_end()) == *shape);
        }
    }
    n_alike > 0 && 3 * n_alike >= 2 * n_fields
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

    #[test]
    fn rows_within_a_field_are_recognised() {
        let shapes: Vec<Vec<u8>> = ["L01", "2024-01-02", "note", "12"]
            .iter()
            .map(|field| shape_of(field.as_bytes()))
            .collect();
        for (field, column, expected) in [
            ("click,8\nL004,2024-01-30,open", 2, true),
            (
                "click,8\nL004,2024-01-30,mail,3\r\nL005,2024-01-31,open",
                2,
                true,
            ),
            // Notes of several lines.
            ("Hello, there\nbye, for, now", 2, false),
            ("first\nsecond", 2, false),
            ("12 Main St, Springfield\nOhio, USA, Earth", 2, false),
            ("x\n", 2, false),
        ] {
            assert_eq!(
                has_rows_in_it(field.as_bytes(), column, b',', &shapes),
                expected,
                "{field:?}"
            );
        }
    }
}
