//! Open leads week by week, by the scores that were published: what the early read is made of.

use std::collections::HashMap;

use leadscore::{LeadState, LeadWeeks, Timestamp, WEEK};
use leadscore_core::Span;

/// What was predicted of all open leads at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Look {
    pub(crate) as_of: Timestamp,
    /// Numbers of the leads, within the ids that all looks share.
    pub(crate) leads: Vec<u32>,
    pub(crate) log_odds: Vec<f64>,
}

/// Open leads, one row a lead and week.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct WeekRows {
    /// The Monday of the week.
    pub(crate) week: Vec<Timestamp>,
    pub(crate) log_odds: Vec<f64>,
    pub(crate) age_days: Vec<f64>,
    pub(crate) clusters: Vec<u64>,
    pub(crate) held_back: Vec<bool>,
    pub(crate) won: Vec<bool>,
    pub(crate) lost: Vec<bool>,
}

/// A look is followed by the next one after about a week, or its leads say nothing of that week.
const SHORTEST: Span = Span::from_days(6);
const LONGEST: Span = Span::from_days(8);

impl WeekRows {
    pub(crate) fn n_rows(&self) -> usize {
        self.week.len()
    }

    pub(crate) fn n_weeks(&self) -> usize {
        let weeks: std::collections::HashSet<Timestamp> = self.week.iter().copied().collect();
        weeks.len()
    }

    /// Leads as the model scores them now for past Mondays.
    pub(crate) fn computed(weeks: &LeadWeeks) -> Self {
        Self {
            week: weeks.at.clone(),
            log_odds: weeks.log_odds.clone(),
            age_days: weeks.age_days.clone(),
            clusters: weeks.clusters.clone(),
            held_back: weeks.held_back.clone(),
            won: weeks.won.clone(),
            lost: weeks.lost.clone(),
        }
    }

    /// Leads as they were scored and published then.
    ///
    /// A win counts in the week in which it happened, whenever it was entered. How late wins are
    /// entered is learned from looks at which leads were still open after they had been won
    /// ([`lateness`]); weeks that are not so long ago are left out, because some of their wins are
    /// not entered yet. So are weeks before `from`, and those that end after `until`. Of each week
    /// the first look counts, where the next week's follows after six to eight days. `looks` are in
    /// order of time.
    pub(crate) fn published(
        looks: &[Look],
        states: &[Option<&LeadState>],
        (from, until): (Timestamp, Timestamp),
    ) -> (Self, Span) {
        let from = from.monday_at_or_after();
        let mut rows = Self::default();
        let moments: Vec<Timestamp> = looks.iter().map(|look| look.as_of).collect();
        let weekly: Vec<&Look> = first_of_weeks(&moments)
            .into_iter()
            .map(|place| &looks[place])
            .collect();
        let late = lateness(&weekly, states);
        let until = weekly
            .last()
            .map_or(until, |last| until.min(last.as_of - late));
        for pair in weekly.windows(2) {
            let (look, next) = (pair[0], pair[1]);
            let gap = Span::from_micros(next.as_of.micros() - look.as_of.micros());
            let is_known = monday_of(look.as_of) >= from && next.as_of <= until;
            if !(SHORTEST..=LONGEST).contains(&gap) || !is_known {
                continue;
            }
            for (&lead, &log_odds) in look.leads.iter().zip(&look.log_odds) {
                // A lead that was merged or deleted says nothing, nor does one that had closed
                // before anyone knew.
                let is_open =
                    |state: &&LeadState| state.closed.is_none_or(|closed| closed >= look.as_of);
                let Some(state) = states[lead as usize].filter(is_open) else {
                    continue;
                };
                let won = state.won.is_some_and(|won| won < next.as_of);
                let closed = state.closed.is_some_and(|closed| closed < next.as_of);
                rows.week.push(monday_of(look.as_of));
                rows.log_odds.push(log_odds);
                rows.age_days.push(
                    state
                        .created
                        .map_or(f64::NAN, |created| look.as_of.days_since(created)),
                );
                rows.clusters.push(state.cluster);
                rows.held_back.push(state.held_back);
                rows.won.push(won);
                rows.lost.push(closed && !won);
            }
        }
        (rows, late)
    }

    /// Whole weeks between two moments that have no rows.
    pub(crate) fn missing_weeks(&self, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        let known: std::collections::HashSet<Timestamp> = self.week.iter().copied().collect();
        let mut missing = Vec::new();
        let mut monday = from.monday_at_or_after();
        while monday + WEEK <= to {
            if !known.contains(&monday) {
                missing.push(monday);
            }
            monday = monday + WEEK;
        }
        missing
    }

    /// Adds rows, those of weeks that are there already aside.
    pub(crate) fn fill(&mut self, other: &Self) {
        let known: std::collections::HashSet<Timestamp> = self.week.iter().copied().collect();
        for row in (0..other.n_rows()).filter(|&row| !known.contains(&other.week[row])) {
            self.week.push(other.week[row]);
            self.log_odds.push(other.log_odds[row]);
            self.age_days.push(other.age_days[row]);
            self.clusters.push(other.clusters[row]);
            self.held_back.push(other.held_back[row]);
            self.won.push(other.won[row]);
            self.lost.push(other.lost[row]);
        }
    }
}

/// How long after it happened nearly every win (19 of 20) is entered, in whole weeks: how long leads
/// that were won were still open in what was published.
///
/// Late entries of the last eight weeks may not be there yet; wins before that count, where there
/// are twenty of them.
fn lateness(weekly: &[&Look], states: &[Option<&LeadState>]) -> Span {
    const SETTLED: Span = Span::from_days(56);
    const ENOUGH: usize = 20;
    let Some(last) = weekly.last() else {
        return Span::ZERO;
    };
    let mut last_open: Vec<Option<Timestamp>> = vec![None; states.len()];
    for look in weekly {
        look.leads
            .iter()
            .for_each(|&lead| last_open[lead as usize] = Some(look.as_of));
    }
    let wins = || {
        states.iter().zip(&last_open).filter_map(|(state, open)| {
            let (won, open) = ((*state)?.won?, (*open)?);
            Some((won, (open.micros() - won.micros()).max(0)))
        })
    };
    let settled = last.as_of - SETTLED;
    let mut late: Vec<i64> = wins()
        .filter(|(won, _)| *won < settled)
        .map(|(_, late)| late)
        .collect();
    if late.len() < ENOUGH {
        late = wins().map(|(_, late)| late).collect();
    }
    late.sort_unstable();
    let nearly_all = late.get((late.len() * 19) / 20).copied().unwrap_or(0);
    Span::from_micros((nearly_all + WEEK.micros() - 1) / WEEK.micros() * WEEK.micros())
}

/// The first of each week's moments, by its place; moments are in order.
pub(super) fn first_of_weeks(moments: &[Timestamp]) -> Vec<usize> {
    let mut first: HashMap<Timestamp, usize> = HashMap::new();
    for (place, &moment) in moments.iter().enumerate() {
        first.entry(monday_of(moment)).or_insert(place);
    }
    let mut places: Vec<usize> = first.into_values().collect();
    places.sort_unstable();
    places
}

/// The Monday, 00:00 UTC, at or before a moment.
pub(crate) fn monday_of(at: Timestamp) -> Timestamp {
    let monday = at.monday_at_or_after();
    if monday == at {
        monday
    } else {
        Timestamp::from_micros(monday.micros() - WEEK.micros())
    }
}
