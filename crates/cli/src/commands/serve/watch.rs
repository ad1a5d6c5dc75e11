//! Thresholds beside the engine: each new score is compared with the last one, away from whoever
//! made it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::Context as _;
use leadscore::{Config, Timestamp};
use leadscore_live::Watcher;
use leadscore_serve::{
    Clock, IsHeldBack, LeadScore, Measured, PointsOfRules, Receivers, State, Thresholds,
    WebhookOptions, Webhooks,
};
use leadscore_store::Store;

use crate::show;

/// Scores that wait to be compared: a refresh of many leads waits for the disk beyond it.
const WAITING: usize = 8_192;

/// Scores that are compared in one transaction.
const AT_ONCE: usize = 2_048;

/// After how long crossings are put into the store again, where it did not take them.
const AGAIN_AFTER: Duration = Duration::from_millis(250);

/// A score, and what the rules make of the lead.
type Scored = (LeadScore, Option<PointsOfRules>);

/// The thresholds of a config, with what the server remembers of them.
pub(super) struct Watch {
    pub(super) state: Arc<State>,
    pub(super) thresholds: Arc<Thresholds>,
    receivers: Receivers,
    scores: SyncSender<Scored>,
}

impl Watch {
    /// Begins to compare, in a thread of its own.
    pub(super) fn begin(
        config: &Config,
        state: Arc<State>,
        store: &Arc<Store>,
    ) -> anyhow::Result<Self> {
        let settings = &config.settings().serve;
        let receivers = Receivers::new(settings, |name| std::env::var(name).ok())?;
        let thresholds = Arc::new(Thresholds::new(settings, &receivers, Arc::clone(&state))?);
        let (scores, waiting) = sync_channel(WAITING);
        let (observed, kept) = (Arc::clone(&thresholds), Arc::clone(store));
        std::thread::Builder::new()
            .name("thresholds".to_owned())
            .spawn(move || compare(&observed, &kept, &waiting))
            .context("cannot start a thread")?;
        Ok(Self {
            state,
            thresholds,
            receivers,
            scores,
        })
    }

    /// What watches the scores of the engine.
    pub(super) fn watcher(&self) -> Arc<dyn Watcher> {
        Arc::new(Watching {
            thresholds: Arc::clone(&self.thresholds),
            scores: self.scores.clone(),
        })
    }

    /// Begins to call receivers, within the present runtime.
    /// `is_held_back` is asked right before each call.
    pub(super) fn call(
        self,
        clock: &Clock,
        wall: Clock,
        is_held_back: IsHeldBack,
    ) -> anyhow::Result<Webhooks> {
        Ok(Webhooks::start(
            self.receivers,
            &self.thresholds,
            self.state,
            clock,
            wall,
            is_held_back,
            WebhookOptions::default(),
        )?)
    }
}

/// Puts scores that are news where they are compared.
struct Watching {
    thresholds: Arc<Thresholds>,
    scores: SyncSender<Scored>,
}

impl Watcher for Watching {
    fn is_news(&self, measured: &Measured<'_>) -> bool {
        self.thresholds.is_news(measured)
    }

    fn hear(&self, score: LeadScore, points: Option<PointsOfRules>) {
        // The thread ends with the server, which then needs nobody to hear it.
        let _ = self.scores.send((score, points));
    }

    fn crossed(&self, since: Timestamp) -> Vec<(String, String, Timestamp)> {
        self.thresholds.crossed(since).unwrap_or_else(|error| {
            show::failure(&error);
            Vec::new()
        })
    }
}

/// Compares scores as they come, and makes crossings events of the store.
fn compare(thresholds: &Thresholds, store: &Store, waiting: &Receiver<Scored>) {
    // A server that was killed may have left some.
    let mut is_behind = true;
    loop {
        if is_behind {
            match keep(thresholds, store) {
                Ok(()) => is_behind = false,
                Err(error) => show::error(&error),
            }
        }
        let first = if is_behind {
            waiting.recv_timeout(AGAIN_AFTER)
        } else {
            waiting.recv().map_err(RecvTimeoutError::from)
        };
        let scores: Vec<Scored> = match first {
            Ok(first) => {
                let others = waiting.try_iter().take(AT_ONCE - 1);
                std::iter::once(first).chain(others).collect()
            }
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let observed = scores
            .iter()
            .map(|(score, points)| (score, points.as_ref()));
        match thresholds.observe_all(observed) {
            Ok(crossings) => is_behind |= !crossings.is_empty(),
            Err(error) => show::failure(&error),
        }
    }
}

/// Puts crossings into the store that are not there.
fn keep(thresholds: &Thresholds, store: &Store) -> anyhow::Result<()> {
    loop {
        let events = thresholds.to_append(1_000)?;
        if events.is_empty() {
            return Ok(());
        }
        store.append(events.clone())?;
        thresholds.appended(&events)?;
    }
}
