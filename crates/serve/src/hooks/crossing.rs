//! A lead that rose to a threshold: what the queue shows, what batch reads, and what receivers get.

use leadscore_config::SiteAddress;
use leadscore_core::{ContactPriority, Timestamp, hex};
use leadscore_store::{Entity, NewEvent};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::percent::lead_address;
use crate::{LeadScore, PointsOfRules};

/// The table that crossings are events of.
pub(crate) const CROSSINGS: &str = "activities.thresholds";
/// How many reasons a receiver gets.
const N_REASONS: usize = 3;

/// A lead that rose to a threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossing {
    /// Made of the lead, the threshold and the moment: the same crossing has the same ID.
    pub id: String,
    /// The lead.
    pub lead: String,
    /// Name of the threshold.
    pub threshold: String,
    /// Moment of the score.
    pub at: Timestamp,
    /// Likelihood, 0 to 100.
    pub likelihood: f64,
    /// Points of the rules, where there are any.
    pub points: Option<f64>,
    /// The cell of the rules' matrix, where the lead is in one.
    pub cell: Option<String>,
    /// The tier.
    pub tier: ContactPriority,
    /// The model.
    pub model: String,
    /// Why it crossed.
    pub cause: Cause,
    /// Whether it is shown, is an event and is delivered; otherwise it is recorded alone.
    pub is_told: bool,
}

/// Why a lead is on the other side of a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// What it did, or that time passed.
    Lead,
    /// Another model scores it, or other rules count.
    Model,
    /// As `Lead` or `Model`, and it is held back from prioritizing, so nobody is told.
    HeldBack,
}

impl Cause {
    /// As the state's file and JSON have it.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Model => "model",
            Self::HeldBack => "held_back",
        }
    }
}

impl Crossing {
    /// The crossing of a score.
    pub(super) fn new(
        score: &LeadScore,
        threshold: &str,
        points: Option<&PointsOfRules>,
        cause: Cause,
        is_told: bool,
    ) -> Self {
        Self {
            id: id(&score.lead, threshold, score.at),
            lead: score.lead.clone(),
            threshold: threshold.to_owned(),
            at: score.at,
            likelihood: score.likelihood,
            points: points
                .and_then(|points| points.points)
                .filter(|points| points.is_finite()),
            cell: points
                .and_then(|points| points.cell.as_ref())
                .map(|cell| cell.label.clone()),
            tier: score.tier,
            model: score.model.clone(),
            cause,
            is_told,
        }
    }

    /// The crossing as an event of the store.
    pub fn event(&self) -> NewEvent {
        event(
            &self.id,
            &self.lead,
            &self.threshold,
            self.at,
            self.likelihood,
        )
    }

    /// The body of the call, in JSON.
    pub(super) fn body(&self, score: &LeadScore, base: Option<&SiteAddress>) -> String {
        let body = Body {
            r#type: "threshold.crossed",
            timestamp: self.at.to_string(),
            data: Data {
                lead: &self.lead,
                threshold: &self.threshold,
                likelihood: self.likelihood,
                points: self.points,
                cell: self.cell.as_deref(),
                tier: self.tier.name(),
                reasons: score
                    .reasons
                    .iter()
                    .take(N_REASONS)
                    .map(|reason| reason.text.as_str())
                    .collect(),
                model: &self.model,
                url: base.map(|base| format!("{base}{}", lead_address(&self.lead))),
            },
        };
        serde_json::to_string(&body).expect("texts and numbers are JSON")
    }
}

/// What a receiver gets.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    lead: &'a str,
    threshold: &'a str,
    likelihood: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<&'a str>,
    tier: &'static str,
    reasons: Vec<&'a str>,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// A row of the table.
#[derive(Serialize)]
struct Row<'a> {
    lead: &'a str,
    at: String,
    name: &'a str,
    likelihood: f64,
}

/// The event of a crossing, whose columns are `lead`, `at`, `name` and `likelihood`.
pub(super) fn event(
    id: &str,
    lead: &str,
    threshold: &str,
    at: Timestamp,
    likelihood: f64,
) -> NewEvent {
    let row = Row {
        lead,
        at: at.to_string(),
        name: threshold,
        likelihood,
    };
    NewEvent {
        id: id.to_owned(),
        table: CROSSINGS.to_owned(),
        entity: Entity::Lead(lead.to_owned()),
        at,
        recorded: None,
        row: serde_json::to_string(&row).expect("texts and numbers are JSON"),
    }
}

/// `crossing-` and half of a SHA-256 of the three, each with its length before it.
fn id(lead: &str, threshold: &str, at: Timestamp) -> String {
    let text = format!(
        "{}:{lead}{}:{threshold}{}",
        lead.len(),
        threshold.len(),
        at.micros()
    );
    format!("crossing-{}", hash(&text))
}

/// Half of a text's SHA-256, in hexadecimal digits.
pub(super) fn hash(text: &str) -> String {
    hex(&Sha256::digest(text)[..16])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{MatrixCell, Reason};

    pub(in crate::hooks) fn score(lead: &str, likelihood: f64) -> LeadScore {
        let reason = |text: &str| Reason {
            concept: "touches".to_owned(),
            text: text.to_owned(),
            log_odds: 0.5,
        };
        LeadScore {
            lead: lead.to_owned(),
            at: Timestamp::from_micros(1_748_772_000_000_000),
            model: "m1".to_owned(),
            likelihood,
            log_odds: 0.0,
            baseline: 0.0,
            tier: ContactPriority::High,
            reasons: ["a \"demo\"", "b", "c", "d"].map(reason).to_vec(),
            outside: None,
            held_back: false,
            input_hash: String::new(),
            feature_hash: String::new(),
        }
    }

    #[test]
    fn receivers_get_what_they_need() {
        let score = score("a/b ü", 41.5);
        let crossing = Crossing::new(&score, "hot", None, Cause::Lead, true);
        assert_eq!(
            crossing.body(
                &score,
                SiteAddress::parse("https://leads.example.com/")
                    .ok()
                    .as_ref()
            ),
            concat!(
                r#"{"type":"threshold.crossed","timestamp":"2025-06-01T10:00:00Z","data":{"#,
                r#""lead":"a/b ü","threshold":"hot","likelihood":41.5,"tier":"High","#,
                r#""reasons":["a \"demo\"","b","c"],"model":"m1","#,
                r#""url":"https://leads.example.com/leads/a%2Fb%20%C3%BC"}}"#
            )
        );
        let points = PointsOfRules {
            rules: "r1".to_owned(),
            points: Some(60.0),
            is_disqualified: false,
            cell: Some(MatrixCell {
                label: "A1".to_owned(),
                action: Some("call today".to_owned()),
            }),
        };
        let body =
            Crossing::new(&score, "hot", Some(&points), Cause::Lead, true).body(&score, None);
        assert!(
            body.contains(r#""points":60.0,"cell":"A1","#) && !body.contains("url"),
            "{body}"
        );
    }

    #[test]
    fn the_same_crossing_is_the_same_event() {
        let score = score("L1", 41.5);
        let crossing = Crossing::new(&score, "hot", None, Cause::Lead, true);
        let event = crossing.event();
        assert_eq!(
            event.row,
            r#"{"lead":"L1","at":"2025-06-01T10:00:00Z","name":"hot","likelihood":41.5}"#
        );
        assert_eq!(
            event,
            Crossing::new(&score, "hot", None, Cause::Lead, true).event()
        );
        let ids = [
            id("L1", "hot", score.at),
            id("L1h", "ot", score.at),
            id("L1", "hot1", Timestamp::from_micros(score.at.micros() / 10)),
            id("L1", "hot", Timestamp::from_micros(score.at.micros() + 1)),
        ];
        let n_distinct = std::collections::BTreeSet::from(ids.clone()).len();
        assert_eq!(n_distinct, ids.len());
        // sha256("2:L13:hot1748772000000000") by hashlib in Python.
        assert_eq!(ids[0], "crossing-7e8211855a31ff8bfa63c570138ef0f4");
    }
}
