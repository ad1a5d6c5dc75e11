//! A report put together: its sections, the conclusion from them, and what moves the score.

use leadscore_inference::{Card, JudgedAttribute, Model, Term};
use serde::Serialize;

use crate::data::{DataSection, Influence, Look, Measured};
use crate::finding::Verdict;
use crate::verdict;

/// Everything that a report shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The conclusion, in words.
    pub verdict: Verdict,
    /// What was measured, and on what.
    pub data: DataSection,
    /// Every figure.
    #[serde(flatten)]
    pub measured: Measured,
    /// Attributes that training suspected to know the outcome.
    pub judged: Vec<JudgedAttribute>,
    /// What moves the score, strongest first.
    pub influences: Vec<Influence>,
    /// The model's card.
    pub model: Card,
    /// How the page looks.
    pub look: Look,
}

impl Report {
    /// Puts a report together.
    pub fn new(
        card: &Card,
        model: &Model,
        measured: Measured,
        data: DataSection,
        look: Look,
    ) -> Self {
        let mut influences: Vec<Influence> = model
            .terms
            .iter()
            .map(|term| Influence {
                feature: model.describe_term(term),
                range: term.range(),
                rising: match term {
                    Term::Linear(linear) => Some(linear.weight > 0.0),
                    Term::Bins(bins) => direction(&bins.weights),
                    Term::Levels(_) | Term::Pair(_) => None,
                },
            })
            .collect();
        influences.sort_by(|a, b| b.range.total_cmp(&a.range));
        let judged = model
            .scope
            .as_ref()
            .map(|scope| scope.judged.clone())
            .unwrap_or_default();
        let verdict = verdict::judge(card, &judged, &measured, &data);
        Self {
            verdict,
            data,
            measured,
            judged,
            influences,
            model: card.clone(),
            look,
        }
    }
}

/// Whether a curve rises or falls all along.
fn direction(weights: &[f64]) -> Option<bool> {
    let rises = weights.is_sorted_by(|a, b| a <= b);
    let falls = weights.is_sorted_by(|a, b| a >= b);
    (rises != falls).then_some(rises)
}
