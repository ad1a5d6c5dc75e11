//! `rules.toml`: what a person writes, read with errors that point at the line.

use std::collections::BTreeMap;

use leadscore_config::{ConfigError, Moment, parse_toml};
use leadscore_core::Span;
use serde::Deserialize;
use toml::Spanned;

/// A scheme of points.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesFile {
    /// Name and bounds of the score.
    #[serde(default)]
    pub score: ScoreConfig,
    /// Groups of rules, such as fit and engagement, with the most that each may give.
    #[serde(default)]
    pub groups: BTreeMap<String, GroupConfig>,
    /// The rules, in order.
    #[serde(rename = "rule")]
    pub rules: Vec<RuleConfig>,
    /// Named points from which a lead counts as something, such as `mql = 50`.
    #[serde(default)]
    pub thresholds: BTreeMap<String, Spanned<f64>>,
    /// Grades and the points from which each is given, such as `A = 80`.
    #[serde(default)]
    pub grades: BTreeMap<String, Spanned<f64>>,
    /// Stages of a lead's life and the points that lead into each: a lead keeps the highest stage
    /// that it ever reached.
    #[serde(default)]
    pub stages: BTreeMap<String, Spanned<f64>>,
    /// Two groups of rules in bands, and what to do in each cell.
    pub matrix: Option<MatrixConfig>,
    /// What some leads should have, for `rules check`.
    #[serde(rename = "example", default)]
    pub examples: Vec<ExampleConfig>,
}

/// `[[example]]`: a lead whose points are known.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleConfig {
    /// Its id.
    pub lead: Spanned<String>,
    /// The moment; that of the command if not given.
    pub as_of: Option<Moment>,
    /// The points that it should have, to a tenth.
    pub points: f64,
}

/// `[score]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScoreConfig {
    /// Name of the score, and of its column in what `rules` writes; default "points".
    pub name: Spanned<String>,
    /// Points that every lead starts with, default 0.
    pub base: f64,
    /// Fewest points, default 0.
    pub min: f64,
    /// Most points, default 100, up to 500.
    pub max: f64,
    /// Which leads have this score; all if not given.
    pub only: Option<OnlyConfig>,
}

/// `[score] only`: the leads of one persona, product line or unit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnlyConfig {
    /// A column of the leads, or `lookup.column`.
    pub attribute: Spanned<String>,
    /// It is this.
    pub equals: Option<RuleValue>,
    /// It is one of these.
    #[serde(rename = "in")]
    pub one_of: Option<Vec<RuleValue>>,
}

/// `[matrix]`: fit down, engagement across.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatrixConfig {
    /// The group whose points choose the row.
    pub rows: Spanned<String>,
    /// The group whose points choose the column.
    pub columns: Spanned<String>,
    /// Names of rows and the points from which each begins, such as `A = 40`.
    pub row_bands: BTreeMap<String, Spanned<f64>>,
    /// Names of columns and the points from which each begins, such as `1 = 40`.
    pub column_bands: BTreeMap<String, Spanned<f64>>,
    /// What to do in a cell, by its label, such as `A1 = "call today"`.
    #[serde(default)]
    pub cells: BTreeMap<String, Spanned<String>>,
}

impl Default for ScoreConfig {
    fn default() -> Self {
        Self {
            name: Spanned::new(0..0, "points".to_owned()),
            base: 0.0,
            min: 0.0,
            max: 100.0,
            only: None,
        }
    }
}

/// `[groups.X]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupConfig {
    /// Most points of the group.
    pub cap: Option<f64>,
}

/// `[[rule]]`: on an `attribute`, on an `activity`, or on a `feature`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// What a reader sees.
    pub name: Spanned<String>,
    /// The group that its points belong to; none if not given.
    pub group: Option<String>,
    /// Points, -200 to 100; 0 for a rule that only disqualifies.
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
    /// Applies only where the table has no other events of the lead in that time.
    #[serde(default)]
    pub nothing_else: bool,
    /// Only events of so long before; all if not given.
    pub within: Option<Span>,
    /// Applies with at least so many events; default 1, or 0 beside an `at_most`.
    pub at_least: Option<u32>,
    /// Applies with at most so many events: 0 for nothing since.
    pub at_most: Option<u32>,
    /// Whether each event gives the points, in place of all together.
    #[serde(default)]
    pub per_event: bool,
    /// Most events that give points, the latest ones.
    pub max_events: Option<u32>,
    /// Most points of the rule, in absolute terms.
    pub cap: Option<f64>,
    /// Points of an event halve after every such time.
    pub half_life: Option<Span>,
    /// Points of an event lose this share of them with every 30 days, in a straight line down to
    /// none.
    pub monthly_decay: Option<f64>,
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

/// A grade and the points from which it is given.
#[derive(Debug, Clone, PartialEq)]
pub struct Grade {
    /// Its name.
    pub name: String,
    /// Points from which it is given.
    pub from: f64,
}

impl RulesFile {
    /// Reads and checks a file of rules.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the place: text that is not TOML, an unknown key, rules that
    /// contradict themselves, points and caps out of their range, thresholds that no lead can
    /// reach.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let file: Self = parse_toml(text)?;
        file.check()?;
        Ok(file)
    }

    /// Grades, best first.
    pub fn grades(&self) -> Vec<Grade> {
        in_order(&self.grades)
    }

    /// Thresholds, highest first.
    pub fn thresholds(&self) -> Vec<Grade> {
        in_order(&self.thresholds)
    }

    /// Stages, highest first.
    pub fn stages(&self) -> Vec<Grade> {
        in_order(&self.stages)
    }

    /// Whether a rule looks at a feature.
    pub fn needs_features(&self) -> bool {
        self.rules.iter().any(|rule| rule.feature.is_some())
    }

    fn check(&self) -> Result<(), ConfigError> {
        let fail = |message: String, help: &str, span| {
            Err(ConfigError {
                message,
                help: Some(help.to_owned()),
                span,
                is_unknown_key: false,
            })
        };
        let ScoreConfig { min, max, base, .. } = self.score;
        if !(base.is_finite() && min.is_finite() && max.is_finite() && min < max && max <= 500.0) {
            return fail(
                format!("[score] goes from {min} to {max}"),
                "`min` lies below `max`, which is 500 at most",
                None,
            );
        }
        if self.rules.is_empty() {
            return fail(
                "there is no [[rule]]".to_owned(),
                "write at least one",
                None,
            );
        }
        for rule in &self.rules {
            self.check_rule(rule)?;
        }
        for named in [&self.thresholds, &self.grades, &self.stages] {
            check_bands(named)?;
            for (what, points) in named {
                if !(min..=max).contains(points.get_ref()) {
                    let message = format!(
                        "`{what}` begins at {}, which no lead can have",
                        points.get_ref()
                    );
                    return fail(
                        message,
                        &format!("points go from {min} to {max}"),
                        Some(points.span()),
                    );
                }
            }
        }
        if let Some(matrix) = &self.matrix {
            self.check_matrix(matrix)?;
        }
        for (name, group) in &self.groups {
            if group.cap.is_some_and(|cap| cap.is_nan() || cap <= 0.0) {
                return fail(
                    format!("[groups.{name}] has a `cap` that is not above 0"),
                    "write the most points that the group may give",
                    None,
                );
            }
        }
        Ok(())
    }

    fn check_matrix(&self, matrix: &MatrixConfig) -> Result<(), ConfigError> {
        for group in [&matrix.rows, &matrix.columns] {
            if !self.groups.contains_key(group.get_ref()) {
                let known: Vec<&str> = self.groups.keys().map(String::as_str).collect();
                let message = format!(
                    "[matrix] names the group `{}`, which is not there",
                    group.get_ref()
                );
                return Err(ConfigError {
                    message,
                    help: Some(format!("there are {}", known.join(", "))),
                    span: Some(group.span()),
                    is_unknown_key: false,
                });
            }
        }
        for bands in [&matrix.row_bands, &matrix.column_bands] {
            check_bands(bands)?;
            if bands.is_empty() {
                return Err(ConfigError {
                    message: "[matrix] has no bands".to_owned(),
                    help: Some("write such as A = 40".to_owned()),
                    span: None,
                    is_unknown_key: false,
                });
            }
        }
        for (label, text) in &matrix.cells {
            let is_cell = |row: &String| {
                label
                    .strip_prefix(row.as_str())
                    .is_some_and(|column| matrix.column_bands.contains_key(column))
            };
            if !matrix.row_bands.keys().any(is_cell) {
                let help =
                    "a cell is the name of a row and that of a column, such as A1".to_owned();
                return Err(ConfigError {
                    message: format!("[matrix] has no cell `{label}`"),
                    help: Some(help),
                    span: Some(text.span()),
                    is_unknown_key: false,
                });
            }
        }
        Ok(())
    }

    fn check_rule(&self, rule: &RuleConfig) -> Result<(), ConfigError> {
        let looks_at = [
            rule.attribute.is_some(),
            rule.feature.is_some(),
            rule.activity.is_some(),
        ];
        if looks_at.into_iter().filter(|given| *given).count() != 1 {
            return rule.refused(
                "it needs one of `attribute`, `activity` and `feature`",
                "name the column, the table of activities or the feature that it looks at",
            );
        }
        if !(-200.0..=100.0).contains(&rule.points) {
            return rule.refused("its points are out of range", "points go from -200 to 100");
        }
        if rule.points == 0.0 && !rule.disqualifies {
            return rule.refused(
                "it gives no points",
                "write `points`, or `disqualifies = true`",
            );
        }
        if let Some(group) = &rule.group
            && !self.groups.contains_key(group)
        {
            return rule.refused(
                &format!("there is no [groups.{group}]"),
                "add it, with a `cap` if it has one",
            );
        }
        if let Some(cap) = rule.group.as_ref().and_then(|group| self.groups[group].cap)
            && rule.points > cap
        {
            return rule.refused(
                &format!("its points lie above the cap of its group, {cap}"),
                "no lead can get them all: raise the cap or lower the points",
            );
        }
        if rule.activity.is_some() {
            rule.check_events()?;
            rule.check_lengths()
        } else {
            rule.check_condition()
        }
    }
}

impl RuleConfig {
    /// The error at the rule's name.
    fn refused(&self, message: &str, help: &str) -> Result<(), ConfigError> {
        Err(ConfigError {
            message: format!("rule \"{}\": {message}", self.name.get_ref()),
            help: Some(help.to_owned()),
            span: Some(self.name.span()),
            is_unknown_key: false,
        })
    }

    /// Fails where a rule on an attribute or a feature has not one condition, or keys of events.
    fn check_condition(&self) -> Result<(), ConfigError> {
        let n_conditions = self.condition().given();
        let on_events = self.kind.is_some()
            || !self.on_columns.is_empty()
            || self.nothing_else
            || self.within.is_some()
            || self.at_least.is_some()
            || self.at_most.is_some()
            || self.per_event
            || self.max_events.is_some()
            || self.half_life.is_some()
            || self.monthly_decay.is_some();
        if n_conditions != 1 {
            return self.refused(
                "it has no condition on what it looks at, or several",
                "write one of `equals`, `in`, `above`, `min` and `max`, `contains`, `matches`, `missing`",
            );
        }
        if on_events || self.cap.is_some() {
            return self.refused(
                "it has keys of an activity",
                "`kind`, `where`, `within`, counts, caps and decay go with `activity`",
            );
        }
        if self.min.zip(self.max).is_some_and(|(min, max)| min > max) {
            return self.refused("its `min` lies above its `max`", "no number is in between");
        }
        Ok(())
    }

    /// Fails where a rule on events has a condition of an attribute, or counts that contradict
    /// each other.
    fn check_events(&self) -> Result<(), ConfigError> {
        let n_conditions = self.condition().given();
        if n_conditions > 0 {
            return self.refused(
                "it has a condition of an attribute",
                "they go with `attribute`; for a column of the events write `where = { column = { min = 5 } }`",
            );
        }
        for (column, condition) in &self.on_columns {
            if condition.given() != 1 {
                return self.refused(
                    &format!("`where` has no condition on `{column}`, or several"),
                    "write one, such as { min = 5 } or { in = [\"a\", \"b\"] }",
                );
            }
        }
        if self
            .at_least
            .zip(self.at_most)
            .is_some_and(|(least, most)| least > most)
        {
            return self.refused(
                "its `at_least` lies above its `at_most`",
                "no number of events is in between",
            );
        }
        if self.per_event && self.at_most.is_some() {
            return self.refused(
                "it counts each event and has an `at_most`",
                "`max_events` limits the events that give points",
            );
        }
        if self
            .cap
            .is_some_and(|cap| cap.is_nan() || cap < self.points.abs())
        {
            return self.refused(
                "its `cap` lies below its points",
                "one event alone would exceed it",
            );
        }
        Ok(())
    }

    /// Fails where decay and lengths of time of a rule on events cannot be.
    fn check_lengths(&self) -> Result<(), ConfigError> {
        if self.half_life.is_some() && self.monthly_decay.is_some() {
            return self.refused(
                "it has two kinds of decay",
                "keep `half_life` or `monthly_decay`",
            );
        }
        if self.half_life == Some(Span::ZERO) || self.within == Some(Span::ZERO) {
            return self.refused("it has a length of zero", "write lengths such as \"30d\"");
        }
        if self
            .monthly_decay
            .is_some_and(|share| !(share > 0.0 && share <= 1.0))
        {
            return self.refused(
                "its `monthly_decay` is not a share",
                "write above 0 and at most 1: 0.5 for half of the points a month",
            );
        }
        Ok(())
    }

    /// The condition on its attribute or feature.
    pub(crate) fn condition(&self) -> EventCondition {
        EventCondition {
            equals: self.equals.clone(),
            one_of: self.one_of.clone(),
            above: self.above,
            min: self.min,
            max: self.max,
            contains: self.contains.clone(),
            matches: self.matches.clone(),
            missing: self.missing,
        }
    }
}

impl EventCondition {
    /// How many conditions it holds; a range is one.
    fn given(&self) -> usize {
        let is_range = self.above.is_some() || self.min.is_some() || self.max.is_some();
        let given = [
            self.equals.is_some(),
            self.one_of.is_some(),
            is_range,
            self.contains.is_some(),
            self.matches.is_some(),
            self.missing.is_some(),
        ];
        given.iter().filter(|given| **given).count()
    }
}

/// Fails where two bands begin at the same points.
fn check_bands(named: &BTreeMap<String, Spanned<f64>>) -> Result<(), ConfigError> {
    let mut bands: Vec<(&String, &Spanned<f64>)> = named.iter().collect();
    bands.sort_by(|a, b| {
        a.1.get_ref()
            .total_cmp(b.1.get_ref())
            .then(a.1.span().start.cmp(&b.1.span().start))
    });
    for pair in bands.windows(2) {
        if pair[0].1.get_ref() == pair[1].1.get_ref() {
            let message = format!(
                "`{}` and `{}` overlap: both begin at {}",
                pair[0].0,
                pair[1].0,
                pair[1].1.get_ref()
            );
            return Err(ConfigError {
                message,
                help: Some("each goes up to where the next begins".to_owned()),
                span: Some(pair[1].1.span()),
                is_unknown_key: false,
            });
        }
    }
    Ok(())
}

/// Bands, highest first.
pub(crate) fn in_order(named: &BTreeMap<String, Spanned<f64>>) -> Vec<Grade> {
    let mut grades: Vec<Grade> = named
        .iter()
        .map(|(name, from)| Grade {
            name: name.clone(),
            from: *from.get_ref(),
        })
        .collect();
    grades.sort_by(|a, b| b.from.total_cmp(&a.from).then(a.name.cmp(&b.name)));
    grades
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_error(text: &str, expected: &str, pointed_at: &str) {
        let error = RulesFile::parse(text).expect_err("refused");
        assert!(error.to_string().contains(expected), "{error}");
        let span = error.span.clone().expect("a place");
        assert!(text[span].contains(pointed_at), "{error}");
    }

    #[test]
    fn what_cannot_be_is_refused_at_its_place() {
        let rule = "[[rule]]\nname = \"r\"\npoints = 5\n";
        check_error(
            &format!("{rule}attribute = \"a\"\nequals = 1\nactivity = \"b\"\n"),
            "one of `attribute`, `activity` and `feature`",
            "\"r\"",
        );
        check_error(
            &format!("{rule}attribute = \"a\"\n"),
            "no condition on what it looks at",
            "\"r\"",
        );
        check_error(
            &format!("{rule}attribute = \"a\"\nmin = 5\nmax = 4\n"),
            "`min` lies above its `max`",
            "\"r\"",
        );
        check_error(
            &format!("{rule}activity = \"a\"\ngroup = \"fit\"\n"),
            "there is no [groups.fit]",
            "\"r\"",
        );
        check_error(
            &format!("{rule}activity = \"a\"\ncap = 4\n"),
            "`cap` lies below its points",
            "\"r\"",
        );
        check_error(
            &format!("{rule}activity = \"a\"\nmonthly_decay = 2\n"),
            "is not a share",
            "\"r\"",
        );
        check_error(
            "[[rule]]\nname = \"r\"\npoints = 500\nactivity = \"a\"\n",
            "points are out of range",
            "\"r\"",
        );
        check_error(
            &format!("{rule}activity = \"a\"\n[thresholds]\nmql = 150\n"),
            "`mql` begins at 150, which no lead can have",
            "150",
        );
        check_error(
            "[[rule]]\nname = \"r\"\npionts = 5\nactivity = \"a\"\n",
            "did you mean `points`?",
            "pionts",
        );
    }
}
