//! One pass over the rows: loss, gradient and, if wanted, the Hessian; the same bits for any number
//! of threads.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, LinalgScalar, ShapeBuilder};
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::design::{Coded, Design, Layout, Numbers, PART_ROWS, Part, TILE_ROWS, TileCodes};
use crate::error::SolverError;
use crate::target::Target;

/// Sums over all rows, without the penalty.
pub(crate) struct Sums {
    /// Weighted log-loss.
    pub(crate) loss: f64,
    pub(crate) gradient: Vec<f64>,
    pub(crate) hessian: Option<Hessian>,
}

/// Second derivatives of a summed log-loss.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hessian {
    /// Of all coefficients but those of a wide column; symmetric.
    pub(crate) core: Array2<f64>,
    pub(crate) wide: Option<WideHessian>,
}

/// Second derivatives of the levels of a wide column: no row has two of them, so that among
/// themselves they are a diagonal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WideHessian {
    pub(crate) diagonal: Vec<f64>,
    /// `(n_levels, n_core)`.
    pub(crate) cross: Array2<f64>,
}

/// A number as it is stored.
pub(crate) trait Stored: Copy + LinalgScalar + Into<f64> + Send + Sync {
    fn store(value: f64) -> Self;
}

impl Stored for f32 {
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "stored in four bytes")]
    fn store(value: f64) -> Self {
        value as f32
    }
}

impl Stored for f64 {
    #[inline(always)]
    fn store(value: f64) -> Self {
        value
    }
}

/// Most lanes that rows are split into. A lane's rows are summed in order, and lanes are added in
/// order: threads only decide who does which lane.
pub(crate) const MAX_LANES: usize = 32;
/// Bytes that the Hessians of all lanes may take together.
const LANE_BYTES: usize = 64 << 20;
/// Rows that one matrix product sums over before it is added up in f64.
const PRODUCT_ROWS: usize = 4 * TILE_ROWS;
/// Copies of the sums of a coded column, so that equal codes in a row need not wait for one
/// another.
const COPIES: usize = 4;

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

/// Calls `visit` with the part, tile, place in the tile, level and number of every row, in order.
fn for_each_row(
    design: &Design,
    coded: &Coded,
    mut visit: impl FnMut(&Part, usize, usize, usize, usize),
) -> Result<(), SolverError> {
    for idx in 0..design.n_parts() {
        let part = &*design.part(idx)?;
        for row in 0..part.n_rows {
            let (tile, within) = (row / TILE_ROWS, row % TILE_ROWS);
            visit(
                part,
                tile,
                within,
                part.codes(tile, coded, &design.layout).get(within),
                part.first_row + row,
            );
        }
    }
    Ok(())
}

/// Each other column with the wide one is summed over all rows in order, columns in parallel.
fn wide_hessian(
    design: &Design,
    wide: usize,
    curvatures: &[f64],
) -> Result<WideHessian, SolverError> {
    let layout = &design.layout;
    let coded = &layout.coded[wide];
    let mut diagonal = vec![0.0; coded.n_levels];
    for_each_row(design, coded, |_, _, _, level, row| {
        diagonal[level] += curvatures[row];
    })?;
    let p = 1 + layout.n_numbers;
    // The first block holds intercept and numbers, the others a coded column each.
    let blocks: Vec<(usize, usize, Option<&Coded>)> = std::iter::once((0, p, None))
        .chain(
            layout
                .core_coded()
                .map(|other| (other.first, other.n_levels, Some(other))),
        )
        .collect();
    let sums: Vec<Vec<f64>> = blocks
        .par_iter()
        .map(|&(_, width, other)| {
            let mut sums = vec![0.0; coded.n_levels * width];
            for_each_row(design, coded, |part, tile, within, level, row| {
                let curvature = curvatures[row];
                let own = &mut sums[level * width..(level + 1) * width];
                let Some(other) = other else {
                    own[0] += curvature;
                    for (number, sum) in own[1..].iter_mut().enumerate() {
                        *sum += curvature
                            * part.number((tile * layout.n_numbers + number) * TILE_ROWS + within);
                    }
                    return;
                };
                own[part.codes(tile, other, layout).get(within)] += curvature;
            })?;
            Ok(sums)
        })
        .collect::<Result<_, SolverError>>()?;
    let mut cross = Array2::zeros((coded.n_levels, layout.n_core()));
    for ((first, width, _), sums) in blocks.iter().zip(&sums) {
        for (mut row, sums) in cross.rows_mut().into_iter().zip(sums.chunks_exact(*width)) {
            row.iter_mut()
                .skip(*first)
                .zip(sums)
                .for_each(|(to, from)| *to = *from);
        }
    }
    Ok(WideHessian { diagonal, cross })
}

struct Lane {
    loss: f64,
    /// Intercept and numbers.
    gradient: Vec<f64>,
    /// For each coded column its levels, [`COPIES`] times.
    code_gradient: Vec<f64>,
    hessian: Option<LaneHessian>,
}

struct LaneHessian {
    /// Lower triangle, `(n_core, n_core)`, rows contiguous.
    matrix: Vec<f64>,
    /// Weights of the second derivative of all rows so far, where a wide column will need them.
    all_curvatures: Vec<f64>,
    /// Weights of the second derivative of each row of a part.
    curvature: Vec<f64>,
    /// Codes of a part, column by column.
    codes: Vec<u16>,
    /// A small table for two coded columns.
    table: Vec<f64>,
}

/// Tables of two coded columns up to this size are summed apart, so that they stay in the nearest
/// cache.
const MAX_TABLE: usize = 1 << 14;

impl Lane {
    fn new(layout: &Layout, with_hessian: bool) -> Self {
        let q = layout.n_coefficients;
        let hessian = with_hessian.then(|| LaneHessian {
            matrix: vec![0.0; layout.n_core() * layout.n_core()],
            all_curvatures: Vec::new(),
            curvature: vec![0.0; PART_ROWS],
            codes: vec![0; PART_ROWS * layout.coded.len()],
            table: vec![0.0; MAX_TABLE],
        });
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
            if layout.wide.is_some() {
                hessian
                    .all_curvatures
                    .extend_from_slice(&hessian.curvature[..part.n_rows]);
            }
            hessian.add_numbers(part, numbers, layout);
            hessian.add_numbers_by_codes(part, numbers, layout);
            hessian.add_codes(part, layout);
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
        for coded in &layout.coded {
            let first = COPIES * (coded.first - 1 - layout.n_numbers);
            let sums = &mut self.code_gradient[first..first + COPIES * coded.n_levels];
            match part.codes(tile, coded, layout) {
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
        let hessian = self.hessian.map(|hessian| {
            let n = layout.n_core();
            let mut core = Array2::from_shape_vec((n, n), hessian.matrix).expect("a square");
            for row in 0..n {
                for column in 0..row {
                    core[[column, row]] = core[[row, column]];
                }
            }
            Hessian { core, wide: None }
        });
        Sums {
            loss: self.loss,
            gradient,
            hessian,
        }
    }
}

#[inline(always)]
pub(crate) fn add_all(ours: &mut [f64], theirs: &[f64]) {
    ours.iter_mut()
        .zip(theirs)
        .for_each(|(ours, theirs)| *ours += theirs);
}

#[inline(always)]
pub(crate) fn sum(values: &[f64; TILE_ROWS]) -> f64 {
    let mut lanes = [0.0; 16];
    for values in values.chunks_exact(16) {
        for lane in 0..16 {
            lanes[lane] += values[lane];
        }
    }
    lanes.iter().sum()
}

/// `∑ values · factors`.
#[inline(always)]
fn product_sum<N: Stored>(values: &[N], factors: &[f64; TILE_ROWS]) -> f64 {
    let mut lanes = [0.0; 16];
    for (values, factors) in values.chunks_exact(16).zip(factors.chunks_exact(16)) {
        for lane in 0..16 {
            lanes[lane] += values[lane].into() * factors[lane];
        }
    }
    lanes.iter().sum()
}

#[inline(always)]
pub(crate) fn start(eta: &mut [f64; TILE_ROWS], intercept: f64, offsets: Option<&[f64]>) {
    eta.fill(intercept);
    for (eta, offset) in eta.iter_mut().zip(offsets.unwrap_or_default()) {
        *eta += offset;
    }
}

/// Four columns at a time, so that sums are read and written a quarter as often.
#[inline(always)]
fn add_numbers<N: Stored>(
    eta: &mut [f64; TILE_ROWS],
    numbers: &[N],
    tile: usize,
    layout: &Layout,
    coefficients: &[f64],
) {
    let columns =
        &numbers[tile * layout.n_numbers * TILE_ROWS..(tile + 1) * layout.n_numbers * TILE_ROWS];
    let weights = &coefficients[1..=layout.n_numbers];
    let (fours, rest) = weights.split_at(weights.len() / 4 * 4);
    for (weights, columns) in fours
        .chunks_exact(4)
        .zip(columns.chunks_exact(4 * TILE_ROWS))
    {
        let (a, columns) = columns.split_at(TILE_ROWS);
        let (b, columns) = columns.split_at(TILE_ROWS);
        let (c, d) = columns.split_at(TILE_ROWS);
        let (a, b, c, d) = (
            &a[..TILE_ROWS],
            &b[..TILE_ROWS],
            &c[..TILE_ROWS],
            &d[..TILE_ROWS],
        );
        for row in 0..TILE_ROWS {
            eta[row] += (a[row].into() * weights[0] + b[row].into() * weights[1])
                + (c[row].into() * weights[2] + d[row].into() * weights[3]);
        }
    }
    for (weight, column) in rest
        .iter()
        .zip(columns[fours.len() * TILE_ROWS..].chunks_exact(TILE_ROWS))
    {
        for row in 0..TILE_ROWS {
            eta[row] += column[row].into() * weight;
        }
    }
}

#[inline(always)]
fn add_codes(
    eta: &mut [f64; TILE_ROWS],
    part: &Part,
    tile: usize,
    layout: &Layout,
    coefficients: &[f64],
) {
    for coded in &layout.coded {
        let weights = &coefficients[coded.first..coded.first + coded.n_levels];
        match part.codes(tile, coded, layout) {
            TileCodes::Byte(codes) => gather(eta, codes, weights),
            TileCodes::Two(codes) => gather(eta, codes, weights),
            TileCodes::Four(codes) => gather(eta, codes, weights),
        }
    }
}

pub(crate) trait Code: Copy {
    fn index(self) -> usize;
}

impl Code for u8 {
    #[inline(always)]
    fn index(self) -> usize {
        self as usize
    }
}

impl Code for u16 {
    #[inline(always)]
    fn index(self) -> usize {
        self as usize
    }
}

impl Code for u32 {
    #[inline(always)]
    fn index(self) -> usize {
        self as usize
    }
}

#[inline(always)]
fn gather<C: Code>(eta: &mut [f64; TILE_ROWS], codes: &[C], weights: &[f64]) {
    for (eta, code) in eta.iter_mut().zip(codes) {
        *eta += weights[code.index()];
    }
}

#[inline(always)]
fn scatter<C: Code>(sums: &mut [f64], codes: &[C], residual: &[f64; TILE_ROWS]) {
    for (codes, residuals) in codes
        .chunks_exact(COPIES)
        .zip(residual.chunks_exact(COPIES))
    {
        for copy in 0..COPIES {
            sums[COPIES * codes[copy].index() + copy] += residuals[copy];
        }
    }
}

/// Fills in `wᵢ(pᵢ − yᵢ)` and, where wanted, `wᵢ pᵢ(1 − pᵢ)`; returns the weighted loss. Rows past
/// the end of the labels get zeros.
#[inline(always)]
pub(crate) fn derivatives<const WITH_CURVATURE: bool>(
    eta: &[f64; TILE_ROWS],
    labels: &[u8],
    weights: Option<&[f64]>,
    residual: &mut [f64; TILE_ROWS],
    curvature: &mut [f64; TILE_ROWS],
) -> f64 {
    let mut target = [0.0; TILE_ROWS];
    for (target, &label) in target.iter_mut().zip(labels) {
        *target = f64::from(label);
    }
    let mut one_plus = [1.0; TILE_ROWS];
    let mut hinge = [0.0; TILE_ROWS];
    for row in 0..TILE_ROWS {
        let e = exp_of_minus_abs(eta[row]);
        let inverse = 1.0 / (1.0 + e);
        let probability = if eta[row] >= 0.0 {
            inverse
        } else {
            e * inverse
        };
        residual[row] = probability - target[row];
        if WITH_CURVATURE {
            curvature[row] = e * inverse * inverse;
        }
        one_plus[row] = 1.0 + e;
        // ln(1 + e^η) − yη, less ln(1 + e^−|η|).
        hinge[row] = (if eta[row] > 0.0 { eta[row] } else { 0.0 }) - target[row] * eta[row];
    }
    let m = labels.len();
    if WITH_CURVATURE {
        curvature[m..].fill(0.0);
        curvature
            .iter_mut()
            .zip(weights.unwrap_or_default())
            .for_each(|(curvature, weight)| *curvature *= weight);
    }
    residual[m..].fill(0.0);
    one_plus[m..].fill(1.0);
    hinge[m..].fill(0.0);
    let Some(weights) = weights else {
        // Sixteen running products of sixteen factors up to 2 each, and one logarithm for all.
        let mut products = [1.0; 16];
        for factors in one_plus.chunks_exact(16) {
            for lane in 0..16 {
                products[lane] *= factors[lane];
            }
        }
        return products.iter().product::<f64>().ln() + sum(&hinge);
    };
    let mut loss = 0.0;
    for (row, &weight) in weights.iter().enumerate() {
        residual[row] *= weight;
        loss += weight * (one_plus[row].ln() + hinge[row]);
    }
    loss
}

/// `e^−|x|` to the last place or two, without a branch: a power of two and a polynomial of degree
/// 13.
#[inline(always)]
fn exp_of_minus_abs(x: f64) -> f64 {
    // Adding and taking away 1.5·2⁵² rounds to a whole number, whose low bits then stand in the
    // sum.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const FACTORIALS: [f64; 12] = [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
    ];
    let x = -x.abs();
    let x = if x < -700.0 { -700.0 } else { x };
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = (x - whole * LN_2_HIGH) - whole * LN_2_LOW;
    let mut series = 1.0 / 6_227_020_800.0;
    for factor in FACTORIALS {
        series = series * rest + factor;
    }
    series = series * rest + 1.0;
    series * f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
}

impl LaneHessian {
    /// Intercept and numbers among themselves: a product of the rows, each times the root of its
    /// curvature.
    ///
    /// The intercept is a sum of the levels of every coded column, whose sums are in f64; so its
    /// own are, too.
    #[inline(always)]
    fn add_numbers<N: Stored>(&mut self, part: &Part, numbers: &[N], layout: &Layout) {
        let p = layout.n_numbers;
        let q = layout.n_core();
        let mut scaled = vec![N::zero(); PRODUCT_ROWS * p];
        let mut product = Array2::<N>::zeros((p, p));
        let mut tile = 0;
        while tile < part.n_tiles() {
            let tiles = (part.n_tiles() - tile).min(PRODUCT_ROWS / TILE_ROWS);
            let n_rows = tiles * TILE_ROWS;
            for offset in 0..tiles {
                let mut curvature = [0.0; TILE_ROWS];
                curvature.copy_from_slice(
                    &self.curvature[(tile + offset) * TILE_ROWS..(tile + offset + 1) * TILE_ROWS],
                );
                self.matrix[0] += sum(&curvature);
                let root = curvature.map(f64::sqrt);
                let columns =
                    &numbers[(tile + offset) * p * TILE_ROWS..(tile + offset + 1) * p * TILE_ROWS];
                for (column, values) in columns.chunks_exact(TILE_ROWS).enumerate() {
                    let place = column * n_rows + offset * TILE_ROWS;
                    for ((to, root), value) in scaled[place..place + TILE_ROWS]
                        .iter_mut()
                        .zip(&root)
                        .zip(values)
                    {
                        *to = N::store(root * (*value).into());
                    }
                    self.matrix[(column + 1) * q] += product_sum(values, &curvature);
                }
            }
            if p > 0 {
                let rows = ArrayView2::from_shape((n_rows, p).f(), &scaled[..n_rows * p])
                    .expect("a column a number");
                general_mat_mul(N::one(), &rows.t(), &rows, N::zero(), &mut product);
                for (row, sums) in product.rows().into_iter().enumerate() {
                    let at = (row + 1) * q + 1;
                    for (to, from) in self.matrix[at..at + row + 1].iter_mut().zip(sums) {
                        *to += (*from).into();
                    }
                }
            }
            tile += tiles;
        }
    }

    /// Each level with intercept and numbers: rows times their curvature, added up by code.
    #[inline(always)]
    fn add_numbers_by_codes<N: Stored>(&mut self, part: &Part, numbers: &[N], layout: &Layout) {
        if layout.core_coded().next().is_none() {
            return;
        }
        let p = 1 + layout.n_numbers;
        let q = layout.n_core();
        let mut rows = vec![0.0; TILE_ROWS * p];
        for tile in 0..part.n_tiles() {
            let curvature = &self.curvature[tile * TILE_ROWS..(tile + 1) * TILE_ROWS];
            for (row, curvature) in rows.chunks_exact_mut(p).zip(curvature) {
                row[0] = *curvature;
            }
            let columns = &numbers[tile * layout.n_numbers * TILE_ROWS..];
            for (column, values) in columns
                .chunks_exact(TILE_ROWS)
                .take(layout.n_numbers)
                .enumerate()
            {
                for ((row, curvature), value) in rows.chunks_exact_mut(p).zip(curvature).zip(values)
                {
                    row[column + 1] = curvature * (*value).into();
                }
            }
            for coded in layout.core_coded() {
                let codes = part.codes(tile, coded, layout);
                for (row, values) in rows.chunks_exact(p).enumerate() {
                    let at = (coded.first + codes.get(row)) * q;
                    for (to, value) in self.matrix[at..at + p].iter_mut().zip(values) {
                        *to += value;
                    }
                }
            }
        }
    }

    /// Levels with levels: a weighted table for every two coded columns.
    #[inline(always)]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a Hessian over more than 65,536 levels would not fit in memory"
    )]
    fn add_codes(&mut self, part: &Part, layout: &Layout) {
        let q = layout.n_core();
        let n_rows = part.n_rows;
        for (idx, coded) in layout.core_coded().enumerate() {
            for tile in 0..part.n_tiles() {
                let codes = part.codes(tile, coded, layout);
                let to = &mut self.codes
                    [idx * PART_ROWS + tile * TILE_ROWS..idx * PART_ROWS + (tile + 1) * TILE_ROWS];
                match codes {
                    TileCodes::Byte(codes) => to
                        .iter_mut()
                        .zip(codes)
                        .for_each(|(to, code)| *to = u16::from(*code)),
                    TileCodes::Two(codes) => to.copy_from_slice(codes),
                    TileCodes::Four(codes) => to
                        .iter_mut()
                        .zip(codes)
                        .for_each(|(to, code)| *to = *code as u16),
                }
            }
        }
        let curvature = &self.curvature[..n_rows];
        for (idx, coded) in layout.core_coded().enumerate() {
            let codes = &self.codes[idx * PART_ROWS..idx * PART_ROWS + n_rows];
            for (code, curvature) in codes.iter().zip(curvature) {
                let at = coded.first + *code as usize;
                self.matrix[at * q + at] += curvature;
            }
            for (other_idx, other) in layout.core_coded().take(idx).enumerate() {
                let other_codes =
                    &self.codes[other_idx * PART_ROWS..other_idx * PART_ROWS + n_rows];
                let size = coded.n_levels * other.n_levels;
                if size > MAX_TABLE {
                    for ((code, other_code), curvature) in
                        codes.iter().zip(other_codes).zip(curvature)
                    {
                        self.matrix[(coded.first + *code as usize) * q
                            + other.first
                            + *other_code as usize] += curvature;
                    }
                    continue;
                }
                let table = &mut self.table[..size];
                table.fill(0.0);
                let width = other.n_levels;
                for ((code, other_code), curvature) in codes.iter().zip(other_codes).zip(curvature)
                {
                    table[*code as usize * width + *other_code as usize] += curvature;
                }
                for (level, sums) in table.chunks_exact(width).enumerate() {
                    let at = (coded.first + level) * q + other.first;
                    add_all(&mut self.matrix[at..at + width], sums);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_that_of_the_library() {
        for i in -70_000..=70_000 {
            let x = f64::from(i) * 0.009_87;
            let (found, expected) = (exp_of_minus_abs(x), (-x.abs()).exp());
            // Two units in the last place.
            assert!(
                (found / expected - 1.0).abs() < 5e-16,
                "{x}: {found} {expected}"
            );
        }
        assert_eq!(exp_of_minus_abs(0.0), 1.0);
        assert!(exp_of_minus_abs(1e9) < 1e-300);
    }
}
