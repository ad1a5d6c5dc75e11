//! Deleted leads in memory: by the flag that their rows have, and by the archive that lists them.

use std::path::Path;

use hashbrown::{HashMap, HashSet};
use leadscore_config::{Config, DeletedConfig, FileConfig};
use leadscore_core::Timestamp;
use leadscore_dataset::NEVER;

use crate::bounds::Bounds;
use crate::error::TablesError;
use crate::id_maps::DeletedIds;
use crate::id_tables::{read_named, say_how_read, times_of};
use crate::remarks::Remarks;
use crate::scan::{Table, is_deleted};

/// The leads that were deleted, where something says so; of those that `[deleted]` lists, what was
/// deleted before a moment.
///
/// # Errors
///
/// A file that cannot be read, or lacks a column that the config names; a flag that says neither yes
/// nor no; a lead that one row says was deleted and another one not.
pub(crate) fn read_deleted(
    config: &Config,
    folder: &Path,
    bounds: Bounds,
    until: Option<Timestamp>,
    remarks: &mut Remarks,
) -> Result<Option<DeletedIds>, TablesError> {
    let flag = config.leads.deleted.as_ref();
    if flag.is_none() && config.deleted.is_none() {
        return Ok(None);
    }
    let mut ids = HashSet::new();
    if let Some(flag) = flag {
        flagged(config, folder, bounds, flag, &mut ids)?;
    }
    if let Some(settings) = &config.deleted {
        listed(settings, folder, bounds, until, remarks, &mut ids)?;
    }
    Ok(Some(DeletedIds::new(ids)))
}

/// Adds the leads whose own row says that they were deleted.
fn flagged(
    config: &Config,
    folder: &Path,
    bounds: Bounds,
    flag: &String,
    ids: &mut HashSet<String>,
) -> Result<(), TablesError> {
    let file = FileConfig {
        deleted: None,
        ..config.leads.file()
    };
    let table = Table::open("[leads]", folder, file, bounds)?;
    let id = &config.leads.id;
    let raw = read_named(&table, &[("id", Some(id)), ("deleted", Some(flag))])?;
    let mut are_deleted = Vec::with_capacity(raw.n_rows);
    raw.for_each_text(flag, |row, text| {
        let is_deleted = is_deleted(text);
        are_deleted.push(
            is_deleted.ok_or_else(|| table.no_truth_value(flag, row, text.unwrap_or_default()))?,
        );
        Ok(())
    })?;
    // What would be left out with its deleted namesake is there.
    let mut seen: HashMap<String, (bool, usize)> = HashMap::new();
    raw.for_each_text(id, |row, text| {
        let Some(text) = text else { return Ok(()) };
        let is_deleted = are_deleted[row];
        match seen.get(text) {
            Some(&(other, first)) if other != is_deleted => Err(TablesError::Content {
                table: "[leads]".to_owned(),
                found: format!(
                    "`{text}` has a row that `{flag}` says was deleted and one that was not ({} and {})",
                    raw.place(first),
                    raw.place(row)
                ),
                help: "keep the row that is right: each lead needs one".to_owned(),
            }),
            Some(_) => Ok(()),
            None => {
                seen.insert(text.to_owned(), (is_deleted, row));
                Ok(())
            }
        }
    })?;
    if !seen.is_empty() && seen.values().all(|(is_deleted, _)| *is_deleted) {
        return Err(TablesError::Content {
            table: "[leads]".to_owned(),
            found: format!("`{flag}` says that every lead was deleted"),
            help: "name the column that is true for deleted leads only, or take `deleted` out"
                .to_owned(),
        });
    }
    let deleted = seen.into_iter().filter(|(_, (is_deleted, _))| *is_deleted);
    ids.extend(deleted.map(|(id, _)| id));
    Ok(())
}

/// Adds the leads that the archive lists.
fn listed(
    settings: &DeletedConfig,
    folder: &Path,
    bounds: Bounds,
    until: Option<Timestamp>,
    remarks: &mut Remarks,
    ids: &mut HashSet<String>,
) -> Result<(), TablesError> {
    let heading = "[deleted]";
    let table = Table::open(heading, folder, settings.file(), bounds)?;
    let named = [("lead", Some(&settings.lead)), ("at", settings.at.as_ref())];
    let raw = read_named(&table, &named)?;
    let times = times_of(&raw, settings.at.as_ref(), remarks)?;
    let (mut n_without_id, mut n_later) = (0, 0);
    raw.for_each_text(&settings.lead, |row, id| {
        let Some(id) = id else {
            n_without_id += 1;
            return Ok(());
        };
        // Without a time it is not known to have been there at any.
        let at = times.as_ref().map(|times| times[row]);
        let is_later = at
            .filter(|at| *at != NEVER)
            .zip(until)
            .is_some_and(|(at, until)| at >= until);
        if is_later {
            n_later += 1;
        } else {
            ids.insert(id.to_owned());
        }
        Ok(())
    })?;
    remarks.count(
        heading,
        n_without_id,
        "row has no id and is left out",
        "rows have no id and are left out",
    );
    remarks.count(
        heading,
        n_later,
        "lead is not deleted yet at this moment and is there",
        "leads are not deleted yet at this moment and are there",
    );
    say_how_read(&table, &raw, remarks);
    Ok(())
}
