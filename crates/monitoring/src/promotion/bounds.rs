//! Bounds of a mean difference of losses: by cluster, for few and skewed sums, and for one look or
//! for many.

use leadscore_metrics::Clusters;
use serde::{Deserialize, Serialize};

use crate::chance::{normal_quantile_above, t_quantile_above};

/// How often the same pair of models is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Looks {
    /// Once, or each time on rows that no earlier look has used.
    ///
    /// ```text
    /// high = d − e · g⁻¹(−t),   low = d − e · g⁻¹(t),   e = √ ∑ s² / n
    /// g⁻¹(x) = 3/a ((1 + a (x − a/6))^⅓ − 1),   a = ∑ s³ / (∑ s²)^³⁄²
    /// ```
    ///
    /// over the sums `s` of the centered differences of each cluster; `t` is the quantile of
    /// Student's distribution with one degree of freedom less than there are effective clusters,
    /// at least one. `g` is Hall's transformation, which takes the skewness out: differences of log-losses have
    /// one long tail, and where few rows are won, a plain t is too sure on that side.
    One,
    /// Any number of times on a record that only grows, such as shadow scores: the bounds hold at
    /// all looks together.
    ///
    /// ```text
    /// d ± e √( 2 (k + 1)/k · ln( 1 + √(k + 1) / (2α) ) ),   k = ρ² (∑ s²)² / ∑ s⁴
    /// ```
    ///
    /// with `α` the chance of each bound, and `ρ` set so that the bounds are tightest at 1,000
    /// effective clusters; there they are 1.55 times as wide as those of one look. In samples as
    /// small as 50 clusters they are wider by what t is above the normal distribution.
    Any,
}

/// A mean with its bounds.
pub(super) struct Bounds {
    pub(super) mean: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) n_effective: f64,
}

/// Where an anytime bound is tightest, in clusters.
const TIGHTEST_AT: f64 = 1_000.0;

/// The bounds of a mean at this level, one-sided each; without limit where clusters are fewer than
/// two.
///
/// # References
///
/// Hall (1992), Journal of the Royal Statistical Society B 54(1), on the transformation;
/// Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Annals of Statistics 52(6), on
/// asymptotic confidence sequences, one-sided as in their appendix B.
pub(super) fn bounds(values: &[f64], clusters: &Clusters, level: f64, looks: Looks) -> Bounds {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let mut sums = vec![0.0; clusters.len()];
    for (value, &cluster) in values.iter().zip(clusters.of_row()) {
        sums[cluster as usize] += value - mean;
    }
    let power = |exponent: i32| {
        sums.iter()
            .map(|sum| f64::powi(*sum, exponent))
            .sum::<f64>()
    };
    let second = power(2);
    if clusters.len() < 2 {
        return Bounds {
            mean,
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
            n_effective: clusters.len() as f64,
        };
    }
    // Differences that are all equal, such as those of a model and its copy, are known exactly.
    if second <= 1e-24 * n * (1.0 + mean * mean) {
        return Bounds {
            mean,
            low: mean,
            high: mean,
            n_effective: clusters.len() as f64,
        };
    }
    let n_effective = second * second / power(4);
    let n_clusters = clusters.len() as f64;
    // Cluster sums are around an estimated mean, which takes a part of their spread.
    let error = (second * n_clusters / (n_clusters - 1.0)).sqrt() / n;
    let freedom = (n_effective - 1.0).max(1.0);
    let (low, high) = match looks {
        Looks::One => {
            let t = t_quantile_above(1.0 - level, freedom);
            let skewness = power(3) / second.powf(1.5);
            (
                mean - error * without_skewness(t, skewness),
                mean - error * without_skewness(-t, skewness),
            )
        }
        Looks::Any => {
            let chance = 1.0 - level;
            let small = t_quantile_above(chance, freedom) / normal_quantile_above(chance);
            let half = error * small * anytime_quantile(chance, n_effective);
            (mean - half, mean + half)
        }
    };
    Bounds {
        mean,
        low,
        high,
        n_effective,
    }
}

/// Hall's transformation, inverted: the skewness is that of the mean.
fn without_skewness(x: f64, skewness: f64) -> f64 {
    if skewness.abs() < 1e-8 {
        return x;
    }
    3.0 / skewness * ((1.0 + skewness * (x - skewness / 6.0)).cbrt() - 1.0)
}

/// Standard errors that no look exceeds on one side but with this chance.
fn anytime_quantile(chance: f64, n: f64) -> f64 {
    let wanted = -2.0 * (2.0 * chance).ln();
    let rho2 = (wanted + wanted.ln() + 1.0) / TIGHTEST_AT;
    let k = n * rho2;
    (2.0 * (k + 1.0) / k * (1.0 + (k + 1.0).sqrt() / (2.0 * chance)).ln()).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_skewness_it_is_students() {
        // 1 to 9 and their negatives: no skewness; a t of as many effective clusters less one.
        let values: Vec<f64> = (1..10)
            .flat_map(|x| [f64::from(x), -f64::from(x)])
            .collect();
        let keys: Vec<u64> = (0..18).collect();
        let found = bounds(&values, &Clusters::new(&keys), 0.975, Looks::One);
        let n_effective = 570.0 * 570.0 / (2.0 * 15_333.0);
        let half = t_quantile_above(0.025, n_effective - 1.0) * (570.0_f64 / (18.0 * 17.0)).sqrt();
        assert!((found.n_effective - n_effective).abs() < 1e-9);
        assert!((found.high - half).abs() < 1e-9 && (found.low + half).abs() < 1e-9);
    }

    #[test]
    fn a_long_tail_moves_its_bound() {
        let mut values = vec![0.0; 99];
        values.push(100.0);
        let keys: Vec<u64> = (0..100).collect();
        let found = bounds(&values, &Clusters::new(&keys), 0.975, Looks::One);
        assert!(found.high - found.mean > 2.0 * (found.mean - found.low));
        let any = bounds(&values, &Clusters::new(&keys), 0.975, Looks::Any);
        assert!(any.low < found.low);
    }

    #[test]
    fn the_anytime_quantile_costs_what_the_docs_say() {
        let ratio = anytime_quantile(0.025, 1_000.0) / 1.96;
        assert!((1.4..1.7).contains(&ratio), "{ratio}");
    }
}
