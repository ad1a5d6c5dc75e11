//! Tables larger than memory: every row goes to the part that its lead belongs to, and parts are
//! then loaded one by one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hashbrown::{HashMap, HashSet};
use leadscore_core::{Stamp, Timestamp, stable_hash};

use crate::bounds::Bounds;
use crate::config::Config;
use crate::ends::Reach;
use crate::error::TablesError;
use crate::in_order::in_order;
use crate::load::{self, LookupTable, Matchings, Origin};
use crate::memory::{Bytes, half_of_memory};
use crate::missing::MISSING;
use crate::note::Note;
use crate::remarks::Remarks;
use crate::scan::{Batch, RawTable, Table};
use crate::scratch::ScratchFolder;
use crate::spill::{self, Outgoing, Role, Schema, SpilledFile};
use crate::typed::{KnownEnds, LoadOptions, Tables};

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
    folder: ScratchFolder,
    n_parts: usize,
    /// By the name that the config gives each.
    tables: BTreeMap<String, Table<'c>>,
    schemas: BTreeMap<String, (usize, Arc<Schema>)>,
    lookups: BTreeMap<String, LookupTable>,
    options: LoadOptions,
    /// By table, where the first row stands that names nobody.
    strangers: BTreeMap<String, String>,
    /// What is to be known about the tables as a whole.
    pub notes: Vec<Note>,
}

/// Rows of one batch: large enough to share the cost of a read, small enough that two batches are
/// little memory.
const BATCH_ROWS: usize = 1 << 18;
/// Bytes that a row costs while its part is worked on: measured on ten million leads and a hundred
/// million events.
const BYTES_PER_EVENT: u64 = 200;
const BYTES_PER_LEAD: u64 = 900;
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
    config.require_outcomes()?;
    let mut bytes = FIXED_BYTES;
    for (name, file) in config.row_tables() {
        let table = Table::open(
            &name,
            folder,
            file,
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

fn bytes_of_rows(name: &str, n_rows: usize) -> u64 {
    (n_rows as u64).saturating_mul(if name == "[leads]" {
        BYTES_PER_LEAD
    } else {
        BYTES_PER_EVENT
    })
}

/// Fails where a table has more rows than memory could hold: a few bytes of Parquet can stand for
/// billions of them.
pub(crate) fn check_fits(name: &str, table: &Table<'_>) -> Result<(), TablesError> {
    let n_rows = table.n_rows_told();
    let (needed, memory) = (
        bytes_of_rows(name, n_rows),
        half_of_memory().saturating_mul(2),
    );
    if needed <= memory {
        return Ok(());
    }
    Err(TablesError::Content {
        table: name.to_owned(),
        found: format!("it has {n_rows} rows, which take some {} at once, and there are {}", Bytes(needed), Bytes(memory)),
        help: "`features` and `score` work part by part; for the others export later rows alone, or use a machine with more memory".to_owned(),
    })
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
        config.require_outcomes()?;
        let entity_column = match config.entity_column() {
            Ok(column) => column,
            Err((first, second)) => {
                return Err(TablesError::Content {
                    table: "[activities]".to_owned(),
                    found: format!(
                        "events are told apart by two accounts, `{first}` and `{second}`, so leads cannot be split into parts that share nothing"
                    ),
                    help: "use one account column, or more memory".to_owned(),
                });
            }
        };
        let bounds = Bounds::new(config, options.now).within(options.memory);
        let mut tables = BTreeMap::new();
        for (name, file) in config.row_tables() {
            let table = Table::open(&name, folder, file, bounds)?;
            tables.insert(name, table);
        }
        load::check_columns(config, &tables)?;
        let batches: BTreeMap<String, Vec<Batch>> = tables
            .iter()
            .map(|(name, table)| Ok((name.clone(), table.batches(BATCH_ROWS)?)))
            .collect::<Result<_, TablesError>>()?;
        let total: usize = batches.values().flatten().map(|batch| batch.n_rows).sum();
        let n_leads: usize = batches["[leads]"].iter().map(|batch| batch.n_rows).sum();
        let bytes: u64 = batches
            .iter()
            .map(|(name, batches)| bytes_of(name, batches))
            .sum();
        // As many parts are worked on at once as there are threads.
        let at_once = (how.memory.saturating_sub(FIXED_BYTES)
            / rayon::current_num_threads() as u64)
            .clamp(1 << 20, BYTES_PER_PART);
        let n_parts = usize::try_from(bytes.div_ceil(at_once))
            .unwrap_or(usize::MAX)
            .clamp(1, 4096);
        let mut remarks = Remarks::default();
        let lookups = load::read_lookups(config, folder, bounds, options, &mut remarks)?;
        let mut options = options.clone();
        load::guess_types(config, &tables, &batches, &mut options, &mut remarks)?;
        let folder_of_spill = ScratchFolder::create(&how.spill)?;
        let done = AtomicUsize::new(0);
        let progress =
            |rows: usize| (how.progress)(done.fetch_add(rows, Ordering::Relaxed) + rows, total);
        let mut partitions = Self {
            config,
            folder: folder_of_spill,
            n_parts,
            tables,
            schemas: BTreeMap::new(),
            lookups,
            options: options.clone(),
            strangers: BTreeMap::new(),
            notes: Vec::new(),
        };
        // Leads first: where accounts decide, their rows say which part a lead's other rows go to.
        // Then outcomes: with them one knows whose rows are wanted.
        let mut part_of_lead: Option<HashMap<u64, u16>> = entity_column.map(|_| HashMap::new());
        let mut unwanted: Option<HashSet<u64>> = None;
        let seen = Mutex::new(Seen {
            reach: Reach::default(),
            matchings: Matchings::new(n_leads),
            remarks: Remarks::default(),
        });
        let mut names: Vec<String> = partitions.tables.keys().cloned().collect();
        names.sort_by_key(|name| (name != "[leads]", name != "[outcomes]"));
        for (number, name) in names.iter().map(String::as_str).enumerate() {
            let table = &partitions.tables[name];
            let columns = load::spilled_columns(config, name, table, &options);
            let key = load::key_column(config, name);
            let is_leads = name == "[leads]";
            let is_of_accounts = load::is_keyed_by_account(config, name);
            let is_whole = |wanted: Wanted<'_>| {
                is_of_accounts
                    || wanted
                        .whole
                        .iter()
                        .any(|whole| format!("[activities.{whole}]") == name)
            };
            let dropped = unwanted
                .as_ref()
                .filter(|_| !how.wanted.is_some_and(is_whole));
            let found = Mutex::new(Vec::new());
            let route = |hash: u64, account: Option<&str>| {
                if dropped.is_some_and(|dropped| dropped.contains(&hash)) {
                    return None;
                }
                Some(match (&part_of_lead, is_leads, is_of_accounts) {
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
            let entity = if is_leads { entity_column } else { None };
            let spilling = Spilling {
                name,
                number,
                table,
                columns,
                key,
                entity,
                is_of_accounts,
                seen: &seen,
            };
            if name == "[outcomes]" {
                load::check_for_results(config, table, &mut remarks)?;
            }
            let schema = match partitions.spill(&spilling, &batches[name], &route, &progress) {
                Err(TablesError::Doubts(doubts)) => {
                    // Nothing is computed any more; other tables are still looked at.
                    doubts.into_iter().for_each(|doubt| remarks.doubt(doubt));
                    continue;
                }
                other => other?,
            };
            partitions
                .schemas
                .insert(name.to_owned(), (number, Arc::new(schema)));
            if let Some(parts) = part_of_lead.as_mut().filter(|_| is_leads) {
                for (hash, part) in found.into_inner().unwrap_or_default() {
                    if parts.insert(hash, part).is_some_and(|other| other != part) {
                        // A lead that stands twice, with two accounts: no part would see both.
                        load::check_ids(config, &partitions.tables[name])?;
                    }
                }
            }
            if name == "[outcomes]" && remarks.doubts.is_empty() {
                let so_far = locked(&seen).reach.ends(
                    config,
                    &options,
                    &|_, _, _| None,
                    &mut Remarks::default(),
                );
                unwanted = how
                    .wanted
                    .map(|wanted| partitions.unwanted_leads(wanted, so_far))
                    .transpose()?;
            }
        }
        let Seen {
            reach,
            matchings,
            remarks: of_rows,
        } = seen
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        of_rows
            .doubts
            .into_iter()
            .for_each(|doubt| remarks.doubt(doubt));
        if remarks.doubts.is_empty() {
            let place = |table: &str, column: &str, is_so: &dyn Fn(Timestamp) -> bool| {
                load::first_where(config, folder, bounds, table, column, is_so)
            };
            partitions.options.known_ends =
                Some(reach.ends(config, &options, &place, &mut remarks));
            for (name, table) in &partitions.tables {
                remarks.doubts.extend(matchings.doubt(
                    config,
                    table,
                    &partitions.tables["[leads]"],
                )?);
                remarks
                    .doubts
                    .extend(matchings.doubt_of_times(config, name));
                partitions.strangers.extend(
                    matchings
                        .first_stranger(name)
                        .map(|row| (name.clone(), table.place(row))),
                );
            }
        }
        partitions
            .tables
            .values()
            .for_each(|table| load::add_table_notes(config, table, 0, &mut remarks));
        if !remarks.doubts.is_empty() {
            return Err(TablesError::Doubts(remarks.doubts));
        }
        partitions.notes = remarks.notes;
        Ok(partitions)
    }

    pub(crate) fn first_stranger(&self, table: &str) -> Option<String> {
        self.strangers.get(table).cloned()
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
        whole(load::load_from(
            self.config,
            &Origin::Spilled(self, part),
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
            let tables = whole(load::load_from(
                &config,
                &Origin::Spilled(self, part),
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

    pub(crate) fn table(&self, name: &str, part: usize) -> Table<'c> {
        let (number, schema) = &self.schemas[name];
        self.tables[name].of_spilled(SpilledFile {
            path: spill_file(self.folder.path(), *number, part),
            schema: Arc::clone(schema),
        })
    }

    pub(crate) fn lookups(&self) -> &BTreeMap<String, LookupTable> {
        &self.lookups
    }

    /// Writes the rows of one table to its spill files.
    fn spill(
        &self,
        spilling: &Spilling<'_, '_>,
        batches: &[Batch],
        route: &Route<'_>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Schema, TablesError> {
        let Spilling {
            number,
            table,
            columns,
            ..
        } = spilling;
        let has_rows = matches!(spilling.name, "[leads]" | "[outcomes]" | "[history]");
        let dictionaries: Vec<Mutex<HashMap<String, u32>>> =
            columns.iter().map(|_| Mutex::default()).collect();
        let locks: Vec<Mutex<()>> = (0..self.n_parts).map(|_| Mutex::new(())).collect();
        let read = |batch: &Batch| -> Result<(), TablesError> {
            let mut wanted: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            wanted.extend(spilling.entity);
            let raw = table.read_batch(&wanted, *batch)?;
            self.spill_batch(
                &raw,
                spilling,
                &dictionaries,
                has_rows,
                &locks,
                *number,
                route,
            )?;
            progress(batch.n_rows);
            Ok(())
        };
        // The first batch alone: it settles how times are written, which every other batch then
        // follows.
        if let Some((first, rest)) = batches.split_first() {
            read(first)?;
            in_order(
                rest.len(),
                rayon::current_num_threads(),
                |batch| read(&rest[batch]),
                |()| Ok(()),
            )?;
        }
        let levels = dictionaries
            .into_iter()
            .map(|dictionary| levels_by_number(dictionary.into_inner().unwrap_or_default()))
            .collect();
        Ok(Schema {
            columns: columns.clone(),
            levels,
            has_rows,
        })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the state of one table's spilling"
    )]
    fn spill_batch(
        &self,
        raw: &RawTable<'_>,
        spilling: &Spilling<'_, '_>,
        dictionaries: &[Mutex<HashMap<String, u32>>],
        has_rows: bool,
        locks: &[Mutex<()>],
        number: usize,
        route: &Route<'_>,
    ) -> Result<(), TablesError> {
        // Texts are kept in one piece each; a slice of it stands for a cell.
        let mut texts: Vec<Texts<'_>> = Vec::new();
        for (name, role) in &spilling.columns {
            let read = if *role == Role::Text {
                Texts::read(raw, name)?
            } else {
                Texts::Borrowed(Vec::new())
            };
            if *role == Role::Text {
                raw.count_missing(name, read.n_missing());
            }
            texts.push(read);
        }
        let accounts = spilling
            .entity
            .map(|column| Texts::read(raw, column))
            .transpose()?;
        let mut outgoing = Vec::new();
        for (((name, role), texts), dictionary) in
            spilling.columns.iter().zip(&texts).zip(dictionaries)
        {
            outgoing.push(match role {
                Role::Text => Outgoing::Text(texts.cells()),
                Role::Number => Outgoing::Number(raw.numbers(name)?),
                Role::Time => Outgoing::Time(raw.times(name)?),
                Role::Category => Outgoing::Category(read_codes(raw, name, dictionary)?),
            });
        }
        let key = spilling
            .columns
            .iter()
            .position(|(name, _)| name == spilling.key)
            .expect("the key is spilled");
        let keys = texts[key].cells();
        let accounts = accounts.as_ref().map(Texts::cells);
        let hashes: Vec<Option<u64>> = keys.iter().map(|key| key.map(stable_hash)).collect();
        self.look_at_rows(
            raw,
            spilling,
            &outgoing,
            &keys,
            &hashes,
            accounts.as_deref(),
        )?;
        let mut rows_of_part: Vec<Vec<u32>> = vec![Vec::new(); self.n_parts];
        for (row, hash) in hashes.iter().enumerate() {
            let account = accounts.as_ref().and_then(|accounts| accounts[row]);
            if let Some(part) = hash.map_or(Some(0), |hash| route(hash, account)) {
                rows_of_part[part].push(row as u32);
            }
        }
        let places: Option<Vec<u64>> = has_rows.then(|| {
            (0..raw.n_rows)
                .map(|row| raw.row_in_table(row) as u64)
                .collect()
        });
        let mut block = Vec::new();
        for (part, rows) in rows_of_part
            .iter()
            .enumerate()
            .filter(|(_, rows)| !rows.is_empty())
        {
            block.clear();
            spill::encode(places.as_deref(), &outgoing, rows, &mut block);
            let _writing = locks[part].lock();
            spill::append(&spill_file(self.folder.path(), number, part), &block)?;
        }
        Ok(())
    }

    /// Counts what a batch says of times, and of whose its rows are.
    fn look_at_rows(
        &self,
        raw: &RawTable<'_>,
        spilling: &Spilling<'_, '_>,
        outgoing: &[Outgoing<'_>],
        keys: &[Option<&str>],
        hashes: &[Option<u64>],
        accounts: Option<&[Option<&str>]>,
    ) -> Result<(), TablesError> {
        let name = spilling.name;
        let times = |column: &str| -> Option<&Vec<Option<Stamp>>> {
            let at = spilling
                .columns
                .iter()
                .position(|(known, _)| known == column)?;
            if let Outgoing::Time(times) = &outgoing[at] {
                Some(times)
            } else {
                None
            }
        };
        let (mut reach, mut remarks) = (Reach::default(), Remarks::default());
        load::count_times(self.config, name, raw, &times, &mut reach, &mut remarks)?;
        if name == "[leads]" {
            let created = self.config.leads.created_at.as_deref().and_then(times);
            let mut seen = locked(spilling.seen);
            for (row, hash) in hashes.iter().enumerate() {
                if let Some(hash) = hash {
                    let created = created
                        .and_then(|created| created[row])
                        .map(|stamp| stamp.start);
                    seen.matchings.add_lead(
                        *hash,
                        accounts.and_then(|accounts| accounts[row]),
                        created,
                    );
                }
            }
            seen.reach.merge(reach);
            return Ok(());
        }
        let at = load::time_column(self.config, name).and_then(times);
        // The ids are all there: nobody writes them any more.
        let known = locked(spilling.seen).matchings.shared();
        let place = |row: usize| raw.row_in_table(row);
        let time = |row: usize| at.and_then(|at| at[row]).map(|stamp| stamp.known);
        let found = known.look(keys, hashes, spilling.is_of_accounts, &place, &time);
        let mut seen = locked(spilling.seen);
        seen.matchings.add(name, found);
        seen.reach.merge(reach);
        remarks
            .doubts
            .into_iter()
            .for_each(|doubt| seen.remarks.doubt(doubt));
        Ok(())
    }
}

/// The tables of a part, which hold no doubt that the whole did not.
fn whole((tables, doubts): (Tables, Vec<crate::doubt::Doubt>)) -> Result<Tables, TablesError> {
    if doubts.is_empty() {
        Ok(tables)
    } else {
        Err(TablesError::Doubts(doubts))
    }
}

/// What is counted while rows are on their way to disk.
struct Seen {
    reach: Reach,
    matchings: Matchings,
    remarks: Remarks,
}

fn locked<'m>(seen: &'m Mutex<Seen>) -> std::sync::MutexGuard<'m, Seen> {
    seen.lock().expect("no thread fails while it counts")
}

/// The part that a row goes to, by the hash of its key and its account; `None` where nobody asks
/// for it.
type Route<'a> = dyn Fn(u64, Option<&str>) -> Option<usize> + Sync + 'a;

/// One table on its way to disk.
struct Spilling<'t, 'c> {
    name: &'t str,
    number: usize,
    table: &'t Table<'c>,
    columns: Vec<(String, Role)>,
    /// The column that says whose a row is.
    key: &'t str,
    /// Of the leads, the column with the account that decides in place of the lead.
    entity: Option<&'t str>,
    is_of_accounts: bool,
    seen: &'t Mutex<Seen>,
}

/// The part of a hash: ranges of the hash, so that parts in order are rows in order of the hash,
/// however many there are.
fn part_of(hash: u64, n_parts: usize) -> usize {
    ((u128::from(hash) * n_parts as u128) >> 64) as usize
}

/// The texts of a column: as the engine holds them, or in one piece.
enum Texts<'r> {
    Borrowed(Vec<Option<&'r str>>),
    Copied {
        blob: String,
        cells: Vec<Option<(u32, u32)>>,
    },
}

impl<'r> Texts<'r> {
    fn read(raw: &'r RawTable<'_>, column: &str) -> Result<Self, TablesError> {
        if let Some(cells) = raw.borrowed_texts(column) {
            return Ok(Self::Borrowed(cells));
        }
        let (mut blob, mut cells) = (String::new(), Vec::with_capacity(raw.n_rows));
        raw.for_each_text(column, |_, text| {
            cells.push(text.map(|text| {
                let start = blob.len() as u32;
                blob.push_str(text);
                (start, blob.len() as u32)
            }));
            Ok(())
        })?;
        Ok(Self::Copied { blob, cells })
    }

    fn n_missing(&self) -> usize {
        match self {
            Self::Borrowed(cells) => cells.iter().filter(|cell| cell.is_none()).count(),
            Self::Copied { cells, .. } => cells.iter().filter(|cell| cell.is_none()).count(),
        }
    }

    fn cells(&self) -> Vec<Option<&str>> {
        match self {
            Self::Borrowed(cells) => cells.clone(),
            Self::Copied { blob, cells } => cells
                .iter()
                .map(|cell| cell.map(|(start, end)| &blob[start as usize..end as usize]))
                .collect(),
        }
    }
}

/// Numbers for texts, the same in every batch; in the order in which they were met, which load
/// turns into order of name.
fn read_codes(
    raw: &RawTable<'_>,
    column: &str,
    dictionary: &Mutex<HashMap<String, u32>>,
) -> Result<Vec<u32>, TablesError> {
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut codes = Vec::with_capacity(raw.n_rows);
    raw.for_each_text(column, |_, text| {
        codes.push(match text {
            None => MISSING,
            Some(text) => match known.get(text) {
                Some(&code) => code,
                None => {
                    let mut shared = dictionary
                        .lock()
                        .expect("no thread fails while it holds the dictionary");
                    let next = shared.len() as u32;
                    let code = *shared.entry_ref(text).or_insert(next);
                    known.insert(text.to_owned(), code);
                    code
                }
            },
        });
        Ok(())
    })?;
    Ok(codes)
}

fn levels_by_number(dictionary: HashMap<String, u32>) -> Vec<String> {
    let mut levels: Vec<(u32, String)> = dictionary
        .into_iter()
        .map(|(text, number)| (number, text))
        .collect();
    levels.sort_unstable();
    levels.into_iter().map(|(_, text)| text).collect()
}

/// Where the rows of a table for a part are kept.
fn spill_file(folder: &Path, table: usize, part: usize) -> PathBuf {
    folder.join(format!("{table}-{part}"))
}
