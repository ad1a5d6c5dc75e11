//! The descent: Newton on a sample of tiles, then all rows with its frozen factor, then one full
//! Hessian and a certificate.

use std::collections::VecDeque;

use crate::design::Design;
use crate::error::SolverError;
use crate::factor::{Factor, add, dot};
use crate::fit::{Certificate, Fit, SolverOptions, Start, begin, sample_of};
use crate::kernel::{self, Sums};
use crate::penalty::Penalty;
use crate::target::Target;

/// Up to this many coefficients, and without a sample, every pass makes a Hessian.
const FEW_COEFFICIENTS: usize = 100;
/// Pairs of steps and changes of the gradient that directions remember.
const MEMORY: usize = 10;
/// A gradient that has not shrunk to this part of itself over so many steps asks for a new Hessian.
/// A pass with a Hessian costs 4 times one without for fifty numbers, and 40 times for sixty
/// categories.
const POOR_CONTRACTION: f64 = 0.3;
const PATIENCE: usize = 5;
/// Near enough that a Newton step with a fresh Hessian ends below any tolerance asked for.
const NEAR: f64 = 1e-4;

/// The optimum of a penalty without corners.
pub(crate) fn fit(
    design: &Design,
    target: &Target,
    penalty: &Penalty,
    options: SolverOptions,
    start: Option<Start<'_>>,
) -> Result<Fit, SolverError> {
    let n_core = design.layout.n_core();
    let (mut coefficients, mut factor) = begin(target, penalty, start, design.n_coefficients())?;
    if factor.is_none()
        && let Some((sampled, sampled_factor)) = fit_sample(design, target, penalty, &coefficients)?
    {
        coefficients = sampled;
        factor = Some(sampled_factor);
    }
    // With few coefficients a Hessian costs little more than a gradient.
    let every_pass = factor.is_none() && n_core <= FEW_COEFFICIENTS;
    let descent = Descent::new(
        penalty,
        options,
        target.total_weight,
        every_pass,
        coefficients,
        factor,
    );
    descent.run(design, target)
}

/// The optimum over a sample, and its factor scaled to all rows.
fn fit_sample(
    design: &Design,
    target: &Target,
    penalty: &Penalty,
    start: &[f64],
) -> Result<Option<(Vec<f64>, Factor)>, SolverError> {
    let Some((sample, target_of_sample)) = sample_of(design, target)? else {
        return Ok(None);
    };
    let share = target_of_sample.total_weight / target.total_weight;
    let penalty = penalty.scaled(share);
    // The sample's optimum is off by far more than this.
    let options = SolverOptions {
        tolerance: 1e-4,
        max_passes: 30,
        final_hessian: false,
    };
    let every_pass = design.layout.n_core() <= FEW_COEFFICIENTS;
    let descent = Descent::new(
        &penalty,
        options,
        target_of_sample.total_weight,
        every_pass,
        start.to_vec(),
        None,
    );
    // A sample that has no optimum says nothing about all rows.
    Ok(descent
        .run(&sample, &target_of_sample)
        .ok()
        .map(|fit| (fit.coefficients, fit.factor.scaled(1.0 / share))))
}

/// A minimisation in the making: says where it wants the objective, is told, and says where next.
pub(crate) struct Descent<'a> {
    penalty: &'a Penalty,
    options: SolverOptions,
    total_weight: f64,
    /// Whether every pass brings a Hessian: Newton's own method, for few rows.
    every_pass: bool,
    /// Whether no pass can bring a Hessian, so that the first factor has to do.
    pub(crate) is_frozen: bool,
    /// Where the objective is wanted.
    pub(crate) trial: Trial,
    /// The best point so far; `None` before the first pass.
    current: Option<Point>,
    factor: Option<Factor>,
    /// Whether the factor was made at the current point or one step before, near the optimum.
    factor_is_final: bool,
    factor_is_fresh: bool,
    steps: VecDeque<(Vec<f64>, Vec<f64>)>,
    contraction: f64,
    /// Gradients since the last Hessian.
    sizes: Vec<f64>,
    effort: Effort,
}

/// A point to be tried.
pub(crate) struct Trial {
    pub(crate) coefficients: Vec<f64>,
    pub(crate) with_hessian: bool,
    kind: TrialKind,
}

enum TrialKind {
    /// The start, or the current point again for a new Hessian.
    Here,
    /// So much of the direction, along which the objective falls with this slope.
    Step {
        direction: Vec<f64>,
        slope: f64,
        length: f64,
    },
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

impl<'a> Descent<'a> {
    pub(crate) fn new(
        penalty: &'a Penalty,
        options: SolverOptions,
        total_weight: f64,
        every_pass: bool,
        start: Vec<f64>,
        factor: Option<Factor>,
    ) -> Self {
        let with_hessian = every_pass || factor.is_none();
        Self {
            penalty,
            options,
            total_weight,
            every_pass,
            is_frozen: false,
            trial: Trial {
                coefficients: start,
                with_hessian,
                kind: TrialKind::Here,
            },
            current: None,
            factor,
            factor_is_final: every_pass,
            factor_is_fresh: with_hessian,
            steps: VecDeque::new(),
            contraction: 0.5,
            sizes: Vec::new(),
            effort: Effort::default(),
        }
    }

    /// To the end, with passes of its own.
    fn run(mut self, design: &Design, target: &Target) -> Result<Fit, SolverError> {
        loop {
            let sums = kernel::pass(
                design,
                target,
                &self.trial.coefficients,
                self.trial.with_hessian,
            )?;
            if let Some(fit) = self.take(sums)? {
                return Ok(fit);
            }
        }
    }

    /// Takes the sums at the trial; `None` where there is another one to be made.
    pub(crate) fn take(&mut self, sums: Sums) -> Result<Option<Fit>, SolverError> {
        let Trial {
            coefficients,
            with_hessian,
            kind,
        } = std::mem::replace(
            &mut self.trial,
            Trial {
                coefficients: Vec::new(),
                with_hessian: false,
                kind: TrialKind::Here,
            },
        );
        let next = self.point(coefficients, sums)?;
        match (kind, self.current.take()) {
            (
                TrialKind::Step {
                    direction,
                    slope,
                    length,
                },
                Some(current),
            ) => {
                let size = self.size(&current);
                // Near the optimum the objective changes by less than its rounding; there the
                // gradient decides.
                let rounding = 1e-12 * current.objective.abs();
                if next.objective <= current.objective + 1e-4 * length * slope + rounding
                    || self.size(&next) < 0.5 * size
                {
                    self.accept(current, next, with_hessian);
                } else {
                    return self.shorten(current, direction, slope, 0.25 * length, with_hessian);
                }
            }
            _ => self.current = Some(next),
        }
        self.advance()
    }

    /// Tries less of a direction; where no length will do, the factor is of too far away, or the
    /// memory misleads: then a Hessian is made at the current point.
    fn shorten(
        &mut self,
        current: Point,
        direction: Vec<f64>,
        slope: f64,
        length: f64,
        with_hessian: bool,
    ) -> Result<Option<Fit>, SolverError> {
        if length >= 1e-6 {
            self.trial = Trial {
                coefficients: along(&current.coefficients, length, &direction),
                with_hessian,
                kind: TrialKind::Step {
                    direction,
                    slope,
                    length,
                },
            };
        } else if self.is_frozen && !self.steps.is_empty() {
            self.steps.clear();
            self.sizes.clear();
            self.current = Some(current);
            return self.advance();
        } else if self.factor_is_fresh || self.is_frozen {
            let size = self.size(&current);
            return Err(SolverError::NotConverged {
                passes: self.effort.passes,
                gradient: size,
                tolerance: self.options.tolerance,
            });
        } else {
            self.trial = Trial {
                coefficients: current.coefficients.clone(),
                with_hessian: true,
                kind: TrialKind::Here,
            };
            self.factor_is_fresh = true;
            self.steps.clear();
            self.sizes.clear();
        }
        self.current = Some(current);
        Ok(None)
    }

    /// Goes on from a point that is better.
    fn accept(&mut self, current: Point, next: Point, with_hessian: bool) {
        self.factor_is_fresh = with_hessian;
        self.effort.iterations += 1;
        self.contraction = (self.size(&next) / self.size(&current)).min(1.0);
        if with_hessian {
            self.steps.clear();
            self.sizes.clear();
            self.factor_is_final = self.every_pass || self.size(&next) <= NEAR;
        } else {
            let step: Vec<f64> = next
                .coefficients
                .iter()
                .zip(&current.coefficients)
                .map(|(new, old)| new - old)
                .collect();
            let change: Vec<f64> = next
                .gradient
                .iter()
                .zip(&current.gradient)
                .map(|(new, old)| new - old)
                .collect();
            if dot(&step, &change) > 0.0 {
                self.steps.push_back((step, change));
                // Where passes are over rows elsewhere, remembering costs nothing beside them.
                if self.steps.len() > MEMORY && !self.is_frozen {
                    self.steps.pop_front();
                }
            }
        }
        self.current = Some(next);
    }

    /// Ends at the current point, or says what to try next.
    fn advance(&mut self) -> Result<Option<Fit>, SolverError> {
        let current = self.current.take().expect("a point was just taken");
        let factor = self.factor.as_ref().expect("the first pass made one");
        let size = self.size(&current);
        let Effort {
            iterations,
            passes,
            hessians,
        } = self.effort;
        if size <= self.options.tolerance && (self.factor_is_final || !self.options.final_hessian) {
            let decrement = 0.5 * dot(&current.gradient, &factor.solve(&current.gradient));
            let condition = if self.options.final_hessian {
                factor.condition()
            } else {
                f64::NAN
            };
            let certificate = Certificate {
                gradient: size,
                decrement,
                iterations,
                passes,
                hessians,
                condition,
                objective: current.objective,
            };
            return Ok(Some(Fit {
                coefficients: current.coefficients,
                certificate,
                factor: self.factor.take().expect("it was there"),
            }));
        }
        if !size.is_finite() || passes >= self.options.max_passes {
            return Err(SolverError::NotConverged {
                passes,
                gradient: size,
                tolerance: self.options.tolerance,
            });
        }
        let direction = direction(factor, &current.gradient, &self.steps);
        let slope = dot(&direction, &current.gradient);
        self.sizes.push(size);
        let is_slow = self
            .sizes
            .len()
            .checked_sub(1 + PATIENCE)
            .is_some_and(|before| size > POOR_CONTRACTION * self.sizes[before]);
        let is_near = self.options.final_hessian
            && !self.factor_is_final
            && 2.0 * size * self.contraction <= NEAR;
        let with_hessian = !self.is_frozen && (self.every_pass || is_slow || is_near);
        let coefficients = along(&current.coefficients, 1.0, &direction);
        self.trial = Trial {
            coefficients,
            with_hessian,
            kind: TrialKind::Step {
                direction,
                slope,
                length: 1.0,
            },
        };
        self.current = Some(current);
        Ok(None)
    }

    /// The objective at a point; with a Hessian, its factor takes the place of the former one.
    fn point(&mut self, coefficients: Vec<f64>, sums: Sums) -> Result<Point, SolverError> {
        let Sums {
            loss,
            mut gradient,
            hessian,
        } = sums;
        self.effort.passes += 1;
        self.effort.hessians += usize::from(hessian.is_some());
        self.penalty.add_gradient(&coefficients, &mut gradient);
        if let Some(mut hessian) = hessian {
            self.penalty.add_hessian(&mut hessian);
            self.factor = Some(Factor::of(hessian)?);
        }
        Ok(Point {
            objective: loss + self.penalty.value(&coefficients),
            coefficients,
            gradient,
        })
    }

    /// Largest absolute entry of the gradient of the mean objective.
    fn size(&self, point: &Point) -> f64 {
        let largest = point.gradient.iter().fold(0.0_f64, |largest, slope| {
            if slope.is_nan() {
                f64::NAN
            } else {
                largest.max(slope.abs())
            }
        });
        largest / self.total_weight
    }
}

fn along(from: &[f64], length: f64, direction: &[f64]) -> Vec<f64> {
    from.iter()
        .zip(direction)
        .map(|(old, step)| old + length * step)
        .collect()
}

/// The step by L-BFGS, with the factor for what it has no memory of.
///
/// # References
///
/// Nocedal and Wright (2006), Numerical Optimization, algorithm 7.4.
fn direction(
    factor: &Factor,
    gradient: &[f64],
    steps: &VecDeque<(Vec<f64>, Vec<f64>)>,
) -> Vec<f64> {
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
