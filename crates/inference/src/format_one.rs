//! Models as format 1 held them: before bins, tables, counts and covariances.

use leadscore_core::{FeatureSpec, Span};
use serde::Deserialize;

use crate::card::Card;
use crate::earlier_formats::TermTwo;
use crate::limitation::Limitation;
use crate::model::Model;
use crate::sufficiency::Sufficiency;

#[derive(Deserialize)]
pub(crate) struct ModelOne {
    card: CardOne,
    specs: Vec<FeatureSpec>,
    intercept: f64,
    /// Linear and levels only; the others came later and at the end.
    terms: Vec<TermTwo>,
    tier_edges: [f64; 3],
}

#[derive(Deserialize)]
struct CardOne {
    model_id: String,
    tool_version: String,
    horizon: Option<Span>,
    snapshots_from: String,
    snapshots_to: String,
    known_until_micros: i64,
    known_until: String,
    ages: Option<Vec<String>>,
    n_snapshots: usize,
    n_leads: usize,
    n_wins: usize,
    sufficiency: Sufficiency,
    penalty: f64,
    penalty_choice: String,
    fit: String,
    evaluation: String,
    metrics: Vec<(String, f64)>,
    data_fingerprint: String,
    caveats: Vec<Limitation>,
}

impl From<ModelOne> for Model {
    fn from(one: ModelOne) -> Self {
        let card = one.card;
        Self {
            card: Card {
                model_id: card.model_id,
                tool_version: card.tool_version,
                horizon: card.horizon,
                snapshots_from: card.snapshots_from,
                snapshots_to: card.snapshots_to,
                training_cutoff_micros: card.known_until_micros,
                training_cutoff: card.known_until,
                ages: card.ages,
                n_snapshots: card.n_snapshots,
                n_leads: card.n_leads,
                n_wins: card.n_wins,
                sufficiency: card.sufficiency,
                penalty: card.penalty,
                penalty_choice: card.penalty_choice,
                fit: card.fit,
                kind: "linear".to_owned(),
                certificate: None,
                challenges: Vec::new(),
                learning: None,
                evaluation: card.evaluation,
                metrics: card.metrics,
                data_fingerprint: card.data_fingerprint,
                limitations: card.caveats,
            },
            specs: one.specs,
            intercept: one.intercept,
            terms: one.terms.into_iter().map(Into::into).collect(),
            tier_edges: one.tier_edges,
            counts: Vec::new(),
            covariance: None,
            calibration: None,
            data: None,
            scope: None,
            age_baseline: None,
            degrees: Vec::new(),
        }
    }
}
