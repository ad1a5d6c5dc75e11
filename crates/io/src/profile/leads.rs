//! Lines for the leads.

use std::fmt::Write as _;

use leadscore_config::lines::type_line;
use leadscore_config::quoted;
use leadscore_core::counted;

use super::columns::{Kind, Sheet, SheetColumn};
use super::lines::{guess, question};
use crate::result_words::words_of;

/// What is in the name of a column that says when a lead was created, the likeliest first.
const CREATION_HINTS: &[&str] = &[
    "creat",
    "erstell",
    "angelegt",
    "création",
    "creation",
    "creac",
    "criac",
    "criaç",
    "creaz",
    "aangemaakt",
    "utworz",
    "созда",
    "作成",
    "创建",
    "first_contact",
    "first contact",
    "signup",
    "sign up",
    "registered",
    "entered",
    "received",
    "date",
    "time",
];
/// What is in the name of a column of times that are other ones.
const NO_CREATION: &[&str] = &[
    "modif", "updat", "chang", "birth", "geburt", "last", "close", "won", "became", "expected",
    "due",
];
/// What is in the name of a date that is known ahead: the end of a contract, a birthday.
const AHEAD: &[&str] = &[
    "contract",
    "renew",
    "expir",
    "trial",
    "subscription",
    "lease",
    "warranty",
    "birth",
    "geburt",
    "vertrag",
    "ablauf",
    "contrat",
];
/// What statuses are called.
const STATUS: &[&str] = &[
    "status",
    "stage",
    "lifecycle",
    "lifecyclestage",
    "leadstatus",
    "dealstage",
    "phase",
    "disposition",
    "leadphase",
    "pipeline",
];
/// What may stand beside that in a name.
const BESIDE_STATUS: &[&str] = &[
    "lead",
    "leads",
    "contact",
    "deal",
    "opportunity",
    "opp",
    "sales",
    "crm",
    "current",
    "hs",
    "sf",
    "account",
    "value",
    "name",
];

/// Columns of the leads that are known and need no guess.
#[derive(Default)]
pub(super) struct KnownColumns<'s> {
    pub(super) id: Option<&'s SheetColumn>,
    pub(super) created_at: Option<&'s SheetColumn>,
    pub(super) account: Option<&'s SheetColumn>,
    pub(super) score: Option<&'s SheetColumn>,
}

/// What the section of the leads is written of.
pub(super) struct LeadsSection<'s> {
    /// The value of `path`.
    pub(super) path: String,
    pub(super) sheet: &'s Sheet,
    pub(super) has_outcomes: bool,
    pub(super) known: KnownColumns<'s>,
    /// Columns that other sections have, which are no attributes.
    pub(super) taken: Vec<&'s str>,
    /// Columns to leave out, and why, beside those that are left out anyhow.
    pub(super) leave_out: &'s [(String, String)],
    /// Columns to keep, although they are called ids.
    pub(super) keep: Vec<&'s str>,
}

/// Writes the section of the leads, and gives the column that tells them apart.
pub(super) fn write_leads(text: &mut String, section: &LeadsSection<'_>) -> Option<String> {
    let LeadsSection {
        sheet: leads,
        known,
        ..
    } = section;
    let _ = writeln!(text, "[leads]\npath = {}", section.path);
    let id = known.id.map(|column| column.name.clone());
    let id = match id {
        Some(id) => {
            let _ = writeln!(text, "id = {}", quoted(&id));
            Some(id)
        }
        None => {
            let id = leads.id();
            write_id(text, leads, id.as_deref());
            id
        }
    };
    let mut named: Vec<&str> = id.iter().map(String::as_str).collect();
    if section.has_outcomes {
        named.extend(match known.created_at {
            Some(column) => {
                let _ = writeln!(text, "created_at = {}", quoted(&column.name));
                text.push_str(&column.remarks());
                Some(column.name.as_str())
            }
            None => write_created(text, leads),
        });
    }
    if let Some(account) = known.account {
        let _ = writeln!(text, "account = {}", quoted(&account.name));
        named.push(&account.name);
    }
    match known.score {
        Some(score) => {
            let _ = writeln!(
                text,
                "manual_score = {}{}",
                quoted(&score.name),
                guess("today's points")
            );
            named.push(&score.name);
        }
        None => named.extend(write_score(text, leads, &named)),
    }
    named.extend(&section.taken);
    let flag = if section.has_outcomes {
        None
    } else {
        leads.flag().map(|(column, _)| column)
    };
    let excluded = excluded(section, &named, flag.as_deref());
    if !excluded.is_empty() {
        text.push_str("exclude = [   # guess: take a line away to learn from its column\n");
        for (name, reason) in &excluded {
            let _ = writeln!(text, "    {},   # {reason}", quoted(name));
        }
        text.push_str("]\n");
    }
    let is_left_out = |name: &str| excluded.iter().any(|(other, _)| *other == name);
    for column in leads
        .columns
        .iter()
        .filter(|column| !named.contains(&column.name.as_str()) && !is_left_out(&column.name))
    {
        text.push_str(&column.remarks());
        if section.has_outcomes && is_called_ahead(column) {
            ask_for_days(text, leads, column);
        }
    }
    text.push_str(&leads.settings_of_rows());
    id
}

/// Asks whether the days until the dates of a column are to be learned from.
fn ask_for_days(text: &mut String, leads: &Sheet, column: &SheetColumn) {
    question(
        text,
        &type_line(&column.name, "\"days\""),
        &format!(
            "is `{}` known ahead, and not overwritten by the sale? Its cells are such as {}; the days until it would be learned",
            column.name,
            leads.some_cells(&column.name)
        ),
    );
}

/// Whether a column of times is called like one whose dates are known ahead.
fn is_called_ahead(column: &SheetColumn) -> bool {
    let words = words_of(&column.name);
    matches!(column.kind, Kind::Time { .. })
        && words
            .iter()
            .any(|word| AHEAD.iter().any(|hint| word.contains(hint)))
}

/// Columns of the leads that are events, such as `Became a Lead Date`.
pub(super) fn lifecycle_columns(leads: &Sheet) -> Vec<&SheetColumn> {
    let is_event = |column: &&SheetColumn| {
        let words = words_of(&column.name);
        let has = |word: &str| words.iter().any(|own| own == word);
        let says_when = has("became") || has("entered") && (has("date") || has("stage"));
        matches!(column.kind, Kind::Time { .. }) && says_when
    };
    leads.columns.iter().filter(is_event).collect()
}

/// Writes the section of events that are columns of the leads, where there are two or more.
pub(super) fn write_lifecycle(text: &mut String, columns: &[&SheetColumn], names: &[String]) {
    if columns.len() < 2 {
        return;
    }
    let names_of_columns: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let taken = names.iter().any(|name| name == "lifecycle");
    let name = if taken {
        "lifecycle_dates"
    } else {
        "lifecycle"
    };
    let _ = writeln!(
        text,
        "\n[activities.{name}]\ncolumns = [{}]{}",
        names_of_columns.join(", "),
        guess("dates of what happened to a lead: each is an event")
    );
    // All are written as the first one is.
    text.push_str(&columns[0].remarks());
}

/// The column that tells leads apart, or the question which one does.
fn write_id(text: &mut String, leads: &Sheet, id: Option<&str>) {
    match id {
        Some(id) => {
            let _ = writeln!(
                text,
                "id = {}{}",
                quoted(id),
                guess(&format!(
                    "{} in {}",
                    counted(leads.n_rows, "different value"),
                    counted(leads.n_rows, "row")
                ))
            );
        }
        None => question(
            text,
            "id = \"…\"",
            "which column tells leads apart? None has a different value in every row",
        ),
    }
}

/// The column with the time of creation, where one is called so.
fn write_created<'s>(text: &mut String, leads: &'s Sheet) -> Option<&'s str> {
    match leads.pick_time(CREATION_HINTS, NO_CREATION, true) {
        Some(column) => {
            let _ = writeln!(
                text,
                "created_at = {}{}",
                quoted(&column.name),
                guess("the time column whose name suggests creation most")
            );
            text.push_str(&column.remarks());
            Some(&column.name)
        }
        None => {
            question(
                text,
                "created_at = \"…\"",
                &format!(
                    "which column has the creation time of a lead? {}",
                    leads.shown_columns(6)
                ),
            );
            None
        }
    }
}

/// The column with today's points, where one is called so.
fn write_score<'s>(text: &mut String, leads: &'s Sheet, named: &[&str]) -> Option<&'s str> {
    let score = leads.columns.iter().find(|column| {
        matches!(column.kind, Kind::Number)
            && words_of(&column.name)
                .iter()
                .any(|word| matches!(word.as_str(), "score" | "points" | "scoring"))
            && !named.contains(&column.name.as_str())
    })?;
    let _ = writeln!(
        text,
        "manual_score = {}{}",
        quoted(&score.name),
        guess("a number called a score; remove it if it is not today's points")
    );
    Some(&score.name)
}

/// Columns that are not learned from, and why.
fn excluded<'s>(
    section: &LeadsSection<'s>,
    named: &[&str],
    flag: Option<&str>,
) -> Vec<(&'s str, String)> {
    section
        .sheet
        .columns
        .iter()
        .filter(|column| !named.contains(&column.name.as_str()) && flag != Some(&column.name))
        .filter_map(|column| {
            let told = || {
                section
                    .leave_out
                    .iter()
                    .find(|(name, _)| *name == column.name)
                    .map(|(_, reason)| reason.clone())
            };
            Some((
                column.name.as_str(),
                column
                    .reason_to_leave_out()
                    .filter(|_| !section.keep.contains(&column.name.as_str()))
                    .or_else(told)
                    .or_else(|| status_by_name(&column.name))?,
            ))
        })
        .collect()
}

/// Why a column is left out that is a status by its name; `None` for all others.
fn status_by_name(name: &str) -> Option<String> {
    let words = words_of(name);
    let is = |list: &[&str], word: &String| list.contains(&word.as_str());
    // A marital status is none of the lead's.
    let is_status = words.iter().any(|word| is(STATUS, word))
        && words
            .iter()
            .all(|word| is(STATUS, word) || is(BESIDE_STATUS, word));
    is_status.then(|| "a status, which is overwritten as the lead is worked; a log of its changes can go into [history]".to_owned())
}
