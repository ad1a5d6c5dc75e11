//! Whether prioritizing leads makes more of them customers: leads that are held back beside all
//! others, each against what was predicted of them.

mod arm;
mod interval;

use std::collections::BTreeMap;

use leadscore_metrics::Interval;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::arm::Sums;
use self::interval::{difference_interval, ratio_interval, score_interval};

pub use self::arm::{Arm, ArmFigures};

/// What counts as an effect.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct UpliftOptions {
    /// No effect is reported only where a ratio of this size would have been found with a chance of
    /// 80 %; default 1.25. Otherwise nothing can be told.
    pub smallest_of_use: f64,
    /// An arm whose observed wins are within this share of the expected ones holds, however sure
    /// the difference; default 0.05.
    pub tolerance: f64,
    /// Fewest expected wins of each arm from which anything is concluded; default 5.
    pub fewest_expected: f64,
}

impl Default for UpliftOptions {
    fn default() -> Self {
        Self {
            smallest_of_use: 1.25,
            tolerance: 0.05,
            fewest_expected: 5.0,
        }
    }
}

/// Both arms, and what their difference comes to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Uplift {
    /// What prioritizing does.
    pub kind: UpliftKind,
    /// What the two arms say about the model.
    pub reading: UpliftReading,
    /// Leads that are prioritized.
    pub prioritized: ArmFigures,
    /// Leads that are held back.
    pub held_back: ArmFigures,
    /// Observed/expected of the prioritized arm over that of the held-back one: 1 is no effect;
    /// `None` where nothing was won in the held-back arm.
    pub ratio: Option<f64>,
    /// Its 95 % interval; ∞ is no limit.
    pub ratio_interval: Interval,
    /// Observed/expected of the prioritized arm less that of the held-back one: 0 is no effect.
    pub difference: f64,
    /// Its 95 % interval.
    pub difference_interval: Interval,
    /// Wins that prioritizing has added: the difference times the wins expected of the prioritized
    /// arm.
    pub added_wins: f64,
    /// The ratio that would have been found with a chance of 80 %; ∞ where none would.
    pub detectable_ratio: f64,
}

/// What prioritizing does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpliftKind {
    /// More are won than where leads are held back, beyond chance.
    PrioritizingHelps,
    /// Fewer are won, beyond chance.
    PrioritizingHurts,
    /// No difference beyond chance, and one of use would likely have been seen.
    NoEffectSeen,
    /// No difference beyond chance, and too few leads to see one of use.
    CannotTell,
}

/// What two arms say about the model that predicts both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpliftReading {
    /// Neither arm differs from what was predicted, beyond chance.
    BothHold,
    /// Both arms differ in the same direction: the model is wrong.
    ModelIsWrong,
    /// The held-back arm is as predicted, and the other one is not: what sales did with the scores
    /// changed the outcome, and the model is right about leads that nobody prioritizes.
    SalesActed,
    /// The prioritized arm is as predicted, and the held-back one is not: the model has learned
    /// from leads that were prioritized, and is right about those.
    LearnedFromPrioritized,
    /// The arms differ in opposite directions: the model is right about neither.
    BothDiffer,
    /// Too few leads in one of the arms to tell.
    CannotTell,
}

/// Why there is no uplift: the input is not what was promised.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum UpliftError {
    /// Slices of an arm differ in length.
    #[error(
        "the {arm} arm has {n_rows} probabilities and {found} {what}\n  hint: give one of each a row"
    )]
    Length {
        /// "prioritized" or "held-back".
        arm: &'static str,
        /// What has another length.
        what: &'static str,
        /// Its length.
        found: usize,
        /// Probabilities.
        n_rows: usize,
    },
    /// A number that is no probability.
    #[error(
        "the probability in row {row} of the {arm} arm is {found}\n  hint: expected a number from 0 to 1"
    )]
    Probability {
        /// "prioritized" or "held-back".
        arm: &'static str,
        /// Its row.
        row: usize,
        /// What was found.
        found: f64,
    },
    /// An option is out of its range.
    #[error("`{name}` is {found}\n  hint: expected {expected}")]
    Option {
        /// Its name.
        name: &'static str,
        /// What was found.
        found: f64,
        /// What was expected.
        expected: &'static str,
    },
}

/// Compares leads that are prioritized with leads that are held back.
///
/// ```text
/// rₐ = observed wins / expected wins of arm a      ratio = r₁ / r₀,   difference = r₁ − r₀
/// interval of rₐ:  (r̂ₐ − r)² = z² φₐ r / expected,   φₐ = D (1 − r̂ₐ ∑ p² / ∑ p)
/// D = ∑ₐ ∑ᶜ (∑ (y − r̂ₐ p))² / ∑ₐ ∑ r̂ₐ p (1 − r̂ₐ p),   at least 1
/// ```
///
/// The design effect `D` is by cluster and of both arms together, since the held-back one is small.
/// The intervals of ratio and difference are put together from those of the arms (MOVER), with the
/// correlation of arms that have clusters in common. Being against what was predicted, the
/// comparison allows for arms whose leads differ by chance; held back must mean drawn by chance,
/// and not chosen.
///
/// # Errors
///
/// [`UpliftError`].
///
/// # Examples
///
/// ```
/// use leadscore_monitoring::{ArmRows, UpliftKind, UpliftOptions, UpliftReading, uplift};
///
/// // Predicted 25 %: prioritized leads are won half of the time, the others as predicted.
/// let clusters: Vec<u64> = (0..1_000).collect();
/// let labels = |every: usize| (0..1_000).map(|row| row % every == 0).collect::<Vec<_>>();
/// let (half, quarter) = (labels(2), labels(4));
/// let arm = |labels| ArmRows { probabilities: &[0.25; 1_000], labels, clusters: &clusters };
/// let found = uplift(&arm(&half), &arm(&quarter), &UpliftOptions::default())?;
/// assert_eq!((found.ratio, found.kind), (Some(2.0), UpliftKind::PrioritizingHelps));
/// assert_eq!(found.reading, UpliftReading::SalesActed);
/// # Ok::<(), leadscore_monitoring::UpliftError>(())
/// ```
///
/// # References
///
/// Zou and Donner (2008), Statistics in Medicine 27(10), and Donner and Zou (2012), Statistical
/// Methods in Medical Research 21(4), on MOVER.
pub fn uplift(
    prioritized: &Arm<'_>,
    held_back: &Arm<'_>,
    options: &UpliftOptions,
) -> Result<Uplift, UpliftError> {
    check_options(options)?;
    prioritized.check("prioritized")?;
    held_back.check("held-back")?;
    let (first, second) = (Sums::of(prioritized), Sums::of(held_back));
    let correlation = correlation(&first, &second);
    let design_effect = design_effect(&first, &second);
    let (r1, r0) = (first.ratio(), second.ratio());
    let dispersion = |sums: &Sums, ratio: f64| design_effect * sums.dispersion(ratio);
    let (i1, i0) = (
        score_interval(r1, first.expected, dispersion(&first, r1)),
        score_interval(r0, second.expected, dispersion(&second, r0)),
    );
    let difference = r1 - r0;
    let difference_interval = difference_interval((r1, i1), (r0, i0), correlation);
    let ratio_interval = ratio_interval((r1, i1), (r0, i0), correlation);
    // The spread of the log ratio where there is no effect: both arms as the pooled ratio.
    let pooled = (first.observed + second.observed) / (first.expected + second.expected);
    let of_arm = |sums: &Sums| dispersion(sums, pooled) / (pooled * sums.expected);
    let spread = (of_arm(&first) + of_arm(&second)).sqrt();
    let detectable_ratio = ((1.959_964 + 0.841_621) * spread).exp();
    let few = first.expected.min(second.expected) < options.fewest_expected
        || !detectable_ratio.is_finite();
    let kind = if few {
        UpliftKind::CannotTell
    } else if difference_interval.low > 0.0 {
        UpliftKind::PrioritizingHelps
    } else if difference_interval.high < 0.0 {
        UpliftKind::PrioritizingHurts
    } else if detectable_ratio <= options.smallest_of_use {
        UpliftKind::NoEffectSeen
    } else {
        UpliftKind::CannotTell
    };
    Ok(Uplift {
        kind,
        reading: if few {
            UpliftReading::CannotTell
        } else {
            reading((r1, i1), (r0, i0), options)
        },
        prioritized: first.figures(i1),
        held_back: second.figures(i0),
        ratio: (second.observed > 0.0).then_some(r1 / r0),
        ratio_interval,
        difference,
        difference_interval,
        added_wins: difference * first.expected,
        detectable_ratio: if detectable_ratio.is_nan() {
            f64::INFINITY
        } else {
            detectable_ratio
        },
    })
}

/// Variance of wins by cluster over that of independent rows.
fn design_effect(first: &Sums, second: &Sums) -> f64 {
    let independent = [first, second]
        .iter()
        .filter(|sums| sums.observed > 0.0)
        .map(|sums| sums.observed * sums.dispersion(sums.ratio()))
        .sum::<f64>();
    if independent > 0.0 {
        ((first.squares() + second.squares()) / independent).max(1.0)
    } else {
        1.0
    }
}

/// How alike the arms are by the clusters that are in both.
fn correlation(first: &Sums, second: &Sums) -> f64 {
    let others: BTreeMap<u64, f64> = second.sums().collect();
    let common: f64 = first
        .sums()
        .filter_map(|(key, sum)| Some(sum * others.get(&key)?))
        .sum();
    let scale = (first.squares() * second.squares()).sqrt();
    if scale > 0.0 {
        (common / scale).clamp(-1.0, 1.0)
    } else {
        0.0
    }
}

fn reading(
    (r1, i1): (f64, Interval),
    (r0, i0): (f64, Interval),
    options: &UpliftOptions,
) -> UpliftReading {
    let differs = |ratio: f64, interval: Interval| {
        (ratio - 1.0).abs() > options.tolerance && !(interval.low..=interval.high).contains(&1.0)
    };
    // An arm that may as well be off by what is of use says nothing.
    let is_vague = |interval: Interval| {
        interval.low < 1.0 / options.smallest_of_use && interval.high > options.smallest_of_use
    };
    match (differs(r1, i1), differs(r0, i0)) {
        (true, true) if (r1 > 1.0) == (r0 > 1.0) => UpliftReading::ModelIsWrong,
        (true, true) => UpliftReading::BothDiffer,
        (true, false) if is_vague(i0) => UpliftReading::CannotTell,
        (false, true) if is_vague(i1) => UpliftReading::CannotTell,
        // What one arm shows may be true of the other one as well, which is too small to show it.
        (true, false) if !apart((r1, i1), (r0, i0)) => UpliftReading::CannotTell,
        (false, true) if !apart((r1, i1), (r0, i0)) => UpliftReading::CannotTell,
        (true, false) => UpliftReading::SalesActed,
        (false, true) => UpliftReading::LearnedFromPrioritized,
        (false, false) if is_vague(i0) || is_vague(i1) => UpliftReading::CannotTell,
        (false, false) => UpliftReading::BothHold,
    }
}

/// Whether the arms differ beyond chance.
fn apart(first: (f64, Interval), second: (f64, Interval)) -> bool {
    let interval = difference_interval(first, second, 0.0);
    interval.low > 0.0 || interval.high < 0.0
}

fn check_options(options: &UpliftOptions) -> Result<(), UpliftError> {
    for (name, found, least, expected) in [
        (
            "smallest_of_use",
            options.smallest_of_use,
            1.0,
            "a finite ratio of 1 or more",
        ),
        (
            "tolerance",
            options.tolerance,
            0.0,
            "a finite share of 0 or more",
        ),
        (
            "fewest_expected",
            options.fewest_expected,
            0.0,
            "a finite number of 0 or more",
        ),
    ] {
        if !(least..f64::INFINITY).contains(&found) {
            return Err(UpliftError::Option {
                name,
                found,
                expected,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
