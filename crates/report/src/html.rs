//! The page: one template, the drawings put in; nothing is loaded from anywhere.

use std::collections::BTreeMap;

use leadscore_core::{agree, count, counted, printable};
use leadscore_inference::Limitation;
use minijinja::{AutoEscape, Environment, Value, context};

use crate::charts::{Migration, Swap, charts, tiers};
use crate::data::ThresholdSection;
use crate::error::ReportError;
use crate::format::{number, per_cent, shorten, signed_whole, whole, whole_number};
use crate::report::Report;

const TEMPLATE: &str = include_str!("report.html.jinja");
/// The look of all pages.
const STYLE: &str = include_str!("style.css");
/// What the page can do with a script: sort tables, show a mark's numbers. It reads well without.
const SCRIPT: &str = include_str!("script.js");
/// Leads of a list that the page shows; the JSON and the workbook have more.
const N_LEADS: usize = 12;
/// Rows of a table of thresholds that the page shows.
const N_THRESHOLDS: usize = 14;
/// Characters of a name that the page shows.
const NAME_LENGTH: usize = 160;

pub(crate) fn render(report: &Report) -> Result<String, ReportError> {
    let mut environment = environment()?;
    environment.add_filter("per_cent", |value: f64| together(&per_cent(value)));
    environment.add_filter("together", |text: String| together(&text));
    environment.add_filter("number", |value: f64| number(value));
    environment.add_filter("signed", |value: f64| format!("{value:+.3}"));
    environment.add_filter("count", |value: usize| count(value));
    environment.add_filter("whole", |value: f64| whole(value));
    environment.add_filter("signed_whole", |value: f64| signed_whole(value));
    environment.add_filter("points", |value: f64| format!("{:+.1}", 100.0 * value));
    environment.add_filter("one", |value: f64| format!("{value:.1}"));
    environment.add_filter("signed_one", |value: f64| format!("{value:+.1}"));
    environment.add_filter("name", |value: String| shorten(&value, NAME_LENGTH));
    environment.add_template("script", SCRIPT)?;
    environment.add_template("report", TEMPLATE)?;
    let values = context! {
        report => minijinja::value::Serde(report),
        drawings => drawings(report),
        threshold_rows => report.measured.thresholds.iter().map(shown).collect::<Vec<_>>(),
        n_influences => report.influences.len(),
        limitations => limitations(report),
        n_shown => N_LEADS,
    };
    Ok(environment.get_template("report")?.render(values)?)
}

/// What anyone who uses the model should know, less what the page says of the data elsewhere.
fn limitations(report: &Report) -> Vec<String> {
    let limitations = report.model.limitations.iter();
    limitations
        .filter(|limitation| !matches!(limitation, Limitation::Data { .. }))
        .map(Limitation::to_string)
        .collect()
}

/// The charts of the page by name, and for each comparison those that set it beside the model.
fn drawings(report: &Report) -> Value {
    let comparison = &report.measured.comparison;
    let own = &comparison.scores[0].tiers;
    let names = || {
        let tiers = &report.measured.evaluation.tiers;
        tiers.iter().map(|tier| tier.tier.as_str()).collect()
    };
    let pairs: Vec<Value> = comparison
        .paired
        .iter()
        .zip(&comparison.scores[1..])
        .map(|(pair, baseline)| {
            context! {
                baseline => tiers(&baseline.tiers, own, "bar second"),
                model => tiers(own, &baseline.tiers, "bar"),
                migration => Migration { pair, tiers: names() }.svg(),
                swap => Swap { pair }.svg(),
            }
        })
        .collect();
    let drawn = charts(report)
        .into_iter()
        .map(|(name, chart)| (name, chart.svg()));
    context! {
        pairs => pairs,
        ..Value::from(drawn.collect::<BTreeMap<_, _>>())
    }
}

/// The charts, each as a file of its own.
pub(crate) fn standalone_pictures(report: &Report) -> Vec<(&'static str, String)> {
    charts(report)
        .into_iter()
        .map(|(name, chart)| (name, standalone(&chart.svg())))
        .collect()
}

/// A drawing of a page as a file of its own.
pub(crate) fn standalone(svg: &str) -> String {
    // Of the page's look, what pictures need: colours, and whatever is said of drawings; as rules
    // that hold for these pictures alone, since whoever shows them may put them into a page of its
    // own.
    let is_needed = |line: &&str| {
        line.starts_with(":root")
            || line.starts_with("@media (prefers-color-scheme")
            || line.starts_with("svg ")
    };
    let own = |line: &str| {
        line.replace(":root", "svg.leadscore")
            .replace("svg ", "svg.leadscore ")
            .replace("width: 100%; ", "")
    };
    let style: String = STYLE
        .lines()
        .filter(is_needed)
        .map(|line| own(line) + "\n")
        .collect();
    // As wide as it was drawn, so that letters have the size that they were meant to have.
    let width = svg
        .split('"')
        .nth(1)
        .and_then(|view| view.split(' ').nth(2))
        .unwrap_or("640");
    let end = svg.find('>').map_or(0, |end| end + 1);
    let attributes = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" class="leadscore" width="{width}" style="background: var(--card); width: {width}px" "#
    );
    format!(
        "{}<style>{style}</style>{}",
        svg[..end].replacen("<svg ", &attributes, 1),
        &svg[end..]
    )
}

/// A figure and its per cent sign on one line.
fn together(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
}

/// The rows of a table of thresholds that the page shows: the marked ones, and others evenly
/// between.
fn shown(section: &ThresholdSection) -> Vec<usize> {
    let table = &section.table;
    let marked = [table.today, table.fits_capacity, table.earns_most];
    let every = table.rows.len().div_ceil(N_THRESHOLDS).max(1);
    (0..table.rows.len())
        .filter(|idx| idx % every == 0 || marked.contains(&Some(*idx)))
        .collect()
}

/// What all pages are rendered with: texts are escaped, HTML and characters that act, and the look
/// can be included.
pub(crate) fn environment() -> Result<Environment<'static>, ReportError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    // Nor can a text turn the direction of what stands beside it, or hide.
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() => {
            minijinja::escape_formatter(out, state, &Value::from(printable(text).into_owned()))
        }
        _ => minijinja::escape_formatter(out, state, value),
    });
    environment.add_filter("counted", |value: f64, noun: String| {
        counted(whole_number(value), &noun)
    });
    environment.add_filter("agree", |value: f64, one: String, many: String| {
        agree(whole_number(value), &one, &many).to_owned()
    });
    environment.add_template("style", STYLE)?;
    Ok(environment)
}
