//! How many open leads would be in another tier by another model: what a team feels first.

use std::collections::BTreeMap;

use leadscore_core::ContactPriority;
use leadscore_inference::Model;

use crate::data::Data;
use crate::score::score_open;

/// Open leads by the tier that each of two models gives them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TierChurn {
    /// Leads that are open by both models.
    pub n_leads: usize,
    /// Those whose tier is another one.
    pub n_changed: usize,
    /// Leads by the tier of the first model (rows) and that of the second (columns), best first.
    pub moves: [[usize; 4]; 4],
    /// Mean likelihood by the first model, 0 to 100.
    pub mean_before: f64,
    /// Mean likelihood by the second model, 0 to 100.
    pub mean_after: f64,
    /// Mean absolute change of a likelihood, in percentage points.
    pub mean_change: f64,
}

impl TierChurn {
    /// Share of the open leads whose tier is another one.
    pub fn share(&self) -> f64 {
        self.n_changed as f64 / self.n_leads as f64
    }
}

/// How many leads that are open at the moment of the view change their tier from one model to
/// another; `None` where no lead is open.
///
/// # Errors
///
/// The tables cannot be read or scored by one of the models.
pub fn tier_churn(data: &Data, before: &Model, after: &Model) -> crate::Result<Option<TierChurn>> {
    let by_id = |model: &Model| -> crate::Result<BTreeMap<String, (f64, ContactPriority)>> {
        let open = score_open(&data.quiet(), model)?;
        Ok(open
            .into_iter()
            .map(|(id, probability, tier)| (id, (probability, tier)))
            .collect())
    };
    let (before, after) = (by_id(before)?, by_id(after)?);
    let mut churn = TierChurn {
        n_leads: 0,
        n_changed: 0,
        moves: [[0; 4]; 4],
        mean_before: 0.0,
        mean_after: 0.0,
        mean_change: 0.0,
    };
    let number = |tier: ContactPriority| {
        ContactPriority::QUARTILES
            .iter()
            .position(|known| *known == tier)
            .expect("open leads have one of the four")
    };
    for (id, (first, first_tier)) in &before {
        let Some((second, second_tier)) = after.get(id) else {
            continue;
        };
        churn.n_leads += 1;
        churn.n_changed += usize::from(first_tier != second_tier);
        churn.moves[number(*first_tier)][number(*second_tier)] += 1;
        churn.mean_before += 100.0 * first;
        churn.mean_after += 100.0 * second;
        churn.mean_change += 100.0 * (second - first).abs();
    }
    if churn.n_leads == 0 {
        return Ok(None);
    }
    let n = churn.n_leads as f64;
    churn.mean_before /= n;
    churn.mean_after /= n;
    churn.mean_change /= n;
    Ok(Some(churn))
}
