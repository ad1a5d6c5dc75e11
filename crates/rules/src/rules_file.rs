//! `rules.toml`: what a person writes, read with errors that point at the line.

use std::collections::BTreeMap;

use leadscore_config::{ConfigError, Moment, parse_toml};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::rule::{ResetConfig, RuleConfig, RuleValue};

/// Most points of a rule, and of a score that has a limit, in absolute terms.
const MOST_POINTS: f64 = 1_000_000.0;

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
    /// Most points, default 100; infinite for "none".
    #[serde(deserialize_with = "most_points")]
    pub max: f64,
    /// Which leads have this score; all if not given.
    pub only: Option<OnlyConfig>,
    /// Whose score it is, default the leads'.
    pub of: Spanned<ScoreOf>,
    /// The event after which earlier events are void for all rules.
    pub reset: Option<Spanned<ResetConfig>>,
}

/// `[score] of`: whose score it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScoreOf {
    /// Each lead's own.
    Leads,
    /// Each account's: the events of all of its leads count together, and each of its leads has
    /// these points.
    Accounts,
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
    /// It is not this; a missing one is not.
    pub not_equals: Option<RuleValue>,
    /// It is none of these; a missing one is none of them.
    #[serde(rename = "not_in")]
    pub none_of: Option<Vec<RuleValue>>,
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
            of: Spanned::new(0..0, ScoreOf::Leads),
            reset: None,
        }
    }
}

impl MatrixConfig {
    /// The names of all cells, best first.
    pub fn labels(&self) -> Vec<String> {
        let (rows, columns) = (in_order(&self.row_bands), in_order(&self.column_bands));
        let label = |row: &Grade, column: &Grade| format!("{}{}", row.name, column.name);
        rows.iter()
            .flat_map(|row| columns.iter().map(move |column| label(row, column)))
            .collect()
    }
}

/// `[groups.X]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupConfig {
    /// Most points of the group.
    pub cap: Option<f64>,
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
        self.rules.iter().any(RuleConfig::needs_features)
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
        let has_room = max.is_infinite() || max <= MOST_POINTS;
        if !(base.is_finite() && min >= -MOST_POINTS && min < max && has_room) {
            return fail(
                format!("[score] goes from {min} to {max}"),
                "`min` lies below `max`; both lie within a million, and `max = \"none\"` is no upper bound",
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
        if let Some(reset) = &self.score.reset {
            for (column, condition) in &reset.get_ref().on_columns {
                if condition.given() != 1 {
                    return fail(
                        format!(
                            "`reset` of [score]: `where` has no condition on `{column}`, or several"
                        ),
                        "write one, such as { min = 5 } or { in = [\"a\", \"b\"] }",
                        Some(reset.span()),
                    );
                }
            }
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
                        &if max.is_infinite() {
                            format!("points go from {min} on")
                        } else {
                            format!("points go from {min} to {max}")
                        },
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
        if !(-MOST_POINTS..=MOST_POINTS).contains(&rule.points) {
            return rule.refused(
                "its points are out of range",
                "points go from -1000000 to 1000000",
            );
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
        rule.check_conditions()
    }
}

/// The most points: a number, or "none".
fn most_points<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let wrong = || D::Error::custom("`max` is a number of points or \"none\"");
    match RuleValue::deserialize(deserializer).map_err(|_| wrong())? {
        RuleValue::Number(number) => Ok(number),
        RuleValue::Text(text) if text == "none" => Ok(f64::INFINITY),
        RuleValue::Text(_) | RuleValue::Flag(_) => Err(wrong()),
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
