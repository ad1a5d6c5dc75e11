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

/// Areas under the ROC curves of several scores, and their covariance with rows of one cluster taken together.
///
/// ```text
/// V₁₀(i) = (losses scored below win i + ½ ties) / n₋        V₀₁(j) = (wins scored above loss j + ½ ties) / n₊
/// Cov = C₊/(C₊−1)·Σ A A′ + C₋/(C₋−1)·Σ B B′ + C/(C−1)·Σ (A B′ + B A′)
/// A(c) = Σ (V₁₀ − AUC) / n₊ over the wins of cluster c      B(c) = Σ (V₀₁ − AUC) / n₋ over its other rows
/// ```
///
/// where `C₊`, `C₋` and `C` are the numbers of clusters with wins, with other rows, and of all. Where each row is a cluster,
/// that is DeLong's covariance.
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
/// DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44(3); computed as Sun and Xu (2014), IEEE Signal Processing Letters
/// 21(11); clusters as Obuchowski (1997), Biometrics 53(2).
pub fn roc_aucs(labels: &[bool], rankings: &[Ranking], clusters: &Clusters) -> Result<RocAucs, MetricError> {
    for length in rankings.iter().map(Ranking::len).chain([clusters.of_row().len()]) {
        if length != labels.len() {
            return Err(MetricError::Length { labels: labels.len(), scores: length });
        }
    }
    check_both_classes(labels)?;
    let n_wins = labels.iter().filter(|label| **label).count() as f64;
    let n_losses = labels.len() as f64 - n_wins;
    let (mut has_win, mut has_loss) = (vec![false; clusters.len()], vec![false; clusters.len()]);
    for (&cluster, &label) in clusters.of_row().iter().zip(labels) {
        if label { has_win[cluster as usize] = true } else { has_loss[cluster as usize] = true }
    }
    let count = |flags: &[bool]| flags.iter().filter(|flag| **flag).count() as f64;
    // What a sum over few clusters misses of the variance.
    let correction = |n: f64| if n > 1.0 { n / (n - 1.0) } else { 1.0 };
    let (for_wins, for_losses, for_all) = (correction(count(&has_win)), correction(count(&has_loss)), correction(clusters.len() as f64));
    let placed: Vec<(f64, Vec<[f64; 2]>)> = rankings.iter().map(|ranking| placements(labels, ranking, clusters, n_wins, n_losses)).collect();
    let n = rankings.len();
    let mut covariance = vec![0.0; n * n];
    for first in 0..n {
        for second in first..n {
            let (mut wins, mut losses, mut both) = (0.0, 0.0, 0.0);
            for (one, two) in placed[first].1.iter().zip(&placed[second].1) {
                wins += one[0] * two[0];
                losses += one[1] * two[1];
                both += one[0] * two[1] + one[1] * two[0];
            }
            let found = for_wins * wins + for_losses * losses + for_all * both;
            covariance[first * n + second] = found;
            covariance[second * n + first] = found;
        }
    }
    Ok(RocAucs { areas: placed.into_iter().map(|(area, _)| area).collect(), covariance })
}

/// The area, and for each cluster the sums `A` and `B` of [`roc_aucs`].
fn placements(labels: &[bool], ranking: &Ranking, clusters: &Clusters, n_wins: f64, n_losses: f64) -> (f64, Vec<[f64; 2]>) {
    // Labels in order of the ranking are read from all over the place: once is enough.
    let is_win: Vec<bool> = ranking.order().iter().map(|&row| labels[row as usize]).collect();
    let count = |ends: (usize, usize)| is_win[ends.0..ends.1].iter().filter(|win| **win).count() as f64;
    let groups = ranking.ties().map(|ends| {
        let wins = count(ends);
        ((ends.1 - ends.0) as f64 - wins, wins)
    });
    let area = crate::ranking::area(groups).expect("both classes were checked to be there");
    let mut sums = vec![[0.0; 2]; clusters.len()];
    let (mut wins_above, mut losses_above) = (0.0, 0.0);
    // Where each row is a cluster, their numbers need not be looked up.
    let is_alone = clusters.len() == labels.len();
    let (per_win, per_loss) = (1.0 / n_wins, 1.0 / n_losses);
    for ends in ranking.ties() {
        let wins = count(ends);
        let losses = (ends.1 - ends.0) as f64 - wins;
        let of_win = ((n_losses - losses_above - losses / 2.0) * per_loss - area) * per_win;
        let of_loss = ((wins_above + wins / 2.0) * per_win - area) * per_loss;
        for position in ends.0..ends.1 {
            let row = ranking.order()[position] as usize;
            let cluster = if is_alone { row } else { clusters.of_row()[row] as usize };
            let is_win = is_win[position];
            sums[cluster][usize::from(!is_win)] += if is_win { of_win } else { of_loss };
        }
        wins_above += wins;
        losses_above += losses;
    }
    (area, sums)
}

impl RocAucs {
    fn variance(&self, first: usize, second: usize) -> f64 {
        let n = self.areas.len();
        let of = |a: usize, b: usize| self.covariance[a * n + b];
        (of(first, first) + of(second, second) - 2.0 * of(first, second)).max(0.0)
    }

    /// Standard error of the area of a score.
    pub fn standard_error(&self, score: usize) -> f64 {
        self.covariance[score * self.areas.len() + score].max(0.0).sqrt()
    }

    /// The area of a score with its 95 % interval, which is symmetric in log-odds, so that it stays within 0 and 1.
    pub fn estimate(&self, score: usize) -> Estimate {
        let value = self.areas[score];
        if value <= 0.0 || value >= 1.0 {
            return Estimate { value, low: value, high: value };
        }
        let half = Z * self.standard_error(score) / (value * (1.0 - value));
        let at = |log_odds: f64| 1.0 / (1.0 + (-log_odds).exp());
        let center = (value / (1.0 - value)).ln();
        Estimate { value, low: at(center - half), high: at(center + half) }
    }

    /// The area of the first score less that of the second, with its 95 % interval.
    pub fn difference(&self, first: usize, second: usize) -> Estimate {
        let value = self.areas[first] - self.areas[second];
        let half = Z * self.variance(first, second).sqrt();
        Estimate { value, low: value - half, high: value + half }
    }
}
