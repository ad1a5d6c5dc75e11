//! The last fit over rows that stay where they are, of which the ones at hand are a sample.

use leadscore_core::{Timestamp, count, counted};
use leadscore_inference::{CellCount, Reading};
use leadscore_solver::{Fit, SolverOptions, Target, fit_elsewhere};

use crate::error::{Elsewhere, TrainError};
use crate::fitting::Fitted;

/// All rows, wherever they are; those that training is given are a sample of them, whole leads.
///
/// Everything that is chosen or measured is so by the sample: bins and levels, shape and strengths,
/// the held-out rows, tier edges, and how far coefficients may be off. The coefficients themselves
/// are the optimum over all rows.
pub trait Population {
    /// Codes every row by these readings; called once, before any pass.
    ///
    /// # Errors
    ///
    /// Whatever went wrong there.
    fn code(&mut self, readings: &[Reading]) -> Result<Totals, Elsewhere>;

    /// Over all rows, the summed log-loss at these coefficients and its gradient, in their order.
    ///
    /// # Errors
    ///
    /// Whatever went wrong there.
    fn pass(&mut self, coefficients: &[f64]) -> Result<(f64, Vec<f64>), Elsewhere>;
}

/// What all rows hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Leads.
    pub n_leads: u64,
    /// When the first row is.
    pub first: Timestamp,
    /// When the last one is.
    pub last: Timestamp,
    /// Rows that read each coefficient, one entry a coefficient; that of the intercept are all
    /// rows. Those of numbers but [`leadscore_inference::ReadingRule::Missing`] are not looked at.
    pub counts: Vec<CellCount>,
}

impl Totals {
    /// All rows.
    pub fn all(&self) -> CellCount {
        self.counts.first().copied().unwrap_or_default()
    }
}

/// The optimum over all rows, from a fit over the sample.
pub(crate) fn fit_all(
    mut fitted: Fitted,
    labels: &[bool],
    population: &mut dyn Population,
) -> Result<(Fitted, Totals), TrainError> {
    let (_, design) = fitted
        .native
        .take()
        .expect("linfa's solver is refused before");
    let totals = population
        .code(&fitted.encoding.readings())
        .map_err(TrainError::Elsewhere)?;
    let CellCount { n_rows, n_wins } = totals.all();
    if n_wins == 0 || n_wins == n_rows {
        return Err(TrainError::OneClass {
            label: n_wins > 0,
            n_rows: whole(n_rows),
        });
    }
    let target = Target::new(labels, None, None)?;
    let pass = |coefficients: &[f64]| population.pass(coefficients).map_err(TrainError::Elsewhere);
    let fit: Fit = fit_elsewhere(
        (&design, &target),
        &fitted.penalty,
        SolverOptions::default(),
        &fitted.coefficients,
        n_rows as f64,
        pass,
    )?;
    fitted.ending = format!(
        "native solver, {} over {} where they are, largest mean gradient {:.1e}, by the curvature of {} here",
        counted(fit.certificate.passes, "pass"),
        counted(n_rows, "snapshot"),
        fit.certificate.gradient,
        count(labels.len())
    );
    fitted.coefficients.clone_from(&fit.coefficients);
    fitted.native = Some((fit, design));
    Ok((fitted, totals))
}

/// A count as a number of things in memory.
pub(crate) fn whole(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
