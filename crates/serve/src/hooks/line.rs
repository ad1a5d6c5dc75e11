//! Calls that wait, as lines: those of one lead to one receiver are made one after the other. The
//! first of a line has a time of its next try; those behind it have none until it is settled.

use std::time::Duration;

use rusqlite::{Connection, Transaction, params};

use super::answer::Answer;
use super::backoff::Backoff;
use super::schedule::micros;
use super::{Crossing, Receivers, WebhookOptions};

/// After a start, calls are tried for this long at least, whatever the clock says.
const LEAST_AFTER_START: Duration = Duration::from_secs(3_600);
/// Settled calls that are kept to be seen, of those that were delivered and of those that were not.
const N_KEPT: i64 = 100_000;
/// They are counted after each so many calls.
const PRUNE_EACH: i64 = 1_000;

/// Gives every first of its line a time.
const HEADS: &str = "
    UPDATE deliveries SET next_try = 0
    WHERE status = 'waiting' AND next_try IS NULL AND receiver = ?1
      AND seq = (SELECT min(line.seq) FROM deliveries AS line
                 WHERE line.status = 'waiting' AND line.receiver = deliveries.receiver
                   AND line.lead = deliveries.lead)";

/// A call that is due.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) seq: i64,
    pub(super) id: String,
    pub(super) lead: String,
    pub(super) threshold: String,
    pub(super) body: String,
    /// Failures since it was created or asked for again.
    pub(super) n_waits: u32,
}

/// Puts a call at the end of its line.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    crossing: &Crossing,
    receiver: &str,
    body: &str,
) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO deliveries (id, lead, threshold, receiver, body, created, next_try)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, CASE WHEN EXISTS (
            SELECT 1 FROM deliveries WHERE status = 'waiting' AND receiver = ?4 AND lead = ?2
         ) THEN NULL ELSE 0 END)",
    )?;
    statement.execute(params![
        crossing.id,
        crossing.lead,
        crossing.threshold,
        receiver,
        body,
        crossing.at.micros(),
    ])?;
    Ok(())
}

/// Brings what waits in line with the config and the present moment: addresses may have changed,
/// thresholds may be gone, and the clock may show another year than it did.
pub(super) fn start(
    transaction: &Transaction<'_>,
    receivers: &Receivers,
    options: &WebhookOptions,
    now: i64,
) -> rusqlite::Result<()> {
    let known: Vec<_> = receivers
        .0
        .iter()
        .flat_map(|receiver| receiver.keys.keys().map(|name| (name, &receiver.key)))
        .collect();
    let waiting: Vec<String> = transaction
        .prepare("SELECT DISTINCT threshold FROM deliveries WHERE status = 'waiting'")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for threshold in waiting {
        match known.iter().find(|(name, _)| **name == threshold) {
            Some((_, key)) => transaction.execute(
                "UPDATE deliveries SET receiver = ?2 WHERE status = 'waiting' AND threshold = ?1",
                params![threshold, key],
            )?,
            None => transaction.execute(
                "UPDATE deliveries SET status = 'dead', settled = ?2, next_try = NULL,
                    problem = 'the config has no webhook of this threshold any more'
                 WHERE status = 'waiting' AND threshold = ?1",
                params![threshold, now],
            )?,
        };
    }
    let day = micros(options.give_up_after);
    transaction.execute(
        "UPDATE deliveries SET
            deadline = max(min(deadline, ?1 + ?2), ?1 + min(?2, ?3)),
            next_try = min(next_try, ?1 + ?4)
         WHERE status = 'waiting'",
        params![
            now,
            day,
            micros(LEAST_AFTER_START),
            micros(options.most_wait)
        ],
    )?;
    // Lines of two addresses may have become one.
    transaction.execute(
        "UPDATE deliveries SET next_try = NULL WHERE status = 'waiting'
         AND EXISTS (SELECT 1 FROM deliveries AS line
                     WHERE line.status = 'waiting' AND line.receiver = deliveries.receiver
                       AND line.lead = deliveries.lead AND line.seq < deliveries.seq)",
        [],
    )?;
    for receiver in &receivers.0 {
        transaction.execute(HEADS, [&receiver.key])?;
    }
    prune(transaction)
}

/// Removes the oldest of very many calls that are settled.
fn prune(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    for status in ["delivered", "dead"] {
        transaction.execute(
            "DELETE FROM deliveries WHERE status = ?1 AND seq <= (
                SELECT seq FROM deliveries WHERE status = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
            params![status, N_KEPT],
        )?;
    }
    Ok(())
}

/// Makes a call wait again, at its old place in its line.
pub(super) fn again(
    transaction: &Transaction<'_>,
    id: &str,
    receiver: &str,
) -> rusqlite::Result<()> {
    transaction.execute(
        "UPDATE deliveries SET status = 'waiting', receiver = ?2, next_try = NULL,
            deadline = NULL, n_waits = 0, settled = NULL
         WHERE id = ?1 AND (status <> 'waiting' OR next_try IS NOT NULL)",
        params![id, receiver],
    )?;
    // It is first, unless another call of its line may be under way.
    transaction.execute(
        "UPDATE deliveries SET next_try = 0
         WHERE id = ?1 AND status = 'waiting' AND NOT EXISTS (
            SELECT 1 FROM deliveries AS line
            WHERE line.status = 'waiting' AND line.receiver = deliveries.receiver
              AND line.lead = deliveries.lead AND line.next_try IS NOT NULL)",
        [id],
    )?;
    Ok(())
}

/// Calls of a receiver that are due, those that wait longest first.
pub(super) fn due(
    connection: &Connection,
    receiver: &str,
    now: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Call>> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, id, lead, threshold, body, n_waits FROM deliveries
         WHERE status = 'waiting' AND receiver = ?1 AND next_try IS NOT NULL AND next_try <= ?2
         ORDER BY next_try, seq LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![receiver, now, limit], |row| {
        Ok(Call {
            seq: row.get(0)?,
            id: row.get(1)?,
            lead: row.get(2)?,
            threshold: row.get(3)?,
            body: row.get(4)?,
            n_waits: row.get(5)?,
        })
    })?;
    rows.collect()
}

/// When the next call of a receiver that is not due yet will be.
pub(super) fn next_due(
    connection: &Connection,
    receiver: &str,
    now: i64,
) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached(
            "SELECT min(next_try) FROM deliveries
             WHERE status = 'waiting' AND receiver = ?1 AND next_try IS NOT NULL AND next_try > ?2",
        )?
        .query_row(params![receiver, now], |row| row.get(0))
}

/// What a receiver's calls came to.
pub(super) struct Settling<'a> {
    /// The receiver's key.
    pub(super) receiver: &'a str,
    /// The present moment.
    pub(super) now: i64,
    /// The options.
    pub(super) options: &'a WebhookOptions,
    /// Whether it answers again after it was down: nobody has to wait any longer.
    pub(super) is_back: bool,
    /// Whether it is down: the day of tries has begun for all that wait, and ends for all.
    pub(super) is_down: bool,
}

impl Settling<'_> {
    /// Writes what calls ended with, and lets the next ones of their lines come.
    pub(super) fn write(
        &self,
        transaction: &Transaction<'_>,
        done: &[(Call, Answer)],
    ) -> rusqlite::Result<()> {
        if self.is_back {
            transaction.execute(
                "UPDATE deliveries SET next_try = 0
                 WHERE status = 'waiting' AND receiver = ?1 AND next_try > 0",
                [self.receiver],
            )?;
        }
        for (call, answer) in done {
            match answer {
                Answer::Taken { status } => {
                    self.taken(transaction, call, *status)?;
                    self.promote(transaction, call)?;
                }
                Answer::Gone | Answer::HeldBack => {
                    self.failed(transaction, call, answer, true)?;
                    self.promote(transaction, call)?;
                }
                Answer::Refused { .. } | Answer::Down { .. } | Answer::Unsure { .. } => {
                    self.failed(transaction, call, answer, false)?;
                    self.promote(transaction, call)?;
                }
            }
        }
        if done.iter().any(|(call, _)| call.seq % PRUNE_EACH == 0) {
            prune(transaction)?;
        }
        if self.is_down {
            self.give_up_what_is_overdue(transaction, done)?;
        }
        Ok(())
    }

    fn taken(
        &self,
        transaction: &Transaction<'_>,
        call: &Call,
        status: u16,
    ) -> rusqlite::Result<()> {
        let mut statement = transaction.prepare_cached(
            "UPDATE deliveries SET status = 'delivered', answer = ?2, problem = NULL,
                settled = ?3, next_try = NULL, n_tries = n_tries + 1
             WHERE seq = ?1",
        )?;
        statement.execute(params![call.seq, status, self.now])?;
        Ok(())
    }

    fn failed(
        &self,
        transaction: &Transaction<'_>,
        call: &Call,
        answer: &Answer,
        is_final: bool,
    ) -> rusqlite::Result<()> {
        let backoff = Backoff {
            first: self.options.first_wait,
            most: self.options.most_wait,
        };
        let asked = answer.retry_after().unwrap_or_default();
        let wait = backoff
            .wait(call.n_waits.saturating_add(1), &call.id)
            .max(asked.min(self.options.most_wait));
        let day = self.now + micros(self.options.give_up_after);
        let mut statement = transaction.prepare_cached(
            "UPDATE deliveries SET
                n_tries = n_tries + ?8, n_waits = n_waits + 1, answer = ?2, problem = ?3,
                deadline = COALESCE(deadline, ?4),
                status = CASE WHEN ?5 OR deadline <= ?6 THEN 'dead' ELSE 'waiting' END,
                settled = CASE WHEN ?5 OR deadline <= ?6 THEN ?6 END,
                next_try = CASE WHEN ?5 OR deadline <= ?6 THEN NULL
                    ELSE min(?6 + ?7, COALESCE(deadline, ?4)) END
             WHERE seq = ?1 AND status = 'waiting'",
        )?;
        statement.execute(params![
            call.seq,
            answer.status(),
            answer.problem(),
            day,
            is_final,
            self.now,
            micros(wait),
            answer.is_try(),
        ])?;
        Ok(())
    }

    /// The first of the call's line gets a time, if it has none.
    fn promote(&self, transaction: &Transaction<'_>, call: &Call) -> rusqlite::Result<()> {
        let mut statement = transaction.prepare_cached(
            "UPDATE deliveries SET next_try = 0
             WHERE next_try IS NULL AND seq = (
                SELECT min(seq) FROM deliveries
                WHERE status = 'waiting' AND receiver = ?1 AND lead = ?2)",
        )?;
        statement.execute(params![self.receiver, call.lead])?;
        Ok(())
    }

    fn give_up_what_is_overdue(
        &self,
        transaction: &Transaction<'_>,
        done: &[(Call, Answer)],
    ) -> rusqlite::Result<()> {
        let problem = done.iter().rev().find_map(|(_, answer)| answer.problem());
        transaction.execute(
            "UPDATE deliveries SET deadline = ?2
             WHERE status = 'waiting' AND receiver = ?1 AND deadline IS NULL",
            params![self.receiver, self.now + micros(self.options.give_up_after)],
        )?;
        let n_dead = transaction.execute(
            "UPDATE deliveries SET status = 'dead', settled = ?2, next_try = NULL,
                problem = COALESCE(problem, ?3)
             WHERE status = 'waiting' AND receiver = ?1 AND deadline <= ?2",
            params![self.receiver, self.now, problem],
        )?;
        if n_dead > 0 {
            transaction.execute(HEADS, [self.receiver])?;
        }
        Ok(())
    }
}
