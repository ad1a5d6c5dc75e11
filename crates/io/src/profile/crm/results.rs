//! What the values of a column of results mean, by the words, the codes and the flags of a product.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use leadscore_config::quoted;

use super::recognition::File;
use super::{OutcomeColumns, Rows};
use crate::profile::columns::{Kind, SheetColumn};
use crate::profile::lines::{guess, question};
use crate::result_words::{Says, is_called_deleted, says};

/// What is known of one value.
struct Value<'s> {
    text: &'s str,
    meaning: Option<Says>,
    /// Whether something other than its words says so.
    is_proven: bool,
}

/// Writes which values mean won, lost and open.
pub(super) fn write_result(text: &mut String, file: &File, part: &OutcomeColumns) {
    if part.rows == Rows::WonIfDated {
        text.push_str(
            "all_won = true   # guess: each row with this time is a win; the others are open\n",
        );
        return;
    }
    let Some(column) = file.column(part.result) else {
        return question(text, "result = \"…\"", "which column says won or lost?");
    };
    let Some(levels) = &column.levels else {
        let line = format!("result = {}", quoted(&column.name));
        return question(
            text,
            &line,
            "it has too many different values to be a result",
        );
    };
    let flags = flags(file, part, column);
    let values: Vec<Value<'_>> = levels
        .iter()
        .map(|level| value(level, &flags, part))
        .collect();
    let of = |wanted: Says| -> Vec<&Value<'_>> {
        let values = values.iter();
        values
            .filter(|value| value.meaning == Some(wanted))
            .collect()
    };
    let (asked, unknown) = split_unknown(file, part, column, &values);
    let (won, mut lost, mut open) = (of(Says::Won), of(Says::Lost), of(Says::Open));
    let _ = writeln!(text, "result = {}", quoted(&column.name));
    if won.is_empty() {
        let _ = writeln!(
            text,
            "won = []   # question: which values mean won? There are {}",
            list(&values.iter().collect::<Vec<_>>())
        );
    }
    if part.rows == Rows::LostUnlessWon {
        lost.append(&mut open);
        lost.extend(&unknown);
    } else {
        open.extend(&unknown);
    }
    if !won.is_empty() {
        let _ = writeln!(text, "won = [{}]{}", list(&won), why(&won));
    }
    let reason = match part.rows {
        Rows::LostUnlessWon => guess("a deal with a time of closing that is not won is lost"),
        Rows::ByResult | Rows::WonIfDated => why(&lost),
    };
    let _ = writeln!(text, "lost = [{}]{reason}", list(&lost));
    if part.rows == Rows::ByResult {
        let reason = if unknown.is_empty() {
            why(&open)
        } else {
            guess(&format!(
                "no word for won or lost; move a value if it is one: {}",
                list(&unknown)
            ))
        };
        let _ = writeln!(text, "open = [{}]{reason}", list(&open));
        if !asked.is_empty() {
            let line = format!("won, lost or open: {}", list(&asked));
            question(
                text,
                &line,
                "most of these rows have closed by their time, and no word says how: add each to a list above, or leave such rows out of the file",
            );
        }
    }
}

/// How often each value stands in rows that were won, lost and open, where columns say so.
fn flags<'s>(
    file: &'s File,
    part: &OutcomeColumns,
    column: &SheetColumn,
) -> BTreeMap<&'s str, [usize; 3]> {
    let mut flags: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let is_truth = |column: &&SheetColumn| {
        let levels = column.levels.as_ref();
        column.kind == Kind::Truth
            || levels.is_some_and(|levels| levels.iter().all(|level| truth(level).is_some()))
    };
    let find = |names| file.column(names).filter(is_truth);
    let (Some(won), Some(closed)) = (find(part.is_won), find(part.is_closed)) else {
        return flags;
    };
    let both = file
        .sheet
        .rows_of([&column.name, &won.name])
        .into_iter()
        .zip(file.sheet.rows_of([&column.name, &closed.name]));
    for ([value, won], [_, closed]) in both {
        let Some(value) = value else { continue };
        let counts = flags.entry(value).or_default();
        match (won.and_then(truth), closed.and_then(truth)) {
            (Some(true), _) => counts[0] += 1,
            (_, Some(true)) => counts[1] += 1,
            (_, Some(false)) => counts[2] += 1,
            (_, None) => {}
        }
    }
    flags
}

/// The values that nothing says the meaning of: those that have to be asked about, because they closed
/// as others did or were thrown away, and those that may be guessed to be open.
fn split_unknown<'v, 's>(
    file: &File,
    part: &OutcomeColumns,
    column: &SheetColumn,
    values: &'v [Value<'s>],
) -> (Vec<&'v Value<'s>>, Vec<&'v Value<'s>>) {
    let closed = file.column(part.closed_at);
    let is_asked = |value: &&Value<'_>| {
        let has_closed =
            || closed.is_some_and(|closed| has_closed(file, column, closed, value.text, values));
        part.rows == Rows::ByResult && (is_called_deleted(value.text) || has_closed())
    };
    let unknown = values.iter().filter(|value| value.meaning.is_none());
    unknown.partition(is_asked)
}

/// Whether rows with a value have closed, by their times: most lie before the last closing of those
/// that are known to be won or lost.
fn has_closed(
    file: &File,
    column: &SheetColumn,
    closed: &SheetColumn,
    value: &str,
    values: &[Value<'_>],
) -> bool {
    const FEWEST: usize = 5;
    let known = |text: &str| {
        let mut values = values.iter();
        values.any(|value| {
            value.text == text && matches!(value.meaning, Some(Says::Won | Says::Lost))
        })
    };
    let (mut of_value, mut last) = (Vec::new(), None);
    let (mut n_rows, mut n_known) = (0_usize, 0_usize);
    for [text, at] in file.sheet.rows_of([&column.name, &closed.name]) {
        let Some(text) = text else { continue };
        let at = at.and_then(|at| closed.time(at));
        if text == value {
            n_rows += 1;
            of_value.extend(at);
        } else if known(text) {
            n_known += 1;
            last = last.max(at);
        }
    }
    let n_before = of_value.iter().filter(|at| Some(**at) <= last).count();
    n_known > 0 && n_rows >= FEWEST && 10 * n_before >= 8 * n_rows
}

/// Whether a cell says yes or no.
fn truth(cell: &str) -> Option<bool> {
    match says(cell) {
        Says::Yes => Some(true),
        Says::No => Some(false),
        Says::Won | Says::Lost | Says::Open | Says::Nothing => match cell {
            "1" | "1.0" => Some(true),
            "0" | "0.0" => Some(false),
            _ => None,
        },
    }
}

/// What one value means.
fn value<'s>(
    text: &'s str,
    flags: &BTreeMap<&str, [usize; 3]>,
    part: &OutcomeColumns,
) -> Value<'s> {
    const MEANINGS: [Says; 3] = [Says::Won, Says::Lost, Says::Open];
    let counts = flags.get(text).copied().unwrap_or_default();
    let total: usize = counts.iter().sum();
    // A few rows may contradict the others.
    let by_flag = (0..3).find(|&at| total > 0 && 10 * counts[at] >= 9 * total);
    let by_code = part
        .codes
        .iter()
        .position(|code| !code.is_empty() && *code == text);
    if let Some(at) = by_flag.or(by_code) {
        return Value {
            text,
            meaning: Some(MEANINGS[at]),
            is_proven: true,
        };
    }
    let meaning = match says(text) {
        Says::Yes | Says::No | Says::Nothing => None,
        told @ (Says::Won | Says::Lost | Says::Open) => Some(told),
    };
    Value {
        text,
        meaning,
        is_proven: false,
    }
}

/// The values as a list of TOML, without its brackets.
fn list(values: &[&Value<'_>]) -> String {
    let texts: Vec<String> = values.iter().map(|value| quoted(value.text)).collect();
    texts.join(", ")
}

/// Why values are in their list, where it is a guess.
fn why(values: &[&Value<'_>]) -> String {
    if values.iter().all(|value| value.is_proven) {
        String::new()
    } else {
        guess("by their words")
    }
}
