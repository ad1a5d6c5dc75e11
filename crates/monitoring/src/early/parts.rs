//! Which tiers, segments and arms moved: an e-value for each, and control of the false discovery
//! rate over them.

use serde::{Deserialize, Serialize};

use super::bins::{Bins, Normal, WeekSums, sums_by};
use super::detector::{Detector, Plan, WeekLaw};
use super::dispersion::Dispersion;
use super::interval::Ratio;
use super::options::EarlyOptions;
use super::rows::{LeadWeeks, MAX_TIERS};

/// Levels of a segmentation that are looked at: those with most rows in the reference.
const MAX_LEVELS: usize = 100;

/// A part of the leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKey {
    /// A tier, 0 best.
    Tier(u8),
    /// Leads that were prioritized, or not.
    Arm(Arm),
    /// A level of a segmentation.
    Segment {
        /// Name of the segmentation.
        segmentation: String,
        /// Name of its level.
        level: String,
    },
}

/// Whether leads were prioritized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// They were.
    Prioritized,
    /// They were held back from prioritizing.
    HeldBack,
}

/// Wins against expected wins of a part since monitoring began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Which part.
    pub key: PartKey,
    /// Wins.
    pub observed: f64,
    /// Expected wins, by the weekly chance and how the part did in the reference.
    pub expected: f64,
    /// `observed / expected`; 1 where nothing is expected.
    pub ratio: f64,
    /// Lower end of a 95 % interval of the ratio, for this look alone (pointwise).
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Evidence of a change in some week over the looks of the promise: below 1 on average where
    /// there is none.
    pub e_value: f64,
    /// Whether the part is called changed: of all parts of its kind that are, at most the false
    /// discovery rate is expected to be wrong.
    pub is_changed: bool,
}

/// What the reference knows of a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PartReference {
    pub(crate) key: PartKey,
    /// Its level beside the weekly chance.
    pub(crate) level: Normal,
    pub(crate) dispersion: f64,
    /// Its wins in a week of the reference.
    weekly_wins: f64,
}

/// Parts of one kind, compared with each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Family {
    kind: Kind,
    parts: Vec<PartReference>,
    /// The code of each part, in order.
    codes: Vec<u32>,
}

/// Where the code of a row comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Kind {
    Tier,
    Arm,
    Segmentation {
        position: usize,
        name: String,
        levels: Vec<String>,
    },
}

impl Kind {
    fn code(&self, rows: &LeadWeeks, row: usize) -> u32 {
        match self {
            Self::Tier => u32::from(rows.tier[row]),
            Self::Arm => u32::from(rows.held_back[row]),
            Self::Segmentation { position, .. } => rows.segmentations[*position].codes[row],
        }
    }

    fn n_codes(&self) -> usize {
        match self {
            Self::Tier => MAX_TIERS,
            Self::Arm => 2,
            Self::Segmentation { levels, .. } => levels.len(),
        }
    }

    fn key(&self, code: u32) -> PartKey {
        match self {
            Self::Tier => PartKey::Tier(u8::try_from(code).unwrap_or(u8::MAX)),
            Self::Arm => PartKey::Arm(if code == 0 {
                Arm::Prioritized
            } else {
                Arm::HeldBack
            }),
            Self::Segmentation { name, levels, .. } => PartKey::Segment {
                segmentation: name.clone(),
                level: levels[code as usize].clone(),
            },
        }
    }
}

/// The level of a group beside the weekly chance, from its wins in the reference.
pub(crate) fn level_of(observed: f64, expected: f64, dispersion: f64) -> Normal {
    Normal {
        mean: ((observed + 0.5) / (expected + 0.5)).ln(),
        variance: (dispersion / (observed + 0.5)).min(1.0),
    }
}

/// Dispersion of a group's weekly wins around its own level, 1 or more.
pub(crate) fn dispersion_of(weeks: &[WeekSums]) -> f64 {
    let observed: f64 = weeks.iter().map(|sums| sums.observed).sum();
    let expected: f64 = weeks.iter().map(|sums| sums.bins.expected()).sum();
    if observed == 0.0 || expected == 0.0 {
        return 1.0;
    }
    let shift = (observed / expected).ln();
    let pearson: f64 = weeks
        .iter()
        .map(|sums| {
            let (mean, variance) = sums.bins.moments(shift);
            (sums.observed - mean).powi(2) / variance.max(0.05)
        })
        .sum();
    let degrees = (weeks.len() as f64 - 1.0).max(1.0);
    Dispersion::from_parts(1.0, pearson / degrees, degrees).value
}

impl Family {
    /// Tiers, arms and each segmentation of the reference.
    pub(crate) fn all(rows: &LeadWeeks, weeks: &[u32], chances: &[f64]) -> Vec<Self> {
        let segmentations = rows.segmentations.iter().enumerate();
        let kinds =
            [Kind::Tier, Kind::Arm]
                .into_iter()
                .chain(
                    segmentations.map(|(position, segments)| Kind::Segmentation {
                        position,
                        name: segments.name.clone(),
                        levels: segments.levels.clone(),
                    }),
                );
        kinds
            .map(|kind| Self::learn(kind, rows, weeks, chances))
            .collect()
    }

    fn learn(kind: Kind, rows: &LeadWeeks, weeks: &[u32], chances: &[f64]) -> Self {
        let mut n_rows = vec![0_usize; kind.n_codes()];
        for row in 0..rows.len() {
            n_rows[kind.code(rows, row) as usize] += 1;
        }
        let mut codes: Vec<u32> = (0..u32::try_from(kind.n_codes()).unwrap_or(u32::MAX))
            .filter(|code| n_rows[*code as usize] > 0)
            .collect();
        codes.sort_by_key(|code| std::cmp::Reverse(n_rows[*code as usize]));
        codes.truncate(MAX_LEVELS);
        codes.sort_unstable();
        let sums = sums_of(&kind, &codes, rows, weeks, chances);
        let parts = codes
            .iter()
            .zip(&sums)
            .map(|(code, weeks)| {
                let dispersion = dispersion_of(weeks);
                let observed: f64 = weeks.iter().map(|sums| sums.observed).sum();
                let expected = weeks.iter().map(|sums| sums.bins.expected()).sum();
                PartReference {
                    weekly_wins: observed / weeks.len() as f64,
                    key: kind.key(*code),
                    level: level_of(observed, expected, dispersion),
                    dispersion,
                }
            })
            .collect();
        Self { kind, parts, codes }
    }

    /// Whether these rows have what the family divides by, with the same levels.
    pub(crate) fn missing_in(&self, rows: &LeadWeeks) -> Option<&str> {
        match &self.kind {
            Kind::Tier | Kind::Arm => None,
            Kind::Segmentation {
                position,
                name,
                levels,
            } => {
                let same = rows.segmentations.get(*position).is_some_and(|segments| {
                    segments.name == *name && segments.levels.starts_with(levels)
                });
                (!same).then_some(name)
            }
        }
    }

    /// The parts that have rows in the monitored weeks, those that changed marked.
    pub(crate) fn read(
        &self,
        rows: &LeadWeeks,
        weeks: &[u32],
        chances: &[f64],
        options: &EarlyOptions,
    ) -> Vec<Part> {
        let sums = sums_of(&self.kind, &self.codes, rows, weeks, chances);
        let mut parts: Vec<Part> = self
            .parts
            .iter()
            .zip(&sums)
            .filter(|(_, weeks)| weeks.iter().any(|week| week.bins.n_rows() > 0.0))
            .map(|(part, weeks)| part.read(weeks, options))
            .collect();
        mark(&mut parts, options.false_discovery_rate);
        parts
    }
}

fn sums_of(
    kind: &Kind,
    codes: &[u32],
    rows: &LeadWeeks,
    weeks: &[u32],
    chances: &[f64],
) -> Vec<Vec<WeekSums>> {
    let mut position = vec![None; kind.n_codes()];
    for (at, code) in codes.iter().enumerate() {
        position[*code as usize] = Some(at);
    }
    sums_by(&rows.week, weeks, chances, &rows.won, codes.len(), |row| {
        // A level that the reference did not have is in no part.
        position
            .get(kind.code(rows, row) as usize)
            .copied()
            .flatten()
    })
}

impl PartReference {
    fn read(&self, weeks: &[WeekSums], options: &EarlyOptions) -> Part {
        let plan = Plan::new(self.level, self.dispersion, self.weekly_wins, options);
        let mut detector = Detector::new(&plan);
        let mut bins = Bins::default();
        let (mut observed, mut evidence) = (0.0, 0.0);
        for sums in weeks {
            let law = WeekLaw::new(&plan, &sums.bins);
            evidence = detector.look(&law, sums.observed).either;
            bins.add_bins(&sums.bins, 1.0);
            observed += sums.observed;
        }
        let (expected, _) = bins.moments(self.level.mean);
        let Ratio { ratio, low, high } =
            Ratio::new(observed, expected, self.dispersion, self.level.variance);
        Part {
            key: self.key.clone(),
            observed,
            expected,
            ratio,
            low,
            high,
            e_value: evidence / options.looks.max(weeks.len()) as f64,
            is_changed: false,
        }
    }
}

/// Marks the parts that are changed: the `k` largest e-values where the `k`-th is at least
/// `n / (k · rate)` (Wang and Ramdas 2022, e-BH), which needs no independence of the parts.
fn mark(parts: &mut [Part], rate: f64) {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|a, b| parts[*b].e_value.total_cmp(&parts[*a].e_value));
    let n = parts.len() as f64;
    let n_changed = (1..=parts.len())
        .rev()
        .find(|k| parts[order[k - 1]].e_value >= n / (*k as f64 * rate))
        .unwrap_or(0);
    for &part in &order[..n_changed] {
        parts[part].is_changed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked by hand: 4 parts at a rate of 0.1 need 40 for one, 20 for each of two.
    #[test]
    fn e_bh_marks_the_largest() {
        #[track_caller]
        fn check(e_values: [f64; 4], expected: [bool; 4]) {
            let mut parts = e_values.map(|e_value| Part {
                key: PartKey::Tier(0),
                observed: 0.0,
                expected: 0.0,
                ratio: 1.0,
                low: 0.0,
                high: 1.0,
                e_value,
                is_changed: false,
            });
            mark(&mut parts, 0.1);
            assert_eq!(parts.map(|part| part.is_changed), expected);
        }
        check([39.0, 1.0, 1.0, 1.0], [false; 4]);
        check([40.0, 1.0, 1.0, 1.0], [true, false, false, false]);
        check([1.0, 20.0, 1.0, 21.0], [false, true, false, true]);
        check([10.0; 4], [true; 4]);
    }
}
