//! Tables as text.

/// A plain table for the terminal, numbers to the right.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_header(header);
    table.add_rows(rows);
    for (idx, column) in table.column_iter_mut().enumerate() {
        let numeric = rows.iter().all(|row| row.get(idx).is_none_or(|cell| cell.chars().next().is_none_or(|c| c.is_ascii_digit() || c == '-' || c == '+')));
        if numeric && !rows.is_empty() {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    table.trim_fmt()
}
