//! Lift: the win rate of each tenth of the leads over that of all.

use leadscore_metrics::DecileRow;
use serde_json::{Value, json};

use crate::charts::vega::SCHEMA;
use crate::svg::{Drawing, axes, round_up};

pub(crate) struct Lift<'r> {
    pub(crate) rows: &'r [DecileRow],
}

impl Lift<'_> {
    pub(crate) fn svg(&self) -> String {
        let rows = self.rows;
        let mut drawing = Drawing::new(420.0, 360.0);
        let limit = round_up(rows.iter().map(|row| row.lift).fold(1.0, f64::max));
        let place = axes(
            &mut drawing,
            ((10.0, 0.0), limit),
            ("tenth of the leads, best first", "times the average rate"),
            |value| format!("{value:.1}"),
            None,
        );
        for row in rows {
            let left = row.decile as f64 - 1.0;
            let (x, y) = place(left + 0.14, row.lift);
            let (right, bottom) = place(left + 0.86, 0.0);
            drawing.rect("bar", (x, y), (right - x, bottom - y));
            let middle = place(left + 0.5, 0.0);
            drawing.text(
                "tick",
                "middle",
                (middle.0, middle.1 + 16.0),
                &row.decile.to_string(),
            );
            drawing.text(
                "value small",
                "middle",
                (middle.0, y - 4.0),
                &format!("{:.1}", row.lift),
            );
        }
        drawing.line("chance", place(0.0, 1.0), place(10.0, 1.0));
        drawing.finish("Lift: win rate of each tenth of leads over the average")
    }

    pub(crate) fn vega(&self) -> Value {
        let values: Vec<Value> = self
            .rows
            .iter()
            .map(|row| json!({"tenth": row.decile, "lift": row.lift}))
            .collect();
        json!({
            "$schema": SCHEMA,
            "title": "Lift of the model",
            "data": {"values": values},
            "layer": [
                {"mark": {"type": "bar", "tooltip": true}, "encoding": {
                    "x": {"field": "tenth", "type": "ordinal", "title": "tenth of the leads, best first"},
                    "y": {"field": "lift", "type": "quantitative", "title": "times the average rate"},
                }},
                {"mark": {"type": "rule", "strokeDash": [4, 4], "color": "gray"}, "encoding": {"y": {"datum": 1}}},
            ],
        })
    }
}
