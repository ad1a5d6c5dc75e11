//! Areas under ROC curves on the same rows, and what chance does to them and to their differences.

use crate::bootstrap::Estimate;
use crate::clusters::Clusters;
use crate::error::{MetricError, check_both_classes};
use crate::interval::Z;
use crate::ranking::Ranking;

/// Areas under the ROC curves of several scores on the same rows, with their covariance.
#[derive(Debug, Clone, PartialEq)]
pub struct RocAucs {
    /// The area of each score: `(n_scores,)`.
    pub areas: Vec<f64>,
    /// Their covariance: `(n_scores, n_scores)`, row by row.
    pub covariance: Vec<f64>,
}

/// Areas under the ROC curves of several scores, and their covariance with rows of one cluster
/// taken together.
///
/// ```text
/// V₁₀(i) = (losses scored below win i + ½ ties) / n₋        V₀₁(j) = (wins scored above loss j + ½ ties) / n₊
/// Cov = C₊/(C₊−1)·Σ A A′ + C₋/(C₋−1)·Σ B B′ + C/(C−1)·Σ (A B′ + B A′)
/// A(c) = Σ (V₁₀ − AUC) / n₊ over the wins of cluster c      B(c) = Σ (V₀₁ − AUC) / n₋ over its other rows
/// ```
///
/// where `C₊`, `C₋` and `C` are the numbers of clusters with wins, with other rows, and of all.
/// Where each row is a cluster, that is DeLong's covariance.
///
/// # Shapes
///
/// `labels` is `(n_rows,)`; each ranking and the clusters are of as many rows.
///
/// # Errors
///
/// [`MetricError::Length`]; [`MetricError::OneClass`] where all labels are equal.
///
/// # Examples
///
/// ```
/// use leadscore_metrics::{Clusters, Ranking, roc_aucs};
///
/// let labels = [true, false, true, false, false];
/// let rankings = [Ranking::new(&[0.9, 0.1, 0.4, 0.5, 0.2])?, Ranking::new(&[5.0, 4.0, 3.0, 2.0, 1.0])?];
/// let aucs = roc_aucs(&labels, &rankings, &Clusters::new(&[1, 2, 3, 4, 5]))?;
/// assert!((aucs.areas[0] - 5.0 / 6.0).abs() < 1e-12 && (aucs.difference(0, 1).value).abs() < 1e-12);
/// # Ok::<(), leadscore_metrics::MetricError>(())
/// ```
///
/// # References
///
/// DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44(3); computed as Sun and Xu (2014), IEEE
/// Signal Processing Letters 21(11); clusters as Obuchowski (1997), Biometrics 53(2).
pub fn roc_aucs(
    labels: &[bool],
    rankings: &[Ranking],
    clusters: &Clusters,
) -> Result<RocAucs, MetricError> {
    for length in rankings
        .iter()
        .map(Ranking::len)
        .chain([clusters.of_row().len()])
    {
        if length != labels.len() {
            return Err(MetricError::Length {
                labels: labels.len(),
                scores: length,
            });
        }
    }
    check_both_classes(labels)?;
    let n_wins = labels.iter().filter(|label| **label).count() as f64;
    let n_losses = labels.len() as f64 - n_wins;
    let placed: Vec<(f64, Vec<f64>)> = rankings
        .iter()
        .map(|ranking| {
            let (pairs, values) = placements(labels, ranking, n_losses);
            (pairs / (n_wins * n_losses), values)
        })
        .collect();
    let (mut has_win, mut has_loss) = (vec![false; clusters.len()], vec![false; clusters.len()]);
    for (&cluster, &label) in clusters.of_row().iter().zip(labels) {
        if label {
            has_win[cluster as usize] = true;
        } else {
            has_loss[cluster as usize] = true;
        }
    }
    let count = |flags: &[bool]| flags.iter().filter(|flag| **flag).count() as f64;
    // What a sum over few clusters misses of the variance.
    let correction = |n: f64| if n > 1.0 { n / (n - 1.0) } else { 1.0 };
    let (for_wins, for_losses, for_all) = (
        correction(count(&has_win)),
        correction(count(&has_loss)),
        correction(clusters.len() as f64),
    );
    // `A` of a win or `B` of another row.
    let term = |score: usize, row: usize| {
        let (area, values) = &placed[score];
        if labels[row] {
            (values[row] / n_losses - area) / n_wins
        } else {
            (values[row] / n_wins - area) / n_losses
        }
    };
    let n = rankings.len();
    let mut covariance = vec![0.0; n * n];
    let is_alone = clusters.len() == labels.len();
    let by_cluster: Vec<Vec<[f64; 2]>> = if is_alone {
        Vec::new()
    } else {
        (0..n)
            .map(|score| cluster_terms(labels, clusters, |row| term(score, row)))
            .collect()
    };
    for first in 0..n {
        for second in first..n {
            let (mut wins, mut losses, mut both) = (0.0, 0.0, 0.0);
            if is_alone {
                // Where each row is a cluster, no cluster has a win and another row.
                for (row, &label) in labels.iter().enumerate() {
                    let product = term(first, row) * term(second, row);
                    if label {
                        wins += product;
                    } else {
                        losses += product;
                    }
                }
            } else {
                for (one, two) in by_cluster[first].iter().zip(&by_cluster[second]) {
                    wins += one[0] * two[0];
                    losses += one[1] * two[1];
                    both += one[0] * two[1] + one[1] * two[0];
                }
            }
            let found = for_wins * wins + for_losses * losses + for_all * both;
            covariance[first * n + second] = found;
            covariance[second * n + first] = found;
        }
    }
    Ok(RocAucs {
        areas: placed.into_iter().map(|(area, _)| area).collect(),
        covariance,
    })
}

/// `A` and `B` of each cluster.
fn cluster_terms(
    labels: &[bool],
    clusters: &Clusters,
    term: impl Fn(usize) -> f64,
) -> Vec<[f64; 2]> {
    let mut sums = vec![[0.0; 2]; clusters.len()];
    for (row, (&cluster, &label)) in clusters.of_row().iter().zip(labels).enumerate() {
        sums[cluster as usize][usize::from(!label)] += term(row);
    }
    sums
}

/// Pairs of a win and another row that the score puts in order, ties counting half; and for each
/// row, how many such pairs it is in.
fn placements(labels: &[bool], ranking: &Ranking, n_losses: f64) -> (f64, Vec<f64>) {
    let mut values = vec![0.0; labels.len()];
    let (mut pairs, mut wins_above, mut losses_below) = (0.0, 0.0, n_losses);
    for rows in ranking.tied_rows() {
        let wins = rows.iter().filter(|&&row| labels[row as usize]).count() as f64;
        let losses = rows.len() as f64 - wins;
        losses_below -= losses;
        let (of_win, of_loss) = (losses_below + losses / 2.0, wins_above + wins / 2.0);
        for &row in rows {
            values[row as usize] = if labels[row as usize] {
                of_win
            } else {
                of_loss
            };
        }
        pairs += wins * of_win;
        wins_above += wins;
    }
    (pairs, values)
}

impl RocAucs {
    fn variance(&self, first: usize, second: usize) -> f64 {
        let n = self.areas.len();
        let of = |a: usize, b: usize| self.covariance[a * n + b];
        (of(first, first) + of(second, second) - 2.0 * of(first, second)).max(0.0)
    }

    /// Standard error of the area of a score.
    pub fn standard_error(&self, score: usize) -> f64 {
        self.covariance[score * self.areas.len() + score]
            .max(0.0)
            .sqrt()
    }

    /// The area of a score with its 95 % interval, which is symmetric in log-odds, so that it stays
    /// within 0 and 1.
    pub fn estimate(&self, score: usize) -> Estimate {
        let value = self.areas[score];
        if value <= 0.0 || value >= 1.0 {
            return Estimate {
                value,
                low: value,
                high: value,
            };
        }
        let half = Z * self.standard_error(score) / (value * (1.0 - value));
        let at = |log_odds: f64| 1.0 / (1.0 + (-log_odds).exp());
        let center = (value / (1.0 - value)).ln();
        Estimate {
            value,
            low: at(center - half),
            high: at(center + half),
        }
    }

    /// The area of the first score less that of the second, with its 95 % interval.
    pub fn difference(&self, first: usize, second: usize) -> Estimate {
        let value = self.areas[first] - self.areas[second];
        let half = Z * self.variance(first, second).sqrt();
        Estimate {
            value,
            low: value - half,
            high: value + half,
        }
    }
}
