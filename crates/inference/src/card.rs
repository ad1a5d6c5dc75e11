//! What a person wants to know about a model: what it was trained on, how good it is, what it cannot
//! do.

use leadscore_core::Span;
use serde::{Deserialize, Serialize};

use crate::alternative::Alternative;
use crate::limitation::Limitation;
use crate::sufficiency::Sufficiency;

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
    /// The last moment that the training data spoke of, in microseconds since 1970, or the order
    /// value a million to the unit.
    pub training_cutoff_micros: i64,
    /// The same as text.
    pub training_cutoff: String,
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
    /// Strength of the penalty: ½·penalty·‖w‖² on the summed log-loss; 0 where each term has a
    /// strength of its own.
    pub penalty: f64,
    /// How the penalty was chosen.
    pub penalty_choice: String,
    /// How the fit ended.
    pub fit: String,
    /// The kind of model: `linear` or `additive`.
    pub kind: String,
    /// How near the optimum the fit is; `None` where another solver made it.
    pub certificate: Option<FitCertificate>,
    /// Each richer model against the one that stood, on folds of the training data, in the order
    /// they were tried.
    pub challenges: Vec<Challenge>,
    /// What fewer leads would have given; `None` where nobody asked.
    pub learning: Option<LearningCurve>,
    /// How the figures below were measured.
    pub evaluation: String,
    /// Named figures on data that the measured fit had not seen.
    pub metrics: Vec<(String, f64)>,
    /// SHA-256 of the training matrix and labels.
    pub data_fingerprint: String,
    /// What anyone who uses it should know.
    pub limitations: Vec<Limitation>,
}

/// How near the optimum a fit ended, and what it took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FitCertificate {
    /// Largest absolute entry of the gradient of the mean objective.
    pub gradient: f64,
    /// About how far the summed objective lies above its minimum.
    pub newton_decrement: f64,
    /// Steps over all rows.
    pub iterations: u64,
    /// Passes over all rows.
    pub passes: u64,
    /// Condition of the penalised Hessian scaled to a diagonal of ones.
    pub condition: f64,
    /// Parameters that the penalty leaves, `tr[(H + P)⁻¹ H]`.
    pub effective_parameters: f64,
}

/// Two models on the same later snapshots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Challenge {
    /// The richer one.
    pub richer: Alternative,
    /// The simpler one.
    pub simpler: Alternative,
    /// Mean log-loss of the richer one less that of the simpler one: below 0 the richer is better.
    pub log_loss_difference: f64,
    /// 95 % interval of the difference, resampling leads.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Snapshots compared on.
    pub n_snapshots: u64,
    /// Which one was shipped.
    pub shipped: Alternative,
    /// What decided, in words.
    pub reason: String,
}

/// Log-loss on the same later snapshots, of fits on shares of the training leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningCurve {
    /// Fewest wins first, and for each number of wins the shapes from the simplest on.
    pub points: Vec<LearningPoint>,
    /// What more wins would change, in sentences.
    pub verdict: Vec<String>,
}

/// One point of a learning curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningPoint {
    /// The shape of the model.
    pub shape: Alternative,
    /// Wins among the snapshots fitted on, on average over draws.
    pub n_wins: f64,
    /// Mean log-loss over draws.
    pub log_loss: f64,
}

impl Card {
    /// The comparison that decided what was shipped: the last step up that was taken, or the first
    /// that was not.
    pub fn decisive_challenge(&self) -> Option<&Challenge> {
        decisive(&self.challenges)
    }
}

fn decisive(challenges: &[Challenge]) -> Option<&Challenge> {
    let Some(last) = challenges
        .iter()
        .rposition(|challenge| challenge.shipped == challenge.richer)
    else {
        return challenges.first();
    };
    let taken = &challenges[last];
    // A step from the win rate to a model is no news where a richer one was tried after it; both
    // speak of what was shipped.
    let refused = challenges
        .get(last + 1)
        .filter(|_| taken.simpler == Alternative::BaseRate);
    Some(refused.unwrap_or(taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decisive_challenge_names_what_was_shipped() {
        let ladder = [
            "the base rate",
            "straight lines",
            "curves",
            "curves and 3 tables over two features",
        ]
        .map(|words| Alternative::from(words.to_owned()));
        // Every way in which steps can be taken or refused.
        for taken in 0..8_usize {
            let (mut chosen, mut challenges) = (0, Vec::new());
            for step in 1..ladder.len() {
                let is_taken = taken >> (step - 1) & 1 == 1;
                let simpler = chosen;
                chosen = if is_taken { step } else { chosen };
                challenges.push(Challenge {
                    richer: ladder[step].clone(),
                    simpler: ladder[simpler].clone(),
                    log_loss_difference: 0.0,
                    low: 0.0,
                    high: 0.0,
                    n_snapshots: 1,
                    shipped: ladder[chosen].clone(),
                    reason: String::new(),
                });
            }
            assert_eq!(
                decisive(&challenges).expect("there are some").shipped,
                ladder[chosen],
                "{taken:03b}"
            );
        }
    }
}
