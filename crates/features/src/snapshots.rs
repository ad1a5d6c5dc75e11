//! Which leads are looked at when: the risk set, its labels, and a count of everything left out.

use leadscore_config::{Every, SnapshotsConfig};
use leadscore_core::{LabelledSnapshots, Snapshot, Span, Stamp, Timestamp, counted};
use leadscore_dataset::{Activities, Flag, Standing, Tables};
use serde::{Deserialize, Serialize};

/// How many rows were kept and dropped, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SnapshotCounts {
    /// Leads in the table.
    pub n_leads: usize,
    /// Leads without a creation time, or (flat) without a flag or an order: never looked at.
    pub leads_without_time: usize,
    /// Leads that closed before they could be looked at, or were created too late for any snapshot.
    pub leads_never_at_risk: usize,
    /// Those of them that were won: what made them customers is not learned from.
    pub won_unseen: usize,
    /// Snapshots before the configured start.
    pub before_from: usize,
    /// Snapshots whose lead had closed by then (only snapshots by age count these).
    pub closed_before: usize,
    /// Snapshots of leads that nobody had touched for longer than `silent`.
    pub silent: usize,
    /// Snapshots whose window had not ended at the observation end: left out, whatever is known of
    /// them already.
    pub immature: usize,
    /// Wins among the immature ones, left out too, because keeping early winners would bias the
    /// rate.
    pub immature_wins: usize,
    /// Snapshots kept.
    pub mature: usize,
    /// Wins among the kept ones.
    pub wins: usize,
}

impl std::ops::AddAssign for SnapshotCounts {
    /// The counts of two parts of the leads.
    fn add_assign(&mut self, other: Self) {
        self.n_leads += other.n_leads;
        self.leads_without_time += other.leads_without_time;
        self.leads_never_at_risk += other.leads_never_at_risk;
        self.won_unseen += other.won_unseen;
        self.before_from += other.before_from;
        self.closed_before += other.closed_before;
        self.silent += other.silent;
        self.immature += other.immature;
        self.immature_wins += other.immature_wins;
        self.mature += other.mature;
        self.wins += other.wins;
    }
}

/// The leads to score at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoringSet {
    /// Leads at risk, in order of lead.
    pub at_risk: Vec<Snapshot>,
    /// Leads won before the moment.
    pub closed_won: Vec<u32>,
    /// Leads that are neither scored nor listed.
    pub left_out: LeftOut,
    /// Of a flat export, those at risk that were not won, and of which nothing says whether they
    /// have closed.
    pub perhaps_closed: usize,
}

/// Leads that are not scored, by reason; with those at risk and those won they are all leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LeftOut {
    /// Closed and not won before the moment.
    pub closed_lost: usize,
    /// Those that closed, won or not, and have an open row after it: counted as closed, here once
    /// more.
    pub reopened: usize,
    /// Created at the moment or later.
    pub not_yet: usize,
    /// Without a creation time.
    pub without_time: usize,
    /// Open, and without an event for longer than `silent`.
    pub silent: usize,
}

impl std::ops::AddAssign for LeftOut {
    /// The counts of two parts of the leads.
    fn add_assign(&mut self, other: Self) {
        self.closed_lost += other.closed_lost;
        self.reopened += other.reopened;
        self.not_yet += other.not_yet;
        self.without_time += other.without_time;
        self.silent += other.silent;
    }
}

/// Every mature snapshot with its label, in order of time, then lead.
///
/// A lead is at risk at `s` if it was created at or before `s` and had not closed before it; its
/// label is whether it was won in `[s, s + horizon)`. Calendar snapshots count a date of creation
/// from the end of its day; snapshots by age count it from the start, since `0d` means the moment
/// of creation itself. In a flat export each lead stands once, at its `order_by`, before `as_of`
/// where that is given, and the label is its flag.
///
/// # Errors
///
/// [`TooManySnapshots`], counted before any is made.
pub fn labelled_snapshots(
    tables: &Tables,
    config: &SnapshotsConfig,
    as_of: Option<Timestamp>,
) -> Result<(LabelledSnapshots, SnapshotCounts), TooManySnapshots> {
    let mut labelling = Labelling {
        tables,
        config,
        counts: SnapshotCounts {
            n_leads: tables.leads.ids.len(),
            ..Default::default()
        },
        rows: Vec::new(),
        immature: Vec::new(),
    };
    if tables.is_flat {
        labelling.take_flat(as_of);
    } else {
        labelling.take_dated()?;
    }
    Ok(labelling.finish())
}

/// The config asks for more snapshots than `[snapshots] limit` allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "[snapshots] asks for {}, more than the {limit} of its `limit`\n  hint: look at them less often (`every`), or raise `limit`",
    counted(*n, "snapshot")
)]
pub struct TooManySnapshots {
    /// How many it asks for; of calendar snapshots at least so many.
    pub n: usize,
    /// How many there may be.
    pub limit: usize,
}

impl TooManySnapshots {
    fn check(n: usize, config: &SnapshotsConfig) -> Result<(), Self> {
        if n > config.limit {
            Err(Self {
                n,
                limit: config.limit,
            })
        } else {
            Ok(())
        }
    }
}

/// Labelled snapshots in the making.
struct Labelling<'a> {
    tables: &'a Tables,
    config: &'a SnapshotsConfig,
    counts: SnapshotCounts,
    rows: Vec<(Snapshot, bool)>,
    immature: Vec<Snapshot>,
}

impl Labelling<'_> {
    /// Each lead of a flat export once.
    fn take_flat(&mut self, as_of: Option<Timestamp>) {
        for (lead, outcome) in self.tables.outcomes.iter().enumerate() {
            match (outcome.flag, flat_time(self.tables, lead)) {
                (Some(flag), Some(at)) if as_of.is_none_or(|as_of| at < as_of) => self.rows.push((
                    Snapshot {
                        lead: lead as u32,
                        at,
                    },
                    flag.is_won(),
                )),
                (Some(_), Some(_)) => self.counts.leads_never_at_risk += 1,
                _ => self.counts.leads_without_time += 1,
            }
        }
    }

    /// Each lead at each moment or age that the config asks for.
    fn take_dated(&mut self) -> Result<(), TooManySnapshots> {
        let (tables, config) = (self.tables, self.config);
        let first = tables
            .leads
            .created
            .iter()
            .flatten()
            .map(|stamp| stamp.start)
            .min();
        let dates = match first.filter(|_| config.ages.is_none()) {
            Some(first) => calendar_moments(config, first, tables.observation_end)?,
            None => Vec::new(),
        };
        let dates_of = |lead: usize| {
            let known = tables.leads.known_since(lead as u32);
            let first = dates.partition_point(|&date| known.is_none_or(|known| date < known));
            // In a log the last closing, after which it is never open again.
            let end = tables.outcomes[lead].closed.map_or(dates.len(), |closed| {
                dates.partition_point(|&date| date <= closed)
            });
            first..end.max(first)
        };
        let n_ages = config.ages.as_ref().map(Vec::len);
        let n_of = |(lead, created): (usize, &Option<Stamp>)| {
            created.map_or(0, |_| n_ages.unwrap_or_else(|| dates_of(lead).len()))
        };
        TooManySnapshots::check(
            tables.leads.created.iter().enumerate().map(n_of).sum(),
            config,
        )?;
        for lead in 0..tables.leads.ids.len() {
            let Some(created) = tables.leads.created[lead] else {
                self.counts.leads_without_time += 1;
                continue;
            };
            let before = (self.rows.len(), self.counts.immature);
            match &config.ages {
                Some(ages) => ages
                    .iter()
                    .map(|&age| created.start + age)
                    .filter(|at| {
                        let recorded = tables.leads.recorded_at(lead as u32);
                        recorded.is_none_or(|recorded| recorded <= *at)
                    })
                    .for_each(|at| self.visit(lead, at)),
                None => dates[dates_of(lead)]
                    .iter()
                    .for_each(|&date| self.visit(lead, date)),
            }
            if before == (self.rows.len(), self.counts.immature) {
                self.counts.leads_never_at_risk += 1;
                self.counts.won_unseen += usize::from(tables.outcomes[lead].won.is_some());
            }
        }
        Ok(())
    }

    /// Takes one lead at one moment, or counts why it is left out.
    fn visit(&mut self, lead: usize, at: Timestamp) {
        let (tables, config) = (self.tables, self.config);
        let number = lead as u32;
        let snapshot = Snapshot {
            lead: lead as u32,
            at,
        };
        if config.from.is_some_and(|from| at < from.0) {
            self.counts.before_from += 1;
        } else if tables.standing(number, at) != Standing::Open {
            self.counts.closed_before += 1;
        } else if is_silent(tables, lead as u32, at) {
            self.counts.silent += 1;
        } else {
            let won = tables.win_since(number, at);
            let label = won.is_some_and(|won| won < at + config.horizon);
            if at + config.horizon <= tables.mature_until() {
                self.rows.push((snapshot, label));
            } else if at <= tables.observation_end {
                self.immature.push(snapshot);
                self.counts.immature += 1;
                self.counts.immature_wins += usize::from(label);
            }
        }
    }

    /// In order of time, then lead.
    fn finish(self) -> (LabelledSnapshots, SnapshotCounts) {
        let Self {
            mut counts,
            mut rows,
            mut immature,
            ..
        } = self;
        rows.sort_unstable_by_key(|(snapshot, _)| (snapshot.at, snapshot.lead));
        immature.sort_unstable_by_key(|snapshot| (snapshot.at, snapshot.lead));
        counts.mature = rows.len();
        counts.wins = rows.iter().filter(|(_, label)| *label).count();
        let (snapshots, labels) = rows.into_iter().unzip();
        (
            LabelledSnapshots {
                snapshots,
                labels,
                immature,
            },
            counts,
        )
    }
}

/// The leads at risk at `as_of`, and those already won.
pub fn scoring_snapshots(tables: &Tables, as_of: Timestamp) -> ScoringSet {
    let mut set = ScoringSet {
        at_risk: Vec::new(),
        closed_won: Vec::new(),
        left_out: LeftOut::default(),
        perhaps_closed: 0,
    };
    for (lead, outcome) in tables.outcomes.iter().enumerate() {
        let number = lead as u32;
        if tables.is_flat {
            match outcome.flag {
                Some(Flag::Won) => set.closed_won.push(number),
                Some(Flag::Lost) => set.left_out.closed_lost += 1,
                flag @ (Some(Flag::NotWon) | None) => {
                    set.perhaps_closed += usize::from(flag == Some(Flag::NotWon));
                    set.at_risk.push(Snapshot {
                        lead: number,
                        at: flat_time(tables, lead).unwrap_or(as_of),
                    });
                }
            }
        } else if tables.leads.created[lead].is_none() {
            set.left_out.without_time += 1;
        } else if tables
            .leads
            .known_since(number)
            .is_some_and(|known| known > as_of)
        {
            set.left_out.not_yet += 1;
        } else if tables.standing(number, as_of) == Standing::Won {
            set.closed_won.push(number);
            set.left_out.reopened += usize::from(outcome.reopened);
        } else if tables.standing(number, as_of) == Standing::Lost {
            set.left_out.closed_lost += 1;
            set.left_out.reopened += usize::from(outcome.reopened);
        } else if is_silent(tables, number, as_of) {
            set.left_out.silent += 1;
        } else {
            set.at_risk.push(Snapshot {
                lead: number,
                at: as_of,
            });
        }
    }
    set
}

/// Whether a lead was created, and had its last event that could be seen then, longer ago than
/// `silent`.
fn is_silent(tables: &Tables, lead: u32, at: Timestamp) -> bool {
    let Some(silent) = tables.silent else {
        return false;
    };
    let begin = at - silent;
    let is_new = tables
        .leads
        .known_since(lead)
        .is_some_and(|known| known >= begin);
    let is_touched = |activities: &Activities| {
        activities.entity_of(lead).is_some_and(|entity| {
            let events = activities.events_of(entity);
            let end = events.start
                + activities.rows.at[events.clone()].partition_point(|time| *time < at);
            (events.start..end)
                .rev()
                .take_while(|&event| activities.rows.at[event] >= begin)
                .any(|event| activities.rows.visible_at(event) < at)
        })
    };
    !is_new && !tables.activities.iter().any(is_touched)
}

/// Where a lead of a flat export stands in the order; all at one point where there is no order.
fn flat_time(tables: &Tables, lead: usize) -> Option<Timestamp> {
    match &tables.leads.order {
        None => Some(Timestamp::from_micros(0)),
        Some(order) => Timestamp::from_order(order[lead]),
    }
}

/// The moments of calendar snapshots, from the first creation to the observation end.
///
/// # Errors
///
/// [`TooManySnapshots`] where there are more moments than there may be snapshots.
pub fn calendar_moments(
    config: &SnapshotsConfig,
    first: Timestamp,
    observation_end: Timestamp,
) -> Result<Vec<Timestamp>, TooManySnapshots> {
    let step = match config.every {
        Every::Month => Span::from_days(31),
        Every::Week => Span::from_days(7),
        Every::Length(span) => span,
    };
    let length = observation_end.micros() - first.micros();
    TooManySnapshots::check(
        usize::try_from(length / step.micros().max(1)).unwrap_or(0),
        config,
    )?;
    let mut dates = Vec::new();
    let mut date = match config.every {
        Every::Month => first.month_start_at_or_after(),
        Every::Week => first.monday_at_or_after(),
        Every::Length(span) => first.step_at_or_after(span, Timestamp::from_micros(0)),
    };
    while date <= observation_end {
        dates.push(date);
        let next = match config.every {
            Every::Month => date.next_month(),
            Every::Week => date + Span::from_days(7),
            Every::Length(span) => date + span,
        };
        // Time has an end, and there the next is the same.
        if next <= date {
            break;
        }
        date = next;
    }
    Ok(dates)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    /// Moments from one day to another, both of days since 1970, as days.
    fn days(every: Every, first: Timestamp, end: i64) -> Vec<i64> {
        let config = SnapshotsConfig {
            every,
            ..SnapshotsConfig::default()
        };
        let moments = calendar_moments(&config, first, Timestamp::from_micros(end * DAY));
        moments
            .expect("few")
            .iter()
            .map(|at| {
                assert_eq!(at.micros().rem_euclid(DAY), 0);
                at.micros().div_euclid(DAY)
            })
            .collect()
    }

    #[track_caller]
    fn check_days(every: Every, first: i64, end: i64, expected: &[i64]) {
        let first_moment = Timestamp::from_micros(first * DAY);
        assert_eq!(days(every, first_moment, end), expected);
        // A microsecond later the first moment is past.
        let later = Timestamp::from_micros(first * DAY + 1);
        let rest: Vec<i64> = expected
            .iter()
            .copied()
            .filter(|day| *day > first)
            .collect();
        assert_eq!(days(every, later, end), rest);
    }

    #[test]
    fn months_begin_on_their_first_day() {
        // 1970-01-01, 02-01, 03-01, 04-01: 31, 28 and 31 days.
        check_days(Every::Month, 0, 90, &[0, 31, 59, 90]);
        check_days(Every::Month, 0, 89, &[0, 31, 59]);
        // 1969-12-01 and 1969-11-01.
        check_days(Every::Month, -61, 0, &[-61, -31, 0]);
        // 1972-02-01, 1972-03-01: a leap year.
        check_days(Every::Month, 761, 790, &[761, 790]);
        check_days(Every::Month, 1, 30, &[]);
    }

    #[test]
    fn weeks_begin_on_mondays() {
        // 1970-01-05 was a Monday, and so was 1969-12-29.
        check_days(Every::Week, -4, 11, &[-3, 4, 11]);
        check_days(Every::Week, 4, 4, &[4]);
        check_days(Every::Week, 5, 10, &[]);
    }

    #[test]
    fn lengths_are_counted_from_1970() {
        let every = Every::Length(Span::from_days(10));
        check_days(every, -10, 20, &[-10, 0, 10, 20]);
        check_days(every, -11, 9, &[-10, 0]);
    }

    #[test]
    fn more_moments_than_snapshots_may_be_are_refused() {
        let config = SnapshotsConfig {
            every: Every::Length(Span::from_days(1)),
            limit: 1_000,
            ..SnapshotsConfig::default()
        };
        let of_days = |n: i64| {
            calendar_moments(
                &config,
                Timestamp::from_micros(0),
                Timestamp::from_micros(n * DAY),
            )
        };
        assert!(of_days(999).is_ok());
        assert!(of_days(2_000).is_err());
        // The end of time is no endless loop.
        let all_time = calendar_moments(
            &SnapshotsConfig::default(),
            Timestamp::from_micros(Timestamp::MAX.micros() - 40 * DAY),
            Timestamp::MAX,
        );
        assert!(all_time.is_ok_and(|moments| moments.len() < 4));
    }
}
