//! Numbers as if drawn, the same on every run.

/// Steele et al. (2014), "Fast splittable pseudorandom number generators".
pub(crate) fn split_mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Two independent standard normal numbers, by Box and Muller (1958), Annals of Mathematical
/// Statistics 29(2).
pub(crate) fn normal_pair(bits: u64) -> [f64; 2] {
    let uniform = |bits: u64| ((split_mix(bits) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    let (radius, turn) = (
        (-2.0 * uniform(bits).ln()).sqrt(),
        std::f64::consts::TAU * uniform(!bits),
    );
    [radius * turn.cos(), radius * turn.sin()]
}
