//! Migration: snapshots by quartile of two scores, colored by the win rate of each cell.

use leadscore_core::counted;
use leadscore_metrics::{MigrationCell, PairedComparison};
use serde_json::{Value, json};

use crate::charts::vega::SCHEMA;
use crate::format::{per_cent, shorten, whole};
use crate::svg::Drawing;

pub(crate) struct Migration<'r> {
    pub(crate) pair: &'r PairedComparison,
    /// Names of the quartiles, best first.
    pub(crate) tiers: Vec<&'r str>,
}

impl Migration<'_> {
    pub(crate) fn svg(&self) -> String {
        let (pair, tiers) = (self.pair, &self.tiers);
        const NAMES: f64 = 96.0;
        const CELL: (f64, f64) = (80.0, 52.0);
        let mut drawing = Drawing::new(420.0, 310.0);
        let rate = |cell: &MigrationCell| {
            if cell.n_rows == 0 {
                0.0
            } else {
                cell.n_wins as f64 / cell.n_rows as f64
            }
        };
        let largest = pair
            .migration
            .iter()
            .flatten()
            .map(rate)
            .fold(1e-9, f64::max);
        drawing.text(
            "axis",
            "start",
            (4.0, 14.0),
            &format!(
                "down: quartile by {}; across: by the model",
                shorten(&pair.against, 24)
            ),
        );
        for (column, name) in tiers.iter().enumerate() {
            drawing.text(
                "tick",
                "middle",
                (NAMES + CELL.0 * (column as f64 + 0.5), 40.0),
                name,
            );
        }
        for (row, name) in tiers.iter().enumerate() {
            let y = 50.0 + CELL.1 * row as f64;
            drawing.text("tick", "end", (NAMES - 8.0, y + CELL.1 / 2.0 + 4.0), name);
            for (column, other) in tiers.iter().enumerate() {
                let cell = pair.migration[row][column];
                let x = NAMES + CELL.0 * column as f64;
                let title = format!(
                    "{name} by {}, {other} by the model: {}, {} won",
                    pair.against,
                    counted(cell.n_rows, "snapshot"),
                    cell.n_wins
                );
                drawing.shade(
                    "cell first",
                    (x + 1.0, y + 1.0),
                    (CELL.0 - 2.0, CELL.1 - 2.0),
                    0.08 + 0.42 * rate(&cell) / largest,
                    &title,
                );
                if cell.n_rows > 0 {
                    drawing.text(
                        "label",
                        "middle",
                        (x + CELL.0 / 2.0, y + 23.0),
                        &per_cent(rate(&cell)),
                    );
                }
                drawing.text(
                    "small",
                    "middle",
                    (x + CELL.0 / 2.0, y + 40.0),
                    &format!("of {}", whole(cell.n_rows as f64)),
                );
            }
        }
        drawing.text(
            "tick",
            "start",
            (4.0, 290.0),
            "in each cell: share won, and of how many snapshots",
        );
        drawing.finish("Snapshots by quartile of both scores, with the share won in each cell")
    }

    pub(crate) fn vega(&self) -> Value {
        let (pair, order) = (self.pair, &self.tiers);
        let values: Vec<Value> = pair
            .migration
            .iter()
            .enumerate()
            .flat_map(|(down, cells)| {
                cells.iter().enumerate().map(move |(across, cell)| {
                    let rate = (cell.n_rows > 0).then(|| cell.n_wins as f64 / cell.n_rows as f64);
                    json!({"baseline": order[down], "model": order[across], "snapshots": cell.n_rows, "won": cell.n_wins, "rate": rate})
                })
            })
            .collect();
        json!({
            "$schema": SCHEMA,
            "title": format!("Quartiles by {} and by the model", pair.against),
            "data": {"values": values},
            "mark": {"type": "rect", "tooltip": true},
            "encoding": {
                "x": {"field": "model", "type": "nominal", "sort": order},
                "y": {"field": "baseline", "type": "nominal", "sort": order},
                "color": {"field": "rate", "type": "quantitative", "title": "observed win rate"},
            },
        })
    }
}
