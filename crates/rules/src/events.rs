//! Points that events give: which of them count as of a moment, what follows them, what makes them
//! void, and how they decay.

use leadscore_core::{Snapshot, Timestamp};
use leadscore_dataset::{Activities, MISSING};

use crate::binder::{EventFilter, Events, Then};
use crate::rule::{DecayStep, NothingElse, RuleConfig};

/// A rule on activities.
pub(crate) struct EventRule<'a> {
    pub(crate) config: &'a RuleConfig,
    pub(crate) events: &'a Events,
    pub(crate) then: Option<&'a Then>,
    /// What makes earlier events void: the rule's own, and the score's.
    pub(crate) resets: [Option<&'a Events>; 2],
}

/// Days of a month of decay.
const MONTH_DAYS: f64 = 30.0;

/// Microseconds of a UTC day.
const DAY: i64 = 86_400_000_000;

impl EventRule<'_> {
    /// Points of the rule; `None` where it does not apply.
    pub(crate) fn points(&self, tables: &[Activities], snapshot: Snapshot) -> Option<f64> {
        let rule = self.config;
        let activities = &tables[self.events.table];
        let from = self.start(tables, snapshot);
        let n_paid = if rule.per_event || rule.per_day || rule.every.is_some() {
            rule.max_events.unwrap_or(u32::MAX)
        } else {
            1
        };
        // The latest first, as many of them as pay.
        let (mut n, mut has_others, mut sum) = (0_u32, false, 0.0);
        let mut day = None;
        let mut counted = Vec::new();
        for event in known(activities, snapshot).rev() {
            let at = activities.rows.at[event];
            if at < from {
                break;
            }
            if activities.rows.visible_at(event) >= snapshot.at {
                continue;
            }
            if !self.events.have(activities, event)
                || !self
                    .then
                    .is_none_or(|then| then.follows(tables, at, snapshot))
            {
                has_others = true;
                continue;
            }
            if rule.per_day
                && day.replace(at.micros().div_euclid(DAY)) == Some(at.micros().div_euclid(DAY))
            {
                continue;
            }
            if rule.every.is_some() {
                counted.push(at);
            } else if n < n_paid {
                sum += self.weight(at, snapshot.at);
            }
            n += 1;
        }
        let least = rule
            .at_least
            .or(rule.every)
            .unwrap_or(u32::from(rule.at_most.is_none()));
        if n < least || rule.at_most.is_some_and(|most| n > most) {
            return None;
        }
        if self.is_disturbed(tables, snapshot, from, has_others) {
            return None;
        }
        if let Some(every) = rule.every {
            sum = self.of_each(every as usize, &counted, n_paid as usize, snapshot.at);
        }
        // Nothing since: there is no event whose age could matter.
        let points = rule.points * if n == 0 { 1.0 } else { sum };
        Some(rule.cap.map_or(points, |cap| points.clamp(-cap, cap)))
    }

    /// From when on events count: the start of the window, or the latest reset that was known.
    fn start(&self, tables: &[Activities], snapshot: Snapshot) -> Timestamp {
        let window = self
            .config
            .within
            .map_or(Timestamp::MIN, |within| snapshot.at - within);
        let resets = self.resets.iter().flatten().filter_map(|reset| {
            let activities = &tables[reset.table];
            known(activities, snapshot)
                .rev()
                .find(|&event| {
                    activities.rows.visible_at(event) < snapshot.at && reset.have(activities, event)
                })
                .map(|event| activities.rows.at[event])
        });
        resets.fold(window, Timestamp::max)
    }

    /// Whether the lead has other events, where it must have none.
    fn is_disturbed(
        &self,
        tables: &[Activities],
        snapshot: Snapshot,
        from: Timestamp,
        has_others: bool,
    ) -> bool {
        match self.config.nothing_else {
            NothingElse::NotAsked => false,
            NothingElse::InTable => has_others,
            NothingElse::InAllTables => {
                has_others
                    || tables.iter().enumerate().any(|(table, other)| {
                        table != self.events.table
                            && known(other, snapshot).any(|event| {
                                other.rows.at[event] >= from
                                    && other.rows.visible_at(event) < snapshot.at
                            })
                    })
            }
        }
    }

    /// The weights of those events that complete so many, the oldest event being the first; of the
    /// latest of them, as many as pay.
    fn of_each(
        &self,
        every: usize,
        latest_first: &[Timestamp],
        n_paid: usize,
        now: Timestamp,
    ) -> f64 {
        latest_first
            .iter()
            .skip(latest_first.len() % every)
            .step_by(every)
            .take(n_paid)
            .map(|&at| self.weight(at, now))
            .sum()
    }

    /// The share of its points that an event of this moment still gives.
    fn weight(&self, at: Timestamp, now: Timestamp) -> f64 {
        let rule = self.config;
        let age = now.days_since(at);
        if let Some(half_life) = rule.half_life {
            0.5_f64.powf(age / half_life.days())
        } else if let Some(share) = rule.monthly_decay {
            (1.0 - share * age / MONTH_DAYS).max(0.0)
        } else {
            kept(
                rule.decay.as_deref().unwrap_or_default(),
                now.micros() - at.micros(),
            )
        }
    }
}

/// What steps of decay keep at an age in microseconds.
fn kept(steps: &[DecayStep], age: i64) -> f64 {
    let mut kept = 1.0;
    for step in steps {
        if let Some(every) = step.every {
            let times = i32::try_from(age / every.micros()).unwrap_or(i32::MAX);
            return step.keep.powi(times);
        }
        if step.after.is_some_and(|after| age >= after.micros()) {
            kept = step.keep;
        }
    }
    kept
}

impl Then {
    /// Whether such an event follows one of this moment, as far as is known.
    fn follows(&self, tables: &[Activities], first: Timestamp, snapshot: Snapshot) -> bool {
        let activities = &tables[self.events.table];
        let events = known(activities, snapshot);
        let times = &activities.rows.at[events.clone()];
        let start = events.start + times.partition_point(|&at| at <= first);
        (start..events.end)
            .take_while(|&event| {
                self.within
                    .is_none_or(|within| activities.rows.at[event] <= first + within)
            })
            .any(|event| {
                activities.rows.visible_at(event) < snapshot.at
                    && self.events.have(activities, event)
                    && self.then.as_ref().is_none_or(|next| {
                        next.follows(tables, activities.rows.at[event], snapshot)
                    })
            })
    }
}

impl Events {
    /// Whether an event of the table is one of them.
    fn have(&self, activities: &Activities, event: usize) -> bool {
        let rows = &activities.rows;
        self.filters.iter().all(|filter| match filter {
            EventFilter::Levels { column, counts } => {
                let code = rows.kinds[*column].codes[event];
                counts[if code == MISSING {
                    counts.len() - 1
                } else {
                    code as usize
                }]
            }
            EventFilter::Any(codes) => codes
                .iter()
                .any(|&(column, code)| rows.kinds[column].codes[event] == code),
            EventFilter::Nothing => false,
            EventFilter::Number { column, condition } => {
                condition.holds_for_number(rows.values[*column].values[event])
            }
        })
    }
}

/// The events of a lead that happened before a moment, in order; some may have been recorded later.
fn known(activities: &Activities, snapshot: Snapshot) -> std::ops::Range<usize> {
    let Some(entity) = activities.entity_of(snapshot.lead) else {
        return 0..0;
    };
    let events = activities.events_of(entity);
    let n = activities.rows.at[events.clone()].partition_point(|&at| at < snapshot.at);
    events.start..events.start + n
}
