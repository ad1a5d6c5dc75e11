//! Compares scores with thresholds, and remembers on which side each lead was.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use leadscore_config::{ServeConfig, SiteAddress};
use leadscore_core::Timestamp;
use leadscore_store::NewEvent;
use rusqlite::{Transaction, params};
use tokio::sync::watch;

use super::crossing::{Cause, event};
use super::threshold::{Measured, Threshold};
use super::{Crossing, Receivers, line};
use crate::{Forgetter, LeadScore, PointsOfRules, Removed, State, StateError};

/// Crossings that are kept for the queue and the page.
const N_KEPT: i64 = 1_000_000;

/// The thresholds of a config, and on which side of each every lead was when it was last scored.
///
/// A lead crosses when it was below before and is at the threshold or above it now. It does not
/// when it is seen for the first time, nor when the threshold itself was changed. The sides, the
/// crossings and the calls that they cause are one transaction, so that a crossing happens once,
/// however often the server is started.
#[derive(Debug)]
pub struct Thresholds {
    state: Arc<State>,
    thresholds: Vec<Threshold>,
    base: Option<SiteAddress>,
    sides: Mutex<Sides>,
    news: watch::Sender<u64>,
}

/// On which side leads were.
#[derive(Debug, Default)]
struct Sides {
    /// One for each threshold, in order.
    by_lead: HashMap<String, Box<[Option<Side>]>>,
    /// Models and rules, by number: millions of leads have few of them.
    sources: Vec<String>,
}

/// On which side of one threshold a lead was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Side {
    is_above: bool,
    /// The model or rules that it was measured by.
    source: u32,
    at: Timestamp,
}

/// What one call of [`Thresholds::observe_all`] has to write.
#[derive(Default)]
struct Changes<'a> {
    sides: Vec<(&'a str, usize, Side)>,
    crossings: Vec<(Crossing, usize, &'a LeadScore)>,
    /// What was there before, to go back to if the disk fails.
    before: Vec<(&'a str, usize, Option<Side>)>,
}

impl Thresholds {
    /// The thresholds of a config, with the sides that the state has.
    ///
    /// # Errors
    ///
    /// [`StateError`] if the state cannot be read.
    pub fn new(
        config: &ServeConfig,
        receivers: &Receivers,
        state: Arc<State>,
    ) -> Result<Self, StateError> {
        let thresholds: Vec<_> = config
            .thresholds
            .iter()
            .filter_map(|(name, threshold)| Threshold::new(name, threshold, receivers.key_of(name)))
            .collect();
        let sides = read_sides(&state, &thresholds)?;
        Ok(Self {
            state,
            thresholds,
            base: config.base.clone(),
            sides: Mutex::new(sides),
            news: watch::Sender::new(0),
        })
    }

    /// Whether a score is to be observed: the lead is on another side of a threshold than at its last
    /// score, or is measured by another model or other rules.
    ///
    /// It is asked of every score, since most are no news, and writes nothing.
    pub fn is_news(&self, measured: &Measured<'_>) -> bool {
        if self.thresholds.is_empty() || !measured.likelihood.is_finite() {
            return false;
        }
        let mut sides = self.sides();
        let mut is_news = false;
        for idx in 0..self.thresholds.len() {
            let Some((before, now)) = self.sides_of(&mut sides, idx, measured) else {
                continue;
            };
            match before {
                Some(before) if before.is_same(now) => {
                    // Later than what is still on its way here.
                    sides.put(measured.lead, idx, self.thresholds.len(), now);
                }
                Some(_) | None => is_news = true,
            }
        }
        is_news
    }

    /// Compares a score with the lead's last sides; crossings are durable when it returns, and told
    /// ones are on their way.
    ///
    /// A score that is not later than the last one says nothing. `points` are those of the rules at
    /// the moment of the score.
    ///
    /// # Errors
    ///
    /// [`StateError`] if they could not be written. Then nothing was observed, and the next score
    /// crosses.
    pub fn observe(
        &self,
        score: &LeadScore,
        points: Option<&PointsOfRules>,
    ) -> Result<Vec<Crossing>, StateError> {
        self.observe_all([(score, points)])
    }

    /// As [`Thresholds::observe`], for many scores in one transaction. While it writes, others wait:
    /// some thousands at a time are right.
    ///
    /// # Errors
    ///
    /// As [`Thresholds::observe`].
    pub fn observe_all<'a>(
        &self,
        scores: impl IntoIterator<Item = (&'a LeadScore, Option<&'a PointsOfRules>)>,
    ) -> Result<Vec<Crossing>, StateError> {
        if self.thresholds.is_empty() {
            return Ok(Vec::new());
        }
        let mut sides = self.sides();
        let mut changes = Changes::default();
        for (score, points) in scores {
            if !score.likelihood.is_finite() {
                continue;
            }
            for idx in 0..self.thresholds.len() {
                self.compare(&mut sides, &mut changes, idx, score, points);
            }
        }
        if changes.sides.is_empty() {
            return Ok(Vec::new());
        }
        match self.write(&sides, &changes) {
            Ok(is_called) => {
                drop(sides);
                if is_called {
                    self.news.send_modify(|n| *n = n.wrapping_add(1));
                }
                let crossings = changes.crossings.into_iter();
                Ok(crossings.map(|(crossing, ..)| crossing).collect())
            }
            Err(error) => {
                for (lead, idx, before) in changes.before.into_iter().rev() {
                    if let Some(of_lead) = sides.by_lead.get_mut(lead) {
                        of_lead[idx] = before;
                    }
                }
                Err(error)
            }
        }
    }

    /// Crossings that were told, from a moment on: lead, threshold, moment; oldest first.
    ///
    /// # Errors
    ///
    /// [`StateError`] if the state cannot be read.
    pub fn crossed(
        &self,
        since: Timestamp,
    ) -> Result<Vec<(String, String, Timestamp)>, StateError> {
        self.state.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT lead, threshold, at FROM crossings
                 WHERE at >= ?1 AND is_told = 1 ORDER BY at, seq",
            )?;
            let rows = statement.query_map([since.micros()], |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    Timestamp::from_micros(row.get(2)?),
                ))
            })?;
            rows.collect()
        })
    }

    /// As [`Thresholds::crossed`], of one lead: threshold, moment.
    ///
    /// # Errors
    ///
    /// As [`Thresholds::crossed`].
    pub fn crossed_by(
        &self,
        lead: &str,
        since: Timestamp,
    ) -> Result<Vec<(String, Timestamp)>, StateError> {
        self.state.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT threshold, at FROM crossings
                 WHERE lead = ?1 AND at >= ?2 AND is_told = 1 ORDER BY at, seq",
            )?;
            let rows = statement.query_map(params![lead, since.micros()], |row| {
                Ok((row.get(0)?, Timestamp::from_micros(row.get(1)?)))
            })?;
            rows.collect()
        })
    }

    /// Told crossings that the event store does not have yet, oldest first: append them, then call
    /// [`Thresholds::appended`]. Ask after each observation and at the start.
    ///
    /// # Errors
    ///
    /// [`StateError`] if the state cannot be read.
    pub fn to_append(&self, limit: usize) -> Result<Vec<NewEvent>, StateError> {
        self.state.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, lead, threshold, at, likelihood FROM crossings
                 WHERE is_told = 1 AND is_appended = 0 ORDER BY seq LIMIT ?1",
            )?;
            let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                let at = Timestamp::from_micros(row.get(3)?);
                let text = |idx| row.get::<_, String>(idx);
                Ok(event(&text(0)?, &text(1)?, &text(2)?, at, row.get(4)?))
            })?;
            rows.collect()
        })
    }

    /// Says that the event store has these events, so that they are not asked for again; removes
    /// the oldest of very many crossings.
    ///
    /// # Errors
    ///
    /// [`StateError`] if that could not be written: the events come again, with the same IDs.
    pub fn appended(&self, events: &[NewEvent]) -> Result<(), StateError> {
        self.state.write(|transaction| {
            let mut statement =
                transaction.prepare_cached("UPDATE crossings SET is_appended = 1 WHERE id = ?1")?;
            for event in events {
                statement.execute([&event.id])?;
            }
            transaction.execute(
                "DELETE FROM crossings WHERE seq <= (SELECT max(seq) FROM crossings) - ?1
                 AND (is_appended = 1 OR is_told = 0)",
                [N_KEPT],
            )?;
            Ok(())
        })
    }

    /// Removes everything about a lead: its sides, crossings and calls, and their bytes.
    ///
    /// Forget it in the event store first. A lead that is scored again is seen for the first time.
    ///
    /// # Errors
    ///
    /// As [`State::forget`].
    pub fn forget(&self, lead: &str) -> Result<Removed, StateError> {
        let mut sides = self.sides();
        sides.by_lead.remove(lead);
        self.state.forget(lead)
    }

    /// [`Thresholds::forget`] for `AppOptions::forgetters`.
    pub fn forgetter(self: &Arc<Self>) -> Forgetter {
        let thresholds = Arc::clone(self);
        Arc::new(move |lead| {
            let removed = thresholds.forget(lead).map_err(|error| error.to_string())?;
            Ok(removed.n_rows())
        })
    }

    /// Changes with each call that waits to be made.
    pub(super) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    fn sides(&self) -> MutexGuard<'_, Sides> {
        self.sides.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// On which side of a threshold a lead was, and is now; `None` where that is not known, or the
    /// score is not later than the last one.
    fn sides_of(
        &self,
        sides: &mut Sides,
        idx: usize,
        measured: &Measured<'_>,
    ) -> Option<(Option<Side>, Side)> {
        let threshold = &self.thresholds[idx];
        let before = sides.by_lead.get(measured.lead).and_then(|of| of[idx]);
        if before.is_some_and(|side| measured.at <= side.at) {
            return None;
        }
        let was_above = before.is_some_and(|side| side.is_above);
        let side = Side {
            is_above: threshold.is_above(measured, was_above)?,
            source: sides.number(threshold.source(measured)),
            at: measured.at,
        };
        Some((before, side))
    }

    /// Compares one score with one threshold, and takes down what changed.
    fn compare<'a>(
        &self,
        sides: &mut Sides,
        changes: &mut Changes<'a>,
        idx: usize,
        score: &'a LeadScore,
        points: Option<&PointsOfRules>,
    ) {
        let measured = Measured::of(score, points);
        let Some((before, side)) = self.sides_of(sides, idx, &measured) else {
            return;
        };
        sides.put(&score.lead, idx, self.thresholds.len(), side);
        changes.before.push((&score.lead, idx, before));
        if before.is_some_and(|before| before.is_same(side)) {
            return;
        }
        changes.sides.push((&score.lead, idx, side));
        let threshold = &self.thresholds[idx];
        if let Some(before) = before
            && side.is_above
            && !before.is_above
        {
            let (cause, is_told) = if score.held_back {
                (Cause::HeldBack, false)
            } else if before.source == side.source {
                (Cause::Lead, true)
            } else {
                (Cause::Model, threshold.tells_model_changes)
            };
            let crossing = Crossing::new(score, &threshold.name, points, cause, is_told);
            changes.crossings.push((crossing, idx, score));
        }
    }

    /// Writes what changed; whether a receiver is to be called.
    fn write(&self, sides: &Sides, changes: &Changes<'_>) -> Result<bool, StateError> {
        self.state.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "INSERT OR REPLACE INTO sides (lead, threshold, definition, source, is_above, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            let definitions: Vec<_> = self.thresholds.iter().map(Threshold::definition).collect();
            for (lead, idx, side) in &changes.sides {
                statement.execute(params![
                    lead,
                    self.thresholds[*idx].name,
                    definitions[*idx],
                    sides.sources[side.source as usize],
                    side.is_above,
                    side.at.micros(),
                ])?;
            }
            let mut is_called = false;
            for (crossing, idx, score) in &changes.crossings {
                let is_new = insert(transaction, crossing)?;
                if let Some(receiver) = &self.thresholds[*idx].receiver
                    && crossing.is_told
                    && is_new
                {
                    let body = crossing.body(score, self.base.as_ref());
                    line::insert(transaction, crossing, receiver, &body)?;
                    is_called = true;
                }
            }
            Ok(is_called)
        })
    }
}

impl Side {
    /// Whether nothing but the moment differs.
    fn is_same(self, other: Self) -> bool {
        self.is_above == other.is_above && self.source == other.source
    }
}

impl Sides {
    /// The number of a model or of rules.
    fn number(&mut self, source: &str) -> u32 {
        let known = self.sources.iter().rposition(|known| known == source);
        let number = known.unwrap_or_else(|| {
            self.sources.push(source.to_owned());
            self.sources.len() - 1
        });
        u32::try_from(number).expect("a server sees fewer than four billion models")
    }

    fn put(&mut self, lead: &str, idx: usize, n_thresholds: usize, side: Side) {
        if let Some(of_lead) = self.by_lead.get_mut(lead) {
            of_lead[idx] = Some(side);
            return;
        }
        let mut of_lead = vec![None; n_thresholds].into_boxed_slice();
        of_lead[idx] = Some(side);
        self.by_lead.insert(lead.to_owned(), of_lead);
    }
}

/// Reads the sides whose thresholds are as they were.
fn read_sides(state: &State, thresholds: &[Threshold]) -> Result<Sides, StateError> {
    state.read(|connection| {
        let mut sides = Sides::default();
        let mut statement = connection.prepare(
            "SELECT lead, source, is_above, at FROM sides
             WHERE threshold = ?1 AND definition = ?2",
        )?;
        for (idx, threshold) in thresholds.iter().enumerate() {
            let mut rows = statement.query(params![threshold.name, threshold.definition()])?;
            while let Some(row) = rows.next()? {
                let source = sides.number(row.get_ref(1)?.as_str()?);
                let side = Side {
                    is_above: row.get(2)?,
                    source,
                    at: Timestamp::from_micros(row.get(3)?),
                };
                let lead = row.get_ref(0)?.as_str()?;
                sides.put(lead, idx, thresholds.len(), side);
            }
        }
        Ok(sides)
    })
}

/// Writes a crossing; whether it was not there yet.
fn insert(transaction: &Transaction<'_>, crossing: &Crossing) -> rusqlite::Result<bool> {
    let mut statement = transaction.prepare_cached(
        "INSERT OR IGNORE INTO crossings
            (id, lead, threshold, at, likelihood, points, cell, tier, model, cause, is_told)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    let n_new = statement.execute(params![
        crossing.id,
        crossing.lead,
        crossing.threshold,
        crossing.at.micros(),
        crossing.likelihood,
        crossing.points,
        crossing.cell,
        crossing.tier.name(),
        crossing.model,
        crossing.cause.id(),
        crossing.is_told,
    ])?;
    Ok(n_new == 1)
}
