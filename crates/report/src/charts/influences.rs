//! Influences: how far each feature moves scores.

use serde_json::{Value, json};

use crate::charts::vega::SCHEMA;
use crate::data::Influence;
use crate::format::shorten;
use crate::svg::Drawing;

/// Each label stands above its bar, so that none is cut.
pub(crate) struct Influences<'r> {
    pub(crate) rows: &'r [Influence],
}

impl Influences<'_> {
    pub(crate) fn svg(&self) -> String {
        let rows = self.rows;
        let width = 640.0;
        let row_height = 38.0;
        let mut drawing = Drawing::new(width, row_height * rows.len() as f64 + 8.0);
        let largest = rows.first().map_or(1.0, |row| row.range).max(1e-9);
        for (idx, row) in rows.iter().enumerate() {
            let y = row_height * idx as f64 + 14.0;
            let direction = direction(row.rising);
            drawing.text("label", "start", (4.0, y), &shorten(&row.feature, 62));
            drawing.text("tick", "end", (width - 4.0, y), direction);
            let length = (width - 76.0) * row.range / largest;
            drawing.rect(
                if row.rising == Some(false) {
                    "bar second"
                } else {
                    "bar"
                },
                (4.0, y + 5.0),
                (length, 10.0),
            );
            drawing.text(
                "value small",
                "start",
                (length + 12.0, y + 14.0),
                &format!("{:.2}", row.range),
            );
        }
        drawing.finish("How far each feature moves the log-odds")
    }

    pub(crate) fn vega(&self) -> Value {
        let values: Vec<Value> = self
            .rows
            .iter()
            .map(|row| json!({"feature": row.feature, "range": row.range, "direction": direction(row.rising)}))
            .collect();
        json!({
            "$schema": SCHEMA,
            "title": "What moves the score",
            "data": {"values": values},
            "mark": {"type": "bar", "tooltip": true},
            "encoding": {
                "x": {"field": "range", "type": "quantitative", "title": "log-odds"},
                "y": {"field": "feature", "type": "nominal", "sort": Value::Null, "title": Value::Null},
                "color": {"field": "direction", "type": "nominal", "title": Value::Null},
            },
        })
    }
}

fn direction(rising: Option<bool>) -> &'static str {
    match rising {
        Some(true) => "more raises the likelihood",
        Some(false) => "more lowers the likelihood",
        None => "by value",
    }
}
