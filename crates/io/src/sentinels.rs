//! Numbers that stand for a missing one, such as 999999, -999 or 2147483647, and are far from every
//! other number of their column.

use leadscore_config::ColumnType;
use leadscore_config::lines::{null_line, type_line};
use leadscore_config::{Doubt, Subject};

use crate::scan::Table;

/// The doubts about numbers of a table that may stand for missing ones.
pub(crate) fn doubts(table: &Table<'_>) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    for (column, extremes) in table.extremes() {
        if matches!(table.file.types.get(&column), Some(ColumnType::Number(_))) {
            continue;
        }
        let Some((value, row)) = extremes.sentinel() else {
            continue;
        };
        let (text, next) = if value > 0.0 {
            (value.to_string(), extremes.second_high)
        } else {
            (value.to_string(), extremes.second_low)
        };
        let found = format!("`{text}` may stand for a missing number: the next is {next}");
        let doubt = Doubt::new(Subject::Numbers, &table.name, found)
            .of_column(&column)
            .at(Some(table.place(row)));
        // Beyond this a cell may be written with other digits than the number has.
        let is_exact = value.abs() < 9e15;
        let doubt = if is_exact {
            doubt.settled_by(
                null_line(&table.file, &column, &[&text]),
                "it means that there is no number",
            )
        } else {
            doubt.advise("where it means that there is no number, name the cell in `null_values` as the file writes it")
        };
        doubts.push(doubt.settled_by(type_line(&column, "\"number\""), "it is meant"));
    }
    doubts
}
