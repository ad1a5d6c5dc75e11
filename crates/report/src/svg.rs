//! The report's pictures as inline SVG: colours come from the page, so light, dark and print need
//! no second drawing.

use std::fmt::Write as _;

use leadscore_core::printable;
use leadscore_inference::CellCount;
use leadscore_metrics::{CalibrationBin, Corp, DecileRow, TierRow};

use crate::data::Influence;
use crate::format::{count, per_cent, shorten};

/// Room for a chart's axis labels.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 26.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 46.0;

/// A drawing under construction.
pub(crate) struct Drawing {
    body: String,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Drawing {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self {
            body: String::new(),
            width,
            height,
        }
    }

    pub(crate) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let _ = write!(
            self.body,
            r#"<line class="{class}" x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}"/>"#,
            from.0, from.1, to.0, to.1
        );
    }

    pub(crate) fn rect(&mut self, class: &str, corner: (f64, f64), size: (f64, f64)) {
        let _ = write!(
            self.body,
            r#"<rect class="{class}" x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" rx="2"/>"#,
            corner.0,
            corner.1,
            size.0.max(0.0),
            size.1.max(0.0)
        );
    }

    pub(crate) fn text(&mut self, class: &str, anchor: &str, at: (f64, f64), text: &str) {
        let _ = write!(
            self.body,
            r#"<text class="{class}" text-anchor="{anchor}" x="{:.1}" y="{:.1}">{}</text>"#,
            at.0,
            at.1,
            escape(text)
        );
    }

    pub(crate) fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let joined: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = write!(
            self.body,
            r#"<polyline class="{class}" points="{}"/>"#,
            joined.join(" ")
        );
    }

    /// A rectangle of this opacity that says its numbers.
    pub(crate) fn shade(
        &mut self,
        class: &str,
        corner: (f64, f64),
        size: (f64, f64),
        opacity: f64,
        title: &str,
    ) {
        let _ = write!(
            self.body,
            r#"<rect class="{class}" x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" rx="2" fill-opacity="{opacity:.2}"><title>{}</title></rect>"#,
            corner.0,
            corner.1,
            size.0.max(0.0),
            size.1.max(0.0),
            escape(title)
        );
    }

    /// A mark that the Tab key reaches and that says its numbers.
    pub(crate) fn mark(&mut self, class: &str, at: (f64, f64), radius: f64, title: &str) {
        let _ = write!(
            self.body,
            r#"<circle class="{class}" cx="{:.1}" cy="{:.1}" r="{radius:.1}" tabindex="0" role="img" aria-label="{title}"><title>{title}</title></circle>"#,
            at.0,
            at.1,
            title = escape(title)
        );
    }

    pub(crate) fn finish(self, description: &str) -> String {
        format!(
            r#"<svg viewBox="0 0 {:.0} {:.0}" role="group" aria-label="{description}">{}</svg>"#,
            self.width,
            self.height,
            self.body,
            description = escape(description)
        )
    }
}

fn escape(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A round number at or above `value`, and the step between its ticks.
pub(crate) fn round_up(value: f64) -> (f64, f64) {
    if value <= 0.0 {
        return (1.0, 0.25);
    }
    let magnitude = 10_f64.powf(value.log10().floor());
    let step = [0.2, 0.5, 1.0, 2.0]
        .into_iter()
        .map(|factor| factor * magnitude)
        .find(|step| value / step <= 5.0)
        .unwrap_or(2.0 * magnitude);
    ((value / step).ceil() * step, step)
}

/// Win rate of each tier with its interval, and what was said.
///
/// `others` are rows drawn beside these, which then share the scale; `class` is that of the bars.
pub(crate) fn tiers(rows: &[TierRow], others: &[TierRow], class: &str) -> String {
    let is_pair = !others.is_empty();
    let (width, row_height) = (if is_pair { 420.0 } else { 640.0 }, 46.0);
    let label = 82.0;
    let room = width - label - if is_pair { 62.0 } else { 190.0 };
    let mut drawing = Drawing::new(width, row_height * rows.len() as f64 + 50.0);
    let (limit, step) = round_up(
        rows.iter()
            .chain(others)
            .filter(|row| row.n_rows > 0)
            .map(|row| row.interval.high)
            .fold(0.0, f64::max),
    );
    let x = |share: f64| label + room * share / limit;
    let bottom = row_height * rows.len() as f64 + 4.0;
    let mut tick = 0.0;
    while tick <= limit + step / 2.0 {
        drawing.line("grid", (x(tick), 4.0), (x(tick), bottom));
        drawing.text("tick", "middle", (x(tick), bottom + 16.0), &per_cent(tick));
        tick += step;
    }
    for (idx, row) in rows.iter().enumerate() {
        let y = row_height * idx as f64 + 12.0;
        drawing.text("label", "end", (label - 10.0, y + 16.0), &row.tier);
        if row.n_rows == 0 {
            drawing.text("tick", "start", (label + 6.0, y + 16.0), "no leads");
            continue;
        }
        drawing.rect(class, (label, y), (x(row.win_rate) - label, 22.0));
        drawing.line(
            "whisker",
            (x(row.interval.low), y + 11.0),
            (x(row.interval.high), y + 11.0),
        );
        drawing.line(
            "whisker",
            (x(row.interval.low), y + 6.0),
            (x(row.interval.low), y + 16.0),
        );
        drawing.line(
            "whisker",
            (x(row.interval.high), y + 6.0),
            (x(row.interval.high), y + 16.0),
        );
        drawing.mark(
            "predicted",
            (x(row.mean_probability.min(limit)), y + 11.0),
            4.5,
            &format!(
                "{}: predicted {} on average, observed {}",
                row.tier,
                per_cent(row.mean_probability),
                per_cent(row.win_rate)
            ),
        );
        let rate = per_cent(row.win_rate);
        let text = if is_pair {
            rate
        } else {
            format!("{rate} ({} of {})", count(row.n_wins), count(row.n_rows))
        };
        drawing.text("value", "start", (label + room + 14.0, y + 16.0), &text);
    }
    drawing.text(
        "tick",
        "start",
        (4.0, bottom + 36.0),
        if is_pair {
            "observed win rate; line: 95 % interval; ring: predicted"
        } else {
            "bar: observed win rate; line: 95 % interval; ring: predicted"
        },
    );
    drawing.finish("Share won in each tier with its 95 % interval")
}

/// Axes from 0 to `limits` with titles; `across` writes the numbers below where they differ from
/// those at the side.
pub(crate) fn axes(
    drawing: &mut Drawing,
    limits: ((f64, f64), (f64, f64)),
    titles: (&str, &str),
    format: fn(f64) -> String,
    across: Option<fn(f64) -> String>,
) -> impl Fn(f64, f64) -> (f64, f64) + use<> {
    let ((x_limit, x_step), (y_limit, y_step)) = limits;
    let (width, height) = (drawing.width, drawing.height);
    let place = move |x: f64, y: f64| {
        (
            LEFT + (width - LEFT - RIGHT) * x / x_limit,
            height - BOTTOM - (height - TOP - BOTTOM) * y / y_limit,
        )
    };
    let mut tick = 0.0;
    while tick <= y_limit + y_step / 2.0 {
        drawing.line("grid", place(0.0, tick), place(x_limit, tick));
        let (x, y) = place(0.0, tick);
        drawing.text("tick", "end", (x - 6.0, y + 4.0), &format(tick));
        tick += y_step;
    }
    tick = 0.0;
    while x_step > 0.0 && tick <= x_limit + x_step / 2.0 {
        let (x, y) = place(tick, 0.0);
        drawing.text(
            "tick",
            "middle",
            (x, y + 16.0),
            &across.unwrap_or(format)(tick),
        );
        tick += x_step;
    }
    drawing.text(
        "axis",
        "middle",
        (place(x_limit / 2.0, 0.0).0, drawing.height - 8.0),
        titles.0,
    );
    drawing.text("axis", "start", (4.0, 11.0), titles.1);
    place
}

/// Win rate of each tenth over that of all.
pub(crate) fn lift(rows: &[DecileRow]) -> String {
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

/// Said against happened, with intervals.
pub(crate) fn reliability(bins: &[CalibrationBin], corp: &Corp) -> String {
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

/// What moves the score: each label stands above its bar, so that none is cut.
pub(crate) fn influences(rows: &[Influence]) -> String {
    let width = 640.0;
    let row_height = 38.0;
    let mut drawing = Drawing::new(width, row_height * rows.len() as f64 + 8.0);
    let largest = rows.first().map_or(1.0, |row| row.range).max(1e-9);
    for (idx, row) in rows.iter().enumerate() {
        let y = row_height * idx as f64 + 14.0;
        let direction = match row.rising {
            Some(true) => "more speaks for a win",
            Some(false) => "more speaks against a win",
            None => "by value",
        };
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

/// A weight with what it rests on.
pub(crate) struct Cell {
    pub(crate) name: String,
    pub(crate) weight: f64,
    /// Standard error.
    pub(crate) error: Option<f64>,
    pub(crate) count: Option<CellCount>,
}

impl Cell {
    fn low(&self) -> f64 {
        self.weight - 1.96 * self.error.unwrap_or(0.0)
    }

    fn high(&self) -> f64 {
        self.weight + 1.96 * self.error.unwrap_or(0.0)
    }

    fn n_rows(&self) -> f64 {
        self.count.map_or(0.0, |count| count.n_rows as f64)
    }

    fn title(&self) -> String {
        let interval = self.error.map_or(String::new(), |_| {
            format!(" ({:+.2} to {:+.2})", self.low(), self.high())
        });
        let count = self.count.map_or(String::new(), |count| {
            format!(", {} snapshots, {} won", count.n_rows, count.n_wins)
        });
        format!("{}: {:+.2}{interval}{count}", self.name, self.weight)
    }
}

/// A curve in steps with its band, a column for each bin's rows below, and missing apart at the
/// right.
pub(crate) fn curve(cells: &[Cell], n_bins: usize) -> String {
    const HEIGHT: f64 = 250.0;
    let mut drawing = Drawing::new(620.0, HEIGHT);
    let (left, right) = (LEFT, drawing.width - RIGHT);
    let (low, high) = span(cells);
    let y = |value: f64| TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM - 34.0);
    let width = (right - left)
        / (cells.len() as f64
            + if cells.len() > n_bins.min(cells.len()) {
                0.6
            } else {
                0.0
            });
    let most = cells.iter().map(Cell::n_rows).fold(1.0, f64::max);
    let floor = HEIGHT - BOTTOM;
    weight_axis(&mut drawing, low, high, (left, right), &y);
    let mut points = Vec::new();
    for (idx, cell) in cells.iter().enumerate() {
        let is_missing = cell.name == "missing" && idx + 1 == cells.len() && idx > 0;
        let x = left + width * (idx as f64 + if is_missing { 0.6 } else { 0.0 });
        drawing.rect(
            "column",
            (x + 1.0, floor - 30.0 * cell.n_rows() / most),
            (width - 2.0, 30.0 * cell.n_rows() / most),
        );
        drawing.rect(
            "band",
            (x, y(cell.high())),
            (width, y(cell.low()) - y(cell.high())),
        );
        if is_missing {
            drawing.path("curve", &[(x, y(cell.weight)), (x + width, y(cell.weight))]);
            drawing.text("tick", "middle", (x + width / 2.0, floor + 16.0), "missing");
        } else {
            points.extend([(x, y(cell.weight)), (x + width, y(cell.weight))]);
        }
        drawing.mark("dot", (x + width / 2.0, y(cell.weight)), 3.0, &cell.title());
    }
    drawing.path("curve", &points);
    // The ends of some bins, as many as have room.
    let every = (cells.len() / 6).max(1);
    for (idx, cell) in cells.iter().enumerate().step_by(every) {
        if let Some(end) = cell
            .name
            .strip_prefix("up to ")
            .or_else(|| cell.name.split(" to ").nth(1))
        {
            drawing.text(
                "tick",
                "middle",
                (left + width * (idx as f64 + 1.0), floor + 16.0),
                end,
            );
        }
    }
    drawing.text(
        "axis",
        "middle",
        (f64::midpoint(left, right), HEIGHT - 6.0),
        "value (upper end of the bin), bins of equal width here",
    );
    drawing.finish("log-odds against the value")
}

/// A bar for each level or slope, with its whisker.
pub(crate) fn weights(cells: &[Cell]) -> String {
    const ROW: f64 = 24.0;
    const NAMES: f64 = 220.0;
    let height = TOP + ROW * cells.len() as f64 + 12.0;
    let mut drawing = Drawing::new(620.0, height);
    let (low, high) = span(cells);
    let x = |value: f64| NAMES + (value - low) / (high - low) * (drawing_width() - NAMES - RIGHT);
    let zero = x(0.0);
    drawing.line("zero", (zero, TOP - 6.0), (zero, height - 8.0));
    drawing.text("tick", "middle", (zero, TOP - 12.0), "0");
    for (idx, cell) in cells.iter().enumerate() {
        let middle = TOP + ROW * (idx as f64 + 0.5);
        let (from, to) = (zero.min(x(cell.weight)), zero.max(x(cell.weight)));
        drawing.rect(
            if cell.weight < 0.0 {
                "bar second"
            } else {
                "bar"
            },
            (from, middle - 7.0),
            ((to - from).max(1.0), 14.0),
        );
        if cell.error.is_some() {
            drawing.line("whisker", (x(cell.low()), middle), (x(cell.high()), middle));
        }
        drawing.mark("dot", (x(cell.weight), middle), 3.0, &cell.title());
        drawing.text(
            "small",
            "end",
            (NAMES - 10.0, middle + 4.0),
            &shorten(&cell.name, 34),
        );
    }
    drawing.finish("log-odds of each value")
}

/// A table of cells, stronger colours for stronger weights.
pub(crate) fn heat_map(cells: &[Cell], rows: &[String], columns: &[String]) -> String {
    const NAMES: f64 = 150.0;
    const CELL: f64 = 26.0;
    let height = TOP + CELL * rows.len() as f64 + 64.0;
    let mut drawing = Drawing::new(620.0, height);
    let width = (drawing_width() - NAMES - RIGHT) / columns.len() as f64;
    let widest = cells
        .iter()
        .map(|cell| cell.weight.abs())
        .fold(1e-9, f64::max);
    for (row, name) in rows.iter().enumerate() {
        let y = TOP + CELL * row as f64;
        drawing.text("small", "end", (NAMES - 8.0, y + 17.0), &shorten(name, 22));
        for column in 0..columns.len() {
            let cell = &cells[row * columns.len() + column];
            let x = NAMES + width * column as f64;
            if cell.n_rows() > 0.0 {
                let class = if cell.weight < 0.0 {
                    "cell second"
                } else {
                    "cell first"
                };
                drawing.shade(
                    class,
                    (x + 1.0, y + 1.0),
                    (width - 2.0, CELL - 2.0),
                    0.75 * cell.weight.abs() / widest,
                    &cell.title(),
                );
                if width >= 34.0 {
                    drawing.text(
                        "small",
                        "middle",
                        (x + width / 2.0, y + 17.0),
                        &signed(cell.weight),
                    );
                }
            }
        }
    }
    let floor = TOP + CELL * rows.len() as f64;
    for (column, name) in columns.iter().enumerate() {
        // Two lines in turn, so that names have twice the room.
        let line = if column % 2 == 0 { 16.0 } else { 32.0 };
        drawing.text(
            "small",
            "middle",
            (NAMES + width * (column as f64 + 0.5), floor + line),
            &shorten(name, 18),
        );
    }
    drawing.finish("log-odds of each pair of values")
}

fn drawing_width() -> f64 {
    620.0
}

/// From below the lowest to above the highest interval, with zero inside.
fn span(cells: &[Cell]) -> (f64, f64) {
    let low = cells.iter().map(Cell::low).fold(0.0, f64::min);
    let high = cells.iter().map(Cell::high).fold(0.0, f64::max);
    let room = 0.06 * (high - low).max(0.1);
    (low - room, high + room)
}

fn weight_axis(
    drawing: &mut Drawing,
    low: f64,
    high: f64,
    (left, right): (f64, f64),
    y: &dyn Fn(f64) -> f64,
) {
    let step = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|step| (high - low) / step <= 6.0)
        .unwrap_or((high - low) / 6.0);
    let mut value = (low / step).ceil() * step;
    while value <= high {
        let class = if value.abs() < step / 2.0 {
            "zero"
        } else {
            "grid"
        };
        drawing.line(class, (left, y(value)), (right, y(value)));
        drawing.text("tick", "end", (left - 6.0, y(value) + 4.0), &signed(value));
        value += step;
    }
}

/// One decimal and a sign, and neither for what rounds to nothing.
fn signed(value: f64) -> String {
    if value.abs() < 0.05 {
        "0".to_owned()
    } else {
        format!("{value:+.1}")
    }
}
