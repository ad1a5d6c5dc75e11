//! From a config to typed tables: each file read once, joined by lead, with a note for everything left out.

mod activities;
mod attributes;
mod history;
mod leads;
mod lookups;
mod outcomes;
mod roles;

use std::path::Path;

use hashbrown::HashMap;
use leadscore_core::{Stamp, Timestamp, stable_hash};

use crate::config::{Config, FileConfig};
use crate::error::TablesError;
use crate::partition::Partitions;
use crate::scan::Table;
use crate::typed::{Attribute, History, LeadOutcome, Leads, LoadOptions, Note, Tables};

use activities::read_activities;
use attributes::{expected_kind, read_attribute, texts};
use history::read_history;
use leads::{check_leads, lead_attributes, lead_ids, number_accounts, permute, permute_column, read_flags, read_leads, read_manual_score, read_order};
use outcomes::read_outcomes;

pub(crate) use lookups::{LookupTable, read_lookups};
pub(crate) use roles::{check_columns, guess_types, is_keyed_by_account, key_column, latest_of_rows, spilled_columns};

/// Where the rows of tables come from.
pub(crate) enum Origin<'a, 'c> {
    /// All of them, from their files, which are relative to a folder.
    Files(&'a Path),
    /// Those of one part of the leads.
    Spilled(&'a Partitions<'c>, usize),
}

impl<'c> Origin<'_, 'c> {
    fn open(&self, name: &str, file: FileConfig<'c>) -> Result<Table<'c>, TablesError> {
        match self {
            Self::Files(folder) => Table::open(name, folder, file),
            Self::Spilled(partitions, part) => Ok(partitions.table(name, *part)),
        }
    }
}

/// Reads all tables of a config, whose paths are relative to `folder`.
///
/// # Errors
///
/// [`TablesError`] names file, line and column of the first thing that is not as the config says.
pub fn load(config: &Config, folder: &Path, options: &LoadOptions) -> Result<Tables, TablesError> {
    load_from(config, &Origin::Files(folder), options)
}

pub(crate) fn load_from<'c>(config: &'c Config, origin: &Origin<'_, 'c>, options: &LoadOptions) -> Result<Tables, TablesError> {
    let mut notes = Vec::new();
    let leads_table = origin.open("[leads]", config.leads.file())?;
    check_leads(config, &leads_table)?;
    let raw = read_leads(config, &leads_table)?;
    let mut latest = match options.latest {
        Some(latest) => Some(latest),
        None => latest_of_rows(config, "[leads]", &raw)?,
    };
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
    for column in lead_attributes(config, leads_table.columns(), options) {
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
        latest = latest.max(read_outcomes(config, origin, &index, &created, &mut outcomes, &mut notes)?);
    }
    let fresh;
    let shared = match origin {
        Origin::Files(folder) => {
            fresh = read_lookups(config, folder, options, &mut notes)?;
            &fresh
        }
        Origin::Spilled(partitions, _) => partitions.lookups(),
    };
    let mut lookups = Vec::new();
    for (name, lookup) in &config.lookups {
        let keys = permute(texts(&raw, lookup.leads_key.as_ref().unwrap_or(&lookup.key))?, &position_of_row);
        lookups.push(shared[name].join(name, &lookup.key, &keys, &mut notes));
    }
    let mut activities = Vec::new();
    for (name, activity) in &config.activities {
        let accounts = activity.account.as_ref().map(|column| texts(&raw, column).map(|keys| permute(keys, &position_of_row))).transpose()?;
        let (events, seen) = read_activities(name, activity, origin, &index, accounts.as_deref(), &created, &mut notes)?;
        activities.push(events);
        latest = latest.max(seen);
    }
    let account_names = |column: &str| Ok::<_, TablesError>(permute(texts(&raw, column)?, &position_of_row));
    let (accounts, names_of_accounts) = match &config.leads.account {
        Some(column) => {
            let of_rows = account_names(column)?;
            let (of_lead, numbers) = number_accounts(&of_rows);
            let mut names = vec![String::new(); numbers.len()];
            numbers.into_iter().for_each(|(name, number)| name.clone_into(&mut names[number as usize]));
            (Some(of_lead), names)
        }
        None => (None, Vec::new()),
    };
    let entity_hashes = match config.entity_column() {
        Ok(Some(column)) => {
            let names = account_names(column)?;
            Some(names.iter().zip(&ids).map(|(account, id)| stable_hash(account.as_ref().unwrap_or(id))).collect())
        }
        _ => None,
    };
    let history = match &config.history {
        Some(_) => read_history(config, origin, &index, options, &mut attributes, n_leads, &mut notes)?,
        None => History::default(),
    };
    drop(index);
    drop(raw);
    let observation_end = observation_end(config, options, options.latest.or(latest), &mut notes);
    if let Some(as_of) = options.as_of.filter(|_| !config.is_flat()) {
        for outcome in &mut outcomes {
            outcome.closed = outcome.closed.filter(|&at| at < as_of);
            outcome.won = outcome.won.filter(|&at| at < as_of);
            outcome.amount = outcome.amount.filter(|_| outcome.won.is_some());
        }
    }
    Ok(Tables {
        leads: Leads {
            id_column: config.leads.id.clone(),
            ids,
            created,
            order,
            attributes,
            manual_score,
            accounts,
            account_names: names_of_accounts,
            entity_hashes,
        },
        lookups,
        activities,
        outcomes,
        history,
        is_flat: config.is_flat(),
        observation_end,
        notes,
    })
}

/// Fails where a lead has no id, or stands there twice.
pub(crate) fn check_ids(config: &Config, leads: &Table<'_>) -> Result<(), TablesError> {
    lead_ids(&leads.read(&[&config.leads.id])?, &config.leads.id).map(drop)
}

/// The last moment that the data speaks of: as configured, or the latest time seen, but never later than now or `as_of`.
fn observation_end(config: &Config, options: &LoadOptions, latest: Option<Timestamp>, notes: &mut Vec<Note>) -> Timestamp {
    if config.is_flat() {
        return Timestamp::MAX;
    }
    let configured = config.snapshots.observation_end.map(|moment| moment.0);
    let mut end = configured.or(latest).unwrap_or(Timestamp::MAX);
    if let (None, Some(latest), Some(now)) = (configured, latest, options.now)
        && latest > now
    {
        let text = format!("the latest time in the data, {latest}, lies in the future: the data is taken to speak until now; `observation_end` says it better");
        notes.push(Note::new("[snapshots]", text));
        end = now;
    }
    options.as_of.map_or(end, |as_of| end.min(as_of))
}

fn add_table_notes(table: &Table<'_>, notes: &mut Vec<Note>) {
    notes.extend(table.notes.iter().map(|text| Note::new(&table.name, text)));
}

fn latest_known(times: &[Option<Stamp>]) -> Option<Timestamp> {
    times.iter().flatten().map(|stamp| stamp.known).max()
}
