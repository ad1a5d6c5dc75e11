//! Thresholds and webhooks as a server has them, over a state in a folder.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use leadscore_config::{ServeConfig, ThresholdConfig};
use leadscore_core::{ContactPriority, Timestamp};
use leadscore_serve::{
    Clock, Delivery, DeliveryQuery, DeliveryStatus, IsHeldBack, LeadScore, Reason, Receivers,
    State, Thresholds, WebhookOptions, Webhooks,
};

pub(crate) type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// 24 bytes in base64.
pub(crate) const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
/// 2025-06-01T10:00:00Z.
pub(crate) const START: i64 = 1_748_772_000_000_000;

/// What the clock of the receivers shows: 2026-11-28T10:00:00Z.
pub(crate) const WALL: i64 = 1_795_860_000_000_000;

/// A server without HTTP.
pub(crate) struct Server {
    pub(crate) state: Arc<State>,
    pub(crate) thresholds: Thresholds,
    pub(crate) webhooks: Option<Webhooks>,
    /// What the clock shows, in microseconds.
    pub(crate) clock: Arc<AtomicI64>,
    /// Leads that are held back when their calls are made; nobody knows it of lead "?".
    pub(crate) held_back: Arc<Mutex<BTreeSet<String>>>,
}

/// Waits as short as tests need them.
pub(crate) fn options() -> WebhookOptions {
    WebhookOptions {
        timeout: Duration::from_millis(400),
        n_at_once: 4,
        first_wait: Duration::from_millis(10),
        most_wait: Duration::from_millis(80),
        give_up_after: Duration::from_secs(600),
        first_pause: Duration::from_millis(5),
        most_pause: Duration::from_millis(40),
    }
}

/// Thresholds by name: the likelihood, and the address that is called.
pub(crate) fn config(thresholds: &[(&str, f64, Option<&str>)]) -> ServeConfig {
    let mut config = ServeConfig::default();
    for (name, likelihood, webhook) in thresholds {
        let threshold = ThresholdConfig {
            likelihood: Some(*likelihood),
            webhook: webhook.map(str::to_owned),
            secret: webhook.map(|_| "HOOK_SECRET".to_owned()),
            ..ThresholdConfig::default()
        };
        config.thresholds.insert((*name).to_owned(), threshold);
    }
    config
}

impl Server {
    pub(crate) fn start(
        path: &Path,
        config: &ServeConfig,
        options: WebhookOptions,
    ) -> Result<Self> {
        Self::start_at(path, config, options, START)
    }

    pub(crate) fn start_at(
        path: &Path,
        config: &ServeConfig,
        options: WebhookOptions,
        now: i64,
    ) -> Result<Self> {
        let mut server = Self::without_calls(path, config)?;
        server.clock.store(now, Ordering::Relaxed);
        let shown = Arc::clone(&server.clock);
        let clock: Clock = Arc::new(move || Timestamp::from_micros(shown.load(Ordering::Relaxed)));
        server.webhooks = Some(Webhooks::start(
            receivers(config)?,
            &server.thresholds,
            Arc::clone(&server.state),
            &clock,
            Arc::new(|| Timestamp::from_micros(WALL)),
            server.is_held_back(),
            options,
        )?);
        Ok(server)
    }

    pub(crate) fn without_calls(path: &Path, config: &ServeConfig) -> Result<Self> {
        let state = Arc::new(State::open(path)?);
        let thresholds = Thresholds::new(config, &receivers(config)?, Arc::clone(&state))?;
        Ok(Self {
            state,
            thresholds,
            webhooks: None,
            clock: Arc::new(AtomicI64::new(START)),
            held_back: Arc::default(),
        })
    }

    fn is_held_back(&self) -> IsHeldBack {
        let held_back = Arc::clone(&self.held_back);
        Arc::new(move |lead| {
            let held_back = held_back.lock().map_err(|error| error.to_string())?;
            if held_back.contains("?") && lead == "?" {
                return Err("the store cannot be read".to_owned());
            }
            Ok(held_back.contains(lead))
        })
    }

    pub(crate) fn deliveries(&self, status: Option<DeliveryStatus>) -> Result<Vec<Delivery>> {
        let query = DeliveryQuery {
            status,
            limit: Some(500),
            ..DeliveryQuery::default()
        };
        let webhooks = self.webhooks.as_ref().ok_or("no calls are made")?;
        Ok(webhooks.deliveries(&query)?.deliveries)
    }

    /// Waits until so many calls have a status.
    pub(crate) async fn wait_until(&self, status: DeliveryStatus, n_calls: i64) -> Result {
        let webhooks = self.webhooks.as_ref().ok_or("no calls are made")?;
        let start = Instant::now();
        loop {
            let counts = webhooks.counts()?;
            if counts.contains(&(status, n_calls)) {
                return Ok(());
            }
            if start.elapsed() > Duration::from_secs(60) {
                return Err(format!("{counts:?}, not {n_calls} {status:?}").into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends as a server does.
    pub(crate) async fn stop(self) {
        if let Some(webhooks) = self.webhooks {
            webhooks.stop().await;
        }
    }
}

fn receivers(config: &ServeConfig) -> Result<Receivers> {
    Ok(Receivers::new(config, |name| {
        (name == "HOOK_SECRET").then(|| SECRET.to_owned())
    })?)
}

/// A score some seconds after the start.
pub(crate) fn score(lead: &str, second: i64, likelihood: f64) -> LeadScore {
    LeadScore {
        lead: lead.to_owned(),
        at: Timestamp::from_micros(START + second * 1_000_000),
        model: "m1".to_owned(),
        likelihood,
        log_odds: 0.0,
        baseline: 0.0,
        tier: ContactPriority::High,
        reasons: vec![Reason {
            concept: "touches".to_owned(),
            text: "opened pricing twice".to_owned(),
            log_odds: 0.4,
        }],
        outside: None,
        held_back: false,
        input_hash: String::new(),
        feature_hash: String::new(),
    }
}
