//! Swap set: the win rate of leads that only one of two scores would call.

use leadscore_metrics::{PairedComparison, SwapSide};
use serde_json::{Value, json};

use crate::charts::vega::SCHEMA;
use crate::format::{per_cent, whole};
use crate::svg::{Drawing, round_up};

pub(crate) struct Swap<'r> {
    pub(crate) pair: &'r PairedComparison,
}

impl Swap<'_> {
    /// The four groups, with the classes of their bars.
    fn parts(&self) -> [(&'static str, SwapSide, &'static str); 4] {
        let swap = &self.pair.swap;
        [
            ("only the model", swap.only_first, "bar"),
            ("both", swap.both, "bar third"),
            ("only the other", swap.only_other, "bar second"),
            ("neither", swap.neither, "bar fourth"),
        ]
    }

    pub(crate) fn svg(&self) -> String {
        let parts = self.parts();
        let mut drawing = Drawing::new(420.0, 260.0);
        let (limit, step) = round_up(
            parts
                .iter()
                .filter_map(|part| part.1.win_rate)
                .map(|rate| rate.high)
                .fold(0.0, f64::max)
                .min(1.0),
        );
        let (left, room) = (132.0, 184.0);
        let x = |share: f64| left + room * share.min(limit) / limit;
        let mut tick = 0.0;
        while tick <= limit + step / 2.0 {
            drawing.line("grid", (x(tick), 8.0), (x(tick), 204.0));
            drawing.text("tick", "middle", (x(tick), 220.0), &per_cent(tick));
            tick += step;
        }
        for (idx, (name, side, class)) in parts.iter().enumerate() {
            let y = 16.0 + 48.0 * idx as f64;
            drawing.text("label", "end", (left - 10.0, y + 16.0), name);
            let Some(rate) = side.win_rate else {
                drawing.text("tick", "start", (left + 6.0, y + 16.0), "nobody");
                continue;
            };
            drawing.rect(class, (left, y), (x(rate.value) - left, 22.0));
            drawing.line(
                "whisker",
                (x(rate.low.max(0.0)), y + 11.0),
                (x(rate.high), y + 11.0),
            );
            drawing.text(
                "value",
                "start",
                (left + room + 12.0, y + 16.0),
                &format!("{} of {}", per_cent(rate.value), whole(side.n_rows)),
            );
        }
        drawing.text(
            "tick",
            "start",
            (4.0, 246.0),
            "who would be called at the capacity: share won, of how many",
        );
        drawing.finish("Win rates of the swap set: called by both, one or neither")
    }

    pub(crate) fn vega(&self) -> Value {
        let values: Vec<Value> = self
            .parts()
            .iter()
            .map(|(name, side, _)| {
                json!({"called by": name, "snapshots": side.n_rows, "won": side.n_wins, "rate": side.win_rate.map(|rate| rate.value)})
            })
            .collect();
        json!({
            "$schema": SCHEMA,
            "title": format!("Swap set against {}", self.pair.against),
            "data": {"values": values},
            "mark": {"type": "bar", "tooltip": true},
            "encoding": {
                "x": {"field": "rate", "type": "quantitative", "axis": {"format": "%"}, "title": "observed win rate"},
                "y": {"field": "called by", "type": "nominal", "sort": Value::Null, "title": Value::Null},
            },
        })
    }
}
