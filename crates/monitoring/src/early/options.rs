//! How surely, how often and against what the early read looks.

use serde::{Deserialize, Serialize};

use super::error::EarlyError;

/// Settings of the early read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EarlyOptions {
    /// Weekly looks that the promise covers, default 104.
    pub looks: usize,
    /// Chance that any of these looks alarms though nothing has changed, default 0.05. Raising it
    /// finds changes sooner.
    pub false_alarm: f64,
    /// The same for `watch`, default 0.20.
    pub watch: f64,
    /// Odds ratios of falls that evidence may be collected for, each in (0, 1); rises are their
    /// reciprocals. Default 0.5, 0.6, 0.7, 0.8, 0.9. Of these the ones are taken that so many wins
    /// a week can show within half a year, and that a single week does not show anyway.
    pub falls: Vec<f64>,
    /// Share of the evidence's weight that falls have, in (0, 1); default 0.8, since falls matter
    /// more.
    pub weight_of_falls: f64,
    /// Relative change of the level that nobody would act on, default 0: it is added to the level's
    /// own error. Raising it makes small changes slower to find.
    pub tolerance: f64,
    /// False discovery rate of parts (tiers, segments, arms), default 0.10.
    pub false_discovery_rate: f64,
    /// Simulated quiet futures, default 4,000. More of them come closer to the promised level,
    /// which is kept with any number.
    pub n_futures: usize,
    /// Weeks of reference below which nothing is told, default 26.
    pub min_reference_weeks: usize,
    /// Wins in the reference below which nothing is told, default 20.
    pub min_reference_wins: usize,
    /// Ratios of wins for which the time to find them is computed, default 0.7, 0.8, 1.3.
    pub ratios: Vec<f64>,
    /// A quiet read is `cannot tell` where half of the falls to 0.7 take more weeks than these to
    /// find, default 26.
    pub slow: usize,
    /// Seed of the simulated futures, default 1: the same seed gives the same thresholds.
    pub seed: u64,
}

impl Default for EarlyOptions {
    fn default() -> Self {
        Self {
            looks: 104,
            false_alarm: 0.05,
            watch: 0.20,
            falls: vec![0.5, 0.6, 0.7, 0.8, 0.9],
            weight_of_falls: 0.8,
            tolerance: 0.0,
            false_discovery_rate: 0.10,
            n_futures: 4_000,
            min_reference_weeks: 26,
            min_reference_wins: 20,
            ratios: vec![0.7, 0.8, 1.3],
            slow: 26,
            seed: 1,
        }
    }
}

impl EarlyOptions {
    pub(crate) fn check(&self) -> Result<(), EarlyError> {
        let shares = [
            ("false_alarm", self.false_alarm),
            ("watch", self.watch),
            ("weight_of_falls", self.weight_of_falls),
            ("false_discovery_rate", self.false_discovery_rate),
        ];
        for (name, found) in shares {
            if !(found > 0.0 && found < 1.0) {
                return Err(EarlyError::setting(name, found, "a number between 0 and 1"));
            }
        }
        if self.watch < self.false_alarm {
            return Err(EarlyError::setting(
                "watch",
                self.watch,
                "at least `false_alarm`",
            ));
        }
        if !(0.0..1.0).contains(&self.tolerance) {
            return Err(EarlyError::setting(
                "tolerance",
                self.tolerance,
                "a share from 0 to below 1",
            ));
        }
        if self.falls.is_empty() {
            return Err(EarlyError::setting("falls", 0.0, "at least one odds ratio"));
        }
        if let Some(&found) = self.falls.iter().find(|fall| !(0.05..1.0).contains(*fall)) {
            return Err(EarlyError::setting(
                "falls",
                found,
                "odds ratios from 0.05 to below 1",
            ));
        }
        if let Some(&found) = self
            .ratios
            .iter()
            .find(|ratio| !(0.0..=10.0).contains(*ratio))
        {
            return Err(EarlyError::setting("ratios", found, "ratios from 0 to 10"));
        }
        for (name, found, least) in [
            ("looks", self.looks, 1),
            ("n_futures", self.n_futures, 100),
            ("min_reference_weeks", self.min_reference_weeks, 8),
            ("min_reference_wins", self.min_reference_wins, 1),
        ] {
            if found < least {
                return Err(EarlyError::Count { name, found, least });
            }
        }
        Ok(())
    }
}
