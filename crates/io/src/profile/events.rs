//! Lines for a table of events, and for what all tables of rows have: whose a row is, and when it
//! was entered.

use std::fmt::Write as _;
use std::path::Path;

use leadscore_config::lines::key;
use leadscore_config::quoted;
use leadscore_core::Tokenizer;

use super::columns::{Kind, Sheet, SheetColumn};
use super::lines::{guess, question};

/// What is in the name of a column that says when a row was entered.
const ENTRY_HINTS: &[&str] = &[
    "record",
    "enter",
    "entry",
    "logged",
    "insert",
    "ingest",
    "erfasst",
    "eingetragen",
    "saisi",
    "registr",
    "inserito",
    "ingevoerd",
    "wprowadz",
];

/// Writes the section of an event table.
pub(super) fn write_activities(
    text: &mut String,
    sheet: &Sheet,
    path: &Path,
    number: usize,
    leads: &Sheet,
    id: Option<&str>,
) {
    let _ = writeln!(
        text,
        "\n[activities.{}]\npath = {}",
        key(&table_name(path, number)),
        quoted(&path.to_string_lossy())
    );
    let lead = write_key(text, sheet, leads, id);
    let at = sheet.pick_time(
        &["at", "time", "date", "ts", "datum", "fecha", "data", "when"],
        &["modif", "updat", "creat", "record", "load", "due"],
        false,
    );
    match at {
        Some(column) => {
            let _ = writeln!(
                text,
                "at = {}{}",
                quoted(&column.name),
                guess("a column of times")
            );
            text.push_str(&column.remarks());
        }
        None => question(
            text,
            "at = \"…\"",
            &format!(
                "which column has the time when it happened? {}",
                sheet.shown_columns(6)
            ),
        ),
    }
    write_entry(text, sheet, at);
    let rest: Vec<&SheetColumn> = sheet
        .columns
        .iter()
        .filter(|column| {
            Some(&column.name) != lead.as_ref() && at.is_none_or(|at| at.name != column.name)
        })
        .collect();
    write_measures(text, &rest);
    text.push_str(&sheet.settings_of_rows());
}

/// What a table is called in the config, after its file.
pub(super) fn table_name(path: &Path, number: usize) -> String {
    let name = path.file_stem().map(|stem| {
        stem.to_string_lossy()
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '_' })
            .collect::<String>()
    });
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| format!("activity_{number}"))
}

/// Whether the cells of a column are sets.
fn is_set(column: &SheetColumn) -> bool {
    matches!(column.tokenizer, Some(Tokenizer::Set(_)))
}

/// The columns that split the counts of events, and those that are summed.
fn write_measures(text: &mut String, columns: &[&SheetColumn]) {
    let of = |is_so: &dyn Fn(&SheetColumn) -> bool| {
        columns
            .iter()
            .filter(|column| is_so(column) && column.reason_to_leave_out().is_none())
            .map(|column| quoted(&column.name))
            .collect::<Vec<_>>()
    };
    let kinds = of(&|column| {
        matches!(column.kind, Kind::Words { n_levels: 2..=50 } | Kind::Truth) || is_set(column)
    });
    let values = of(&|column| matches!(column.kind, Kind::Number));
    if !kinds.is_empty() {
        let _ = writeln!(
            text,
            "kind = [{}]{}",
            kinds.join(", "),
            guess("texts with few different values")
        );
    }
    if !values.is_empty() {
        let _ = writeln!(text, "values = [{}]{}", values.join(", "), guess("numbers"));
    }
    for column in columns.iter().filter(|column| {
        matches!(column.kind, Kind::OddNumber)
            || matches!(column.tokenizer, Some(Tokenizer::Set(_)))
    }) {
        text.push_str(&column.remarks());
    }
}

/// The column of a table that names leads, and what stands between several of them in a cell.
pub(super) fn write_key(
    text: &mut String,
    sheet: &Sheet,
    leads: &Sheet,
    id: Option<&str>,
) -> Option<String> {
    match id.and_then(|id| sheet.matching(id, leads)) {
        Some((column, separator)) => {
            let _ = writeln!(
                text,
                "lead = {}{}",
                quoted(&column),
                guess("has ids of the leads")
            );
            if let Some(separator) = separator {
                let _ = writeln!(
                    text,
                    "separator = {}{}",
                    quoted(&separator),
                    guess("cells have several ids: the row counts for each")
                );
            }
            Some(column)
        }
        None => {
            let ids = id
                .map(|id| format!("; ids of leads are such as {}", leads.some_cells(id)))
                .unwrap_or_default();
            question(
                text,
                "lead = \"…\"",
                &format!(
                    "which column has ids of the leads?{ids}; {}",
                    sheet.shown_columns(6)
                ),
            );
            None
        }
    }
}

/// Asks whether another column of times says when rows were entered.
pub(super) fn write_entry(text: &mut String, sheet: &Sheet, taken: Option<&SheetColumn>) {
    let is_entry = |column: &&SheetColumn| {
        let name = column.name.to_lowercase();
        matches!(column.kind, Kind::Time { .. })
            && taken.is_none_or(|taken| taken.name != column.name)
            && ENTRY_HINTS.iter().any(|hint| name.contains(hint))
    };
    if let Some(column) = sheet.columns.iter().find(is_entry) {
        question(
            text,
            &format!("recorded_at = {}", quoted(&column.name)),
            "is this when a row was entered? Then nothing sees it before",
        );
    }
}
