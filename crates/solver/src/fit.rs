//! What a fit is given and what it gives: options, where it starts, the optimum and its certificate.

use crate::design::Design;
use crate::error::SolverError;
use crate::factor::{Factor, add};
use crate::hessian::Hessian;
use crate::kernel::{self, Sums};
use crate::layout::TILE_ROWS;
use crate::penalty::Penalty;
use crate::target::Target;

/// When the descent ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SolverOptions {
    /// Largest absolute entry that the gradient of the mean objective may have, default 1e-9.
    /// Numbers should have a standard deviation about 1, or this means little.
    pub tolerance: f64,
    /// Most passes over all rows, default 200; a fit takes 5 to 15.
    pub max_passes: usize,
    /// Whether to end with the Hessian at the optimum, default yes: without it there is no
    /// covariance, and the certificate speaks of the gradient alone. Fits that only rank penalties
    /// do without.
    pub final_hessian: bool,
}

impl Default for SolverOptions {
    fn default() -> Self {
        Self {
            tolerance: 1e-9,
            max_passes: 200,
            final_hessian: true,
        }
    }
}

/// How near the optimum a fit ended, and what it took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Certificate {
    /// Largest absolute entry of the gradient of the mean objective, over all rows in f64.
    pub gradient: f64,
    /// Half the Newton decrement squared, `½ gᵀ H⁻¹ g`: about how far the summed objective lies
    /// above its minimum.
    pub decrement: f64,
    /// Steps over all rows.
    pub iterations: usize,
    /// Passes over all rows, those with a Hessian among them; those over samples are not counted.
    pub passes: usize,
    /// Passes with a Hessian.
    pub hessians: usize,
    /// Condition of the penalised Hessian scaled to a diagonal of ones.
    pub condition: f64,
    /// Summed log-loss plus penalty.
    pub objective: f64,
}

/// The optimum.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Intercept, numbers, levels, as in [`Design`].
    pub coefficients: Vec<f64>,
    /// How near the optimum it is.
    pub certificate: Certificate,
    /// Factor of the penalised Hessian `H + P`: at the optimum, up to the last step, where a final
    /// Hessian was asked for.
    pub factor: Factor,
}

/// Where a descent starts.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// At these coefficients, such as those of a neighbouring penalty.
    At(&'a [f64]),
    /// Where the quadratic that touches the log-loss at a point nearby has its optimum: then no
    /// pass need make a Hessian.
    Near(&'a Expansion),
}

/// The summed log-loss up to its second derivatives at a point, without a penalty.
#[derive(Debug, Clone, PartialEq)]
pub struct Expansion {
    coefficients: Vec<f64>,
    loss: f64,
    gradient: Vec<f64>,
    hessian: Hessian,
}

impl Expansion {
    /// Where it touches the log-loss.
    pub(crate) fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// The summed log-loss there.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// Its gradient there, `(n_coefficients,)`.
    pub fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    /// Its second derivatives there, of these coefficients with those, `(rows, columns)`; none of a
    /// wide column.
    pub fn hessian(&self, rows: &[usize], columns: &[usize]) -> ndarray::Array2<f64> {
        ndarray::Array2::from_shape_fn((rows.len(), columns.len()), |(row, column)| {
            self.hessian.core[[rows[row], columns[column]]]
        })
    }
}

/// Expands the summed log-loss at these coefficients, in one pass; any number of penalties may
/// begin there.
///
/// # Errors
///
/// [`SolverError::Length`] where the coefficients are not the design's, or the labels not its
/// rows'.
pub fn expand(
    design: &Design,
    target: &Target,
    coefficients: &[f64],
) -> Result<Expansion, SolverError> {
    check(design, target, &Penalty::none())?;
    if coefficients.len() != design.n_coefficients() {
        return Err(SolverError::Length {
            what: "coefficients",
            found: coefficients.len(),
            expected: design.n_coefficients(),
        });
    }
    let Sums {
        loss,
        gradient,
        hessian,
    } = kernel::pass(design, target, coefficients, true)?;
    Ok(Expansion {
        coefficients: coefficients.to_vec(),
        loss,
        gradient,
        hessian: hessian.expect("it was asked for"),
    })
}

/// Coefficients that a dense Hessian is made of at most: 3 GB.
const MAX_CORE: usize = 20_000;
/// Whether the sizes of design, labels and penalty go together.
pub(crate) fn check(
    design: &Design,
    target: &Target,
    penalty: &Penalty,
) -> Result<(), SolverError> {
    if target.labels.len() != design.n_rows() {
        return Err(SolverError::Length {
            what: "labels",
            found: target.labels.len(),
            expected: design.n_rows(),
        });
    }
    let n_core = design.layout.n_core();
    if n_core > MAX_CORE {
        return Err(SolverError::TooWide {
            n_coefficients: n_core,
        });
    }
    if !penalty.is_diagonal_from(n_core) && n_core < design.n_coefficients() {
        return Err(SolverError::Setting {
            name: "penalty",
            found: "a block that ties levels of the widest column".to_owned(),
            expected: "a ridge",
        });
    }
    Ok(())
}

/// Coefficients to begin with, and a factor where the start brings one.
pub(crate) fn begin(
    target: &Target,
    penalty: &Penalty,
    start: Option<Start<'_>>,
    q: usize,
) -> Result<(Vec<f64>, Option<Factor>), SolverError> {
    let mut coefficients = match start {
        Some(Start::At(coefficients)) => coefficients.to_vec(),
        Some(Start::Near(expansion)) => expansion.coefficients.clone(),
        None => {
            let mut coefficients = vec![0.0; q];
            coefficients[0] = target.log_odds_of_rate();
            coefficients
        }
    };
    if coefficients.len() != q {
        return Err(SolverError::Length {
            what: "coefficients to start from",
            found: coefficients.len(),
            expected: q,
        });
    }
    let Some(Start::Near(Expansion {
        gradient, hessian, ..
    })) = start
    else {
        return Ok((coefficients, None));
    };
    let (mut gradient, mut hessian) = (gradient.clone(), hessian.clone());
    penalty.add_gradient(&coefficients, &mut gradient);
    penalty.add_hessian(&mut hessian);
    let factor = Factor::of(hessian)?;
    add(&mut coefficients, -1.0, &factor.solve(&gradient));
    Ok((coefficients, Some(factor)))
}

/// Rows of a sample that more rows would not make a better start.
const LARGEST_SAMPLE: usize = 1_000_000;

/// Tiles that are worth a fit of their own before that of all rows: a small part of them, and still
/// many for their coefficients.
pub(crate) fn sample_of(
    design: &Design,
    target: &Target,
) -> Result<Option<(Design, Target)>, SolverError> {
    let wanted = (design.n_rows() / 20)
        .min(LARGEST_SAMPLE)
        .max(20 * design.layout.n_core())
        .max(20 * TILE_ROWS);
    let stride = design.n_rows() / wanted;
    if stride < 2 {
        return Ok(None);
    }
    let (sample, rows) = design.sample(stride)?;
    Ok(target.select(&rows).map(|target| (sample, target)))
}
