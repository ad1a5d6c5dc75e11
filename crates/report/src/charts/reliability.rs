//! Reliability: predicted against observed, in ten bins and by the rising curve that fits best.

use leadscore_metrics::{CalibrationBin, Corp};
use serde_json::{Value, json};

use crate::charts::vega::SCHEMA;
use crate::format::per_cent;
use crate::svg::{Drawing, axes, round_up};

pub(crate) struct Reliability<'r> {
    pub(crate) bins: &'r [CalibrationBin],
    pub(crate) corp: &'r Corp,
}

impl Reliability<'_> {
    pub(crate) fn svg(&self) -> String {
        let (bins, corp) = (self.bins, self.corp);
        let mut drawing = Drawing::new(420.0, 360.0);
        let largest = bins
            .iter()
            .map(|bin| bin.interval.high.max(bin.mean_probability))
            .fold(0.0, f64::max)
            .min(1.0);
        let (limit, step) = round_up(largest);
        let place = axes(
            &mut drawing,
            ((limit, step), (limit, step)),
            ("likelihood that the model gave", "share won"),
            per_cent,
            None,
        );
        drawing.line("chance", place(0.0, 0.0), place(limit, limit));
        // The curve without bins, as far as the axes go.
        let inside = corp
            .steps
            .iter()
            .filter(|step| step.to <= limit && step.win_rate <= limit);
        let points: Vec<(f64, f64)> = inside
            .flat_map(|step| {
                [
                    place(step.from, step.win_rate),
                    place(step.to, step.win_rate),
                ]
            })
            .collect();
        drawing.path("curve second", &points);
        for bin in bins {
            drawing.line(
                "whisker",
                place(bin.mean_probability, bin.interval.low),
                place(bin.mean_probability, bin.interval.high.min(limit)),
            );
            let title = format!(
                "predicted {}, {} of {} won: {}",
                per_cent(bin.mean_probability),
                bin.n_wins,
                bin.n_rows,
                per_cent(bin.win_rate)
            );
            drawing.mark(
                "dot",
                place(bin.mean_probability, bin.win_rate),
                5.0,
                &title,
            );
        }
        drawing.finish("Reliability: likelihood given against share won, in ten bins and by the rising curve that fits best")
    }

    pub(crate) fn vega(&self) -> Value {
        let values: Vec<Value> = self
            .bins
            .iter()
            .map(|bin| json!({"predicted": bin.mean_probability, "won": bin.win_rate, "low": bin.interval.low, "high": bin.interval.high, "snapshots": bin.n_rows}))
            .collect();
        let predicted = json!({"field": "predicted", "type": "quantitative", "axis": {"format": "%"}, "title": "predicted"});
        json!({
            "$schema": SCHEMA,
            "title": "Reliability",
            "data": {"values": values},
            "layer": [
                {"mark": {"type": "line", "strokeDash": [4, 4], "color": "gray"}, "encoding": {
                    "x": predicted,
                    "y": {"field": "predicted", "type": "quantitative"},
                }},
                {"mark": "rule", "encoding": {
                    "x": predicted,
                    "y": {"field": "low", "type": "quantitative"},
                    "y2": {"field": "high"},
                }},
                {"mark": {"type": "point", "filled": true, "tooltip": true}, "encoding": {
                    "x": predicted,
                    "y": {"field": "won", "type": "quantitative", "axis": {"format": "%"}, "title": "observed win rate"},
                }},
            ],
        })
    }
}
