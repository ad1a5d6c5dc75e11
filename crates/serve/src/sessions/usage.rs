//! How much the page is used: counts by week, user and act, and when each user last looked. No lead
//! is named, so that nothing here has to be forgotten with one.

use leadscore_core::{Span, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::{SessionError, Sessions};
use crate::WordKind;

/// What a user did on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Opened the queue, half an hour or more after they last had.
    Visit,
    /// Opened a lead.
    Lead,
    /// Gave their word on a lead.
    Word(WordKind),
}

impl Act {
    /// All of them, in the order of a table.
    pub const ALL: [Self; 7] = [
        Self::Visit,
        Self::Lead,
        Self::Word(WordKind::Called),
        Self::Word(WordKind::NotNow),
        Self::Word(WordKind::Won),
        Self::Word(WordKind::Lost),
        Self::Word(WordKind::Wrong),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Visit => "visit",
            Self::Lead => "lead",
            Self::Word(kind) => kind.key(),
        }
    }
}

/// What one user did in one week.
#[derive(Debug, Clone, PartialEq)]
pub struct UseOfWeek {
    /// Monday, 00:00 UTC.
    pub week: Timestamp,
    /// The user.
    pub user: String,
    /// How often they did what, in the order of [`Act::ALL`].
    pub counts: [u32; Act::ALL.len()],
}

impl UseOfWeek {
    /// How often they did this.
    pub fn count(&self, act: Act) -> u32 {
        Act::ALL
            .iter()
            .zip(self.counts)
            .filter(|(each, _)| **each == act)
            .map(|(_, n)| n)
            .sum()
    }
}

impl Sessions {
    /// A look at the queue by a user: the moment of the last look of their visit before, if they had
    /// one. Looks within a visit do not move it, so that what changed stays in sight until the next.
    ///
    /// # Errors
    ///
    /// Where the state file cannot be used.
    pub fn look(&self, user: &str, now: Timestamp) -> Result<Option<Timestamp>, SessionError> {
        let (before, is_same_visit) = self.before(user, now)?;
        let before = before.map(|at| at.micros());
        self.run(|connection| {
            connection
                .prepare_cached(
                    "INSERT INTO page_looks (user, at, before) VALUES (?1, ?2, ?3)
                     ON CONFLICT (user) DO UPDATE SET at = max(at, excluded.at), before = excluded.before",
                )?
                .execute(params![user, now.micros(), before])
        })?;
        if !is_same_visit {
            self.count(user, Act::Visit, now)?;
        }
        Ok(before.map(Timestamp::from_micros))
    }

    /// The moment that a look now would be compared with; it is no look itself.
    ///
    /// # Errors
    ///
    /// Where the state file cannot be read.
    pub fn last_look(&self, user: &str, now: Timestamp) -> Result<Option<Timestamp>, SessionError> {
        Ok(self.before(user, now)?.0)
    }

    /// The last look of the visit before, and whether the visit after it still goes on.
    fn before(
        &self,
        user: &str,
        now: Timestamp,
    ) -> Result<(Option<Timestamp>, bool), SessionError> {
        let known: Option<(i64, Option<i64>)> = self.run(|connection| {
            connection
                .prepare_cached("SELECT at, before FROM page_looks WHERE user = ?1")?
                .query_row([user], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        })?;
        let Some((at, before)) = known else {
            return Ok((None, false));
        };
        let is_same_visit = now < Timestamp::from_micros(at) + self.options.visit;
        let before = if is_same_visit { before } else { Some(at) };
        Ok((before.map(Timestamp::from_micros), is_same_visit))
    }

    /// Counts an act of a user.
    ///
    /// # Errors
    ///
    /// Where the state file cannot be written.
    pub fn count(&self, user: &str, act: Act, now: Timestamp) -> Result<(), SessionError> {
        self.run(|connection| {
            connection
                .prepare_cached(
                    "INSERT INTO page_use (week, user, act, n) VALUES (?1, ?2, ?3, 1)
                     ON CONFLICT (week, user, act) DO UPDATE SET n = n + 1",
                )?
                .execute(params![week_of(now).micros(), user, act.name()])?;
            Ok(())
        })
    }

    /// What users did in the weeks since a moment, latest week first, users by name; of one user, or
    /// of all.
    ///
    /// # Errors
    ///
    /// Where the state file cannot be read.
    pub fn usage(
        &self,
        since: Timestamp,
        user: Option<&str>,
    ) -> Result<Vec<UseOfWeek>, SessionError> {
        let rows: Vec<(i64, String, String, u32)> = self.run(|connection| {
            connection
                .prepare_cached(
                    "SELECT week, user, act, n FROM page_use
                     WHERE week >= ?1 AND (?2 IS NULL OR user = ?2) ORDER BY week DESC, user",
                )?
                .query_map(params![week_of(since).micros(), user], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })?
                .collect()
        })?;
        let mut weeks: Vec<UseOfWeek> = Vec::new();
        for (week, user, act, n) in rows {
            let week = Timestamp::from_micros(week);
            if weeks
                .last()
                .is_none_or(|last| last.week != week || last.user != user)
            {
                weeks.push(UseOfWeek {
                    week,
                    user,
                    counts: [0; Act::ALL.len()],
                });
            }
            let place = Act::ALL.iter().position(|each| each.name() == act);
            if let (Some(last), Some(place)) = (weeks.last_mut(), place) {
                last.counts[place] += n;
            }
        }
        Ok(weeks)
    }
}

fn week_of(at: Timestamp) -> Timestamp {
    let next = at.monday_at_or_after();
    if next == at {
        at
    } else {
        next - Span::from_days(7)
    }
}
