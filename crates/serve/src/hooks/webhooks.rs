//! Webhooks as a whole: started, seen, asked for again, and stopped.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::client::Clients;
use super::delivery;
use super::line;
use super::schedule::{Problem, Schedule};
use super::sender::Sender;
use super::{
    DeliveryPage, DeliveryQuery, DeliveryStatus, IsHeldBack, Receivers, Thresholds, WebhookOptions,
};
use crate::{Clock, State, StateError};

/// Calls receivers, each at its own pace: one that hangs delays nobody else.
///
/// A call is made at least once, with the same `webhook-id` each time. Calls of a lead to a
/// receiver are made in order: the next one waits until the one before it was delivered or given
/// up.
pub struct Webhooks {
    state: Arc<State>,
    receivers: Receivers,
    /// Changes when a call was asked for again.
    wake: watch::Sender<u64>,
    stop: watch::Sender<bool>,
    senders: JoinSet<()>,
    problem: Problem,
}

/// What a call that was asked for again ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// It is made again.
    Queued,
    /// There is no such call.
    Unknown,
    /// The config has no webhook of its threshold any more.
    NoReceiver,
}

impl Webhooks {
    /// Starts to call the receivers, in tasks of the present runtime; `is_held_back` is asked right
    /// before each call.
    ///
    /// `clock` is that of the events; `wall` signs calls, and is the real time, to which receivers
    /// compare.
    ///
    /// # Errors
    ///
    /// [`StateError`] if the state cannot be read or written.
    pub fn start(
        receivers: Receivers,
        thresholds: &Thresholds,
        state: Arc<State>,
        clock: &Clock,
        wall: Clock,
        is_held_back: IsHeldBack,
        options: WebhookOptions,
    ) -> Result<Self, StateError> {
        let schedule = Schedule::new(clock);
        state
            .write(|transaction| line::start(transaction, &receivers, &options, schedule.now()))?;
        let clients = Clients::new(options.timeout);
        let options = Arc::new(options);
        let problem = Problem::default();
        let (stop, wake) = (watch::Sender::new(false), watch::Sender::new(0));
        let mut senders = JoinSet::new();
        for receiver in &receivers.0 {
            let sender = Sender {
                state: Arc::clone(&state),
                receiver: Arc::new(receiver.clone()),
                clients: Arc::clone(&clients),
                wall: Arc::clone(&wall),
                schedule,
                options: Arc::clone(&options),
                is_held_back: Arc::clone(&is_held_back),
                problem: problem.clone(),
            };
            senders.spawn(sender.run(thresholds.news(), wake.subscribe(), stop.subscribe()));
        }
        Ok(Self {
            state,
            receivers,
            wake,
            stop,
            senders,
            problem,
        })
    }

    /// Calls, latest first.
    ///
    /// # Errors
    ///
    /// [`StateError`] if the state cannot be read.
    pub fn deliveries(&self, query: &DeliveryQuery) -> Result<DeliveryPage, StateError> {
        self.state
            .read(|connection| delivery::read(connection, query))
    }

    /// Those calls whose lead is seen, latest first.
    ///
    /// # Errors
    ///
    /// [`StateError`] if the state cannot be read.
    pub fn deliveries_seen(
        &self,
        query: &DeliveryQuery,
        sees: impl Fn(&str) -> bool,
    ) -> Result<DeliveryPage, StateError> {
        delivery::read_seen(query, sees, |query| self.deliveries(query))
    }

    /// How many calls have each status, for metrics.
    ///
    /// # Errors
    ///
    /// [`StateError`] if the state cannot be read.
    pub fn counts(&self) -> Result<Vec<(DeliveryStatus, i64)>, StateError> {
        self.state.read(delivery::counts)
    }

    /// Makes a call again, at once, whether it was given up, delivered, or waits: it has the same
    /// ID, and another day of tries.
    ///
    /// It takes its old place in the line of its lead, before later calls that still wait.
    ///
    /// # Errors
    ///
    /// [`StateError`] if the state cannot be written.
    pub fn retry(&self, id: &str) -> Result<Retry, StateError> {
        let retry = self.state.write(|transaction| {
            let mut statement =
                transaction.prepare_cached("SELECT threshold FROM deliveries WHERE id = ?1")?;
            let mut rows = statement.query([id])?;
            let Some(row) = rows.next()? else {
                return Ok(Retry::Unknown);
            };
            let threshold: String = row.get(0)?;
            let Some(receiver) = self.receivers.key_of(&threshold) else {
                return Ok(Retry::NoReceiver);
            };
            line::again(transaction, id, receiver)?;
            Ok(Retry::Queued)
        })?;
        self.wake.send_modify(|n| *n = n.wrapping_add(1));
        Ok(retry)
    }

    /// Why calls cannot be made at all, such as a full disk; `None` if they can.
    pub fn problem(&self) -> Option<String> {
        self.problem.get()
    }

    /// Begins no more calls, and waits for those that are under way: at most the time that a call
    /// may take.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.senders.join_next().await.is_some() {}
    }
}
