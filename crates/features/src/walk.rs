//! The sweep over the events of one lead or account: pointers that only move forward, running sums,
//! no look ahead.

use std::collections::VecDeque;

use leadscore_core::{AggregateValues, Timestamp};
use leadscore_dataset::{EventRows, MISSING};

use crate::fixed::Fixed;
use crate::layout::{Layout, Leaf, NONE};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The events of one filter, by time, and where the sweep stands in them.
#[derive(Debug, Default)]
struct Track {
    at: Vec<i64>,
    /// From when each is visible, never falling; empty where that is when it happened.
    visible: Vec<i64>,
    event: Vec<u32>,
    /// For each value column, running sums: entry `i` is over the first `i` events.
    sums: Vec<Vec<(Fixed, u32)>>,
    /// Running numbers of distinct days: entry `i` is over the first `i` events.
    days: Vec<u32>,
    /// Events before it are visible at the snapshot.
    end: usize,
    /// For each window, events before it happened too early.
    starts: Vec<usize>,
    /// For each window (and ever, last) and column: positions of events whose value no later one
    /// reaches, falling.
    maxima: Vec<VecDeque<u32>>,
    /// For each half-life, the intensity as of the latest visible event.
    intensity: Vec<f64>,
    max_gap: i64,
}

/// The sweep: all tracks of one lead or account. Load it, then visit snapshots in order of time.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    layout: &'a Layout,
    rows: &'a EventRows,
    tracks: Vec<Track>,
    at: i64,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(layout: &'a Layout, rows: &'a EventRows) -> Self {
        let n_windows = layout.windows.len();
        let track = |number: usize| Track {
            sums: if layout.summed[number] {
                vec![Vec::new(); layout.columns.len()]
            } else {
                Vec::new()
            },
            starts: vec![0; n_windows],
            maxima: if layout.needs.maxima {
                vec![VecDeque::new(); (n_windows + 1) * layout.columns.len()]
            } else {
                Vec::new()
            },
            intensity: vec![0.0; layout.half_lives.len()],
            ..Track::default()
        };
        Self {
            layout,
            rows,
            tracks: (0..layout.n_tracks).map(track).collect(),
            at: i64::MIN,
        }
    }

    /// Starts anew with these events, which are in order of time and become visible in that order
    /// too.
    pub(crate) fn load(&mut self, events: impl Iterator<Item = usize>) {
        self.at = i64::MIN;
        self.tracks.iter_mut().for_each(Track::clear);
        for event in events {
            let at = self.rows.at[event].micros();
            let visible = self
                .rows
                .visible
                .as_ref()
                .map(|visible| visible[event].micros());
            self.tracks[0].push(event, at, visible);
            for (tracks, kind) in self.layout.track_of_code.iter().zip(&self.rows.kinds) {
                let code = kind.codes[event];
                if code != MISSING && tracks[code as usize] != NONE {
                    self.tracks[tracks[code as usize] as usize].push(event, at, visible);
                }
            }
            for (track, column, holds) in &self.layout.having {
                let code = self.rows.kinds[*column].codes[event];
                if code != MISSING && holds[code as usize] {
                    self.tracks[*track as usize].push(event, at, visible);
                }
            }
            for (track, wanted) in &self.layout.joint {
                if wanted
                    .iter()
                    .all(|&(column, code)| self.rows.kinds[column].codes[event] == code)
                {
                    self.tracks[*track as usize].push(event, at, visible);
                }
            }
        }
        for track in &mut self.tracks {
            track.sum(self.layout, self.rows);
        }
        if self.layout.needs.days {
            self.tracks.iter_mut().for_each(Track::count_days);
        }
    }

    /// Moves to a snapshot, at or after the one before.
    pub(crate) fn advance(&mut self, at: Timestamp) {
        self.at = at.micros();
        for track in &mut self.tracks {
            track.advance(self.at, self.layout, self.rows);
        }
    }

    fn track(&self, track: u32) -> &Track {
        &self.tracks[track as usize]
    }

    fn range(&self, track: u32, window: Option<u32>) -> std::ops::Range<usize> {
        let track = self.track(track);
        // An event may be too early for the window and yet not visible.
        window.map_or(0, |window| track.starts[window as usize].min(track.end))..track.end
    }

    pub(crate) fn count(&self, track: u32, window: Option<u32>) -> usize {
        self.range(track, window).len()
    }

    /// Sum of a column over a window, and number of events that have a value.
    pub(crate) fn sum(&self, track: u32, window: Option<u32>, column: u32) -> (Fixed, u32) {
        let range = self.range(track, window);
        let sums = &self.track(track).sums[column as usize];
        let (first, last) = (sums[range.start], sums[range.end]);
        (last.0 - first.0, last.1 - first.1)
    }

    /// Positions of the visible events of a track.
    pub(crate) fn visible_events(&self, track: u32) -> &[u32] {
        let track = self.track(track);
        &track.event[..track.end]
    }

    /// The aggregates at the snapshot, of a lead that was created then.
    pub(crate) fn values(&self, created: Option<Timestamp>) -> WalkValues<'_> {
        WalkValues {
            walk: self,
            created: created.map(Timestamp::micros),
        }
    }

    /// Each event counts a half for every half-life since it; NaN without events.
    fn decayed(&self, track: u32, half_life: u32) -> f64 {
        self.last(track).map_or(f64::NAN, |last| {
            self.track(track).intensity[half_life as usize]
                * faded(self.at - last, self.layout.half_lives[half_life as usize])
        })
    }

    /// The largest value of a column in a window; NaN where no event has one.
    fn max(&self, track: u32, window: Option<u32>, column: u32) -> f64 {
        let n_columns = self.layout.columns.len();
        let front = self.track(track).maxima[window
            .map_or(self.layout.windows.len(), |window| window as usize)
            * n_columns
            + column as usize]
            .front();
        front.map_or(f64::NAN, |&position| {
            self.rows.values[self.layout.columns[column as usize]].values
                [self.track(track).event[position as usize] as usize]
        })
    }

    /// When the first visible event at or after a moment was.
    fn first_since(&self, track: u32, moment: i64) -> Option<i64> {
        let seen = &self.track(track).at[..self.track(track).end];
        seen.get(seen.partition_point(|&at| at < moment)).copied()
    }

    /// The value of the latest visible event that has one.
    fn latest_value(&self, track: u32, column: u32) -> f64 {
        let values = &self.rows.values[column as usize].values;
        self.visible_events(track)
            .iter()
            .rev()
            .map(|&event| values[event as usize])
            .find(|value| !value.is_nan())
            .unwrap_or(f64::NAN)
    }

    /// The code of the latest visible event's kind; NaN where that is missing.
    fn latest_kind(&self, track: u32, column: u32) -> f64 {
        match self.visible_events(track).last() {
            Some(&event) if self.rows.kinds[column as usize].codes[event as usize] != MISSING => {
                f64::from(self.rows.kinds[column as usize].codes[event as usize])
            }
            _ => f64::NAN,
        }
    }

    fn first(&self, track: u32) -> Option<i64> {
        (self.track(track).end > 0).then(|| self.track(track).at[0])
    }

    fn last(&self, track: u32) -> Option<i64> {
        self.track(track)
            .end
            .checked_sub(1)
            .map(|last| self.track(track).at[last])
    }
}

/// The aggregates of a walk at the snapshot where it stands.
pub(crate) struct WalkValues<'w> {
    walk: &'w Walk<'w>,
    created: Option<i64>,
}

impl AggregateValues<Leaf> for WalkValues<'_> {
    #[inline]
    fn number(&self, leaf: &Leaf) -> f64 {
        let walk = self.walk;
        match *leaf {
            Leaf::Count { track, window } => walk.count(track, window) as f64,
            Leaf::Mean {
                track,
                window,
                column,
            } => mean(walk.sum(track, window, column)),
            Leaf::Sum {
                track,
                window,
                column,
            } => walk.sum(track, window, column).0.value(),
            Leaf::Max {
                track,
                window,
                column,
            } => walk.max(track, window, column),
            Leaf::ActiveDays { track, window } => {
                f64::from(walk.track(track).distinct_days(walk.range(track, window)))
            }
            Leaf::LongestGap { track } if walk.track(track).end > 1 => {
                walk.track(track).max_gap as f64
            }
            Leaf::LongestGap { .. } => f64::NAN,
            Leaf::Decayed { track, half_life } => walk.decayed(track, half_life),
            Leaf::LatestValue { track, column } => walk.latest_value(track, column),
            Leaf::LatestKind { track, column } => walk.latest_kind(track, column),
            Leaf::First { .. } | Leaf::Last { .. } | Leaf::FirstSinceCreation { .. } => {
                self.moment(leaf).map_or(f64::NAN, |at| at as f64)
            }
        }
    }

    fn moment(&self, leaf: &Leaf) -> Option<i64> {
        match *leaf {
            Leaf::First { track } => self.walk.first(track),
            Leaf::Last { track } => self.walk.last(track),
            Leaf::FirstSinceCreation { track } => self.walk.first_since(track, self.created?),
            Leaf::Count { .. }
            | Leaf::Mean { .. }
            | Leaf::Sum { .. }
            | Leaf::Max { .. }
            | Leaf::ActiveDays { .. }
            | Leaf::LongestGap { .. }
            | Leaf::Decayed { .. }
            | Leaf::LatestValue { .. }
            | Leaf::LatestKind { .. } => None,
        }
    }

    fn snapshot(&self) -> i64 {
        self.walk.at
    }

    fn creation(&self) -> Option<i64> {
        self.created
    }
}

/// The mean of a sum over so many values; NaN over none.
pub(crate) fn mean((sum, n): (Fixed, u32)) -> f64 {
    if n == 0 {
        f64::NAN
    } else {
        sum.value() / f64::from(n)
    }
}

/// What is left of 1 after this time; the same bits on every machine.
fn faded(elapsed: i64, half_life: i64) -> f64 {
    let half_lives = elapsed as f64 / half_life as f64;
    // Nothing is left, for every engine: some fail of what is too small a number.
    if half_lives > 1e3 {
        0.0
    } else {
        libm::exp2(-half_lives)
    }
}

impl Track {
    fn clear(&mut self) {
        if self.at.is_empty() {
            return;
        }
        self.at.clear();
        self.visible.clear();
        self.event.clear();
        self.end = 0;
        self.starts.fill(0);
        self.maxima.iter_mut().for_each(VecDeque::clear);
        self.intensity.fill(0.0);
        self.max_gap = 0;
    }

    fn push(&mut self, event: usize, at: i64, visible: Option<i64>) {
        self.at.push(at);
        self.visible.extend(visible);
        self.event.push(event as u32);
    }

    fn sum(&mut self, layout: &Layout, rows: &EventRows) {
        for (sums, &column) in self.sums.iter_mut().zip(&layout.columns) {
            sums.clear();
            let mut running = (Fixed::default(), 0);
            sums.push(running);
            for &event in &self.event {
                let value = rows.values[column].values[event as usize];
                if !value.is_nan() {
                    running = (running.0 + Fixed::new(value), running.1 + 1);
                }
                sums.push(running);
            }
        }
    }

    fn count_days(&mut self) {
        self.days.clear();
        self.days.push(0);
        let mut running = 0;
        for (position, &at) in self.at.iter().enumerate() {
            running += u32::from(position == 0 || day(self.at[position - 1]) != day(at));
            self.days.push(running);
        }
    }

    fn distinct_days(&self, range: std::ops::Range<usize>) -> u32 {
        if range.is_empty() {
            return 0;
        }
        // The day of the first event counts, though it may have begun before the window.
        let begun_before =
            range.start > 0 && day(self.at[range.start - 1]) == day(self.at[range.start]);
        self.days[range.end] - self.days[range.start] + u32::from(begun_before)
    }

    fn advance(&mut self, at: i64, layout: &Layout, rows: &EventRows) {
        if self.at.is_empty() {
            return;
        }
        while self.end < self.at.len()
            && self.visible.get(self.end).unwrap_or(&self.at[self.end]) < &at
        {
            self.admit(layout, rows);
            self.end += 1;
        }
        let n_columns = layout.columns.len();
        for (window, (start, length)) in self.starts.iter_mut().zip(&layout.windows).enumerate() {
            while *start < self.at.len() && self.at[*start] < at - length {
                *start += 1;
            }
            if layout.needs.maxima {
                for maxima in &mut self.maxima[window * n_columns..(window + 1) * n_columns] {
                    while maxima
                        .front()
                        .is_some_and(|&position| (position as usize) < *start)
                    {
                        maxima.pop_front();
                    }
                }
            }
        }
    }

    /// Takes in the event that has just become visible.
    fn admit(&mut self, layout: &Layout, rows: &EventRows) {
        let (event, at) = (self.event[self.end] as usize, self.at[self.end]);
        let since = self.end.checked_sub(1).map(|last| at - self.at[last]);
        for (intensity, &half_life) in self.intensity.iter_mut().zip(&layout.half_lives) {
            *intensity = 1.0 + since.map_or(0.0, |since| *intensity * faded(since, half_life));
        }
        if layout.needs.gaps {
            self.max_gap = self.max_gap.max(since.unwrap_or(0));
        }
        if layout.needs.maxima {
            let n_columns = layout.columns.len();
            for (number, maxima) in self.maxima.iter_mut().enumerate() {
                let values = &rows.values[layout.columns[number % n_columns]].values;
                let value = values[event];
                if !value.is_nan() {
                    while maxima.back().is_some_and(|&position| {
                        values[self.event[position as usize] as usize] <= value
                    }) {
                        maxima.pop_back();
                    }
                    maxima.push_back(self.end as u32);
                }
            }
        }
    }
}

fn day(at: i64) -> i64 {
    at.div_euclid(MICROS_PER_DAY)
}
