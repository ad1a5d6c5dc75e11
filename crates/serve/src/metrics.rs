//! Counts of what the server did, as OpenMetrics text. No ID of a lead is ever a label.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper ends of the buckets of latencies, in seconds.
const BUCKETS: [f64; 12] = [
    0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 20.0,
];

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<Series, Seen>>,
    shed: AtomicU64,
    panics: AtomicU64,
    appended: AtomicU64,
    duplicates: AtomicU64,
    scores: AtomicU64,
    connections: AtomicU64,
    connections_refused: AtomicU64,
}

/// What is true at the moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gauges {
    /// Requests that are being answered.
    pub(crate) n_in_flight: usize,
    /// Whether the queue and the model are there.
    pub(crate) is_ready: bool,
    /// Seconds since the queue was put in order.
    pub(crate) queue_age_seconds: Option<f64>,
    /// The model that scores.
    pub(crate) model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, Default)]
struct Seen {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

impl Metrics {
    /// One answer.
    pub(crate) fn answered(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        let seconds = took.as_secs_f64();
        let series = Series {
            route: route.to_owned(),
            method,
            status,
        };
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = requests.entry(series).or_default();
        seen.count += 1;
        seen.seconds += seconds;
        if let Some(at) = BUCKETS.iter().position(|end| seconds <= *end) {
            seen.buckets[at] += 1;
        }
    }

    /// Events that were appended.
    pub fn appended(&self, n_new: usize, n_duplicates: usize) {
        self.appended.fetch_add(n_new as u64, Ordering::Relaxed);
        self.duplicates
            .fetch_add(n_duplicates as u64, Ordering::Relaxed);
    }

    /// Scores that were answered.
    pub fn scored(&self, n: usize) {
        self.scores.fetch_add(n as u64, Ordering::Relaxed);
    }

    pub(crate) fn shed(&self) {
        self.shed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn panicked(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn connection_refused(&self) {
        self.connections_refused.fetch_add(1, Ordering::Relaxed);
    }

    /// All counts as OpenMetrics text.
    pub(crate) fn render(&self, now: &Gauges) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text, now);
        text
    }

    fn write(&self, text: &mut String, now: &Gauges) -> std::fmt::Result {
        let requests = self
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        family(
            text,
            "leadscore_requests",
            "counter",
            "Answers by route, method and status.",
        )?;
        for (series, seen) in &requests {
            writeln!(
                text,
                "leadscore_requests_total{{{}}} {}",
                series.labels(),
                seen.count
            )?;
        }
        latencies(text, &requests)?;
        self.write_counts(text)?;
        now.write(text)?;
        writeln!(text, "# EOF")
    }

    fn write_counts(&self, text: &mut String) -> std::fmt::Result {
        for (name, help, count) in [
            (
                "leadscore_shed",
                "Requests answered 503 since the server was busy.",
                &self.shed,
            ),
            (
                "leadscore_panics",
                "Requests that made the server panic.",
                &self.panics,
            ),
            (
                "leadscore_events_appended",
                "Events that were new.",
                &self.appended,
            ),
            (
                "leadscore_events_duplicate",
                "Events that the store had already.",
                &self.duplicates,
            ),
            (
                "leadscore_scores",
                "Scores that were answered.",
                &self.scores,
            ),
            (
                "leadscore_connections",
                "Connections that were accepted.",
                &self.connections,
            ),
            (
                "leadscore_connections_refused",
                "Connections above the limit.",
                &self.connections_refused,
            ),
        ] {
            family(text, name, "counter", help)?;
            writeln!(text, "{name}_total {}", count.load(Ordering::Relaxed))?;
        }
        Ok(())
    }
}

impl Gauges {
    fn write(&self, text: &mut String) -> std::fmt::Result {
        family(
            text,
            "leadscore_in_flight",
            "gauge",
            "Requests that are being answered.",
        )?;
        writeln!(text, "leadscore_in_flight {}", self.n_in_flight)?;
        family(
            text,
            "leadscore_ready",
            "gauge",
            "1 if the queue and the model are there.",
        )?;
        writeln!(text, "leadscore_ready {}", u8::from(self.is_ready))?;
        if let Some(age) = self.queue_age_seconds {
            let name = "leadscore_queue_age_seconds";
            family(
                text,
                name,
                "gauge",
                "Time since the queue was put in order.",
            )?;
            writeln!(text, "# UNIT {name} seconds")?;
            writeln!(text, "{name} {age:?}")?;
        }
        family(text, "leadscore_model", "info", "The model that scores.")?;
        writeln!(
            text,
            "leadscore_model_info{{id=\"{}\"}} 1",
            label(&self.model)
        )?;
        Ok(())
    }
}

fn latencies(text: &mut String, requests: &BTreeMap<Series, Seen>) -> std::fmt::Result {
    let name = "leadscore_request_duration_seconds";
    family(
        text,
        name,
        "histogram",
        "Time from the head of a request to its answer.",
    )?;
    writeln!(text, "# UNIT {name} seconds")?;
    for (route, seen) in by_route(requests) {
        let mut sum = 0;
        for (end, n) in BUCKETS.iter().zip(seen.buckets) {
            sum += n;
            writeln!(
                text,
                "{name}_bucket{{route=\"{route}\",le=\"{end:?}\"}} {sum}"
            )?;
        }
        writeln!(
            text,
            "{name}_bucket{{route=\"{route}\",le=\"+Inf\"}} {}",
            seen.count
        )?;
        writeln!(text, "{name}_count{{route=\"{route}\"}} {}", seen.count)?;
        writeln!(text, "{name}_sum{{route=\"{route}\"}} {:?}", seen.seconds)?;
    }
    Ok(())
}

impl Series {
    fn labels(&self) -> String {
        format!(
            "route=\"{}\",method=\"{}\",status=\"{}\"",
            self.route, self.method, self.status
        )
    }
}

fn by_route(requests: &BTreeMap<Series, Seen>) -> BTreeMap<&str, Seen> {
    let mut routes: BTreeMap<&str, Seen> = BTreeMap::new();
    for (series, seen) in requests {
        let all = routes.entry(&series.route).or_default();
        all.count += seen.count;
        all.seconds += seen.seconds;
        for (sum, n) in all.buckets.iter_mut().zip(seen.buckets) {
            *sum += n;
        }
    }
    routes
}

fn family(text: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(text, "# TYPE {name} {kind}\n# HELP {name} {help}")
}

fn label(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
