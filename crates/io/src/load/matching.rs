//! How many rows of each table name a lead, counted while rows are read, whole or in batches.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use leadscore_config::Config;
use leadscore_config::Doubt;
use leadscore_core::{Timestamp, stable_hash};

use super::before_creation::{before_everything, is_long_before};
use super::keying::{is_keyed_by_account, key_column, time_column};
use crate::error::TablesError;
use crate::keys::{Expectation, Matching};
use crate::scan::{RawTable, Table};

/// What the keys of a table are expected to match.
pub(crate) fn expectation<'e>(config: &Config, table: &'e str, column: &'e str) -> Expectation<'e> {
    let is_outcomes = table == "[outcomes]";
    let (rows, allowed, key) = match table {
        "[outcomes]" => (
            "outcomes",
            config.data.unmatched_outcomes,
            "unmatched_outcomes",
        ),
        "[history]" => ("changes", config.data.unmatched_rows, "unmatched_rows"),
        _ => ("events", config.data.unmatched_rows, "unmatched_rows"),
    };
    let target = if !is_outcomes && is_keyed_by_account(config, table) {
        "an account of a lead"
    } else {
        "a lead of the leads table"
    };
    Expectation {
        table,
        column,
        rows,
        target,
        allowed,
        key,
        can_split: true,
    }
}

/// Keys of tables that are read in batches against the ids of leads.
pub(crate) struct Matchings {
    known: Arc<KnownKeys>,
    tables: BTreeMap<String, Seen>,
}

/// The ids of leads and their accounts, of which only hashes are kept.
#[derive(Clone)]
pub(crate) struct KnownKeys {
    ids: HashSet<u64>,
    accounts: HashSet<u64>,
    /// When some of the leads were created.
    created: HashMap<u64, Timestamp>,
    /// Of so many ids one is kept, a power of two.
    every: u64,
}

/// What the rows of a table show of their leads.
#[derive(Default)]
pub(crate) struct Seen {
    matching: Matching,
    /// Rows of leads whose creation is kept, and those that lie years before it.
    n_compared: usize,
    n_long_before: usize,
}

/// Ids whose hashes are kept, about: so many tell a share to a few thousandths, and fit into the
/// processor's cache.
const MOST_IDS: usize = 1 << 17;

impl Matchings {
    /// For about so many leads.
    pub(crate) fn new(n_leads: usize) -> Self {
        let every = n_leads.div_ceil(MOST_IDS).max(1).next_power_of_two() as u64;
        let known = KnownKeys {
            ids: HashSet::new(),
            accounts: HashSet::new(),
            created: HashMap::new(),
            every,
        };
        Self {
            known: Arc::new(known),
            tables: BTreeMap::new(),
        }
    }

    /// A lead that is there, its account, and when it was created; to be called before anyone
    /// shares the keys.
    pub(crate) fn add_lead(&mut self, id: u64, account: Option<&str>, created: Option<Timestamp>) {
        let known = Arc::make_mut(&mut self.known);
        if is_kept(id, known.every) {
            known.ids.insert(id);
            known.created.extend(created.map(|created| (id, created)));
        }
        if let Some(account) = account
            .map(stable_hash)
            .filter(|account| is_kept(*account, known.every))
        {
            known.accounts.insert(account);
        }
    }

    /// The keys of all leads, for several threads.
    pub(crate) fn shared(&self) -> Arc<KnownKeys> {
        Arc::clone(&self.known)
    }

    /// Adds what one batch of a table shows.
    pub(crate) fn add(&mut self, table: &str, seen: Seen) {
        let own = self.tables.entry(table.to_owned()).or_default();
        own.matching.merge(seen.matching);
        own.n_compared += seen.n_compared;
        own.n_long_before += seen.n_long_before;
    }

    /// The first row of a table that names nobody.
    pub(crate) fn first_stranger(&self, table: &str) -> Option<usize> {
        self.tables.get(table)?.matching.first_row()
    }

    /// The doubt about a table nearly all of whose rows lie years before the creation of their
    /// leads.
    pub(crate) fn doubt_of_times(&self, config: &Config, table: &str) -> Option<Doubt> {
        let seen = self.tables.get(table)?;
        let column = time_column(config, table)?;
        before_everything(config, table, column, seen.n_long_before, seen.n_compared)
    }

    /// The doubt that the keys of a table leave.
    pub(crate) fn doubt(
        &self,
        config: &Config,
        table: &Table<'_>,
        leads: &Table<'_>,
    ) -> Result<Option<Doubt>, TablesError> {
        let Some(Seen { matching, .. }) = self.tables.get(&table.name) else {
            return Ok(None);
        };
        let column = key_column(config, &table.name);
        let expectation = expectation(config, &table.name, column);
        let id_column = if is_keyed_by_account(config, &table.name) {
            column
        } else {
            &config.leads.id
        };
        if matching.n_unmatched() == 0 {
            return Ok(None);
        }
        // The ids are needed only where something does not match.
        let mut ids: Vec<String> = Vec::new();
        let share = matching.n_unmatched() as f64 / matching.n_rows.max(1) as f64;
        if share > 0.02 || share > expectation.allowed {
            leads
                .read(&[id_column])?
                .for_each_text(id_column, |_, text| {
                    ids.extend(text.map(str::to_owned));
                    Ok(())
                })?;
        }
        Ok(
            expectation.doubt(matching, &mut ids.iter().map(String::as_str), &|row| {
                table.place(row)
            }),
        )
    }
}

impl KnownKeys {
    /// Looks at one batch of a table: the key of each row with its hash, the row of the table that
    /// it is, and for events the time.
    pub(crate) fn look(
        &self,
        keys: &[Option<&str>],
        hashes: &[Option<u64>],
        of_accounts: bool,
        place: &dyn Fn(usize) -> usize,
        time: &dyn Fn(usize) -> Option<Timestamp>,
    ) -> Seen {
        let known = if of_accounts {
            &self.accounts
        } else {
            &self.ids
        };
        let mut seen = Seen::default();
        for (row, hash) in hashes.iter().enumerate() {
            let Some(hash) = hash.filter(|hash| is_kept(*hash, self.every)) else {
                continue;
            };
            seen.matching.add(
                keys[row].unwrap_or_default(),
                place(row),
                known.contains(&hash),
            );
            if let (false, Some(&created)) = (of_accounts, self.created.get(&hash))
                && let Some(at) = time(row)
            {
                seen.n_compared += 1;
                seen.n_long_before += usize::from(is_long_before(at, created));
            }
        }
        seen
    }
}

fn is_kept(hash: u64, every: u64) -> bool {
    (hash >> 20) & (every - 1) == 0
}

/// The doubt that the keys of a table in memory leave.
pub(super) fn doubt_of(
    config: &Config,
    raw: &RawTable<'_>,
    column: &str,
    matching: &Matching,
    ids: &mut dyn Iterator<Item = &str>,
) -> Option<Doubt> {
    expectation(config, raw.table_name(), column).doubt(matching, ids, &|row| raw.place(row))
}
