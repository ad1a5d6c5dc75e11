//! Whether there is enough data to learn from: wins, losses, and how many of them each parameter
//! gets.

use std::collections::HashSet;

use leadscore_core::{count, counted};
use leadscore_inference::{DataVerdict, Sufficiency};

/// Distinct leads won, and not won, below which nothing can be learned: what Dynamics 365 asks for,
/// too.
const MIN_LEADS: usize = 40;
/// Distinct leads won, and not won, from which a model is no longer thin.
const AMPLE_LEADS: usize = 200;
/// Rarer outcomes for each parameter, from which weights are steady (Peduzzi et al. 1996 found 10).
const AMPLE_EVENTS_PER_PARAMETER: f64 = 10.0;

/// Judges labels and the number of parameters.
///
/// # Shapes
///
/// `labels` and `lead_keys` are `(n_rows,)`.
pub fn judge_data(labels: &[bool], lead_keys: &[u64], n_parameters: usize) -> Sufficiency {
    let leads = |wanted: bool| {
        labels
            .iter()
            .zip(lead_keys)
            .filter(|(label, _)| **label == wanted)
            .map(|(_, key)| *key)
            .collect::<HashSet<u64>>()
            .len()
    };
    let (won_leads, lost_leads) = (leads(true), leads(false));
    let wins = labels.iter().filter(|label| **label).count();
    let rarer = wins.min(labels.len() - wins);
    let events_per_parameter = rarer as f64 / n_parameters.max(1) as f64;
    let fewer = won_leads.min(lost_leads);
    let numbers = format!(
        "{} won and {} not won, {events_per_parameter:.1} events per variable ({})",
        counted(won_leads, "lead"),
        count(lost_leads),
        counted(n_parameters, "parameter")
    );
    // What is missing, and of which.
    let missing = |wanted: usize| {
        let what = if won_leads <= lost_leads {
            "won"
        } else {
            "not won"
        };
        format!("{} more {what} would change this", count(wanted - fewer))
    };
    let (verdict, reason) = if fewer < MIN_LEADS {
        let until = missing(MIN_LEADS);
        (
            DataVerdict::TooFew,
            format!(
                "{numbers}; at least {MIN_LEADS} of each are needed: {until}, and until then a points score is the better tool"
            ),
        )
    } else if fewer < AMPLE_LEADS {
        let until = missing(AMPLE_LEADS);
        (
            DataVerdict::Thin,
            format!(
                "{numbers}; under {AMPLE_LEADS} of each, weights and rates are uncertain; {until}"
            ),
        )
    } else if events_per_parameter < AMPLE_EVENTS_PER_PARAMETER {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of rows"
        )]
        let more =
            (AMPLE_EVENTS_PER_PARAMETER * n_parameters as f64 - rarer as f64).ceil() as usize;
        (
            DataVerdict::Thin,
            format!(
                "{numbers}; under {AMPLE_EVENTS_PER_PARAMETER}, single weights are uncertain, and the penalty has to hold them; {} of the rarer label would change this",
                counted(more, "more snapshot")
            ),
        )
    } else {
        (DataVerdict::Enough, numbers)
    };
    Sufficiency {
        verdict,
        won_leads,
        lost_leads,
        n_parameters,
        events_per_parameter,
        reason,
    }
}
