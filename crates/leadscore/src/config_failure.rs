//! A config that cannot be read, with as much of its text as may be shown: no credentials, and
//! nothing that steers a terminal.

use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use leadscore_config::ConfigError;
use leadscore_core::{
    credential_ranges, escape_of, hide_credentials, is_hostile, names_a_secret, printable,
    printable_lines,
};

use crate::text::with_own_lines;

/// A config that cannot be read, with the text that it stands in.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", printable(&path.display().to_string()))]
pub struct ConfigFailure {
    /// Where it was read.
    path: PathBuf,
    /// All of it that may be shown.
    text: String,
    /// What is wrong, with its place in this text.
    error: ConfigError,
}

impl ConfigFailure {
    /// What is wrong in the text of a config that was read from this path, or is called by it.
    pub(crate) fn new(path: &Path, text: &str, error: ConfigError) -> Self {
        // What stands behind a key that nobody knows may be anything.
        let unknown = error.span.clone().filter(|_| error.is_unknown_key);
        let shown = Shown::of(text, unknown.map(|span| value_behind(text, span.end)));
        let span = error.span.map(|span| {
            shown.position(span.start)..shown.position(span.end).max(shown.position(span.start))
        });
        let fit = |message: String| {
            printable_lines(&with_own_lines(&hide_credentials(&message))).into_owned()
        };
        let error = ConfigError {
            message: fit(error.message),
            help: error.help.map(fit),
            span,
            is_unknown_key: error.is_unknown_key,
        };
        Self {
            path: path.to_owned(),
            text: shown.text,
            error,
        }
    }

    /// The error with the line and a caret.
    pub(crate) fn text(&self, styled: bool) -> String {
        let path = printable(&self.path.display().to_string()).into_owned();
        let Some(span) = &self.error.span else {
            return format!(
                "error: {path}: {}{}",
                self.error.message,
                self.error
                    .help
                    .as_ref()
                    .map(|help| format!("\n  hint: {help}"))
                    .unwrap_or_default()
            );
        };
        let label = self.error.help.as_deref().unwrap_or("here");
        let snippet = Snippet::source(&self.text)
            .path(&path)
            .annotation(AnnotationKind::Primary.span(span.clone()).label(label));
        let renderer = if styled {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer
            .render(&[Level::ERROR
                .primary_title(&self.error.message)
                .element(snippet)])
            .to_string()
    }
}

/// A text some of whose parts were replaced, and where they were.
struct Shown {
    text: String,
    /// What was replaced in the original, and the place behind what replaced it.
    replaced: Vec<(Range<usize>, usize)>,
}

impl Shown {
    fn of(original: &str, also: Option<Range<usize>>) -> Self {
        let mut replacements: Vec<(Range<usize>, String)> = hidden_ranges(original)
            .into_iter()
            .chain(also.filter(|range| !range.is_empty()))
            .map(|range| (range, "…".to_owned()))
            .collect();
        let hostile = original
            .char_indices()
            .filter(|&(_, c)| !matches!(c, '\n' | '\r' | '\t') && is_hostile(c));
        replacements.extend(hostile.map(|(at, c)| (at..at + c.len_utf8(), escape_of(c))));
        replacements.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut shown = Self {
            text: String::with_capacity(original.len()),
            replaced: Vec::new(),
        };
        let mut end = 0;
        for (range, by) in replacements {
            if range.start >= end {
                shown.text.push_str(&original[end..range.start]);
                shown.text.push_str(&by);
                end = range.end;
            } else if range.end > end {
                end = range.end;
            } else {
                continue;
            }
            shown.replaced.push((range.start..end, shown.text.len()));
        }
        shown.text.push_str(&original[end..]);
        shown
    }

    /// Where a place of the original is; behind what replaced it, where it was replaced.
    fn position(&self, original: usize) -> usize {
        let before = self
            .replaced
            .iter()
            .rev()
            .find(|(range, _)| range.start < original);
        before.map_or(original, |(range, end)| {
            end + original.saturating_sub(range.end)
        })
    }
}

/// What stands behind the sign on the line of a key that ends here.
fn value_behind(text: &str, key: usize) -> Range<usize> {
    let line = &text[key..text[key..].find('\n').map_or(text.len(), |end| key + end)];
    let content = line.trim_end().len();
    line.find('=').map_or(key..key, |mark| {
        let begin = mark + 1 + (line[mark + 1..].len() - line[mark + 1..].trim_start().len());
        key + begin.min(content)..key + content
    })
}

/// Keys that somebody may write an address behind; elsewhere they are names of columns.
const ADDRESSES: [&str; 7] = [
    "uri",
    "url",
    "dsn",
    "address",
    "connect",
    "connection",
    "database",
];

/// What in a config may be a secret: in a line with an address, all between `://` and the last `@`,
/// and all parameters; and the value of a key that asks for an address or a secret.
fn hidden_ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges = credential_ranges(text);
    let (mut start, mut is_database) = (0, false);
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        if content.trim_start().starts_with('[') {
            is_database = content
                .trim_start()
                .trim_start_matches('[')
                .trim_start()
                .starts_with("database");
        }
        let mut hide = |range: Range<usize>| {
            if !range.is_empty() {
                ranges.push(start + range.start..start + range.end);
            }
        };
        let value = content
            .find('=')
            .map(|mark| (content[..mark].trim(), mark + 1));
        let is_secret = |key: &str, value: &str| {
            let key = key
                .rsplit('.')
                .next()
                .unwrap_or(key)
                .trim()
                .trim_matches(['"', '\''])
                .to_lowercase();
            key == "uri"
                || (is_database && key != "driver")
                || names_a_secret(&key)
                || (ADDRESSES.contains(&key.as_str())
                    && value.contains([':', '@', '='])
                    && !value.trim_start().starts_with('{'))
        };
        let first = content.find("://").map(|mark| mark + 3);
        match value {
            Some((key, begin)) if is_secret(key, &content[begin..]) => {
                let begin = begin + (content[begin..].len() - content[begin..].trim_start().len());
                hide(begin..content.len());
            }
            Some(_) | None => {
                if let Some(first) = first {
                    let end = content
                        .rfind('@')
                        .filter(|end| *end > first)
                        .unwrap_or(first);
                    hide(first..end);
                    if let Some(parameters) = content[end..].find(['?', ';', '#']) {
                        hide(end + parameters..content.len());
                    }
                } else if let Some((colon, end)) = content
                    .find(':')
                    .zip(content.rfind('@'))
                    .filter(|(colon, end)| colon < end)
                {
                    hide(colon + 1..end);
                }
            }
        }
        start += line.len();
    }
    ranges
}

#[cfg(test)]
mod tests {
    #[test]
    fn values_of_keys_that_nobody_knows_are_not_shown() {
        for line in [
            "options = { password = \"hunter2\" }",
            "passwort = \"hunter2\"",
            "secret.key = \"hunter2\"",
            "user = \"hunter2\"",
        ] {
            for head in [
                "[database]\nuri = \"sqlite:a.db\"\n",
                "[leads]\npath = \"a\"\nid = \"a\"\n[outcomes]\npath = \"b\"\n",
                "",
            ] {
                let text = format!("{head}{line}\n");
                let error = leadscore_config::Config::parse(&text).expect_err("unknown");
                let shown =
                    ConfigFailure::new(Path::new("leadscore.toml"), &text, error).text(false);
                assert!(!shown.contains("hunter2"), "{shown}");
            }
        }
    }

    use super::*;

    #[track_caller]
    fn check(text: &str, meant: &str, expected: &str) {
        let start = text.find(meant).expect("it is there");
        let error = ConfigError {
            message: "wrong".to_owned(),
            help: None,
            span: Some(start..start + meant.len()),
            is_unknown_key: false,
        };
        let failure = ConfigFailure::new(Path::new("leadscore.toml"), text, error);
        assert_eq!(failure.text, expected);
        let span = failure.error.span.clone().expect("it had one");
        assert!(
            failure.text.get(span.clone()).is_some(),
            "{span:?} of {}",
            failure.text
        );
        let shown = format!("{failure} {failure:?} {}", failure.text(false));
        assert!(
            !shown.contains("hunter2") && !shown.contains('\u{1b}'),
            "{shown}"
        );
        assert!(!failure.text(true).contains("hunter2"));
    }

    #[test]
    fn lines_of_a_config_are_shown_without_credentials() {
        check(
            "[database]\nuri = \"postgresql://ann:hunter2@h/db\nx = 1\n",
            "x = 1",
            "[database]\nuri = …\nx = …\n",
        );
        check(
            "[database]\naddress = \"env:postgresql://ann:hunter2@h/db\"\n",
            "address",
            "[database]\naddress = …\n",
        );
        check(
            "database = \"host=h user=ann hunter2\"\n",
            "database",
            "database = …\n",
        );
        check(
            "database = { uri = \"postgresql://ann:hun'\" ter2@h/db?sslpassword=hunter2\" }\n",
            "database",
            "database = { uri = \"postgresql://…@h/db…\n",
        );
        check(
            "path = \"s3://AKIA:hunter2@bucket/leads.csv\"\nlead = 1\n",
            "lead",
            "path = \"s3://…@bucket/leads.csv\"\nlead = 1\n",
        );
        check(
            "path = \"s3://bucket/leads.csv\"\n",
            "bucket",
            "path = \"s3://bucket/leads.csv\"\n",
        );
        check(
            "path = \"https://h/leads.csv?sig=hunter2\"\n",
            "path",
            "path = \"https://h/leads.csv…\n",
        );
        check(
            "uri = \"\"\"\nann:hunter2@h\"\"\"\n",
            "ann",
            "uri = …\nann:…@h\"\"\"\n",
        );
        check(
            "password = \"hunter2\"\npassword=\"hunter2\"\n",
            "password",
            "password = …\npassword=…\n",
        );
        check(
            "id = \"a\u{1b}[2J\u{202e}b\"\n",
            "id",
            "id = \"a\\u{1b}[2J\\u{202e}b\"\n",
        );
    }

    #[test]
    fn places_stay_where_they_were() {
        let text = "uri = \"postgresql://ann:hunter2@h\"\nlead = \"\u{1b}x\"\nkey = 1\n";
        let place = |word: &str| {
            let start = text.find(word).expect("it is there");
            let error = ConfigError {
                message: String::new(),
                help: None,
                span: Some(start..start + word.len()),
                is_unknown_key: false,
            };
            let failure = ConfigFailure::new(Path::new("c"), text, error);
            failure.text[failure.error.span.clone().expect("it had one")].to_owned()
        };
        assert_eq!(
            (
                place("uri").as_str(),
                place("lead").as_str(),
                place("key = 1").as_str()
            ),
            ("uri", "lead", "key = 1")
        );
    }
}
