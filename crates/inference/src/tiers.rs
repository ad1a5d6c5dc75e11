//! Contact priority by quartile, where equal likelihoods always share a tier.

use leadscore_core::ContactPriority;

/// The quartile tier of each row by its score, highest first.
///
/// A group of ties goes where the midpoint of its percentile range falls, so that equal scores
/// share a tier and sizes differ from a quarter only by ties. A midpoint on an edge goes to the
/// lower tier.
///
/// # Examples
///
/// ```
/// use leadscore_core::ContactPriority::{High, Low, Medium, VeryHigh};
/// assert_eq!(leadscore_inference::quartile_tiers(&[0.1, 0.9, 0.4, 0.2]), [Low, VeryHigh, High, Medium]);
/// assert_eq!(leadscore_inference::quartile_tiers(&[0.5, 0.5]), [Medium, Medium]);
/// ```
pub fn quartile_tiers(scores: &[f64]) -> Vec<ContactPriority> {
    let n = scores.len();
    let mut tiers = vec![ContactPriority::Low; n];
    // Groups come in rising order; counted from the top, rows `start..end` from below are `n -
    // end..n - start`.
    for_each_tie_group(scores, |rows, start, end| {
        let (above, through) = (n - end, n - start);
        let tier = ContactPriority::QUARTILES[(2 * (above + through) / n).min(3)];
        for &row in rows {
            tiers[row as usize] = tier;
        }
    });
    tiers
}

/// Fewer rows than these have no quartiles that mean anything.
pub const FEWEST_FOR_QUARTILES: usize = 20;

/// The quartile tier of each row; of fewer than [`FEWEST_FOR_QUARTILES`] rows, the tier by the
/// edges of the model that scored them.
///
/// # Examples
///
/// ```
/// use leadscore_core::ContactPriority::{Low, VeryHigh};
/// assert_eq!(leadscore_inference::relative_tiers(&[0.1, 0.9], &[0.5, 0.4, 0.3]), [Low, VeryHigh]);
/// ```
pub fn relative_tiers(scores: &[f64], model_edges: &[f64; 3]) -> Vec<ContactPriority> {
    if scores.len() < FEWEST_FOR_QUARTILES {
        tiers_by_edges(scores, model_edges)
    } else {
        quartile_tiers(scores)
    }
}

/// The percentile of each row, 0 to 100: the share of rows below it, ties counting half.
///
/// # Examples
///
/// ```
/// assert_eq!(leadscore_inference::percentiles(&[0.1, 0.9]), [25.0, 75.0]);
/// ```
pub fn percentiles(scores: &[f64]) -> Vec<f64> {
    let n = scores.len();
    let mut result = vec![0.0; n];
    for_each_tie_group(scores, |rows, start, end| {
        for &row in rows {
            result[row as usize] = 100.0 * (start + end) as f64 / (2 * n) as f64;
        }
    });
    result
}

/// Calls `visit` with each group of equal scores, lowest first: its rows, and its range of ranks
/// from below.
fn for_each_tie_group(scores: &[f64], mut visit: impl FnMut(&[u32], usize, usize)) {
    let mut order: Vec<u32> = (0..scores.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| scores[a as usize].total_cmp(&scores[b as usize]));
    let mut start = 0;
    while start < order.len() {
        let value = scores[order[start] as usize];
        let end = start
            + order[start..]
                .iter()
                .take_while(|&&row| scores[row as usize] == value)
                .count()
                .max(1);
        visit(&order[start..end], start, end);
        start = end;
    }
}

/// The scores at 75 %, 50 % and 25 % from below, which part rows into quartiles; `[1, 1, 1]`
/// without rows.
pub fn quartile_edges(scores: &[f64]) -> [f64; 3] {
    if scores.is_empty() {
        return [1.0; 3];
    }
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |quarter: usize| sorted[(quarter * sorted.len() / 4).min(sorted.len() - 1)];
    [at(3), at(2), at(1)]
}

/// The tier of each row by fixed edges: at or above the first is very high, and so on.
pub fn tiers_by_edges(scores: &[f64], edges: &[f64; 3]) -> Vec<ContactPriority> {
    let edges = edges.map(edge_within_rounding);
    scores
        .iter()
        .map(|score| {
            ContactPriority::QUARTILES[edges.iter().filter(|edge| *score < **edge).count()]
        })
        .collect()
}

/// The least score that reaches an edge: one that differs from it by rounding does.
///
/// Edges are scores of training rows, so that scores of other rows are equal to them, but for the
/// last digits of whoever computes them; after a calibration, for ours too.
pub fn edge_within_rounding(edge: f64) -> f64 {
    edge * (1.0 - 1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_quarters_without_ties() {
        let scores: Vec<f64> = (0..1003).map(|i| f64::from(i * 7919 % 1003)).collect();
        let tiers = quartile_tiers(&scores);
        for tier in ContactPriority::QUARTILES {
            let size = tiers.iter().filter(|found| **found == tier).count();
            assert!((250..=251).contains(&size), "{tier}: {size}");
        }
    }

    #[test]
    fn ties_are_never_split() {
        // Ten leads, six of them equal: where pandas raises and polars gives three tiers.
        let scores = [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.5, 0.6, 0.7, 0.8];
        let tiers = quartile_tiers(&scores);
        assert!(tiers[..6].iter().all(|tier| *tier == tiers[0]));
        assert_eq!(tiers[9], ContactPriority::VeryHigh);
        assert_eq!(tiers[0], ContactPriority::Medium);
        assert_eq!(
            tiers_by_edges(&[0.9, 0.5, 0.3, 0.1], &[0.8, 0.4, 0.2]),
            ContactPriority::QUARTILES
        );
        assert_eq!(
            relative_tiers(&[0.9; 19], &[0.95, 0.4, 0.2]),
            [ContactPriority::High; 19]
        );
        assert_eq!(
            relative_tiers(&[0.9; 20], &[0.95, 0.4, 0.2]),
            [ContactPriority::Medium; 20]
        );
        // One unit in the last place is rounding.
        assert_eq!(
            tiers_by_edges(&[0.3_f64.next_down(), 0.3 - 1e-9], &[0.3; 3]),
            [ContactPriority::VeryHigh, ContactPriority::Low]
        );
    }
}
