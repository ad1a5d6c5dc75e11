//! The descent: Newton on a sample of tiles, then all rows with its frozen factor, then one full
//! Hessian and a certificate.

use std::collections::VecDeque;

use crate::corners;
use crate::design::{Design, TILE_ROWS};
use crate::error::SolverError;
use crate::factor::{Factor, dot};
use crate::kernel::{self, Hessian, Sums};
use crate::many;
use crate::penalty::Penalty;
use crate::separation;
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

/// Up to this many coefficients, and without a sample, every pass makes a Hessian.
const FEW_COEFFICIENTS: usize = 100;
/// Coefficients that a dense Hessian is made of at most: 3 GB.
const MAX_CORE: usize = 20_000;
/// Pairs of steps and changes of the gradient that directions remember.
const MEMORY: usize = 10;
/// A gradient that has not shrunk to this part of itself over so many steps asks for a new Hessian.
/// A pass with a Hessian costs 4 times one without for fifty numbers, and 40 times for sixty
/// categories.
const POOR_CONTRACTION: f64 = 0.3;
const PATIENCE: usize = 5;
/// Near enough that a Newton step with a fresh Hessian ends below any tolerance asked for.
const NEAR: f64 = 1e-4;

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

/// Minimises `∑ wᵢ [ln(1 + e^ηᵢ) − yᵢ ηᵢ]` plus the [`Penalty`], where `ηᵢ` is the row's offset
/// plus the intercept plus the coefficients of its numbers and levels.
///
/// # Errors
///
/// [`SolverError::Length`], [`SolverError::TooWide`], [`SolverError::Setting`] for a penalty that
/// ties levels of a column with more than 1,024 of them, [`SolverError::Undetermined`],
/// [`SolverError::Separated`], [`SolverError::NotConverged`].
pub fn fit(
    design: &Design,
    target: &Target,
    penalty: &Penalty,
    options: SolverOptions,
    start: Option<Start<'_>>,
) -> Result<Fit, SolverError> {
    check(design, target, penalty)?;
    if penalty.has_corners() {
        return separation::check(
            design,
            target,
            penalty,
            corners::fit(design, target, penalty, options, start),
        );
    }
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
    separation::check(design, target, penalty, descent.run(design, target))
}

/// The optimum of each penalty, all of them in the same passes over the rows; as good as [`fit`]
/// for each, and for many penalties several times as fast.
///
/// All begin at the same start. An expansion makes it fast, and `final_hessian` makes it slow: then
/// each ends with a pass of its own.
///
/// # Errors
///
/// Those of [`fit`], of the first penalty that has one.
pub fn fit_many(
    design: &Design,
    target: &Target,
    penalties: &[Penalty],
    options: SolverOptions,
    start: Option<Start<'_>>,
) -> Result<Vec<Fit>, SolverError> {
    if penalties.iter().any(Penalty::has_corners) {
        // A corner needs the curvature of its own place.
        return penalties
            .iter()
            .map(|penalty| fit(design, target, penalty, options, start))
            .collect();
    }
    let mut descents = Vec::with_capacity(penalties.len());
    for penalty in penalties {
        check(design, target, penalty)?;
        let (coefficients, factor) = begin(target, penalty, start, design.n_coefficients())?;
        descents.push(Descent::new(
            penalty,
            options,
            target.total_weight,
            false,
            coefficients,
            factor,
        ));
    }
    let mut fits: Vec<Option<Result<Fit, SolverError>>> = penalties.iter().map(|_| None).collect();
    loop {
        let open: Vec<usize> = (0..fits.len()).filter(|&idx| fits[idx].is_none()).collect();
        if open.is_empty() {
            let checked = fits
                .into_iter()
                .flatten()
                .zip(penalties)
                .map(|(fit, penalty)| separation::check(design, target, penalty, fit));
            return checked.collect();
        }
        let (alone, together): (Vec<usize>, Vec<usize>) = open
            .into_iter()
            .partition(|&idx| descents[idx].trial.with_hessian);
        let points: Vec<&[f64]> = together
            .iter()
            .map(|&idx| descents[idx].trial.coefficients.as_slice())
            .collect();
        let sums = many::pass(design, target, &points)?;
        for (idx, sums) in together.into_iter().zip(sums) {
            fits[idx] = descents[idx].take(sums).transpose();
        }
        for idx in alone {
            let sums = kernel::pass(design, target, &descents[idx].trial.coefficients, true)?;
            fits[idx] = descents[idx].take(sums).transpose();
        }
    }
}

/// The optimum over rows that are elsewhere and are asked for sums only; those of the design are a
/// sample of them.
///
/// The sample gives the start and the curvature, and all rows the gradient: the certificate's
/// `gradient` and `objective` are theirs, `decrement`, `condition` and the factor are by the
/// sample's Hessian, scaled to all rows.
///
/// # Shapes
///
/// `pass` is given coefficients and returns the summed log-loss of all rows without a penalty, and
/// its gradient `(n_coefficients,)`; `total_weight` is their number.
///
/// # Errors
///
/// Those of [`fit`] and of `pass`; and [`SolverError::Setting`] for a lasso or a direction.
///
/// # References
///
/// Byrd, Chin, Neveitt and Nocedal (2011), On the use of stochastic Hessian information in
/// optimization methods for machine learning, SIAM Journal on Optimization 21(3): second
/// derivatives of a sample, gradients of all.
pub fn fit_elsewhere<E: From<SolverError>>(
    (sample, target): (&Design, &Target),
    penalty: &Penalty,
    options: SolverOptions,
    start: &[f64],
    total_weight: f64,
    mut pass: impl FnMut(&[f64]) -> Result<(f64, Vec<f64>), E>,
) -> Result<Fit, E> {
    if penalty.has_corners() {
        let found = "a lasso or a direction".to_owned();
        return Err(SolverError::Setting {
            name: "penalty",
            found,
            expected: "a ridge: corners need the curvature of all rows",
        }
        .into());
    }
    let share = target.total_weight / total_weight;
    // The sample's optimum is off by far more than this, and the factor is scaled with its penalty.
    let sampled = fit(
        sample,
        target,
        &penalty.scaled(share),
        SolverOptions {
            tolerance: 1e-6,
            ..SolverOptions::default()
        },
        Some(Start::At(start)),
    )?;
    let factor = sampled.factor.scaled(1.0 / share);
    let condition = factor.condition();
    let options = SolverOptions {
        final_hessian: false,
        ..options
    };
    let mut descent = Descent::new(
        penalty,
        options,
        total_weight,
        false,
        sampled.coefficients,
        Some(factor),
    );
    descent.is_frozen = true;
    loop {
        let (loss, gradient) = pass(&descent.trial.coefficients)?;
        if gradient.len() != sample.n_coefficients() {
            return Err(SolverError::Length {
                what: "the gradient",
                found: gradient.len(),
                expected: sample.n_coefficients(),
            }
            .into());
        }
        if let Some(mut fit) = descent.take(Sums {
            loss,
            gradient,
            hessian: None,
        })? {
            fit.certificate.condition = condition;
            return Ok(fit);
        }
    }
}

/// Whether the sizes of design, labels and penalty go together.
fn check(design: &Design, target: &Target, penalty: &Penalty) -> Result<(), SolverError> {
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
struct Descent<'a> {
    penalty: &'a Penalty,
    options: SolverOptions,
    total_weight: f64,
    /// Whether every pass brings a Hessian: Newton's own method, for few rows.
    every_pass: bool,
    /// Whether no pass can bring a Hessian, so that the first factor has to do.
    is_frozen: bool,
    /// Where the objective is wanted.
    trial: Trial,
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
struct Trial {
    coefficients: Vec<f64>,
    with_hessian: bool,
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
    fn new(
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
    fn take(&mut self, sums: Sums) -> Result<Option<Fit>, SolverError> {
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

fn add(to: &mut [f64], factor: f64, from: &[f64]) {
    to.iter_mut()
        .zip(from)
        .for_each(|(to, from)| *to += factor * from);
}
