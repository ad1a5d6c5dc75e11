//! Two populations of contributions: the stability index with what it may be by chance, and how far
//! one lies from the other in log-odds.

use super::side::Side;
use crate::chance::{noncentral_chi2_above, noncentral_chi2_quantile_above};

/// The stability index, and how it compares with chance.
pub(super) struct Resemblance {
    pub(super) psi: f64,
    /// What it must exceed at 5 %.
    pub(super) critical: f64,
    pub(super) p: f64,
    pub(super) n_effective: (f64, f64),
}

/// The stability index of two populations that may differ by `tolerance`.
pub(super) fn resemblance(reference: &Side, current: &Side, tolerance: f64) -> Resemblance {
    let edges = edges(&reference.sorted);
    let bin_of = |value: f64| edges.partition_point(|edge| *edge < value);
    let n_bins = edges.len() + 1;
    let (n, m) = (
        reference.effective(bin_of, n_bins),
        current.effective(bin_of, n_bins),
    );
    let shares = |sorted: &[f64], n_effective: f64| -> Vec<f64> {
        let mut counts = vec![0.0; n_bins];
        for value in sorted {
            counts[bin_of(*value)] += 1.0;
        }
        // Half an effective row in each bin, so that an empty one has a logarithm.
        let rows = sorted.len() as f64;
        counts
            .iter()
            .map(|count| (count / rows * n_effective + 0.5) / (n_effective + 0.5 * n_bins as f64))
            .collect()
    };
    let (then, now) = (shares(&reference.sorted, n), shares(&current.sorted, m));
    let psi: f64 = then
        .iter()
        .zip(&now)
        .map(|(p, q)| (q - p) * (q / p).ln())
        .sum();
    let scale = n * m / (n + m);
    let freedom = (n_bins - 1) as f64;
    Resemblance {
        psi,
        critical: noncentral_chi2_quantile_above(0.05, freedom, tolerance * scale) / scale,
        p: noncentral_chi2_above(psi * scale, freedom, tolerance * scale),
        n_effective: (n, m),
    }
}

/// Where the tenths of the reference end, both sides of a value that has a whole tenth.
fn edges(sorted: &[f64]) -> Vec<f64> {
    let deciles: Vec<f64> = (1..10)
        .map(|tenth| sorted[(sorted.len() * tenth / 10).min(sorted.len() - 1)])
        .collect();
    let mut edges = Vec::new();
    for tenth in deciles.chunk_by(|a, b| a == b) {
        if tenth.len() > 1 {
            edges.push(tenth[0].next_down());
        }
        edges.push(tenth[0]);
    }
    edges.dedup();
    edges
}

/// The Wasserstein distance of two samples: the area between their distribution functions.
pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    let (mut i, mut j) = (0, 0);
    let mut area = 0.0;
    let mut last = f64::NAN;
    while i < a.len() || j < b.len() {
        let next = match (a.get(i), b.get(j)) {
            (Some(&x), Some(&y)) => x.min(y),
            (Some(&x), None) => x,
            (None, Some(&y)) => y,
            (None, None) => break,
        };
        if !last.is_nan() {
            let gap = i as f64 / a.len() as f64 - j as f64 / b.len() as f64;
            area += gap.abs() * (next - last);
        }
        last = next;
        while a.get(i) == Some(&next) {
            i += 1;
        }
        while b.get(j) == Some(&next) {
            j += 1;
        }
    }
    area
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_by_hand() {
        assert_eq!(distance(&[0.0, 1.0], &[0.0, 1.0]), 0.0);
        assert_eq!(distance(&[0.0, 1.0], &[2.0, 3.0]), 2.0);
        assert_eq!(distance(&[0.0; 4], &[0.0, 0.0, 0.0, 1.0]), 0.25);
        assert_eq!(distance(&[-1.0, 1.0], &[0.0]), 1.0);
    }

    #[test]
    fn a_frequent_value_has_a_bin_of_its_own() {
        let mut sorted = vec![0.0; 95];
        sorted.extend([1.0; 5]);
        assert_eq!(edges(&sorted), [0.0_f64.next_down(), 0.0]);
        assert_eq!(edges(&[7.0]), [7.0_f64.next_down(), 7.0]);
        let ten: Vec<f64> = (0..10).map(f64::from).collect();
        assert_eq!(edges(&ten), (1..10).map(f64::from).collect::<Vec<_>>());
    }
}
