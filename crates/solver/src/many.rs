//! One pass over the rows for many models at once: what is read of a row serves all of them, and
//! numbers become products of matrices.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, ShapeBuilder};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::design::Design;
use crate::error::SolverError;
use crate::kernel::{self, Sums};
use crate::layout::{Layout, Numbers, Part, TILE_ROWS, TileCodes};
use crate::target::Target;
use crate::tile::{self, Code, Stored};

/// So few are faster one by one.
const FEW: usize = 2;

/// Loss and gradient at each of these points, the same bits for any number of threads.
pub(crate) fn pass(
    design: &Design,
    target: &Target,
    points: &[&[f64]],
) -> Result<Vec<Sums>, SolverError> {
    if points.len() <= FEW {
        return points
            .iter()
            .map(|point| kernel::pass(design, target, point, false))
            .collect();
    }
    let weights = Weights::new(points);
    let n_parts = design.n_parts();
    let n_lanes = kernel::MAX_LANES.min(n_parts);
    let lanes: Vec<Lane> = (0..n_lanes)
        .into_par_iter()
        .map(|lane| {
            let mut sums = Lane {
                losses: vec![0.0; points.len()],
                gradient: vec![0.0; design.n_coefficients() * points.len()],
            };
            let mut bench = Bench::new(&design.layout, points.len());
            let (layout, weights) = (&design.layout, &weights);
            kernel::for_this_processor(
                #[inline(always)]
                move || {
                    for part in lane * n_parts / n_lanes..(lane + 1) * n_parts / n_lanes {
                        sums.add_part(&*design.part(part)?, layout, target, weights, &mut bench);
                    }
                    Ok(sums)
                },
            )
        })
        .collect::<Result<_, SolverError>>()?;
    let mut lanes = lanes.into_iter();
    let mut total = lanes.next().expect("a design has rows");
    for lane in lanes {
        tile::add_all(&mut total.losses, &lane.losses);
        tile::add_all(&mut total.gradient, &lane.gradient);
    }
    let Lane { losses, gradient } = total;
    let gradient_of = |model: usize| {
        gradient
            .iter()
            .skip(model)
            .step_by(points.len())
            .copied()
            .collect()
    };
    Ok(losses
        .into_iter()
        .enumerate()
        .map(|(model, loss)| Sums {
            loss,
            gradient: gradient_of(model),
            hessian: None,
        })
        .collect())
}

/// The log-odds of every row, with an offset for each where there are any.
///
/// # Errors
///
/// [`SolverError::Disk`] where rows are on disk and cannot be read.
///
/// # Panics
///
/// Where coefficients or offsets are fewer than the design has coefficients or rows.
pub fn log_odds(
    design: &Design,
    offsets: Option<&[f64]>,
    coefficients: &[f64],
) -> Result<Vec<f64>, SolverError> {
    Ok(log_odds_of_many(design, offsets, &[coefficients])?.remove(0))
}

/// The log-odds of every row by each of these coefficients.
///
/// # Errors
///
/// [`SolverError::Disk`] where rows are on disk and cannot be read.
///
/// # Panics
///
/// As [`log_odds`].
pub fn log_odds_of_many(
    design: &Design,
    offsets: Option<&[f64]>,
    coefficients: &[&[f64]],
) -> Result<Vec<Vec<f64>>, SolverError> {
    let weights = Weights::new(coefficients);
    let parts: Vec<Vec<Vec<f64>>> = (0..design.n_parts())
        .into_par_iter()
        .map(|idx| {
            let part = &*design.part(idx)?;
            let mut bench = Bench::new(&design.layout, coefficients.len());
            let mut result = vec![Vec::with_capacity(part.n_rows); coefficients.len()];
            let (layout, weights) = (&design.layout, &weights);
            kernel::for_this_processor(
                #[inline(always)]
                move || {
                    for tile in 0..part.n_tiles() {
                        let m = TILE_ROWS.min(part.n_rows - tile * TILE_ROWS);
                        let first = part.first_row + tile * TILE_ROWS;
                        bench.score(
                            part,
                            tile,
                            layout,
                            offsets.map(|offsets| &offsets[first..first + m]),
                            weights,
                        );
                        for (result, eta) in
                            result.iter_mut().zip(bench.eta.chunks_exact(TILE_ROWS))
                        {
                            result.extend_from_slice(&eta[..m]);
                        }
                    }
                    Ok(result)
                },
            )
        })
        .collect::<Result<_, SolverError>>()?;
    Ok((0..coefficients.len())
        .map(|model| {
            parts
                .iter()
                .flat_map(|part| part[model].iter().copied())
                .collect()
        })
        .collect())
}

/// The weighted log-loss, summed over all rows, by each of these coefficients.
///
/// # Errors
///
/// [`SolverError::Length`] where labels or coefficients are not the design's,
/// [`SolverError::Disk`].
pub fn log_losses(
    design: &Design,
    target: &Target,
    coefficients: &[&[f64]],
) -> Result<Vec<f64>, SolverError> {
    if target.labels.len() != design.n_rows() {
        return Err(SolverError::Length {
            what: "labels",
            found: target.labels.len(),
            expected: design.n_rows(),
        });
    }
    if let Some(wrong) = coefficients
        .iter()
        .find(|point| point.len() != design.n_coefficients())
    {
        return Err(SolverError::Length {
            what: "coefficients",
            found: wrong.len(),
            expected: design.n_coefficients(),
        });
    }
    let weights = Weights::new(coefficients);
    let parts: Vec<Lane> = (0..design.n_parts())
        .into_par_iter()
        .map(|idx| {
            let part = &*design.part(idx)?;
            let mut bench = Bench::new(&design.layout, coefficients.len());
            let mut sums = Lane {
                losses: vec![0.0; coefficients.len()],
                gradient: Vec::new(),
            };
            let (layout, weights) = (&design.layout, &weights);
            kernel::for_this_processor(
                #[inline(always)]
                move || {
                    for tile in 0..part.n_tiles() {
                        sums.add_losses(part, tile, layout, target, weights, &mut bench);
                    }
                    Ok(sums)
                },
            )
        })
        .collect::<Result<_, SolverError>>()?;
    let mut losses = vec![0.0; coefficients.len()];
    parts
        .iter()
        .for_each(|part| tile::add_all(&mut losses, &part.losses));
    Ok(losses)
}

/// Coefficients of all models, those of one coefficient side by side.
struct Weights {
    n_models: usize,
    values: Vec<f64>,
}

impl Weights {
    fn new(points: &[&[f64]]) -> Self {
        let n_coefficients = points.first().map_or(0, |point| point.len());
        Self {
            n_models: points.len(),
            values: (0..n_coefficients)
                .flat_map(|idx| points.iter().map(move |point| point[idx]))
                .collect(),
        }
    }
}

/// Sums of a range of parts.
struct Lane {
    losses: Vec<f64>,
    /// As [`Weights`].
    gradient: Vec<f64>,
}

/// What a tile is worked on with.
struct Bench {
    n_models: usize,
    /// Numbers of a tile, column by column.
    numbers: Vec<f64>,
    /// Log-odds, then residuals, model by model.
    eta: Vec<f64>,
    /// The same, row by row: codes are looked up for all models at once.
    by_row: Vec<f64>,
}

impl Bench {
    fn new(layout: &Layout, n_models: usize) -> Self {
        let cells = n_models * TILE_ROWS;
        Self {
            n_models,
            numbers: vec![0.0; layout.n_numbers * TILE_ROWS],
            eta: vec![0.0; cells],
            by_row: vec![0.0; cells],
        }
    }

    /// Log-odds of a tile.
    #[inline(always)]
    fn score(
        &mut self,
        part: &Part,
        tile: usize,
        layout: &Layout,
        offsets: Option<&[f64]>,
        weights: &Weights,
    ) {
        let n = self.n_models;
        for (eta, &intercept) in self
            .eta
            .as_chunks_mut()
            .0
            .iter_mut()
            .zip(&weights.values[..n])
        {
            tile::start(eta, intercept, offsets);
        }
        if !layout.encoded.is_empty() {
            transpose(&self.eta, TILE_ROWS, &mut self.by_row);
        }
        for encoded in &layout.encoded {
            let table = &weights.values[encoded.first * n..(encoded.first + encoded.n_levels) * n];
            match part.codes(tile, encoded, layout) {
                TileCodes::Byte(codes) => gather(&mut self.by_row, codes, table, n),
                TileCodes::Two(codes) => gather(&mut self.by_row, codes, table, n),
                TileCodes::Four(codes) => gather(&mut self.by_row, codes, table, n),
            }
        }
        if !layout.encoded.is_empty() {
            transpose(&self.by_row, n, &mut self.eta);
        }
        let p = layout.n_numbers;
        if p > 0 {
            let columns = tile * p * TILE_ROWS..(tile + 1) * p * TILE_ROWS;
            match &part.numbers {
                Numbers::F32(numbers) => widen(&numbers[columns], &mut self.numbers),
                Numbers::F64(numbers) => widen(&numbers[columns], &mut self.numbers),
            }
            let weights = ArrayView2::from_shape((p, n), &weights.values[n..(1 + p) * n])
                .expect("a row a number");
            let mut eta = ArrayViewMut2::from_shape((TILE_ROWS, n).f(), &mut self.eta)
                .expect("a column a model");
            let numbers = ArrayView2::from_shape((TILE_ROWS, p).f(), &self.numbers)
                .expect("a column a number");
            general_mat_mul(1.0, &numbers, &weights, 1.0, &mut eta);
        }
    }
}

impl Lane {
    /// Adds the losses of a tile, and leaves its residuals on the bench.
    #[inline(always)]
    fn add_losses(
        &mut self,
        part: &Part,
        tile: usize,
        layout: &Layout,
        target: &Target,
        weights: &Weights,
        bench: &mut Bench,
    ) {
        let first = part.first_row + tile * TILE_ROWS;
        let rows = first..first + TILE_ROWS.min(part.first_row + part.n_rows - first);
        bench.score(
            part,
            tile,
            layout,
            target
                .offsets
                .as_ref()
                .map(|offsets| &offsets[rows.clone()]),
            weights,
        );
        let (mut residual, mut unused) = ([0.0; TILE_ROWS], [0.0; TILE_ROWS]);
        let row_weights = target
            .weights
            .as_ref()
            .map(|weights| &weights[rows.clone()]);
        for (eta, loss) in bench
            .eta
            .as_chunks_mut::<TILE_ROWS>()
            .0
            .iter_mut()
            .zip(&mut self.losses)
        {
            *loss += tile::derivatives::<false>(
                eta,
                &target.labels[rows.clone()],
                row_weights,
                &mut residual,
                &mut unused,
            );
            *eta = residual;
        }
    }

    #[inline(always)]
    fn add_part(
        &mut self,
        part: &Part,
        layout: &Layout,
        target: &Target,
        weights: &Weights,
        bench: &mut Bench,
    ) {
        let n = weights.n_models;
        let p = layout.n_numbers;
        for tile in 0..part.n_tiles() {
            self.add_losses(part, tile, layout, target, weights, bench);
            for (model, residual) in bench.eta.as_chunks::<TILE_ROWS>().0.iter().enumerate() {
                self.gradient[model] += tile::sum(residual);
            }
            if p > 0 {
                let numbers = ArrayView2::from_shape((TILE_ROWS, p).f(), &bench.numbers)
                    .expect("a column a number");
                let residuals = ArrayView2::from_shape((TILE_ROWS, n).f(), &bench.eta)
                    .expect("a column a model");
                let mut slopes =
                    ArrayViewMut2::from_shape((p, n), &mut self.gradient[n..(1 + p) * n])
                        .expect("a row a number");
                general_mat_mul(1.0, &numbers.t(), &residuals, 1.0, &mut slopes);
            }
            if layout.encoded.is_empty() {
                continue;
            }
            transpose(&bench.eta, TILE_ROWS, &mut bench.by_row);
            for encoded in &layout.encoded {
                let sums =
                    &mut self.gradient[encoded.first * n..(encoded.first + encoded.n_levels) * n];
                match part.codes(tile, encoded, layout) {
                    TileCodes::Byte(codes) => scatter(sums, codes, &bench.by_row, n),
                    TileCodes::Two(codes) => scatter(sums, codes, &bench.by_row, n),
                    TileCodes::Four(codes) => scatter(sums, codes, &bench.by_row, n),
                }
            }
        }
    }
}

#[inline(always)]
fn widen<N: Stored>(from: &[N], to: &mut [f64]) {
    to.iter_mut()
        .zip(from)
        .for_each(|(to, from)| *to = (*from).into());
}

/// Rows of `width` as columns.
#[inline(always)]
fn transpose(from: &[f64], width: usize, to: &mut [f64]) {
    let height = from.len() / width;
    for (row, values) in from.chunks_exact(width).enumerate() {
        for (column, value) in values.iter().enumerate() {
            to[column * height + row] = *value;
        }
    }
}

#[inline(always)]
fn gather<C: Code>(by_row: &mut [f64], codes: &[C], table: &[f64], n: usize) {
    for (row, code) in by_row.chunks_exact_mut(n).zip(codes) {
        let at = code.index() * n;
        row.iter_mut()
            .zip(&table[at..at + n])
            .for_each(|(eta, weight)| *eta += weight);
    }
}

#[inline(always)]
fn scatter<C: Code>(sums: &mut [f64], codes: &[C], by_row: &[f64], n: usize) {
    for (row, code) in by_row.chunks_exact(n).zip(codes) {
        let at = code.index() * n;
        tile::add_all(&mut sums[at..at + n], row);
    }
}
