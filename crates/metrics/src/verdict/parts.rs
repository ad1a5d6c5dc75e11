//! The checks before they are judged: which rows each one sums, and with what weight.

use crate::recalibration::{CalibrationLine, logit};

use super::input::VerdictInput;
use super::result::{CalibrationCheck, CheckOf};

/// Rows of a top bin, and of a period, that are looked at by themselves.
const FEWEST_OF_PART: usize = 10;
/// A mean that is so near, as a share of itself, needs no mending however sure it is.
const NEAR_MEAN: f64 = 0.05;
/// The same of a tier, a top bin or a period.
pub(super) const NEAR_PART: f64 = 0.1;
/// And of the slope.
const NEAR_SLOPE: f64 = 0.1;

/// Position of the check of the mean; the next two are those of the slope and of Spiegelhalter's
/// statistic.
pub(super) const MEAN: usize = 0;
const SLOPE: usize = 1;
const SPIEGELHALTER: usize = 2;

/// One check before it is judged.
pub(super) struct Part {
    of: CheckOf,
    name: String,
    pub(super) n_rows: usize,
    pub(super) n_wins: usize,
    /// Sum of the probabilities.
    pub(super) expected: f64,
    /// `Σ wᵢ (yᵢ − pᵢ)`.
    pub(super) sum: f64,
}

impl Part {
    /// A check that no row is in yet.
    fn empty(of: CheckOf, name: &str) -> Self {
        Self {
            of,
            name: name.to_owned(),
            n_rows: 0,
            n_wins: 0,
            expected: 0.0,
            sum: 0.0,
        }
    }

    /// The check as it is judged by its standard errors; `None` where it has none.
    pub(super) fn check(
        &self,
        z: Option<f64>,
        critical: f64,
        line: CalibrationLine,
        is_gap_small: bool,
    ) -> Option<CalibrationCheck> {
        let z = z?;
        let n = self.n_rows as f64;
        let (predicted, observed) = if self.of == CheckOf::Slope {
            (1.0, line.slope)
        } else {
            (self.expected / n, self.n_wins as f64 / n)
        };
        let near = |share: f64| (observed - predicted).abs() <= share * predicted;
        let is_near = match self.of {
            CheckOf::Mean => near(NEAR_MEAN),
            CheckOf::Slope => near(NEAR_SLOPE),
            CheckOf::Spiegelhalter => is_gap_small,
            CheckOf::Tier | CheckOf::Top | CheckOf::Period => near(NEAR_PART),
        };
        Some(CalibrationCheck {
            of: self.of,
            name: self.name.clone(),
            n_rows: self.n_rows,
            predicted,
            observed,
            z,
            holds: z.abs() <= critical || is_near,
        })
    }

    /// Whether it compares rates.
    pub(super) fn is_rate(&self) -> bool {
        match self.of {
            CheckOf::Mean | CheckOf::Tier | CheckOf::Top | CheckOf::Period => true,
            CheckOf::Slope | CheckOf::Spiegelhalter => false,
        }
    }
}

/// All checks, and which of them each row is in.
pub(super) struct Parts {
    /// Every check, the mean first.
    pub(super) all: Vec<Part>,
    /// Mean log-odds that the slope is around.
    center: f64,
    /// The tiers' checks begin here.
    first_tier: usize,
    /// Each top bin with the smallest probability in it.
    tops: Vec<(usize, f64)>,
    /// The check of each period.
    of_period: Vec<Option<usize>>,
}

impl Parts {
    /// Every check of these rows, with the rows counted.
    pub(super) fn of(input: &VerdictInput<'_>) -> Self {
        let mut all = vec![
            Part::empty(CheckOf::Mean, "mean"),
            Part::empty(CheckOf::Slope, "slope"),
            Part::empty(CheckOf::Spiegelhalter, "Spiegelhalter's Z"),
        ];
        let first_tier = all.len();
        let tiers = input.tier_names.iter();
        all.extend(tiers.map(|name| Part::empty(CheckOf::Tier, name)));
        let mut parts = Self {
            all,
            center: mean_log_odds(input.probabilities),
            first_tier,
            tops: Vec::new(),
            of_period: Vec::new(),
        };
        parts.add_tops(input.probabilities);
        parts.add_periods(input);
        for row in 0..input.labels.len() {
            parts.count_row(row, input);
        }
        parts
    }

    /// Adds a check of the highest probabilities, where there are enough of them.
    fn add_tops(&mut self, probabilities: &[f64]) {
        let mut highest_first = probabilities.to_vec();
        highest_first.sort_unstable_by(|a, b| b.total_cmp(a));
        for (share, name) in [(0.05, "top 5 %"), (0.01, "top 1 %")] {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a number of rows"
            )]
            let wanted = (share * probabilities.len() as f64).round() as usize;
            if wanted < FEWEST_OF_PART {
                continue;
            }
            let lowest = highest_first[wanted - 1];
            // Where very many tie, there is no top.
            if probabilities.iter().filter(|&&p| p >= lowest).count() <= 2 * wanted {
                self.tops.push((self.all.len(), lowest));
                self.all.push(Part::empty(CheckOf::Top, name));
            }
        }
    }

    /// Adds a check of each period that has enough rows, and not all of them.
    fn add_periods(&mut self, input: &VerdictInput<'_>) {
        let mut sizes = vec![0; input.period_names.len()];
        for &period in input.periods {
            sizes[period as usize] += 1;
        }
        for (name, size) in input.period_names.iter().zip(sizes) {
            let is_judged = size >= FEWEST_OF_PART && size < input.labels.len();
            self.of_period.push(is_judged.then_some(self.all.len()));
            if is_judged {
                self.all.push(Part::empty(CheckOf::Period, name));
            }
        }
    }

    /// Counts a row in each check that it is in.
    fn count_row(&mut self, row: usize, input: &VerdictInput<'_>) {
        let (p, label) = (input.probabilities[row], input.labels[row]);
        let rest = f64::from(u8::from(label)) - p;
        let mut found = Vec::new();
        self.weights_of(row, input, &mut |check, weight| {
            found.push((check, weight));
        });
        for (check, weight) in found {
            let part = &mut self.all[check];
            part.n_rows += 1;
            part.n_wins += usize::from(label);
            part.expected += p;
            part.sum += weight * rest;
        }
    }

    /// The checks that a row is in, each with its weight there.
    pub(super) fn weights_of(
        &self,
        row: usize,
        input: &VerdictInput<'_>,
        add: &mut dyn FnMut(usize, f64),
    ) {
        let p = input.probabilities[row];
        add(MEAN, 1.0);
        add(SLOPE, logit(p) - self.center);
        add(SPIEGELHALTER, 1.0 - 2.0 * p);
        add(self.first_tier + input.tiers[row], 1.0);
        for &(check, lowest) in &self.tops {
            if p >= lowest {
                add(check, 1.0);
            }
        }
        if let Some(check) = input
            .periods
            .get(row)
            .and_then(|&period| self.of_period[period as usize])
        {
            add(check, 1.0);
        }
    }
}

/// Mean log-odds, each weighted by `p (1 − p)`: around it, the weights of the slope have no part of
/// the mean, and the line may lie higher or lower.
fn mean_log_odds(probabilities: &[f64]) -> f64 {
    let (mut weighted, mut weights) = (0.0, 0.0);
    for &p in probabilities {
        weighted += p * (1.0 - p) * logit(p);
        weights += p * (1.0 - p);
    }
    if weights > 0.0 {
        weighted / weights
    } else {
        0.0
    }
}
