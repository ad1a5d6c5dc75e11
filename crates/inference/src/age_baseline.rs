//! What each term gives on average to leads of the same age: what reasons other than age are
//! measured against.

use leadscore_core::{FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec};
use serde::{Deserialize, Serialize};

use crate::axis::bin_of;
use crate::term::{LARGEST_LOG_ODDS, Term};

/// Mean log-odds of each term by the lead's age at the snapshot, over the training snapshots:
/// straight between knots, level beyond.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgeBaseline {
    /// The column of the feature matrix with the age.
    pub feature_idx: usize,
    /// Ages, rising; at least one.
    pub knots: Vec<f64>,
    /// For each term its mean at each knot, and after them its mean where the age is missing.
    pub means: Vec<Vec<f64>>,
}

/// Where an age lies between knots: `(1 − part)` at a knot, and `part` at the next entry.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct AgePlace {
    pub(crate) knot: usize,
    pub(crate) part: f64,
}

impl AgePlace {
    /// The value here of what has a value at each knot, and one where the age is missing.
    pub(crate) fn of(self, values: &[f64]) -> f64 {
        if self.part == 0.0 {
            values[self.knot]
        } else {
            values[self.knot] + self.part * (values[self.knot + 1] - values[self.knot])
        }
    }
}

/// Snapshots of one bin at most, as a share of all.
const LARGEST_SHARE: f64 = 1.0 / 16.0;
/// Snapshots that a bin needs.
const MIN_ROWS: usize = 50;

/// Cuts sorted ages into bins: sixteenths of all, and at the far end halves of what is left, where
/// leads are few and differ most.
fn cuts(ages: &[f64]) -> Vec<usize> {
    let n = ages.len();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of the rows"
    )]
    let most = ((n as f64 * LARGEST_SHARE) as usize).max(MIN_ROWS);
    let mut cuts = vec![0];
    let mut at = 0;
    while n - at >= 2 * MIN_ROWS {
        at += most.min(((n - at) / 2).max(MIN_ROWS));
        // Equal ages stay together.
        at += ages[at..].partition_point(|age| *age <= ages[at - 1]);
        cuts.push(at);
    }
    match cuts.last_mut() {
        Some(last) if n - *last < MIN_ROWS && *last > 0 => *last = n,
        _ => cuts.push(n),
    }
    cuts.dedup();
    cuts
}

impl AgeBaseline {
    /// Of the rows that a model was fitted on; `None` where they have no age, or are too few to
    /// differ in it.
    pub fn of(specs: &[FeatureSpec], terms: &[Term], matrix: &FeatureMatrix) -> Option<Self> {
        let is = |source: FeatureSource| specs.iter().position(|spec| spec.source == source);
        let feature_idx = is(FeatureSource::AgeDays).or_else(|| is(FeatureSource::AgeWeekdays))?;
        let ages = matrix.column(feature_idx);
        let mut known: Vec<usize> = (0..ages.len()).filter(|&row| !ages[row].is_nan()).collect();
        if known.is_empty() {
            return None;
        }
        known.sort_unstable_by(|&a, &b| ages[a].total_cmp(&ages[b]).then(a.cmp(&b)));
        let sorted: Vec<f64> = known.iter().map(|&row| ages[row]).collect();
        let cuts = cuts(&sorted);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let knots: Vec<f64> = cuts
            .windows(2)
            .map(|cut| mean(&sorted[cut[0]..cut[1]]))
            .collect();
        if knots.len() < 2 || !knots.is_sorted_by(|a, b| a < b) {
            return None;
        }
        let missing: Vec<usize> = (0..ages.len()).filter(|&row| ages[row].is_nan()).collect();
        let means = terms
            .iter()
            .map(|term| {
                let log_odds: Vec<f64> = term.log_odds_of_rows(matrix, 0..matrix.n_rows());
                let over = |rows: &[usize]| {
                    rows.iter().map(|&row| log_odds[row]).sum::<f64>() / rows.len() as f64
                };
                let of_missing = if missing.is_empty() {
                    term.average()
                } else {
                    over(&missing)
                };
                cuts.windows(2)
                    .map(|cut| over(&known[cut[0]..cut[1]]))
                    .chain([of_missing])
                    .collect()
            })
            .collect();
        Some(Self {
            feature_idx,
            knots,
            means,
        })
    }

    /// Where an age lies, NaN for missing.
    pub(crate) fn place(&self, age: f64) -> AgePlace {
        let n = self.knots.len();
        if age.is_nan() {
            return AgePlace { knot: n, part: 0.0 };
        }
        match bin_of(&self.knots, age) {
            0 => AgePlace { knot: 0, part: 0.0 },
            beyond if beyond == n => AgePlace {
                knot: n - 1,
                part: 0.0,
            },
            next => AgePlace {
                knot: next - 1,
                part: (age - self.knots[next - 1]) / (self.knots[next] - self.knots[next - 1]),
            },
        }
    }

    /// Values that each term has: one a knot, and one where the age is missing.
    pub(crate) fn n_values(&self) -> usize {
        self.knots.len() + 1
    }

    /// Whether it reads a number that is there, and has a mean for each term and knot.
    pub(crate) fn fits(&self, specs: &[FeatureSpec], n_terms: usize) -> bool {
        let reads_number = specs
            .get(self.feature_idx)
            .is_some_and(|spec| spec.kind == FeatureKind::Number);
        let knots_rise = !self.knots.is_empty()
            && self.knots.is_sorted_by(|a, b| a < b)
            && self.knots.iter().all(|knot| knot.is_finite());
        let has_means = self.means.len() == n_terms
            && self
                .means
                .iter()
                .all(|means| means.len() == self.n_values());
        reads_number
            && knots_rise
            && has_means
            && self
                .means
                .iter()
                .flatten()
                .all(|mean| mean.abs() <= LARGEST_LOG_ODDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_lies_between_its_knots_and_level_beyond() {
        let baseline = AgeBaseline {
            feature_idx: 0,
            knots: vec![2.0, 4.0, 8.0],
            means: Vec::new(),
        };
        let values = [1.0, 3.0, 2.0, 9.0];
        for (age, expected) in [
            (0.0, 1.0),
            (2.0, 1.0),
            (3.0, 2.0),
            (4.0, 3.0),
            (6.0, 2.5),
            (8.0, 2.0),
            (90.0, 2.0),
            (f64::NAN, 9.0),
        ] {
            assert_eq!(baseline.place(age).of(&values), expected, "{age}");
        }
    }

    #[test]
    fn bins_are_finer_where_leads_are_old() {
        let ages: Vec<f64> = (0..3200).map(f64::from).collect();
        let cuts = cuts(&ages);
        assert_eq!((cuts[0], cuts[1], cuts[cuts.len() - 1]), (0, 200, 3200));
        let sizes: Vec<usize> = cuts.windows(2).map(|cut| cut[1] - cut[0]).collect();
        assert!(
            sizes.iter().all(|size| (MIN_ROWS..=200).contains(size)),
            "{sizes:?}"
        );
        assert!(sizes[sizes.len() - 1] < 100, "{sizes:?}");
        // Of one age there is one bin.
        assert_eq!(super::cuts(&[7.0; 500]), [0, 500]);
    }
}
