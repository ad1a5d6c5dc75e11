//! Fits of penalties with corners: proximal Newton steps, each a quadratic with corners that an
//! active set solves exactly.

use std::ops::Range;

use ndarray::Array2;

use crate::design::Design;
use crate::error::SolverError;
use crate::factor::{Factor, dot};
use crate::fit::{Certificate, Fit, SolverOptions, Start, begin, sample_of};
use crate::hessian::Hessian;
use crate::kernel;
use crate::penalty::{Direction, Penalty};
use crate::target::Target;

/// The optimum of a penalty with a lasso or a direction.
///
/// Where a direction ties levels, the problem is one of their steps, which have a sign: `βₖ = θ₁ +
/// … + θₖ`. Then every corner is at a coordinate's 0.
///
/// # References
///
/// Lee, Sun and Saunders (2014), Proximal Newton-type methods for minimizing composite functions.
/// Active sets: Nocedal and Wright (2006), Numerical Optimization, section 16.5.
pub(crate) fn fit(
    design: &Design,
    target: &Target,
    penalty: &Penalty,
    options: SolverOptions,
    start: Option<Start<'_>>,
) -> Result<Fit, SolverError> {
    if design.layout.wide.is_some() {
        let found = "one beside a category of more than 1,024 levels".to_owned();
        return Err(SolverError::Setting {
            name: "lasso or direction",
            found,
            expected: "categories of up to 1,024 levels",
        });
    }
    let start = match start {
        Some(Start::Near(expansion)) => Some(Start::At(expansion.coefficients())),
        start => start,
    };
    let (mut coefficients, _) = begin(target, penalty, start, design.n_coefficients())?;
    if let Some((sample, target_of_sample)) = sample_of(design, target)? {
        let share = target_of_sample.total_weight / target.total_weight;
        let options = SolverOptions {
            tolerance: 1e-4,
            max_passes: 30,
            final_hessian: false,
        };
        if let Ok(fitted) = descend(
            &sample,
            &target_of_sample,
            &penalty.scaled(share),
            options,
            &coefficients,
        ) {
            coefficients = fitted.coefficients;
        }
    }
    descend(design, target, penalty, options, &coefficients)
}

/// Proximal Newton steps from here to the optimum.
fn descend(
    design: &Design,
    target: &Target,
    penalty: &Penalty,
    options: SolverOptions,
    start: &[f64],
) -> Result<Fit, SolverError> {
    let mut descent = Descent {
        design,
        target,
        penalty,
        corners: Corners::new(penalty, start.len())?,
        passes: 0,
    };
    let mut current = descent.evaluate(descent.corners.steps(start))?;
    let mut iterations = 0;
    loop {
        let not_converged = SolverError::NotConverged {
            passes: current.passes,
            gradient: current.size,
            tolerance: options.tolerance,
        };
        if current.size <= options.tolerance {
            return current.finish(&descent.corners, iterations);
        }
        if !current.size.is_finite() || current.passes >= options.max_passes {
            return Err(not_converged);
        }
        current = descent.step(&current)?.ok_or(not_converged)?;
        iterations += 1;
    }
}

/// A descent by passes over all rows, each with a Hessian.
struct Descent<'a> {
    design: &'a Design,
    target: &'a Target,
    penalty: &'a Penalty,
    corners: Corners,
    passes: usize,
}

impl Descent<'_> {
    /// The objective at these coordinates, in one pass.
    fn evaluate(&mut self, theta: Vec<f64>) -> Result<Point, SolverError> {
        self.passes += 1;
        let corners = &self.corners;
        let coefficients = corners.levels(&theta);
        let mut sums = kernel::pass(self.design, self.target, &coefficients, true)?;
        self.penalty.add_gradient(&coefficients, &mut sums.gradient);
        let mut hessian = sums.hessian.take().expect("it was asked for");
        self.penalty.add_hessian(&mut hessian);
        let objective = sums.loss + self.penalty.value(&coefficients);
        let gradient = corners.gradient(sums.gradient);
        Ok(Point {
            size: corners
                .rest(&theta, &gradient)
                .into_iter()
                .fold(0.0, f64::max)
                / self.target.total_weight,
            theta,
            objective,
            gradient,
            hessian,
            passes: self.passes,
        })
    }

    /// The next point, on the way to the optimum of the quadratic with corners; `None` where no
    /// length will do.
    fn step(&mut self, current: &Point) -> Result<Option<Point>, SolverError> {
        let best = solve(
            &self.corners.hessian(&current.hessian.core),
            &current.gradient,
            &current.theta,
            &self.corners.corners,
        )?;
        let step: Vec<f64> = best
            .iter()
            .zip(&current.theta)
            .map(|(new, old)| new - old)
            .collect();
        let gain = dot(&current.gradient, &step) + self.corners.cost(&best)
            - self.corners.cost(&current.theta);
        let mut length = 1.0;
        loop {
            // At full length what stands at a corner stands there exactly.
            let theta = if length == 1.0 {
                best.clone()
            } else {
                current
                    .theta
                    .iter()
                    .zip(&step)
                    .map(|(old, step)| old + length * step)
                    .collect()
            };
            let next = self.evaluate(theta)?;
            let rounding = 1e-12 * current.objective.abs();
            if next.objective <= current.objective + 1e-4 * length * gain + rounding
                || next.size < 0.5 * current.size
            {
                return Ok(Some(next));
            }
            length *= 0.25;
            if length < 1e-6 {
                return Ok(None);
            }
        }
    }
}

struct Point {
    theta: Vec<f64>,
    objective: f64,
    /// In the coordinates of `theta`.
    gradient: Vec<f64>,
    /// Of the coefficients, with the penalty's quadratic part.
    hessian: Hessian,
    /// Largest slope of the mean objective that no corner holds.
    size: f64,
    passes: usize,
}

/// How much stiffer than its own curvature a coordinate is held that stands at its corner.
const STIFF: f64 = 1e6;

impl Point {
    /// The covariance is that of the coordinates that no corner holds; the others are held there.
    fn finish(self, corners: &Corners, iterations: usize) -> Result<Fit, SolverError> {
        let transformed = corners.hessian(&self.hessian.core);
        let is_held = |idx: &usize| corners.corners[*idx].is_some() && self.theta[*idx] == 0.0;
        let free: Vec<usize> = (0..self.theta.len()).filter(|idx| !is_held(idx)).collect();
        let free_factor = Factor::new(select(&transformed, &free))?;
        let rest = corners.rest(&self.theta, &self.gradient);
        let rest: Vec<f64> = free.iter().map(|&idx| rest[idx]).collect();
        let mut core = self.hessian.core;
        for idx in (0..self.theta.len()).filter(is_held) {
            let stiffness = STIFF * transformed[[idx, idx]].max(f64::MIN_POSITIVE);
            core[[idx, idx]] += stiffness;
            if corners.follows(idx) {
                core[[idx - 1, idx - 1]] += stiffness;
                core[[idx, idx - 1]] -= stiffness;
                core[[idx - 1, idx]] -= stiffness;
            }
        }
        let certificate = Certificate {
            gradient: self.size,
            decrement: 0.5 * dot(&rest, &free_factor.solve(&rest)),
            iterations,
            passes: self.passes,
            hessians: self.passes,
            condition: free_factor.condition(),
            objective: self.objective,
        };
        Ok(Fit {
            coefficients: corners.levels(&self.theta),
            certificate,
            factor: Factor::new(core)?,
        })
    }
}

/// What a coordinate costs on either side of 0, for each unit; infinite where it may not go.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Corner {
    above: f64,
    below: f64,
}

/// The coordinates in which all corners stand at 0.
struct Corners {
    corners: Vec<Option<Corner>>,
    /// Levels of which all but the first are steps.
    ladders: Vec<Range<usize>>,
}

impl Corners {
    fn new(penalty: &Penalty, n_coefficients: usize) -> Result<Self, SolverError> {
        let mut corners = vec![None; n_coefficients];
        for (range, strength) in &penalty.lassos {
            for corner in &mut corners[range.clone()] {
                let Corner { above, below } = corner.unwrap_or(Corner {
                    above: 0.0,
                    below: 0.0,
                });
                *corner = Some(Corner {
                    above: above + strength,
                    below: below + strength,
                });
            }
        }
        let mut ladders: Vec<Range<usize>> = Vec::new();
        for (range, direction) in &penalty.directions {
            let is_taken = ladders
                .iter()
                .any(|ladder| ladder.start < range.end && range.start < ladder.end);
            if range.len() > 1 && (is_taken || corners[range.clone()].iter().any(Option::is_some)) {
                let found = format!("several on the coefficients {range:?}");
                return Err(SolverError::Setting {
                    name: "lasso or direction",
                    found,
                    expected: "one direction, and no lasso, where levels have an order",
                });
            }
            let steps = if range.len() > 1 {
                range.start + 1..range.end
            } else {
                range.clone()
            };
            for corner in &mut corners[steps] {
                let Corner { above, below } = corner.unwrap_or(Corner {
                    above: 0.0,
                    below: 0.0,
                });
                *corner = Some(match direction {
                    Direction::Increasing => Corner {
                        above,
                        below: f64::INFINITY,
                    },
                    Direction::Decreasing => Corner {
                        above: f64::INFINITY,
                        below,
                    },
                });
            }
            if range.len() > 1 {
                ladders.push(range.clone());
            }
        }
        Ok(Self { corners, ladders })
    }

    /// Whether a coordinate is a step from the one before.
    fn follows(&self, idx: usize) -> bool {
        self.ladders
            .iter()
            .any(|ladder| ladder.start < idx && idx < ladder.end)
    }

    /// Coordinates of coefficients, moved to where they may be.
    fn steps(&self, coefficients: &[f64]) -> Vec<f64> {
        let mut theta = coefficients.to_vec();
        for ladder in &self.ladders {
            for idx in ladder.clone().skip(1) {
                theta[idx] = coefficients[idx] - coefficients[idx - 1];
            }
        }
        for (theta, corner) in theta.iter_mut().zip(&self.corners) {
            if let Some(Corner { above, below }) = corner
                && ((*theta > 0.0 && above.is_infinite()) || (*theta < 0.0 && below.is_infinite()))
            {
                *theta = 0.0;
            }
        }
        theta
    }

    /// Coefficients of coordinates.
    fn levels(&self, theta: &[f64]) -> Vec<f64> {
        let mut coefficients = theta.to_vec();
        for ladder in &self.ladders {
            for idx in ladder.clone().skip(1) {
                coefficients[idx] += coefficients[idx - 1];
            }
        }
        coefficients
    }

    /// The gradient by coordinates, of that by coefficients: a step moves all levels from its own
    /// on.
    fn gradient(&self, mut gradient: Vec<f64>) -> Vec<f64> {
        for ladder in &self.ladders {
            for idx in ladder.clone().skip(1).rev() {
                gradient[idx - 1] += gradient[idx];
            }
        }
        gradient
    }

    fn hessian(&self, core: &Array2<f64>) -> Array2<f64> {
        let mut hessian = core.clone();
        for ladder in &self.ladders {
            for idx in ladder.clone().skip(1).rev() {
                let row = hessian.row(idx).to_owned();
                hessian.row_mut(idx - 1).scaled_add(1.0, &row);
                let column = hessian.column(idx).to_owned();
                hessian.column_mut(idx - 1).scaled_add(1.0, &column);
            }
        }
        hessian
    }

    /// What the corners cost.
    fn cost(&self, theta: &[f64]) -> f64 {
        let cost = |(theta, corner): (&f64, &Option<Corner>)| match corner {
            Some(Corner { above, .. }) if *theta > 0.0 => above * theta,
            Some(Corner { below, .. }) if *theta < 0.0 => -below * theta,
            _ => 0.0,
        };
        theta.iter().zip(&self.corners).map(cost).sum()
    }

    /// Slopes that no corner holds, in absolute terms.
    fn rest(&self, theta: &[f64], gradient: &[f64]) -> Vec<f64> {
        let rest = |((theta, slope), corner): ((&f64, &f64), &Option<Corner>)| match corner {
            None => slope.abs(),
            Some(Corner { above, .. }) if *theta > 0.0 => (slope + above).abs(),
            Some(Corner { below, .. }) if *theta < 0.0 => (slope - below).abs(),
            Some(Corner { above, below }) => (-slope - above).max(slope - below).max(0.0),
        };
        theta
            .iter()
            .zip(gradient)
            .zip(&self.corners)
            .map(rest)
            .collect()
    }
}

/// Where a coordinate stands while a quadratic is solved.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    Free,
    Above(f64),
    Below(f64),
    AtCorner,
}

/// Rounds in which every coordinate that gains by leaving its corner does so; after them one at a
/// time, which ends surely.
const QUICK_ROUNDS: usize = 30;

/// The optimum of `gᵀ(z − θ) + ½ (z − θ)ᵀ H (z − θ)` plus what the corners cost.
fn solve(
    hessian: &Array2<f64>,
    gradient: &[f64],
    theta: &[f64],
    corners: &[Option<Corner>],
) -> Result<Vec<f64>, SolverError> {
    let mut active = ActiveSet::new(hessian, gradient, theta, corners);
    let n = theta.len();
    for round in 0..QUICK_ROUNDS + 20 * n {
        if active.moves_to_corner()? {
            continue;
        }
        let leaving = active.leaving();
        if leaving.is_empty() {
            break;
        }
        let n_leaving = if round < QUICK_ROUNDS { n } else { 1 };
        for (_, idx, side) in leaving.into_iter().take(n_leaving) {
            active.sides[idx] = side;
        }
    }
    Ok(active.z)
}

/// A quadratic with corners while it is solved: which coordinates stand at theirs.
struct ActiveSet<'a> {
    hessian: &'a Array2<f64>,
    corners: &'a [Option<Corner>],
    /// `g − H θ`: the gradient at 0.
    constant: Vec<f64>,
    sides: Vec<Side>,
    z: Vec<f64>,
    /// The largest slope at the start.
    scale: f64,
}

impl<'a> ActiveSet<'a> {
    /// Each coordinate on the side where it stands.
    fn new(
        hessian: &'a Array2<f64>,
        gradient: &[f64],
        theta: &[f64],
        corners: &'a [Option<Corner>],
    ) -> Self {
        let n = theta.len();
        let constant = (0..n)
            .map(|idx| gradient[idx] - dot(row_of(hessian, idx), theta))
            .collect();
        let sides = (0..n)
            .map(|idx| match corners[idx] {
                None => Side::Free,
                Some(Corner { above, .. }) if theta[idx] > 0.0 => Side::Above(above),
                Some(Corner { below, .. }) if theta[idx] < 0.0 => Side::Below(below),
                Some(_) => Side::AtCorner,
            })
            .collect();
        Self {
            hessian,
            corners,
            constant,
            sides,
            z: theta.to_vec(),
            scale: gradient
                .iter()
                .fold(0.0_f64, |largest, slope| largest.max(slope.abs())),
        }
    }

    /// Moves to the optimum on these sides, or as far as the first corner on the way; says whether
    /// one was hit.
    fn moves_to_corner(&mut self) -> Result<bool, SolverError> {
        let Self {
            hessian,
            constant,
            sides,
            z,
            ..
        } = self;
        let open: Vec<usize> = (0..z.len())
            .filter(|&idx| sides[idx] != Side::AtCorner)
            .collect();
        let right: Vec<f64> = open
            .iter()
            .map(|&idx| match sides[idx] {
                Side::Above(cost) => -constant[idx] - cost,
                Side::Below(cost) => -constant[idx] + cost,
                Side::Free | Side::AtCorner => -constant[idx],
            })
            .collect();
        let wanted = Factor::new(select(hessian, &open))?.solve(&right);
        // As far as the first corner on the way.
        let crosses = |side: Side, value: f64| {
            matches!(side, Side::Above(_) if value < 0.0)
                || matches!(side, Side::Below(_) if value > 0.0)
        };
        let mut length = 1.0_f64;
        for (&idx, &value) in open.iter().zip(&wanted) {
            if crosses(sides[idx], value) {
                length = length.min(z[idx] / (z[idx] - value));
            }
        }
        let mut has_hit = false;
        for (&idx, &value) in open.iter().zip(&wanted) {
            let next = z[idx] + length * (value - z[idx]);
            // What does not get beyond its corner before the first one is hit stands at its own.
            if crosses(sides[idx], value)
                && (crosses(sides[idx], next) || next.abs() <= 1e-14 * (value - z[idx]).abs())
            {
                (z[idx], sides[idx], has_hit) = (0.0, Side::AtCorner, true);
            } else {
                z[idx] = if length == 1.0 { value } else { next };
            }
        }
        Ok(has_hit)
    }

    /// The coordinates that gain by leaving their corner, and to which side; those that gain most
    /// first.
    fn leaving(&self) -> Vec<(f64, usize, Side)> {
        let mut leaving: Vec<(f64, usize, Side)> = Vec::new();
        for idx in (0..self.z.len()).filter(|&idx| self.sides[idx] == Side::AtCorner) {
            let Some(Corner { above, below }) = self.corners[idx] else {
                continue;
            };
            let slope = self.constant[idx] + dot(row_of(self.hessian, idx), &self.z);
            if -slope - above > 1e-12 * self.scale {
                leaving.push((-slope - above, idx, Side::Above(above)));
            } else if slope - below > 1e-12 * self.scale {
                leaving.push((slope - below, idx, Side::Below(below)));
            }
        }
        leaving.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        leaving
    }
}

/// One row of a matrix, as it lies in memory.
fn row_of(matrix: &Array2<f64>, idx: usize) -> &[f64] {
    matrix.row(idx).to_slice().expect("rows are contiguous")
}

fn select(matrix: &Array2<f64>, indices: &[usize]) -> Array2<f64> {
    Array2::from_shape_fn((indices.len(), indices.len()), |(row, column)| {
        matrix[[indices[row], indices[column]]]
    })
}
