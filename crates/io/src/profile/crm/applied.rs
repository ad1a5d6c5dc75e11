//! What of the files applies, and how rows reach their leads: what every section is written of.

use std::fmt::Write as _;
use std::path::PathBuf;

use leadscore_config::quoted;

use super::recognition::{File, Recognized};
use super::{ExportsInput, Names, OutcomeColumns, Part, Rows};
use crate::profile::columns::{Kind, SheetColumn};
use crate::profile::lines::guess;

/// A part of a file that applies.
pub(super) struct Applied<'s> {
    pub(super) file: &'s File,
    pub(super) part: &'static Part,
}

/// The config while it is written.
pub(super) struct Writing<'s> {
    pub(super) recognized: &'s Recognized,
    pub(super) input: &'s ExportsInput,
    pub(super) parts: Vec<Applied<'s>>,
}

impl<'s> Writing<'s> {
    pub(super) fn new(recognized: &'s Recognized, input: &'s ExportsInput) -> Self {
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

    pub(super) fn leads(&self) -> &'s File {
        &self.recognized.files[self.recognized.leads]
    }

    /// Columns of the leads whose changes a log has.
    pub(super) fn logged_columns(&self) -> Vec<&'s str> {
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
    pub(super) fn outcomes(&self) -> Option<(&'s File, &'static OutcomeColumns)> {
        self.parts.iter().find_map(|applied| {
            let Part::Outcomes(columns) = applied.part else {
                return None;
            };
            let is_there = self.lacks(applied.file, columns).is_none();
            is_there.then_some((applied.file, columns))
        })
    }

    /// What a table of outcomes lacks, in words; `None` where it can be used.
    fn lacks(&self, file: &File, columns: &OutcomeColumns) -> Option<String> {
        let needed: &[Names] = match columns.rows {
            Rows::ByResult | Rows::LostUnlessWon => &[columns.lead, columns.result],
            Rows::WonIfDated => &[columns.lead, columns.closed_at],
        };
        let missing = |file: &File, names: &[Names]| {
            let missing = names.iter().find(|names| file.column(names).is_none());
            let name = missing.and_then(|names| names.first());
            name.map(|name| {
                format!(
                    "{} has no column `{name}` with cells",
                    file.paths[0].display()
                )
            })
        };
        missing(file, needed).or_else(|| {
            if columns.via.is_empty() || self.has_link(columns.via) {
                return None;
            }
            let of_link = self.parts.iter().find_map(|applied| match applied.part {
                Part::Link(link) if link.name == columns.via => {
                    missing(applied.file, &[link.from, link.lead])
                }
                Part::Link(_)
                | Part::Leads(_)
                | Part::Outcomes(_)
                | Part::Activities(_)
                | Part::Lookup(_)
                | Part::History(_)
                | Part::Merges(_) => None,
            });
            Some(
                of_link.unwrap_or_else(|| "no file says which leads its rows belong to".to_owned()),
            )
        })
    }

    /// Tables of outcomes that come before the one that is used, in other files, and what each lacks.
    pub(super) fn unused_outcomes(&self) -> Vec<(&'s File, String)> {
        let used = self.outcomes();
        let mut unused: Vec<(&File, String)> = Vec::new();
        for applied in &self.parts {
            let Part::Outcomes(columns) = applied.part else {
                continue;
            };
            if used.is_some_and(|(_, own)| std::ptr::eq(own, columns)) {
                break;
            }
            let is_same = |file: &File| std::ptr::eq(file, applied.file);
            if used.is_some_and(|(file, _)| is_same(file))
                || unused.iter().any(|(file, _)| is_same(file))
            {
                continue;
            }
            if let Some(lack) = self.lacks(applied.file, columns) {
                unused.push((applied.file, lack));
            }
        }
        unused
    }

    /// The column with ids of leads, and how they reach them.
    pub(super) fn write_key(
        &self,
        text: &mut String,
        file: &File,
        lead: Names,
        via: &str,
        separator: &str,
    ) {
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
    pub(super) fn has_link(&self, name: &str) -> bool {
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
    pub(super) fn is_used(&self, link: &str) -> bool {
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
}

/// A column of times, with the settings that its cells need.
pub(super) fn write_time(text: &mut String, name: &str, column: &SheetColumn) {
    let reason = if matches!(column.kind, Kind::Time { .. }) {
        String::new()
    } else {
        guess("by its name; its cells do not look like times")
    };
    let _ = writeln!(text, "{name} = {}{reason}", quoted(&column.name));
    text.push_str(&column.remarks());
}

/// Whether cells of a column have this between several ids.
pub(super) fn has_separator(file: &File, column: &SheetColumn, separator: &str) -> bool {
    !separator.is_empty()
        && file
            .sheet
            .cells(&column.name)
            .any(|cell| cell.contains(separator))
}

/// The value of `path`.
pub(super) fn paths(paths: &[PathBuf]) -> String {
    let texts: Vec<String> = paths
        .iter()
        .map(|path| quoted(&path.to_string_lossy()))
        .collect();
    match texts.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}
