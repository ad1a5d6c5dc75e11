//! Which leads were won or lost, and when.

use hashbrown::HashMap;
use leadscore_core::{Stamp, Timestamp};

use super::{Origin, add_table_notes};
use crate::config::{Config, OutcomesConfig, Scalar};
use crate::error::TablesError;
use crate::scan::{RawTable, Table};
use crate::typed::{LeadOutcome, Note};

/// Fails where the outcomes lack a column that the config names.
pub(super) fn check_outcomes(config: &Config, table: &Table<'_>) -> Result<(), TablesError> {
    for (key, column) in
        [("lead", &config.outcomes.lead), ("closed_at", &config.outcomes.closed_at), ("result", &config.outcomes.result), ("amount", &config.outcomes.amount)]
    {
        if let Some(column) = column {
            table.require(key, column)?;
        }
    }
    Ok(())
}

/// What each row says: won, lost, or neither yet, and when.
pub(super) struct Results {
    times: Vec<Option<Stamp>>,
    results: Vec<Option<bool>>,
    open: usize,
    /// The latest time of a row that is closed.
    pub(super) latest: Option<Timestamp>,
}

impl Results {
    pub(super) fn read(settings: &OutcomesConfig, raw: &RawTable<'_>) -> Result<Self, TablesError> {
        let times = raw.times(settings.closed_at.as_deref().expect("checked with the config"))?;
        let won: Vec<String> = settings.won.iter().map(Scalar::text).collect();
        let lost: Vec<String> = settings.lost.iter().map(Scalar::text).collect();
        let mut results: Vec<Option<bool>> = vec![Some(true); raw.n_rows];
        if let Some(result) = &settings.result {
            raw.for_each_text(result, |row, text| {
                results[row] = match text {
                    Some(text) if won.iter().any(|value| value == text) => Some(true),
                    Some(text) if lost.iter().any(|value| value == text) => Some(false),
                    _ => None,
                };
                Ok(())
            })?;
        }
        let open = results.iter().filter(|result| result.is_none()).count();
        let latest = times.iter().zip(&results).filter(|(_, result)| result.is_some()).filter_map(|(time, _)| time.map(|stamp| stamp.known)).max();
        Ok(Self { times, results, open, latest })
    }
}

/// Reads when each lead closed; returns the latest time that any outcome speaks of.
pub(super) fn read_outcomes<'c>(
    config: &'c Config,
    origin: &Origin<'_, 'c>,
    index: &HashMap<&str, u32>,
    created: &[Option<Stamp>],
    outcomes: &mut [LeadOutcome],
    notes: &mut Vec<Note>,
) -> Result<Option<Timestamp>, TablesError> {
    let settings = &config.outcomes;
    let lead = settings.lead.as_deref().expect("checked with the config");
    let table = origin.open("[outcomes]", settings.file())?;
    check_outcomes(config, &table)?;
    // Parts of the leads hold what features need.
    let amount = settings.amount.as_ref().filter(|_| !table.is_spilled());
    let columns: Vec<&str> =
        [settings.lead.as_ref(), settings.closed_at.as_ref(), settings.result.as_ref(), amount].into_iter().flatten().map(String::as_str).collect();
    let raw = table.read(&columns)?;
    let amounts = amount.map(|column| raw.numbers(column)).transpose()?;
    add_table_notes(&table, notes);
    let Results { times, results, open, latest } = Results::read(settings, &raw)?;
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
            if let Some(amount) = amounts.as_ref().map(|amounts| amounts[row]).filter(|amount| !amount.is_nan()) {
                outcome.amount = Some(outcome.amount.unwrap_or(0.0) + amount);
            }
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
    if !table.is_spilled() && raw.n_rows > 0 && unknown == raw.n_rows {
        return Err(TablesError::Content {
            table: "[outcomes]".to_owned(),
            found: format!("none of its {} rows names a lead of the leads table", raw.n_rows),
            help: "check that `lead` holds the same ids as `id` of [leads]".to_owned(),
        });
    }
    Ok(latest)
}
