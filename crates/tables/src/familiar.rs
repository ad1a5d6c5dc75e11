//! How later tables are read and judged beside those that a model was learned from.

use leadscore_core::{Cells, DataProfile, Span, TableProfile, Timestamp};

use crate::config::{ColumnType, Config, NumberStyle};
use crate::config_lines::key;
use crate::doubt::{Doubt, Subject};
use crate::extent::TableEnd;
use crate::note::Note;

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

/// Tables of events that end well before the moment at which leads are scored, and further before
/// than at training: their leads look silent. Said, and a doubt beyond `silence`.
pub fn silence(
    config: &Config,
    ends: &[TableEnd],
    known: Option<&DataProfile>,
    as_of: Timestamp,
) -> (Vec<Note>, Vec<Doubt>) {
    let (mut notes, mut doubts) = (Vec::new(), Vec::new());
    for (name, activity) in &config.activities {
        let table = format!("[activities.{name}]");
        let Some(end) = ends
            .iter()
            .find(|end| end.table == table)
            .filter(|_| activity.ends.is_none())
        else {
            continue;
        };
        let at_training = known
            .and_then(|known| known.table(&table)?.reach.as_ref())
            .map_or(0, |reach| reach.lag_micros);
        let gap = as_of.micros().saturating_sub(end.end.micros());
        let beyond = Span::from_micros((gap - at_training).max(0));
        if !end.extent.is_silent_for(beyond) {
            continue;
        }
        let days = Span::from_micros(gap).days().floor();
        let found = format!(
            "ends at {}, {days} days before the leads are scored: they would look silent since",
            end.end
        );
        if beyond <= config.data.silence {
            notes.push(Note::new(&table, found));
            continue;
        }
        let doubt = Doubt::new(Subject::Ends, &table, found).settled_in(
            "[data]",
            format!("silence = \"{}d\"", days + 1.0),
            "such leads are scored all the same",
        );
        let doubt = doubt.settled_in(
            &format!("[activities.{}]", key(name)),
            format!(
                "ends = \"{}\"",
                end.end.to_string().split('T').next().unwrap_or("")
            ),
            "nothing happened since",
        );
        doubts.push(doubt.advise("or score as of a moment that the table reaches: --as-of"));
    }
    (notes, doubts)
}
