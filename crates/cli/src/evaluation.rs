//! From labels and probabilities to an evaluation: tiers by quartile, the manual score on the same rows.

use leadscore_core::{ContactPriority, Snapshot};
use leadscore_inference::quartile_tiers;
use leadscore_metrics::{BootstrapOptions, Evaluation, EvaluationInput, ManualInput, evaluate};
use leadscore_tables::Tables;

/// Evaluates probabilities of these snapshots beside manual scores of the same ones, NaN where there is none.
pub(crate) fn evaluate_rows(manual: Option<&[f64]>, lead_keys: &[u64], labels: &[bool], probabilities: &[f64]) -> anyhow::Result<Evaluation> {
    let tiers = tier_numbers(&quartile_tiers(probabilities));
    let names: Vec<&str> = ContactPriority::QUARTILES.iter().map(|tier| tier.name()).collect();
    let manual_tiers = manual.map(|scores| {
        let rows: Vec<usize> = (0..scores.len()).filter(|&row| !scores[row].is_nan()).collect();
        let spread = |values: &[f64]| {
            let picked: Vec<f64> = rows.iter().map(|&row| values[row]).collect();
            let mut tiers = vec![0; values.len()];
            for (row, tier) in rows.iter().zip(tier_numbers(&quartile_tiers(&picked))) {
                tiers[*row] = tier;
            }
            tiers
        };
        (spread(scores), spread(probabilities))
    });
    let manual = manual.zip(manual_tiers.as_ref()).map(|(scores, (manual_tiers, predictive_tiers))| ManualInput { scores, manual_tiers, predictive_tiers });
    let input = EvaluationInput { labels, probabilities, clusters: lead_keys, tiers: &tiers, manual, tier_names: &names };
    Ok(evaluate(input, BootstrapOptions::default())?)
}

fn tier_numbers(tiers: &[ContactPriority]) -> Vec<usize> {
    tiers.iter().map(|tier| ContactPriority::QUARTILES.iter().position(|known| known == tier).expect("open leads have one of the four")).collect()
}

/// The manual score of each snapshot's lead, NaN where it has none; `None` where the config names none.
pub(crate) fn manual_scores(tables: &Tables, keys: &[Snapshot]) -> Option<Vec<f64>> {
    tables.leads.manual_score.as_ref().map(|scores| keys.iter().map(|key| scores[key.lead as usize]).collect())
}
