//! Which leads were won or lost, and when.

use std::path::Path;

use hashbrown::HashMap;
use leadscore_core::Stamp;

use super::add_table_notes;
use crate::config::{Config, Scalar};
use crate::error::TablesError;
use crate::scan::Table;
use crate::typed::{LeadOutcome, Note};

pub(super) fn read_outcomes(
    config: &Config,
    folder: &Path,
    index: &HashMap<&str, u32>,
    created: &[Option<Stamp>],
    outcomes: &mut [LeadOutcome],
    notes: &mut Vec<Note>,
) -> Result<(), TablesError> {
    let settings = &config.outcomes;
    let (lead, closed_at) = (settings.lead.as_deref().expect("checked with the config"), settings.closed_at.as_deref().expect("checked with the config"));
    let table = Table::open("[outcomes]", folder, settings.file())?;
    table.require("lead", lead)?;
    table.require("closed_at", closed_at)?;
    let mut columns = vec![lead, closed_at];
    if let Some(result) = &settings.result {
        table.require("result", result)?;
        columns.push(result);
    }
    let raw = table.read(&columns)?;
    add_table_notes(&table, notes);
    let times = raw.times(closed_at)?;
    let won: Vec<String> = settings.won.iter().map(Scalar::text).collect();
    let lost: Vec<String> = settings.lost.iter().map(Scalar::text).collect();
    // Per row: won, lost, or neither yet.
    let mut results: Vec<Option<bool>> = vec![Some(true); raw.n_rows];
    let mut open = 0_usize;
    if let Some(result) = &settings.result {
        raw.for_each_text(result, |row, text| {
            results[row] = match text {
                Some(text) if won.iter().any(|value| value == text) => Some(true),
                Some(text) if lost.iter().any(|value| value == text) => Some(false),
                _ => {
                    open += 1;
                    None
                }
            };
            Ok(())
        })?;
    }
    let (mut unknown, mut without_time, mut early, mut several) = (0_usize, 0_usize, Vec::new(), 0_usize);
    raw.for_each_text(lead, |row, text| {
        let Some(&position) = text.and_then(|text| index.get(text)) else {
            unknown += 1;
            return Ok(());
        };
        let Some(is_won) = results[row] else { return Ok(()) };
        let Some(stamp) = times[row] else {
            without_time += 1;
            return Ok(());
        };
        if created[position as usize].is_some_and(|created| stamp.known < created.start) {
            early.push(row);
        }
        let outcome = &mut outcomes[position as usize];
        several += usize::from(outcome.closed.is_some());
        outcome.closed = Some(outcome.closed.map_or(stamp.known, |known| known.min(stamp.known)));
        if is_won {
            outcome.won = Some(outcome.won.map_or(stamp.known, |known| known.min(stamp.known)));
        }
        Ok(())
    })?;
    let mut add = |count: usize, text: &str| notes.extend(Note::counted("[outcomes]", count, text));
    add(unknown, "outcomes are of leads that the leads table does not have; they are left out");
    add(open, "rows have a result that is neither in `won` nor in `lost`; they count as not closed");
    add(without_time, "closed rows have no time and are left out");
    add(several, "outcomes are of leads that closed before; a lead stays at risk until it first closes, and is won when it is first won");
    if let Some(&row) = early.first() {
        let note = Note::counted("[outcomes]", early.len(), "outcomes close before their lead was created; those leads were never at risk");
        notes.extend(note.map(|note| Note { first: Some(raw.place(row)), ..note }));
    }
    if outcomes.iter().all(|outcome| outcome.closed.is_none()) && raw.n_rows > 0 && unknown == raw.n_rows {
        return Err(TablesError::Content {
            table: "[outcomes]".to_owned(),
            found: format!("none of its {} rows names a lead of the leads table", raw.n_rows),
            help: "check that `lead` holds the same ids as `id` of [leads]".to_owned(),
        });
    }
    Ok(())
}
