//! A model and its card: what it was trained on, how good it is, what it cannot do.

use leadscore_core::{FeatureKind, FeatureSpec, Span};
use serde::{Deserialize, Serialize};

use crate::term::Term;

/// A fitted model: log-odds = intercept + Σ terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// What a person wants to know about it.
    pub card: Card,
    /// The features that it reads, in order.
    pub specs: Vec<FeatureSpec>,
    /// Log-odds of a lead whose every term is zero.
    pub intercept: f64,
    /// The addends.
    pub terms: Vec<Term>,
    /// Probabilities that part the training snapshots into quartiles, highest first; for frozen tiers.
    pub tier_edges: [f64; 3],
}

/// What a person wants to know about a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// First half of a hash over everything that the model is made of: equal models have equal ids.
    pub model_id: String,
    /// Version of the program that trained it.
    pub tool_version: String,
    /// Days after a snapshot in which a win counts; `None` for a flat export.
    pub horizon: Option<Span>,
    /// Earliest and latest training snapshot, as text.
    pub snapshots_from: String,
    /// Latest training snapshot.
    pub snapshots_to: String,
    /// The last moment that the training data spoke of, in microseconds since 1970, or the order value a million to the unit.
    pub known_until_micros: i64,
    /// The same as text.
    pub known_until: String,
    /// Ages at which leads were looked at; `None` for calendar snapshots.
    pub ages: Option<Vec<String>>,
    /// Training snapshots.
    pub n_snapshots: usize,
    /// Leads among them.
    pub n_leads: usize,
    /// Wins among the snapshots.
    pub n_wins: usize,
    /// Whether the data was enough.
    pub sufficiency: Sufficiency,
    /// Strength of the penalty: ½·penalty·‖w‖² on the summed log-loss.
    pub penalty: f64,
    /// How the penalty was chosen.
    pub penalty_choice: String,
    /// How the fit ended.
    pub fit: String,
    /// How the figures below were measured.
    pub evaluation: String,
    /// Named figures on data that the measured fit had not seen.
    pub metrics: Vec<(String, f64)>,
    /// SHA-256 of the training matrix and labels.
    pub data_fingerprint: String,
    /// What anyone who uses it should know.
    pub caveats: Vec<String>,
}

/// Whether there is enough data to learn from, with its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sufficiency {
    /// The verdict.
    pub verdict: DataVerdict,
    /// Distinct leads with a snapshot that was won.
    pub won_leads: usize,
    /// Distinct leads with a snapshot that was not.
    pub lost_leads: usize,
    /// Parameters of the model.
    pub n_parameters: usize,
    /// The rarer of won and lost snapshots for each parameter.
    pub events_per_parameter: f64,
    /// What decided, in words.
    pub reason: String,
}

/// Enough, thin, or too few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataVerdict {
    /// Enough data for this number of features.
    Enough,
    /// Usable, with wide intervals.
    Thin,
    /// Not to be relied on.
    TooFew,
}

impl DataVerdict {
    /// The verdict as people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enough => "enough",
            Self::Thin => "thin",
            Self::TooFew => "too few",
        }
    }
}

impl Model {
    /// Log-odds of the average lead: the baseline that reasons start from.
    pub fn baseline(&self) -> f64 {
        self.intercept + self.terms.iter().map(Term::average).sum::<f64>()
    }

    /// What is wrong with a model that did not come from training, or `None`.
    pub(crate) fn defect(&self) -> Option<&'static str> {
        if !self.intercept.is_finite() || !self.terms.iter().all(Term::is_finite) {
            return Some("a weight is not a finite number");
        }
        if self.terms.iter().any(|term| term.feature_idx() >= self.specs.len()) {
            return Some("a term reads a feature that is not there");
        }
        let kinds_fit = self.terms.iter().all(|term| match term {
            Term::Linear(term) => self.specs[term.feature_idx].kind == FeatureKind::Number,
            Term::Levels(term) => {
                self.specs[term.feature_idx].kind == FeatureKind::Category && term.levels.is_sorted_by(|a, b| a.0 < b.0) && term.rare_levels.is_sorted()
            }
        });
        if !kinds_fit {
            return Some("a term does not fit its feature");
        }
        if !(self.tier_edges.iter().all(|edge| (0.0..=1.0).contains(edge)) && self.tier_edges.is_sorted_by(|a, b| a >= b)) {
            return Some("the tier edges are not probabilities in falling order");
        }
        None
    }
}
