//! What a report holds: the same numbers for the page, the JSON and the terminal.

use leadscore_inference::{Card, Model};
use leadscore_metrics::Evaluation;
use serde::Serialize;

use crate::verdict::{self, Verdict};

/// Everything that a report shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The conclusion, in words.
    pub verdict: Verdict,
    /// What was measured, and on what.
    pub data: DataSection,
    /// Every figure.
    pub evaluation: Evaluation,
    /// What moves the score, strongest first.
    pub influences: Vec<Influence>,
    /// The model's card.
    pub model: Card,
}

/// What was measured, and on what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataSection {
    /// Which rows, in words.
    pub measured_on: String,
    /// What was kept and dropped, in words.
    pub snapshots: String,
    /// First and last snapshot measured.
    pub period: String,
    /// Whether the model may have seen some of these rows.
    pub in_sample: bool,
    /// The rules that the manual score was computed by as of each snapshot; `None` where it is a column of today's table.
    pub rules: Option<String>,
}

/// How far one feature moves scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Influence {
    /// The feature in words.
    pub feature: String,
    /// Largest minus smallest log-odds over ±2 standard deviations or over its levels.
    pub range: f64,
    /// For a number: whether more speaks for a win. `None` for a category, a table, or a curve that goes both ways.
    pub rising: Option<bool>,
}

/// A report that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The template does not fit the data.
    #[error("cannot fill in the report's template")]
    Template(#[from] minijinja::Error),
    /// The data is no JSON.
    #[error("cannot write the report's numbers as JSON")]
    Json(#[from] serde_json::Error),
}

impl Report {
    /// Puts a report together.
    pub fn new(card: &Card, model: &Model, evaluation: Evaluation, data: DataSection) -> Self {
        let mut influences: Vec<Influence> = model
            .terms
            .iter()
            .map(|term| Influence {
                feature: model.describe_term(term),
                range: term.range(),
                rising: match term {
                    leadscore_inference::Term::Linear(linear) => Some(linear.weight > 0.0),
                    leadscore_inference::Term::Bins(bins) => direction(&bins.weights),
                    leadscore_inference::Term::Levels(_) | leadscore_inference::Term::Pair(_) => None,
                },
            })
            .collect();
        influences.sort_by(|a, b| b.range.total_cmp(&a.range));
        Self { verdict: verdict::judge(card, &evaluation, &data), data, evaluation, influences, model: card.clone() }
    }

    /// The numbers as JSON.
    ///
    /// # Errors
    ///
    /// [`ReportError::Json`] where a number is not finite.
    pub fn json(&self) -> Result<String, ReportError> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// The page.
    ///
    /// # Errors
    ///
    /// [`ReportError::Template`] where the template does not fit.
    pub fn html(&self) -> Result<String, ReportError> {
        crate::html::render(self)
    }

    /// The verdict and the tiers as plain text.
    pub fn text(&self) -> String {
        crate::terminal::render(self)
    }
}

/// Whether a curve rises or falls all along.
fn direction(weights: &[f64]) -> Option<bool> {
    let rises = weights.is_sorted_by(|a, b| a <= b);
    let falls = weights.is_sorted_by(|a, b| a >= b);
    (rises != falls).then_some(rises)
}
