//! One concept at two times: its mean, its distribution, and how sure both are.

use serde::{Deserialize, Serialize};

use super::DriftOptions;
use super::population::{Resemblance, distance, resemblance};
use super::side::Side;
use crate::chance::{t_above, t_quantile_above};

/// A concept at two times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConceptDrift {
    /// Its name.
    pub name: String,
    /// What it comes to.
    #[serde(flatten)]
    pub kind: DriftKind,
    /// Mean log-odds now less those at reference; NaN where one side has none.
    pub shift: f64,
    /// Its standard error, by cluster.
    pub shift_error: f64,
    /// Mean absolute change of log-odds from quantile to quantile (the Wasserstein distance): at
    /// least `|shift|`, and more where the shape changed.
    pub distance: f64,
    /// Population stability index over tenths of the reference.
    pub psi: f64,
    /// What the index must exceed to be beyond its tolerance at 5 %, for this concept alone.
    pub psi_critical: f64,
    /// Chance of a change as large as one of both where it is no larger than the tolerance.
    pub p: f64,
    /// A change of the mean, in log-odds, that is found half of the time.
    pub detectable: f64,
    /// Effective rows at reference and now.
    pub n_effective: (f64, f64),
    /// Share of rows without a number at reference and now.
    pub missing: (f64, f64),
}

/// What a concept did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DriftKind {
    /// No change that matters, or none beyond chance.
    Same,
    /// Likelihoods are higher or lower by it than they were.
    MovedInLevel,
    /// Its distribution changed, and with it the likelihoods of some leads.
    MovedInShape,
    /// There are too few rows to see a change that matters.
    CannotTellTooFew,
    /// Only today's rows have it.
    CannotTellNew,
    /// Only the reference has it.
    CannotTellGone,
}

impl DriftKind {
    /// Whether it has moved.
    pub fn is_moved(self) -> bool {
        match self {
            Self::MovedInLevel | Self::MovedInShape => true,
            Self::Same | Self::CannotTellTooFew | Self::CannotTellNew | Self::CannotTellGone => {
                false
            }
        }
    }
}

/// The figures of a concept before all of them are judged together.
pub(super) struct Figures {
    name: String,
    pub(super) sides: Sides,
    pub(super) shift: f64,
    shift_error: f64,
    pub(super) distance: f64,
    psi: f64,
    psi_critical: f64,
    pub(super) level_p: f64,
    pub(super) shape_p: f64,
    /// Of the level and the shape together.
    pub(super) p: f64,
    pub(super) detectable: f64,
    pub(super) n_effective: (f64, f64),
    /// The fewer clusters of the two sides.
    pub(super) n_clusters: usize,
    missing: (f64, f64),
}

/// Which sides have a concept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sides {
    Both,
    OnlyReference,
    OnlyCurrent,
}

/// The figures of a concept; a side that lacks it is `None`.
pub(super) fn figures_of(
    name: &str,
    reference: Option<&Side>,
    current: Option<&Side>,
    options: &DriftOptions,
) -> Figures {
    let missing = |side: Option<&Side>| side.map_or(1.0, |side| side.missing);
    let nothing = Figures {
        name: name.to_owned(),
        sides: Sides::Both,
        shift: f64::NAN,
        shift_error: f64::NAN,
        distance: f64::NAN,
        psi: f64::NAN,
        psi_critical: f64::NAN,
        level_p: 1.0,
        shape_p: 1.0,
        p: 1.0,
        detectable: f64::INFINITY,
        n_effective: (0.0, 0.0),
        n_clusters: 0,
        missing: (missing(reference), missing(current)),
    };
    let (reference, current) = match (reference, current) {
        (Some(reference), Some(current)) => (reference, current),
        (Some(_), None) => {
            return Figures {
                sides: Sides::OnlyReference,
                ..nothing
            };
        }
        (None, Some(_) | None) => {
            return Figures {
                sides: Sides::OnlyCurrent,
                ..nothing
            };
        }
    };
    if reference.sorted.is_empty() || current.sorted.is_empty() {
        return nothing;
    }
    let shift = current.mean - reference.mean;
    let Level {
        p: level_p,
        error: shift_error,
        detectable,
    } = level(reference, current, shift, options);
    let Resemblance {
        psi,
        critical: psi_critical,
        p: shape_p,
        n_effective,
    } = resemblance(reference, current, options.psi_tolerance);
    let distance = distance(&reference.sorted, &current.sorted);
    // A shape that moves no likelihood is no find, whatever its index.
    let shape_p = if distance > options.tolerance {
        shape_p
    } else {
        1.0
    };
    Figures {
        shift,
        shift_error,
        distance,
        psi,
        psi_critical,
        level_p,
        shape_p,
        p: (2.0 * level_p.min(shape_p)).min(1.0),
        detectable,
        n_effective,
        n_clusters: reference.n_clusters().min(current.n_clusters()),
        ..nothing
    }
}

struct Level {
    p: f64,
    error: f64,
    detectable: f64,
}

/// Whether the mean has moved by more than the tolerance.
fn level(reference: &Side, current: &Side, shift: f64, options: &DriftOptions) -> Level {
    let variances = [reference.error.powi(2), current.error.powi(2)];
    let error = (variances[0] + variances[1]).sqrt();
    let beyond = shift.abs() - options.tolerance;
    if error.is_infinite() {
        return Level {
            p: 1.0,
            error,
            detectable: error,
        };
    }
    if error <= 0.0 {
        return Level {
            p: if beyond > 0.0 { 0.0 } else { 1.0 },
            error,
            detectable: options.tolerance,
        };
    }
    // Welch and Satterthwaite, over effective clusters.
    let freedom = |side: &Side| (side.n_effective_clusters - 1.0).max(1.0);
    let freedom = error.powi(4)
        / (variances[0].powi(2) / freedom(reference) + variances[1].powi(2) / freedom(current));
    let p = t_above(beyond / error, freedom)
        + t_above((shift.abs() + options.tolerance) / error, freedom);
    Level {
        p: p.min(1.0),
        error,
        detectable: options.tolerance + error * t_quantile_above(0.025, freedom),
    }
}

impl Figures {
    pub(super) fn into_drift(self, kind: DriftKind) -> ConceptDrift {
        ConceptDrift {
            name: self.name,
            kind,
            shift: self.shift,
            shift_error: self.shift_error,
            distance: self.distance,
            psi: self.psi,
            psi_critical: self.psi_critical,
            p: self.p,
            detectable: self.detectable,
            n_effective: self.n_effective,
            missing: self.missing,
        }
    }
}
