//! The arithmetic of one tile: log-odds of its rows, their derivatives, and sums of them by column and
//! by code.

use ndarray::LinalgScalar;

use crate::layout::{Layout, Part, TILE_ROWS, TileCodes};

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

/// Copies of the sums of an encoded column, so that equal codes in a row need not wait for one
/// another.
pub(crate) const COPIES: usize = 4;

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
pub(crate) fn product_sum<N: Stored>(values: &[N], factors: &[f64; TILE_ROWS]) -> f64 {
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
pub(crate) fn add_numbers<N: Stored>(
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
pub(crate) fn add_codes(
    eta: &mut [f64; TILE_ROWS],
    part: &Part,
    tile: usize,
    layout: &Layout,
    coefficients: &[f64],
) {
    for encoded in &layout.encoded {
        let weights = &coefficients[encoded.first..encoded.first + encoded.n_levels];
        match part.codes(tile, encoded, layout) {
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
pub(crate) fn scatter<C: Code>(sums: &mut [f64], codes: &[C], residual: &[f64; TILE_ROWS]) {
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
