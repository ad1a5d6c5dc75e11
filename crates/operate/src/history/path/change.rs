//! What changed between two scores of a lead: differences, item by item, that add up to the
//! difference of the log-odds.

use leadscore_core::{Timestamp, log_odds_to_probability};
use serde::Serialize;

use super::super::json::as_text;
use super::row::Score;

/// What changed between two scores of a lead.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The earlier moment.
    #[serde(serialize_with = "as_text")]
    pub since: Timestamp,
    /// The later moment.
    #[serde(serialize_with = "as_text")]
    pub until: Timestamp,
    /// The likelihood then, in per cent.
    pub likelihood_then: f64,
    /// The likelihood now, in per cent.
    pub likelihood_now: f64,
    /// Difference of the log-odds: the sum of all items.
    pub log_odds: f64,
    /// Whether another model predicted then.
    pub is_other_model: bool,
    /// What the items are.
    pub basis: Basis,
    /// Differences, largest first; what is the same is left out.
    pub items: Vec<ChangeItem>,
}

/// What a change is told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The contribution of each concept.
    Concepts,
    /// The reasons that the scores name, and all others together: one of the scores is from an
    /// engine, which writes no more.
    NamedReasons,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeItem {
    /// The concept, the reason in words, "baseline" (the average lead of the model) or "other
    /// reasons".
    pub what: String,
    /// Its log-odds then; `None` where it had none: the model did not know the concept, or the
    /// reason was not named.
    pub then: Option<f64>,
    /// Its log-odds now, likewise.
    pub now: Option<f64>,
    /// Now less then, where what is not there counts as 0.
    pub difference: f64,
}

impl ChangeItem {
    fn new(what: &str, then: Option<f64>, now: Option<f64>) -> Self {
        Self {
            what: what.to_owned(),
            then,
            now,
            difference: now.unwrap_or(0.0) - then.unwrap_or(0.0),
        }
    }
}

impl Change {
    /// What changed from one score to another.
    pub(super) fn between(
        (since, then): (Timestamp, &Score),
        (until, now): (Timestamp, &Score),
    ) -> Self {
        let (basis, mut items) = match (&then.concepts, &now.concepts) {
            (Some(then), Some(now)) => (Basis::Concepts, differences(then, now)),
            (None, _) | (_, None) => {
                let mut items = differences(&then.named, &now.named);
                items.push(ChangeItem::new(
                    "other reasons",
                    Some(then.others),
                    Some(now.others),
                ));
                (Basis::NamedReasons, items)
            }
        };
        let baseline = ChangeItem::new("baseline", Some(then.baseline), Some(now.baseline));
        items.push(baseline);
        items.retain(|item| item.difference != 0.0);
        items.sort_by(|a, b| b.difference.abs().total_cmp(&a.difference.abs()));
        Self {
            since,
            until,
            likelihood_then: 100.0 * log_odds_to_probability(then.log_odds),
            likelihood_now: 100.0 * log_odds_to_probability(now.log_odds),
            log_odds: now.log_odds - then.log_odds,
            is_other_model: then.model_id != now.model_id,
            basis,
            items,
        }
    }
}

/// Differences by name, in the order of the later score, then those that it lacks.
fn differences(then: &[(String, f64)], now: &[(String, f64)]) -> Vec<ChangeItem> {
    let value = |values: &[(String, f64)], name: &str| {
        values
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| *value)
    };
    let gone = then.iter().filter(|(name, _)| value(now, name).is_none());
    now.iter()
        .chain(gone)
        .map(|(name, _)| ChangeItem::new(name, value(then, name), value(now, name)))
        .collect()
}
