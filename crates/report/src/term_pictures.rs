//! Pictures of the terms of a model: a curve, a bar for each level, a table of pairs.

use leadscore_core::counted;
use leadscore_inference::{BinsTerm, CellCount};

use crate::format::shorten;
use crate::svg::{BOTTOM, Drawing, LEFT, RIGHT, TOP};

/// A weight with what it rests on.
pub(crate) struct Cell {
    /// Its place among the cells of its term.
    pub(crate) idx: usize,
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
            format!(
                ", {}, {} won",
                counted(count.n_rows, "snapshot"),
                count.n_wins
            )
        });
        format!("{}: {:+.2}{interval}{count}", self.name, self.weight)
    }
}

/// A curve in steps with its band, a column for each bin's rows below, and missing apart at the
/// right.
pub(crate) fn curve(cells: &[Cell], term: &BinsTerm) -> String {
    const HEIGHT: f64 = 250.0;
    let n_bins = term.weights.len();
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
        let is_missing = cell.idx == n_bins && idx > 0;
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
    let edges = term.edge_names();
    let every = (cells.len() / 6).max(1);
    for (idx, cell) in cells.iter().enumerate().step_by(every) {
        if let Some(end) = edges.get(cell.idx) {
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
