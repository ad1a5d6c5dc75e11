//! Tables larger than memory: every row goes to the part that its lead belongs to, and parts are
//! then loaded one by one.

mod spilling;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::{HashMap, HashSet};
use leadscore_config::{Config, Doubt, TableRef};
use leadscore_core::{Timestamp, stable_hash};
use leadscore_dataset::Note;
use leadscore_dataset::{KnownEnds, LoadOptions, Tables};
use spilling::{Seen, Spilling, locked};

use crate::associations::Associations;
use crate::bounds::Bounds;
use crate::ends::Reach;
use crate::error::TablesError;
use crate::in_order::in_order;
use crate::load::{self, Matchings, Origin, SpilledTables, load_from};
use crate::remarks::Remarks;
use crate::row_memory::bytes_of_rows;
use crate::scan::{Batch, Table};
use crate::scratch::ScratchFolder;

/// How tables are split into parts.
pub struct PartitionOptions<'p> {
    /// Bytes that may be used at once, roughly.
    pub memory: u64,
    /// A folder for what does not fit; it is made, and removed in the end.
    pub spill: PathBuf,
    /// Told of rows that were read, and of all that there are.
    pub progress: &'p (dyn Fn(usize, usize) + Sync),
    /// Whose rows are kept; default: everybody's.
    pub wanted: Option<Wanted<'p>>,
}

/// Leads whose rows in event tables and in the history are asked for; those of others are read and
/// left out, so that notes do not count them.
#[derive(Clone, Copy)]
pub struct Wanted<'p> {
    /// Which leads they are, by the leads and outcomes of a part. Where the latest time in the data
    /// is not known, that of these tables is none too late.
    pub leads: &'p (dyn Fn(&Tables) -> Vec<bool> + Sync),
    /// Event tables of which everybody's rows are kept, by their names in the config.
    pub whole: &'p [&'p str],
}

/// Tables that were split by lead (with accounts: by account), waiting on disk.
pub struct Partitions<'c> {
    config: &'c Config,
    n_parts: usize,
    spilled: SpilledTables<'c>,
    options: LoadOptions,
    /// What is to be known about the tables as a whole.
    pub notes: Vec<Note>,
}

/// Rows of one batch: large enough to share the cost of a read, small enough that two batches are
/// little memory.
const BATCH_ROWS: usize = 1 << 18;
/// A part is no larger than this, however much memory there is: what fits into the processor's
/// cache is faster.
const BYTES_PER_PART: u64 = 128 << 20;
/// What the program needs besides: batches, buffers, the reader's own.
const FIXED_BYTES: u64 = 300 << 20;

/// Whether these tables need more than this memory at once.
///
/// # Errors
///
/// As [`crate::load`], for files that cannot be opened.
pub fn needs_partitions(
    config: &Config,
    folder: &Path,
    memory: u64,
    options: &LoadOptions,
) -> Result<bool, TablesError> {
    crate::presence::require_outcomes(config)?;
    let mut bytes = FIXED_BYTES;
    for table in config.row_tables() {
        let name = table.id.heading();
        let table = Table::open(
            &name,
            folder,
            table.file,
            Bounds::new(config, options.now).within(options.memory),
        )?;
        bytes += bytes_of(&name, &table.batches(BATCH_ROWS)?);
    }
    Ok(bytes > memory)
}

/// Bytes that a table's rows cost while they are worked on.
fn bytes_of(name: &str, batches: &[Batch]) -> u64 {
    batches
        .iter()
        .map(|batch| bytes_of_rows(name, batch.n_rows))
        .sum()
}

/// Into how many parts rows are split that cost so many bytes.
fn n_parts_of(bytes: u64, memory: u64) -> usize {
    // As many parts are worked on at once as there are threads.
    let at_once = (memory.saturating_sub(FIXED_BYTES) / rayon::current_num_threads() as u64)
        .clamp(1 << 20, BYTES_PER_PART);
    usize::try_from(bytes.div_ceil(at_once))
        .unwrap_or(usize::MAX)
        .clamp(1, 4096)
}

impl<'c> Partitions<'c> {
    /// Reads every table once, in batches, and writes each row to the part of its lead.
    ///
    /// # Errors
    ///
    /// As [`crate::load`]; [`TablesError::Content`] where tables are keyed by several accounts, so
    /// that no split keeps together what belongs together.
    pub fn new(
        config: &'c Config,
        folder: &Path,
        options: &LoadOptions,
        how: &PartitionOptions<'_>,
    ) -> Result<Self, TablesError> {
        crate::presence::require_outcomes(config)?;
        let entity_column = entity_column(config)?;
        let bounds = Bounds::new(config, options.now).within(options.memory);
        let mut remarks = Remarks::default();
        let associations = Associations::read(
            config,
            folder,
            bounds,
            options.as_of.or(options.now),
            &mut remarks,
        )?;
        let mut tables = BTreeMap::new();
        for TableRef { id, file, .. } in config.row_tables() {
            let table = Table::open(&id.heading(), folder, file, bounds)?;
            tables.insert(id.heading(), associations.apply(config, &id, table));
        }
        load::check_columns(config, &tables)?;
        let batches: BTreeMap<String, Vec<Batch>> = tables
            .iter()
            .map(|(name, table)| Ok((name.clone(), table.batches(BATCH_ROWS)?)))
            .collect::<Result<_, TablesError>>()?;
        let bytes: u64 = batches
            .iter()
            .map(|(name, batches)| bytes_of(name, batches))
            .sum();
        let lookups = load::read_lookups(config, folder, bounds, options, &mut remarks)?;
        let mut options = options.clone();
        load::guess_types(config, &tables, &batches, &mut options, &mut remarks)?;
        let mut names: Vec<String> = tables.keys().cloned().collect();
        let partitions = Self {
            config,
            n_parts: n_parts_of(bytes, how.memory),
            spilled: SpilledTables {
                folder: ScratchFolder::create(&how.spill)?,
                tables,
                schemas: BTreeMap::new(),
                lookups,
                strangers: BTreeMap::new(),
            },
            options,
            notes: Vec::new(),
        };
        let mut splitting = Splitting::new(partitions, &batches, how, entity_column, remarks);
        // Leads first: where accounts decide, their rows say which part a lead's other rows go to.
        // Then outcomes: with them one knows whose rows are wanted.
        names.sort_by_key(|name| (name != "[leads]", name != "[outcomes]"));
        for (number, name) in names.iter().enumerate() {
            splitting.split(number, name)?;
        }
        splitting.finish(folder, bounds)
    }

    /// Until when the data speaks.
    pub fn ends(&self) -> Option<&KnownEnds> {
        self.options.known_ends.as_ref()
    }

    /// Number of parts.
    pub fn n_parts(&self) -> usize {
        self.n_parts
    }

    /// The tables of one part: leads in order of id, and all that belongs to them.
    ///
    /// # Errors
    ///
    /// As [`crate::load`].
    pub fn load(&self, part: usize) -> Result<Tables, TablesError> {
        whole(load_from(
            self.config,
            &Origin::Spilled(&self.spilled, part),
            &self.options,
        )?)
    }

    /// Hashes of the ids of leads whose rows nobody asks for; leads and outcomes wait on disk
    /// already.
    fn unwanted_leads(
        &self,
        wanted: Wanted<'_>,
        so_far: KnownEnds,
    ) -> Result<HashSet<u64>, TablesError> {
        let mut config = self.config.clone();
        config.activities.clear();
        config.lookups.clear();
        config.history = None;
        let options = LoadOptions {
            attributes: Some(std::collections::HashMap::new()),
            known_ends: Some(so_far),
            ..self.options.clone()
        };
        let look = |part| -> Result<Vec<u64>, TablesError> {
            let tables = whole(load_from(
                &config,
                &Origin::Spilled(&self.spilled, part),
                &options,
            )?)?;
            let leads = tables.leads.ids.iter().zip((wanted.leads)(&tables));
            Ok(leads
                .filter(|(_, is_wanted)| !is_wanted)
                .map(|(id, _)| stable_hash(id))
                .collect())
        };
        let mut unwanted = HashSet::new();
        in_order(self.n_parts, rayon::current_num_threads(), look, |hashes| {
            unwanted.extend(hashes);
            Ok(())
        })?;
        Ok(unwanted)
    }
}

/// The tables of a part, which hold no doubt that the whole did not.
fn whole((tables, doubts): (Tables, Vec<Doubt>)) -> Result<Tables, TablesError> {
    if doubts.is_empty() {
        Ok(tables)
    } else {
        Err(TablesError::Doubts(doubts))
    }
}

/// The column of the leads with the account that keeps leads together, if any.
fn entity_column(config: &Config) -> Result<Option<&str>, TablesError> {
    config.entity_column().map_err(|(first, second)| TablesError::Content {
        table: "[activities]".to_owned(),
        found: format!(
            "events are told apart by two accounts, `{first}` and `{second}`, so leads cannot be split into parts that share nothing"
        ),
        help: "use one account column, or more memory".to_owned(),
    })
}

/// Tables while they are split, one after the other.
struct Splitting<'s, 'c> {
    partitions: Partitions<'c>,
    batches: &'s BTreeMap<String, Vec<Batch>>,
    how: &'s PartitionOptions<'s>,
    /// The column of the leads with the account that keeps leads together.
    entity_column: Option<&'c str>,
    /// Where accounts decide, the part of each lead by the hash of its id.
    part_of_lead: Option<HashMap<u64, u16>>,
    /// Hashes of the ids of leads whose rows nobody asks for, once that is known.
    unwanted: Option<HashSet<u64>>,
    remarks: Remarks,
    seen: Mutex<Seen>,
    /// Rows that were read, and all that there are.
    done: AtomicUsize,
    total: usize,
}

impl<'s, 'c> Splitting<'s, 'c> {
    fn new(
        partitions: Partitions<'c>,
        batches: &'s BTreeMap<String, Vec<Batch>>,
        how: &'s PartitionOptions<'s>,
        entity_column: Option<&'c str>,
        remarks: Remarks,
    ) -> Self {
        let n_leads: usize = batches["[leads]"].iter().map(|batch| batch.n_rows).sum();
        Self {
            partitions,
            batches,
            how,
            entity_column,
            part_of_lead: entity_column.map(|_| HashMap::new()),
            unwanted: None,
            remarks,
            seen: Mutex::new(Seen {
                reach: Reach::default(),
                matchings: Matchings::new(n_leads),
                remarks: Remarks::default(),
            }),
            done: AtomicUsize::new(0),
            total: batches.values().flatten().map(|batch| batch.n_rows).sum(),
        }
    }

    /// Splits one table.
    fn split(&mut self, number: usize, name: &str) -> Result<(), TablesError> {
        let (config, n_parts) = (self.partitions.config, self.partitions.n_parts);
        let table = &self.partitions.spilled.tables[name];
        let is_leads = name == "[leads]";
        let is_of_accounts = load::is_keyed_by_account(config, name);
        let spilling = Spilling {
            config,
            tables: &self.partitions.spilled,
            n_parts,
            name,
            number,
            table,
            columns: load::spilled_columns(config, name, table, &self.partitions.options),
            key: load::key_column(config, name),
            entity: self.entity_column.filter(|_| is_leads),
            is_of_accounts,
            seen: &self.seen,
        };
        let dropped = self
            .unwanted
            .as_ref()
            .filter(|_| !self.keeps_everybody(name, is_of_accounts));
        // The part of each lead, where its account decides.
        let found = Mutex::new(Vec::new());
        let route = |hash: u64, account: Option<&str>| {
            if dropped.is_some_and(|dropped| dropped.contains(&hash)) {
                return None;
            }
            Some(match (&self.part_of_lead, is_leads, is_of_accounts) {
                (Some(_), true, _) => {
                    let part = part_of(account.map_or(hash, stable_hash), n_parts);
                    if let Ok(mut found) = found.lock() {
                        found.push((hash, part as u16));
                    }
                    part
                }
                (Some(parts), false, false) => {
                    parts.get(&hash).map_or(0, |&part| usize::from(part))
                }
                _ => part_of(hash, n_parts),
            })
        };
        let progress = |rows: usize| {
            let done = self.done.fetch_add(rows, Ordering::Relaxed) + rows;
            (self.how.progress)(done, self.total);
        };
        if name == "[outcomes]" {
            load::check_for_results(config, table, &mut self.remarks)?;
        }
        let schema = match spilling.run(&self.batches[name], &route, &progress) {
            Err(TablesError::Doubts(doubts)) => {
                // Nothing is computed any more; other tables are still looked at.
                let remarks = &mut self.remarks;
                doubts.into_iter().for_each(|doubt| remarks.doubt(doubt));
                return Ok(());
            }
            other => other?,
        };
        self.partitions
            .spilled
            .schemas
            .insert(name.to_owned(), (number, Arc::new(schema)));
        if is_leads {
            self.keep_parts(found.into_inner().unwrap_or_default())?;
        }
        if name == "[outcomes]" && self.remarks.doubts.is_empty() {
            self.unwanted = self.unwanted_leads()?;
        }
        Ok(())
    }

    /// Whether rows of a table are kept whosever they are.
    fn keeps_everybody(&self, name: &str, is_of_accounts: bool) -> bool {
        self.how.wanted.is_some_and(|wanted| {
            is_of_accounts
                || wanted
                    .whole
                    .iter()
                    .any(|whole| format!("[activities.{whole}]") == name)
        })
    }

    /// Keeps the part of each lead, where accounts decide.
    fn keep_parts(&mut self, found: Vec<(u64, u16)>) -> Result<(), TablesError> {
        let Some(parts) = &mut self.part_of_lead else {
            return Ok(());
        };
        for (hash, part) in found {
            if parts.insert(hash, part).is_some_and(|other| other != part) {
                // A lead that stands twice, with two accounts: no part would see both.
                let leads = &self.partitions.spilled.tables["[leads]"];
                load::check_ids(self.partitions.config, leads)?;
            }
        }
        Ok(())
    }

    /// Hashes of the ids of leads whose rows nobody asks for, as far as that was said.
    fn unwanted_leads(&self) -> Result<Option<HashSet<u64>>, TablesError> {
        let so_far = locked(&self.seen).reach.ends(
            self.partitions.config,
            self.partitions.options.moments(),
            &|_, _, _| None,
            &mut Remarks::default(),
        );
        self.how
            .wanted
            .map(|wanted| self.partitions.unwanted_leads(wanted, so_far))
            .transpose()
    }

    /// Says what all rows together show.
    fn finish(self, folder: &Path, bounds: Bounds) -> Result<Partitions<'c>, TablesError> {
        let (mut partitions, mut remarks) = (self.partitions, self.remarks);
        let Seen {
            reach,
            matchings,
            remarks: of_rows,
        } = self
            .seen
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        of_rows
            .doubts
            .into_iter()
            .for_each(|doubt| remarks.doubt(doubt));
        let config = partitions.config;
        let spilled = &mut partitions.spilled;
        if remarks.doubts.is_empty() {
            let place = |table: &str, column: &str, is_so: &dyn Fn(Timestamp) -> bool| {
                load::first_where(config, folder, bounds, table, column, is_so)
            };
            let ends = reach.ends(config, partitions.options.moments(), &place, &mut remarks);
            partitions.options.known_ends = Some(ends);
            for (name, table) in &spilled.tables {
                let leads = &spilled.tables["[leads]"];
                remarks
                    .doubts
                    .extend(matchings.doubt(config, table, leads)?);
                remarks
                    .doubts
                    .extend(matchings.doubt_of_times(config, name));
                spilled.strangers.extend(
                    matchings
                        .first_stranger(name)
                        .map(|row| (name.clone(), table.place(row))),
                );
            }
        }
        spilled
            .tables
            .values()
            .for_each(|table| load::add_table_notes(config, table, 0, &mut remarks));
        if !remarks.doubts.is_empty() {
            return Err(TablesError::Doubts(remarks.doubts));
        }
        partitions.notes = remarks.notes;
        Ok(partitions)
    }
}

/// The part of a hash: ranges of the hash, so that parts in order are rows in order of the hash,
/// however many there are.
fn part_of(hash: u64, n_parts: usize) -> usize {
    ((u128::from(hash) * n_parts as u128) >> 64) as usize
}
