//! Texts within addresses: percent-encoded, taken apart strictly, and looked through.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but letters, digits, `-`, `_`, `.` and `~`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Why a text cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotEncoded {
    /// A % without two hexadecimal digits.
    Percent,
    /// Bytes that are not UTF-8.
    Utf8,
}

/// A text as a part of an address: all but letters, digits, `-`, `_`, `.` and `~` as `%41`.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// What [`encoded`] was made of.
pub(crate) fn decoded(text: &str) -> Result<String, NotEncoded> {
    let is_whole = |after: &str| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_whole) {
        return Err(NotEncoded::Percent);
    }
    let bytes = percent_decode_str(text);
    Ok(bytes.decode_utf8().map_err(|_| NotEncoded::Utf8)?.into())
}

/// The text however often it was encoded, so that no encoding hides a part of it; what is not
/// encoded stays as it is.
pub(crate) fn laid_bare(text: &str) -> String {
    let mut text = text.to_owned();
    loop {
        let plain = percent_decode_str(&text).decode_utf8_lossy();
        if plain == text {
            return text;
        }
        text = plain.into_owned();
    }
}

/// Where a lead's page is. Browsers take the paths `.` and `..` for steps, so IDs that are made of
/// dots, and the empty one, go into the query.
pub(crate) fn lead_address(id: &str) -> String {
    if id.bytes().all(|byte| byte == b'.') {
        format!("/leads?id={id}")
    } else {
        format!("/leads/{}", encoded(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_an_address_that_browsers_keep() {
        for (id, expected) in [
            ("L1", "/leads/L1"),
            ("", "/leads?id="),
            (".", "/leads?id=."),
            ("..", "/leads?id=.."),
            ("...", "/leads?id=..."),
            ("a/../b", "/leads/a%2F..%2Fb"),
            ("a?b#c%", "/leads/a%3Fb%23c%25"),
            ("é\n", "/leads/%C3%A9%0A"),
        ] {
            assert_eq!(lead_address(id), expected, "{id}");
            assert_eq!(decoded(&encoded(id)).as_deref(), Ok(id));
        }
    }

    #[test]
    fn what_was_not_encoded_is_not_decoded() {
        for text in ["%", "%4", "%zz", "%+1"] {
            assert_eq!(decoded(text), Err(NotEncoded::Percent), "{text}");
        }
        assert_eq!(decoded("%FF"), Err(NotEncoded::Utf8));
        assert_eq!(decoded("L1%0A").as_deref(), Ok("L1\n"));
    }

    #[test]
    fn no_encoding_hides_a_text() {
        for text in ["lst_1", "%6Cst_1", "%256Cst_1", "%25%36%43st%5F1"] {
            assert_eq!(laid_bare(text), "lst_1", "{text}");
        }
        assert_eq!(laid_bare("100%zz%"), "100%zz%");
    }
}
