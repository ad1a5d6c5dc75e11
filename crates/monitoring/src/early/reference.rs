//! What is learned once from the reference, and used for every look: the weekly chance, how sure it
//! is, the thresholds, and how long changes take to be found.

use serde::{Deserialize, Serialize};

use super::bins::{Bins, Normal, WeekSums, sums_by};
use super::chance::{Learning, WeeklyChance, all_rows};
use super::dispersion::{ClusterSums, Dispersion};
use super::error::EarlyError;
use super::futures::{Detectable, Quiet, Thresholds};
use super::interval::Ratio;
use super::options::EarlyOptions;
use super::parts::{Family, dispersion_of, level_of};
use super::rows::LeadWeeks;
use super::season::{Season, find, wave};
use super::verdict::CannotTell;

/// Last weeks of the reference that a typical week is made of.
const TYPICAL: usize = 13;
/// Looks after which a season is taken to repeat.
const LOOKS_OF_A_YEAR: u32 = 52;
/// Standard errors beyond which the weekly chance does not hold on the last quarter.
const FAR: f64 = 3.0;
/// How much may be off before anybody would act on it.
const NEAR: f64 = 0.05;
/// Ages that are told apart where leads are divided in young and old, in weeks.
const MOST_AGE: usize = 520;

/// Whether a weekly chance that was fitted on three quarters of the reference holds on the last.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// First and last week of the quarter.
    pub weeks: [u32; 2],
    /// Wins.
    pub observed: f64,
    /// Expected wins.
    pub expected: f64,
    /// `observed / expected`.
    pub ratio: f64,
    /// Lower end of a 95 % interval of the ratio.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Whether the ratio is within 5 % of 1, or within chance (three standard
    /// errors). Where it is not,
    /// the level's error is widened by what it is off.
    pub holds: bool,
}

/// What the reference says: make it once, keep it, and read every week with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EarlyReference {
    pub(crate) options: EarlyOptions,
    pub(crate) weeks: [u32; 2],
    pub(crate) n_weeks: usize,
    pub(crate) n_wins: usize,
    pub(crate) chance: WeeklyChance,
    pub(crate) validation: Option<Validation>,
    pub(crate) quiet: Quiet,
    pub(crate) thresholds: Thresholds,
    pub(crate) detectable: Vec<Detectable>,
    pub(crate) families: Vec<Family>,
    pub(crate) age_weeks: f32,
    pub(crate) young: (Normal, f64),
    pub(crate) old: (Normal, f64),
    pub(crate) lost: Option<LostReference>,
}

/// Figures of the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReferenceSummary {
    /// First and last week.
    pub weeks: [u32; 2],
    /// Weeks with rows.
    pub n_weeks: usize,
    /// Wins.
    pub n_wins: usize,
    /// Expected wins of a typical week.
    pub weekly_wins: f64,
    /// Standard error of the level, relative, with what the validation adds.
    pub level_error: f64,
    /// Variance of weekly wins over that of independent leads, 1 or more.
    pub dispersion: f64,
    /// What is known of the season.
    pub season: Season,
    /// How the weekly chance does on the last quarter.
    pub validation: Option<Validation>,
    /// Where evidence alarms.
    pub thresholds: Thresholds,
    /// How long changes take to be found.
    pub detectable: Vec<Detectable>,
}

/// The weekly chance of being closed without a win.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LostReference {
    pub(crate) chance: WeeklyChance,
    pub(crate) level: Normal,
    pub(crate) dispersion: f64,
}

impl EarlyReference {
    /// Learns from past weeks in which nothing is thought to have changed: a year of them, before
    /// the model's training cutoff. The inner error says why nothing can be told.
    ///
    /// Scores of leads that a model was trained on are too far apart where it is overfitted. The
    /// weekly chance learns that, and later expects too much of the best tier and too little of the
    /// last one, while the level, over all leads, still holds.
    ///
    /// # Errors
    ///
    /// [`EarlyError`] where columns or options are wrong, or the weekly chance cannot be fitted.
    pub fn learn(
        rows: &LeadWeeks,
        options: &EarlyOptions,
    ) -> Result<Result<Self, CannotTell>, EarlyError> {
        options.check()?;
        rows.check()?;
        let weeks = rows.weeks();
        if let Some(reason) = too_little(rows, &weeks, options) {
            return Ok(Err(reason));
        }
        let (chance, chances) = fit_with_season(rows, &weeks)?;
        let sums = total(rows, &weeks, &chances, &rows.won);
        let clusters = ClusterSums::new(&rows.cluster, &chances, &rows.won);
        let n_terms = if chance.season().is_fitted() {
            3.0
        } else {
            1.0
        };
        let dispersion = Dispersion::new(&sums, n_terms, clusters);
        let validation = validate(rows, &weeks, &chance, dispersion.value)?;
        let quiet = quiet(&sums, &chance, dispersion, validation.as_ref(), options);
        let thresholds = quiet.thresholds(options);
        let detectable = quiet.detectable(thresholds.alarm, options);
        let age_weeks = middle_age(rows, &chances);
        let ages = sums_by(&rows.week, &weeks, &chances, &rows.won, 2, |row| {
            Some(usize::from(rows.age_weeks[row] >= age_weeks))
        });
        Ok(Ok(Self {
            options: options.clone(),
            weeks: [weeks[0], weeks[weeks.len() - 1]],
            n_weeks: weeks.len(),
            n_wins: rows.n_wins(),
            families: Family::all(rows, &weeks, &chances),
            lost: lost(rows, &weeks)?,
            chance,
            validation,
            quiet,
            thresholds,
            detectable,
            age_weeks,
            young: group(&ages[0]),
            old: group(&ages[1]),
        }))
    }

    /// The weekly chance.
    pub fn chance(&self) -> &WeeklyChance {
        &self.chance
    }

    /// Figures of the reference.
    pub fn summary(&self) -> ReferenceSummary {
        ReferenceSummary {
            weeks: self.weeks,
            n_weeks: self.n_weeks,
            n_wins: self.n_wins,
            weekly_wins: self.quiet.typical.expected(),
            level_error: self.quiet.level.variance.sqrt(),
            dispersion: self.quiet.dispersion.value,
            season: self.chance.season(),
            validation: self.validation,
            thresholds: self.thresholds,
            detectable: self.detectable.clone(),
        }
    }

    /// The thresholds.
    pub fn thresholds(&self) -> Thresholds {
        self.thresholds
    }
}

/// Why a reference says nothing, if so.
fn too_little(rows: &LeadWeeks, weeks: &[u32], options: &EarlyOptions) -> Option<CannotTell> {
    let n_wins = rows.n_wins();
    if weeks.len() < options.min_reference_weeks {
        Some(CannotTell::TooFewReferenceWeeks {
            found: weeks.len(),
            needed: options.min_reference_weeks,
        })
    } else if n_wins == 0 {
        Some(CannotTell::NoWinYet)
    } else if n_wins < options.min_reference_wins {
        Some(CannotTell::TooFewReferenceWins {
            found: n_wins,
            needed: options.min_reference_wins,
        })
    } else if n_wins == rows.len() {
        Some(CannotTell::OnlyWins)
    } else {
        None
    }
}

/// Sums of all rows by week.
pub(crate) fn total(
    rows: &LeadWeeks,
    weeks: &[u32],
    chances: &[f64],
    labels: &[bool],
) -> Vec<WeekSums> {
    sums_by(&rows.week, weeks, chances, labels, 1, |_| Some(0)).remove(0)
}

/// The weekly chance and that of each row: with a season where the reference shows one.
fn fit_with_season(
    rows: &LeadWeeks,
    weeks: &[u32],
) -> Result<(WeeklyChance, Vec<f64>), EarlyError> {
    let picked = all_rows(rows.len());
    let learning = Learning {
        rows,
        labels: &rows.won,
        picked: &picked,
        offsets: None,
    };
    let plain = WeeklyChance::fit(&learning, Season::None)?;
    let chances = plain.apply(rows);
    let season = find(&total(rows, weeks, &chances, &rows.won))?;
    if !season.is_fitted() {
        return Ok((plain.known_as(season), chances));
    }
    let chance = WeeklyChance::fit(&learning, season)?;
    let chances = chance.apply(rows);
    Ok((chance, chances))
}

/// How a weekly chance fitted on three quarters of the weeks does on the last, the season known.
fn validate(
    rows: &LeadWeeks,
    weeks: &[u32],
    chance: &WeeklyChance,
    dispersion: f64,
) -> Result<Option<Validation>, EarlyError> {
    let first = weeks[weeks.len() - weeks.len() / 4];
    let mut picked = all_rows(rows.len());
    picked.retain(|row| rows.week[*row as usize] < first);
    let n_wins = picked.iter().filter(|row| rows.won[**row as usize]).count();
    if n_wins == 0 || n_wins == picked.len() {
        return Ok(None);
    }
    let offsets: Option<Vec<f64>> = chance.season().is_fitted().then(|| {
        rows.week
            .iter()
            .map(|week| chance.season_of(*week))
            .collect()
    });
    let earlier = WeeklyChance::fit(
        &Learning {
            rows,
            labels: &rows.won,
            picked: &picked,
            offsets: offsets.as_deref(),
        },
        Season::None,
    )?;
    let chances = earlier.apply(rows);
    let (mut observed, mut expected) = (0.0, 0.0);
    for row in (0..rows.len()).filter(|row| rows.week[*row] >= first) {
        let odds_ratio = offsets.as_ref().map_or(1.0, |offsets| offsets[row].exp());
        let chance = chances[row];
        expected += chance * odds_ratio / (1.0 + chance * (odds_ratio - 1.0));
        observed += f64::from(u8::from(rows.won[row]));
    }
    let level_variance = dispersion / n_wins as f64;
    let Ratio { ratio, low, high } = Ratio::new(observed, expected, dispersion, level_variance);
    let error = (dispersion / observed.max(0.5) + level_variance).sqrt();
    let off = (observed.max(0.5) / expected).ln();
    Ok(Some(Validation {
        weeks: [first, weeks[weeks.len() - 1]],
        observed,
        expected,
        ratio,
        low,
        high,
        holds: off.abs() <= FAR * error || (ratio - 1.0).abs() <= NEAR,
    }))
}

/// What quiet futures are drawn from.
fn quiet(
    sums: &[WeekSums],
    chance: &WeeklyChance,
    dispersion: Dispersion,
    validation: Option<&Validation>,
    options: &EarlyOptions,
) -> Quiet {
    let mut typical = Bins::default();
    let recent = &sums[sums.len().saturating_sub(TYPICAL)..];
    for week in recent {
        let without_season = week.bins.shifted(-chance.season_of(week.week));
        typical.add_bins(&without_season, 1.0 / recent.len() as f64);
    }
    // Batches make the level less sure than clusters show.
    let information: f64 = sums.iter().map(|week| week.bins.variance()).sum();
    let mut covariance = chance.covariance();
    let least = dispersion.value / information;
    if covariance[0][0] < least {
        let factor = least / covariance[0][0].max(1e-300);
        if covariance[0][0] > 0.0 && factor < 1e6 {
            covariance
                .iter_mut()
                .flatten()
                .for_each(|value| *value *= factor);
        } else {
            covariance[0][0] = least;
        }
    }
    let off = validation
        .filter(|validation| !validation.holds)
        .map_or(0.0, |validation| validation.ratio.max(0.05).ln());
    let allowed = options.tolerance.ln_1p();
    let last = sums[sums.len() - 1].week;
    let looks: Vec<u32> = if chance.season().is_fitted() {
        (1..=LOOKS_OF_A_YEAR)
            .map(|look| last.saturating_add(look))
            .collect()
    } else {
        vec![last]
    };
    Quiet {
        typical,
        season: looks.iter().map(|week| chance.season_of(*week)).collect(),
        waves: looks.iter().map(|week| wave(*week)).collect(),
        covariance,
        level: Normal {
            mean: 0.0,
            variance: covariance[0][0] + off * off + allowed * allowed,
        },
        dispersion,
    }
}

/// The age below which half of the expected wins are, in whole weeks, 1 at least.
fn middle_age(rows: &LeadWeeks, chances: &[f64]) -> f32 {
    let mut expected = vec![0.0; MOST_AGE + 1];
    for (age, chance) in rows.age_weeks.iter().zip(chances) {
        expected[(*age as usize).min(MOST_AGE)] += chance;
    }
    let half = expected.iter().sum::<f64>() / 2.0;
    let mut sum = 0.0;
    let mut middle = 1;
    for (age, wins) in expected.iter().enumerate() {
        sum += wins;
        middle = age + 1;
        if sum >= half {
            break;
        }
    }
    middle as f32
}

/// Level and dispersion of a group.
fn group(weeks: &[WeekSums]) -> (Normal, f64) {
    let dispersion = dispersion_of(weeks);
    let observed = weeks.iter().map(|sums| sums.observed).sum();
    let expected = weeks.iter().map(|sums| sums.bins.expected()).sum();
    (level_of(observed, expected, dispersion), dispersion)
}

/// The weekly chance of being closed without a win, where it is known and both happen.
fn lost(rows: &LeadWeeks, weeks: &[u32]) -> Result<Option<LostReference>, EarlyError> {
    let n_lost = rows.lost.iter().filter(|lost| **lost).count();
    if n_lost == 0 || n_lost == rows.len() {
        return Ok(None);
    }
    let picked = all_rows(rows.len());
    let chance = WeeklyChance::fit(
        &Learning {
            rows,
            labels: &rows.lost,
            picked: &picked,
            offsets: None,
        },
        Season::None,
    )?;
    let chances = chance.apply(rows);
    let (level, dispersion) = group(&total(rows, weeks, &chances, &rows.lost));
    Ok(Some(LostReference {
        chance,
        level,
        dispersion,
    }))
}
