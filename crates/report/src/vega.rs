//! Every chart of the report as a Vega-Lite specification that holds its data: for notebooks and
//! slides.

use serde_json::{Value, json};

use crate::charts::{self, Series};
use crate::data::BreakdownBy;
use crate::report::Report;

const SCHEMA: &str = "https://vega.github.io/schema/vega-lite/v5.json";

pub(crate) fn render(report: &Report) -> Vec<(&'static str, Value)> {
    let (evaluation, comparison) = (&report.measured.evaluation, &report.measured.comparison);
    let mut found = vec![
        (
            "gains",
            curves(
                "Gains",
                &charts::gains(comparison),
                ("share of leads called", "%"),
                ("recall", "%"),
            ),
        ),
        (
            "roc",
            curves(
                "ROC curve",
                &charts::roc(comparison),
                ("share of those not won that are called", "%"),
                ("share of those won that are called", "%"),
            ),
        ),
        (
            "precision_recall",
            curves(
                "Precision and recall",
                &charts::precision_recall(comparison),
                ("recall", "%"),
                ("precision", "%"),
            ),
        ),
        (
            "decision",
            curves(
                "Decision curve",
                &charts::decision(comparison),
                ("a call pays from this likelihood on", "%"),
                ("net wins a hundred leads", ".1f"),
            ),
        ),
    ];
    let tiers: Vec<Value> = std::iter::once(("model", &evaluation.tiers))
        .chain(comparison.scores[1..].iter().map(|score| (score.name.as_str(), &score.tiers)))
        .flat_map(|(score, rows)| {
            rows.iter().map(move |row| json!({"score": score, "tier": row.tier, "rate": row.win_rate, "low": row.interval.low, "high": row.interval.high, "snapshots": row.n_rows, "predicted": row.mean_probability}))
        })
        .collect();
    let order: Vec<&str> = evaluation
        .tiers
        .iter()
        .map(|tier| tier.tier.as_str())
        .collect();
    found.push((
        "tiers",
        json!({"$schema": SCHEMA, "title": report.data.tiers_from.as_ref().map_or("Share won by tier".to_owned(), |edges| format!("Share won by tier: the model's begin at {edges}; those of other scores are quartiles")), "data": {"values": tiers},
            "facet": {"column": {"field": "score", "type": "nominal", "title": Value::Null}},
            "spec": {"layer": [
                {"mark": {"type": "bar", "tooltip": true}, "encoding": {"x": {"field": "rate", "type": "quantitative", "axis": {"format": "%"}, "title": "observed win rate"}, "y": {"field": "tier", "type": "nominal", "sort": order, "title": Value::Null}}},
                {"mark": "rule", "encoding": {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}, "y": {"field": "tier", "type": "nominal", "sort": order}}},
            ]}}),
    ));
    let bins: Vec<Value> = evaluation
        .calibration
        .iter()
        .map(|bin| json!({"predicted": bin.mean_probability, "won": bin.win_rate, "low": bin.interval.low, "high": bin.interval.high, "snapshots": bin.n_rows}))
        .collect();
    let predicted = json!({"field": "predicted", "type": "quantitative", "axis": {"format": "%"}, "title": "predicted"});
    found.push((
        "reliability",
        json!({"$schema": SCHEMA, "title": "Reliability", "data": {"values": bins}, "layer": [
            {"mark": {"type": "line", "strokeDash": [4, 4], "color": "gray"}, "encoding": {"x": predicted, "y": {"field": "predicted", "type": "quantitative"}}},
            {"mark": "rule", "encoding": {"x": predicted, "y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}}},
            {"mark": {"type": "point", "filled": true, "tooltip": true}, "encoding": {"x": predicted, "y": {"field": "won", "type": "quantitative", "axis": {"format": "%"}, "title": "observed win rate"}}},
        ]}),
    ));
    for contest in comparison.contests.iter().take(1) {
        let cells: Vec<Value> = contest
            .migration
            .iter()
            .enumerate()
            .flat_map(|(down, cells)| {
                let order = &order;
                cells.iter().enumerate().map(move |(across, cell)| {
                    json!({"baseline": order[down], "model": order[across], "snapshots": cell.n_rows, "won": cell.n_wins, "rate": if cell.n_rows == 0 { Value::Null } else { json!(cell.n_wins as f64 / cell.n_rows as f64) }})
                })
            })
            .collect();
        found.push((
            "migration",
            json!({"$schema": SCHEMA, "title": format!("Quartiles by {} and by the model", contest.against), "data": {"values": cells},
                "mark": {"type": "rect", "tooltip": true},
                "encoding": {"x": {"field": "model", "type": "nominal", "sort": order}, "y": {"field": "baseline", "type": "nominal", "sort": order}, "color": {"field": "rate", "type": "quantitative", "title": "observed win rate"}}}),
        ));
    }
    for breakdown in report
        .measured
        .breakdowns
        .iter()
        .filter(|breakdown| breakdown.by == BreakdownBy::Month)
    {
        let rows: Vec<Value> = breakdown
            .rows
            .iter()
            .flat_map(|row| {
                [
                    json!({"month": row.name, "what": "predicted", "share": row.mean_probability}),
                    json!({"month": row.name, "what": "won", "share": row.win_rate}),
                ]
            })
            .collect();
        found.push((
            "months",
            json!({"$schema": SCHEMA, "title": "Predicted and observed, month by month", "data": {"values": rows}, "mark": {"type": "line", "point": true, "tooltip": true},
                "encoding": {"x": {"field": "month", "type": "ordinal"}, "y": {"field": "share", "type": "quantitative", "axis": {"format": "%"}}, "color": {"field": "what", "type": "nominal"}}}),
        ));
    }
    found
}

fn curves(title: &str, series: &[Series], x: (&str, &str), y: (&str, &str)) -> Value {
    let values: Vec<Value> = series
        .iter()
        .flat_map(|series| {
            series
                .points
                .iter()
                .map(move |point| json!({"score": series.name, "x": point.0, "y": point.1}))
        })
        .collect();
    json!({"$schema": SCHEMA, "title": title, "data": {"values": values}, "mark": {"type": "line", "tooltip": true},
    "encoding": {
        "x": {"field": "x", "type": "quantitative", "title": x.0, "axis": {"format": x.1}},
        "y": {"field": "y", "type": "quantitative", "title": y.0, "axis": {"format": y.1}},
        "color": {"field": "score", "type": "nominal", "title": Value::Null}, "strokeDash": {"field": "score", "type": "nominal"}
    }})
}
