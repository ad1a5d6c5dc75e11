//! Points of leads as of a moment: rule by rule, then caps of rules, groups and the whole.

use leadscore_core::{FeatureMatrix, Snapshot};
use leadscore_dataset::{Activities, Tables};
use leadscore_features::{FeaturesError, compute};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use serde::Serialize;

use crate::bind::BoundRules;
use crate::binder::{BoundRule, Events, Test, Then};
use crate::condition::Condition;
use crate::events::EventRule;
use crate::rule::RuleConfig;
use crate::rules_file::Grade;

/// Points that cannot be computed.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Attributes could not be read as of the moment.
    #[error(transparent)]
    Features(#[from] FeaturesError),
}

/// One lead's points.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PointsScore {
    /// Points within the score's bounds; the fewest for who is disqualified, NaN for who is not
    /// among those that have the score, or has no account where the score is one of accounts.
    pub points: f64,
    /// What each rule that applies gave, in the order of the file, after its own cap.
    pub contributions: Vec<Contribution>,
    /// What groups' caps took away; 0 or below.
    pub group_caps: f64,
    /// What the bounds of the score took away or gave.
    pub bounds: f64,
    /// The first rule that disqualifies, by its place in the file.
    pub disqualified_by: Option<usize>,
    /// Row and column of the matrix, best first; `None` without a matrix, or below its lowest band.
    pub cell: Option<(usize, usize)>,
}

/// What one rule gave.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Contribution {
    /// The rule, by its place in the file.
    pub rule: usize,
    /// Its points.
    pub points: f64,
}

impl BoundRules {
    /// The points of each snapshot's lead, by what was known before its moment.
    ///
    /// The base, contributions, group caps and bounds add up to the points, but for who is
    /// disqualified.
    ///
    /// # Errors
    ///
    /// [`RulesError::Features`] where the tables are not those that the rules were bound to.
    pub fn score(
        &self,
        tables: &Tables,
        snapshots: &[Snapshot],
    ) -> Result<Vec<PointsScore>, RulesError> {
        let attributes = Attributes::new(compute(tables, &self.specs, snapshots)?);
        let seen = Seen {
            events: self
                .pooled
                .as_ref()
                .map_or(tables.activities.as_slice(), |pooled| &pooled.events),
            reset: self.reset.as_ref(),
        };
        let rules: Vec<ReadyRule<'_>> = self
            .rules
            .iter()
            .map(|rule| attributes.ready_rule(rule))
            .collect();
        let only = self.only.as_ref().map(|test| attributes.ready(test));
        Ok(snapshots
            .par_iter()
            .enumerate()
            .with_min_len(64)
            .map(|(row, &snapshot)| {
                let has_score = match &only {
                    Some(ReadyTest::Attribute(test)) => attributes.holds(test, row),
                    Some(ReadyTest::Absent { applies }) => *applies,
                    Some(ReadyTest::Events { .. }) | None => true,
                };
                let has_account = self
                    .pooled
                    .as_ref()
                    .is_none_or(|pooled| pooled.has_account(snapshot.lead));
                if !(has_score && has_account) {
                    return PointsScore {
                        points: f64::NAN,
                        contributions: Vec::new(),
                        group_caps: 0.0,
                        bounds: 0.0,
                        disqualified_by: None,
                        cell: None,
                    };
                }
                self.score_one(&seen, &attributes, &rules, row, snapshot)
            })
            .collect())
    }

    fn score_one(
        &self,
        seen: &Seen<'_>,
        attributes: &Attributes,
        rules: &[ReadyRule<'_>],
        row: usize,
        snapshot: Snapshot,
    ) -> PointsScore {
        let mut contributions = Vec::new();
        let mut disqualified_by = None;
        let mut of_groups = vec![0.0; self.file.groups.len()];
        for (rule_idx, rule) in rules.iter().enumerate() {
            let Some(points) = attributes.points(rule, seen, row, snapshot) else {
                continue;
            };
            if rule.config.disqualifies && disqualified_by.is_none() {
                disqualified_by = Some(rule_idx);
            }
            if points != 0.0 {
                contributions.push(Contribution {
                    rule: rule_idx,
                    points,
                });
                if let Some(group) = self.group_of_rule[rule_idx] {
                    of_groups[group] += points;
                }
            }
        }
        let mut group_caps = 0.0;
        for (points, group) in of_groups.iter_mut().zip(self.file.groups.values()) {
            let over = group.cap.map_or(0.0, |cap| (cap - *points).min(0.0));
            group_caps += over;
            *points += over;
        }
        let sum = self.file.score.base
            + contributions
                .iter()
                .map(|contribution| contribution.points)
                .sum::<f64>()
            + group_caps;
        let (min, max) = (self.file.score.min, self.file.score.max);
        let bounded = sum.clamp(min, max);
        let points = if disqualified_by.is_some() {
            min
        } else {
            bounded
        };
        let band = |bands: &[Grade], group: usize| {
            bands.iter().position(|band| of_groups[group] >= band.from)
        };
        let cell = self.matrix.as_ref().and_then(|matrix| {
            band(&matrix.bands.0, matrix.groups.0).zip(band(&matrix.bands.1, matrix.groups.1))
        });
        PointsScore {
            points,
            contributions,
            group_caps,
            bounds: bounded - sum,
            disqualified_by,
            cell,
        }
    }
}

/// The events that rules look at, and what makes earlier ones void for all rules.
struct Seen<'a> {
    events: &'a [Activities],
    reset: Option<&'a Events>,
}

/// Attributes of the snapshots.
struct Attributes(FeatureMatrix);

/// A test whose texts were looked at once, level by level.
enum ReadyTest<'a> {
    Attribute(ReadyAttribute<'a>),
    Absent {
        applies: bool,
    },
    Events {
        events: &'a Events,
        then: Option<&'a Then>,
        reset: Option<&'a Events>,
    },
}

/// A rule or a combined condition, whose texts were looked at once.
struct ReadyRule<'a> {
    config: &'a RuleConfig,
    test: Option<ReadyTest<'a>>,
    all: Vec<ReadyRule<'a>>,
    any: Vec<ReadyRule<'a>>,
    none: Vec<ReadyRule<'a>>,
}

enum ReadyAttribute<'a> {
    Number {
        column: usize,
        condition: &'a Condition,
    },
    /// Whether each level is the one that is meant, and whether a missing one is.
    Levels {
        column: usize,
        holds: Vec<bool>,
        holds_for_missing: bool,
    },
}

impl Attributes {
    fn new(matrix: FeatureMatrix) -> Self {
        Self(matrix)
    }

    fn ready<'a>(&self, test: &'a Test) -> ReadyTest<'a> {
        match test {
            Test::Attribute(column, condition) => {
                ReadyTest::Attribute(self.ready_attribute(*column, condition))
            }
            Test::Absent { applies } => ReadyTest::Absent { applies: *applies },
            Test::Events {
                events,
                then,
                reset,
            } => ReadyTest::Events {
                events,
                then: then.as_deref(),
                reset: reset.as_ref(),
            },
        }
    }

    fn ready_rule<'a>(&self, rule: &'a BoundRule) -> ReadyRule<'a> {
        let ready = |parts: &'a [BoundRule]| -> Vec<ReadyRule<'a>> {
            parts.iter().map(|part| self.ready_rule(part)).collect()
        };
        ReadyRule {
            config: &rule.config,
            test: rule.test.as_ref().map(|test| self.ready(test)),
            all: ready(&rule.all),
            any: ready(&rule.any),
            none: ready(&rule.none),
        }
    }

    /// Points of a rule; `None` where it does not apply.
    fn points(
        &self,
        rule: &ReadyRule<'_>,
        seen: &Seen<'_>,
        row: usize,
        snapshot: Snapshot,
    ) -> Option<f64> {
        let applies = |part: &ReadyRule<'_>| self.points(part, seen, row, snapshot).is_some();
        let combined = rule.all.iter().all(applies)
            && (rule.any.is_empty() || rule.any.iter().any(applies))
            && !rule.none.iter().any(applies);
        if !combined {
            return None;
        }
        let full = rule.config.points;
        match &rule.test {
            None => Some(full),
            Some(ReadyTest::Attribute(test)) => self.holds(test, row).then_some(full),
            Some(ReadyTest::Absent { applies }) => applies.then_some(full),
            Some(ReadyTest::Events {
                events,
                then,
                reset,
            }) => EventRule {
                config: rule.config,
                events,
                then: *then,
                resets: [*reset, seen.reset],
            }
            .points(seen.events, snapshot),
        }
    }

    fn ready_attribute<'a>(&self, column: usize, condition: &'a Condition) -> ReadyAttribute<'a> {
        if !self.0.is_category(column) {
            return ReadyAttribute::Number { column, condition };
        }
        ReadyAttribute::Levels {
            column,
            holds: self
                .0
                .levels(column)
                .iter()
                .map(|level| condition.holds_for_text(Some(level)))
                .collect(),
            holds_for_missing: condition.holds_for_text(None),
        }
    }

    fn holds(&self, test: &ReadyAttribute<'_>, row: usize) -> bool {
        match test {
            ReadyAttribute::Number { column, condition } => {
                condition.holds_for_number(self.0.values()[[row, *column]])
            }
            ReadyAttribute::Levels {
                column,
                holds,
                holds_for_missing,
            } => {
                let code = self.0.values()[[row, *column]];
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "codes are whole numbers from 0"
                )]
                if code.is_nan() {
                    *holds_for_missing
                } else {
                    holds.get(code as usize).copied().unwrap_or(false)
                }
            }
        }
    }
}
