//! Scores as a file has them, and their expected loss by the true probabilities.

use std::collections::HashMap;
use std::path::Path;

use crate::life::{Day, Life};

use super::record::Truth;

/// The horizon of the scores, in days.
pub(super) const HORIZON: Day = 90;

/// The scores of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Scores {
    /// The moment for which they were made, as the file has it.
    pub(super) as_of: String,
    /// By the position of the lead.
    predicted: HashMap<usize, f64>,
    /// Leads of the first tier that are not held back.
    pub(super) prioritized: Vec<String>,
}

impl Scores {
    /// Reads a score file; `None` where there is none, or none that can be read.
    pub(super) fn read(path: &Path, life: &Life) -> Option<Self> {
        let mut reader = csv::Reader::from_path(path).ok()?;
        let header = reader.headers().ok()?.clone();
        let column = |name: &str| header.iter().position(|found| found == name);
        let (id, likelihood) = (column("lead_id")?, column("likelihood_to_close")?);
        let (as_of, tier) = (column("as_of")?, column("contact_priority")?);
        let held_back = column("held_back");
        let mut scores = Self::default();
        for record in reader.records() {
            let record = record.ok()?;
            // Leads that were won are in the file, without a likelihood.
            let Ok(percent) = record[likelihood].parse::<f64>() else {
                continue;
            };
            record[as_of].clone_into(&mut scores.as_of);
            let position = life.position(&record[id])?;
            scores.predicted.insert(position, percent / 100.0);
            let is_held_back = held_back.is_some_and(|column| &record[column] == "true");
            if &record[tier] == "Very high" && !is_held_back {
                scores.prioritized.push(record[id].to_owned());
            }
        }
        Some(scores)
    }

    /// What is true of them tonight, of the leads that are truly open; `None` where there are none.
    pub(super) fn truth(&self, life: &Life, truth: &HashMap<usize, f64>) -> Option<Truth> {
        let mut pairs: Vec<(f64, f64)> = self
            .predicted
            .iter()
            .filter(|(position, _)| life.is_open(**position))
            .filter_map(|(position, predicted)| Some((*predicted, *truth.get(position)?)))
            .collect();
        if pairs.is_empty() {
            return None;
        }
        pairs.sort_by(|one, other| other.0.total_cmp(&one.0).then(other.1.total_cmp(&one.1)));
        let n = pairs.len() as f64;
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
        Some(Truth {
            n: pairs.len(),
            loss: mean(&|(predicted, truth)| loss(*truth, *predicted)),
            floor: mean(&|(_, truth)| loss(*truth, *truth)),
            predicted: mean(&|(predicted, _)| *predicted),
            true_mean: mean(&|(_, truth)| *truth),
            auc: auc(&pairs),
            quarters: [0, 1, 2, 3].map(|quarter| {
                let quarter = &pairs[quarter * pairs.len() / 4..(quarter + 1) * pairs.len() / 4];
                let predicted: f64 = quarter.iter().map(|pair| pair.0).sum();
                let truth: f64 = quarter.iter().map(|pair| pair.1).sum();
                let n = quarter.len() as f64;
                (predicted / n, truth / n)
            }),
        })
    }
}

/// The true probabilities of all leads that are open tonight, by position.
pub(super) fn truth_of_tonight(life: &Life) -> HashMap<usize, f64> {
    let open = life.open().iter();
    open.map(|&position| (position, life.probability(position, HORIZON)))
        .collect()
}

/// Expected log-loss of a prediction, where the truth is a probability.
fn loss(truth: f64, predicted: f64) -> f64 {
    let predicted = predicted.clamp(1e-9, 1.0 - 1e-9);
    -truth * libm::log(predicted) - (1.0 - truth) * libm::log(1.0 - predicted)
}

/// The chance that a lead that will be won was ranked before one that will not: pairs are best first.
fn auc(pairs: &[(f64, f64)]) -> f64 {
    let won: f64 = pairs.iter().map(|pair| pair.1).sum();
    let mut others_behind = pairs.len() as f64 - won;
    let all = won * others_behind;
    let mut right = 0.0;
    for (_, truth) in pairs {
        others_behind -= 1.0 - truth;
        right += truth * (others_behind + (1.0 - truth) / 2.0);
    }
    right / all
}
