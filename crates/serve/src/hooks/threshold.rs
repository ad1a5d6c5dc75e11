//! One threshold of the config: on which side of it a score is.

use leadscore_config::ThresholdConfig;
use leadscore_core::ContactPriority;

use crate::LeadScore;

/// One threshold of the config.
#[derive(Debug, Clone)]
pub(super) struct Threshold {
    /// Its name.
    pub(super) name: String,
    /// What is measured.
    measure: Measure,
    /// Whether crossings that a new model or new rules make are told.
    pub(super) tells_model_changes: bool,
    /// Key of the receiver that is called.
    pub(super) receiver: Option<String>,
}

/// What a threshold is a threshold of.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Measure {
    Likelihood { from: f64, below: f64 },
    Tier(ContactPriority),
    Points { from: f64, below: f64 },
}

impl Threshold {
    /// Reads a threshold; `None` where it measures nothing, which a config that was read has not.
    pub(super) fn new(
        name: &str,
        config: &ThresholdConfig,
        receiver: Option<&str>,
    ) -> Option<Self> {
        let hysteresis = config.hysteresis.unwrap_or(0.0);
        let measure = if let Some(from) = config.likelihood {
            let below = from - hysteresis;
            Measure::Likelihood { from, below }
        } else if let Some(from) = config.points {
            let below = from - hysteresis;
            Measure::Points { from, below }
        } else {
            let tier = config.tier.as_deref()?;
            let tiers = ContactPriority::QUARTILES;
            Measure::Tier(tiers.into_iter().find(|known| known.name() == tier)?)
        };
        Some(Self {
            name: name.to_owned(),
            measure,
            tells_model_changes: config.on_model_change,
            receiver: receiver.map(str::to_owned),
        })
    }

    /// The threshold as text: sides of another definition say nothing about this one.
    pub(super) fn definition(&self) -> String {
        match self.measure {
            Measure::Likelihood { from, below } => format!("likelihood {from} {below}"),
            Measure::Tier(tier) => format!("tier {tier}"),
            Measure::Points { from, below } => format!("points {from} {below}"),
        }
    }

    /// Whether it is of the rules' points, which change when the rules do.
    pub(super) fn is_of_points(&self) -> bool {
        match self.measure {
            Measure::Points { .. } => true,
            Measure::Likelihood { .. } | Measure::Tier(_) => false,
        }
    }

    /// Whether the lead is at the threshold or above it; `None` if that cannot be known.
    ///
    /// Within the hysteresis it stays where it was. A lead that was nowhere before is above only if
    /// it has reached the threshold.
    pub(super) fn is_above(
        &self,
        score: &LeadScore,
        points: Option<f64>,
        was_above: bool,
    ) -> Option<bool> {
        let compare = |value: f64, from: f64, below: f64| {
            value
                .is_finite()
                .then_some(value >= from || (was_above && value >= below))
        };
        match self.measure {
            Measure::Likelihood { from, below } => compare(score.likelihood, from, below),
            Measure::Points { from, below } => compare(points?, from, below),
            Measure::Tier(tier) => match score.tier {
                ContactPriority::ClosedWon => None,
                ContactPriority::VeryHigh
                | ContactPriority::High
                | ContactPriority::Medium
                | ContactPriority::Low => Some(score.tier <= tier),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hooks::crossing::tests::score;

    fn threshold(config: ThresholdConfig) -> Result<Threshold, &'static str> {
        Threshold::new("hot", &config, None).ok_or("it measures nothing")
    }

    #[test]
    fn a_likelihood_is_above_from_the_threshold_on() -> Result<(), &'static str> {
        let threshold = threshold(ThresholdConfig {
            likelihood: Some(40.0),
            hysteresis: Some(3.0),
            ..ThresholdConfig::default()
        })?;
        for (likelihood, was_above, expected) in [
            (40.0, false, Some(true)),
            (39.999, false, Some(false)),
            (39.999, true, Some(true)),
            (37.0, true, Some(true)),
            (36.999, true, Some(false)),
            (100.0, false, Some(true)),
            (f64::NAN, true, None),
            (f64::INFINITY, true, None),
        ] {
            let score = score("L1", likelihood);
            let found = threshold.is_above(&score, None, was_above);
            assert_eq!(found, expected, "{likelihood}, {was_above}");
        }
        Ok(())
    }

    #[test]
    fn better_tiers_are_above_and_customers_are_nowhere() -> Result<(), &'static str> {
        let threshold = threshold(ThresholdConfig {
            tier: Some("High".to_owned()),
            ..ThresholdConfig::default()
        })?;
        for (tier, expected) in [
            (ContactPriority::VeryHigh, Some(true)),
            (ContactPriority::High, Some(true)),
            (ContactPriority::Medium, Some(false)),
            (ContactPriority::Low, Some(false)),
            (ContactPriority::ClosedWon, None),
        ] {
            let mut score = score("L1", 50.0);
            score.tier = tier;
            assert_eq!(threshold.is_above(&score, None, false), expected, "{tier}");
        }
        Ok(())
    }

    #[test]
    fn without_points_nothing_is_known() -> Result<(), &'static str> {
        let threshold = threshold(ThresholdConfig {
            points: Some(-5.0),
            ..ThresholdConfig::default()
        })?;
        let score = score("L1", 50.0);
        for (points, expected) in [
            (None, None),
            (Some(f64::NAN), None),
            (Some(-5.0), Some(true)),
            (Some(-5.5), Some(false)),
        ] {
            assert_eq!(threshold.is_above(&score, points, false), expected);
        }
        Ok(())
    }
}
