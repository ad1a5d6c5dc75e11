//! Tables and messages as text for a terminal.

use leadscore_core::{hide_credentials, printable, printable_lines};

/// A plain table for the terminal, numbers to the right; a cell is one line.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = comfy_table::Table::new();
    table
        .load_preset(comfy_table::presets::NOTHING)
        .set_header(header);
    table.add_rows(rows.iter().map(|row| {
        row.iter()
            .map(|cell| printable(cell).into_owned())
            .collect::<Vec<_>>()
    }));
    for (idx, column) in table.column_iter_mut().enumerate() {
        let numeric = rows.iter().all(|row| {
            row.get(idx).is_none_or(|cell| {
                cell.chars()
                    .next()
                    .is_none_or(|c| c.is_ascii_digit() || c == '-' || c == '+')
            })
        });
        if numeric && !rows.is_empty() {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// A message in which line ends of values are escaped: lines of our own are indented, numbered, or
/// show a statement.
pub(crate) fn with_own_lines(message: &str) -> String {
    let mut lines = message.split('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| {
        let is_numbered = line
            .split_once(". ")
            .is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        let is_own =
            line.starts_with("  ") || is_numbered || line.starts_with("the statement begins: ");
        text + if is_own { "\n" } else { "\\n" } + line
    })
}

/// A text of ours with values in it, as a terminal may have it: characters that act are escaped,
/// and credentials of addresses are left out.
pub fn shown(text: &str) -> String {
    printable_lines(&hide_credentials(text)).into_owned()
}
