//! One table on its way to disk: its rows, batch by batch, to the parts that they belong to, and
//! what they say on the way.

use std::sync::{Mutex, MutexGuard};

use hashbrown::HashMap;
use leadscore_config::Config;
use leadscore_core::{Precision, Stamp, Timestamp, stable_hash};
use leadscore_dataset::MISSING;

use crate::ends::Reach;
use crate::error::TablesError;
use crate::id_maps::SINCE;
use crate::in_order::in_order;
use crate::load::{Matchings, SpilledTables, count_times, time_column};
use crate::remarks::Remarks;
use crate::scan::{Batch, RawTable, Table};
use crate::spill::{self, Outgoing, Role, Schema};

/// What is counted while rows are on their way to disk.
pub(super) struct Seen {
    pub(super) reach: Reach,
    pub(super) matchings: Matchings,
    pub(super) remarks: Remarks,
}

pub(super) fn locked<'m>(seen: &'m Mutex<Seen>) -> MutexGuard<'m, Seen> {
    seen.lock().expect("no thread fails while it counts")
}

/// The part that a row goes to, by the hash of its key and its account; `None` where nobody asks
/// for it.
pub(super) type Route<'a> = dyn Fn(u64, Option<&str>) -> Option<usize> + Sync + 'a;

/// One table on its way to disk.
pub(super) struct Spilling<'t, 'c> {
    pub(super) config: &'t Config,
    pub(super) tables: &'t SpilledTables<'c>,
    pub(super) n_parts: usize,
    pub(super) name: &'t str,
    pub(super) number: usize,
    pub(super) table: &'t Table<'c>,
    pub(super) columns: Vec<(String, Role)>,
    /// The column that says whose a row is.
    pub(super) key: &'t str,
    /// Of the leads, the column with the account that decides in place of the lead.
    pub(super) entity: Option<&'t str>,
    pub(super) is_of_accounts: bool,
    pub(super) seen: &'t Mutex<Seen>,
}

/// Times that are moments.
fn stamps(times: Option<Vec<Timestamp>>) -> Vec<Option<Stamp>> {
    let times = times.unwrap_or_default().into_iter();
    times
        .map(|time| Some(Stamp::new(time, Precision::Instant)))
        .collect()
}

/// What threads that write one table share.
struct Shared {
    /// The numbers of the texts of each category column.
    dictionaries: Vec<Mutex<HashMap<String, u32>>>,
    /// Held while a part's file is written.
    locks: Vec<Mutex<()>>,
}

impl Spilling<'_, '_> {
    /// Writes the rows of the table to its spill files.
    pub(super) fn run(
        &self,
        batches: &[Batch],
        route: &Route<'_>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Schema, TablesError> {
        let shared = Shared {
            dictionaries: self.columns.iter().map(|_| Mutex::default()).collect(),
            locks: (0..self.n_parts).map(|_| Mutex::new(())).collect(),
        };
        let read = |batch: &Batch| -> Result<(), TablesError> {
            let mut wanted: Vec<&str> =
                self.columns.iter().map(|(name, _)| name.as_str()).collect();
            wanted.extend(self.entity);
            let raw = self.table.read_batch(&wanted, *batch)?;
            self.spill_batch(&raw, &shared, route)?;
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
        let levels = shared
            .dictionaries
            .into_iter()
            .map(|dictionary| levels_by_number(dictionary.into_inner().unwrap_or_default()))
            .collect();
        Ok(Schema {
            columns: self.columns.clone(),
            levels,
            has_rows: self.has_rows(),
        })
    }

    /// Whether each row keeps where it stood in the table.
    fn has_rows(&self) -> bool {
        matches!(self.name, "[leads]" | "[outcomes]" | "[history]")
    }

    fn spill_batch(
        &self,
        raw: &RawTable<'_>,
        shared: &Shared,
        route: &Route<'_>,
    ) -> Result<(), TablesError> {
        // Texts are kept in one piece each; a slice of it stands for a cell.
        let mut texts: Vec<Texts<'_>> = Vec::new();
        for (name, role) in &self.columns {
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
        let accounts = self
            .entity
            .map(|column| Texts::read(raw, column))
            .transpose()?;
        let mut outgoing = Vec::new();
        for (((name, role), texts), dictionary) in
            self.columns.iter().zip(&texts).zip(&shared.dictionaries)
        {
            outgoing.push(match role {
                Role::Text => Outgoing::Text(texts.cells()),
                Role::Number => Outgoing::Number(raw.numbers(name)?),
                Role::Time if name == SINCE => Outgoing::Time(stamps(raw.since())),
                Role::Time => Outgoing::Time(raw.times(name)?),
                Role::Category => Outgoing::Category(read_codes(raw, name, dictionary)?),
            });
        }
        let key = self
            .columns
            .iter()
            .position(|(name, _)| name == self.key)
            .expect("the key is spilled");
        let keys = texts[key].cells();
        let accounts = accounts.as_ref().map(Texts::cells);
        let hashes: Vec<Option<u64>> = keys.iter().map(|key| key.map(stable_hash)).collect();
        self.look_at_rows(raw, &outgoing, &keys, &hashes, accounts.as_deref())?;
        let mut rows_of_part: Vec<Vec<u32>> = vec![Vec::new(); self.n_parts];
        for (row, hash) in hashes.iter().enumerate() {
            let account = accounts.as_ref().and_then(|accounts| accounts[row]);
            if let Some(part) = hash.map_or(Some(0), |hash| route(hash, account)) {
                rows_of_part[part].push(row as u32);
            }
        }
        let places: Option<Vec<u64>> = self.has_rows().then(|| {
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
            let _writing = shared.locks[part].lock();
            spill::append(&self.tables.file_of(self.number, part), &block)?;
        }
        Ok(())
    }

    /// Counts what a batch says of times, and of whose its rows are.
    fn look_at_rows(
        &self,
        raw: &RawTable<'_>,
        outgoing: &[Outgoing<'_>],
        keys: &[Option<&str>],
        hashes: &[Option<u64>],
        accounts: Option<&[Option<&str>]>,
    ) -> Result<(), TablesError> {
        let name = self.name;
        let times = |column: &str| -> Option<&Vec<Option<Stamp>>> {
            let at = self.columns.iter().position(|(known, _)| known == column)?;
            if let Outgoing::Time(times) = &outgoing[at] {
                Some(times)
            } else {
                None
            }
        };
        let (mut reach, mut remarks) = (Reach::default(), Remarks::default());
        count_times(self.config, name, raw, &times, &mut reach, &mut remarks)?;
        if name == "[leads]" {
            let created = self.config.leads.created_at.as_deref().and_then(times);
            let mut seen = locked(self.seen);
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
        let at = time_column(self.config, name).and_then(times);
        // The ids are all there: nobody writes them any more.
        let known = locked(self.seen).matchings.shared();
        let place = |row: usize| raw.row_in_table(row);
        let time = |row: usize| at.and_then(|at| at[row]).map(|stamp| stamp.known);
        let found = known.look(keys, hashes, self.is_of_accounts, &place, &time);
        let mut seen = locked(self.seen);
        seen.matchings.add(name, found);
        seen.reach.merge(reach);
        remarks
            .doubts
            .into_iter()
            .for_each(|doubt| seen.remarks.doubt(doubt));
        Ok(())
    }
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
