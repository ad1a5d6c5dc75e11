//! What a week's rows amount to: wins, and how many rows have which chance; enough for the evidence
//! of any change of the odds.

use serde::{Deserialize, Serialize};

/// Octaves of chances that are told apart, from 2⁻¹⁸ to 1.
const OCTAVES: u64 = 18;
/// Bins: four to an octave.
const N_BINS: usize = (OCTAVES * 4) as usize;

/// How many rows have which chance of a win in the week.
///
/// Rows of a bin are taken at their mean chance: chances of one bin differ by a quarter at most, and
/// sums over rows are then off by less than 1e-3 of themselves for any odds ratio from 0.3 to 3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bins {
    counts: Vec<f64>,
    sums: Vec<f64>,
}

impl Default for Bins {
    fn default() -> Self {
        Self {
            counts: vec![0.0; N_BINS],
            sums: vec![0.0; N_BINS],
        }
    }
}

impl Bins {
    /// Adds a row with this chance.
    pub(crate) fn add(&mut self, chance: f64) {
        // The exponent and the first two bits of the mantissa: no logarithm is needed.
        let first = (1.0_f64.to_bits() >> 50) - 4 * OCTAVES;
        let bin = (chance.to_bits() >> 50)
            .saturating_sub(first)
            .min(4 * OCTAVES - 1) as usize;
        self.counts[bin] += 1.0;
        self.sums[bin] += chance;
    }

    /// Adds the rows of other bins, each counted so many times.
    pub(crate) fn add_bins(&mut self, other: &Self, times: f64) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += times * more;
        }
        for (sum, more) in self.sums.iter_mut().zip(&other.sums) {
            *sum += times * more;
        }
    }

    /// Number of rows and their mean chance, of each bin that has rows.
    fn means(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.counts
            .iter()
            .zip(&self.sums)
            .filter(|(count, _)| **count > 0.0)
            .map(|(count, sum)| (*count, sum / count))
    }

    pub(crate) fn n_rows(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// `∑ ln(1 + q (θ − 1))`, where `θ` is an odds ratio.
    pub(crate) fn log_normalizer(&self, odds_ratio: f64) -> f64 {
        self.means()
            .map(|(count, chance)| count * (chance * (odds_ratio - 1.0)).ln_1p())
            .sum()
    }

    /// `ln(1 + q (e^η − 1))` summed at `η = shift`, and its first three derivatives by `η`: the
    /// mean, the variance and the third cumulant of wins.
    pub(crate) fn expansion(&self, shift: f64) -> [f64; 4] {
        let odds_ratio = shift.exp();
        self.means().fold([0.0; 4], |sums, (count, chance)| {
            let more = chance * (odds_ratio - 1.0);
            let shifted = chance * odds_ratio / (1.0 + more);
            let variance = shifted * (1.0 - shifted);
            [
                sums[0] + count * more.ln_1p(),
                sums[1] + count * shifted,
                sums[2] + count * variance,
                sums[3] + count * variance * (1.0 - 2.0 * shifted),
            ]
        })
    }

    /// Expected wins and their variance where all log-odds are shifted.
    pub(crate) fn moments(&self, shift: f64) -> (f64, f64) {
        let odds_ratio = shift.exp();
        self.means()
            .fold((0.0, 0.0), |(mean, variance), (count, chance)| {
                let shifted = chance * odds_ratio / (1.0 + chance * (odds_ratio - 1.0));
                (
                    mean + count * shifted,
                    variance + count * shifted * (1.0 - shifted),
                )
            })
    }

    /// The same rows with all log-odds shifted.
    pub(crate) fn shifted(&self, shift: f64) -> Self {
        let odds_ratio = shift.exp();
        let sums = self
            .counts
            .iter()
            .zip(&self.sums)
            .map(|(count, sum)| {
                if *count > 0.0 {
                    let chance = sum / count;
                    count * chance * odds_ratio / (1.0 + chance * (odds_ratio - 1.0))
                } else {
                    0.0
                }
            })
            .collect();
        Self {
            counts: self.counts.clone(),
            sums,
        }
    }

    pub(crate) fn expected(&self) -> f64 {
        self.sums.iter().sum()
    }

    pub(crate) fn variance(&self) -> f64 {
        self.means()
            .map(|(count, chance)| count * chance * (1.0 - chance))
            .sum()
    }

    /// The shift of log-odds that wins and a normal prior suggest most, and its precision.
    ///
    /// ```text
    /// maximum over η of  (O η − ∑ ln(1 + q (e^η − 1))) / φ − (η − m)² / 2 v
    /// ```
    ///
    /// where `φ` is the dispersion. It ends within ±4; without rows it is the prior's mean.
    pub(crate) fn shift_of(&self, observed: f64, dispersion: f64, prior: Option<Normal>) -> Normal {
        let (center, precision) =
            prior.map_or((0.0, 1e-9), |prior| (prior.mean, 1.0 / prior.variance));
        let mut shift = center;
        for _ in 0..60 {
            let (mean, variance) = self.moments(shift);
            let gradient = (observed - mean) / dispersion - (shift - center) * precision;
            let curvature = variance / dispersion + precision;
            let step = (gradient / curvature).clamp(-0.5, 0.5);
            shift = (shift + step).clamp(center - 4.0, center + 4.0);
            if step.abs() < 1e-10 {
                break;
            }
        }
        let (_, variance) = self.moments(shift);
        Normal {
            mean: shift,
            variance: 1.0 / (variance / dispersion + precision),
        }
    }

    /// Log-likelihood of a shift relative to none.
    pub(crate) fn log_likelihood(&self, observed: f64, shift: f64) -> f64 {
        observed * shift - self.log_normalizer(shift.exp())
    }

    /// Expected wins after a shift over those before it.
    pub(crate) fn ratio(&self, shift: f64) -> f64 {
        let expected = self.expected();
        if expected > 0.0 {
            self.moments(shift).0 / expected
        } else {
            1.0
        }
    }
}

/// A mean and a variance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Normal {
    pub(crate) mean: f64,
    pub(crate) variance: f64,
}

/// The sums of one week.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct WeekSums {
    pub(crate) week: u32,
    pub(crate) observed: f64,
    pub(crate) bins: Bins,
}

/// Sums of each group and week: `(n_groups)(n_weeks)`; rows whose group is `None` are left out.
pub(crate) fn sums_by(
    week: &[u32],
    weeks: &[u32],
    chances: &[f64],
    won: &[bool],
    n_groups: usize,
    group: impl Fn(usize) -> Option<usize>,
) -> Vec<Vec<WeekSums>> {
    let empty: Vec<WeekSums> = weeks
        .iter()
        .map(|&week| WeekSums {
            week,
            observed: 0.0,
            bins: Bins::default(),
        })
        .collect();
    let mut sums = vec![empty; n_groups];
    let mut at = 0;
    for row in 0..week.len() {
        if weeks.get(at) != Some(&week[row]) {
            at = weeks.partition_point(|known| *known < week[row]);
        }
        let Some(group) = group(row) else { continue };
        let place = &mut sums[group][at];
        place.bins.add(chances[row]);
        if won[row] {
            place.observed += 1.0;
        }
    }
    sums
}
