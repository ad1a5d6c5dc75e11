//! Charts that put several scores side by side: curves over the same axes, who moves where, who is
//! called by whom.

use leadscore_metrics::{Comparison, Contest, MigrationCell, ScoreFigures, SegmentRow};

use crate::format::{per_cent, shorten, whole};
use crate::svg::{Drawing, axes, round_up};

/// A curve.
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
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

/// Share of leads called against share of wins reached.
pub(crate) fn gains(comparison: &Comparison) -> Vec<Series> {
    of_scores(comparison, |score| {
        score
            .gains
            .iter()
            .map(|point| (point.share_called, point.share_of_wins))
            .collect()
    })
}

pub(crate) fn roc(comparison: &Comparison) -> Vec<Series> {
    of_scores(comparison, |score| score.roc.clone())
}

pub(crate) fn precision_recall(comparison: &Comparison) -> Vec<Series> {
    of_scores(comparison, |score| score.precision_recall.clone())
}

/// Net benefit of a hundred leads by each score, and of calling everyone.
pub(crate) fn decision(comparison: &Comparison) -> Vec<Series> {
    let mut lines = of_scores(comparison, |score| {
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
    lines.push(Series {
        name: EVERYONE.to_owned(),
        points: everyone,
    });
    lines
}

/// Which corner of a chart has room for the names of its curves.
#[derive(Clone, Copy)]
pub(crate) enum Corner {
    TopRight,
    BottomRight,
}

/// What an axis says.
pub(crate) struct Axis {
    pub(crate) title: &'static str,
    /// Its largest value, and the step between ticks.
    pub(crate) limit: (f64, f64),
    /// How its numbers are written.
    pub(crate) write: fn(f64) -> String,
}

impl Axis {
    pub(crate) fn share(title: &'static str) -> Self {
        Self {
            title,
            limit: (1.0, 0.25),
            write: per_cent,
        }
    }

    /// An axis that holds all of these.
    pub(crate) fn fitting(
        title: &'static str,
        write: fn(f64) -> String,
        values: impl Iterator<Item = f64>,
    ) -> Self {
        Self {
            title,
            limit: round_up(values.fold(0.0, f64::max)),
            write,
        }
    }
}

/// The curve of who has no score.
pub(crate) const CHANCE: &str = "chance";
/// The curve of who calls every lead.
const EVERYONE: &str = "calling everyone";

/// Classes of curves: colours and dashes differ, so that either alone tells them apart.
const CLASSES: [&str; 4] = ["first", "second", "third", "fourth"];

fn class_of(idx: usize, name: &str) -> &'static str {
    if name == CHANCE || name == EVERYONE {
        "plain"
    } else {
        CLASSES[idx % CLASSES.len()]
    }
}

/// Curves over the same axes, with their names in a corner.
pub(crate) fn lines(
    series: &[Series],
    x: &Axis,
    y: &Axis,
    corner: Corner,
    description: &str,
) -> String {
    let mut drawing = Drawing::new(420.0, 360.0);
    let place = axes(
        &mut drawing,
        (x.limit, y.limit),
        (x.title, y.title),
        y.write,
        Some(x.write),
    );
    for (idx, series) in series.iter().enumerate().rev() {
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
        series.iter().map(|series| series.name.as_str()),
        corner,
    );
    drawing.finish(description)
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

/// Said against happened, part by part, with intervals of what happened.
pub(crate) fn predicted_and_observed(rows: &[SegmentRow]) -> String {
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

/// Rows by quartile of two scores: the share won colours a cell.
pub(crate) fn migration(contest: &Contest, tiers: &[&str]) -> String {
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
    let largest = contest
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
            shorten(&contest.against, 24)
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
            let cell = contest.migration[row][column];
            let x = NAMES + CELL.0 * column as f64;
            let title = format!(
                "{name} by {}, {other} by the model: {} snapshots, {} won",
                contest.against, cell.n_rows, cell.n_wins
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

/// Share won of those whom only one of two methods would call.
pub(crate) fn swap(contest: &Contest) -> String {
    let parts = [
        ("only the model", contest.swap.only_first, "bar"),
        ("both", contest.swap.both, "bar third"),
        ("only the other", contest.swap.only_other, "bar second"),
        ("neither", contest.swap.neither, "bar fourth"),
    ];
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
