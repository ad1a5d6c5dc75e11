//! What rows of chance are: the accounts or closings that leads share, else the leads.

use std::collections::{HashMap, HashSet};

use leadscore_core::{Snapshot, Timestamp, count, counted, stable_hash};
use leadscore_dataset::{MISSING, Tables};

use super::Data;

/// A hash of what rows of chance are: the account of each snapshot's lead where the config names
/// one, else the deal that names several leads, or the closing that it shares with others, else the
/// lead.
///
/// One deal often closes for several leads of an account at once, and what an account wants its
/// leads want.
pub fn cluster_keys(tables: &Tables, snapshots: &[Snapshot]) -> Vec<u64> {
    let Some(accounts) = &tables.leads.accounts else {
        let shared = shared_closings(tables);
        let of_lead = |snapshot: &Snapshot| {
            let outcome = &tables.outcomes[snapshot.lead as usize];
            match (outcome.deal, outcome.closed) {
                (Some(deal), _) => stable_hash(&format!("deal {deal}")),
                (None, Some(closed)) if shared.contains(&closed) => {
                    stable_hash(&format!("closing {}", closed.micros()))
                }
                (None, _) => stable_hash(&tables.leads.ids[snapshot.lead as usize]),
            }
        };
        return snapshots.iter().map(of_lead).collect();
    };
    let of_lead = |lead: u32| match accounts[lead as usize] {
        MISSING => stable_hash(&tables.leads.ids[lead as usize]),
        account => stable_hash(&format!(
            "account {}",
            tables.leads.account_names[account as usize]
        )),
    };
    snapshots
        .iter()
        .map(|snapshot| of_lead(snapshot.lead))
        .collect()
}

/// What [`cluster_keys`] are of.
pub(crate) fn cluster_name(tables: &Tables) -> &'static str {
    if tables.leads.accounts.is_some() {
        "accounts"
    } else if has_deals(tables) {
        "leads or joint deals"
    } else if shared_closings(tables).is_empty() {
        "leads"
    } else {
        "leads or joint closings"
    }
}

/// Whether outcomes say which leads share a deal.
fn has_deals(tables: &Tables) -> bool {
    tables.outcomes.iter().any(|outcome| outcome.deal.is_some())
}

/// A hash of the lead of each snapshot.
pub fn lead_keys(tables: &Tables, snapshots: &[Snapshot]) -> Vec<u64> {
    snapshots
        .iter()
        .map(|snapshot| stable_hash(&tables.leads.ids[snapshot.lead as usize]))
        .collect()
}

/// Leads that one deal closes, at most; more that close in one moment were closed by a job.
const LARGEST_DEAL: usize = 50;

/// The share of the closed leads that close in the moment of another one from which on it is news.
const MANY_SHARED: f64 = 0.05;

/// Moments at which several leads close, as the contacts of one deal do; none where times have no
/// seconds, since in a minute, or on a day, many close.
fn shared_closings(tables: &Tables) -> HashSet<Timestamp> {
    const MINUTE: i64 = 60_000_000;
    let mut counts: HashMap<Timestamp, usize> = HashMap::new();
    for closed in tables.outcomes.iter().filter_map(|outcome| outcome.closed) {
        *counts.entry(closed).or_default() += 1;
    }
    // What is known from the end of a minute, or of a day, on is no moment.
    let has_seconds = |at: &Timestamp| at.micros() % MINUTE != 0 && (at.micros() + 1) % MINUTE != 0;
    if counts.keys().filter(|at| has_seconds(at)).count() < counts.len() / 2 {
        return HashSet::new();
    }
    counts.retain(|at, count| (2..=LARGEST_DEAL).contains(count) && has_seconds(at));
    counts.into_keys().collect()
}

/// Says where many leads close together and no account is named, which would also join those that
/// are open.
pub(super) fn note_shared_closings(data: &Data, tables: &Tables) {
    if tables.leads.accounts.is_some() || has_deals(tables) {
        return;
    }
    let shared = shared_closings(tables);
    let closings = || tables.outcomes.iter().filter_map(|outcome| outcome.closed);
    let (n_shared, n_closed) = (
        closings().filter(|closed| shared.contains(closed)).count(),
        closings().count(),
    );
    let n_days = closings()
        .map(|at| at.end_of_day())
        .collect::<HashSet<_>>()
        .len();
    // So many meet by chance where each second of eight hours a day is as good as another.
    let by_chance = n_closed as f64 / (n_days.max(1) as f64 * 28_800.0);
    if n_shared as f64 > (MANY_SHARED + 2.0 * by_chance) * n_closed as f64 {
        data.remark(&format!(
            "note: {} of {} close in the very moment of another one, as the contacts of one deal do: they count together; `account` of [leads] would join those that are open, too",
            count(n_shared),
            counted(n_closed, "closed lead")
        ));
    }
}
