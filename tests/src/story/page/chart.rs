//! A chart over the nights: lines, what happened, what the tool printed, and promotions.

use std::fmt::Write as _;

use crate::life::{Day, Event, FIRST_NIGHT, date};

use super::super::record::{Night, Story};
use super::escaped;

const WIDTH: f64 = 1050.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
/// Names of events are above the lines, in so many rows.
const NAME_ROWS: usize = 4;
const NAMES: f64 = 14.0 * NAME_ROWS as f64 + 4.0;
const PLOT: f64 = 240.0;
const STRIP: f64 = 12.0;
const BELOW: f64 = 42.0;

/// A line of a chart.
pub(super) struct Line {
    name: &'static str,
    class: &'static str,
    points: Vec<(Day, f64)>,
}

impl Line {
    pub(super) fn new(name: &'static str, class: &'static str, points: Vec<(Day, f64)>) -> Self {
        Self {
            name,
            class,
            points,
        }
    }
}

/// Lines over the nights, and a band in which they should be.
pub(super) struct Chart {
    pub(super) lines: Vec<Line>,
    pub(super) band: Option<(f64, f64)>,
}

/// From nights and values to the picture.
struct Scale {
    first: Day,
    last: Day,
    low: f64,
    high: f64,
}

impl Scale {
    fn x(&self, night: Day) -> f64 {
        let share = (night - self.first) as f64 / (self.last - self.first).max(1) as f64;
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        NAMES + PLOT * (self.high - value) / (self.high - self.low)
    }
}

impl Chart {
    /// The chart as SVG.
    pub(super) fn svg(&self, story: &Story) -> String {
        let values = self.lines.iter().flat_map(|line| &line.points);
        let values = values.map(|point| point.1);
        let band = self.band.iter().flat_map(|band| [band.0, band.1]);
        let (low, high) = values
            .chain(band)
            .fold((f64::MAX, f64::MIN), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if low > high {
            return "<p>Nothing to draw.</p>".to_owned();
        }
        let room = 0.05 * (high - low).max(0.01);
        let nights = &story.nights;
        let scale = Scale {
            first: nights.first().map_or(FIRST_NIGHT, |night| night.night),
            last: nights.last().map_or(FIRST_NIGHT, |night| night.night) + 1,
            low: low - room,
            high: high + room,
        };
        let height = NAMES + PLOT + STRIP + BELOW;
        let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">");
        if let Some((low, high)) = self.band {
            let (top, bottom) = (scale.y(high), scale.y(low));
            let _ = write!(
                svg,
                "<rect class=\"band\" x=\"{LEFT}\" y=\"{top:.1}\" width=\"{}\" height=\"{:.1}\"/>",
                WIDTH - LEFT - RIGHT,
                bottom - top
            );
        }
        grid(&mut svg, &scale);
        happenings(&mut svg, &scale, story);
        for line in &self.lines {
            draw(&mut svg, &scale, line);
        }
        strip(&mut svg, &scale, nights);
        self.legend(&mut svg, height);
        svg.push_str("</svg>");
        svg
    }

    fn legend(&self, svg: &mut String, height: f64) {
        let mut x = LEFT;
        let y = height - 6.0;
        for line in &self.lines {
            let _ = write!(
                svg,
                "<path class=\"line {}\" d=\"M{x:.0} {:.0}h24\"/><text class=\"name\" x=\"{:.0}\" y=\"{y:.0}\">{}</text>",
                line.class,
                y - 4.0,
                x + 30.0,
                line.name
            );
            x += 60.0 + 6.0 * line.name.len() as f64;
        }
    }
}

fn draw(svg: &mut String, scale: &Scale, line: &Line) {
    let mut path = String::new();
    for (number, (night, value)) in line.points.iter().enumerate() {
        let step = if number == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{step}{:.1} {:.1}", scale.x(*night), scale.y(*value));
    }
    let _ = write!(svg, "<path class=\"line {}\" d=\"{path}\"/>", line.class);
}

fn grid(svg: &mut String, scale: &Scale) {
    let step = step(scale.high - scale.low);
    let mut value = (scale.low / step).ceil() * step;
    while value <= scale.high {
        let y = scale.y(value);
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value:.2}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0
        );
        value += step;
    }
    let bottom = NAMES + PLOT + STRIP;
    let n_months = (scale.last - scale.first) / 30;
    for night in scale.first..=scale.last {
        let day = date(night);
        let is_labelled = day.ends_with("-01-01") || n_months <= 12 || {
            let month: u32 = day[5..7].parse().unwrap_or(1);
            month % 3 == 1
        };
        if day.ends_with("-01") && is_labelled {
            let x = scale.x(night);
            let label = x.min(WIDTH - 24.0);
            let _ = write!(
                svg,
                "<path class=\"grid\" d=\"M{x:.1} {bottom}v5\"/><text x=\"{label:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                bottom + 17.0,
                &day[..7]
            );
        }
    }
}

/// A round number of which a range has four to ten.
fn step(range: f64) -> f64 {
    let steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
    let fits = |step: &&f64| range / **step <= 10.0;
    steps.iter().find(fits).copied().unwrap_or(1.0)
}

fn happenings(svg: &mut String, scale: &Scale, story: &Story) {
    let shown = story.happenings.iter();
    let shown = shown.filter(|happening| happening.event != Event::Season);
    for (number, happening) in shown.enumerate() {
        let x = scale.x(happening.from);
        if let Some(until) = happening.until {
            let _ = write!(
                svg,
                "<rect class=\"span\" x=\"{x:.1}\" y=\"{NAMES}\" width=\"{:.1}\" height=\"{PLOT}\"/>",
                scale.x(until) - x
            );
        }
        let y = 11.0 + 14.0 * (number % NAME_ROWS) as f64;
        let (shift, anchor) = if x > WIDTH - 120.0 {
            (-4.0, "end")
        } else {
            (4.0, "start")
        };
        let _ = write!(
            svg,
            "<path class=\"event\" d=\"M{x:.1} {:.1}V{}\"/><text class=\"name\" x=\"{:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}<title>{}</title></text>",
            y - 8.0,
            NAMES + PLOT,
            x + shift,
            happening.event.name(),
            escaped(happening.event.words()),
        );
    }
}

fn strip(svg: &mut String, scale: &Scale, nights: &[Night]) {
    let top = NAMES + PLOT;
    for (position, night) in nights.iter().enumerate() {
        let (class, words) = match &night.printed {
            None => ("none", "no run"),
            Some(printed) if printed.is_failure() => ("failed", "no scores"),
            Some(printed) => match printed.verdict.as_deref() {
                Some("ok") => ("ok", "ok"),
                Some("watch") => ("watch", "watch"),
                Some("alarm") => ("alarm", "alarm"),
                Some(_) | None => ("unclear", "cannot tell"),
            },
        };
        let x = scale.x(night.night);
        let next = nights
            .get(position + 1)
            .map_or(scale.last, |next| next.night);
        let _ = write!(
            svg,
            "<rect class=\"strip {class}\" x=\"{x:.2}\" y=\"{top}\" width=\"{:.2}\" height=\"{STRIP}\"><title>{} {words}</title></rect>",
            scale.x(next) - x + 0.2,
            night.date
        );
        let is_promotion = night
            .printed
            .as_ref()
            .is_some_and(|printed| printed.decision == "promoted");
        if is_promotion {
            let y = top - 2.0;
            let _ = write!(
                svg,
                "<path class=\"promoted\" d=\"M{:.1} {y}h9l-4.5 -8z\"><title>{} promoted</title></path>",
                x - 4.5,
                night.date
            );
        }
    }
}
