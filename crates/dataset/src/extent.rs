//! Until when a table speaks: its first day, its last day with as many rows as usual, and the few
//! rows after that.

use leadscore_core::{Span, TableReach, Timestamp};

const DAY: i64 = 86_400_000_000;

/// How many rows of a table lie on each day.
#[derive(Debug, Clone, Default)]
pub struct Days {
    /// The day of the first count, in days since 1970.
    base: i64,
    counts: Vec<u32>,
    n_rows: usize,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// The days that a table speaks of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// Rows with a time.
    pub n_rows: usize,
    /// The first of them.
    pub first: Timestamp,
    /// Until when there are as many rows as usual.
    pub end: Timestamp,
    /// Rows after that, each of them far from the next.
    pub n_later: usize,
    /// The last of all.
    pub last: Timestamp,
    /// Rows a day towards the end; 0 where too few rows say so.
    pub per_day: f64,
}

/// A few rows that lie years before all others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Head {
    /// How many.
    pub n_rows: usize,
    /// When the day of the last of them ends.
    pub end: Timestamp,
    /// When the day of the first other begins.
    pub next: Timestamp,
}

/// No calendar goes on after so many days.
const LAST_DAY: i64 = 4_000_000;
/// So many days nobody waits for the second row of a table.
pub const LONGEST_WAIT_DAYS: u32 = 2 * 365;
/// Below this share of the usual number of rows, days belong to a table no longer.
const THIN: f64 = 0.25;
/// Rows that a stretch of days usually has, so that chance alone does not thin it out.
const ROWS_OF_A_STRETCH: f64 = 10.0;
/// Of fewer rows nobody can say what is usual.
pub const FEWEST_ROWS_OF_EXTENT: usize = 20;

impl Days {
    /// Days of times from `earliest` on; earlier ones count as that.
    pub fn since(earliest: Timestamp) -> Self {
        Self {
            base: earliest.micros().div_euclid(DAY),
            ..Self::default()
        }
    }

    /// Counts these times.
    pub fn extend(&mut self, times: impl Iterator<Item = Timestamp>) {
        let (mut first, mut last, mut n_rows) = (i64::MAX, i64::MIN, 0);
        for at in times {
            let micros = at.micros();
            first = first.min(micros);
            last = last.max(micros);
            n_rows += 1;
            let day = self.day_of(at);
            if day >= self.counts.len() {
                self.counts.resize(day + 1, 0);
            }
            self.counts[day] = self.counts[day].saturating_add(1);
        }
        if n_rows > 0 {
            self.n_rows += n_rows;
            self.reach(Timestamp::from_micros(first), Timestamp::from_micros(last));
        }
    }

    /// The day of a moment since the first; those of some ten thousand years and later are one.
    fn day_of(&self, at: Timestamp) -> usize {
        usize::try_from((at.micros().div_euclid(DAY) - self.base).clamp(0, LAST_DAY)).unwrap_or(0)
    }

    fn reach(&mut self, first: Timestamp, last: Timestamp) {
        self.first = Some(self.first.map_or(first, |known| known.min(first)));
        self.last = self.last.max(Some(last));
    }

    /// Adds rows of one day, of which these are the first and the last.
    pub fn add_day(&mut self, n_rows: usize, first: Timestamp, last: Timestamp) {
        let day = self.day_of(first);
        if day >= self.counts.len() {
            self.counts.resize(day + 1, 0);
        }
        self.counts[day] =
            self.counts[day].saturating_add(u32::try_from(n_rows).unwrap_or(u32::MAX));
        self.n_rows += n_rows;
        self.reach(first, last);
    }

    /// Rows on the days before a moment.
    pub fn n_before(&self, at: Timestamp) -> usize {
        let day = self.day_of(at);
        self.counts[..day.min(self.counts.len())]
            .iter()
            .map(|&count| count as usize)
            .sum()
    }

    /// Adds the days of other rows of the same column.
    pub fn merge(&mut self, other: Self) {
        if self.n_rows == 0 {
            *self = other;
            return;
        }
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        self.counts
            .iter_mut()
            .zip(&other.counts)
            .for_each(|(own, other)| *own = own.saturating_add(*other));
        self.n_rows += other.n_rows;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
    }

    /// Rows years before all others: at most two, or one of two hundred.
    pub fn head(&self) -> Option<Head> {
        if self.n_rows < FEWEST_ROWS_OF_EXTENT {
            return None;
        }
        let (mut n_before, mut n_days, mut last, mut head) = (0_usize, 0_usize, None, None);
        for (day, &count) in self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            let (day, moment) = (day as i64, |day: i64| {
                Timestamp::from_micros((self.base + day) * DAY)
            });
            // A few rows; or more on one day or two, which are a placeholder.
            let is_few = n_before <= 2
                || 50 * n_before <= self.n_rows
                || n_days <= 2 && 2 * n_before <= self.n_rows;
            if !is_few {
                break;
            }
            if let Some(last) = last.filter(|last| day - last > i64::from(LONGEST_WAIT_DAYS)) {
                head = Some(Head {
                    n_rows: n_before,
                    end: moment(last + 1),
                    next: moment(day),
                });
            }
            n_before += count as usize;
            n_days += 1;
            last = Some(day);
        }
        head
    }

    /// What the table speaks of; `None` without rows. Rows after now are later ones, however many
    /// they are.
    pub fn extent(&self, now: Option<Timestamp>) -> Option<Extent> {
        let (first, last) = (self.first?, self.last?);
        if let Some(now) = now.filter(|now| *now < last) {
            let known = self.until(now, first);
            let extent = known.extent(None)?;
            return Some(Extent {
                n_rows: self.n_rows,
                n_later: extent.n_later + self.n_rows - known.n_rows,
                last,
                ..extent
            });
        }
        let whole = |per_day| Extent {
            n_rows: self.n_rows,
            first,
            end: last,
            n_later: 0,
            last,
            per_day,
        };
        if self.n_rows < FEWEST_ROWS_OF_EXTENT {
            return Some(whole(0.0));
        }
        let counts = self.without_bursts();
        let per_day = usual_per_day(&counts);
        let stretch = stretch_of(per_day);
        let n_days = counts.len();
        let mut day = last_usual_day(&counts, stretch, per_day);
        let before_a_gap = last_before_a_gap(&self.counts, self.n_rows);
        day = day.min(before_a_gap.unwrap_or(day));
        let n_later: usize = self.counts[day + 1..]
            .iter()
            .map(|&count| count as usize)
            .sum();
        let n_days_later = n_days - 1 - day;
        let (n_usual_later, n_usual): (u64, u64) = (
            counts[day + 1..]
                .iter()
                .map(|&count| u64::from(count))
                .sum(),
            counts.iter().map(|&count| u64::from(count)).sum(),
        );
        let is_thin = (n_usual_later as f64) < 0.1 * per_day * n_days_later as f64
            && 20 * n_usual_later <= n_usual;
        let is_tail = n_days_later > stretch && is_thin || before_a_gap.is_some();
        if n_later == 0 || !is_tail {
            return Some(whole(per_day));
        }
        let end = Timestamp::from_micros((self.base + day as i64 + 1) * DAY - 1);
        Some(Extent {
            n_rows: self.n_rows,
            first,
            end,
            n_later,
            last,
            per_day,
        })
    }

    /// The rows until a moment that lies before the last of them; the first may lie after it.
    fn until(&self, now: Timestamp, first: Timestamp) -> Self {
        let day = usize::try_from(now.micros().div_euclid(DAY) - self.base).unwrap_or(0);
        let mut known = Self {
            base: self.base,
            counts: self.counts[..=day.min(self.counts.len() - 1)].to_vec(),
            n_rows: 0,
            first: Some(first.min(now)),
            last: Some(now),
        };
        known.n_rows = known.counts.iter().map(|&count| count as usize).sum();
        while known.counts.len() > 1 && known.counts.last() == Some(&0) {
            known.counts.pop();
        }
        let known_last =
            Timestamp::from_micros((self.base + known.counts.len() as i64) * DAY - 1).min(now);
        known.last = Some(known_last.max(known.first.unwrap_or(known_last)));
        known
    }

    /// The counts, where a day has no more than a few times as many rows as a day with rows usually
    /// has: a robot, or an import, is no measure of what is usual.
    fn without_bursts(&self) -> Vec<u32> {
        let mut some: Vec<u32> = self
            .counts
            .iter()
            .copied()
            .filter(|&count| count > 0)
            .collect();
        let middle = some.len() / 2;
        let most = some.select_nth_unstable(middle).1.saturating_mul(5).max(5);
        self.counts.iter().map(|&count| count.min(most)).collect()
    }
}

/// Days that hold so many rows that few of them are no accident.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some days"
)]
fn stretch_of(per_day: f64) -> usize {
    (ROWS_OF_A_STRETCH / per_day).ceil().max(3.0) as usize
}

/// The last day that ends a stretch with enough rows.
fn last_usual_day(counts: &[u32], stretch: usize, per_day: f64) -> usize {
    let (n_days, usual) = (counts.len(), per_day * stretch as f64);
    let mut in_stretch: u64 = counts[n_days.saturating_sub(stretch)..]
        .iter()
        .map(|&count| u64::from(count))
        .sum();
    let mut day = n_days - 1;
    while day > 0 && (counts[day] == 0 || (in_stretch as f64) < THIN * usual) {
        in_stretch -= u64::from(counts[day]);
        in_stretch += day
            .checked_sub(stretch)
            .map_or(0, |entering| u64::from(counts[entering]));
        day -= 1;
    }
    day
}

/// The last day before a gap much longer than any other, behind which a twentieth of the rows lies
/// at most: however many these are on a day, they are far from all others.
fn last_before_a_gap(counts: &[u32], n_rows: usize) -> Option<usize> {
    const SHORTEST: usize = 60;
    let days: Vec<usize> = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(day, _)| day)
        .collect();
    let mut longest = vec![0; days.len()];
    for at in 1..days.len() {
        longest[at] = longest[at - 1].max(days[at] - days[at - 1]);
    }
    let (mut n_behind, mut found) = (0_usize, None);
    for at in (1..days.len()).rev() {
        n_behind += counts[days[at]] as usize;
        if 20 * n_behind > n_rows {
            break;
        }
        let gap = days[at] - days[at - 1];
        if gap >= SHORTEST && gap > 3 * longest[at - 1] {
            found = Some(days[at - 1]);
        }
    }
    found
}

/// Rows a day among the later ones, without the very last: a twentieth may be a tail.
fn usual_per_day(counts: &[u32]) -> f64 {
    let n_rows: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    let day_of = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of the rows"
        )]
        let wanted = (share * n_rows as f64) as u64;
        let mut seen = 0;
        counts.iter().position(|&count| {
            seen += u64::from(count);
            seen > wanted
        })
    };
    let (begin, end) = (day_of(0.5).unwrap_or(0), day_of(0.95).unwrap_or(0));
    let in_between: u64 = counts[begin..=end]
        .iter()
        .map(|&count| u64::from(count))
        .sum();
    in_between as f64 / (end - begin + 1) as f64
}

impl Extent {
    /// Whether a gap after its end is no chance: more than two weeks in which some ten rows would
    /// usually have come.
    pub fn is_silent_for(&self, gap: Span) -> bool {
        gap > SHORTEST_GAP && self.per_day * gap.days() >= ROWS_OF_A_STRETCH
    }
}

/// Around holidays nothing may happen for so long.
const SHORTEST_GAP: Span = Span::from_days(14);

/// Where a table ends.
#[derive(Debug, Clone, PartialEq)]
pub struct TableEnd {
    /// The table in the config.
    pub table: String,
    /// The column that says so.
    pub column: String,
    /// Its days.
    pub extent: Extent,
    /// The last moment that it speaks of: as the config says, or by its days.
    pub end: Timestamp,
}

impl TableEnd {
    /// The same, for a profile of tables of which the last ends then.
    pub fn reach(&self, observation_end: Timestamp) -> TableReach {
        TableReach {
            column: self.column.clone(),
            first: self.extent.first,
            end: self.end,
            n_later: self.extent.n_later as u64,
            last: self.extent.last,
            lag_micros: observation_end
                .micros()
                .saturating_sub(self.end.micros())
                .max(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(rows: impl IntoIterator<Item = i64>) -> Days {
        let mut days = Days::since(Timestamp::from_micros(0));
        days.extend(
            rows.into_iter()
                .map(|day| Timestamp::from_micros(day * DAY + DAY / 2)),
        );
        days
    }

    fn end_of(days: &Days) -> (i64, usize) {
        let extent = days.extent(None).expect("rows");
        (extent.end.micros().div_euclid(DAY), extent.n_later)
    }

    #[test]
    fn rows_far_behind_the_others_are_a_tail() {
        let usual = || {
            (1_000..1_699).flat_map(|day| std::iter::repeat_n(day, if day % 7 < 5 { 3 } else { 0 }))
        };
        assert_eq!(end_of(&days(usual())), (1_698, 0));
        assert_eq!(end_of(&days(usual().chain([2_150]))), (1_698, 1));
        // Planned ones, ever fewer.
        assert_eq!(
            end_of(&days(usual().chain([1_705, 1_712, 1_731, 1_760]))),
            (1_698, 4)
        );
        // A gap within is none of the end.
        assert_eq!(
            end_of(&days(usual().filter(|day| !(1_400..1_460).contains(day)))),
            (1_698, 0)
        );
    }

    #[test]
    fn slower_times_are_no_tail() {
        let slower = (1_000..1_700)
            .flat_map(|day| std::iter::repeat_n(day, if day < 1_500 { 8 } else { 2 }));
        assert_eq!(end_of(&days(slower)), (1_699, 0));
        let seldom = (0..40).map(|month| 1_000 + 30 * month);
        assert_eq!(end_of(&days(seldom.clone())), (2_170, 0));
        assert_eq!(end_of(&days(seldom.chain([4_000]))).1, 1);
        assert_eq!(end_of(&days([1, 2, 500])), (500, 0));
    }

    #[test]
    fn a_robot_is_no_measure() {
        let people = (1_000..1_200).flat_map(|day| [day, day]);
        let robot = (1_050..1_070).flat_map(|day| std::iter::repeat_n(day, 10_000));
        assert_eq!(end_of(&days(people.chain(robot))), (1_199, 0));
    }

    #[test]
    fn parts_give_what_the_whole_gives() {
        let rows: Vec<i64> = (1_000..1_700).chain([2_150]).collect();
        let mut parts = days(rows[..300].iter().copied());
        parts.merge(days(rows[300..].iter().copied()));
        assert_eq!(parts.extent(None), days(rows).extent(None));
    }

    #[test]
    fn rows_years_before_the_others_are_a_head() {
        let usual = || 4_000..4_700;
        assert_eq!(days(usual()).head(), None);
        let head = days(usual().chain([100, 1_200])).head().expect("two rows");
        assert_eq!(
            (
                head.n_rows,
                head.end.micros() / DAY,
                head.next.micros() / DAY
            ),
            (2, 1_201, 4_000)
        );
        // A slow beginning, and years without a row in between many.
        assert_eq!(
            days(usual().chain((0..40).map(|month| 2_700 + 30 * month))).head(),
            None
        );
        assert_eq!(days(usual().chain(1_000..1_300)).head(), None);
    }

    #[test]
    fn gaps_that_are_no_chance() {
        let extent = days((1_000..1_700).flat_map(|day| [day, day]))
            .extent(None)
            .expect("rows");
        assert!(extent.is_silent_for(Span::from_days(30)));
        assert!(!extent.is_silent_for(Span::from_days(10)));
        let seldom = days((0..40).map(|month| 1_000 + 30 * month))
            .extent(None)
            .expect("rows");
        assert!(!seldom.is_silent_for(Span::from_days(90)));
    }
}
