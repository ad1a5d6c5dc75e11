//! Merged leads in memory: under which id each lives on, and from when.

use std::path::Path;

use hashbrown::{HashMap, HashSet};
use leadscore_config::{Config, MergesConfig};
use leadscore_core::Timestamp;
use leadscore_dataset::{NEVER, Note};

use crate::bounds::Bounds;
use crate::error::TablesError;
use crate::id_maps::MergeMap;
use crate::id_tables::{read_named, say_how_read, times_of};
use crate::remarks::Remarks;
use crate::scan::{RawTable, Table};

/// The longest chain of the merges before a moment: the id that it begins with, and how many merges
/// it has. Databases follow some.
///
/// # Errors
///
/// As [`crate::load`], for the merges.
pub fn longest_chain(
    config: &Config,
    folder: &Path,
    until: Timestamp,
) -> Result<Option<(String, usize)>, TablesError> {
    let bounds = Bounds::new(config, Some(until));
    let merges = read_merges(config, folder, bounds, Some(until), &mut Remarks::default())?;
    Ok(merges.and_then(|merges| merges.longest))
}

/// One row: into which id, when, and where it stands.
struct Merge {
    into: String,
    at: Timestamp,
    row: usize,
}

/// Reads `[merges]`, where the config has it: those before a moment.
///
/// # Errors
///
/// A file that cannot be read, or lacks a column that the config names; merges in a circle, or of
/// one id into two.
pub(crate) fn read_merges(
    config: &Config,
    folder: &Path,
    bounds: Bounds,
    until: Option<Timestamp>,
    remarks: &mut Remarks,
) -> Result<Option<MergeMap>, TablesError> {
    let Some(settings) = &config.merges else {
        return Ok(None);
    };
    let table = Table::open("[merges]", folder, settings.file(), bounds)?;
    let raw = read_named(
        &table,
        &[
            ("from", Some(&settings.from)),
            ("into", Some(&settings.into)),
            ("at", settings.at.as_ref()),
        ],
    )?;
    let mut merges = rows(&raw, settings, remarks)?;
    // What is not merged yet is not known to be one.
    let n_all = merges.len();
    merges.retain(|_, merge| until.is_none_or(|until| merge.at < until));
    remarks.count(
        "[merges]",
        n_all - merges.len(),
        "merge is not known yet at this moment and is not followed",
        "merges are not known yet at this moment and are not followed",
    );
    let mut into = HashMap::with_capacity(merges.len());
    let mut longest: Option<(&String, usize)> = None;
    for from in merges.keys() {
        let (end, since, n_merges) = end_of_chain(&merges, from, &raw)?;
        into.insert(from.clone(), (end, since));
        let is_longer =
            longest.is_none_or(|(known, most)| n_merges > most || n_merges == most && from < known);
        if is_longer {
            longest = Some((from, n_merges));
        }
    }
    say_how_read(&table, &raw, remarks);
    Ok(Some(MergeMap {
        into,
        has_since: settings.at.is_some(),
        longest: longest.map(|(from, n_merges)| (from.clone(), n_merges)),
    }))
}

/// The merges by the id that is no more, with what is to be said of rows that are left out.
fn rows(
    raw: &RawTable<'_>,
    settings: &MergesConfig,
    remarks: &mut Remarks,
) -> Result<HashMap<String, Merge>, TablesError> {
    let times = times_of(raw, settings.at.as_ref(), remarks)?;
    let mut froms: Vec<Option<String>> = Vec::with_capacity(raw.n_rows);
    raw.for_each_text(&settings.from, |_, text| {
        froms.push(text.map(str::to_owned));
        Ok(())
    })?;
    let mut merges: HashMap<String, Merge> = HashMap::new();
    let (mut without_id, mut without_time, mut into_itself) = (Vec::new(), Vec::new(), Vec::new());
    raw.for_each_text(&settings.into, |row, into| {
        let (Some(from), Some(into)) = (froms[row].take(), into) else {
            without_id.push(row);
            return Ok(());
        };
        if from == into {
            into_itself.push(row);
            return Ok(());
        }
        let at = times.as_ref().map_or(Timestamp::MIN, |times| times[row]);
        if times.is_some() && at == NEVER {
            without_time.push(row);
            return Ok(());
        }
        match merges.get_mut(&from) {
            Some(known) if known.into != into => Err(TablesError::Content {
                table: "[merges]".to_owned(),
                found: format!(
                    "`{from}` is merged into `{}` ({}) and into `{into}` ({})",
                    known.into,
                    raw.place(known.row),
                    raw.place(row)
                ),
                help: "keep the row that is right: a lead lives on under one id".to_owned(),
            }),
            Some(known) => {
                known.at = known.at.min(at);
                Ok(())
            }
            None => {
                merges.insert(
                    from,
                    Merge {
                        into: into.to_owned(),
                        at,
                        row,
                    },
                );
                Ok(())
            }
        }
    })?;
    say_left_out(raw, [without_id, without_time, into_itself], remarks);
    Ok(merges)
}

/// Says which rows are left out: without an id, without a time, into themselves.
fn say_left_out(raw: &RawTable<'_>, left_out: [Vec<usize>; 3], remarks: &mut Remarks) {
    let words = [
        (
            "merge lacks one of its ids and is left out",
            "merges lack one of their ids and are left out",
        ),
        (
            "merge has no time and is left out",
            "merges have no time and are left out",
        ),
        (
            "merge is of an id into itself and is left out",
            "merges are of an id into itself and are left out",
        ),
    ];
    for (rows, (one, many)) in left_out.into_iter().zip(words) {
        let first = rows.first().map(|&row| raw.place(row));
        let note = Note::counted("[merges]", rows.len(), one, many);
        remarks
            .notes
            .extend(note.map(|note| Note { first, ..note }));
    }
}

/// The id at the end of a chain of merges, from when it stands for the first (when the last of them
/// was done), and how many they are.
fn end_of_chain(
    merges: &HashMap<String, Merge>,
    from: &str,
    raw: &RawTable<'_>,
) -> Result<(String, Timestamp, usize), TablesError> {
    let mut seen: HashSet<&str> = HashSet::from([from]);
    let (mut id, mut since) = (from, Timestamp::MIN);
    while let Some(merge) = merges.get(id) {
        id = &merge.into;
        since = since.max(merge.at);
        if !seen.insert(id) {
            return Err(TablesError::Content {
                table: "[merges]".to_owned(),
                found: format!(
                    "merges go in a circle: `{id}` comes back to itself ({})",
                    raw.place(merges[id].row)
                ),
                help: "take out the merge that was undone, so that one id lives on".to_owned(),
            });
        }
    }
    Ok((id.to_owned(), since, seen.len() - 1))
}
