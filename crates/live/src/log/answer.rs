//! One answer as the log has it: a line of JSON that names the lead, the moment, the model, and the
//! bits of what was answered.

use leadscore_core::{ContactPriority, Timestamp};
use leadscore_serve::LeadScore;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::queue::Edges;

/// What a lead's score was answered to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The moment of the score: what was recorded before it is in it.
    pub at: Timestamp,
    /// The lead.
    pub lead: String,
    /// The model.
    pub model: String,
    /// Natural log-odds.
    pub log_odds: f64,
    /// Likelihood, 0 to 100.
    pub likelihood: f64,
    /// The tier.
    pub tier: ContactPriority,
    /// The likelihood as people read it, rounded.
    pub percent: f64,
    /// Where tiers began at that moment.
    pub edges: Edges,
    /// Hash of the rows that the score was made from.
    pub input_hash: String,
    /// Hash of the bits of its features.
    pub feature_hash: String,
    /// The lead itself, where it was in no table.
    pub raw: Option<Value>,
}

/// Why a line is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It is no JSON object with the fields of an answer.
    #[error("the line is not an answer ({found})")]
    Json {
        /// What the reader found.
        found: String,
    },
    /// A field has another form than answers have.
    #[error("`{field}` is `{found}`")]
    Field {
        /// The field.
        field: &'static str,
        /// What it has.
        found: String,
    },
}

/// The line, field by field. Floating-point numbers are the hexadecimal digits of their bits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    at: i64,
    lead: String,
    model: String,
    log_odds: String,
    likelihood: String,
    percent: f64,
    tier: String,
    edges: [String; 3],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edges_of: Option<i64>,
    input: String,
    features: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw: Option<Value>,
}

impl Answer {
    /// The answer that a score is, by the edges that its tier was told by.
    pub fn new(score: &LeadScore, edges: Edges, raw: Option<Value>) -> Self {
        Self {
            at: score.at,
            lead: score.lead.clone(),
            model: score.model.clone(),
            log_odds: score.log_odds,
            likelihood: score.likelihood,
            percent: percent(score.likelihood),
            tier: score.tier,
            edges,
            input_hash: score.input_hash.clone(),
            feature_hash: score.feature_hash.clone(),
            raw,
        }
    }

    /// The line, without its end.
    pub fn to_line(&self) -> String {
        let line = Line {
            at: self.at.micros(),
            lead: self.lead.clone(),
            model: self.model.clone(),
            log_odds: bits(self.log_odds),
            likelihood: bits(self.likelihood),
            percent: self.percent,
            tier: self.tier.name().to_owned(),
            edges: self.edges.values.map(bits),
            edges_of: self.edges.of.map(Timestamp::micros),
            input: self.input_hash.clone(),
            features: self.feature_hash.clone(),
            raw: self.raw.clone(),
        };
        serde_json::to_string(&line).expect("texts and numbers are JSON")
    }

    /// The answer that a line has.
    ///
    /// # Errors
    ///
    /// [`AnswerError`].
    pub fn parse(line: &[u8]) -> Result<Self, AnswerError> {
        let line: Line = serde_json::from_slice(line).map_err(|error| AnswerError::Json {
            found: error.to_string(),
        })?;
        let [first, second, third] = line.edges;
        Ok(Self {
            at: Timestamp::from_micros(line.at),
            lead: line.lead,
            model: line.model,
            log_odds: number("log_odds", &line.log_odds)?,
            likelihood: number("likelihood", &line.likelihood)?,
            percent: line.percent,
            tier: tier(&line.tier)?,
            edges: Edges {
                values: [
                    number("edges", &first)?,
                    number("edges", &second)?,
                    number("edges", &third)?,
                ],
                of: line.edges_of.map(Timestamp::from_micros),
            },
            input_hash: line.input,
            feature_hash: line.features,
            raw: line.raw,
        })
    }
}

/// A likelihood as people read it.
pub(crate) fn percent(likelihood: f64) -> f64 {
    (likelihood * 10.0).round() / 10.0
}

/// The bits of a number, as 16 hexadecimal digits.
pub(crate) fn bits(value: f64) -> String {
    format!("{:016x}", value.to_bits())
}

fn number(field: &'static str, text: &str) -> Result<f64, AnswerError> {
    let digits = (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok());
    digits
        .flatten()
        .map(f64::from_bits)
        .ok_or_else(|| AnswerError::Field {
            field,
            found: text.to_owned(),
        })
}

fn tier(text: &str) -> Result<ContactPriority, AnswerError> {
    ContactPriority::QUARTILES
        .into_iter()
        .find(|tier| tier.name() == text)
        .ok_or_else(|| AnswerError::Field {
            field: "tier",
            found: text.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(lead: &str, log_odds: f64) -> Answer {
        Answer {
            at: Timestamp::from_micros(1_750_000_000_000_123),
            lead: lead.to_owned(),
            model: "m1".to_owned(),
            log_odds,
            likelihood: 22.099_999_999_999_998,
            tier: ContactPriority::High,
            percent: 22.1,
            edges: Edges {
                values: [f64::INFINITY, 0.2, 0.1],
                of: Some(Timestamp::from_micros(1_749_000_000_000_000)),
            },
            input_hash: "ab".to_owned(),
            feature_hash: "cd".to_owned(),
            raw: None,
        }
    }

    #[test]
    fn a_line_has_every_bit() {
        for log_odds in [0.0, -0.0, -1.25, f64::MIN_POSITIVE, 1.0f64.next_up()] {
            for lead in ["L1", "", "a\nb", "\"quoted\"", "Zoë \u{202e}", "a~b/c"] {
                let before = answer(lead, log_odds);
                let line = before.to_line();
                assert!(!line.contains('\n'));
                let after = Answer::parse(line.as_bytes()).expect("our own line");
                assert_eq!(after, before);
                assert_eq!(after.log_odds.to_bits(), log_odds.to_bits());
            }
        }
    }

    #[test]
    fn what_is_no_answer_is_told() {
        let line = answer("L1", 0.5).to_line();
        for (from, to, field) in [
            ("\"High\"", "\"Higher\"", "tier"),
            ("3fe0000000000000", "3fe000000000000g", "log_odds"),
            ("3fe0000000000000", "+3fe00000000000", "log_odds"),
        ] {
            let damaged = line.replace(from, to);
            assert_ne!(damaged, line);
            match Answer::parse(damaged.as_bytes()) {
                Err(AnswerError::Field { field: found, .. }) => assert_eq!(found, field),
                other => panic!("{other:?}"),
            }
        }
        // Every beginning of a line is damaged, and none makes the reader stop.
        for end in 0..line.len() {
            assert!(Answer::parse(&line.as_bytes()[..end]).is_err());
        }
    }
}
