//! Ranking: whether the leads that were won stand above those that were not.

use serde::{Deserialize, Serialize};

use crate::error::{MetricError, check_both_classes, check_scores};

/// Rows sorted once by score, best first, so that many weighted metrics can be read off.
///
/// Ties are never broken: every metric treats rows of equal score as one group, in any order.
#[derive(Debug, Clone)]
pub struct Ranking {
    order: Vec<u32>,
    /// End of each group of ties in `order`.
    group_ends: Vec<u32>,
}

/// A point of the gains curve: calling this share of leads, best first, reaches this share of wins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GainsPoint {
    /// Share of leads called, 0 to 1.
    pub share_called: f64,
    /// Share of all wins among them, 0 to 1.
    pub share_of_wins: f64,
}

/// A tenth of the leads by score, best first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DecileRow {
    /// 1 for the best tenth, 10 for the last.
    pub decile: usize,
    /// Expected share of its leads won; ties across an edge count in proportion.
    pub win_rate: f64,
    /// Win rate over that of all leads: 1 is no better than chance.
    pub lift: f64,
}

impl Ranking {
    /// Sorts the rows by score, highest first.
    ///
    /// # Errors
    ///
    /// [`MetricError::Empty`] or [`MetricError::NotFinite`].
    #[expect(clippy::cast_possible_truncation, reason = "four billion rows do not fit in memory beside their scores")]
    pub fn new(scores: &[f64]) -> Result<Self, MetricError> {
        if scores.is_empty() {
            return Err(MetricError::Empty);
        }
        if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
            return Err(MetricError::NotFinite { row, found: scores[row] });
        }
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        // The row number last: sums over a group then run in one fixed order.
        order.sort_unstable_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]).then(a.cmp(&b)));
        let mut group_ends = Vec::new();
        for position in 1..=order.len() {
            if position == order.len() || scores[order[position] as usize] != scores[order[position - 1] as usize] {
                group_ends.push(position as u32);
            }
        }
        Ok(Self { order, group_ends })
    }

    /// Weight of other rows and of wins in each group of ties, best first.
    fn groups<'a>(&'a self, labels: &'a [bool], weights: &'a [f64]) -> impl Iterator<Item = (f64, f64)> + 'a {
        let mut start = 0;
        self.group_ends.iter().map(move |&end| {
            let (mut losses, mut wins) = (0.0, 0.0);
            for &row in &self.order[start..end as usize] {
                let weight = weights[row as usize];
                if labels[row as usize] { wins += weight } else { losses += weight }
            }
            start = end as usize;
            (losses, wins)
        })
    }

    /// Weighted area under the ROC curve; see [`roc_auc`]. `None` where one class has no weight.
    pub fn weighted_auc(&self, labels: &[bool], weights: &[f64]) -> Option<f64> {
        let (mut area, mut wins_above, mut losses_total) = (0.0, 0.0, 0.0);
        for (losses, wins) in self.groups(labels, weights) {
            // A loss in this group lies below the wins above, and half below the wins it ties with.
            area += losses * (wins_above + wins / 2.0);
            wins_above += wins;
            losses_total += losses;
        }
        (wins_above > 0.0 && losses_total > 0.0).then(|| area / (wins_above * losses_total))
    }

    /// Weighted average precision; see [`average_precision`]. `None` where wins have no weight.
    pub fn weighted_average_precision(&self, labels: &[bool], weights: &[f64]) -> Option<f64> {
        let (mut sum, mut wins_so_far, mut rows_so_far) = (0.0, 0.0, 0.0);
        for (losses, wins) in self.groups(labels, weights) {
            wins_so_far += wins;
            rows_so_far += wins + losses;
            if wins > 0.0 {
                sum += wins * wins_so_far / rows_so_far;
            }
        }
        (wins_so_far > 0.0).then(|| sum / wins_so_far)
    }

    /// Weight of wins expected in the best `share` of the weight of all rows; a group that the edge cuts counts in proportion.
    fn wins_in_top(&self, labels: &[bool], weights: &[f64], capacity: f64) -> f64 {
        let (mut used, mut found) = (0.0, 0.0);
        for (losses, wins) in self.groups(labels, weights) {
            let size = losses + wins;
            if used + size >= capacity {
                if size > 0.0 {
                    found += wins * (capacity - used) / size;
                }
                return found;
            }
            used += size;
            found += wins;
        }
        found
    }

    /// Share of all wins found in the best `share` of rows. `None` where wins have no weight.
    ///
    /// # Examples
    ///
    /// ```
    /// use leadscore_metrics::Ranking;
    /// let ranking = Ranking::new(&[0.9, 0.5, 0.5, 0.1])?;
    /// assert_eq!(ranking.weighted_capture(&[true, true, false, false], &[1.0; 4], 0.5), Some(0.75));
    /// # Ok::<(), leadscore_metrics::MetricError>(())
    /// ```
    pub fn weighted_capture(&self, labels: &[bool], weights: &[f64], share: f64) -> Option<f64> {
        let total: f64 = weights.iter().sum();
        let wins: f64 = labels.iter().zip(weights).filter(|(label, _)| **label).map(|(_, weight)| weight).sum();
        (wins > 0.0).then(|| self.wins_in_top(labels, weights, share * total) / wins)
    }

    /// Expected share of wins among the best `k` rows, or among all where there are fewer; ties across the edge in proportion.
    pub fn precision_at(&self, labels: &[bool], k: usize) -> f64 {
        let k = k.clamp(1, labels.len());
        self.wins_in_top(labels, &vec![1.0; labels.len()], k as f64) / k as f64
    }

    /// The gains curve at every `1 / n_points` of rows, from (0, 0) to (1, 1). Empty where there are no wins.
    pub fn gains(&self, labels: &[bool], n_points: usize) -> Vec<GainsPoint> {
        let wins = labels.iter().filter(|label| **label).count() as f64;
        if wins == 0.0 {
            return Vec::new();
        }
        let n_rows = labels.len() as f64;
        let mut points = vec![GainsPoint { share_called: 0.0, share_of_wins: 0.0 }];
        let mut groups = self.groups(labels, &vec![1.0; labels.len()]).collect::<Vec<_>>().into_iter();
        let (mut used, mut found, mut current) = (0.0, 0.0, groups.next());
        for point in 1..=n_points {
            let capacity = n_rows * point as f64 / n_points as f64;
            let share_of_wins = loop {
                match current {
                    Some((losses, group_wins)) if used + losses + group_wins < capacity => {
                        used += losses + group_wins;
                        found += group_wins;
                        current = groups.next();
                    }
                    Some((losses, group_wins)) => break found + group_wins * (capacity - used) / (losses + group_wins),
                    None => break found,
                }
            };
            points.push(GainsPoint { share_called: point as f64 / n_points as f64, share_of_wins: share_of_wins / wins });
        }
        points
    }

    /// Win rate and lift of each tenth, best first. Empty where there are no wins.
    pub fn deciles(&self, labels: &[bool]) -> Vec<DecileRow> {
        let base_rate = labels.iter().filter(|label| **label).count() as f64 / labels.len() as f64;
        self.gains(labels, 10)
            .windows(2)
            .enumerate()
            .map(|(idx, pair)| {
                let lift = (pair[1].share_of_wins - pair[0].share_of_wins) * 10.0;
                DecileRow { decile: idx + 1, win_rate: lift * base_rate, lift }
            })
            .collect()
    }
}

/// Probability that a row that was won scores above one that was not, ties counting half: 0.5 is chance, 1 is perfect.
///
/// ```text
/// AUC = (∑ᵢ rᵢ − n₊(n₊ + 1)/2) / (n₊ n₋)
/// ```
///
/// where `rᵢ` are the midranks of the `n₊` wins among all rows and `n₋` is the number of others.
///
/// # Shapes
///
/// `labels` and `scores` are both `(n_rows,)`, in the same order.
///
/// # Errors
///
/// [`MetricError::Empty`], [`MetricError::Length`], [`MetricError::NotFinite`]; [`MetricError::OneClass`] where all labels are equal.
///
/// # Examples
///
/// ```
/// assert_eq!(leadscore_metrics::roc_auc(&[false, true, false, true], &[0.0, 0.0, 0.2, 0.9])?, 0.625);
/// # Ok::<(), leadscore_metrics::MetricError>(())
/// ```
///
/// # References
///
/// Hanley and McNeil (1982), Radiology 143(1).
pub fn roc_auc(labels: &[bool], scores: &[f64]) -> Result<f64, MetricError> {
    check_scores(labels, scores)?;
    check_both_classes(labels)?;
    let ranking = Ranking::new(scores)?;
    Ok(ranking.weighted_auc(labels, &vec![1.0; labels.len()]).expect("both classes were checked to be there"))
}

/// Mean precision at each win, going down the ranking, ties as one group: the base rate is chance, 1 is perfect.
///
/// ```text
/// AP = ∑ₖ (Rₖ − Rₖ₋₁) Pₖ
/// ```
///
/// where `Pₖ` and `Rₖ` are precision and recall when the best `k` groups of equal score are called.
///
/// # Errors
///
/// As [`roc_auc`].
///
/// # Examples
///
/// ```
/// assert_eq!(leadscore_metrics::average_precision(&[true, false, true, false], &[0.9, 0.8, 0.7, 0.7])?, 0.75);
/// # Ok::<(), leadscore_metrics::MetricError>(())
/// ```
pub fn average_precision(labels: &[bool], scores: &[f64]) -> Result<f64, MetricError> {
    check_scores(labels, scores)?;
    check_both_classes(labels)?;
    let ranking = Ranking::new(scores)?;
    Ok(ranking.weighted_average_precision(labels, &vec![1.0; labels.len()]).expect("both classes were checked to be there"))
}
