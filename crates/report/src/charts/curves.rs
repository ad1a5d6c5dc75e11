//! One curve a score over the same axes: gains, ROC, precision and recall, the decision curve.

use leadscore_metrics::{Comparison, ScoreFigures};
use serde_json::{Value, json};

use crate::charts::vega::SCHEMA;
use crate::format::{per_cent, shorten};
use crate::svg::{Drawing, axes, round_up};

/// Curves over the same axes, with their names in a corner.
pub(crate) struct Curves {
    title: &'static str,
    /// What the picture shows, for who does not see it.
    description: &'static str,
    x: Axis,
    y: Axis,
    corner: Corner,
    series: Vec<Series>,
}

/// A curve.
struct Series {
    name: String,
    points: Vec<(f64, f64)>,
}

/// Which corner of a chart has room for the names of its curves.
#[derive(Clone, Copy)]
enum Corner {
    TopRight,
    BottomRight,
}

/// What an axis says.
struct Axis {
    title: &'static str,
    /// Its largest value, and the step between ticks.
    limit: (f64, f64),
    unit: Unit,
}

/// What the numbers of an axis count.
#[derive(Clone, Copy)]
enum Unit {
    /// 0 to 1, shown in per cent.
    Share,
    /// A number with one decimal.
    Decimal,
}

impl Unit {
    /// How a picture writes a number.
    fn write(self) -> fn(f64) -> String {
        match self {
            Self::Share => per_cent,
            Self::Decimal => |value| format!("{value:.1}"),
        }
    }

    /// The format of d3 for the same.
    fn vega(self) -> &'static str {
        match self {
            Self::Share => "%",
            Self::Decimal => ".1f",
        }
    }
}

impl Axis {
    fn share(title: &'static str) -> Self {
        Self {
            title,
            limit: (1.0, 0.25),
            unit: Unit::Share,
        }
    }

    /// An axis that holds all of these.
    fn fitting(title: &'static str, unit: Unit, values: impl Iterator<Item = f64>) -> Self {
        Self {
            title,
            limit: round_up(values.fold(0.0, f64::max)),
            unit,
        }
    }
}

/// The curve of calling leads in no order.
const CHANCE: &str = "chance";
/// The curve of calling every lead.
const EVERYONE: &str = "calling everyone";

/// Classes of curves: colors and dashes differ, so that either alone tells them apart.
const CLASSES: [&str; 4] = ["first", "second", "third", "fourth"];

fn class_of(idx: usize, name: &str) -> &'static str {
    if name == CHANCE || name == EVERYONE {
        "plain"
    } else {
        CLASSES[idx % CLASSES.len()]
    }
}

/// One curve a score, with the scores' names.
fn of_scores(
    comparison: &Comparison,
    points: impl Fn(&ScoreFigures) -> Vec<(f64, f64)>,
) -> Vec<Series> {
    comparison
        .scores
        .iter()
        .map(|score| Series {
            name: score.name.clone(),
            points: points(score),
        })
        .collect()
}

fn with_chance(mut series: Vec<Series>) -> Vec<Series> {
    series.push(Series {
        name: CHANCE.to_owned(),
        points: vec![(0.0, 0.0), (1.0, 1.0)],
    });
    series
}

impl Curves {
    /// Share of leads called against share of wins reached.
    pub(crate) fn gains(comparison: &Comparison) -> Self {
        let points = |score: &ScoreFigures| {
            score
                .gains
                .iter()
                .map(|point| (point.share_called, point.share_of_wins))
                .collect()
        };
        Self {
            title: "Gains",
            description: "Gains: share of wins reached by calling a share of leads",
            x: Axis::share("share of leads called, best first"),
            y: Axis::share("recall (share of all wins)"),
            corner: Corner::BottomRight,
            series: with_chance(of_scores(comparison, points)),
        }
    }

    pub(crate) fn roc(comparison: &Comparison) -> Self {
        Self {
            title: "ROC curve",
            description: "ROC curve",
            x: Axis::share("share of those not won that are called"),
            y: Axis::share("share of those won that are called"),
            corner: Corner::BottomRight,
            series: with_chance(of_scores(comparison, |score| score.roc.clone())),
        }
    }

    pub(crate) fn precision_recall(comparison: &Comparison) -> Self {
        Self {
            title: "Precision and recall",
            description: "Precision and recall",
            x: Axis::share("recall (share of all wins)"),
            y: Axis::share("precision (win rate of those called)"),
            corner: Corner::TopRight,
            series: of_scores(comparison, |score| score.precision_recall.clone()),
        }
    }

    /// Net benefit of a hundred leads by each score, and of calling everyone.
    pub(crate) fn decision(comparison: &Comparison) -> Self {
        let mut series = of_scores(comparison, |score| {
            score
                .net_benefit
                .iter()
                .map(|point| (point.threshold, 100.0 * point.score))
                .collect()
        });
        let everyone = comparison.scores[0]
            .net_benefit
            .iter()
            .map(|point| (point.threshold, 100.0 * point.everyone))
            .collect();
        series.push(Series {
            name: EVERYONE.to_owned(),
            points: everyone,
        });
        let points = || series.iter().flat_map(|series| &series.points);
        Self {
            title: "Decision curve",
            description: "Decision curve: net benefit of calling by each score, at each price of a call",
            x: Axis::fitting(
                "a call pays from this likelihood on",
                Unit::Share,
                points().map(|point| point.0),
            ),
            y: Axis::fitting(
                "net wins a hundred leads",
                Unit::Decimal,
                points().map(|point| point.1),
            ),
            corner: Corner::TopRight,
            series,
        }
    }

    pub(crate) fn svg(&self) -> String {
        let (x, y) = (&self.x, &self.y);
        let mut drawing = Drawing::new(420.0, 360.0);
        let place = axes(
            &mut drawing,
            (x.limit, y.limit),
            (x.title, y.title),
            y.unit.write(),
            Some(x.unit.write()),
        );
        for (idx, series) in self.series.iter().enumerate().rev() {
            let is_inside = |point: &(f64, f64)| {
                point.0 <= x.limit.0 + 1e-9 && (-1e-9..=y.limit.0 + 1e-9).contains(&point.1)
            };
            // A curve that leaves the axes comes back as another piece.
            for piece in series
                .points
                .chunk_by(|a, b| is_inside(a) && is_inside(b))
                .filter(|piece| piece.len() > 1)
            {
                let placed: Vec<(f64, f64)> =
                    piece.iter().map(|point| place(point.0, point.1)).collect();
                drawing.path(&format!("curve {}", class_of(idx, &series.name)), &placed);
            }
        }
        legend(
            &mut drawing,
            self.series.iter().map(|series| series.name.as_str()),
            self.corner,
        );
        drawing.finish(self.description)
    }

    pub(crate) fn vega(&self) -> Value {
        let values: Vec<Value> = self
            .series
            .iter()
            .flat_map(|series| {
                series
                    .points
                    .iter()
                    .map(move |point| json!({"score": series.name, "x": point.0, "y": point.1}))
            })
            .collect();
        let (x, y) = (&self.x, &self.y);
        json!({
            "$schema": SCHEMA,
            "title": self.title,
            "data": {"values": values},
            "mark": {"type": "line", "tooltip": true},
            "encoding": {
                "x": {"field": "x", "type": "quantitative", "title": x.title, "axis": {"format": x.unit.vega()}},
                "y": {"field": "y", "type": "quantitative", "title": y.title, "axis": {"format": y.unit.vega()}},
                "color": {"field": "score", "type": "nominal", "title": Value::Null},
                "strokeDash": {"field": "score", "type": "nominal"},
            },
        })
    }
}

fn legend<'a>(drawing: &mut Drawing, names: impl Iterator<Item = &'a str>, corner: Corner) {
    let names: Vec<&str> = names.collect();
    let top = match corner {
        Corner::TopRight => 40.0,
        Corner::BottomRight => drawing.height - 62.0 - 20.0 * (names.len() as f64 - 1.0),
    };
    let right = drawing.width - 34.0;
    for (idx, name) in names.iter().enumerate() {
        let y = top + 20.0 * idx as f64;
        drawing.path(
            &format!("curve {}", class_of(idx, name)),
            &[(right - 26.0, y - 4.0), (right, y - 4.0)],
        );
        drawing.text("label halo", "end", (right - 32.0, y), &shorten(name, 28));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curves(points: Vec<(f64, f64)>) -> Curves {
        Curves {
            title: "curve",
            description: "a curve",
            x: Axis::share("x"),
            y: Axis::fitting("y", Unit::Decimal, [0.3, 2.0].into_iter()),
            corner: Corner::TopRight,
            series: vec![Series {
                name: "model <1>".to_owned(),
                points,
            }],
        }
    }

    #[test]
    fn a_curve_that_leaves_the_axes_is_two_pieces() {
        // Besides the curve there is the short line of its name.
        let pieces =
            |points: &[(f64, f64)]| curves(points.to_vec()).svg().matches("<polyline").count() - 1;
        assert_eq!(pieces(&[(0.0, 1.0), (0.5, 2.0), (1.0, 0.0)]), 1);
        assert_eq!(
            pieces(&[(0.0, 1.0), (0.2, 1.0), (0.4, -1.0), (0.6, 1.0), (0.8, 1.0)]),
            2
        );
        assert_eq!(pieces(&[(0.0, -1.0), (0.5, -2.0)]), 0);
        assert_eq!(pieces(&[(0.0, 1.0)]), 0);
        assert_eq!(pieces(&[]), 0);
    }

    #[test]
    fn classes_tell_curves_apart() {
        assert_eq!(class_of(0, "model"), "first");
        assert_eq!(class_of(3, "points"), "fourth");
        assert_eq!(class_of(4, "a fifth score"), "first");
        assert_eq!(class_of(1, CHANCE), "plain");
        assert_eq!(class_of(1, EVERYONE), "plain");
    }

    #[test]
    fn both_drawings_have_the_same_points_and_limits() {
        let curves = curves(vec![(0.0, 0.0), (1.0, 2.0)]);
        assert_eq!(curves.y.limit, (2.0, 0.5));
        let values = &curves.vega()["data"]["values"];
        assert_eq!(values[1], json!({"score": "model <1>", "x": 1.0, "y": 2.0}));
        assert_eq!(values.as_array().map(Vec::len), Some(2));
        assert!(curves.svg().contains("model &lt;1&gt;"));
        // The corner of the axes: 420 − 26 across, 28 down.
        assert!(curves.svg().contains("394.0,28.0"));
    }
}
