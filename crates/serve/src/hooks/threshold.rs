//! One threshold of the config: on which side of it a score is.

use leadscore_config::ThresholdConfig;
use leadscore_core::{ContactPriority, Timestamp};

use crate::{LeadScore, PointsOfRules};

/// What of a lead is compared with thresholds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured<'a> {
    /// The lead.
    pub lead: &'a str,
    /// The moment of the score.
    pub at: Timestamp,
    /// The model that made the score.
    pub model: &'a str,
    /// Likelihood, 0 to 100.
    pub likelihood: f64,
    /// The tier.
    pub tier: ContactPriority,
    /// What the rules make of the lead at that moment, where there are rules.
    pub points: Option<&'a PointsOfRules>,
}

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
#[derive(Debug, Clone, PartialEq)]
enum Measure {
    Likelihood {
        from: f64,
        below: f64,
    },
    Tier(ContactPriority),
    Points {
        from: f64,
        below: f64,
    },
    /// One of these cells of the rules' matrix.
    Cells(Vec<String>),
}

impl<'a> Measured<'a> {
    /// A score, and what the rules make of the lead at its moment.
    pub fn of(score: &'a LeadScore, points: Option<&'a PointsOfRules>) -> Self {
        Self {
            lead: &score.lead,
            at: score.at,
            model: &score.model,
            likelihood: score.likelihood,
            tier: score.tier,
            points,
        }
    }
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
        } else if let Some(cell) = &config.cell {
            Measure::Cells(cell.to_vec())
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
        match &self.measure {
            Measure::Likelihood { from, below } => format!("likelihood {from} {below}"),
            Measure::Tier(tier) => format!("tier {tier}"),
            Measure::Points { from, below } => format!("points {from} {below}"),
            Measure::Cells(labels) => {
                let mut labels = labels.clone();
                labels.sort_unstable();
                format!("cell {labels:?}")
            }
        }
    }

    /// By what a lead is measured: the model, or the rules, whose change moves leads that did
    /// nothing.
    pub(super) fn source<'a>(&self, measured: &Measured<'a>) -> &'a str {
        match self.measure {
            Measure::Points { .. } | Measure::Cells(_) => {
                measured.points.map_or("", |points| &points.rules)
            }
            Measure::Likelihood { .. } | Measure::Tier(_) => measured.model,
        }
    }

    /// Whether the lead is at the threshold or above it, or in one of its cells; `None` if that
    /// cannot be known.
    ///
    /// Who is disqualified by the rules is below all points and in no cell. Within the hysteresis it stays where it was. A lead that was nowhere before is above only if
    /// it has reached the threshold.
    pub(super) fn is_above(&self, measured: &Measured<'_>, was_above: bool) -> Option<bool> {
        let compare = |value: f64, from: f64, below: f64| {
            value
                .is_finite()
                .then_some(value >= from || (was_above && value >= below))
        };
        match &self.measure {
            &Measure::Likelihood { from, below } => compare(measured.likelihood, from, below),
            &Measure::Points { from, below } => {
                let points = measured.points?;
                let above = compare(points.points?, from, below)?;
                Some(above && !points.is_disqualified)
            }
            Measure::Cells(labels) => {
                let points = measured.points?;
                points.points?;
                let cell = points.cell.as_ref();
                let is_in = cell.is_some_and(|cell| labels.contains(&cell.label));
                Some(is_in && !points.is_disqualified)
            }
            Measure::Tier(tier) => match measured.tier {
                ContactPriority::ClosedWon => None,
                ContactPriority::VeryHigh
                | ContactPriority::High
                | ContactPriority::Medium
                | ContactPriority::Low => Some(measured.tier <= *tier),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MatrixCell;
    use leadscore_config::OneOrMany;

    const AT: Timestamp = Timestamp::from_micros(1_748_772_000_000_000);

    fn measured(likelihood: f64) -> Measured<'static> {
        Measured {
            lead: "L1",
            at: AT,
            model: "m1",
            likelihood,
            tier: ContactPriority::High,
            points: None,
        }
    }

    fn points(points: Option<f64>, cell: Option<&str>) -> PointsOfRules {
        PointsOfRules {
            rules: "r1".to_owned(),
            points,
            is_disqualified: false,
            cell: cell.map(|label| MatrixCell {
                label: label.to_owned(),
                action: None,
            }),
        }
    }

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
            let found = threshold.is_above(&measured(likelihood), was_above);
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
            let measured = Measured {
                tier,
                ..measured(50.0)
            };
            assert_eq!(threshold.is_above(&measured, false), expected, "{tier}");
        }
        Ok(())
    }

    #[test]
    fn without_points_nothing_is_known() -> Result<(), &'static str> {
        let threshold = threshold(ThresholdConfig {
            points: Some(-5.0),
            ..ThresholdConfig::default()
        })?;
        for (points_given, is_disqualified, expected) in [
            (None, false, None),
            (Some(points(None, None)), false, None),
            (Some(points(Some(f64::NAN), None)), false, None),
            (Some(points(Some(-5.0), None)), false, Some(true)),
            (Some(points(Some(-5.0), None)), true, Some(false)),
            (Some(points(Some(-5.5), None)), false, Some(false)),
        ] {
            let points = points_given.map(|points| PointsOfRules {
                is_disqualified,
                ..points
            });
            let measured = Measured {
                points: points.as_ref(),
                ..measured(50.0)
            };
            assert_eq!(threshold.is_above(&measured, false), expected, "{points:?}");
            assert_eq!(
                threshold.source(&measured),
                if points.is_some() { "r1" } else { "" }
            );
        }
        Ok(())
    }

    #[test]
    fn a_lead_is_in_one_of_the_cells_or_not() -> Result<(), &'static str> {
        let of = |labels: &[&str]| {
            let labels = labels.iter().map(|label| (*label).to_owned()).collect();
            threshold(ThresholdConfig {
                cell: Some(OneOrMany::Many(labels)),
                ..ThresholdConfig::default()
            })
        };
        let threshold = of(&["A1", "A2"])?;
        for (points, expected) in [
            (None, None),
            // Who does not have the score of the rules.
            (Some(points(None, None)), None),
            (Some(points(Some(3.0), None)), Some(false)),
            (Some(points(Some(3.0), Some("A1"))), Some(true)),
            (Some(points(Some(3.0), Some("A2"))), Some(true)),
            (Some(points(Some(3.0), Some("A"))), Some(false)),
            (Some(points(Some(3.0), Some("B1"))), Some(false)),
        ] {
            let measured = Measured {
                points: points.as_ref(),
                ..measured(50.0)
            };
            assert_eq!(threshold.is_above(&measured, true), expected, "{points:?}");
        }
        // The order of the names says nothing, and their letters do.
        assert_eq!(of(&["A2", "A1"])?.definition(), threshold.definition());
        assert_ne!(of(&["A1, A2"])?.definition(), threshold.definition());
        Ok(())
    }
}
