//! All snapshots over one event table: grouped by whose events they see, one walk a group, groups
//! in parallel.

use leadscore_core::{AggregateValues, Formula, Snapshot, Timestamp};
use leadscore_dataset::{Activities, MISSING};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::fixed::Fixed;
use crate::layout::{Layout, Leaf};
use crate::walk::{Walk, mean};

/// The values of some rows: for each feature, one a row, contiguous.
pub(crate) struct Tile {
    pub(crate) rows: Vec<u32>,
    pub(crate) values: Vec<f64>,
}

/// The rows of one group within a tile.
struct Rows<'t> {
    values: &'t mut [f64],
    /// Rows of the whole tile.
    n_rows: usize,
    /// Where the group begins.
    begin: usize,
}

impl Rows<'_> {
    /// Puts the value of a feature at a member of the group.
    fn put(&mut self, member: usize, feature: usize, value: f64) {
        self.values[feature * self.n_rows + self.begin + member] = value;
    }
}

/// Rows that a tile holds before the next is begun: large enough to share costs, small enough to
/// stay in cache.
const TILE_ROWS: usize = 512;

/// Positions of snapshots by a number of theirs, in order of time within each.
pub(crate) struct Groups {
    order: Vec<u32>,
    offsets: Vec<usize>,
}

impl Groups {
    /// Groups snapshots; those without a number make a last group of their own.
    pub(crate) fn new(
        snapshots: &[Snapshot],
        n_groups: usize,
        group_of: impl Fn(u32) -> Option<usize>,
    ) -> Self {
        let group = |snapshot: &Snapshot| group_of(snapshot.lead).unwrap_or(n_groups);
        let mut offsets = vec![0; n_groups + 2];
        for snapshot in snapshots {
            offsets[group(snapshot) + 1] += 1;
        }
        for number in 0..=n_groups {
            offsets[number + 1] += offsets[number];
        }
        let mut next = offsets.clone();
        let mut order = vec![0; snapshots.len()];
        for (position, snapshot) in snapshots.iter().enumerate() {
            let place = &mut next[group(snapshot)];
            order[*place] = position as u32;
            *place += 1;
        }
        // Snapshots mostly come in order of time, and then every group is in that order already.
        if !snapshots.is_sorted_by_key(|snapshot| snapshot.at) {
            for number in 0..=n_groups {
                order[offsets[number]..offsets[number + 1]]
                    .sort_by_key(|&position| snapshots[position as usize].at);
            }
        }
        Self { order, offsets }
    }

    fn members(&self, group: usize) -> &[u32] {
        &self.order[self.offsets[group]..self.offsets[group + 1]]
    }

    /// Runs of groups with about [`TILE_ROWS`] snapshots each.
    fn runs(&self) -> Vec<std::ops::Range<usize>> {
        let n_groups = self.offsets.len() - 1;
        let mut runs = Vec::new();
        let mut first = 0;
        while first < n_groups {
            let wanted = self.offsets[first] + TILE_ROWS;
            let end = self
                .offsets
                .partition_point(|&offset| offset < wanted)
                .clamp(first + 1, n_groups);
            if self.offsets[end] > self.offsets[first] {
                runs.push(first..end);
            }
            first = end;
        }
        runs
    }

    /// One tile a run, in order; `fill` is called for each group that has snapshots.
    fn tiles<S>(
        &self,
        width: usize,
        start: impl Fn() -> S + Sync,
        fill: impl Fn(&mut S, usize, &[u32], &mut Rows<'_>) + Sync,
    ) -> Vec<Tile> {
        let tile = |run: std::ops::Range<usize>| {
            let mut state = start();
            let (first, last) = (self.offsets[run.start], self.offsets[run.end]);
            let n_rows = last - first;
            let mut values = vec![f64::NAN; n_rows * width];
            for group in run {
                let members = self.members(group);
                if !members.is_empty() {
                    let mut rows = Rows {
                        values: &mut values,
                        n_rows,
                        begin: self.offsets[group] - first,
                    };
                    fill(&mut state, group, members, &mut rows);
                }
            }
            Tile {
                rows: self.order[first..last].to_vec(),
                values,
            }
        };
        let mut runs = self.runs();
        match (runs.pop(), runs.is_empty()) {
            (None, _) => Vec::new(),
            (Some(only), true) => vec![tile(only)],
            (Some(last), false) => {
                runs.push(last);
                runs.into_par_iter().map(tile).collect()
            }
        }
    }
}

/// Calls `visit` with a walk that stands at each of these snapshots in turn; `visible_at` says from
/// when an event is seen.
///
/// Events become visible in order of time where nothing was recorded late: then one walk serves all
/// snapshots. Where an event was recorded after a later one, each snapshot gets a walk over the
/// events that it can see, to the same values.
fn visit_snapshots<'a>(
    walk: &mut Walk<'a>,
    activities: &'a Activities,
    events: &[u32],
    visible_at: impl Fn(u32) -> Timestamp,
    times: impl Iterator<Item = Timestamp>,
    mut visit: impl FnMut(usize, &Walk<'a>),
) {
    let as_recorded =
        |event: &u32| visible_at(*event) == activities.rows.visible_at(*event as usize);
    let in_order =
        activities.rows.visible.is_none() || events.is_sorted_by_key(|&event| visible_at(event));
    if in_order && events.iter().all(as_recorded) {
        walk.load(events.iter().map(|&event| event as usize));
        for (member, at) in times.enumerate() {
            walk.advance(at);
            visit(member, walk);
        }
    } else {
        for (member, at) in times.enumerate() {
            walk.load(
                events
                    .iter()
                    .filter(|&&event| visible_at(event) < at)
                    .map(|&event| event as usize),
            );
            walk.advance(at);
            visit(member, walk);
        }
    }
}

/// Features of the events that each snapshot's lead sees.
pub(crate) fn sweep_own(
    activities: &Activities,
    layout: &Layout,
    snapshots: &[Snapshot],
    created: impl Fn(u32) -> Option<Timestamp> + Sync,
) -> Vec<Tile> {
    let groups = Groups::new(snapshots, activities.n_entities(), |lead| {
        activities.entity_of(lead)
    });
    groups.tiles(
        layout.cells.len(),
        || (Walk::new(layout, &activities.rows), Vec::new()),
        |(walk, events): &mut (Walk<'_>, Vec<u32>), group, members, rows| {
            events.clear();
            if group < activities.n_entities() {
                events.extend(activities.events_of(group).map(|event| event as u32));
            }
            let times = members.iter().map(|&row| snapshots[row as usize].at);
            visit_snapshots(
                walk,
                activities,
                events,
                |event| activities.rows.visible_at(event as usize),
                times,
                |member, walk| {
                    let created = created(snapshots[members[member] as usize].lead);
                    let values = walk.values(created);
                    for (number, cell) in layout.cells.iter().enumerate() {
                        rows.put(member, number, cell.value(&values));
                    }
                },
            );
        },
    )
}

/// The leads of each account.
pub(crate) struct Accounts<'a> {
    pub(crate) of_lead: &'a [u32],
    pub(crate) offsets: Vec<usize>,
    pub(crate) leads: Vec<u32>,
}

impl<'a> Accounts<'a> {
    pub(crate) fn new(of_lead: &'a [u32]) -> Self {
        let n_accounts = of_lead
            .iter()
            .filter(|&&account| account != MISSING)
            .max()
            .map_or(0, |&last| last as usize + 1);
        let mut offsets = vec![0; n_accounts + 1];
        for &account in of_lead.iter().filter(|&&account| account != MISSING) {
            offsets[account as usize + 1] += 1;
        }
        for account in 0..n_accounts {
            offsets[account + 1] += offsets[account];
        }
        let mut next = offsets.clone();
        let mut leads = vec![0; offsets[n_accounts]];
        for (lead, &account) in of_lead
            .iter()
            .enumerate()
            .filter(|(_, account)| **account != MISSING)
        {
            leads[next[account as usize]] = lead as u32;
            next[account as usize] += 1;
        }
        Self {
            of_lead,
            offsets,
            leads,
        }
    }

    pub(crate) fn n_accounts(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(crate) fn leads_of(&self, account: usize) -> &[u32] {
        &self.leads[self.offsets[account]..self.offsets[account + 1]]
    }

    pub(crate) fn account_of(&self, lead: u32) -> Option<usize> {
        Some(self.of_lead[lead as usize])
            .filter(|&account| account != MISSING)
            .map(|account| account as usize)
    }
}

/// Features of the events of the account's other leads: those of the whole account less the lead's
/// own, both exact.
///
/// What a lead did before it was created is seen from its creation on: before, nobody knew that it
/// belongs to the account.
pub(crate) fn sweep_peers(
    activities: &Activities,
    layout: &Layout,
    snapshots: &[Snapshot],
    accounts: &Accounts<'_>,
    created: impl Fn(u32) -> Option<Timestamp> + Sync,
) -> Vec<Tile> {
    let groups = Groups::new(snapshots, accounts.n_accounts(), |lead| {
        accounts.account_of(lead)
    });
    let mut leaves = Vec::new();
    let cells = layout
        .cells
        .iter()
        .map(|cell| {
            cell.try_map(&mut |&leaf| {
                leaves.push(leaf);
                Ok::<usize, std::convert::Infallible>(leaves.len() - 1)
            })
            .unwrap_or_else(|never| match never {})
        })
        .collect();
    let sweep = PeerSweep {
        activities,
        leaves,
        cells,
        snapshots,
        created,
    };
    groups.tiles(
        layout.cells.len(),
        || {
            (
                Walk::new(layout, &activities.rows),
                Walk::new(layout, &activities.rows),
            )
        },
        |(all, own): &mut (Walk<'_>, Walk<'_>), account, members, rows| {
            // Leads without an account keep their missing values.
            if account == accounts.n_accounts() {
                return;
            }
            // First what the whole account did, then each lead's own is taken off.
            let events = AccountEvents::new(activities, accounts.leads_of(account));
            let totals = sweep.totals(all, &events, members);
            sweep.put_without_own(own, &totals, members, rows);
        },
    )
}

/// The events of all leads of an account.
struct AccountEvents {
    /// In order of time.
    positions: Vec<u32>,
    /// Each event with its lead, in order of event.
    owners: Vec<(u32, u32)>,
}

impl AccountEvents {
    /// Gathers the events of these leads.
    fn new(activities: &Activities, leads: &[u32]) -> Self {
        let mut events: Vec<(Timestamp, Timestamp, u32, u32)> = Vec::new();
        for &lead in leads {
            events.extend(activities.events_of(lead as usize).map(|event| {
                (
                    activities.rows.at[event],
                    activities.rows.visible_at(event),
                    lead,
                    event as u32,
                )
            }));
        }
        events.sort_unstable();
        let mut owners: Vec<(u32, u32)> = events.iter().map(|event| (event.3, event.2)).collect();
        owners.sort_unstable();
        Self {
            positions: events.iter().map(|event| event.3).collect(),
            owners,
        }
    }

    /// The lead of an event.
    fn owner(&self, event: u32) -> u32 {
        self.owners[self.owners.partition_point(|&(known, _)| known < event)].1
    }
}

/// What every account's sweep looks at; `created` says from when a lead is known.
struct PeerSweep<'a, C> {
    activities: &'a Activities,
    /// The aggregates of all features, one after the other.
    leaves: Vec<Leaf>,
    /// The features over the positions of their aggregates.
    cells: Vec<Formula<usize>>,
    snapshots: &'a [Snapshot],
    created: C,
}

impl<'a, C: Fn(u32) -> Option<Timestamp>> PeerSweep<'a, C> {
    /// From when the account's other leads see an event of this lead.
    fn visible_at(&self, event: u32, lead: u32) -> Timestamp {
        self.activities
            .rows
            .visible_at(event as usize)
            .max((self.created)(lead).unwrap_or(Timestamp::MAX))
    }

    /// What the whole account did, for each snapshot the aggregates one after the other.
    fn totals(&self, all: &mut Walk<'a>, events: &AccountEvents, members: &[u32]) -> Vec<Total> {
        let mut totals: Vec<Total> = Vec::with_capacity(members.len() * self.leaves.len());
        visit_snapshots(
            all,
            self.activities,
            &events.positions,
            |event| self.visible_at(event, events.owner(event)),
            members.iter().map(|&row| self.snapshots[row as usize].at),
            |member, walk| {
                let lead = self.snapshots[members[member] as usize].lead;
                let is_peer = |event: u32| events.owner(event) != lead;
                totals.extend(
                    self.leaves
                        .iter()
                        .map(|&leaf| Total::of(walk, leaf, is_peer, self.activities)),
                );
            },
        );
        totals
    }

    /// Takes each lead's own events off the totals, and puts what is left.
    fn put_without_own(
        &self,
        own: &mut Walk<'a>,
        totals: &[Total],
        members: &[u32],
        rows: &mut Rows<'_>,
    ) {
        let n_leaves = self.leaves.len();
        let snapshot = |member: usize| self.snapshots[members[member] as usize];
        let mut of_peers = PeerValues {
            totals: Vec::with_capacity(n_leaves),
            at: Timestamp::MIN,
        };
        let mut by_lead: Vec<usize> = (0..members.len()).collect();
        by_lead.sort_by_key(|&member| snapshot(member).lead);
        for run in by_lead.chunk_by(|&a, &b| snapshot(a).lead == snapshot(b).lead) {
            let lead = snapshot(run[0]).lead;
            let events: Vec<u32> = self
                .activities
                .events_of(lead as usize)
                .map(|event| event as u32)
                .collect();
            visit_snapshots(
                own,
                self.activities,
                &events,
                |event| self.visible_at(event, lead),
                run.iter().map(|&member| snapshot(member).at),
                |position, walk| {
                    let member = run[position];
                    let totals = &totals[member * n_leaves..(member + 1) * n_leaves];
                    of_peers.at = snapshot(member).at;
                    of_peers.totals.clear();
                    of_peers
                        .totals
                        .extend(self.leaves.iter().zip(totals).map(|(&leaf, total)| {
                            total.less(Total::of(walk, leaf, |_| false, self.activities))
                        }));
                    for (number, cell) in self.cells.iter().enumerate() {
                        rows.put(member, number, cell.value(&of_peers));
                    }
                },
            );
        }
    }
}

/// An aggregate over an account, so that a lead's own part can be taken off.
#[derive(Debug, Clone, Copy)]
enum Total {
    Count(i64),
    Sum(Fixed),
    Mean(Fixed, u32),
    Latest(Option<Timestamp>),
}

impl Total {
    fn of(
        walk: &Walk<'_>,
        leaf: Leaf,
        is_peer: impl Fn(u32) -> bool,
        activities: &Activities,
    ) -> Self {
        match leaf {
            Leaf::Count { track, window } => Self::Count(walk.count(track, window) as i64),
            Leaf::Sum {
                track,
                window,
                column,
            } => Self::Sum(walk.sum(track, window, column).0),
            Leaf::Mean {
                track,
                window,
                column,
            } => {
                let (sum, n_values) = walk.sum(track, window, column);
                Self::Mean(sum, n_values)
            }
            Leaf::Last { track } => {
                // Back over the lead's own latest events to the first of another.
                let latest = walk
                    .visible_events(track)
                    .iter()
                    .rev()
                    .find(|&&event| is_peer(event));
                Self::Latest(latest.map(|&event| activities.rows.at[event as usize]))
            }
            Leaf::Max { .. }
            | Leaf::ActiveDays { .. }
            | Leaf::First { .. }
            | Leaf::FirstSinceCreation { .. }
            | Leaf::LongestGap { .. }
            | Leaf::Decayed { .. }
            | Leaf::LatestValue { .. }
            | Leaf::LatestKind { .. } => {
                unreachable!("features of peers are of counts, sums, means and latest events")
            }
        }
    }

    /// Without a lead's own part, which is of the same aggregate. The latest event was another's
    /// from the beginning.
    fn less(self, own: Self) -> Self {
        match (self, own) {
            (Self::Count(all), Self::Count(own)) => Self::Count(all - own),
            (Self::Sum(all), Self::Sum(own)) => Self::Sum(all - own),
            (Self::Mean(all, n_all), Self::Mean(own, n_own)) => {
                Self::Mean(all - own, n_all - n_own)
            }
            (all, _) => all,
        }
    }
}

/// The aggregates of the account's other leads at one snapshot.
struct PeerValues {
    totals: Vec<Total>,
    at: Timestamp,
}

impl AggregateValues<usize> for PeerValues {
    fn number(&self, &place: &usize) -> f64 {
        match self.totals[place] {
            Total::Count(count) => count as f64,
            Total::Sum(sum) => sum.value(),
            Total::Mean(sum, n_values) => mean((sum, n_values)),
            Total::Latest(_) => f64::NAN,
        }
    }

    fn moment(&self, &place: &usize) -> Option<i64> {
        match self.totals[place] {
            Total::Latest(latest) => latest.map(Timestamp::micros),
            Total::Count(_) | Total::Sum(_) | Total::Mean(..) => None,
        }
    }

    fn snapshot(&self) -> i64 {
        self.at.micros()
    }

    fn creation(&self) -> Option<i64> {
        None
    }
}
