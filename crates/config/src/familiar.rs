//! Columns as they were written when a model was trained.

use leadscore_core::{Cells, DataProfile, TableProfile};

use super::columns::{ColumnType, NumberStyle};
use super::contract::Config;

impl Config {
    /// Numbers whose writing the config leaves to the cells are written as they were at training: a
    /// few rows may not show it. Returns whether that says anything that the config did not say.
    pub fn write_numbers_as(&mut self, known: &DataProfile) -> bool {
        let mut is_changed = false;
        for TableProfile { table, columns, .. } in &known.tables {
            let Some((types, declared)) = self.types_of(table) else {
                continue;
            };
            for column in columns {
                let Some(Cells::Numbers {
                    written: Some(writing),
                    ..
                }) = &column.cells
                else {
                    continue;
                };
                let own = types.get(&column.column);
                if !declared && matches!(own, None | Some(ColumnType::Number(None))) {
                    types.insert(
                        column.column.clone(),
                        ColumnType::Number(Some(NumberStyle::of_writing(*writing))),
                    );
                    is_changed = true;
                }
            }
        }
        is_changed
    }
}
