//! A first `leadscore.toml` from the files themselves: every guess is said beside it, and what
//! cannot be told is a question.

mod columns;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use leadscore_core::Timestamp;

use crate::config_lines::key;
use crate::doubt::quoted;
use crate::error::TablesError;
use crate::result_words::{Says, names_a_result, says, words_of};

use columns::{Kind, Sheet};

/// The files to profile; paths are written as given.
#[derive(Debug, Clone, Default)]
pub struct ProfileInput {
    /// The leads.
    pub leads: PathBuf,
    /// Outcomes, where they stand in a file of their own.
    pub outcomes: Option<PathBuf>,
    /// Event tables.
    pub activities: Vec<PathBuf>,
    /// What the clock says.
    pub now: Option<Timestamp>,
    /// Columns of the leads to leave out, and why, beside those that are left out anyhow.
    pub leave_out: Vec<(String, String)>,
}

/// Looks at the files and writes the text of a config, with every guess as a comment. What it
/// cannot tell stands there as a line to be filled in or uncommented, with some cells.
///
/// # Errors
///
/// [`TablesError`] where a file cannot be read as a table at all.
pub fn profile(input: &ProfileInput, folder: &Path) -> Result<String, TablesError> {
    let read = |label: &str, path: &Path| Sheet::read(label, path, folder, input.now);
    let leads = read("leads", &input.leads)?;
    let outcomes = input
        .outcomes
        .as_ref()
        .map(|path| read("outcomes", path))
        .transpose()?;
    let activities = input
        .activities
        .iter()
        .map(|path| Ok((path, read("activities", path)?)))
        .collect::<Result<Vec<_>, TablesError>>()?;
    let mut text = String::from(
        "# Written by `leadscore init`. Every line with a `guess:` wants a look, and every `question:` an answer;\n# `leadscore schema` knows every key.\n\n",
    );
    let id = write_leads(&mut text, &leads, input);
    for (number, (path, sheet)) in activities.iter().enumerate() {
        write_activities(&mut text, sheet, path, number, &leads, id.as_deref());
    }
    text.push_str("\n[outcomes]\n");
    match (&outcomes, &input.outcomes) {
        (Some(sheet), Some(path)) => write_outcomes(&mut text, sheet, path, &leads, id.as_deref()),
        _ => write_flag(&mut text, &leads),
    }
    if outcomes.is_some() {
        text.push_str("\n[snapshots]\nhorizon = \"90d\"\nevery = \"month\"\n");
    } else {
        text.push_str("\n[snapshots]\n# order_by = \"…\"   # a column that stands for time, if there is one: newer leads are then the test\n");
    }
    Ok(text)
}

fn guess(why: &str) -> String {
    format!("   # guess: {why}")
}

/// A line that somebody has to fill in, with some cells of the columns that it may be about.
fn question(text: &mut String, line: &str, why: &str) {
    let _ = writeln!(text, "# {line}   # question: {why}");
}

/// Why a column is left out that is a status by its name; `None` for all others.
fn status_by_name(name: &str) -> Option<String> {
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
    const BESIDE: &[&str] = &[
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
    let words = words_of(name);
    let is = |list: &[&str], word: &String| list.contains(&word.as_str());
    // A marital status is none of the lead's.
    let is_status = words.iter().any(|word| is(STATUS, word))
        && words
            .iter()
            .all(|word| is(STATUS, word) || is(BESIDE, word));
    is_status.then(|| "a status, which is overwritten as the lead is worked; a log of its changes can stand in [history]".to_owned())
}

fn write_leads(text: &mut String, leads: &Sheet, input: &ProfileInput) -> Option<String> {
    let has_outcomes = input.outcomes.is_some();
    let _ = writeln!(
        text,
        "[leads]\npath = {}",
        quoted(&input.leads.to_string_lossy())
    );
    let id = leads.id();
    match &id {
        Some(id) => {
            let _ = writeln!(
                text,
                "id = {}{}",
                quoted(id),
                guess(&format!(
                    "{} different values in {} rows",
                    leads.n_rows, leads.n_rows
                ))
            );
        }
        None => question(
            text,
            "id = \"…\"",
            "which column tells leads apart? None has a different value in every row",
        ),
    }
    let mut named: Vec<&str> = id.iter().map(String::as_str).collect();
    if has_outcomes {
        const HINTS: &[&str] = &[
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
        const NOT: &[&str] = &[
            "modif", "updat", "chang", "birth", "geburt", "last", "close", "won", "became",
            "expected", "due",
        ];
        match leads.pick_time(HINTS, NOT, true) {
            Some(column) => {
                let _ = writeln!(
                    text,
                    "created_at = {}{}",
                    quoted(&column.name),
                    guess("the column of times whose name says creation most")
                );
                text.push_str(&column.remarks());
                named.push(&column.name);
            }
            None => question(
                text,
                "created_at = \"…\"",
                &format!(
                    "which column says when a lead was created? {}",
                    leads.shown_columns(6)
                ),
            ),
        }
    }
    if let Some(score) = leads.columns.iter().find(|column| {
        matches!(column.kind, Kind::Number)
            && words_of(&column.name)
                .iter()
                .any(|word| matches!(word.as_str(), "score" | "points" | "scoring"))
            && !named.contains(&column.name.as_str())
    }) {
        let _ = writeln!(
            text,
            "manual_score = {}{}",
            quoted(&score.name),
            guess("a number called a score; remove it if it is not today's points")
        );
        named.push(&score.name);
    }
    let flag = if has_outcomes {
        None
    } else {
        leads.flag().map(|(column, _)| column)
    };
    let excluded: Vec<(&str, String)> = leads
        .columns
        .iter()
        .filter(|column| {
            !named.contains(&column.name.as_str()) && flag.as_deref() != Some(&column.name)
        })
        .filter_map(|column| {
            let told = || {
                input
                    .leave_out
                    .iter()
                    .find(|(name, _)| *name == column.name)
                    .map(|(_, reason)| reason.clone())
            };
            Some((
                column.name.as_str(),
                column
                    .reason_to_leave_out()
                    .or_else(told)
                    .or_else(|| status_by_name(&column.name))?,
            ))
        })
        .collect();
    if !excluded.is_empty() {
        text.push_str("exclude = [   # guess: take a line away to learn from its column\n");
        for (name, reason) in excluded {
            let _ = writeln!(text, "    {},   # {reason}", quoted(name));
        }
        text.push_str("]\n");
    }
    for column in leads.columns.iter().filter(|column| {
        !named.contains(&column.name.as_str()) && column.reason_to_leave_out().is_none()
    }) {
        text.push_str(&column.remarks());
    }
    text.push_str(&leads.settings());
    id
}

/// The column of a table that names leads, and what stands between several of them in a cell.
fn write_key(text: &mut String, sheet: &Sheet, leads: &Sheet, id: Option<&str>) -> Option<String> {
    match id.and_then(|id| sheet.matching(id, leads)) {
        Some((column, separator)) => {
            let _ = writeln!(
                text,
                "lead = {}{}",
                quoted(&column),
                guess("holds ids of the leads")
            );
            if let Some(separator) = separator {
                let _ = writeln!(
                    text,
                    "separator = {}{}",
                    quoted(&separator),
                    guess("cells hold several ids: the row counts for each")
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
                    "which column holds ids of the leads?{ids}; {}",
                    sheet.shown_columns(6)
                ),
            );
            None
        }
    }
}

fn write_activities(
    text: &mut String,
    sheet: &Sheet,
    path: &Path,
    number: usize,
    leads: &Sheet,
    id: Option<&str>,
) {
    let name = path.file_stem().map(|stem| {
        stem.to_string_lossy()
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '_' })
            .collect::<String>()
    });
    let name = name
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| format!("activity_{number}"));
    let _ = writeln!(
        text,
        "\n[activities.{}]\npath = {}",
        key(&name),
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
                "which column says when it happened? {}",
                sheet.shown_columns(6)
            ),
        ),
    }
    write_entry(text, sheet, at);
    let rest: Vec<_> = sheet
        .columns
        .iter()
        .filter(|column| {
            Some(&column.name) != lead.as_ref() && at.is_none_or(|at| at.name != column.name)
        })
        .collect();
    let of = |kind: fn(&Kind) -> bool| {
        rest.iter()
            .filter(|column| kind(&column.kind) && column.reason_to_leave_out().is_none())
            .map(|column| quoted(&column.name))
            .collect::<Vec<_>>()
    };
    let (kinds, values) = (
        of(|kind| matches!(kind, Kind::Words { n_levels: 2..=50 } | Kind::Truth)),
        of(|kind| matches!(kind, Kind::Number)),
    );
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
    for column in rest
        .iter()
        .filter(|column| matches!(column.kind, Kind::OddNumber))
    {
        text.push_str(&column.remarks());
    }
    text.push_str(&sheet.settings());
}

fn write_outcomes(text: &mut String, sheet: &Sheet, path: &Path, leads: &Sheet, id: Option<&str>) {
    let _ = writeln!(text, "path = {}", quoted(&path.to_string_lossy()));
    write_key(text, sheet, leads, id);
    const HINTS: &[&str] = &[
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
    // When something may happen is no time at which it did.
    const NOT: &[&str] = &[
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
    let closed = sheet.pick_time(HINTS, NOT, false);
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
                "which column says when a deal was won or lost? An expected date does not; {}",
                sheet.shown_columns(6)
            ),
        ),
    }
    write_entry(text, sheet, closed);
    write_result(text, sheet);
    text.push_str(&sheet.settings());
}

/// Asks whether another column of times says when rows were entered.
fn write_entry(text: &mut String, sheet: &Sheet, taken: Option<&columns::SheetColumn>) {
    const HINTS: &[&str] = &[
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
    let is_entry = |column: &&columns::SheetColumn| {
        let name = column.name.to_lowercase();
        matches!(column.kind, Kind::Time { .. })
            && taken.is_none_or(|taken| taken.name != column.name)
            && HINTS.iter().any(|hint| name.contains(hint))
    };
    if let Some(column) = sheet.columns.iter().find(is_entry) {
        question(
            text,
            &format!("recorded_at = {}", quoted(&column.name)),
            "is this when a row was entered? Then nothing sees it before",
        );
    }
}

/// The column that says won or lost, and what its values mean.
fn write_result(text: &mut String, sheet: &Sheet) {
    let list = |values: &[&str]| {
        values
            .iter()
            .map(|value| quoted(value))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let words = |wanted: &[Says], values: &[String]| {
        values
            .iter()
            .filter(|value| wanted.contains(&says(value)))
            .cloned()
            .collect::<Vec<_>>()
    };
    let candidates: Vec<(&columns::SheetColumn, Vec<String>)> = sheet
        .columns
        .iter()
        .filter_map(|column| {
            Some((
                column,
                column
                    .levels
                    .clone()
                    .filter(|levels| !levels.is_empty() && levels.len() <= 50)?,
            ))
        })
        .collect();
    let best = candidates
        .iter()
        .filter(|(_, values)| !words(&[Says::Won], values).is_empty())
        .max_by_key(|(column, values)| {
            (
                !words(&[Says::Lost], values).is_empty(),
                names_a_result(&column.name),
                std::cmp::Reverse(values.len()),
            )
        });
    if let Some((column, values)) = best {
        let (won, lost) = (words(&[Says::Won], values), words(&[Says::Lost], values));
        let (open, unknown) = (
            words(&[Says::Open], values),
            words(&[Says::Nothing, Says::Yes, Says::No], values),
        );
        let all = |values: &[String]| list(&values.iter().map(String::as_str).collect::<Vec<_>>());
        let _ = writeln!(
            text,
            "result = {}\nwon = [{}]\nlost = [{}]{}",
            quoted(&column.name),
            all(&won),
            all(&lost),
            guess("words for winning and losing")
        );
        let _ = writeln!(
            text,
            "open = [{}]{}",
            all(&open),
            guess("words for neither yet")
        );
        if !unknown.is_empty() {
            question(
                text,
                &format!("open = [{}]", all(&[open, unknown].concat())),
                "are the last of these neither yet? Each value stands in `won`, `lost` or `open`",
            );
        }
        return;
    }
    // A truth value says won or not, which is no loss where deals are still open.
    let truth = candidates.iter().find(|(column, values)| {
        let names_win = words_of(&column.name).iter().any(|word| {
            matches!(
                word.as_str(),
                "won" | "win" | "iswon" | "converted" | "isconverted" | "conversion"
            )
        });
        names_win
            && values
                .iter()
                .all(|value| matches!(says(value), Says::Yes | Says::No))
    });
    if let Some((column, values)) = truth {
        let (yes, no) = (words(&[Says::Yes], values), words(&[Says::No], values));
        let all = |values: &[String]| list(&values.iter().map(String::as_str).collect::<Vec<_>>());
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
                    "`{}` says whether a deal is closed at all: is there one column with won, lost and open?",
                    closed.name
                ),
            );
            return;
        }
        let _ = writeln!(
            text,
            "result = {}\nwon = [{}]\nlost = [{}]{}",
            quoted(&column.name),
            all(&yes),
            all(&no),
            guess("a truth value called won")
        );
        question(
            text,
            &format!("open = [{}]", all(&no)),
            "or are deals that are not won yet among these?",
        );
        return;
    }
    let named = candidates
        .iter()
        .find(|(column, _)| names_a_result(&column.name));
    match named {
        Some((column, values)) => {
            let all: Vec<&str> = values.iter().map(String::as_str).collect();
            // Nothing is read until somebody says what is a win.
            let _ = writeln!(text, "result = {}   # question: what do its values mean? {}", quoted(&column.name), list(&all));
            let _ = writeln!(text, "won = []   # question: values that mean won; and the others in `lost` and `open`\nlost = []\nopen = []");
        }
        None => text.push_str("# guess: no column says won or lost, so every row is a win; else name it as `result`, with `won`, `lost` and `open`\n"),
    }
}

/// The column of a flat export that says which leads were won.
fn write_flag(text: &mut String, leads: &Sheet) {
    match leads.flag() {
        Some((column, won)) => {
            let _ = writeln!(
                text,
                "flag = {}{}\nwon = [{}]",
                quoted(&column),
                guess("two values, and a name that speaks of an outcome"),
                quoted(&won)
            );
        }
        None => {
            question(
                text,
                "flag = \"…\"",
                "which column says whether a lead was won? Or pass --outcomes",
            );
            question(text, "won = [\"…\"]", "the values that mean won");
        }
    }
}

impl Sheet {
    fn id(&self) -> Option<String> {
        let rank = |column: &&columns::SheetColumn| {
            let words = words_of(&column.name);
            let is = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
            if is(&["id", "vid", "uuid", "guid", "ids"])
                || column.name.to_lowercase().ends_with("id")
            {
                0
            } else if is(&["key", "nr", "no", "number", "nummer", "code", "identifier"]) {
                1
            } else if matches!(column.kind, Kind::Private(_)) {
                3
            } else {
                2
            }
        };
        let is_whole = |column: &&columns::SheetColumn| {
            !matches!(column.kind, Kind::Time { .. } | Kind::Number if column.has_fractions)
                && !matches!(column.kind, Kind::Unreadable(_))
        };
        let mut candidates: Vec<&columns::SheetColumn> = self
            .columns
            .iter()
            .filter(|column| column.is_unique && is_whole(column))
            .collect();
        candidates.sort_by_key(rank);
        candidates.first().map(|column| column.name.clone())
    }

    /// The column of times whose name has the earliest of these hints, and none of the others;
    /// where `name_decides` not even a column whose times are not understood.
    fn pick_time(
        &self,
        hints: &[&str],
        not: &[&str],
        name_decides: bool,
    ) -> Option<&columns::SheetColumn> {
        let lower = |column: &columns::SheetColumn| column.name.to_lowercase();
        let times = || {
            self.columns.iter().filter(|column| {
                matches!(column.kind, Kind::Time { .. })
                    && !not.iter().any(|word| lower(column).contains(word))
            })
        };
        let has = |column: &columns::SheetColumn, hint: &str| {
            if hint.len() <= 2 {
                words_of(&column.name).iter().any(|word| word == hint)
            } else {
                lower(column).contains(hint)
            }
        };
        let hinted = hints
            .iter()
            .find_map(|hint| times().find(|column| has(column, hint)));
        hinted.or_else(|| {
            times()
                .next()
                .filter(|_| !name_decides || times().count() == 1)
        })
    }

    /// The column whose values are mostly ids of the leads, and what stands between several of them
    /// in a cell.
    fn matching(&self, id: &str, leads: &Self) -> Option<(String, Option<String>)> {
        let ids: HashSet<&str> = leads.cells(id).collect();
        let share = |column: &columns::SheetColumn, separator: Option<&str>| {
            let (mut found, mut all) = (0_usize, 0_usize);
            for value in self.cells(&column.name).take(10_000) {
                let parts: Vec<&str> = separator.map_or_else(
                    || vec![value],
                    |separator| {
                        value
                            .split(separator)
                            .map(str::trim)
                            .filter(|part| !part.is_empty())
                            .collect()
                    },
                );
                all += parts.len();
                found += parts.iter().filter(|part| ids.contains(*part)).count();
            }
            if all == 0 {
                0.0
            } else {
                found as f64 / all as f64
            }
        };
        let mut best: Option<(f64, &str, Option<&str>)> = None;
        for column in &self.columns {
            for separator in [None, Some(";"), Some(","), Some("|")] {
                // A separator that changes nothing is none.
                if separator.is_some_and(|separator| {
                    !self
                        .cells(&column.name)
                        .take(10_000)
                        .any(|cell| cell.contains(separator))
                }) {
                    continue;
                }
                let share = share(column, separator);
                if share > 0.5 && best.is_none_or(|(known, ..)| share > known + 1e-9) {
                    best = Some((share, &column.name, separator));
                }
            }
        }
        best.map(|(_, column, separator)| (column.to_owned(), separator.map(str::to_owned)))
    }

    fn flag(&self) -> Option<(String, String)> {
        const NAMES: &[&str] = &[
            "convert", "won", "win", "outcome", "customer", "closed", "status", "success",
            "target", "gewonnen", "gagn", "ganad", "vint", "sold",
        ];
        let named = |column: &&columns::SheetColumn| {
            NAMES
                .iter()
                .any(|hint| column.name.to_lowercase().contains(hint))
        };
        self.columns.iter().filter(named).find_map(|column| {
            let levels = column.levels.as_ref().filter(|levels| levels.len() == 2)?;
            let won: Vec<&String> = levels
                .iter()
                .filter(|level| matches!(says(level), Says::Yes | Says::Won))
                .collect();
            match won.as_slice() {
                [one] => Some((column.name.clone(), (*one).clone())),
                _ => None,
            }
        })
    }
}
