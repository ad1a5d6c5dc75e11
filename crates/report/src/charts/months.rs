//! Months: predicted and observed, part by part, with intervals of what was observed.

use leadscore_metrics::SegmentRow;
use serde_json::{Value, json};

use crate::charts::vega::SCHEMA;
use crate::format::{per_cent, shorten};
use crate::svg::{Drawing, axes, round_up};

pub(crate) struct Months<'r> {
    pub(crate) rows: &'r [SegmentRow],
}

impl Months<'_> {
    pub(crate) fn svg(&self) -> String {
        let rows = self.rows;
        let mut drawing = Drawing::new(640.0, 300.0);
        let limit = round_up(
            rows.iter()
                .map(|row| row.interval.high.max(row.mean_probability))
                .fold(0.0, f64::max)
                .min(1.0),
        );
        let n = rows.len().max(1) as f64;
        let place = axes(
            &mut drawing,
            ((n, 0.0), limit),
            ("", "share won"),
            per_cent,
            None,
        );
        // As many names as have room.
        let every = rows.len().div_ceil(9).max(1);
        let center = |idx: usize, value: f64| place(idx as f64 + 0.5, value.min(limit.0));
        drawing.path(
            "curve second",
            &rows
                .iter()
                .enumerate()
                .map(|(idx, row)| center(idx, row.mean_probability))
                .collect::<Vec<_>>(),
        );
        for (idx, row) in rows.iter().enumerate() {
            drawing.line(
                "whisker",
                center(idx, row.interval.low),
                center(idx, row.interval.high),
            );
            let title = format!(
                "{}: predicted {}, {} of {} won ({})",
                row.name,
                per_cent(row.mean_probability),
                row.n_wins,
                row.n_rows,
                per_cent(row.win_rate)
            );
            drawing.mark("dot first", center(idx, row.win_rate), 5.0, &title);
            if idx % every == 0 {
                let at = center(idx, 0.0);
                drawing.text(
                    "tick",
                    "middle",
                    (at.0, at.1 + 16.0),
                    &shorten(&row.name, 12),
                );
            }
        }
        drawing.text(
            "tick",
            "end",
            (614.0, 14.0),
            "dot and line: observed, with 95 % interval; dashed: predicted",
        );
        drawing.finish("Predicted and observed win rate, with intervals")
    }

    pub(crate) fn vega(&self) -> Value {
        let values: Vec<Value> = self
            .rows
            .iter()
            .flat_map(|row| {
                [
                    json!({"month": row.name, "what": "predicted", "share": row.mean_probability}),
                    json!({"month": row.name, "what": "won", "share": row.win_rate}),
                ]
            })
            .collect();
        json!({
            "$schema": SCHEMA,
            "title": "Predicted and observed, month by month",
            "data": {"values": values},
            "mark": {"type": "line", "point": true, "tooltip": true},
            "encoding": {
                "x": {"field": "month", "type": "ordinal"},
                "y": {"field": "share", "type": "quantitative", "axis": {"format": "%"}},
                "color": {"field": "what", "type": "nominal"},
            },
        })
    }
}
