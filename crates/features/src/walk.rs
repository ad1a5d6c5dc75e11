//! The sweep over the events of one lead or account: pointers that only move forward, running sums,
//! no look ahead.

use std::collections::VecDeque;

use leadscore_core::Timestamp;
use leadscore_dataset::{EventRows, MISSING};

use crate::fixed::Fixed;
use crate::layout::{Cell, Layout, NONE};

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

    fn range(&self, track: usize, window: Option<usize>) -> std::ops::Range<usize> {
        let track = &self.tracks[track];
        // An event may be too early for the window and yet not visible.
        window.map_or(0, |window| track.starts[window].min(track.end))..track.end
    }

    pub(crate) fn count(&self, track: usize, window: Option<usize>) -> usize {
        self.range(track, window).len()
    }

    /// Sum of a column over a window, and number of events that have a value.
    pub(crate) fn sum(&self, track: usize, window: Option<usize>, column: usize) -> (Fixed, u32) {
        let range = self.range(track, window);
        let sums = &self.tracks[track].sums[column];
        let (first, last) = (sums[range.start], sums[range.end]);
        (last.0 - first.0, last.1 - first.1)
    }

    /// Positions of the visible events of a track.
    pub(crate) fn visible_events(&self, track: usize) -> &[u32] {
        let track = &self.tracks[track];
        &track.event[..track.end]
    }

    /// The value of a feature at the snapshot; `created` is when the lead was.
    pub(crate) fn value(&self, cell: Cell, created: Option<Timestamp>) -> f64 {
        match cell {
            Cell::Count { track, window } => self.count(track, window) as f64,
            Cell::Sum {
                track,
                window,
                column,
            } => self.sum(track, window, column).0.value(),
            Cell::Mean {
                track,
                window,
                column,
            } => mean(self.sum(track, window, column)),
            Cell::Max {
                track,
                window,
                column,
            } => self.max(track, window, column),
            Cell::Days { track, window } => {
                f64::from(self.tracks[track].distinct_days(self.range(track, window)))
            }
            Cell::Recency { track } => self
                .last(track)
                .map_or(f64::NAN, |last| days(self.at - last)),
            Cell::First { track } => self
                .first(track)
                .map_or(f64::NAN, |first| days(self.at - first)),
            Cell::Decayed { track, half_life } => self.last(track).map_or(0.0, |last| {
                self.tracks[track].intensity[half_life]
                    * faded(self.at - last, self.layout.half_lives[half_life])
            }),
            Cell::Trend {
                track,
                window,
                double,
            } => {
                2.0 * self.count(track, Some(window)) as f64
                    - self.count(track, Some(double)) as f64
            }
            Cell::Share { track, window } => match self.count(0, window) {
                0 => f64::NAN,
                all => self.count(track, window) as f64 / all as f64,
            },
            Cell::MeanGap { track } => {
                match (self.first(track), self.last(track), self.tracks[track].end) {
                    (Some(first), Some(last), n) if n > 1 => days(last - first) / (n - 1) as f64,
                    _ => f64::NAN,
                }
            }
            Cell::MaxGap { track } if self.tracks[track].end > 1 => {
                days(self.tracks[track].max_gap)
            }
            Cell::MaxGap { .. } => f64::NAN,
            Cell::Reply { track } => {
                created.map_or(f64::NAN, |created| self.reply(track, created.micros()))
            }
            Cell::Follows { track, after } => {
                let follows = self
                    .first(after)
                    .zip(self.last(track))
                    .is_some_and(|(first, last)| first < last);
                f64::from(u8::from(follows))
            }
            Cell::LatestValue { track, column } => self.latest_value(track, column),
            Cell::LatestKind { track, column } => self.latest_kind(track, column),
        }
    }

    /// The largest value of a column in a window; NaN where no event has one.
    fn max(&self, track: usize, window: Option<usize>, column: usize) -> f64 {
        let n_columns = self.layout.columns.len();
        let front = self.tracks[track].maxima
            [window.unwrap_or(self.layout.windows.len()) * n_columns + column]
            .front();
        front.map_or(f64::NAN, |&position| {
            self.rows.values[self.layout.columns[column]].values
                [self.tracks[track].event[position as usize] as usize]
        })
    }

    /// Days from creation to the first visible event after it; NaN where there is none.
    fn reply(&self, track: usize, created: i64) -> f64 {
        let seen = &self.tracks[track].at[..self.tracks[track].end];
        seen.get(seen.partition_point(|&at| at < created))
            .map_or(f64::NAN, |&at| days(at - created))
    }

    /// The value of the latest visible event that has one.
    fn latest_value(&self, track: usize, column: usize) -> f64 {
        let values = &self.rows.values[column].values;
        self.visible_events(track)
            .iter()
            .rev()
            .map(|&event| values[event as usize])
            .find(|value| !value.is_nan())
            .unwrap_or(f64::NAN)
    }

    /// The code of the latest visible event's kind; NaN where that is missing.
    fn latest_kind(&self, track: usize, column: usize) -> f64 {
        match self.visible_events(track).last() {
            Some(&event) if self.rows.kinds[column].codes[event as usize] != MISSING => {
                f64::from(self.rows.kinds[column].codes[event as usize])
            }
            _ => f64::NAN,
        }
    }

    fn first(&self, track: usize) -> Option<i64> {
        (self.tracks[track].end > 0).then(|| self.tracks[track].at[0])
    }

    fn last(&self, track: usize) -> Option<i64> {
        self.tracks[track]
            .end
            .checked_sub(1)
            .map(|last| self.tracks[track].at[last])
    }
}

/// A number of microseconds in days.
fn days(micros: i64) -> f64 {
    micros as f64 / MICROS_PER_DAY as f64
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
