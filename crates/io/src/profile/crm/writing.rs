//! A config for the exports of a CRM: each table by what the product is known to write into it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use leadscore_config::lines::key;
use leadscore_config::quoted;

use super::recognition::{File, Recognized, is_any, recognize};
use super::results::write_result;
use super::{
    ActivityColumns, ExportsInput, HistoryColumns, LeadColumns, LinkColumns, LookupColumns,
    MergeColumns, Names, OutcomeColumns, Part, Rows,
};
use crate::error::TablesError;
use crate::profile::columns::{Kind, SheetColumn};
use crate::profile::events::{table_name, write_activities};
use crate::profile::leads::{
    KnownColumns, LeadsSection, lifecycle_columns, write_leads, write_lifecycle,
};
use crate::profile::lines::{guess, question};

/// Looks at the exports of a CRM and writes the text of a config for them.
///
/// # Errors
///
/// [`TablesError`] where a file cannot be read as a table, where files are of no known CRM or of
/// several, and where leads or outcomes are missing.
pub fn profile_exports(input: &ExportsInput, folder: &Path) -> Result<String, TablesError> {
    let recognized = recognize(input, folder)?;
    let writing = Writing::new(&recognized, input);
    writing.config()
}

/// Columns of all products that say who or where somebody is, or what somebody typed, and why they
/// are left out, also where few cells are different.
const ABOUT_PEOPLE: &[(Names, &str)] = &[
    (
        &[
            "First Name",
            "Last Name",
            "Full Name",
            "Salutation",
            "Contact Name",
            "Deal - Contact person",
        ],
        "a name",
    ),
    (
        &["zip*", "Postal*", "*PostalCode", "Deal - Postal code"],
        "a postal code",
    ),
    (
        &["Deal - Title", "Topic", "Subject", "Opportunity"],
        "a title that somebody typed",
    ),
];

/// A part of a file that applies.
struct Applied<'s> {
    file: &'s File,
    part: &'static Part,
}

/// The config while it is written.
struct Writing<'s> {
    recognized: &'s Recognized,
    input: &'s ExportsInput,
    parts: Vec<Applied<'s>>,
}

impl<'s> Writing<'s> {
    fn new(recognized: &'s Recognized, input: &'s ExportsInput) -> Self {
        let mut writing = Self {
            recognized,
            input,
            parts: Vec::new(),
        };
        let leads = recognized.files[recognized.leads].export;
        let leads = leads.map_or("", |export| export.what);
        // In the order of the product's exports: of several outcomes the first is taken.
        for export in recognized.product.exports() {
            let is_it = |file: &&File| file.export.is_some_and(|own| own.what == export.what);
            for file in recognized.files.iter().filter(is_it) {
                for own in export.parts {
                    if own.leads.is_empty() || own.leads == leads {
                        writing.parts.push(Applied {
                            file,
                            part: &own.part,
                        });
                    }
                }
            }
        }
        writing
    }

    fn leads(&self) -> &'s File {
        &self.recognized.files[self.recognized.leads]
    }

    /// The columns of the leads, as the product is known to name them.
    fn lead_columns(&self) -> &'static LeadColumns {
        let parts = self.leads().export.map_or(&[][..], |export| export.parts);
        let found = parts.iter().find_map(|part| match &part.part {
            Part::Leads(columns) => Some(columns),
            Part::Outcomes(_)
            | Part::Activities(_)
            | Part::Link(_)
            | Part::Lookup(_)
            | Part::History(_)
            | Part::Merges(_) => None,
        });
        found.unwrap_or(&LeadColumns::NONE)
    }

    fn config(&self) -> Result<String, TablesError> {
        let mut text = self.opening();
        let (file, outcomes) = self.outcomes().ok_or_else(|| self.no_outcomes())?;
        let stages: Vec<&SheetColumn> = lifecycle_columns(&self.leads().sheet)
            .into_iter()
            .filter(|column| !is_any(&column.name, self.lead_columns().overwritten))
            .collect();
        let id = self.write_leads(&mut text, &stages);
        let mut names = Vec::new();
        for applied in &self.parts {
            match applied.part {
                Part::Lookup(columns) => self.write_lookup(&mut text, applied.file, columns),
                Part::History(columns) => self.write_history(&mut text, applied.file, columns),
                Part::Activities(columns) => {
                    self.write_activities(&mut text, applied.file, columns, &mut names);
                }
                Part::Link(columns) => self.write_link(&mut text, applied.file, columns),
                Part::Merges(columns) => write_merges(&mut text, applied.file, columns),
                Part::Leads(_) | Part::Outcomes(_) => {}
            }
        }
        self.write_others(&mut text, id.as_deref(), &mut names);
        write_lifecycle(&mut text, &stages, &names);
        self.write_outcomes(&mut text, file, outcomes);
        text.push_str("\n[snapshots]\nhorizon = \"90d\"\nevery = \"month\"\n");
        if outcomes.rows != Rows::ByResult {
            text.push_str(
                "\n[data]\nundated_rows = 1.0   # guess: rows without a time of closing are open\n",
            );
        }
        Ok(text)
    }

    fn opening(&self) -> String {
        let mut text = format!(
            "# Written by `leadscore init` for exports of {}. Every line with a `guess:` wants a look, and every\n# `question:` an answer; `leadscore schema` knows every key.\n#\n",
            self.recognized.product.name()
        );
        for file in &self.recognized.files {
            let what = match file.export {
                Some(export) => {
                    let is_used = self.parts.iter().any(|part| std::ptr::eq(part.file, file));
                    let unused = if is_used { "" } else { " (not used)" };
                    format!("{}{unused}", export.what)
                }
                None => "not known".to_owned(),
            };
            for path in &file.paths {
                let _ = writeln!(text, "# {}: {what}", path.display());
            }
        }
        text.push('\n');
        text
    }

    fn write_leads(&self, text: &mut String, stages: &[&SheetColumn]) -> Option<String> {
        let (file, columns) = (self.leads(), self.lead_columns());
        let logged = self.logged_columns();
        let product = self.recognized.product.name();
        let overwritten = file.sheet.columns.iter().filter(|column| {
            is_any(&column.name, columns.overwritten) && !logged.contains(&column.name.as_str())
        });
        let mut leave_out: Vec<(String, String)> = overwritten
            .map(|column| {
                let reason = format!("{product} overwrites it as a lead is worked");
                (column.name.clone(), reason)
            })
            .collect();
        for column in &file.sheet.columns {
            let about = ABOUT_PEOPLE
                .iter()
                .find(|(patterns, _)| is_any(&column.name, patterns));
            if let Some((_, reason)) = about {
                leave_out.push((column.name.clone(), (*reason).to_owned()));
            }
        }
        // What the data proves is the better reason.
        leave_out.retain(|(name, _)| !self.input.leave_out.iter().any(|(told, _)| told == name));
        leave_out.extend(self.input.leave_out.iter().cloned());
        let account = file
            .column(columns.account)
            .filter(|column| !has_separator(file, column, ";"));
        let mut taken: Vec<&str> = if stages.len() < 2 {
            Vec::new()
        } else {
            stages.iter().map(|column| column.name.as_str()).collect()
        };
        taken.extend(&logged);
        write_leads(
            text,
            &LeadsSection {
                path: paths(&file.paths),
                sheet: &file.sheet,
                has_outcomes: true,
                known: KnownColumns {
                    id: file.column(columns.id),
                    created_at: file.column(columns.created_at),
                    account,
                    score: file
                        .column(columns.score)
                        .filter(|column| column.kind == Kind::Number),
                },
                taken,
                leave_out: &leave_out,
                keep: file
                    .sheet
                    .columns
                    .iter()
                    .filter(|column| {
                        matches!(column.kind, Kind::Words { .. })
                            && !column.is_unique
                            && is_any(&column.name, columns.categories)
                    })
                    .map(|column| column.name.as_str())
                    .collect(),
            },
        )
    }

    /// Columns of the leads whose changes a log has.
    fn logged_columns(&self) -> Vec<&'s str> {
        let mut logged: Vec<&str> = Vec::new();
        for applied in &self.parts {
            let Part::History(columns) = applied.part else {
                continue;
            };
            if let Some(attribute) = applied.file.column(columns.attribute) {
                let sheet = &self.leads().sheet;
                let has = |column: &&SheetColumn| {
                    let mut cells = applied.file.sheet.cells(&attribute.name);
                    cells.any(|cell| cell == column.name)
                };
                let columns = sheet.columns.iter().filter(has);
                logged.extend(columns.map(|column| column.name.as_str()));
            }
        }
        logged
    }

    /// The first table of outcomes that is there.
    fn outcomes(&self) -> Option<(&'s File, &'static OutcomeColumns)> {
        self.parts.iter().find_map(|applied| {
            let Part::Outcomes(columns) = applied.part else {
                return None;
            };
            let needed: &[Names] = match columns.rows {
                Rows::ByResult | Rows::LostUnlessWon => &[columns.lead, columns.result],
                Rows::WonIfDated => &[columns.lead, columns.closed_at],
            };
            let is_there = needed
                .iter()
                .all(|names| applied.file.column(names).is_some())
                && (columns.via.is_empty() || self.has_link(columns.via));
            is_there.then_some((applied.file, columns))
        })
    }

    fn no_outcomes(&self) -> TablesError {
        let exports = self.recognized.product.exports().iter();
        let mut wanted: Vec<&str> = exports
            .filter(|export| {
                let mut parts = export.parts.iter();
                parts.any(|part| matches!(part.part, Part::Outcomes(_)))
            })
            .map(|export| export.what)
            .collect();
        wanted.dedup();
        let first = wanted.first().copied().unwrap_or("outcomes");
        TablesError::Content {
            table: format!("the exports of {}", self.recognized.product.name()),
            found: "no file shows which leads were won: nothing can be learned".to_owned(),
            help: format!(
                "export the {first} too, with the columns that the docs list for {} (the id of the lead, the result, the time of closing)",
                self.recognized.product.name()
            ),
        }
    }

    fn write_outcomes(&self, text: &mut String, file: &File, columns: &OutcomeColumns) {
        let _ = writeln!(text, "\n[outcomes]\npath = {}", paths(&file.paths));
        self.write_key(text, file, columns.lead, columns.via, columns.separator);
        match file.column(columns.closed_at) {
            Some(column) => write_time(text, "closed_at", column),
            None => question(
                text,
                "closed_at = \"…\"",
                &format!(
                    "which column has the time of closing? {} calls it `{}`",
                    self.recognized.product.name(),
                    columns.closed_at.first().copied().unwrap_or_default()
                ),
            ),
        }
        write_result(text, file, columns);
        if let Some(amount) = file.column(columns.amount) {
            match amount.kind {
                Kind::Number => {
                    let _ = writeln!(text, "amount = {}", quoted(&amount.name));
                }
                Kind::OddNumber => {
                    let _ = writeln!(text, "amount = {}", quoted(&amount.name));
                    text.push_str(&amount.remarks());
                }
                Kind::Time { .. }
                | Kind::Truth
                | Kind::Words { .. }
                | Kind::Private(_)
                | Kind::Unreadable(_)
                | Kind::Empty => {}
            }
        }
        text.push_str(&file.sheet.settings());
    }

    fn write_activities(
        &self,
        text: &mut String,
        file: &File,
        columns: &ActivityColumns,
        names: &mut Vec<String>,
    ) {
        let (Some(_), Some(at)) = (file.column(columns.lead), file.column(columns.at)) else {
            let product = self.recognized.product.name();
            let name = |names: Names| names.first().copied().unwrap_or_default();
            let _ = writeln!(
                text,
                "\n# question: {} lacks `{}` or `{}` and is not used: export it with the columns that the docs list for {product}",
                paths(&file.paths),
                name(columns.lead),
                name(columns.at)
            );
            return;
        };
        let name = new_name(columns.name, &file.paths[0], names);
        let _ = writeln!(
            text,
            "\n[activities.{}]\npath = {}",
            key(&name),
            paths(&file.paths)
        );
        self.write_key(text, file, columns.lead, columns.via, columns.separator);
        write_time(text, "at", at);
        if let Some(recorded) = file
            .column(columns.recorded_at)
            .filter(|column| column.name != at.name)
        {
            write_time(text, "recorded_at", recorded);
        }
        let names_of = |names: &[Names], is_so: &dyn Fn(&SheetColumn) -> bool| {
            let columns = names.iter().filter_map(|names| file.column(names));
            let columns = columns.filter(|column| is_so(column));
            let names: Vec<String> = columns.map(|column| quoted(&column.name)).collect();
            names.join(", ")
        };
        // Its name may be one of free texts: `message_type`.
        let kinds = names_of(columns.kinds, &|column| match column.kind {
            Kind::Words { n_levels } => n_levels <= 200,
            Kind::Truth => true,
            Kind::Private(_) => column.levels.is_some(),
            Kind::Time { .. }
            | Kind::Number
            | Kind::OddNumber
            | Kind::Unreadable(_)
            | Kind::Empty => false,
        });
        if !kinds.is_empty() {
            let _ = writeln!(text, "kind = [{kinds}]");
        }
        text.push_str(&file.sheet.settings());
    }

    /// The column with ids of leads, and how they reach them.
    fn write_key(&self, text: &mut String, file: &File, lead: Names, via: &str, separator: &str) {
        let Some(column) = file.column(lead) else {
            return;
        };
        let _ = writeln!(text, "lead = {}", quoted(&column.name));
        if !via.is_empty() && self.has_link(via) {
            let _ = writeln!(text, "via = {}", quoted(via));
        }
        if has_separator(file, column, separator) {
            let _ = writeln!(text, "separator = {}", quoted(separator));
        }
    }

    /// Whether an association table of this name is written.
    fn has_link(&self, name: &str) -> bool {
        self.parts.iter().any(|applied| match applied.part {
            Part::Link(columns) => {
                columns.name == name
                    && applied.file.column(columns.from).is_some()
                    && applied.file.column(columns.lead).is_some()
            }
            Part::Leads(_)
            | Part::Outcomes(_)
            | Part::Activities(_)
            | Part::Lookup(_)
            | Part::History(_)
            | Part::Merges(_) => false,
        })
    }

    /// Whether rows of a table go through an association table.
    fn is_used(&self, link: &str) -> bool {
        let outcomes = self.outcomes();
        self.parts.iter().any(|applied| match applied.part {
            Part::Outcomes(columns) => {
                columns.via == link && outcomes.is_some_and(|(_, own)| std::ptr::eq(own, columns))
            }
            Part::Activities(columns) => {
                let has = |names| applied.file.column(names).is_some();
                columns.via == link && has(columns.lead) && has(columns.at)
            }
            Part::Leads(_)
            | Part::Link(_)
            | Part::Lookup(_)
            | Part::History(_)
            | Part::Merges(_) => false,
        })
    }

    fn write_link(&self, text: &mut String, file: &File, columns: &LinkColumns) {
        let (Some(from), Some(lead)) = (file.column(columns.from), file.column(columns.lead))
        else {
            return;
        };
        if !self.is_used(columns.name) {
            return;
        }
        let _ = writeln!(
            text,
            "\n[links.{}]\npath = {}\nfrom = {}\nlead = {}",
            columns.name,
            paths(&file.paths),
            quoted(&from.name),
            quoted(&lead.name)
        );
        if let Some(linked_at) = file.column(columns.linked_at) {
            write_time(text, "linked_at", linked_at);
        }
        if columns.own_ids {
            text.push_str("own_ids = true\n");
        }
        text.push_str(&file.sheet.settings());
    }

    fn write_lookup(&self, text: &mut String, file: &File, columns: &LookupColumns) {
        let pairs = columns.keys.iter().filter_map(|(own, leads)| {
            let own = file.column(own).filter(|column| column.is_unique)?;
            let leads = self.leads().column(leads)?;
            (!has_separator(self.leads(), leads, ";")).then_some((own, leads))
        });
        let Some((own, leads)) = pairs.into_iter().next() else {
            let _ = writeln!(
                text,
                "\n# question: {} is not used: no column of the leads has its key",
                paths(&file.paths)
            );
            return;
        };
        let _ = writeln!(
            text,
            "\n[lookups.{}]\npath = {}\nkey = {}\nleads_key = {}",
            columns.name,
            paths(&file.paths),
            quoted(&own.name),
            quoted(&leads.name)
        );
        let product = self.recognized.product.name();
        let left_out: Vec<(&str, String)> = file
            .sheet
            .columns
            .iter()
            .filter(|column| column.name != own.name)
            .filter_map(|column| {
                let overwritten = || {
                    is_any(&column.name, columns.overwritten)
                        .then(|| format!("{product} overwrites it"))
                };
                let time = || matches!(column.kind, Kind::Time { .. }).then(|| "a time".to_owned());
                let reason = column
                    .reason_to_leave_out()
                    .or_else(overwritten)
                    .or_else(time)?;
                Some((column.name.as_str(), reason))
            })
            .collect();
        if !left_out.is_empty() {
            text.push_str("exclude = [   # guess: take a line away to learn from its column\n");
            for (name, reason) in &left_out {
                let _ = writeln!(text, "    {},   # {reason}", quoted(name));
            }
            text.push_str("]\n");
        }
        let is_left_out = |name: &str| left_out.iter().any(|(other, _)| *other == name);
        for column in &file.sheet.columns {
            if column.name != own.name && !is_left_out(&column.name) {
                text.push_str(&column.remarks());
            }
        }
        text.push_str(&file.sheet.settings());
    }

    fn write_history(&self, text: &mut String, file: &File, columns: &HistoryColumns) {
        let named = [
            ("lead", columns.lead),
            ("attribute", columns.attribute),
            ("value", columns.value),
        ];
        let found = named.map(|(key, names)| file.column(names).map(|column| (key, column)));
        let changed_at = file.column(columns.changed_at);
        let (Some(changed_at), true) = (changed_at, found.iter().all(Option::is_some)) else {
            return;
        };
        if self.logged_columns().is_empty() {
            let _ = writeln!(
                text,
                "\n# {} is not used: none of its changes is of a column of the leads",
                paths(&file.paths)
            );
            return;
        }
        let _ = writeln!(text, "\n[history]\npath = {}", paths(&file.paths));
        for (key, column) in found.into_iter().flatten() {
            let _ = writeln!(text, "{key} = {}", quoted(&column.name));
        }
        if let Some(old) = file.column(columns.old_value) {
            let _ = writeln!(text, "old_value = {}", quoted(&old.name));
        }
        write_time(text, "changed_at", changed_at);
        text.push_str(&file.sheet.settings());
    }

    /// Files that the product is not known to export: events, if their columns say so.
    fn write_others(&self, text: &mut String, id: Option<&str>, names: &mut Vec<String>) {
        for (number, file) in self.recognized.files.iter().enumerate() {
            if file.export.is_some() {
                continue;
            }
            let leads = &self.leads().sheet;
            let is_of_leads = id.and_then(|id| file.sheet.matching(id, leads)).is_some();
            let has_time = file
                .sheet
                .columns
                .iter()
                .any(|column| matches!(column.kind, Kind::Time { .. }));
            if is_of_leads && has_time {
                names.push(table_name(&file.paths[0], number));
                write_activities(text, &file.sheet, &file.paths[0], number, leads, id);
            } else {
                let _ = writeln!(
                    text,
                    "\n# {} is not used: {} exports no table with these columns, and no column has ids of the leads beside a time",
                    paths(&file.paths),
                    self.recognized.product.name()
                );
            }
        }
    }
}

fn write_merges(text: &mut String, file: &File, columns: &MergeColumns) {
    if let (Some(from), Some(into)) = (file.column(columns.from), file.column(columns.into)) {
        let _ = writeln!(
            text,
            "\n[merges]\npath = {}\nfrom = {}\ninto = {}",
            paths(&file.paths),
            quoted(&from.name),
            quoted(&into.name)
        );
        text.push_str(&file.sheet.settings());
    }
}

/// A column of times, with the settings that its cells need.
fn write_time(text: &mut String, name: &str, column: &SheetColumn) {
    let reason = if matches!(column.kind, Kind::Time { .. }) {
        String::new()
    } else {
        guess("by its name; its cells do not look like times")
    };
    let _ = writeln!(text, "{name} = {}{reason}", quoted(&column.name));
    text.push_str(&column.remarks());
}

/// Whether cells of a column have this between several ids.
fn has_separator(file: &File, column: &SheetColumn, separator: &str) -> bool {
    !separator.is_empty()
        && file
            .sheet
            .cells(&column.name)
            .any(|cell| cell.contains(separator))
}

/// The value of `path`.
fn paths(paths: &[PathBuf]) -> String {
    let texts: Vec<String> = paths
        .iter()
        .map(|path| quoted(&path.to_string_lossy()))
        .collect();
    match texts.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// A name for a table that no other has.
fn new_name(known: &str, path: &Path, names: &mut Vec<String>) -> String {
    let name = if known.is_empty() {
        table_name(path, names.len())
    } else {
        known.to_owned()
    };
    let is_taken = |name: &str| names.iter().any(|other| other == name);
    let name = if is_taken(&name) {
        (2..)
            .map(|number| format!("{name}_{number}"))
            .find(|name| !is_taken(name))
            .unwrap_or(name)
    } else {
        name
    };
    names.push(name.clone());
    name
}
