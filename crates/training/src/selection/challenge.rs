//! A richer candidate against a simpler one, on the same rows.

use leadscore_inference::{Alternative, Challenge};
use leadscore_metrics::PairedDifference;

/// Standard errors by which a richer candidate has to be better.
pub(super) const TWO_ERRORS: f64 = 1.96;

/// Whether a loss is lower by more than so many standard errors.
pub(super) fn is_lower(difference: &PairedDifference, margin: f64) -> bool {
    difference.mean + margin * difference.error < 0.0
}

/// A step that was tried.
pub(super) fn challenge(
    (richer, simpler): (Alternative, Alternative),
    difference: &PairedDifference,
    is_better: bool,
    margin: f64,
    clusters: &[u64],
) -> Challenge {
    Challenge {
        shipped: if is_better {
            richer.clone()
        } else {
            simpler.clone()
        },
        richer,
        simpler,
        log_loss_difference: difference.mean,
        low: difference.mean - 1.96 * difference.error,
        high: difference.mean + 1.96 * difference.error,
        n_snapshots: clusters.len() as u64,
        reason: reason(difference, is_better, margin),
    }
}

/// What decided, in words.
fn reason(difference: &PairedDifference, is_better: bool, margin: f64) -> String {
    let errors = if margin > 1.0 {
        "two standard errors"
    } else {
        "one standard error"
    };
    let by = format!("{:+.5} ± {:.5} log-loss", difference.mean, difference.error);
    if is_better {
        format!("better by more than {errors} ({by})")
    } else {
        format!("not better by more than {errors} ({by}), so the simpler one ships")
    }
}
