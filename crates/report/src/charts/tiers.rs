//! Tiers: the observed win rate of each tier with its interval, and what was predicted.

use leadscore_core::count;
use leadscore_metrics::TierRow;
use serde_json::{Value, json};

use crate::charts::vega::SCHEMA;
use crate::format::per_cent;
use crate::svg::{Drawing, round_up};

/// The model's tiers, and the quartiles by every other score.
pub(crate) struct Tiers<'r> {
    /// Each score's name and rows, the model first.
    pub(crate) scores: Vec<(&'r str, &'r [TierRow])>,
    /// Where the model's tiers begin, in words.
    pub(crate) edges: Option<&'r str>,
}

impl Tiers<'_> {
    /// The model's tiers.
    pub(crate) fn svg(&self) -> String {
        tiers(self.scores[0].1, &[], "bar")
    }

    /// The tiers of all scores beside each other.
    pub(crate) fn vega(&self) -> Value {
        let values: Vec<Value> = self
            .scores
            .iter()
            .flat_map(|(score, rows)| {
                rows.iter().map(move |row| json!({"score": score, "tier": row.tier, "rate": row.win_rate, "low": row.interval.low, "high": row.interval.high, "snapshots": row.n_rows, "predicted": row.mean_probability}))
            })
            .collect();
        let order: Vec<&str> = self.scores[0]
            .1
            .iter()
            .map(|tier| tier.tier.as_str())
            .collect();
        let title = self.edges.map_or("Share won by tier".to_owned(), |edges| {
            format!("Share won by tier: the model's begin at {edges}; those of other scores are quartiles")
        });
        let tier = json!({"field": "tier", "type": "nominal", "sort": order, "title": Value::Null});
        json!({
            "$schema": SCHEMA,
            "title": title,
            "data": {"values": values},
            "facet": {"column": {"field": "score", "type": "nominal", "title": Value::Null}},
            "spec": {"layer": [
                {"mark": {"type": "bar", "tooltip": true}, "encoding": {
                    "x": {"field": "rate", "type": "quantitative", "axis": {"format": "%"}, "title": "observed win rate"},
                    "y": tier,
                }},
                {"mark": "rule", "encoding": {
                    "x": {"field": "low", "type": "quantitative"},
                    "x2": {"field": "high"},
                    "y": {"field": "tier", "type": "nominal", "sort": order},
                }},
            ]},
        })
    }
}

/// Win rate of each tier with its interval, and what was predicted.
///
/// `others` are rows drawn beside these, which then share the scale; `class` is that of the bars.
pub(crate) fn tiers(rows: &[TierRow], others: &[TierRow], class: &str) -> String {
    let is_pair = !others.is_empty();
    let (width, row_height) = (if is_pair { 420.0 } else { 640.0 }, 46.0);
    let label = 82.0;
    let room = width - label - if is_pair { 62.0 } else { 190.0 };
    let mut drawing = Drawing::new(width, row_height * rows.len() as f64 + 50.0);
    let (limit, step) = round_up(
        rows.iter()
            .chain(others)
            .filter(|row| row.n_rows > 0)
            .map(|row| row.interval.high)
            .fold(0.0, f64::max),
    );
    let x = |share: f64| label + room * share / limit;
    let bottom = row_height * rows.len() as f64 + 4.0;
    let mut tick = 0.0;
    while tick <= limit + step / 2.0 {
        drawing.line("grid", (x(tick), 4.0), (x(tick), bottom));
        drawing.text("tick", "middle", (x(tick), bottom + 16.0), &per_cent(tick));
        tick += step;
    }
    for (idx, row) in rows.iter().enumerate() {
        let y = row_height * idx as f64 + 12.0;
        drawing.text("label", "end", (label - 10.0, y + 16.0), &row.tier);
        if row.n_rows == 0 {
            drawing.text("tick", "start", (label + 6.0, y + 16.0), "no leads");
            continue;
        }
        drawing.rect(class, (label, y), (x(row.win_rate) - label, 22.0));
        drawing.line(
            "whisker",
            (x(row.interval.low), y + 11.0),
            (x(row.interval.high), y + 11.0),
        );
        drawing.line(
            "whisker",
            (x(row.interval.low), y + 6.0),
            (x(row.interval.low), y + 16.0),
        );
        drawing.line(
            "whisker",
            (x(row.interval.high), y + 6.0),
            (x(row.interval.high), y + 16.0),
        );
        drawing.mark(
            "predicted",
            (x(row.mean_probability.min(limit)), y + 11.0),
            4.5,
            &format!(
                "{}: predicted {} on average, observed {}",
                row.tier,
                per_cent(row.mean_probability),
                per_cent(row.win_rate)
            ),
        );
        let rate = per_cent(row.win_rate);
        let text = if is_pair {
            rate
        } else {
            format!("{rate} ({} of {})", count(row.n_wins), count(row.n_rows))
        };
        drawing.text("value", "start", (label + room + 14.0, y + 16.0), &text);
    }
    drawing.text(
        "tick",
        "start",
        (4.0, bottom + 36.0),
        if is_pair {
            "observed win rate; line: 95 % interval; ring: predicted"
        } else {
            "bar: observed win rate; line: 95 % interval; ring: predicted"
        },
    );
    drawing.finish("Share won in each tier with its 95 % interval")
}
