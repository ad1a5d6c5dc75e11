//! A config for the exports of a CRM: each table by what the product is known to write into it.

use std::fmt::Write as _;
use std::path::Path;

use leadscore_config::quoted;

use super::applied::{Writing, has_separator, paths, write_time};
use super::recognition::{File, is_any, other_product, recognize};
use super::results::write_result;
use super::sections::write_merges;
use super::{ExportsInput, LeadColumns, Names, OutcomeColumns, Part, Rows};
use crate::error::TablesError;
use crate::profile::columns::{Kind, SheetColumn};
use crate::profile::events::{table_name, write_activities};
use crate::profile::leads::{
    KnownColumns, LeadsSection, lifecycle_columns, write_leads, write_lifecycle,
};
use crate::profile::lines::question;

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
        &["Company", "Company Name", "Account Name"],
        "a company's name",
    ),
    (
        &["Deal - Title", "Topic", "Subject", "Opportunity"],
        "a title that somebody typed",
    ),
];

impl Writing<'_> {
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
            found: match self.unused_outcomes().first() {
                Some((_, lack)) => {
                    format!("no file shows which leads were won: nothing can be learned; {lack}")
                }
                None => "no file shows which leads were won: nothing can be learned".to_owned(),
            },
            help: format!(
                "export the {first} too, with the columns that the docs list for {} (the id of the lead, the result, the time of closing)",
                self.recognized.product.name()
            ),
        }
    }

    fn write_outcomes(&self, text: &mut String, file: &File, columns: &OutcomeColumns) {
        let _ = writeln!(text, "\n[outcomes]\npath = {}", paths(&file.paths));
        for (unused, lack) in self.unused_outcomes() {
            question(
                text,
                &format!("path = {}", paths(&unused.paths)),
                &format!(
                    "it is not used, because {lack}; the outcomes below say less. Can it be exported with that?"
                ),
            );
        }
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
        text.push_str(&file.sheet.settings_of_rows());
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
            if let Some(other) = other_product(self.recognized.product, &file.sheet) {
                let _ = writeln!(
                    text,
                    "\n# {} is not used: it is an export of {}",
                    paths(&file.paths),
                    other.name()
                );
            } else if is_of_leads && has_time {
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
