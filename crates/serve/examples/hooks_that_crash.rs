//! Lets leads cross a threshold, and is killed meanwhile: `hooks_that_crash STATE URL FROM CALLS`,
//! where FROM is the first second, and CALLS says whether receivers are called.
//!
//! It prints the ID of each crossing once it is durable, and the calls that wait at the start.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use leadscore_config::{ServeConfig, ThresholdConfig};
use leadscore_core::{ContactPriority, Timestamp};
use leadscore_serve::{Clock, LeadScore, Receivers, State, Thresholds, WebhookOptions, Webhooks};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, url, from, calls] = &arguments[..] else {
        return Err("expected STATE URL FROM CALLS".into());
    };
    let mut config = ServeConfig::default();
    let threshold = ThresholdConfig {
        likelihood: Some(40.0),
        webhook: Some(url.clone()),
        secret: Some("HOOK_SECRET".to_owned()),
        ..ThresholdConfig::default()
    };
    config.thresholds.insert("hot".to_owned(), threshold);
    let receivers = Receivers::new(&config, |name| std::env::var(name).ok())?;
    let state = Arc::new(State::open(Path::new(path))?);
    let thresholds = Thresholds::new(&config, &receivers, Arc::clone(&state))?;
    let clock: Clock = Arc::new(|| Timestamp::from_micros(1_748_772_000_000_000));
    let options = WebhookOptions {
        first_wait: Duration::from_millis(10),
        most_wait: Duration::from_millis(50),
        first_pause: Duration::from_millis(5),
        most_pause: Duration::from_millis(20),
        ..WebhookOptions::default()
    };
    let webhooks = match calls.as_str() {
        "call" => Some(Webhooks::start(
            receivers,
            &thresholds,
            state,
            &clock,
            Arc::clone(&clock),
            Arc::new(|_| Ok(false)),
            options,
        )?),
        _ => None,
    };
    let mut out = std::io::stdout().lock();
    let mut second: i64 = from.parse()?;
    // Until it is killed, or nobody reads any more.
    loop {
        for lead in 0..20 {
            thresholds.observe(&score(lead, second, 10.0), None)?;
            for crossing in thresholds.observe(&score(lead, second + 1, 50.0), None)? {
                writeln!(out, "{}", crossing.id)?;
            }
        }
        out.flush()?;
        second += 2;
        if let Some(problem) = webhooks.as_ref().and_then(Webhooks::problem) {
            return Err(problem.into());
        }
    }
}

fn score(lead: i64, second: i64, likelihood: f64) -> LeadScore {
    LeadScore {
        lead: format!("L{lead}"),
        at: Timestamp::from_micros(1_748_772_000_000_000 + second * 1_000_000),
        model: "m1".to_owned(),
        likelihood,
        log_odds: 0.0,
        baseline: 0.0,
        tier: ContactPriority::High,
        reasons: Vec::new(),
        outside: None,
        held_back: false,
        input_hash: String::new(),
        feature_hash: String::new(),
    }
}
