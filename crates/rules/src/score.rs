//! Points of leads as of a moment: rule by rule, then caps of rules, groups and the whole.

use leadscore_core::{FeatureMatrix, Snapshot, Timestamp};
use leadscore_features::{FeaturesError, compute};
use leadscore_tables::{Activities, Tables};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use serde::Serialize;

use crate::bind::{BoundRules, Test};
use crate::rules_file::{RuleConfig, RuleValue};

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
    /// Points within the score's bounds; the fewest for who is disqualified.
    pub points: f64,
    /// What each rule that applies gave, in the order of the file, after its own cap.
    pub contributions: Vec<Contribution>,
    /// What groups' caps took away; 0 or below.
    pub group_caps: f64,
    /// What the bounds of the score took away or gave.
    pub bounds: f64,
    /// The first rule that disqualifies, by its place in the file.
    pub disqualified_by: Option<usize>,
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
    /// The base, contributions, group caps and bounds add up to the points, but for who is disqualified.
    ///
    /// # Errors
    ///
    /// [`RulesError::Features`] where the tables are not those that the rules were bound to.
    pub fn score(&self, tables: &Tables, snapshots: &[Snapshot]) -> Result<Vec<PointsScore>, RulesError> {
        let attributes = compute(tables, &self.specs, snapshots)?;
        Ok(snapshots.par_iter().enumerate().map(|(row, &snapshot)| self.score_one(tables, &attributes, row, snapshot)).collect())
    }

    fn score_one(&self, tables: &Tables, attributes: &FeatureMatrix, row: usize, snapshot: Snapshot) -> PointsScore {
        let mut contributions = Vec::new();
        let mut disqualified_by = None;
        for (rule_idx, (rule, test)) in self.file.rules.iter().zip(&self.tests).enumerate() {
            let points = match test {
                Test::Attribute(column) => applies(rule, attributes, row, *column).then_some(rule.points),
                Test::Events { table, kind } => points_of_events(rule, &tables.activities[*table], *kind, snapshot),
            };
            let Some(points) = points else { continue };
            if rule.disqualifies && disqualified_by.is_none() {
                disqualified_by = Some(rule_idx);
            }
            if points != 0.0 {
                contributions.push(Contribution { rule: rule_idx, points });
            }
        }
        let group_of = |contribution: &Contribution| self.file.rules[contribution.rule].group.as_deref();
        let over = self.file.groups.iter().filter_map(|(name, group)| {
            let sum: f64 =
                contributions.iter().filter(|contribution| group_of(contribution) == Some(name.as_str())).map(|contribution| contribution.points).sum();
            group.cap.map(|cap| (cap - sum).min(0.0))
        });
        let group_caps: f64 = over.sum();
        let sum = self.file.score.base + contributions.iter().map(|contribution| contribution.points).sum::<f64>() + group_caps;
        let (min, max) = (self.file.score.min, self.file.score.max);
        let bounded = sum.clamp(min, max);
        let points = if disqualified_by.is_some() { min } else { bounded };
        PointsScore { points, contributions, group_caps, bounds: bounded - sum, disqualified_by }
    }
}

fn applies(rule: &RuleConfig, attributes: &FeatureMatrix, row: usize, column: usize) -> bool {
    let is = |value: &RuleValue| match (attributes.is_category(column), value) {
        (true, RuleValue::Text(text)) => attributes.level(row, column) == Some(text),
        (true, RuleValue::Flag(flag)) => attributes.level(row, column).is_some_and(|level| level.eq_ignore_ascii_case(&flag.to_string())),
        (true, RuleValue::Number(number)) => attributes.level(row, column).and_then(|level| level.parse::<f64>().ok()) == Some(*number),
        (false, RuleValue::Number(number)) => attributes.values()[[row, column]] == *number,
        (false, RuleValue::Flag(flag)) => attributes.values()[[row, column]] == f64::from(u8::from(*flag)),
        (false, RuleValue::Text(text)) => text.parse() == Ok(attributes.values()[[row, column]]),
    };
    let number = || Some(attributes.values()[[row, column]]).filter(|value| !value.is_nan());
    if let Some(value) = &rule.equals {
        is(value)
    } else if let Some(values) = &rule.one_of {
        values.iter().any(is)
    } else if let Some(missing) = rule.missing {
        let is_missing = if attributes.is_category(column) { attributes.level(row, column).is_none() } else { number().is_none() };
        is_missing == missing
    } else if let Some(part) = &rule.contains {
        attributes.level(row, column).is_some_and(|level| level.to_lowercase().contains(&part.to_lowercase()))
    } else {
        number().is_some_and(|value| {
            rule.above.is_none_or(|above| value > above) && rule.min.is_none_or(|min| value >= min) && rule.max.is_none_or(|max| value <= max)
        })
    }
}

/// Points of a rule on activities; `None` where it does not apply.
fn points_of_events(rule: &RuleConfig, activities: &Activities, kind: Option<(usize, u32)>, snapshot: Snapshot) -> Option<f64> {
    // Ages in days of the events that count, the latest first.
    let ages: Vec<f64> = activities.entity_of(snapshot.lead).map_or(Vec::new(), |entity| {
        let rows = &activities.rows;
        let from = rule.within.map_or(Timestamp::MIN, |within| snapshot.at - within);
        let counts = |&event: &usize| {
            rows.at[event] >= from
                && rows.at[event] < snapshot.at
                && rows.visible_at(event) < snapshot.at
                && kind.is_none_or(|(column, code)| rows.kinds[column].codes[event] == code)
        };
        activities.events_of(entity).rev().filter(counts).map(|event| snapshot.at.days_since(rows.at[event])).collect()
    });
    let n = u32::try_from(ages.len()).unwrap_or(u32::MAX);
    let least = rule.at_least.unwrap_or(u32::from(rule.at_most.is_none()));
    if n < least || rule.at_most.is_some_and(|most| n > most) {
        return None;
    }
    let weight = |age: &f64| match (rule.half_life, rule.monthly_decay) {
        (Some(half_life), _) => 0.5_f64.powf(age / half_life.days()),
        (None, Some(share)) => (1.0 - share * age / MONTH_DAYS).max(0.0),
        (None, None) => 1.0,
    };
    let n_paid = if rule.per_event { rule.max_events.map_or(ages.len(), |most| most as usize) } else { 1 };
    // Nothing since: there is no event whose age could matter.
    let sum: f64 = if ages.is_empty() { 1.0 } else { ages.iter().take(n_paid).map(weight).sum() };
    let points = rule.points * sum;
    Some(rule.cap.map_or(points, |cap| points.clamp(-cap, cap)))
}
