//! From a config to typed tables: each file read once, joined by lead, with a note for everything
//! left out and a doubt for everything that could be read two ways.

mod activities;
mod attributes;
mod history;
mod leads;
mod lookups;
mod matching;
mod outcomes;
mod roles;

use std::collections::BTreeMap;
use std::path::Path;

use hashbrown::HashMap;
use leadscore_core::{Stamp, Timestamp, stable_hash};

use crate::bounds::Bounds;
use crate::config::{Config, FileConfig};
use crate::doubt::Doubt;
use crate::ends::Reach;
use crate::error::TablesError;
use crate::keys::Matched;
use crate::note::Note;
use crate::partition::Partitions;
use crate::remarks::Remarks;
use crate::scan::Table;
use crate::typed::{Attribute, History, KnownEnds, LeadOutcome, Leads, LoadOptions, Tables};

use activities::read_activities;
use attributes::{expected_kind, read_attribute, texts};
use history::read_history;
use leads::{
    check_leads, lead_attributes, lead_ids, number_accounts, permute, permute_column, read_flags,
    read_leads, read_manual_score, read_order,
};
use outcomes::read_outcomes;

pub use history::unordered_changes;
pub(crate) use lookups::{LookupTable, read_lookups};
pub(crate) use matching::{Matchings, expectation};
pub(crate) use outcomes::{check_for_results, spelled_doubt};
pub(crate) use roles::{
    check_columns, count_times, guess_types, is_keyed_by_account, key_column, spilled_columns,
    time_column,
};

/// Where the rows of tables come from.
pub(crate) enum Origin<'a, 'c> {
    /// All of them, from their files, which are relative to a folder.
    Files(&'a Path, Bounds),
    /// Those of one part of the leads.
    Spilled(&'a Partitions<'c>, usize),
}

impl<'c> Origin<'_, 'c> {
    /// Where the first row of a table stands that names nobody, as far as the whole table was
    /// looked at before.
    fn first_stranger(&self, table: &str) -> Option<String> {
        match self {
            Self::Files(..) => None,
            Self::Spilled(partitions, _) => partitions.first_stranger(table),
        }
    }

    fn open(&self, name: &str, file: FileConfig<'c>) -> Result<Table<'c>, TablesError> {
        match self {
            Self::Files(folder, bounds) => {
                let table = Table::open(name, folder, file, *bounds)?;
                crate::partition::check_fits(name, &table)?;
                Ok(table)
            }
            Self::Spilled(partitions, part) => Ok(partitions.table(name, *part)),
        }
    }
}

/// What is gathered while tables are read.
pub(crate) struct Gathered {
    pub(crate) remarks: Remarks,
    /// Times of all tables.
    pub(crate) reach: Reach,
    /// How many rows of each table match.
    pub(crate) matched: BTreeMap<String, Matched>,
    pub(crate) bounds: Bounds,
}

impl Gathered {
    fn new(bounds: Bounds) -> Self {
        Self {
            remarks: Remarks::default(),
            reach: Reach::default(),
            matched: BTreeMap::new(),
            bounds,
        }
    }

    fn count_times(
        &mut self,
        table: &str,
        column: &str,
        times: impl Iterator<Item = Option<Timestamp>>,
    ) {
        self.reach
            .add(table, column, self.bounds.window.earliest, times);
    }
}

/// Reads all tables of a config, whose paths are relative to `folder`.
///
/// # Errors
///
/// [`TablesError`] names file, line and column of the first thing that is not as the config says;
/// [`TablesError::Doubts`] holds everything that could be read two ways, with the lines of config
/// that settle it.
pub fn load(config: &Config, folder: &Path, options: &LoadOptions) -> Result<Tables, TablesError> {
    match look(config, folder, options)? {
        (tables, doubts) if doubts.is_empty() => Ok(tables),
        (_, doubts) => Err(TablesError::Doubts(doubts)),
    }
}

/// Reads all tables, and says what is to be settled before anything may be computed from them: what
/// it is about is missing in the tables.
///
/// # Errors
///
/// As [`load`], less the doubts.
pub fn look(
    config: &Config,
    folder: &Path,
    options: &LoadOptions,
) -> Result<(Tables, Vec<Doubt>), TablesError> {
    load_from(
        config,
        &Origin::Files(
            folder,
            Bounds::new(config, options.now).within(options.memory),
        ),
        options,
    )
}

pub(crate) fn load_from<'c>(
    config: &'c Config,
    origin: &Origin<'_, 'c>,
    options: &LoadOptions,
) -> Result<(Tables, Vec<Doubt>), TablesError> {
    config.require_outcomes()?;
    let mut gathered = Gathered::new(Bounds::new(config, options.now).within(options.memory));
    let leads_table = origin.open("[leads]", config.leads.file())?;
    // Leads are scored by a model without knowing what became of them.
    let has_flag = config.outcomes.flag.as_ref().is_none_or(|column| {
        options.attributes.is_none() || leads_table.columns().contains(column)
    });
    check_leads(config, &leads_table, has_flag)?;
    let (raw, unreadable) = read_leads(config, &leads_table, &mut gathered.remarks)?;
    let (ids, position_of_row) = lead_ids(&raw, &config.leads.id)?;
    let n_leads = ids.len();
    let index: HashMap<&str, u32> = ids
        .iter()
        .enumerate()
        .map(|(position, id)| (id.as_str(), position as u32))
        .collect();

    let mut created = vec![None; n_leads];
    if let Some(column) = &config.leads.created_at {
        let times = match raw.times(column) {
            Ok(times) => {
                let missing = times.iter().filter(|time| time.is_none()).count();
                gathered.remarks.count(
                    "[leads]",
                    missing,
                    format!("leads have no `{column}` and are left out of every snapshot"),
                );
                times
            }
            doubtful => gathered.remarks.take(doubtful, || vec![None; raw.n_rows])?,
        };
        if options.known_ends.is_none() {
            gathered.count_times(
                "[leads]",
                column,
                times.iter().map(|time| time.map(|stamp| stamp.known)),
            );
        }
        created = permute(times, &position_of_row);
    }
    let order = config
        .snapshots
        .order_by
        .as_ref()
        .map(|column| read_order(&raw, column))
        .transpose()?
        .map(|values| permute(values, &position_of_row));
    let manual_score = read_manual_score(config, &raw, &mut gathered.remarks)?
        .map(|values| permute(values, &position_of_row));
    let mut attributes = Vec::new();
    for column in lead_attributes(config, leads_table.columns(), options)
        .into_iter()
        .filter(|column| !unreadable.contains(column))
    {
        let expected = expected_kind(options, None, &column);
        if let Some(values) =
            read_attribute(&leads_table, &raw, &column, expected, &mut gathered.remarks)?
        {
            attributes.push(Attribute {
                name: column,
                column: permute_column(values, &position_of_row),
            });
        }
    }
    let flags = match &config.outcomes.flag {
        Some(column) if !has_flag => {
            let text = format!(
                "there is no column `{column}`: leads that have closed cannot be told from open ones, and are scored as if they were open"
            );
            gathered.remarks.note(Note::new("[outcomes]", text));
            Some(vec![None; n_leads])
        }
        flag => flag
            .as_ref()
            .map(|column| read_flags(config, &raw, column, &mut gathered.remarks))
            .transpose()?,
    };
    add_table_notes(
        config,
        &leads_table,
        raw.n_rows_of_files(),
        &mut gathered.remarks,
    );
    let mut outcomes: Vec<LeadOutcome> = vec![LeadOutcome::default(); n_leads];
    if let Some(flags) = flags {
        for (row, flag) in flags.into_iter().enumerate() {
            outcomes[position_of_row[row] as usize].flag = flag;
        }
    } else {
        read_outcomes(
            config,
            origin,
            &index,
            &created,
            &mut outcomes,
            options,
            &mut gathered,
        )?;
    }
    let fresh;
    let shared = match origin {
        Origin::Files(folder, bounds) => {
            fresh = read_lookups(config, folder, *bounds, options, &mut gathered.remarks)?;
            &fresh
        }
        Origin::Spilled(partitions, _) => partitions.lookups(),
    };
    let mut lookups = Vec::new();
    for (name, lookup) in &config.lookups {
        let keys = texts(&raw, lookup.leads_key.as_ref().unwrap_or(&lookup.key))?;
        if options.known_ends.is_none() {
            shared[name].match_keys(config, name, &raw, &keys, &mut gathered);
        }
        lookups.push(shared[name].join(
            name,
            &lookup.key,
            &permute(keys, &position_of_row),
            &mut gathered.remarks,
        ));
    }
    let mut activities = Vec::new();
    for (name, activity) in &config.activities {
        let accounts = activity
            .account
            .as_ref()
            .map(|column| texts(&raw, column).map(|keys| permute(keys, &position_of_row)))
            .transpose()?;
        activities.push(read_activities(
            config,
            name,
            activity,
            origin,
            &index,
            accounts.as_deref(),
            &created,
            options,
            &mut gathered,
        )?);
    }
    let account_names =
        |column: &str| Ok::<_, TablesError>(permute(texts(&raw, column)?, &position_of_row));
    let (accounts, names_of_accounts) = match &config.leads.account {
        Some(column) => {
            let of_rows = account_names(column)?;
            let (of_lead, numbers) = number_accounts(&of_rows);
            let mut names = vec![String::new(); numbers.len()];
            numbers
                .into_iter()
                .for_each(|(name, number)| name.clone_into(&mut names[number as usize]));
            (Some(of_lead), names)
        }
        None => (None, Vec::new()),
    };
    let entity_hashes = match config.entity_column() {
        Ok(Some(column)) => {
            let names = account_names(column)?;
            Some(
                names
                    .iter()
                    .zip(&ids)
                    .map(|(account, id)| stable_hash(account.as_ref().unwrap_or(id)))
                    .collect(),
            )
        }
        _ => None,
    };
    let history = match &config.history {
        Some(_) => read_history(
            config,
            origin,
            &index,
            options,
            &mut attributes,
            &created,
            &mut gathered,
        )?,
        None => History::default(),
    };
    if !leads_table.is_spilled() {
        gathered
            .remarks
            .seen
            .insert(leads_table.name.clone(), leads_table.seen(raw.n_rows));
    }
    drop(index);
    drop(raw);
    let Gathered {
        mut remarks,
        reach,
        matched,
        ..
    } = gathered;
    let ends = match (&options.known_ends, origin) {
        _ if config.is_flat() => KnownEnds {
            observation_end: Timestamp::MAX,
            entry_lag: leadscore_core::Span::ZERO,
            tables: Vec::new(),
        },
        (Some(known), _) => known.clone(),
        // Where times are missing that could not be read, nobody can say until when tables speak.
        _ if !remarks.doubts.is_empty() => {
            reach.ends(config, options, &|_, _, _| None, &mut Remarks::default())
        }
        (None, Origin::Files(folder, bounds)) => {
            let place = |table: &str, column: &str, is_so: &dyn Fn(Timestamp) -> bool| {
                first_where(config, folder, *bounds, table, column, is_so)
            };
            reach.ends(config, options, &place, &mut remarks)
        }
        (None, Origin::Spilled(..)) => reach.ends(config, options, &|_, _, _| None, &mut remarks),
    };
    let observation_end = if config.is_flat() {
        Timestamp::MAX
    } else {
        options.as_of.map_or(ends.observation_end, |as_of| {
            ends.observation_end.min(as_of)
        })
    };
    if let Some(as_of) = options.as_of.filter(|_| !config.is_flat()) {
        for outcome in &mut outcomes {
            outcome.closed = outcome.closed.filter(|&at| at < as_of);
            outcome.won = outcome.won.filter(|&at| at < as_of);
            outcome.amount = outcome.amount.filter(|_| outcome.won.is_some());
        }
    }
    let tables = Tables {
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
        silent: config.snapshots.silent,
        entry_lag: ends.entry_lag,
        ends: ends.tables,
        matched,
        seen: remarks.seen,
        notes: remarks.notes,
    };
    Ok((tables, remarks.doubts))
}

/// Place and text of the first cell of a time column whose time is so.
pub(crate) fn first_where(
    config: &Config,
    folder: &Path,
    bounds: Bounds,
    table: &str,
    column: &str,
    is_so: &dyn Fn(Timestamp) -> bool,
) -> Option<(String, String)> {
    let (name, file) = config.files().into_iter().find(|(name, _)| name == table)?;
    let table = Table::open(&name, folder, file, bounds).ok()?;
    let raw = table.read(&[column]).ok()?;
    let row = raw
        .times(column)
        .ok()?
        .iter()
        .position(|time| time.is_some_and(|stamp| is_so(stamp.known)))?;
    let mut text = None;
    raw.for_each_text(column, |at, cell| {
        if at == row {
            text = cell.map(str::to_owned);
        }
        Ok(())
    })
    .ok()?;
    Some((raw.place(row), text.unwrap_or_default()))
}

/// Fails where a lead has no id, or stands there twice.
pub(crate) fn check_ids(config: &Config, leads: &Table<'_>) -> Result<(), TablesError> {
    lead_ids(&leads.read(&[&config.leads.id])?, &config.leads.id).map(drop)
}

/// Says how the files of a table were read, and what of it as a whole is a doubt; those of a part
/// were said with the whole.
pub(crate) fn add_table_notes(
    config: &Config,
    table: &Table<'_>,
    n_rows: usize,
    remarks: &mut Remarks,
) {
    if table.is_spilled() {
        return;
    }
    remarks.seen.insert(table.name.clone(), table.seen(n_rows));
    crate::data_profile::empty_parts(config, table)
        .into_iter()
        .for_each(|doubt| remarks.doubt(doubt));
    crate::sentinels::doubts(table)
        .into_iter()
        .for_each(|doubt| remarks.doubt(doubt));
    remarks
        .notes
        .extend(table.notes.iter().map(|text| Note::new(&table.name, text)));
    for column in table.columns_of_days() {
        remarks.note(Note::new(
            &table.name,
            format!(
                "every time in `{column}` is a midnight: they are days, and count from their end"
            ),
        ));
    }
}

/// When each lead was created, as far as events can be compared with it.
fn created_start(created: &[Option<Stamp>], owner: u32) -> Option<Timestamp> {
    created
        .get(owner as usize)
        .copied()
        .flatten()
        .map(|stamp| stamp.start)
}
