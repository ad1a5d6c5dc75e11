//! The likelihood over time: a line, and the numbers below it.

use leadscore_core::Timestamp;
use maud::{Markup, html};

use super::tiers::tier;
use super::words::{day, likelihood, moment};
use crate::PathPoint;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 180.0;
/// Room for the numbers of the scale, the dates, and the last value.
const LEFT: f64 = 44.0;
const RIGHT: f64 = 548.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 152.0;

/// Points that a line has at most: more than the picture has room for.
const MOST_POINTS: usize = 250;

/// Rows of the table at most, latest first.
const MOST_ROWS: usize = 60;

/// The path, or why there is none.
pub(crate) fn path(points: &[PathPoint]) -> Markup {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return html! { p.soft { "No score of this lead is kept yet. From the first run on, they are drawn here." } };
    };
    html! {
        @if points.len() > 1 && last.at > first.at { (line(points, first, last)) }
        @else { p.soft { "There is one score so far; a line needs two." } }
        details open[points.len() < 8] {
            summary { "The scores as a table" }
            table.numbers {
                caption.hidden { "Scores over time, latest first" }
                thead { tr { th scope="col" { "Moment (UTC)" } th scope="col" { "Likelihood" } th.text scope="col" { "Tier" } } }
                tbody { @for point in points.iter().rev().take(MOST_ROWS) {
                    tr { th scope="row" { (moment(point.at)) } td { (likelihood(point.likelihood)) } td.text { (tier(point.tier)) } }
                } }
            }
            @if points.len() > MOST_ROWS { p.soft { "The latest " (MOST_ROWS) " of " (points.len()) " scores." } }
        }
    }
}

fn line(points: &[PathPoint], first: &PathPoint, last: &PathPoint) -> Markup {
    let highest = points
        .iter()
        .map(|point| point.likelihood)
        .fold(0.0, f64::max);
    let top = nice_top(highest);
    let x = |at: Timestamp| {
        LEFT + (RIGHT - LEFT) * at.days_since(first.at) / last.at.days_since(first.at)
    };
    let y = |value: f64| BOTTOM - (BOTTOM - TOP) * (value / top).clamp(0.0, 1.0);
    let drawn: Vec<String> = thinned(points)
        .map(|point| format!("{:.1},{:.1}", x(point.at), y(point.likelihood)))
        .collect();
    let label = format!(
        "Likelihood from {} on {} to {} on {}",
        likelihood(first.likelihood),
        day(first.at),
        likelihood(last.likelihood),
        day(last.at)
    );
    html! {
        svg.path viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(label) {
            @for part in [0.0, 0.5, 1.0] {
                line x1=(LEFT) x2=(RIGHT) y1=(tenth(y(top * part))) y2=(tenth(y(top * part))) {}
                text x=(LEFT - 6.0) y=(tenth(y(top * part) + 4.0)) text-anchor="end" { (top * part) " %" }
            }
            text x=(LEFT) y=(BOTTOM + 20.0) { (day(first.at)) }
            text x=(RIGHT) y=(BOTTOM + 20.0) text-anchor="end" { (day(last.at)) }
            polyline points=(drawn.join(" ")) {}
            circle cx=(tenth(x(last.at))) cy=(tenth(y(last.likelihood))) r="4" {}
        }
    }
}

/// The end of the scale: the first of these at or above the highest value.
fn nice_top(highest: f64) -> f64 {
    [2.0, 4.0, 10.0, 20.0, 40.0, 60.0, 80.0]
        .into_iter()
        .find(|top| highest <= *top)
        .unwrap_or(100.0)
}

/// Every so many-th point, and the last.
fn thinned(points: &[PathPoint]) -> impl Iterator<Item = &PathPoint> {
    let step = points.len().div_ceil(MOST_POINTS).max(1);
    let last = points.len().saturating_sub(1);
    points
        .iter()
        .enumerate()
        .filter(move |(n, _)| n % step == 0 || *n == last)
        .map(|(_, point)| point)
}

fn tenth(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use leadscore_core::ContactPriority;

    #[test]
    fn a_long_path_is_thinned_and_ends_where_it_ends() {
        let points: Vec<PathPoint> = (0..1_000)
            .map(|n| PathPoint {
                at: Timestamp::from_micros(n * 1_000_000),
                likelihood: 1.0,
                tier: ContactPriority::Low,
            })
            .collect();
        let kept: Vec<i64> = thinned(&points)
            .map(|point| point.at.micros() / 1_000_000)
            .collect();
        assert_eq!(
            (kept.len(), kept.first(), kept.last()),
            (251, Some(&0), Some(&999))
        );
        assert_eq!(thinned(&points[..1]).count(), 1);
        assert_eq!(thinned(&[]).count(), 0);
    }

    #[test]
    fn a_scale_ends_above_what_it_shows() {
        for (highest, top) in [
            (0.0, 2.0),
            (2.0, 2.0),
            (2.1, 4.0),
            (46.0, 60.0),
            (80.1, 100.0),
            (100.0, 100.0),
        ] {
            assert_eq!(nice_top(highest), top, "{highest}");
        }
    }
}
