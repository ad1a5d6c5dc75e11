//! The report as Markdown: the verdict and the short tables.

use std::fmt::Write as _;

use leadscore_core::printable;

use crate::finding::Answer;
use crate::format::{number, per_cent, shorten, whole};
use crate::report::Report;
use crate::sheets::{Cell, sheets};

/// Characters of a cell that a text shows.
const LONGEST: usize = 160;

pub(crate) fn render(report: &Report) -> String {
    let mut text = format!(
        "# {}\n\n{}\n\n",
        plain(&report.verdict.headline, usize::MAX),
        plain(&report.verdict.summary, usize::MAX)
    );
    for finding in &report.verdict.findings {
        let mark = match finding.answer {
            Answer::Yes => "✓",
            Answer::No => "✗",
            Answer::Unsure => "?",
        };
        let _ = writeln!(text, "- {mark} {}", plain(&finding.text, usize::MAX));
    }
    let data = &report.data;
    let _ = writeln!(
        text,
        "\n{}. {}. Calls: {}.",
        plain(&data.measured_on, LONGEST),
        plain(&data.snapshots, usize::MAX),
        plain(&data.capacity, LONGEST)
    );
    for sheet in sheets(report)
        .into_iter()
        .filter(|sheet| !sheet.is_list && sheet.title != "Verdict")
    {
        let _ = writeln!(text, "\n## {}\n", plain(&sheet.title, LONGEST));
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let _ = writeln!(
            text,
            "{}",
            line(
                sheet
                    .header
                    .iter()
                    .map(|name| plain(name, LONGEST))
                    .collect()
            )
        );
        let rule = sheet.header.iter().enumerate().map(|(idx, _)| {
            if idx == 0 {
                "---".to_owned()
            } else {
                "---:".to_owned()
            }
        });
        let _ = writeln!(text, "{}", line(rule.collect()));
        for row in &sheet.rows {
            let _ = writeln!(text, "{}", line(row.iter().map(cell).collect()));
        }
    }
    text
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => plain(text, LONGEST),
        Cell::Count(value) => whole(*value),
        Cell::Share(value) => per_cent(*value),
        Cell::Number(value) => number(*value),
        Cell::Plain(value) => value.to_string(),
        Cell::Empty => String::new(),
    }
}

fn plain(text: &str, limit: usize) -> String {
    if limit == usize::MAX {
        markdown_text(text)
    } else {
        markdown_text(&shorten(text, limit))
    }
}

/// A text that Markdown shows as it is, on one line: no HTML, no emphasis, no code, no formula, and
/// no link, such as one to `javascript:`.
pub fn markdown_text(text: &str) -> String {
    let text = printable(text);
    let mut escaped = String::new();
    for (at, c) in text.char_indices() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // Addresses become links without a mark around them, by their scheme.
            ':' if text[at..].starts_with("://")
                || SCHEMES
                    .iter()
                    .any(|scheme| text[..at].to_ascii_lowercase().ends_with(scheme)) =>
            {
                escaped.push_str("\\:");
            }
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(c);
            }
            _ => escaped.push(c),
        }
    }
    // Marks that make a list, a rule or a heading of a line that they begin.
    if escaped.starts_with(['-', '+', '=']) {
        escaped.insert(0, '\\');
    }
    escaped
}

/// What makes a link of a text without `//`.
const SCHEMES: [&str; 5] = ["javascript", "vbscript", "data", "mailto", "xmpp"];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(markdown_text(text), expected);
    }

    #[test]
    fn texts_are_no_markup() {
        check(
            "<img src=x onerror=alert(1)>",
            "&lt;img src=x onerror=alert(1)&gt;",
        );
        check(
            "[won](javascript:alert(1))",
            "\\[won\\](javascript\\:alert(1))",
        );
        check("<javascript:alert(1)>", "&lt;javascript\\:alert(1)&gt;");
        check("![x](data:text/html,y)", "!\\[x\\](data\\:text/html,y)");
        check(
            "https://evil.example a | b `c` ~~d~~ $e$",
            "https\\://evil.example a \\| b \\`c\\` \\~\\~d\\~\\~ \\$e\\$",
        );
        check(
            "a\n# won\u{202e}\u{1b}[2J",
            "a\\\\n\\# won\\\\u{202e}\\\\u{1b}\\[2J",
        );
        check("--- a", "\\--- a");
        check("a: b (c)!", "a: b (c)!");
    }
}
