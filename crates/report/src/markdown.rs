//! The report as Markdown: the verdict and the short tables.

use std::fmt::Write as _;

use crate::data::Report;
use crate::sheets::{Cell, sheets};
use crate::svg::shorten;
use crate::verdict::{number, per_cent, whole};

/// Characters of a cell that a text shows.
const LONGEST: usize = 160;

pub(crate) fn render(report: &Report) -> String {
    let mut text = format!("# {}\n\n{}\n\n", plain(&report.verdict.headline, usize::MAX), plain(&report.verdict.summary, usize::MAX));
    for finding in &report.verdict.findings {
        let mark = match finding.answer {
            "yes" => "✓",
            "no" => "✗",
            _ => "?",
        };
        let _ = writeln!(text, "- {mark} {}", plain(&finding.text, usize::MAX));
    }
    let data = &report.data;
    let _ = writeln!(text, "\n{}. {}. Calls: {}.", plain(&data.measured_on, LONGEST), plain(&data.snapshots, usize::MAX), data.capacity);
    for sheet in sheets(report).into_iter().filter(|sheet| !sheet.is_list && sheet.title != "Verdict") {
        let _ = writeln!(text, "\n## {}\n", plain(&sheet.title, LONGEST));
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let _ = writeln!(text, "{}", line(sheet.header.iter().map(|name| plain(name, LONGEST)).collect()));
        let rule = sheet.header.iter().enumerate().map(|(idx, _)| if idx == 0 { "---".to_owned() } else { "---:".to_owned() });
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
        Cell::Empty => String::new(),
    }
}

/// A text that Markdown shows as it is.
fn plain(text: &str, limit: usize) -> String {
    let mut escaped = String::new();
    for c in if limit == usize::MAX { text.to_owned() } else { shorten(text, limit) }.chars() {
        match c {
            '\n' | '\r' => escaped.push(' '),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' => {
                escaped.push('\\');
                escaped.push(c);
            }
            _ => escaped.push(c),
        }
    }
    escaped
}
