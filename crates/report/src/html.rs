//! The page: one template, the drawings put in; nothing is loaded from anywhere.

use minijinja::{AutoEscape, Environment, context};

use crate::data::{Report, ReportError};
use crate::svg;
use crate::verdict::{number, per_cent};

const TEMPLATE: &str = include_str!("report.html.jinja");
/// The look of all pages.
const STYLE: &str = include_str!("style.css");
/// Features that the page shows; the JSON has all.
const N_INFLUENCES: usize = 15;

pub(crate) fn render(report: &Report) -> Result<String, ReportError> {
    let mut environment = environment()?;
    environment.add_filter("per_cent", |value: f64| per_cent(value));
    environment.add_filter("number", |value: f64| number(value));
    environment.add_filter("signed", |value: f64| format!("{value:+.3}"));
    environment.add_template("report", TEMPLATE)?;
    let evaluation = &report.evaluation;
    let manual_gains = evaluation.manual.as_ref().map(|manual| manual.manual_gains.as_slice());
    let predictive_gains = evaluation.manual.as_ref().map_or(&evaluation.gains, |manual| &manual.predictive_gains);
    let drawings = context! {
        tiers => svg::tiers(&evaluation.tiers, &[]),
        gains => svg::gains(predictive_gains, manual_gains),
        lift => svg::lift(&evaluation.deciles),
        reliability => svg::reliability(&evaluation.calibration, &evaluation.corp),
        influences => svg::influences(&report.influences[..report.influences.len().min(N_INFLUENCES)]),
        manual_tiers => evaluation.manual.as_ref().map(|manual| svg::tiers(&manual.manual_tiers, &manual.predictive_tiers)),
        predictive_tiers => evaluation.manual.as_ref().map(|manual| svg::tiers(&manual.predictive_tiers, &manual.manual_tiers)),
    };
    let values = context! { report => minijinja::value::Serde(report), drawings => drawings, n_influences => report.influences.len() };
    Ok(environment.get_template("report")?.render(values)?)
}

/// What all pages are rendered with: texts are escaped, and the look can be included.
pub(crate) fn environment() -> Result<Environment<'static>, ReportError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("style", STYLE)?;
    Ok(environment)
}
