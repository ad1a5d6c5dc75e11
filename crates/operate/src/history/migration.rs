//! How leads moved between tiers from one moment to another.

use leadscore_core::{ContactPriority, Timestamp};
use serde::Serialize;

use super::json::as_text;
use super::read::ScoredMoment;

/// What became of the open leads between two moments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Migration {
    /// The earlier moment.
    #[serde(serialize_with = "as_text")]
    pub since: Timestamp,
    /// Leads that were open at both moments.
    pub n_both: usize,
    /// The share of them that changed their tier, 0 to 1; `None` where there are none.
    pub churn: Option<f64>,
    /// How many of them went from which tier (first index) to which (second), highest tier first.
    pub counts: [[usize; 4]; 4],
    /// Leads that are open now and were not in the earlier scores.
    pub n_new: usize,
    /// Leads that were open then and are so no more.
    pub n_gone: usize,
    /// Those of them that are in the later scores as won.
    pub n_won: usize,
    /// Whether another model predicted: part of what changed may be the model's.
    pub is_other_model: bool,
}

impl Migration {
    /// Compares two moments of one history, which has so many leads.
    pub fn between(before: &ScoredMoment, now: &ScoredMoment, n_leads: usize) -> Self {
        let mut tiers: Vec<Option<usize>> = vec![None; n_leads];
        for (&lead, &tier) in before.leads.iter().zip(&before.tiers) {
            tiers[lead as usize] = place_of(tier);
        }
        let mut counts = [[0; 4]; 4];
        let mut n_both = 0;
        for (&lead, &tier) in now.leads.iter().zip(&now.tiers) {
            if let (Some(from), Some(to)) = (tiers[lead as usize], place_of(tier)) {
                counts[from][to] += 1;
                n_both += 1;
            }
        }
        let is_won = |lead: &&u32| tiers[**lead as usize].is_some();
        let n_same: usize = (0..4).map(|tier| counts[tier][tier]).sum();
        Self {
            since: before.moment,
            n_both,
            churn: (n_both > 0).then(|| (n_both - n_same) as f64 / n_both as f64),
            counts,
            n_new: now.leads.len() - n_both,
            n_gone: before.leads.len() - n_both,
            n_won: now.won.iter().filter(is_won).count(),
            is_other_model: before.model_id != now.model_id,
        }
    }
}

/// The place of a tier among those of open leads.
fn place_of(tier: ContactPriority) -> Option<usize> {
    ContactPriority::QUARTILES
        .into_iter()
        .position(|other| other == tier)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(day: i64, leads: &[(u32, ContactPriority)], won: &[u32]) -> ScoredMoment {
        ScoredMoment {
            moment: Timestamp::from_micros(day * 86_400_000_000),
            model_id: "m".to_owned(),
            leads: leads.iter().map(|(lead, _)| *lead).collect(),
            log_odds: vec![0.0; leads.len()],
            tiers: leads.iter().map(|(_, tier)| *tier).collect(),
            held_back: None,
            n_guarded: None,
            won: won.to_vec(),
            n_replaced: 0,
        }
    }

    #[test]
    fn leads_are_counted_where_they_went() {
        use ContactPriority::{High, Low, Medium, VeryHigh};
        let before = moment(
            0,
            &[(0, VeryHigh), (1, High), (2, Medium), (3, Low), (4, Low)],
            &[],
        );
        // 0 stays, 1 rises, 2 is won, 3 stays, 4 is gone, 5 is new; 6 had been won before.
        let now = moment(
            7,
            &[(1, VeryHigh), (0, VeryHigh), (5, High), (3, Low)],
            &[2, 6],
        );
        let found = Migration::between(&before, &now, 7);
        assert_eq!(
            found.counts,
            [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
        );
        assert_eq!(
            (found.n_both, found.n_new, found.n_gone, found.n_won),
            (3, 1, 2, 1)
        );
        assert_eq!(found.churn, Some(1.0 / 3.0));
        assert_eq!(
            Migration::between(&moment(0, &[], &[]), &now, 7).churn,
            None
        );
    }
}
