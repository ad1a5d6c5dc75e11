//! Lines for the outcomes: a table of their own, or a flag of the leads.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use leadscore_config::quoted;

use super::columns::{Kind, Sheet, SheetColumn};
use super::events::{write_entry, write_key};
use super::lines::{guess, question};
use crate::result_words::{Says, names_a_result, says, words_of};

/// What is in the name of a column that says when a deal closed, the likeliest first.
const CLOSING_HINTS: &[&str] = &[
    "close",
    "won",
    "lost",
    "abschluss",
    "geschlossen",
    "cierre",
    "clôture",
    "cloture",
    "fechamento",
    "chiusura",
    "gesloten",
    "zamkni",
    "закры",
    "成約",
    "date",
    "at",
];
/// What is in other names: when something may happen is no time at which it did.
const NO_CLOSING: &[&str] = &[
    "expect",
    "estimat",
    "forecast",
    "planned",
    "plan",
    "probable",
    "target",
    "due",
    "creat",
    "modif",
    "updat",
    "erwartet",
    "geplant",
    "voraussicht",
    "prévu",
    "prevu",
    "prévision",
    "esperad",
    "previst",
    "estimad",
    "previsto",
    "verwacht",
    "planowan",
    "oczekiwan",
    "ожида",
    "予定",
    "预计",
];

/// Writes the section of a table of outcomes.
pub(super) fn write_outcomes(
    text: &mut String,
    sheet: &Sheet,
    path: &Path,
    leads: &Sheet,
    id: Option<&str>,
) {
    let _ = writeln!(text, "path = {}", quoted(&path.to_string_lossy()));
    let key = write_key(text, sheet, leads, id);
    let closed = sheet.pick_time(CLOSING_HINTS, NO_CLOSING, false);
    match closed {
        Some(column) => {
            let _ = writeln!(
                text,
                "closed_at = {}{}",
                quoted(&column.name),
                guess("a column of times")
            );
            text.push_str(&column.remarks());
        }
        None => question(
            text,
            "closed_at = \"…\"",
            &format!(
                "which column has the time when a deal was won or lost? An expected date does not; {}",
                sheet.shown_columns(6)
            ),
        ),
    }
    write_entry(text, sheet, closed);
    let result = write_result(text, sheet);
    if let (Some(key), Some(closed), Some((result, values))) = (key, closed, result)
        && is_log(sheet, [&key, &closed.name, &result.name], values)
    {
        let _ = writeln!(
            text,
            "log = true{}",
            guess("leads have several rows, and open ones have a time: each is a change of stage")
        );
    }
    text.push_str(&sheet.settings_of_rows());
}

/// Whether each row is a change of how its lead stands, by the columns with the lead, the time and
/// the result: leads have several rows, of which those that are open have a time that has come.
fn is_log(sheet: &Sheet, [key, time, result]: [&str; 3], values: &[String]) -> bool {
    let open = saying(&[Says::Open], values);
    let keys: Vec<&str> = sheet.cells(key).collect();
    let leads: HashSet<&str> = keys.iter().copied().collect();
    let rows = sheet.rows_of([time, result]);
    let is_open =
        |row: &&[Option<&str>; 2]| row[1].is_some_and(|cell| open.iter().any(|one| one == cell));
    let last_closing = rows
        .iter()
        .filter(|row| !is_open(row))
        .filter_map(|row| row[0])
        .max();
    let (n_open, has_come) = rows.iter().filter(is_open).fold((0, 0), |(n, come), row| {
        let has_come = row[0].is_some() && row[0] <= last_closing;
        (n + 1, come + usize::from(has_come))
    });
    10 * keys.len() >= 13 * leads.len() && n_open > 0 && 20 * has_come >= 19 * n_open
}

/// A column with few values, and these.
type Candidate<'s> = (&'s SheetColumn, &'s [String]);

/// The column that says won or lost, and what its values mean.
fn write_result<'s>(text: &mut String, sheet: &'s Sheet) -> Option<Candidate<'s>> {
    let candidates: Vec<Candidate<'_>> = sheet
        .columns
        .iter()
        .filter_map(|column| {
            let levels = column.levels.as_ref()?;
            (!levels.is_empty() && levels.len() <= 50).then_some((column, levels.as_slice()))
        })
        .collect();
    if let Some((column, values)) = best_by_words(&candidates) {
        write_words(text, column, values);
        return Some((column, values));
    }
    // A truth value says won or not, which is no loss where deals are still open.
    if let Some((column, values)) = candidates.iter().find(|(column, values)| {
        names_a_win(&column.name)
            && values
                .iter()
                .all(|value| matches!(says(value), Says::Yes | Says::No))
    }) {
        write_truth(text, sheet, column, values);
        return None;
    }
    let named = candidates
        .iter()
        .find(|(column, _)| names_a_result(&column.name));
    match named {
        Some((column, values)) => {
            // Nothing is read until somebody says what is a win.
            let _ = writeln!(text, "result = {}   # question: what do its values mean? {}", quoted(&column.name), list(values));
            let _ = writeln!(text, "won = []   # question: values that mean won; and the others in `lost` and `open`\nlost = []\nopen = []");
        }
        None => text.push_str("# guess: no column has won or lost, so every row is a win; else name it as `result`, with `won`, `lost` and `open`\n"),
    }
    None
}

/// The values as a list of TOML, without its brackets.
fn list(values: &[String]) -> String {
    values
        .iter()
        .map(|value| quoted(value))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The values that say one of these.
fn saying(wanted: &[Says], values: &[String]) -> Vec<String> {
    values
        .iter()
        .filter(|value| wanted.contains(&says(value)))
        .cloned()
        .collect()
}

/// The column one of whose values is a word for winning; rather one with a word for losing, too.
fn best_by_words<'s>(candidates: &[Candidate<'s>]) -> Option<Candidate<'s>> {
    candidates
        .iter()
        .filter(|(_, values)| !saying(&[Says::Won], values).is_empty())
        .max_by_key(|(column, values)| {
            (
                !saying(&[Says::Lost], values).is_empty(),
                names_a_result(&column.name),
                Reverse(values.len()),
            )
        })
        .copied()
}

/// A column with words for winning and losing.
fn write_words(text: &mut String, column: &SheetColumn, values: &[String]) {
    let (won, lost) = (saying(&[Says::Won], values), saying(&[Says::Lost], values));
    let (open, unknown) = (
        saying(&[Says::Open], values),
        saying(&[Says::Nothing, Says::Yes, Says::No], values),
    );
    let _ = writeln!(
        text,
        "result = {}\nwon = [{}]\nlost = [{}]{}",
        quoted(&column.name),
        list(&won),
        list(&lost),
        guess("words for winning and losing")
    );
    let _ = writeln!(
        text,
        "open = [{}]{}",
        list(&open),
        guess("words for neither yet")
    );
    if !unknown.is_empty() {
        question(
            text,
            &format!("open = [{}]", list(&[open, unknown].concat())),
            "are the last of these neither yet? Each value belongs in `won`, `lost` or `open`",
        );
    }
}

/// Whether a name is that of a truth value which says won or not.
fn names_a_win(name: &str) -> bool {
    words_of(name).iter().any(|word| {
        matches!(
            word.as_str(),
            "won" | "win" | "iswon" | "converted" | "isconverted" | "conversion"
        )
    })
}

/// A column that says won or not.
fn write_truth(text: &mut String, sheet: &Sheet, column: &SheetColumn, values: &[String]) {
    let (yes, no) = (saying(&[Says::Yes], values), saying(&[Says::No], values));
    let closed = sheet.columns.iter().find(|other| {
        other.name != column.name
            && words_of(&other.name)
                .iter()
                .any(|word| word.contains("closed"))
            && matches!(other.kind, Kind::Truth)
    });
    if let Some(closed) = closed {
        question(
            text,
            &format!("result = {}", quoted(&column.name)),
            &format!(
                "`{}` shows whether a deal is closed at all: is there one column with won, lost and open?",
                closed.name
            ),
        );
        return;
    }
    let _ = writeln!(
        text,
        "result = {}\nwon = [{}]\nlost = [{}]{}",
        quoted(&column.name),
        list(&yes),
        list(&no),
        guess("a truth value called won")
    );
    question(
        text,
        &format!("open = [{}]", list(&no)),
        "or are deals that are not won yet among these?",
    );
}
/// The column of a flat export that says which leads were won.
pub(super) fn write_flag(text: &mut String, leads: &Sheet) {
    match leads.flag() {
        Some((column, won)) => {
            let _ = writeln!(
                text,
                "flag = {}{}\nwon = [{}]",
                quoted(&column),
                guess("two values, and a name that suggests an outcome"),
                quoted(&won)
            );
        }
        None => {
            question(
                text,
                "flag = \"…\"",
                "which column shows whether a lead was won? Or pass --outcomes",
            );
            question(text, "won = [\"…\"]", "the values that mean won");
        }
    }
}
