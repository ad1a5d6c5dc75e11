//! A look at the weeks since the reference: the figures that sentences are made of.

use serde::{Deserialize, Serialize};

use super::bins::{Bins, WeekSums, sums_by};
use super::change::{self, Change};
use super::detector::{Detector, Evidence, WeekLaw};
use super::error::EarlyError;
use super::interval::LevelSince;
use super::movement::{self, Ages, Group};
use super::options::EarlyOptions;
use super::parts::Part;
use super::reference::{EarlyReference, ReferenceSummary, total};
use super::rows::LeadWeeks;
use super::verdict::{CannotTell, EarlyVerdict, Side};

/// One monitored week.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EarlyWeek {
    /// The week.
    pub week: u32,
    /// Open leads at its start.
    pub n_open: f64,
    /// Wins in it.
    pub observed: f64,
    /// Expected wins.
    pub expected: f64,
    /// Evidence of a fall up to this week.
    pub fall: f64,
    /// Evidence of a rise up to this week.
    pub rise: f64,
    /// Both, weighted: what the thresholds are for.
    pub evidence: f64,
    /// Whether its wins are further from expectation than counts in evidence, such as in a week in
    /// which nothing was entered.
    pub is_odd: bool,
}

/// The early read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EarlyRead {
    /// What it comes to.
    pub verdict: EarlyVerdict,
    /// The monitored weeks, in order; empty where nothing can be told.
    pub weeks: Vec<EarlyWeek>,
    /// First week whose evidence alarmed.
    pub first_alarm: Option<u32>,
    /// Weeks between the first and the last monitored one that have no rows.
    pub n_missing_weeks: usize,
    /// Wins over expected wins since monitoring began.
    pub level: Option<LevelSince>,
    /// The most likely change, where the verdict is `watch` or `alarm`.
    pub change: Option<Change>,
    /// Level apart from pace since that change.
    pub ages: Option<Ages>,
    /// Tiers, arms and segments.
    pub parts: Vec<Part>,
    /// What the reference says.
    pub reference: Option<ReferenceSummary>,
}

/// Reads the monitored weeks against the reference, in one step.
///
/// # Errors
///
/// [`EarlyError`] where columns or options are wrong, weeks of the two overlap, or the weekly chance
/// cannot be fitted.
///
/// # Examples
///
/// ```
/// use leadscore_monitoring::{EarlyOptions, EarlyVerdict, LeadWeeks, Side, early_read};
///
/// // 400 open leads in each week, of which every so-many-th is won.
/// let rows = |weeks: std::ops::Range<u32>, every: u32| {
///     let mut rows = LeadWeeks::default();
///     for row in weeks.start * 400..weeks.end * 400 {
///         rows.week.push(row / 400);
///         rows.log_odds.push(f64::from(row % 7) / 4.0 - 2.0);
///         rows.tier.push((row % 4) as u8);
///         rows.age_weeks.push((row % 30) as f32);
///         rows.cluster.push(u64::from(row));
///         rows.held_back.push(false);
///         rows.won.push(row % every == 0);
///     }
///     rows
/// };
/// let options = EarlyOptions { n_futures: 500, ..EarlyOptions::default() };
/// let quiet = early_read(&rows(0..52, 19), &rows(52..60, 19), &options)?;
/// assert_eq!(quiet.verdict, EarlyVerdict::Ok);
///
/// let fallen = early_read(&rows(0..52, 19), &rows(52..60, 38), &options)?;
/// assert_eq!(fallen.verdict, EarlyVerdict::Alarm { side: Side::Fall });
/// assert_eq!(fallen.change.map(|change| change.week), Some(52));
/// # Ok::<(), leadscore_monitoring::EarlyError>(())
/// ```
pub fn early_read(
    reference: &LeadWeeks,
    monitored: &LeadWeeks,
    options: &EarlyOptions,
) -> Result<EarlyRead, EarlyError> {
    match EarlyReference::learn(reference, options)? {
        Ok(reference) => reference.read(monitored),
        Err(reason) => {
            monitored.check()?;
            Ok(EarlyRead::without(reason, None))
        }
    }
}

impl EarlyRead {
    fn without(reason: CannotTell, reference: Option<ReferenceSummary>) -> Self {
        Self {
            verdict: EarlyVerdict::CannotTell(reason),
            weeks: Vec::new(),
            first_alarm: None,
            n_missing_weeks: 0,
            level: None,
            change: None,
            ages: None,
            parts: Vec::new(),
            reference,
        }
    }
}

impl EarlyReference {
    /// Reads the monitored weeks, all of them since the reference.
    ///
    /// # Errors
    ///
    /// [`EarlyError`] where columns are wrong, weeks overlap with the reference, or segmentations
    /// differ from it.
    pub fn read(&self, rows: &LeadWeeks) -> Result<EarlyRead, EarlyError> {
        rows.check()?;
        let weeks = rows.weeks();
        let (Some(first), Some(last)) = (weeks.first(), weeks.last()) else {
            return Ok(EarlyRead::without(
                CannotTell::NoWeeks,
                Some(self.summary()),
            ));
        };
        if *first <= self.weeks[1] {
            return Err(EarlyError::Overlap {
                last_reference: self.weeks[1],
                first_monitored: *first,
            });
        }
        if let Some(name) = self
            .families
            .iter()
            .find_map(|family| family.missing_in(rows))
        {
            return Err(EarlyError::Segmentation {
                name: name.to_owned(),
            });
        }
        let chances = self.chance.apply(rows);
        let sums = total(rows, &weeks, &chances, &rows.won);
        let looked = self.look(&sums);
        let first_alarm = looked
            .iter()
            .find(|week| week.evidence >= self.thresholds.alarm)
            .map(|week| week.week);
        let verdict = self.verdict(&looked, first_alarm.is_some());
        let side = match verdict {
            EarlyVerdict::Watch { side } | EarlyVerdict::Alarm { side } => Some(side),
            EarlyVerdict::Ok | EarlyVerdict::CannotTell(_) => None,
        };
        let change =
            side.and_then(|_| change::find(&sums, self.quiet.level, self.quiet.dispersion.value));
        let ages = side
            .zip(change)
            .map(|(side, change)| self.ages(rows, &weeks, &chances, change.week, side));
        let mut bins = Bins::default();
        sums.iter().for_each(|week| bins.add_bins(&week.bins, 1.0));
        let observed = sums.iter().map(|week| week.observed).sum();
        Ok(EarlyRead {
            verdict,
            first_alarm,
            n_missing_weeks: (last - first) as usize + 1 - weeks.len(),
            level: Some(LevelSince::new(
                &bins,
                observed,
                self.quiet.dispersion.value,
                self.quiet.level,
            )),
            change,
            ages,
            parts: self
                .families
                .iter()
                .flat_map(|family| family.read(rows, &weeks, &chances, &self.options))
                .collect(),
            weeks: looked,
            reference: Some(self.summary()),
        })
    }

    fn look(&self, sums: &[WeekSums]) -> Vec<EarlyWeek> {
        let plan = self.quiet.plan(&self.options);
        let mut detector = Detector::new(&plan);
        sums.iter()
            .map(|week| {
                let law = WeekLaw::new(&plan, &week.bins);
                let Evidence { fall, rise, either } = detector.look(&law, week.observed);
                EarlyWeek {
                    week: week.week,
                    n_open: week.bins.n_rows(),
                    observed: week.observed,
                    expected: week.bins.expected(),
                    fall,
                    rise,
                    evidence: either,
                    is_odd: law.is_odd(week.observed),
                }
            })
            .collect()
    }

    fn verdict(&self, weeks: &[EarlyWeek], was_alarm: bool) -> EarlyVerdict {
        let Some(last) = weeks.last() else {
            return EarlyVerdict::CannotTell(CannotTell::NoWeeks);
        };
        let weight = self.options.weight_of_falls;
        let side = if weight * last.fall >= (1.0 - weight) * last.rise {
            Side::Fall
        } else {
            Side::Rise
        };
        if last.evidence >= self.thresholds.alarm {
            return EarlyVerdict::Alarm { side };
        }
        if last.evidence >= self.thresholds.watch || was_alarm {
            return EarlyVerdict::Watch { side };
        }
        match self.detectable.first() {
            Some(found) if found.median.is_none_or(|median| median > self.options.slow) => {
                EarlyVerdict::CannotTell(CannotTell::TooSlow {
                    median: found.median,
                })
            }
            Some(_) | None => EarlyVerdict::Ok,
        }
    }

    fn ages(
        &self,
        rows: &LeadWeeks,
        weeks: &[u32],
        chances: &[f64],
        since: u32,
        side: Side,
    ) -> Ages {
        let sums = sums_by(&rows.week, weeks, chances, &rows.won, 2, |row| {
            Some(usize::from(rows.age_weeks[row] >= self.age_weeks))
        });
        let group = |weeks, (level, dispersion)| Group {
            weeks,
            level,
            dispersion,
        };
        let lost_sums = self
            .lost
            .as_ref()
            .filter(|_| !rows.lost.is_empty())
            .map(|lost| {
                let chances = lost.chance.apply(rows);
                (lost, total(rows, weeks, &chances, &rows.lost))
            });
        let lost = lost_sums
            .as_ref()
            .map(|(lost, weeks)| group(weeks, (lost.level, lost.dispersion)));
        movement::judge(
            since,
            side == Side::Fall,
            self.age_weeks,
            &group(&sums[0], self.young),
            &group(&sums[1], self.old),
            lost.as_ref(),
        )
    }
}
