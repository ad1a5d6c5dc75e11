//! Points of leads as of a moment: rule by rule, then caps of rules, groups and the whole.

use leadscore_core::{FeatureMatrix, Snapshot, Timestamp};
use leadscore_dataset::{Activities, MISSING, Tables};
use leadscore_features::{FeaturesError, compute};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use serde::Serialize;

use crate::bind::{BoundRules, EventFilter, Test};
use crate::condition::Condition;
use crate::rules_file::{Grade, RuleConfig};

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
    /// among those that have the score.
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

/// Days of a month of decay.
const MONTH_DAYS: f64 = 30.0;

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
        let tests: Vec<ReadyTest<'_>> = self
            .tests
            .iter()
            .map(|test| attributes.ready(test))
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
                if !has_score {
                    return PointsScore {
                        points: f64::NAN,
                        contributions: Vec::new(),
                        group_caps: 0.0,
                        bounds: 0.0,
                        disqualified_by: None,
                        cell: None,
                    };
                }
                self.score_one(tables, &attributes, &tests, row, snapshot)
            })
            .collect())
    }

    fn score_one(
        &self,
        tables: &Tables,
        attributes: &Attributes,
        tests: &[ReadyTest<'_>],
        row: usize,
        snapshot: Snapshot,
    ) -> PointsScore {
        let mut contributions = Vec::new();
        let mut disqualified_by = None;
        let mut of_groups = vec![0.0; self.file.groups.len()];
        for (rule_idx, (rule, test)) in self.file.rules.iter().zip(tests).enumerate() {
            let points = match test {
                ReadyTest::Attribute(test) => attributes.holds(test, row).then_some(rule.points),
                ReadyTest::Absent { applies } => applies.then_some(rule.points),
                ReadyTest::Events { table, filters } => {
                    points_of_events(rule, &tables.activities[*table], filters, snapshot)
                }
            };
            let Some(points) = points else { continue };
            if rule.disqualifies && disqualified_by.is_none() {
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

/// Attributes of the snapshots.
struct Attributes(FeatureMatrix);

/// A test whose texts were looked at once, level by level.
enum ReadyTest<'a> {
    Attribute(ReadyAttribute<'a>),
    Absent {
        applies: bool,
    },
    Events {
        table: usize,
        filters: &'a [EventFilter],
    },
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
            Test::Events { table, filters } => ReadyTest::Events {
                table: *table,
                filters,
            },
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

/// Points of a rule on activities; `None` where it does not apply.
fn points_of_events(
    rule: &RuleConfig,
    activities: &Activities,
    filters: &[EventFilter],
    snapshot: Snapshot,
) -> Option<f64> {
    let rows = &activities.rows;
    let from = rule
        .within
        .map_or(Timestamp::MIN, |within| snapshot.at - within);
    let passes = |event: usize| {
        filters.iter().all(|filter| match filter {
            EventFilter::Levels { column, counts } => {
                let code = rows.kinds[*column].codes[event];
                counts[if code == MISSING {
                    counts.len() - 1
                } else {
                    code as usize
                }]
            }
            EventFilter::Any(codes) => codes
                .iter()
                .any(|&(column, code)| rows.kinds[column].codes[event] == code),
            EventFilter::Nothing => false,
            EventFilter::Number { column, condition } => {
                condition.holds_for_number(rows.values[*column].values[event])
            }
        })
    };
    let weight = |age: f64| match (rule.half_life, rule.monthly_decay) {
        (Some(half_life), _) => 0.5_f64.powf(age / half_life.days()),
        (None, Some(share)) => (1.0 - share * age / MONTH_DAYS).max(0.0),
        (None, None) => 1.0,
    };
    let n_paid = if rule.per_event {
        rule.max_events.unwrap_or(u32::MAX)
    } else {
        1
    };
    // The latest first, as many of them as pay.
    let (mut n, mut n_others, mut sum) = (0_u32, 0_u32, 0.0);
    if let Some(entity) = activities.entity_of(snapshot.lead) {
        for event in activities.events_of(entity).rev() {
            let at = rows.at[event];
            if at < from {
                break;
            }
            if at >= snapshot.at || rows.visible_at(event) >= snapshot.at {
                continue;
            }
            if !passes(event) {
                n_others += 1;
                continue;
            }
            if n < n_paid {
                sum += weight(snapshot.at.days_since(at));
            }
            n += 1;
        }
    }
    let least = rule.at_least.unwrap_or(u32::from(rule.at_most.is_none()));
    if n < least || rule.at_most.is_some_and(|most| n > most) || (rule.nothing_else && n_others > 0)
    {
        return None;
    }
    // Nothing since: there is no event whose age could matter.
    let points = rule.points * if n == 0 { 1.0 } else { sum };
    Some(rule.cap.map_or(points, |cap| points.clamp(-cap, cap)))
}
