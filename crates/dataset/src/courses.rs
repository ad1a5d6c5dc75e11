//! The courses of leads whose outcomes are a log: when each closed, and when it was open again.

use leadscore_core::{Span, Timestamp};

/// How a lead stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// At risk.
    Open,
    /// Closed by a win.
    Won,
    /// Closed otherwise.
    Lost,
}

/// A row of a log: how a lead stands from a moment on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRow {
    /// The moment.
    pub at: Timestamp,
    /// From when it is known, never before.
    pub seen: Timestamp,
    /// How the lead stands.
    pub standing: Standing,
}

/// A moment at which a lead stands otherwise than before, by the rows that were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// How the lead stands from then on.
    pub standing: Standing,
    /// Whether the next change came so soon that this one was a mistake.
    pub is_mistake: bool,
}

/// The courses of all leads, each open from its creation on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Courses {
    /// Rows of lead `l` are `offsets[l]..offsets[l + 1]`.
    offsets: Vec<usize>,
    /// In order of time.
    rows: Vec<LogRow>,
    /// How soon a closing may be replaced to count as a mistake.
    corrections: Option<Span>,
}

impl Courses {
    /// From the rows of each lead, in order of time.
    pub fn new(leads: impl Iterator<Item = Vec<LogRow>>, corrections: Option<Span>) -> Self {
        let mut courses = Self {
            offsets: vec![0],
            rows: Vec::new(),
            corrections,
        };
        for rows in leads {
            courses.rows.extend(rows);
            courses.offsets.push(courses.rows.len());
        }
        courses
    }

    /// The rows of a lead, in order of time.
    pub fn rows(&self, lead: u32) -> &[LogRow] {
        &self.rows[self.offsets[lead as usize]..self.offsets[lead as usize + 1]]
    }

    /// The changes that rows in order of time are.
    fn changes<'r>(&self, rows: impl Iterator<Item = &'r LogRow>) -> Vec<Change> {
        let mut changes: Vec<Change> = Vec::new();
        for row in rows {
            let before = changes
                .last()
                .map_or(Standing::Open, |change| change.standing);
            if row.standing == before {
                continue;
            }
            if let (Some(last), Some(within)) = (changes.last_mut(), self.corrections) {
                last.is_mistake = last.standing != Standing::Open && row.at <= last.at + within;
            }
            changes.push(Change {
                at: row.at,
                standing: row.standing,
                is_mistake: false,
            });
        }
        changes
    }

    /// The changes of a lead by all of its rows.
    pub fn of(&self, lead: u32) -> Vec<Change> {
        self.changes(self.rows(lead).iter())
    }

    /// How a lead stood before a moment, by what happened and by what was known of it then: open
    /// where it is so by both.
    pub fn standing(&self, lead: u32, at: Timestamp) -> Standing {
        let rows = self.rows(lead);
        let happened = rows[..rows.partition_point(|row| row.at < at)].last();
        let known = rows.iter().rfind(|row| row.seen < at);
        let standing = |row: Option<&LogRow>| row.map_or(Standing::Open, |row| row.standing);
        match standing(happened) {
            Standing::Open => standing(known),
            closed @ (Standing::Won | Standing::Lost) => closed,
        }
    }

    /// The first change to one of these at or after a moment that was no mistake.
    pub fn next(&self, lead: u32, at: Timestamp, wanted: &[Standing]) -> Option<Timestamp> {
        let changes = self.of(lead).into_iter();
        changes
            .filter(|change| change.at >= at && !change.is_mistake)
            .find(|change| wanted.contains(&change.standing))
            .map(|change| change.at)
    }

    /// How often a lead had closed by what was known before a moment; what was known to be a
    /// mistake does not count.
    pub fn n_closed(&self, lead: u32, at: Timestamp) -> usize {
        let changes = self.known_changes(lead, at).into_iter();
        changes
            .filter(|change| change.standing != Standing::Open && !change.is_mistake)
            .count()
    }

    /// Since when a lead is open again, by what was known before a moment; `None` where it was
    /// always open, or has closed.
    pub fn reopened(&self, lead: u32, at: Timestamp) -> Option<Timestamp> {
        let changes = self.known_changes(lead, at);
        let last = changes.last();
        last.filter(|change| change.standing == Standing::Open)
            .map(|change| change.at)
    }

    fn known_changes(&self, lead: u32, at: Timestamp) -> Vec<Change> {
        self.changes(self.rows(lead).iter().filter(|row| row.seen < at))
    }

    /// When it became known that a lead stood otherwise, in order, and how.
    pub fn seen(&self, lead: u32) -> Vec<(Timestamp, Standing)> {
        let mut by_seen: Vec<(usize, &LogRow)> = self.rows(lead).iter().enumerate().collect();
        by_seen.sort_by_key(|(place, row)| (row.seen, *place));
        let (mut seen, mut latest, mut now) = (Vec::new(), None, Standing::Open);
        for (place, row) in by_seen {
            // A row that is older than one that is known already changes nothing.
            if latest.is_some_and(|latest| place < latest) {
                continue;
            }
            latest = Some(place);
            if row.standing != now {
                now = row.standing;
                seen.push((row.seen, now));
            }
        }
        seen
    }

    /// The same courses with other rows, lead by lead.
    #[must_use]
    pub fn map(&self, mut new: impl FnMut(u32, &[LogRow]) -> Vec<LogRow>) -> Self {
        let leads = 0..self.offsets.len() as u32 - 1;
        let rows = leads.map(|lead| new(lead, self.rows(lead)));
        Self::new(rows, self.corrections)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Standing::{Lost, Open, Won};

    fn at(day: i64) -> Timestamp {
        Timestamp::from_micros(day * 86_400_000_000)
    }

    fn row(day: i64, standing: Standing) -> LogRow {
        recorded(day, day, standing)
    }

    fn recorded(day: i64, seen: i64, standing: Standing) -> LogRow {
        LogRow {
            at: at(day),
            seen: at(seen),
            standing,
        }
    }

    fn courses(rows: Vec<LogRow>, corrections: Option<u32>) -> Courses {
        Courses::new([rows].into_iter(), corrections.map(Span::from_days))
    }

    #[test]
    fn a_lead_closes_and_is_open_again() {
        let rows = vec![
            row(1, Open),
            row(5, Lost),
            row(6, Lost),
            row(9, Open),
            row(20, Won),
        ];
        let courses = courses(rows, None);
        assert_eq!(courses.of(0).len(), 3);
        for (day, standing, n_closed, reopened) in [
            (5, Open, 0, None),
            (6, Lost, 1, None),
            (9, Lost, 1, None),
            (10, Open, 1, Some(9)),
            (20, Open, 1, Some(9)),
            (21, Won, 2, None),
        ] {
            assert_eq!(courses.standing(0, at(day)), standing, "{day}");
            assert_eq!(courses.n_closed(0, at(day)), n_closed, "{day}");
            assert_eq!(courses.reopened(0, at(day)), reopened.map(at), "{day}");
        }
        assert_eq!(courses.next(0, at(10), &[Won]), Some(at(20)));
        assert_eq!(courses.next(0, at(21), &[Won]), None);
    }

    #[test]
    fn a_mistake_counts_until_it_is_known_for_one() {
        let rows = vec![row(2, Won), row(3, Open), row(9, Lost)];
        let courses = courses(rows, Some(1));
        assert_eq!(courses.next(0, at(1), &[Won]), None);
        assert_eq!(courses.next(0, at(1), &[Won, Lost]), Some(at(9)));
        assert_eq!(courses.standing(0, at(3)), Won);
        assert_eq!(courses.n_closed(0, at(3)), 1);
        assert_eq!(courses.n_closed(0, at(4)), 0);
        assert_eq!(courses.n_closed(0, at(10)), 1);
    }

    #[test]
    fn what_was_not_known_yet_leaves_no_trace() {
        // The opening was entered late: as far as was known, the lead was lost.
        let late = courses(vec![row(2, Lost), recorded(5, 20, Open)], None);
        assert_eq!(late.standing(0, at(10)), Lost);
        assert_eq!(late.reopened(0, at(10)), None);
        assert_eq!(late.standing(0, at(21)), Open);
        // The win was entered after it was undone: nobody could tell that it had been open again.
        let hidden = courses(vec![recorded(2, 30, Won), row(5, Open)], None);
        assert_eq!(hidden.standing(0, at(10)), Open);
        assert_eq!(hidden.n_closed(0, at(10)), 0);
        assert_eq!(hidden.reopened(0, at(10)), None);
        assert_eq!(hidden.seen(0), []);
        assert_eq!(late.seen(0), [(at(2), Lost), (at(20), Open)]);
    }
}
