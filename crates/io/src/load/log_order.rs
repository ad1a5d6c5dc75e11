//! Rows of a log with different results at one moment: the order of a file tells which is the later
//! one, and nothing does where rows have no order.

use std::path::Path;

use hashbrown::HashMap;
use leadscore_config::{Config, Doubt, Subject, TableId, shortened};
use leadscore_core::Timestamp;

use super::results::{check_outcomes, meaning};
use crate::associations::Associations;
use crate::bounds::Bounds;
use crate::error::TablesError;
use crate::remarks::Remarks;
use crate::scan::Table;

/// The doubt about the first two rows of a lead in a log of outcomes that have different results at
/// one moment, where the rows have no order of their own, as in a database.
///
/// # Errors
///
/// As [`crate::load`], for the outcomes and for what their ids go through.
pub fn unordered_log(
    config: &Config,
    folder: &Path,
    now: Timestamp,
) -> Result<Option<Doubt>, TablesError> {
    let settings = &config.outcomes;
    let (true, Some(lead), Some(closed_at), Some(result)) = (
        settings.is_log(),
        &settings.lead,
        &settings.closed_at,
        &settings.result,
    ) else {
        return Ok(None);
    };
    let bounds = Bounds::new(config, Some(now));
    let mut remarks = Remarks::default();
    let associations = Associations::read(config, folder, bounds, Some(now), &mut remarks)?;
    let table = Table::open("[outcomes]", folder, settings.file(), bounds)?;
    let table = associations.apply(config, &TableId::Outcomes, table);
    check_outcomes(config, &table)?;
    let raw = table.read(&[lead, closed_at, result])?;
    let mut said: Vec<Option<Option<bool>>> = Vec::with_capacity(raw.n_rows);
    raw.for_each_text(result, |_, text| {
        said.push(text.and_then(|text| meaning(settings, text)));
        Ok(())
    })?;
    let (times, _) = raw.times_where(closed_at, |row| said[row].is_some())?;
    let mut first_of: HashMap<(String, Timestamp), usize> = HashMap::new();
    let mut found: Option<(usize, usize, String)> = None;
    raw.for_each_text(lead, |row, id| {
        let (Some(id), Some(time), None) = (id, said[row].and(times[row]), &found) else {
            return Ok(());
        };
        let first = *first_of.entry((id.to_owned(), time.known)).or_insert(row);
        if said[first] != said[row] {
            found = Some((first, row, id.to_owned()));
        }
        Ok(())
    })?;
    Ok(found.map(|(first, row, id)| {
        let places = raw.places(&[first, row]);
        unordered_doubt(closed_at, &id, &format!(" (the other one: {})", places[0]))
            .at(Some(places[1].clone()))
    }))
}

/// The doubt about two rows of a lead with different results at one moment, in a log whose rows have
/// no order.
pub fn unordered_log_doubt(config: &Config, lead: &str) -> Option<Doubt> {
    let closed_at = config.outcomes.closed_at.as_ref()?;
    Some(unordered_doubt(closed_at, lead, ""))
}

fn unordered_doubt(closed_at: &str, lead: &str, other: &str) -> Doubt {
    let found = format!(
        "two rows of `{}` have different results at one moment{other}, and rows of a database have no order",
        shortened(lead)
    );
    Doubt::new(Subject::Results, "[outcomes]", found)
        .of_column(closed_at)
        .advise("export times with their hour and minute, or compute features from files, whose order decides")
}
