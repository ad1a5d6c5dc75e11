//! All tables of a config, one after the other, from wherever their rows come.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hashbrown::HashMap;
use leadscore_config::Doubt;
use leadscore_config::{Config, TableId};
use leadscore_core::{CellKind, Span, Stamp, Timestamp, stable_hash};
use leadscore_dataset::Activities;
use leadscore_dataset::Matched;
use leadscore_dataset::Note;
use leadscore_dataset::{
    Attribute, AttributeKey, Flag, History, KnownEnds, LeadOutcome, Leads, LoadOptions, Lookup,
    Moments, Tables,
};

use super::activities::read_activities;
use super::attributes::{expected_kind, read_attribute, texts, tokenizer_of};
use super::gathered::{Gathered, add_table_notes};
use super::history::read_history;
use super::joining::Joining;
use super::leads::{
    check_leads, lead_attributes, lead_ids, number_accounts, permute, permute_column, read_flags,
    read_leads, read_manual_score, read_order,
};
use super::lookups::read_lookups;
use super::origin::Origin;
use super::outcomes::DatedRows;
use crate::bounds::Bounds;
use crate::ends::Reach;
use crate::error::TablesError;
use crate::remarks::Remarks;
use crate::scan::{RawTable, Table};

/// Tables that were read once, from which what was known at any moment is told without reading
/// them again.
pub struct ReadTables {
    config: Config,
    leads: Arc<Leads>,
    lookups: Arc<Vec<Lookup>>,
    activities: Arc<Vec<Activities>>,
    history: Arc<History>,
    outcomes: OutcomeRows,
    matched: BTreeMap<String, Matched>,
    /// What was found before the outcomes are told as of a moment, and after.
    remarks: (Remarks, Remarks),
    ends: Ends,
}

/// What became of leads, as tables say it.
enum OutcomeRows {
    /// An outcome each, without dates.
    Flags(Vec<LeadOutcome>),
    /// Rows with dates.
    Dated(Box<DatedRows>),
}

/// How it is found until when tables speak.
struct Ends {
    known: Option<KnownEnds>,
    now: Option<Timestamp>,
    reach: Reach,
    /// Where the files are, to name the place of a time; nothing for parts.
    files: Option<(PathBuf, Bounds)>,
}

impl ReadTables {
    /// Reads all tables of a config, whose paths are relative to `folder`; `as_of` of the options
    /// is for [`Self::view`] to say, but for merges, which are followed as of then.
    ///
    /// # Errors
    ///
    /// As [`load`](super::load), less the doubts, which each view has.
    pub fn read(
        config: &Config,
        folder: &Path,
        options: &LoadOptions,
    ) -> Result<Self, TablesError> {
        let bounds = Bounds::new(config, options.now).within(options.memory);
        read_from(config, &Origin::Files(folder, bounds), options)
    }

    /// Whether the tables have these attributes, in these types.
    pub fn has(&self, wanted: &std::collections::HashMap<AttributeKey, CellKind>) -> bool {
        wanted.iter().all(|(key, wanted)| {
            let attributes = match &key.lookup {
                None => Some(&self.leads.attributes),
                Some(name) => self
                    .lookups
                    .iter()
                    .find(|lookup| lookup.name == *name)
                    .map(|lookup| &lookup.rows.attributes),
            };
            attributes
                .and_then(|found| found.iter().find(|found| found.name == key.column))
                .is_some_and(|found| found.column.kind() == *wanted)
        })
    }

    /// The tables as they were known before a moment, or are known today, and what is to be settled
    /// before anything may be computed from them.
    pub fn view(&self, as_of: Option<Timestamp>) -> (Tables, Vec<Doubt>) {
        let config = &self.config;
        let as_of = as_of.filter(|_| !config.is_flat());
        let (mut remarks, after) = self.remarks.clone();
        let (mut outcomes, courses) = match &self.outcomes {
            OutcomeRows::Flags(outcomes) => (outcomes.clone(), None),
            OutcomeRows::Dated(rows) => {
                rows.outcomes(config, &self.leads.created, as_of, &mut remarks)
            }
        };
        remarks.append(after);
        let ends = self.ends.as_of(config, as_of, &mut remarks);
        // Of a log the later rows were left out.
        if let Some(as_of) = as_of.filter(|_| courses.is_none()) {
            forget_later(&mut outcomes, as_of);
        }
        let end = ends.observation_end;
        let tables = Tables {
            leads: Arc::clone(&self.leads),
            lookups: Arc::clone(&self.lookups),
            activities: Arc::clone(&self.activities),
            outcomes,
            courses,
            history: Arc::clone(&self.history),
            is_flat: config.is_flat(),
            observation_end: as_of.map_or(end, |as_of| end.min(as_of)),
            silent: config.snapshots.silent,
            entry_lag: ends.entry_lag,
            ends: ends.tables,
            matched: self.matched.clone(),
            seen: remarks.seen,
            notes: remarks.notes,
        };
        (tables, remarks.doubts)
    }
}

/// Reads all tables as of the moment of the options, with everything that is to be settled before
/// anything may be computed.
pub(crate) fn load_from<'c>(
    config: &'c Config,
    origin: &Origin<'_, 'c>,
    options: &LoadOptions,
) -> Result<(Tables, Vec<Doubt>), TablesError> {
    Ok(read_from(config, origin, options)?.view(options.as_of))
}

fn read_from<'c>(
    config: &'c Config,
    origin: &Origin<'_, 'c>,
    options: &LoadOptions,
) -> Result<ReadTables, TablesError> {
    crate::presence::require_outcomes(config)?;
    let mut gathered = Gathered::new(Bounds::new(config, options.now).within(options.memory));
    let associations = origin.associations(config, options, &mut gathered.remarks)?;
    let table = origin.open("[leads]", config.leads.file())?;
    let table = associations.apply(config, &TableId::Leads, table);
    let has_flag = has_flag(config, options, &table);
    check_leads(config, &table, has_flag)?;
    let (rows, ids) = LeadRows::read(config, options, &table, &mut gathered.remarks)?;
    let mut leads = rows.leads(ids, &mut gathered)?;
    let flags = rows.flags(has_flag, &mut gathered.remarks)?;
    add_table_notes(
        config,
        &table,
        rows.raw.n_rows_of_files,
        &mut gathered.remarks,
    );
    let index = positions_of(&leads.ids);
    let joining = Joining {
        config,
        origin,
        options,
        associations: &associations,
        index: &index,
        created: &leads.created,
    };
    let (outcomes, after) = match flags {
        Some(flags) => (
            OutcomeRows::Flags(rows.outcomes_of_flags(flags)),
            Remarks::default(),
        ),
        None => {
            let (dated, after) = DatedRows::read(&joining, &mut gathered)?;
            (OutcomeRows::Dated(Box::new(dated)), after)
        }
    };
    let before = std::mem::replace(&mut gathered.remarks, after);
    let lookups = rows.lookups(origin, &mut gathered)?;
    let activities = rows.activities(&joining, &mut gathered)?;
    if let Some(column) = &config.leads.account {
        let (accounts, names) = rows.accounts(column)?;
        (leads.accounts, leads.account_names) = (Some(accounts), names);
    }
    if let Ok(Some(column)) = config.entity_column() {
        leads.entity_hashes = Some(rows.entity_hashes(column, &leads.ids)?);
    }
    let history = match &config.history {
        Some(_) => read_history(&joining, &mut leads.attributes, &mut gathered)?,
        None => History::default(),
    };
    let mut ids = index.keys().copied();
    associations.say_of_deleted(config, &mut ids, &mut gathered.remarks);
    rows.keep_what_was_seen(&mut gathered.remarks);
    drop(index);
    drop(rows);
    let files = match origin {
        Origin::Files(folder, bounds) => Some(((*folder).to_owned(), *bounds)),
        Origin::Spilled(..) => None,
    };
    Ok(ReadTables {
        config: config.clone(),
        leads: Arc::new(leads),
        lookups: Arc::new(lookups),
        activities: Arc::new(activities),
        history: Arc::new(history),
        outcomes,
        matched: gathered.matched,
        remarks: (before, gathered.remarks),
        ends: Ends {
            known: options.known_ends.clone(),
            now: options.now,
            reach: gathered.reach,
            files,
        },
    })
}

/// Whether the flag of a flat export has to be there: leads are scored by a model without knowing
/// what became of them.
fn has_flag(config: &Config, options: &LoadOptions, leads: &Table<'_>) -> bool {
    let flag = &config.outcomes.flag;
    flag.as_ref()
        .is_none_or(|column| options.attributes.is_none() || leads.columns().contains(column))
}

/// The leads as their table has them, and where each row goes.
struct LeadRows<'t> {
    config: &'t Config,
    options: &'t LoadOptions,
    table: &'t Table<'t>,
    raw: RawTable<'t>,
    /// Columns that a doubt leaves unread.
    unreadable: Vec<String>,
    /// The position of each row's lead in the order of ids.
    position_of_row: Vec<u32>,
}

impl<'t> LeadRows<'t> {
    /// The rows, and the ids in order.
    fn read(
        config: &'t Config,
        options: &'t LoadOptions,
        table: &'t Table<'t>,
        remarks: &mut Remarks,
    ) -> Result<(Self, Vec<String>), TablesError> {
        let (raw, unreadable) = read_leads(config, table, remarks)?;
        let (ids, position_of_row) = lead_ids(&raw, &config.leads.id)?;
        let rows = Self {
            config,
            options,
            table,
            raw,
            unreadable,
            position_of_row,
        };
        Ok((rows, ids))
    }

    /// Values by row, put in the order of the ids.
    fn in_order<T>(&self, values: Vec<T>) -> Vec<T> {
        permute(values, &self.position_of_row)
    }

    /// The leads, but for their accounts.
    fn leads(&self, ids: Vec<String>, gathered: &mut Gathered) -> Result<Leads, TablesError> {
        let config = self.config;
        let created = self.created(gathered)?;
        let recorded = self.recorded(gathered)?;
        let order = config
            .snapshots
            .order_by
            .as_ref()
            .map(|column| read_order(&self.raw, column))
            .transpose()?
            .map(|values| self.in_order(values));
        let manual_score = read_manual_score(config, &self.raw, &mut gathered.remarks)?
            .map(|values| self.in_order(values));
        let attributes = self.attributes(&mut gathered.remarks)?;
        Ok(Leads {
            id_column: config.leads.id.clone(),
            ids,
            created,
            recorded,
            order,
            attributes,
            manual_score,
            accounts: None,
            account_names: Vec::new(),
            entity_hashes: None,
        })
    }

    /// When each lead was created.
    fn created(&self, gathered: &mut Gathered) -> Result<Vec<Option<Stamp>>, TablesError> {
        let n_leads = self.raw.n_rows;
        let Some(column) = &self.config.leads.created_at else {
            return Ok(vec![None; n_leads]);
        };
        let times = match self.raw.times(column) {
            Ok(times) => {
                let missing = times.iter().filter(|time| time.is_none()).count();
                gathered.remarks.count(
                    "[leads]",
                    missing,
                    format!("lead has no `{column}` and is left out of every snapshot"),
                    format!("leads have no `{column}` and are left out of every snapshot"),
                );
                times
            }
            doubtful => gathered.remarks.take(doubtful, || vec![None; n_leads])?,
        };
        if self.options.known_ends.is_none() {
            gathered.count_times(
                "[leads]",
                column,
                times.iter().map(|time| time.map(|stamp| stamp.known)),
            );
        }
        Ok(self.in_order(times))
    }

    /// Since when each row is there, where the config says.
    fn recorded(
        &self,
        gathered: &mut Gathered,
    ) -> Result<Option<Vec<Option<Timestamp>>>, TablesError> {
        let Some(column) = &self.config.leads.recorded_at else {
            return Ok(None);
        };
        let never = || vec![None; self.raw.n_rows];
        let times = gathered.remarks.take(self.raw.times(column), never)?;
        let known = times.into_iter().map(|time| time.map(|stamp| stamp.known));
        Ok(Some(self.in_order(known.collect())))
    }

    /// The columns to learn from.
    fn attributes(&self, remarks: &mut Remarks) -> Result<Vec<Attribute>, TablesError> {
        let mut attributes = Vec::new();
        for column in lead_attributes(self.config, self.table.columns(), self.options)
            .into_iter()
            .filter(|column| !self.unreadable.contains(column))
        {
            let expected = expected_kind(self.options, None, &column);
            if let Some(values) = read_attribute(self.table, &self.raw, &column, expected, remarks)?
            {
                attributes.push(Attribute {
                    tokenizer: tokenizer_of(&self.config.leads.types, &column),
                    name: column,
                    column: permute_column(values, &self.position_of_row),
                });
            }
        }
        Ok(attributes)
    }

    /// The flag of each row of a flat export, which is nothing where there is no such column.
    fn flags(
        &self,
        has_flag: bool,
        remarks: &mut Remarks,
    ) -> Result<Option<Vec<Option<Flag>>>, TablesError> {
        match &self.config.outcomes.flag {
            Some(column) if !has_flag => {
                let text = format!(
                    "there is no column `{column}`: leads that have closed cannot be told from open ones, and are scored as if they were open"
                );
                remarks.note(Note::new("[outcomes]", text));
                Ok(Some(vec![None; self.raw.n_rows]))
            }
            flag => flag
                .as_ref()
                .map(|column| read_flags(self.config, &self.raw, column, remarks))
                .transpose(),
        }
    }

    /// What became of each lead of a flat export.
    fn outcomes_of_flags(&self, flags: Vec<Option<Flag>>) -> Vec<LeadOutcome> {
        let outcome = |flag| LeadOutcome {
            flag,
            ..LeadOutcome::default()
        };
        self.in_order(flags.into_iter().map(outcome).collect())
    }

    /// What the leads point to; read anew, unless parts of the leads share it.
    fn lookups(
        &self,
        origin: &Origin<'_, '_>,
        gathered: &mut Gathered,
    ) -> Result<Vec<Lookup>, TablesError> {
        let (config, options) = (self.config, self.options);
        let fresh;
        let shared = match origin {
            Origin::Files(folder, bounds) => {
                fresh = read_lookups(config, folder, *bounds, options, &mut gathered.remarks)?;
                &fresh
            }
            Origin::Spilled(tables, _) => &tables.lookups,
        };
        let mut lookups = Vec::new();
        for (name, lookup) in &config.lookups {
            let keys = texts(&self.raw, lookup.leads_key.as_ref().unwrap_or(&lookup.key))?;
            if options.known_ends.is_none() {
                shared[name].match_keys(config, name, &self.raw, &keys, gathered);
            }
            lookups.push(shared[name].join(
                name,
                &lookup.key,
                &self.in_order(keys),
                &mut gathered.remarks,
            ));
        }
        Ok(lookups)
    }

    /// What the leads, or their accounts, did.
    fn activities(
        &self,
        joining: &Joining<'_, '_>,
        gathered: &mut Gathered,
    ) -> Result<Vec<Activities>, TablesError> {
        let mut activities = Vec::new();
        for (name, activity) in &joining.config.activities {
            let accounts = activity
                .account
                .as_ref()
                .map(|column| self.texts(column))
                .transpose()?;
            activities.push(read_activities(
                joining,
                name,
                activity,
                accounts.as_deref(),
                gathered,
            )?);
        }
        Ok(activities)
    }

    /// The cells of a column, in the order of the ids.
    fn texts(&self, column: &str) -> Result<Vec<Option<String>>, TablesError> {
        Ok(self.in_order(texts(&self.raw, column)?))
    }

    /// Keeps what was seen of the table once every column was read.
    fn keep_what_was_seen(&self, remarks: &mut Remarks) {
        if !self.table.is_spilled() {
            let seen = self.table.seen(self.raw.n_rows);
            remarks.seen.insert(self.table.name.clone(), seen);
        }
    }

    /// The account of each lead, and the names of all accounts.
    fn accounts(&self, column: &str) -> Result<(Vec<u32>, Vec<String>), TablesError> {
        let of_rows = self.texts(column)?;
        let (of_lead, numbers) = number_accounts(&of_rows);
        let mut names = vec![String::new(); numbers.len()];
        numbers
            .into_iter()
            .for_each(|(name, number)| name.clone_into(&mut names[number as usize]));
        Ok((of_lead, names))
    }

    /// A hash of each lead's account, or of its id where it has none.
    fn entity_hashes(&self, column: &str, ids: &[String]) -> Result<Vec<u64>, TablesError> {
        let names = self.texts(column)?;
        Ok(names
            .iter()
            .zip(ids)
            .map(|(account, id)| stable_hash(account.as_ref().unwrap_or(id)))
            .collect())
    }
}

/// The position of each id.
fn positions_of(ids: &[String]) -> HashMap<&str, u32> {
    ids.iter()
        .enumerate()
        .map(|(position, id)| (id.as_str(), position as u32))
        .collect()
}

impl Ends {
    /// Until when the tables speak: as it is known already, or by the times that were counted.
    fn as_of(&self, config: &Config, as_of: Option<Timestamp>, remarks: &mut Remarks) -> KnownEnds {
        let nowhere = |_: &str, _: &str, _: &dyn Fn(Timestamp) -> bool| None;
        let moments = Moments {
            as_of,
            now: self.now,
        };
        match (&self.known, &self.files) {
            _ if config.is_flat() => KnownEnds {
                observation_end: Timestamp::MAX,
                entry_lag: Span::ZERO,
                tables: Vec::new(),
            },
            (Some(known), _) => known.clone(),
            // Where times are missing that could not be read, nobody can say until when tables
            // speak.
            _ if !remarks.doubts.is_empty() => {
                self.reach
                    .ends(config, moments, &nowhere, &mut Remarks::default())
            }
            (None, Some((folder, bounds))) => {
                let place = |table: &str, column: &str, is_so: &dyn Fn(Timestamp) -> bool| {
                    first_where(config, folder, *bounds, table, column, is_so)
                };
                self.reach.ends(config, moments, &place, remarks)
            }
            (None, None) => self.reach.ends(config, moments, &nowhere, remarks),
        }
    }
}

/// Outcomes as they were known at a moment.
fn forget_later(outcomes: &mut [LeadOutcome], as_of: Timestamp) {
    for outcome in outcomes {
        outcome.closed = outcome.closed.filter(|&at| at < as_of);
        outcome.won = outcome.won.filter(|&at| at < as_of);
        outcome.amount = outcome.amount.filter(|_| outcome.won.is_some());
    }
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
    let file = config.table(&TableId::named(table)?)?.file;
    let table = Table::open(table, folder, file, bounds).ok()?;
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
