//! From a config to typed tables: each file read once, joined by lead, with a note for everything left out.

mod activities;
mod attributes;
mod history;
mod leads;
mod lookups;
mod outcomes;

use std::path::Path;

use hashbrown::HashMap;
use leadscore_core::{Stamp, Timestamp, stable_hash};

use crate::config::Config;
use crate::error::TablesError;
use crate::events::Activities;
use crate::scan::Table;
use crate::typed::{Attribute, History, LeadOutcome, Leads, LoadOptions, Note, Tables};

use activities::read_activities;
use attributes::{expected_kind, read_attribute, texts};
use history::read_history;
use leads::{lead_attributes, lead_ids, number_accounts, permute, permute_column, read_flags, read_leads, read_manual_score, read_order};
use lookups::{lookup_attributes, read_lookup};
use outcomes::read_outcomes;

/// Reads all tables of a config, whose paths are relative to `folder`.
///
/// # Errors
///
/// [`TablesError`] names file, line and column of the first thing that is not as the config says.
pub fn load(config: &Config, folder: &Path, options: &LoadOptions) -> Result<Tables, TablesError> {
    let mut notes = Vec::new();
    let leads_table = Table::open("[leads]", folder, config.leads.file())?;
    let raw = read_leads(config, &leads_table)?;
    let (ids, position_of_row) = lead_ids(&raw, &config.leads.id)?;
    let n_leads = ids.len();
    let index: HashMap<&str, u32> = ids.iter().enumerate().map(|(position, id)| (id.as_str(), position as u32)).collect();
    add_table_notes(&leads_table, &mut notes);

    let mut created = vec![None; n_leads];
    if let Some(column) = &config.leads.created_at {
        let times = raw.times(column)?;
        let missing = times.iter().filter(|time| time.is_none()).count();
        notes.extend(Note::counted("[leads]", missing, format!("leads have no `{column}` and are left out of every snapshot")));
        created = permute(times, &position_of_row);
    }
    let order = config.snapshots.order_by.as_ref().map(|column| read_order(&raw, column)).transpose()?.map(|values| permute(values, &position_of_row));
    let manual_score = read_manual_score(config, &raw)?.map(|values| permute(values, &position_of_row));
    let mut attributes = Vec::new();
    for column in lead_attributes(config, &leads_table, options) {
        let expected = expected_kind(options, None, &column);
        if let Some(values) = read_attribute(&raw, &column, expected, &mut notes)? {
            attributes.push(Attribute { name: column, column: permute_column(values, &position_of_row) });
        }
    }
    let flags = config.outcomes.flag.as_ref().map(|column| read_flags(config, &raw, column, &mut notes)).transpose()?;
    let mut outcomes: Vec<LeadOutcome> = vec![LeadOutcome::default(); n_leads];
    if let Some(flags) = flags {
        for (row, flag) in flags.into_iter().enumerate() {
            outcomes[position_of_row[row] as usize].flag = flag;
        }
    } else {
        read_outcomes(config, folder, &index, &created, &mut outcomes, &mut notes)?;
    }
    let mut lookups = Vec::new();
    for (name, lookup) in &config.lookups {
        let key_column = lookup.leads_key.as_ref().unwrap_or(&lookup.key);
        let keys = permute(texts(&raw, key_column)?, &position_of_row);
        let table = Table::open(&format!("[lookups.{name}]"), folder, lookup.file())?;
        table.require("key", &lookup.key)?;
        let columns = lookup_attributes(name, lookup, &table, options)?;
        let mut wanted: Vec<&str> = vec![&lookup.key];
        wanted.extend(columns.iter().map(String::as_str));
        if let Some(column) = &lookup.changed_at {
            table.require("changed_at", column)?;
            wanted.push(column);
        }
        let raw_lookup = table.read(&wanted)?;
        add_table_notes(&table, &mut notes);
        lookups.push(read_lookup(name, lookup, &raw_lookup, &columns, &keys, options, &mut notes)?);
    }
    let mut activities = Vec::new();
    for (name, activity) in &config.activities {
        let accounts = activity.account.as_ref().map(|column| texts(&raw, column).map(|keys| permute(keys, &position_of_row))).transpose()?;
        activities.push(read_activities(name, activity, folder, &index, accounts.as_deref(), &created, &mut notes)?);
    }
    let (accounts, account_hashes) = match &config.leads.account {
        Some(column) => {
            let names = permute(texts(&raw, column)?, &position_of_row);
            let (of_lead, numbers) = number_accounts(&names);
            let mut hashes = vec![0; numbers.len()];
            numbers.iter().for_each(|(name, &number)| hashes[number as usize] = stable_hash(name));
            (Some(of_lead), hashes)
        }
        None => (None, Vec::new()),
    };
    drop(raw);
    let history = match &config.history {
        Some(_) => read_history(config, folder, &index, &mut attributes, n_leads, &mut notes)?,
        None => History::default(),
    };
    let latest = latest_time(&created, &outcomes, &activities);
    let configured = config.snapshots.observation_end.map(|moment| moment.0);
    let mut observation_end = if config.is_flat() { Timestamp::MAX } else { configured.or(latest).unwrap_or(Timestamp::MAX) };
    if let Some(as_of) = options.as_of.filter(|_| !config.is_flat()) {
        observation_end = observation_end.min(as_of);
        for outcome in &mut outcomes {
            outcome.closed = outcome.closed.filter(|&at| at < as_of);
            outcome.won = outcome.won.filter(|&at| at < as_of);
        }
    }
    Ok(Tables {
        leads: Leads { id_column: config.leads.id.clone(), ids: ids.clone(), created, order, attributes, manual_score, accounts, account_hashes },
        lookups,
        activities,
        outcomes,
        history,
        is_flat: config.is_flat(),
        observation_end,
        notes,
    })
}

fn add_table_notes(table: &Table<'_>, notes: &mut Vec<Note>) {
    notes.extend(table.notes.iter().map(|text| Note::new(&table.name, text)));
}

fn latest_time(created: &[Option<Stamp>], outcomes: &[LeadOutcome], activities: &[Activities]) -> Option<Timestamp> {
    let created = created.iter().flatten().map(|stamp| stamp.known);
    let closed = outcomes.iter().filter_map(|outcome| outcome.closed);
    let events = activities.iter().flat_map(|activity| activity.rows.at.iter().copied());
    created.chain(closed).chain(events).max()
}
