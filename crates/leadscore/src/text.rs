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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_lines(message: &str, expected: &str) {
        assert_eq!(with_own_lines(message), expected);
    }

    #[test]
    fn line_ends_of_values_are_escaped() {
        check_lines("one line", "one line");
        check_lines("a value\nof two", "a value\\nof two");
        check_lines("found\n  hint: do this", "found\n  hint: do this");
        check_lines("ways\n1. this\n12. that", "ways\n1. this\n12. that");
        check_lines("x\n1.5 is not one", "x\\n1.5 is not one");
        check_lines("x\nv. 1", "x\\nv. 1");
        check_lines(
            "x\nthe statement begins: SELECT",
            "x\nthe statement begins: SELECT",
        );
        check_lines("x\n", "x\\n");
        check_lines("", "");
    }

    #[test]
    fn numbers_are_at_the_right() {
        let rows = |cells: &[[&str; 2]]| -> Vec<Vec<String>> {
            cells
                .iter()
                .map(|row| row.map(str::to_owned).to_vec())
                .collect()
        };
        let table_of = |cells: &[[&str; 2]]| -> Vec<String> {
            table(&["name", "n"], &rows(cells))
                .lines()
                .map(|line| line.trim_end().to_owned())
                .collect()
        };
        assert_eq!(
            table_of(&[["a", "1"], ["b", "200"]])[1..],
            [" a       1", " b     200"]
        );
        assert_eq!(
            table_of(&[["a", "1"], ["b", "-20"], ["c", ""]])[1],
            " a       1"
        );
        // One word, and the column is of words.
        assert_eq!(table_of(&[["a", "1"], ["b", "two"]])[1], " a     1");
        assert_eq!(table_of(&[["a\nb", "1"]])[1], " a\\nb  1");
        assert_eq!(table_of(&[]).len(), 1);
    }

    #[test]
    fn credentials_and_escapes_are_not_shown() {
        let text = shown("postgresql://ann:secret@host/db \u{1b}[31m\n  hint");
        assert!(
            !text.contains("secret") && !text.contains('\u{1b}'),
            "{text}"
        );
        assert!(text.ends_with("\n  hint"), "{text}");
    }
}
