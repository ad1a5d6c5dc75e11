//! Whether a caller sees a lead.

use crate::auth::Caller;
use crate::engine::Engine;
use crate::problem::Problem;

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
