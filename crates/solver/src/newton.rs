//! The descent: Newton on a sample of tiles, then all rows with its frozen factor, then one full Hessian and a certificate.

use std::collections::VecDeque;

use crate::design::{Design, TILE_ROWS};
use crate::error::SolverError;
use crate::factor::{Factor, dot};
use crate::kernel::{self, Hessian, Sums};
use crate::penalty::Penalty;
use crate::separation;
use crate::target::Target;

/// When the descent ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SolverOptions {
    /// Largest absolute entry that the gradient of the mean objective may have, default 1e-9. Numbers should have a
    /// standard deviation about 1, or this means little.
    pub tolerance: f64,
    /// Most passes over all rows, default 200; a fit takes 5 to 15.
    pub max_passes: usize,
    /// Whether to end with the Hessian at the optimum, default yes: without it there is no covariance, and the
    /// certificate speaks of the gradient alone. Fits that only rank penalties do without.
    pub final_hessian: bool,
}

impl Default for SolverOptions {
    fn default() -> Self {
        Self { tolerance: 1e-9, max_passes: 200, final_hessian: true }
    }
}

/// How near the optimum a fit ended, and what it took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Certificate {
    /// Largest absolute entry of the gradient of the mean objective, over all rows in f64.
    pub gradient: f64,
    /// Half the Newton decrement squared, `½ gᵀ H⁻¹ g`: about how far the summed objective lies above its minimum.
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
    /// Factor of the penalised Hessian `H + P`: at the optimum, up to the last step, where a final Hessian was asked for.
    pub factor: Factor,
}

/// Up to this many coefficients, and without a sample, every pass makes a Hessian.
const FEW_COEFFICIENTS: usize = 100;
/// Coefficients that a dense Hessian is made of at most: 3 GB.
const MAX_CORE: usize = 20_000;
/// Pairs of steps and changes of the gradient that directions remember.
const MEMORY: usize = 10;
/// A gradient that has not shrunk to this part of itself over so many steps asks for a new Hessian. A pass with a Hessian
/// costs 4 times one without for fifty numbers, and 40 times for sixty categories.
const POOR_CONTRACTION: f64 = 0.3;
const PATIENCE: usize = 5;
/// Near enough that a Newton step with a fresh Hessian ends below any tolerance asked for.
const NEAR: f64 = 1e-4;

/// Where a descent starts.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// Coefficients, such as those of a neighbouring penalty.
    pub coefficients: &'a [f64],
    /// A Hessian without the penalty, from a point nearby: then no pass need make one.
    pub curvature: Option<&'a Hessian>,
    /// The penalty that the coefficients are the optimum of, if any: with a curvature, the first step then needs no pass.
    pub optimum_of: Option<&'a Penalty>,
}

/// The Hessian of the summed log-loss, without the penalty.
///
/// # Errors
///
/// [`SolverError::Length`] where the coefficients are not the design's.
pub fn curvature(design: &Design, target: &Target, coefficients: &[f64]) -> Result<Hessian, SolverError> {
    if coefficients.len() != design.n_coefficients() {
        return Err(SolverError::Length { what: "coefficients", found: coefficients.len(), expected: design.n_coefficients() });
    }
    Ok(kernel::pass(design, target, coefficients, true).hessian.expect("it was asked for"))
}

/// Minimises `∑ wᵢ [ln(1 + e^ηᵢ) − yᵢ ηᵢ] + ½ βᵀPβ`, where `ηᵢ` is the row's offset plus the intercept plus the coefficients of
/// its numbers and levels.
///
/// # Errors
///
/// [`SolverError::Length`], [`SolverError::TooWide`], [`SolverError::Setting`] for a penalty that ties levels of a column with
/// more than 1,024 of them, [`SolverError::Undetermined`], [`SolverError::Separated`], [`SolverError::NotConverged`].
pub fn fit(design: &Design, target: &Target, penalty: &Penalty, options: SolverOptions, start: Option<Start<'_>>) -> Result<Fit, SolverError> {
    if target.labels.len() != design.n_rows() {
        return Err(SolverError::Length { what: "labels", found: target.labels.len(), expected: design.n_rows() });
    }
    let (q, n_core) = (design.n_coefficients(), design.layout.n_core());
    if n_core > MAX_CORE {
        return Err(SolverError::TooWide { n_coefficients: n_core });
    }
    if !penalty.is_diagonal_from(n_core) && n_core < q {
        return Err(SolverError::Setting { name: "penalty", found: "a block that ties levels of the widest column".to_owned(), expected: "a ridge" });
    }
    let mut coefficients = match start {
        Some(Start { coefficients, .. }) if coefficients.len() == q => coefficients.to_vec(),
        Some(Start { coefficients, .. }) => return Err(SolverError::Length { what: "coefficients to start from", found: coefficients.len(), expected: q }),
        None => {
            let mut coefficients = vec![0.0; q];
            coefficients[0] = (target.won_weight / (target.total_weight - target.won_weight)).ln();
            coefficients
        }
    };
    let mut factor = match start.and_then(|start| start.curvature) {
        Some(curvature) => {
            let mut hessian = curvature.clone();
            penalty.add_hessian(&mut hessian);
            let factor = Factor::of(hessian)?;
            if let Some(former) = start.and_then(|start| start.optimum_of) {
                // Where the former gradient is zero, the new one is the difference of the penalties'.
                let (mut gradient, mut before) = (vec![0.0; q], vec![0.0; q]);
                penalty.add_gradient(&coefficients, &mut gradient);
                former.add_gradient(&coefficients, &mut before);
                add(&mut gradient, -1.0, &before);
                add(&mut coefficients, -1.0, &factor.solve(&gradient));
            }
            Some(factor)
        }
        None => None,
    };
    // A sample is worth its while where it is a small part of the rows and still large for its coefficients.
    let wanted = (20 * n_core).max(design.n_rows() / 20).max(20 * TILE_ROWS);
    let stride = design.n_rows() / wanted;
    if stride >= 2
        && factor.is_none()
        && let Some((sampled, sampled_factor)) = fit_sample(design, target, penalty, stride, &coefficients)
    {
        coefficients = sampled;
        factor = Some(sampled_factor);
    }
    // With few coefficients a Hessian costs little more than a gradient.
    let every_pass = factor.is_none() && n_core <= FEW_COEFFICIENTS;
    let result = Descent { design, target, penalty, options, every_pass }.run(coefficients, factor);
    separation::check(design, target, penalty, result)
}

/// The optimum over every `stride`-th tile, and its factor scaled to all rows.
fn fit_sample(design: &Design, target: &Target, penalty: &Penalty, stride: usize, start: &[f64]) -> Option<(Vec<f64>, Factor)> {
    let (sample, rows) = design.sample(stride);
    let target_of_sample = target.select(&rows)?;
    let share = target_of_sample.total_weight / target.total_weight;
    let penalty = penalty.scaled(share);
    // The sample's optimum is off by far more than this.
    let options = SolverOptions { tolerance: 1e-4, max_passes: 30, final_hessian: false };
    let every_pass = design.layout.n_core() <= FEW_COEFFICIENTS;
    let descent = Descent { design: &sample, target: &target_of_sample, penalty: &penalty, options, every_pass };
    let fit = descent.run(start.to_vec(), None).ok()?;
    Some((fit.coefficients, fit.factor.scaled(1.0 / share)))
}

/// A minimisation in the making.
struct Descent<'a> {
    design: &'a Design,
    target: &'a Target,
    penalty: &'a Penalty,
    options: SolverOptions,
    /// Whether every pass brings a Hessian: Newton's own method, for few rows.
    every_pass: bool,
}

/// What a descent took so far.
#[derive(Default)]
struct Effort {
    iterations: usize,
    passes: usize,
    hessians: usize,
}

/// The objective at a point.
struct Point {
    coefficients: Vec<f64>,
    objective: f64,
    gradient: Vec<f64>,
}

impl Descent<'_> {
    fn run(&self, start: Vec<f64>, factor: Option<Factor>) -> Result<Fit, SolverError> {
        let mut effort = Effort::default();
        let mut factor = factor;
        let with_hessian = self.every_pass || factor.is_none();
        let mut current = self.evaluate(start, with_hessian, &mut factor, &mut effort)?;
        let mut steps: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::new();
        let mut contraction: f64 = 0.5;
        let mut sizes: Vec<f64> = Vec::new();
        // Whether the factor was made at the current point or one step before, near the optimum.
        let mut factor_is_final = self.every_pass;
        let mut factor_is_fresh = with_hessian;
        'descent: loop {
            let size = self.size(&current);
            let is_done = size <= self.options.tolerance;
            if is_done && (factor_is_final || !self.options.final_hessian) {
                let factor = factor.expect("the first pass made one");
                let decrement = 0.5 * dot(&current.gradient, &factor.solve(&current.gradient));
                let condition = if self.options.final_hessian { factor.condition() } else { f64::NAN };
                let Effort { iterations, passes, hessians } = effort;
                let certificate = Certificate { gradient: size, decrement, iterations, passes, hessians, condition, objective: current.objective };
                return Ok(Fit { coefficients: current.coefficients, certificate, factor });
            }
            if !size.is_finite() || effort.passes >= self.options.max_passes {
                return Err(SolverError::NotConverged { passes: effort.passes, gradient: size, tolerance: self.options.tolerance });
            }
            let direction = direction(factor.as_ref().expect("the first pass made one"), &current.gradient, &steps);
            let slope = dot(&direction, &current.gradient);
            sizes.push(size);
            let is_slow = sizes.len().checked_sub(1 + PATIENCE).is_some_and(|before| size > POOR_CONTRACTION * sizes[before]);
            let is_near = self.options.final_hessian && !factor_is_final && 2.0 * size * contraction <= NEAR;
            let with_hessian = self.every_pass || is_slow || is_near;
            let mut length = 1.0;
            let next = loop {
                let coefficients: Vec<f64> = current.coefficients.iter().zip(&direction).map(|(old, step)| old + length * step).collect();
                let next = self.evaluate(coefficients, with_hessian, &mut factor, &mut effort)?;
                // Near the optimum the objective changes by less than its rounding; there the gradient decides.
                let rounding = 1e-12 * current.objective.abs();
                if next.objective <= current.objective + 1e-4 * length * slope + rounding || self.size(&next) < 0.5 * size {
                    break next;
                }
                length *= 0.25;
                if length >= 1e-6 {
                    continue;
                }
                if factor_is_fresh {
                    return Err(SolverError::NotConverged { passes: effort.passes, gradient: size, tolerance: self.options.tolerance });
                }
                // No length will do: the factor is of too far away, or the memory misleads. From here on with a new one.
                current = self.evaluate(current.coefficients, true, &mut factor, &mut effort)?;
                factor_is_fresh = true;
                steps.clear();
                sizes.clear();
                continue 'descent;
            };
            factor_is_fresh = with_hessian;
            effort.iterations += 1;
            contraction = (self.size(&next) / size).min(1.0);
            if with_hessian {
                steps.clear();
                sizes.clear();
                factor_is_final = self.every_pass || self.size(&next) <= NEAR;
            } else {
                let step: Vec<f64> = next.coefficients.iter().zip(&current.coefficients).map(|(new, old)| new - old).collect();
                let change: Vec<f64> = next.gradient.iter().zip(&current.gradient).map(|(new, old)| new - old).collect();
                if dot(&step, &change) > 0.0 {
                    steps.push_back((step, change));
                    if steps.len() > MEMORY {
                        steps.pop_front();
                    }
                }
            }
            current = next;
        }
    }

    /// The objective at a point; with a Hessian, its factor takes the place of the former one.
    fn evaluate(&self, coefficients: Vec<f64>, with_hessian: bool, factor: &mut Option<Factor>, effort: &mut Effort) -> Result<Point, SolverError> {
        effort.passes += 1;
        effort.hessians += usize::from(with_hessian);
        let Sums { loss, mut gradient, hessian } = kernel::pass(self.design, self.target, &coefficients, with_hessian);
        self.penalty.add_gradient(&coefficients, &mut gradient);
        if let Some(mut hessian) = hessian {
            self.penalty.add_hessian(&mut hessian);
            *factor = Some(Factor::of(hessian)?);
        }
        Ok(Point { objective: loss + self.penalty.value(&coefficients), coefficients, gradient })
    }

    /// Largest absolute entry of the gradient of the mean objective.
    fn size(&self, point: &Point) -> f64 {
        let largest = point.gradient.iter().fold(0.0_f64, |largest, slope| if slope.is_nan() { f64::NAN } else { largest.max(slope.abs()) });
        largest / self.target.total_weight
    }
}

/// The step by L-BFGS, with the factor for what it has no memory of.
///
/// # References
///
/// Nocedal and Wright (2006), Numerical Optimization, algorithm 7.4.
fn direction(factor: &Factor, gradient: &[f64], steps: &VecDeque<(Vec<f64>, Vec<f64>)>) -> Vec<f64> {
    let mut q = gradient.to_vec();
    let mut shares = Vec::with_capacity(steps.len());
    for (step, change) in steps.iter().rev() {
        let share = dot(step, &q) / dot(step, change);
        add(&mut q, -share, change);
        shares.push(share);
    }
    let mut direction = factor.solve(&q);
    for ((step, change), share) in steps.iter().zip(shares.iter().rev()) {
        let correction = share - dot(change, &direction) / dot(step, change);
        add(&mut direction, correction, step);
    }
    direction.iter_mut().for_each(|value| *value = -*value);
    direction
}

fn add(to: &mut [f64], factor: f64, from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from);
}
