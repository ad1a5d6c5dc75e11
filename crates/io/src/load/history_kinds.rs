//! The columns of a history, and which attributes are numbers by every value that they ever had.

use std::collections::BTreeMap;

use leadscore_config::lines::{key, type_line};
use leadscore_config::{ColumnType, Config, HistoryConfig};
use leadscore_config::{Doubt, Subject};
use leadscore_core::{AttributeTable, CellKind, Writing};
use leadscore_values::{NumberCensus, NumberFormat, NumberVerdict};

use super::attributes::texts;
use crate::error::TablesError;
use crate::number_doubts;
use crate::remarks::Remarks;
use crate::scan::{RawTable, Table};

/// Fails where the history lacks a column that the config names.
pub(super) fn check_history(config: &Config, table: &Table<'_>) -> Result<(), TablesError> {
    let settings = config.history.as_ref().expect("called where there is one");
    let named = [
        ("lead", Some(&settings.lead)),
        ("attribute", Some(&settings.attribute)),
        ("value", Some(&settings.value)),
        ("changed_at", Some(&settings.changed_at)),
        ("old_value", settings.old_value.as_ref()),
        ("sequence", settings.sequence.as_ref()),
    ];
    for (key, column) in named
        .into_iter()
        .filter_map(|(key, column)| Some((key, column?)))
    {
        table.require_readable(key, column)?;
    }
    Ok(())
}

/// The columns of a history that are read.
pub(super) fn history_columns(settings: &HistoryConfig) -> Vec<&str> {
    let mut columns: Vec<&str> = vec![
        &settings.lead,
        &settings.attribute,
        &settings.value,
        &settings.changed_at,
    ];
    columns.extend(settings.old_value.as_deref());
    columns.extend(settings.sequence.as_deref());
    columns
}

/// Which attributes are numbers, by every value that they ever had.
#[derive(Default)]
pub(super) struct HistoryKinds {
    seen: BTreeMap<String, NumberCensus>,
}

impl HistoryKinds {
    pub(super) fn add(
        &mut self,
        settings: &HistoryConfig,
        raw: &RawTable<'_>,
    ) -> Result<(), TablesError> {
        let names = texts(raw, &settings.attribute)?;
        for column in std::iter::once(&settings.value).chain(&settings.old_value) {
            raw.for_each_text(column, |row, text| {
                let (Some(name), Some(text)) = (&names[row], text) else {
                    return Ok(());
                };
                if let Some(census) = self.seen.get_mut(name) {
                    census.add(text, raw.row_in_table(row));
                } else {
                    let mut census = NumberCensus::default();
                    census.add(text, raw.row_in_table(row));
                    self.seen.insert(name.clone(), census);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The kind of each attribute; `types` of the leads decides first, since a value there is one
    /// of the same attribute.
    pub(super) fn decide(
        self,
        config: &Config,
        table: &Table<'_>,
        remarks: &mut Remarks,
    ) -> BTreeMap<String, CellKind> {
        let settings = config.history.as_ref().expect("called where there is one");
        let mut kinds = BTreeMap::new();
        for (name, census) in self.seen {
            let declared = config.leads.types.get(&name);
            let is_looked_at = is_wanted(config, &name);
            let style = table
                .file
                .style_of(&settings.value)
                .and_then(|style| style.format());
            let verdict = if matches!(declared, Some(ColumnType::Number(_))) {
                census.verdict_of_numbers(style, false)
            } else {
                census.verdict(style, false)
            };
            let kind = match (&verdict, declared) {
                (_, Some(ColumnType::Days)) => CellKind::Date,
                (
                    _,
                    Some(
                        ColumnType::Category
                        | ColumnType::Time
                        | ColumnType::Id
                        | ColumnType::Tokens(_),
                    ),
                ) => CellKind::Category,
                // Numbers of one attribute are no cells of one column: without a word of the config
                // only what programs write is read.
                (NumberVerdict::Numbers(format), _)
                    if *format == NumberFormat::PLAIN || style.is_some() =>
                {
                    CellKind::Number
                }
                (NumberVerdict::Numbers(format), _) => {
                    if is_looked_at {
                        remarks.doubt(other_writing(table, settings, &name, *format));
                    }
                    CellKind::Category
                }
                (NumberVerdict::Words, _) => CellKind::Category,
                (NumberVerdict::Mixed(_) | NumberVerdict::Unclear(_), _) => {
                    if is_looked_at {
                        let mut doubt =
                            number_doubts::doubt(table, &settings.value, &verdict, false);
                        doubt.found = format!("values of `{name}`: {}", doubt.found);
                        doubt
                            .settings
                            .retain(|setting| !setting.line.starts_with("types."));
                        doubt = doubt.settled_in(
                            "[leads]",
                            type_line(&name, "\"category\""),
                            "the values are words",
                        );
                        remarks.doubt(doubt);
                    }
                    CellKind::Category
                }
            };
            kinds.insert(name, kind);
        }
        kinds
    }
}

/// The doubt about values that are numbers, and not written as programs write them.
fn other_writing(
    table: &Table<'_>,
    settings: &HistoryConfig,
    name: &str,
    format: NumberFormat,
) -> Doubt {
    let found = format!("values of `{name}` are numbers, and not written as programs write them");
    let doubt = Doubt::new(Subject::Numbers, &table.name, found).of_column(&settings.value);
    let doubt = match format.writing() {
        Some(Writing { decimal, thousands }) => {
            let thousands = thousands
                .map(|sign| format!(", thousands = \"{sign}\""))
                .unwrap_or_default();
            let line = format!(
                "types.{} = {{ decimal = \"{decimal}\"{thousands} }}",
                key(&settings.value)
            );
            doubt.settled_by(line, "all numbers of the history are written so")
        }
        None => doubt.advise("write the numbers alone"),
    };
    doubt.settled_in(
        "[leads]",
        type_line(name, "\"category\""),
        "the values are words",
    )
}

/// Whether an attribute of this name may be learned from.
pub(super) fn is_wanted(config: &Config, name: &str) -> bool {
    config.leaves_out(&AttributeTable::Leads, name).is_none()
}
