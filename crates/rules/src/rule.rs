//! `[[rule]]`: what it looks at, which conditions must hold together, and how its points grow and
//! decay.

use std::collections::BTreeMap;

use leadscore_core::Span;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

/// `[[rule]]`: on an `attribute`, on an `activity`, or on a `feature`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// What a reader sees.
    pub name: Spanned<String>,
    /// The group that its points belong to; none if not given.
    pub group: Option<String>,
    /// Points, -1,000,000 to 1,000,000; 0 for a rule that only disqualifies.
    #[serde(default)]
    pub points: f64,
    /// Whether a lead to which it applies gets the fewest points and leaves the queue, whatever
    /// else.
    #[serde(default)]
    pub disqualifies: bool,

    /// A column of the leads, or `lookup.column`.
    pub attribute: Option<String>,
    /// Any feature, by the name that `features --describe` gives it; conditions are those of an
    /// attribute.
    pub feature: Option<String>,
    /// Applies where the attribute or feature is this.
    pub equals: Option<RuleValue>,
    /// Applies where the attribute is one of these.
    #[serde(rename = "in")]
    pub one_of: Option<Vec<RuleValue>>,
    /// Applies where the attribute is not this; a missing one is not.
    pub not_equals: Option<RuleValue>,
    /// Applies where the attribute is none of these; a missing one is none of them.
    #[serde(rename = "not_in")]
    pub none_of: Option<Vec<RuleValue>>,
    /// Applies above this number.
    pub above: Option<f64>,
    /// Applies from this number on.
    pub min: Option<f64>,
    /// Applies up to this number.
    pub max: Option<f64>,
    /// Applies where the attribute's text contains this, whatever the case.
    pub contains: Option<String>,
    /// Applies where the attribute's text matches this regular expression.
    pub matches: Option<Spanned<String>>,
    /// Applies where the attribute is missing (`true`) or not (`false`).
    pub missing: Option<bool>,

    /// A table of activities.
    pub activity: Option<String>,
    /// Only events with this value in any of the table's kind columns.
    pub kind: Option<String>,
    /// Only events whose columns meet these conditions, such as `{ minutes = { min = 5 } }`.
    #[serde(rename = "where", default)]
    pub on_columns: BTreeMap<String, EventCondition>,
    /// Applies only where the lead has no other events in that time, in this table or in all.
    #[serde(default)]
    pub nothing_else: NothingElse,
    /// Only events of so long before; all if not given.
    pub within: Option<Span>,
    /// Applies with at least so many events; default 1, or 0 beside an `at_most`.
    pub at_least: Option<u32>,
    /// Applies with at most so many events: 0 for nothing since.
    pub at_most: Option<u32>,
    /// Only events that this one follows, later and in time.
    pub then: Option<Box<Spanned<ThenConfig>>>,
    /// Events before the latest such event are void.
    pub reset: Option<Spanned<ResetConfig>>,
    /// Whether each event gives the points, in place of all together.
    #[serde(default)]
    pub per_event: bool,
    /// Whether the events of one UTC day count as one, and each day gives the points.
    #[serde(default)]
    pub per_day: bool,
    /// Every so many events, or days, give the points once.
    pub every: Option<u32>,
    /// Most events, days or times that give points, the latest ones.
    pub max_events: Option<u32>,
    /// Most points of the rule, in absolute terms.
    pub cap: Option<f64>,
    /// Points of an event halve after every such time.
    pub half_life: Option<Span>,
    /// Points of an event lose this share of them with every 30 days, in a straight line down to
    /// none.
    pub monthly_decay: Option<f64>,
    /// What is left of the points of an event from some ages on, or after every such time.
    pub decay: Option<Vec<DecayStep>>,

    /// Applies only where all of these do.
    pub all: Option<Vec<Spanned<PartConfig>>>,
    /// Applies only where one of these does, or several.
    pub any: Option<Vec<Spanned<PartConfig>>>,
    /// Applies only where none of these does.
    pub none: Option<Vec<Spanned<PartConfig>>>,
}

/// A condition on a column of events.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventCondition {
    /// The column is this.
    pub equals: Option<RuleValue>,
    /// The column is one of these.
    #[serde(rename = "in")]
    pub one_of: Option<Vec<RuleValue>>,
    /// The column is not this; a missing one is not.
    pub not_equals: Option<RuleValue>,
    /// The column is none of these; a missing one is none of them.
    #[serde(rename = "not_in")]
    pub none_of: Option<Vec<RuleValue>>,
    /// The number lies above this.
    pub above: Option<f64>,
    /// The number is this or more.
    pub min: Option<f64>,
    /// The number is this or less.
    pub max: Option<f64>,
    /// The text contains this, whatever the case.
    pub contains: Option<String>,
    /// The text matches this regular expression.
    pub matches: Option<Spanned<String>>,
    /// The column is missing (`true`) or not (`false`).
    pub missing: Option<bool>,
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum RuleValue {
    /// A number.
    Number(f64),
    /// True or false, as text.
    Flag(bool),
    /// A text.
    Text(String),
}

/// One of the conditions that `all`, `any` or `none` put together: keys of a rule that say when it
/// applies, or further conditions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartConfig {
    /// As in a rule.
    pub attribute: Option<String>,
    /// As in a rule.
    pub feature: Option<String>,
    /// As in a rule.
    pub equals: Option<RuleValue>,
    /// As in a rule.
    #[serde(rename = "in")]
    pub one_of: Option<Vec<RuleValue>>,
    /// As in a rule.
    pub not_equals: Option<RuleValue>,
    /// As in a rule.
    #[serde(rename = "not_in")]
    pub none_of: Option<Vec<RuleValue>>,
    /// As in a rule.
    pub above: Option<f64>,
    /// As in a rule.
    pub min: Option<f64>,
    /// As in a rule.
    pub max: Option<f64>,
    /// As in a rule.
    pub contains: Option<String>,
    /// As in a rule.
    pub matches: Option<Spanned<String>>,
    /// As in a rule.
    pub missing: Option<bool>,

    /// As in a rule.
    pub activity: Option<String>,
    /// As in a rule.
    pub kind: Option<String>,
    /// As in a rule.
    #[serde(rename = "where", default)]
    pub on_columns: BTreeMap<String, EventCondition>,
    /// As in a rule.
    #[serde(default)]
    pub nothing_else: NothingElse,
    /// As in a rule.
    pub within: Option<Span>,
    /// As in a rule.
    pub at_least: Option<u32>,
    /// As in a rule.
    pub at_most: Option<u32>,
    /// As in a rule.
    pub then: Option<Box<Spanned<ThenConfig>>>,
    /// As in a rule.
    pub reset: Option<Spanned<ResetConfig>>,
    /// As in a rule: `at_least` then counts days.
    #[serde(default)]
    pub per_day: bool,

    /// As in a rule.
    pub all: Option<Vec<Spanned<PartConfig>>>,
    /// As in a rule.
    pub any: Option<Vec<Spanned<PartConfig>>>,
    /// As in a rule.
    pub none: Option<Vec<Spanned<PartConfig>>>,
}

/// `then`: the event that follows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThenConfig {
    /// Its table of activities.
    pub activity: String,
    /// Its value in any of the table's kind columns.
    pub kind: Option<String>,
    /// What its columns must meet.
    #[serde(rename = "where", default)]
    pub on_columns: BTreeMap<String, EventCondition>,
    /// So long after the event before it at most; any time if not given.
    pub within: Option<Span>,
    /// What follows it in turn.
    pub then: Option<Box<Spanned<ThenConfig>>>,
}

/// `reset`: the event after which earlier ones are void.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResetConfig {
    /// Its table of activities.
    pub activity: String,
    /// Its value in any of the table's kind columns.
    pub kind: Option<String>,
    /// What its columns must meet.
    #[serde(rename = "where", default)]
    pub on_columns: BTreeMap<String, EventCondition>,
}

/// One step of a `decay`: one of `after` and `every`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecayStep {
    /// From this age on.
    pub after: Option<Span>,
    /// After each such time again, without end.
    pub every: Option<Span>,
    /// The share of the points that is kept.
    pub keep: f64,
}

/// Whether the lead must have no other events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NothingElse {
    /// Other events do not matter.
    #[default]
    NotAsked,
    /// None in the table of the rule.
    InTable,
    /// None in any table.
    InAllTables,
}

impl<'de> Deserialize<'de> for NothingElse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let said =
            RuleValue::deserialize(deserializer).map_err(|_| D::Error::custom(NOTHING_ELSE))?;
        match said {
            RuleValue::Flag(false) => Ok(Self::NotAsked),
            RuleValue::Flag(true) => Ok(Self::InTable),
            RuleValue::Text(text) if text == "all tables" => Ok(Self::InAllTables),
            RuleValue::Text(_) | RuleValue::Number(_) => Err(D::Error::custom(NOTHING_ELSE)),
        }
    }
}

const NOTHING_ELSE: &str =
    "`nothing_else` is true (no other events in this table) or \"all tables\"";

impl PartConfig {
    /// The rule that says the same, called as the rule that it belongs to, with its own place.
    pub(crate) fn as_rule(part: &Spanned<Self>, name: &str) -> RuleConfig {
        let own = part.get_ref().clone();
        RuleConfig {
            name: Spanned::new(part.span(), name.to_owned()),
            group: None,
            points: 1.0,
            disqualifies: false,
            attribute: own.attribute,
            feature: own.feature,
            equals: own.equals,
            one_of: own.one_of,
            not_equals: own.not_equals,
            none_of: own.none_of,
            above: own.above,
            min: own.min,
            max: own.max,
            contains: own.contains,
            matches: own.matches,
            missing: own.missing,
            activity: own.activity,
            kind: own.kind,
            on_columns: own.on_columns,
            nothing_else: own.nothing_else,
            within: own.within,
            at_least: own.at_least,
            at_most: own.at_most,
            then: own.then,
            reset: own.reset,
            per_event: false,
            per_day: own.per_day,
            every: None,
            max_events: None,
            cap: None,
            half_life: None,
            monthly_decay: None,
            decay: None,
            all: own.all,
            any: own.any,
            none: own.none,
        }
    }
}

impl RuleConfig {
    /// Whether it has conditions of its own, beside those that `all`, `any` and `none` combine.
    pub(crate) fn looks_at_something(&self) -> bool {
        self.attribute.is_some() || self.feature.is_some() || self.activity.is_some()
    }

    /// The combined conditions as rules: those of `all`, of `any` and of `none`.
    pub(crate) fn parts(&self) -> [Option<Vec<RuleConfig>>; 3] {
        [&self.all, &self.any, &self.none].map(|parts| {
            parts.as_ref().map(|parts| {
                parts
                    .iter()
                    .map(|part| PartConfig::as_rule(part, self.name.get_ref()))
                    .collect()
            })
        })
    }

    /// Whether it looks at a feature, itself or in a combined condition.
    pub(crate) fn needs_features(&self) -> bool {
        self.feature.is_some()
            || self
                .parts()
                .iter()
                .flatten()
                .flatten()
                .any(Self::needs_features)
    }

    /// The condition on its attribute or feature.
    pub(crate) fn condition(&self) -> EventCondition {
        EventCondition {
            equals: self.equals.clone(),
            one_of: self.one_of.clone(),
            not_equals: self.not_equals.clone(),
            none_of: self.none_of.clone(),
            above: self.above,
            min: self.min,
            max: self.max,
            contains: self.contains.clone(),
            matches: self.matches.clone(),
            missing: self.missing,
        }
    }
}
