//! Sections of the tables beside leads and outcomes: events, links, lookups, histories, merges.

use std::fmt::Write as _;
use std::path::Path;

use leadscore_config::lines::key;
use leadscore_config::quoted;

use super::applied::{Writing, has_separator, paths, write_time};
use super::recognition::{File, is_any};
use super::{ActivityColumns, HistoryColumns, LinkColumns, LookupColumns, MergeColumns, Names};
use crate::profile::columns::{Kind, SheetColumn};
use crate::profile::events::table_name;

impl Writing<'_> {
    pub(super) fn write_activities(
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
        text.push_str(&file.sheet.settings_of_rows());
    }

    pub(super) fn write_link(&self, text: &mut String, file: &File, columns: &LinkColumns) {
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
        text.push_str(&file.sheet.settings_of_rows());
    }

    pub(super) fn write_lookup(&self, text: &mut String, file: &File, columns: &LookupColumns) {
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
        text.push_str(&file.sheet.settings_of_rows());
    }

    pub(super) fn write_history(&self, text: &mut String, file: &File, columns: &HistoryColumns) {
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
        text.push_str(&file.sheet.settings_of_rows());
    }
}

pub(super) fn write_merges(text: &mut String, file: &File, columns: &MergeColumns) {
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
