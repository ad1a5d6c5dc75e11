//! When calls are made, and how many in each period.

use std::collections::{BTreeMap, BTreeSet};

use leadscore_config::{Capacity, DAYS_OF_MONTH, Every};
use leadscore_core::{Snapshot, counted};
use leadscore_metrics::Calls;

use crate::data::Data;
use crate::error::bail;

/// When calls are made: at each moment of calendar snapshots, month by month for snapshots by age,
/// once for a flat export.
pub(super) struct Periods {
    of_row: Vec<u32>,
    calls: Vec<f64>,
    /// Days that all cover; `None` for a flat export.
    pub(super) days: Option<f64>,
}

impl Periods {
    /// Those of these snapshots; without a capacity a quarter of each is called.
    pub(super) fn of(
        data: &Data,
        snapshots: &[Snapshot],
        capacity: Option<Capacity>,
    ) -> crate::Result<Self> {
        if data.config.is_flat() {
            return Self::of_flat(snapshots.len(), capacity);
        }
        if let Some(Capacity { days: None, calls }) = capacity {
            bail!(
                "--capacity {calls} has no unit of time\n  hint: write {calls}/day, {calls}/week or {calls}/month"
            );
        }
        let settings = &data.config.snapshots;
        let dated = if settings.ages.is_some() {
            Dated::by_age(snapshots)
        } else {
            Dated::by_calendar(snapshots, &settings.every)
        };
        Ok(dated.periods(capacity))
    }

    /// The only one of a flat export.
    fn of_flat(n_rows: usize, capacity: Option<Capacity>) -> crate::Result<Self> {
        let calls = match capacity {
            Some(Capacity { days: Some(_), .. }) => {
                bail!(
                    "undated data has no time unit for --capacity\n  hint: give a plain number of leads"
                )
            }
            Some(Capacity { calls, .. }) => calls,
            None => n_rows as f64 / 4.0,
        };
        Ok(Self {
            of_row: vec![0; n_rows],
            calls: vec![calls],
            days: None,
        })
    }

    /// The same for the measures.
    pub(super) fn calls(&self) -> Calls<'_> {
        Calls {
            period_of_row: &self.of_row,
            of_period: &self.calls,
            months: self.days.map(|days| days / DAYS_OF_MONTH),
        }
    }

    /// What the team can do, in words.
    pub(super) fn in_words(&self, capacity: Option<Capacity>, n_called: f64) -> String {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of snapshots"
        )]
        let called = counted(n_called.round() as usize, "snapshot");
        let each = if self.days.is_some() {
            "of each snapshot date"
        } else {
            "of all"
        };
        match capacity {
            None => format!(
                "the top quartile {each}, {called} together; `capacity` of [report] sets what the team can call"
            ),
            Some(Capacity { calls, days }) => {
                let unit = match days {
                    Some(1.0) => " a day",
                    Some(7.0) => " a week",
                    Some(_) => " a month",
                    None => "",
                };
                format!("{calls}{unit}, the best {each}, {called} together")
            }
        }
    }
}

/// Snapshots with dates, by the periods that they lie in.
struct Dated {
    /// The period of each row: periods are in the order of these keys.
    keys: Vec<i64>,
    /// Days of a period.
    length: f64,
    /// Days that all periods cover, where the last one ends with the last snapshot.
    reach: Option<f64>,
}

impl Dated {
    /// Month by month from the first snapshot on.
    fn by_age(snapshots: &[Snapshot]) -> Self {
        let (first, last) = snapshots
            .iter()
            .fold((snapshots[0].at, snapshots[0].at), |(first, last), key| {
                (first.min(key.at), last.max(key.at))
            });
        #[expect(
            clippy::cast_possible_truncation,
            reason = "months since the first snapshot"
        )]
        let month = |key: &Snapshot| (key.at.days_since(first) / DAYS_OF_MONTH).floor() as i64;
        Self {
            keys: snapshots.iter().map(month).collect(),
            length: DAYS_OF_MONTH,
            reach: Some(last.days_since(first).max(1.0)),
        }
    }

    /// At each moment, until the next one.
    fn by_calendar(snapshots: &[Snapshot], every: &Every) -> Self {
        Self {
            keys: snapshots.iter().map(|key| key.at.micros()).collect(),
            length: match every {
                Every::Month => DAYS_OF_MONTH,
                Every::Week => 7.0,
                Every::Length(span) => span.days(),
            },
            reach: None,
        }
    }

    /// The periods, with as many calls in each as the team can make.
    fn periods(self, capacity: Option<Capacity>) -> Periods {
        let numbers: BTreeMap<i64, u32> = self
            .keys
            .iter()
            .copied()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .zip(0..)
            .collect();
        let of_row: Vec<u32> = self.keys.iter().map(|key| numbers[key]).collect();
        let mut sizes = vec![0.0; numbers.len()];
        of_row
            .iter()
            .for_each(|&period| sizes[period as usize] += 1.0);
        let (days, last_length) = match self.reach {
            Some(days) => (
                days,
                (days - self.length * (numbers.len() as f64 - 1.0)).clamp(1.0, self.length),
            ),
            None => (self.length * numbers.len() as f64, self.length),
        };
        let calls = sizes
            .iter()
            .enumerate()
            .map(|(period, size)| {
                let length = if period + 1 == sizes.len() {
                    last_length
                } else {
                    self.length
                };
                capacity.map_or(size / 4.0, |capacity| {
                    let days = capacity.days.expect("a capacity without one was refused");
                    capacity.calls * length / days
                })
            })
            .collect();
        Periods {
            of_row,
            calls,
            days: Some(days),
        }
    }
}
