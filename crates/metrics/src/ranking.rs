//! Ranking: whether the leads that were won stand above those that were not.

use serde::{Deserialize, Serialize};

use crate::error::{MetricError, check_both_classes, check_scores};

/// Rows sorted once by score, best first, so that many metrics can be read off.
///
/// Ties are never broken: every metric treats rows of equal score as one group, in any order.
#[derive(Debug, Clone)]
pub struct Ranking {
    order: Vec<u32>,
    /// End of each group of ties in `order`.
    group_ends: Vec<u32>,
}

/// What stands in a group of rows that are not told apart: the weight of other rows, and that of
/// wins.
pub type Group = (f64, f64);

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
    #[expect(
        clippy::cast_possible_truncation,
        reason = "four billion rows do not fit in memory beside their scores"
    )]
    pub fn new(scores: &[f64]) -> Result<Self, MetricError> {
        if scores.is_empty() {
            return Err(MetricError::Empty);
        }
        if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
            return Err(MetricError::NotFinite {
                row,
                found: scores[row],
            });
        }
        // By the upper half of the score's bits first, which mostly tells scores apart and is
        // sorted in half of the passes over half of the bytes; equal scores stay in order of rows,
        // so that sums over a group run in one fixed order.
        let mut rows: Vec<(u32, u32)> = scores
            .iter()
            .map(|&score| upper_bits(score))
            .zip(0..)
            .collect();
        radsort::sort_by_key(&mut rows, |row| row.0);
        let mut group_ends = Vec::new();
        let mut start = 0;
        for rows in rows.chunk_by_mut(|a, b| a.0 == b.0) {
            if rows.len() > 1 {
                let score = |row: &(u32, u32)| scores[row.1 as usize];
                // A category of points has equal scores only: nothing to sort.
                if rows
                    .windows(2)
                    .any(|pair| score(&pair[0]) < score(&pair[1]))
                {
                    rows.sort_by(|a, b| (score(b) + 0.0).total_cmp(&(score(a) + 0.0)));
                }
                group_ends.extend(
                    (1..rows.len())
                        .filter(|&at| score(&rows[at]) != score(&rows[at - 1]))
                        .map(|at| start + at as u32),
                );
            }
            start += rows.len() as u32;
            group_ends.push(start);
        }
        Ok(Self {
            order: rows.into_iter().map(|row| row.1).collect(),
            group_ends,
        })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are no rows; never so.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The rows of each group of ties, best first.
    pub fn tied_rows(&self) -> impl Iterator<Item = &[u32]> {
        let mut start = 0;
        self.group_ends.iter().map(move |&end| {
            let rows = &self.order[start..end as usize];
            start = end as usize;
            rows
        })
    }

    /// Other rows and wins in each group of ties, best first.
    pub fn groups<'a>(&'a self, labels: &'a [bool]) -> impl Iterator<Item = Group> + 'a {
        self.tied_rows().map(|rows| {
            let wins = rows.iter().filter(|&&row| labels[row as usize]).count();
            ((rows.len() - wins) as f64, wins as f64)
        })
    }

    /// The bin of each row, 0 for the best, and the number of bins: groups of ties, put together
    /// where there are more than `most` of them, so that bins are of about equal size.
    pub fn bins(&self, most: usize) -> (Vec<u32>, usize) {
        let size = if self.group_ends.len() > most {
            self.order.len().div_ceil(most)
        } else {
            1
        };
        let (mut bins, mut bin, mut filled) = (vec![0; self.order.len()], 0, 0);
        for rows in self.tied_rows() {
            if filled >= size {
                (bin, filled) = (bin + 1, 0);
            }
            rows.iter().for_each(|&row| bins[row as usize] = bin);
            filled += rows.len();
        }
        (bins, bin as usize + 1)
    }

    /// Expected share of wins among the best `k` rows, or among all where there are fewer; ties
    /// across the edge in proportion.
    ///
    /// # Examples
    ///
    /// ```
    /// use leadscore_metrics::Ranking;
    /// let ranking = Ranking::new(&[0.9, 0.5, 0.5, 0.1])?;
    /// assert_eq!(ranking.precision_at(&[true, true, false, false], 2), 0.75);
    /// # Ok::<(), leadscore_metrics::MetricError>(())
    /// ```
    pub fn precision_at(&self, labels: &[bool], k: usize) -> f64 {
        let k = k.clamp(1, labels.len());
        wins_in_top(self.groups(labels), k as f64) / k as f64
    }

    /// The gains curve at every `1 / n_points` of rows, from (0, 0) to (1, 1). Empty where there
    /// are no wins.
    pub fn gains(&self, labels: &[bool], n_points: usize) -> Vec<GainsPoint> {
        let wins = labels.iter().filter(|label| **label).count() as f64;
        if wins == 0.0 {
            return Vec::new();
        }
        let n_rows = labels.len() as f64;
        let mut points = vec![GainsPoint {
            share_called: 0.0,
            share_of_wins: 0.0,
        }];
        let mut groups = self.groups(labels);
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
                    Some((losses, group_wins)) => {
                        break found + group_wins * (capacity - used) / (losses + group_wins);
                    }
                    None => break found,
                }
            };
            points.push(GainsPoint {
                share_called: point as f64 / n_points as f64,
                share_of_wins: share_of_wins / wins,
            });
        }
        points
    }

    /// The ROC curve: share of other rows and share of wins among the best, from (0, 0) to (1, 1),
    /// at most about `n_points` points. Empty where a class is missing.
    pub fn roc(&self, labels: &[bool], n_points: usize) -> Vec<(f64, f64)> {
        let (losses, wins) = self.totals(labels);
        if losses == 0.0 || wins == 0.0 {
            return Vec::new();
        }
        let mut points = vec![(0.0, 0.0)];
        points.extend(
            self.sums_down(labels, n_points)
                .into_iter()
                .map(|sums| (sums.0 / losses, sums.1 / wins)),
        );
        points
    }

    /// The precision-recall curve: share of wins among the best, and share won of them, at most
    /// about `n_points` points. Empty where there are no wins.
    pub fn precision_recall(&self, labels: &[bool], n_points: usize) -> Vec<(f64, f64)> {
        let (_, wins) = self.totals(labels);
        if wins == 0.0 {
            return Vec::new();
        }
        self.sums_down(labels, n_points)
            .into_iter()
            .filter(|sums| sums.1 > 0.0)
            .map(|sums| (sums.1 / wins, sums.1 / (sums.0 + sums.1)))
            .collect()
    }

    fn totals(&self, labels: &[bool]) -> Group {
        let wins = labels.iter().filter(|label| **label).count() as f64;
        (labels.len() as f64 - wins, wins)
    }

    /// Other rows and wins from the best row down to the ends of some groups, and to the last.
    fn sums_down(&self, labels: &[bool], n_points: usize) -> Vec<Group> {
        let step = labels.len() as f64 / n_points as f64;
        let (mut sums, mut found, mut next) = ((0.0, 0.0), Vec::new(), step);
        for (losses, wins) in self.groups(labels) {
            sums = (sums.0 + losses, sums.1 + wins);
            if sums.0 + sums.1 >= next {
                found.push(sums);
                next = sums.0 + sums.1 + step;
            }
        }
        if found.last() != Some(&sums) {
            found.push(sums);
        }
        found
    }

    /// Win rate and lift of each tenth, best first. Empty where there are no wins.
    pub fn deciles(&self, labels: &[bool]) -> Vec<DecileRow> {
        let base_rate = labels.iter().filter(|label| **label).count() as f64 / labels.len() as f64;
        self.gains(labels, 10)
            .windows(2)
            .enumerate()
            .map(|(idx, pair)| {
                let lift = (pair[1].share_of_wins - pair[0].share_of_wins) * 10.0;
                DecileRow {
                    decile: idx + 1,
                    win_rate: lift * base_rate,
                    lift,
                }
            })
            .collect()
    }
}

/// The upper half of a score's bits, in an order that falls as scores rise.
fn upper_bits(score: f64) -> u32 {
    // Adding 0 makes one zero of two.
    let bits = (score + 0.0).to_bits();
    let rising = if bits >> 63 == 1 {
        !bits
    } else {
        bits | (1 << 63)
    };
    !((rising >> 32) as u32)
}

/// Area under the ROC curve over groups, best first; see [`roc_auc`]. `None` where one class has no
/// weight.
pub(crate) fn area(groups: impl Iterator<Item = Group>) -> Option<f64> {
    let (mut area, mut wins_above, mut losses_total) = (0.0, 0.0, 0.0);
    for (losses, wins) in groups {
        // A loss in this group lies below the wins above, and half below the wins it ties with.
        area += losses * (wins_above + wins / 2.0);
        wins_above += wins;
        losses_total += losses;
    }
    (wins_above > 0.0 && losses_total > 0.0).then(|| area / (wins_above * losses_total))
}

/// Average precision over groups, best first; see [`average_precision`]. `None` where wins have no
/// weight.
pub(crate) fn precision(groups: impl Iterator<Item = Group>) -> Option<f64> {
    let (mut sum, mut wins_so_far, mut rows_so_far) = (0.0, 0.0, 0.0);
    for (losses, wins) in groups {
        wins_so_far += wins;
        rows_so_far += wins + losses;
        if wins > 0.0 {
            sum += wins * wins_so_far / rows_so_far;
        }
    }
    (wins_so_far > 0.0).then(|| sum / wins_so_far)
}

/// Weight of wins expected in the best `capacity` of weight; a group that the edge cuts counts in
/// proportion.
pub(crate) fn wins_in_top(groups: impl Iterator<Item = Group>, capacity: f64) -> f64 {
    let (mut used, mut found) = (0.0, 0.0);
    for (losses, wins) in groups {
        let size = losses + wins;
        if used + size >= capacity {
            return if size > 0.0 {
                found + wins * (capacity - used) / size
            } else {
                found
            };
        }
        used += size;
        found += wins;
    }
    found
}

/// Share of all wins in the best `share` of weight. `None` where wins have no weight.
pub(crate) fn capture(groups: impl Iterator<Item = Group> + Clone, share: f64) -> Option<f64> {
    let (total, wins) = groups
        .clone()
        .fold((0.0, 0.0), |(total, all), (losses, wins)| {
            (total + losses + wins, all + wins)
        });
    (wins > 0.0).then(|| wins_in_top(groups, share * total) / wins)
}

/// Probability that a row that was won scores above one that was not, ties counting half: 0.5 is
/// chance, 1 is perfect.
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
/// [`MetricError::Empty`], [`MetricError::Length`], [`MetricError::NotFinite`];
/// [`MetricError::OneClass`] where all labels are equal.
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
    Ok(area(ranking.groups(labels)).expect("both classes were checked to be there"))
}

/// Mean precision at each win, going down the ranking, ties as one group: the base rate is chance,
/// 1 is perfect.
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
    Ok(precision(ranking.groups(labels)).expect("both classes were checked to be there"))
}
