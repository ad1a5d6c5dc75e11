//! Monitoring as a page: the verdict, what it rests on, and the evidence week by week.

use minijinja::context;
use serde::Serialize;

use crate::error::ReportError;
use crate::format::whole;
use crate::html::{environment, standalone};
use crate::svg::{Drawing, axes, round_up};

const TEMPLATE: &str = include_str!("monitor.html.jinja");

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MonitorSheet {
    /// The config that was looked at.
    pub title: String,
    /// The model.
    pub model_id: String,
    /// As of when.
    pub as_of: String,
    /// `good`, `mixed` or `bad`, for the color.
    pub mood: &'static str,
    /// One line.
    pub headline: String,
    /// What it rests on, most urgent first.
    pub findings: Vec<MonitorFinding>,
    /// Wins by week.
    pub weeks: Vec<MonitorWeek>,
    /// The evidence at which there is an alarm, as a base-10 logarithm.
    pub threshold: f64,
    /// Figures as tables.
    pub tables: Vec<MonitorTable>,
}

/// One sentence, and what to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MonitorFinding {
    /// `yes`, `no` or `unsure`, for the mark.
    pub answer: &'static str,
    /// What was looked at.
    pub name: String,
    /// The sentence.
    pub text: String,
    /// What to do, where there is something.
    pub action: Option<String>,
}

/// The open leads of one week.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MonitorWeek {
    /// Its Monday.
    pub week: String,
    /// Open leads at its start.
    pub n_open: usize,
    /// Those won within it.
    pub n_won: usize,
    /// Wins that were expected.
    pub expected: f64,
    /// Evidence for a change by its end, as a base-10 logarithm.
    pub evidence: f64,
}

/// Figures as texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MonitorTable {
    /// What it shows.
    pub title: String,
    /// What a reader should know.
    pub note: String,
    /// Names of the columns.
    pub head: Vec<String>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
}

/// The page.
///
/// # Errors
///
/// [`ReportError::Template`] where the template does not fit.
pub fn monitor_page(sheet: &MonitorSheet) -> Result<String, ReportError> {
    let mut environment = environment()?;
    environment.add_template("monitor", TEMPLATE)?;
    let drawings = context! { wins => wins(&sheet.weeks), evidence => evidence(sheet) };
    Ok(environment
        .get_template("monitor")?
        .render(context! { sheet => minijinja::value::Serde(sheet), drawings => drawings })?)
}

/// The drawings of the page by name, each as a file of its own; none where there are no weeks.
pub fn monitor_pictures(sheet: &MonitorSheet) -> Vec<(&'static str, String)> {
    if sheet.weeks.is_empty() {
        return Vec::new();
    }
    vec![
        ("wins", standalone(&wins(&sheet.weeks))),
        ("evidence", standalone(&evidence(sheet))),
    ]
}

/// Wins of each week beside those expected.
fn wins(weeks: &[MonitorWeek]) -> String {
    let mut drawing = Drawing::new(760.0, 260.0);
    let most = weeks
        .iter()
        .map(|week| week.expected.max(week.n_won as f64))
        .fold(0.0, f64::max);
    let limit = round_up(most);
    let n = weeks.len().max(1) as f64;
    let place = axes(
        &mut drawing,
        ((n, 0.0), limit),
        ("", "wins a week"),
        whole,
        None,
    );
    let at = |idx: usize, value: f64| place(idx as f64 + 0.5, value);
    let expected: Vec<(f64, f64)> = weeks
        .iter()
        .enumerate()
        .map(|(idx, week)| at(idx, week.expected))
        .collect();
    for (idx, week) in weeks.iter().enumerate() {
        let title = format!(
            "{}: {} won of {} open, {:.1} expected",
            week.week, week.n_won, week.n_open, week.expected
        );
        drawing.mark("dot first", at(idx, week.n_won as f64), 3.5, &title);
    }
    drawing.path("curve second", &expected);
    label_weeks(&mut drawing, weeks, |idx| at(idx, 0.0));
    drawing.text(
        "tick",
        "end",
        (734.0, 14.0),
        "dot: observed; dashed: expected",
    );
    drawing.finish("Wins of each week, observed and expected")
}

/// The evidence for a change, week by week, and where it is an alarm.
fn evidence(sheet: &MonitorSheet) -> String {
    let weeks = &sheet.weeks;
    let mut drawing = Drawing::new(760.0, 260.0);
    // Evidence below 1 is none.
    let height = |evidence: f64| evidence.max(0.0);
    let most = weeks
        .iter()
        .map(|week| height(week.evidence))
        .fold(sheet.threshold * 1.15, f64::max);
    let limit = round_up(most);
    let n = weeks.len().max(1) as f64;
    let place = axes(
        &mut drawing,
        ((n, 0.0), limit),
        ("", "evidence, powers of ten"),
        |value| format!("{value:.1}"),
        None,
    );
    let at = |idx: usize, value: f64| place(idx as f64 + 0.5, value);
    drawing.line(
        "chance",
        place(0.0, sheet.threshold),
        place(n, sheet.threshold),
    );
    let label = place(0.0, sheet.threshold);
    drawing.text(
        "tick halo",
        "start",
        (label.0 + 6.0, label.1 - 5.0),
        "alarm",
    );
    let path: Vec<(f64, f64)> = weeks
        .iter()
        .enumerate()
        .map(|(idx, week)| at(idx, height(week.evidence)))
        .collect();
    drawing.path("curve", &path);
    for (idx, week) in weeks.iter().enumerate() {
        let is_over = week.evidence >= sheet.threshold;
        let title = format!("{}: evidence {:.2}", week.week, week.evidence);
        let class = if is_over { "dot second" } else { "dot first" };
        drawing.mark(class, at(idx, height(week.evidence)), 3.0, &title);
    }
    label_weeks(&mut drawing, weeks, |idx| at(idx, 0.0));
    drawing.finish("Evidence that the level of wins has changed, by week")
}

/// As many weeks as have room.
fn label_weeks(drawing: &mut Drawing, weeks: &[MonitorWeek], at: impl Fn(usize) -> (f64, f64)) {
    let every = weeks.len().div_ceil(8).max(1);
    for (idx, week) in weeks.iter().enumerate().step_by(every) {
        let (x, y) = at(idx);
        drawing.text("tick", "middle", (x, y + 16.0), &week.week);
    }
}
