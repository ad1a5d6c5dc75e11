//! Whether a caller sees a lead, and its score.

use leadscore_core::printable;

use crate::auth::Caller;
use crate::engine::{Engine, LeadScore};
use crate::problem::{Problem, ProblemKind};

/// Fails, as for a lead that there is not, if the caller must not see it.
pub(crate) fn visible(engine: &dyn Engine, caller: &Caller, lead: &str) -> Result<(), Problem> {
    if caller.owner.is_none() {
        return Ok(());
    }
    match engine.owner(lead) {
        Ok(owner) if caller.sees(owner.as_deref()) => Ok(()),
        Ok(_) | Err(_) => Err(Problem::no_lead(lead)),
    }
}

/// Fails if the caller must not see a score: a token with an owner is that of somebody who works on
/// the leads, and a held-back lead is worked on as if there were no scores.
pub(crate) fn may_see(caller: &Caller, score: &LeadScore) -> Result<(), Problem> {
    if caller.owner.is_none() || !score.held_back {
        return Ok(());
    }
    Err(Problem::new(
        ProblemKind::Forbidden,
        format!(
            "lead `{}` is held back from prioritizing, and its score is not for whoever works on it",
            printable(&score.lead)
        ),
        "work on it in the order in which it came; systems ask with a token without an owner",
    ))
}
