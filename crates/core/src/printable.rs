//! Texts that cannot steer a terminal or reorder a page: characters that act, or that nobody sees,
//! are written as escapes.

use std::borrow::Cow;

/// A value, such as a name or a cell, on one line: `\n`, `\t` and `\r` for line ends and tabs,
/// `\u{1b}` for all else that [acts or is invisible](is_hostile).
pub fn printable(value: &str) -> Cow<'_, str> {
    escaped(value, is_hostile)
}

/// The same for a text of several lines: line ends and tabs stay.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && c != '\t' && is_hostile(c))
}

/// The same for JSON, which stays equal: escapes are those of JSON.
pub fn printable_json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(|c| c != '\n' && is_hostile(c)) {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if c != '\n' && is_hostile(c) {
            c.encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        } else {
            text.push(c);
        }
    }
    Cow::Owned(text)
}

/// How a character is written where it [acts or is invisible](is_hostile).
pub fn escape_of(c: char) -> String {
    match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        c => format!("\\u{{{:x}}}", u32::from(c)),
    }
}

/// Whether a character acts on what shows it, or is invisible: control characters (C0, DEL, C1),
/// marks and overrides of direction, separators of lines and paragraphs, spaces without width,
/// tags. The joiners U+200C and U+200D are letters of some scripts, and stay.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            shown.push_str(&escape_of(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// So many characters of a text, and `…` where it has more.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        text.to_owned()
    } else {
        text.chars().take(most).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: &str) {
        assert_eq!(printable(value), expected);
    }

    #[test]
    fn what_acts_is_escaped_and_what_is_read_stays() {
        check("Größe (m²) 🦀 سعر שלום क्‍ष", "Größe (m²) 🦀 سعر שלום क्‍ष");
        check("a\u{1b}[2Jb", "a\\u{1b}[2Jb");
        check("a\nnote: all is well\r\t", "a\\nnote: all is well\\r\\t");
        check("\u{9b}31m\u{7f}\0\u{7}", "\\u{9b}31m\\u{7f}\\u{0}\\u{7}");
        check(
            "won\u{202e}tsol\u{2066}\u{200f}\u{61c}\u{2028}",
            "won\\u{202e}tsol\\u{2066}\\u{200f}\\u{61c}\\u{2028}",
        );
        check(
            "a\u{200b}b\u{feff}\u{e0041}",
            "a\\u{200b}b\\u{feff}\\u{e0041}",
        );
        assert_eq!(
            printable_lines("error: a\n\thint: \u{1b}b\r"),
            "error: a\n\thint: \\u{1b}b\\r"
        );
        assert_eq!(
            printable_json("{\n \"\u{202e}\u{e0041}\u{85}\": 1}"),
            "{\n \"\\u202e\\udb40\\udc41\\u0085\": 1}"
        );
    }

    #[test]
    fn nothing_hostile_is_left_whatever_the_character() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            assert!(!printable(&text).chars().any(is_hostile));
            assert!(
                !printable_lines(&text)
                    .chars()
                    .any(|c| c != '\n' && c != '\t' && is_hostile(c))
            );
        }
    }
}
