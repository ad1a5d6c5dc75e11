//! One pass over the rows: loss, gradient and, if wanted, the Hessian; the same bits for any number
//! of threads.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::design::Design;
use crate::error::SolverError;
use crate::hessian::{Hessian, LaneHessian, wide_hessian};
use crate::layout::{Layout, Numbers, Part, TILE_ROWS, TileCodes};
use crate::target::Target;
use crate::tile::{
    COPIES, Stored, add_all, add_codes, add_numbers, derivatives, product_sum, scatter, start, sum,
};

/// Sums over all rows, without the penalty.
pub(crate) struct Sums {
    /// Weighted log-loss.
    pub(crate) loss: f64,
    pub(crate) gradient: Vec<f64>,
    pub(crate) hessian: Option<Hessian>,
}

/// Most lanes that rows are split into. A lane's rows are summed in order, and lanes are added in
/// order: threads only decide who does which lane.
pub(crate) const MAX_LANES: usize = 32;
/// Bytes that the Hessians of all lanes may take together.
const LANE_BYTES: usize = 64 << 20;
/// Runs a closure as it is compiled for the processor at hand.
///
/// It must give away what it took by `move`: one that could be called twice is called through a
/// shim, and that shim is compiled for the oldest processor.
#[inline(always)]
pub(crate) fn for_this_processor<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// Passes over all rows.
pub(crate) fn pass(
    design: &Design,
    target: &Target,
    coefficients: &[f64],
    with_hessian: bool,
) -> Result<Sums, SolverError> {
    let n_core = design.layout.n_core();
    let n_parts = design.n_parts();
    let by_memory = if with_hessian {
        LANE_BYTES / (8 * n_core * n_core).max(1)
    } else {
        MAX_LANES
    };
    let n_lanes = by_memory.clamp(2, MAX_LANES).min(n_parts);
    let lanes: Vec<Lane> = (0..n_lanes)
        .into_par_iter()
        .map(|lane| {
            let parts = lane * n_parts / n_lanes..(lane + 1) * n_parts / n_lanes;
            let mut sums = Lane::new(&design.layout, with_hessian);
            for_this_processor(
                #[inline(always)]
                move || {
                    for part in parts {
                        sums.add_part(&*design.part(part)?, &design.layout, target, coefficients);
                    }
                    Ok(sums)
                },
            )
        })
        .collect::<Result<_, SolverError>>()?;
    let wide = match design.layout.wide.filter(|_| with_hessian) {
        Some(wide) => {
            let curvatures: Vec<&[f64]> = lanes
                .iter()
                .filter_map(|lane| lane.hessian.as_ref())
                .map(|hessian| hessian.all_curvatures.as_slice())
                .collect();
            Some(wide_hessian(design, wide, &curvatures.concat())?)
        }
        None => None,
    };
    let mut lanes = lanes.into_iter();
    let mut total = lanes.next().expect("a design has rows");
    for lane in lanes {
        total.add(&lane);
    }
    let mut sums = total.finish(&design.layout);
    if let Some(hessian) = &mut sums.hessian {
        hessian.wide = wide;
    }
    Ok(sums)
}

struct Lane {
    loss: f64,
    /// Intercept and numbers.
    gradient: Vec<f64>,
    /// For each encoded column its levels, [`COPIES`] times.
    code_gradient: Vec<f64>,
    hessian: Option<LaneHessian>,
}

impl Lane {
    fn new(layout: &Layout, with_hessian: bool) -> Self {
        let q = layout.n_coefficients;
        let hessian = with_hessian.then(|| LaneHessian::new(layout));
        Self {
            loss: 0.0,
            gradient: vec![0.0; 1 + layout.n_numbers],
            code_gradient: vec![0.0; COPIES * (q - 1 - layout.n_numbers)],
            hessian,
        }
    }

    #[inline(always)]
    fn add_part(&mut self, part: &Part, layout: &Layout, target: &Target, coefficients: &[f64]) {
        match &part.numbers {
            Numbers::F32(numbers) => self.add_typed(part, numbers, layout, target, coefficients),
            Numbers::F64(numbers) => self.add_typed(part, numbers, layout, target, coefficients),
        }
    }

    #[inline(always)]
    fn add_typed<N: Stored>(
        &mut self,
        part: &Part,
        numbers: &[N],
        layout: &Layout,
        target: &Target,
        coefficients: &[f64],
    ) {
        let mut eta = [0.0; TILE_ROWS];
        let mut residual = [0.0; TILE_ROWS];
        let mut curvature = [0.0; TILE_ROWS];
        for tile in 0..part.n_tiles() {
            let first = part.first_row + tile * TILE_ROWS;
            let m = TILE_ROWS.min(part.first_row + part.n_rows - first);
            let rows = first..first + m;
            start(
                &mut eta,
                coefficients[0],
                target
                    .offsets
                    .as_ref()
                    .map(|offsets| &offsets[rows.clone()]),
            );
            add_numbers(&mut eta, numbers, tile, layout, coefficients);
            add_codes(&mut eta, part, tile, layout, coefficients);
            let weights = target
                .weights
                .as_ref()
                .map(|weights| &weights[rows.clone()]);
            self.loss += derivatives::<true>(
                &eta,
                &target.labels[rows],
                weights,
                &mut residual,
                &mut curvature,
            );
            self.add_gradient(part, numbers, tile, layout, &residual);
            if let Some(hessian) = &mut self.hessian {
                hessian.curvature[tile * TILE_ROWS..(tile + 1) * TILE_ROWS]
                    .copy_from_slice(&curvature);
            }
        }
        if let Some(hessian) = &mut self.hessian {
            hessian.add_part(part, numbers, layout);
        }
    }

    #[inline(always)]
    fn add_gradient<N: Stored>(
        &mut self,
        part: &Part,
        numbers: &[N],
        tile: usize,
        layout: &Layout,
        residual: &[f64; TILE_ROWS],
    ) {
        self.gradient[0] += sum(residual);
        let columns = &numbers
            [tile * layout.n_numbers * TILE_ROWS..(tile + 1) * layout.n_numbers * TILE_ROWS];
        for (slope, column) in self.gradient[1..]
            .iter_mut()
            .zip(columns.chunks_exact(TILE_ROWS))
        {
            *slope += product_sum(column, residual);
        }
        for encoded in &layout.encoded {
            let first = COPIES * (encoded.first - 1 - layout.n_numbers);
            let sums = &mut self.code_gradient[first..first + COPIES * encoded.n_levels];
            match part.codes(tile, encoded, layout) {
                TileCodes::Byte(codes) => scatter(sums, codes, residual),
                TileCodes::Two(codes) => scatter(sums, codes, residual),
                TileCodes::Four(codes) => scatter(sums, codes, residual),
            }
        }
    }

    fn add(&mut self, other: &Self) {
        self.loss += other.loss;
        add_all(&mut self.gradient, &other.gradient);
        add_all(&mut self.code_gradient, &other.code_gradient);
        if let (Some(ours), Some(theirs)) = (&mut self.hessian, &other.hessian) {
            add_all(&mut ours.matrix, &theirs.matrix);
        }
    }

    fn finish(self, layout: &Layout) -> Sums {
        let mut gradient = self.gradient;
        gradient.extend(
            self.code_gradient
                .chunks_exact(COPIES)
                .map(|copies| copies.iter().sum::<f64>()),
        );
        let hessian = self.hessian.map(|hessian| hessian.finish(layout));
        Sums {
            loss: self.loss,
            gradient,
            hessian,
        }
    }
}
