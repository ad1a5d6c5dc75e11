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
    check_lengths(labels, rankings, clusters)?;
    check_both_classes(labels)?;
    let terms = Terms::new(labels, rankings);
    let products = Products::new(&terms, clusters);
    let corrections = Corrections::new(labels, clusters);
    let n_scores = rankings.len();
    let mut covariance = vec![0.0; n_scores * n_scores];
    for first in 0..n_scores {
        for second in first..n_scores {
            let found = corrections.covariance(products.of(first, second));
            covariance[first * n_scores + second] = found;
            covariance[second * n_scores + first] = found;
        }
    }
    Ok(RocAucs {
        areas: terms.areas,
        covariance,
    })
}

/// Whether each ranking and the clusters are of as many rows as there are labels.
fn check_lengths(
    labels: &[bool],
    rankings: &[Ranking],
    clusters: &Clusters,
) -> Result<(), MetricError> {
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
    Ok(())
}

/// What each row adds to `A` or `B` of its cluster.
struct Terms<'a> {
    labels: &'a [bool],
    n_wins: f64,
    n_losses: f64,
    /// The area of each score.
    areas: Vec<f64>,
    /// `V₁₀` of wins times `n₋` and `V₀₁` of other rows times `n₊`, score by score.
    placements: Vec<Vec<f64>>,
}

impl<'a> Terms<'a> {
    /// The terms of these rows for each score.
    fn new(labels: &'a [bool], rankings: &[Ranking]) -> Self {
        let n_wins = labels.iter().filter(|label| **label).count() as f64;
        let n_losses = labels.len() as f64 - n_wins;
        let (areas, placements) = rankings
            .iter()
            .map(|ranking| {
                let (pairs, values) = placements(labels, ranking, n_losses);
                (pairs / (n_wins * n_losses), values)
            })
            .unzip();
        Self {
            labels,
            n_wins,
            n_losses,
            areas,
            placements,
        }
    }

    /// What a win adds to `A`, or another row to `B`.
    fn of(&self, score: usize, row: usize) -> f64 {
        let (area, values) = (self.areas[score], &self.placements[score]);
        if self.labels[row] {
            (values[row] / self.n_losses - area) / self.n_wins
        } else {
            (values[row] / self.n_wins - area) / self.n_losses
        }
    }

    /// `A` and `B` of each cluster for a score.
    fn by_cluster(&self, score: usize, clusters: &Clusters) -> Vec<[f64; 2]> {
        let mut sums = vec![[0.0; 2]; clusters.len()];
        for (row, (&cluster, &label)) in clusters.of_row().iter().zip(self.labels).enumerate() {
            sums[cluster as usize][usize::from(!label)] += self.of(score, row);
        }
        sums
    }
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

/// Sums of the products of two scores' terms over clusters.
struct ProductSums {
    /// `Σ A A′`.
    wins: f64,
    /// `Σ B B′`.
    losses: f64,
    /// `Σ (A B′ + B A′)`.
    both: f64,
}

/// The terms that are multiplied.
enum Products<'t> {
    /// Each row is a cluster: none has a win and another row.
    ByRow(&'t Terms<'t>),
    /// `A` and `B` of each cluster, score by score.
    ByCluster(Vec<Vec<[f64; 2]>>),
}

impl<'t> Products<'t> {
    /// Row by row where that is enough.
    fn new(terms: &'t Terms<'t>, clusters: &Clusters) -> Self {
        if clusters.len() == terms.labels.len() {
            Self::ByRow(terms)
        } else {
            let scores = 0..terms.areas.len();
            Self::ByCluster(
                scores
                    .map(|score| terms.by_cluster(score, clusters))
                    .collect(),
            )
        }
    }

    /// The sums of the products of two scores.
    fn of(&self, first: usize, second: usize) -> ProductSums {
        let (mut wins, mut losses, mut both) = (0.0, 0.0, 0.0);
        match self {
            Self::ByRow(terms) => {
                for (row, &label) in terms.labels.iter().enumerate() {
                    let product = terms.of(first, row) * terms.of(second, row);
                    if label {
                        wins += product;
                    } else {
                        losses += product;
                    }
                }
            }
            Self::ByCluster(by_cluster) => {
                for (one, two) in by_cluster[first].iter().zip(&by_cluster[second]) {
                    wins += one[0] * two[0];
                    losses += one[1] * two[1];
                    both += one[0] * two[1] + one[1] * two[0];
                }
            }
        }
        ProductSums { wins, losses, both }
    }
}

/// What sums over few clusters miss of the variance.
struct Corrections {
    wins: f64,
    losses: f64,
    both: f64,
}

impl Corrections {
    /// By the numbers of clusters with wins, with other rows, and of all.
    fn new(labels: &[bool], clusters: &Clusters) -> Self {
        let mut has_win = vec![false; clusters.len()];
        let mut has_loss = vec![false; clusters.len()];
        for (&cluster, &label) in clusters.of_row().iter().zip(labels) {
            if label {
                has_win[cluster as usize] = true;
            } else {
                has_loss[cluster as usize] = true;
            }
        }
        let count = |flags: &[bool]| flags.iter().filter(|flag| **flag).count() as f64;
        let correction = |n: f64| if n > 1.0 { n / (n - 1.0) } else { 1.0 };
        Self {
            wins: correction(count(&has_win)),
            losses: correction(count(&has_loss)),
            both: correction(clusters.len() as f64),
        }
    }

    /// The covariance that these sums of products come to.
    fn covariance(&self, sums: ProductSums) -> f64 {
        self.wins * sums.wins + self.losses * sums.losses + self.both * sums.both
    }
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
