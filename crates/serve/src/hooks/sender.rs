//! Calls one receiver: several leads at a time while it answers, one after a pause while it does
//! not.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

use super::answer::Answer;
use super::backoff::Backoff;
use super::client::{self, Clients, Request};
use super::line::{self, Call, Settling};
use super::receiver::Receiver;
use super::schedule::{Problem, Schedule, micros};
use super::{IsHeldBack, WebhookOptions};
use crate::{Clock, State, StateError};

/// Failures in a row after which a receiver is taken to be down.
const N_UNTIL_DOWN: u32 = 3;
/// How often it looks for calls that nobody told it of; and how long it waits when the state's file
/// fails.
const LOOK: Duration = Duration::from_secs(60);
const FAILED: Duration = Duration::from_secs(1);

/// Calls one receiver.
#[derive(Clone)]
pub(super) struct Sender {
    pub(super) state: Arc<State>,
    pub(super) receiver: Arc<Receiver>,
    pub(super) clients: Arc<Clients>,
    /// The clock that receivers have, too.
    pub(super) wall: Clock,
    pub(super) schedule: Schedule,
    pub(super) options: Arc<WebhookOptions>,
    pub(super) is_held_back: IsHeldBack,
    pub(super) problem: Problem,
}

/// How the receiver is.
#[derive(Debug, Default, Clone, Copy)]
struct Health {
    /// Failures in a row that were the receiver's.
    n_failures: u32,
    /// No call before.
    not_before: i64,
}

/// What is under way. Of many calls that wait, no more are in memory.
#[derive(Default)]
struct UnderWay {
    calls: JoinSet<Answer>,
    by_task: HashMap<Id, Call>,
    /// Ended, and not written yet.
    done: Vec<(Call, Answer)>,
}

impl Sender {
    /// Calls the receiver until it is stopped.
    pub(super) async fn run(
        self,
        mut news: watch::Receiver<u64>,
        mut wake: watch::Receiver<u64>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut health = Health::default();
        let mut under_way = UnderWay::default();
        loop {
            news.borrow_and_update();
            wake.borrow_and_update();
            // When whoever started it is gone, it stops too.
            let is_stopping = *stop.borrow_and_update() || stop.has_changed().is_err();
            let worked = self.step(&mut health, &mut under_way, is_stopping).await;
            let problem = worked.as_ref().err().map(ToString::to_string);
            if is_stopping && problem.is_some() {
                // Calls whose end is not written are made again after the next start.
                return;
            }
            self.problem.set(&self.receiver.key, problem);
            if is_stopping && under_way.is_empty() {
                return;
            }
            let wait = worked.unwrap_or(FAILED);
            tokio::select! {
                ended = under_way.calls.join_next_with_id(), if !under_way.calls.is_empty() => {
                    under_way.take(ended);
                }
                // A closed channel would be ready each time.
                Ok(()) = news.changed(), if !is_stopping => {}
                Ok(()) = wake.changed(), if !is_stopping => {}
                _ = stop.changed(), if !is_stopping => {}
                () = tokio::time::sleep(wait) => {}
            }
            while let Some(ended) = under_way.calls.try_join_next_with_id() {
                under_way.take(Some(ended));
            }
        }
    }

    /// Writes what has ended and begins what is due; how long to wait then.
    async fn step(
        &self,
        health: &mut Health,
        under_way: &mut UnderWay,
        is_stopping: bool,
    ) -> Result<Duration, StateError> {
        if !under_way.done.is_empty() {
            self.settle(health, &under_way.done).await?;
            under_way.done.clear();
        }
        let now = self.schedule.now();
        let is_down = health.n_failures >= N_UNTIL_DOWN;
        let limit = if is_down { 1 } else { self.options.n_at_once };
        let n_free = limit.saturating_sub(under_way.calls.len());
        if is_stopping || n_free == 0 {
            return Ok(LOOK);
        }
        if now < health.not_before {
            return Ok(length(health.not_before - now).min(LOOK));
        }
        let n_rows = n_free + under_way.calls.len();
        let receiver = Arc::clone(&self.receiver);
        let (due, next) = self
            .on_disk(move |state| {
                state.read(|connection| {
                    let due = line::due(connection, &receiver.key, now, n_rows)?;
                    let next = line::next_due(connection, &receiver.key, now)?;
                    Ok((due, next))
                })
            })
            .await?;
        let is_new = |call: &Call| {
            under_way
                .by_task
                .values()
                .all(|known| known.seq != call.seq)
        };
        let due: Vec<_> = due.into_iter().filter(is_new).take(n_free).collect();
        for call in due {
            let task = under_way.calls.spawn(self.clone().call(call.clone()));
            under_way.by_task.insert(task.id(), call);
        }
        Ok(next.map_or(LOOK, |next| length(next - now)).min(LOOK))
    }

    /// Makes one call.
    async fn call(self, call: Call) -> Answer {
        let failed = |problem: String| Answer::Down {
            status: None,
            problem,
            retry_after: None,
        };
        let Some(keys) = self.receiver.keys.get(&call.threshold) else {
            // Calls of thresholds that are gone were given up at the start.
            return failed("the config has no webhook of this threshold any more".to_owned());
        };
        let (clients, reach) = (Arc::clone(&self.clients), self.receiver.reach);
        let (is_held_back, lead) = (Arc::clone(&self.is_held_back), call.lead.clone());
        let prepared = move || (is_held_back(&lead), clients.get(reach));
        let Ok((is_held_back, client)) = tokio::task::spawn_blocking(prepared).await else {
            return failed("the call cannot be prepared".to_owned());
        };
        match is_held_back {
            Ok(false) => {}
            Ok(true) => return Answer::HeldBack,
            Err(problem) => return Answer::Unsure { problem },
        }
        let Ok(client) = client else {
            return failed("the system's certificates cannot be read".to_owned());
        };
        let seconds = (self.wall)().micros().div_euclid(1_000_000);
        let request = Request {
            url: self.receiver.url.clone(),
            signature: keys.sign(&call.id, seconds, &call.body),
            id: call.id,
            seconds,
            body: call.body,
        };
        client::call(client, request, self.options.timeout).await
    }

    /// Writes what calls ended with, and what that says of the receiver.
    async fn settle(&self, health: &mut Health, done: &[(Call, Answer)]) -> Result<(), StateError> {
        let now = self.schedule.now();
        let was_down = health.n_failures >= N_UNTIL_DOWN;
        let mut next = *health;
        for (_, answer) in done {
            next = self.health_after(next, answer, now);
        }
        let is_down = next.n_failures >= N_UNTIL_DOWN;
        let (receiver, options) = (Arc::clone(&self.receiver), Arc::clone(&self.options));
        let done = done.to_vec();
        self.on_disk(move |state| {
            let settling = Settling {
                receiver: &receiver.key,
                now,
                options: &options,
                is_back: was_down && !is_down,
                is_down,
            };
            state.write(|transaction| settling.write(transaction, &done))
        })
        .await?;
        *health = next;
        Ok(())
    }

    fn health_after(&self, health: Health, answer: &Answer, now: i64) -> Health {
        match answer {
            Answer::Taken { .. } | Answer::Refused { .. } | Answer::Gone => Health::default(),
            // The receiver knows nothing of it.
            Answer::HeldBack | Answer::Unsure { .. } => health,
            Answer::Down { retry_after, .. } => {
                // Calls that were under way when it went down tell nothing new.
                let is_new = health.n_failures < N_UNTIL_DOWN || now >= health.not_before;
                let n_failures = health.n_failures.saturating_add(u32::from(is_new));
                let pauses = Backoff {
                    first: self.options.first_pause,
                    most: self.options.most_pause,
                };
                let pause = if n_failures < N_UNTIL_DOWN {
                    Duration::ZERO
                } else {
                    pauses.wait(n_failures - N_UNTIL_DOWN + 1, &self.receiver.key)
                };
                let pause = if is_new { pause } else { Duration::ZERO };
                let asked = retry_after.unwrap_or_default().min(self.options.most_wait);
                Health {
                    n_failures,
                    not_before: health.not_before.max(now + micros(pause.max(asked))),
                }
            }
        }
    }

    /// Works with the state's file on a thread that may wait for the disk.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&State) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, StateError> {
        let state = Arc::clone(&self.state);
        tokio::task::spawn_blocking(move || work(&state))
            .await
            .expect("work on the state does not panic")
    }
}

impl UnderWay {
    fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.done.is_empty()
    }

    /// Takes down what a call ended with.
    fn take(&mut self, ended: Option<Result<(Id, Answer), tokio::task::JoinError>>) {
        let (id, answer) = match ended {
            Some(Ok(ended)) => ended,
            Some(Err(error)) => {
                let answer = Answer::Down {
                    status: None,
                    problem: "the call ended unexpectedly".to_owned(),
                    retry_after: None,
                };
                (error.id(), answer)
            }
            None => return,
        };
        if let Some(call) = self.by_task.remove(&id) {
            self.done.push((call, answer));
        }
    }
}

/// Microseconds as a length.
fn length(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
