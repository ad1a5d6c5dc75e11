//! The courses of leads whose outcomes are a log: when each closed, and when it was open again.

use leadscore_core::Timestamp;

use crate::missing::NEVER;

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

/// A moment at which a lead stands otherwise than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// From when it is known, never before.
    pub seen: Timestamp,
    /// How the lead stands from then on.
    pub standing: Standing,
    /// From when it is known to have been a mistake, since the next change came so soon;
    /// [`NEVER`] for one that was none.
    pub corrected: Timestamp,
}

impl Change {
    /// Whether it was meant, as far as is known today.
    fn is_meant(&self) -> bool {
        self.corrected == NEVER
    }
}

/// The courses of all leads, each open from its creation on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Courses {
    /// Changes of lead `l` are `offsets[l]..offsets[l + 1]`.
    offsets: Vec<usize>,
    /// In order of time; each differs from the one before.
    changes: Vec<Change>,
}

impl Courses {
    /// From the changes of each lead, in order of time; one that changes nothing is left out.
    pub fn new(leads: impl Iterator<Item = Vec<Change>>) -> Self {
        let mut courses = Self {
            offsets: vec![0],
            changes: Vec::new(),
        };
        for changes in leads {
            let mut before = Standing::Open;
            for change in changes {
                if change.standing != before {
                    before = change.standing;
                    courses.changes.push(change);
                }
            }
            courses.offsets.push(courses.changes.len());
        }
        courses
    }

    /// The changes of a lead, in order of time.
    pub fn of(&self, lead: u32) -> &[Change] {
        &self.changes[self.offsets[lead as usize]..self.offsets[lead as usize + 1]]
    }

    /// How a lead stood before a moment.
    pub fn standing(&self, lead: u32, at: Timestamp) -> Standing {
        let changes = self.of(lead);
        let before = changes.partition_point(|change| change.at < at);
        changes[..before]
            .last()
            .map_or(Standing::Open, |change| change.standing)
    }

    /// The first change to one of these at or after a moment that was no mistake.
    pub fn next(&self, lead: u32, at: Timestamp, wanted: &[Standing]) -> Option<Timestamp> {
        let changes = self.of(lead).iter();
        changes
            .filter(|change| change.at >= at && change.is_meant())
            .find(|change| wanted.contains(&change.standing))
            .map(|change| change.at)
    }

    /// How often a lead had closed by what was known before a moment; what was known to be a
    /// mistake does not count.
    pub fn n_closed(&self, lead: u32, at: Timestamp) -> usize {
        let changes = self.of(lead).iter();
        changes
            .filter(|change| change.standing != Standing::Open && change.seen < at)
            .filter(|change| change.is_meant() || change.corrected >= at)
            .count()
    }

    /// Since when a lead is open again, by what was known before a moment; `None` where it was
    /// always open, or has closed.
    pub fn reopened(&self, lead: u32, at: Timestamp) -> Option<Timestamp> {
        let known = self.of(lead).iter().rfind(|change| change.seen < at);
        known
            .filter(|change| change.standing == Standing::Open)
            .map(|change| change.at)
    }

    /// The same courses with other changes, lead by lead.
    #[must_use]
    pub fn map(&self, mut new: impl FnMut(u32, &[Change]) -> Vec<Change>) -> Self {
        let leads = 0..self.offsets.len() as u32 - 1;
        Self::new(leads.map(|lead| new(lead, self.of(lead))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_micros(day * 86_400_000_000)
    }

    fn change(day: i64, standing: Standing) -> Change {
        Change {
            at: at(day),
            seen: at(day),
            standing,
            corrected: NEVER,
        }
    }

    #[test]
    fn a_lead_closes_and_is_open_again() {
        use Standing::{Lost, Open, Won};
        let changes = vec![
            change(1, Open),
            change(5, Lost),
            change(6, Lost),
            change(9, Open),
            change(20, Won),
        ];
        let courses = Courses::new([changes, Vec::new()].into_iter());
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
        assert_eq!(courses.standing(1, at(99)), Open);
    }

    #[test]
    fn a_mistake_counts_until_it_is_known_for_one() {
        use Standing::{Lost, Open, Won};
        let mistake = Change {
            corrected: at(3),
            ..change(2, Won)
        };
        let changes = vec![mistake, change(3, Open), change(9, Lost)];
        let courses = Courses::new([changes].into_iter());
        assert_eq!(courses.next(0, at(1), &[Won]), None);
        assert_eq!(courses.next(0, at(1), &[Won, Lost]), Some(at(9)));
        assert_eq!(courses.standing(0, at(3)), Won);
        assert_eq!(courses.n_closed(0, at(3)), 1);
        assert_eq!(courses.n_closed(0, at(4)), 0);
        assert_eq!(courses.n_closed(0, at(10)), 1);
    }
}
