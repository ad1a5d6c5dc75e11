//! A model's points as a page to print: to type into a CRM, or to add up by hand.

use minijinja::context;
use serde::Serialize;

use crate::error::ReportError;
use crate::format::per_cent;
use crate::html::environment;

const TEMPLATE: &str = include_str!("points.html.jinja");

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PointsSheet {
    /// The model.
    pub model_id: String,
    /// Points that everyone starts with.
    pub base: i32,
    /// Feature in words, condition in words, points; rules of one feature stand together.
    pub rules: Vec<(String, String, i32)>,
    /// What points lose against the model, the model first.
    pub losses: Vec<PointsLoss>,
    /// On which rows that was measured, in words.
    pub measured_on: String,
    /// Points and the likelihood that they stand for, 0 to 1.
    pub likelihoods: Vec<(f64, f64)>,
}

/// How well a number of rules does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PointsLoss {
    /// Its name.
    pub name: String,
    /// Area under the ROC curve.
    pub auc: f64,
    /// Log-loss, points calibrated.
    pub log_loss: f64,
    /// Share of rows that stay in their tier; `None` for the model.
    pub same_tier: Option<f64>,
}

/// The page.
///
/// # Errors
///
/// [`ReportError::Template`] where the template does not fit.
pub fn points_page(sheet: &PointsSheet) -> Result<String, ReportError> {
    let mut environment = environment()?;
    environment.add_filter("per_cent", |value: f64| per_cent(value));
    environment.add_template("points", TEMPLATE)?;
    let groups: Vec<(String, Vec<(String, i32)>)> = sheet
        .rules
        .chunk_by(|a, b| a.0 == b.0)
        .map(|rules| {
            (
                rules[0].0.clone(),
                rules.iter().map(|rule| (rule.1.clone(), rule.2)).collect(),
            )
        })
        .collect();
    Ok(environment
        .get_template("points")?
        .render(context! { sheet => minijinja::value::Serde(sheet), groups => groups })?)
}
