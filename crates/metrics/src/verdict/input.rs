//! What is judged: probabilities whose labels are known, and what the model does not know.

use crate::clusters::Clusters;

/// Rows whose probabilities are judged; one entry a row in every slice.
#[derive(Clone, Copy)]
pub struct VerdictInput<'a> {
    /// Whether each row was won in its window.
    pub labels: &'a [bool],
    /// The probability of each.
    pub probabilities: &'a [f64],
    /// Which rows are no independent ones.
    pub clusters: &'a Clusters,
    /// The tier of each row, 0 for the best.
    pub tiers: &'a [usize],
    /// Names of the tiers, best first.
    pub tier_names: &'a [&'a str],
    /// The period of each row, from 0; empty where there are none.
    pub periods: &'a [u32],
    /// Names of the periods, in order.
    pub period_names: &'a [String],
    /// What the model itself does not know: see [`SumCovariance`].
    pub uncertainty: Option<&'a SumCovariance<'a>>,
}

/// The covariance of weighted sums of the model's probabilities, `Σᵢ wₖᵢ pᵢ`, by the uncertainty of
/// its weights.
///
/// It gets the number of sums and a function that says, for a row, the sums that it is in with its
/// weight in each; it returns the covariance row by row, or `None` where the model does not know
/// its uncertainty.
pub type SumCovariance<'a> = dyn Fn(usize, &RowWeights<'_>) -> Option<Vec<f64>> + 'a;

/// For a row, calls the second argument with each sum that it is in and its weight there.
pub type RowWeights<'a> = dyn Fn(usize, &mut dyn FnMut(usize, f64)) + 'a;
